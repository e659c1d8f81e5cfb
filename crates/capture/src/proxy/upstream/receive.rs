//! The receiving half of an upstream connection: response heads and bodies out of bytes.

mod fuzz;

use std::mem::MaybeUninit;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version, header};
use http_body::Frame;

use crate::proxy::framing::{ChunkedBody, Step, find_end};
use crate::proxy::hygiene::{Present, names};

pub use fuzz::fuzz_response;

/// What the upstream sent is not a response that everybody would read the same way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(in crate::proxy) struct Malformed(&'static str);

/// The head of a response.
pub(in crate::proxy) struct ResponseHead {
    pub(in crate::proxy) status: StatusCode,
    pub(in crate::proxy) version: Version,
    pub(in crate::proxy) headers: HeaderMap,
    /// Which of the fields that matter here stand in it.
    pub(in crate::proxy) present: Present,
}

/// Headers are parsed on the stack up to this many; more are a malformed response.
const MAXIMUM_HEADERS: usize = 128;

/// Takes a response's head out of what was received. None while it is not whole; then `searched` says how much need
/// not be looked at again. Interim responses (1xx but 101) are dropped: the proxy sends its own 100.
pub(super) fn take_head(
    received: &mut BytesMut,
    searched: &mut usize,
    maximum: usize,
) -> Result<Option<ResponseHead>, Malformed> {
    loop {
        let Some(end) = find_end(received, *searched) else {
            *searched = received.len();
            return if received.len() > maximum { Err(Malformed("the head is too long")) } else { Ok(None) };
        };
        *searched = 0;
        let head = parse_head(received.split_to(end).freeze())?;
        if head.status.is_informational() && head.status != StatusCode::SWITCHING_PROTOCOLS {
            continue;
        }
        return Ok(Some(head));
    }
}

fn parse_head(bytes: Bytes) -> Result<ResponseHead, Malformed> {
    let mut fields = [const { MaybeUninit::uninit() }; MAXIMUM_HEADERS];
    let mut response = httparse::Response::new(&mut []);
    match httparse::ParserConfig::default().parse_response_with_uninit_headers(&mut response, &bytes, &mut fields) {
        Ok(httparse::Status::Complete(length)) if length == bytes.len() => {}
        Ok(_) => return Err(Malformed("the head has no status line")),
        Err(httparse::Error::TooManyHeaders) => return Err(Malformed("the head has too many fields")),
        Err(_) => return Err(Malformed("the head is not one of HTTP")),
    }
    let status = response.code.and_then(|code| StatusCode::from_u16(code).ok());
    let mut headers = HeaderMap::with_capacity(response.headers.len());
    let mut present = Present::nothing();
    for field in response.headers.iter() {
        let name = HeaderName::from_bytes(field.name.as_bytes());
        let value = HeaderValue::from_maybe_shared(bytes.slice_ref(field.value));
        let (Ok(name), Ok(value)) = (name, value) else { return Err(Malformed("a field is not one of HTTP")) };
        present.note(&name);
        headers.append(name, value);
    }
    Ok(ResponseHead {
        status: status.ok_or(Malformed("the status is not one"))?,
        version: if response.version == Some(0) { Version::HTTP_10 } else { Version::HTTP_11 },
        headers,
        present,
    })
}

/// How a response's body is delimited (RFC 9112, section 6.3), and how much of it is missing.
enum Delimited {
    Length(u64),
    Chunked(ChunkedBody),
    ByClose,
}

/// A response's body while it is received.
pub(super) struct Receiving {
    delimited: Delimited,
    /// Lines of the trailer section. Bounded by the chunk follower.
    trailer: Vec<u8>,
    over: bool,
}

impl Receiving {
    /// Between responses.
    pub(super) const fn nothing() -> Self {
        Self { delimited: Delimited::Length(0), trailer: Vec::new(), over: true }
    }

