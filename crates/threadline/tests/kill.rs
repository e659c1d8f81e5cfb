//! Kill -9 of the whole binary at random moments under load: what could be seen before is there after, exactly once,
//! nothing is there that was never sent, and the clients of the proxy saw nothing but the kill itself.
#![allow(clippy::unwrap_used)]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use support::Threadline;

const KILLS: u32 = 6;
const CLIENTS: u32 = 8;
/// Between two requests of one client: enough load for open batches at any moment, few enough for the lists below.
const PAUSE: Duration = Duration::from_millis(4);

/// The identity by which a request is found again.
fn trace_id(round: u32, client: u32, number: u32) -> String {
    format!("{:032x}", (u128::from(round) + 1) << 96 | u128::from(client) << 64 | u128::from(number))
}

/// One client: sends until it fails, and says how many requests it began. It may fail only once `killing` is true.
async fn client(proxy: String, round: u32, client: u32, killing: Arc<AtomicBool>) -> u32 {
    let connections = Client::builder(TokioExecutor::new()).build_http();
    for number in 0.. {
        let request = Request::builder()
            .uri(format!("{proxy}/{round}/{client}/{number}"))
            .header("x-session-id", format!("round-{round}-client-{client}"))
            .header("traceparent", format!("00-{}-{:016x}-01", trace_id(round, client, number), 1))
            .body(Full::default())
            .unwrap();
        match support::send(&connections, request).await {
            Ok((answer, body)) => assert_eq!((answer.status.as_u16(), &body[..]), (200, &b"ok"[..])),
            Err(error) => {
                assert!(killing.load(Ordering::SeqCst), "a client saw an error before the kill: {error}");
                return number + 1;
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
    unreachable!("it ends with the kill")
}

/// What can be seen: trace identities by exchange identity. No exchange stands twice.
async fn visible(threadline: &Threadline) -> BTreeMap<String, String> {
    let mut seen = BTreeMap::new();
    let mut traces = BTreeSet::new();
    let list = threadline.get("/sessions?last=24h&limit=500").await;
    for session in list["sessions"].as_array().unwrap() {
        let id = session["session_id"].as_str().unwrap();
        let page = threadline.get(&format!("/sessions/{id}/exchanges?last=24h&limit=500")).await;
        for exchange in page["exchanges"].as_array().unwrap() {
            let trace = exchange["trace_id"].as_str().unwrap().to_owned();
            assert!(traces.insert(trace.clone()), "a request stands twice: {trace}");
            seen.insert(exchange["exchange_id"].as_str().unwrap().to_owned(), trace);
        }
    }
    seen
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_visible_before_a_kill_is_there_after_it() {
    let upstream = support::upstream(|_, _| Response::new(Full::new(Bytes::from_static(b"ok")))).await;
    let folder = tempfile::tempdir().unwrap();
    let mut promised = BTreeMap::new();
    let mut sent = BTreeSet::new();
    for round in 0..=KILLS {
        let threadline = Threadline::start(folder.path(), "serve", &["--upstream", &upstream]).await;
        let found = visible(&threadline).await;
        for (id, trace) in &promised {
            assert_eq!(found.get(id), Some(trace), "visible before kill {round}, gone after it");
        }
        for trace in found.values() {
            assert!(sent.contains(trace), "nobody sent {trace}");
        }
        if round == KILLS {
            threadline.stop().await;
            break;
        }
        let killing = Arc::new(AtomicBool::new(false));
        let proxy = threadline.proxy.clone().unwrap();
        let clients: Vec<_> = (0..CLIENTS)
            .map(|number| tokio::spawn(client(proxy.clone(), round, number, Arc::clone(&killing))))
            .collect();
        // A moment that is another one each time: of the batch that is open, of its commit, of the day's file.
        let moment = Duration::from_millis(150 + u64::from(std::process::id().wrapping_mul(31 + round) % 600));
        let started = Instant::now();
        while started.elapsed() < moment {
            promised.extend(visible(&threadline).await);
        }
        killing.store(true, Ordering::SeqCst);
        threadline.kill();
        for (number, client) in clients.into_iter().enumerate() {
            let begun = client.await.unwrap();
            sent.extend((0..begun).map(|request| trace_id(round, u32::try_from(number).unwrap(), request)));
        }
    }
    assert!(promised.len() > KILLS as usize, "too little was visible to say anything: {}", promised.len());
}
