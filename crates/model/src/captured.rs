//! Values taken from the wire. They redact themselves: `Debug` tells a length, never a content, and there is no
//! `Display` and no `Serialize`.

use std::fmt;

use bytes::Bytes;
use http::HeaderMap;

/// Text from the wire that may hold secrets (a request target, for one). Not guaranteed to be UTF-8.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct CapturedText(Bytes);

impl CapturedText {
    /// Takes bytes as they stood in the message.
    pub fn new(bytes: impl Into<Bytes>) -> Self {
        Self(bytes.into())
    }

    /// The bytes as they stood in the message.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for CapturedText {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "CapturedText({} bytes)", self.0.len())
    }
}

/// The header section of one message. Names compare without case; repeated names keep their order.
#[derive(Clone, Default)]
pub struct CapturedHeaders(HeaderMap);

impl CapturedHeaders {
    /// Takes a header section.
    pub fn new(headers: HeaderMap) -> Self {
        Self(headers)
    }

    /// The headers, for stages that resolve points in them.
    pub fn as_map(&self) -> &HeaderMap {
        &self.0
    }

    /// The first value of a header, as bytes. `name` in any case.
    pub fn first(&self, name: &str) -> Option<&[u8]> {
        self.0.get(name).map(http::HeaderValue::as_bytes)
    }
}

impl fmt::Debug for CapturedHeaders {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "CapturedHeaders({} values)", self.0.len())
    }
}

/// How much of a body was captured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// All of it (an empty body included).
    Whole,
    /// The first bytes only: the capture limit was reached or the transfer broke off.
    Prefix,
    /// Nothing, though there may have been a body: the shared byte budget was used up, or the source has none.
    NotCaptured,
}

/// A bounded copy of a message body without its framing (chunks). The content codings that its header section names are
/// still applied.
#[derive(Clone)]
pub struct CapturedBody {
    bytes: Bytes,
    extent: Extent,
}

impl CapturedBody {
    /// A message without a body.
    pub fn empty() -> Self {
        Self { bytes: Bytes::new(), extent: Extent::Whole }
    }

    /// The whole body.
    pub fn whole(bytes: impl Into<Bytes>) -> Self {
        Self { bytes: bytes.into(), extent: Extent::Whole }
    }

    /// The first bytes of a body.
    pub fn prefix(bytes: impl Into<Bytes>) -> Self {
        Self { bytes: bytes.into(), extent: Extent::Prefix }
    }

    /// A body that was not captured.
    pub fn not_captured() -> Self {
        Self { bytes: Bytes::new(), extent: Extent::NotCaptured }
    }

    /// The captured bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// How much of the body the bytes are.
    pub fn extent(&self) -> Extent {
        self.extent
    }
}

impl Default for CapturedBody {
    fn default() -> Self {
        Self::empty()
    }
}

impl fmt::Debug for CapturedBody {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "CapturedBody({} bytes, {:?})", self.bytes.len(), self.extent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_never_shows_a_captured_value() {
        let mut headers = HeaderMap::new();
        headers.insert("authorization", http::HeaderValue::from_static("Bearer canary"));
        let shown = format!(
            "{:?} {:?} {:?}",
            CapturedText::new("/?token=canary"),
            CapturedHeaders::new(headers),
            CapturedBody::whole("canary"),
        );
        assert!(!shown.contains("canary"), "{shown}");
        assert_eq!(shown, "CapturedText(14 bytes) CapturedHeaders(1 values) CapturedBody(6 bytes, Whole)");
    }
}
