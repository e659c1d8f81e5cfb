//! Requests and responses pass as they should, and each leaves one exchange behind.

#![allow(clippy::unwrap_used)]

mod proxy_support;

use proxy_support::{Running, Upstream, eventually, text_response};
use threadline_model::{Extent, HttpVersion, Outcome, Scheme, Source};

#[tokio::test]
async fn a_request_passes_and_is_recorded_whole() {
    let upstream = Upstream::start(|_| {
        b"HTTP/1.1 201 Created\r\nContent-Length: 7\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n\r\ncreated".to_vec()
    })
    .await;
    let proxy = Running::start(upstream.address, |_| {});
    let mut client = proxy.connect().await;
    let response = client
        .ask("POST /orders?id=7 HTTP/1.1\r\nHost: shop.test\r\nX-Case: Kept\r\nContent-Length: 5\r\n\r\nhello")
        .await;
    assert_eq!((response.status(), response.text().as_str()), (201, "created"));
    assert_eq!(response.fields.iter().filter(|(name, _)| name == "set-cookie").count(), 2);

    {
        let requests = upstream.requests.lock().unwrap();
        assert_eq!(requests.len(), 1);
        assert_eq!(requests[0].first_line, "POST /orders?id=7 HTTP/1.1");
        assert_eq!(requests[0].text(), "hello");
        assert_eq!(requests[0].field("host"), Some("shop.test"));
        assert_eq!(requests[0].field("x-forwarded-for"), Some("127.0.0.1"));
        assert_eq!(requests[0].field("content-length"), Some("5"));
    }

    let exchange = proxy.exchanges.wait_for(1).await.remove(0);
    assert_eq!(exchange.source, Source::Proxy);
    assert_eq!(exchange.outcome, Outcome::Completed);
    assert_eq!(exchange.client, Some("127.0.0.1".parse().unwrap()));
    assert_eq!(exchange.request.method.as_bytes(), b"POST");
    assert_eq!(exchange.request.target.as_bytes(), b"/orders?id=7");
    assert_eq!(exchange.request.host.unwrap().as_bytes(), b"shop.test");
    assert_eq!(exchange.request.scheme, Some(Scheme::Http));
    assert_eq!(exchange.request.version, Some(HttpVersion::Http11));
    assert_eq!(exchange.request.headers.first("x-case"), Some(&b"Kept"[..]));
    assert_eq!(exchange.request.headers.first("x-forwarded-for"), None, "recorded as the client sent it");
    assert_eq!((exchange.request.body.as_bytes(), exchange.request.body.extent()), (&b"hello"[..], Extent::Whole));
    let response = exchange.response.unwrap();
    assert_eq!(response.status, 201);
    assert_eq!(response.headers.as_map().get_all("set-cookie").iter().count(), 2);
    assert_eq!((response.body.as_bytes(), response.body.extent()), (&b"created"[..], Extent::Whole));
    assert_eq!((exchange.sizes.request, exchange.sizes.response), (5, 7));
    assert!(exchange.upstream_us.unwrap() <= exchange.duration_us.unwrap());
}

#[tokio::test]
async fn both_sides_keep_their_connections() {
    let upstream = Upstream::plain().await;
    let proxy = Running::start(upstream.address, |_| {});
    let mut client = proxy.connect().await;
    for number in 0..20 {
        let response = client.ask(format!("GET /{number} HTTP/1.1\r\nHost: a\r\n\r\n")).await;
        assert_eq!(response.text(), "hello");
    }
    proxy.exchanges.wait_for(20).await;
    assert_eq!(*upstream.connections.lock().unwrap(), 1);
    assert_eq!(proxy.counters.upstream_connections.get(), 1);
    assert_eq!(proxy.counters.connections_accepted.get(), 1);
    assert_eq!(proxy.counters.connections.get(), 1);
    drop(client);
    eventually("the connection to be gone", || proxy.counters.connections.get() == 0).await;
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let upstream = Upstream::start(|request| text_response(&request.first_line)).await;
    let proxy = Running::start(upstream.address, |_| {});
    let mut client = proxy.connect().await;
    let requests: String = (0..40)
        .map(|number| format!("POST /{number} HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"))
        .collect();
    client.send(requests).await;
    for number in 0..40 {
        let response = client.message().await.unwrap();
        assert_eq!(response.text(), format!("POST /{number} HTTP/1.1"));
    }
    let exchanges = proxy.exchanges.wait_for(40).await;
    assert!(exchanges.iter().all(|exchange| exchange.request.body.as_bytes() == b"abc"));
    assert!(exchanges.is_sorted_by_key(|exchange| exchange.id));
}
