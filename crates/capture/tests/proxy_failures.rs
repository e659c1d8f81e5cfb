//! Clients that go away, upstreams that fail: what the other side sees, and what is recorded.

#![allow(clippy::unwrap_used)]

mod proxy_support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use proxy_support::{Collector, Running, Upstream, eventually, raw_upstream, text_response};
use threadline_capture::ExchangeSink;
use threadline_model::{Exchange, Extent, Outcome};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

#[tokio::test]
async fn an_upstream_that_is_down_gives_502_and_an_exchange() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let proxy = Running::start(address, |_| {});
    let mut client = proxy.connect().await;
    for _ in 0..2 {
        let response = client.ask("GET /x HTTP/1.1\r\nHost: a\r\n\r\n").await;
        assert_eq!((response.status(), response.text().as_str()), (502, "502 the upstream gave no response\n"));
    }
    let exchange = proxy.exchanges.wait_for(2).await.remove(0);
    assert_eq!((exchange.outcome, exchange.upstream_us), (Outcome::UpstreamFailed, None));
    assert_eq!(exchange.response.unwrap().status, 502);
    assert_eq!(proxy.counters.upstream_failures.get(), 2);
    // And the connection lives on for when the upstream is back.
    assert_eq!(proxy.counters.connections_accepted.get(), 1);
}

#[tokio::test]
async fn an_upstream_that_does_not_answer_gives_504() {
    let upstream = raw_upstream(|mut client| async move { while client.fill().await {} }).await;
    let proxy = Running::start(upstream, |settings| settings.timeouts.response_head = Duration::from_millis(50));
    let mut client = proxy.connect().await;
    let response = client.ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!(response.status(), 504);
    assert_eq!(proxy.exchanges.wait_for(1).await[0].outcome, Outcome::UpstreamFailed);
    assert_eq!(proxy.counters.upstream_timeouts.get(), 1);
}

#[tokio::test]
async fn what_is_not_a_response_gives_502() {
    for answer in
        ["SSH-2.0-OpenSSH\r\n\r\n", "", "HTTP/1.1 200 OK\r\nContent-Le", "HTTP/1.1 101 Switching Protocols\r\n\r\n"]
    {
        let upstream = raw_upstream(move |mut client| async move {
            client.message().await;
            client.send(answer).await;
        })
        .await;
        let proxy = Running::start(upstream, |_| {});
        let response = proxy.connect().await.ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
        assert_eq!(response.status(), 502, "{answer:?}");
        assert_eq!(proxy.exchanges.wait_for(1).await[0].outcome, Outcome::UpstreamFailed);
        assert_eq!(proxy.exchanges.len(), 1, "once");
    }
}

