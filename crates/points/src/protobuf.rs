//! Protocol Buffers without a schema (<https://protobuf.dev/programming-guides/encoding/>): one pass over a message that
//! notes what stands at the wanted fields.
//!
//! Without a schema nothing says whether bytes are a text, a message or packed numbers: the points decide. A point that
//! goes deeper reads a field as a message, a point that ends there takes its bytes. Bytes that are no message hold none;
//! that is no damage of the message they lie in. As for every parser with a schema, of a field that occurs several times
//! the last one counts, and messages that occur several times are one message.
//!
//! Its recursion is as deep as the points are long; everything else is skipped without recursion.

use smallvec::SmallVec;

use crate::Bounds;
use crate::scan::{Span, Stop};
use crate::value_tree::{Notes, Positions, Raw, ValueTree};

/// How a field is written, the low three bits of its tag.
mod wire {
    pub(super) const VARINT: u8 = 0;
    pub(super) const FIXED64: u8 = 1;
    pub(super) const LENGTH: u8 = 2;
    pub(super) const GROUP: u8 = 3;
    pub(super) const END_OF_GROUP: u8 = 4;
    pub(super) const FIXED32: u8 = 5;
}

/// The largest number a field can have.
pub(crate) const LARGEST_FIELD: u32 = (1 << 29) - 1;

/// Walks a message once and notes what stands at the wanted places; the root stands for the message's own bytes. `cut`
/// says that the message goes on beyond `input`. Gives what stopped the walk, if anything did: what was noted until then
/// holds.
pub(crate) fn walk(tree: &ValueTree, input: &[u8], cut: bool, bounds: &Bounds, notes: &mut Notes) -> Option<Stop> {
    notes.start(tree);
    let root = [ValueTree::ROOT];
    let input = &input[..input.len().min(u32::MAX as usize)];
    if !cut {
        notes.note(tree, &root, Raw::Plain(span(0, input.len())));
    }
    if !tree.wants_properties(&root) {
        return cut.then_some(Stop { offset: input.len(), reason: "ends early", ended: true });
    }
    let depth = bounds.depth.min(Bounds::MAXIMUM_DEPTH);
    let counts = SmallVec::new();
    let mut walk = Walk { tree, notes, input, cut, position: 0, depth, counts };
    walk.counts.resize(tree.nodes().len(), 0);
    walk.fields(&root, usize::MAX, None, 0).err()
}

fn span(start: usize, end: usize) -> Span {
    Span { start: start as u32, end: end as u32, escaped: false }
}

struct Walk<'t, 'x> {
    tree: &'t ValueTree,
    notes: &'t mut Notes,
    input: &'x [u8],
    /// The outermost message goes on beyond the input.
    cut: bool,
    position: usize,
    /// The deepest nesting.
    depth: usize,
    /// How often the field of each node has occurred.
    counts: SmallVec<[u32; 32]>,
}

impl Walk<'_, '_> {
    /// Reads the fields of a message that these nodes stand for: up to `limit`, which may lie beyond the input, or up to
    /// the end of a group. `depth` counts the messages it lies in.
    fn fields(&mut self, at: &[u32], limit: usize, group: Option<u32>, depth: usize) -> Result<(), Stop> {
        let tree = self.tree;
        if depth > self.depth {
            return Err(Stop::at(self.position, "nested too deeply"));
        }
        for position in at {
            // Another message begins: its repeated fields are counted anew.
            if tree.nodes()[*position as usize].several {
                self.counts[tree.below(*position)].fill(0);
            }
        }
        let mut below = Positions::new();
        let mut elements = Positions::new();
        let may_end = |walk: &Self| {
            let outermost = depth == 0 && !walk.cut;
            group.is_none() && (walk.position == limit || outermost && walk.position == walk.input.len())
        };
        while !may_end(self) {
            let start = self.position;
            let (number, kind) = self.tag(limit)?;
            if kind == wire::END_OF_GROUP {
                return if group == Some(number) { Ok(()) } else { Err(Stop::at(start, "no such group is open")) };
            }
            self.notes.property_name(tree, at, Raw::Number(number.into()));
            let mut digits = [0; 10];
            tree.property(at, decimal(number, &mut digits), &mut below);
            for place in 0..below.len() {
                let node = [below[place]];
                if tree.wanted_elements(&node) > 0 {
                    let count = &mut self.counts[node[0] as usize];
                    // A message has less than 2^32 bytes.
                    let index = *count;
                    *count += 1;
                    self.notes.element_number(tree, &node, index);
                    tree.element(&node, index, &mut elements);
                    below.extend_from_slice(&elements);
                }
            }
            if below.is_empty() {
                self.skip(number, kind, limit, depth)?;
            } else {
                self.value(&below, number, kind, limit, depth)?;
            }
        }
        Ok(())
    }

