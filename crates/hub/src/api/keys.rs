//! How the keys of the policy did over time: figures, what became of each key, and what to worry about.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{RawQuery, State};
use serde::Serialize;
use threadline_points::Side;
use threadline_policy::{Parameter, Policy};
use threadline_store::{KeyFigures, KeyHealth};
use utoipa::ToSchema;

use super::answers::Range;
use super::filters::{FilterParameters, take_filters};
use super::overview::HistogramParameters;
use super::query::QueryParameters;
use super::range::DefaultRange;
use crate::hub::Inner;
use crate::problem::Problem;

/// Fewer exchanges say nothing about a key.
const ENOUGH_EXCHANGES: u64 = 100;
/// Fewer sessions say nothing about a key's values.
const ENOUGH_SESSIONS: u64 = 20;
/// A session with this many client addresses is hardly one client.
const MANY_ADDRESSES: u64 = 50;
/// Hundredths of a key's sessions that have one exchange only, when its values are as good as unique.
const MOSTLY_SINGLE: u64 = 90;
/// The end of the range that is compared with what lies before: one part of so many.
const RECENT_PART: usize = 8;
/// A key has stopped working when it decides less than one of so many of the exchanges that were to be expected …
const STOPPED_FACTOR: f64 = 5.0;
/// … and at least so many were.
const STOPPED_EXPECTED: f64 = 20.0;

/// Something to worry about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct KeyWarning {
    /// `stopped`, `over_merging`, `over_splitting`, `client_chosen`, `never_works` or `masked`.
    kind: &'static str,
    /// What was seen, with its figures.
    reason: String,
}

/// How often a key came out in one way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct KeyOutcome {
    /// `decided`, `absent`, `empty`, `masked`, `too_long`, `not_scalar`, `out_of_scope`, `unparsable`, `not_captured` or
    /// `not_tried`.
    outcome: String,
    /// Exchanges.
    exchanges: u64,
}

/// One rule that decides sessions.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct KeyReport {
    /// A configured key's name, a built-in rule's, or a fallback's.
    key: String,
    /// `configured`, `builtin` or `fallback`.
    kind: String,
    /// A configured key: whether the policy that holds has it still. True for other kinds.
    in_policy: bool,
    /// Exchanges that it decided.
    exchanges: u64,
    /// Sessions that have such an exchange.
    sessions: u64,
    /// Exchanges of a session, on average, whichever rule decided them.
    mean_session: f64,
    /// Most exchanges of one of those sessions.
    largest_session: u64,
    /// Those of the sessions that have one exchange only.
    single_sessions: u64,
    /// Sessions of which no exchange in the range had a value that the API issued.
    never_issued_sessions: u64,
    /// Distinct client addresses.
    addresses: u64,
    /// Most client addresses of one session.
    most_addresses_of_session: u64,
    /// Client addresses of a session, on average.
    mean_addresses_of_session: f64,
    /// Most sessions of one client address.
    most_sessions_of_address: u64,
    /// Sessions of a client address, on average.
    mean_sessions_of_address: f64,
    /// What became of a configured key on the exchanges of the range; most first. Empty for other kinds.
    outcomes: Vec<KeyOutcome>,
    /// Exchanges that it decided in each bar.
    bars: Vec<u64>,
    /// What to worry about; empty when nothing is wrong.
    warnings: Vec<KeyWarning>,
}

/// How the keys did.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct KeyReportList {
    /// The range that was looked at: every figure stands on its exchanges.
    range: Range,
    /// The version of the policy that holds.
    policy_version: u64,
    /// All exchanges of the range.
    exchanges: u64,
    /// All exchanges in each bar.
    bars: Vec<u64>,
    /// The keys of the policy in their order, then other rules that decided, most exchanges first.
    keys: Vec<KeyReport>,
}

