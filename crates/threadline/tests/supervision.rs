//! How the service ends: in order when a part of it fails, and at once for somebody who insists.
#![allow(clippy::unwrap_used)]

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(60);

fn serve(folder: &Path, announce: &Path, upstream: &str) -> Child {
    let log = std::fs::File::create(folder.join("log.txt")).unwrap();
    Command::new(env!("CARGO_BIN_EXE_threadline"))
        .args(["serve", "--listen", "127.0.0.1:0", "--console", "127.0.0.1:0", "--log", "info", "--upstream", upstream])
        .arg("--data")
        .arg(folder.join("data"))
        .arg("--announce")
        .arg(announce)
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .stdin(Stdio::null())
        .spawn()
        .unwrap()
}

fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(started.elapsed() < PATIENCE, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn ended(child: &mut Child) -> ExitStatus {
    eventually("the end", || child.try_wait().unwrap())
}

fn log(folder: &Path) -> String {
    std::fs::read_to_string(folder.join("log.txt")).unwrap()
}

#[test]
fn a_second_signal_does_not_wait_for_requests_that_still_run() {
    // Accepts and never answers.
    let upstream = TcpListener::bind("127.0.0.1:0").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let announce = folder.path().join("announce.json");
    let mut child = serve(folder.path(), &announce, &format!("http://{}", upstream.local_addr().unwrap()));
    let proxy = eventually("the announcement", || {
        let text = std::fs::read_to_string(&announce).ok()?;
        let addresses: serde_json::Value = serde_json::from_str(&text).ok()?;
        Some(addresses["proxy_url"].as_str()?.trim_start_matches("http://").trim_end_matches('/').to_owned())
    });
    let mut client = TcpStream::connect(proxy).unwrap();
    client.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    let (mut asked, _) = upstream.accept().unwrap();
    asked.read_exact(&mut [0; 3]).unwrap();

    let terminate =
        || assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    terminate();
    eventually("the stop to begin", || log(folder.path()).contains("stopping").then_some(()));
    let insisted = Instant::now();
    terminate();
    let status = ended(&mut child);
    assert_eq!(status.code(), Some(128 + 15), "{}", log(folder.path()));
    assert!(insisted.elapsed() < Duration::from_secs(5), "the request may run for ten seconds");
}

#[test]
fn whatever_fails_the_stop_is_a_whole_one() {
    let folder = tempfile::tempdir().unwrap();
    // The announcement cannot be written: the service is up by then.
    let mut child = serve(folder.path(), &folder.path().join("nowhere/announce.json"), "http://127.0.0.1:1");
    assert_eq!(ended(&mut child).code(), Some(1));
    let said = log(folder.path());
    assert!(said.contains("stopped"), "node, hub and store were stopped: {said}");
    assert!(said.contains("cannot write"), "and the reason is told: {said}");
    assert!(!folder.path().join("data/local-token").exists(), "the hub has taken its token back");
}
