//! Kill -9 of the whole binary under load: what the store acknowledged before is there after, exactly once, and the
//! clients of the proxy saw nothing but the kill itself.
#![allow(clippy::unwrap_used)]

mod support;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Bytes;
use support::Threadline;

const KILLS: usize = 4;

#[tokio::test]
async fn sessions_that_were_visible_before_a_kill_are_there_after_it() {
    let upstream = support::upstream(|_, _| Response::new(Full::new(Bytes::from_static(b"ok")))).await;
    let folder = tempfile::tempdir().unwrap();
    let mut visible = BTreeSet::new();
    for round in 0..KILLS {
        let threadline = Threadline::start(folder.path(), "serve", &["--upstream", &upstream]).await;
        for id in &visible {
            threadline.get(&format!("/exchanges/{id}")).await;
        }
        let total = threadline.get("/sessions?last=24h&limit=500").await;
        let mut all = BTreeSet::new();
        for session in total["sessions"].as_array().unwrap() {
            let id = session["session_id"].as_str().unwrap();
            let page = threadline.get(&format!("/sessions/{id}/exchanges?last=24h&limit=500")).await;
            for exchange in page["exchanges"].as_array().unwrap() {
                assert!(all.insert(exchange["trace_id"].as_str().unwrap().to_owned()), "an exchange stands twice");
            }
        }
        let started = Instant::now();
        let mut sent = 0_u32;
        while started.elapsed() < Duration::from_millis(700 + 130 * round as u64) {
            let request = Request::builder()
                .uri(format!("/{round}/{sent}"))
                .header("x-session-id", format!("round-{round}-{}", sent % 7))
                .header(
                    "traceparent",
                    format!("00-{:032x}-{:016x}-01", (round as u128 + 1) << 64 | u128::from(sent), 1),
                );
            let (answer, _) = threadline.through_proxy(request, "").await;
            assert_eq!(answer.status, 200, "clients see no error");
            sent += 1;
        }
        let list = threadline
            .wait_for("/sessions?last=24h&limit=500", |list| !list["sessions"].as_array().unwrap().is_empty())
            .await;
        for session in list["sessions"].as_array().unwrap() {
            let id = session["session_id"].as_str().unwrap();
            let page = threadline.get(&format!("/sessions/{id}/exchanges?last=24h&limit=500")).await;
            visible.extend(
                page["exchanges"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|exchange| exchange["exchange_id"].as_str().unwrap().to_owned()),
            );
        }
        threadline.kill();
    }
    assert!(visible.len() > KILLS);
}
