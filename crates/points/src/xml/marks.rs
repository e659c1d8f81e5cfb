//! What a walk notes, and where.

use smallvec::SmallVec;

use super::entities::{Entities, Entity};
use super::names::is_name;
use super::tokens::{Kind, Token};
use super::tree::{Name, XmlTree};
use crate::scan::Stop;
use crate::value_tree::Positions;

/// Something that was noted, and the value that looks at it.
pub(crate) enum Noted {
    /// Bytes of the document.
    Document(usize, usize),
    /// Bytes of [`XmlNotes::held`].
    Held(usize, usize),
    /// The number of an occurrence.
    Number(u32),
    /// An element that has elements in it and no text.
    NotScalar,
}

/// What a walk noted, in the order of the document.
#[derive(Default)]
pub(crate) struct XmlNotes {
    pub(crate) log: Vec<(u32, Noted)>,
    /// Texts that do not stand in the document as they are.
    pub(crate) held: Vec<u8>,
    /// How often each tag occurred below the element that the walk is in.
    pub(crate) counts: Vec<u32>,
}

/// Where the walk notes.
pub(super) struct Marks<'t> {
    pub(super) tree: &'t XmlTree,
    pub(super) notes: &'t mut XmlNotes,
    /// Bytes that may still be decoded.
    pub(super) decodable: &'t mut usize,
}

impl Marks<'_> {
    /// Takes from what may be decoded.
    pub(super) fn charge(&mut self, bytes: usize, place: usize) -> Result<(), Stop> {
        match self.decodable.checked_sub(bytes) {
            Some(rest) => {
                *self.decodable = rest;
                Ok(())
            }
            None => Err(Stop::at(place, "the bound on decoded bytes is reached")),
        }
    }

    pub(super) fn hold(&mut self, bytes: &[u8], place: usize) -> Result<(usize, usize), Stop> {
        self.charge(bytes.len(), place)?;
        let start = self.notes.held.len();
        self.notes.held.extend_from_slice(bytes);
        Ok((start, self.notes.held.len()))
    }

    pub(super) fn note(&mut self, value: u32, noted: Noted) {
        if !self.tree.value(value).is_unused() {
            self.notes.log.push((value, noted));
        }
    }

    /// Notes a text at these values.
    pub(super) fn text(&mut self, values: &[u32], text: &Content<'_>, place: usize) -> Result<(), Stop> {
        if values.is_empty() {
            return Ok(());
        }
        let (start, end, held) = match text.whole {
            Some((start, text)) => (start, start + text.len(), false),
            None => {
                let (start, end) = self.hold(&text.held, place)?;
                (start, end, true)
            }
        };
        for value in values {
            self.note(*value, if held { Noted::Held(start, end) } else { Noted::Document(start, end) });
        }
        Ok(())
    }

    /// Counts something below elements of the tree and gives what stands for it.
    pub(super) fn below(&mut self, at: &[u32], name: &Name<'_>) -> Positions {
        let tree = self.tree;
        let XmlNotes { log, counts, .. } = &mut *self.notes;
        tree.below(at, name, counts, |value, number| log.push((value, Noted::Number(number))))
    }

    /// Notes a comment, a processing instruction or an entity.
    fn aside(&mut self, at: &[u32], name: &[u8], text: &Content<'_>, place: usize) -> Result<(), Stop> {
        let found = self.below(at, &Name { local: name, prefix: "", uri: None });
        if found.is_empty() {
            return Ok(());
        }
        let tree = self.tree;
        let values: SmallVec<[u32; 4]> = found.iter().map(|element| tree.element(*element).text).collect();
        self.text(&values, text, place)
    }

    /// Notes an entity that is declared: what it stands for, or where that is.
    pub(super) fn entity(
        &mut self,
        name: &str,
        is_parameter: bool,
        entity: &Entity,
        place: usize,
        declared: &Entities,
    ) -> Result<(), Stop> {
        let key = [if is_parameter { "%" } else { "&" }, name].concat();
        if declared.knows(name, is_parameter) {
            return Ok(());
        }
        let (Entity::Internal(text) | Entity::External(text) | Entity::Unparsed(text)) = entity;
        self.aside(&[XmlTree::ROOT], key.as_bytes(), &Content::of(text, Place::Entity(place)), place)
    }

    /// Notes a comment in a text that starts at `place`.
    pub(super) fn comment(&mut self, at: &[u32], token: &Token<'_>, place: Place) -> Result<(), Stop> {
        self.aside(at, b"#comment", &Content::of(token.text, place.moved(token.offset)), place.at(token.start))
    }

    /// Notes a processing instruction in a text that starts at `place`.
    pub(super) fn instruction(&mut self, at: &[u32], token: &Token<'_>, place: Place) -> Result<(), Stop> {
        let end = token.text.find([' ', '\t', '\n', '\r']).unwrap_or(token.text.len());
        let (target, rest) = token.text.split_at(end);
        if !is_name(target) || target.eq_ignore_ascii_case("xml") && token.kind == Kind::Instruction {
            return Err(Stop::at(place.at(token.start), "a processing instruction without a name"));
        }
        let data = rest.trim_start_matches([' ', '\t', '\n', '\r']);
        let place_of_data = place.moved(token.offset + token.text.len() - data.len());
        let key = ["?", target].concat();
        self.aside(at, key.as_bytes(), &Content::of(data, place_of_data), place.at(token.start))
    }
}

