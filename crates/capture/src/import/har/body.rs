//! Bodies: text, base64 or a list of form parameters become the bytes that were transferred, up to the capture limit.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;
use threadline_model::CapturedBody;

use super::error::Reason;
use super::fields::{Content, Parameter, PostData, Text};

/// Exporters differ in padding and in what they leave in the last bits.
const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

/// A body and its length in bytes as far as the file tells.
pub(super) struct Body {
    pub(super) captured: CapturedBody,
    pub(super) length: u64,
}

/// What is written, kept up to a limit and counted beyond it.
struct Bounded {
    bytes: Vec<u8>,
    limit: usize,
    length: u64,
}

impl Bounded {
    fn new(limit: usize) -> Self {
        Self { bytes: Vec::new(), limit, length: 0 }
    }

    fn push(&mut self, bytes: &[u8]) {
        self.length += bytes.len() as u64;
        self.bytes.extend_from_slice(&bytes[..bytes.len().min(self.limit - self.bytes.len())]);
    }

    /// `all`: nothing is known to be missing.
    fn into_body(self, all: bool) -> Body {
        let whole = all && self.bytes.len() as u64 == self.length;
        let captured = if whole { CapturedBody::whole(self.bytes) } else { CapturedBody::prefix(self.bytes) };
        Body { captured, length: self.length }
    }
}

impl Extend<u8> for Bounded {
    fn extend<T: IntoIterator<Item = u8>>(&mut self, bytes: T) {
        bytes.into_iter().for_each(|byte| self.push(&[byte]));
    }
}

impl Body {
    /// Without a body.
    pub(super) fn empty() -> Self {
        Self { captured: CapturedBody::empty(), length: 0 }
    }

    fn not_captured() -> Self {
        Self { captured: CapturedBody::not_captured(), length: 0 }
    }
}

/// The request's body. `content_type` is the header's; `declared` says that the request had a body (by its headers or
/// its size).
pub(super) fn of_request(
    post_data: Option<&PostData<'_>>,
    content_type: Option<&[u8]>,
    declared: bool,
    limit: usize,
    damage: &mut Option<Reason>,
) -> Body {
    let text = post_data.and_then(|post_data| post_data.text.as_ref()).map_or(&b""[..], Text::bytes);
    if !text.is_empty() {
        return decode(text, post_data.and_then(|post_data| post_data.encoding.as_ref()), limit, damage);
    }
    if let Some(post_data) = post_data
        && !post_data.params.items.is_empty()
    {
        let media_type = content_type.or(post_data.mime_type.as_ref().map(Text::bytes)).unwrap_or_default();
        let written = of_parameters(&post_data.params.items, media_type, limit);
        return written.map_or_else(Body::not_captured, |written| written.into_body(!post_data.params.over));
    }
    if declared { Body::not_captured() } else { Body::empty() }
}

/// The response's body. `bodiless` is set where HTTP allows none (HEAD, 204, 304).
pub(super) fn of_response(
    content: Option<&Content<'_>>,
    bodiless: bool,
    limit: usize,
    damage: &mut Option<Reason>,
) -> Body {
    let text = content.and_then(|content| content.text.as_ref()).map_or(&b""[..], Text::bytes);
    if !text.is_empty() {
        return decode(text, content.and_then(|content| content.encoding.as_ref()), limit, damage);
    }
    let known_empty = content.is_some_and(|content| content.size.size() == Some(0));
    if bodiless || known_empty { Body::empty() } else { Body::not_captured() }
}

/// What cannot be decoded is a body that was not captured, and `damage` says so.
fn decode(text: &[u8], encoding: Option<&Text<'_>>, limit: usize, damage: &mut Option<Reason>) -> Body {
    if !encoding.is_some_and(|encoding| encoding.bytes().eq_ignore_ascii_case(b"base64")) {
        let captured = &text[..text.len().min(limit)];
        let captured = Bytes::copy_from_slice(captured);
        let whole = captured.len() == text.len();
        return Body {
            captured: if whole { CapturedBody::whole(captured) } else { CapturedBody::prefix(captured) },
            length: text.len() as u64,
        };
    }
    let digits = || text.iter().copied().filter(|byte| !byte.is_ascii_whitespace());
    let count = digits().filter(|byte| *byte != b'=').count();
    // Four digits are three bytes: nothing behind the limit is decoded.
    let wanted = limit.div_ceil(3).saturating_mul(4).min(count);
    let encoded: Vec<u8> = digits().take(wanted).collect();
    let engine = if encoded.iter().any(|byte| matches!(byte, b'-' | b'_')) { &URL_SAFE } else { &STANDARD };
    let Ok(mut bytes) = engine.decode(&encoded) else {
        *damage = Some(Reason::Base64);
        return Body::not_captured();
    };
    let length = (count / 4 * 3 + (count % 4).saturating_sub(1)) as u64;
    bytes.truncate(limit);
    let whole = bytes.len() as u64 == length;
    Body { captured: if whole { CapturedBody::whole(bytes) } else { CapturedBody::prefix(bytes) }, length }
}

