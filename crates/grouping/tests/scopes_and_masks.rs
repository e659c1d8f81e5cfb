//! Keys that apply in some places only, keys of several points, and what masks take away from deciding.
#![allow(clippy::unwrap_used)]

mod support;

use serde_json::{Value, json};
use support::{Stage, exchange, key, whole_policy};
use threadline_grouping::Namespace;

fn stage(document: Value) -> Stage {
    Stage::new(&whole_policy(document))
}

#[test]
fn a_key_out_of_scope_is_skipped_not_failed() {
    let stage = stage(json!({
        "applications": [{"id": "shop", "paths": ["/shop"]}],
        "parameters": [
            {"name": "a", "point": "request > query a", "group": true, "scope": {"applications": ["shop"]}},
            {"name": "b", "point": "request > query b", "group": true, "scope": {"hosts": ["api.example"], "paths": ["/v2"]}},
            {"name": "c", "point": "request > query c", "group": true, "scope": {"applications": ["default"]}},
        ],
    }));
    for (target, trace, decided) in [
        ("/shop/x?a=1&b=2&c=3", "dnn", "configured 0"),
        ("/shop/x?b=2&c=3", "aoo", "address"),
        ("/v2/x?a=1&b=2&c=3", "odn", "configured 1"),
        ("/x?a=1&b=2&c=3", "ood", "configured 2"),
    ] {
        let grouped = stage.group(&exchange(&format!("GET {target}"), "200"));
        assert_eq!((grouped.trace.as_str(), grouped.key.as_str()), (trace, decided), "{target}");
    }
    let body = "POST /shop\ncontent-type: application/json\n\n{";
    assert!(!stage.group(&exchange(body, "200")).uncertain, "nobody asked for the body");
}

#[test]
fn a_composite_key_needs_all_its_values_and_keeps_them_apart() {
    let stage = stage(json!({"parameters": [
        {"name": "ab", "point": "request > query a", "with": ["request > query b"], "group": true},
        {"name": "c", "point": "request > query c", "group": true},
    ]}));
    let group = |query: &str| stage.group(&exchange(&format!("GET /?{query}"), "200"));
    let both = group("a=1&b=2");
    assert_eq!(both.session, key().session(Namespace::Shared, &["1", "2"]).to_string());
    assert_eq!(both.trace, "dn");
    assert_ne!(both.session, group("a=12&b=").session);
    assert_ne!(group("a=1&b=23").session, group("a=12&b=3").session, "parts do not run together");
    assert_ne!(both.session, group("a=2&b=1").session, "places are told apart");
    assert_eq!((group("a=1&c=3").trace.as_str(), group("a=1&b=&c=3").trace.as_str()), ("ad", "ed"));
    assert_eq!(group("a=1&c=3").session, group("b=9&c=3").session);
}

#[test]
fn a_composite_key_over_both_messages_is_the_responses() {
    let stage = stage(json!({"parameters": [
        {"name": "k", "point": "response > header X-TOKEN", "with": ["request > query tenant"], "group": true},
        {"name": "t", "point": "request > query token", "group": true},
    ]}));
    let grouped = stage.group(&exchange("POST /login?tenant=t&token=old", "200\nx-token: new"));
    assert_eq!(grouped.session, key().session(Namespace::Shared, &["new", "t"]).to_string());
    let request = key().session(Namespace::Shared, &["old"]).to_string();
    assert_eq!(grouped.request.map(|(session, _)| session), Some(request), "the request alone is another session");
}

#[test]
fn a_masked_point_does_not_work_as_a_key() {
    let document = |mask: &str, scope: Value| {
        json!({
            "masks": [{"point": mask, "scope": scope}],
            "parameters": [
                {"name": "card", "point": "request > body > json > property card > property number", "group": true},
                {"name": "id", "point": "request > query id", "group": true},
            ],
        })
    };
    let request = "POST /pay?id=7\ncontent-type: application/json\n\n{\"card\":{\"number\":\"4111\"},\"x\":1}";
    for (mask, scope, trace) in [
        ("request > body > json > property card > property number", json!({}), "md"),
        ("request > body > json > property card", json!({}), "md"),
        ("request > body", json!({}), "md"),
        ("request > body > json > property x", json!({}), "dn"),
        ("request > body > json > property card", json!({"paths": ["/pay"], "methods": ["POST"]}), "md"),
        ("request > body > json > property card", json!({"paths": ["/other"]}), "dn"),
        ("request > body > json > property card", json!({"methods": ["PUT"]}), "dn"),
    ] {
        let grouped = stage(document(mask, scope.clone())).group(&exchange(request, "200"));
        assert_eq!(grouped.trace, trace, "{mask} {scope}");
    }
}

