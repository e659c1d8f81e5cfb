//! Cleartext HTTP/2 with prior knowledge in, HTTP/1.1 out.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "bodies here are the test's own, and short")]

mod proxy_support;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request};
use http_body_util::{BodyExt, Empty, Full, StreamBody};
use hyper::body::Frame;
use hyper::client::conn::http2::SendRequest;
use hyper_util::rt::{TokioExecutor, TokioIo};
use proxy_support::{Running, Upstream, eventually, raw_upstream, text_response};
use threadline_model::{Extent, HttpVersion, Outcome};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Barrier, Semaphore};

async fn connect<B>(proxy: &Running) -> SendRequest<B>
where
    B: hyper::body::Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let stream = TcpStream::connect(proxy.address).await.unwrap();
    let (sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender
}

fn get(path: &str) -> Request<Empty<Bytes>> {
    Request::get(format!("http://shop.test{path}")).body(Empty::new()).unwrap()
}

#[tokio::test]
async fn streams_run_side_by_side() {
    const STREAMS: usize = 32;
    // No answer before all requests are there: they can only be there at the same time.
    let all = Arc::new(Barrier::new(STREAMS));
    let served = Arc::clone(&all);
    let upstream = raw_upstream(move |mut client| {
        let all = Arc::clone(&served);
        async move {
            while let Some(request) = client.message().await {
                all.wait().await;
                client.send(text_response(&request.first_line)).await;
            }
        }
    })
    .await;
    let proxy = Running::start(upstream, |_| {});
    let sender = connect(&proxy).await;
    let asked: Vec<_> = (0..STREAMS)
        .map(|number| {
            let mut sender = sender.clone();
            tokio::spawn(async move {
                let response = sender.send_request(get(&format!("/{number}"))).await.unwrap();
                assert_eq!(response.status(), 200);
                let body = response.into_body().collect().await.unwrap().to_bytes();
                assert_eq!(body, format!("GET /{number} HTTP/1.1"));
            })
        })
        .collect();
    for one in asked {
        one.await.unwrap();
    }
    let exchanges = proxy.exchanges.wait_for(STREAMS).await;
    for exchange in exchanges {
        assert_eq!((exchange.outcome, exchange.request.version), (Outcome::Completed, Some(HttpVersion::Http2)));
        assert_eq!(exchange.request.host.unwrap().as_bytes(), b"shop.test");
    }
    assert_eq!(proxy.counters.connections_accepted.get(), 1);
}

#[tokio::test]
async fn heads_are_translated() {
    let upstream = Upstream::start(|_| {
        b"HTTP/1.1 200 OK\r\nConnection: keep-alive, X-Hop\r\nKeep-Alive: timeout=5\r\nX-Hop: 1\r\nX-End: 2\r\nContent-Length: 2\r\n\r\nok"
            .to_vec()
    })
    .await;
    let proxy = Running::start(upstream.address, |_| {});
    let mut sender = connect(&proxy).await;
    let request = Request::post("http://shop.test/a?b")
        .header("cookie", "a=1")
        .header("cookie", "threadline_session=canary")
        .header("cookie", "b=2")
        .header("te", "trailers")
        .body(Full::new(Bytes::from_static(b"hello")))
        .unwrap();
    let response = sender.send_request(request).await.unwrap();
    assert_eq!((response.headers().get("x-hop"), response.headers().get("keep-alive")), (None, None));
    assert_eq!(response.headers()["x-end"], "2");
    let seen = upstream.requests.lock().unwrap().remove(0);
    assert_eq!((seen.first_line.as_str(), seen.text().as_str()), ("POST /a?b HTTP/1.1", "hello"));
    assert_eq!(seen.field("host"), Some("shop.test"));
    assert_eq!(seen.field("cookie"), Some("a=1; b=2"), "one field, as HTTP/1.1 wants it");
    assert_eq!(seen.fields.iter().filter(|(name, _)| name == "cookie").count(), 1);
    let exchange = proxy.exchanges.wait_for(1).await.remove(0);
    assert_eq!(exchange.request.headers.first("cookie"), Some(&b"a=1; b=2"[..]));
    assert_eq!(exchange.request.target.as_bytes(), b"/a?b");
    assert_eq!(exchange.request.body.as_bytes(), b"hello");
}

