//! The escapes of HTML and JavaScript, for values that are written into pages and scripts.

use std::borrow::Cow;

/// The longest name of a character reference without its `&` and `;`.
const LONGEST_NAME: usize = 31;
/// The longest that may stand without its `;`.
const LONGEST_BARE_NAME: usize = 6;

/// Resolves character references (HTML Standard, section 13.5) and the escapes of JavaScript strings (ECMAScript,
/// section 12.9.4) in one pass: what comes out is not looked at again. What is neither stands for itself, and so do
/// octal escapes.
pub(crate) fn htmljs(text: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr2(b'&', b'\\', text).is_none() {
        return Cow::Borrowed(text);
    }
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = memchr::memchr2(b'&', b'\\', rest) {
        plain.extend_from_slice(&rest[..start]);
        let escape = &rest[start..];
        let used = if escape[0] == b'&' { reference(escape, &mut plain) } else { script(escape, &mut plain) };
        if used == 0 {
            plain.push(escape[0]);
        }
        rest = &escape[used.max(1)..];
    }
    plain.extend_from_slice(rest);
    Cow::Owned(plain)
}

fn push(character: Option<char>, plain: &mut Vec<u8>) {
    let character = character.unwrap_or(char::REPLACEMENT_CHARACTER);
    plain.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
}

/// Resolves a character reference at the start of `text`. Gives how many bytes it takes, 0 when it is none.
fn reference(text: &[u8], plain: &mut Vec<u8>) -> usize {
    match text {
        [b'&', b'#', b'x' | b'X', ..] => numeric(text, 3, 16, plain),
        [b'&', b'#', ..] => numeric(text, 2, 10, plain),
        _ => named(text, plain),
    }
}

/// `digits` is where those begin.
fn numeric(text: &[u8], digits: usize, radix: u32, plain: &mut Vec<u8>) -> usize {
    let mut code = 0_u32;
    let mut end = digits;
    while let Some(digit) = text.get(end).and_then(|byte| char::from(*byte).to_digit(radix)) {
        code = code.saturating_mul(radix).saturating_add(digit);
        end += 1;
    }
    if end == digits {
        return 0;
    }
    match code {
        0 => push(None, plain),
        // The standard reads these as windows-1252 does.
        0x80..=0x9f => {
            let code = [code as u8];
            let (character, _) = encoding_rs::WINDOWS_1252.decode_without_bom_handling(&code);
            plain.extend_from_slice(character.as_bytes());
        }
        _ => push(char::from_u32(code), plain),
    }
    end + usize::from(text.get(end) == Some(&b';'))
}

fn named(text: &[u8], plain: &mut Vec<u8>) -> usize {
    let name = text[1..].iter().take(LONGEST_NAME + 1).take_while(|byte| byte.is_ascii_alphanumeric()).count();
    let closed = (text.get(name + 1) == Some(&b';')).then_some(name + 2);
    // Some old names need no `;`.
    let bare = (2..=name.min(LONGEST_BARE_NAME)).rev().map(|name| name + 1);
    for end in closed.into_iter().chain(bare) {
        if let Some(characters) = htmlize::ENTITIES.get(&text[..end]) {
            plain.extend_from_slice(characters);
            return end;
        }
    }
    0
}

/// Resolves an escape at the start of `text`. Gives how many bytes it takes, 0 when it is none.
fn script(text: &[u8], plain: &mut Vec<u8>) -> usize {
    let character = match text.get(1) {
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(b'v') => '\u{b}',
        Some(b'x') => match digits(text, 2, 2) {
            Some(code) => return take(char::from_u32(code), 4, plain),
            None => return 0,
        },
        Some(b'u') => return unicode(text, plain),
        Some(b'0'..=b'9') | None => return 0,
        // A line that goes on.
        Some(b'\n') => return 2,
        Some(b'\r') => return if text.get(2) == Some(&b'\n') { 3 } else { 2 },
        // Every other character stands for itself.
        Some(other) => {
            plain.push(*other);
            return 2;
        }
    };
    take(Some(character), 2, plain)
}

fn take(character: Option<char>, used: usize, plain: &mut Vec<u8>) -> usize {
    push(character, plain);
    used
}

/// `\uXXXX`, a pair of surrogates, or `\u{X…}`.
fn unicode(text: &[u8], plain: &mut Vec<u8>) -> usize {
    if text.get(2) == Some(&b'{') {
        let mut code = 0_u32;
        let mut end = 3;
        while let Some(digit) = text.get(end).and_then(|byte| char::from(*byte).to_digit(16)) {
            code = code.saturating_mul(16).saturating_add(digit);
            end += 1;
        }
        if end == 3 || text.get(end) != Some(&b'}') || code > 0x10_ffff {
            return 0;
        }
        return take(char::from_u32(code), end + 1, plain);
    }
    let Some(first) = digits(text, 2, 4) else { return 0 };
    if let 0xd800..0xdc00 = first
        && text.get(6..8) == Some(b"\\u")
        && let Some(second @ 0xdc00..0xe000) = digits(text, 8, 4)
    {
        return take(char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00)), 12, plain);
    }
    take(char::from_u32(first), 6, plain)
}

fn digits(text: &[u8], start: usize, count: usize) -> Option<u32> {
    let mut digits = text.get(start..start + count)?.iter().map(|byte| char::from(*byte).to_digit(16));
    digits.try_fold(0, |code, digit| Some(code * 16 + digit?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bounds_on_names_are_those_of_the_table() {
        let longest = htmlize::ENTITIES.keys().map(|name| name.len() - 2);
        assert_eq!(longest.max(), Some(LONGEST_NAME));
        let bare = htmlize::ENTITIES.keys().filter(|name| !name.ends_with(b";")).map(|name| name.len() - 1);
        assert_eq!(bare.max(), Some(LONGEST_BARE_NAME));
    }
}
