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
    let public = Some("https://threadline.example:8443".parse().unwrap());
    let hub = TestHub::start_with(|settings| settings.public_url = public).await;
    hub.first_administrator().await;
    let answer = hub.sign_in(ADMIN, PASSWORD).await;
    assert!(answer.header("set-cookie").ends_with("; Secure"));
    // Through a proxy that keeps the name, and through one that does not.
    let cookie = answer.cookie().unwrap();
    for host in ["threadline.example", "127.0.0.1:7070"] {
        let out = |origin: &str| {
            let call = hub.call(Method::POST, "/api/v1/sign-out").header("host", host).header("cookie", &cookie);
            call.header("origin", origin).send()
        };
        out("https://elsewhere.example").await.assert_problem(403, &[]);
        let out = out("https://threadline.example:8443").await;
        assert_eq!(out.status, StatusCode::NO_CONTENT, "{host}");
        assert!(out.header("set-cookie").ends_with("; Secure"));
    }
}

#[tokio::test]
async fn behind_a_trusted_proxy_guessing_is_slowed_down_by_the_clients_address() {
    let hub = TestHub::start_with(|settings| settings.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()]).await;
    hub.first_administrator().await;
    let sign_in = |address: &str, password: &str| {
        let call = hub.post("/api/v1/sign-in", &json!({"name": ADMIN, "password": password}));
        call.header("x-forwarded-for", &format!("203.0.113.1, {address}")).send()
    };
    for _ in 0..10 {
        sign_in("192.0.2.1", "a wrong password").await.assert_problem(401, &[]);
    }
    sign_in("192.0.2.1", "a wrong password").await.assert_problem(429, &[]);
    assert_eq!(sign_in("192.0.2.2", PASSWORD).await.status, StatusCode::OK, "somebody else's guesses lock nobody out");
    let audit = hub.get("/api/v1/audit?limit=1").token(&hub.local_token()).send().await.json();
    assert_eq!(audit["entries"][0]["address"], "192.0.2.2");
}

/// What a full disk does to the state: reading works, writing does not.
#[tokio::test]
async fn who_is_signed_in_can_read_when_nothing_can_be_written() {
    let hub = TestHub::start().await;
    let cookie = hub.first_administrator().await;
    let token = hub.token("viewer").await;
    let state = sqlx::SqlitePool::connect_with(
        sqlx::sqlite::SqliteConnectOptions::new().filename(hub.directory.path().join("state.sqlite")),
    );
    let state = state.await.unwrap();
    for table in ["sign_ins", "api_tokens"] {
        let full = format!(
            "CREATE TRIGGER full_{table} BEFORE UPDATE ON {table} BEGIN SELECT RAISE(FAIL, 'database or disk is full'); END"
        );
        sqlx::query(sqlx::AssertSqlSafe(full)).execute(&state).await.unwrap();
    }
    state.close().await;
    hub.forward(5 * MINUTE);
    for _ in 0..2 {
        assert_eq!(hub.get("/api/v1/sessions").header("cookie", &cookie).send().await.status, StatusCode::OK);
        assert_eq!(hub.get("/api/v1/sessions").token(&token).send().await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn a_password_can_be_reset_on_the_data_folder_beside_a_running_hub() {
    let hub = TestHub::start().await;
    let cookie = hub.first_administrator().await;
    let reset = threadline_hub::reset_password;
    let password = reset(hub.directory.path(), " ADA", &*hub.clock).await.unwrap();
    assert_eq!(password.len(), 24);
    assert_eq!(hub.get("/api/v1/me").header("cookie", &cookie).send().await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(hub.sign_in(ADMIN, PASSWORD).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(hub.sign_in(ADMIN, &password).await.status, StatusCode::OK);
    let audit = hub.get("/api/v1/audit").token(&hub.local_token()).send().await.json();
    let entry = audit["entries"].as_array().unwrap().iter().find(|entry| entry["action"] == "password.reset").unwrap();
    assert_eq!((entry["actor_kind"].as_str(), entry["subject"].as_str()), (Some("local"), Some(ADMIN)));
    assert!(!audit.to_string().contains(&password));

    let unknown = reset(hub.directory.path(), "eve", &*hub.clock).await.unwrap_err().to_string();
    assert!(unknown.contains("eve") && unknown.contains(ADMIN), "{unknown}");
    let empty = tempfile::tempdir().unwrap();
    assert!(reset(empty.path(), ADMIN, &*hub.clock).await.is_err());
    assert_eq!(std::fs::read_dir(empty.path()).unwrap().count(), 0, "nothing is made where no hub ran");
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
