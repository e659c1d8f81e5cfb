//! Every operation of the document against every role: who is named there gets in, everybody else does not.

use http::{Method, StatusCode};
use serde_json::Value;

use crate::support::TestHub;

#[tokio::test]
async fn every_operation_lets_in_exactly_the_roles_that_the_document_names() {
    let hub = TestHub::start().await;
    let mut tokens = Vec::new();
    for role in ["admin", "analyst", "viewer", "node"] {
        tokens.push((role, hub.token(role).await));
    }
    let document = hub.get("/api/v1/openapi.json").send().await.json();
    let mut refused = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let method: Method = method.to_uppercase().parse().unwrap();
            let call = || {
                // Wrong on purpose behind the guard: nothing may change, and only the guard answers 401 and 403.
                let path = path.replace("{session_id}", "x").replace("{exchange_id}", "x").replace("{version}", "x");
                let path = path.replace("{person_id}", "x").replace("{token_id}", "x");
                hub.call(method.clone(), &format!("{path}?nonsense=1")).bytes("text/plain", "x")
            };
            if operation["security"] == Value::Array(Vec::new()) {
                let status = call().send().await.status;
                assert!(
                    !matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN),
                    "{method} {path}: {status}"
                );
                continue;
            }
            call().send().await.assert_problem(401, &[]);
            call().token("tl_unknown").send().await.assert_problem(401, &[]);
            call().header("authorization", "Basic YTpi").send().await.assert_problem(401, &[]);
            call()
                .header("cookie", "threadline_session=unknown")
                .header("sec-fetch-site", "same-origin")
                .send()
                .await
                .assert_problem(401, &[]);
            let description = operation["description"].as_str().unwrap();
            let named = description.rsplit_once("Roles: ").unwrap().1.trim_end_matches('.');
            let named: Vec<&str> = named.split(", ").collect();
            for (role, token) in &tokens {
                let answer = call().token(token).send().await;
                if named.contains(role) {
                    let status = answer.status;
                    assert!(
                        !matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN),
                        "{role}: {method} {path}: {status}"
                    );
                } else {
                    answer.assert_problem(403, &[]);
                    refused += 1;
                }
            }
        }
    }
    assert!(refused > 30, "only {refused} refusals were seen");
}

#[tokio::test]
async fn viewers_and_nodes_cannot_reach_what_matters_most() {
    let hub = TestHub::start().await;
    let (analyst, viewer, node) = (hub.token("analyst").await, hub.token("viewer").await, hub.token("node").await);
    for (method, path, token) in [
        (Method::PUT, "/api/v1/policy/parameters", &analyst),
        (Method::POST, "/api/v1/tokens", &analyst),
        (Method::POST, "/api/v1/people", &analyst),
        (Method::GET, "/api/v1/audit", &analyst),
        (Method::POST, "/api/v1/purges", &analyst),
        (Method::GET, "/api/v1/purges", &analyst),
        (Method::POST, "/api/v1/batches", &viewer),
        (Method::POST, "/api/v1/hashes", &viewer),
        (Method::POST, "/api/v1/hashes", &node),
        (Method::PUT, "/api/v1/policy/parameters", &viewer),
        (Method::GET, "/api/v1/sessions", &node),
        (Method::GET, "/api/v1/sessions.csv", &node),
        (Method::GET, "/api/v1/facets", &node),
        (Method::POST, "/api/v1/tokens", &node),
    ] {
        hub.call(method, path).token(token).send().await.assert_problem(403, &[]);
    }
}
