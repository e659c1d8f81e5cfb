//! The tokens of JSON (RFC 8259): a strict scanner that validates and skips without building anything.
//!
//! The input is valid UTF-8 (its caller has made sure), so strings are searched for three kinds of bytes only: the
//! quote, the backslash and control characters.

use crate::Bounds;
use crate::block;

/// Bytes of the input, from `start` to `end`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    pub(crate) start: u32,
    pub(crate) end: u32,
    /// The bytes hold escapes.
    pub(crate) escaped: bool,
}

impl Span {
    pub(crate) fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// Where and why a walk stopped.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stop {
    pub(crate) offset: usize,
    pub(crate) reason: &'static str,
    /// The input ended; with more of it the walk might have gone on.
    pub(crate) ended: bool,
}

impl Stop {
    pub(crate) const fn at(offset: usize, reason: &'static str) -> Self {
        Self { offset, reason, ended: false }
    }
}

/// The scanner has stopped; [`Scanner::stop`] says where and why. Carries nothing, so that what the scanner's
/// innermost functions return fits a register.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stopped;

pub(crate) struct Scanner<'x> {
    input: &'x [u8],
    position: usize,
    stop: Option<Stop>,
    /// Whether there is more of the document than the input, so that a number at its end may be half a number.
    open_end: bool,
    depth: usize,
    /// The string ends of the block that was looked at last, and where it starts.
    string_ends: u64,
    block_start: usize,
}

const ONES: u64 = 0x0101_0101_0101_0101;
const LOWS: u64 = 0x7f7f_7f7f_7f7f_7f7f;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// Marks the high bit of each byte that is no digit.
#[inline(always)]
const fn other_than_digits(word: u64) -> u64 {
    let values = word ^ (ONES * b'0' as u64);
    ((values & LOWS).wrapping_add(ONES * (0x80 - 10)) | values) & HIGHS
}

/// The length of the number that a word starts with: digits without a needless zero before them, with or without a
/// point and more digits, and something after them that may follow a value. Signs, exponents and longer numbers are
/// left to the thorough way.
#[inline(always)]
const fn short_number(word: u64) -> Option<usize> {
    let others = other_than_digits(word);
    let whole = (others.trailing_zeros() / 8) as usize;
    if whole == 0 || whole >= 8 || (word as u8 == b'0' && whole > 1) {
        return None;
    }
    let mut length = whole;
    if (word >> (8 * whole)) as u8 == b'.' {
        length = ((others & (others - 1)).trailing_zeros() / 8) as usize;
        if length <= whole + 1 || length >= 8 {
            return None;
        }
    }
    match (word >> (8 * length)) as u8 {
        b',' | b'}' | b']' => Some(length),
        _ => None,
    }
}

impl<'x> Scanner<'x> {
    pub(crate) fn new(input: &'x [u8], open_end: bool, depth: usize) -> Self {
        let mut scanner = Self { input, position: 0, stop: None, open_end, depth, string_ends: 0, block_start: 0 };
        scanner.look_at(0);
        scanner
    }

    /// As [`Scanner::new`], from a position on.
    pub(crate) fn starting_at(input: &'x [u8], position: usize, open_end: bool, depth: usize) -> Self {
        let mut scanner = Self::new(input, open_end, depth);
        scanner.position = position;
        scanner.look_at(position - position % block::BYTES);
        scanner
    }

    #[inline]
    pub(crate) fn position(&self) -> usize {
        self.position
    }