#[tokio::test]
async fn bodies_of_unknown_length_and_trailers_pass() {
    let upstream = Upstream::start(|_| {
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: grpc-status\r\n\r\n2\r\nok\r\n0\r\ngrpc-status: 0\r\n\r\n"
            .to_vec()
    })
    .await;
    let proxy = Running::start(upstream.address, |_| {});
    let mut sender = connect(&proxy).await;
    let mut trailers = HeaderMap::new();
    trailers.insert("x-check", "9".parse().unwrap());
    let frames =
        [Frame::data(Bytes::from_static(b"one ")), Frame::data(Bytes::from_static(b"two")), Frame::trailers(trailers)];
    let body = StreamBody::new(futures_util::stream::iter(frames.map(Ok::<_, std::convert::Infallible>)));
    let request = Request::post("http://shop.test/").header("trailer", "x-check").body(body).unwrap();
    let response = sender.send_request(request).await.unwrap().into_body().collect().await.unwrap();
    assert_eq!(response.trailers().unwrap()["grpc-status"], "0");
    assert_eq!(response.to_bytes(), "ok");
    let seen = upstream.requests.lock().unwrap().remove(0);
    assert_eq!((seen.text().as_str(), seen.field("transfer-encoding")), ("one two", Some("chunked")));
    assert_eq!(seen.trailers, [("x-check".to_owned(), "9".to_owned())]);
}

