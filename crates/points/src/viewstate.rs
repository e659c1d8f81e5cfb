//! View state of ASP.NET 2.0 and later, as its `ObjectStateFormatter` writes it: one pass that notes what stands at the
//! wanted places.
//!
//! Pairs, triplets, lists and arrays have elements, tables have properties. Everything else is a text, or bytes that are
//! no further looked at (objects of .NET's own binary format). Behind the value stands a signature, which is not looked
//! at; view state that is encrypted does not start with [`MAGIC`].
//!
//! Its recursion is as deep as the points are long; everything else is skipped without recursion.

use std::io::Write as _;

use smallvec::SmallVec;

use crate::Bounds;
use crate::scan::{Span, Stop};
use crate::value_tree::{Notes, Positions, Raw, ValueTree};

/// What view state in the clear starts with: a marker and the version.
pub(crate) const MAGIC: [u8; 2] = [0xff, 0x01];

/// Names of .NET types that are remembered because later values refer to them.
const MOST_TYPES: usize = 1024;

/// Strings that later values may refer to; the next one takes the place of the first.
const STRINGS: usize = 255;

/// Walks view state that starts with [`MAGIC`]. Values that are not written as text are written behind `input` for that:
/// a position from its end on is one in `texts`. Gives what stopped the walk, if anything did: what was noted until then
/// holds.
pub(crate) fn walk(
    tree: &ValueTree,
    input: &[u8],
    bounds: &Bounds,
    notes: &mut Notes,
    texts: &mut Vec<u8>,
) -> Option<Stop> {
    notes.start(tree);
    texts.clear();
    let depth = bounds.depth.min(Bounds::MAXIMUM_DEPTH);
    let strings = Vec::new();
    let types = Vec::new();
    let mut walk = Walk { tree, notes, input, texts, position: MAGIC.len(), depth, strings, next_string: 0, types };
    walk.value(&[ValueTree::ROOT], 0).err()
}

struct Walk<'t, 'x> {
    tree: &'t ValueTree,
    notes: &'t mut Notes,
    input: &'x [u8],
    texts: &'t mut Vec<u8>,
    position: usize,
    /// The deepest nesting.
    depth: usize,
    strings: Vec<Span>,
    next_string: usize,
    types: Vec<Span>,
}

/// A value with values in it.
#[derive(Clone, Copy)]
struct Container {
    kind: ContainerKind,
    /// How many are still to be read.
    left: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum ContainerKind {
    /// A value after the other.
    List,
    /// A string after the other, without tokens.
    Strings,
    /// Each value with its number before it.
    Sparse,
    /// Each value with its key before it.
    Table,
}

/// A value without values in it.
enum Scalar {
    Null,
    Empty,
    Bytes(Span),
    Number(u64),
    Signed(i64),
    Boolean(bool),
    Real(f64),
    Colour(u32),
    /// A length and its unit.
    Unit(f64, u32),
}

enum Token {
    Container(Container),
    Scalar(Scalar),
}

impl Walk<'_, '_> {
    /// Reads a value that these nodes stand for. `depth` counts the values it lies in.
    fn value(&mut self, at: &[u32], depth: usize) -> Result<(), Stop> {
        let tree = self.tree;
        self.notes.replace(tree, at);
        match self.token()? {
            Token::Scalar(scalar) => {
                let raw = self.raw(&scalar);
                self.notes.note(tree, at, raw);
                Ok(())
            }
            Token::Container(container) => {
                self.notes.note(tree, at, Raw::NotScalar);
                let wanted = match container.kind {
                    ContainerKind::Table => tree.wants_properties(at),
                    _ => tree.wanted_elements(at) > 0,
                };
                if !wanted {
                    return self.skip(container, depth + 1);
                }
                if depth + 1 > self.depth {
                    return Err(self.stop("nested too deeply"));
                }
                match container.kind {
                    ContainerKind::Table => self.table(at, container.left, depth + 1),
                    kind => self.list(at, kind, container.left, depth + 1),
                }
            }
        }
    }

    fn list(&mut self, at: &[u32], kind: ContainerKind, length: u64, depth: usize) -> Result<(), Stop> {
        let tree = self.tree;
        let mut below = Positions::new();
        for place in 0..length {
            let number = if kind == ContainerKind::Sparse { self.count()? } else { place };
            // Lengths are of 31 bits.
            let number = number as u32;
            self.notes.element_number(tree, at, number);
            tree.element(at, number, &mut below);
            if kind == ContainerKind::Strings {
                let text = self.string()?;
                self.notes.replace(tree, &below);
                self.notes.note(tree, &below, Raw::Plain(text));
            } else if below.is_empty() {
                self.skip_value(depth)?;
            } else {
                self.value(&below, depth)?;
            }
        }
        Ok(())
    }

