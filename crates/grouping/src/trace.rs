//! Why an exchange is in its session: what became of every configured grouping key, in one letter each.
//!
//! The letters are stored with every exchange and read by later versions, so their meaning never changes.

use std::fmt;

use threadline_policy::MAXIMUM_PARAMETERS;

/// What became of one configured grouping key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyOutcome {
    /// `d`: its value is the session's.
    Decided,
    /// `a`: there is no such value.
    Absent,
    /// `e`: the value is empty.
    Empty,
    /// `m`: a mask covers the value.
    Masked,
    /// `l`: the value is longer than [`MAXIMUM_VALUE_BYTES`](crate::MAXIMUM_VALUE_BYTES).
    TooLong,
    /// `s`: what stands there is not a scalar.
    NotScalar,
    /// `o`: the key does not apply to this exchange.
    OutOfScope,
    /// `p`: a parser stopped before the value.
    Unparsable,
    /// `c`: the message part was not captured, or not so far.
    NotCaptured,
    /// `n`: an earlier key had decided.
    NotTried,
}

impl KeyOutcome {
    const ALL: [Self; 10] = [
        Self::Decided,
        Self::Absent,
        Self::Empty,
        Self::Masked,
        Self::TooLong,
        Self::NotScalar,
        Self::OutOfScope,
        Self::Unparsable,
        Self::NotCaptured,
        Self::NotTried,
    ];

    /// Its letter in a [`Trace`].
    pub const fn letter(self) -> char {
        match self {
            Self::Decided => 'd',
            Self::Absent => 'a',
            Self::Empty => 'e',
            Self::Masked => 'm',
            Self::TooLong => 'l',
            Self::NotScalar => 's',
            Self::OutOfScope => 'o',
            Self::Unparsable => 'p',
            Self::NotCaptured => 'c',
            Self::NotTried => 'n',
        }
    }

    /// Its name in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Decided => "decided",
            Self::Absent => "absent",
            Self::Empty => "empty",
            Self::Masked => "masked",
            Self::TooLong => "too_long",
            Self::NotScalar => "not_scalar",
            Self::OutOfScope => "out_of_scope",
            Self::Unparsable => "unparsable",
            Self::NotCaptured => "not_captured",
            Self::NotTried => "not_tried",
        }
    }

    /// The outcome a letter stands for.
    pub fn from_letter(letter: char) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.letter() == letter)
    }
}

/// The name of the outcome that a letter of a stored trace stands for; `None` for a letter this version does not know.
pub fn trace_outcome(letter: char) -> Option<&'static str> {
    KeyOutcome::from_letter(letter).map(KeyOutcome::as_str)
}

/// One letter for each configured grouping key, in the policy's order.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Trace {
    letters: [u8; MAXIMUM_PARAMETERS],
    length: usize,
}

impl Trace {
    pub(crate) const fn new() -> Self {
        Self { letters: [0; MAXIMUM_PARAMETERS], length: 0 }
    }

    /// Notes the next key. A policy has no more keys than there is room for; one too many would not be noted.
    pub(crate) fn push(&mut self, outcome: KeyOutcome) {
        if let Some(slot) = self.letters.get_mut(self.length) {
            *slot = outcome.letter() as u8;
            self.length += 1;
        }
    }

    /// The letters, as stored.
    pub fn as_str(&self) -> &str {
        // Only letters of `KeyOutcome` are ever pushed.
        std::str::from_utf8(&self.letters[..self.length]).unwrap_or_default()
    }

    /// The outcomes, one for each configured grouping key.
    pub fn outcomes(&self) -> impl Iterator<Item = KeyOutcome> {
        self.as_str().chars().filter_map(KeyOutcome::from_letter)
    }
}

impl fmt::Debug for Trace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Trace({})", self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_and_names_are_told_apart_and_read_back() {
        let mut trace = Trace::new();
        for outcome in KeyOutcome::ALL {
            trace.push(outcome);
            assert_eq!(trace_outcome(outcome.letter()), Some(outcome.as_str()));
        }
        assert_eq!(trace.as_str(), "daemlsopcn", "stored traces depend on these letters");
        assert!(trace.outcomes().eq(KeyOutcome::ALL));
        assert_eq!(trace_outcome('?'), None);
    }

    #[test]
    fn there_is_room_for_every_parameter_a_policy_can_have() {
        let mut trace = Trace::new();
        for _ in 0..MAXIMUM_PARAMETERS + 1 {
            trace.push(KeyOutcome::Absent);
        }
        assert_eq!(trace.as_str(), "a".repeat(MAXIMUM_PARAMETERS));
    }
}
