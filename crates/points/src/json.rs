//! JSON (RFC 8259): one strict pass over a document that notes what stands at the wanted places.
//!
//! The pass validates the whole document, builds nothing, and notes positions only; what stands there is looked at
//! afterwards, because a later duplicate of a name replaces an earlier one. Its recursion is as deep as the points
//! are long; everything else is skipped without recursion.

use crate::Bounds;
use crate::scan::{Scanner, Span, Stop, Stopped};
use crate::value_tree::{Notes, Positions, Raw, ValueTree};

/// Walks a document once and notes what stands at the wanted places.
/// `cut` says that the document goes on beyond `input`. Gives what stopped the walk, if anything did: what was noted
/// until then holds.
pub(crate) fn walk(tree: &ValueTree, input: &[u8], cut: bool, bounds: &Bounds, notes: &mut Notes) -> Option<Stop> {
    notes.start(tree);
    let (valid, damage) = readable(input, cut);
    let open_end = cut || damage.is_some();
    let mut scanner = Scanner::new(valid, open_end, bounds.depth.min(Bounds::MAXIMUM_DEPTH));
    // Why it stopped is the scanner's to say.
    let _ = Walk { tree, notes, scanner: &mut scanner }.document();
    match scanner.stop() {
        Some(stop) if !stop.ended => Some(stop),
        stop => damage.or(stop),
    }
}

/// The text up to where it is no text any more, and what is wrong there. `cut` says that it goes on beyond `input`.
pub(crate) fn readable(input: &[u8], cut: bool) -> (&[u8], Option<Stop>) {
    let readable = &input[..input.len().min(u32::MAX as usize)];
    match std::str::from_utf8(readable) {
        Ok(_) if readable.len() < input.len() => (readable, Some(Stop::at(readable.len(), "too long"))),
        Ok(_) => (readable, None),
        // A character that the cut went through is no damage.
        Err(error) if cut && error.error_len().is_none() => (&readable[..error.valid_up_to()], None),
        Err(error) => (&readable[..error.valid_up_to()], Some(Stop::at(error.valid_up_to(), "not UTF-8"))),
    }
}

/// Notes what stands at the nodes in the value that begins at `start` of a text that is UTF-8, and ends where `input`
/// does or, if `cut`, beyond that. Of a damaged value, what stands before the damage.
pub(crate) fn walk_value(
    tree: &ValueTree,
    at: &[u32],
    input: &[u8],
    start: usize,
    cut: bool,
    depth: usize,
    notes: &mut Notes,
) {
    let mut scanner = Scanner::starting_at(input, start, cut, depth);
    let _ = Walk { tree, notes, scanner: &mut scanner }.value(at, 0);
}

struct Walk<'t, 'x> {
    tree: &'t ValueTree,
    notes: &'t mut Notes,
    scanner: &'t mut Scanner<'x>,
}

impl Walk<'_, '_> {
    fn document(mut self) -> Result<(), Stopped> {
        self.scanner.skip_byte_order_mark();
        self.scanner.skip_blanks();
        self.value(&[ValueTree::ROOT], 0)?;
        self.scanner.finish()
    }

    /// Reads a value that these nodes stand for. `depth` counts the arrays and objects it lies in.
    fn value(&mut self, at: &[u32], depth: usize) -> Result<(), Stopped> {
        let tree = self.tree;
        self.notes.replace(tree, at);
        match self.scanner.peek() {
            Some(b'{') => {
                self.notes.note(tree, at, Raw::NotScalar);
                if !tree.wants_properties(at) {
                    return self.scanner.skip_container(depth);
                }
                self.object(at, depth + 1)
            }
            Some(b'[') => {
                self.notes.note(tree, at, Raw::NotScalar);
                match tree.wanted_elements(at) {
                    0 => self.scanner.skip_container(depth),
                    wanted => self.array(at, wanted, depth + 1),
                }
            }
            Some(b'"') => {
                let span = self.scanner.string()?;
                self.notes.note(tree, at, Raw::Text(span));
                Ok(())
            }
            Some(b'n') => {
                self.scanner.literal(b"null")?;
                self.scanner.end_of_plain()?;
                self.notes.note(tree, at, Raw::NotScalar);
                Ok(())
            }
            _ => {
                let span = self.scanner.plain()?;
                self.scanner.end_of_plain()?;
                self.notes.note(tree, at, Raw::Plain(span));
                Ok(())
            }
        }
    }

    fn object(&mut self, at: &[u32], depth: usize) -> Result<(), Stopped> {
        self.scanner.open(depth)?;
        if self.scanner.accept(b'}') {
            return Ok(());
        }
        let mut below = Positions::new();
        loop {
            let name = self.scanner.name()?;
            let text = self.scanner.text(name);
            self.notes.property_name(self.tree, at, Raw::Text(name));
            if name.escaped {
                self.tree.property(at, &unescape(text), &mut below);
            } else {
                self.tree.property(at, text, &mut below);
            }
            if below.is_empty() {
                self.scanner.skip_value(depth)?;
            } else {
                self.value(&below, depth)?;
            }
            if self.scanner.next_or_close(b'}')? {
                return Ok(());
            }
        }
    }

