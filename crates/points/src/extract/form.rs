//! Forms and queries, and the variables that stand in one beside a GraphQL document.

use super::{Ending, Run, Text, Without};
use crate::MessagePart;
use crate::decode;
use crate::form::{self, Noted};

/// The variables that stand beside a GraphQL document in a form.
pub(super) struct Beside {
    pub(super) text: Vec<u8>,
    pub(super) ending: Ending,
}

impl Beside {
    fn read(form: &[u8], ending: Ending) -> Option<Self> {
        match form::field(form, b"variables") {
            Some((text, true)) if !text.is_empty() => Some(Self { text: text.into_owned(), ending: Ending::Whole }),
            Some((text, false)) if !text.is_empty() || ending.is_open() => {
                Some(Self { text: text.into_owned(), ending })
            }
            Some(_) => None,
            None => ending.is_open().then(|| Self { text: Vec::new(), ending }),
        }
    }
}

impl<'e> Run<'e, '_> {
    pub(super) fn form(&mut self, tree: &form::FieldTree, text: Text<'e, '_>, ending: Ending, part: &MessagePart) {
        let mut notes = self.scratch.fields().lend();
        form::walk(tree, text.bytes(), ending.is_open(), &mut notes);
        let missing = ending.missing();
        let beside = if tree.graphql { Beside::read(text.bytes(), ending) } else { None };
        let outside = std::mem::replace(&mut self.variables, beside);
        for (node, state) in tree.nodes().iter().zip(&notes.states) {
            for several in node.several() {
                self.fill(&several.all, missing);
            }
            match state.first {
                Some((start, end)) => {
                    let value = text.part(start..end);
                    self.rewritten(&node.first, value, decode::form(value.bytes()), part);
                }
                // Behind a cut there may be a value.
                None if state.nested && matches!(missing, Without::Absent) => {
                    self.fill(&node.first.all, Without::NotScalar);
                }
                None => self.fill(&node.first.all, missing),
            }
            let Some(joined) = &node.joined else { continue };
            if ending.is_open() {
                self.fill(&joined.all, missing);
            } else if !state.values.is_empty() {
                let values = state.values.iter().map(|(start, end)| decode::form(text.part(*start..*end).bytes()));
                self.joined(joined, values, part);
            } else {
                let without = if state.nested { Without::NotScalar } else { Without::Absent };
                self.fill(&joined.all, without);
            }
        }
        for (position, every, noted) in &notes.log {
            let Some(node) = tree.nodes()[*position as usize].every(*every) else { continue };
            match noted {
                Noted::Value((start, end)) => {
                    let value = text.part(*start..*end);
                    self.rewritten(node, value, decode::form(value.bytes()), part);
                }
                Noted::Name(name) => self.value(node, Text::Decoded(name), part),
            }
        }
        self.variables = outside;
        self.scratch.fields().give_back(notes);
    }
}
