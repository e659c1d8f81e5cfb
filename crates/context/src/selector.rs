//! The one exit, compiled once per version: which parameters leave hashed, and which exported metadata their
//! values are taken from. What that means for one exchange is in `selection`.

use std::ops::Range;

use threadline_grouping::{Grouped, ParameterHashKey};
use threadline_model::{Exchange, HostHeader};
use threadline_points::{Extracted, HeaderLabel, Point, Side, Spoken, Step};
use threadline_policy::{Parameter, ParameterType, Policy};

use crate::contextual::Contextual;
use crate::selection::Selection;
use crate::target::Place;

/// Selects by one version of a policy.
pub struct Selector {
    pub(crate) parameters: Vec<Selected>,
    /// Positions in the plan whose values leave hashed: those of hashed parameters, and their further points.
    pub(crate) hashed: Vec<usize>,
    /// Metadata that hashed parameters and masks take their values from, with the position in the plan.
    pub(crate) covers: Vec<(Covered, usize)>,
    /// Positions of masks in the plan.
    pub(crate) masks: Range<usize>,
    pub(crate) key: ParameterHashKey,
}

/// A parameter as far as selecting needs it.
pub(crate) struct Selected {
    pub(crate) name: Box<str>,
    pub(crate) kind: ParameterType,
    pub(crate) side: Side,
    pub(crate) hidden: bool,
    /// Exported as a hash: by its own mark, or because its value holds that of another hashed parameter.
    pub(crate) hashed: bool,
    /// A credential that somebody chose to export in clear.
    pub(crate) chosen: bool,
    /// The query field this is exactly.
    pub(crate) field: Option<Box<[u8]>>,
    /// This is the whole request target.
    pub(crate) target: bool,
}

/// Exported metadata that a hashed parameter or a mask takes its value from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Covered {
    Path(Place),
    /// Names of the query.
    QueryNames,
    /// What the exchange asks for.
    Operation,
    Host,
    UserAgent,
    ClientAddress,
    Ja3,
    Ja4,
    Trace,
}

/// Exported metadata that a hashed parameter or a mask replaces, known before any exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replaced {
    /// The column of the table.
    pub column: &'static str,
    /// Whose point it is, among [`Policy::points`].
    pub position: usize,
    /// A keyed hash takes the place; otherwise it is left out, or `…` stands there.
    pub hashed: bool,
    /// The whole of it, wherever parameter or mask apply; otherwise a part, or only where there is such a value.
    pub whole: bool,
}

impl Selector {
    /// Whether a parameter of the policy, by position, leaves hashed.
    pub fn leaves_hashed(&self, parameter: usize) -> bool {
        self.parameters.get(parameter).is_some_and(|parameter| parameter.hashed)
    }

    /// What of the exported metadata is replaced, in no order.
    pub fn replaced(&self, policy: &Policy) -> Vec<Replaced> {
        let points = policy.points();
        let mut replaced = Vec::new();
        for (covered, position) in self.covers.iter().copied() {
            let steps = points.get(position).map_or(&[][..], |point| point.steps());
            let direct = matches!(steps, [_] | [Step::Headers, Step::All] | [Step::Paths, Step::All]);
            let is_mask = self.masks.contains(&position);
            let mut push = |column, whole: bool, hashes: bool| {
                replaced.push(Replaced { column, position, hashed: hashes && !is_mask, whole: whole && direct });
            };
            match covered {
                Covered::Path(place) => {
                    push("path", place == Place::Whole, true);
                    push("endpoint", false, true);
                    if place == Place::Whole {
                        push("query", true, false);
                    }
                }
                Covered::QueryNames => {
                    replaced.push(Replaced { column: "query", position, hashed: false, whole: true })
                }
                Covered::Operation => push("operation", false, false),
                Covered::Host => {
                    push("host", true, true);
                    push("endpoint", false, true);
                }
                Covered::UserAgent => push("user_agent", true, true),
                Covered::ClientAddress => push("client_ip", true, false),
                Covered::Ja3 => push("ja3", true, true),
                Covered::Ja4 => push("ja4", true, true),
                Covered::Trace => push("trace_id", true, false),
            }
        }
        replaced
    }

