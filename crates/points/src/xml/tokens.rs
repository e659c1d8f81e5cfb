//! The tokens of a document: those of quick-xml, with their place in the text, and attributes, which it leaves to its
//! caller.

use quick_xml::Reader;
use quick_xml::errors::{Error, IllFormedError, SyntaxError};
use quick_xml::events::Event;

use super::names::{is_blank, is_name};
use crate::scan::Stop;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Start,
    Empty,
    End,
    Text,
    CharacterData,
    Comment,
    Instruction,
    Declaration,
    DocumentType,
    Reference,
    EndOfInput,
}

/// A token without its delimiters.
#[derive(Clone, Copy)]
pub(super) struct Token<'x> {
    pub(super) kind: Kind,
    pub(super) text: &'x str,
    /// Where the token starts, delimiters included.
    pub(super) start: usize,
    /// Where `text` starts.
    pub(super) offset: usize,
}

/// Splits a text that does not start with a byte order mark.
pub(super) struct Tokens<'x> {
    text: &'x str,
    /// Where the text starts in the document; errors are placed there.
    base: usize,
    reader: Reader<&'x [u8]>,
}

/// What a text between `<!` and `>` may begin with outside of a document type.
const OPENINGS: [&str; 3] = ["<!--", "<![CDATA[", "<!DOCTYPE"];

impl<'x> Tokens<'x> {
    pub(super) fn new(text: &'x str, base: usize) -> Self {
        let mut reader = Reader::from_str(text);
        reader.config_mut().check_comments = true;
        Self { text, base, reader }
    }

    fn position(&self) -> usize {
        usize::try_from(self.reader.buffer_position()).unwrap_or(usize::MAX)
    }

    pub(super) fn next(&mut self) -> Result<Token<'x>, Stop> {
        let start = self.position();
        // What stands before and behind the text of a token.
        let (kind, before, behind) = match self.reader.read_event() {
            Ok(Event::Start(_)) => (Kind::Start, 1, 1),
            Ok(Event::Empty(_)) => (Kind::Empty, 1, 2),
            Ok(Event::End(_)) => (Kind::End, 2, 1),
            Ok(Event::Text(_)) => (Kind::Text, 0, 0),
            Ok(Event::CData(_)) => (Kind::CharacterData, 9, 3),
            Ok(Event::Comment(_)) => (Kind::Comment, 4, 3),
            Ok(Event::PI(_)) => (Kind::Instruction, 2, 2),
            Ok(Event::Decl(_)) => (Kind::Declaration, 2, 2),
            Ok(Event::DocType(_)) => (Kind::DocumentType, 9, 1),
            Ok(Event::GeneralRef(_)) => (Kind::Reference, 1, 1),
            Ok(Event::Eof) => (Kind::EndOfInput, 0, 0),
            Err(error) => return Err(self.stop(start, &error)),
        };
        let offset = start + before;
        let text = self.text.get(offset..self.position().saturating_sub(behind)).unwrap_or_default();
        if kind == Kind::DocumentType && !self.text[start..].starts_with("<!DOCTYPE") {
            return Err(Stop::at(self.base + start, NOT_MARKUP));
        }
        Ok(Token { kind, text, start, offset })
    }

    fn stop(&self, start: usize, error: &Error) -> Stop {
        let rest = self.text.get(start..).unwrap_or_default();
        let reason = match error {
            Error::Syntax(SyntaxError::InvalidBangMarkup) if !may_open(rest) => NOT_MARKUP,
            Error::Syntax(_) if rest.starts_with("<!") && !may_open(rest) => NOT_MARKUP,
            Error::Syntax(_) => return self.ended(),
            Error::IllFormed(IllFormedError::UnclosedReference) => {
                if !rest.bytes().skip(1).any(|byte| matches!(byte, b'<' | b'&')) {
                    return self.ended();
                }
                "a reference without its end"
            }
            Error::IllFormed(IllFormedError::MismatchedEndTag { .. }) => "an end tag that does not match",
            Error::IllFormed(IllFormedError::UnmatchedEndTag(_)) => "an end tag without its start tag",
            Error::IllFormed(IllFormedError::DoubleHyphenInComment) => "two hyphens in a comment",
            Error::IllFormed(IllFormedError::MissingDoctypeName) => "a document type that is not well-formed",
            _ => "not well-formed",
        };
        Stop::at(self.base + start, reason)
    }

    pub(super) fn ended(&self) -> Stop {
        Stop { offset: self.base + self.text.len(), reason: "ended early", ended: true }
    }
}

const NOT_MARKUP: &str = "not markup";

/// Whether a text that starts with `<!` begins, or may go on to begin, with one of the openings.
fn may_open(text: &str) -> bool {
    OPENINGS.iter().any(|opening| text.starts_with(opening) || opening.starts_with(text))
}

/// One attribute as it stands.
#[derive(Clone, Copy)]
pub(super) struct Attribute<'x> {
    pub(super) name: &'x str,
    /// What stands between the quotes, and where.
    pub(super) value: &'x str,
    pub(super) offset: usize,
}

/// The attributes in a start tag, or what is written like them in the XML declaration. Gives the place of the first fault.
pub(super) struct Attributes<'x> {
    text: &'x str,
    position: usize,
}

impl<'x> Attributes<'x> {
    /// `text` is what follows the name of the tag.
    pub(super) fn new(text: &'x str) -> Self {
        Self { text, position: 0 }
    }

    fn skip_blanks(&mut self) -> usize {
        let rest = &self.text.as_bytes()[self.position..];
        let blanks = rest.iter().take_while(|byte| is_blank(**byte)).count();
        self.position += blanks;
        blanks
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.position).copied()
    }

    fn read(&mut self) -> Option<Attribute<'x>> {
        let rest = &self.text[self.position..];
        let name = &rest[..rest.find(|character: char| character == '=' || is_blank_character(character))?];
        if !is_name(name) {
            return None;
        }
        self.position += name.len();
        self.skip_blanks();
        if self.byte() != Some(b'=') {
            return None;
        }
        self.position += 1;
        self.skip_blanks();
        let quote = self.byte().filter(|byte| matches!(byte, b'"' | b'\''))?;
        let offset = self.position + 1;
        let length = memchr::memchr(quote, &self.text.as_bytes()[offset..])?;
        self.position = offset + length + 1;
        Some(Attribute { name, value: &self.text[offset..offset + length], offset })
    }
}

fn is_blank_character(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\n' | '\r')
}

impl<'x> Iterator for Attributes<'x> {
    type Item = Result<Attribute<'x>, usize>;

    fn next(&mut self) -> Option<Self::Item> {
        let blanks = self.skip_blanks();
        if self.position == self.text.len() {
            return None;
        }
        let fault = self.position;
        let attribute = if blanks > 0 { self.read() } else { None };
        if attribute.is_none() {
            self.position = self.text.len();
        }
        Some(attribute.ok_or(fault))
    }
}
