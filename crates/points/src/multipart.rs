//! Bodies of several parts (RFC 2046, section 5.1; `multipart/form-data`: RFC 7578): one pass that finds the parts, and
//! the names that their headers give them.
//!
//! Lines end with CR LF, or with LF alone in a body whose first boundary is a line that does. What stands before the
//! first boundary and behind the last one is no part. A part inside a part is content of the outer one.

use std::borrow::Cow;

use memchr::memmem::Finder;

use crate::form::{FieldNotes, FieldTree, FieldWalk};
use crate::scan::Stop;
use crate::tree::{Lowering, Trie};
use crate::{Step, decode};

/// The wanted parts, as the fields of a form; `None` when none are wanted of what `trie` looks at.
pub(crate) fn lower(trie: &Trie, lowering: &mut Lowering) -> Option<FieldTree> {
    let mut parts = Trie::default();
    for (step, child) in &trie.children {
        match step {
            Step::Multipart(name) => parts.children.push((Step::Property(name.clone()), child.clone())),
            Step::Multiparts => parts.children.extend(child.children.iter().cloned()),
            _ => {}
        }
    }
    (!parts.children.is_empty()).then(|| FieldTree::lower(&parts, lowering))
}

/// The boundary that a Content-Type names (RFC 2046, section 5.1.1), of whatever length.
pub(crate) fn declared_boundary(content_type: &[u8]) -> Option<Cow<'_, [u8]>> {
    let boundary = parameter(content_type, b"boundary").filter(|boundary| !boundary.value.is_empty())?;
    Some(unescaped(boundary.value, boundary.quoted))
}

/// The boundary of a body that begins with a line of one and a header of a part.
pub(crate) fn evident_boundary(body: &[u8]) -> Option<&[u8]> {
    const HEADER: &[u8] = b"content-";
    let line_end = memchr::memchr(b'\n', body)?;
    let boundary = body[..line_end].strip_prefix(b"--")?.trim_ascii_end();
    let header = body.get(line_end + 1..)?.get(..HEADER.len())?;
    (!boundary.is_empty() && header.eq_ignore_ascii_case(HEADER)).then_some(boundary)
}

/// The parts of a body, in order.
pub(crate) struct Parts<'x> {
    body: &'x [u8],
    /// Finds the line end before a boundary, the two hyphens and the boundary.
    finder: Finder<'x>,
    /// The body goes on beyond its end.
    cut: bool,
    /// CR belongs to line ends.
    carriage_return: bool,
    /// Where the next part begins; `None` behind the last boundary.
    next: Option<usize>,
}

/// A part of a body: its headers and its content.
pub(crate) struct Part {
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// A boundary follows.
    pub(crate) whole: bool,
}

/// What stands behind two hyphens and the boundary.
enum Behind {
    /// The end of the line, and the position after it.
    Line { end: usize, carriage_return: bool },
    /// Two more hyphens.
    Last,
    /// Something else: this is content.
    Content,
    /// The end of a body that goes on.
    Unknown,
}

impl<'x> Parts<'x> {
    /// Looks for the first boundary; `delimiter` is LF, two hyphens and the boundary. `None` when there is none.
    pub(crate) fn new(body: &'x [u8], delimiter: &'x [u8], cut: bool) -> Option<Self> {
        let mut parts = Self { body, finder: Finder::new(delimiter), cut, carriage_return: false, next: None };
        let mut from = 0;
        let mut behind = match body.strip_prefix(&delimiter[1..]) {
            Some(_) => parts.behind(delimiter.len() - 1),
            None => Behind::Content,
        };
        while let Behind::Content = behind {
            let found = from + parts.finder.find(&body[from..])?;
            from = found + delimiter.len();
            behind = parts.behind(from);
        }
        match behind {
            Behind::Line { end, carriage_return } => {
                parts.next = Some(end);
                parts.carriage_return = carriage_return;
                Some(parts)
            }
            Behind::Last => Some(parts),
            Behind::Content | Behind::Unknown => None,
        }
    }

    fn behind(&self, position: usize) -> Behind {
        let rest = &self.body[position..];
        if rest.starts_with(b"--") {
            return Behind::Last;
        }
        let blanks = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        let line = |end, carriage_return| Behind::Line { end: position + blanks + end, carriage_return };
        match &rest[blanks..] {
            [b'\n', ..] => line(1, false),
            [b'\r', b'\n', ..] => line(2, true),
            [] | [b'\r'] if self.cut => Behind::Unknown,
            [b'-'] if self.cut && blanks == 0 => Behind::Unknown,
            [] => line(0, self.carriage_return),
            _ => Behind::Content,
        }
    }

    /// The end of what stands before the line end at `line_feed`.
    fn line_start(&self, start: usize, line_feed: usize) -> usize {
        let before = &self.body[..line_feed];
        let end = if before.last() == Some(&b'\r') { line_feed - 1 } else { line_feed };
        end.max(start)
    }

