//! What is wrong with a policy, field by field.

use std::fmt;

use serde::Serialize;

/// One field that cannot be accepted. A refused policy changes nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// Path of the field in the document: `parameters[3].point` (positions from 0).
    pub field: String,
    /// Why, and what would be accepted.
    pub reason: String,
}

impl FieldError {
    pub(crate) fn new(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { field: field.into(), reason: reason.into() }
    }

    /// About one field of the parameter at `position`.
    pub(crate) fn parameter(position: usize, field: &str, reason: impl Into<String>) -> Self {
        Self::new(format!("parameters[{position}].{field}"), reason)
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.field, self.reason)
    }
}

impl std::error::Error for FieldError {}
