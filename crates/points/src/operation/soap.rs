//! Operations of SOAP: the action that the head declares, or else the first tag in the envelope's body.

use http::HeaderName;
use http::header::CONTENT_TYPE;
use threadline_model::Exchange;

use super::{Operation, name, plan};
use crate::{Bounds, Plan, PlanError, Scratch};

static SOAP_ACTION: HeaderName = HeaderName::from_static("soapaction");

pub(super) fn points() -> Vec<String> {
    vec!["request > body > xml > property Envelope > property Body > property > names".to_owned()]
}

pub(super) struct Soap {
    plan: Plan,
}

impl Soap {
    pub(super) fn new(bounds: Bounds) -> Result<Self, PlanError> {
        Ok(Self { plan: plan(&points(), bounds)? })
    }

    pub(super) fn read(&self, exchange: &Exchange, scratch: &mut Scratch) -> Option<Operation> {
        let method = by_action(exchange).or_else(|| {
            let extracted = self.plan.extract(exchange, scratch);
            // Comments and processing instructions are no names.
            extracted.values(0).find_map(local_name)
        });
        Some(Operation { name: Some(method?), ..Operation::default() })
    }
}

/// The last part of the action: `http://shop.example/orders#PlaceOrder` is `PlaceOrder`. SOAP 1.1 has it in a header
/// (section 6.1.1 of its note), 1.2 in a parameter of the media type (RFC 3902); both may be left empty.
fn by_action(exchange: &Exchange) -> Option<String> {
    let headers = exchange.request.headers.as_map();
    let header = headers.get(&SOAP_ACTION).map(|value| value.as_bytes());
    let parameter = || headers.get(CONTENT_TYPE).and_then(|value| parameter(value.as_bytes()));
    let action = header.or_else(parameter)?.trim_ascii();
    let action = action.strip_prefix(b"\"").and_then(|action| action.strip_suffix(b"\"")).unwrap_or(action);
    local_name(action)
}

/// What stands behind the last separator of an address or a prefix, if it has the form of a name (XML Namespaces,
/// section 4, as far as it is ASCII).
fn local_name(text: &[u8]) -> Option<String> {
    let last = text.rsplit(|byte| matches!(byte, b'/' | b'#' | b':')).next()?;
    let name = name(last, |byte| byte.is_ascii_alphanumeric() || b"_.-".contains(byte))?;
    name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_').then_some(name)
}

/// `application/soap+xml; action="…"`
fn parameter(media_type: &[u8]) -> Option<&[u8]> {
    media_type.split(|byte| *byte == b';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.trim_ascii().split_at_checked(7)?;
        name.eq_ignore_ascii_case(b"action=").then_some(value)
    })
}
