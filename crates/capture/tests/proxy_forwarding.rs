//! Requests and responses pass as they should, and each leaves one exchange behind.

#![allow(clippy::unwrap_used)]

mod proxy_support;

use proxy_support::{Running, Upstream, eventually, raw_upstream, text_response};
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
    assert_eq!(proxy.counters.upstream_connections_opened.get(), 1);
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
    let requests: String =
        (0..40).map(|number| format!("POST /{number} HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc")).collect();
    client.send(requests).await;
    for number in 0..40 {
        let response = client.message().await.unwrap();
        assert_eq!(response.text(), format!("POST /{number} HTTP/1.1"));
    }
    let exchanges = proxy.exchanges.wait_for(40).await;
    assert!(exchanges.iter().all(|exchange| exchange.request.body.as_bytes() == b"abc"));
    assert!(exchanges.is_sorted_by_key(|exchange| exchange.id));
}

#[tokio::test]
async fn responses_without_a_body_stay_without_one() {
    let upstream = Upstream::start(|request| {
        let (method, path) = request.first_line.split_once(' ').unwrap();
        match (method, path.split(' ').next().unwrap()) {
            ("HEAD", _) => b"HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n".to_vec(),
            (_, "/204") => b"HTTP/1.1 204 No Content\r\n\r\n".to_vec(),
            (_, "/304") => b"HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\n\r\n".to_vec(),
            _ => text_response(""),
        }
    })
    .await;
    let proxy = Running::start(upstream.address, |_| {});
    let mut client = proxy.connect().await;
    client.send("HEAD /head HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let head = client.head().await.unwrap();
    assert_eq!((head.status(), head.field("content-length")), (200, Some("1234")));
    let empty = client.ask("GET /204 HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!((empty.status(), empty.field("content-length"), empty.field("transfer-encoding")), (204, None, None));
    let unmodified = client.ask("GET /304 HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!((unmodified.status(), unmodified.field("etag")), (304, Some("\"x\"")));
    assert_eq!(client.ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.field("content-length"), Some("0"));
    let exchanges = proxy.exchanges.wait_for(4).await;
    assert_eq!(*upstream.connections.lock().unwrap(), 1, "all over one connection");
    for exchange in exchanges {
        assert_eq!((exchange.outcome, exchange.sizes.response), (Outcome::Completed, 0));
        assert_eq!(exchange.response.unwrap().body.extent(), Extent::Whole);
    }
}

#[tokio::test]
async fn chunks_and_trailers_pass_both_ways() {
    let upstream = Upstream::start(|_| {
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n\
          3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\nX-Sum: 7\r\n\r\n"
            .to_vec()
    })
    .await;
    let proxy = Running::start(upstream.address, |_| {});
    let mut client = proxy.connect().await;
    let response = client
        .ask(
            "POST / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nConnection: TE\r\nTransfer-Encoding: chunked\r\n\
             Trailer: X-Check\r\n\r\n5\r\nhello\r\n1\r\n!\r\n0\r\nX-Check: 9\r\n\r\n",
        )
        .await;
    assert_eq!((response.text().as_str(), response.field("transfer-encoding")), ("abcdefg", Some("chunked")));
    assert_eq!(response.trailers, [("x-sum".to_owned(), "7".to_owned())]);
    let request = upstream.requests.lock().unwrap().remove(0);
    assert_eq!((request.text().as_str(), request.field("transfer-encoding")), ("hello!", Some("chunked")));
    assert_eq!(request.trailers, [("x-check".to_owned(), "9".to_owned())]);
    assert_eq!((request.field("te"), request.field("connection")), (Some("trailers"), Some("TE")));
    let exchange = proxy.exchanges.wait_for(1).await.remove(0);
    assert_eq!((exchange.sizes.request, exchange.sizes.response), (6, 7));
    assert_eq!(exchange.request.body.as_bytes(), b"hello!");
    assert_eq!(exchange.response.unwrap().body.as_bytes(), b"abcdefg");
}

