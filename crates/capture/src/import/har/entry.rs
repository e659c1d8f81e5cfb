//! One HAR entry becomes one exchange. Pure: bytes in, exchange out.

use std::net::{IpAddr, SocketAddr};

use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HOST, TRANSFER_ENCODING};
use threadline_model::{
    CapturedHeaders, CapturedText, Exchange, HttpVersion, Outcome, Request, Response, Scheme, Sizes, Source,
    TlsFingerprints,
};

use super::body::{self, Body};
use super::error::Reason;
use super::fields::{Entry, RequestFields, ResponseFields, Text};
use super::headers::Section;
use super::identity::{ContentHasher, Identities};
use super::target::{self, Target, Url};

/// The longest method taken, bytes; the longest registered one has 17.
const METHOD_LIMIT: usize = 64;

/// What an entry turned out to be.
pub(super) enum Converted {
    /// An exchange.
    Exchange(Box<Exchange>),
    /// Something shown without asking a server: `data:`, `blob:`, an extension's page.
    Local,
}

/// Reads an entry's fields. The error tells only what kind of damage it is and where in `bytes`.
pub(super) fn parse(bytes: &[u8]) -> Result<Entry<'_>, (usize, Reason)> {
    serde_json::from_slice(bytes).map_err(|error| {
        // The message is not used: it may quote the value that was found.
        let reason = if error.is_data() { Reason::WrongType } else { Reason::BadScalar };
        let line = error.line().saturating_sub(1);
        let line_start = match line.checked_sub(1) {
            Some(before) => memchr::memchr_iter(b'\n', bytes).nth(before).map_or(0, |position| position + 1),
            None => 0,
        };
        ((line_start + error.column().saturating_sub(1)).min(bytes.len()), reason)
    })
}

/// Reads an entry in which numbers and truth values may stand where text is expected. `quoted` is room for a copy.
pub(super) fn parse_leniently<'a>(bytes: &'a [u8], quoted: &'a mut Vec<u8>) -> Result<Entry<'a>, (usize, Reason)> {
    match parse(bytes) {
        Err((place, Reason::WrongType)) => {
            *quoted = with_scalars_quoted(bytes);
            parse(quoted).map_err(|_| (place, Reason::WrongType))
        }
        parsed => parsed,
    }
}

/// The same JSON with every number, `true` and `false` as a string; the structure is known to be sound.
fn with_scalars_quoted(bytes: &[u8]) -> Vec<u8> {
    let mut quoted = Vec::with_capacity(bytes.len() + bytes.len() / 8);
    let mut rest = bytes;
    while let Some(first) = rest.first() {
        let (length, quote) = match first {
            b'"' => (string_length(rest), false),
            b'-' | b'0'..=b'9' | b't' | b'f' => {
                let ends = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b',' | b']' | b'}');
                (rest.iter().position(ends).unwrap_or(rest.len()), true)
            }
            _ => (1, false),
        };
        let (value, behind) = rest.split_at(length);
        if quote {
            quoted.push(b'"');
        }
        quoted.extend_from_slice(value);
        if quote {
            quoted.push(b'"');
        }
        rest = behind;
    }
    quoted
}

/// Of the string that `bytes` begin with, quotation marks included.
fn string_length(bytes: &[u8]) -> usize {
    let mut position = 1;
    while let Some(byte) = bytes.get(position) {
        position += match byte {
            b'"' => return position + 1,
            b'\\' => 2,
            _ => 1,
        };
    }
    bytes.len()
}

/// Makes an exchange of an entry. `damage` is set where something of it had to be left out.
pub(super) fn convert(
    entry: &Entry<'_>,
    body_limit: usize,
    file: [u8; 16],
    identities: &mut Identities,
    damage: &mut Option<Reason>,
) -> Result<Converted, Reason> {
    let request = entry.request.as_ref().ok_or(Reason::NoRequest)?;
    let method = request.method.as_ref().map_or(&b""[..], Text::bytes).trim_ascii();
    let url = request.url.as_ref().ok_or(Reason::Url)?;
    let Url::Http(parts) = target::split(url.bytes(), method.eq_ignore_ascii_case(b"CONNECT"))? else {
        return Ok(Converted::Local);
    };
    if method.is_empty() || method.len() > METHOD_LIMIT || http::Method::from_bytes(method).is_err() {
        return Err(Reason::Method);
    }
    let started =
        entry.started.as_ref().and_then(|text| super::time::parse_started(text.bytes())).ok_or(Reason::Started)?;
    let duration_us = duration(entry);

    let mut hasher = ContentHasher::new();
    hasher.number(started.micros().unsigned_abs());
    hasher.optional(duration_us.map(u64::to_le_bytes).as_ref().map(<[u8; 8]>::as_slice));
    let (request, request_size) = convert_request(request, method, parts, body_limit, &mut hasher, damage)?;
    let response = match &entry.response {
        Some(response) => convert_response(response, method, body_limit, &mut hasher, damage)?,
        None => None,
    };
    let outcome = match &response {
        Some((response, _)) if response.status == 101 => Outcome::Upgraded,
        Some(_) => Outcome::Completed,
        None if gave_up(entry.response.as_ref()) => Outcome::ClientAborted,
        None => Outcome::UpstreamFailed,
    };
    let (response, response_size) = response.map_or((None, 0), |(response, size)| (Some(response), size));
    Ok(Converted::Exchange(Box::new(Exchange {
        id: identities.next(started, hasher.finish()),
        started,
        duration_us,
        upstream_us: upstream(entry),
        source: Source::File { format: "har", identity: file },
        client: entry.client.as_ref().and_then(|text| address(text.bytes())),
        fingerprints: TlsFingerprints::default(),
        request,
        response,
        sizes: Sizes { request: request_size, response: response_size },
        outcome,
    })))
}