    /// The body after `head`, and whether the connection can be used again after it.
    pub(super) fn after(head: &mut ResponseHead, method: &Method) -> Result<(Self, bool), Malformed> {
        // HTTP/1.0 knows no Transfer-Encoding: one who does not know better may have put it there (RFC 9112, section
        // 6.1), and what follows the body is in doubt.
        let framing_is_faulty = head.version == Version::HTTP_10 && head.present.has(Present::TRANSFER_ENCODING);
        let persistent = is_persistent(head) && !framing_is_faulty;
        let bodyless = *method == Method::HEAD
            || head.status.is_informational()
            || matches!(head.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
        let delimited = if bodyless {
            Delimited::Length(0)
        } else if head.present.has(Present::TRANSFER_ENCODING) {
            let mut encodings = head.headers.get_all(header::TRANSFER_ENCODING).iter();
            let chunked = encodings.next().is_some_and(|one| one.as_bytes().eq_ignore_ascii_case(b"chunked"));
            if !chunked || encodings.next().is_some() {
                return Err(Malformed("Transfer-Encoding is not chunked alone"));
            }
            if head.present.has(Present::CONTENT_LENGTH) {
                return Err(Malformed("Content-Length together with Transfer-Encoding"));
            }
            Delimited::Chunked(ChunkedBody::tolerant())
        } else if head.present.has(Present::CONTENT_LENGTH) {
            Delimited::Length(content_length(&mut head.headers)?)
        } else {
            Delimited::ByClose
        };
        let reusable = persistent && !matches!(delimited, Delimited::ByClose);
        let over = matches!(delimited, Delimited::Length(0));
        Ok((Self { delimited, trailer: Vec::new(), over }, reusable))
    }

    /// Whether nothing more will come.
    pub(super) const fn is_over(&self) -> bool {
        self.over
    }

    /// What is missing, where it is known.
    pub(super) const fn exact_rest(&self) -> Option<u64> {
        match self.delimited {
            Delimited::Length(rest) => Some(rest),
            _ if self.over => Some(0),
            _ => None,
        }
    }

    /// The next part of the body out of what was received; none when more has to be received, or nothing will come.
    pub(super) fn take_frame(&mut self, received: &mut BytesMut) -> Result<Option<Frame<Bytes>>, Malformed> {
        if self.over || received.is_empty() {
            return Ok(None);
        }
        match &mut self.delimited {
            Delimited::Length(rest) => {
                let taken = usize::try_from(*rest).unwrap_or(usize::MAX).min(received.len());
                *rest -= taken as u64;
                self.over = *rest == 0;
                Ok(Some(Frame::data(received.split_to(taken).freeze())))
            }
            Delimited::ByClose => Ok(Some(Frame::data(received.split().freeze()))),
            Delimited::Chunked(_) => self.take_chunk(received),
        }
    }

    fn take_chunk(&mut self, received: &mut BytesMut) -> Result<Option<Frame<Bytes>>, Malformed> {
        let Delimited::Chunked(body) = &mut self.delimited else { return Ok(None) };
        while !received.is_empty() {
            match body.step(received).map_err(|_| Malformed("the chunks are malformed"))? {
                Step::Framing(length) => drop(received.split_to(length)),
                Step::Data(length) => {
                    let data = received.split_to(length).freeze();
                    // The end is often there already: then the body is over with this frame, and not only with the
                    // next one.
                    self.look_for_end(received);
                    return Ok(Some(Frame::data(data)));
                }
                Step::Trailer(length) => self.trailer.extend_from_slice(&received.split_to(length)),
                Step::End(length) => {
                    drop(received.split_to(length));
                    return self.end();
                }
            }
        }
        Ok(None)
    }

    /// Ends the body if all that is received is the end of its last chunk and an empty trailer section.
    fn look_for_end(&mut self, received: &mut BytesMut) {
        if received[..] == *b"\r\n0\r\n\r\n" {
            received.clear();
            self.over = true;
        }
    }

    fn end(&mut self) -> Result<Option<Frame<Bytes>>, Malformed> {
        self.over = true;
        // The CR of the empty line counts as the section's.
        if self.trailer.len() <= 1 {
            return Ok(None);
        }
        self.trailer.push(b'\n');
        let mut fields = [httparse::EMPTY_HEADER; MAXIMUM_HEADERS];
        let malformed = Malformed("the trailers are malformed");
        let httparse::Status::Complete((_, fields)) =
            httparse::parse_headers(&self.trailer, &mut fields).map_err(|_| malformed)?
        else {
            return Err(malformed);
        };
        let mut trailers = HeaderMap::with_capacity(fields.len());
        for field in fields {
            let name = HeaderName::from_bytes(field.name.as_bytes()).map_err(|_| malformed)?;
            trailers.append(name, HeaderValue::from_bytes(field.value).map_err(|_| malformed)?);
        }
        Ok(Some(Frame::trailers(trailers)))
    }

    /// The upstream has closed: was that the end?
    pub(super) fn closed(&mut self) -> bool {
        if matches!(self.delimited, Delimited::ByClose) {
            self.over = true;
        }
        self.over
    }
}

/// Whether the upstream will take another request (RFC 9112, section 9.3).
fn is_persistent(head: &ResponseHead) -> bool {
    let says = |option: &[u8]| {
        head.present.has(Present::CONNECTION) && names(&head.headers).any(|one| one.eq_ignore_ascii_case(option))
    };
    if head.version == Version::HTTP_10 { says(b"keep-alive") } else { !says(b"close") }
}

/// The one length of a response. Repeated equal values become one; anything else is malformed.
fn content_length(headers: &mut HeaderMap) -> Result<u64, Malformed> {
    let malformed = Malformed("Content-Length is not one number");
    let mut length = None;
    let mut members = 0;
    for value in headers.get_all(header::CONTENT_LENGTH) {
        for member in value.as_bytes().split(|byte| *byte == b',') {
            let member = member.trim_ascii();
            if member.is_empty() || member.len() > 18 || !member.iter().all(u8::is_ascii_digit) {
                return Err(malformed);
            }
            let number = member.iter().fold(0_u64, |number, digit| number * 10 + u64::from(digit - b'0'));
            if length.replace(number).is_some_and(|before| before != number) {
                return Err(malformed);
            }
            members += 1;
        }
    }
    let length = length.ok_or(malformed)?;
    if members > 1 {
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    }
    Ok(length)
}

#[cfg(test)]
mod tests;
