//! A point: the address of a value inside an exchange, valid by construction.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::PointError;
use crate::rules::{Place, Reached};
use crate::spelling::{self, MAXIMUM_STEPS, MAXIMUM_TEXT_BYTES, WrittenStep};
use crate::step::{Kind, Side, Step, StepForm};

/// The address of a value inside an exchange: a side and the steps from there.
///
/// `Display` writes the text spelling and `FromStr` reads it; serde writes the JSON spelling and reads both.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Point {
    side: Side,
    steps: Box<[Step]>,
}

impl Point {
    /// Builds a point from steps.
    ///
    /// # Errors
    /// When a step may not stand where it does, the last step leads to no value, or the point is too long.
    pub fn new(side: Side, steps: Vec<Step>) -> Result<Self, PointError> {
        if steps.len() > MAXIMUM_STEPS {
            let reason = format!("is one too many: a point has at most {MAXIMUM_STEPS} steps");
            return Err(PointError::new(MAXIMUM_STEPS + 1, steps[MAXIMUM_STEPS].word(), reason));
        }
        let place = walk(side, &steps)?;
        if !place.may_end() {
            let last = steps.last().map_or(side.as_str(), Step::word);
            let reason = match steps.last().and_then(|step| named_form(step.kind())) {
                Some(named) => format!("names nothing yet; write `{named}` for one, or after it may stand"),
                None => "does not lead to a value yet; after it may stand".to_owned(),
            };
            return Err(PointError::new(steps.len(), last, reason).allowing(place.next().map(Kind::shape)));
        }
        let point = Self { side, steps: steps.into_boxed_slice() };
        let bytes = spelling::to_text(point.side, &point.steps).len();
        if bytes > MAXIMUM_TEXT_BYTES {
            let reason = format!("begins a point of {bytes} bytes; at most {MAXIMUM_TEXT_BYTES} are allowed");
            return Err(PointError::new(0, side.as_str(), reason));
        }
        Ok(point)
    }

    /// Reads the text spelling: `request > body > json > property token`.
    ///
    /// # Errors
    /// Names the step that is wrong and lists what may stand there.
    pub fn parse(text: &str) -> Result<Self, PointError> {
        Self::assemble(spelling::from_text(text)?)
    }

    /// Reads the JSON spelling: `["request","body","json",["property","token"]]`.
    ///
    /// # Errors
    /// As [`Point::parse`].
    pub fn from_json(value: &serde_json::Value) -> Result<Self, PointError> {
        Self::assemble(spelling::from_json(value)?)
    }

    /// The JSON spelling.
    pub fn to_json(&self) -> serde_json::Value {
        spelling::to_json(self.side, &self.steps)
    }

    /// Reads the breadcrumb: `REQUEST › BODY › JSON › PROPERTY › token`.
    ///
    /// # Errors
    /// As [`Point::parse`].
    pub fn from_breadcrumb(text: &str) -> Result<Self, PointError> {
        Self::assemble(spelling::from_breadcrumb(text)?)
    }

    /// The elements of the breadcrumb. Joined with ` › ` they are what [`Point::from_breadcrumb`] reads; names that
    /// could be misread are quoted.
    pub fn breadcrumb(&self) -> Vec<String> {
        spelling::to_breadcrumb(self.side, &self.steps)
    }

    /// The message the point looks at.
    pub fn side(&self) -> Side {
        self.side
    }

    /// The steps after the side.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// What may stand after `steps`, for an editor that builds a point step by step.
    ///
    /// # Errors
    /// When `steps` are themselves impossible.
    pub fn allowed_after(side: Side, steps: &[Step]) -> Result<Vec<StepForm>, PointError> {
        Ok(walk(side, steps)?.next().map(Kind::shape).collect())
    }

    /// Whether a point may end after `steps`.
    pub fn may_end_after(side: Side, steps: &[Step]) -> bool {
        walk(side, steps).is_ok_and(Reached::may_end)
    }

