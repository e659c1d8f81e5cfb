//! What a plan found in one exchange. Values never show in `Debug` and have no `Serialize`.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use smallvec::SmallVec;

use crate::Side;

/// What became of one point.
#[derive(Clone, Default, PartialEq, Eq)]
pub enum Found<'e> {
    /// A scalar, never empty. Borrowed from the exchange unless it had to be decoded. Strings come without their
    /// quotes and escapes; numbers and booleans as they stand in the document. Not always UTF-8.
    Value(Cow<'e, [u8]>),
    /// There is nothing at this place.
    #[default]
    Absent,
    /// There is an empty value at this place.
    Empty,
    /// There is something at this place, but a mask covers it.
    Masked,
    /// There is null, an object or an array at this place.
    NotScalar,
    /// The value, or something it lies in, could not be parsed up to this place; a [`ParseError`] says why.
    Unparsable,
    /// The place lies in a part of the message that was not captured, or may lie there.
    NotCaptured,
}

impl Found<'_> {
    /// The value, where there is one.
    pub fn value(&self) -> Option<&[u8]> {
        match self {
            Self::Value(value) => Some(value),
            _ => None,
        }
    }
}

impl fmt::Debug for Found<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(value) => write!(formatter, "Value({} bytes)", value.len()),
            Self::Absent => formatter.write_str("Absent"),
            Self::Empty => formatter.write_str("Empty"),
            Self::Masked => formatter.write_str("Masked"),
            Self::NotScalar => formatter.write_str("NotScalar"),
            Self::Unparsable => formatter.write_str("Unparsable"),
            Self::NotCaptured => formatter.write_str("NotCaptured"),
        }
    }
}

/// A part of a message, named as in the points that look at it: `request body`, `request header AUTHORIZATION`.
/// Made from configuration, never from what was captured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessagePart {
    side: Side,
    name: Arc<str>,
}

impl MessagePart {
    pub(crate) fn new(side: Side, part: &str) -> Self {
        Self { side, name: format!("{side} {part}").into() }
    }

    /// The message.
    pub fn side(&self) -> Side {
        self.side
    }

    /// The name, its side included.
    pub fn as_str(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for MessagePart {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.name)
    }
}

/// A parser that stopped before the end of what it was given. Holds no captured text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// Where in the exchange.
    pub part: MessagePart,
    /// The step whose parser stopped: `json`, `jwt` …
    pub parser: &'static str,
    /// Bytes from the start of what the parser was given.
    pub offset: u32,
    /// Why, in a few fixed words.
    pub reason: &'static str,
}

/// What a plan found in one exchange: one entry per point, in the plan's order.
#[derive(Clone, Default)]
pub struct Extracted<'e> {
    pub(crate) found: SmallVec<[Found<'e>; 12]>,
    /// Further values of points that take several, with the point's position.
    pub(crate) more: Vec<(u16, Cow<'e, [u8]>)>,
    pub(crate) errors: Vec<ParseError>,
    /// Values that masks took away.
    masked: Vec<Cow<'e, [u8]>>,
}

impl<'e> Extracted<'e> {
    pub(crate) fn new(
        found: SmallVec<[Found<'e>; 12]>,
        more: Vec<(u16, Cow<'e, [u8]>)>,
        errors: Vec<ParseError>,
    ) -> Self {
        Self { found, more, errors, masked: Vec::new() }
    }

    /// What became of the point at `index` of the plan's list; `Absent` for an index beyond it. Of several values the
    /// first.
    pub fn get(&self, index: usize) -> &Found<'e> {
        self.found.get(index).unwrap_or(&Found::Absent)
    }

    /// What became of every point, in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Found<'e>> {
        self.found.iter()
    }

    /// Every value of the point at `index`, in the order of the message: none, one or, for a point with `all` or
    /// `names`, up to [`crate::Bounds::values`].
    pub fn values(&self, index: usize) -> impl Iterator<Item = &[u8]> {
        let more = self.more.iter().filter(move |(point, _)| usize::from(*point) == index);
        self.get(index).value().into_iter().chain(more.map(|(_, value)| &**value))
    }

    /// Takes the values of a point away: they are masked. What is not there stays as it is.
    pub fn mask(&mut self, index: usize) {
        let Some(found) = self.found.get_mut(index) else { return };
        match std::mem::take(found) {
            Found::Value(value) => self.masked.push(value),
            Found::NotScalar | Found::Empty => {}
            other => {
                *found = other;
                return;
            }
        }
        *found = Found::Masked;
        let taken = self.more.extract_if(.., |(point, _)| usize::from(*point) == index);
        self.masked.extend(taken.map(|(_, value)| value));
    }

    /// The values that masks took away, for the one who must not show them anywhere else.
    pub fn masked_values(&self) -> impl Iterator<Item = &[u8]> {
        self.masked.iter().map(|value| &**value)
    }

    /// Takes a point out, as if it had not been asked for.
    pub fn withdraw(&mut self, index: usize) {
        if let Some(found) = self.found.get_mut(index) {
            *found = Found::Absent;
            self.more.retain(|(point, _)| usize::from(*point) != index);
        }
    }

    /// How many points the plan has.
    pub fn len(&self) -> usize {
        self.found.len()
    }

    /// Whether the plan has no points.
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// The parsers that stopped early; at most [`crate::Bounds::parse_errors`].
    pub fn parse_errors(&self) -> &[ParseError] {
        &self.errors
    }
}

impl fmt::Debug for Extracted<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Extracted")
            .field("found", &self.found)
            .field("more", &self.more.len())
            .field("errors", &self.errors)
            .finish()
    }
}