    /// Reads the value of a field that these nodes stand for.
    fn value(&mut self, at: &[u32], number: u32, kind: u8, limit: usize, depth: usize) -> Result<(), Stop> {
        let tree = self.tree;
        self.notes.forget(tree, at);
        match kind {
            wire::VARINT => {
                let value = self.varint(limit)?;
                self.notes.note(tree, at, Raw::Number(value));
            }
            wire::FIXED64 => {
                let value = u64::from_le_bytes(self.fixed(limit)?);
                self.notes.note(tree, at, Raw::Number(value));
            }
            wire::FIXED32 => {
                let value = u32::from_le_bytes(self.fixed(limit)?);
                self.notes.note(tree, at, Raw::Number(value.into()));
            }
            wire::LENGTH => {
                let end = self.length(limit)?;
                let whole = end <= self.input.len();
                if whole {
                    self.notes.note(tree, at, Raw::Plain(span(self.position, end)));
                }
                if tree.wants_properties(at) {
                    // Bytes that are no message hold none.
                    let _ = self.fields(at, end, None, depth + 1);
                }
                if !whole {
                    return Err(self.ended());
                }
                self.position = end;
            }
            _ => {
                self.notes.note(tree, at, Raw::NotScalar);
                if tree.wants_properties(at) {
                    return self.fields(at, limit, Some(number), depth + 1);
                }
                return self.skip(number, kind, limit, depth);
            }
        }
        Ok(())
    }

    /// Skips the value of a field, groups without recursion.
    fn skip(&mut self, number: u32, kind: u8, limit: usize, depth: usize) -> Result<(), Stop> {
        let mut open: SmallVec<[u32; 8]> = SmallVec::new();
        let (mut number, mut kind, mut start) = (number, kind, self.position);
        loop {
            match kind {
                wire::VARINT => {
                    self.varint(limit)?;
                }
                wire::FIXED64 => {
                    self.fixed::<8>(limit)?;
                }
                wire::FIXED32 => {
                    self.fixed::<4>(limit)?;
                }
                wire::LENGTH => {
                    let end = self.length(limit)?;
                    if end > self.input.len() {
                        return Err(self.ended());
                    }
                    self.position = end;
                }
                wire::GROUP if depth + open.len() >= self.depth => {
                    return Err(Stop::at(start, "nested too deeply"));
                }
                wire::GROUP => open.push(number),
                _ if open.pop() != Some(number) => return Err(Stop::at(start, "no such group is open")),
                _ => {}
            }
            if open.is_empty() {
                return Ok(());
            }
            start = self.position;
            (number, kind) = self.tag(limit)?;
        }
    }

    /// The number and the kind of the next field.
    fn tag(&mut self, limit: usize) -> Result<(u32, u8), Stop> {
        let start = self.position;
        let tag = self.varint(limit)?;
        let (number, kind) = (tag >> 3, (tag & 7) as u8);
        match u32::try_from(number) {
            Ok(number @ 1..=LARGEST_FIELD) if kind <= wire::FIXED32 => Ok((number, kind)),
            Ok(1..=LARGEST_FIELD) => Err(Stop::at(start, "unknown kind of field")),
            _ => Err(Stop::at(start, "no field has this number")),
        }
    }

    /// A number of up to ten bytes; bits beyond 64 are dropped, as parsers do.
    fn varint(&mut self, limit: usize) -> Result<u64, Stop> {
        const LONGEST: usize = 10;
        let start = self.position;
        let mut value = 0;
        for place in 0..LONGEST {
            let [byte] = self.fixed(limit)?;
            value |= u64::from(byte & 0x7f) << (7 * place);
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(Stop::at(start, "number too long"))
    }

    /// Where a value that begins with its length ends.
    fn length(&mut self, limit: usize) -> Result<usize, Stop> {
        let start = self.position;
        let length = usize::try_from(self.varint(limit)?).unwrap_or(usize::MAX);
        match self.position.checked_add(length) {
            Some(end) if end <= limit => Ok(end),
            _ => Err(Stop::at(start, "longer than what it lies in")),
        }
    }

    fn fixed<const LENGTH: usize>(&mut self, limit: usize) -> Result<[u8; LENGTH], Stop> {
        if limit - self.position < LENGTH {
            return Err(Stop::at(self.position, "ends early"));
        }
        match self.input[self.position..].first_chunk() {
            Some(bytes) => {
                self.position += LENGTH;
                Ok(*bytes)
            }
            None => Err(self.ended()),
        }
    }

    fn ended(&mut self) -> Stop {
        self.position = self.input.len();
        Stop { offset: self.position, reason: "ends early", ended: true }
    }
}

/// A number in digits.
fn decimal(mut number: u32, digits: &mut [u8; 10]) -> &[u8] {
    let mut start = digits.len();
    loop {
        start -= 1;
        digits[start] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            return &digits[start..];
        }
    }
}
