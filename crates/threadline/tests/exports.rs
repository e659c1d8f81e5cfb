//! The export ledger through the real binary: it counts what the store holds, and hashed values count as hashed.
#![allow(clippy::unwrap_used)]

mod support;

use std::time::{Duration, Instant};

use http::{Method, Request, Response};
use http_body_util::Full;
use hyper::body::Bytes;
use serde_json::{Value, json};
use support::Threadline;

const REQUESTS: u64 = 12;
const TOKEN: &str = "canary-token";

fn of(exports: &Value, field: &str, form: &str) -> Option<(u64, u64)> {
    let fields = exports["fields"].as_array().unwrap();
    let found = fields.iter().find(|entry| entry["field"] == field && entry["form"] == form)?;
    Some((found["values"].as_u64().unwrap(), found["bytes"].as_u64().unwrap()))
}

#[tokio::test]
async fn the_ledger_counts_what_the_store_holds_and_survives_a_restart() {
    let upstream = support::upstream(|_, _| Response::new(Full::new(Bytes::from("{}")))).await;
    let folder = tempfile::tempdir().unwrap();
    let threadline = Threadline::start(folder.path(), "serve", &["--upstream", &upstream]).await;
    let policy = json!({"policy": {"parameters": [
        {"name": "token", "point": "request > query token", "group": true, "hashed": true},
        {"name": "page", "point": "request > query page"},
    ]}});
    let (_, held) = threadline.api(Method::GET, "/policy", None).await;
    let tag = format!("\"{}\"", held["version"]);
    let (response, saved) =
        threadline.api_with(Method::PUT, "/policy", Some(policy), &[("if-match", tag.as_str())]).await;
    assert!(response.status().is_success(), "{saved}");
    for number in 0..REQUESTS {
        let request = Request::builder().uri(format!("/orders?token={TOKEN}&page={}", number % 10));
        threadline.through_proxy(request, "").await;
    }
    let began = Instant::now();
    while threadline.get("/status").await["store"]["exchanges"] != json!(REQUESTS) {
        assert!(began.elapsed() < Duration::from_secs(30), "the exchanges are not stored");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    threadline.stop().await;

    let threadline = Threadline::start(folder.path(), "serve", &["--upstream", &upstream]).await;
    let exports = threadline.get("/exports").await;
    assert_eq!(of(&exports, "method", "clear"), Some((REQUESTS, 3 * REQUESTS)));
    assert_eq!(of(&exports, "path", "clear"), Some((REQUESTS, 7 * REQUESTS)));
    assert_eq!(of(&exports, "parameter page", "clear"), Some((REQUESTS, REQUESTS)));
    assert_eq!(of(&exports, "parameter token", "hashed"), Some((REQUESTS, 32 * REQUESTS)));
    assert_eq!(of(&exports, "parameter token", "clear"), None);
    assert_eq!(of(&exports, "session_value configured", "hashed"), Some((REQUESTS, 32 * REQUESTS)));
    assert_eq!(of(&exports, "session_value configured", "clear"), None);
    assert!(!exports.to_string().contains(TOKEN), "the ledger holds no value");
    threadline.stop().await;
}
