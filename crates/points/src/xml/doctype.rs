//! The document type declaration (XML 1.0, section 2.8): reads the entities and the attribute lists of the internal
//! subset, and whether the rest of it is well-formed. Nothing outside of the document is read.

use smallvec::SmallVec;

use super::cursor::{Cursor, External};
use super::entities::{Entities, Entity};
use super::expansion::{ENTITIES_INSIDE, Expansion, INSIDE_ITSELF, TOO_MANY_INSIDE, tokens_of};
use super::grammar;
use super::lists::AttributeLists;
use super::marks::{Marks, Place};
use super::names::is_name;
use crate::scan::Stop;

const NOT_WELL_FORMED: &str = "a document type that is not well-formed";
const WRONG_VALUE: &str = "an entity value that is not well-formed";

/// What a document declares.
pub(super) struct Declared {
    pub(super) entities: Entities,
    pub(super) lists: AttributeLists,
}

/// Reads what stands between `<!DOCTYPE` and `>`, at `offset` in the document.
pub(super) fn read(text: &str, offset: usize, declared: &mut Declared, marks: &mut Marks<'_>) -> Result<(), Stop> {
    let mut cursor = Cursor { text, position: 0 };
    let has_subset = head(&mut cursor, &mut declared.entities);
    if !has_subset.ok_or(Stop::at(offset + cursor.position, NOT_WELL_FORMED))? {
        return Ok(());
    }
    let mut subset = Subset { declared, marks, open: SmallVec::new(), outer: None };
    subset.declarations(&mut cursor, offset)?;
    let closed = cursor.accept("]");
    cursor.blanks();
    if closed && cursor.position == text.len() {
        Ok(())
    } else {
        Err(Stop::at(offset + cursor.position, NOT_WELL_FORMED))
    }
}

/// Skips what stands before the declarations; gives whether there are some.
fn head(cursor: &mut Cursor<'_>, entities: &mut Entities) -> Option<bool> {
    grammar::declared_name(cursor)?;
    if cursor.blanks()
        && let Some(external) = cursor.external()?
    {
        external.system?;
        entities.set_incomplete();
        cursor.blanks();
    }
    let has_subset = cursor.accept("[");
    (has_subset || cursor.rest().is_empty()).then_some(has_subset)
}

struct Subset<'s, 'm> {
    declared: &'s mut Declared,
    marks: &'s mut Marks<'m>,
    /// Parameter entities that are being read.
    open: SmallVec<[usize; 4]>,
    /// Where the outermost of them is referred to.
    outer: Option<usize>,
}

impl Subset<'_, '_> {
    /// The place in the document of a place in a text that starts at `offset`.
    fn place(&self, offset: usize, position: usize) -> Place {
        self.outer.map_or(Place::Document(offset + position), Place::Entity)
    }

    fn at(&self, offset: usize, position: usize) -> usize {
        self.place(offset, position).at(0)
    }

    /// Reads declarations up to what is none.
    fn declarations(&mut self, cursor: &mut Cursor<'_>, offset: usize) -> Result<(), Stop> {
        loop {
            cursor.blanks();
            let start = cursor.position;
            let read = if cursor.accept("%") {
                match cursor.name().filter(|_| cursor.accept(";")) {
                    Some(name) => Some(self.parameter(name, self.at(offset, start))?),
                    None => None,
                }
            } else if cursor.accept("<!--") {
                cursor.until("--").filter(|_| cursor.accept(">")).map(|_| ())
            } else if cursor.accept("<?") {
                let target = cursor.name().filter(|target| !target.eq_ignore_ascii_case("xml"));
                target
                    .filter(|_| cursor.blanks() || cursor.rest().starts_with("?>"))
                    .and_then(|_| cursor.until("?>"))
                    .map(|_| ())
            } else if cursor.accept("<!ENTITY") {
                self.entity(cursor, offset)?
            } else if cursor.accept("<!ATTLIST") {
                self.attribute_list(cursor, offset)?
            } else if cursor.accept("<!ELEMENT") {
                grammar::element(cursor)
            } else if cursor.accept("<!NOTATION") {
                grammar::notation(cursor)
            } else {
                return Ok(());
            };
            if read.is_none() && !self.is_put_together(cursor, start) {
                return Err(Stop::at(self.at(offset, start), NOT_WELL_FORMED));
            }
        }
    }

    /// Skips a declaration that starts at `start`, if parameter entities are a part of it: only a parameter entity may
    /// hold such (section 2.8). It is not read.
    fn is_put_together(&mut self, cursor: &mut Cursor<'_>, start: usize) -> bool {
        let text = &cursor.text[start..];
        if self.open.is_empty() || !text.starts_with("<!") || text.starts_with("<!--") {
            return false;
        }
        cursor.position = start + 1;
        let skipped = grammar::any(cursor) == Some(true);
        if skipped {
            self.declared.entities.set_uncertain();
        }
        skipped
    }

    /// Goes into a parameter entity and gives its text; `None` for one that is not read.
    fn enter(&mut self, name: &str, at: usize) -> Result<Option<String>, Stop> {
        let Some((entity, text)) = self.declared.entities.parameter(name) else {
            self.declared.entities.set_uncertain();
            return Ok(None);
        };
        if self.open.contains(&entity) {
            return Err(Stop::at(at, INSIDE_ITSELF));
        }
        if self.open.len() >= ENTITIES_INSIDE {
            return Err(Stop::at(at, TOO_MANY_INSIDE));
        }
        let text = text.to_owned();
        self.marks.charge(text.len(), at)?;
        self.open.push(entity);
        Ok(Some(text))
    }

