//! Bodies larger than memory should be, events that must not wait, and tunnels.

#![allow(clippy::unwrap_used)]

mod proxy_support;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use proxy_support::{Running, eventually, raw_upstream, text_response};
use threadline_model::{Extent, Outcome};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Semaphore;

const CHUNK: usize = 64 << 10;
/// 128 MiB each way.
const CHUNKS: usize = 2_048;
/// What the process may grow by meanwhile. Far below the body, above what the allocator and sockets need.
const GROWTH: usize = 16 << 20;

/// Resident memory of this process, which runs the proxy, bytes.
fn resident() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    pages.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4_096
}

#[tokio::test]
async fn large_bodies_stream_both_ways_with_flat_memory() {
    let upstream = raw_upstream(|mut client| async move {
        let chunk = vec![b'd'; CHUNK];
        while let Some(head) = client.head().await {
            if head.first_line.starts_with("POST") {
                let mut received = 0_usize;
                while received < CHUNK * CHUNKS {
                    received += client.exactly(CHUNK).await.len();
                }
                client.send(text_response(&received.to_string())).await;
            } else {
                client.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", CHUNK * CHUNKS)).await;
                for _ in 0..CHUNKS {
                    client.send(&chunk).await;
                }
            }
        }
    })
    .await;
    let proxy = Running::start(upstream, |_| {});

    let chunk = vec![b'u'; CHUNK];
    let mut client = proxy.connect().await;
    let before = resident();
    let mut peak = before;
    client.send(format!("POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n", CHUNK * CHUNKS)).await;
    for _ in 0..CHUNKS {
        client.send(&chunk).await;
        peak = peak.max(resident());
    }
    assert_eq!(client.message().await.unwrap().text(), (CHUNK * CHUNKS).to_string());

    client.send("GET /down HTTP/1.1\r\nHost: a\r\n\r\n").await;
    client.head().await.unwrap();
    for _ in 0..CHUNKS {
        assert_eq!(client.exactly(CHUNK).await.len(), CHUNK);
        peak = peak.max(resident());
    }
    assert!(peak - before < GROWTH, "grew by {} KiB", (peak - before) >> 10);

    let exchanges = proxy.exchanges.wait_for(2).await;
    assert_eq!(exchanges[0].sizes.request, (CHUNK * CHUNKS) as u64);
    assert_eq!(exchanges[1].sizes.response, (CHUNK * CHUNKS) as u64);
    let kept = exchanges[1].response.as_ref().unwrap().body.clone();
    assert_eq!((kept.as_bytes().len(), kept.extent()), (64 << 10, Extent::Prefix));
}

#[tokio::test]
async fn a_slow_reader_holds_the_upstream_back_instead_of_filling_memory() {
    let sent = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&sent);
    let upstream = raw_upstream(move |mut client| {
        let count = Arc::clone(&count);
        async move {
            client.head().await.unwrap();
            client.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").await;
            let chunk = vec![b'd'; CHUNK];
            for _ in 0..CHUNKS {
                let framed = [format!("{CHUNK:x}\r\n").as_bytes(), &chunk, b"\r\n"].concat();
                if client.stream.write_all(&framed).await.is_err() {
                    return;
                }
                count.fetch_add(1, Ordering::SeqCst);
            }
        }
    })
    .await;
    let proxy = Running::start(upstream, |_| {});
    let before = resident();
    let mut client = proxy.connect().await;
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    // Nothing is read; what is sent fills the kernel's buffers and comes to rest.
    let mut last = u64::MAX;
    loop {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let now = sent.load(Ordering::SeqCst);
        if now == last {
            break;
        }
        last = now;
    }
    assert!(last < CHUNKS as u64, "held back");
    assert!(resident().saturating_sub(before) < GROWTH);
}

