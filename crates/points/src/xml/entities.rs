//! The entities of a document: those that its own internal subset declares (XML 1.0, section 4). Nothing is fetched.

use std::collections::HashMap;

use super::declaration::{Declaration, Version};
use super::names::{is_character, is_name};

/// What a declared entity stands for.
pub(super) enum Entity {
    /// Its replacement text.
    Internal(Box<str>),
    /// A document elsewhere, by its system identifier. It is not read.
    External(Box<str>),
    /// The same, and no XML.
    Unparsed(Box<str>),
}

/// What a reference stands for.
pub(super) enum Reference {
    Character(char),
    /// An entity with a replacement text, by its place.
    Text(usize),
    /// Something that is not read: the reference stands as it is written.
    Unread,
}

/// Declared entities. The first declaration of a name holds.
#[derive(Default)]
pub(super) struct Entities {
    entities: Vec<Entity>,
    /// Which of them a parameter entity declares.
    declared_inside: Vec<bool>,
    general: HashMap<Box<str>, usize>,
    parameter: HashMap<Box<str>, usize>,
    /// What the document says of itself.
    declaration: Declaration,
    /// There may be declarations that are not read, so that a name that is not declared is no fault.
    incomplete: bool,
    /// A parameter entity is being read, in which a name that is not declared is no fault (section 4.1).
    is_inside: bool,
    /// Declarations do not count from here on: a parameter entity that is not read may have declared the same before
    /// (section 5.1).
    uncertain: bool,
}

impl Entities {
    pub(super) fn new(declaration: Declaration) -> Self {
        Self { declaration, ..Self::default() }
    }

    /// There are declarations in a parameter entity or outside of the document. A document that stands alone must
    /// declare what it refers to nevertheless.
    pub(super) fn set_incomplete(&mut self) {
        self.incomplete = !self.declaration.standalone;
    }

    /// A parameter entity is being read from here on, or no more.
    pub(super) fn set_inside(&mut self, is_inside: bool) {
        self.is_inside = is_inside;
        self.set_incomplete();
    }

    /// There is a parameter entity that is not read. In a document that stands alone it changes nothing.
    pub(super) fn set_uncertain(&mut self) {
        self.set_incomplete();
        self.uncertain = !self.declaration.standalone;
    }

    /// Whether declarations do not count from here on.
    pub(super) fn is_uncertain(&self) -> bool {
        self.uncertain
    }

    /// The character of `&#NUMBER;` or `&#xNUMBER;`.
    pub(super) fn character(&self, number: &str) -> Option<char> {
        character(number, self.declaration.version)
    }

    /// Keeps the first declaration of a name.
    pub(super) fn declare(&mut self, name: &str, is_parameter: bool, entity: Entity) {
        let names = if is_parameter { &mut self.parameter } else { &mut self.general };
        if !names.contains_key(name) {
            names.insert(name.into(), self.entities.len());
            self.entities.push(entity);
            self.declared_inside.push(self.is_inside);
        }
    }

    /// Whether a name is declared.
    pub(super) fn knows(&self, name: &str, is_parameter: bool) -> bool {
        if is_parameter { self.parameter.contains_key(name) } else { self.general.contains_key(name) }
    }

    /// The replacement text of a parameter entity, with its place. `None` for one that is not read or not declared.
    pub(super) fn parameter(&self, name: &str) -> Option<(usize, &str)> {
        let place = *self.parameter.get(name)?;
        match &self.entities[place] {
            Entity::Internal(text) => Some((place, text)),
            _ => None,
        }
    }

    pub(super) fn text(&self, place: usize) -> &str {
        match self.entities.get(place) {
            Some(Entity::Internal(text)) => text,
            _ => "",
        }
    }

    /// Resolves what stands between `&` and `;`.
    ///
    /// # Errors
    /// When it is no reference, or stands for what may not be referred to.
    pub(super) fn resolve(&self, name: &str) -> Result<Reference, &'static str> {
        if let Some(number) = name.strip_prefix('#') {
            return self.character(number).map(Reference::Character).ok_or("a reference to no character");
        }
        let predefined = match name {
            "lt" => '<',
            "gt" => '>',
            "amp" => '&',
            "apos" => '\'',
            "quot" => '"',
            _ => {
                let place = self.general.get(name).copied().filter(|place| self.may_refer_to(*place));
                return match place.map(|place| (place, &self.entities[place])) {
                    Some((place, Entity::Internal(_))) => Ok(Reference::Text(place)),
                    Some((_, Entity::External(_))) => Ok(Reference::Unread),
                    Some((_, Entity::Unparsed(_))) => Err("a reference to what is no XML"),
                    None if !is_name(name) => Err("not a reference"),
                    None if self.incomplete || self.is_inside => Ok(Reference::Unread),
                    None => Err("an entity that is not declared"),
                };
            }
        };
        Ok(Reference::Character(predefined))
    }

    /// A document that stands alone may not refer to what a parameter entity declares (section 4.1).
    fn may_refer_to(&self, place: usize) -> bool {
        !self.declaration.standalone || self.is_inside || !self.declared_inside[place]
    }

    /// Whether a reference to this name would be to a document elsewhere.
    pub(super) fn is_external(&self, name: &str) -> bool {
        self.general.get(name).is_some_and(|place| !matches!(self.entities[*place], Entity::Internal(_)))
    }
}

fn character(number: &str, version: Version) -> Option<char> {
    let (digits, radix) = match number.strip_prefix('x') {
        Some(digits) => (digits, 16),
        None => (number, 10),
    };
    // `from_str_radix` would take a sign.
    let valid = !digits.is_empty() && digits.bytes().all(|byte| char::from(byte).is_digit(radix));
    let code = if valid { u32::from_str_radix(digits, radix).ok()? } else { return None };
    char::from_u32(code).filter(|character| is_character(*character, version))
}
