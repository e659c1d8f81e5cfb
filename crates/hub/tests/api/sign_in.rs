//! First run, sign-in, sign-out, throttling, and what other sites cannot do.

use http::{Method, StatusCode};
use serde_json::json;

use crate::support::{ADMIN, HOUR, MINUTE, PASSWORD, SECOND, TestHub};

#[cfg(unix)]
fn mode(path: &std::path::Path) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn the_one_time_token_makes_one_administrator_and_is_gone() {
    let hub = TestHub::start().await;
    let file = hub.directory.path().join("first-run-token");
    let token = hub.hub.first_run_token().unwrap();
    assert_eq!(std::fs::read_to_string(&file).unwrap().trim(), token);
    #[cfg(unix)]
    assert_eq!(mode(&file), 0o600);
    assert_eq!(hub.get("/api/v1/first-run").send().await.json(), json!({"open": true}));

    let wrong = json!({"token": "wrong", "name": ADMIN, "password": PASSWORD});
    hub.post("/api/v1/first-run", &wrong).send().await.assert_problem(422, &["token"]);
    let weak = json!({"token": token, "name": " ", "password": "short"});
    hub.post("/api/v1/first-run", &weak).send().await.assert_problem(422, &["name", "password"]);

    let cookie = hub.first_administrator().await;
    assert!(!file.exists());
    assert_eq!(hub.hub.first_run_token(), None);
    assert_eq!(hub.get("/api/v1/first-run").send().await.json(), json!({"open": false}));
    let me = hub.get("/api/v1/me").header("cookie", &cookie).send().await.json();
    assert_eq!(
        (me["name"].as_str(), me["role"].as_str(), me["kind"].as_str()),
        (Some(ADMIN), Some("admin"), Some("person"))
    );
    let again = json!({"token": token, "name": "eve", "password": PASSWORD});
    hub.post("/api/v1/first-run", &again).send().await.assert_problem(409, &[]);

    // A restart does not open it again.
    let hub = TestHub::start_in(hub.stop().await, |_| {}).await;
    assert_eq!(hub.hub.first_run_token(), None);
    assert_eq!(hub.sign_in(ADMIN, PASSWORD).await.status, StatusCode::OK);
}

