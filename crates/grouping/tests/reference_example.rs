//! The reference example, in all six orders of its three keys. The expected sessions are derived by hand from the rules of grouping.

mod support;

use support::{Stage, exchange, keys};
use threadline_grouping::{KeyKind, Namespace};

const LOGIN_RESPONSE: &str = "response > body > json > property token";
const QUERY: &str = "request > query token";
const REQUEST_BODY: &str = "request > body > json > property token";

const JSON: &str = "content-type: application/json";

/// All orders of the three keys.
fn orders() -> [[&'static str; 3]; 6] {
    let [a, b, c] = [LOGIN_RESPONSE, QUERY, REQUEST_BODY];
    [[a, b, c], [a, c, b], [b, a, c], [b, c, a], [c, a, b], [c, b, a]]
}

#[test]
fn login_body_and_query_are_one_session_in_every_order() {
    let login = exchange(
        &format!("POST /login\n{JSON}\n\n{{\"in\":\"bbb\"}}"),
        &format!("200\n{JSON}\n\n{{\"token\":\"aaa\"}}"),
    );
    let body = exchange(
        &format!("POST /x\n{JSON}\n\n{{\"in\":\"ccc\",\"token\":\"aaa\"}}"),
        &format!("200\n{JSON}\n\n{{\"ok\":1}}"),
    );
    let query = exchange("GET /y?token=aaa", &format!("200\n{JSON}\n\n[]"));
    let none = exchange("GET /z", &format!("200\n{JSON}\n\n{{}}"));
    // The value "aaa" in the namespace that all keys share: the same whichever key found it.
    let session_a = support::key().session(Namespace::Shared, &["aaa"]).to_string();

    for order in orders() {
        let stage = Stage::new(&keys(&order));
        let position = |point: &str| order.iter().position(|key| *key == point).unwrap_or(usize::MAX);
        for (name, exchange, decider) in
            [("login", &login, LOGIN_RESPONSE), ("body", &body, REQUEST_BODY), ("query", &query, QUERY)]
        {
            let grouped = stage.group(exchange);
            assert_eq!(grouped.session, session_a, "{name} by {order:?}");
            assert_eq!(grouped.key, format!("configured {}", position(decider)), "{name} by {order:?}");
            // Exactly one key works on each of the three, so those before it are absent, those after not tried.
            let letter = |key: usize| match key.cmp(&position(decider)) {
                std::cmp::Ordering::Less => 'a',
                std::cmp::Ordering::Equal => 'd',
                std::cmp::Ordering::Greater => 'n',
            };
            assert_eq!(grouped.trace, (0..3).map(letter).collect::<String>(), "{name} by {order:?}");
            assert_eq!(grouped.issued, decider == LOGIN_RESPONSE);
            assert!(!grouped.uncertain);
        }
        let grouped = stage.group(&none);
        assert_eq!((grouped.key.as_str(), grouped.trace.as_str()), ("address", "aaa"), "{order:?}");
        assert_ne!(grouped.session, session_a);
    }
}

/// A response that returns another token than the request sent: the order decides, and the link says so.
#[test]
fn a_refresh_belongs_to_the_first_key_that_works() {
    let refresh = exchange("POST /refresh?token=old", &format!("200\n{JSON}\n\n{{\"token\":\"new\"}}"));
    let session = |value: &str| support::key().session(Namespace::Shared, &[value]).to_string();
    for order in orders() {
        let stage = Stage::new(&keys(&order));
        let grouped = stage.group(&refresh);
        let first = order.iter().find(|key| **key != REQUEST_BODY);
        if first == Some(&LOGIN_RESPONSE) {
            assert_eq!(grouped.session, session("new"), "{order:?}");
            assert_eq!(grouped.request, Some((session("old"), KeyKind::Configured)), "{order:?}");
        } else {
            assert_eq!(grouped.session, session("old"), "{order:?}");
            assert_eq!(grouped.request, None, "{order:?}");
        }
    }
}

#[test]
fn a_login_links_from_the_session_before_it() {
    let stage = Stage::new(&keys(&[LOGIN_RESPONSE, QUERY, REQUEST_BODY]));
    let answer = format!("200\n{JSON}\n\n{{\"token\":\"aaa\"}}");
    let anonymous = stage.group(&exchange("POST /login\nuser-agent: a", &answer));
    let before = stage.group(&exchange("GET /\nuser-agent: a", "200"));
    assert_eq!(anonymous.request, Some((before.session, KeyKind::Fallback)));
    let cookie = stage.group(&exchange("POST /login\ncookie: sid=old", &answer));
    let before = stage.group(&exchange("GET /\ncookie: sid=old", "200"));
    assert_eq!(cookie.request, Some((before.session, KeyKind::BuiltIn)));
}
