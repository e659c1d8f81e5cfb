//! Every rule of the built-in set, by table; what stands before what; and values that must not count.
#![allow(clippy::unwrap_used)]

mod support;

use std::sync::LazyLock;

use serde_json::json;
use support::{Stage, Summary, exchange, jwt, keys};
use threadline_grouping::{KeyKind, Namespace, built_in_rules};

/// Nothing configured, so the built-in set decides.
static STAGE: LazyLock<Stage> = LazyLock::new(|| Stage::new(&keys(&[])));

fn group(request: &str, response: &str) -> Summary {
    STAGE.group(&exchange(request, response))
}

fn shared(value: &str) -> String {
    support::key().session(Namespace::Shared, &[value]).to_string()
}

/// A request that one rule decides, and the session it must get.
fn case(rule: &str) -> (String, String) {
    let basic = support::base64url(b"alice:secret:with:colons");
    let session = |namespace, parts: &[&str]| support::key().session(namespace, parts).to_string();
    let header = |line: &str| format!("GET /\n{line}");
    let (request, session) = match rule {
        "cookie ASPSESSIONID*" => (header("cookie: ASPSESSIONIDQQABCDEF=v"), shared("v")),
        "cookie _*_session" => (header("cookie: _shop_session=v"), shared("v")),
        "cookie SSESS*" => (header("cookie: SSESS0123456789abcdef0123456789abcdef=v"), shared("v")),
        "cookie SESS*" => (header("cookie: SESS0123456789abcdef0123456789abcdef=v"), shared("v")),
        "cookie wordpress_logged_in_*" => (header("cookie: wordpress_logged_in_0a=v"), shared("v")),
        "cookies CFID and CFTOKEN" => (header("cookie: CFTOKEN=2; CFID=1"), session(Namespace::Shared, &["1", "2"])),
        "authorization JWT sid" => {
            let token = jwt(json!({"iss": "https://id", "sub": "42", "sid": "s"}));
            (header(&format!("authorization: Bearer {token}")), session(Namespace::TokenSession, &["https://id", "s"]))
        }
        "authorization JWT iss and sub" => {
            let token = jwt(json!({"iss": "https://id", "sub": "42"}));
            (header(&format!("authorization: Bearer {token}")), session(Namespace::TokenSubject, &["https://id", "42"]))
        }
        "authorization token" => (header("authorization: Bearer v"), shared("v")),
        "authorization Basic user" => {
            (header(&format!("authorization: Basic {basic}")), session(Namespace::BasicUser, &["alice"]))
        }
        "path jsessionid" => ("GET /a;v=1;JSessionId=v/b?x=1".to_owned(), shared("v")),
        other => match other.split_once(' ').unwrap() {
            ("cookie", name) => (header(&format!("cookie: theme=dark; {name}=v")), shared("v")),
            ("header", name) => (header(&format!("{name}: v")), shared("v")),
            ("query", name) => (format!("GET /a?x=1&{name}=v"), shared("v")),
            _ => panic!("no case for the rule {other}"),
        },
    };
    (request, session)
}

#[test]
fn every_rule_decides_what_it_is_meant_for() {
    for rule in built_in_rules() {
        let (request, session) = case(rule.name);
        let grouped = group(&request, "200");
        assert_eq!((grouped.key.as_str(), grouped.session.as_str()), (rule.name, session.as_str()), "{request}");
        assert_eq!((grouped.issued, grouped.request), (false, None));
    }
}

