//! Traces, uncertainty, fallbacks and limits, and what must hold for any traffic.
#![allow(clippy::unwrap_used)]

mod support;

use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::json;
use support::{Stage, exchange, keys, policy};
use threadline_grouping::{MAXIMUM_VALUE_BYTES, Namespace};
use threadline_model::{CapturedBody, Exchange, ExchangeId, Source};

fn shared(value: &[u8]) -> String {
    support::key().session(Namespace::Shared, &[value]).to_string()
}

#[test]
fn the_trace_tells_what_became_of_every_key() {
    let stage = Stage::new(&keys(&[
        "request > query absent",
        "request > query empty",
        "request > query long",
        "request > body > json > property object",
        "request > query works",
        "request > query later",
    ]));
    let long = "x".repeat(MAXIMUM_VALUE_BYTES + 1);
    let target = format!("POST /?empty=&long={long}&works=v&later=w");
    let grouped =
        stage.group(&exchange(&format!("{target}\ncontent-type: application/json\n\n{{\"object\":{{}}}}"), "200"));
    assert_eq!((grouped.trace.as_str(), grouped.key.as_str()), ("aelsdn", "configured 4"));
    assert!(!grouped.uncertain, "all parts were there to be read");
}

#[test]
fn a_value_works_up_to_its_limit() {
    let stage = Stage::new(&keys(&["request > query a"]));
    for (length, key) in [(MAXIMUM_VALUE_BYTES, "configured 0"), (MAXIMUM_VALUE_BYTES + 1, "address")] {
        assert_eq!(stage.group(&exchange(&format!("GET /?a={}", "x".repeat(length)), "200")).key, key);
    }
}

#[test]
fn a_key_that_may_have_been_missed_makes_the_decision_uncertain() {
    let stage = Stage::new(&keys(&["request > body > json > property a", "request > query b"]));
    let mut uncaptured = exchange("POST /?b=v", "200");
    uncaptured.request.body = CapturedBody::not_captured();
    let grouped = stage.group(&uncaptured);
    assert_eq!((grouped.trace.as_str(), grouped.uncertain), ("cd", true));
    assert_eq!(grouped.session, shared(b"v"), "uncertain is a mark, not another session");

    let damaged = stage.group(&exchange("POST /?b=v\ncontent-type: application/json\n\n{\"x\": tru", "200"));
    assert_eq!((damaged.trace.as_str(), damaged.uncertain), ("pd", true));

    let answered = Stage::new(&keys(&["response > body > json > property a", "request > query b"]));
    let grouped = answered.group(&exchange("POST /?b=v", ""));
    assert_eq!((grouped.trace.as_str(), grouped.uncertain), ("cd", true), "the response never arrived");
    let grouped = answered.group(&exchange("POST /?b=v", "204"));
    assert_eq!((grouped.trace.as_str(), grouped.uncertain), ("ad", false), "it arrived, and is empty");

    let turned = Stage::new(&keys(&["request > query b", "request > body > json > property a"]));
    let grouped = turned.group(&uncaptured);
    assert_eq!((grouped.trace.as_str(), grouped.uncertain), ("dn", false), "an earlier key was not missed");
}

#[test]
fn namespaces_keep_equal_values_apart() {
    let stage = Stage::new(&policy(json!([
        {"name": "a", "point": "request > query a", "group": true, "namespace": "n"},
        {"name": "b", "point": "request > query b", "group": true, "namespace": "n"},
        {"name": "c", "point": "request > query c", "group": true},
    ])));
    let session = |target: &str| stage.group(&exchange(&format!("GET {target}"), "200")).session;
    assert_eq!(session("/?a=v"), session("/?b=v"));
    assert_ne!(session("/?a=v"), session("/?c=v"));
    assert_eq!(session("/?c=v"), shared(b"v"));
}

#[test]
fn configured_keys_come_before_the_built_in_set() {
    let stage = Stage::new(&keys(&["request > query a"]));
    assert_eq!(stage.group(&exchange("GET /?a=v\ncookie: PHPSESSID=w", "200")).session, shared(b"v"));
}

fn client(exchange: Exchange, address: &str) -> Exchange {
    Exchange { client: Some(address.parse().unwrap()), ..exchange }
}

#[test]
fn the_fallback_tells_clients_apart_as_far_as_they_are_known() {
    let stage = Stage::new(&keys(&[]));
    let plain = |agent: &str| exchange(&format!("GET /{agent}"), "200");
    let with = stage.group(&plain("\nuser-agent: a"));
    assert_eq!(with.key, "address and user agent");
    assert_eq!(with.session, stage.group(&plain("\nuser-agent: a\naccept: x")).session);
    assert_ne!(with.session, stage.group(&plain("\nuser-agent: b")).session);
    assert_ne!(with.session, stage.group(&client(plain("\nuser-agent: a"), "203.0.113.8")).session);

    let without = stage.group(&plain(""));
    assert_eq!((without.key.as_str(), &without.session), ("address", &stage.group(&plain("\nuser-agent:")).session));
    let mapped = stage.group(&client(plain(""), "::ffff:203.0.113.7"));
    assert_eq!(mapped.session, without.session, "the same address in its mapped form");

    let mut fingerprinted = plain("\nuser-agent: a");
    fingerprinted.fingerprints.ja4 = Some("t13d1516h2_8daaf6152771_b186095e22b6".into());
    let first = stage.group(&fingerprinted).session;
    fingerprinted.fingerprints.ja4 = Some("t13d1517h2_8daaf6152771_b0da82dd1658".into());
    fingerprinted.fingerprints.ja3 = Some("00000000000000000000000000000000".into());
    assert_eq!(stage.group(&fingerprinted).session, first, "resumption and JA3 change nothing");
    assert_ne!(first, with.session);
}

