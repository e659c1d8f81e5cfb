//! The tokens of GraphQL (specification of September 2025, section 2.1), read one after the other.
//!
//! The input is valid UTF-8. A name or number that reaches the end of the input is no token yet: there may be more of
//! it, and no document ends with one.

use crate::scan::{Span, Stop, Stopped};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// One of `! $ & ( ) : = @ [ ] { | }`.
    Punctuator(u8),
    /// `...`
    Spread,
    Name,
    /// An Int or Float.
    Number,
    /// A string, its span without the quotes.
    Text,
    /// A block string, likewise.
    Block,
    /// The end of the input.
    End,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) span: Span,
    /// The first byte of the token.
    start: usize,
}

pub(crate) struct Lexer<'x> {
    input: &'x [u8],
    /// Where the token after the current one is looked for.
    position: usize,
    pub(crate) token: Token,
    stop: Option<Stop>,
}

impl<'x> Lexer<'x> {
    /// Reads `input` from `start` on; [`Lexer::advance`] makes the first token the current one.
    pub(crate) fn new(input: &'x [u8], start: usize) -> Self {
        let span = Span { start: start as u32, end: start as u32, escaped: false };
        Self { input, position: start, token: Token { kind: Kind::End, span, start }, stop: None }
    }

    /// Where and why reading stopped, if it did.
    pub(crate) fn stop(&self) -> Option<Stop> {
        self.stop
    }

    /// The first byte of the current token.
    pub(crate) fn start(&self) -> usize {
        self.token.start
    }

