//! The service around the sessions: stopping loses nothing, probes and metrics tell the truth, the file's policy and
//! what people saved since live together, environment variables override the file.
#![allow(clippy::unwrap_used)]

mod support;

use http::{Method, Request, Response};
use http_body_util::Full;
use hyper::body::Bytes;
use serde_json::json;
use support::Threadline;

async fn upstream() -> String {
    support::upstream(|_, _| Response::new(Full::new(Bytes::from_static(b"ok")))).await
}

#[tokio::test]
async fn stopping_loses_nothing_that_was_answered() {
    const REQUESTS: u64 = 500;
    let upstream = upstream().await;
    let folder = tempfile::tempdir().unwrap();
    let threadline = Threadline::start(folder.path(), "serve", &["--upstream", &upstream]).await;
    for number in 0..REQUESTS {
        let request = Request::builder().uri(format!("/items/{number}")).header("x-session-id", "one");
        let (answer, _) = threadline.through_proxy(request, "").await;
        assert_eq!(answer.status, 200);
    }
    // At once: what was answered last is still in the queue or in an open batch.
    threadline.stop().await;
    let threadline = Threadline::start(folder.path(), "serve", &["--upstream", &upstream]).await;
    let list = threadline.get("/sessions?last=24h").await;
    assert_eq!(list["total"], 1, "{list}");
    assert_eq!(list["sessions"][0]["requests"], REQUESTS);
    threadline.stop().await;
}

#[tokio::test]
async fn probes_and_metrics_answer_without_signing_in() {
    let upstream = upstream().await;
    let folder = tempfile::tempdir().unwrap();
    let threadline = Threadline::start(folder.path(), "serve", &["--upstream", &upstream]).await;
    threadline.through_proxy(Request::builder().uri("/once"), "").await;
    threadline.wait_for("/sessions?last=1h", |list| list["total"] == 1).await;
    for (path, part) in [("/healthz", ""), ("/readyz", ""), ("/metrics", "threadline_exchanges_received_total 1\n")] {
        let (status, text) = threadline.plain_get(path).await;
        assert_eq!(status, 200, "{path}: {text}");
        assert!(text.contains(part), "{path}: {text}");
    }
    let (_, metrics) = threadline.plain_get("/metrics").await;
    for counter in
        ["threadline_exchanges_shed_total 0", "threadline_exported_rows_total 1", "threadline_proxy_requests_total 1"]
    {
        assert!(metrics.contains(counter), "{counter} in\n{metrics}");
    }
    threadline.stop().await;
}

#[tokio::test]
async fn the_files_policy_applies_once_and_later_changes_survive_a_restart() {
    let upstream = upstream().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("threadline.yaml");
    std::fs::write(&file, "policy:\n  parameters:\n    - {name: from file, point: request > query a, group: true}\n")
        .unwrap();
    let arguments = ["--upstream", &upstream, "--config", file.to_str().unwrap()];
    let names = async |threadline: &Threadline| {
        let answer = threadline.get("/policy/parameters").await;
        answer["parameters"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["name"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };

    let threadline = Threadline::start(folder.path(), "serve", &arguments).await;
    assert_eq!(names(&threadline).await, ["from file"]);
    threadline.put_parameters(json!([{"name": "from console", "point": "request > query b", "group": true}])).await;
    threadline.stop().await;

    let threadline = Threadline::start(folder.path(), "serve", &arguments).await;
    assert_eq!(names(&threadline).await, ["from console"], "an unchanged file does not undo what people saved");
    threadline.stop().await;

    std::fs::write(&file, "policy:\n  parameters:\n    - {name: edited file, point: request > query c, group: true}\n")
        .unwrap();
    let threadline = Threadline::start(folder.path(), "serve", &arguments).await;
    assert_eq!(names(&threadline).await, ["edited file"]);
    threadline.stop().await;
}

#[tokio::test]
async fn two_saves_from_the_same_base_do_not_overwrite_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let threadline = Threadline::start(folder.path(), "serve", &[]).await;
    let (current, _) = threadline.api(Method::GET, "/policy/parameters", None).await;
    let tag = current.headers()["etag"].to_str().unwrap().to_owned();
    let body = |name: &str| Some(json!({"parameters": [{"name": name, "point": "request > query a"}]}));
    let (first, _) = threadline.api_with(Method::PUT, "/policy/parameters", body("first"), &[("if-match", &tag)]).await;
    assert_eq!(first.status(), 200);
    let (second, problem) =
        threadline.api_with(Method::PUT, "/policy/parameters", body("second"), &[("if-match", &tag)]).await;
    assert_eq!(second.status(), 412, "{problem}");
    let (without, problem) = threadline.api(Method::PUT, "/policy/parameters", body("third")).await;
    assert_eq!(without.status(), 428, "{problem}");
    assert_eq!(threadline.get("/policy/parameters").await["parameters"][0]["name"], "first");
    threadline.stop().await;
}

#[tokio::test]
async fn an_upstream_that_is_down_gives_502_and_a_recorded_exchange() {
    let folder = tempfile::tempdir().unwrap();
    // Bound and dropped: nobody listens there.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let threadline = Threadline::start(folder.path(), "serve", &["--upstream", &format!("http://{free}")]).await;
    let (answer, _) = threadline.through_proxy(Request::builder().uri("/lost"), "").await;
    assert_eq!(answer.status, 502);
    let list = threadline.wait_for("/sessions?last=1h", |list| list["total"] == 1).await;
    let id = list["sessions"][0]["session_id"].as_str().unwrap();
    let page = threadline.get(&format!("/sessions/{id}/exchanges?last=1h")).await;
    assert_eq!(page["exchanges"][0]["outcome"], "upstream_failed", "{page}");
    threadline.stop().await;
}

#[tokio::test]
async fn the_one_time_token_reaches_no_log_and_its_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let threadline = Threadline::start(folder.path(), "serve", &[]).await;
    let token = std::fs::read_to_string(threadline.data().join("first-run-token")).unwrap();
    let log = threadline.log();
    assert!(!log.contains(token.trim()), "standard output of a service ends in a log");
    assert!(log.contains("first-run-token"), "{log}");
    threadline.stop().await;
}

#[tokio::test]
async fn environment_variables_override_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("threadline.yaml");
    std::fs::write(&file, "retention: {days: 3}\nproxy: {upstream: 'http://127.0.0.1:1'}\n").unwrap();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_threadline"))
        .args(["serve", "--config", file.to_str().unwrap(), "--data"])
        .arg(folder.path().join("data"))
        .env("THREADLINE_RETENTION_DAYS", "0")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("retention.days"), "the file's 3 would be fine, the variable's 0 is not: {said}");
}
