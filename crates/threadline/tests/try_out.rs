//! A draft of the policy tried out on recent exchanges and on an archive, through the real binary: the figures are those
//! that the same traffic has once the draft is saved.
#![allow(clippy::unwrap_used)]

mod support;

use std::collections::BTreeMap;

use http::{Method, Request, Response};
use http_body_util::Full;
use hyper::body::Bytes;
use serde_json::{Value, json};
use support::Threadline;

const TRY: &str = "/policy/try";
const RECENT: &str = "/recent-exchanges";
const TOKENS: [&str; 3] = ["canary-a", "canary-b", "canary-c"];

/// A login returns a token, which is used in a body and a query; one request has none.
fn draft() -> Value {
    json!({"parameters": [
        {"name": "issued", "point": "response > body > json > property token", "group": true},
        {"name": "in query", "point": "request > query token", "group": true},
        {"name": "in body", "point": "request > body > json > property token", "group": true},
        {"name": "elsewhere", "point": "request > query other", "group": true, "scope": {"paths": ["/elsewhere"]}},
    ]})
}

async fn send_all(threadline: &Threadline) {
    for (number, token) in TOKENS.into_iter().enumerate() {
        let body = format!("{{\"token\":\"{token}\"}}");
        for (method, target, body) in [
            ("POST", format!("/login/{token}"), String::from("{}")),
            ("POST", "/orders".to_owned(), body),
            ("GET", format!("/orders?token={token}"), String::new()),
            ("GET", "/news".to_owned(), String::new()),
        ] {
            let request = Request::builder()
                .method(method)
                .uri(target)
                .header("content-type", "application/json")
                .header("user-agent", format!("agent-{}", number % 2));
            threadline.through_proxy(request, body).await;
        }
    }
}

async fn tried(threadline: &Threadline, body: Value) -> Value {
    let (response, answer) = threadline.api(Method::POST, TRY, Some(body)).await;
    assert_eq!(response.status(), 200, "{answer}");
    answer
}

/// Exchanges by the rule that decides them.
fn decided(figures: &Value) -> BTreeMap<String, u64> {
    let rules = figures["rules"].as_array().unwrap().iter();
    rules.map(|rule| (rule["key"].as_str().unwrap().to_owned(), rule["exchanges"].as_u64().unwrap())).collect()
}

fn numbers(figures: &Value) -> Vec<u64> {
    ["analysed", "passed_by", "sessions", "largest_session", "single_sessions"]
        .map(|name| figures[name].as_u64().unwrap())
        .to_vec()
}

