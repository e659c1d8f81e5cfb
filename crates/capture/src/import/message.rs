//! One exchange written down by hand: a request and a response as they stand on the wire in HTTP/1.1, for trying points
//! out on a sample. Pure: text in, exchange out.
//!
//! People paste what tools show them, so line feeds do for line ends, any version will do, and bodies are taken as they
//! are written: without framing, and decoded whatever `Content-Encoding` says. No error holds text of the sample.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use threadline_model::{
    CapturedBody, CapturedHeaders, CapturedText, Exchange, ExchangeId, HttpVersion, Outcome, Request, Response, Scheme,
    Sizes, Source, Timestamp, TlsFingerprints,
};

/// The most headers of one message.
const HEADERS: usize = 256;
/// What a sample is called where a source is named.
const FORMAT: &str = "sample";

/// Why a message cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// The first line is no request line.
    #[error("the first line is no request line, such as GET /cart?id=1 HTTP/1.1")]
    RequestLine,
    /// The first line is no status line.
    #[error("the first line is no status line, such as HTTP/1.1 200 OK")]
    StatusLine,
    /// A line of the head is no header.
    #[error("line {0} is no header, such as Content-Type: application/json; an empty line stands before the body")]
    Header(usize),
    /// More headers than are read.
    #[error("has more than {HEADERS} headers")]
    TooManyHeaders,
}

/// The message at fault and what is wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SampleFault {
    /// The request.
    Request(MessageError),
    /// The response.
    Response(MessageError),
}

/// Makes an exchange of a request and a response. Without a request it is a plain one; without a response there was
/// none.
///
/// # Errors
/// Says which message cannot be read, and why.
pub fn read(request: Option<&[u8]>, response: Option<&[u8]>, now: Timestamp) -> Result<Exchange, SampleFault> {
    let request = read_request(request.unwrap_or(b"GET / HTTP/1.1")).map_err(SampleFault::Request)?;
    let response = response.map(read_response).transpose().map_err(SampleFault::Response)?;
    let length = |body: &CapturedBody| body.as_bytes().len() as u64;
    let sizes = Sizes {
        request: length(&request.body),
        response: response.as_ref().map_or(0, |response| length(&response.body)),
    };
    Ok(Exchange {
        id: ExchangeId::from_bytes([0; 16]),
        started: now,
        duration_us: None,
        upstream_us: None,
        source: Source::File { format: FORMAT, identity: [0; 16] },
        client: None,
        fingerprints: TlsFingerprints::default(),
        outcome: if response.is_some() { Outcome::Completed } else { Outcome::UpstreamFailed },
        request,
        response,
        sizes,
    })
}

fn read_request(text: &[u8]) -> Result<Request, MessageError> {
    let (line, rest) = first_line(text);
    let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let (method, target, version) = (words.next(), words.next(), words.next());
    let (Some(method), Some(target), None) = (method, target, words.next()) else {
        return Err(MessageError::RequestLine);
    };
    if http::Method::from_bytes(method).is_err() || version.is_some_and(|version| !version.starts_with(b"HTTP/")) {
        return Err(MessageError::RequestLine);
    }
    let (scheme, authority, target) = split_target(target);
    if !matches!(target.first(), Some(b'/' | b'*')) && method != b"CONNECT" {
        return Err(MessageError::RequestLine);
    }
    let (headers, body) = read_section(rest)?;
    let host = authority.or_else(|| headers.get(header::HOST).map(HeaderValue::as_bytes).map(<[u8]>::to_vec));
    Ok(Request {
        method: CapturedText::new(method.to_vec()),
        scheme,
        version: version.and_then(version_of),
        host: host.map(CapturedText::new),
        target: CapturedText::new(target.to_vec()),
        headers: CapturedHeaders::new(headers),
        body: CapturedBody::whole(Bytes::copy_from_slice(body)),
    })
}

