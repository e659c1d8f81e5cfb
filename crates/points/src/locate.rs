//! Where in a captured message a value stands. A value that was not decoded is a slice of what was captured, so its
//! address says where it lies; a decoded one lies in a buffer and nowhere in the message.

use std::ops::Range;

use threadline_model::{Exchange, Request, Response};

use crate::{Point, Side, Step, target};

/// A part of a message that bytes can be selected in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SelectedPart {
    /// The method in the request line.
    Method,
    /// The target in the request line: path and query.
    Target,
    /// The protocol version.
    Version,
    /// The authority that the request was sent to; it may stand in a Host header too.
    Host,
    /// The status code in the status line.
    Status,
    /// One header's value, by its position among all headers of the message, from 0.
    Header(usize),
    /// The body as captured, its content codings still applied.
    Body,
}

impl SelectedPart {
    /// The word in the API: `method`, `target`, `version`, `host`, `status`, `header`, `body`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Method => "method",
            Self::Target => "target",
            Self::Version => "version",
            Self::Host => "host",
            Self::Status => "status",
            Self::Header(_) => "header",
            Self::Body => "body",
        }
    }
}

/// Bytes of a captured message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    /// The message.
    pub side: Side,
    /// The part of it.
    pub part: SelectedPart,
    /// The bytes, counted from the start of the part.
    pub range: Range<usize>,
    /// The bytes are the value. Otherwise the value was decoded out of them: a claim out of its token, a field out of a
    /// compressed body.
    pub exact: bool,
}

/// Where a slice lies in `whole`, if it is a part of it. An empty slice is a part of nothing.
fn within(slice: &[u8], whole: &[u8]) -> Option<Range<usize>> {
    let start = (slice.as_ptr() as usize).checked_sub(whole.as_ptr() as usize)?;
    let end = start.checked_add(slice.len())?;
    (!slice.is_empty() && end <= whole.len()).then_some(start..end)
}

/// Where the value of a point with this first step lies, if it is a slice of the message.
pub(crate) fn slice(
    exchange: &Exchange,
    side: Side,
    first: &Step,
    value: &[u8],
) -> Option<(SelectedPart, Range<usize>)> {
    parts(exchange, side, first).into_iter().find_map(|(part, whole)| within(value, whole).map(|range| (part, range)))
}

/// The parts of the message that a point with this first step looks at, whole.
pub(crate) fn parts<'e>(exchange: &'e Exchange, side: Side, first: &Step) -> Vec<(SelectedPart, &'e [u8])> {
    let request = &exchange.request;
    let response = exchange.response.as_ref();
    match (side, first) {
        (Side::Request, Step::Method) => vec![(SelectedPart::Method, request.method.as_bytes())],
        (Side::Request, Step::Proto) => {
            request.version.map(|version| (SelectedPart::Version, version.as_str().as_bytes())).into_iter().collect()
        }
        (Side::Request, Step::Host) => {
            request.host.as_ref().map(|host| (SelectedPart::Host, host.as_bytes())).into_iter().collect()
        }
        (
            Side::Request,
            Step::Uri
            | Step::Path(_)
            | Step::Paths
            | Step::ActionName
            | Step::ActionExt
            | Step::Query(_)
            | Step::Queries,
        ) => vec![(SelectedPart::Target, request.target.as_bytes())],
        (_, Step::Header(label)) => {
            let values = header_values(request, response, side)
                .filter(|(_, name, _)| name.as_str().eq_ignore_ascii_case(label.as_str()))
                .map(|(position, _, value)| (SelectedPart::Header(position), value));
            let values: Vec<_> = values.collect();
            // HTTP/2 says `:authority` instead.
            match (side, &request.host) {
                (Side::Request, Some(host)) if values.is_empty() && label.as_str() == "HOST" => {
                    vec![(SelectedPart::Host, host.as_bytes())]
                }
                _ => values,
            }
        }
        (_, Step::Headers) => header_values(request, response, side)
            .map(|(position, _, value)| (SelectedPart::Header(position), value))
            .collect(),
        (Side::Request, Step::Body) => vec![(SelectedPart::Body, request.body.as_bytes())],
        (Side::Response, Step::Body) => {
            response.map(|response| (SelectedPart::Body, response.body.as_bytes())).into_iter().collect()
        }
        // Addresses and fingerprints belong to the connection; a status is a number.
        _ => Vec::new(),
    }
}