#[test]
fn rules_are_tried_in_their_order() {
    // Of any two rules, the earlier decides. Cases are merged: headers together, paths and queries together.
    let rules = built_in_rules();
    for (position, first) in rules.iter().enumerate() {
        for second in &rules[position + 1..] {
            let both = [case(first.name).0, case(second.name).0];
            let one_header = |name: &str| both.iter().all(|request| request.contains(name));
            if one_header("authorization:") {
                continue;
            }
            let cookies: Vec<&str> = both.iter().filter_map(|request| request.split("cookie: ").nth(1)).collect();
            let others = both.iter().filter_map(|request| request.split_once('\n')).map(|(_, header)| header);
            let others: Vec<&str> = others.filter(|header| !header.starts_with("cookie: ")).collect();
            let path = if one_header("GET /a?") || !both.concat().contains(";JSessionId") {
                "/a"
            } else {
                "/a;JSessionId=v/b"
            };
            let query: Vec<&str> =
                both.iter().filter_map(|request| request.split_once("x=1&")).map(|(_, field)| field).collect();
            let mut request = format!("GET {path}?{}", query.join("&"));
            if !cookies.is_empty() {
                // The later rule's cookie stands first, so that position alone cannot decide.
                let cookies: Vec<&str> = cookies.into_iter().rev().collect();
                request = format!("{request}\ncookie: {}", cookies.join("; "));
            }
            let request = others.iter().fold(request, |request, header| format!("{request}\n{header}"));
            assert_eq!(group(&request, "200").key, first.name, "{request}");
        }
    }
}

#[test]
fn a_cookie_that_the_response_sets_decides_before_the_one_sent() {
    let login =
        group("POST /login\ncookie: sid=old", "200\nset-cookie: theme=dark\nset-cookie: sid=new; Path=/; HttpOnly");
    assert_eq!((login.session, login.issued), (shared("new"), true));
    assert_eq!(login.request, Some((shared("old"), KeyKind::BuiltIn)));

    let first = group("GET /", "200\nset-cookie: sid=new");
    assert_eq!(first.request.map(|(_, kind)| kind), Some(KeyKind::Fallback));

    let renewed = group("GET /\ncookie: sid=same", "200\nset-cookie: sid=same; Max-Age=60");
    assert_eq!((renewed.session, renewed.request), (shared("same"), None), "the same session on both sides is no link");

    for deletion in ["sid=; Max-Age=0", "sid=x; expires=Thu, 01 Jan 1970 00:00:00 GMT", "sid=deleted"] {
        let logout = group("POST /logout\ncookie: sid=old", &format!("200\nset-cookie: {deletion}"));
        assert_eq!((logout.session, logout.issued), (shared("old"), false), "{deletion}");
    }
    let twice = group("GET /", "200\nset-cookie: sid=one\nset-cookie: sid=two\nset-cookie: sid=; Max-Age=0; Path=/old");
    assert_eq!(twice.session, shared("two"), "a browser keeps the last one");
    let prefixed = group("GET /\ncookie: __Host-sid=v", "200");
    assert_eq!(prefixed.session, shared("v"));
}

#[test]
fn an_earlier_cookie_rule_wins_over_a_later_one_of_the_response() {
    let grouped = group("GET /\ncookie: PHPSESSID=php", "200\nset-cookie: sid=new");
    assert_eq!((grouped.key.as_str(), grouped.session), ("cookie PHPSESSID", shared("php")));
}

#[test]
fn an_mcp_session_begins_with_the_response_that_issues_it() {
    let begun = group("POST /mcp", "200\nmcp-session-id: v");
    let going_on = group("POST /mcp\nMcp-Session-Id: v", "202");
    assert_eq!(begun.session, going_on.session);
    assert_eq!((begun.issued, going_on.issued), (true, false));
    assert_eq!(group("GET /", "200\nx-session-id: v").key, "address", "other session headers are the request's");
}

#[test]
fn equal_secrets_are_one_session_wherever_they_stand() {
    for request in [
        "GET /\ncookie: sid=v1-._~",
        "GET /\nx-session-token: v1-._~",
        "GET /\nx-auth-token: Bearer v1-._~",
        "GET /\nauthorization: Token v1-._~",
        "GET /\nauthorization: v1-._~",
        "GET /\napi-key: v1-._~",
        "GET /;jsessionid=v1-._~",
        "GET /?access_token=v1-._%7E",
        "GET /?a=b&SID=%76%31-._~",
    ] {
        assert_eq!(group(request, "200").session, shared("v1-._~"), "{request}");
    }
}

