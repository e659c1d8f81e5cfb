//! Who the client is: headers and PROXY protocol of trusted proxies, through real sockets, under settings that change.
#![allow(clippy::unwrap_used)]

mod proxy_support;

use std::sync::Arc;
use std::time::Duration;

use proxy_support::{Client, Running, Upstream, eventually};
use threadline_model::{AddressHeader, HostHeader, TrustedProxies};

fn trusted(networks: &[&str], address: &[AddressHeader], proxy_protocol: bool) -> TrustedProxies {
    TrustedProxies {
        networks: networks.iter().map(|network| network.parse().unwrap()).collect(),
        address: address.to_vec(),
        host: Vec::new(),
        proxy_protocol,
    }
}

fn introduced() -> TrustedProxies {
    trusted(&["127.0.0.0/8", "10.0.0.0/8"], &[AddressHeader::XForwardedFor], true)
}

/// A header of version 2 for a TCP connection over IPv4 from 192.0.2.1, with one type-length-value of so many bytes.
fn binary(command: u8, value_bytes: u16) -> Vec<u8> {
    let mut header = b"\r\n\r\n\0\r\nQUIT\n".to_vec();
    header.extend([command, 0x11]);
    header.extend((12 + 3 + value_bytes).to_be_bytes());
    header.extend([192, 0, 2, 1, 10, 0, 0, 1, 0x12, 0x67, 0, 80]);
    header.push(0x04);
    header.extend(value_bytes.to_be_bytes());
    header.extend(vec![b'x'; usize::from(value_bytes)]);
    header
}

const REQUEST: &str = "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 198.51.100.1\r\nX-Real-IP: 198.51.100.2\r\n\
                       Forwarded: for=198.51.100.3\r\n\r\n";

#[tokio::test]
async fn settings_change_between_two_requests_of_one_connection() {
    let upstream = Upstream::plain().await;
    let proxy = Running::start(upstream.address, |_| {});
    let mut client = proxy.connect().await;
    let mut found = Vec::new();
    for settings in [
        TrustedProxies::default(),
        trusted(&["127.0.0.1"], &[AddressHeader::XForwardedFor], false),
        trusted(&["127.0.0.1"], &[AddressHeader::Forwarded, AddressHeader::XForwardedFor], false),
        trusted(&["127.0.0.1"], &[AddressHeader::XRealIp], false),
        trusted(&["10.0.0.0/8"], &[AddressHeader::XRealIp], false),
    ] {
        proxy.trusted.send_replace(Arc::new(settings));
        assert_eq!(client.ask(REQUEST).await.status(), 200);
        let exchanges = proxy.exchanges.wait_for(found.len() + 1).await;
        found.push(exchanges.last().unwrap().client.unwrap().to_string());
    }
    assert_eq!(found, ["127.0.0.1", "198.51.100.1", "198.51.100.3", "198.51.100.2", "127.0.0.1"]);
    assert_eq!(proxy.counters.connections_accepted.get(), 1, "over one connection");
    let told: Vec<Option<String>> = {
        let requests = upstream.requests.lock().unwrap();
        requests.iter().map(|request| request.field("x-real-ip").map(str::to_owned)).collect()
    };
    let kept = Some("198.51.100.2".to_owned());
    assert_eq!(told, [None, kept.clone(), kept.clone(), kept, None], "what passes on follows the same settings");
}