/// Writes a form as the browser did. None when the media type says nothing of how.
fn of_parameters(parameters: &[Parameter<'_>], media_type: &[u8], limit: usize) -> Option<Bounded> {
    let essence = media_type.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
    if essence.eq_ignore_ascii_case(b"multipart/form-data") {
        return Some(multipart(parameters, boundary(media_type)?, limit));
    }
    if !essence.is_empty() && !essence.eq_ignore_ascii_case(b"application/x-www-form-urlencoded") {
        return None;
    }
    let mut form = Bounded::new(limit);
    for parameter in parameters {
        if form.length > 0 {
            form.push(b"&");
        }
        form_encode(&mut form, parameter.name.as_ref().map_or(b"", Text::bytes));
        form.push(b"=");
        form_encode(&mut form, parameter.value.as_ref().map_or(b"", Text::bytes));
    }
    Some(form)
}

/// RFC 2046, section 5.1.1.
fn boundary(media_type: &[u8]) -> Option<&[u8]> {
    media_type.split(|byte| *byte == b';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_at(parameter.iter().position(|byte| *byte == b'=')?);
        let value = value[1..].trim_ascii();
        let value = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\"")).unwrap_or(value);
        (name.trim_ascii().eq_ignore_ascii_case(b"boundary") && !value.is_empty()).then_some(value)
    })
}

/// RFC 7578.
fn multipart(parameters: &[Parameter<'_>], boundary: &[u8], limit: usize) -> Bounded {
    let mut body = Bounded::new(limit);
    let quoted = |body: &mut Bounded, text: &[u8]| {
        for byte in text {
            match byte {
                b'"' | b'\r' | b'\n' => percent_encode(body, *byte),
                _ => body.push(&[*byte]),
            }
        }
    };
    for parameter in parameters {
        body.push(b"--");
        body.push(boundary);
        body.push(b"\r\nContent-Disposition: form-data; name=\"");
        quoted(&mut body, parameter.name.as_ref().map_or(b"", Text::bytes));
        body.push(b"\"");
        if let Some(file_name) = &parameter.file_name {
            body.push(b"; filename=\"");
            quoted(&mut body, file_name.bytes());
            body.push(b"\"");
        }
        if let Some(content_type) = &parameter.content_type {
            body.push(b"\r\nContent-Type: ");
            quoted(&mut body, content_type.bytes());
        }
        body.push(b"\r\n\r\n");
        body.push(parameter.value.as_ref().map_or(b"", Text::bytes));
        body.push(b"\r\n");
    }
    body.push(b"--");
    body.push(boundary);
    body.push(b"--\r\n");
    body
}

/// Whether bytes still carry the coding that was applied last, which its magic number tells: gzip (RFC 1952) or zstd
/// (RFC 8878). A decoded body that is an archive by itself does not.
pub(super) fn is_visibly_encoded(body: &CapturedBody, outermost_coding: Option<&[u8]>) -> bool {
    const MAGIC: [(&[u8], &[u8]); 3] =
        [(b"gzip", &[0x1f, 0x8b, 0x08]), (b"x-gzip", &[0x1f, 0x8b, 0x08]), (b"zstd", &[0x28, 0xb5, 0x2f, 0xfd])];
    outermost_coding.is_some_and(|coding| {
        MAGIC.iter().any(|(name, magic)| coding.eq_ignore_ascii_case(name) && body.as_bytes().starts_with(magic))
    })
}

/// `application/x-www-form-urlencoded` (WHATWG URL, section 5.2).
pub(super) fn form_encode(out: &mut impl Extend<u8>, text: &[u8]) {
    for byte in text {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'*' | b'-' | b'.' | b'_' => out.extend([*byte]),
            b' ' => out.extend([b'+']),
            _ => percent_encode(out, *byte),
        }
    }
}

/// One byte as `%XX` (RFC 3986, section 2.1).
pub(super) fn percent_encode(out: &mut impl Extend<u8>, byte: u8) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    out.extend([b'%', DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
}
