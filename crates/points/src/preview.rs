//! What a point selects in an exchange: the bytes, the value, or where it went astray and what stood there instead.
//! Asked with the same plans that grouping uses, so what a preview shows is what a key will see.

use std::borrow::Cow;
use std::fmt;

use threadline_model::{CapturedText, Exchange};

use crate::locate::{self, Selection};
use crate::mask::Masks;
use crate::reading::{self, Names};
use crate::{Bounds, Extracted, Found, ParseError, Plan, PlanError, Point, Scratch, Step};

/// Names shown of what stands where a point went astray.
const NAMES_SHOWN: usize = 32;

/// What a point selects in one exchange. Holds captured values; its `Debug` tells their lengths.
#[derive(Clone)]
pub struct Preview<'e> {
    /// The value, or why there is none; of several values the first.
    pub found: Found<'e>,
    /// Further values of a point with `all` or `names`.
    pub more: Vec<Cow<'e, [u8]>>,
    /// The bytes of the message that the values are, or were decoded out of.
    pub selections: Vec<Selection>,
    /// Where the point went astray, when there is no value.
    pub stop: Option<Stop>,
    /// The parsers that stopped before the end of what they were given.
    pub errors: Vec<ParseError>,
}

/// Where a point went astray.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stop {
    /// The step that leads nowhere, counted as in [`PointError::position`](crate::PointError::position).
    pub step: usize,
    /// What stands there instead.
    pub standing: Standing,
}

/// What stands at a place.
#[derive(Clone, PartialEq, Eq)]
pub enum Standing {
    /// Nothing.
    Nothing,
    /// An object, fields, headers or cookies with these names; `more` of them are left out.
    Names {
        /// The first names, as they stand in the message.
        names: Vec<CapturedText>,
        /// How many more there are at least.
        more: usize,
    },
    /// A list of so many elements.
    Elements(usize),
    /// A text, number or boolean of so many bytes.
    Text(usize),
    /// An empty value.
    Empty,
    /// Null, or an object or list without content.
    Hollow,
    /// Something that a mask covers.
    Masked,
    /// Something that could not be parsed.
    Unparsable,
    /// Something that was not captured.
    NotCaptured,
}

impl fmt::Debug for Standing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Names { names, more } => write!(formatter, "Names({} names)", names.len() + more),
            Self::Elements(count) => write!(formatter, "Elements({count})"),
            Self::Text(bytes) => write!(formatter, "Text({bytes} bytes)"),
            other => formatter.write_str(other.as_str()),
        }
    }
}

impl Standing {
    /// The word in the API.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Names { .. } => "names",
            Self::Elements(_) => "elements",
            Self::Text(_) => "text",
            Self::Empty => "empty",
            Self::Hollow => "hollow",
            Self::Masked => "masked",
            Self::Unparsable => "unparsable",
            Self::NotCaptured => "not_captured",
        }
    }
}

impl fmt::Debug for Preview<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Preview")
            .field("found", &self.found)
            .field("more", &self.more.len())
            .field("selections", &self.selections)
            .field("stop", &self.stop)
            .field("errors", &self.errors)
            .finish()
    }
}

/// Shows what a point selects in an exchange. What `masks` cover is [`Found::Masked`]; its bytes in the message are the
/// caller's to hide (see [`blank`](crate::blank)).
///
/// # Errors
/// When this version does not resolve the point.
pub fn preview<'e>(
    point: &Point,
    masks: &[Point],
    exchange: &'e Exchange,
    bounds: Bounds,
) -> Result<Preview<'e>, PlanError> {
    Plan::compile(std::slice::from_ref(point), bounds)?;
    let walk = Walk::new(point, Masks::of(masks, exchange, bounds), bounds);
    let plan = Plan::compile(&walk.points, bounds)?;
    let extracted = plan.extract(exchange, &mut Scratch::default());
    Ok(walk.read(&extracted, exchange))
}

