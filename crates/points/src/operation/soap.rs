//! Operations of SOAP: by the action that the head declares.

use http::HeaderName;
use http::header::CONTENT_TYPE;
use threadline_model::Exchange;

use super::{Operation, name};

static SOAP_ACTION: HeaderName = HeaderName::from_static("soapaction");

/// The last part of the action: `http://shop.example/orders#PlaceOrder` is `PlaceOrder`. SOAP 1.1 has it in a header
/// (section 6.1.1 of its note), 1.2 in a parameter of the media type (RFC 3902).
///
/// Hook: the first child of `Body` says the operation where there is no action; it needs a plan of the point `request >
/// body > xml > property Envelope > property Body > property > names`, once `xml` is resolved.
pub(super) fn read(exchange: &Exchange) -> Option<Operation> {
    let headers = exchange.request.headers.as_map();
    let header = headers.get(&SOAP_ACTION).map(|value| value.as_bytes());
    let parameter = || headers.get(CONTENT_TYPE).and_then(|value| parameter(value.as_bytes()));
    let action = header.or_else(parameter)?.trim_ascii();
    let action = action.strip_prefix(b"\"").and_then(|action| action.strip_suffix(b"\"")).unwrap_or(action);
    let last = action.rsplit(|byte| matches!(byte, b'/' | b'#' | b':')).next()?;
    let name = name(last, |byte| byte.is_ascii_alphanumeric() || b"_.-".contains(byte))?;
    let begins = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    begins.then(|| Operation { name: Some(name), ..Operation::default() })
}

/// `application/soap+xml; action="…"`
fn parameter(media_type: &[u8]) -> Option<&[u8]> {
    media_type.split(|byte| *byte == b';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.trim_ascii().split_at_checked(7)?;
        name.eq_ignore_ascii_case(b"action=").then_some(value)
    })
}
