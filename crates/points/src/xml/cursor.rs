//! A place in a text of declarations, and what is read from there on.

use super::names::{is_blank, name_length, token_length};

pub(super) struct Cursor<'x> {
    pub(super) text: &'x str,
    pub(super) position: usize,
}

/// Where something outside of the document is (section 4.2.2).
pub(super) struct External<'x> {
    /// Only notations may leave it out.
    pub(super) system: Option<&'x str>,
}

impl<'x> Cursor<'x> {
    pub(super) fn rest(&self) -> &'x str {
        self.text.get(self.position..).unwrap_or_default()
    }

    /// Skips white space; gives whether there was some.
    pub(super) fn blanks(&mut self) -> bool {
        let blanks = self.rest().bytes().take_while(|byte| is_blank(*byte)).count();
        self.position += blanks;
        blanks > 0
    }

    pub(super) fn accept(&mut self, word: &str) -> bool {
        let accepted = self.rest().starts_with(word);
        if accepted {
            self.position += word.len();
        }
        accepted
    }

    pub(super) fn name(&mut self) -> Option<&'x str> {
        self.take(name_length(self.rest()))
    }

    /// A name that any of its characters may begin.
    pub(super) fn token(&mut self) -> Option<&'x str> {
        self.take(token_length(self.rest()))
    }

    fn take(&mut self, length: usize) -> Option<&'x str> {
        let taken = &self.rest()[..length];
        self.position += length;
        (!taken.is_empty()).then_some(taken)
    }

    /// What stands in quotes, and where.
    pub(super) fn literal(&mut self) -> Option<(&'x str, usize)> {
        let quote = self.rest().bytes().next().filter(|byte| matches!(byte, b'"' | b'\''))?;
        let length = memchr::memchr(quote, &self.rest().as_bytes()[1..])?;
        let start = self.position + 1;
        self.position = start + length + 1;
        Some((&self.text[start..start + length], start))
    }

    /// Skips what ends with `end`; gives what stands before that.
    pub(super) fn until(&mut self, end: &str) -> Option<&'x str> {
        let length = memchr::memmem::find(self.rest().as_bytes(), end.as_bytes())?;
        let skipped = &self.rest()[..length];
        self.position += length + end.len();
        Some(skipped)
    }

    /// `SYSTEM "…"`, `PUBLIC "…" "…"` or `PUBLIC "…"`, if one of them stands here; the outer `None` when it is not
    /// well-formed.
    pub(super) fn external(&mut self) -> Option<Option<External<'x>>> {
        let is_public = self.accept("PUBLIC");
        if is_public {
            let public =
                |character: char| character.is_ascii_alphanumeric() || " \r\n-'()+,./:=?;!*#@$_%".contains(character);
            if !self.blanks() || !self.literal()?.0.chars().all(public) {
                return None;
            }
        } else if !self.accept("SYSTEM") {
            return Some(None);
        }
        let before = self.position;
        if self.blanks()
            && let Some((system, _)) = self.literal()
        {
            return Some(Some(External { system: Some(system) }));
        }
        self.position = before;
        is_public.then_some(Some(External { system: None }))
    }
}
