//! Purges through the real binary: what was asked to leave is in no answer and in no file of the data folder any more,
//! also when the process is killed right after it was begun.
#![allow(clippy::unwrap_used)]

mod support;

use std::path::{Path, PathBuf};
use std::time::Duration;

use http::{Method, Request, Response};
use http_body_util::Full;
use hyper::body::Bytes;
use serde_json::{Value, json};
use support::Threadline;

const USER: &str = "canary-user-5d0f1c7a9e3b";
const MARK: &str = "canary-mark-83a4f2e6b1c9";
const PLAN: &str = "canary-plan-17d5c0a2f894";
const OTHER: &str = "somebody-else-71c20b6e35";

async fn start(folder: &Path) -> Threadline {
    let upstream = support::upstream(|_, _| Response::new(Full::new(Bytes::from_static(b"{}")))).await;
    let threadline = Threadline::start(folder, "serve", &["--upstream", &upstream]).await;
    let parameters = json!([
        {"name": "account", "point": "request > header X-ACCOUNT", "type": "user"},
        {"name": "mark", "point": "request > header X-MARK"},
        {"name": "plan", "point": "request > header X-PLAN"},
    ]);
    threadline.put_parameters(parameters).await;
    threadline
}

/// One exchange of a session with a header.
async fn visit(threadline: &Threadline, session: &str, name: &str, value: &str) {
    let request = Request::builder().uri(format!("/of/{session}")).header("x-session-id", session).header(name, value);
    threadline.through_proxy(request, "").await;
}

async fn stored(threadline: &Threadline, exchanges: u64) -> Value {
    let count = |list: &Value| {
        list["sessions"].as_array().unwrap().iter().map(|one| one["requests"].as_u64().unwrap()).sum::<u64>()
    };
    threadline.wait_for("/sessions?last=1h", |list| count(list) == exchanges).await
}

async fn ask(threadline: &Threadline, body: Value, status: u16) -> Value {
    let (response, answer) = threadline.api(Method::POST, "/purges", Some(body)).await;
    assert_eq!(response.status(), status, "{answer}");
    answer
}

async fn done(threadline: &Threadline, id: &str) -> Value {
    let record = threadline.wait_for(&format!("/purges/{id}"), |record| record["state"] != "running").await;
    assert_eq!(record["state"], "done", "{record}");
    record
}

/// Files below a folder that hold a text.
fn holding(folder: &Path, text: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            found.extend(holding(&path, text));
        } else if std::fs::read(&path).unwrap().windows(text.len()).any(|bytes| bytes == text.as_bytes()) {
            found.push(path);
        }
    }
    found
}

#[tokio::test]
async fn a_user_a_session_and_a_parameter_leave_answers_and_files() {
    let folder = tempfile::tempdir().unwrap();
    let threadline = start(folder.path()).await;
    let on = Some(json!({"on": true}));
    assert_eq!(threadline.api(Method::PUT, "/recent-exchanges/settings", on).await.0.status(), 200);
    for _ in 0..3 {
        visit(&threadline, "one", "x-account", USER).await;
        visit(&threadline, "two", "x-mark", MARK).await;
        visit(&threadline, "three", "x-plan", PLAN).await;
        visit(&threadline, "four", "x-mark", OTHER).await;
    }
    stored(&threadline, 12).await;
    let marked = threadline.get(&format!("/sessions?last=1h&parameter=mark:{MARK}")).await;
    let session = marked["sessions"][0]["session_id"].as_str().unwrap();
    let data = threadline.data();
    for canary in [USER, MARK, PLAN, OTHER] {
        assert!(!holding(&data, canary).is_empty(), "{canary}: the test looks for what is there");
    }
    assert!(threadline.get("/recent-exchanges/settings").await["kept"].as_u64().unwrap() > 0);

    for (number, (kind, value, canary)) in
        [("user", USER, USER), ("session", session, MARK), ("parameter", "plan", PLAN)].into_iter().enumerate()
    {
        let counts = ask(&threadline, json!({"kind": kind, "value": value, "dry_run": true}), 200).await;
        assert_eq!((&counts["sessions"], &counts["days"]), (&json!(1), &json!(1)), "{kind}: {counts}");
        assert_eq!(counts["deleted"].as_u64().unwrap() + counts["changed"].as_u64().unwrap(), 3, "{kind}: {counts}");
        let asked = ask(&threadline, json!({"kind": kind, "value": value, "reason": "a letter"}), 202).await;
        let record = done(&threadline, asked["id"].as_str().unwrap()).await;
        assert_eq!((&record["counts"], &record["reason"]), (&counts, &json!("a letter")));
        assert_eq!(holding(&data, canary), [] as [PathBuf; 0], "{kind}, while it runs");
        assert_eq!(threadline.get("/purges").await["total"], json!(number + 1));
    }
    assert_eq!(threadline.get("/recent-exchanges/settings").await["kept"], json!(0));
    let list = stored(&threadline, 6).await;
    for canary in [USER, MARK, PLAN] {
        assert!(!list.to_string().contains(canary));
    }
    for filter in [format!("user={USER}"), format!("session={session}"), format!("parameter=plan:{PLAN}")] {
        assert_eq!(threadline.get(&format!("/sessions?last=1h&{filter}")).await["total"], 0, "{filter}");
    }
    let purges = threadline.get("/purges").await.to_string() + &threadline.get("/audit").await.to_string();
    assert!(!purges.contains(USER), "the record names no user");

    // What comes later is new.
    visit(&threadline, "one", "x-account", USER).await;
    stored(&threadline, 7).await;
    let log = threadline.log();
    threadline.stop().await;
    assert!([USER, MARK, PLAN].iter().all(|canary| !log.contains(canary)), "no value in the log");
    for canary in [MARK, PLAN] {
        assert_eq!(holding(&data, canary), [] as [PathBuf; 0], "after it was stopped");
    }
    assert!(!holding(&data, OTHER).is_empty(), "the others stay");
}

#[tokio::test]
async fn a_purge_is_finished_although_the_process_was_killed_right_after_the_answer() {
    let folder = tempfile::tempdir().unwrap();
    for round in 0..4_u64 {
        let threadline = start(folder.path()).await;
        let user = format!("{USER}-{round}");
        for _ in 0..20 {
            visit(&threadline, &format!("round-{round}"), "x-account", &user).await;
            visit(&threadline, "stays", "x-account", OTHER).await;
        }
        stored(&threadline, 20 * (round + 2)).await;
        let asked = ask(&threadline, json!({"kind": "user", "value": user, "reason": "test"}), 202).await;
        assert_eq!(asked["value"].as_str().unwrap().len(), 8);
        // Before, while and after its file is written anew.
        tokio::time::sleep(Duration::from_millis(round * 15)).await;
        threadline.kill();

        let threadline = start(folder.path()).await;
        let record = done(&threadline, asked["id"].as_str().unwrap()).await;
        assert_eq!(record["counts"]["deleted"], 20);
        stored(&threadline, 20 * (round + 1)).await;
        let data = threadline.data();
        threadline.stop().await;
        assert_eq!(holding(&data, &user), [] as [PathBuf; 0], "round {round}");
    }
}
