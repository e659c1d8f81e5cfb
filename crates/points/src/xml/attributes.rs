//! The attributes of a tag: their values as section 3.3.3 of XML 1.0 says, without the types that a document type may
//! declare.

use std::borrow::Cow;

use smallvec::SmallVec;

use super::entities::Reference;
use super::marks::{Marks, Noted, Place};
use super::tokens::{Attribute, Attributes};
use super::walk::Walk;
use crate::scan::Stop;

/// The attributes of a tag with their names.
pub(super) type Values<'x> = SmallVec<[(&'x str, Value<'x>); 4]>;

/// The value of an attribute.
pub(super) struct Value<'x> {
    /// Where it stands in the document, if it stands there as it is.
    start: Option<usize>,
    pub(super) bytes: Cow<'x, [u8]>,
}

impl Marks<'_> {
    /// Notes the value of an attribute of a tag at `place`.
    pub(super) fn attribute(&mut self, value: u32, text: &Value<'_>, place: usize) -> Result<(), Stop> {
        let noted = match text.start {
            Some(start) => Noted::Document(start, start + text.bytes.len()),
            None => {
                let (start, end) = self.hold(&text.bytes, place)?;
                Noted::Held(start, end)
            }
        };
        self.note(value, noted);
        Ok(())
    }
}

impl<'x> Walk<'_, 'x> {
    /// Reads the attributes of a tag, in a text that starts at `place`.
    pub(super) fn attributes(&mut self, text: &'x str, place: Place) -> Result<Values<'x>, Stop> {
        let mut attributes = Values::new();
        for attribute in Attributes::new(text) {
            let attribute =
                attribute.map_err(|position| Stop::at(place.at(position), "an attribute that is not well-formed"))?;
            attributes.push((attribute.name, self.attribute(&attribute, place)?));
        }
        let mut names: SmallVec<[&str; 8]> = attributes.iter().map(|(name, _)| *name).collect();
        names.sort_unstable();
        if names.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(Stop::at(place.at(0), "an attribute that stands twice"));
        }
        Ok(attributes)
    }

    /// The value of an attribute as section 3.3.3 says.
    fn attribute(&mut self, attribute: &Attribute<'x>, place: Place) -> Result<Value<'x>, Stop> {
        let place = place.moved(attribute.offset);
        if !attribute.value.bytes().any(is_special) {
            return Ok(match place {
                Place::Document(start) => {
                    Value { start: Some(start), bytes: Cow::Borrowed(attribute.value.as_bytes()) }
                }
                Place::Entity(_) => Value { start: None, bytes: Cow::Borrowed(attribute.value.as_bytes()) },
            });
        }
        let mut value = Vec::new();
        self.normalise(attribute.value, place, &mut value)?;
        Ok(Value { start: None, bytes: Cow::Owned(value) })
    }

    fn normalise(&mut self, text: &'x str, place: Place, value: &mut Vec<u8>) -> Result<(), Stop> {
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
                    self.reference_in_attribute(&rest[1..end], at, value)?;
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

    fn reference_in_attribute(&mut self, name: &str, at: usize, value: &mut Vec<u8>) -> Result<(), Stop> {
        if self.entities.is_external(name) {
            return Err(Stop::at(at, "an external entity in an attribute"));
        }
        match self.entities.resolve(name).map_err(|reason| Stop::at(at, reason))? {
            Reference::Character(character) => value.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
            Reference::Unread => value.extend_from_slice(["&", name, ";"].concat().as_bytes()),
            Reference::Text(entity) => {
                let text = self.enter(entity, at)?;
                self.normalise(text, Place::Entity(self.outer), value)?;
                self.open.pop();
            }
        }
        Ok(())
    }
}

/// Stands for something else than itself in the value of an attribute.
const fn is_special(byte: u8) -> bool {
    matches!(byte, b'&' | b'<' | b'\t' | b'\n' | b'\r')
}
