//! How well an assignment of sessions fits what really happened.
//!
//! A policy tries keys in an order; so does a [`Precedence`]: the first of its rules that an exchange has an
//! identifier for names the *deciding value*. From that follow the two things that must hold, and two figures:
//!
//! * **mixed**: a session that holds exchanges of two actors whose deciding values differ. There must be none.
//! * **split**: the exchanges of one actor with one deciding value on one UTC day, found in more than one session.
//!   There must be none.
//! * **purity**: the share of exchanges that belong to the most frequent actor of their session. Below 1 only where
//!   actors share an identifier (people behind one address before they sign in).
//! * **completeness**: the share of exchanges that are in the main session of their group, a group being one actor,
//!   one deciding value, one UTC day. 1 when nothing is split.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::hash::Hash;

use threadline_model::Timestamp;

use super::{Identifier, IdentifierName, Side, Truth, TruthRecord};

/// One rule of a precedence: an identifier in one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Where the value stands.
    pub name: IdentifierName,
    /// In which message.
    pub side: Side,
}

impl Rule {
    /// A value in the request.
    pub const fn request(name: IdentifierName) -> Self {
        Self { name, side: Side::Request }
    }

    /// A value in the response.
    pub const fn response(name: IdentifierName) -> Self {
        Self { name, side: Side::Response }
    }
}

/// The order in which identifiers decide, as a policy's keys do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Precedence(Vec<Rule>);

impl Precedence {
    /// What grouping does without configured keys, for the identifiers that the simulator uses.
    pub fn built_in() -> Self {
        Self(vec![
            Rule::response(IdentifierName::SessionCookie),
            Rule::request(IdentifierName::SessionCookie),
            Rule::request(IdentifierName::JwtSession),
            Rule::request(IdentifierName::BearerToken),
            Rule::request(IdentifierName::BasicUser),
            Rule::request(IdentifierName::ApiKey),
            Rule::request(IdentifierName::AddressAndAgent),
        ])
    }

    /// Configured keys in their order, then the built-in set.
    pub fn configured(keys: impl IntoIterator<Item = Rule>) -> Self {
        Self(keys.into_iter().chain(Self::built_in().0).collect())
    }

    /// The identifier that decides an exchange.
    pub fn deciding<'r>(&self, record: &'r TruthRecord) -> Option<&'r Identifier> {
        self.first(record, |_| true)
    }

    /// The identifier that would decide if only the request were looked at: a link exists where the session it names
    /// differs from the deciding one.
    pub fn deciding_request<'r>(&self, record: &'r TruthRecord) -> Option<&'r Identifier> {
        self.first(record, |side| side == Side::Request)
    }

    fn first<'r>(&self, record: &'r TruthRecord, wanted: impl Fn(Side) -> bool) -> Option<&'r Identifier> {
        self.0
            .iter()
            .filter(|rule| wanted(rule.side))
            .find_map(|rule| record.identifiers.iter().find(|found| found.name == rule.name && found.side == rule.side))
    }
}

/// A session that holds two actors whose deciding values differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mixed {
    /// The session.
    pub session: String,
    /// The actors in it.
    pub actors: Vec<String>,
}

/// One actor's exchanges with one deciding value in several sessions of one day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    /// The actor.
    pub actor: String,
    /// Where the deciding value stood.
    pub name: IdentifierName,
    /// The sessions.
    pub sessions: Vec<String>,
}

/// The result; `Display` prints the figures on one line.
#[derive(Clone, Debug, PartialEq)]
pub struct Score {
    /// Exchanges that are in both the truth and the assignment.
    pub exchanges: usize,
    /// Answered requests of the truth without a session: lost or shed on the way.
    pub missing: usize,
    /// Trace IDs of the assignment that the truth does not know.
    pub unknown: usize,
    /// Trace IDs that were assigned more than once: stored twice.
    pub repeated: usize,
    /// Sessions that hold any of the exchanges.
    pub sessions: usize,
    /// See above; 1 when there are no exchanges.
    pub purity: f64,
    /// See above; 1 when there are no exchanges.
    pub completeness: f64,
    /// Must be empty.
    pub mixed: Vec<Mixed>,
    /// Must be empty.
    pub split: Vec<Split>,
}

