//! The model: whatever the policy and the traffic, the stages decide what the rules of grouping say when they are read
//! literally. The reference here resolves each point by itself, with a plan of its own, judges scopes and masks in the
//! plainest way, and knows the rules of the built-in set that the generated traffic can meet.
#![allow(clippy::unwrap_used)]

mod support;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Value, json};
use support::reference::{Decision, Reference};
use support::{secret, traffic};
use threadline_grouping::DecidingKey;
use threadline_model::{Exchange, Timestamp};
use threadline_node::Stages;
use threadline_points::{Bounds, Scratch};
use threadline_policy::{Policy, PolicyDocument};
use threadline_traffic::generate::MixedStream;

/// What the stages make of an exchange; `None` when it passes by.
fn decided(stages: &Stages, exchange: &Exchange, scratch: &mut Scratch) -> Option<Decision> {
    let sight = stages.look(exchange, scratch)?;
    let grouped = stages.group(exchange, &sight, scratch);
    Some(Decision {
        session: grouped.session,
        key: match grouped.decision.key {
            DecidingKey::Configured { parameter } => stages.policy().parameters()[parameter].name.clone(),
            DecidingKey::BuiltIn(rule) => rule.name.to_owned(),
            DecidingKey::Fallback(kind) => kind.as_str().to_owned(),
        },
        trace: grouped.trace.as_str().to_owned(),
        uncertain: grouped.uncertain,
        request: grouped.request.map(|request| request.session),
    })
}

/// One plan, one grouper and one scratch for all exchanges, as in a worker.
fn agree(document: Value, exchanges: &[Exchange]) -> Result<(), TestCaseError> {
    let document: PolicyDocument = serde_json::from_value(document).unwrap();
    let policy = match Policy::validate(1, document.clone()) {
        Ok(policy) => policy,
        Err(errors) => return Err(TestCaseError::reject(errors[0].to_string())),
    };
    let stages = Stages::compile(&policy, secret(), Bounds::default()).unwrap();
    let reference = Reference::new(&document);
    let mut scratch = Scratch::default();
    for exchange in exchanges {
        let (fast, slow) = (decided(&stages, exchange, &mut scratch), reference.decide(exchange));
        let request = &exchange.request;
        let target = String::from_utf8_lossy(request.target.as_bytes()).chars().take(100).collect::<String>();
        prop_assert_eq!(fast, slow, "{} {:?} {:?}", target, request.headers.as_map(), document);
    }
    Ok(())
}

// ---- policies --------------------------------------------------------------------------------------------------

const KEYS: [&str; 26] = [
    "request > query a",
    "request > query a > lower",
    "request > query > all",
    "request > query token",
    "request > query sid",
    "request > path 0",
    "request > path 1",
    "request > uri",
    "request > host",
    "request > header X-KEY",
    "request > header HOST",
    "request > header USER-AGENT",
    "request > header X-SESSION-ID",
    "request > header AUTHORIZATION",
    "request > header AUTHORIZATION > bearer",
    "request > header AUTHORIZATION > jwt payload > property sub",
    "request > header COOKIE > cookie sid",
    "request > body > json > property token",
    "request > body > json > property user > property id",
    "request > body > json > property list > index 1",
    "request > body > form > property a",
    "response > body > json > property token",
    "response > body > json > property token > lower",
    "response > header X-TOKEN",
    "response > header SET-COOKIE > cookie sid",
    "response > body",
];

const MORE_MASKS: [&str; 5] = [
    "request > remote_addr",
    "request > body > json",
    "request > header COOKIE",
    "request > body",
    "request > header X-API-KEY",
];

fn scope() -> BoxedStrategy<Value> {
    let some = |entries: Vec<&'static str>| {
        let most = entries.len().min(2);
        prop_oneof![3 => Just(Vec::new()), 1 => subsequence(entries, 1..=most)]
    };
    let lists = (
        some(vec!["shop", "admin", "default"]),
        some(vec!["shop.example", "*.shop.example", "api.shop.example:443", "other.example"]),
        some(vec!["/api", "/admin", "/api/*/1", "/**/login", "/"]),
        some(vec!["GET", "POST"]),
    );
    let scope = lists.prop_map(|(applications, hosts, paths, methods)| {
        json!({"applications": applications, "hosts": hosts, "paths": paths, "methods": methods})
    });
    prop_oneof![2 => Just(json!({})), 1 => scope].boxed()
}

fn parameter() -> BoxedStrategy<Value> {
    let with = prop_oneof![4 => Just(Vec::new()), 1 => subsequence(KEYS.to_vec(), 1..=2)];
    let namespace = prop_oneof![4 => Just(Value::Null), 1 => select(vec!["n", "m"]).prop_map(Value::from)];
    (select(KEYS.to_vec()), with, namespace, scope(), prop::bool::weighted(0.85))
        .prop_map(|(point, with, namespace, scope, group)| match group {
            true => json!({"point": point, "with": with, "namespace": namespace, "scope": scope, "group": true}),
            false => json!({"point": point, "scope": scope}),
        })
        .boxed()
}

fn document() -> BoxedStrategy<Value> {
    let applications = json!([
        {"id": "admin", "hosts": ["*.shop.example", "shop.example"], "paths": ["/admin", "/**/login"]},
        {"id": "shop", "hosts": ["*.shop.example"]},
    ]);
    let masked = select([&KEYS[..], &MORE_MASKS[..]].concat());
    let mask = (masked, scope()).prop_map(|(point, scope)| json!({"point": point, "scope": scope}));
    let analysed = prop_oneof![5 => Just(json!({})), 1 => scope()];
    (vec(parameter(), 0..8), vec(mask, 0..3), analysed)
        .prop_map(move |(mut parameters, masks, analysed)| {
            for (number, parameter) in parameters.iter_mut().enumerate() {
                parameter["name"] = json!(format!("key {number}"));
            }
            json!({"applications": applications, "analysed": analysed, "masks": masks, "parameters": parameters})
        })
        .boxed()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, max_global_rejects: 4_000, ..ProptestConfig::default() })]

    #[test]
    fn the_stages_decide_what_the_rules_say(document in document(), exchanges in vec(traffic::exchange(), 1..12)) {
        agree(document, &exchanges)?;
    }

    #[test]
    fn and_so_they_do_on_simulated_traffic(document in document(), seed in 0..1_000_u64) {
        let start = Timestamp::from_micros(1_795_392_000_000_000);
        let exchanges: Vec<Exchange> = MixedStream::new(seed, start).take(40).map(|(exchange, _)| exchange).collect();
        agree(document, &exchanges)?;
    }
}