/// Where a text stands.
#[derive(Clone, Copy)]
pub(super) enum Place {
    /// In the document, from here on.
    Document(usize),
    /// In the text of an entity that is referred to here.
    Entity(usize),
}

impl Place {
    /// The place in the document of a place in the text.
    pub(super) fn at(self, position: usize) -> usize {
        match self {
            Self::Document(start) => start + position,
            Self::Entity(reference) => reference,
        }
    }

    pub(super) fn moved(self, by: usize) -> Self {
        match self {
            Self::Document(start) => Self::Document(start + by),
            entity => entity,
        }
    }

    pub(super) fn is_document(self) -> bool {
        matches!(self, Self::Document(_))
    }
}

/// A text as it is put together.
#[derive(Default)]
pub(super) struct Content<'x> {
    /// All of it, where it stands in the document as it is.
    whole: Option<(usize, &'x str)>,
    /// Otherwise this.
    held: Vec<u8>,
}

impl<'x> Content<'x> {
    /// A text whose ends of line are read as section 2.11 says.
    pub(super) fn of(text: &'x str, place: Place) -> Self {
        let mut content = Self::default();
        content.push(text, place);
        content
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.whole.map_or(&self.held, |(_, text)| text.as_bytes())
    }

    /// What it is put together in.
    pub(super) fn held(&mut self) -> &mut Vec<u8> {
        if let Some((_, text)) = self.whole.take() {
            self.held.extend_from_slice(text.as_bytes());
        }
        &mut self.held
    }

    /// Adds a text that stands at `place`.
    pub(super) fn push(&mut self, text: &'x str, place: Place) {
        match place {
            _ if text.is_empty() => {}
            Place::Document(start) if self.bytes().is_empty() && !text.contains('\r') => {
                self.whole = Some((start, text))
            }
            Place::Document(_) => push_lines(text, self.held()),
            Place::Entity(_) => self.held().extend_from_slice(text.as_bytes()),
        }
    }
}

/// Adds a text of the document with each end of line as a line feed.
fn push_lines(text: &str, to: &mut Vec<u8>) {
    let mut rest = text.as_bytes();
    while let Some(end) = memchr::memchr(b'\r', rest) {
        to.extend_from_slice(&rest[..end]);
        to.push(b'\n');
        let after = &rest[end + 1..];
        rest = after.strip_prefix(b"\n").unwrap_or(after);
    }
    to.extend_from_slice(rest);
}