#[tokio::test]
async fn a_proxy_header_says_who_the_client_is_however_it_comes() {
    let upstream = Upstream::plain().await;
    let proxy = Running::start(upstream.address, |settings| settings.trusted_proxies = introduced());
    let text = |source: &str| format!("PROXY TCP4 {source} 10.0.0.1 4711 80\r\n").into_bytes();
    let mut count = 0;
    for (header, client) in [
        (text("192.0.2.1"), "192.0.2.1"),
        // Another trusted proxy: what its headers say counts.
        (text("10.0.0.9"), "198.51.100.1"),
        (b"PROXY UNKNOWN\r\n".to_vec(), "198.51.100.1"),
        (binary(0x21, 0), "192.0.2.1"),
        (binary(0x21, 4_000), "192.0.2.1"),
        (binary(0x20, 0), "198.51.100.1"),
        // One may stand there.
        (Vec::new(), "198.51.100.1"),
    ] {
        let bytes = [header.as_slice(), REQUEST.as_bytes()].concat();
        for splits in [vec![], vec![1], vec![3, 9], vec![header.len()], vec![header.len() / 2, header.len() + 1]] {
            let mut client_side = proxy.connect().await;
            let mut sent = 0;
            for split in splits.into_iter().filter(|split| *split > 0) {
                client_side.send(&bytes[sent..split]).await;
                sent = split;
                tokio::time::sleep(Duration::from_millis(3)).await;
            }
            assert_eq!(client_side.ask(&bytes[sent..]).await.status(), 200);
            assert_eq!(client_side.ask(REQUEST).await.status(), 200, "it holds for the whole connection");
            count += 2;
            let exchanges = proxy.exchanges.wait_for(count).await;
            for exchange in &exchanges[count - 2..] {
                assert_eq!(exchange.client.unwrap().to_string(), client, "{:?}", String::from_utf8_lossy(&header));
            }
        }
    }
    let requests = upstream.requests.lock().unwrap();
    assert_eq!(requests[0].field("x-forwarded-for"), Some("192.0.2.1"), "the client's own claim is dropped");
    assert_eq!(proxy.counters.refused_proxy_header.get(), 0);
}

#[tokio::test]
async fn http2_with_prior_knowledge_may_stand_behind_a_proxy_header() {
    let upstream = Upstream::plain().await;
    let proxy = Running::start(upstream.address, |settings| settings.trusted_proxies = introduced());
    let mut stream = tokio::net::TcpStream::connect(proxy.address).await.unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut stream, &binary(0x21, 7)).await.unwrap();
    let io = hyper_util::rt::TokioIo::new(stream);
    let executor = hyper_util::rt::TokioExecutor::new();
    let (mut sender, connection) = hyper::client::conn::http2::handshake(executor, io).await.unwrap();
    tokio::spawn(connection);
    let request = http::Request::get("http://a/").body(String::new()).unwrap();
    assert_eq!(sender.send_request(request).await.unwrap().status(), 200);
    let exchange = proxy.exchanges.wait_for(1).await.remove(0);
    assert_eq!(exchange.client, Some("192.0.2.1".parse().unwrap()));
}

fn original(networks: &[&str], host: &[HostHeader]) -> Arc<TrustedProxies> {
    Arc::new(TrustedProxies { host: host.to_vec(), ..trusted(networks, &[AddressHeader::XForwardedFor], false) })
}

#[tokio::test]
async fn the_original_host_is_the_exchanges_and_the_message_keeps_its_own() {
    use HostHeader::{Forwarded, XForwardedHost};
    let upstream = Upstream::plain().await;
    let proxy = Running::start(upstream.address, |_| {});
    let mut client = proxy.connect().await;
    let request = "GET / HTTP/1.1\r\nHost: internal:8080\r\nX-Forwarded-Host: Shop.example\r\n\
                   Forwarded: for=198.51.100.3;host=\"other.example:443\"\r\n\r\n";
    for (number, (settings, host)) in [
        (original(&["127.0.0.1"], &[]), "internal:8080"),
        (original(&["127.0.0.1"], &[XForwardedHost, Forwarded]), "Shop.example"),
        (original(&["127.0.0.1"], &[Forwarded]), "other.example:443"),
        (original(&["10.0.0.0/8"], &[XForwardedHost]), "internal:8080"),
    ]
    .into_iter()
    .enumerate()
    {
        proxy.trusted.send_replace(settings);
        assert_eq!(client.ask(request).await.status(), 200);
        let exchange = proxy.exchanges.wait_for(number + 1).await.remove(number);
        assert_eq!(exchange.request.host.unwrap().as_bytes(), host.as_bytes(), "{number}");
        assert_eq!(exchange.request.headers.first("host"), Some(b"internal:8080".as_slice()));
        assert_eq!(
            upstream.requests.lock().unwrap()[number].field("host"),
            Some("internal:8080"),
            "forwarded as it was"
        );
    }
}

