//! The XML declaration (section 2.8 of XML 1.0 and 1.1), and the ends of line that its version brings.

use super::tokens::{Attribute, Attributes};

/// Which XML a document is in. What is neither 1.0 nor 1.1 is read as 1.0 (fifth edition, section 2.8).
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Version {
    #[default]
    One,
    OnePointOne,
}

/// What a document says of itself.
#[derive(Clone, Copy, Default)]
pub(crate) struct Declaration {
    pub(super) version: Version,
    /// Nothing outside of the document changes what it says.
    pub(super) standalone: bool,
    /// How many bytes of the document it takes, what stands before it included.
    length: usize,
}

impl Declaration {
    /// The declaration that a document starts with, if it is well-formed.
    pub(crate) fn of(document: &[u8]) -> Option<Self> {
        let text = document.strip_prefix(b"\xef\xbb\xbf").unwrap_or(document);
        let inside = text.strip_prefix(b"<?")?;
        // No value may hold `>`.
        let end = inside.starts_with(b"xml").then(|| memchr::memchr(b'>', inside))??;
        let declaration = std::str::from_utf8(inside[..end].strip_suffix(b"?")?).ok()?;
        let length = document.len() - inside.len() + end + 1;
        Some(Self { length, ..Self::read(declaration)? })
    }

    /// Reads what stands between `<?` and `?>`: version, then encoding, then standalone.
    fn read(text: &str) -> Option<Self> {
        let mut declaration = Self::default();
        let mut next = 0;
        for attribute in Attributes::new(text.strip_prefix("xml")?) {
            let Attribute { name, value, .. } = attribute.ok()?;
            let (place, valid) = match name {
                "version" => {
                    let minor = value.strip_prefix("1.").unwrap_or_default();
                    if minor == "1" {
                        declaration.version = Version::OnePointOne;
                    }
                    (0, !minor.is_empty() && minor.bytes().all(|byte| byte.is_ascii_digit()))
                }
                "encoding" => {
                    let rest = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
                    (1, value.starts_with(|first: char| first.is_ascii_alphabetic()) && value.bytes().all(rest))
                }
                "standalone" => {
                    declaration.standalone = value == "yes";
                    (2, matches!(value, "yes" | "no"))
                }
                _ => return None,
            };
            // The version stands first and is never left out.
            if !valid || place < next || (next == 0 && place != 0) {
                return None;
            }
            next = place + 1;
        }
        (next > 0).then_some(declaration)
    }

    /// Whether the document has ends of line that only XML 1.1 knows (section 2.11). Within the declaration they are
    /// none.
    pub(crate) fn has_more_ends_of_line(&self, document: &[u8]) -> bool {
        let rest = document.get(self.length..).unwrap_or_default();
        self.version == Version::OnePointOne
            && [NEL, LINE_SEPARATOR].iter().any(|end| memchr::memmem::find(rest, end.as_bytes()).is_some())
    }

    /// Writes a document with line feeds as its only ends of line, which makes it no longer.
    pub(crate) fn end_lines(&self, document: &[u8], to: &mut Vec<u8>) {
        const ENDS: [&str; 5] = ["\r\n", "\r\u{85}", "\r", NEL, LINE_SEPARATOR];
        to.clear();
        let (declaration, mut rest) = document.split_at(self.length.min(document.len()));
        to.extend_from_slice(declaration);
        let first = |end: &str| end.as_bytes()[0];
        while let Some(start) = memchr::memchr3(b'\r', first(NEL), first(LINE_SEPARATOR), rest) {
            to.extend_from_slice(&rest[..start]);
            rest = &rest[start..];
            let end = ENDS.into_iter().find(|end| rest.starts_with(end.as_bytes()));
            to.push(end.map_or(rest[0], |_| b'\n'));
            rest = &rest[end.map_or(1, str::len)..];
        }
        to.extend_from_slice(rest);
    }
}

const NEL: &str = "\u{85}";
const LINE_SEPARATOR: &str = "\u{2028}";