/// One question of a walk: by its place in the plan.
struct Prefix {
    /// How many steps it has.
    steps: usize,
    /// Where its value stands in the plan's result, if a point may end here.
    value: Option<usize>,
    /// The questions for names below it.
    names: Vec<(usize, Names)>,
}

/// Everything that is asked about one point: each beginning of it, and the names of what stands there.
struct Walk<'p> {
    point: &'p Point,
    masks: Masks<'p>,
    points: Vec<Point>,
    prefixes: Vec<Prefix>,
}

impl<'p> Walk<'p> {
    fn new(point: &'p Point, masks: Masks<'p>, bounds: Bounds) -> Self {
        let mut walk = Self { point, masks, points: Vec::new(), prefixes: Vec::new() };
        for length in 0..=point.steps().len() {
            let steps = &point.steps()[..length];
            let value = reading::resolved(point.side(), steps.to_vec(), bounds).map(|prefix| walk.ask(prefix));
            // What is below several places is no one's names.
            let several = steps.iter().any(|step| matches!(step, Step::All | Step::Names));
            let mut names = Vec::new();
            if !several {
                for question in reading::names_after(point.side(), steps, bounds) {
                    if reading::shows_names(point.side(), steps, &question.point, &walk.masks) {
                        names.push((walk.ask(question.point.clone()), question));
                    }
                }
            }
            walk.prefixes.push(Prefix { steps: length, value, names });
        }
        walk
    }

    fn ask(&mut self, point: Point) -> usize {
        self.points.push(point);
        self.points.len() - 1
    }

    fn read<'e>(&self, extracted: &Extracted<'e>, exchange: &'e Exchange) -> Preview<'e> {
        let asked = self.prefixes.last().and_then(|prefix| prefix.value);
        let found = asked.map_or(Found::Absent, |asked| self.found(extracted, asked));
        let selections = match (&found, asked) {
            (Found::Value(_), Some(asked)) => self.selections(extracted, exchange, asked),
            (Found::NotScalar | Found::Masked, _) => self.enclosing(extracted, exchange).into_iter().collect(),
            _ => Vec::new(),
        };
        let more = match (&found, asked) {
            (Found::Value(_), Some(asked)) => {
                extracted.values(asked).skip(1).map(|value| Cow::Owned(value.to_vec())).collect()
            }
            _ => Vec::new(),
        };
        let stop = found.value().is_none().then(|| self.stop(extracted, &found));
        Preview { found, more, selections, stop, errors: extracted.parse_errors().to_vec() }
    }

