//! Arguments and the values that stand in a document. Nested lists and objects are a list of open ones.

use smallvec::SmallVec;

use super::lexer::Kind;
use super::walk::Walk;
use crate::Step;
use crate::scan::Stopped;
use crate::value_tree::{Positions, Raw};

/// A list or object that is being read.
struct Open {
    at: Positions,
    /// The element that is next, in a list.
    index: Option<u32>,
}

impl Walk<'_, '_> {
    /// `(name: value, …)`, the bracket being next.
    pub(super) fn arguments(&mut self, at: &[u32], constant: bool) -> Result<(), Stopped> {
        let group = self.below(at, Step::Arguments);
        self.lexer.advance()?;
        loop {
            let name = self.lexer.name()?;
            self.lexer.expect(b':', "a colon expected")?;
            self.notes.property_name(self.tree, &group, Raw::Plain(name));
            let at = self.named(&group, self.lexer.text(name));
            self.value(at, constant)?;
            if self.lexer.accept(b')')? {
                return Ok(());
            }
        }
    }

    /// A value that these nodes stand for. A constant one holds no variables.
    pub(super) fn value(&mut self, at: Positions, constant: bool) -> Result<(), Stopped> {
        let mut open: SmallVec<[Open; 4]> = SmallVec::new();
        let mut at = at;
        loop {
            let span = self.lexer.token.span;
            let opened = match self.lexer.token.kind {
                Kind::Punctuator(b'[') => Some(Some(0)),
                Kind::Punctuator(b'{') => Some(None),
                Kind::Punctuator(b'$') => {
                    if constant {
                        return Err(self.lexer.fail("a variable in a constant"));
                    }
                    self.lexer.advance()?;
                    if self.lexer.token.kind != Kind::Name {
                        return Err(self.lexer.fail("a name expected"));
                    }
                    if !at.is_empty() {
                        let name = self.lexer.token.span;
                        self.variable(&at, name)?;
                    }
                    None
                }
                Kind::Name if self.lexer.is_word(b"null") => self.noted(&at, Raw::NotScalar),
                Kind::Name | Kind::Number => self.noted(&at, Raw::Plain(span)),
                Kind::Text => self.noted(&at, Raw::Text(span)),
                Kind::Block => self.noted(&at, Raw::Block(span)),
                _ => return Err(self.lexer.fail("a value expected")),
            };
            if let Some(index) = opened {
                if open.len() >= self.depth {
                    return Err(self.lexer.fail("nested too deeply"));
                }
                self.notes.note(self.tree, &at, Raw::NotScalar);
                open.push(Open { at, index });
            }
            self.lexer.advance()?;
            match self.next(&mut open)? {
                Some(next) => at = next,
                None => return Ok(()),
            }
        }
    }

    fn noted(&mut self, at: &[u32], raw: Raw) -> Option<Option<u32>> {
        self.notes.note(self.tree, at, raw);
        None
    }

    /// Goes on to the next value of the innermost list or object, and gives its nodes; closes those that end here.
    fn next(&mut self, open: &mut SmallVec<[Open; 4]>) -> Result<Option<Positions>, Stopped> {
        while let Some(Open { at, index }) = open.last_mut() {
            let mut found = Positions::new();
            match index {
                Some(_) if self.lexer.is(b']') => {}
                None if self.lexer.is(b'}') => {}
                Some(index) => {
                    if !at.is_empty() {
                        self.notes.element_number(self.tree, at, *index);
                        self.tree.element(at, *index, &mut found);
                    }
                    // A document has less than 2^32 bytes.
                    *index += 1;
                    return Ok(Some(found));
                }
                None => {
                    let name = self.lexer.name()?;
                    self.lexer.expect(b':', "a colon expected")?;
                    if !at.is_empty() {
                        self.notes.property_name(self.tree, at, Raw::Plain(name));
                        found = self.named(at, self.lexer.text(name));
                    }
                    return Ok(Some(found));
                }
            }
            open.pop();
            self.lexer.advance()?;
        }
        Ok(None)
    }
}
