//! What a check found: where and what. It decides nothing about what happens then.

use std::fmt;

/// One thing that is wrong, or that somebody should look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    place: String,
    message: String,
    error: bool,
}

impl Finding {
    /// Something wrong. `place` is a path, or a crate's name.
    pub(crate) fn error(place: impl Into<String>, message: impl Into<String>) -> Finding {
        Finding { place: place.into(), message: message.into(), error: true }
    }

    /// Something wrong in a line, counted from 1, of a file.
    pub(crate) fn at(path: &str, line: usize, message: impl Into<String>) -> Finding {
        Finding::error(format!("{path}:{line}"), message)
    }

    /// Something to look at; it fails nothing.
    pub(crate) fn warning(place: impl Into<String>, message: impl Into<String>) -> Finding {
        Finding { place: place.into(), message: message.into(), error: false }
    }

    /// Whether the check fails because of it.
    pub(crate) fn is_error(&self) -> bool {
        self.error
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.error { "" } else { "warning: " };
        write!(formatter, "{}: {kind}{}", self.place, self.message)
    }
}
