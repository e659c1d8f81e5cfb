//! The reference example of grouping, through the real binary with a real upstream: a token returned by a login groups
//! with the later requests that carry it in a query or in a body, whatever the order of the keys.
#![allow(clippy::unwrap_used)]

mod support;

use std::collections::BTreeMap;

use base64::Engine as _;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Bytes;
use serde_json::json;
use support::Threadline;

const KEYS: [(&str, &str); 3] = [
    ("response token", "response > body > json > property token"),
    ("query token", "request > query token"),
    ("body token", "request > body > json > property token"),
];

#[tokio::test]
async fn a_returned_token_groups_with_requests_that_carry_it_in_every_order_of_keys() {
    let upstream = support::upstream(|request, _| {
        let body = if request.uri().path() == "/login" { r#"{"token":"aaa"}"# } else { r#"{"ok":true}"# };
        Response::builder().header("content-type", "application/json").body(Full::new(Bytes::from(body))).unwrap()
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    let threadline = Threadline::start(folder.path(), "serve", &["--upstream", &upstream]).await;

    let mut session_of_every_order = Vec::new();
    for (round, order) in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]].iter().enumerate() {
        let parameters: Vec<_> = order
            .iter()
            .map(|&key| json!({"name": KEYS[key].0, "point": KEYS[key].1, "group": true, "hashed": false}))
            .collect();
        threadline.put_parameters(json!(parameters)).await;
        let agent = format!("round-{round}");
        let send = |method: &'static str, target: &'static str, body: &'static str| {
            let request = Request::builder()
                .method(method)
                .uri(target)
                .header("user-agent", &agent)
                .header("content-type", "application/json");
            threadline.through_proxy(request, body)
        };
        send("POST", "/login", r#"{"in":"bbb"}"#).await;
        send("POST", "/x", r#"{"in":"ccc","token":"aaa"}"#).await;
        send("GET", "/y?token=aaa", "").await;
        send("GET", "/none", "").await;

        let list = threadline
            .wait_for(&format!("/sessions?last=1h&q={agent}"), |list| {
                list["sessions"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|session| session["requests"].as_u64().unwrap())
                    .sum::<u64>()
                    == 4
            })
            .await;
        let mut exchanges = BTreeMap::new();
        for session in list["sessions"].as_array().unwrap() {
            let id = session["session_id"].as_str().unwrap();
            let page = threadline.get(&format!("/sessions/{id}/exchanges?last=1h&q={agent}")).await;
            for exchange in page["exchanges"].as_array().unwrap() {
                exchanges.insert(exchange["path"].as_str().unwrap().to_owned(), exchange.clone());
            }
        }
        let (login, body, query, none) =
            (&exchanges["/login"], &exchanges["/x"], &exchanges["/y"], &exchanges["/none"]);
        assert_eq!(login["session_key"], "response token");
        assert_eq!(body["session_key"], "body token");
        assert_eq!(query["session_key"], "query token");
        assert_eq!(none["session_key_kind"], "fallback");
        assert_eq!(login["session_id"], body["session_id"]);
        assert_eq!(login["session_id"], query["session_id"]);
        assert_ne!(login["session_id"], none["session_id"]);
        // The login's request alone belongs to the fallback session: a link, but one that is not followed.
        assert_eq!(login["request_session_id"], none["session_id"]);
        assert_eq!(login["session_value"], "aaa");

        let id = body["exchange_id"].as_str().unwrap();
        let details = threadline.get(&format!("/exchanges/{id}")).await;
        let outcomes: BTreeMap<_, _> = details["trace"]
            .as_array()
            .unwrap()
            .iter()
            .map(|tried| (tried["name"].as_str().unwrap(), tried["outcome"].as_str().unwrap()))
            .collect();
        assert_eq!(outcomes.len(), 3);
        assert_eq!(outcomes["body token"], "decided");
        let (before, after): (Vec<_>, Vec<_>) = order.iter().filter(|&&key| key != 2).partition(|&&key| {
            order.iter().position(|&other| other == key) < order.iter().position(|&other| other == 2)
        });
        assert!(before.iter().all(|&&key| outcomes[KEYS[key].0] == "absent"), "{outcomes:?}");
        assert!(after.iter().all(|&&key| outcomes[KEYS[key].0] == "not_tried"), "{outcomes:?}");
        session_of_every_order.push(login["session_id"].clone());
    }
    session_of_every_order.dedup();
    assert_eq!(session_of_every_order.len(), 1, "equal values are one session whatever the order");
    threadline.stop().await;
}

/// `{"token":"aaa"}` in gzip.
const COMPRESSED_LOGIN: &str = "H4sIAAAAAAACA6tWKsnPTs1TslJKTExUqgUA8r2fyQ8AAAA=";

#[tokio::test]
async fn a_token_in_a_compressed_response_groups_and_the_client_gets_the_same_bytes() {
    let compressed = Bytes::from(base64::engine::general_purpose::STANDARD.decode(COMPRESSED_LOGIN).unwrap());
    let sent = compressed.clone();
    let upstream = support::upstream(move |request, _| {
        let answer = Response::builder().header("content-type", "application/json");
        if request.uri().path() == "/login" {
            answer.header("content-encoding", "gzip").body(Full::new(sent.clone())).unwrap()
        } else {
            answer.body(Full::new(Bytes::from_static(b"{}"))).unwrap()
        }
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    let threadline = Threadline::start(folder.path(), "serve", &["--upstream", &upstream]).await;
    let parameters = KEYS.map(|(name, point)| json!({"name": name, "point": point, "group": true, "hashed": false}));
    threadline.put_parameters(json!(parameters)).await;

    let (head, body) = threadline
        .through_proxy(Request::builder().method("POST").uri("/login").header("accept-encoding", "gzip"), "")
        .await;
    assert_eq!(head.headers["content-encoding"], "gzip");
    assert_eq!(head.headers["content-length"], compressed.len().to_string());
    assert_eq!(body, compressed);
    threadline.through_proxy(Request::builder().uri("/cart?token=aaa"), "").await;

    let list = threadline
        .wait_for("/sessions?last=1h", |list| {
            list["sessions"].as_array().unwrap().iter().any(|session| session["requests"] == 2)
        })
        .await;
    let id = list["sessions"][0]["session_id"].as_str().unwrap();
    let page = threadline.get(&format!("/sessions/{id}/exchanges?last=1h")).await;
    let keys: BTreeMap<_, _> = page["exchanges"]
        .as_array()
        .unwrap()
        .iter()
        .map(|exchange| (exchange["path"].as_str().unwrap(), exchange["session_key"].as_str().unwrap()))
        .collect();
    assert_eq!(keys, BTreeMap::from([("/login", "response token"), ("/cart", "query token")]));
    threadline.stop().await;
}
