//! What grouping says about an exchange: its session, the rule that decided, and why.

use std::borrow::Cow;
use std::fmt;

use threadline_model::SessionId;
use threadline_points::{ParseError, Side};

use crate::fallback::FallbackKind;
use crate::rules::BuiltInRule;
use crate::trace::Trace;

/// A longer value does not work as a grouping key.
pub const MAXIMUM_VALUE_BYTES: usize = 8 * 1024;

/// What kind of rule decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// A grouping key of the policy.
    Configured,
    /// A rule of the built-in set.
    BuiltIn,
    /// A fallback.
    Fallback,
}

/// The rule that decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecidingKey {
    /// A grouping key of the policy, by its position in [`Policy::parameters`](threadline_policy::Policy::parameters).
    Configured {
        /// The position, from 0.
        parameter: usize,
    },
    /// A rule of the built-in set.
    BuiltIn(&'static BuiltInRule),
    /// A fallback. Its values are facts of the exchange (address, User-Agent) and not repeated.
    Fallback(FallbackKind),
}

impl DecidingKey {
    /// Its kind.
    pub const fn kind(&self) -> KeyKind {
        match self {
            Self::Configured { .. } => KeyKind::Configured,
            Self::BuiltIn(_) => KeyKind::BuiltIn,
            Self::Fallback(_) => KeyKind::Fallback,
        }
    }
}

/// The captured value of a key, one part for each of its points. Its `Debug` tells lengths only.
#[derive(Clone, PartialEq, Eq)]
pub enum Parts<'a> {
    /// A fallback stands on facts of the exchange.
    None,
    /// The value of one point.
    One([Cow<'a, [u8]>; 1]),
    /// The values of two points that only count together.
    Two([Cow<'a, [u8]>; 2]),
    /// The values of a composite key.
    Several(Vec<Cow<'a, [u8]>>),
}

impl<'a> Parts<'a> {
    /// The parts in their order.
    pub fn as_slice(&self) -> &[Cow<'a, [u8]>] {
        match self {
            Self::None => &[],
            Self::One(parts) => parts,
            Self::Two(parts) => parts,
            Self::Several(parts) => parts,
        }
    }
}

impl fmt::Debug for Parts<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Parts")?;
        formatter.debug_list().entries(self.as_slice().iter().map(|part| format!("{} bytes", part.len()))).finish()
    }
}

/// Which rule decided, on what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision<'a> {
    /// The rule.
    pub key: DecidingKey,
    /// Its value.
    pub value: Parts<'a>,
    /// The message the value was found in; of several values the response, if one of them was found there.
    pub side: Side,
    /// Whether the API issued the value: all of it was found in a response. What is found in a request may have been made
    /// up by the client.
    pub issued: bool,
}

/// The session that a request alone would belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestSession {
    /// The session.
    pub session: SessionId,
    /// What kind of rule decided it.
    pub kind: KeyKind,
}

/// An exchange's session, and why.
#[derive(Clone, Debug)]
pub struct Grouped<'a> {
    /// The session.
    pub session: SessionId,
    /// The rule that decided.
    pub decision: Decision<'a>,
    /// What became of every configured grouping key.
    pub trace: Trace,
    /// A key before the deciding one may have been missed: its message part was not captured, or a parser stopped
    /// before it.
    pub uncertain: bool,
    /// The request's own session where it is another one (a login that returned a new token, a refresh): the link
    /// from one session to the next.
    pub request: Option<RequestSession>,
    /// What parsers of the built-in set complained about.
    pub parse_errors: Vec<ParseError>,
}