    /// `wanted` says from which element on none is.
    fn array(&mut self, at: &[u32], wanted: u32, depth: usize) -> Result<(), Stopped> {
        self.scanner.open(depth)?;
        if self.scanner.accept(b']') {
            return Ok(());
        }
        let mut below = Positions::new();
        // An input has less than 2^32 bytes.
        for index in 0.. {
            below.clear();
            if index < wanted {
                self.notes.element_number(self.tree, at, index);
                self.tree.element(at, index, &mut below);
            }
            if below.is_empty() {
                self.scanner.skip_value(depth)?;
            } else {
                self.value(&below, depth)?;
            }
            if self.scanner.next_or_close(b']')? {
                break;
            }
        }
        Ok(())
    }
}

/// Resolves the escapes of a string that the scanner accepted. A surrogate without its partner becomes U+FFFD.
pub(crate) fn unescape(text: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(text.len());
    unescape_into(text, &mut plain);
    plain
}

/// As [`unescape`], into a buffer.
pub(crate) fn unescape_into(text: &[u8], plain: &mut Vec<u8>) {
    let mut rest = text;
    while let Some(backslash) = memchr::memchr(b'\\', rest) {
        plain.extend_from_slice(&rest[..backslash]);
        let after = &rest[backslash + 1..];
        let (character, used) = escape(after);
        plain.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        rest = &after[used..];
    }
    plain.extend_from_slice(rest);
}

/// The position in a string, as it stands there, of a byte of its plain text.
pub(crate) fn escaped_position(text: &[u8], plain: usize) -> usize {
    let mut at = 0;
    let mut left = plain;
    while let Some(backslash) = memchr::memchr(b'\\', &text[at..]).filter(|length| *length <= left) {
        let (character, used) = escape(&text[at + backslash + 1..]);
        let taken = backslash + character.len_utf8();
        if left < taken {
            return at + backslash;
        }
        left -= taken;
        at += backslash + 1 + used;
    }
    (at + left).min(text.len())
}

/// The beginning of a string that breaks off at `end`, or somewhere in an escape before it.
pub(crate) fn beginning(text: &[u8], start: usize, end: usize) -> Span {
    let content = &text[start.min(end)..end];
    let mut escaped = false;
    let mut at = 0;
    while let Some(backslash) = memchr::memchr(b'\\', &content[at..]) {
        let length = if content.get(at + backslash + 1) == Some(&b'u') { 6 } else { 2 };
        at += backslash;
        if at + length > content.len() {
            return Span { start: start as u32, end: (start + at) as u32, escaped };
        }
        escaped = true;
        at += length;
    }
    Span { start: start as u32, end: end as u32, escaped }
}

/// The character that an escape stands for, and how many bytes it takes after its backslash.
fn escape(escape: &[u8]) -> (char, usize) {
    match escape.first() {
        Some(b'b') => ('\u{8}', 1),
        Some(b'f') => ('\u{c}', 1),
        Some(b'n') => ('\n', 1),
        Some(b'r') => ('\r', 1),
        Some(b't') => ('\t', 1),
        Some(b'u') if escape.get(1) == Some(&b'{') => code_point_escape(escape),
        Some(b'u') => unicode_escape(escape),
        // The quote, the backslash and the slash stand for themselves.
        Some(other) => (char::from(*other), 1),
        None => (char::REPLACEMENT_CHARACTER, 0),
    }
}

/// The character of `u{X…}`, which GraphQL has and JSON does not, and how many bytes it takes.
fn code_point_escape(escape: &[u8]) -> (char, usize) {
    let end = memchr::memchr(b'}', escape).unwrap_or(escape.len());
    let digits = std::str::from_utf8(escape.get(2..end).unwrap_or_default()).unwrap_or_default();
    let code_point = u32::from_str_radix(digits, 16).ok().and_then(char::from_u32);
    (code_point.unwrap_or(char::REPLACEMENT_CHARACTER), (end + 1).min(escape.len()))
}

/// The character of `uXXXX`, or of a pair of surrogates, and how many bytes it takes.
fn unicode_escape(escape: &[u8]) -> (char, usize) {
    const LENGTH: usize = 5;
    let unit = |at: usize| -> Option<u32> {
        let digits = std::str::from_utf8(escape.get(at..at + 4)?).ok()?;
        u32::from_str_radix(digits, 16).ok()
    };
    let first = unit(1).unwrap_or(0xFFFD);
    if let (0xD800..0xDC00, Some(b"\\u")) = (first, escape.get(LENGTH..LENGTH + 2))
        && let Some(second @ 0xDC00..0xE000) = unit(LENGTH + 2)
    {
        let character = 0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00);
        return (char::from_u32(character).unwrap_or(char::REPLACEMENT_CHARACTER), 2 * LENGTH + 1);
    }
    (char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER), LENGTH.min(escape.len()))
}
