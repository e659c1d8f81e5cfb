//! Which exchanges a draft puts elsewhere.

use std::collections::HashMap;

use threadline_grouping::{DecidingKey, Grouped, HashText, KeyKind, ParameterHashKey};
use threadline_model::{Exchange, SessionId};
use threadline_points::{Bounds, blank};

use super::TryOutSettings;
use crate::{Sight, Stages};

/// Most examples given.
pub const MAXIMUM_EXAMPLES: usize = 50;
/// Most of them that go from one rule to one other, so that a frequent change does not hide a rare one.
const EXAMPLES_OF_A_KIND: usize = 10;

/// What changes from the policy that holds to the draft.
#[derive(Debug, Default)]
pub struct Changes {
    /// Exchanges that both policies analyse.
    pub compared: u64,
    /// Of these, the ones whose session is another one.
    pub changed: u64,
    /// Exchanges that only the draft analyses.
    pub newly_analysed: u64,
    /// Exchanges that only the policy that holds analyses.
    pub no_longer_analysed: u64,
    /// Some of those that change, in the order of the exchanges; at most [`MAXIMUM_EXAMPLES`].
    pub examples: Vec<Example>,
}

/// An exchange that changes session.
#[derive(Debug)]
pub struct Example {
    /// The exchange; what masks of either policy cover is replaced.
    pub exchange: Exchange,
    /// Its session by the policy that holds.
    pub current: ExampleSession,
    /// Its session by the draft.
    pub draft: ExampleSession,
}

/// The session of an example, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExampleSession {
    /// The session.
    pub session: SessionId,
    /// What kind of rule decided.
    pub kind: KeyKind,
    /// Its name.
    pub key: String,
    /// The keyed hash of the value; none of a fallback, which stands on facts of the exchange.
    pub value: Option<HashText>,
}

/// A policy's sight of an exchange and its decision; none if it passes by.
pub(super) type Seen<'a, 'e> = Option<(&'a Sight<'e>, Grouped<'a>)>;

/// Compares while exchanges are counted.
pub(super) struct Comparison {
    pub(super) changes: Changes,
    /// Examples given, by the names of both rules.
    given: HashMap<(String, String), usize>,
    key: ParameterHashKey,
    bounds: Bounds,
}

impl Comparison {
    pub(super) fn new(settings: TryOutSettings<'_>) -> Self {
        Self {
            changes: Changes::default(),
            given: HashMap::new(),
            key: settings.secret.parameter_key(),
            bounds: settings.bounds,
        }
    }

    /// Compares what the policy that holds and the draft make of an exchange.
    pub(super) fn see(&mut self, exchange: &Exchange, stages: [&Stages; 2], seen: [&Seen<'_, '_>; 2]) {
        let [current, draft] = match seen {
            [Some((_, current)), Some((_, draft))] => [current, draft],
            [None, Some(_)] => return self.changes.newly_analysed += 1,
            [Some(_), None] => return self.changes.no_longer_analysed += 1,
            [None, None] => return,
        };
        self.changes.compared += 1;
        if current.session == draft.session {
            return;
        }
        self.changes.changed += 1;
        if self.changes.examples.len() == MAXIMUM_EXAMPLES {
            return;
        }
        let [current, draft] = [(stages[0], current), (stages[1], draft)].map(|(stages, of)| self.session(stages, of));
        let given = self.given.entry((current.key.clone(), draft.key.clone())).or_default();
        if *given < EXAMPLES_OF_A_KIND {
            *given += 1;
            // What one policy hides is hidden: the other one is only tried out, or is about to go.
            let masks: Vec<_> = stages.iter().flat_map(|stages| stages.policy().masked_in(exchange)).collect();
            let exchange = blank(exchange, &masks, self.bounds);
            self.changes.examples.push(Example { exchange, current, draft });
        }
    }

    fn session(&self, stages: &Stages, grouped: &Grouped<'_>) -> ExampleSession {
        let key = match grouped.decision.key {
            DecidingKey::Configured { parameter } => stages.policy().parameters()[parameter].name.clone(),
            DecidingKey::BuiltIn(rule) => rule.name.to_owned(),
            DecidingKey::Fallback(kind) => kind.as_str().to_owned(),
        };
        let parts = grouped.decision.value.as_slice();
        ExampleSession {
            session: grouped.session,
            kind: grouped.decision.key.kind(),
            key,
            value: (!parts.is_empty()).then(|| self.key.hash(parts)),
        }
    }
}
