//! What is exported hashed is found by the clear value: an analyst types an address, the hub answers with hashes, and the
//! filters take them. Through the real binary.
#![allow(clippy::unwrap_used)]

mod support;

use std::process::Command;
use std::time::Instant;

use http::{Method, Request, Response};
use http_body_util::Full;
use hyper::body::Bytes;
use serde_json::{Value, json};
use support::Threadline;
use threadline_grouping::InstallationSecrets;

const ADA: &str = "ada@example.com";

fn policy() -> Value {
    json!([
        {"name": "account", "point": "request > query account", "type": "user", "hashed": true},
        {"name": "standing", "point": "request > query standing", "type": "role", "hashed": true},
        {"name": "tenant", "point": "request > header X-TENANT", "group": true, "hashed": true, "namespace": "tenants"},
        {"name": "card", "point": "request > query card", "hashed": true},
        {"name": "plan", "point": "request > query plan"},
    ])
}

async fn upstream() -> String {
    support::upstream(|_, _| Response::new(Full::new(Bytes::from_static(b"{}")))).await
}

async fn request(threadline: &Threadline, target: &str, tenant: Option<&str>, agent: &str) {
    let mut request = Request::builder().uri(target).header("user-agent", agent);
    if let Some(tenant) = tenant {
        request = request.header("x-tenant", tenant);
    }
    threadline.through_proxy(request, "").await;
}

async fn hashes(threadline: &Threadline, body: Value) -> (Vec<String>, Vec<String>) {
    let (response, answer) = threadline.api(Method::POST, "/hashes", Some(body)).await;
    assert_eq!(response.status(), 200, "{answer}");
    let list = |name: &str| serde_json::from_value(answer[name].clone()).unwrap();
    (list("parameter_hashes"), list("session_ids"))
}

/// The sessions of a filter, by ID.
async fn sessions(threadline: &Threadline, filter: &str) -> Vec<String> {
    let list = threadline.get(&format!("/sessions?last=1h&{filter}")).await;
    let sessions = list["sessions"].as_array().unwrap().iter();
    sessions.map(|session| session["session_id"].as_str().unwrap().to_owned()).collect()
}

async fn stored(threadline: &Threadline, exchanges: u64) {
    let count = |list: &Value| {
        list["sessions"].as_array().unwrap().iter().map(|one| one["requests"].as_u64().unwrap()).sum::<u64>()
    };
    threadline.wait_for("/sessions?last=1h", |list| count(list) == exchanges).await;
}

#[tokio::test]
async fn a_hashed_value_is_found_by_what_it_is_in_clear() {
    let folder = tempfile::tempdir().unwrap();
    let threadline = Threadline::start(folder.path(), "serve", &["--upstream", &upstream().await]).await;
    threadline.put_parameters(policy()).await;
    request(&threadline, "/login?account=ada%40example.com&standing=gold&card=4000-12", Some("acme"), "one").await;
    request(&threadline, "/login?account=Ada%40example.com&plan=4000-12", None, "two").await;
    request(&threadline, "/news", None, "three").await;
    stored(&threadline, 3).await;

    let (users, _) = hashes(&threadline, json!({"value": ADA})).await;
    assert_eq!(users.len(), 1);
    let of_ada = sessions(&threadline, &format!("user={}", users[0])).await;
    assert_eq!(of_ada.len(), 1, "another spelling is another value");
    assert!(sessions(&threadline, "user=ada@example.com").await.is_empty(), "stored hashed only");
    let (roles, _) = hashes(&threadline, json!({"value": "gold"})).await;
    assert_eq!(sessions(&threadline, &format!("role={}", roles[0])).await, of_ada);

    // A parameter that is neither: by its hash where it is hashed, in clear where it is not.
    let (cards, _) = hashes(&threadline, json!({"value": "4000-12"})).await;
    assert_eq!(sessions(&threadline, &format!("parameter=card:{}", cards[0])).await, of_ada);
    assert_eq!(sessions(&threadline, &format!("parameter=account:{}", users[0])).await, of_ada);
    assert!(sessions(&threadline, &format!("parameter=plan:{}", cards[0])).await.is_empty());
    let planned = sessions(&threadline, "parameter=plan:4000-12").await;
    assert!(planned.len() == 1 && planned != of_ada);
    let without = sessions(&threadline, &format!("parameter=!card:{}", cards[0])).await;
    assert!(without.len() == 2 && !without.contains(&of_ada[0]), "{without:?}");
    let (tenants, _) = hashes(&threadline, json!({"value": "acme"})).await;
    assert_eq!(sessions(&threadline, &format!("value={}", tenants[0])).await, of_ada);

    // The session of a key: in its own namespace, which the policy names or the question.
    for question in [json!({"value": "acme"}), json!({"value": "acme", "namespace": "tenants"})] {
        let (_, ids) = hashes(&threadline, question).await;
        let filter: Vec<String> = ids.iter().map(|id| format!("session={id}")).collect();
        assert_eq!(sessions(&threadline, &filter.join("&")).await, of_ada);
    }
    let (_, others) = hashes(&threadline, json!({"value": "acme", "namespace": "others"})).await;
    assert_eq!(others.len(), 1);
    assert!(sessions(&threadline, &format!("session={}", others[0])).await.is_empty());

    let folder = threadline.data();
    let log = threadline.log();
    threadline.stop().await;
    assert!(!log.contains(ADA) && !log.contains("4000-12"), "no value in the log");
    for file in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file()) {
        let content = std::fs::read(&file).unwrap();
        assert!(!content.windows(ADA.len()).any(|bytes| bytes == ADA.as_bytes()), "{}", file.display());
    }
}

