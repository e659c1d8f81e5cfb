//! Finds a JSON Web Token in a value and its parts (RFC 7519; RFC 7515 and RFC 7516, section 3.1). Checks no
//! signature.

use std::ops::Range;

/// Where the parts of a token stand in the text it was found in.
pub(crate) struct Token {
    /// What stands before the token, without the blanks between; empty when nothing does.
    pub(crate) prefix: Range<usize>,
    pub(crate) token: Range<usize>,
    pub(crate) header: Range<usize>,
    /// Of a signed token, unless it is sent apart from it (RFC 7515, appendix F); the claims of an encrypted one cannot
    /// be read.
    pub(crate) payload: Option<Range<usize>>,
    /// Of a signed token; empty when it is not signed.
    pub(crate) signature: Option<Range<usize>>,
}

impl Token {
    /// Finds the token at the end of `text`, after an authentication scheme or another prefix if there is one.
    /// `None` when the text does not have the shape of a token: three parts (signed) or five (encrypted), the first
    /// of which starts as the base64url of an object does.
    pub(crate) fn find(text: &[u8]) -> Option<Self> {
        let end = text.trim_ascii_end().len();
        let start = memchr::memrchr2(b' ', b'\t', &text[..end]).map_or(0, |blank| blank + 1);
        let token = &text[start..end];
        // `{` and any ASCII character after it.
        if !matches!(token, [b'e', b'w'..=b'z', ..]) {
            return None;
        }
        let mut dots = memchr::memchr_iter(b'.', token).map(|dot| start + dot);
        let first = dots.next()?;
        let second = dots.next()?;
        let signed = match dots.count() {
            0 => true,
            2 => false,
            _ => return None,
        };
        let before = &text[..start];
        let prefix_start = before.len() - before.trim_ascii_start().len();
        let prefix_end = prefix_start.max(before.trim_ascii_end().len());
        Some(Self {
            prefix: prefix_start..prefix_end,
            token: start..end,
            header: start..first,
            payload: signed.then_some(first + 1..second).filter(|payload| !payload.is_empty()),
            signature: signed.then_some(second + 1..end),
        })
    }
}