    /// What is surely content of the last part of a body that has no more boundaries: not the beginning of one.
    fn surely_content(&self, start: usize) -> usize {
        let delimiter = self.finder.needle();
        let body = self.body;
        let tail = body.len().saturating_sub(delimiter.len()).max(start);
        let line_feed = memchr::memrchr(b'\n', &body[tail..]).map(|place| tail + place);
        match line_feed.filter(|line_feed| delimiter.starts_with(&body[*line_feed..])) {
            Some(line_feed) => self.line_start(start, line_feed),
            None if body[start..].last() == Some(&b'\r') => body.len() - 1,
            None => body.len(),
        }
    }
}

impl Iterator for Parts<'_> {
    type Item = Part;

    fn next(&mut self) -> Option<Part> {
        let start = self.next.take()?;
        // The line end of the boundary before may be that of the next one.
        let mut from = start.saturating_sub(1);
        loop {
            let Some(found) = self.finder.find(&self.body[from..]).map(|found| from + found) else {
                return Some(Part { start, end: self.surely_content(start), whole: false });
            };
            from = found + self.finder.needle().len();
            if self.carriage_return && self.body[..found].last() != Some(&b'\r') {
                continue;
            }
            let end = self.line_start(start, found);
            match self.behind(from) {
                Behind::Content => {}
                Behind::Unknown => return Some(Part { start, end, whole: false }),
                Behind::Last => return Some(Part { start, end, whole: true }),
                Behind::Line { end: next, .. } => {
                    self.next = Some(next);
                    return Some(Part { start, end, whole: true });
                }
            }
        }
    }
}

/// What a walk over the parts came to.
pub(crate) struct Walked {
    /// Why it stopped before the last boundary, if it did.
    pub(crate) stop: Option<Stop>,
    /// Where a part begins whose content is not whole; its headers are.
    pub(crate) open: Option<usize>,
    /// Where the first part begins whose headers are damaged, so that its name is not known.
    pub(crate) damaged: Option<usize>,
}

/// Notes where the wanted parts stand, headers included.
pub(crate) fn walk(tree: &FieldTree, parts: Parts<'_>, notes: &mut FieldNotes) -> Walked {
    let body = parts.body;
    let mut fields = FieldWalk::new(tree, notes);
    let mut walked = Walked { stop: None, open: None, damaged: None };
    let mut ended = false;
    for part in parts {
        let text = &body[part.start..part.end];
        match headers_end(text) {
            // More headers may follow.
            Ok(end) if !part.whole && !end.empty_line => {}
            Ok(_) => {
                if !part.whole {
                    walked.open = Some(part.start);
                }
                match name(text) {
                    Some(name) => fields.field(&name, (part.start, part.end)),
                    None => fields.unnamed((part.start, part.end)),
                }
            }
            // Headers that the body ends in are not damaged.
            Err(Headers::Unfinished) if !part.whole => {}
            Err(_) => walked.damaged = walked.damaged.or(Some(part.start)),
        }
        ended |= !part.whole;
    }
    if ended {
        walked.stop = Some(Stop { offset: body.len(), reason: "ends early", ended: true });
    }
    walked
}

/// What is wrong with the headers of a part.
enum Headers {
    Unfinished,
    Damaged,
}

/// Where the headers of a part end.
struct HeadersEnd {
    /// The position of the content.
    content: usize,
    /// There is an empty line. Without content a boundary may have taken it.
    empty_line: bool,
}

/// Reads the headers of a part, name and value, up to the empty line behind them (RFC 5322, section 2.2). A value may go
/// on in lines that begin with a blank; it is given with their line ends.
fn read_headers<'x>(part: &'x [u8], mut read: impl FnMut(&'x [u8], &'x [u8])) -> Result<HeadersEnd, Headers> {
    let mut position = 0;
    // Start, colon and end of the header before.
    let mut header: Option<(usize, usize, usize)> = None;
    loop {
        let rest = &part[position..];
        let line = match memchr::memchr(b'\n', rest) {
            Some(length) => &rest[..length],
            None if rest.is_empty() && header.is_some() => rest,
            None => return Err(Headers::Unfinished),
        };
        let next = position + line.len() + 1;
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let end = position + line.len();
        match (line.first(), &mut header) {
            (Some(b' ' | b'\t'), Some((_, _, header_end))) => *header_end = end,
            (Some(b' ' | b'\t'), None) => return Err(Headers::Damaged),
            (first, _) => {
                if let Some((start, colon, end)) = header.take() {
                    read(part[start..colon].trim_ascii_end(), part[colon + 1..end].trim_ascii());
                }
                if first.is_none() {
                    return Ok(HeadersEnd { content: next.min(part.len()), empty_line: !rest.is_empty() });
                }
                let name = line.iter().take_while(|byte| decode::is_token_byte(**byte)).count();
                let blanks = line[name..].iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
                if name == 0 || line.get(name + blanks) != Some(&b':') {
                    return Err(Headers::Damaged);
                }
                header = Some((position, position + name + blanks, end));
            }
        }
        position = next;
    }
}

fn headers_end(part: &[u8]) -> Result<HeadersEnd, Headers> {
    read_headers(part, |_, _| {})
}

