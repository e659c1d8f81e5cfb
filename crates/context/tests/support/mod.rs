//! The stages before the exit, shared with the tests of grouping, and what comes out of it.
#![allow(clippy::unwrap_used, dead_code, unused_imports)]

#[path = "../../../grouping/tests/support/mod.rs"]
mod grouping;

pub(crate) use grouping::{base64url, exchange, jwt, policy, secret, whole_policy};
use threadline_context::{Contextual, Selector};
use threadline_grouping::Grouper;
use threadline_model::Exchange;
use threadline_points::{Bounds, Operations, Plan, Scratch};
use threadline_policy::Policy;

/// Takes an exchange through all stages and hands what may leave the node to `look`.
pub(crate) fn select<T>(policy: &Policy, exchange: &Exchange, look: impl FnOnce(&Contextual<'_>) -> T) -> T {
    let mut scratch = Scratch::default();
    let plan = Plan::compile(&policy.points(), Bounds::default()).unwrap();
    let reach = policy.reach(exchange);
    let mut extracted = plan.extract(exchange, &mut scratch);
    policy.restrict(&reach, &mut extracted);
    let grouped = Grouper::new(policy, secret().session_key()).decide(exchange, &reach, &extracted, &mut scratch);
    let selector = Selector::new(policy, secret().parameter_key());
    let spoken = Operations::new(Bounds::default()).unwrap().read(exchange, &mut scratch);
    look(&selector.select(exchange, &extracted, &grouped, &spoken))
}

/// The hash that stands for a value.
pub(crate) fn hash(value: &str) -> String {
    secret().parameter_key().hash(&[value]).as_str().to_owned()
}
