//! Decoders and normalisers that make one value of one value, without knowing of points.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// Tolerant of missing padding and of bits that padding should have left zero: the same bytes are meant.
const TOLERANT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&base64::alphabet::STANDARD, TOLERANT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&base64::alphabet::URL_SAFE, TOLERANT);

/// Decodes base64 of either alphabet into a buffer (RFC 4648, sections 4 and 5), padded or not.
///
/// # Errors
/// Gives the position of the first byte that does not belong there.
pub(crate) fn base64_into(text: &[u8], decoded: &mut Vec<u8>) -> Result<(), usize> {
    let engine = if memchr::memchr2(b'+', b'/', text).is_some() { &STANDARD } else { &URL_SAFE };
    decoded.clear();
    decoded.resize(base64::decoded_len_estimate(text.len()), 0);
    match engine.decode_slice(text, decoded) {
        Ok(length) => {
            decoded.truncate(length);
            Ok(())
        }
        Err(base64::DecodeSliceError::DecodeError(base64::DecodeError::InvalidByte(offset, _))) => Err(offset),
        Err(_) => Err(text.len()),
    }
}

/// Decodes standard base64 that was written piece by piece, each padded by itself (gRPC-Web). `cut` says that the text
/// goes on: what is not enough for whole bytes at its end is left.
///
/// # Errors
/// Gives the position of the first byte that does not belong there; the pieces before are decoded.
pub(crate) fn base64_pieces_into(text: &[u8], cut: bool, decoded: &mut Vec<u8>) -> Result<(), usize> {
    decoded.clear();
    let mut start = 0;
    while start < text.len() {
        let rest = &text[start..];
        let length = memchr::memchr(b'=', rest).map_or(rest.len(), |padding| (padding / 4 + 1) * 4).min(rest.len());
        let piece = if cut { &rest[..length - length % 4] } else { &rest[..length] };
        match append_base64(piece, decoded) {
            Ok(()) => start += length,
            Err(offset) => {
                // What stands before is whole groups of four.
                let _ = append_base64(&piece[..offset - offset % 4], decoded);
                return Err(start + offset);
            }
        }
    }
    Ok(())
}

/// Decodes standard base64 behind what was decoded before.
fn append_base64(text: &[u8], decoded: &mut Vec<u8>) -> Result<(), usize> {
    let before = decoded.len();
    decoded.resize(before + base64::decoded_len_estimate(text.len()), 0);
    let written = STANDARD.decode_slice(text, &mut decoded[before..]);
    decoded.truncate(before + *written.as_ref().unwrap_or(&0));
    match written {
        Ok(_) => Ok(()),
        Err(base64::DecodeSliceError::DecodeError(base64::DecodeError::InvalidByte(offset, _))) => Err(offset),
        Err(_) => Err(text.len()),
    }
}

/// Decodes `%XX` (RFC 3986, section 2.1). A `%` without two digits stands for itself.
pub fn percent(text: &[u8]) -> Cow<'_, [u8]> {
    percent_encoding::percent_decode(text).into()
}

/// Decodes a name or value of `application/x-www-form-urlencoded`: `+` is a blank, then `%XX`.
pub fn form(text: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr2(b'+', b'%', text).is_none() {
        return Cow::Borrowed(text);
    }
    let blanks: Vec<u8> = text.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    match percent(&blanks) {
        Cow::Owned(decoded) => Cow::Owned(decoded),
        Cow::Borrowed(_) => Cow::Owned(blanks),
    }
}

/// Without leading and trailing blanks (white space of Unicode in UTF-8, else of ASCII). Gives the range that stays.
pub(crate) fn trim(text: &[u8]) -> std::ops::Range<usize> {
    match std::str::from_utf8(text) {
        Ok(characters) => {
            let start = characters.len() - characters.trim_start().len();
            start..start.max(characters.trim_end().len())
        }
        Err(_) => {
            let start = text.len() - text.trim_ascii_start().len();
            start..start.max(text.trim_ascii_end().len())
        }
    }
}

/// In lower case (of Unicode in UTF-8, else of ASCII).
pub(crate) fn lower(text: &[u8]) -> Cow<'_, [u8]> {
    if text.is_ascii() {
        return if text.iter().any(u8::is_ascii_uppercase) {
            Cow::Owned(text.to_ascii_lowercase())
        } else {
            Cow::Borrowed(text)
        };
    }
    match std::str::from_utf8(text) {
        Ok(characters) => Cow::Owned(characters.to_lowercase().into_bytes()),
        Err(_) => Cow::Owned(text.to_ascii_lowercase()),
    }
}

/// Where the credentials start after an authentication scheme (RFC 9110, section 11.4: a token, then blanks, then
/// credentials); 0 when there is no scheme.
pub(crate) fn after_scheme(text: &[u8]) -> usize {
    let scheme = text.iter().take_while(|byte| is_token_byte(**byte)).count();
    let blanks = text[scheme..].iter().take_while(|byte| **byte == b' ').count();
    if scheme == 0 || blanks == 0 || scheme + blanks == text.len() { 0 } else { scheme + blanks }
}

/// A byte of a token (RFC 9110, section 5.6.2).
pub(crate) const fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percent_decoding_keeps_what_escapes_nothing() {
        assert_eq!(&*percent(b"a%20b%2"), b"a b%2");
        assert_eq!(&*percent(b"%%41%zz"), b"%A%zz");
        assert_eq!(&*form(b"a+b%2Bc%"), b"a b+c%");
    }

    #[test]
    fn base64_of_either_alphabet_padded_or_not_gives_the_same_bytes() {
        let mut decoded = Vec::new();
        for text in ["-_-_Pz8=", "-_-_Pz8", "+/+/Pz8=", "+/+/Pz8", "+/+/Pz9"] {
            assert_eq!(base64_into(text.as_bytes(), &mut decoded), Ok(()), "{text}");
            assert_eq!(decoded, [0xfb, 0xff, 0xbf, 0x3f, 0x3f], "{text}");
        }
        assert_eq!(base64_into(b"ab!d", &mut decoded), Err(2));
        assert_eq!(base64_into(b"a", &mut decoded), Err(1));
    }

    #[test]
    fn schemes_are_dropped_only_when_something_follows() {
        for (text, start) in
            [("Bearer abc", 7), ("Basic  dXNlcg==", 7), ("abc", 0), ("Bearer ", 0), (" abc", 0), ("a=b, c", 0), ("", 0)]
        {
            assert_eq!(after_scheme(text.as_bytes()), start, "{text}");
        }
    }

    #[test]
    fn a_trimmed_range_is_never_reversed() {
        assert_eq!(trim(b"  "), 2..2);
        assert_eq!(trim(" \u{3000}a\u{a0}".as_bytes()), 4..5);
        assert_eq!(trim(b"\xff a \xfe "), 0..5);
        assert_eq!(trim(b" \xff "), 1..2);
    }
}