    pub(crate) fn input(&self) -> &'x [u8] {
        self.input
    }

    pub(crate) fn text(&self, span: Span) -> &'x [u8] {
        &self.input[span.range()]
    }

    pub(crate) fn is(&self, punctuator: u8) -> bool {
        self.token.kind == Kind::Punctuator(punctuator)
    }

    pub(crate) fn is_word(&self, word: &[u8]) -> bool {
        self.token.kind == Kind::Name && self.text(self.token.span) == word
    }

    /// The current token is not what has to stand there.
    #[cold]
    pub(crate) fn fail(&mut self, reason: &'static str) -> Stopped {
        if self.token.kind == Kind::End { self.ended() } else { self.fail_at(self.token.start, reason) }
    }

    #[cold]
    pub(crate) fn fail_at(&mut self, offset: usize, reason: &'static str) -> Stopped {
        self.stop = Some(Stop::at(offset, reason));
        Stopped
    }

    #[cold]
    fn ended(&mut self) -> Stopped {
        self.stop = Some(Stop { offset: self.input.len(), reason: "ended early", ended: true });
        Stopped
    }

    /// Steps over a punctuator that has to stand here.
    pub(crate) fn expect(&mut self, punctuator: u8, reason: &'static str) -> Result<(), Stopped> {
        if self.is(punctuator) { self.advance() } else { Err(self.fail(reason)) }
    }

    /// Steps over a punctuator; whether it stood here.
    pub(crate) fn accept(&mut self, punctuator: u8) -> Result<bool, Stopped> {
        let is_here = self.is(punctuator);
        if is_here {
            self.advance()?;
        }
        Ok(is_here)
    }

    /// Steps over a name that has to stand here.
    pub(crate) fn name(&mut self) -> Result<Span, Stopped> {
        if self.token.kind != Kind::Name {
            return Err(self.fail("a name expected"));
        }
        let name = self.token.span;
        self.advance()?;
        Ok(name)
    }

    /// Makes the next token the current one.
    pub(crate) fn advance(&mut self) -> Result<(), Stopped> {
        self.skip_ignored();
        let start = self.position;
        let Some(first) = self.input.get(start) else {
            self.make(Kind::End, start, start, start, false);
            return Ok(());
        };
        match first {
            b'!' | b'$' | b'&' | b'(' | b')' | b':' | b'=' | b'@' | b'[' | b']' | b'{' | b'|' | b'}' => {
                self.make(Kind::Punctuator(*first), start, start, start + 1, false);
            }
            b'_' | b'A'..=b'Z' | b'a'..=b'z' => {
                let end = self.end_of(start, is_name_byte);
                if end == self.input.len() {
                    return Err(self.ended());
                }
                self.make(Kind::Name, start, start, end, false);
            }
            b'.' => {
                let dots = self.end_of(start, |byte| byte == b'.').min(start + 3);
                if dots == self.input.len() {
                    return Err(self.ended());
                }
                if dots < start + 3 {
                    return Err(self.fail_at(start, "not a token"));
                }
                self.make(Kind::Spread, start, start, dots, false);
            }
            b'-' | b'0'..=b'9' => self.number(start)?,
            b'"' if self.input[start..].starts_with(br#"""""#) => self.block(start)?,
            b'"' => self.string(start)?,
            _ => return Err(self.fail_at(start, "not a token")),
        }
        Ok(())
    }

    fn make(&mut self, kind: Kind, start: usize, from: usize, to: usize, escaped: bool) {
        // The input is shorter than 2^32 bytes.
        self.token = Token { kind, span: Span { start: from as u32, end: to as u32, escaped }, start };
        self.position = to;
    }

    /// Blanks, line ends, commas, byte order marks and comments.
    fn skip_ignored(&mut self) {
        loop {
            match self.input.get(self.position) {
                Some(b' ' | b'\t' | b'\n' | b'\r' | b',') => self.position += 1,
                Some(b'#') => {
                    let rest = &self.input[self.position..];
                    self.position += memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
                }
                Some(0xef) if self.input[self.position..].starts_with(b"\xef\xbb\xbf") => self.position += 3,
                _ => return,
            }
        }
    }

    /// The first position from `from` on whose byte is of another kind.
    fn end_of(&self, from: usize, kind: impl Fn(u8) -> bool) -> usize {
        let rest = &self.input[from..];
        from + rest.iter().position(|byte| !kind(*byte)).unwrap_or(rest.len())
    }

    fn number(&mut self, start: usize) -> Result<(), Stopped> {
        let byte = |at: usize| self.input.get(at).copied();
        let mut at = start + usize::from(byte(start) == Some(b'-'));
        let mut digits = at;
        at = self.end_of(at, |byte| byte.is_ascii_digit());
        // No needless zero before others.
        let mut valid = at > digits && (self.input[digits] != b'0' || at == digits + 1);
        if byte(at) == Some(b'.') {
            digits = at + 1;
            at = self.end_of(digits, |byte| byte.is_ascii_digit());
            valid &= at > digits;
        }
        if let Some(b'e' | b'E') = byte(at) {
            digits = at + 1 + usize::from(matches!(byte(at + 1), Some(b'+' | b'-')));
            at = self.end_of(digits.min(self.input.len()), |byte| byte.is_ascii_digit());
            valid &= at > digits;
        }
        match byte(at) {
            None => Err(self.ended()),
            Some(byte) if !valid || byte == b'.' || is_name_byte(byte) => Err(self.fail_at(start, "not a number")),
            Some(_) => {
                self.make(Kind::Number, start, start, at, false);
                Ok(())
            }
        }
    }

    fn string(&mut self, start: usize) -> Result<(), Stopped> {
        // `""` at the end of the input may be the start of a block string.
        let mut at = start + 1;
        let mut escaped = false;
        loop {
            let Some(found) = self.input.get(at..).and_then(|rest| rest.iter().position(|byte| ends_text(*byte)))
            else {
                return Err(self.ended());
            };
            at += found;
            match self.input[at] {
                b'"' if at == start + 1 && at + 1 == self.input.len() => return Err(self.ended()),
                b'"' => break,
                b'\\' => {
                    escaped = true;
                    at = self.escape(at)?;
                }
                _ => return Err(self.fail_at(at, "a line end in a string")),
            }
        }
        self.make(Kind::Text, start, start + 1, at, escaped);
        self.position = at + 1;
        Ok(())
    }

    /// Checks the escape whose backslash stands at `at`; gives the position after it.
    fn escape(&mut self, at: usize) -> Result<usize, Stopped> {
        let digits = |from: usize| self.end_of(from.min(self.input.len()), |byte| byte.is_ascii_hexdigit());
        let end = match self.input.get(at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => return Ok(at + 2),
            Some(b'u') if self.input.get(at + 2) == Some(&b'{') => match digits(at + 3) {
                end if self.input.get(end) == Some(&b'}') && is_character(&self.input[at + 3..end]) => {
                    return Ok(end + 1);
                }
                end => end,
            },
            Some(b'u') => match digits(at + 2) {
                end if end >= at + 6 => return Ok(at + 6),
                end => end,
            },
            _ => at + 1,
        };
        Err(if end >= self.input.len() { self.ended() } else { self.fail_at(end, "not an escape") })
    }

    fn block(&mut self, start: usize) -> Result<(), Stopped> {
        let mut at = start + 3;
        loop {
            let Some(found) = self.input.get(at..).and_then(|rest| memchr::memchr2(b'"', b'\\', rest)) else {
                return Err(self.ended());
            };
            at += found;
            let rest = &self.input[at..];
            if rest.starts_with(br#"""""#) {
                break;
            }
            at += if rest.starts_with(br#"\""""#) { 4 } else { 1 };
        }
        self.make(Kind::Block, start, start + 3, at, true);
        self.position = at + 3;
        Ok(())
    }
}

/// Whether hexadecimal digits number a character, which half of a surrogate pair is not. As `\uXXXX` such a half is
/// accepted: servers that read the specification of October 2021 take it.
fn is_character(digits: &[u8]) -> bool {
    let digits = digits.iter().map(|digit| char::from(*digit).to_digit(16));
    let code = digits.reduce(|code, digit| code?.checked_mul(16)?.checked_add(digit?));
    code.flatten().and_then(char::from_u32).is_some()
}

fn is_name_byte(byte: u8) -> bool {
    byte == b'_' || byte.is_ascii_alphanumeric()
}

fn ends_text(byte: u8) -> bool {
    matches!(byte, b'"' | b'\\' | b'\n' | b'\r')
}
