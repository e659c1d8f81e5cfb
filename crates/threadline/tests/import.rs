//! `threadline import har` with the real binary: into the data folder directly, and through a running hub.
#![allow(clippy::unwrap_used)]

mod support;

use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use http::{Response, StatusCode};
use http_body_util::Full;
use hyper::body::Bytes;
use serde_json::Value;
use support::Threadline;

const RECORDING: &str = r#"{"log":{"version":"1.2","creator":{"name":"test","version":"1"},"entries":[
{"startedDateTime":"2019-03-05T10:00:00.000Z","time":12,"request":{"method":"POST","url":"http://shop.example/login","httpVersion":"HTTP/1.1","headers":[{"name":"User-Agent","value":"recorder"}],"queryString":[],"cookies":[],"headersSize":-1,"bodySize":9,"postData":{"mimeType":"application/json","text":"{\"a\":\"b\"}"}},
 "response":{"status":200,"statusText":"OK","httpVersion":"HTTP/1.1","headers":[{"name":"Set-Cookie","value":"PHPSESSID=recorded-session; Path=/"}],"cookies":[],"content":{"size":2,"mimeType":"application/json","text":"{}"},"redirectURL":"","headersSize":-1,"bodySize":2},"cache":{},"timings":{"send":1,"wait":10,"receive":1}},
{"startedDateTime":"2019-03-05T10:00:01.500Z","time":7,"request":{"method":"GET","url":"http://shop.example/users/42/orders?page=2","httpVersion":"HTTP/1.1","headers":[{"name":"Cookie","value":"PHPSESSID=recorded-session"},{"name":"User-Agent","value":"recorder"}],"queryString":[],"cookies":[],"headersSize":-1,"bodySize":0},
 "response":{"status":200,"statusText":"OK","httpVersion":"HTTP/1.1","headers":[],"cookies":[],"content":{"size":2,"mimeType":"application/json","text":"[]"},"redirectURL":"","headersSize":-1,"bodySize":2},"cache":{},"timings":{"send":1,"wait":5,"receive":1}}
]}}"#;

/// All of the recording's time and more.
const RANGE: &str = "from=2019-03-05T00:00:00Z&to=2019-03-06T00:00:00Z";

fn import(data: &Path, file: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_threadline"))
        .args(["import", "har"])
        .arg(file)
        .arg("--data")
        .arg(data)
        .output()
        .unwrap()
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

async fn check_recorded_session(threadline: &Threadline) {
    let list = threadline.get(&format!("/sessions?{RANGE}")).await;
    assert_eq!(list["total"], 1, "{list}");
    let session = &list["sessions"][0];
    assert_eq!(session["requests"], 2);
    assert_eq!(session["first"].as_str().unwrap()[..19], *"2019-03-05T10:00:00");
    let id = session["session_id"].as_str().unwrap();
    let page = threadline.get(&format!("/sessions/{id}/exchanges?{RANGE}")).await;
    let exchange = &page["exchanges"].as_array().unwrap().iter().find(|one| one["method"] == "GET").unwrap().clone();
    assert_eq!(exchange["client_ip"], Value::Null, "a file without addresses has none");
    assert_eq!(exchange["source"], "har");
    assert_eq!(exchange["endpoint"], "GET shop.example/users/{int}/orders");
    assert!(!page.to_string().contains("recorded-session"), "a session cookie is exported hashed");
}

#[tokio::test]
async fn a_file_imported_twice_adds_nothing_with_and_without_a_running_hub() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let file = folder.path().join("recording.har");
    std::fs::write(&file, RECORDING).unwrap();

    let first = import(&data, &file);
    assert!(first.status.success(), "{}", said(&first));
    assert!(said(&first).contains("2 exchanges added"), "{}", said(&first));
    let second = import(&data, &file);
    assert!(second.status.success(), "{}", said(&second));
    assert!(
        said(&second).contains("0 exchanges added") && said(&second).contains("2 already there"),
        "{}",
        said(&second)
    );

    let threadline = Threadline::start(folder.path(), "serve", &[]).await;
    check_recorded_session(&threadline).await;
    let third = import(&data, &file);
    assert!(third.status.success(), "{}", said(&third));
    assert!(said(&third).contains("0 exchanges added"), "through the hub: {}", said(&third));

    // A longer export of the same recording adds only what is new.
    let mut longer: Value = serde_json::from_str(RECORDING).unwrap();
    let mut entry = longer["log"]["entries"][1].clone();
    entry["startedDateTime"] = "2019-03-05T10:00:03.000Z".into();
    longer["log"]["entries"].as_array_mut().unwrap().push(entry);
    std::fs::write(&file, longer.to_string()).unwrap();
    let fourth = import(&data, &file);
    assert!(said(&fourth).contains("1 exchange added"), "{}", said(&fourth));
    threadline.stop().await;
}

#[tokio::test]
async fn a_damaged_file_says_where_and_imports_what_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let file = folder.path().join("damaged.har");
    let cut = RECORDING.find("2019-03-05T10:00:01").unwrap() + 40;
    std::fs::write(&file, &RECORDING[..cut]).unwrap();
    let output = import(&data, &file);
    assert_eq!(output.status.code(), Some(1), "damage is not success: {}", said(&output));
    assert!(said(&output).contains("1 exchange added"), "{}", said(&output));
    assert!(said(&output).contains("entry 2") && said(&output).contains("byte"), "{}", said(&output));

    let output = import(&data, &folder.path().join("missing.har"));
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("missing.har"));
}

