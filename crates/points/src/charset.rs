//! Texts that are not UTF-8: which encoding one is in, and the same text in UTF-8. Formats are read in UTF-8 only.

use encoding_rs::{DecoderResult, Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use crate::scan::Stop;

/// An encoding of characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Charset {
    /// One of the Encoding Standard (WHATWG).
    Standard(&'static Encoding),
    /// ISO-8859-1: each byte is the character of its number. Browsers read windows-1252 instead, XML parsers do not.
    Latin1,
    /// UTF-32, which that has not.
    Utf32 { big: bool },
}

impl Charset {
    const UTF_8: Self = Self::Standard(UTF_8);

    /// By its name. `None` for one that is not known.
    pub(crate) fn named(label: &[u8]) -> Option<Self> {
        match Encoding::for_label_no_replacement(label)? {
            encoding if encoding == WINDOWS_1252 && is_latin1(label) => Some(Self::Latin1),
            encoding => Some(Self::Standard(encoding)),
        }
    }

    /// The `charset` parameter of a Content-Type (RFC 9110, section 8.3.2), if it names one that is known.
    pub(crate) fn of_content_type(declared: &[u8]) -> Option<Self> {
        let parameters = declared.split(|byte| *byte == b';').skip(1);
        let named = parameters.filter_map(|parameter| {
            let equals = memchr::memchr(b'=', parameter)?;
            let (name, value) = parameter.split_at(equals);
            name.trim_ascii().eq_ignore_ascii_case(b"charset").then_some(&value[1..])
        });
        let value = named.map(|value| value.trim_ascii()).next()?;
        let quoted = value.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\""));
        Self::named(quoted.unwrap_or(value))
    }

    /// The encoding that a byte order mark names, and how long that is.
    fn marked(text: &[u8]) -> Option<(Self, usize)> {
        match text {
            [0, 0, 0xfe, 0xff, ..] => Some((Self::Utf32 { big: true }, 4)),
            [0xff, 0xfe, 0, 0, ..] => Some((Self::Utf32 { big: false }, 4)),
            [0xfe, 0xff, ..] => Some((Self::Standard(UTF_16BE), 2)),
            [0xff, 0xfe, ..] => Some((Self::Standard(UTF_16LE), 2)),
            [0xef, 0xbb, 0xbf, ..] => Some((Self::UTF_8, 0)),
            _ => None,
        }
    }

    /// The encoding of a text whose first character is of ASCII, by its zero bytes (RFC 4627, section 3).
    fn by_zeros(text: &[u8]) -> Option<Self> {
        match text {
            [0, 0, 0, 1..=255, ..] => Some(Self::Utf32 { big: true }),
            [1..=255, 0, 0, 0, ..] => Some(Self::Utf32 { big: false }),
            [0, 1..=255, ..] => Some(Self::Standard(UTF_16BE)),
            [1..=255, 0, ..] => Some(Self::Standard(UTF_16LE)),
            _ => None,
        }
    }

    fn by_bytes(text: &[u8]) -> Option<(Self, usize)> {
        Self::marked(text).or_else(|| Some((Self::by_zeros(text)?, 0)))
    }

    fn is_wide(self) -> bool {
        matches!(self, Self::Utf32 { .. }) || self == Self::Standard(UTF_16BE) || self == Self::Standard(UTF_16LE)
    }

    /// The encoding of JSON and where it starts, when it has to be decoded. What is declared counts only where the
    /// text is not UTF-8: JSON is (RFC 8259, section 8.1).
    pub(crate) fn of_json(text: &[u8], declared: Option<Self>) -> Option<(Self, usize)> {
        let by_bytes = Self::by_bytes(text);
        let found = by_bytes.or_else(|| {
            let declared = declared.filter(|declared| *declared != Self::UTF_8 && !declared.is_wide())?;
            std::str::from_utf8(text).is_err().then_some((declared, 0))
        });
        found.filter(|(charset, _)| *charset != Self::UTF_8)
    }

    /// The encoding of XML and where it starts, when it has to be decoded: by its byte order mark, by what the
    /// Content-Type says, by its first bytes, or by its own declaration (RFC 7303, section 3; XML 1.0, appendix F). A
    /// text that is `inside` another value has most likely been decoded with that: its own declaration counts only
    /// where it is not UTF-8.
    ///
    /// # Errors
    /// When it says an encoding that is not known.
    pub(crate) fn of_xml(
        text: &[u8],
        declared: Option<Self>,
        inside: bool,
    ) -> Result<Option<(Self, usize)>, &'static str> {
        let found = match Self::by_bytes(text) {
            Some(found) => Some(found),
            // Whatever says that a text without zero bytes at its start is in 16 or 32 bits is wrong.
            None => match declared.filter(|declared| !declared.is_wide()) {
                Some(declared) => Some((declared, 0)),
                None if inside && std::str::from_utf8(text).is_ok() => None,
                None => match declaration(text) {
                    Some(label) => {
                        let charset = Self::named(label).ok_or("an encoding that is not known")?;
                        Some((charset, 0)).filter(|_| !charset.is_wide())
                    }
                    None => None,
                },
            },
        };
        Ok(found.filter(|(charset, _)| *charset != Self::UTF_8))
    }

    /// The text in UTF-8, at most so many bytes of it. `open` says that it goes on. Gives what stopped it, by the place
    /// in the result.
    pub(crate) fn decode(self, text: &[u8], open: bool, most: usize, decoded: &mut Vec<u8>) -> Option<Stop> {
        const BEYOND: &str = "the bound on decoded bytes is reached";
        const NOT_TEXT: &str = "not text in its encoding";
        decoded.clear();
        match self {
            Self::Standard(encoding) => {
                let mut decoder = encoding.new_decoder_without_bom_handling();
                let room = decoder.max_utf8_buffer_length_without_replacement(text.len()).unwrap_or(most);
                decoded.resize(room.min(most), 0);
                let (result, _, written) = decoder.decode_to_utf8_without_replacement(text, decoded, !open);
                decoded.truncate(written);
                match result {
                    DecoderResult::InputEmpty => None,
                    DecoderResult::OutputFull => Some(Stop::at(written, BEYOND)),
                    DecoderResult::Malformed(..) => Some(Stop::at(written, NOT_TEXT)),
                }
            }
            Self::Latin1 => {
                decoded.resize(text.len().saturating_mul(2).min(most), 0);
                let (read, written) = encoding_rs::mem::convert_latin1_to_utf8_partial(text, decoded);
                decoded.truncate(written);
                (read < text.len()).then(|| Stop::at(written, BEYOND))
            }
            Self::Utf32 { big } => {
                let (units, rest) = text.as_chunks::<4>();
                for unit in units {
                    let code = if big { u32::from_be_bytes(*unit) } else { u32::from_le_bytes(*unit) };
                    let Some(character) = char::from_u32(code) else {
                        return Some(Stop::at(decoded.len(), NOT_TEXT));
                    };
                    if decoded.len() + character.len_utf8() > most {
                        return Some(Stop::at(decoded.len(), BEYOND));
                    }
                    decoded.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                }
                (!rest.is_empty() && !open).then(|| Stop::at(decoded.len(), NOT_TEXT))
            }
        }
    }
}

