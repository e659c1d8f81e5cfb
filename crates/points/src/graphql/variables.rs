//! The variables of a request (GraphQL over HTTP, section 5): a JSON object, its values found by name.

use std::borrow::Cow;
use std::ops::Range;

use crate::json;
use crate::scan::{Scanner, Span, Stop, Stopped};

/// The variables of one request, in the order in which they stand there.
#[derive(Default)]
pub(crate) struct Variables<'x> {
    entries: Vec<Variable<'x>>,
    /// Positions of the entries by name; of a name that occurs several times only the last counts, as in JSON.
    by_name: Vec<u32>,
    /// There may be more of them.
    pub(crate) open: bool,
}

pub(crate) struct Variable<'x> {
    pub(crate) name: Cow<'x, [u8]>,
    /// The name as it stands there.
    pub(crate) written: Span,
    pub(crate) value: Range<usize>,
    /// The value goes on beyond that.
    pub(crate) open: bool,
}

impl<'x> Variables<'x> {
    /// Reads the object that stands at `range` of a text. What stands before damage counts. Anything else than an
    /// object has no variables.
    pub(crate) fn read(text: &'x [u8], range: Range<usize>, open: bool, depth: usize) -> (Self, Option<Stop>) {
        let input = &text[..range.end];
        let mut scanner = Scanner::starting_at(input, range.start, open, depth);
        let mut variables = Self::default();
        scanner.skip_blanks();
        let ended = match scanner.peek() {
            Some(b'{') => variables.object(&mut scanner, input),
            _ => scanner.skip_value(0),
        };
        let stop = match ended.and_then(|()| scanner.finish()) {
            Ok(()) => None,
            Err(Stopped) => scanner.stop(),
        };
        variables.open = open || stop.is_some();
        variables.by_name = (0..variables.entries.len() as u32).collect();
        let entries = &variables.entries;
        variables.by_name.sort_by(|one, other| entries[*one as usize].name.cmp(&entries[*other as usize].name));
        (variables, stop)
    }

    fn object(&mut self, scanner: &mut Scanner<'x>, input: &'x [u8]) -> Result<(), Stopped> {
        scanner.open(1)?;
        if scanner.accept(b'}') {
            return Ok(());
        }
        loop {
            let written = scanner.name()?;
            let name = match &input[written.range()] {
                text if written.escaped => Cow::Owned(json::unescape(text)),
                text => Cow::Borrowed(text),
            };
            // Of a value that is not whole, what stands before its end counts.
            let entry = self.entries.len();
            self.entries.push(Variable { name, written, value: scanner.position()..input.len(), open: true });
            scanner.skip_value(1)?;
            let entry = &mut self.entries[entry];
            (entry.value.end, entry.open) = (scanner.position(), false);
            if scanner.next_or_close(b'}')? {
                return Ok(());
            }
        }
    }

    /// The last of this name.
    pub(crate) fn find(&self, name: &[u8]) -> Option<&Variable<'x>> {
        let after = self.by_name.partition_point(|entry| *self.entries[*entry as usize].name <= *name);
        let entry = &self.entries[*self.by_name.get(after.checked_sub(1)?)? as usize];
        (*entry.name == *name).then_some(entry)
    }

    /// Those that count.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Variable<'x>> {
        self.entries
            .iter()
            .filter(|entry| self.find(&entry.name).is_some_and(|last| last.written.start == entry.written.start))
    }
}