impl fmt::Display for Score {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{} exchanges in {} sessions: purity {:.4}, completeness {:.4}, {} mixed, {} split, {} missing, {} unknown, \
             {} repeated",
            self.exchanges,
            self.sessions,
            self.purity,
            self.completeness,
            self.mixed.len(),
            self.split.len(),
            self.missing,
            self.unknown,
            self.repeated,
        )
    }
}

/// One actor, one deciding value, one day.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Group<'t> {
    actor: &'t str,
    namespace: &'static str,
    value: &'t str,
    day: i32,
}

/// Compares an assignment (trace ID and session) with the truth.
pub fn score<S: fmt::Display + Eq + Hash>(truth: &Truth, precedence: &Precedence, assignment: &[(String, S)]) -> Score {
    let mut session_of: HashMap<&str, &S> = HashMap::with_capacity(assignment.len());
    let mut repeated = 0;
    for (trace_id, session) in assignment {
        if session_of.insert(trace_id, session).is_some() {
            repeated += 1;
        }
    }
    let mut by_session: HashMap<&S, Vec<(&TruthRecord, &Identifier)>> = HashMap::new();
    let mut by_group: BTreeMap<Group<'_>, (IdentifierName, HashMap<&S, usize>)> = BTreeMap::new();
    let (mut exchanges, mut missing) = (0, 0);
    for record in &truth.records {
        let (Some(session), Some(deciding)) =
            (session_of.remove(record.trace_id.as_str()), precedence.deciding(record))
        else {
            missing += usize::from(record.status.is_some());
            continue;
        };
        exchanges += 1;
        by_session.entry(session).or_default().push((record, deciding));
        let group = Group {
            actor: &record.actor,
            namespace: deciding.name.namespace(),
            value: &deciding.value,
            day: Timestamp::from_micros(record.sent_us).day().days(),
        };
        *by_group.entry(group).or_insert_with(|| (deciding.name, HashMap::new())).1.entry(session).or_default() += 1;
    }
    let share = |count: usize| if exchanges == 0 { 1.0 } else { count as f64 / exchanges as f64 };
    let pure: usize = by_session.values().map(|members| most_frequent_actor(members)).sum();
    let complete: usize = by_group.values().filter_map(|(_, sessions)| sessions.values().max()).sum();
    let mut mixed: Vec<Mixed> = by_session
        .iter()
        .filter(|(_, members)| is_mixed(members))
        .map(|(session, members)| Mixed { session: session.to_string(), actors: actors_of(members) })
        .collect();
    mixed.sort_by(|one, other| one.session.cmp(&other.session));
    let split = by_group
        .iter()
        .filter(|(_, (_, sessions))| sessions.len() > 1)
        .map(|(group, (name, sessions))| {
            let mut sessions: Vec<String> = sessions.keys().map(ToString::to_string).collect();
            sessions.sort();
            Split { actor: group.actor.to_owned(), name: *name, sessions }
        })
        .collect();
    Score {
        exchanges,
        missing,
        unknown: session_of.len(),
        repeated,
        sessions: by_session.len(),
        purity: share(pure),
        completeness: share(complete),
        mixed,
        split,
    }
}

fn most_frequent_actor(members: &[(&TruthRecord, &Identifier)]) -> usize {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for (record, _) in members {
        *counts.entry(&record.actor).or_default() += 1;
    }
    counts.into_values().max().unwrap_or(0)
}

/// Whether two actors have deciding values that differ: with several actors in it, a session is clean only if all of
/// its exchanges have one and the same value.
fn is_mixed(members: &[(&TruthRecord, &Identifier)]) -> bool {
    let values: BTreeSet<(&str, &str)> =
        members.iter().map(|(_, deciding)| (deciding.name.namespace(), deciding.value.as_str())).collect();
    values.len() > 1 && actors_of(members).len() > 1
}

fn actors_of(members: &[(&TruthRecord, &Identifier)]) -> Vec<String> {
    members.iter().map(|(record, _)| record.actor.clone()).collect::<BTreeSet<_>>().into_iter().collect()
}