fn read_response(text: &[u8]) -> Result<Response, MessageError> {
    let (line, rest) = first_line(text);
    let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let version = words.next().filter(|version| version.starts_with(b"HTTP/")).ok_or(MessageError::StatusLine)?;
    let status = words.next().and_then(|digits| std::str::from_utf8(digits).ok()?.parse::<u16>().ok());
    let status = status.filter(|status| (100..1_000).contains(status)).ok_or(MessageError::StatusLine)?;
    let (headers, body) = read_section(rest)?;
    Ok(Response {
        status,
        version: version_of(version),
        headers: CapturedHeaders::new(headers),
        body: CapturedBody::whole(Bytes::copy_from_slice(body)),
    })
}

/// The first line that is not empty, without its end, and what follows it.
fn first_line(text: &[u8]) -> (&[u8], &[u8]) {
    let start = text.iter().position(|byte| !byte.is_ascii_whitespace()).unwrap_or(text.len());
    let text = &text[start..];
    match memchr::memchr(b'\n', text) {
        Some(end) => (text[..end].trim_ascii_end(), &text[end + 1..]),
        None => (text.trim_ascii_end(), &[]),
    }
}

/// An absolute target (RFC 9112, section 3.2.2) is cut to its path and query.
fn split_target(target: &[u8]) -> (Option<Scheme>, Option<Vec<u8>>, &[u8]) {
    for (prefix, scheme) in [(&b"http://"[..], Scheme::Http), (b"https://", Scheme::Https)] {
        let Some(rest) = target.strip_prefix(prefix) else { continue };
        let end = rest.iter().position(|byte| matches!(byte, b'/' | b'?')).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        let path = if path.starts_with(b"/") { path } else { &b"/"[..] };
        return (Some(scheme), Some(authority.to_vec()), path);
    }
    (None, None, target)
}

fn version_of(text: &[u8]) -> Option<HttpVersion> {
    match text {
        b"HTTP/1.0" => Some(HttpVersion::Http10),
        b"HTTP/1.1" => Some(HttpVersion::Http11),
        b"HTTP/2" | b"HTTP/2.0" => Some(HttpVersion::Http2),
        b"HTTP/3" | b"HTTP/3.0" => Some(HttpVersion::Http3),
        _ => None,
    }
}

/// The headers behind the first line, and the body behind the empty line.
fn read_section(text: &[u8]) -> Result<(HeaderMap, &[u8]), MessageError> {
    let mut headers = HeaderMap::new();
    let mut rest = text;
    // Counted as the reader counts: the first line is 1.
    for number in 2.. {
        let (line, behind) = match memchr::memchr(b'\n', rest) {
            Some(end) => (&rest[..end], &rest[end + 1..]),
            None => (rest, &rest[rest.len()..]),
        };
        rest = behind;
        let line = line.trim_ascii_end();
        if line.is_empty() {
            break;
        }
        let fault = MessageError::Header(number);
        let colon = memchr::memchr(b':', line).ok_or(fault)?;
        let name = HeaderName::from_bytes(&line[..colon]).map_err(|_| fault)?;
        let value = Bytes::copy_from_slice(line[colon + 1..].trim_ascii());
        let value = HeaderValue::from_maybe_shared(value).map_err(|_| fault)?;
        if headers.len() == HEADERS {
            return Err(MessageError::TooManyHeaders);
        }
        headers.append(name, value);
    }
    headers.remove(header::CONTENT_ENCODING);
    let length = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    // What an editor left behind the body is none of it.
    let body = length.filter(|length| *length < rest.len()).map_or(rest, |length| &rest[..length]);
    Ok((headers, body))
}

