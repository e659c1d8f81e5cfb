//! Header sections from HAR's lists of names and values.
//!
//! A header that cannot exist on the wire (a name that is not a token, a control character in a value) is left out:
//! it tells about the exporter, not about the exchange.

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, COOKIE, HeaderName, SET_COOKIE};
use http::{HeaderMap, HeaderValue};

use super::error::Reason;
use super::fields::{Cookie, List, Pair, Text};

/// A header section, and the authority where HTTP/2 pseudo headers (RFC 9113, section 8.3) stand in the list.
pub(super) struct Section {
    pub(super) headers: HeaderMap,
    pub(super) authority: Option<Vec<u8>>,
}

impl Section {
    pub(super) fn read(pairs: &List<Pair<'_>>) -> Result<Self, Reason> {
        if pairs.over {
            return Err(Reason::Headers);
        }
        let mut section = Self { headers: HeaderMap::with_capacity(pairs.items.len()), authority: None };
        for pair in &pairs.items {
            if pair.name() == b":authority" {
                section.authority = Some(pair.value().to_vec()).filter(|value| !value.is_empty());
                continue;
            }
            let Ok(name) = HeaderName::from_bytes(pair.name().trim_ascii()) else { continue };
            // Browsers write repeated headers (Set-Cookie) as one value with line feeds.
            for line in pair.value().split(|byte| *byte == b'\n') {
                section.append(&name, line.trim_ascii())?;
            }
        }
        Ok(section)
    }

    /// Cookies that stand only in the `cookies` list of a request.
    pub(super) fn add_request_cookies(&mut self, cookies: &List<Cookie<'_>>) -> Result<(), Reason> {
        if self.headers.contains_key(COOKIE) {
            return Ok(());
        }
        let mut line = Vec::new();
        for cookie in &cookies.items {
            let Some((name, value)) = name_and_value(cookie) else { continue };
            if !line.is_empty() {
                line.extend_from_slice(b"; ");
            }
            line.extend_from_slice(name);
            line.push(b'=');
            line.extend_from_slice(value);
        }
        if line.is_empty() { Ok(()) } else { self.append(&COOKIE, &line) }
    }

    /// Cookies that stand only in the `cookies` list of a response.
    pub(super) fn add_response_cookies(&mut self, cookies: &List<Cookie<'_>>) -> Result<(), Reason> {
        if self.headers.contains_key(SET_COOKIE) {
            return Ok(());
        }
        for cookie in &cookies.items {
            let Some((name, value)) = name_and_value(cookie) else { continue };
            let mut line = [name, b"=", value].concat();
            // HAR has ISO 8601 here, the header an HTTP date: what counts is whether the cookie is being deleted.
            let expired = cookie.expires.as_ref().and_then(|expires| super::time::parse_started(expires.bytes()));
            if expired.is_some_and(|expires| expires.day().days() < 1) {
                line.extend_from_slice(b"; Max-Age=0");
            }
            self.append(&SET_COOKIE, &line)?;
        }
        Ok(())
    }

    /// Exporters show decoded bodies beside the header that tells how they were coded.
    pub(super) fn drop_content_coding(&mut self) {
        self.headers.remove(CONTENT_ENCODING);
    }

    /// The content coding that was applied last (RFC 9110, section 8.4), as written.
    pub(super) fn outermost_coding(&self) -> Option<&[u8]> {
        let value = self.headers.get_all(CONTENT_ENCODING).iter().next_back()?.as_bytes();
        value.rsplit(|byte| *byte == b',').next().map(<[u8]>::trim_ascii)
    }

    pub(super) fn first(&self, name: HeaderName) -> Option<&[u8]> {
        self.headers.get(name).map(HeaderValue::as_bytes)
    }

    fn append(&mut self, name: &HeaderName, value: &[u8]) -> Result<(), Reason> {
        let Ok(value) = HeaderValue::from_maybe_shared(Bytes::copy_from_slice(value)) else { return Ok(()) };
        self.headers.try_append(name, value).map_err(|_| Reason::Headers)?;
        if self.headers.len() > super::fields::LIST_LIMIT { Err(Reason::Headers) } else { Ok(()) }
    }
}

/// Only what could have stood in a header (RFC 6265, section 4.1.1, leniently).
fn name_and_value<'a>(cookie: &'a Cookie<'_>) -> Option<(&'a [u8], &'a [u8])> {
    let name = cookie.name.as_ref().map(Text::bytes).filter(|name| !name.is_empty())?;
    let value = cookie.value.as_ref().map_or(&b""[..], Text::bytes);
    let fits = |text: &[u8], barred: &[u8]| !text.iter().any(|byte| byte.is_ascii_control() || barred.contains(byte));
    (fits(name, b"=; ") && fits(value, b";")).then_some((name, value))
}
