//! The document type declaration (XML 1.0, section 2.8): reads the entities of the internal subset. Other declarations
//! are skipped, and nothing outside of the document is read.

use std::borrow::Cow;

use smallvec::SmallVec;

use super::entities::{Entities, Entity, character};
use super::marks::Marks;
use super::names::{is_blank, is_name, name_length};
use super::walk::{ENTITIES_INSIDE, TOO_MANY_INSIDE};
use crate::scan::Stop;

const NOT_WELL_FORMED: &str = "a document type that is not well-formed";

/// Reads what stands between `<!DOCTYPE` and `>`, at `offset` in the document.
pub(super) fn read(text: &str, offset: usize, entities: &mut Entities, marks: &mut Marks<'_>) -> Result<(), Stop> {
    let mut cursor = Cursor { text, position: 0 };
    let subset = cursor.head(entities).map_err(|at| Stop::at(offset + at, NOT_WELL_FORMED))?;
    let Some(start) = subset else { return Ok(()) };
    let mut subset = Subset { entities, marks, open: SmallVec::new(), outer: None };
    let mut cursor = Cursor { text, position: start };
    subset.declarations(&mut cursor, offset)?;
    let closed = cursor.accept("]");
    cursor.blanks();
    if closed && cursor.position == text.len() {
        Ok(())
    } else {
        Err(Stop::at(offset + cursor.position, NOT_WELL_FORMED))
    }
}

struct Cursor<'x> {
    text: &'x str,
    position: usize,
}

impl<'x> Cursor<'x> {
    fn rest(&self) -> &'x str {
        self.text.get(self.position..).unwrap_or_default()
    }

    fn blanks(&mut self) -> bool {
        let blanks = self.rest().bytes().take_while(|byte| is_blank(*byte)).count();
        self.position += blanks;
        blanks > 0
    }

    fn accept(&mut self, word: &str) -> bool {
        let accepted = self.rest().starts_with(word);
        if accepted {
            self.position += word.len();
        }
        accepted
    }

    fn name(&mut self) -> Option<&'x str> {
        let (name, _) = self.rest().split_at(name_length(self.rest()));
        self.position += name.len();
        (!name.is_empty()).then_some(name)
    }

    /// What stands in quotes, and where.
    fn literal(&mut self) -> Option<(&'x str, usize)> {
        let quote = self.rest().bytes().next().filter(|byte| matches!(byte, b'"' | b'\''))?;
        let length = memchr::memchr(quote, &self.rest().as_bytes()[1..])?;
        let start = self.position + 1;
        self.position = start + length + 1;
        Some((&self.text[start..start + length], start))
    }

    /// Skips what ends with `end`; gives what stands before that.
    fn until(&mut self, end: &str) -> Option<&'x str> {
        let length = memchr::memmem::find(self.rest().as_bytes(), end.as_bytes())?;
        let skipped = &self.rest()[..length];
        self.position += length + end.len();
        Some(skipped)
    }

    /// Up to the internal subset; gives where that starts.
    ///
    /// # Errors
    /// Gives the place of the fault.
    fn head(&mut self, entities: &mut Entities) -> Result<Option<usize>, usize> {
        if !self.blanks() || self.name().is_none() {
            return Err(self.position);
        }
        if self.blanks() && self.external().ok_or(self.position)?.is_some() {
            entities.incomplete = true;
            self.blanks();
        }
        if self.accept("[") {
            return Ok(Some(self.position));
        }
        if self.rest().is_empty() { Ok(None) } else { Err(self.position) }
    }

    /// The system identifier of `SYSTEM "…"` or `PUBLIC "…" "…"`, if one of them stands here; the outer `None` when it
    /// is not well-formed.
    fn external(&mut self) -> Option<Option<&'x str>> {
        if self.accept("PUBLIC") {
            let public =
                |character: char| character.is_ascii_alphanumeric() || " \r\n-'()+,./:=?;!*#@$_%".contains(character);
            if !self.blanks() || !self.literal()?.0.chars().all(public) {
                return None;
            }
        } else if !self.accept("SYSTEM") {
            return Some(None);
        }
        if !self.blanks() {
            return None;
        }
        self.literal().map(|(identifier, _)| Some(identifier))
    }
}

struct Subset<'s, 'm> {
    entities: &'s mut Entities,
    marks: &'s mut Marks<'m>,
    /// Parameter entities that are being read.
    open: SmallVec<[usize; 4]>,
    /// Where the outermost of them is referred to.
    outer: Option<usize>,
}

impl Subset<'_, '_> {
    /// The place in the document of a place in a text that starts at `offset`.
    fn place(&self, offset: usize, position: usize) -> usize {
        self.outer.unwrap_or(offset + position)
    }

