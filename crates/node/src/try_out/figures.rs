//! How a policy puts exchanges in sessions, in figures.

use std::collections::HashMap;
use std::hash::Hash;

use threadline_grouping::{KeyKind, KeyOutcome};

/// What one policy makes of the exchanges.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures {
    /// Exchanges in the analysis: every figure below stands on these.
    pub analysed: u64,
    /// Exchanges that the policy leaves out of the analysis.
    pub passed_by: u64,
    /// Analysed exchanges of which a key may have been missed: a part was not captured, or is damaged.
    pub uncertain: u64,
    /// The grouping keys in their order, then the rules of the built-in set and the fallbacks that decided, each most
    /// exchanges first.
    pub rules: Vec<RuleFigures>,
    /// Distinct sessions.
    pub sessions: u64,
    /// Exchanges of the largest one.
    pub largest_session: u64,
    /// Sessions of one exchange.
    pub single_sessions: u64,
    /// Client addresses of a session; of sessions with a known address.
    pub addresses_of_session: Spread,
    /// Sessions of a client address.
    pub sessions_of_address: Spread,
}

/// What one rule decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleFigures {
    /// What kind of rule.
    pub kind: KeyKind,
    /// A grouping key's name, a built-in rule's, or a fallback's.
    pub key: String,
    /// Exchanges that it decided.
    pub exchanges: u64,
    /// Sessions that have such an exchange.
    pub sessions: u64,
    /// What became of a grouping key, most first; each analysed exchange is in one of them.
    pub outcomes: Vec<(KeyOutcome, u64)>,
}

/// How many of one thing there are to each of another.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Spread {
    /// How many were counted for.
    pub of: u64,
    /// In the middle; of two in the middle, halfway between them. 0 of none.
    pub median: f64,
    /// The most.
    pub most: u64,
}

impl Spread {
    /// How often each key occurs.
    pub(super) fn over<K: Hash + Eq>(keys: impl Iterator<Item = K>) -> Self {
        let mut counts: HashMap<K, u64> = HashMap::new();
        keys.for_each(|key| *counts.entry(key).or_default() += 1);
        let mut counts: Vec<u64> = counts.into_values().collect();
        counts.sort_unstable();
        let Some(most) = counts.last().copied() else { return Self::default() };
        let [below, above] = [counts[(counts.len() - 1) / 2], counts[counts.len() / 2]];
        Self { of: counts.len() as u64, median: (below + above) as f64 / 2.0, most }
    }
}