#[tokio::test]
async fn a_reader_that_takes_nothing_for_too_long_is_given_up() {
    let upstream = raw_upstream(|mut client| async move {
        client.head().await.unwrap();
        client.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", CHUNK * CHUNKS)).await;
        let chunk = vec![b'd'; CHUNK];
        while client.stream.write_all(&chunk).await.is_ok() {}
    })
    .await;
    let proxy = Running::start(upstream, |settings| settings.timeouts.stall = Duration::from_millis(100));
    let mut client = proxy.connect().await;
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let exchange = proxy.exchanges.wait_for(1).await.remove(0);
    assert_eq!(exchange.outcome, Outcome::ClientAborted);
    assert!(exchange.sizes.response < (CHUNK * CHUNKS) as u64);
    eventually("the connections to end", || {
        proxy.counters.connections.get() + proxy.counters.upstream_connections.get() == 0
    })
    .await;
    assert_eq!(proxy.counters.client_timeouts.get(), 1);
}

#[tokio::test]
async fn server_sent_events_pass_one_by_one() {
    let go = Arc::new(Semaphore::new(0));
    let gone = Arc::clone(&go);
    let upstream = raw_upstream(move |mut client| {
        let go = Arc::clone(&gone);
        async move {
            client.head().await.unwrap();
            client
                .send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
                .await;
            // Each event only once the client has asked for it, outside the connection: nothing pushes it along.
            while let Ok(permit) = go.acquire().await {
                permit.forget();
                client.send("10\r\ndata: an event\n\n\r\n").await;
            }
        }
    })
    .await;
    let proxy = Running::start(upstream, |_| {});
    let mut client = proxy.connect().await;
    client.send("GET /events HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!(client.head().await.unwrap().field("content-type"), Some("text/event-stream"));
    let mut slowest = Duration::ZERO;
    for _ in 0..50 {
        let start = Instant::now();
        go.add_permits(1);
        assert_eq!(client.exactly(22).await, b"10\r\ndata: an event\n\n\r\n");
        slowest = slowest.max(start.elapsed());
    }
    assert!(slowest < Duration::from_secs(1), "an event took {slowest:?}");
    assert_eq!(proxy.exchanges.len(), 0, "not over yet");
    drop(client);
    let exchange = proxy.exchanges.wait_for(1).await.remove(0);
    assert_eq!((exchange.outcome, exchange.sizes.response), (Outcome::ClientAborted, 50 * 16));
}

#[tokio::test]
async fn many_long_responses_do_not_end_the_capture_of_bodies() {
    const LONG: usize = 40;
    const SHORT: usize = 192;
    let upstream = raw_upstream(|mut client| async move {
        while let Some(request) = client.message().await {
            if request.first_line.contains("/events") {
                let event = format!("4000\r\n{}\r\n", "e".repeat(16 << 10));
                client.send(format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{event}")).await;
                client.rest().await;
                return;
            }
            client.send(text_response(&"x".repeat(8 << 10))).await;
        }
    })
    .await;
    let proxy = Running::start(upstream, |settings| {
        settings.capture.budget_bytes = 2 << 20;
        settings.capture.long_after = Duration::from_millis(100);
    });
    let mut streams = Vec::new();
    for _ in 0..LONG {
        let mut client = proxy.connect().await;
        client.send("GET /events HTTP/1.1\r\nHost: a\r\n\r\n").await;
        client.exactly(16 << 10).await;
        streams.push(client);
    }
    // All are long by then, and silent: with 16 KiB and more of each the short ones would not fit.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let mut client = proxy.connect().await;
    for _ in 0..SHORT {
        client.ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    }
    let short = proxy.exchanges.wait_for(SHORT).await;
    assert!(short.iter().all(|exchange| exchange.response.as_ref().unwrap().body.extent() == Extent::Whole));
    assert_eq!(proxy.counters.capture_skipped.get(), 0);
    drop(streams);
    let all = proxy.exchanges.wait_for(SHORT + LONG).await;
    let kept = all[SHORT..].iter().map(|exchange| exchange.response.as_ref().unwrap().body.as_bytes().len());
    assert!(kept.into_iter().all(|kept| kept == 4 << 10));
}

const HANDSHAKE: &str = "GET /socket HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

/// Echoes the bytes of a tunnel, after a greeting in the packet of its 101.
async fn websocket_upstream() -> std::net::SocketAddr {
    raw_upstream(|mut client| async move {
        while let Some(request) = client.head().await {
            if request.field("upgrade") != Some("websocket") || request.first_line.contains("/declined") {
                client.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno").await;
                continue;
            }
            assert_eq!(request.field("connection"), Some("Upgrade"));
            assert_eq!(request.field("sec-websocket-key"), Some("dGhlIHNhbXBsZSBub25jZQ=="));
            client
                .send(
                    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                     Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n\x01\x06ready!",
                )
                .await;
            loop {
                let bytes = client.take_unread();
                client.send(bytes).await;
                if !client.fill().await {
                    return;
                }
            }
        }
    })
    .await
}

#[tokio::test]
async fn websockets_become_tunnels_and_are_recorded_when_they_end() {
    let proxy = Running::start(websocket_upstream().await, |_| {});
    let mut client = proxy.connect().await;
    // The first frame in the packet of the handshake; its bytes would be a broken head.
    client.send(format!("{HANDSHAKE}\x01\x03abc")).await;
    let head = client.head().await.unwrap();
    assert_eq!((head.status(), head.field("upgrade")), (101, Some("websocket")));
    assert_eq!(head.field("sec-websocket-accept"), Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
    assert_eq!(client.exactly(8).await.len(), "\x01\x06ready!".len());
    assert_eq!(client.exactly(5).await, b"\x01\x03abc");
    // Much more than any buffer, both ways at once.
    let (mut reader, mut writer) = client.stream.into_split();
    let frames = vec![7_u8; 4 << 20];
    let sent = frames.len();
    let writing = tokio::spawn(async move {
        writer.write_all(&frames).await.unwrap();
        writer
    });
    let mut echoed = vec![0; sent];
    reader.read_exact(&mut echoed).await.unwrap();
    assert!(echoed.iter().all(|byte| *byte == 7));
    assert_eq!((proxy.exchanges.len(), proxy.counters.tunnels.get()), (0, 1), "recorded when it ends");
    drop((writing.await.unwrap(), reader));
    let exchange = proxy.exchanges.wait_for(1).await.remove(0);
    assert_eq!(exchange.outcome, Outcome::Upgraded);
    assert_eq!(exchange.sizes.request, sent as u64 + 5);
    assert_eq!(exchange.sizes.response, sent as u64 + 5 + 8);
    assert_eq!(exchange.response.unwrap().status, 101);
    eventually("the tunnel to be gone", || proxy.counters.tunnels.get() + proxy.counters.connections.get() == 0).await;
}

#[tokio::test]
async fn a_declined_upgrade_is_an_ordinary_response() {
    let proxy = Running::start(websocket_upstream().await, |_| {});
    let mut client = proxy.connect().await;
    let declined = HANDSHAKE.replace("/socket", "/declined");
    assert_eq!(client.ask(&declined).await.text(), "no");
    assert_eq!(client.ask(&declined).await.text(), "no", "and the connection goes on");
    // Framing is still judged after it.
    let refused = client.ask("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n").await;
    assert_eq!(refused.status(), 400);
    let exchanges = proxy.exchanges.wait_for(3).await;
    assert_eq!(exchanges[0].outcome, Outcome::Completed);
    // Other protocols are not offered to the upstream at all.
    let mut client = proxy.connect().await;
    let other = HANDSHAKE.replace("Upgrade: websocket", "Upgrade: h2c");
    assert_eq!(client.ask(&other).await.text(), "no");
}

#[tokio::test]
async fn a_tunnel_open_at_shutdown_is_cut_and_recorded() {
    let proxy = Running::start(websocket_upstream().await, |settings| {
        settings.timeouts.shutdown = Duration::from_millis(100);
    });
    let mut client = proxy.connect().await;
    client.send(HANDSHAKE).await;
    client.head().await.unwrap();
    client.exactly(8).await;
    let exchanges = proxy.stopped().await;
    assert_eq!(exchanges.len(), 1);
    let exchange = exchanges.wait_for(1).await.remove(0);
    assert_eq!((exchange.outcome, exchange.sizes.response), (Outcome::Upgraded, 8));
    assert_eq!(client.rest().await, b"");
}