#[test]
fn clients_of_which_nothing_is_known_never_share_a_session() {
    let stage = Stage::new(&keys(&[]));
    let unknown = |id: u8| Exchange {
        id: ExchangeId::from_bytes([id; 16]),
        client: None,
        ..exchange("GET /\nuser-agent: a", "200")
    };
    let (one, two) = (stage.group(&unknown(1)), stage.group(&unknown(2)));
    assert_eq!(one.key, "exchange");
    assert_ne!(one.session, two.session);

    let file = |id: u8, identity: u8| Exchange {
        source: Source::File { format: "har", identity: [identity; 16] },
        ..unknown(id)
    };
    let (one, two, other) = (stage.group(&file(1, 7)), stage.group(&file(2, 7)), stage.group(&file(1, 8)));
    assert_eq!(one.key, "file");
    assert_eq!(one.session, two.session);
    assert_ne!(one.session, other.session);
}

#[test]
fn debug_shows_no_captured_value() {
    let stage = Stage::new(&keys(&["request > query a"]));
    for request in ["GET /?a=canary", "GET /\ncookie: sid=canary", "GET /\nuser-agent: canary"] {
        let exchange = exchange(request, "200");
        let extracted = stage.extract(&exchange);
        let shown = format!("{:?}", stage.decide(&exchange, &extracted));
        assert!(!shown.contains("canary"), "{shown}");
    }
}

#[test]
fn values_compare_as_bytes() {
    let stage = Stage::new(&keys(&["request > query a > percent"]));
    let session = |value: &str| stage.group(&exchange(&format!("GET /?a={value}"), "200")).session;
    assert_ne!(session("A"), session("a"));
    assert_ne!(session("a%2500"), session("a"), "a NUL byte is a byte");
    assert_ne!(session("%25ff"), session("%25fe"), "foreign bytes are not all one replacement character");
}

static FIVE_KEYS: LazyLock<Stage> = LazyLock::new(|| {
    Stage::new(&keys(&[
        "request > query token",
        "request > header X-KEY",
        "request > header COOKIE > cookie mine",
        "request > path 1",
        "request > body > json > property token",
    ]))
});

fn header_lines() -> impl Strategy<Value = Vec<String>> {
    Just(vec![
        "accept: */*".to_owned(),
        "x-request-id: 1".to_owned(),
        "cookie: theme=dark".to_owned(),
        "cookie: sid=v".to_owned(),
        "referer: https://a/?sid=other".to_owned(),
        "accept-language: de".to_owned(),
        "user-agent: a".to_owned(),
    ])
    .prop_shuffle()
}

proptest! {
    #[test]
    fn the_order_of_unrelated_headers_changes_nothing(lines in header_lines()) {
        let grouped = FIVE_KEYS.group(&exchange(&format!("GET /\n{}", lines.join("\n")), "200"));
        prop_assert_eq!(grouped.session, shared(b"v"));
    }

    #[test]
    fn equal_values_are_one_session_and_different_ones_never(
        one in "[a-z0-9]{1,12}", two in "[a-z0-9]{1,12}",
        places in prop::array::uniform2(prop::sample::select(vec![
            "GET /?token=VALUE",
            "GET /\nx-key: VALUE",
            "GET /\ncookie: mine=VALUE",
            "GET /a/VALUE",
            "POST /\ncontent-type: application/json\n\n{\"token\":\"VALUE\"}",
            "GET /\ncookie: PHPSESSID=VALUE",
        ])),
    ) {
        let session = |place: &str, value: &str| FIVE_KEYS.group(&exchange(&place.replace("VALUE", value), "200")).session;
        prop_assert_eq!(session(places[0], &one) == session(places[1], &two), one == two);
        prop_assert_eq!(session(places[0], &one), session(places[1], &one));
    }

    #[test]
    fn any_header_bytes_are_grouped_without_panic(
        name in prop::sample::select(vec!["cookie", "authorization", "x-api-key", "user-agent", "mcp-session-id"]),
        value in prop::collection::vec(prop_oneof![Just(b';'), Just(b'='), Just(b'.'), 0x20_u8..=0x7e, 0x80_u8..=0xff], 0..64),
        target in "[ -~]{0,40}",
    ) {
        let mut exchange = exchange("GET /", "200");
        let mut headers = http::HeaderMap::new();
        headers.append(name, http::HeaderValue::from_bytes(&value).unwrap());
        exchange.request.headers = threadline_model::CapturedHeaders::new(headers.clone());
        exchange.request.target = threadline_model::CapturedText::new(target.into_bytes());
        if let Some(response) = &mut exchange.response {
            let mut set = http::HeaderMap::new();
            set.append("set-cookie", headers[name].clone());
            response.headers = threadline_model::CapturedHeaders::new(set);
        }
        let grouped = FIVE_KEYS.group(&exchange);
        prop_assert_eq!(&FIVE_KEYS.group(&exchange), &grouped, "the same exchange, the same session");
        prop_assert_eq!(grouped.trace.len(), 5);
    }
}