/// Masks of forms and XML are no masks of a JSON body: nothing of theirs stands there.
#[test]
fn a_mask_in_another_format_hides_only_where_it_finds_something() {
    let json = "request > body > json > property token";
    let form = "request > body > form > property token";
    for (mask, point, kind, body, trace) in [
        ("body > form > property password", json, "application/json", r#"{"token":"t"}"#, "d"),
        ("body > xml > property password", json, "application/json", r#"{"token":"t"}"#, "d"),
        ("body > multipart password", json, "application/json", r#"{"token":"t"}"#, "d"),
        ("body > json > property password", form, "application/x-www-form-urlencoded", "token=t&password=p", "d"),
        // Both formats read it: what one must not show, the other could.
        ("body > json > property password", form, "text/plain", r#"{"password":"p","x":"&token=t"}"#, "m"),
        ("body > form > property password", form, "application/x-www-form-urlencoded", "token=t&password=p", "d"),
        // Broken JSON that somebody else may read after all.
        ("body > json > property password", form, "text/plain", r#"{"password":"p",,"x":"&token=t"}"#, "m"),
        ("body > json > property x", form, "text/plain", r#"{"password":"p",,"x":"&token=t"}"#, "m"),
        // Not in another format: inside, around.
        ("body", json, "application/json", r#"{"token":"t"}"#, "m"),
        ("body > json > property token > json > property a", json, "application/json", r#"{"token":"t"}"#, "m"),
    ] {
        let stage = stage(json!({
            "masks": [{"point": format!("request > {mask}")}],
            "parameters": [{"name": "k", "point": point, "group": true}],
        }));
        let grouped = stage.group(&exchange(&format!("POST /\ncontent-type: {kind}\n\n{body}"), "200"));
        assert_eq!(grouped.trace, trace, "{mask} {point} {body}");
    }
}

#[test]
fn a_composite_key_with_a_masked_part_does_not_work() {
    let stage = stage(json!({
        "masks": [{"point": "request > query b"}],
        "parameters": [{"name": "ab", "point": "request > query a", "with": ["request > query b"], "group": true}],
    }));
    assert_eq!(stage.group(&exchange("GET /?a=1&b=2", "200")).trace, "m");
    assert_eq!(stage.group(&exchange("GET /?a=1", "200")).trace, "a");
}

#[test]
fn the_built_in_set_does_not_look_at_what_is_masked() {
    let masked = |masks: &[&str]| {
        let masks: Vec<Value> = masks.iter().map(|mask| json!({ "point": mask })).collect();
        stage(json!({"masks": masks, "parameters": []}))
    };
    let request = "GET /?sid=q\ncookie: PHPSESSID=one; connect.sid=two\nx-api-key: three\nuser-agent: curl/8";
    let cookie = |name: &str| format!("request > header COOKIE > cookie {name}");
    let (php, express) = (cookie("PHPSESSID"), cookie("connect.sid"));
    let key = "request > header X-API-KEY";
    let query = "request > query sid";
    for (masks, decided) in [
        (vec![], "cookie PHPSESSID"),
        (vec![php.as_str()], "cookie connect.sid"),
        (vec![php.as_str(), express.as_str()], "header X-API-KEY"),
        (vec!["request > header COOKIE", key], "query sid"),
        (vec!["request > header COOKIE", key, query], "address and user agent"),
        (vec!["request > header COOKIE", key, query, "request > header USER-AGENT"], "address"),
        (vec!["request > header COOKIE", key, query, "request > remote_addr"], "exchange"),
    ] {
        assert_eq!(masked(&masks).group(&exchange(request, "200")).key, decided, "{masks:?}");
    }
}

#[test]
fn a_mask_of_a_response_hides_what_a_login_sets() {
    let stage = stage(json!({"masks": [{"point": "response > header SET-COOKIE > cookie sid"}], "parameters": []}));
    let grouped = stage.group(&exchange("POST /login", "200\nset-cookie: sid=secret"));
    assert_eq!(grouped.key, "address");
}
