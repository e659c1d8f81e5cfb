//! What a draft would have decided of the traffic that is stored. Stored are the parameters that exchanges were exported
//! with, so the shares of a draft's keys can be told where its keys are parameters of the policy that holds, whatever
//! their order and whether they were keys; everything else needs the messages, which are not stored.

use serde::Serialize;
use threadline_model::MICROS_PER_DAY;
use threadline_policy::{Parameter, Policy};
use threadline_store::{FirstParameterCount, StoreError};
use utoipa::ToSchema;

use super::answers::Range;
use super::query::ending;
use crate::hub::Inner;
use crate::problem::Problem;

/// What a rule decides of the stored exchanges.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct TriedShare {
    /// `configured`, `builtin`, `fallback`, or `unknown`: none of the draft's keys works, and whether the built-in set
    /// does is not stored.
    kind: String,
    /// The rule's name; empty when unknown.
    key: String,
    /// Exchanges that it decides.
    exchanges: u64,
    /// Their share of `exchanges`, 0 to 1.
    share: f64,
}

/// Shares of the exchanges that are stored.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TriedStored {
    /// The last 24 hours.
    range: Range,
    /// The exchanges in it that the version that holds has grouped: every share stands on these. Those of other versions
    /// may have been exported with other parameters.
    exchanges: u64,
    /// By the policy that holds.
    current: Vec<TriedShare>,
    /// By the draft; empty when it cannot be told.
    draft: Vec<TriedShare>,
    /// Why the draft's shares cannot be told from what is stored; null when they can.
    #[schema(required)]
    not_told: Option<String>,
    /// What cannot be told from what is stored in any case.
    note: &'static str,
}

/// Values and messages are not stored, or only as hashes.
const NOTE: &str = "Sessions, changes and warnings are told on the sample only: they need the messages, which are not stored. \
                    A value beyond 8 KiB counts here, though no key works with it.";

/// Names of parameters of the policy that holds, in the order of the draft's keys.
fn order(current: &Policy, draft: &Policy) -> Result<Vec<String>, String> {
    if current.masks() != draft.masks() {
        return Err("The masks differ: what they cover or uncover is not stored.".to_owned());
    }
    if current.analysed() != draft.analysed() || current.applications() != draft.applications() {
        return Err(
            "Applications or analysed traffic differ: which exchanges they would take in is not stored.".to_owned()
        );
    }
    let same =
        |key: &Parameter, held: &Parameter| held.point == key.point && held.with == key.with && held.scope == key.scope;
    let keys = draft.parameters().iter().filter(|parameter| parameter.group);
    keys.map(|key| match current.parameters().iter().find(|held| same(key, held)) {
        Some(held) if held.with.is_empty() => Ok(held.name.clone()),
        Some(_) => Err(format!("`{}` has several points, of which only the first is stored.", key.name)),
        None => {
            Err(format!("`{}` is no parameter of the policy that holds, so its values were not exported.", key.name))
        }
    })
    .collect()
}

/// The shares by both policies.
pub(super) async fn shares(hub: &Inner, current: &Policy, draft: &Policy) -> Result<TriedStored, Problem> {
    let range = ending(hub.now(), MICROS_PER_DAY);
    let order = order(current, draft);
    let names = order.clone().unwrap_or_default();
    let counted = match hub.store.first_parameters(range, current.version(), names).await {
        Ok(counted) => counted,
        Err(StoreError::TooSlow { .. }) => {
            let not_told = Some("There is so much stored that counting took too long.".to_owned());
            return Ok(TriedStored {
                range: range.into(),
                exchanges: 0,
                current: Vec::new(),
                draft: Vec::new(),
                not_told,
                note: NOTE,
            });
        }
        Err(error) => return Err(Problem::store(error)),
    };
    let exchanges = counted.iter().map(|count| count.exchanges).sum();
    let by_draft = |_: &Vec<String>| {
        let keys: Vec<&Parameter> = draft.parameters().iter().filter(|parameter| parameter.group).collect();
        summed(draft, &counted, exchanges, |count| match count.first.map(|first| keys.get(usize::from(first))) {
            Some(Some(key)) => ("configured".to_owned(), key.name.clone()),
            _ if count.kind == "configured" => ("unknown".to_owned(), String::new()),
            _ => (count.kind.clone(), count.key.clone()),
        })
    };
    Ok(TriedStored {
        range: range.into(),
        exchanges,
        current: summed(current, &counted, exchanges, |count| (count.kind.clone(), count.key.clone())),
        draft: order.as_ref().map(by_draft).unwrap_or_default(),
        not_told: order.err(),
        note: NOTE,
    })
}

/// The keys of a policy in their order, decided anything or not, then other rules, most exchanges first.
fn summed(
    policy: &Policy,
    counted: &[FirstParameterCount],
    of: u64,
    rule: impl Fn(&FirstParameterCount) -> (String, String),
) -> Vec<TriedShare> {
    let keys = policy.parameters().iter().filter(|parameter| parameter.group);
    let mut sums: Vec<((String, String), u64)> =
        keys.map(|key| (("configured".to_owned(), key.name.clone()), 0)).collect();
    let configured = sums.len();
    for count in counted {
        let rule = rule(count);
        match sums.iter_mut().find(|(known, _)| *known == rule) {
            Some((_, sum)) => *sum += count.exchanges,
            None => sums.push((rule, count.exchanges)),
        }
    }
    sums[configured..].sort_by_key(|(_, sum)| std::cmp::Reverse(*sum));
    sums.into_iter()
        .map(|((kind, key), exchanges)| TriedShare {
            kind,
            key,
            exchanges,
            share: if of == 0 { 0.0 } else { exchanges as f64 / of as f64 },
        })
        .collect()
}
