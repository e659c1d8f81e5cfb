//! Single facts of a request's head in exportable form.

use std::borrow::Cow;

use http::HeaderName;
use threadline_model::{Exchange, Scheme};

use crate::secrets::Secrets;
use crate::text::Text;

/// Longest method exported as it is, bytes.
const MAXIMUM_METHOD_BYTES: usize = 32;
/// Longest host exported, bytes: a DNS name has at most 253, a port six more.
const MAXIMUM_HOST_BYTES: usize = 260;
/// Longest User-Agent exported, bytes.
const MAXIMUM_USER_AGENT_BYTES: usize = 1024;
/// Longest TLS fingerprint exported, bytes.
const MAXIMUM_FINGERPRINT_BYTES: usize = 128;

static TRACE_PARENT: HeaderName = HeaderName::from_static("traceparent");

/// Stands for a method that is no token (RFC 9110, section 5.6.2) or longer than any in use.
const OTHER_METHOD: &str = "OTHER";

pub(crate) fn method(exchange: &Exchange) -> &str {
    let bytes = exchange.request.method.as_bytes();
    let token_byte = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    let is_token = (1..=MAXIMUM_METHOD_BYTES).contains(&bytes.len()) && bytes.iter().all(token_byte);
    std::str::from_utf8(bytes).ok().filter(|_| is_token).unwrap_or(OTHER_METHOD)
}

/// Host and port in lower case, without user information (RFC 3986, section 3.2.1) and without the scheme's default
/// port.
pub(crate) fn host<'a>(exchange: &'a Exchange, secrets: &Secrets<'_>) -> Option<Text<'a>> {
    let authority = exchange.request.host.as_ref()?.as_bytes();
    let host = memchr::memrchr(b'@', authority).map_or(authority, |at| &authority[at + 1..]);
    let default_port: &[u8] = match exchange.request.scheme {
        Some(Scheme::Http) => b":80",
        Some(Scheme::Https) => b":443",
        None => b"",
    };
    let host = host.strip_suffix(default_port).unwrap_or(host);
    if host.is_empty() {
        return None;
    }
    let shown = secrets.without(host, MAXIMUM_HOST_BYTES);
    Some(match shown {
        Text::Clear(text) if text.bytes().any(|byte| byte.is_ascii_uppercase()) => {
            Text::Clear(Cow::Owned(text.to_ascii_lowercase()))
        }
        shown => shown,
    })
}

pub(crate) fn user_agent<'a>(exchange: &'a Exchange, secrets: &Secrets<'_>) -> Option<Text<'a>> {
    let agent = exchange.request.headers.as_map().get(http::header::USER_AGENT)?.as_bytes();
    (!agent.is_empty()).then(|| secrets.without(agent, MAXIMUM_USER_AGENT_BYTES))
}

pub(crate) fn fingerprint<'a>(fingerprint: Option<&'a str>, secrets: &Secrets<'_>) -> Option<Text<'a>> {
    fingerprint.map(|text| secrets.without(text.as_bytes(), MAXIMUM_FINGERPRINT_BYTES))
}

/// The trace-id of a valid `traceparent` (W3C Trace Context, section 3.2): not all zeros, and of a version that this
/// layout applies to.
pub(crate) fn trace_id(exchange: &Exchange) -> Option<&str> {
    let header = exchange.request.headers.as_map().get(&TRACE_PARENT)?.as_bytes().trim_ascii();
    let (version, rest) = header.split_at_checked(3)?;
    let lower_hexadecimal = |text: &[u8]| text.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let known = version[2] == b'-' && lower_hexadecimal(&version[..2]) && &version[..2] != b"ff";
    // Version 00 ends after the flags; later versions may go on after another hyphen.
    let ends = rest.len() == 52 || (&version[..2] != b"00" && rest.get(52) == Some(&b'-'));
    if !known || !ends || rest[32] != b'-' || rest[49] != b'-' {
        return None;
    }
    let (trace, parent, flags) = (&rest[..32], &rest[33..49], &rest[50..52]);
    let set = |id: &[u8]| lower_hexadecimal(id) && id.iter().any(|byte| *byte != b'0');
    let valid = set(trace) && set(parent) && lower_hexadecimal(flags);
    std::str::from_utf8(trace).ok().filter(|_| valid)
}