/// `threadline rotate-secret` on a folder: what it says, and whether it succeeded.
fn rotate(data: &std::path::Path) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_threadline"))
        .args(["rotate-secret", "--data"])
        .arg(data)
        .env_remove("THREADLINE_CONFIG")
        .output()
        .unwrap();
    (output.status.success(), String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap())
}

#[tokio::test]
async fn a_rotated_secret_makes_new_hashes_and_the_clear_value_still_finds_the_old_ones() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let (rotated, said) = rotate(&data);
    assert!(!rotated && said.contains("there is no secret file"), "{said}");
    assert!(!data.exists(), "nothing is made");

    let upstream = upstream().await;
    let threadline = Threadline::start(folder.path(), "serve", &["--upstream", &upstream]).await;
    threadline.put_parameters(policy()).await;
    let visit = "/login?account=ada%40example.com";
    request(&threadline, visit, Some("acme"), "before").await;
    stored(&threadline, 1).await;
    let before = hashes(&threadline, json!({"value": ADA, "namespace": "tenants"})).await;
    assert_eq!((before.0.len(), before.1.len()), (1, 1));

    let (rotated, said) = rotate(&data);
    assert!(rotated && said.contains("Restart `threadline serve`"), "{said}");
    let file = std::fs::read_to_string(data.join("secret")).unwrap();
    let digits = file.split_whitespace().filter(|word| word.len() == 64);
    assert_eq!(digits.clone().filter(|digits| !said.contains(*digits)).count(), 2, "two secrets, none of them said");
    // Whoever runs goes on with the secret that it read; an import beside it would hash otherwise.
    request(&threadline, visit, Some("acme"), "meanwhile").await;
    stored(&threadline, 2).await;
    assert_eq!(hashes(&threadline, json!({"value": ADA, "namespace": "tenants"})).await, before);
    assert_eq!(sessions(&threadline, "").await.len(), 1);
    let import = Command::new(env!("CARGO_BIN_EXE_threadline"))
        .args(["import", "har", "/dev/null", "--data"])
        .arg(&data)
        .output()
        .unwrap();
    let refused = String::from_utf8(import.stderr).unwrap();
    assert!(!import.status.success() && refused.contains("restart it first"), "{refused}");
    threadline.stop().await;

    let threadline = Threadline::start(folder.path(), "serve", &["--upstream", &upstream]).await;
    request(&threadline, visit, Some("acme"), "after").await;
    stored(&threadline, 3).await;
    let (users, _) = hashes(&threadline, json!({"value": ADA})).await;
    assert!(users.len() == 2 && users[1] == before.0[0] && users[0] != users[1], "newest first: {users:?}");
    let parts = sessions(&threadline, "").await;
    assert_eq!(parts.len(), 2, "a session that goes on appears as two");
    for user in &users {
        assert_eq!(sessions(&threadline, &format!("user={user}")).await.len(), 1);
    }
    assert_eq!(sessions(&threadline, &format!("user={}&user={}", users[0], users[1])).await, parts);
    let (_, ids) = hashes(&threadline, json!({"value": "acme", "namespace": "tenants"})).await;
    assert_eq!(ids, parts, "newest first");
    threadline.stop().await;
    let ended = std::fs::read_to_string(data.join("secret")).unwrap();
    assert!(file.contains("in-use") && !ended.contains("in-use"), "it ended with the start of the next");
}

#[test]
fn a_rotation_that_is_killed_leaves_the_old_secret_or_the_new_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    InstallationSecrets::load_or_create(&path).unwrap();
    let started = Instant::now();
    assert!(rotate(folder.path()).0);
    let whole = started.elapsed();
    let mut newest = InstallationSecrets::load(&path).unwrap().unwrap().newest().fingerprint();
    // From before it begins to after it has ended.
    for round in 0..30 {
        let mut child = Command::new(env!("CARGO_BIN_EXE_threadline"))
            .args(["rotate-secret", "--data"])
            .arg(folder.path())
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let until = Instant::now() + whole * round / 25;
        while Instant::now() < until {
            std::hint::spin_loop();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let read = InstallationSecrets::load(&path).unwrap().unwrap();
        let found = read.newest().fingerprint();
        assert!(found == newest || read.was_replaced(&newest), "round {round}: the former secret is lost");
        newest = found;
    }
    let (rotated, said) = rotate(folder.path());
    assert!(rotated, "{said}");
    assert!(InstallationSecrets::load(&path).unwrap().unwrap().was_replaced(&newest));
}