#[tokio::test]
async fn a_client_that_waits_for_100_continue_gets_it() {
    let upstream = Upstream::plain().await;
    let proxy = Running::start(upstream.address, |_| {});
    let mut client = proxy.connect().await;
    client.send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n").await;
    assert_eq!(client.head().await.unwrap().status(), 100);
    assert_eq!(client.ask("body").await.text(), "hello");
    let request = upstream.requests.lock().unwrap().remove(0);
    assert_eq!((request.text().as_str(), request.field("expect")), ("body", None));
}

#[tokio::test]
async fn old_clients_and_old_upstreams_are_served() {
    let upstream = raw_upstream(|mut client| async move {
        let request = client.message().await.unwrap();
        let answer = format!("HTTP/1.0 200 OK\r\n\r\n{} {:?}", request.first_line, request.field("host"));
        client.send(answer).await;
    })
    .await;
    let proxy = Running::start(upstream, |_| {});
    let mut client = proxy.connect().await;
    let response = client.ask("GET /old HTTP/1.0\r\n\r\n").await;
    assert_eq!(response.text(), format!("GET /old HTTP/1.1 Some(\"{upstream}\")"));
    let mut client = proxy.connect().await;
    let response = client.ask("GET /new HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!(response.first_line, "HTTP/1.1 200 OK");
    assert_eq!(response.field("transfer-encoding"), Some("chunked"), "its end is not the connection's");
    let exchanges = proxy.exchanges.wait_for(2).await;
    assert_eq!(exchanges[0].request.version, Some(HttpVersion::Http10));
    assert_eq!(exchanges[0].response.as_ref().unwrap().version, Some(HttpVersion::Http10));
}

#[tokio::test]
async fn targets_reach_the_upstream_in_origin_form_under_its_prefix() {
    let upstream = Upstream::plain().await;
    let proxy = Running::start(upstream.address, |settings| {
        settings.upstream = format!("{}/base/", settings.upstream).parse().unwrap();
    });
    let mut client = proxy.connect().await;
    client.ask("GET http://other.test/a%20b?c=/d//e HTTP/1.1\r\nHost: ignored\r\n\r\n").await;
    client.ask("GET /?q HTTP/1.1\r\nHost: a\r\n\r\n").await;
    client.ask("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n").await;
    client.ask("GET http://other.test HTTP/1.1\r\nHost: ignored\r\n\r\n").await;
    assert_eq!(
        upstream.seen(),
        ["GET /base/a%20b?c=/d//e HTTP/1.1", "GET /base/?q HTTP/1.1", "OPTIONS * HTTP/1.1", "GET /base/ HTTP/1.1"]
    );
    assert_eq!(upstream.requests.lock().unwrap()[0].field("host"), Some("other.test"));
    let exchanges = proxy.exchanges.wait_for(4).await;
    assert_eq!(exchanges[0].request.target.as_bytes(), b"/a%20b?c=/d//e", "recorded without the prefix");
    assert_eq!(exchanges[0].request.host.as_ref().unwrap().as_bytes(), b"other.test");
}

#[tokio::test]
async fn the_consoles_cookie_reaches_neither_the_upstream_nor_the_record() {
    let upstream = Upstream::plain().await;
    let proxy = Running::start(upstream.address, |_| {});
    let mut client = proxy.connect().await;
    client.ask("GET / HTTP/1.1\r\nHost: a\r\nCookie: a=\"1 2\"; threadline_session=canary;  b=x==\r\n\r\n").await;
    client.ask("GET / HTTP/1.1\r\nHost: a\r\nCookie: threadline_session=canary\r\n\r\n").await;
    let exchanges = proxy.exchanges.wait_for(2).await;
    assert_eq!(exchanges[0].request.headers.first("cookie"), Some(&b"a=\"1 2\";  b=x=="[..]));
    assert_eq!(exchanges[1].request.headers.first("cookie"), None);
    let requests = upstream.requests.lock().unwrap();
    assert_eq!(requests[0].field("cookie"), Some("a=\"1 2\";  b=x=="));
    assert_eq!(requests[1].field("cookie"), None);
}

#[tokio::test]
async fn several_workers_share_one_address() {
    let upstream = Upstream::plain().await;
    let proxy = Running::start(upstream.address, |settings| settings.threads = 4.try_into().unwrap());
    for _ in 0..40 {
        let mut client = proxy.connect().await;
        assert_eq!(client.ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.status(), 200);
    }
    proxy.exchanges.wait_for(40).await;
    // A second proxy on the same address would silently get half of the connections.
    let mut settings =
        threadline_capture::proxy::ProxySettings::new(proxy.address, "http://127.0.0.1:1".parse().unwrap());
    settings.threads = 4.try_into().unwrap();
    let second = threadline_capture::proxy::Proxy::bind(
        settings,
        proxy.exchanges.clone(),
        std::sync::Arc::new(threadline_model::SystemClock),
    );
    assert!(second.is_err_and(|error| error.to_string().contains("cannot listen on 127.0.0.1:")));
}

#[tokio::test]
async fn what_is_said_of_the_client_counts_only_from_a_trusted_proxy() {
    let upstream = Upstream::plain().await;
    let request = "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 203.0.113.9, 198.51.100.1\r\n\
                   X-Forwarded-Proto: https\r\nX-Forwarded-Host: shop\r\nX_Forwarded_For: 203.0.113.9\r\n\
                   X-Real-IP: 203.0.113.9\r\nForwarded: for=203.0.113.9\r\n\r\n";
    for (trusted, client_address, told) in [
        (vec![], "127.0.0.1", [Some("127.0.0.1"), Some("http"), Some("a"), None, None]),
        (
            vec!["127.0.0.0/8".parse().unwrap()],
            "198.51.100.1",
            [
                Some("203.0.113.9, 198.51.100.1, 127.0.0.1"),
                Some("https"),
                Some("shop"),
                Some("203.0.113.9"),
                Some("for=203.0.113.9"),
            ],
        ),
    ] {
        let proxy = Running::start(upstream.address, |settings| {
            settings.trusted_proxies.networks = trusted;
            settings.trusted_proxies.address = vec![threadline_model::AddressHeader::XForwardedFor];
        });
        proxy.connect().await.ask(request).await;
        let exchange = proxy.exchanges.wait_for(1).await.remove(0);
        assert_eq!(exchange.client, Some(client_address.parse().unwrap()));
        let seen = upstream.requests.lock().unwrap().remove(0);
        let names = ["x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "x-real-ip", "forwarded"];
        assert_eq!(names.map(|name| seen.field(name)), told);
        assert_eq!(seen.field("x_forwarded_for"), None, "an upstream could not tell it from the true one");
    }
}

#[tokio::test]
async fn trailers_that_claim_an_identity_stay_behind() {
    let upstream = Upstream::plain().await;
    let proxy = Running::start(upstream.address, |_| {});
    let response = proxy
        .connect()
        .await
        .ask(
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: X-Hop\r\n\
             Trailer: X-Forwarded-For, X-Real-IP, X-Hop, Set-Cookie, X-Sum\r\n\r\n\
             1\r\na\r\n0\r\nX-Forwarded-For: 10.0.0.1\r\nX-Real-IP: 10.0.0.1\r\nX-Hop: 1\r\n\
             Set-Cookie: a=1\r\nX-Sum: 7\r\n\r\n",
        )
        .await;
    assert_eq!(response.status(), 200);
    let request = upstream.requests.lock().unwrap().remove(0);
    assert_eq!(request.trailers, [("x-sum".to_owned(), "7".to_owned())]);
}
