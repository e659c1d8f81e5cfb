//! Characters and names of XML 1.0 (fifth edition) and 1.1 (sections 2.2 and 2.3; names are the same in both).

use super::declaration::Version;

/// Where the first character stands that no document of this version may hold; `text` has no other faults.
pub(super) fn forbidden(text: &str, version: Version) -> Option<usize> {
    let found = forbidden_in_both(text.as_bytes());
    match version {
        Version::One => found,
        Version::OnePointOne => restricted(&text.as_bytes()[..found.unwrap_or(text.len())]).or(found),
    }
}

/// Where the first control character from U+007F to U+009F stands, but NEL: XML 1.1 allows them as references only.
fn restricted(bytes: &[u8]) -> Option<usize> {
    memchr::memchr2_iter(0x7f, 0xc2, bytes)
        .find(|start| bytes[*start] == 0x7f || matches!(bytes.get(start + 1), Some(0x80..=0x84 | 0x86..=0x9f)))
}

fn forbidden_in_both(bytes: &[u8]) -> Option<usize> {
    let control = bytes.iter().position(|byte| *byte < 0x20 && !is_blank(*byte));
    // U+FFFE and U+FFFF.
    let most = control.unwrap_or(bytes.len());
    let beyond = memchr::memchr_iter(0xef, &bytes[..most])
        .find(|start| matches!(bytes.get(start + 1..start + 3), Some([0xbf, 0xbe | 0xbf])));
    beyond.or(control)
}

/// Whether a character reference may stand for it.
pub(super) fn is_character(character: char, version: Version) -> bool {
    match character {
        '\0' | '\u{fffe}' | '\u{ffff}' => false,
        '\u{1}'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' => version == Version::OnePointOne,
        _ => true,
    }
}

/// White space.
pub(super) const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

pub(super) fn is_blank_text(text: &[u8]) -> bool {
    text.iter().all(|byte| is_blank(*byte))
}

pub(super) fn is_name(text: &str) -> bool {
    let mut characters = text.chars();
    characters.next().is_some_and(starts_name) && characters.all(continues_name)
}

/// How many bytes of a name `text` begins with.
pub(super) fn name_length(text: &str) -> usize {
    if !text.starts_with(starts_name) {
        return 0;
    }
    token_length(text)
}

/// How many bytes of a name token `text` begins with: a name that any of its characters may begin.
pub(super) fn token_length(text: &str) -> usize {
    text.find(|character| !continues_name(character)).unwrap_or(text.len())
}

fn starts_name(character: char) -> bool {
    match character {
        'a'..='z' | 'A'..='Z' | '_' | ':' => true,
        '\0'..='\u{7f}' => false,
        _ => matches!(
            character,
            '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{f6}' | '\u{f8}'..='\u{2ff}' | '\u{370}'..='\u{37d}'
                | '\u{37f}'..='\u{1fff}' | '\u{200c}'..='\u{200d}' | '\u{2070}'..='\u{218f}'
                | '\u{2c00}'..='\u{2fef}' | '\u{3001}'..='\u{d7ff}' | '\u{f900}'..='\u{fdcf}'
                | '\u{fdf0}'..='\u{fffd}' | '\u{10000}'..='\u{effff}'
        ),
    }
}

fn continues_name(character: char) -> bool {
    starts_name(character)
        || matches!(
            character,
            '0'..='9' | '-' | '.' | '\u{b7}' | '\u{300}'..='\u{36f}' | '\u{203f}'..='\u{2040}'
        )
}