    /// What was found at a question, masks applied.
    fn found<'e>(&self, extracted: &Extracted<'e>, asked: usize) -> Found<'e> {
        match extracted.get(asked) {
            Found::Value(_) | Found::NotScalar if self.masks.hiding(&self.points[asked]).next().is_some() => {
                Found::Masked
            }
            found => found.clone(),
        }
    }

    /// Where each value stands: by itself, or within what it was decoded out of.
    fn selections(&self, extracted: &Extracted<'_>, exchange: &Exchange, asked: usize) -> Vec<Selection> {
        let mut selections: Vec<Selection> = Vec::new();
        let Some(first) = self.point.steps().first() else { return selections };
        for value in extracted.values(asked) {
            let located = locate::slice(exchange, self.point.side(), first, value);
            let selection = match located {
                Some((part, range)) => Some(Selection { side: self.point.side(), part, range, exact: true }),
                None => self.enclosing(extracted, exchange),
            };
            selections.extend(selection.filter(|selection| !selections.contains(selection)));
        }
        selections
    }

    /// The longest beginning of the point whose value stands in the message as it is, or the part that is known to
    /// hold it.
    fn enclosing(&self, extracted: &Extracted<'_>, exchange: &Exchange) -> Option<Selection> {
        let first = self.point.steps().first()?;
        let side = self.point.side();
        let located = self.prefixes.iter().rev().filter_map(|prefix| prefix.value).find_map(|asked| {
            let value = extracted.get(asked).value()?;
            locate::slice(exchange, side, first, value)
        });
        let (part, range) = located.or_else(|| locate::enclosing(exchange, self.point))?;
        // A status has no bytes of its own in what was captured; all of it was asked for.
        let exact = part == locate::SelectedPart::Status && self.prefixes.len() == 2;
        Some(Selection { side, part, range, exact })
    }

    /// The first step that leads nowhere.
    fn stop(&self, extracted: &Extracted<'_>, found: &Found<'_>) -> Stop {
        let end = self.prefixes.len() - 1;
        let first_with = |wanted: &Found<'_>| {
            let same = |prefix: &&Prefix| {
                prefix.value.is_some_and(|asked| {
                    std::mem::discriminant(&self.found(extracted, asked)) == std::mem::discriminant(wanted)
                })
            };
            self.prefixes.iter().find(same).map_or(end, |prefix| prefix.steps)
        };
        match found {
            Found::Masked => Stop { step: first_with(found), standing: Standing::Masked },
            Found::Unparsable => Stop { step: first_with(found), standing: Standing::Unparsable },
            Found::NotCaptured => Stop { step: first_with(found), standing: Standing::NotCaptured },
            Found::Empty => Stop { step: first_with(found), standing: Standing::Empty },
            Found::NotScalar => Stop { step: end, standing: self.standing(extracted, &self.prefixes[end]) },
            Found::Value(_) | Found::Absent => {
                let reached = self.prefixes[..end].iter().rev().find(|prefix| self.is_there(extracted, prefix));
                match reached {
                    Some(prefix) => Stop { step: prefix.steps + 1, standing: self.standing(extracted, prefix) },
                    None => Stop { step: 1, standing: Standing::Nothing },
                }
            }
        }
    }

    /// Whether something stands after the prefix's steps.
    fn is_there(&self, extracted: &Extracted<'_>, prefix: &Prefix) -> bool {
        let value = prefix.value.map(|asked| extracted.get(asked));
        matches!(value, Some(Found::Value(_) | Found::NotScalar))
            || prefix.names.iter().any(|(asked, _)| extracted.get(*asked).value().is_some())
    }

    fn standing(&self, extracted: &Extracted<'_>, prefix: &Prefix) -> Standing {
        let value = prefix.value.map(|asked| self.found(extracted, asked));
        let next = self.point.steps().get(prefix.steps).map(Step::kind);
        // First what the next step asks about (a cookie's name among the cookies), then whatever else has names.
        let asked = |fits: bool| {
            prefix.names.iter().filter(move |(_, question)| (next == Some(question.kind)) == fits).find_map(
                |(asked, question)| {
                    let names: Vec<&[u8]> = extracted.values(*asked).collect();
                    (!names.is_empty()).then(|| Self::named(&names, question))
                },
            )
        };
        if let Some(standing) = asked(true) {
            return standing;
        }
        match value {
            Some(Found::Value(text)) => Standing::Text(text.len()),
            // The message itself has many things with names; those of another kind are no answer.
            None if prefix.steps == 0 => Standing::Nothing,
            None | Some(Found::NotScalar) => asked(false).unwrap_or(Standing::Hollow),
            Some(Found::Masked) => asked(false).unwrap_or(Standing::Masked),
            Some(Found::Empty) => Standing::Empty,
            Some(Found::Absent) => Standing::Nothing,
            Some(Found::Unparsable) => Standing::Unparsable,
            Some(Found::NotCaptured) => Standing::NotCaptured,
        }
    }

    fn named(names: &[&[u8]], question: &Names) -> Standing {
        if question.are_numbers() {
            return Standing::Elements(names.len());
        }
        let mut distinct: Vec<CapturedText> = Vec::new();
        for name in names {
            if distinct.len() <= NAMES_SHOWN && distinct.iter().all(|known| known.as_bytes() != *name) {
                distinct.push(CapturedText::new(name.to_vec()));
            }
        }
        let more = distinct.len().saturating_sub(NAMES_SHOWN);
        distinct.truncate(NAMES_SHOWN);
        Standing::Names { names: distinct, more }
    }
}
