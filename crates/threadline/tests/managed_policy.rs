//! A policy that a file manages, through the real binary: edited, broken, mended, and never written.
#![allow(clippy::unwrap_used)]

mod support;

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use http::{Method, Request, Response};
use http_body_util::Full;
use hyper::body::Bytes;
use serde_json::json;
use support::Threadline;

fn policy(name: &str) -> String {
    format!(
        "# Kept in git; see the runbook.\nparameters:\n- name: {name} # the key\n  point: request > query a\n  group: true\n"
    )
}

async fn start(folder: &Path) -> Threadline {
    let upstream = support::upstream(|_, _| Response::new(Full::new(Bytes::from_static(b"{}")))).await;
    let configuration = folder.join("threadline.yaml");
    std::fs::write(&configuration, "policy_file: policy.yaml\n").unwrap();
    Threadline::start(folder, "serve", &["--upstream", &upstream, "--config", configuration.to_str().unwrap()]).await
}

async fn key_of(threadline: &Threadline, path: &str) -> String {
    let request = Request::builder().uri(format!("{path}?a=1")).header("host", "shop.example");
    assert_eq!(threadline.through_proxy(request, "").await.0.status.as_u16(), 200);
    let list = threadline
        .wait_for(&format!("/sessions?last=1h&endpoint={path}"), |list| list["total"].as_u64() > Some(0))
        .await;
    let session = list["sessions"][0]["session_id"].as_str().unwrap().to_owned();
    let exchanges = threadline.get(&format!("/sessions/{session}/exchanges?last=1h&endpoint={path}")).await;
    exchanges["exchanges"][0]["session_key"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_policy_file_is_followed_and_a_broken_one_replaces_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("policy.yaml");
    std::fs::write(&file, policy("first")).unwrap();
    let threadline = start(folder.path()).await;
    let held = threadline.get("/policy").await;
    assert_eq!((held["version"].as_u64(), held["saved_by"].as_str()), (Some(1), Some("policy file")));
    assert_eq!(held["managed_by"], file.to_str().unwrap());
    assert_eq!(held["file_problem"], json!(null));
    assert_eq!(threadline.get("/policy/parameters").await["managed_by"], held["managed_by"]);
    assert_eq!(key_of(&threadline, "/one").await, "first");

    // Nobody else changes it.
    for (path, body) in
        [("/policy", json!({"policy": {"parameters": []}})), ("/policy/parameters", json!({"parameters": []}))]
    {
        let (response, problem) = threadline.api_with(Method::PUT, path, Some(body), &[("if-match", "*")]).await;
        assert_eq!(response.status().as_u16(), 409, "{problem}");
        assert_eq!(problem["type"], "urn:threadline:problem:policy-managed");
        assert!(problem["detail"].as_str().unwrap().contains(file.to_str().unwrap()), "{problem}");
    }

    let other = folder.path().join("other.yaml");
    std::fs::write(&other, policy("other")).unwrap();
    let applied = Command::new(env!("CARGO_BIN_EXE_threadline"))
        .args(["policy", "apply"])
        .arg(&other)
        .arg("--data")
        .arg(threadline.data())
        .output()
        .unwrap();
    assert_eq!(applied.status.code(), Some(1));
    let said = String::from_utf8_lossy(&applied.stderr).into_owned();
    assert!(said.contains("is what the file") && said.contains(file.to_str().unwrap()), "{said}");

    // Remarks and the order of keys are no change by themselves; what is changed holds soon.
    let edited = policy("second") + "# another remark\n";
    std::fs::write(&file, &edited).unwrap();
    let began = Instant::now();
    threadline.wait_for("/policy", |held| held["version"] == 2).await;
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    assert_eq!(key_of(&threadline, "/two").await, "second");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), edited);

    let broken = policy("canary-value").replace("group: true", "groupp: true");
    std::fs::write(&file, &broken).unwrap();
    let held = threadline.wait_for("/policy", |held| !held["file_problem"].is_null()).await;
    assert!(held["file_problem"].as_str().unwrap().contains("parameters[0].groupp (line 5)"), "{held}");
    assert_eq!((held["version"].as_u64(), &held["policy"]["parameters"][0]["name"]), (Some(2), &json!("second")));
    assert_eq!(threadline.get("/status").await["policy_file_problem"], held["file_problem"]);
    assert_eq!(key_of(&threadline, "/three").await, "second");
    assert!(!threadline.log().contains("canary-value"), "no value in the log");
    assert!(threadline.log().contains("parameters[0].groupp"), "{}", threadline.log());
    assert_eq!(std::fs::read_to_string(&file).unwrap(), broken);

    std::fs::remove_file(&file).unwrap();
    threadline.wait_for("/policy", |held| held["file_problem"].as_str().is_some_and(|it| it.contains("read"))).await;
    // Back as it was when it last held: no version, and no problem any more.
    std::fs::write(&file, &edited).unwrap();
    let held = threadline.wait_for("/policy", |held| held["file_problem"].is_null()).await;
    assert_eq!(held["version"], 2);

    // What stands there while it is being written is a policy too, but never holds.
    std::fs::write(&file, policy("third")).unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    std::fs::write(&file, policy("third") + "masks:\n- point: request > query card\n").unwrap();
    let held = threadline.wait_for("/policy", |held| held["version"] != 2).await;
    assert_eq!((held["version"].as_u64(), held["policy"]["masks"].as_array().unwrap().len()), (Some(3), 1));
    threadline.stop().await;
}

#[tokio::test]
async fn a_start_with_a_broken_policy_file_is_refused_with_every_field() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("policy.yaml");
    std::fs::write(&file, "parameters:\n- name: ''\n  point: request > nonsense\n").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_threadline"))
        .args(["serve", "--console", "127.0.0.1:0", "--policy-file"])
        .arg(&file)
        .arg("--data")
        .arg(folder.path().join("data"))
        .env_remove("THREADLINE_CONFIG")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    for mistake in ["line 2: parameters[0].name: ", "line 3: parameters[0].point: "] {
        assert!(said.contains(mistake), "{said}");
    }
}
