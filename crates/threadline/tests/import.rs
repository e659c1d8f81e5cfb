//! `threadline import har` with the real binary: into the data folder directly, and through a running hub.
#![allow(clippy::unwrap_used)]

mod support;

use std::path::Path;
use std::process::{Command, Output};

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
