//! A policy in a file of its own manages the hub: it is followed, broken edits are reported, nobody else changes it, and
//! the file is never written.
#![allow(clippy::unwrap_used)]

mod support;

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use http::{Method, Request, Response};
use http_body_util::Full;
use hyper::body::Bytes;
use serde_json::{Value, json};
use support::Threadline;

const FIRST: &str = "# Ours: reviewed in git.\nparameters:\n  - name: tenant   # by header\n    point: request > header X-TENANT\n    group: true\n";

async fn start(folder: &Path, policy: &Path) -> Threadline {
    let upstream = support::upstream(|_, _| Response::new(Full::new(Bytes::from_static(b"{}")))).await;
    let arguments = ["--upstream", &upstream, "--policy-file", policy.to_str().unwrap()];
    Threadline::start(folder, "serve", &arguments).await
}

/// Waits until the policy's answer says so, at most as long as a saved policy may take to reach a node.
async fn within_two_seconds(threadline: &Threadline, wanted: impl Fn(&Value) -> bool) -> Value {
    let started = Instant::now();
    loop {
        let answer = threadline.get("/policy").await;
        if wanted(&answer) {
            return answer;
        }
        assert!(started.elapsed() < Duration::from_secs(2), "too late: {answer}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn ask(threadline: &Threadline, path: &str) {
    let request = Request::builder().uri(path).header("x-tenant", "blue").header("x-team", "red");
    assert_eq!(threadline.through_proxy(request, "").await.0.status, 200);
}

/// The key that decided the one exchange of a path.
async fn key_of(threadline: &Threadline, path: &str) -> String {
    let facet = format!("/facets?last=1h&field=key&limit=10&endpoint={path}");
    let facets = threadline.wait_for(&facet, |answer| answer["facets"][0]["values"][0]["exchanges"] == 1).await;
    facets["facets"][0]["values"][0]["value"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn an_edited_file_holds_within_two_seconds_and_a_broken_one_never() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("policy.yaml");
    std::fs::write(&file, FIRST).unwrap();
    let threadline = start(folder.path(), &file).await;
    let answer = threadline.get("/policy").await;
    assert_eq!((answer["version"].as_u64(), answer["saved_by"].as_str()), (Some(1), Some("policy file")));
    assert_eq!((answer["managed_by"].as_str(), &answer["file_problem"]), (file.to_str(), &Value::Null));
    ask(&threadline, "/first").await;
    assert_eq!(key_of(&threadline, "/first").await, "tenant");

    // Nobody else changes it.
    for (path, body) in
        [("/policy", json!({"policy": {"parameters": []}})), ("/policy/parameters", json!({"parameters": []}))]
    {
        let (response, problem) = threadline.api_with(Method::PUT, path, Some(body), &[("if-match", "\"1\"")]).await;
        assert_eq!(response.status(), 409, "{problem}");
        assert_eq!(problem["type"], "urn:threadline:problem:managed_by_file");
        assert!(problem["detail"].as_str().unwrap().contains(file.to_str().unwrap()), "{problem}");
    }

    // An edit is a version that new traffic meets.
    std::fs::write(&file, FIRST.replace("tenant ", "team ").replace("X-TENANT", "X-TEAM")).unwrap();
    let edited = within_two_seconds(&threadline, |answer| answer["version"] == 2).await;
    assert_eq!(edited["policy"]["parameters"][0]["name"], "team");
    ask(&threadline, "/second").await;
    assert_eq!(key_of(&threadline, "/second").await, "team");

    // A broken edit is reported, with its field and line, and the good policy holds on.
    for (broken, says) in [
        (FIRST.replace("X-TENANT", "X-TENANT > cookie a > index 0 > host"), "line 4: parameters[0].point"),
        (FIRST.replace("group", "grupe"), "grupe"),
        ("{".to_owned(), "line"),
        (format!("{FIRST}{}", " ".repeat(1 << 20)), "larger than 1 MiB"),
    ] {
        std::fs::write(&file, &broken).unwrap();
        let answer = within_two_seconds(&threadline, |answer| {
            answer["file_problem"].as_str().is_some_and(|problem| problem.contains(says))
        })
        .await;
        assert_eq!(answer["version"], 2);
        assert_eq!(std::fs::read_to_string(&file).unwrap(), broken, "the file is its author's");
    }
    std::fs::remove_file(&file).unwrap();
    within_two_seconds(&threadline, |answer| {
        answer["file_problem"].as_str().is_some_and(|problem| problem.contains("cannot read"))
    })
    .await;
    ask(&threadline, "/third").await;
    assert_eq!(key_of(&threadline, "/third").await, "team");

    // The mended file holds again, and what it says already makes no version.
    std::fs::write(&file, FIRST).unwrap();
    within_two_seconds(&threadline, |answer| answer["version"] == 3 && answer["file_problem"].is_null()).await;
    std::fs::write(&file, format!("{FIRST}# a remark\n")).unwrap();
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(threadline.get("/policy").await["version"], 3);
    threadline.stop().await;
}

#[test]
fn a_service_does_not_start_on_a_broken_policy() {
    let folder = tempfile::tempdir().unwrap();
    let serve = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_threadline"))
            .current_dir(folder.path())
            .args(["serve", "--listen", "127.0.0.1:0", "--console", "127.0.0.1:0"])
            .args(arguments)
            .output()
            .unwrap();
        assert!(!output.status.success());
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    std::fs::write(folder.path().join("policy.yaml"), "parameters: [{name: a, point: request > cookie a}]").unwrap();
    let words = serve(&["--policy-file", "policy.yaml"]);
    assert!(words.contains("policy.yaml") && words.contains("parameters[0].point"), "{words}");
    let words = serve(&["--policy-file", "nowhere.yaml"]);
    assert!(words.contains("cannot read nowhere.yaml"), "{words}");
    std::fs::create_dir(folder.path().join("etc")).unwrap();
    let configuration = "policy: {parameters: []}\npolicy_file: policy.yaml\n";
    std::fs::write(folder.path().join("etc/threadline.yaml"), configuration).unwrap();
    let words = serve(&["--config", "etc/threadline.yaml"]);
    assert!(words.contains("policy_file: the policy stands in `policy` already"), "{words}");
    std::fs::write(folder.path().join("etc/threadline.yaml"), "policy_file: policy.yaml\n").unwrap();
    let words = serve(&["--config", "etc/threadline.yaml"]);
    assert!(words.contains("cannot read etc/policy.yaml"), "beside the file that names it: {words}");
}