#[tokio::test]
async fn what_would_become_two_requests_upstream_is_refused() {
    let upstream = Upstream::plain().await;
    let proxy = Running::start(upstream.address, |_| {});
    let smuggled = |name: &'static str, value: &'static str| {
        Request::get("http://shop.test/").header(name, value).body(Empty::<Bytes>::new()).unwrap()
    };
    for (name, value) in [("content-length", "30"), ("content-length", "1, 1"), ("host", "other.test")] {
        let mut sender = connect(&proxy).await;
        // Refused with 400, or the stream is reset: either way nothing passes.
        if let Ok(response) = sender.send_request(smuggled(name, value)).await {
            assert_eq!(response.status(), 400, "{name}: {value}");
        }
    }
    assert_eq!(upstream.seen(), Vec::<String>::new());
    let mut sender = connect(&proxy).await;
    assert_eq!(sender.send_request(get("/")).await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_stream_that_is_reset_is_recorded_as_aborted() {
    let open = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&open);
    let upstream = raw_upstream(move |mut client| {
        let open = Arc::clone(&counted);
        async move {
            client.head().await.unwrap();
            open.fetch_add(1, Ordering::SeqCst);
            while client.fill().await {}
            open.fetch_sub(1, Ordering::SeqCst);
        }
    })
    .await;
    let proxy = Running::start(upstream, |_| {});
    let mut sender = connect(&proxy).await;
    let asked = tokio::spawn(async move { sender.send_request(get("/never")).await });
    eventually("the request", || open.load(Ordering::SeqCst) == 1).await;
    asked.abort();
    let exchange = proxy.exchanges.wait_for(1).await.remove(0);
    assert_eq!(exchange.outcome, Outcome::ClientAborted);
    eventually("the upstream to hear", || open.load(Ordering::SeqCst) == 0).await;
}

#[tokio::test]
async fn shutting_down_ends_http2_connections() {
    let upstream = Upstream::plain().await;
    let proxy = Running::start(upstream.address, |_| {});
    let mut sender = connect(&proxy).await;
    assert_eq!(sender.send_request(get("/")).await.unwrap().status(), 200);
    let exchanges = proxy.stopped().await;
    assert_eq!(exchanges.len(), 1);
    eventually("the connection to end", || sender.is_closed()).await;
}

#[tokio::test]
async fn a_preface_in_pieces_is_still_one() {
    let upstream = Upstream::plain().await;
    let proxy = Running::start(upstream.address, |_| {});
    let mut stream = TcpStream::connect(proxy.address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    for byte in b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" {
        stream.write_all(&[*byte]).await.unwrap();
        tokio::task::yield_now().await;
    }
    // An empty SETTINGS frame; the proxy's own SETTINGS come back.
    stream.write_all(&[0, 0, 0, 4, 0, 0, 0, 0, 0]).await.unwrap();
    let mut frame = [0; 9];
    stream.read_exact(&mut frame).await.unwrap();
    assert_eq!(frame[3], 4, "SETTINGS");
    // What only begins like one is HTTP/1.
    let mut client = proxy.connect().await;
    client.send("PRI * HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert!(client.message().await.unwrap().first_line.starts_with("HTTP/1.1"));
}

/// One frame (RFC 9113, section 4.1).
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
const NO_ERROR: [u8; 4] = [0; 4];

/// A field as a literal without indexing, no Huffman (RFC 7541, section 6.2.2).
fn field(name: &str, value: &str) -> Vec<u8> {
    let length = |text: &str| u8::try_from(text.len()).unwrap();
    [&[0, length(name)], name.as_bytes(), &[length(value)], value.as_bytes()].concat()
}

fn post(extra: &[(&str, &str)]) -> Vec<u8> {
    let usual = [(":method", "POST"), (":scheme", "http"), (":path", "/"), (":authority", "shop.test")];
    usual.iter().chain(extra).flat_map(|(name, value)| field(name, value)).collect()
}

/// A connection by hand: preface and SETTINGS are sent.
async fn by_hand(proxy: &Running, settings: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(proxy.address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
    stream.write_all(&frame(SETTINGS, 0, 0, settings)).await.unwrap();
    stream
}

/// Kinds of the frames up to the end of the connection, or to one of kind `last`.
async fn frames_until(stream: &mut TcpStream, last: Option<u8>) -> Vec<u8> {
    let mut kinds = Vec::new();
    let mut header = [0; 9];
    while kinds.last().is_none_or(|kind| Some(*kind) != last) {
        let read = tokio::time::timeout(proxy_support::PATIENCE, stream.read_exact(&mut header)).await.unwrap();
        if read.is_err() {
            break;
        }
        let length = u32::from_be_bytes([0, header[0], header[1], header[2]]);
        let mut payload = vec![0; length as usize];
        stream.read_exact(&mut payload).await.unwrap();
        kinds.push(header[3]);
    }
    kinds
}

#[tokio::test]
async fn a_body_whose_stream_is_reset_is_never_whole() {
    // Everything that the upstream was sent on each of its connections.
    let connections = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&connections);
    let upstream = raw_upstream(move |mut client| {
        let log = Arc::clone(&log);
        async move {
            let sent = client.rest().await;
            log.lock().unwrap().push(sent);
        }
    })
    .await;
    let proxy = Running::start(upstream, |_| {});
    for (extra, part) in [(&[][..], "part"), (&[("content-length", "500")][..], "x")] {
        connections.lock().unwrap().clear();
        let mut stream = by_hand(&proxy, &[]).await;
        let before = proxy.counters.request_bytes.get();
        stream.write_all(&frame(HEADERS, END_HEADERS, 1, &post(extra))).await.unwrap();
        stream.write_all(&frame(DATA, 0, 1, part.as_bytes())).await.unwrap();
        let expected = before + part.len() as u64;
        eventually("the part", || proxy.counters.request_bytes.get() == expected).await;
        stream.write_all(&frame(RST_STREAM, 0, 1, &NO_ERROR)).await.unwrap();
        eventually("the upstream connection to end", || connections.lock().unwrap().len() == 1).await;
        let sent = String::from_utf8(connections.lock().unwrap()[0].clone()).unwrap();
        assert!(sent.contains(part) && !sent.contains("\r\n0\r\n"), "{sent}");
    }
    for exchange in proxy.exchanges.wait_for(2).await {
        assert_eq!(exchange.outcome, Outcome::ClientAborted);
        assert_eq!(exchange.request.body.extent(), Extent::Prefix);
    }
}

#[tokio::test]
async fn a_connection_that_is_owed_a_body_serves_nobody_else() {
    // Answers each head when told to, without waiting for the body, and takes what comes then for the next head.
    let heads = Arc::new(Mutex::new(Vec::new()));
    let go = Arc::new(Semaphore::new(0));
    let (log, going) = (Arc::clone(&heads), Arc::clone(&go));
    let upstream = raw_upstream(move |mut client| {
        let (log, go) = (Arc::clone(&log), Arc::clone(&going));
        async move {
            while let Some(head) = client.head().await {
                log.lock().unwrap().push(head.first_line);
                if let Ok(permit) = go.acquire().await {
                    permit.forget();
                }
                client.send("HTTP/1.1 204 No Content\r\n\r\n").await;
            }
        }
    })
    .await;
    let proxy = Running::start(upstream, |_| {});
    for round in 0..10 {
        let mut stream = by_hand(&proxy, &[]).await;
        stream.write_all(&frame(HEADERS, END_HEADERS, 1, &post(&[("content-length", "500")]))).await.unwrap();
        stream.write_all(&frame(DATA, 0, 1, b"x")).await.unwrap();
        eventually("the head", || heads.lock().unwrap().len() == 2 * round + 1).await;
        // The response and the reset meet in the proxy.
        let blocked = proxy.block_worker().await;
        go.add_permits(1);
        stream.write_all(&frame(RST_STREAM, 0, 1, &NO_ERROR)).await.unwrap();
        eventually("the response", || go.available_permits() == 0).await;
        tokio::time::sleep(Duration::from_millis(5)).await;
        drop(blocked);
        proxy.exchanges.wait_for(2 * round + 1).await;
        go.add_permits(1);
        let mut client = proxy.connect().await;
        client.send("GET /next HTTP/1.1\r\nHost: a\r\n\r\n").await;
        assert_eq!(client.head().await.unwrap().status(), 204);
        proxy.exchanges.wait_for(2 * round + 2).await;
    }
    let heads = heads.lock().unwrap();
    assert!(heads.chunks(2).all(|pair| pair == ["POST / HTTP/1.1", "GET /next HTTP/1.1"]), "{heads:?}");
    assert_eq!(proxy.counters.upstream_retries.get(), 0);
}

#[tokio::test]
async fn slow_http2_clients_are_given_up() {
    let upstream = Upstream::start(|_| text_response(&"x".repeat(100_000))).await;
    let proxy = Running::start(upstream.address, |settings| {
        settings.timeouts.head = Duration::from_millis(150);
        settings.timeouts.stall = Duration::from_millis(150);
        settings.timeouts.keep_alive = Duration::from_millis(150);
    });
    let timeouts = || proxy.counters.client_timeouts.get();

    // Nothing but the preface; the beginning of a head that never ends.
    for beginning in [vec![], frame(HEADERS, 0, 1, &post(&[]))[..20].to_vec(), frame(HEADERS, 0, 1, &post(&[]))] {
        let before = timeouts();
        let mut stream = by_hand(&proxy, &[]).await;
        stream.write_all(&beginning).await.unwrap();
        assert!(frames_until(&mut stream, Some(GOAWAY)).await.contains(&GOAWAY));
        drop(stream);
        eventually("the count", || timeouts() == before + 1).await;
    }

    // A body that stops: answered, and the connection goes on.
    let mut stream = by_hand(&proxy, &[]).await;
    stream.write_all(&frame(HEADERS, END_HEADERS, 1, &post(&[]))).await.unwrap();
    stream.write_all(&frame(DATA, 0, 1, b"half")).await.unwrap();
    let exchange = proxy.exchanges.wait_for(1).await.remove(0);
    assert_eq!((exchange.outcome, exchange.response.unwrap().status), (Outcome::ClientAborted, 408));
    assert_eq!(timeouts(), 4);
    drop(stream);

    // A response that is not taken: a window of nothing (SETTINGS_INITIAL_WINDOW_SIZE), and of a little.
    for (number, window) in [0_u32, 1_000].iter().enumerate() {
        let mut stream = by_hand(&proxy, &[&[0, 4], &window.to_be_bytes()[..]].concat()).await;
        stream.write_all(&frame(HEADERS, END_HEADERS | END_STREAM, 1, &post(&[]))).await.unwrap();
        let exchange = proxy.exchanges.wait_for(2 + number).await.remove(1 + number);
        assert_eq!(exchange.outcome, Outcome::ClientAborted, "window {window}");
        assert!(frames_until(&mut stream, Some(RST_STREAM)).await.contains(&RST_STREAM));
        eventually("the count", || timeouts() == 5 + number as u64).await;
        drop(stream);
    }

    // A request in time, and then silence for too long.
    let before = timeouts();
    let mut sender = connect(&proxy).await;
    assert_eq!(
        sender.send_request(get("/")).await.unwrap().into_body().collect().await.unwrap().to_bytes().len(),
        100_000
    );
    eventually("the connection to end", || sender.is_closed()).await;
    eventually("the count", || timeouts() == before + 1).await;
    assert_eq!(proxy.counters.refused_malformed.get(), 0);
}

#[tokio::test]
async fn a_stream_that_is_quiet_upstream_is_not_the_clients_fault() {
    let upstream = raw_upstream(|mut client| async move {
        client.head().await.unwrap();
        client.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n").await;
        tokio::time::sleep(Duration::from_millis(600)).await;
        client.send("4\r\nlast\r\n0\r\n\r\n").await;
    })
    .await;
    let proxy = Running::start(upstream, |settings| {
        settings.timeouts.stall = Duration::from_millis(150);
        settings.timeouts.keep_alive = Duration::from_millis(150);
    });
    let mut sender = connect(&proxy).await;
    let body = sender.send_request(get("/")).await.unwrap().into_body().collect().await.unwrap().to_bytes();
    assert_eq!(body, "firstlast");
}

#[tokio::test]
async fn what_breaks_http2_is_counted_as_malformed() {
    let upstream = Upstream::plain().await;
    let proxy = Running::start(upstream.address, |_| {});
    let mut stream = by_hand(&proxy, &[]).await;
    // DATA on a stream that was never opened.
    stream.write_all(&frame(DATA, 0, 1, b"x")).await.unwrap();
    assert!(frames_until(&mut stream, None).await.contains(&GOAWAY));
    eventually("the count", || proxy.counters.refused_malformed.get() == 1).await;
}

#[tokio::test]
async fn a_client_that_expects_100_may_send_its_body_unasked() {
    let upstream = Upstream::start(|request| text_response(&request.text())).await;
    let proxy = Running::start(upstream.address, |_| {});
    let mut stream = by_hand(&proxy, &[]).await;
    let head = post(&[("expect", "100-continue"), ("content-length", "4")]);
    stream.write_all(&frame(HEADERS, END_HEADERS, 1, &head)).await.unwrap();
    eventually("the request", || proxy.counters.requests.get() == 1).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    stream.write_all(&frame(DATA, END_STREAM, 1, b"body")).await.unwrap();
    let exchange = proxy.exchanges.wait_for(1).await.remove(0);
    assert_eq!((exchange.outcome, exchange.response.unwrap().status), (Outcome::Completed, 200));
    let request = upstream.requests.lock().unwrap().remove(0);
    assert_eq!((request.text().as_str(), request.field("expect")), ("body", None));
}