#[test]
fn claims_that_only_look_like_other_values_are_kept_apart() {
    let bearer = |claims| group(&format!("GET /\nauthorization: Bearer {}", jwt(claims)), "200");
    let sessions = [
        group("GET /\ncookie: sid=42", "200"),
        bearer(json!({"sid": "42"})),
        bearer(json!({"sid": "42", "iss": "a"})),
        bearer(json!({"iss": "a", "sub": "42"})),
        bearer(json!({"iss": "a4", "sub": "2"})),
        group(&format!("GET /\nauthorization: Basic {}", support::base64url(b"42:")), "200"),
    ];
    for (position, one) in sessions.iter().enumerate() {
        assert!(sessions[..position].iter().all(|other| other.session != one.session), "{one:?}");
    }
    let half = jwt(json!({"sub": "42"}));
    let grouped = group(&format!("GET /\nauthorization: Bearer {half}"), "200");
    assert_eq!((grouped.key.as_str(), grouped.session), ("authorization token", shared(&half)), "sub needs its iss");
    let again = bearer(json!({"iss": "a", "sub": "42", "exp": 2}));
    assert_eq!(again.session, sessions[3].session, "a renewed token of the same subject");
}

#[test]
fn a_damaged_token_is_still_the_same_token() {
    let damaged = format!("{}.{}.x", support::base64url(br#"{"alg":"none"}"#), support::base64url(br#"{"sub":"#));
    let grouped = group(&format!("GET /\nauthorization: Bearer {damaged}"), "200");
    assert_eq!((grouped.key.as_str(), grouped.session), ("authorization token", shared(&damaged)));
    assert!(grouped.parse_errors >= 1, "the claims could not be read, and the exchange says so");
    assert!(!grouped.uncertain, "no configured key was missed");
}

#[test]
fn values_that_do_not_work_are_passed_over() {
    let long = "v".repeat(8 * 1024 + 1);
    let longest = &long[1..];
    for (request, key) in [
        ("GET /\ncookie: PHPSESSID=; sid=v".to_owned(), "cookie sid"),
        (format!("GET /\ncookie: PHPSESSID={long}; sid=v"), "cookie sid"),
        (format!("GET /\ncookie: PHPSESSID={longest}; sid=v"), "cookie PHPSESSID"),
        ("GET /\ncookie: sid; CFID=1".to_owned(), "address"),
        ("GET /\nx-api-key:\napi-key: v".to_owned(), "header API-KEY"),
        ("GET /\nauthorization: Bearer".to_owned(), "address"),
        ("GET /\nauthorization: Basic !!!".to_owned(), "address"),
        (format!("GET /\nauthorization: Basic {}", support::base64url(b":nobody")), "address"),
        ("GET /\nauthorization: Digest username=\"u\", nonce=\"n\"".to_owned(), "address"),
        ("GET /?sid=&session_id".to_owned(), "address"),
        ("GET /;jsessionid=/a".to_owned(), "address"),
        ("GET /\ncookie: AWSALB=v; XSRF-TOKEN=x; _ga=y".to_owned(), "address"),
    ] {
        assert_eq!(group(&request, "200").key, key, "{}", &request[..request.len().min(80)]);
    }
}

#[test]
fn placeholders_are_no_identifiers() {
    // Each with what decides in its place.
    for placeholder in
        ["null", "undefined", "None", "nil", "NaN", "false", "deleted", "\"\"", "[object Object]", "Bearer", "token"]
    {
        for place in [
            "GET /\nauthorization: Bearer VALUE",
            "GET /\nauthorization: VALUE",
            "GET /\nx-auth-token: VALUE",
            "GET /\nx-auth-token: Bearer VALUE",
            "GET /\nx-session-id: VALUE",
            "GET /\nx-api-key: VALUE",
            "GET /\ncookie: PHPSESSID=VALUE",
            "GET /\ncookie: sid=VALUE; theme=dark",
            "GET /\ncookie: CFID=VALUE; CFTOKEN=2",
            "GET /;jsessionid=VALUE",
            "GET /?access_token=VALUE",
        ] {
            let request = place.replace("VALUE", placeholder);
            assert_eq!(group(&request, "200").key, "address", "{request}");
            let next = format!("{request}\napi-key: v");
            assert_eq!(group(&next, "200").key, "header API-KEY", "{next}");
        }
        for place in ["set-cookie: sid=VALUE; Path=/", "mcp-session-id: VALUE"] {
            let response = format!("200\n{}", place.replace("VALUE", placeholder));
            assert_eq!(group("GET /", &response).key, "address", "{response}");
        }
    }
    let token = jwt(json!({"iss": "https://id", "sub": "undefined", "sid": "null"}));
    let grouped = group(&format!("GET /\nauthorization: Bearer {token}"), "200");
    assert_eq!((grouped.key.as_str(), grouped.session), ("authorization token", shared(&token)));
    let user = format!("GET /\nauthorization: Basic {}", support::base64url(b"undefined:undefined"));
    assert_eq!(group(&user, "200").key, "address");
    let configured = Stage::new(&keys(&["request > header X-API-KEY"]));
    let grouped = configured.group(&exchange("GET /\nx-api-key: null", "200"));
    assert_eq!(grouped.session, shared("null"), "whoever configures a key says what its values are");
}

#[test]
fn a_signature_of_one_request_is_no_session() {
    for header in ["AWS AKID:c2ln", "SharedKey account:c2ln", "SharedKeyLite account:c2ln", "OSS id:c2ln"] {
        assert_eq!(group(&format!("GET /\nauthorization: {header}"), "200").key, "address", "{header}");
    }
}

fn credentials(request: &str, response: &str) -> Vec<String> {
    let mut found = Vec::new();
    threadline_grouping::visit_credentials(&exchange(request, response), |value| {
        found.push(String::from_utf8(value.into_owned()).unwrap());
    });
    found
}

#[test]
fn every_opaque_credential_is_offered_whichever_rule_decides() {
    for rule in built_in_rules() {
        let (request, _) = case(rule.name);
        // A rule before all others decides.
        let (first, rest) = request.split_once('\n').unwrap_or((&request, ""));
        let found = credentials(&format!("{first}\ncookie: PHPSESSID=decides\n{rest}"), "200");
        let expected: Vec<String> = match rule.name {
            "cookies CFID and CFTOKEN" => vec!["2".into(), "1".into()],
            "authorization Basic user" => {
                vec![support::base64url(b"alice:secret:with:colons"), "secret:with:colons".into()]
            }
            name if name.contains("JWT") => vec![rest.split_once("Bearer ").unwrap().1.into()],
            _ => vec!["v".into()],
        };
        assert_eq!(found, [vec!["decides".to_owned()], expected].concat(), "{}", rule.name);
    }
    let response = "200\nset-cookie: __Host-sid=\"set\"; Max-Age=0\nmcp-session-id: issued\nset-cookie: theme=dark";
    assert_eq!(credentials("GET /", response), ["set", "issued"]);
    let others = "GET /?a=b&access_token=%61b&access_token=c\nproxy-authorization: Basic YTpiYg==\nx-csrf-token: Fetch\n\
                  x-vault-token: vault\nx-auth-token: Bearer auth\nauthorization: AWS id:c2ln\ncookie: sid=null";
    assert_eq!(credentials(others, ""), ["YTpiYg", "bb", "vault", "auth", "id:c2ln", "ab", "c"]);
}

#[test]
fn the_first_of_repeated_names_decides() {
    assert_eq!(group("GET /\nx-session-id: one\nx-session-id: two", "200").session, shared("one"));
    assert_eq!(group("GET /\ncookie: sid=one\ncookie: sid=two", "200").session, shared("one"));
    assert_eq!(group("GET /?sid=one&sid=two", "200").session, shared("one"));
}

#[test]
fn a_thousand_cookies_are_read_like_one() {
    let many: String = (0..1000).map(|number| format!("c{number}=v{number}; ")).collect();
    assert_eq!(group(&format!("GET /\ncookie: {many}sid=v"), "200").session, shared("v"));
}