/// Whether a name of windows-1252 in the Encoding Standard is one of ISO-8859-1 (IANA's registry of character sets).
fn is_latin1(label: &[u8]) -> bool {
    const NAMES: [&str; 11] = [
        "iso-8859-1",
        "iso_8859-1",
        "iso_8859-1:1987",
        "iso8859-1",
        "iso88591",
        "iso-ir-100",
        "latin1",
        "l1",
        "cp819",
        "ibm819",
        "csisolatin1",
    ];
    NAMES.iter().any(|name| label.trim_ascii().eq_ignore_ascii_case(name.as_bytes()))
}

/// The encoding that the declaration of an XML document names.
fn declaration(text: &[u8]) -> Option<&[u8]> {
    let text = text.strip_prefix(b"<?xml")?;
    let text = &text[..memchr::memchr(b'>', text)?];
    let after = memchr::memmem::find(text, b"encoding")? + b"encoding".len();
    let value = text[after..].trim_ascii_start().strip_prefix(b"=")?.trim_ascii_start();
    let (quote, value) = value.split_first()?;
    matches!(quote, b'"' | b'\'').then_some(())?;
    Some(&value[..memchr::memchr(*quote, value)?])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(found: Option<(Charset, usize)>) -> String {
        match found {
            None => "UTF-8".to_owned(),
            Some((Charset::Latin1, start)) => format!("ISO-8859-1 {start}"),
            Some((Charset::Standard(encoding), start)) => format!("{} {start}", encoding.name()),
            Some((Charset::Utf32 { big }, start)) => format!("UTF-32 {big} {start}"),
        }
    }

    #[test]
    fn the_encoding_of_xml_is_found_in_the_order_of_the_standard() {
        let latin = Charset::of_content_type(b"text/xml; charset=\"ISO-8859-2\"");
        let wide = Charset::of_content_type(b"text/xml;charset=utf-16");
        for (text, declared, inside, expected) in [
            (&b"<a/>"[..], None, false, "UTF-8"),
            (b"\xef\xbb\xbf<?xml version='1.0' encoding='koi8-r'?><a/>", latin, false, "UTF-8"),
            (b"\xff\xfe<\0a\0/\0>\0", latin, false, "UTF-16LE 2"),
            (b"\0<\0a\0/\0>", latin, false, "UTF-16BE 0"),
            (b"<\0\0\0a\0\0\0", None, false, "UTF-32 false 0"),
            (b"<a/>", latin, false, "ISO-8859-2 0"),
            (b"<a/>", wide, false, "UTF-8"),
            (b"<?xml version='1.0' encoding='koi8-r'?><a/>", latin, false, "ISO-8859-2 0"),
            (b"<?xml version='1.0' encoding = \"koi8-r\" ?><a/>", None, false, "KOI8-R 0"),
            (b"<?xml version='1.0' encoding='koi8-r'?><a/>", None, true, "UTF-8"),
            (b"<?xml version='1.0' encoding='koi8-r'?><a>\xc1</a>", None, true, "KOI8-R 0"),
            (b"<?xml version='1.0' encoding='utf-16'?><a/>", None, false, "UTF-8"),
        ] {
            assert_eq!(Charset::of_xml(text, declared, inside).map(label), Ok(expected.to_owned()), "{text:?}");
        }
        assert!(Charset::of_xml(b"<?xml version='1.0' encoding='x'?><a/>", None, false).is_err());
    }

    #[test]
    fn json_is_utf_8_unless_its_bytes_say_otherwise() {
        let latin = Charset::named(b"latin1");
        for (text, declared, expected) in [
            (&b"{\"a\":1}"[..], latin, "UTF-8"),
            (b"{\"a\":\"\xe9\"}", latin, "ISO-8859-1 0"),
            (b"{\"a\":\"\xe9\"}", Charset::named(b"cp1252"), "windows-1252 0"),
            (b"{\"a\":\"\xe9\"}", None, "UTF-8"),
            (b"{\0\"\0", latin, "UTF-16LE 0"),
            (b"\0\0\xfe\xff\0\0\0{", None, "UTF-32 true 4"),
        ] {
            assert_eq!(label(Charset::of_json(text, declared)), expected, "{text:?}");
        }
    }
}
