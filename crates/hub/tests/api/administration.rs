//! People, API tokens and the audit log.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{ADMIN, HOUR, PASSWORD, TestHub};

async fn add(hub: &TestHub, name: &str, role: &str) -> crate::support::Answer {
    let body = json!({"name": name, "role": role, "password": PASSWORD});
    hub.post("/api/v1/people", &body).token(&hub.local_token()).send().await
}

#[tokio::test]
async fn people_are_added_sign_in_and_are_removed_with_their_sign_ins() {
    let hub = TestHub::start().await;
    hub.first_administrator().await;
    let added = add(&hub, "Grace", "analyst").await;
    assert_eq!(added.status, StatusCode::CREATED);
    let id = added.json()["id"].as_i64().unwrap();
    add(&hub, "gRACE", "viewer").await.assert_problem(422, &["name"]);
    add(&hub, "somebody", "node").await.assert_problem(422, &["role"]);
    add(&hub, "in\u{202e}visible", "viewer").await.assert_problem(422, &["name"]);

    let cookie = hub.sign_in("grace", PASSWORD).await.cookie().unwrap();
    let me = hub.get("/api/v1/me").header("cookie", &cookie).send().await.json();
    assert_eq!((me["name"].as_str(), me["role"].as_str()), (Some("Grace"), Some("analyst")));

    let removed = hub.call(Method::DELETE, &format!("/api/v1/people/{id}")).token(&hub.local_token()).send().await;
    assert_eq!(removed.status, StatusCode::NO_CONTENT);
    hub.get("/api/v1/me").header("cookie", &cookie).send().await.assert_problem(401, &[]);
    assert_eq!(hub.sign_in("grace", PASSWORD).await.status, StatusCode::UNAUTHORIZED);
    let again = hub.call(Method::DELETE, &format!("/api/v1/people/{id}")).token(&hub.local_token()).send().await;
    again.assert_problem(404, &[]);
}

#[tokio::test]
async fn the_last_administrator_stays() {
    let hub = TestHub::start().await;
    hub.first_administrator().await;
    let list = hub.get("/api/v1/people").token(&hub.local_token()).send().await.json();
    let first = list["people"][0]["id"].as_i64().unwrap();
    let remove = |id: i64| hub.call(Method::DELETE, &format!("/api/v1/people/{id}")).token(&hub.local_token()).send();
    remove(first).await.assert_problem(409, &[]);
    add(&hub, "Grace", "admin").await;
    assert_eq!(remove(first).await.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn tokens_are_shown_once_and_end() {
    let hub = TestHub::start().await;
    let make = |body: Value| {
        let call = hub.post("/api/v1/tokens", &body).token(&hub.local_token());
        call.send()
    };
    let made = make(json!({"name": "for a day", "role": "viewer", "expires_in_days": 1})).await.json();
    let secret = made["secret"].as_str().unwrap().to_owned();
    assert!(secret.starts_with("tl_") && secret.len() == 46);
    assert_eq!(made["expires_at"], "2026-11-24T12:00:00.000000Z");
    assert_eq!(made["last_used_at"], Value::Null);

    assert_eq!(hub.get("/api/v1/me").token(&secret).send().await.json()["kind"], "token");
    let listed = hub.get("/api/v1/tokens").token(&hub.local_token()).send().await;
    assert!(!listed.text().contains(&secret));
    assert_eq!(listed.json()["tokens"][0]["last_used_at"], "2026-11-23T12:00:00.000000Z");

    hub.forward(24 * HOUR - 1);
    assert_eq!(hub.get("/api/v1/me").token(&secret).send().await.status, StatusCode::OK);
    hub.forward(1);
    hub.get("/api/v1/me").token(&secret).send().await.assert_problem(401, &[]);

    let lasting = make(json!({"name": "lasting", "role": "node"})).await.json();
    let (id, secret) = (lasting["id"].as_i64().unwrap(), lasting["secret"].as_str().unwrap());
    hub.forward(365 * 24 * HOUR);
    assert_eq!(hub.get("/api/v1/me").token(secret).send().await.status, StatusCode::OK);
    let revoke = || hub.call(Method::DELETE, &format!("/api/v1/tokens/{id}")).token(&hub.local_token()).send();
    assert_eq!(revoke().await.status, StatusCode::NO_CONTENT);
    hub.get("/api/v1/me").token(secret).send().await.assert_problem(401, &[]);
    revoke().await.assert_problem(404, &[]);
}

#[tokio::test]
async fn the_audit_log_says_who_did_what_and_pages() {
    let hub = TestHub::start().await;
    hub.first_administrator().await;
    hub.sign_in(ADMIN, "a wrong password").await;
    hub.sign_in("my password by mistake", "x").await;
    let cookie = hub.sign_in(ADMIN, PASSWORD).await.cookie().unwrap();
    let body = json!({"name": "ci", "role": "viewer"});
    hub.post("/api/v1/tokens", &body).browser(&cookie).send().await;
    hub.call(Method::POST, "/api/v1/sign-out").browser(&cookie).send().await;

    let log = hub.get("/api/v1/audit").token(&hub.local_token()).send().await;
    assert!(!log.text().contains("mistake"));
    let log = log.json();
    let entries: Vec<(&str, Option<&str>, Option<&str>)> = log["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| (entry["action"].as_str().unwrap(), entry["actor"].as_str(), entry["subject"].as_str()))
        .collect();
    assert_eq!(
        entries,
        [
            ("sign_out", None, Some(ADMIN)),
            ("token.created", Some(ADMIN), Some("ci")),
            ("sign_in.succeeded", None, Some(ADMIN)),
            ("sign_in.failed", None, None),
            ("sign_in.failed", None, Some(ADMIN)),
            ("first_run.used", None, Some(ADMIN)),
        ]
    );
    assert_eq!(log["entries"][1]["address"], "127.0.0.1");

    let mut seen = Vec::new();
    let mut token = None;
    loop {
        let page = token.map_or(String::new(), |token: String| format!("&page_token={token}"));
        let page = hub.get(&format!("/api/v1/audit?limit=4{page}")).token(&hub.local_token()).send().await.json();
        assert_eq!(page["total"], 6);
        seen.extend(page["entries"].as_array().unwrap().iter().map(|entry| entry["id"].as_i64().unwrap()));
        match page["next_page_token"].as_str() {
            Some(next) => token = Some(next.to_owned()),
            None => break,
        }
    }
    assert_eq!(seen, [6, 5, 4, 3, 2, 1]);
}