/// Look at the health of the keys
///
/// For every rule that decides sessions: how much it decides and for whom, what became of each configured key, and
/// warnings where a key has stopped working, puts very many clients together, or has values that are all but unique.
#[utoipa::path(
    get, path = "/policy/keys", tag = "policy",
    params(FilterParameters, HistogramParameters),
    responses((status = 200, description = "The keys.", body = KeyReportList)),
)]
pub(crate) async fn read_keys(
    State(hub): State<Arc<Inner>>,
    RawQuery(query): RawQuery,
) -> Result<Json<KeyReportList>, Problem> {
    let mut parameters = QueryParameters::parse(query.as_deref())?;
    let asked = parameters.take_range(hub.now());
    let filters = take_filters(&mut parameters);
    let bars = parameters.take_number("bars", 60, 1..=1_000) as u16;
    parameters.finish()?;
    let range = hub.range(asked, DefaultRange::of_list(&filters)).await?;
    let health = hub.store.key_health(range, filters, bars).await.map_err(Problem::store)?;
    let policy = hub.policies.current();
    let outcomes = outcomes_by_name(&hub, &health).await?;
    let mut all = vec![0; usize::from(bars)];
    for (bar, _, exchanges) in &health.bars {
        if let Some(sum) = all.get_mut(usize::from(*bar)) {
            *sum += exchanges;
        }
    }
    let keys = reports(&policy, &health, outcomes, &all);
    Ok(Json(KeyReportList {
        range: range.into(),
        policy_version: policy.version(),
        exchanges: all.iter().sum(),
        bars: all,
        keys,
    }))
}

/// Outcomes by the name of the key: its place means another key in another version.
async fn outcomes_by_name(hub: &Inner, health: &KeyHealth) -> Result<BTreeMap<String, BTreeMap<String, u64>>, Problem> {
    let mut by_name: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
    for count in &health.outcomes {
        let Some(policy) = hub.policies.version(count.policy_version).await? else { continue };
        let Some(key) = keys_of(&policy).nth(usize::from(count.place)) else { continue };
        let Some(outcome) = (hub.settings.trace_outcome)(count.letter) else { continue };
        *by_name.entry(key.name.clone()).or_default().entry(outcome.to_owned()).or_default() += count.exchanges;
    }
    Ok(by_name)
}

fn keys_of(policy: &Policy) -> impl Iterator<Item = &Parameter> {
    policy.parameters().iter().filter(|parameter| parameter.group)
}

fn reports(
    policy: &Policy,
    health: &KeyHealth,
    mut outcomes: BTreeMap<String, BTreeMap<String, u64>>,
    all: &[u64],
) -> Vec<KeyReport> {
    let configured = |figures: &KeyFigures, key: &Parameter| figures.kind == "configured" && figures.key == key.name;
    let mut reports = Vec::new();
    for key in keys_of(policy) {
        let place = health.keys.iter().position(|figures| configured(figures, key));
        let outcomes = outcomes.remove(&key.name).unwrap_or_default();
        reports.push(report(Some(key), place, health, outcomes, all));
    }
    for (place, figures) in health.keys.iter().enumerate() {
        if !keys_of(policy).any(|key| configured(figures, key)) {
            let outcomes = if figures.kind == "configured" { outcomes.remove(&figures.key) } else { None };
            reports.push(report(None, Some(place), health, outcomes.unwrap_or_default(), all));
        }
    }
    reports
}

/// `key` is the policy's that holds; `place` is where its figures stand, if it decided anything.
fn report(
    key: Option<&Parameter>,
    place: Option<usize>,
    health: &KeyHealth,
    outcomes: BTreeMap<String, u64>,
    all: &[u64],
) -> KeyReport {
    let nothing = || KeyFigures {
        key: key.map(|key| key.name.clone()).unwrap_or_default(),
        kind: "configured".to_owned(),
        exchanges: 0,
        sessions: 0,
        exchanges_of_sessions: 0,
        largest_session: 0,
        single_sessions: 0,
        never_issued_sessions: 0,
        addresses: 0,
        most_addresses_of_session: 0,
        addresses_of_sessions: 0,
        most_sessions_of_address: 0,
    };
    let figures = place.and_then(|place| health.keys.get(place)).cloned().unwrap_or_else(nothing);
    let mut bars = vec![0; all.len()];
    for (bar, of, exchanges) in &health.bars {
        if Some(*of as usize) == place
            && let Some(sum) = bars.get_mut(usize::from(*bar))
        {
            *sum = *exchanges;
        }
    }
    let warnings = warnings(key, &figures, &outcomes, &bars, all);
    let mut outcomes: Vec<KeyOutcome> =
        outcomes.into_iter().map(|(outcome, exchanges)| KeyOutcome { outcome, exchanges }).collect();
    outcomes.sort_by_key(|outcome| std::cmp::Reverse(outcome.exchanges));
    let mean = |sum: u64, of: u64| if of == 0 { 0.0 } else { sum as f64 / of as f64 };
    KeyReport {
        in_policy: key.is_some() || figures.kind != "configured",
        mean_session: mean(figures.exchanges_of_sessions, figures.sessions),
        mean_addresses_of_session: mean(figures.addresses_of_sessions, figures.sessions),
        mean_sessions_of_address: mean(figures.addresses_of_sessions, figures.addresses),
        key: figures.key,
        kind: figures.kind,
        exchanges: figures.exchanges,
        sessions: figures.sessions,
        largest_session: figures.largest_session,
        single_sessions: figures.single_sessions,
        never_issued_sessions: figures.never_issued_sessions,
        addresses: figures.addresses,
        most_addresses_of_session: figures.most_addresses_of_session,
        most_sessions_of_address: figures.most_sessions_of_address,
        outcomes,
        bars,
        warnings,
    }
}