/// The selected bytes, for checks; `None` when the selection is not one of this exchange.
pub(crate) fn bytes<'e>(exchange: &'e Exchange, selection: &Selection) -> Option<&'e [u8]> {
    let request = &exchange.request;
    let whole = match (selection.side, selection.part) {
        (_, SelectedPart::Method) => request.method.as_bytes(),
        (_, SelectedPart::Target) => request.target.as_bytes(),
        (_, SelectedPart::Version) => request.version?.as_str().as_bytes(),
        (_, SelectedPart::Host) => request.host.as_ref()?.as_bytes(),
        (_, SelectedPart::Status) => return None,
        (side, SelectedPart::Header(position)) => {
            header_values(request, exchange.response.as_ref(), side).nth(position)?.2
        }
        (Side::Request, SelectedPart::Body) => request.body.as_bytes(),
        (Side::Response, SelectedPart::Body) => exchange.response.as_ref()?.body.as_bytes(),
    };
    whole.get(selection.range.clone())
}

/// The headers of a message with their positions.
pub(crate) fn header_values<'e>(
    request: &'e Request,
    response: Option<&'e Response>,
    side: Side,
) -> impl Iterator<Item = (usize, &'e http::HeaderName, &'e [u8])> {
    let headers = match side {
        Side::Request => Some(&request.headers),
        Side::Response => response.map(|response| &response.headers),
    };
    headers
        .into_iter()
        .flat_map(|headers| headers.as_map().iter())
        .enumerate()
        .map(|(position, (name, value))| (position, name, value.as_bytes()))
}

/// The smallest part of the message that is known to hold what the point's first step looks at, for values that were
/// decoded out of it.
pub(crate) fn enclosing(exchange: &Exchange, point: &Point) -> Option<(SelectedPart, Range<usize>)> {
    let first = point.steps().first()?;
    if let Step::Status = first {
        // The three digits of the status line.
        return exchange.response.is_some().then_some((SelectedPart::Status, 0..3));
    }
    let whole = exchange.request.target.as_bytes();
    let tight = match first {
        Step::Path(number) => target::path_part(target::path(whole), *number),
        Step::ActionName => Some(target::action(target::path(whole)).0),
        Step::ActionExt => target::action(target::path(whole)).1,
        Step::Query(name) => target::query(whole).map(|query| field(query, name.as_bytes()).unwrap_or(query)),
        Step::Queries => target::query(whole),
        _ => None,
    };
    if let Some(range) = tight.and_then(|tight| within(tight, whole)) {
        return Some((SelectedPart::Target, range));
    }
    let (part, bytes) = parts(exchange, point.side(), first).into_iter().next()?;
    (!bytes.is_empty()).then_some((part, 0..bytes.len()))
}

/// The value of the only field that a query's name can mean, as it stands; `None` when there are several.
fn field<'q>(query: &'q [u8], name: &[u8]) -> Option<&'q [u8]> {
    let mut fields = query.split(|byte| *byte == b'&').filter_map(|field| {
        let equals = memchr::memchr(b'=', field)?;
        let written = crate::decode::form(&field[..equals]);
        let rest = written.strip_prefix(name)?;
        matches!(rest.first(), None | Some(b'[')).then(|| &field[equals + 1..])
    });
    fields.next().filter(|_| fields.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slice_is_found_by_its_address_and_a_copy_is_not() {
        let whole = b"abcabc".to_vec();
        assert_eq!(within(&whole[3..5], &whole), Some(3..5));
        assert_eq!(within(&whole, &whole), Some(0..6));
        assert_eq!(within(&whole[3..3], &whole), None);
        assert_eq!(within(&whole.clone()[3..5], &whole), None);
        assert_eq!(within(&whole[..], &whole[..5]), None);
        assert_eq!(within(&whole[..2], &whole[1..]), None);
    }

    #[test]
    fn the_raw_value_of_a_field_is_found_when_it_is_the_only_one() {
        assert_eq!(field(b"a=1&b%20c=%41&d", b"b c"), Some(&b"%41"[..]));
        assert_eq!(field(b"a[x]=1", b"a"), Some(&b"1"[..]));
        assert_eq!(field(b"a=1&a=2", b"a"), None);
        assert_eq!(field(b"ab=1", b"a"), None);
    }
}
