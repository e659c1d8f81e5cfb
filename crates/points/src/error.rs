//! What is wrong with a point or a plan, in words for the person who wrote it. Points are configuration: nothing
//! here ever holds captured data.

use std::fmt;

use threadline_model::escape_for_display;

use crate::Point;

/// Longest excerpt of a step shown in an error, characters.
const SHOWN: usize = 80;

/// Why a spelling is not a valid point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PointError {
    position: usize,
    step: String,
    reason: String,
    allowed: Vec<String>,
}

impl PointError {
    pub(crate) fn new(position: usize, step: &str, reason: impl Into<String>) -> Self {
        Self { position, step: escape_for_display(step.as_bytes(), SHOWN), reason: reason.into(), allowed: Vec::new() }
    }

    pub(crate) fn allowing(mut self, allowed: impl IntoIterator<Item = impl fmt::Display>) -> Self {
        self.allowed = allowed.into_iter().map(|form| form.to_string()).collect();
        self
    }

    /// Which step is wrong, counted from 0; `request` or `response` is step 0.
    pub fn position(&self) -> usize {
        self.position
    }

    /// The step as written, made safe to show and shortened.
    pub fn step(&self) -> &str {
        &self.step
    }

    /// What is wrong with it.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// What may stand there instead (or next, when the point is not finished), where that is the remedy.
    pub fn allowed(&self) -> &[String] {
        &self.allowed
    }
}

impl fmt::Display for PointError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "step {} `{}` {}", self.position + 1, self.step, self.reason)?;
        if self.allowed.is_empty() {
            return Ok(());
        }
        write!(formatter, ": {}", self.allowed.join(", "))
    }
}

impl std::error::Error for PointError {}

/// Why points could not be compiled into a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PlanError {
    /// More points than [`Bounds::points`](crate::Bounds::points).
    TooManyPoints {
        /// How many there are.
        points: usize,
        /// How many there may be.
        bound: usize,
    },
    /// A point decodes more formats inside each other than [`Bounds::MAXIMUM_ROUNDS`](crate::Bounds::MAXIMUM_ROUNDS).
    TooManyRounds {
        /// Position in the list of points, from 0.
        index: usize,
        /// The point.
        point: Point,
        /// How many there may be.
        bound: usize,
    },
}

impl fmt::Display for PlanError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooManyPoints { points, bound } => write!(formatter, "{points} points; at most {bound} are allowed"),
            Self::TooManyRounds { index, point, bound } => write!(
                formatter,
                "point {} `{point}`: more than {bound} formats are decoded inside each other",
                index + 1,
            ),
        }
    }
}

impl std::error::Error for PlanError {}