    fn assemble(written: Vec<WrittenStep>) -> Result<Self, PointError> {
        let mut written = written.into_iter();
        let sides = [Side::Request, Side::Response];
        let Some(first) = written.next() else {
            return Err(PointError::new(0, "", "is missing; a point starts with one of").allowing(sides));
        };
        let side = Side::from_word(&first.word).filter(|_| first.argument.is_none()).ok_or_else(|| {
            PointError::new(0, &first.shown(), "cannot begin a point; here may stand").allowing(sides)
        })?;
        let mut steps: Vec<Step> = Vec::with_capacity(written.len());
        let mut place = Reached::start(side);
        for (position, written) in (1..).zip(written) {
            let before = steps.last().map_or(side.as_str(), Step::word);
            let step = read_step(position, before, place, &written)?;
            place = place.after(&step).ok_or_else(|| cannot_stand(position, before, place, &written.shown()))?;
            steps.push(step);
        }
        Self::new(side, steps)
    }
}

/// How a step that stands for several things at once is written for one of them: `query NAME` for `query`.
fn named_form(kind: Kind) -> Option<StepForm> {
    if spelling::takes_argument(kind) {
        return None;
    }
    Kind::from_word(kind.word(), true).map(Kind::shape)
}

/// Follows the table from the side along `steps`.
fn walk(side: Side, steps: &[Step]) -> Result<Reached, PointError> {
    let mut place = Reached::start(side);
    for (position, step) in steps.iter().enumerate() {
        let before = position.checked_sub(1).map_or(side.as_str(), |before| steps[before].word());
        let reached = place.after(step).ok_or_else(|| cannot_stand(position + 1, before, place, step.word()))?;
        if let Some(reason) = place.refuses(step) {
            return Err(PointError::new(position + 1, step.word(), reason));
        }
        place = reached;
    }
    Ok(place)
}

fn cannot_stand(position: usize, before: &str, place: Reached, step: &str) -> PointError {
    let cookie = step.split_whitespace().next() == Some(Kind::Cookie.word());
    let hint = match place.place {
        Place::Request if cookie => " (cookies stand under `header COOKIE`)".to_owned(),
        Place::Response if cookie => " (cookies stand under `header SET-COOKIE`)".to_owned(),
        Place::EveryText
        | Place::EveryValue
        | Place::EveryPart
        | Place::EveryMessageValue
        | Place::EveryElement
        | Place::EveryOperation
        | Place::EveryFragment
        | Place::EveryField
        | Place::EveryDirective => {
            Kind::from_word(before, true).map(|kind| format!(" (write `{}` for one)", kind.shape())).unwrap_or_default()
        }
        _ => String::new(),
    };
    PointError::new(position, step, format!("cannot stand after `{before}`{hint}; here may stand"))
        .allowing(place.next().map(Kind::shape))
}

/// Finds the step a word means and reads its argument.
fn read_step(position: usize, before: &str, place: Reached, written: &WrittenStep) -> Result<Step, PointError> {
    let fault = |reason: String| PointError::new(position, &written.shown(), reason);
    if let Some(kind) = Kind::from_word(&written.word, written.argument.is_some()) {
        let argument = written.argument.as_deref().unwrap_or_default();
        // Whether the step may stand here is the more helpful thing to say first.
        if !place.next().any(|candidate| candidate == kind) {
            return Err(cannot_stand(position, before, place, &written.shown()));
        }
        let step = kind.read(argument).map_err(|reason| fault(reason.to_owned()))?;
        return match place.refuses(&step) {
            Some(reason) => Err(fault(reason.to_owned())),
            None => Ok(step),
        };
    }
    match Kind::from_word(&written.word, written.argument.is_none()) {
        Some(kind) if !place.next().any(|candidate| candidate == kind) => {
            Err(cannot_stand(position, before, place, &written.shown()))
        }
        Some(kind) if spelling::takes_argument(kind) => {
            Err(fault("needs something after its word".to_owned()).allowing_kind(kind))
        }
        Some(kind) => Err(fault("takes nothing after its word".to_owned()).allowing_kind(kind)),
        None => {
            Err(fault(format!("is not a step; after `{before}` may stand")).allowing(place.next().map(Kind::shape)))
        }
    }
}

impl PointError {
    fn allowing_kind(mut self, kind: Kind) -> Self {
        self = self.allowing([kind.shape()]);
        self
    }
}

impl fmt::Display for Point {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&spelling::to_text(self.side, &self.steps))
    }
}

impl fmt::Debug for Point {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Point({self})")
    }
}

impl FromStr for Point {
    type Err = PointError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl Serialize for Point {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_json().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Point {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let point = match serde_json::Value::deserialize(deserializer)? {
            serde_json::Value::String(text) => Self::parse(&text),
            other => Self::from_json(&other),
        };
        point.map_err(serde::de::Error::custom)
    }
}