fn convert_request(
    fields: &RequestFields<'_>,
    method: &[u8],
    parts: Target,
    body_limit: usize,
    hasher: &mut ContentHasher,
    damage: &mut Option<Reason>,
) -> Result<(Request, u64), Reason> {
    let Target { scheme, authority, mut target } = parts;
    if fields.query.over || fields.cookies.over {
        *damage = Some(Reason::Lists);
    }
    if !target.contains(&b'?') {
        target::add_query(&mut target, fields.query.items.iter().map(|pair| (pair.name(), pair.value())));
    }
    let mut section = Section::read(&fields.headers)?;
    section.add_request_cookies(&fields.cookies)?;
    let declared = fields.body_size.size().is_some_and(|size| size > 0)
        || section.first(CONTENT_LENGTH).is_some_and(|length| length != b"0")
        || section.first(TRANSFER_ENCODING).is_some();
    let body = body::of_request(fields.post_data.as_ref(), section.first(CONTENT_TYPE), declared, body_limit, damage);
    if !body::is_visibly_encoded(&body.captured, section.outermost_coding()) {
        section.drop_content_coding();
    }
    let host = section.authority.take().or(authority).or_else(|| section.first(HOST).map(<[u8]>::to_vec));
    let version = fields.version.as_ref().and_then(|text| version(text.bytes()));

    hasher.bytes(method);
    hasher.optional(scheme.map(Scheme::as_str).map(str::as_bytes));
    hasher.optional(version.map(HttpVersion::as_str).map(str::as_bytes));
    hasher.optional(host.as_deref());
    hasher.bytes(&target);
    hasher.headers(&section.headers);
    // The field as written, not the captured copy: a changed capture limit must not change the identity.
    match &fields.post_data {
        Some(post_data) => {
            hasher.optional(post_data.text.as_ref().map(Text::bytes));
            for parameter in &post_data.params.items {
                hasher.optional(parameter.name.as_ref().map(Text::bytes));
                hasher.optional(parameter.value.as_ref().map(Text::bytes));
            }
        }
        None => hasher.optional(None),
    }
    let size = fields.body_size.size().filter(|size| *size > 0).unwrap_or(body.length);
    let request = Request {
        method: CapturedText::new(method.to_vec()),
        scheme,
        version,
        host: host.map(CapturedText::new),
        target: CapturedText::new(target),
        headers: CapturedHeaders::new(section.headers),
        body: body.captured,
    };
    Ok((request, size))
}

fn convert_response(
    fields: &ResponseFields<'_>,
    method: &[u8],
    body_limit: usize,
    hasher: &mut ContentHasher,
    damage: &mut Option<Reason>,
) -> Result<Option<(Response, u64)>, Reason> {
    let status = match fields.status.0 {
        // Recorders write 0 (or a negative number) for a response that never came.
        None => return Ok(None),
        Some(status) if status <= 0.0 => return Ok(None),
        Some(status) if (100.0..1_000.0).contains(&status) => status as u16,
        Some(_) => return Err(Reason::Status),
    };
    let mut section = Section::read(&fields.headers)?;
    section.add_response_cookies(&fields.cookies)?;
    if fields.cookies.over {
        *damage = Some(Reason::Lists);
    }
    let bodiless = method == b"HEAD" || matches!(status, 101 | 204 | 304);
    let Body { captured, length } = body::of_response(fields.content.as_ref(), bodiless, body_limit, damage);
    if !body::is_visibly_encoded(&captured, section.outermost_coding()) {
        section.drop_content_coding();
    }
    let version = fields.version.as_ref().and_then(|text| version(text.bytes()));

    hasher.number(u64::from(status));
    hasher.optional(version.map(HttpVersion::as_str).map(str::as_bytes));
    hasher.headers(&section.headers);
    hasher.optional(fields.content.as_ref().and_then(|content| content.text.as_ref()).map(Text::bytes));

    let content_size = fields.content.as_ref().and_then(|content| content.size.size());
    let size = [fields.body_size.size(), content_size].into_iter().flatten().find(|size| *size > 0).unwrap_or(length);
    let response = Response { status, version, headers: CapturedHeaders::new(section.headers), body: captured };
    Ok(Some((response, size)))
}

