//! Requests that two recipients could read differently are refused, and never reach the upstream as two.

#![allow(clippy::unwrap_used)]

mod proxy_support;

use std::time::Duration;

use proxy_support::{Client, Running, Upstream, eventually, raw_upstream, text_response};
use threadline_model::Outcome;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Heads that must be refused. Behind each stands a request that an upstream would see if it read the head
/// differently.
const CONFLICTS: &[(&str, &str)] = &[
    ("CL and TE", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nX"),
    ("TE and CL", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n"),
    ("differing CL", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 44\r\n\r\n"),
    ("equal CL", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc"),
    ("CL list", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3, 3\r\n\r\nabc"),
    ("CL sign", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +3\r\n\r\nabc"),
    ("CL hexadecimal", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x3\r\n\r\nabc"),
    ("CL empty", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \r\n\r\n"),
    ("CL overflow", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551617\r\n\r\nabc"),
    ("TE in HTTP/1.0", "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ("chunked not alone", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
    ("chunked not final", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n"),
    (
        "TE twice",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ),
    ("TE unknown", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n"),
    ("TE identity", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\nContent-Length: 3\r\n\r\nabc"),
    ("TE with vertical tab", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n"),
    ("space before colon", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n"),
    ("folded line", "POST / HTTP/1.1\r\nHost: a\r\nX: b\r\n Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ("bare LF in head", "POST / HTTP/1.1\r\nHost: a\nContent-Length: 3\r\n\r\nabc"),
    ("bare LF ends head", "GET / HTTP/1.1\r\nHost: a\r\n\n"),
    ("bare CR in value", "POST / HTTP/1.1\r\nHost: a\r\nX: b\rTransfer-Encoding: chunked\r\n\r\n"),
    ("bare CR in TE", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\r\n\r\n0\r\n\r\n"),
    ("NUL in name", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding\0: chunked\r\n\r\n0\r\n\r\n"),
];

#[tokio::test]
async fn conflicting_framing_is_refused_and_what_follows_is_never_read() {
    for (name, bytes) in CONFLICTS {
        // However the bytes arrive.
        for piece in [usize::MAX, 1, 7] {
            let upstream = Upstream::plain().await;
            let proxy = Running::start(upstream.address, |_| {});
            let mut client = proxy.connect().await;
            let smuggled = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
            let stream = format!("GET /first HTTP/1.1\r\nHost: a\r\n\r\n{bytes}{smuggled}");
            for bytes in stream.as_bytes().chunks(piece.min(stream.len())) {
                // The proxy may have hung up on the last ones.
                let _ = client.stream.write_all(bytes).await;
                tokio::task::yield_now().await;
            }
            assert_eq!(client.message().await.unwrap().status(), 200, "{name}: the request before");
            let refusal = client.message().await.unwrap_or_else(|| panic!("{name} in pieces of {piece}: no answer"));
            assert_eq!(refusal.status(), 400, "{name}");
            assert_eq!(client.rest().await, b"", "{name}: the connection ends");
            drop(client);
            eventually("the count", || {
                proxy.counters.refused_framing.get() + proxy.counters.refused_malformed.get() == 1
            })
            .await;
            assert_eq!(upstream.seen(), ["GET /first HTTP/1.1"], "{name}");
        }
    }
}

#[tokio::test]
async fn a_refused_request_is_recorded_as_refused() {
    let upstream = Upstream::plain().await;
    let proxy = Running::start(upstream.address, |_| {});
    let mut client = proxy.connect().await;
    let refusal = client
        .ask("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
        .await;
    assert_eq!(refusal.status(), 400);
    assert_eq!(refusal.field("connection"), Some("close"));
    assert_eq!(refusal.text(), "400 Content-Length together with Transfer-Encoding\n");
    let exchange = proxy.exchanges.wait_for(1).await.remove(0);
    assert_eq!(exchange.outcome, Outcome::Refused);
    assert_eq!(exchange.request.target.as_bytes(), b"/x");
    assert_eq!(exchange.response.unwrap().status, 400);
    drop(client);
    eventually("the count", || proxy.counters.refused_framing.get() == 1).await;
}

#[tokio::test]
async fn a_client_that_goes_on_sending_still_gets_the_refusal() {
    let upstream = Upstream::plain().await;
    let proxy = Running::start(upstream.address, |_| {});
    for _ in 0..20 {
        let mut client = proxy.connect().await;
        let head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n";
        client.send(head).await;
        // More than the proxy reads before it answers: unread bytes must not turn into a reset.
        client.send(vec![b'x'; 200 << 10]).await;
        assert_eq!(client.message().await.unwrap().status(), 400);
        assert_eq!(client.rest().await, b"");
    }
    eventually("the count", || proxy.counters.refused_framing.get() == 20).await;
}

#[tokio::test]
async fn broken_chunks_end_the_connection_and_the_request_is_never_whole() {
    // Both in the packet of the head and in one of their own.
    for (chunks, apart) in
        ["3\nabc\r\n0\r\n\r\n", "3\r\nabcd\r\n0\r\n\r\n", "3;a\nb\r\nabc\r\n0\r\n\r\n", "g\r\n", "0\r\nA: b\n\r\n"]
            .iter()
            .flat_map(|chunks| [(chunks, false), (chunks, true)])
    {
        let upstream = Upstream::plain().await;
        let proxy = Running::start(upstream.address, |_| {});
        let mut client = proxy.connect().await;
        let head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
        let smuggled = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
        if apart {
            client.send(format!("{head}1\r\na\r\n")).await;
            eventually("the request", || proxy.counters.request_bytes.get() == 1).await;
            client.send(format!("{chunks}{smuggled}")).await;
        } else {
            client.send(format!("{head}{chunks}{smuggled}")).await;
        }
        let answer = client.rest().await;
        drop(client);
        assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 400"), "{chunks:?}");
        let exchange = proxy.exchanges.wait_for(1).await.remove(0);
        assert_eq!(exchange.outcome, Outcome::Refused, "{chunks:?}");
        assert_eq!(upstream.seen(), Vec::<String>::new(), "{chunks:?}");
        eventually("the count", || proxy.counters.refused_framing.get() == 1).await;
    }
}

#[tokio::test]
async fn bodies_that_look_like_requests_stay_bodies() {
    let upstream = Upstream::start(|request| text_response(&request.text())).await;
    let proxy = Running::start(upstream.address, |_| {});
    let mut client = proxy.connect().await;
    let inner = "GET /smuggled HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n";
    let length = inner.len();
    let stream = format!(
        "POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n{inner}\
         POST /2 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{length:x};x=\"y\"\r\n{inner}\r\n0\r\n\r\n\
         \r\nGET /3 HTTP/1.1\r\nHost: a\r\n\r\n"
    );
    // Both framings followed over every split of the stream.
    for byte in stream.as_bytes().chunks(3) {
        client.send(byte).await;
    }
    assert_eq!(client.message().await.unwrap().text(), inner);
    assert_eq!(client.message().await.unwrap().text(), inner);
    assert_eq!(client.message().await.unwrap().text(), "");
    assert_eq!(upstream.seen(), ["POST /1 HTTP/1.1", "POST /2 HTTP/1.1", "GET /3 HTTP/1.1"]);
}

#[tokio::test]
async fn the_upstream_gets_one_framing_even_where_judging_is_off() {
    let upstream = Upstream::plain().await;
    let proxy = Running::start(upstream.address, |settings| settings.strict_framing = false);
    let mut client = proxy.connect().await;
    let response = client
        .ask("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
        .await;
    assert_eq!(response.status(), 200);
    let requests = upstream.requests.lock().unwrap();
    assert_eq!(requests[0].text(), "abc");
    assert_eq!(requests[0].field("content-length"), None);
    assert_eq!(requests[0].field("transfer-encoding"), Some("chunked"));
}

#[tokio::test]
async fn hosts_and_targets_that_are_not_clear_are_refused() {
    let upstream = Upstream::plain().await;
    let proxy = Running::start(upstream.address, |_| {});
    for (request, status) in [
        ("GET / HTTP/1.1\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: user@a\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400),
        ("GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET admin HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET * HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", 405),
    ] {
        let mut client = proxy.connect().await;
        assert_eq!(client.ask(request).await.status(), status, "{request:?}");
        assert_eq!(client.rest().await, b"", "{request:?}");
    }
    let exchanges = proxy.exchanges.wait_for(8).await;
    assert!(exchanges.iter().all(|exchange| exchange.outcome == Outcome::Refused));
    assert_eq!(upstream.seen(), Vec::<String>::new());
    assert_eq!(proxy.counters.refused_request.get(), 8);
}

#[tokio::test]
async fn what_is_not_http_or_too_large_ends_the_connection() {
    let upstream = Upstream::plain().await;
    let proxy = Running::start(upstream.address, |_| {});
    let many = "X: y\r\n".repeat(150);
    let long = format!("X: {}\r\n", "y".repeat(80 << 10));
    for (bytes, status) in [
        ("\x16\x03\x01\x02\x00\x01\x00\x01\r\n\r\n".to_owned(), "HTTP/1.1 400"),
        (format!("GET / HTTP/1.1\r\nHost: a\r\n{many}\r\n"), "HTTP/1.1 431"),
        (format!("GET / HTTP/1.1\r\nHost: a\r\n{long}\r\n"), "HTTP/1.1 431"),
    ] {
        let mut client = proxy.connect().await;
        let _ = client.stream.write_all(bytes.as_bytes()).await;
        let answer = String::from_utf8(client.rest().await).unwrap();
        assert!(answer.starts_with(status), "{answer}");
    }
    assert_eq!(upstream.seen(), Vec::<String>::new());
    let allowed = "X: y\r\n".repeat(90);
    let mut client = proxy.connect().await;
    assert_eq!(client.ask(format!("GET / HTTP/1.1\r\nHost: a\r\n{allowed}\r\n")).await.status(), 200);
}

#[tokio::test]
async fn slow_clients_are_given_up() {
    let upstream = Upstream::plain().await;
    let proxy = Running::start(upstream.address, |settings| {
        settings.timeouts.head = Duration::from_millis(150);
        settings.timeouts.stall = Duration::from_millis(150);
        settings.timeouts.keep_alive = Duration::from_millis(150);
    });
    // Says nothing; half a head; half a head after a whole request; half a body; nothing after a request.
    for beginning in [
        "",
        "GET / HT",
        "GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HT",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf",
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    ] {
        let before = proxy.counters.client_timeouts.get();
        let mut client = proxy.connect().await;
        client.send(beginning).await;
        client.rest().await;
        eventually("the count", || proxy.counters.client_timeouts.get() == before + 1).await;
    }
    // Bytes that trickle do not buy more time for a head.
    let mut client = Client::connect(proxy.address).await;
    let start = std::time::Instant::now();
    client.send("GET / HTTP/1.1\r\nX: ").await;
    while start.elapsed() < Duration::from_secs(20) {
        if client.stream.write_all(b"x").await.is_err() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(start.elapsed() < Duration::from_secs(10), "hung up on");
}

#[tokio::test]
async fn slow_clients_are_given_up_even_where_judging_is_off() {
    let upstream = Upstream::plain().await;
    let proxy = Running::start(upstream.address, |settings| {
        settings.strict_framing = false;
        settings.timeouts.head = Duration::from_millis(150);
        settings.timeouts.stall = Duration::from_millis(150);
        settings.timeouts.keep_alive = Duration::from_millis(150);
    });
    // Whole heads to be followed, and one behind which nobody knows where the next begins.
    for beginning in [
        "GET / HTTP/1.1\r\nX: ",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabcGET / HTTP/1.1\r\nX: ",
    ] {
        let before = proxy.counters.client_timeouts.get();
        let mut client = proxy.connect().await;
        let start = std::time::Instant::now();
        client.send(beginning).await;
        while start.elapsed() < Duration::from_secs(20) && proxy.counters.client_timeouts.get() == before {
            let _ = client.stream.write_all(b"x").await;
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert!(start.elapsed() < Duration::from_secs(10), "hung up on");
    }
    let mut client = proxy.connect().await;
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf").await;
    client.rest().await;
    eventually("the count", || proxy.counters.client_timeouts.get() == 3).await;
}

#[tokio::test]
async fn an_answer_reaches_a_client_that_is_still_sending() {
    // Answers as soon as it has the head, and takes no body.
    let upstream = raw_upstream(|mut client| async move {
        client.head().await;
        client.send("HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig").await;
    })
    .await;
    let proxy = Running::start(upstream, |_| {});
    let upload = format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n", 16 << 20);
    let head = "GET / HTTP/1.1\r\nHost: a\r\nX: ".to_owned();
    for (beginning, status) in [(upload, 413), (head, 431)] {
        let client = proxy.connect().await;
        let (mut reader, mut writer) = client.stream.into_split();
        let writing = tokio::spawn(async move {
            let _ = writer.write_all(beginning.as_bytes()).await;
            let mut sent = 0;
            // Much more than the kernel's buffers hold; a client that has been reset cannot send it.
            while sent < 16 << 20 && writer.write_all(&[b'x'; 64 << 10]).await.is_ok() {
                sent += 64 << 10;
            }
            (writer, sent)
        });
        let (_writer, sent) = writing.await.unwrap();
        assert_eq!(sent, 16 << 20, "{status}");
        let mut answer = Vec::new();
        reader.read_to_end(&mut answer).await.expect("no reset");
        assert!(answer.starts_with(format!("HTTP/1.1 {status}").as_bytes()), "{status}");
    }
}