    fn table(&mut self, at: &[u32], length: u64, depth: usize) -> Result<(), Stop> {
        let tree = self.tree;
        let mut below = Positions::new();
        for _ in 0..length {
            below.clear();
            match self.token()? {
                // A key that is no scalar names nothing.
                Token::Container(container) => self.skip(container, depth + 1)?,
                Token::Scalar(key) => {
                    let key = self.raw(&key);
                    match key {
                        Raw::Plain(span) => tree.property(at, self.text(span), &mut below),
                        Raw::Number(number) => tree.property(at, number.to_string().as_bytes(), &mut below),
                        _ => {}
                    }
                    if !matches!(key, Raw::NotScalar) {
                        self.notes.property_name(tree, at, key);
                    }
                }
            }
            if below.is_empty() {
                self.skip_value(depth)?;
            } else {
                self.value(&below, depth)?;
            }
        }
        Ok(())
    }

    fn skip_value(&mut self, depth: usize) -> Result<(), Stop> {
        match self.token()? {
            Token::Scalar(_) => Ok(()),
            Token::Container(container) => self.skip(container, depth + 1),
        }
    }

    /// Skips what is in a container, which is `depth` deep.
    fn skip(&mut self, container: Container, depth: usize) -> Result<(), Stop> {
        let mut open: SmallVec<[Container; 8]> = SmallVec::new();
        let mut next = Some(container);
        loop {
            if let Some(container) = next.take() {
                if depth + open.len() > self.depth {
                    return Err(self.stop("nested too deeply"));
                }
                // Of a table keys and values are skipped alike.
                let twice = if container.kind == ContainerKind::Table { 2 } else { 1 };
                open.push(Container { left: container.left * twice, ..container });
            }
            let Some(innermost) = open.last_mut() else { return Ok(()) };
            if innermost.left == 0 {
                open.pop();
                continue;
            }
            innermost.left -= 1;
            match innermost.kind {
                ContainerKind::Strings => {
                    self.string()?;
                }
                kind => {
                    if kind == ContainerKind::Sparse {
                        self.count()?;
                    }
                    if let Token::Container(inner) = self.token()? {
                        next = Some(inner);
                    }
                }
            }
        }
    }

    /// Reads a token and what belongs to it, up to the first value in it.
    fn token(&mut self) -> Result<Token, Stop> {
        let start = self.position;
        let [token] = self.fixed()?;
        let container = |kind, left| Ok(Token::Container(Container { kind, left }));
        let scalar = match token {
            1 => Scalar::Signed(i16::from_le_bytes(self.fixed()?).into()),
            2 => Scalar::Signed((self.number()? as i32).into()),
            3 => Scalar::Number(self.fixed::<1>()?[0].into()),
            4 => Scalar::Bytes(self.character()?),
            5 => Scalar::Bytes(self.string()?),
            // A point in time: ticks of 100 nanoseconds since the year 1. The upper two bits say in which time zone.
            6 => Scalar::Number(u64::from_le_bytes(self.fixed()?) & (u64::MAX >> 2)),
            7 => Scalar::Real(f64::from_le_bytes(self.fixed()?)),
            8 => Scalar::Real(f32::from_le_bytes(self.fixed()?).into()),
            9 => Scalar::Colour(u32::from_le_bytes(self.fixed()?)),
            10 => Scalar::Number(self.number()?.into()),
            11 => {
                self.kind()?;
                Scalar::Signed((self.number()? as i32).into())
            }
            12 | 28 | 101 => Scalar::Empty,
            15 => return container(ContainerKind::List, 2),
            16 => return container(ContainerKind::List, 3),
            20 => {
                self.kind()?;
                return container(ContainerKind::List, self.count()?);
            }
            21 => return container(ContainerKind::Strings, self.count()?),
            22 => return container(ContainerKind::List, self.count()?),
            23 | 24 => return container(ContainerKind::Table, self.count()?),
            25 => self.kind()?.map_or(Scalar::Null, Scalar::Bytes),
            27 => {
                let length = f64::from_le_bytes(self.fixed()?);
                Scalar::Unit(length, u32::from_le_bytes(self.fixed()?))
            }
            29 => {
                // Hashes of 16 bytes of what a page may post.
                let [version] = self.fixed()?;
                if version != 0 {
                    return Err(Stop::at(start, "unknown token"));
                }
                let hashes = self.count()?;
                self.bytes(hashes * 16)?;
                Scalar::Null
            }
            30 => {
                let text = self.string()?;
                if let Some(place) = self.strings.get_mut(self.next_string) {
                    *place = text;
                } else {
                    self.strings.push(text);
                }
                self.next_string = (self.next_string + 1) % STRINGS;
                Scalar::Bytes(text)
            }
            31 => {
                let [place] = self.fixed()?;
                let text = self.strings.get(usize::from(place));
                Scalar::Bytes(*text.ok_or(Stop::at(start, "refers to a string that is not there"))?)
            }
            40 => {
                self.kind()?;
                Scalar::Bytes(self.string()?)
            }
            50 => {
                let length = self.count()?;
                Scalar::Bytes(self.bytes(length)?)
            }
            60 => {
                self.kind()?;
                self.count()?;
                return container(ContainerKind::Sparse, self.count()?);
            }
            100 => Scalar::Null,
            102 => Scalar::Number(0),
            103 => Scalar::Boolean(true),
            104 => Scalar::Boolean(false),
            _ => return Err(Stop::at(start, "unknown token")),
        };
        Ok(Token::Scalar(scalar))
    }