#[tokio::test]
async fn a_response_that_breaks_off_is_seen_by_the_client_and_recorded() {
    for head in ["Content-Length: 100", "Transfer-Encoding: chunked"] {
        let upstream = raw_upstream(move |mut client| async move {
            client.message().await;
            let chunk = if head.starts_with("T") { "4\r\nhalf\r\n" } else { "half" };
            client.send(format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n{chunk}")).await;
        })
        .await;
        let proxy = Running::start(upstream, |_| {});
        let mut client = proxy.connect().await;
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
        let answer = String::from_utf8(client.rest().await).unwrap();
        assert!(answer.contains("half") && !answer.contains("\r\n0\r\n"), "{answer}");
        let exchange = proxy.exchanges.wait_for(1).await.remove(0);
        assert_eq!((exchange.outcome, exchange.sizes.response), (Outcome::UpstreamFailed, 4));
        let body = exchange.response.unwrap().body;
        assert_eq!((body.as_bytes(), body.extent()), (&b"half"[..], Extent::Prefix));
        assert_eq!(proxy.counters.upstream_broken_responses.get(), 1);
    }
}

#[tokio::test]
async fn a_client_that_goes_away_is_recorded_and_the_upstream_hears_of_it() {
    let gone = Arc::new(AtomicUsize::new(0));
    let heard = Arc::clone(&gone);
    let upstream = raw_upstream(move |mut client| {
        let gone = Arc::clone(&heard);
        async move {
            let request = client.head().await.unwrap();
            if request.first_line.contains("/streaming") {
                client.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n").await;
            }
            while client.fill().await {}
            gone.fetch_add(1, Ordering::SeqCst);
        }
    })
    .await;
    let proxy = Running::start(upstream, |_| {});

    // While the response is awaited.
    let mut client = proxy.connect().await;
    client.send("GET /waiting HTTP/1.1\r\nHost: a\r\n\r\n").await;
    eventually("the request", || proxy.counters.upstream_connections_opened.get() == 1).await;
    drop(client);
    let exchange = proxy.exchanges.wait_for(1).await.remove(0);
    assert_eq!(exchange.outcome, Outcome::ClientAborted);
    assert!(exchange.response.is_none());

    // In the middle of the response.
    let mut client = proxy.connect().await;
    client.send("GET /streaming HTTP/1.1\r\nHost: a\r\n\r\n").await;
    client.head().await.unwrap();
    drop(client);
    let exchange = proxy.exchanges.wait_for(2).await.remove(1);
    assert_eq!((exchange.outcome, exchange.sizes.response), (Outcome::ClientAborted, 5));
    assert_eq!(exchange.response.unwrap().body.extent(), Extent::Prefix);

    // In the middle of the request.
    let mut client = proxy.connect().await;
    client.send("POST /uploading HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf").await;
    eventually("the half", || proxy.counters.request_bytes.get() == 4).await;
    drop(client);
    let exchange = proxy.exchanges.wait_for(3).await.remove(2);
    assert_eq!((exchange.outcome, exchange.sizes.request), (Outcome::ClientAborted, 4));
    assert_eq!(exchange.request.body.extent(), Extent::Prefix);
    eventually("the upstream to hear", || gone.load(Ordering::SeqCst) == 3).await;
}

#[tokio::test]
async fn a_kept_connection_that_has_just_been_closed_is_retried_where_safe() {
    // Closes each connection after reading its second request, without a word.
    let requests = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&requests);
    let upstream = raw_upstream(move |mut client| {
        let count = Arc::clone(&count);
        async move {
            client.message().await.unwrap();
            count.fetch_add(1, Ordering::SeqCst);
            client.send(text_response("hello")).await;
            if client.head().await.is_some() {
                count.fetch_add(1, Ordering::SeqCst);
            }
        }
    })
    .await;
    let proxy = Running::start(upstream, |_| {});
    let mut client = proxy.connect().await;
    let get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    assert_eq!(client.ask(get).await.status(), 200);
    assert_eq!(client.ask(get).await.status(), 200, "sent again over a new connection");
    assert_eq!(proxy.counters.upstream_retries.get(), 1);
    assert_eq!(requests.load(Ordering::SeqCst), 3);
    let post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab";
    assert_eq!(client.ask(post).await.status(), 502, "not safe to send twice");
    assert_eq!(requests.load(Ordering::SeqCst), 4);
    assert_eq!(proxy.exchanges.wait_for(3).await.len(), 3);
}

#[tokio::test]
async fn idle_connections_that_the_upstream_closes_are_not_used() {
    let upstream = raw_upstream(|mut client| async move {
        client.message().await.unwrap();
        client.send(text_response("hello")).await;
    })
    .await;
    let proxy = Running::start(upstream, |_| {});
    let mut client = proxy.connect().await;
    for number in 1..=5 {
        let post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab";
        assert_eq!(client.ask(post).await.status(), 200, "request {number}");
        eventually("the proxy to notice", || proxy.counters.upstream_connections.get() == 0).await;
    }
    assert_eq!(proxy.counters.upstream_connections_opened.get(), 5);
    assert_eq!(proxy.counters.upstream_retries.get(), 0);
}

/// A sink that has no room: it sheds at once, as a full queue does.
struct Full(AtomicUsize);

impl ExchangeSink for Full {
    fn offer(&self, exchange: Exchange) {
        self.0.fetch_add(1, Ordering::SeqCst);
        drop(exchange);
    }
}

#[tokio::test]
async fn a_full_queue_costs_no_request() {
    let upstream = Upstream::plain().await;
    let sink = Arc::new(Full(AtomicUsize::new(0)));
    let mut settings = threadline_capture::proxy::ProxySettings::new(
        "127.0.0.1:0".parse().unwrap(),
        format!("http://{}", upstream.address).parse().unwrap(),
    );
    settings.threads = std::num::NonZeroUsize::MIN;
    let proxy = Running::start_with(settings, sink.clone(), Arc::new(Collector::default()));
    let mut client = proxy.connect().await;
    for _ in 0..200 {
        assert_eq!(client.ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.status(), 200);
    }
    eventually("all offers", || sink.0.load(Ordering::SeqCst) == 200).await;
}

/// A sink that wants nothing.
struct Uninterested;

impl ExchangeSink for Uninterested {
    fn offer(&self, _: Exchange) {
        panic!("not wanted");
    }

    fn wants_exchanges(&self) -> bool {
        false
    }
}