/// Reads bytes as a request and, behind a zero byte, a response.
///
/// # Panics
/// When what is read is more than what was written, or no message.
pub fn fuzz_message(data: &[u8]) {
    let mut parts = data.splitn(2, |byte| *byte == 0);
    let (request, response) = (parts.next().unwrap_or_default(), parts.next());
    let Ok(exchange) = read(Some(request), response, Timestamp::from_micros(0)) else { return };
    let length = |headers: &CapturedHeaders| -> usize {
        headers.as_map().iter().map(|(name, value)| name.as_str().len() + value.len()).sum()
    };
    let sent = &exchange.request;
    assert!(!sent.method.as_bytes().is_empty() && !sent.target.as_bytes().is_empty());
    let total = sent.body.as_bytes().len() + length(&sent.headers);
    assert!(total <= request.len());
    assert_eq!(exchange.response.is_some(), response.is_some());
    if let (Some(answer), Some(response)) = (&exchange.response, response) {
        assert!((100..1_000).contains(&answer.status));
        assert!(answer.body.as_bytes().len() + length(&answer.headers) <= response.len());
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(1_790_000_000_000_000);

    fn request(text: &str) -> Result<Request, MessageError> {
        match read(Some(text.as_bytes()), None, NOW) {
            Ok(exchange) => Ok(exchange.request),
            Err(SampleFault::Request(error)) => Err(error),
            Err(SampleFault::Response(error)) => panic!("{error}"),
        }
    }

    #[test]
    fn messages_are_read_as_tools_show_them() {
        let pasted = "POST /login?a=1 HTTP/2\nHost: shop.example\nCookie: a=1\r\nContent-Encoding: gzip\n\n{\"a\":1}";
        let read = request(pasted).unwrap();
        assert_eq!(read.method.as_bytes(), b"POST");
        assert_eq!(read.target.as_bytes(), b"/login?a=1");
        assert_eq!(read.version, Some(HttpVersion::Http2));
        assert_eq!(read.host.as_ref().unwrap().as_bytes(), b"shop.example");
        assert_eq!(read.headers.first("cookie"), Some(&b"a=1"[..]));
        assert_eq!(read.headers.first("content-encoding"), None, "what is pasted is decoded");
        assert_eq!(read.body.as_bytes(), b"{\"a\":1}");
        let absolute = request("GET https://shop.example?x=1 HTTP/1.1").unwrap();
        assert_eq!(absolute.host.unwrap().as_bytes(), b"shop.example");
        let measured = request("PUT / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc\n").unwrap();
        assert_eq!(measured.body.as_bytes(), b"abc");
        let bare = request("\n\nGET /a").unwrap();
        assert_eq!((bare.target.as_bytes(), bare.version), (&b"/a"[..], None));

        let alone = super::read(None, Some(b"HTTP/1.1 404\nX: y\n\nnothing"), NOW).unwrap();
        assert_eq!(alone.request.target.as_bytes(), b"/");
        let response = alone.response.unwrap();
        assert_eq!((response.status, response.body.as_bytes()), (404, &b"nothing"[..]));
    }

    #[test]
    fn what_is_no_message_is_refused_by_line() {
        for (text, expected) in [
            ("", MessageError::RequestLine),
            ("GET", MessageError::RequestLine),
            ("GET / HTTP/1.1 more", MessageError::RequestLine),
            ("GET canary HTTP/1.1", MessageError::RequestLine),
            ("{\"a\": 1}", MessageError::RequestLine),
            ("GET / HTTP/1.1\nHost: a\ncanary", MessageError::Header(3)),
            ("GET / HTTP/1.1\n:authority: canary", MessageError::Header(2)),
            ("GET / HTTP/1.1\na: can\u{7}ary", MessageError::Header(2)),
        ] {
            let error = request(text).unwrap_err();
            assert_eq!(error, expected, "{text}");
            assert!(!error.to_string().contains("canary"));
        }
        let many = format!("GET / HTTP/1.1\n{}", "a: b\n".repeat(HEADERS + 1));
        assert_eq!(request(&many).unwrap_err(), MessageError::TooManyHeaders);
        for text in ["", "200 OK", "HTTP/1.1 OK", "HTTP/1.1 20", "HTTP/1.1 2000"] {
            let error = read(None, Some(text.as_bytes()), NOW).unwrap_err();
            assert_eq!(error, SampleFault::Response(MessageError::StatusLine), "{text}");
        }
    }
}