fn import_elsewhere(data: &Path, file: &Path, hub: &str, token: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_threadline"))
        .args(["import", "har"])
        .arg(file)
        .arg("--data")
        .arg(data)
        .args(["--hub", hub])
        .env("THREADLINE_TOKEN", token)
        .output()
        .unwrap()
}

#[tokio::test]
async fn what_goes_to_a_hub_elsewhere_is_hashed_with_its_secret_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("recording.har");
    std::fs::write(&file, RECORDING).unwrap();
    let threadline = Threadline::start(folder.path(), "serve", &[]).await;
    let here = folder.path().join("here");
    std::fs::create_dir(&here).unwrap();
    let elsewhere = |data: &Path| import_elsewhere(data, &file, &threadline.console, &threadline.token);

    let without = elsewhere(&here);
    assert_eq!(without.status.code(), Some(1), "{}", said(&without));
    assert!(
        said(&without).contains("no installation secret") && said(&without).contains("--data"),
        "{}",
        said(&without)
    );
    assert_eq!(std::fs::read_dir(&here).unwrap().count(), 0, "no secret is made for the occasion");

    let stranger = folder.path().join("stranger");
    assert!(import(&stranger, &file).status.success());
    let other = elsewhere(&stranger);
    assert_eq!(other.status.code(), Some(1), "{}", said(&other));
    assert!(said(&other).contains("fingerprint"), "{}", said(&other));
    assert_eq!(threadline.get("/sessions?last=all").await["total"], 0, "nothing was sent");

    std::fs::copy(threadline.data().join("secret"), here.join("secret")).unwrap();
    let same = elsewhere(&here);
    assert!(same.status.success() && said(&same).contains("2 exchanges added"), "{}", said(&same));
    check_recorded_session(&threadline).await;
    threadline.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_left_over_address_whose_port_another_program_took_does_not_stop_an_import() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let file = folder.path().join("recording.har");
    std::fs::write(&file, RECORDING).unwrap();
    assert!(import(&data, &file).status.success());
    for status in [200, 401, 404, 503] {
        let address = support::upstream(move |_, _| {
            Response::builder().status(status).body(Full::new(Bytes::from_static(b"{\"other\":\"program\"}"))).unwrap()
        });
        std::fs::write(data.join("hub-address"), address.await).unwrap();
        std::fs::write(data.join("local-token"), "tl_of_a_hub_that_was_killed").unwrap();
        let output = import(&data, &file);
        assert!(output.status.success(), "{status}: {}", said(&output));
        assert!(said(&output).contains("2 already there"), "{status}: {}", said(&output));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_a_hub_cannot_take_now_is_sent_again_under_the_same_identity() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let file = folder.path().join("recording.har");
    std::fs::write(&file, RECORDING).unwrap();
    let threadline = Threadline::start(folder.path(), "serve", &[]).await;
    let terms = threadline.get("/batches").await.to_string();
    threadline.stop().await;

    let sent = Arc::new(AtomicUsize::new(0));
    let identities = Arc::new(std::sync::Mutex::new(std::collections::BTreeSet::new()));
    let (counted, seen) = (Arc::clone(&sent), Arc::clone(&identities));
    let hub = support::upstream(move |request, _| {
        let answer =
            |status, text: String| Response::builder().status(status).body(Full::new(Bytes::from(text))).unwrap();
        let problem = |status: StatusCode, detail: &str| {
            let text = serde_json::json!({"type": "urn:threadline:problem:test", "detail": detail}).to_string();
            answer(status, text)
        };
        match (request.method().as_str(), request.uri().path()) {
            ("GET", "/api/v1/batches") => answer(StatusCode::OK, terms.clone()),
            ("GET", _) => answer(StatusCode::OK, "{\"version\":0,\"policy\":{\"parameters\":[]}}".to_owned()),
            _ => {
                seen.lock().unwrap().insert(request.headers()["threadline-batch-id"].to_str().unwrap().to_owned());
                match counted.fetch_add(1, Ordering::Relaxed) {
                    0 | 1 => problem(StatusCode::SERVICE_UNAVAILABLE, "busy"),
                    2 => answer(StatusCode::OK, "{\"stored\":2,\"duplicate\":0,\"expired\":0}".to_owned()),
                    _ => problem(StatusCode::FORBIDDEN, "\u{1b}[31mred"),
                }
            }
        }
    })
    .await;
    let output = import_elsewhere(&data, &file, &hub, "tl_token");
    assert!(output.status.success() && said(&output).contains("2 exchanges added"), "{}", said(&output));
    assert_eq!((sent.load(Ordering::Relaxed), identities.lock().unwrap().len()), (3, 1));

    let refused = import_elsewhere(&data, &file, &hub, "tl_token");
    assert_eq!(refused.status.code(), Some(1));
    assert!(said(&refused).contains("red") && !said(&refused).contains('\u{1b}'), "{}", said(&refused));

    let tls = import_elsewhere(&data, &file, "https://threadline.example", "tl_token");
    assert!(said(&tls).contains("ssh -L"), "{}", said(&tls));
}