    /// Reads the declarations in a parameter entity.
    fn parameter(&mut self, name: &str, at: usize) -> Result<(), Stop> {
        let Some(text) = self.enter(name, at)? else { return Ok(()) };
        let before = self.outer;
        self.outer.get_or_insert(at);
        self.declared.entities.set_inside(true);
        let mut cursor = Cursor { text: &text, position: 0 };
        self.declarations(&mut cursor, 0)?;
        if !cursor.rest().is_empty() {
            return Err(Stop::at(at, NOT_WELL_FORMED));
        }
        self.open.pop();
        self.outer = before;
        self.declared.entities.set_inside(!self.open.is_empty());
        Ok(())
    }

    /// Reads `<!ATTLIST …>` after its first word; `None` when it is not well-formed.
    fn attribute_list(&mut self, cursor: &mut Cursor<'_>, offset: usize) -> Result<Option<()>, Stop> {
        let Some(element) = grammar::declared_name(cursor) else { return Ok(None) };
        let outer = self.outer;
        let Declared { entities, lists } = &mut *self.declared;
        let mut list = (!entities.is_uncertain()).then(|| lists.declare(element));
        loop {
            let definition = match grammar::definition(cursor) {
                Some(Some(definition)) => definition,
                end => return Ok(end.map(|_| ())),
            };
            let Some(list) = &mut list else { continue };
            let mut default = None;
            if let Some((text, start)) = definition.default {
                let place = outer.map_or(Place::Document(offset + start), Place::Entity);
                let mut value = Vec::new();
                Expansion::new(entities).value(text, place, self.marks, &mut value)?;
                default = Some(if definition.has_tokens { tokens_of(&value) } else { value });
            }
            list.declare(definition.name, definition.has_tokens, default);
        }
    }

    /// Reads `<!ENTITY …>` after its first word; `None` when it is not well-formed.
    fn entity(&mut self, cursor: &mut Cursor<'_>, offset: usize) -> Result<Option<()>, Stop> {
        let Some((name, is_parameter)) = entity_name(cursor) else { return Ok(None) };
        let at = self.at(offset, cursor.position);
        let entity = if let Some((value, start)) = cursor.literal() {
            let depth = self.open.len();
            let mut text = String::with_capacity(value.len());
            let is_whole = self.replacement(value, self.at(offset, start), &mut text)?;
            self.open.truncate(depth);
            is_whole.then(|| Entity::Internal(text.into()))
        } else {
            let Some(Some(External { system: Some(system) })) = cursor.external() else { return Ok(None) };
            let blanks = cursor.blanks();
            if cursor.accept("NDATA") {
                if !blanks || is_parameter || !cursor.blanks() || cursor.name().is_none() {
                    return Ok(None);
                }
                Some(Entity::Unparsed(system.into()))
            } else {
                Some(Entity::External(system.into()))
            }
        };
        if grammar::end(cursor).is_none() {
            return Ok(None);
        }
        if let Some(entity) = entity {
            self.marks.entity(name, is_parameter, &entity, at, &self.declared.entities)?;
            if !self.declared.entities.is_uncertain() {
                self.declared.entities.declare(name, is_parameter, entity);
            }
        }
        Ok(Some(()))
    }

    /// Adds the replacement text of an entity value (section 4.5): references to characters and to parameter entities
    /// are resolved, the latter only within a parameter entity, others stay. Gives whether all of them were read.
    fn replacement(&mut self, value: &str, at: usize, text: &mut String) -> Result<bool, Stop> {
        let mut rest = value;
        while let Some(special) = memchr::memchr3(b'&', b'%', b'\r', rest.as_bytes()) {
            text.push_str(&rest[..special]);
            rest = &rest[special..];
            if let Some(after) = rest.strip_prefix('\r') {
                // What stands in a parameter entity is by reference.
                text.push(if self.open.is_empty() { '\n' } else { '\r' });
                rest = if self.open.is_empty() { after.strip_prefix('\n').unwrap_or(after) } else { after };
                continue;
            }
            let end = rest.find(';').ok_or(Stop::at(at, WRONG_VALUE))?;
            let (reference, after) = (&rest[1..end], &rest[end + 1..]);
            if let Some(number) = reference.strip_prefix('#').filter(|_| rest.starts_with('&')) {
                text.push(self.declared.entities.character(number).ok_or(Stop::at(at, WRONG_VALUE))?);
            } else if !is_name(reference) || (rest.starts_with('%') && self.open.is_empty()) {
                return Err(Stop::at(at, WRONG_VALUE));
            } else if rest.starts_with('&') {
                text.push_str(&rest[..=end]);
            } else {
                let Some(inside) = self.enter(reference, at)? else { return Ok(false) };
                if !self.replacement(&inside, at, text)? {
                    return Ok(false);
                }
                self.open.pop();
            }
            rest = after;
        }
        text.push_str(rest);
        Ok(true)
    }
}

fn entity_name<'x>(cursor: &mut Cursor<'x>) -> Option<(&'x str, bool)> {
    if !cursor.blanks() {
        return None;
    }
    let is_parameter = cursor.accept("%");
    if is_parameter && !cursor.blanks() {
        return None;
    }
    let name = cursor.name()?;
    cursor.blanks().then_some((name, is_parameter))
}