/// The content of a part.
pub(crate) fn content(part: &[u8]) -> Option<&[u8]> {
    part.get(headers_end(part).ok()?.content..)
}

/// The first header of a part that has this name, compared without case; its value as sent.
pub(crate) fn header<'x>(part: &'x [u8], wanted: &[u8]) -> Option<&'x [u8]> {
    let mut found = None;
    let read = |name: &[u8], value| {
        if found.is_none() && name.eq_ignore_ascii_case(wanted) {
            found = Some(value);
        }
    };
    read_headers(part, read).ok()?;
    found
}

/// The name that a part's Content-Disposition gives it (RFC 7578, section 4.2).
fn name(part: &[u8]) -> Option<Cow<'_, [u8]>> {
    let disposition = header(part, b"content-disposition")?;
    // The extended spelling is the one that is meant when both are there (RFC 6266, section 4.3).
    if let Some(extended) = parameter(disposition, b"name*")
        && let Some(name) = extended_value(extended.value)
    {
        return Some(name);
    }
    let plain = parameter(disposition, b"name")?;
    let escaped = plain.quoted && memchr::memmem::find(plain.value, b"\\\"").is_some();
    // Browsers write a quote and line ends as `%22`, `%0D` and `%0A` and leave everything else as it is (HTML Standard,
    // multipart/form-data encoding algorithm); others escape by backslashes.
    Some(if escaped { unescaped(plain.value, true) } else { browser_decoded(plain.value) })
}

/// A parameter of a header.
struct Parameter<'x> {
    /// Between its quotes, where it has some.
    value: &'x [u8],
    quoted: bool,
}

/// The first parameter of this name, compared without case. `None` too when a quote is not closed before it.
fn parameter<'x>(header: &'x [u8], wanted: &[u8]) -> Option<Parameter<'x>> {
    let mut rest = &header[memchr::memchr(b';', header)?..];
    while let Some(behind) = rest.strip_prefix(b";") {
        let equals = memchr::memchr2(b'=', b';', behind)?;
        let (name, value) = behind.split_at(equals);
        let Some(value) = value.strip_prefix(b"=") else {
            rest = value;
            continue;
        };
        let value = value.trim_ascii_start();
        let (parameter, behind) = match value.strip_prefix(b"\"") {
            Some(text) => {
                let end = quote_end(text)?;
                let behind = &text[end + 1..];
                let next = memchr::memchr(b';', behind).unwrap_or(behind.len());
                (Parameter { value: &text[..end], quoted: true }, &behind[next..])
            }
            None => {
                let end = memchr::memchr(b';', value).unwrap_or(value.len());
                (Parameter { value: value[..end].trim_ascii_end(), quoted: false }, &value[end..])
            }
        };
        if name.trim_ascii().eq_ignore_ascii_case(wanted) {
            return Some(parameter);
        }
        rest = behind;
    }
    None
}

/// Where a quoted text ends.
fn quote_end(text: &[u8]) -> Option<usize> {
    let mut from = 0;
    loop {
        let found = from + memchr::memchr2(b'"', b'\\', &text[from..])?;
        match text[found] {
            b'"' => return Some(found),
            // A backslash is not alone: one more byte belongs to it.
            _ if found + 1 < text.len() => from = found + 2,
            _ => return None,
        }
    }
}

/// Without the backslashes of a quoted text.
fn unescaped(text: &[u8], quoted: bool) -> Cow<'_, [u8]> {
    if !quoted || memchr::memchr(b'\\', text).is_none() {
        return Cow::Borrowed(text);
    }
    let mut plain = Vec::with_capacity(text.len());
    let mut bytes = text.iter();
    while let Some(byte) = bytes.next() {
        // The text does not end with a backslash.
        let meant = if *byte == b'\\' { bytes.next() } else { Some(byte) };
        plain.extend(meant);
    }
    Cow::Owned(plain)
}

fn browser_decoded(text: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(b'%', text).is_none() {
        return Cow::Borrowed(text);
    }
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(percent) = memchr::memchr(b'%', rest) {
        plain.extend_from_slice(&rest[..percent]);
        let (byte, used) = match rest[percent + 1..].first_chunk::<2>() {
            Some(b"22") => (b'"', 3),
            Some(b"0D" | b"0d") => (b'\r', 3),
            Some(b"0A" | b"0a") => (b'\n', 3),
            _ => (b'%', 1),
        };
        plain.push(byte);
        rest = &rest[percent + used..];
    }
    plain.extend_from_slice(rest);
    Cow::Owned(plain)
}

/// `charset'language'value` (RFC 8187, section 3.2), as UTF-8. Of another charset the bytes as they are.
fn extended_value(text: &[u8]) -> Option<Cow<'_, [u8]>> {
    let mut pieces = text.splitn(3, |byte| *byte == b'\'');
    let (charset, _, value) = (pieces.next()?, pieces.next()?, pieces.next()?);
    let bytes = decode::percent(value);
    if charset.eq_ignore_ascii_case(b"iso-8859-1") {
        return Some(Cow::Owned(bytes.iter().map(|byte| char::from(*byte)).collect::<String>().into_bytes()));
    }
    Some(bytes)
}