/// What to worry about. Only keys of the policy that holds are judged: others cannot be changed.
fn warnings(
    key: Option<&Parameter>,
    figures: &KeyFigures,
    outcomes: &BTreeMap<String, u64>,
    bars: &[u64],
    all: &[u64],
) -> Vec<KeyWarning> {
    let Some(key) = key else { return Vec::new() };
    let mut warnings = Vec::new();
    let mut warn = |kind, reason| warnings.push(KeyWarning { kind, reason });
    if let Some((expected, seen)) = stopped(bars, all) {
        warn("stopped", format!("decided {seen} exchanges lately where about {expected:.0} were to be expected"));
    }
    let outcome = |name: &str| outcomes.get(name).copied().unwrap_or_default();
    let tried: u64 = outcomes
        .iter()
        .filter(|(name, _)| !matches!(name.as_str(), "not_tried" | "out_of_scope"))
        .map(|(_, n)| n)
        .sum();
    if outcome("decided") == 0 && tried >= ENOUGH_EXCHANGES {
        warn("never_works", format!("was tried on {tried} exchanges and never worked"));
    }
    if outcome("masked") > 0 {
        warn("masked", format!("a mask covered it on {} exchanges", outcome("masked")));
    }
    if figures.most_addresses_of_session >= MANY_ADDRESSES {
        let most = figures.most_addresses_of_session;
        warn("over_merging", format!("one value came from {most} client addresses: many clients may share it"));
    }
    let (single, sessions) = (figures.single_sessions, figures.sessions);
    if figures.exchanges >= ENOUGH_EXCHANGES && single.saturating_mul(100) >= sessions.saturating_mul(MOSTLY_SINGLE) {
        warn("over_splitting", format!("{single} of {sessions} sessions have one exchange only: values hardly repeat"));
    }
    let of_request = std::iter::once(&key.point).chain(&key.with).all(|point| point.side() == Side::Request);
    if of_request && sessions >= ENOUGH_SESSIONS && figures.never_issued_sessions == sessions {
        warn(
            "client_chosen",
            format!("the API issued none of {sessions} values in the range: clients may make them up"),
        );
    }
    warnings
}

/// What a key decided in the last part of the range, and what it would have by its share before; `None` unless that is
/// far less.
fn stopped(bars: &[u64], all: &[u64]) -> Option<(f64, u64)> {
    let split = bars.len() - bars.len() / RECENT_PART;
    let (before, recent) = bars.split_at(split);
    let (all_before, all_recent) = all.split_at(split);
    let sum = |bars: &[u64]| bars.iter().sum::<u64>();
    if sum(before) < ENOUGH_EXCHANGES {
        return None;
    }
    let expected = sum(before) as f64 / sum(all_before) as f64 * sum(all_recent) as f64;
    let seen = sum(recent);
    (expected >= STOPPED_EXPECTED && (seen as f64) < expected / STOPPED_FACTOR).then_some((expected, seen))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_stopped_when_it_decides_far_less_than_before() {
        let all = [100; 16];
        let steady = [40; 16];
        assert_eq!(stopped(&steady, &all), None);
        let mut gone = steady;
        gone[14..].fill(0);
        assert_eq!(stopped(&gone, &all), Some((80.0, 0)));
        let mut less = steady;
        less[14..].fill(20);
        assert_eq!(stopped(&less, &all), None, "half of it is no stop");
        let mut quiet = all;
        quiet[14..].fill(1);
        assert_eq!(stopped(&gone, &quiet), None, "hardly any traffic says nothing");
        assert_eq!(stopped(&[1; 16], &all), None, "a key that hardly ever decided says nothing");
        assert_eq!(stopped(&[], &[]), None);
    }
}
