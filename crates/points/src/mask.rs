//! Whether one point may show anything of what another one addresses. Decided on the points alone, without a
//! message, and on the safe side: two points are apart only if the first step in which they differ picks two
//! different things of the same whole.

use crate::{JwtPart, Point, Step};

/// Whether a value at `one` may hold something of the value at `other`, or the other way round.
pub(crate) fn overlap(one: &Point, other: &Point) -> bool {
    if one.side() != other.side() {
        return false;
    }
    let difference = one.steps().iter().zip(other.steps()).find(|(one, other)| one != other);
    match difference {
        // One is the other, or lies in it.
        None => true,
        Some((one, other)) => !apart(one, other),
    }
}

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
        // A host stands in a header too.
        (Host, Header(name)) | (Header(name), Host) => name.as_str() != "HOST",
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