    /// The name of a type, where it is known: a new one, or one that was named before.
    fn kind(&mut self) -> Result<Option<Span>, Stop> {
        let start = self.position;
        let [token] = self.fixed()?;
        match token {
            41 | 42 => {
                let name = self.string()?;
                if self.types.len() < MOST_TYPES {
                    self.types.push(name);
                }
                Ok(Some(name))
            }
            43 => {
                let place = self.number()? as usize;
                Ok(self.types.get(place).copied())
            }
            _ => Err(Stop::at(start, "unknown token")),
        }
    }

    /// A number in groups of seven bits, the lowest first.
    fn number(&mut self) -> Result<u32, Stop> {
        const LONGEST: usize = 5;
        let start = self.position;
        let mut value = 0;
        for place in 0..LONGEST {
            let [byte] = self.fixed()?;
            value |= u32::from(byte & 0x7f) << (7 * place);
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(Stop::at(start, "number too long"))
    }

    /// How many of something follow.
    fn count(&mut self) -> Result<u64, Stop> {
        let start = self.position;
        match self.number()? {
            count if count > i32::MAX as u32 => Err(Stop::at(start, "negative length")),
            count => Ok(count.into()),
        }
    }

    fn string(&mut self) -> Result<Span, Stop> {
        let length = self.count()?;
        self.bytes(length)
    }

    /// A character in UTF-8.
    fn character(&mut self) -> Result<Span, Stop> {
        let length = match self.input.get(self.position) {
            Some(0xc0..0xe0) => 2,
            Some(0xe0..0xf0) => 3,
            Some(0xf0..) => 4,
            _ => 1,
        };
        self.bytes(length)
    }

    fn bytes(&mut self, length: u64) -> Result<Span, Stop> {
        let start = self.position;
        let rest = self.input.len() - start;
        match usize::try_from(length) {
            Ok(length) if length <= rest => {
                self.position += length;
                Ok(Span { start: start as u32, end: self.position as u32, escaped: false })
            }
            _ => Err(self.stop("ends early")),
        }
    }

    fn fixed<const LENGTH: usize>(&mut self) -> Result<[u8; LENGTH], Stop> {
        let bytes = self.input[self.position..].first_chunk().copied().ok_or(self.stop("ends early"))?;
        self.position += LENGTH;
        Ok(bytes)
    }

    fn stop(&self, reason: &'static str) -> Stop {
        Stop::at(self.position, reason)
    }

    fn text(&self, span: Span) -> &[u8] {
        let range = span.range();
        match range.start.checked_sub(self.input.len()) {
            Some(start) => &self.texts[start..range.end - self.input.len()],
            None => &self.input[range],
        }
    }

    /// What is noted of a scalar. Texts that do not stand in the view state are written behind it.
    fn raw(&mut self, scalar: &Scalar) -> Raw {
        let start = self.input.len() + self.texts.len();
        let written = match scalar {
            Scalar::Null => return Raw::NotScalar,
            Scalar::Bytes(span) => return Raw::Plain(*span),
            Scalar::Number(number) => return Raw::Number(*number),
            Scalar::Signed(number) => match u64::try_from(*number) {
                Ok(number) => return Raw::Number(number),
                Err(_) => write!(self.texts, "{number}"),
            },
            Scalar::Empty => Ok(()),
            Scalar::Boolean(value) => write!(self.texts, "{value}"),
            Scalar::Colour(colour) => write!(self.texts, "#{colour:08X}"),
            Scalar::Real(number) => real(self.texts, *number),
            Scalar::Unit(length, unit) => {
                const UNITS: [&str; 9] = ["px", "pt", "pc", "in", "mm", "cm", "%", "em", "ex"];
                let unit = (*unit as usize).checked_sub(1).and_then(|place| UNITS.get(place)).copied();
                real(self.texts, *length).and_then(|()| write!(self.texts, "{}", unit.unwrap_or_default()))
            }
        };
        // Writing to a vector does not fail.
        debug_assert!(written.is_ok());
        let end = self.input.len() + self.texts.len();
        Raw::Plain(Span { start: start as u32, end: end as u32, escaped: false })
    }
}

/// A number as .NET would show it: with an exponent where it would have very many digits.
fn real(texts: &mut Vec<u8>, number: f64) -> std::io::Result<()> {
    if number == 0.0 || (1e-5..1e15).contains(&number.abs()) {
        write!(texts, "{number}")
    } else {
        write!(texts, "{number:E}")
    }
}
