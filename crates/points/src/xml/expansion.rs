//! Going into entities, under bounds, and the values of attributes with what they refer to (XML 1.0, section 3.3.3).

use smallvec::SmallVec;

use super::entities::{Entities, Reference};
use super::marks::{Marks, Place};
use crate::scan::Stop;

/// Most entities inside each other.
pub(super) const ENTITIES_INSIDE: usize = 16;
pub(super) const TOO_MANY_INSIDE: &str = "the bound on entities inside each other is reached";
pub(super) const INSIDE_ITSELF: &str = "an entity inside itself";

/// The entities that are being read.
pub(super) struct Expansion<'x> {
    pub(super) entities: &'x Entities,
    open: SmallVec<[usize; ENTITIES_INSIDE]>,
    /// Where the outermost of them is referred to.
    pub(super) outer: usize,
}

impl<'x> Expansion<'x> {
    pub(super) fn new(entities: &'x Entities) -> Self {
        Self { entities, open: SmallVec::new(), outer: 0 }
    }

    /// Goes into an entity that is referred to at `at`; gives its text.
    pub(super) fn enter(&mut self, entity: usize, at: usize, marks: &mut Marks<'_>) -> Result<&'x str, Stop> {
        if self.open.contains(&entity) {
            return Err(Stop::at(at, INSIDE_ITSELF));
        }
        if self.open.len() >= ENTITIES_INSIDE {
            return Err(Stop::at(at, TOO_MANY_INSIDE));
        }
        let text = self.entities.text(entity);
        marks.charge(text.len(), at)?;
        if self.open.is_empty() {
            self.outer = at;
        }
        self.open.push(entity);
        Ok(text)
    }

    /// Comes out of the innermost.
    pub(super) fn leave(&mut self) {
        self.open.pop();
    }

    /// Adds the value of an attribute that is written as `text`, as if its type were CDATA.
    pub(super) fn value(
        &mut self,
        text: &str,
        place: Place,
        marks: &mut Marks<'_>,
        value: &mut Vec<u8>,
    ) -> Result<(), Stop> {
        let mut position = 0;
        while let Some(plain) = text.as_bytes()[position..].iter().position(|byte| is_special(*byte)) {
            value.extend_from_slice(&text.as_bytes()[position..position + plain]);
            position += plain;
            let rest = &text[position..];
            let at = place.at(position);
            match rest.as_bytes()[0] {
                b'<' => return Err(Stop::at(at, "< in an attribute")),
                b'&' => {
                    let end = rest.find(';').ok_or(Stop::at(at, "a reference without its end"))?;
                    self.reference(&rest[1..end], at, marks, value)?;
                    position += end + 1;
                }
                b'\r' if place.is_document() && rest.starts_with("\r\n") => {
                    value.push(b' ');
                    position += 2;
                }
                _ => {
                    value.push(b' ');
                    position += 1;
                }
            }
        }
        value.extend_from_slice(&text.as_bytes()[position..]);
        Ok(())
    }

    fn reference(&mut self, name: &str, at: usize, marks: &mut Marks<'_>, value: &mut Vec<u8>) -> Result<(), Stop> {
        if self.entities.is_external(name) {
            return Err(Stop::at(at, "an external entity in an attribute"));
        }
        match self.entities.resolve(name).map_err(|reason| Stop::at(at, reason))? {
            Reference::Character(character) => value.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
            Reference::Unread => value.extend_from_slice(["&", name, ";"].concat().as_bytes()),
            Reference::Text(entity) => {
                let text = self.enter(entity, at, marks)?;
                self.value(text, Place::Entity(self.outer), marks, value)?;
                self.leave();
            }
        }
        Ok(())
    }
}

/// Stands for something else than itself in the value of an attribute.
pub(super) const fn is_special(byte: u8) -> bool {
    matches!(byte, b'&' | b'<' | b'\t' | b'\n' | b'\r')
}

/// A value of a type other than CDATA: without spaces at its ends, and with single ones between its tokens.
pub(super) fn tokens_of(value: &[u8]) -> Vec<u8> {
    let tokens: Vec<&[u8]> = value.split(|byte| *byte == b' ').filter(|token| !token.is_empty()).collect();
    tokens.join(&b' ')
}
