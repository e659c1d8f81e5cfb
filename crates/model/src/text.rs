//! Showing captured text safely.

use std::fmt::Write as _;

/// Escapes text from the wire for a terminal or a log: control characters, bidirectional overrides and anything
/// that is not UTF-8 become visible escapes, and at most `limit` characters are shown (`…` marks a cut).
pub fn escape_for_display(bytes: &[u8], limit: usize) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut shown = String::with_capacity(text.len().min(limit));
    for (position, character) in text.chars().enumerate() {
        if position == limit {
            shown.push('…');
            break;
        }
        let hidden = character.is_control()
            || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
        if hidden {
            // Writing to a String cannot fail.
            let _ = write!(shown, "\\u{{{:x}}}", u32::from(character));
        } else {
            shown.push(character);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_sequences_become_visible_and_length_is_bounded() {
        assert_eq!(escape_for_display(b"a\x1b[31mb\nc", 100), "a\\u{1b}[31mb\\u{a}c");
        assert_eq!(escape_for_display("ab\u{202e}c".as_bytes(), 100), "ab\\u{202e}c");
        assert_eq!(escape_for_display(b"abcdef", 3), "abc…");
    }
}