    /// Reads declarations up to what is none.
    fn declarations(&mut self, cursor: &mut Cursor<'_>, offset: usize) -> Result<(), Stop> {
        loop {
            cursor.blanks();
            let start = cursor.position;
            let read = if cursor.accept("%") {
                let name = cursor.name().filter(|_| cursor.accept(";"));
                match name {
                    Some(name) => {
                        self.parameter(name, self.place(offset, start))?;
                        Some(())
                    }
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
            } else if ["<!ELEMENT", "<!ATTLIST", "<!NOTATION"].iter().any(|word| cursor.accept(word)) {
                other(cursor)
            } else {
                return Ok(());
            };
            if read.is_none() {
                return Err(Stop::at(self.place(offset, start), NOT_WELL_FORMED));
            }
        }
    }

    /// Reads the declarations in a parameter entity.
    fn parameter(&mut self, name: &str, place: usize) -> Result<(), Stop> {
        let Some((entity, text)) = self.entities.parameter(name) else {
            self.entities.incomplete = true;
            return Ok(());
        };
        if self.open.contains(&entity) {
            return Err(Stop::at(place, "an entity inside itself"));
        }
        if self.open.len() >= ENTITIES_INSIDE {
            return Err(Stop::at(place, TOO_MANY_INSIDE));
        }
        let text = text.to_owned();
        self.marks.charge(text.len(), place)?;
        let before = self.outer;
        self.outer.get_or_insert(place);
        self.open.push(entity);
        let mut cursor = Cursor { text: &text, position: 0 };
        self.declarations(&mut cursor, 0)?;
        if !cursor.rest().is_empty() {
            return Err(Stop::at(self.place(place, 0), NOT_WELL_FORMED));
        }
        self.open.pop();
        self.outer = before;
        self.entities.incomplete = true;
        Ok(())
    }

    /// Reads `<!ENTITY …>` after its first word; `None` when it is not well-formed.
    fn entity(&mut self, cursor: &mut Cursor<'_>, offset: usize) -> Result<Option<()>, Stop> {
        let Some((name, is_parameter)) = entity_name(cursor) else { return Ok(None) };
        let place = self.place(offset, cursor.position);
        let entity = if let Some((value, start)) = cursor.literal() {
            let Some(text) = replacement(value, self.open.is_empty()) else {
                return Err(Stop::at(self.place(offset, start), "an entity value that is not well-formed"));
            };
            Entity::Internal(text.into())
        } else {
            let Some(Some(system)) = cursor.external() else { return Ok(None) };
            let blanks = cursor.blanks();
            if cursor.accept("NDATA") {
                if !blanks || is_parameter || !cursor.blanks() || cursor.name().is_none() {
                    return Ok(None);
                }
                Entity::Unparsed(system.into())
            } else {
                Entity::External(system.into())
            }
        };
        cursor.blanks();
        if !cursor.accept(">") {
            return Ok(None);
        }
        self.marks.entity(name, is_parameter, &entity, place, self.entities)?;
        self.entities.declare(name, is_parameter, entity);
        Ok(Some(()))
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

/// Skips a declaration after its first word. What it says does not matter to any point.
fn other(cursor: &mut Cursor<'_>) -> Option<()> {
    if !cursor.blanks() {
        return None;
    }
    cursor.name()?;
    loop {
        let rest = cursor.rest();
        let next = rest.bytes().position(|byte| matches!(byte, b'"' | b'\'' | b'>' | b'<'))?;
        cursor.position += next;
        match rest.as_bytes()[next] {
            b'>' => {
                cursor.position += 1;
                return Some(());
            }
            b'<' => return None,
            _ => cursor.literal().map(|_| ())?,
        }
    }
}

/// The replacement text of an entity value (section 4.5): character references are resolved, other references stay. A
/// reference to a parameter entity may not stand in a value of the internal subset itself.
fn replacement(value: &str, in_subset: bool) -> Option<Cow<'_, str>> {
    if in_subset && value.contains('%') {
        return None;
    }
    if memchr::memchr2(b'&', b'\r', value.as_bytes()).is_none() {
        return Some(Cow::Borrowed(value));
    }
    let mut text = String::with_capacity(value.len());
    let mut rest = value;
    while let Some(special) = memchr::memchr2(b'&', b'\r', rest.as_bytes()) {
        text.push_str(&rest[..special]);
        rest = &rest[special..];
        if let Some(after) = rest.strip_prefix('\r') {
            text.push('\n');
            rest = after.strip_prefix('\n').unwrap_or(after);
            continue;
        }
        let end = rest.find(';')?;
        let (reference, after) = (&rest[1..end], &rest[end + 1..]);
        match reference.strip_prefix('#') {
            Some(number) => text.push(character(number)?),
            None if is_name(reference) => text.push_str(&rest[..=end]),
            None => return None,
        }
        rest = after;
    }
    text.push_str(rest);
    Some(Cow::Owned(text))
}
