//! What to worry about in the keys of a policy, as far as a sample shows it.

use std::collections::HashMap;

use threadline_grouping::KeyOutcome;

use super::Version;
use super::issued::Issued;
use super::tally::{KeyTally, Tally};

/// Clients, told apart by address and user agent, that are too many for one value: they share it.
pub const MANY_CLIENTS: u64 = 20;
/// Exchanges that a key must have decided before its values are called unique, or have been tried on before it is said
/// never to work.
pub const ENOUGH_EXCHANGES: u64 = 20;
/// Values that a key must have had before it is said that the API issued none of them.
pub const ENOUGH_VALUES: u64 = 20;
/// Hundredths of a key's sessions with one exchange only, from which its values are called unique.
pub const MOSTLY_SINGLE: u64 = 90;

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WarningKind {
    /// One value spans very many clients.
    OverMerging,
    /// Nearly all values are unique.
    OverSplitting,
    /// The API issued none of the values: clients may make them up.
    ClientChosen,
    /// It was tried and never worked.
    NeverWorks,
    /// A mask covers its value.
    Masked,
    /// No exchange lies in its scope.
    OutOfScope,
}

impl WarningKind {
    /// As in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OverMerging => "over_merging",
            Self::OverSplitting => "over_splitting",
            Self::ClientChosen => "client_chosen",
            Self::NeverWorks => "never_works",
            Self::Masked => "masked",
            Self::OutOfScope => "out_of_scope",
        }
    }
}

/// Something to worry about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// Whose key.
    pub version: Version,
    /// The key.
    pub key: String,
    /// What is wrong with it.
    pub kind: WarningKind,
    /// What was seen, with its figures and the threshold.
    pub reason: String,
}

/// The warnings of a policy, by the order of its keys.
pub(super) fn of(version: Version, tally: &Tally<'_>, issued: &Issued) -> Vec<Warning> {
    let mut warnings = Vec::new();
    for key in &tally.keys {
        let name = &tally.stages.policy().parameters()[key.parameter].name;
        let mut warn = |kind, reason: Option<String>| {
            warnings.extend(reason.map(|reason| Warning { version, key: name.clone(), kind, reason }));
        };
        warn(WarningKind::OverMerging, over_merging(key));
        warn(WarningKind::OverSplitting, over_splitting(key, tally));
        warn(WarningKind::ClientChosen, client_chosen(key, issued));
        warn(WarningKind::NeverWorks, never_works(key));
        warn(WarningKind::Masked, masked(key));
        warn(WarningKind::OutOfScope, out_of_scope(key, tally));
    }
    warnings
}

fn over_merging(key: &KeyTally) -> Option<String> {
    let mut clients: HashMap<_, u64> = HashMap::new();
    key.clients.iter().for_each(|(session, _)| *clients.entry(session).or_default() += 1);
    let most = clients.values().copied().max().filter(|most| *most >= MANY_CLIENTS)?;
    let merged = clients.values().filter(|clients| **clients >= MANY_CLIENTS).count();
    Some(format!(
        "one value came from {most} clients (address and user agent together), {merged} of {} values from {MANY_CLIENTS} \
         or more: they seem to share it",
        key.rule.sessions.len(),
    ))
}

/// Sessions are judged by all their exchanges: a token that a login returns once is used in requests by another key.
fn over_splitting(key: &KeyTally, tally: &Tally<'_>) -> Option<String> {
    let sessions = key.rule.sessions.len() as u64;
    let single = key.rule.sessions.iter().filter(|session| tally.sessions.get(session) == Some(&1)).count() as u64;
    let is_split = key.rule.exchanges >= ENOUGH_EXCHANGES && single * 100 >= sessions * MOSTLY_SINGLE;
    is_split.then(|| {
        format!(
            "{single} of {sessions} values stand in one exchange only, in {} exchanges that it decided; \
             {MOSTLY_SINGLE} of 100 in {ENOUGH_EXCHANGES} exchanges or more are too many: values hardly repeat",
            key.rule.exchanges,
        )
    })
}

fn client_chosen(key: &KeyTally, issued: &Issued) -> Option<String> {
    issued.never.contains(&key.parameter).then(|| {
        format!(
            "none of {} values stands in any of {} responses looked through (said from {ENOUGH_VALUES} values on): \
             clients may make them up",
            key.rule.sessions.len(),
            issued.responses,
        )
    })
}

/// Exchanges on which it was the key's turn.
fn tried(key: &KeyTally) -> u64 {
    key.outcomes.values().sum::<u64>() - key.outcome(KeyOutcome::NotTried) - key.outcome(KeyOutcome::OutOfScope)
}

fn never_works(key: &KeyTally) -> Option<String> {
    let tried = tried(key);
    (key.rule.exchanges == 0 && tried >= ENOUGH_EXCHANGES)
        .then(|| format!("was tried on {tried} exchanges and never worked (said from {ENOUGH_EXCHANGES} exchanges on)"))
}

fn masked(key: &KeyTally) -> Option<String> {
    let masked = key.outcome(KeyOutcome::Masked);
    (masked > 0).then(|| format!("a mask covered it on {masked} of {} exchanges on which it was tried", tried(key)))
}

fn out_of_scope(key: &KeyTally, tally: &Tally<'_>) -> Option<String> {
    (tally.analysed > 0 && key.outside == tally.analysed)
        .then(|| format!("none of {} exchanges lies in its scope", tally.analysed))
}