/// The whole time, or the sum of its parts (`ssl` is part of `connect`, HAR 1.2).
fn duration(entry: &Entry<'_>) -> Option<u64> {
    entry.time.micros().or_else(|| {
        let timings = entry.timings.as_ref()?;
        let parts = [timings.blocked, timings.dns, timings.connect, timings.send, timings.wait, timings.receive];
        let known: Vec<u64> = parts.into_iter().filter_map(|part| part.micros()).collect();
        (!known.is_empty()).then(|| known.into_iter().sum())
    })
}

/// From sending the request to the response's first byte.
fn upstream(entry: &Entry<'_>) -> Option<u64> {
    let timings = entry.timings.as_ref()?;
    Some(timings.send.micros().unwrap_or(0) + timings.wait.micros()?)
}

/// Whether the recorder says that its own side ended the exchange.
fn gave_up(response: Option<&ResponseFields<'_>>) -> bool {
    let text = response.and_then(|response| response.failure.as_ref()).map_or(&b""[..], Text::bytes);
    let text = text.to_ascii_uppercase();
    [&b"ABORT"[..], b"CANCEL", b"BLOCKED"].iter().any(|word| memchr::memmem::find(&text, word).is_some())
}

/// As recorders spell versions: `HTTP/2.0`, `http/2`, `h2`, `HTTP/3`, `h3-29`; `unknown` and the like are unknown.
fn version(text: &[u8]) -> Option<HttpVersion> {
    match text.trim_ascii().to_ascii_lowercase().as_slice() {
        b"http/1.0" => Some(HttpVersion::Http10),
        b"http/1.1" => Some(HttpVersion::Http11),
        b"h2" | b"h2c" | b"http/2" | b"http/2.0" => Some(HttpVersion::Http2),
        b"h3" | b"http/3" | b"http/3.0" | b"http/2+quic/46" => Some(HttpVersion::Http3),
        text if text.starts_with(b"h3-") => Some(HttpVersion::Http3),
        _ => None,
    }
}

/// An address with or without a port and brackets.
fn address(text: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(text).ok()?.trim();
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    bare.parse().ok().or_else(|| text.parse().ok().map(|address: SocketAddr| address.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_known_by_all_their_names() {
        for (text, expected) in [
            ("HTTP/1.1", Some(HttpVersion::Http11)),
            ("http/1.1", Some(HttpVersion::Http11)),
            ("HTTP/1.0", Some(HttpVersion::Http10)),
            ("h2", Some(HttpVersion::Http2)),
            ("http/2.0", Some(HttpVersion::Http2)),
            ("HTTP/2", Some(HttpVersion::Http2)),
            ("h3", Some(HttpVersion::Http3)),
            ("h3-29", Some(HttpVersion::Http3)),
            ("HTTP/3", Some(HttpVersion::Http3)),
            ("unknown", None),
            ("", None),
            ("spdy/3.1", None),
        ] {
            assert_eq!(version(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn quoting_scalars_leaves_everything_else() {
        let json = br#"{"a":[1,-2.5e3 ,true],"b\"1":"x\\","c":null,"d":{"e":false},"f":"1, 2"}"#;
        let quoted = br#"{"a":["1","-2.5e3" ,"true"],"b\"1":"x\\","c":null,"d":{"e":"false"},"f":"1, 2"}"#;
        assert_eq!(String::from_utf8_lossy(&with_scalars_quoted(json)), String::from_utf8_lossy(quoted));
    }

    #[test]
    fn client_addresses_come_with_and_without_ports() {
        for (text, expected) in [
            ("192.0.2.1", Some("192.0.2.1")),
            ("192.0.2.1:4711", Some("192.0.2.1")),
            ("2001:db8::1", Some("2001:db8::1")),
            ("[2001:db8::1]", Some("2001:db8::1")),
            ("[2001:db8::1]:443", Some("2001:db8::1")),
            ("52492", None),
            ("", None),
        ] {
            assert_eq!(address(text.as_bytes()).map(|address| address.to_string()).as_deref(), expected, "{text}");
        }
    }
}