#[tokio::test]
async fn of_two_who_use_the_token_at_once_one_becomes_administrator() {
    let hub = TestHub::start().await;
    let token = hub.hub.first_run_token().unwrap();
    let use_it = |name: &'static str| {
        let body = json!({"token": token, "name": name, "password": PASSWORD});
        let call = hub.post("/api/v1/first-run", &body);
        call.send()
    };
    let (one, other, third) = tokio::join!(use_it("one"), use_it("other"), use_it("third"));
    let mut statuses = [one.status.as_u16(), other.status.as_u16(), third.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409, 409]);
    let people = hub.get("/api/v1/people").token(&hub.local_token()).send().await.json();
    assert_eq!(people["people"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_sign_in_opens_with_the_password_and_ends_with_sign_out() {
    let hub = TestHub::start().await;
    hub.first_administrator().await;
    let answer = hub.sign_in("  Ada ", PASSWORD).await;
    assert_eq!(answer.json(), json!({"name": ADMIN, "role": "admin"}));
    let attributes = answer.header("set-cookie").to_owned();
    assert!(attributes.contains("; HttpOnly; SameSite=Strict; Path=/; Max-Age="), "{attributes}");
    let cookie = answer.cookie().unwrap();
    assert_eq!(hub.get("/api/v1/me").header("cookie", &cookie).send().await.status, StatusCode::OK);

    let out = hub.call(Method::POST, "/api/v1/sign-out").browser(&cookie).send().await;
    assert_eq!(out.status, StatusCode::NO_CONTENT);
    assert!(out.header("set-cookie").contains("Max-Age=0"));
    hub.get("/api/v1/me").header("cookie", &cookie).send().await.assert_problem(401, &[]);
}

#[tokio::test]
async fn cookies_are_secure_when_the_hub_is_reached_over_https() {
    let hub = TestHub::start_with(|settings| settings.secure_cookies = true).await;
    hub.first_administrator().await;
    assert!(hub.sign_in(ADMIN, PASSWORD).await.header("set-cookie").ends_with("; Secure"));
}

#[tokio::test]
async fn a_wrong_name_and_a_wrong_password_look_the_same() {
    let hub = TestHub::start().await;
    hub.first_administrator().await;
    let (name, password) = (hub.sign_in("nobody", PASSWORD).await, hub.sign_in(ADMIN, "wrong password").await);
    name.assert_problem(401, &[]);
    assert_eq!(name.body, password.body);
}

#[tokio::test]
async fn sign_ins_end_when_unused_and_after_a_week() {
    let hub = TestHub::start().await;
    let unused = hub.first_administrator().await;
    let used = hub.sign_in(ADMIN, PASSWORD).await.cookie().unwrap();
    let status = |cookie: String| {
        let call = hub.get("/api/v1/me").header("cookie", &cookie);
        async move { call.send().await.status }
    };
    for _ in 0..3 {
        hub.forward(5 * HOUR);
        assert_eq!(status(used.clone()).await, StatusCode::OK);
    }
    assert_eq!(status(unused).await, StatusCode::UNAUTHORIZED);
    for _ in 0..30 {
        hub.forward(5 * HOUR);
        status(used.clone()).await;
    }
    hub.forward(3 * HOUR + MINUTE);
    assert_eq!(status(used).await, StatusCode::UNAUTHORIZED, "a week is over");
}

#[tokio::test]
async fn guessing_is_slowed_down_and_says_for_how_long() {
    let hub = TestHub::start().await;
    hub.first_administrator().await;
    for _ in 0..10 {
        assert_eq!(hub.sign_in(ADMIN, "a wrong password").await.status, StatusCode::UNAUTHORIZED);
    }
    let refused = hub.sign_in(ADMIN, PASSWORD).await;
    refused.assert_problem(429, &[]);
    assert_eq!(refused.header("retry-after"), "30");
    hub.forward(29 * SECOND);
    assert_eq!(hub.sign_in(ADMIN, PASSWORD).await.header("retry-after"), "1");
    hub.forward(SECOND);
    assert_eq!(hub.sign_in(ADMIN, PASSWORD).await.status, StatusCode::OK);
}

#[tokio::test]
async fn other_sites_change_nothing_with_a_cookie() {
    let hub = TestHub::start().await;
    let cookie = hub.first_administrator().await;
    let own = format!("http://{}", hub.address);
    let body = json!({"name": "x", "role": "viewer"});
    for (name, value, expected) in [
        ("origin", "http://evil.example", 403),
        ("origin", "null", 403),
        ("origin", "http://127.0.0.1:1", 403),
        ("sec-fetch-site", "cross-site", 403),
        ("sec-fetch-site", "same-site", 403),
        ("x-nothing", "said", 403),
        ("origin", own.as_str(), 201),
        ("sec-fetch-site", "same-origin", 201),
    ] {
        let answer = hub.post("/api/v1/tokens", &body).header("cookie", &cookie).header(name, value).send().await;
        assert_eq!(answer.status.as_u16(), expected, "{name}: {value}");
    }
    // Nor can they sign somebody in as themselves.
    let body = json!({"name": ADMIN, "password": PASSWORD});
    let answer = hub.post("/api/v1/sign-in", &body).header("origin", "http://evil.example").send().await;
    answer.assert_problem(403, &[]);
    // A form needs no permission to be sent across sites, and is no JSON.
    let form = hub.call(Method::POST, "/api/v1/sign-in").bytes("text/plain", body.to_string()).send().await;
    form.assert_problem(415, &[]);
}

#[tokio::test]
async fn a_changed_password_ends_the_other_sign_ins() {
    let hub = TestHub::start().await;
    let mine = hub.first_administrator().await;
    let elsewhere = hub.sign_in(ADMIN, PASSWORD).await.cookie().unwrap();
    let change = |current: &str, new: &str| {
        let body = json!({"current": current, "new": new});
        hub.call(Method::PUT, "/api/v1/me/password").json(&body).browser(&mine).send()
    };
    change("a wrong password", "another good password").await.assert_problem(422, &["current"]);
    change(PASSWORD, "short").await.assert_problem(422, &["new"]);
    assert_eq!(change(PASSWORD, "another good password").await.status, StatusCode::NO_CONTENT);
    assert_eq!(hub.get("/api/v1/me").header("cookie", &mine).send().await.status, StatusCode::OK);
    assert_eq!(hub.get("/api/v1/me").header("cookie", &elsewhere).send().await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(hub.sign_in(ADMIN, PASSWORD).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(hub.sign_in(ADMIN, "another good password").await.status, StatusCode::OK);
}

#[tokio::test]
async fn clear_secrets_stand_nowhere_in_the_state() {
    let hub = TestHub::start().await;
    let one_time = hub.hub.first_run_token().unwrap();
    let cookie = hub.first_administrator().await;
    let token = hub.token("viewer").await;
    hub.sign_in("hunter2 typed as a name", "hunter3 typed as a password").await;
    let local = hub.local_token();
    let directory = hub.stop().await;
    let secret = cookie.split_once('=').unwrap().1;
    let mut read = 0;
    for entry in std::fs::read_dir(directory.path()).unwrap() {
        let path = entry.unwrap().path();
        if !path.is_file() {
            continue;
        }
        #[cfg(unix)]
        assert_eq!(mode(&path), 0o600, "{}", path.display());
        let content = std::fs::read(&path).unwrap();
        read += 1;
        for canary in [secret, &token, &local, &one_time, PASSWORD, "hunter2", "hunter3"] {
            let found = content.windows(canary.len()).any(|window| window == canary.as_bytes());
            assert!(!found, "a clear secret stands in {}", path.display());
        }
    }
    assert!(read >= 1, "no state was read");
}

#[tokio::test]
async fn local_commands_find_token_and_address_while_the_hub_serves() {
    let hub = TestHub::start().await;
    let address = std::fs::read_to_string(hub.directory.path().join("hub-address")).unwrap();
    assert_eq!(address.trim(), format!("http://{}", hub.address));
    let me = hub.get("/api/v1/me").token(&hub.local_token()).send().await.json();
    assert_eq!((me["role"].as_str(), me["kind"].as_str()), (Some("admin"), Some("local")));
    #[cfg(unix)]
    for file in ["local-token", "hub-address", "state.sqlite"] {
        assert_eq!(mode(&hub.directory.path().join(file)), 0o600, "{file}");
    }
    let before = hub.local_token();
    let directory = hub.stop().await;
    assert!(!directory.path().join("local-token").exists() && !directory.path().join("hub-address").exists());
    let hub = TestHub::start_in(directory, |_| {}).await;
    assert_ne!(hub.local_token(), before);
    hub.get("/api/v1/me").token(&before).send().await.assert_problem(401, &[]);
}
