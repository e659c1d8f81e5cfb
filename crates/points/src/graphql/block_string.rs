//! The value of a block string (specification of September 2025, section 2.9.4, `BlockStringValue`): without the
//! indentation that its lines have in common, and without blank lines around it.

/// Appends the value of what stands between the quotes.
pub(crate) fn value_into(raw: &[u8], value: &mut Vec<u8>) {
    let mut indent = usize::MAX;
    let mut first = None;
    let mut last = 0;
    for (number, line) in lines(raw).enumerate() {
        let blanks = blanks(line);
        if blanks < line.len() {
            first = first.or(Some(number));
            last = number;
            // What stands beside the opening quotes is not indented.
            if number > 0 {
                indent = indent.min(blanks);
            }
        }
    }
    let Some(first) = first else { return };
    for (number, line) in lines(raw).enumerate().take(last + 1).skip(first) {
        if number > first {
            value.push(b'\n');
        }
        let line = if number == 0 { line } else { &line[indent.min(line.len())..] };
        push_line(line, value);
    }
}

fn blanks(line: &[u8]) -> usize {
    line.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count()
}

/// Lines end with a line feed, a carriage return, or both.
fn lines(raw: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(raw);
    std::iter::from_fn(move || {
        let text = rest?;
        let Some(end) = memchr::memchr2(b'\n', b'\r', text) else {
            rest = None;
            return Some(text);
        };
        let length = if text[end..].starts_with(b"\r\n") { 2 } else { 1 };
        rest = Some(&text[end + length..]);
        Some(&text[..end])
    })
}

/// Three quotes are the only thing that is escaped.
fn push_line(line: &[u8], value: &mut Vec<u8>) {
    const ESCAPED: &[u8] = br#"\""""#;
    let mut rest = line;
    while let Some(at) = memchr::memmem::find(rest, ESCAPED) {
        value.extend_from_slice(&rest[..at]);
        value.extend_from_slice(&ESCAPED[1..]);
        rest = &rest[at + ESCAPED.len()..];
    }
    value.extend_from_slice(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_indentation_and_blank_lines_around_are_left_out() {
        for (raw, expected) in [
            ("", ""),
            ("   ", ""),
            (" a ", " a "),
            ("\n    Hello,\n      World!\n\n    Yours,\n      GraphQL.\n  ", "Hello,\n  World!\n\nYours,\n  GraphQL."),
            ("first\r\n  second\r  third", "first\nsecond\nthird"),
            ("\n\n   \n  a\n \n  b\n\n", "a\n\nb"),
            ("\n\t a\n\t  b", "a\n b"),
            (r#"say \"""hi\""" \n \\"#, r#"say """hi""" \n \\"#),
        ] {
            let mut value = Vec::new();
            value_into(raw.as_bytes(), &mut value);
            assert_eq!(String::from_utf8_lossy(&value), expected, "{raw:?}");
        }
    }
}
