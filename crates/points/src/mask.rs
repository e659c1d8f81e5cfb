//! Whether one point may show anything of what another one addresses. Decided on the points alone, without a
//! message, and on the safe side: two points are apart only if the first step in which they differ picks two
//! different things of the same whole.
//!
//! One question needs the message: a text read in two formats (`body > json …`, `body > form …`) is hidden from the one
//! only where the other finds its masked place, or cannot tell.

use crate::step::Kind;
use crate::xml::local_name;
use crate::{Bounds, Found, JwtPart, Plan, Point, Scratch, Step};
use threadline_model::Exchange;

impl Point {
    /// Whether a value at this point may hold something of the value at `other`, or the other way round. Decided on the
    /// points alone and on the safe side.
    pub fn overlaps(&self, other: &Self) -> bool {
        overlap(self, other)
    }

    /// Whether two points that [overlap](Point::overlaps) do so only because one text can be read in two formats: what
    /// one of them addresses is then nowhere if its format finds nothing there.
    pub fn reads_another_format(&self, other: &Self) -> bool {
        let differ = self.steps().iter().zip(other.steps()).find(|(one, other)| one != other);
        differ.is_some_and(|(one, other)| match (format(one), format(other)) {
            (Some(one), Some(other)) => one != other,
            _ => false,
        })
    }
}

/// The format that a step reads a text in; none for steps within one, and for what is decoded rather than read.
fn format(step: &Step) -> Option<Kind> {
    match step.kind() {
        Kind::Multiparts => Some(Kind::Multipart),
        kind @ (Kind::Json
        | Kind::Xml
        | Kind::Form
        | Kind::Multipart
        | Kind::Graphql
        | Kind::Grpc
        | Kind::Protobuf
        | Kind::Viewstate) => Some(kind),
        _ => None,
    }
}

/// Masks as they bear on one exchange.
pub(crate) struct Masks<'m> {
    points: &'m [Point],
    /// Whether there is anything at each, or may be.
    there: Vec<bool>,
}

impl<'m> Masks<'m> {
    pub(crate) fn of(points: &'m [Point], exchange: &Exchange, bounds: Bounds) -> Self {
        let is_there = |mask: &Point| match Plan::compile(std::slice::from_ref(mask), bounds) {
            Ok(plan) => *plan.extract(exchange, &mut Scratch::default()).get(0) != Found::Absent,
            Err(_) => true,
        };
        Self { points, there: points.iter().map(is_there).collect() }
    }

    /// Those that may hide something of a point.
    pub(crate) fn hiding<'s>(&'s self, point: &'s Point) -> impl Iterator<Item = &'m Point> + 's {
        let masks = self.points.iter().zip(&self.there);
        masks
            .filter(|(mask, there)| overlap(mask, point) && (**there || !mask.reads_another_format(point)))
            .map(|(mask, _)| mask)
    }
}

/// Whether a value at `one` may hold something of the value at `other`, or the other way round.
pub(crate) fn overlap(one: &Point, other: &Point) -> bool {
    if one.side() != other.side() {
        return false;
    }
    let steps = one.steps();
    match steps.iter().zip(other.steps()).position(|(one, other)| one != other) {
        // One is the other, or lies in it.
        None => true,
        Some(place) => {
            let (before, one, other) = (&steps[..place], &steps[place], &other.steps()[place]);
            match (one, other) {
                (Step::Property(_), Step::Property(_)) | (Step::Attribute(_), Step::Attribute(_)) if in_xml(before) => {
                    may_be_same(before, one, other)
                }
                (one, other) => !apart(one, other),
            }
        }
    }
}

/// Whether what follows these steps is a name in an XML document.
pub(crate) fn in_xml(steps: &[Step]) -> bool {
    let navigates = |step: &&Step| {
        matches!(step, Step::Property(_) | Step::Properties | Step::Index(_) | Step::Indexes | Step::All | Step::Names)
    };
    steps.iter().rev().find(|step| !navigates(step)) == Some(&Step::Xml)
}

/// Whether two names behind these steps can be those of the same. In XML a tag is spelled with its prefix, its
/// namespace or neither, and what an entity stands for can be anywhere.
pub(crate) fn may_be_same(before: &[Step], one: &Step, other: &Step) -> bool {
    let is_entity = |name: &str| name.starts_with(['&', '%']);
    match (one, other) {
        (Step::Property(one), Step::Property(other)) | (Step::Attribute(one), Step::Attribute(other))
            if in_xml(before) =>
        {
            local_name(one) == local_name(other) || is_entity(one) || is_entity(other)
        }
        _ => one == other,
    }
}

/// The headers in which the host of a request can stand: its own, and those in which proxies say the original one.
pub(crate) const HOST_HEADERS: [&str; 3] = ["HOST", "X-FORWARDED-HOST", "FORWARDED"];

/// Whether two steps at the same place pick different things.
fn apart(one: &Step, other: &Step) -> bool {
    use Step::{
        ActionExt, ActionName, Argument, Attribute, Body, Cookie, Field, Header, Headers, Host, Index, Ja3, Ja4, Jwt,
        Method, Multipart, Path, Paths, Property, Proto, Queries, Query, RemoteAddr, Scheme, Status, Uri, Variable,
    };
    match (one, other) {
        // Nested names are written in several ways (`query "p[x]"`, `query p > property x`).
        (Query(one), Query(other)) | (Property(one), Property(other)) | (Multipart(one), Multipart(other)) => {
            base_name(one) != base_name(other)
        }
        (Header(one), Header(other)) => one != other,
        (Cookie(one), Cookie(other))
        | (Attribute(one), Attribute(other))
        | (Field(one), Field(other))
        | (Variable(one), Variable(other))
        | (Argument(one), Argument(other)) => one != other,
        (Index(one), Index(other)) | (Path(one), Path(other)) => one != other,
        (Jwt(JwtPart::Token), Jwt(other)) | (Jwt(other), Jwt(JwtPart::Token)) => *other == JwtPart::Prefix,
        (Jwt(one), Jwt(other)) => one != other,
        // The request target holds the path and the query; the last part of the path holds name and extension.
        (Uri, Path(_) | Paths | ActionName | ActionExt | Query(_) | Queries) => false,
        (Path(_) | Paths | ActionName | ActionExt | Query(_) | Queries, Uri) => false,
        (Path(_) | Paths, ActionName | ActionExt) | (ActionName | ActionExt, Path(_) | Paths) => false,
        (Path(_), Paths) | (Paths, Path(_)) | (Query(_), Queries) | (Queries, Query(_)) => false,
        (Header(_), Headers) | (Headers, Header(_)) => false,
        // A host stands in a header too, and which of them it was read from is not known here.
        (Host, Header(name)) | (Header(name), Host) => !HOST_HEADERS.contains(&name.as_str()),
        (Host, Headers) | (Headers, Host) => false,
        // Different places of the message.
        (first, second) => {
            let part = |step: &Step| {
                matches!(
                    step,
                    Method
                        | Scheme
                        | Proto
                        | Host
                        | Uri
                        | Path(_)
                        | Paths
                        | ActionName
                        | ActionExt
                        | Query(_)
                        | Queries
                        | RemoteAddr
                        | Ja3
                        | Ja4
                        | Status
                        | Header(_)
                        | Headers
                        | Body
                )
            };
            part(first) && part(second)
        }
    }
}

fn base_name(name: &str) -> &str {
    name.split_once('[').map_or(name, |(base, _)| base)
}