#[tokio::test]
async fn an_authority_that_gives_way_to_the_original_host_stands_in_the_host_header() {
    let upstream = Upstream::plain().await;
    let settings = original(&["127.0.0.1"], &[HostHeader::XForwardedHost]);
    let proxy = Running::start(upstream.address, |proxy| proxy.trusted_proxies = (*settings).clone());
    let stream = tokio::net::TcpStream::connect(proxy.address).await.unwrap();
    let io = hyper_util::rt::TokioIo::new(stream);
    let executor = hyper_util::rt::TokioExecutor::new();
    let (mut sender, connection) = hyper::client::conn::http2::handshake(executor, io).await.unwrap();
    tokio::spawn(connection);
    for (number, (original, host, header)) in
        [(Some("shop.example"), "shop.example", Some("internal")), (None, "internal", None)].into_iter().enumerate()
    {
        let mut request = http::Request::get("http://internal/");
        if let Some(original) = original {
            request = request.header("x-forwarded-host", original);
        }
        assert_eq!(sender.send_request(request.body(String::new()).unwrap()).await.unwrap().status(), 200);
        let exchange = proxy.exchanges.wait_for(number + 1).await.remove(number);
        assert_eq!(exchange.request.host.unwrap().as_bytes(), host.as_bytes());
        assert_eq!(exchange.request.headers.first("host"), header.map(str::as_bytes));
    }
}

#[tokio::test]
async fn a_malformed_proxy_header_ends_the_connection_without_a_word() {
    let upstream = Upstream::plain().await;
    let proxy = Running::start(upstream.address, |settings| settings.trusted_proxies = introduced());
    let cases: [Vec<u8>; 5] = [
        b"PROXY TCP4 nonsense\r\n".to_vec(),
        format!("PROXY UNKNOWN {}", "a".repeat(200)).into_bytes(),
        binary(0x21, 4_096),
        binary(0x22, 0),
        b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x02ab".to_vec(),
    ];
    for (number, case) in cases.into_iter().enumerate() {
        let mut client = proxy.connect().await;
        client.send([case.as_slice(), REQUEST.as_bytes()].concat()).await;
        assert_eq!(client.rest().await, b"");
        eventually("the count", || proxy.counters.refused_proxy_header.get() == number as u64 + 1).await;
    }
    assert!(upstream.seen().is_empty());
    let refused = "PROXY TCP4 192.0.2.1 10.0.0.1 4711 80\r\nPROXY TCP4 192.0.2.2 10.0.0.1 4711 80\r\n";
    let mut twice = proxy.connect().await;
    assert_eq!(twice.ask(format!("{refused}{REQUEST}")).await.status(), 400, "the second one is not HTTP");
}

#[tokio::test]
async fn a_slow_proxy_header_is_given_up_like_a_slow_head() {
    let upstream = Upstream::plain().await;
    let proxy = Running::start(upstream.address, |settings| {
        settings.trusted_proxies = introduced();
        settings.timeouts.head = Duration::from_millis(200);
    });
    for beginning in [b"PROXY TC".to_vec(), binary(0x21, 100)[..40].to_vec(), binary(0x21, 0)] {
        let before = proxy.counters.client_timeouts.get();
        let mut client = proxy.connect().await;
        client.send(beginning).await;
        assert_eq!(client.rest().await, b"");
        eventually("the count", || proxy.counters.client_timeouts.get() == before + 1).await;
    }
}

#[tokio::test]
async fn from_others_a_proxy_header_is_not_http() {
    let upstream = Upstream::plain().await;
    for settings in
        [TrustedProxies::default(), trusted(&["10.0.0.0/8"], &[], true), trusted(&["127.0.0.0/8"], &[], false)]
    {
        let proxy = Running::start(upstream.address, |proxy| proxy.trusted_proxies = settings);
        for header in [b"PROXY TCP4 192.0.2.1 10.0.0.1 4711 80\r\n".to_vec(), binary(0x21, 0)] {
            let mut client: Client = proxy.connect().await;
            assert_eq!(client.ask([header.as_slice(), REQUEST.as_bytes()].concat()).await.status(), 400);
        }
        assert_eq!(proxy.counters.refused_proxy_header.get(), 0);
    }
    assert!(upstream.seen().is_empty());
}
