//! Values looked for in clear: what the answer holds, what the audit log says, how often one may ask.

use std::sync::Arc;

use http::StatusCode;
use serde_json::{Value, json};
use threadline_hub::{ClearValue, HashValues, ValueHashes};
use threadline_model::SessionId;
use threadline_policy::Policy;

use crate::support::{SECOND, TestHub};

const HASHES: &str = "/api/v1/hashes";
const CANARY: &str = "hunter2-canary@example.com";

/// Two secrets of which the hub knows nothing.
struct Secrets;

impl HashValues for Secrets {
    fn hashes(&self, value: &ClearValue, namespace: Option<&str>, _policy: &Policy) -> Option<ValueHashes> {
        assert!(!format!("{value:?}").contains("hunter2"));
        let length = value.as_bytes().len() as u8;
        Some(ValueHashes {
            parameter_hashes: vec![format!("{length:032x}"), format!("{:032x}", 255)],
            session_ids: vec![SessionId::from_bytes([namespace.map_or(0, |name| name.len() as u8); 16])],
        })
    }
}

async fn hub() -> TestHub {
    TestHub::start_with(|settings| settings.hash_values = Arc::new(Secrets)).await
}

#[tokio::test]
async fn a_value_becomes_its_hashes_and_only_their_first_digits_are_kept() {
    let hub = hub().await;
    let analyst = hub.token("analyst").await;
    let answer = hub.post(HASHES, &json!({"value": CANARY, "namespace": null})).token(&analyst).send().await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    let hash = "0000000000000000000000000000001a";
    let hashes = [hash, "000000000000000000000000000000ff"];
    assert_eq!(answer.json(), json!({"parameter_hashes": hashes, "session_ids": ["0".repeat(32)]}));
    assert_eq!(answer.header("cache-control"), "no-store");
    let longest = json!({"value": "x".repeat(8 * 1_024), "namespace": "tenants"});
    let answer = hub.post(HASHES, &longest).token(&analyst).send().await;
    assert_eq!(answer.json()["session_ids"], json!(["07".repeat(16)]));
    // As it is: spaces are part of a value.
    let spaces = hub.post(HASHES, &json!({"value": "  "})).token(&analyst).send().await;
    assert_eq!(spaces.json()["parameter_hashes"][0], json!(format!("{:032x}", 2)));

    let audit = hub.get("/api/v1/audit?limit=50").token(&hub.local_token()).send().await;
    let entries: Vec<Value> = audit.json()["entries"].as_array().unwrap().clone();
    let searched: Vec<&Value> = entries.iter().filter(|entry| entry["action"] == "value.searched").collect();
    assert_eq!(searched.len(), 3, "{audit:?}");
    assert_eq!((&searched[0]["actor"], &searched[0]["subject"]), (&json!("a analyst"), &json!("00000000")));
    assert!(!audit.text().contains("hunter2") && !audit.text().contains(hash), "{}", audit.text());
    let directory = hub.stop().await;
    for file in std::fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().path()) {
        let content = if file.is_file() { std::fs::read(&file).unwrap() } else { Vec::new() };
        assert!(!content.windows(7).any(|bytes| bytes == b"hunter2"), "{}", file.display());
    }
}

#[tokio::test]
async fn whoever_asks_too_often_waits_and_others_do_not() {
    let hub = hub().await;
    let (analyst, admin) = (hub.token("analyst").await, hub.token("admin").await);
    let body = json!({"value": CANARY});
    for _ in 0..30 {
        assert_eq!(hub.post(HASHES, &body).token(&analyst).send().await.status, StatusCode::OK);
    }
    let refused = hub.post(HASHES, &body).token(&analyst).send().await;
    refused.assert_problem(429, &[]);
    assert_eq!(refused.header("retry-after"), "2");
    assert_eq!(hub.post(HASHES, &body).token(&admin).send().await.status, StatusCode::OK);
    hub.forward(2 * SECOND);
    assert_eq!(hub.post(HASHES, &body).token(&analyst).send().await.status, StatusCode::OK);
}