#[tokio::test]
async fn exchanges_that_nobody_wants_only_pass() {
    let upstream = Upstream::start(|request| text_response(&request.text())).await;
    let mut settings = threadline_capture::proxy::ProxySettings::new(
        "127.0.0.1:0".parse().unwrap(),
        format!("http://{}", upstream.address).parse().unwrap(),
    );
    settings.threads = std::num::NonZeroUsize::MIN;
    let proxy = Running::start_with(settings, Arc::new(Uninterested), Arc::new(Collector::default()));
    let mut client = proxy.connect().await;
    for _ in 0..3 {
        let post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello";
        assert_eq!(client.ask(post).await.text(), "hello");
    }
    let counters = Arc::clone(&proxy.counters);
    proxy.stopped().await;
    assert_eq!((counters.requests.get(), counters.request_bytes.get(), counters.response_bytes.get()), (3, 15, 15));
}

#[tokio::test]
async fn an_exhausted_capture_budget_costs_the_copy_and_not_the_request() {
    let body = "x".repeat(20_000);
    let answer = text_response(&body);
    let upstream = Upstream::start(move |_| answer.clone()).await;
    let proxy = Running::start(upstream.address, |settings| {
        settings.capture.budget_bytes = 50_000;
        settings.capture.request_bytes = 10;
    });
    let mut client = proxy.connect().await;
    for _ in 0..5 {
        let response = client.ask("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 16\r\n\r\n0123456789abcdef").await;
        assert_eq!(response.body.len(), 20_000);
    }
    // The collector keeps them, so the budget stays used up.
    let exchanges = proxy.exchanges.wait_for(5).await;
    let extents: Vec<_> = exchanges.iter().map(|exchange| exchange.response.as_ref().unwrap().body.extent()).collect();
    assert_eq!(extents.iter().filter(|extent| **extent == Extent::Whole).count(), 2, "{extents:?}");
    assert_eq!(extents.iter().filter(|extent| **extent == Extent::NotCaptured).count(), 3, "{extents:?}");
    assert_eq!(proxy.counters.capture_skipped.get(), 3);
    for exchange in &exchanges {
        assert_eq!(exchange.request.body.as_bytes(), b"0123456789");
        assert_eq!(exchange.request.body.extent(), Extent::Prefix);
        assert_eq!((exchange.sizes.request, exchange.sizes.response), (16, 20_000));
    }
}

