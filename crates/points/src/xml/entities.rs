//! The entities of a document: those that its own internal subset declares (XML 1.0, section 4). Nothing is fetched.

use std::collections::HashMap;

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
    general: HashMap<Box<str>, usize>,
    parameter: HashMap<Box<str>, usize>,
    /// There may be declarations that are not read, so that a name that is not declared is no fault.
    pub(super) incomplete: bool,
}

impl Entities {
    /// Keeps the first declaration of a name.
    pub(super) fn declare(&mut self, name: &str, is_parameter: bool, entity: Entity) {
        let names = if is_parameter { &mut self.parameter } else { &mut self.general };
        if !names.contains_key(name) {
            names.insert(name.into(), self.entities.len());
            self.entities.push(entity);
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
            return character(number).map(Reference::Character).ok_or("a reference to no character");
        }
        let predefined = match name {
            "lt" => '<',
            "gt" => '>',
            "amp" => '&',
            "apos" => '\'',
            "quot" => '"',
            _ => {
                return match self.general.get(name).map(|place| (*place, &self.entities[*place])) {
                    Some((place, Entity::Internal(_))) => Ok(Reference::Text(place)),
                    Some((_, Entity::External(_))) => Ok(Reference::Unread),
                    Some((_, Entity::Unparsed(_))) => Err("a reference to what is no XML"),
                    None if !is_name(name) => Err("not a reference"),
                    None if self.incomplete => Ok(Reference::Unread),
                    None => Err("an entity that is not declared"),
                };
            }
        };
        Ok(Reference::Character(predefined))
    }

    /// Whether a reference to this name would be to a document elsewhere.
    pub(super) fn is_external(&self, name: &str) -> bool {
        self.general.get(name).is_some_and(|place| !matches!(self.entities[*place], Entity::Internal(_)))
    }
}

/// The character of `&#NUMBER;` or `&#xNUMBER;`.
pub(super) fn character(number: &str) -> Option<char> {
    let (digits, radix) = match number.strip_prefix('x') {
        Some(digits) => (digits, 16),
        None => (number, 10),
    };
    // `from_str_radix` would take a sign.
    let valid = !digits.is_empty() && digits.bytes().all(|byte| char::from(byte).is_digit(radix));
    let code = if valid { u32::from_str_radix(digits, radix).ok()? } else { return None };
    char::from_u32(code).filter(|character| is_character(*character))
}