    /// Takes the parameters of `policy` in their order.
    pub fn new(policy: &Policy, key: ParameterHashKey) -> Self {
        let parameters = policy.parameters();
        let hashed: Vec<&Point> = parameters.iter().filter(|one| one.hashed).map(|one| &one.point).collect();
        let selected = |parameter: &Parameter| {
            let point = &parameter.point;
            let is_hashed = parameter.hashed || hashed.iter().any(|other| lies_within(other, point));
            let field = match (point.side(), point.steps()) {
                (Side::Request, [Step::Query(name)]) => Some(name.as_bytes().into()),
                _ => None,
            };
            Selected {
                name: parameter.name.as_str().into(),
                kind: parameter.kind,
                side: point.side(),
                hidden: parameter.hidden,
                hashed: is_hashed,
                chosen: !is_hashed && point.is_credential_place(),
                field,
                target: point.side() == Side::Request && matches!(point.steps(), [Step::Uri]),
            }
        };
        let masks = policy.mask_points();
        let selected: Vec<Selected> = parameters.iter().map(selected).collect();
        let is_hashed = |(_, parameter): &(usize, &Selected)| parameter.hashed;
        let hashed = selected.iter().enumerate().filter(is_hashed);
        let hashed: Vec<usize> =
            hashed.flat_map(|(index, _)| std::iter::once(index).chain(policy.further(index))).collect();
        let points = policy.points();
        // A parameter that lies in a hashed one is covered by that one.
        let of_marked = |index: &usize| parameters.get(*index).is_none_or(|parameter| parameter.hashed);
        let covering = hashed.iter().copied().filter(of_marked).chain(masks.clone());
        let read = &policy.trusted_proxies().host;
        let covers = covering.flat_map(|index| covered(&points[index], read).into_iter().map(move |one| (one, index)));
        let names = masks.clone().flat_map(|index| named(&points[index]).into_iter().map(move |one| (one, index)));
        let covers = covers.chain(names).collect();
        Self { parameters: selected, hashed, covers, masks, key }
    }

    /// What may leave the node about an exchange: `extracted` and `grouped` are what a plan and a grouper of the same
    /// policy made of it, `spoken` is what it asks for.
    pub fn select<'a>(
        &'a self,
        exchange: &'a Exchange,
        extracted: &'a Extracted<'_>,
        grouped: &'a Grouped<'a>,
        spoken: &'a Spoken,
    ) -> Contextual<'a> {
        Selection::new(self, exchange, extracted, grouped, spoken).finish()
    }
}

/// Whether `inner` takes its value from inside the value of `outer`.
fn lies_within(inner: &Point, outer: &Point) -> bool {
    inner.side() == outer.side()
        && inner.steps().len() > outer.steps().len()
        && inner.steps().starts_with(outer.steps())
}

/// The names that a mask hides: nobody sees values there anyway.
fn named(mask: &Point) -> Option<Covered> {
    if mask.side() == Side::Response {
        return None;
    }
    match mask.steps() {
        [Step::Queries, .., Step::Names] => Some(Covered::QueryNames),
        steps => holds_operation(steps).then_some(Covered::Operation),
    }
}

/// Whether a mask covers a place where GraphQL, MCP or SOAP say what is asked for.
fn holds_operation(mask: &[Step]) -> bool {
    let several = |step: &Step| matches!(step, Step::All | Step::Names | Step::Properties | Step::Indexes);
    let whole = mask.iter().position(several).map_or(mask, |end| &mask[..end]);
    let property = |name: &str| Step::Property(name.to_owned());
    let in_json = |name: &str| vec![Step::Body, Step::Json, property(name)];
    let in_form = |name: &str| vec![Step::Body, Step::Form, property(name)];
    let mut places = vec![
        vec![Step::Query("query".to_owned())],
        vec![Step::Query("operationName".to_owned())],
        vec![Step::Body, Step::Graphql],
        vec![Step::Body, Step::Xml],
        in_form("query"),
        in_form("operationName"),
    ];
    places.extend(["query", "operationName", "method", "params"].map(in_json));
    places.extend(HeaderLabel::new("SOAPACTION").map(|label| vec![Step::Header(label)]));
    let covers = |place: &Vec<Step>| match mask.first() {
        // Whatever is masked of every field or header is masked of this one.
        Some(Step::Queries) => matches!(place[..], [Step::Query(_)]),
        Some(Step::Headers) => matches!(place[..], [Step::Header(_)]),
        _ => !whole.is_empty() && place.starts_with(whole),
    };
    places.iter().any(covers)
}

/// The metadata that a point takes its value from. `read`: the headers in which the original host is looked for.
fn covered(point: &Point, read: &[HostHeader]) -> Vec<Covered> {
    if point.side() == Side::Response {
        return Vec::new();
    }
    match point.steps().first() {
        Some(Step::Uri) => vec![Covered::Path(Place::Whole)],
        Some(Step::Path(number)) => vec![Covered::Path(Place::Part(*number))],
        Some(Step::Paths) => vec![Covered::Path(Place::EveryPart)],
        Some(Step::ActionName | Step::ActionExt) => vec![Covered::Path(Place::LastPart)],
        Some(Step::Host) => vec![Covered::Host],
        Some(Step::RemoteAddr) => vec![Covered::ClientAddress],
        Some(Step::Ja3) => vec![Covered::Ja3],
        Some(Step::Ja4) => vec![Covered::Ja4],
        Some(Step::Header(name)) => match name.as_str() {
            "HOST" => vec![Covered::Host],
            "USER-AGENT" => vec![Covered::UserAgent],
            "TRACEPARENT" => vec![Covered::Trace],
            name if read.iter().any(|header| header.as_str().eq_ignore_ascii_case(name)) => vec![Covered::Host],
            _ => Vec::new(),
        },
        Some(Step::Headers) => vec![Covered::Host, Covered::UserAgent, Covered::Trace],
        _ => Vec::new(),
    }
}
