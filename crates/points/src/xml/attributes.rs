//! The attributes of a tag: their values as section 3.3.3 of XML 1.0 says, and those that the document type declares
//! for tags that leave them out.

use std::borrow::Cow;

use smallvec::SmallVec;

use super::expansion::{is_special, tokens_of};
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

impl Value<'_> {
    /// Leaves single spaces between tokens and none at the ends.
    fn keep_tokens(&mut self) {
        let tokens = tokens_of(&self.bytes);
        if *tokens != *self.bytes {
            *self = Value { start: None, bytes: Cow::Owned(tokens) };
        }
    }
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
    /// Reads the attributes of an element, in a text that starts at `place`. Those that it leaves out are added where
    /// something may look at them.
    pub(super) fn attributes(&mut self, element: &str, text: &'x str, place: Place) -> Result<Values<'x>, Stop> {
        let list = self.lists.of(element);
        let mut attributes = Values::new();
        if text.is_empty() && list.is_none() {
            return Ok(attributes);
        }
        for attribute in Attributes::new(text) {
            let attribute =
                attribute.map_err(|position| Stop::at(place.at(position), "an attribute that is not well-formed"))?;
            let mut value = self.attribute(&attribute, place)?;
            if list.is_some_and(|list| list.has_tokens(attribute.name)) {
                value.keep_tokens();
            }
            attributes.push((attribute.name, value));
        }
        let mut names: SmallVec<[&str; 8]> = attributes.iter().map(|(name, _)| *name).collect();
        names.sort_unstable();
        if names.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(Stop::at(place.at(0), "an attribute that stands twice"));
        }
        if let Some(list) = list
            && self.is_wanted()
        {
            for (name, value) in list.defaults() {
                if names.binary_search(&name).is_err() {
                    self.marks.charge(name.len() + value.len(), place.at(0))?;
                    attributes.push((name, Value { start: None, bytes: Cow::Borrowed(value) }));
                }
            }
        }
        Ok(attributes)
    }

    /// The value of an attribute as section 3.3.3 says, as if its type were CDATA.
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
        self.expansion.value(attribute.value, place, &mut self.marks, &mut value)?;
        Ok(Value { start: None, bytes: Cow::Owned(value) })
    }
}