    pub(crate) fn text(&self, span: Span) -> &'x [u8] {
        &self.input[span.start as usize..span.end as usize]
    }

    #[inline(always)]
    pub(crate) fn peek(&self) -> Option<u8> {
        self.input.get(self.position).copied()
    }

    /// Where and why the scanner stopped, if it did.
    pub(crate) fn stop(&self) -> Option<Stop> {
        self.stop
    }

    /// Notes that the byte at the position, or the end there, is not what has to stand there.
    #[cold]
    #[inline(never)]
    fn fail(&mut self, reason: &'static str) -> Stopped {
        self.stop = Some(if self.position >= self.input.len() {
            Stop { offset: self.input.len(), reason: "ended early", ended: true }
        } else {
            Stop::at(self.position, reason)
        });
        Stopped
    }

    /// A byte order mark before the document is ignored, as RFC 8259, section 8.1 allows.
    pub(crate) fn skip_byte_order_mark(&mut self) {
        if self.input.starts_with(b"\xef\xbb\xbf") {
            self.position = 3;
        }
    }

    #[inline(always)]
    pub(crate) fn skip_blanks(&mut self) {
        if let Some(0..=b' ') = self.peek() {
            self.skip_run_of_blanks();
        }
    }

    fn skip_run_of_blanks(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.position += 1;
            // Indentation.
            while let Some(b"        ") = self.input.get(self.position..self.position + 8) {
                self.position += 8;
            }
        }
    }

    /// Nothing but blanks may follow the document.
    pub(crate) fn finish(&mut self) -> Result<(), Stopped> {
        self.skip_blanks();
        if self.position < self.input.len() { Err(self.fail("text after the document")) } else { Ok(()) }
    }

    /// Steps into an array or object that would be `depth` deep, up to its first name, value or closing bracket.
    #[inline]
    pub(crate) fn open(&mut self, depth: usize) -> Result<(), Stopped> {
        if depth > self.depth {
            return Err(self.fail("nested too deeply"));
        }
        self.position += 1;
        self.skip_blanks();
        Ok(())
    }

    #[inline]
    pub(crate) fn accept(&mut self, byte: u8) -> bool {
        let accepted = self.peek() == Some(byte);
        self.position += usize::from(accepted);
        accepted
    }

    /// Reads a property's name and goes on to its value.
    #[inline(always)]
    pub(crate) fn name(&mut self) -> Result<Span, Stopped> {
        if self.peek() != Some(b'"') {
            return Err(self.fail("a property's name expected"));
        }
        let name = self.string()?;
        if self.peek() != Some(b':') {
            self.skip_blanks();
        }
        if !self.accept(b':') {
            return Err(self.fail("a colon expected"));
        }
        self.skip_blanks();
        Ok(name)
    }

    /// Goes on to the next element; whether the bracket closed instead.
    #[inline(always)]
    pub(crate) fn next_or_close(&mut self, close: u8) -> Result<bool, Stopped> {
        let mut next = self.peek();
        if next != Some(b',') && next != Some(close) {
            self.skip_blanks();
            next = self.peek();
        }
        if next == Some(b',') {
            self.position += 1;
            self.skip_blanks();
            return Ok(false);
        }
        if next == Some(close) {
            self.position += 1;
            return Ok(true);
        }
        Err(self.fail("a comma or closing bracket expected"))
    }

    /// Reads a string, its opening quote being next. Gives what lies between the quotes.
    #[inline(always)]
    pub(crate) fn string(&mut self) -> Result<Span, Stopped> {
        let start = self.position + 1;
        let mut at = start;
        let mut escaped = false;
        loop {
            at = self.string_end(at);
            match self.input.get(at) {
                Some(b'"') => {
                    self.position = at + 1;
                    // The input is shorter than 2^32 bytes.
                    return Ok(Span { start: start as u32, end: at as u32, escaped });
                }
                Some(b'\\') => {
                    escaped = true;
                    at = self.escape(at)?;
                }
                _ => {
                    self.position = at;
                    return Err(self.fail("a control character in a string"));
                }
            }
        }
    }

    /// Makes the mask of the block that starts at `start`. Beyond the end of the input every byte ends a string.
    #[inline(never)]
    fn look_at(&mut self, start: usize) {
        self.block_start = start;
        let rest = self.input.get(start..).unwrap_or_default();
        self.string_ends = match rest.first_chunk::<{ block::BYTES }>() {
            Some(bytes) => block::string_ends(bytes),
            None => {
                let mut bytes = [0; block::BYTES];
                bytes[..rest.len()].copy_from_slice(rest);
                block::string_ends(&bytes)
            }
        };
    }

    /// The position of the first byte from `at` on that can end string content; the length of the input when there is
    /// none, because the block at its end goes on with zeros.
    #[inline(always)]
    fn string_end(&mut self, mut at: usize) -> usize {
        loop {
            if at >= self.block_start + block::BYTES {
                self.look_at(at - at % block::BYTES);
            }
            let ends = self.string_ends >> (at % block::BYTES);
            if ends != 0 {
                return at + ends.trailing_zeros() as usize;
            }
            at = self.block_start + block::BYTES;
        }
    }

    /// Checks the escape whose backslash stands at `at`; gives the position after it.
    fn escape(&mut self, at: usize) -> Result<usize, Stopped> {
        let length = match self.input.get(at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => 2,
            Some(b'u') => {
                for digit in at + 2..at + 6 {
                    if !self.input.get(digit).is_some_and(u8::is_ascii_hexdigit) {
                        self.position = digit;
                        return Err(self.fail("not an escape"));
                    }
                }
                6
            }
            _ => {
                self.position = at + 1;
                return Err(self.fail("not an escape"));
            }
        };
        Ok(at + length)
    }

    /// Reads `true`, `false`, `null`.
    #[inline(always)]
    pub(crate) fn literal(&mut self, word: &'static [u8]) -> Result<Span, Stopped> {
        let start = self.position;
        if self.input[start..].starts_with(word) {
            self.position += word.len();
            return Ok(Span { start: start as u32, end: self.position as u32, escaped: false });
        }
        Err(self.half_literal(word))
    }

    /// Finds where a literal breaks off.
    #[cold]
    #[inline(never)]
    fn half_literal(&mut self, word: &'static [u8]) -> Stopped {
        for expected in word {
            if self.peek() != Some(*expected) {
                break;
            }
            self.position += 1;
        }
        self.fail("not a value")
    }

    /// A number or literal ends where something follows that may: of `012` not even the 0 is a value, and of a document
    /// that is cut behind `true` it is not known.
    pub(crate) fn end_of_plain(&mut self) -> Result<(), Stopped> {
        match self.peek() {
            None if self.open_end => Err(self.fail("not a value")),
            None | Some(b',' | b']' | b'}' | b' ' | b'\n' | b'\r' | b'\t') => Ok(()),
            Some(_) => Err(self.fail("not a value")),
        }
    }

    /// Reads a number or a boolean.
    #[inline]
    pub(crate) fn plain(&mut self) -> Result<Span, Stopped> {
        match self.peek() {
            Some(b't') => self.literal(b"true"),
            Some(b'f') => self.literal(b"false"),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => Err(self.fail("not a value")),
        }
    }

    #[inline(always)]
    fn number(&mut self) -> Result<Span, Stopped> {
        let start = self.position;
        if let Some(chunk) = self.input[start..].first_chunk::<8>()
            && let Some(length) = short_number(u64::from_le_bytes(*chunk))
        {
            self.position = start + length;
            return Ok(Span { start: start as u32, end: self.position as u32, escaped: false });
        }
        self.long_number()
    }

    /// Reads a number of any form.
    #[inline(never)]
    fn long_number(&mut self) -> Result<Span, Stopped> {
        let start = self.position;
        self.accept(b'-');
        if !self.accept(b'0') {
            self.digits()?;
        }
        if self.accept(b'.') {
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.position += 1;
            if !self.accept(b'+') {
                self.accept(b'-');
            }
            self.digits()?;
        }
        if self.open_end && self.position >= self.input.len() {
            return Err(self.fail("not a number"));
        }
        Ok(Span { start: start as u32, end: self.position as u32, escaped: false })
    }

    /// One digit or more.
    fn digits(&mut self) -> Result<(), Stopped> {
        let first = self.position;
        while let Some(b'0'..=b'9') = self.peek() {
            self.position += 1;
        }
        if self.position == first { Err(self.fail("not a number")) } else { Ok(()) }
    }

    /// Skips a value nobody asked for. `depth` counts the arrays and objects it lies in.
    #[inline(always)]
    pub(crate) fn skip_value(&mut self, depth: usize) -> Result<(), Stopped> {
        match self.peek() {
            Some(b'"') => self.string().map(|_| ()),
            Some(b'{' | b'[') => self.skip_container(depth),
            Some(b'n') => self.literal(b"null").map(|_| ()),
            _ => self.plain().map(|_| ()),
        }
    }

    /// Skips an array or object, its opening bracket being next, without recursion.
    pub(crate) fn skip_container(&mut self, depth: usize) -> Result<(), Stopped> {
        let mut open = OpenBrackets::default();
        loop {
            let mut object = self.peek() == Some(b'{');
            self.open(depth + open.count + 1)?;
            open.push(object);
            if self.accept(close_of(object)) {
                if self.all_closed(&mut open)? {
                    return Ok(());
                }
                object = open.innermost_is_object();
            }
            // Elements of the innermost bracket, up to the next one that opens.
            loop {
                if object {
                    self.name()?;
                }
                match self.peek() {
                    Some(b'"') => self.string().map(|_| ())?,
                    Some(b'{' | b'[') => break,
                    Some(b'n') => self.literal(b"null").map(|_| ())?,
                    _ => self.plain().map(|_| ())?,
                }
                if self.next_or_close(close_of(object))? {
                    if self.all_closed(&mut open)? {
                        return Ok(());
                    }
                    object = open.innermost_is_object();
                }
            }
        }
    }

    /// After a closing bracket: closes those around it that end here too. Whether none is left open; if one is, its
    /// next element is next.
    fn all_closed(&mut self, open: &mut OpenBrackets) -> Result<bool, Stopped> {
        loop {
            open.pop();
            if open.count == 0 {
                return Ok(true);
            }
            if !self.next_or_close(close_of(open.innermost_is_object()))? {
                return Ok(false);
            }
        }
    }
}

const fn close_of(object: bool) -> u8 {
    if object { b'}' } else { b']' }
}

/// The kinds of the brackets that are open, one bit each. Never more than the bound on depth, which the scanner
/// checks before it pushes.
#[derive(Default)]
struct OpenBrackets {
    objects: [u64; Bounds::MAXIMUM_DEPTH / 64],
    count: usize,
}

impl OpenBrackets {
    fn push(&mut self, object: bool) {
        let (word, bit) = (self.count / 64, self.count % 64);
        self.objects[word] = (self.objects[word] & !(1 << bit)) | (u64::from(object) << bit);
        self.count += 1;
    }

    fn pop(&mut self) {
        self.count -= 1;
    }

    fn innermost_is_object(&self) -> bool {
        let innermost = self.count - 1;
        self.objects[innermost / 64] >> (innermost % 64) & 1 == 1
    }
}