#[tokio::test]
async fn a_draft_is_tried_on_recent_traffic_and_then_does_what_was_shown() {
    let upstream = support::upstream(|request, _| {
        let token = request.uri().path().strip_prefix("/login/");
        let body = token.map_or_else(|| "{}".to_owned(), |token| format!("{{\"token\":\"{token}\"}}"));
        Response::builder().header("content-type", "application/json").body(Full::new(Bytes::from(body))).unwrap()
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    let threadline = Threadline::start(folder.path(), "serve", &["--upstream", &upstream]).await;

    let (response, refused) = threadline.api(Method::POST, TRY, Some(json!({"policy": draft()}))).await;
    assert_eq!(response.status(), 409);
    assert!(refused["detail"].as_str().unwrap().contains("/api/v1/recent-exchanges/settings"), "{refused}");
    threadline.api(Method::PUT, "/recent-exchanges/settings", Some(json!({"on": true}))).await;
    let nothing = tried(&threadline, json!({"policy": draft()})).await;
    assert_eq!((&nothing["sample"]["exchanges"], &nothing["sample"]["from"]), (&json!(0), &Value::Null));
    let kept = |list: &Value| list["exchanges"].as_array().unwrap().len();
    send_all(&threadline).await;
    threadline.wait_for(RECENT, |list| kept(list) == 12).await;

    // Two user agents from one address without the draft; with it a session for each token.
    let before = tried(&threadline, json!({"policy": draft()})).await;
    let sample = &before["sample"];
    assert_eq!((sample["kind"].as_str(), sample["exchanges"].as_u64()), (Some("recent"), Some(12)));
    let time = |name: &str| sample[name].as_str().unwrap();
    assert!(time("kept_since") <= time("from") && time("from") < time("to"), "{sample}");
    let fallback = "address and user agent".to_owned();
    assert_eq!(numbers(&before["current"]), [12, 0, 2, 8, 0]);
    assert_eq!(decided(&before["current"]), BTreeMap::from([(fallback.clone(), 12)]));
    assert_eq!(numbers(&before["draft"]), [12, 0, 5, 3, 1]);
    let shares = [("issued", 3), ("in query", 3), ("in body", 3), ("elsewhere", 0), (&fallback, 3)];
    assert_eq!(decided(&before["draft"]), shares.map(|(key, count)| (key.to_owned(), count)).into());
    assert_eq!(before["draft"]["rules"][0]["share"], 0.25);
    assert_eq!(before["draft"]["sessions_of_address"], json!({"of": 1, "median": 5.0, "most": 5}));
    assert_eq!((&before["changes"]["compared"], &before["changes"]["changed"]), (&json!(12), &json!(9)));
    let warnings = before["warnings"].as_array().unwrap();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert_eq!((&warnings[0]["policy"], &warnings[0]["kind"]), (&json!("draft"), &json!("out_of_scope")));
    let examples = before["changes"]["examples"].as_array().unwrap();
    assert_eq!(examples.len(), 9);
    assert_eq!((&examples[0]["method"], &examples[0]["path"]), (&json!("GET"), &json!("/orders")), "the newest first");
    assert_eq!(examples[0]["status"], 200);
    assert_eq!((&examples[0]["current"]["value"], &examples[0]["draft"]["key"]), (&json!("…"), &json!("in query")));
    // A path that is nobody's key shows as in the list of recent exchanges; values never do.
    let without_paths = before.to_string().replace("/login/canary-", "");
    assert!(!without_paths.contains("canary"), "{before}");

    // Saved, the same traffic becomes what was shown.
    let held = threadline.get("/policy").await;
    assert_eq!(held["version"], 0, "trying saves nothing");
    let tag = [("if-match", "\"0\"")];
    let (response, saved) = threadline.api_with(Method::PUT, "/policy", Some(json!({"policy": draft()})), &tag).await;
    assert_eq!(response.status(), 200, "{saved}");
    send_all(&threadline).await;
    let all =
        |list: &Value| list["sessions"].as_array().unwrap().iter().map(|one| one["requests"].as_u64().unwrap()).sum();
    let stored = threadline
        .wait_for("/sessions?last=1h", |list| {
            let sum: u64 = all(list);
            sum == 24
        })
        .await;
    let keys = threadline.get("/policy/keys?last=1h").await;
    for key in ["issued", "in query", "in body"] {
        let report = keys["keys"].as_array().unwrap().iter().find(|report| report["key"] == key).unwrap();
        assert_eq!(report["exchanges"], 3, "{report}");
    }
    let sessions: Vec<&str> =
        stored["sessions"].as_array().unwrap().iter().map(|one| one["session_id"].as_str().unwrap()).collect();
    assert_eq!(sessions.len(), 5, "three by tokens, and two fallbacks that were there before");
    for example in examples {
        for policy in ["current", "draft"] {
            let session = example[policy]["session_id"].as_str().unwrap();
            assert!(sessions.contains(&session), "{policy}: {example}");
        }
    }
    threadline.wait_for(RECENT, |list| kept(list) == 24).await;
    let after = tried(&threadline, json!({"policy": draft()})).await;
    assert_eq!((&after["against"], &after["changes"]["changed"]), (&json!(1), &json!(0)));
    assert_eq!(after["current"], after["draft"]);
    assert_eq!(after["draft"]["sessions"], before["draft"]["sessions"]);

    // What is stored tells the shares of another order of the same parameters, and says when it cannot.
    let parameters = draft()["parameters"].clone();
    let fewer = json!({"parameters": [parameters[1].clone(), parameters[0].clone()]});
    let stored = tried(&threadline, json!({"policy": fewer})).await["stored"].clone();
    let shares = |shares: &Value| -> Vec<(String, String, u64)> {
        let text = |share: &Value, name: &str| share[name].as_str().unwrap().to_owned();
        let shares = shares.as_array().unwrap().iter();
        shares.map(|one| (text(one, "kind"), text(one, "key"), one["exchanges"].as_u64().unwrap())).collect()
    };
    let share = |kind: &str, key: &str, exchanges| (kind.to_owned(), key.to_owned(), exchanges);
    let fallback = share("fallback", &fallback, 3);
    let key = |key, exchanges| share("configured", key, exchanges);
    assert_eq!((&stored["exchanges"], &stored["not_told"]), (&json!(12), &Value::Null), "{stored}");
    let held = [key("issued", 3), key("in query", 3), key("in body", 3), key("elsewhere", 0), fallback.clone()];
    assert_eq!(shares(&stored["current"]), held);
    let mut told = shares(&stored["draft"]);
    told[2..].sort();
    assert_eq!(told, [key("in query", 3), key("issued", 3), fallback, share("unknown", "", 3)]);
    for (changed, reason) in [
        (json!({"parameters": [{"name": "new", "point": "request > path 0", "group": true}]}), "`new` is no parameter"),
        (
            json!({"parameters": [{"name": "elsewhere", "point": "request > query other", "group": true}]}),
            "is no parameter",
        ),
        (json!({"masks": [{"point": "request > query a"}], "parameters": parameters}), "masks differ"),
        (json!({"analysed": {"paths": ["/orders"]}, "parameters": parameters}), "analysed traffic differ"),
    ] {
        let stored = tried(&threadline, json!({"policy": changed})).await["stored"].clone();
        assert!(stored["not_told"].as_str().unwrap().contains(reason), "{stored}");
        assert_eq!((&stored["draft"], shares(&stored["current"]).len()), (&json!([]), 5), "{stored}");
    }

    // An archive of the same, in both spellings; nothing of it is kept.
    let entry = |method: &str, target: String, body: &str, answer: String| {
        json!({"startedDateTime": "2026-11-23T12:00:00Z",
            "request": {"method": method, "url": format!("https://shop.example{target}"), "headers": [],
                "postData": {"mimeType": "application/json", "text": body}},
            "response": {"status": 200, "headers": [], "content": {"mimeType": "application/json", "text": answer}}})
    };
    let entries: Vec<Value> = TOKENS
        .iter()
        .flat_map(|token| {
            let body = format!("{{\"token\":\"{token}\"}}");
            [
                entry("POST", "/login".to_owned(), "{}", body.clone()),
                entry("POST", "/orders".to_owned(), &body, "{}".to_owned()),
                entry("GET", format!("/orders?token={token}"), "", "{}".to_owned()),
                json!({"damaged": true}),
            ]
        })
        .collect();
    let har = json!({"log": {"version": "1.2", "entries": entries}});
    let policy = json!({"parameters": []});
    for har in [har.clone(), Value::from(har.to_string())] {
        let tried = tried(&threadline, json!({"policy": policy, "har": har})).await;
        assert_eq!((&tried["sample"]["kind"], &tried["sample"]["exchanges"]), (&json!("har"), &json!(9)));
        let note = tried["sample"]["note"].as_str().unwrap();
        assert!(note.contains("3 damaged places") && note.contains("no client addresses"), "{note}");
        assert_eq!(numbers(&tried["current"]), [9, 0, 3, 3, 0]);
        assert_eq!(decided(&tried["draft"]), BTreeMap::from([("file".to_owned(), 9)]));
        assert_eq!(tried["changes"]["changed"], 9);
    }
    let (response, refused) = threadline.api(Method::POST, TRY, Some(json!({"policy": policy, "har": "canary"}))).await;
    assert_eq!((response.status().as_u16(), &refused["errors"][0]["field"]), (422, &json!("har")));
    assert!(!refused.to_string().contains("canary"));

    let log = threadline.get("/audit?limit=100").await;
    let entries = log["entries"].as_array().unwrap().iter().filter(|entry| entry["action"] == "policy.tried");
    assert_eq!(entries.clone().count(), 10);
    assert!(
        entries
            .clone()
            .any(|entry| { entry["detail"] == "recent, 12 exchanges, 9 change session; 2 sessions become 5" })
    );
    assert!(!log.to_string().contains("canary"));
    assert!(!threadline.log().contains("canary"));
    threadline.stop().await;
}
