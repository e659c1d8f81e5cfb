//! Cleartext HTTP/2 with prior knowledge in, HTTP/1.1 out.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "bodies here are the test's own, and short")]

mod proxy_support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use http::{HeaderMap, Request};
use http_body_util::{BodyExt, Empty, Full, StreamBody};
use hyper::body::Frame;
use hyper::client::conn::http2::SendRequest;
use hyper_util::rt::{TokioExecutor, TokioIo};
use proxy_support::{Running, Upstream, eventually, raw_upstream, text_response};
use threadline_model::{HttpVersion, Outcome};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Barrier;

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
