//! What one policy makes of the exchanges, while they are counted.

use std::collections::hash_map::RandomState;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::BuildHasher as _;
use std::net::IpAddr;

use threadline_grouping::{DecidingKey, Grouped, KeyKind};
use threadline_model::{Exchange, SessionId};
use threadline_points::{Point, Side};
use threadline_policy::Policy;

use super::figures::{Figures, RuleFigures, Spread};
use crate::{Sight, Stages};

/// Counts for one policy. Grows with the exchanges it is shown, a few words for each.
pub(super) struct Tally<'p> {
    pub(super) stages: &'p Stages,
    pub(super) analysed: u64,
    passed_by: u64,
    uncertain: u64,
    /// The grouping keys in their order.
    pub(super) keys: Vec<KeyTally>,
    /// Rules of the built-in set and fallbacks that decided something.
    others: BTreeMap<(Other, &'static str), RuleTally>,
    /// Exchanges of each session.
    pub(super) sessions: HashMap<SessionId, u64>,
    /// Sessions of which one exchange had its deciding value in the response.
    pub(super) issued: HashSet<SessionId>,
    /// The client addresses of each session.
    addresses: HashSet<(SessionId, IpAddr)>,
    /// Of each mask, whether it covers the client's address and its user agent.
    masks: Vec<(bool, bool)>,
    /// Keyed by chance, so that nobody can make values that collide. 64 bits do for so few of them.
    pub(super) hasher: RandomState,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Other {
    BuiltIn,
    Fallback,
}

#[derive(Default)]
pub(super) struct RuleTally {
    pub(super) exchanges: u64,
    /// Sessions of which it decided an exchange.
    pub(super) sessions: HashSet<SessionId>,
}

/// One grouping key.
pub(super) struct KeyTally {
    /// Its position among the policy's parameters.
    pub(super) parameter: usize,
    pub(super) rule: RuleTally,
    /// How often it came out in each way, by the letter of a trace.
    pub(super) outcomes: BTreeMap<char, u64>,
    /// Exchanges out of its scope, whether it was its turn or not.
    pub(super) outside: u64,
    /// The clients of each session that it decided.
    pub(super) clients: HashSet<(SessionId, u64)>,
    /// The parts of the values with which it decided.
    pub(super) parts: HashSet<u64>,
}

impl KeyTally {
    pub(super) fn outcome(&self, outcome: threadline_grouping::KeyOutcome) -> u64 {
        self.outcomes.get(&outcome.letter()).copied().unwrap_or_default()
    }
}

/// Whether all points of a parameter look at the request.
pub(super) fn is_of_request(policy: &Policy, parameter: usize) -> bool {
    let parameter = &policy.parameters()[parameter];
    std::iter::once(&parameter.point).chain(&parameter.with).all(|point| point.side() == Side::Request)
}

impl<'p> Tally<'p> {
    pub(super) fn new(stages: &'p Stages) -> Self {
        let policy = stages.policy();
        let keys = policy.parameters().iter().enumerate().filter(|(_, parameter)| parameter.group);
        let key = |(parameter, _)| KeyTally {
            parameter,
            rule: RuleTally::default(),
            outcomes: BTreeMap::new(),
            outside: 0,
            clients: HashSet::new(),
            parts: HashSet::new(),
        };
        let covers = |mask: &Point, text: &str| Point::parse(text).is_ok_and(|point| mask.overlaps(&point));
        let masks = policy.masks().iter().map(|mask| {
            (covers(&mask.point, "request > remote_addr"), covers(&mask.point, "request > header USER-AGENT"))
        });
        Self {
            stages,
            analysed: 0,
            passed_by: 0,
            uncertain: 0,
            keys: keys.map(key).collect(),
            others: BTreeMap::new(),
            sessions: HashMap::new(),
            issued: HashSet::new(),
            addresses: HashSet::new(),
            masks: masks.collect(),
            hasher: RandomState::new(),
        }
    }

    /// Counts an exchange; `None` for one that passes by.
    pub(super) fn see(&mut self, exchange: &Exchange, seen: Option<(&Sight<'_>, Grouped<'_>)>) {
        let Some((sight, grouped)) = seen else {
            self.passed_by += 1;
            return;
        };
        self.analysed += 1;
        self.uncertain += u64::from(grouped.uncertain);
        let session = grouped.session;
        *self.sessions.entry(session).or_default() += 1;
        if grouped.decision.issued {
            self.issued.insert(session);
        }
        let (address, client) = self.client(exchange, sight);
        if let Some(address) = address {
            self.addresses.insert((session, address));
        }
        for (key, outcome) in self.keys.iter_mut().zip(grouped.trace.outcomes()) {
            *key.outcomes.entry(outcome.letter()).or_default() += 1;
            key.outside += u64::from(sight.reach.is_outside(key.parameter));
        }
        let rule = match grouped.decision.key {
            DecidingKey::Configured { parameter } => {
                let Some(key) = self.keys.iter_mut().find(|key| key.parameter == parameter) else { return };
                key.clients.extend(client.map(|client| (session, client)));
                key.parts.extend(grouped.decision.value.as_slice().iter().map(|part| self.hasher.hash_one(&**part)));
                &mut key.rule
            }
            DecidingKey::BuiltIn(rule) => self.others.entry((Other::BuiltIn, rule.name)).or_default(),
            DecidingKey::Fallback(kind) => self.others.entry((Other::Fallback, kind.as_str())).or_default(),
        };
        rule.exchanges += 1;
        rule.sessions.insert(session);
    }

    /// Where an exchange comes from, and which program of that address sent it; nothing of what is masked. What is
    /// unknown is no client.
    fn client(&self, exchange: &Exchange, sight: &Sight<'_>) -> (Option<IpAddr>, Option<u64>) {
        let masked =
            |fact: fn(&(bool, bool)) -> bool| sight.reach.masks().filter_map(|mask| self.masks.get(mask)).any(fact);
        let address = exchange.client.filter(|_| !masked(|mask| mask.0)).map(|address| address.to_canonical());
        let agent = exchange.request.headers.first("user-agent").filter(|_| !masked(|mask| mask.1));
        (address, address.map(|address| self.hasher.hash_one((address, agent))))
    }

    pub(super) fn figures(self) -> Figures {
        let policy = self.stages.policy();
        let mut rules = Vec::new();
        for key in &self.keys {
            let outcome = |(letter, exchanges): (&char, &u64)| {
                Some((threadline_grouping::KeyOutcome::from_letter(*letter)?, *exchanges))
            };
            let mut outcomes: Vec<_> = key.outcomes.iter().filter_map(outcome).collect();
            outcomes.sort_by_key(|(_, exchanges)| std::cmp::Reverse(*exchanges));
            rules.push(RuleFigures {
                kind: KeyKind::Configured,
                key: policy.parameters()[key.parameter].name.clone(),
                exchanges: key.rule.exchanges,
                sessions: key.rule.sessions.len() as u64,
                outcomes,
            });
        }
        let mut others: Vec<_> = self.others.iter().collect();
        others.sort_by_key(|((other, _), rule)| (*other, std::cmp::Reverse(rule.exchanges)));
        rules.extend(others.into_iter().map(|((other, name), rule)| RuleFigures {
            kind: match other {
                Other::BuiltIn => KeyKind::BuiltIn,
                Other::Fallback => KeyKind::Fallback,
            },
            key: (*name).to_owned(),
            exchanges: rule.exchanges,
            sessions: rule.sessions.len() as u64,
            outcomes: Vec::new(),
        }));
        Figures {
            analysed: self.analysed,
            passed_by: self.passed_by,
            uncertain: self.uncertain,
            rules,
            sessions: self.sessions.len() as u64,
            largest_session: self.sessions.values().copied().max().unwrap_or_default(),
            single_sessions: self.sessions.values().filter(|exchanges| **exchanges == 1).count() as u64,
            addresses_of_session: Spread::over(self.addresses.iter().map(|(session, _)| session)),
            sessions_of_address: Spread::over(self.addresses.iter().map(|(_, address)| address)),
        }
    }
}
