//! Points tried out on real traffic and on samples, through the real binary: recent exchanges are off until switched
//! on, whole for administrators, in the audit log, and gone when switched off.
#![allow(clippy::unwrap_used)]

mod support;

use http::{Method, Request, Response};
use http_body_util::Full;
use hyper::body::Bytes;
use serde_json::{Value, json};
use support::Threadline;

const RECENT: &str = "/recent-exchanges";
const SETTINGS: &str = "/recent-exchanges/settings";

async fn login(threadline: &Threadline, target: &'static str) {
    let request = Request::builder()
        .method("POST")
        .uri(target)
        .header("content-type", "application/json")
        .header("cookie", "sid=canary-cookie");
    threadline.through_proxy(request, r#"{"user":{"name":"jo"},"password":"canary-password"}"#).await;
}

async fn post(threadline: &Threadline, path: &str, body: Value) -> (u16, Value) {
    let (response, value) = threadline.api(Method::POST, path, Some(body)).await;
    (response.status().as_u16(), value)
}

async fn switch(threadline: &Threadline, body: Value) -> Value {
    let (response, value) = threadline.api(Method::PUT, SETTINGS, Some(body)).await;
    assert!(response.status().is_success(), "{value}");
    value
}

/// The fields that a refusal names.
fn fields(problem: &Value) -> Vec<&str> {
    problem["errors"].as_array().unwrap().iter().map(|error| error["field"].as_str().unwrap()).collect()
}

async fn audited(threadline: &Threadline) -> Vec<(String, Option<String>)> {
    let log = threadline.get("/audit?limit=500").await;
    let entries = log["entries"].as_array().unwrap().iter().rev();
    entries
        .filter(|entry| entry["action"].as_str().unwrap().starts_with("recent_"))
        .map(|entry| (entry["action"].as_str().unwrap().to_owned(), entry["subject"].as_str().map(str::to_owned)))
        .collect()
}

async fn token(threadline: &Threadline, role: &str) -> String {
    let (_, made) = threadline.api(Method::POST, "/tokens", Some(json!({"name": role, "role": role}))).await;
    made["secret"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn recent_exchanges_are_kept_while_that_is_switched_on_and_every_look_is_audited() {
    let upstream = support::upstream(|_, _| {
        let body = r#"{"token":"canary-token","items":[{"id":7}]}"#;
        Response::builder().header("content-type", "application/json").body(Full::new(Bytes::from(body))).unwrap()
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    let threadline = Threadline::start(folder.path(), "serve", &["--upstream", &upstream]).await;

    let settings = threadline.get(SETTINGS).await;
    assert_eq!(settings, json!({"on": false, "exchanges": 200, "bytes": 32 << 20, "kept": 0}));
    login(&threadline, "/before?q=1").await;
    threadline.wait_for("/sessions?last=1h", |list| list["total"] == 1).await;
    assert_eq!(threadline.get(RECENT).await, json!({"on": false, "exchanges": []}));

    assert_eq!(switch(&threadline, json!({"on": true, "exchanges": 2})).await["on"], true);
    for target in ["/first", "/second", "/third?q=1&token=a%20b"] {
        login(&threadline, target).await;
    }
    let list = threadline.wait_for(RECENT, |list| list["exchanges"][0]["path"] == "/third").await;
    let exchanges = list["exchanges"].as_array().unwrap();
    assert_eq!(exchanges.len(), 2, "bounded by count: {list}");
    assert_eq!(exchanges[1]["path"], "/second");
    assert_eq!((exchanges[0]["method"].as_str(), exchanges[0]["status"].as_u64()), (Some("POST"), Some(200)));
    let id = exchanges[0]["exchange_id"].as_str().unwrap().to_owned();
    let stored = threadline.wait_for("/sessions?last=1h", |list| list["sessions"][0]["requests"] == 4).await;
    assert_eq!(exchanges[0]["session_id"], stored["sessions"][0]["session_id"]);

    let whole = threadline.get(&format!("{RECENT}/{id}")).await;
    assert_eq!(whole["request"]["target"]["text"], "/third?q=1&token=a%20b");
    assert_eq!(whole["request"]["body"]["content"]["text"], r#"{"user":{"name":"jo"},"password":"canary-password"}"#);
    assert_eq!(
        (whole["response"]["status"].as_u64(), whole["response"]["body"]["extent"].as_str()),
        (Some(200), Some("whole"))
    );

    let points = threadline.get(&format!("{RECENT}/{id}/points")).await;
    let token_point = "response > body > json > property token";
    let listed = points["points"].as_array().unwrap().iter().find(|point| point["point"] == token_point).unwrap();
    assert_eq!(listed["value"]["content"]["text"], "canary-token");
    assert_eq!(listed["credential"], true);

    // Every spelling, and the bytes are those of the message that was shown.
    let body = whole["response"]["body"]["content"]["text"].as_str().unwrap();
    for spelling in [json!(token_point), json!(["response", "body", "json", ["property", "token"]])] {
        let (status, preview) =
            post(&threadline, "/points/preview", json!({"point": spelling, "exchange_id": id})).await;
        assert_eq!(status, 200, "{preview}");
        assert_eq!((preview["found"].as_str(), preview["point"].as_str()), (Some("value"), Some(token_point)));
        assert_eq!(preview["values"][0]["content"]["text"], "canary-token");
        let selection = &preview["selections"][0];
        assert_eq!((selection["side"].as_str(), selection["part"].as_str()), (Some("response"), Some("body")));
        let byte = |name: &str| selection[name].as_u64().unwrap() as usize;
        assert_eq!(&body[byte("start")..byte("end")], "canary-token");
    }
    let (_, astray) = post(
        &threadline,
        "/points/preview",
        json!({"point": "request > body > json > property mail", "exchange_id": id}),
    )
    .await;
    assert_eq!((astray["found"].as_str(), astray["stop"]["step"].as_u64()), (Some("absent"), Some(3)));
    assert_eq!(astray["stop"]["names"], json!(["user", "password"]));

    let id_of = |action: &str| (action.to_owned(), Some(id.clone()));
    let log = audited(&threadline).await;
    let listings = log.iter().filter(|(action, _)| action == "recent_exchanges.listed").count();
    assert!(listings >= 2, "each look at the list: {log:?}");
    let looks: Vec<_> = log.iter().filter(|(_, subject)| subject.is_some()).cloned().collect();
    let previewed = || id_of("recent_exchange.previewed");
    let expected =
        [id_of("recent_exchange.read"), id_of("recent_exchange.points_listed"), previewed(), previewed(), previewed()];
    assert_eq!(looks, expected);

    // Nobody else, not even to see whether it is on.
    for role in ["analyst", "viewer", "node"] {
        let authorization = format!("Bearer {}", token(&threadline, role).await);
        let headers = [("authorization", authorization.as_str())];
        for (method, path, body) in [
            (Method::GET, RECENT.to_owned(), None),
            (Method::GET, format!("{RECENT}/{id}"), None),
            (Method::GET, SETTINGS.to_owned(), None),
            (Method::PUT, SETTINGS.to_owned(), Some(json!({"on": false}))),
            (Method::POST, "/points/preview".to_owned(), Some(json!({"point": token_point, "exchange_id": id}))),
        ] {
            let request = Request::builder().method(method).uri(path);
            let (response, answer) = as_somebody(&threadline, request, body, &headers).await;
            assert_eq!(response, 403, "{role}: {answer}");
        }
    }

    // Off: gone at once, and none comes back when it is on again.
    assert_eq!(switch(&threadline, json!({"on": false})).await["kept"], 0);
    let (response, _) = threadline.api(Method::GET, &format!("{RECENT}/{id}"), None).await;
    assert_eq!(response.status(), 404);
    switch(&threadline, json!({"on": true})).await;
    assert_eq!(threadline.get(RECENT).await["exchanges"], json!([]));
    assert_eq!(threadline.get(SETTINGS).await["exchanges"], 2, "what is left out stays as it was");
    login(&threadline, "/fourth").await;
    threadline.wait_for(RECENT, |list| list["exchanges"][0]["path"] == "/fourth").await;

    // The setting outlives a restart, the exchanges do not, and nothing of them is on disk or in the log.
    threadline.stop().await;
    let threadline = Threadline::start(folder.path(), "serve", &["--upstream", &upstream]).await;
    assert_eq!(threadline.get(RECENT).await, json!({"on": true, "exchanges": []}));
    threadline.stop().await;
    let mut leaks = Vec::new();
    search(folder.path(), b"canary-", &mut leaks);
    assert!(leaks.is_empty(), "{leaks:?}");
}

/// Where the needle stands in files.
fn search(folder: &std::path::Path, needle: &[u8], hits: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            search(&path, needle, hits);
        } else if let Ok(content) = std::fs::read(&path)
            && content.windows(needle.len()).any(|window| window == needle)
        {
            hits.push(path.display().to_string());
        }
    }
}

/// One API call with another token than the local one.
async fn as_somebody(
    threadline: &Threadline,
    request: http::request::Builder,
    body: Option<Value>,
    headers: &[(&str, &str)],
) -> (u16, Value) {
    let path = request.uri_ref().unwrap().path().to_owned();
    let mut request =
        request.uri(format!("{}/api/v1{path}", threadline.console)).header("content-type", "application/json");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let body = body.map(|value| value.to_string()).unwrap_or_default();
    let client = hyper_util::client::legacy::Client::builder(hyper_util::rt::TokioExecutor::new()).build_http();
    let (parts, bytes) = support::send(&client, request.body(Full::new(Bytes::from(body))).unwrap()).await.unwrap();
    (parts.status.as_u16(), serde_json::from_slice(&bytes).unwrap_or_default())
}

#[tokio::test]
async fn points_are_tried_out_on_samples_and_refusals_name_the_field() {
    let folder = tempfile::tempdir().unwrap();
    let threadline = Threadline::start(folder.path(), "serve", &[]).await;
    let request =
        "POST /orders?p[x]=1 HTTP/1.1\nHost: shop.example\nContent-Type: application/json\n\n{\"user\":{\"id\":42}}";
    let response = "HTTP/1.1 201 Created\r\nSet-Cookie: sid=abc; Path=/\r\n\r\n";
    let sample = json!({"request": request, "response": response});
    for (point, value, part, exact) in [
        ("request > body > json > property user > property id", "42", "body", true),
        ("request > query p > property x", "1", "target", true),
        ("response > header SET-COOKIE > cookie sid", "abc", "header", true),
        ("request > header HOST", "shop.example", "header", true),
        ("request > query p > property x > lower > trim", "1", "target", true),
    ] {
        let (status, preview) = post(&threadline, "/points/preview", json!({"point": point, "sample": sample})).await;
        assert_eq!(status, 200, "{point}: {preview}");
        assert_eq!(preview["values"][0]["content"]["text"], value, "{point}: {preview}");
        assert_eq!(
            (preview["selections"][0]["part"].as_str(), preview["selections"][0]["exact"].as_bool()),
            (Some(part), Some(exact))
        );
        assert_eq!(preview["messages"]["response"]["status"], 201);
    }
    let entry = json!({"request": {"method": "GET", "url": "https://shop.example/a?b=c", "headers": []},
        "response": {"status": 200, "headers": [], "content": {"size": 2, "text": "aGk=", "encoding": "base64"}}});
    let (status, list) = post(&threadline, "/points/list", json!({"sample": {"har_entry": entry}})).await;
    assert_eq!(status, 200, "{list}");
    let spellings: Vec<&str> =
        list["points"].as_array().unwrap().iter().map(|point| point["point"].as_str().unwrap()).collect();
    assert!(spellings.contains(&"request > query b") && spellings.contains(&"response > body"), "{spellings:?}");
    for (point, reason) in [
        ("request > body > json > property user", "`property` leads to names with values of their own, not to a value"),
        ("request > body > json > property mail", "`property` finds nothing of that name; other names stand here"),
        ("request > body > json > property user > property id > jwt token", "`jwt` finds nothing in a text of 2 bytes"),
        ("request > header COOKIE > cookie a", "`header` finds nothing of that name; other names stand here"),
    ] {
        let (_, preview) = post(&threadline, "/points/preview", json!({"point": point, "sample": sample})).await;
        assert_eq!(preview["stop"]["reason"], reason, "{preview}");
    }
    assert_eq!(audited(&threadline).await, [], "a sample is nobody's traffic");

    let unknown = "00000000-0000-0000-0000-000000000001";
    for (path, body, status, named) in [
        ("/points/preview", json!({"point": "request > cookie a", "sample": sample}), 422, &["point"][..]),
        ("/points/preview", json!({"point": "request > query a"}), 422, &["exchange_id"]),
        (
            "/points/preview",
            json!({"point": "request > query a", "sample": sample, "exchange_id": unknown}),
            422,
            &["sample"],
        ),
        ("/points/preview", json!({"point": "request > query a", "exchange_id": "canary"}), 422, &["exchange_id"]),
        ("/points/preview", json!({"point": "request > query a", "exchange_id": unknown}), 404, &[]),
        ("/points/preview", json!({"sample": sample}), 422, &["point"]),
        ("/points/list", json!({"sample": {}}), 422, &["sample"]),
        ("/points/list", json!({"sample": {"request": "canary"}}), 422, &["sample.request"]),
        ("/points/list", json!({"sample": {"response": "HTTP/1.1 200\ncanary"}}), 422, &["sample.response"]),
        ("/points/list", json!({"sample": {"har_entry": {"canary": 1}}}), 422, &["sample.har_entry"]),
        ("/points/list", json!({"sample": {"har_entry": {}, "request": "GET / HTTP/1.1"}}), 422, &["sample.har_entry"]),
        ("/points/list", json!({"sample": {"canary": 1}}), 422, &["sample.canary"]),
        ("/points/list", json!({"sample": {"request": "x".repeat(1 << 20)}}), 413, &[]),
    ] {
        let (answered, problem) = post(&threadline, path, body).await;
        assert_eq!(answered, status, "{problem}");
        assert_eq!(fields(&problem), named, "{problem}");
        let shown = problem.to_string().replace("sample.canary", "").replace("unknown field `canary`", "");
        assert!(!shown.contains("canary"), "{problem}");
    }
    for (body, named) in [
        (json!({"on": true, "exchanges": 0}), &["exchanges"][..]),
        (json!({"on": true, "exchanges": 2001, "bytes": 1}), &["exchanges", "bytes"]),
        (json!({"exchanges": 5}), &["on"]),
    ] {
        let (response, problem) = threadline.api(Method::PUT, SETTINGS, Some(body)).await;
        assert_eq!(response.status(), 422, "{problem}");
        assert_eq!(fields(&problem), named, "{problem}");
    }
    assert_eq!(threadline.get(SETTINGS).await["on"], false);
    threadline.stop().await;
}
