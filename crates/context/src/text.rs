//! Captured bytes as exportable text: UTF-8, bounded, borrowed wherever the bytes can stay as they are.

use std::borrow::Cow;
use std::fmt::Write as _;

use threadline_grouping::HashText;

/// Stands where something was left out or cut off.
pub(crate) const CUT: &str = "…";

/// A value as it leaves the node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Text<'a> {
    /// In clear: selected, and covered by no mask, hashed parameter or credential rule.
    Clear(Cow<'a, str>),
    /// The keyed hash of a value that must not leave the node.
    Hashed(HashText),
}

impl Text<'_> {
    /// The text to export.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Clear(text) => text,
            Self::Hashed(hash) => hash.as_str(),
        }
    }

    /// Whether [`Text::as_str`] is a keyed hash.
    pub fn is_hashed(&self) -> bool {
        matches!(self, Self::Hashed(_))
    }
}

/// Text of at most `limit` bytes, the mark of a cut not counted. Bytes that are not UTF-8 are shown as `\xNN`.
pub(crate) fn text(bytes: &[u8], limit: usize) -> Cow<'_, str> {
    let kept = &bytes[..bytes.len().min(limit)];
    let mut text = match std::str::from_utf8(kept) {
        Ok(text) if kept.len() == bytes.len() => return Cow::Borrowed(text),
        // The last character may have been cut in two.
        Err(error) if kept.len() < bytes.len() && error.error_len().is_none() => escape(&kept[..error.valid_up_to()]),
        _ => escape(kept),
    };
    if kept.len() < bytes.len() {
        text.push_str(CUT);
    }
    Cow::Owned(text)
}

fn escape(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() + CUT.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            // Writing to a String cannot fail.
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn text_stays_borrowed_and_foreign_bytes_are_shown() {
        assert!(matches!(text("naïve".as_bytes(), 100), Cow::Borrowed("naïve")));
        assert_eq!(text(b"a\xff\xfeb", 100), "a\\xff\\xfeb");
        assert_eq!(text(b"abcdef", 3), "abc…");
        assert_eq!(text("aß".as_bytes(), 2), "a…", "never half a character");
        assert_eq!(text(b"a\xffb", 2), "a\\xff…");
    }

    proptest! {
        #[test]
        fn text_is_bounded(bytes in prop::collection::vec(any::<u8>(), 0..64), limit in 0_usize..64) {
            let text = text(&bytes, limit);
            // Four characters for each foreign byte.
            prop_assert!(text.len() <= limit * 4 + CUT.len());
            prop_assert_eq!(text.ends_with(CUT) || bytes.ends_with(CUT.as_bytes()), bytes.len() > limit || bytes.ends_with(CUT.as_bytes()));
        }
    }
}