#[tokio::test]
async fn shutting_down_lets_requests_end_and_loses_no_exchange() {
    let answer = Arc::new(tokio::sync::Notify::new());
    let answering = Arc::clone(&answer);
    let upstream = raw_upstream(move |mut client| {
        let answer = Arc::clone(&answering);
        async move {
            while let Some(request) = client.head().await {
                if request.first_line.contains("/slow") {
                    answer.notified().await;
                }
                if request.first_line.contains("/never") {
                    client.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n").await;
                    while client.fill().await {}
                    return;
                }
                client.send(text_response("hello")).await;
            }
        }
    })
    .await;
    let mut proxy = Running::start(upstream, |settings| settings.timeouts.shutdown = Duration::from_millis(600));
    let mut idle = proxy.connect().await;
    idle.ask("GET /idle HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let mut slow = proxy.connect().await;
    slow.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let mut never = proxy.connect().await;
    never.send("GET /never HTTP/1.1\r\nHost: a\r\n\r\n").await;
    never.head().await.unwrap();
    let mut silent = proxy.connect().await;
    eventually("all connections", || proxy.counters.connections.get() == 4 && proxy.counters.requests.get() == 3).await;

    let start = Instant::now();
    proxy.begin_stop();
    assert_eq!(idle.rest().await, b"", "an idle connection ends at once");
    assert_eq!(silent.rest().await, b"", "one that has said nothing as well");
    assert!(start.elapsed() < Duration::from_millis(500));
    answer.notify_one();
    let response = slow.message().await.unwrap();
    assert_eq!((response.status(), response.text().as_str()), (200, "hello"));
    let counters = Arc::clone(&proxy.counters);
    let exchanges = proxy.stopped().await;
    assert!(start.elapsed() >= Duration::from_millis(600), "the one that never ends got until the deadline");
    assert_eq!(exchanges.len(), 3, "all there when run returns");
    let outcomes = exchanges.wait_for(3).await;
    let outcome = |path: &[u8]| {
        outcomes.iter().find(|exchange| exchange.request.target.as_bytes() == path).map(|exchange| exchange.outcome)
    };
    assert_eq!(outcome(b"/slow"), Some(Outcome::Completed));
    assert_eq!(outcome(b"/never"), Some(Outcome::ClientAborted));
    assert_eq!(counters.connections.get(), 0);
}

#[tokio::test]
async fn what_the_upstream_says_unasked_answers_nothing() {
    // Says something more a moment after its response, when the connection is idle or taken again.
    let upstream = raw_upstream(|mut client| async move {
        let Some(request) = client.message().await else { return };
        client.send(text_response(&request.first_line)).await;
        client.send(text_response("nobody asked")).await;
        client.rest().await;
    })
    .await;
    let proxy = Running::start(upstream, |_| {});
    let mut client = proxy.connect().await;
    for number in 0..20 {
        let post = format!("POST /{number} HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab");
        let response = client.ask(post).await;
        assert_eq!((response.status(), response.text()), (200, format!("POST /{number} HTTP/1.1")));
    }
    assert_eq!(proxy.counters.upstream_connections_opened.get(), 20);
}

#[tokio::test]
async fn upstream_connections_are_bounded_and_waited_for() {
    let go = Arc::new(Semaphore::new(0));
    let going = Arc::clone(&go);
    let upstream = raw_upstream(move |mut client| {
        let go = Arc::clone(&going);
        async move {
            while let Some(request) = client.message().await {
                if let Ok(permit) = go.acquire().await {
                    permit.forget();
                }
                client.send(text_response(&request.first_line)).await;
            }
        }
    })
    .await;
    let proxy = Running::start(upstream, |settings| {
        settings.limits.upstream_connections = 2;
        settings.timeouts.connect = Duration::from_millis(500);
    });
    let mut clients = Vec::new();
    for number in 0..3 {
        let mut client = proxy.connect().await;
        client.send(format!("GET /{number} HTTP/1.1\r\nHost: a\r\n\r\n")).await;
        eventually("the request", || proxy.counters.requests.get() == number + 1).await;
        clients.push(client);
    }
    assert_eq!(proxy.counters.upstream_connections.get(), 2);
    let refusal = clients[2].message().await.unwrap();
    assert_eq!((refusal.status(), proxy.counters.upstream_busy.get()), (503, 1));
    assert_eq!(proxy.exchanges.wait_for(1).await[0].outcome, Outcome::UpstreamFailed);

    // One that becomes idle serves who waits.
    clients[2].send("GET /again HTTP/1.1\r\nHost: a\r\n\r\n").await;
    eventually("the request", || proxy.counters.requests.get() == 4).await;
    go.add_permits(3);
    for (client, path) in clients.iter_mut().zip(["/0", "/1", "/again"]) {
        assert_eq!(client.message().await.unwrap().text(), format!("GET {path} HTTP/1.1"));
    }
    assert_eq!(proxy.counters.upstream_connections_opened.get(), 2);
}

#[tokio::test]
async fn a_body_that_drips_is_given_up() {
    let upstream = raw_upstream(|mut client| async move { while client.fill().await {} }).await;
    let proxy = Running::start(upstream, |settings| settings.timeouts.response_head = Duration::from_millis(200));
    let mut client = proxy.connect().await;
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n").await;
    let start = Instant::now();
    while proxy.exchanges.len() == 0 && start.elapsed() < Duration::from_secs(20) {
        let _ = tokio::io::AsyncWriteExt::write_all(&mut client.stream, b"x").await;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(start.elapsed() < Duration::from_secs(10), "given up");
    let exchange = proxy.exchanges.wait_for(1).await.remove(0);
    assert_eq!((exchange.outcome, exchange.response.unwrap().status), (Outcome::ClientAborted, 408));
    assert_eq!(proxy.counters.client_timeouts.get(), 1);
}

#[tokio::test]
async fn requests_on_their_way_when_the_proxy_stops_are_answered() {
    let upstream = Upstream::plain().await;
    for _ in 0..3 {
        let mut proxy = Running::start(upstream.address, |_| {});
        let get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
        let mut kept = Vec::new();
        for _ in 0..10 {
            let mut client = proxy.connect().await;
            assert_eq!(client.ask(get).await.status(), 200);
            kept.push(client);
        }
        // While the only worker is busy, everything waits in the kernel: requests on kept connections, new ones with
        // and without a request, and the wish to stop.
        let blocked = proxy.block_worker().await;
        let mut clients = kept;
        for client in &mut clients {
            client.send(get).await;
        }
        for _ in 0..10 {
            let mut client = proxy.connect().await;
            client.send(get).await;
            clients.push(client);
        }
        let mut late = proxy.connect().await;
        proxy.begin_stop();
        drop(blocked);
        late.send(get).await;
        clients.push(late);
        for client in &mut clients {
            assert_eq!(client.message().await.expect("an answer").status(), 200);
        }
        proxy.stopped().await;
    }
}
