//! Header rules as tables.

#![allow(clippy::unwrap_used)]

use http::Request;

use super::*;

fn headers(fields: &[(&str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        headers.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap());
    }
    headers
}

fn lines(headers: &HeaderMap) -> Vec<String> {
    let mut lines: Vec<_> =
        headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
    lines.sort();
    lines
}

#[test]
fn the_console_cookie_goes_and_others_stay_byte_by_byte() {
    for (sent, kept) in [
        (vec!["a=1; threadline_session=secret; b=\"x y\""], vec!["a=1; b=\"x y\""]),
        (vec!["threadline_session=secret;b=2;  c=3"], vec!["b=2;  c=3"]),
        (vec!["a=1;threadline_session=secret"], vec!["a=1"]),
        (vec!["threadline_session=secret"], vec![]),
        (vec!["threadline_session"], vec![]),
        (vec![" threadline_session =secret; a=1"], vec!["a=1"]),
        (vec!["threadline_session=1; threadline_session=2"], vec![]),
        (
            vec!["my_threadline_session=1; threadline_session_x=2"],
            vec!["my_threadline_session=1; threadline_session_x=2"],
        ),
        (vec!["a=threadline_session=1"], vec!["a=threadline_session=1"]),
        (vec!["a=1", "b=2; c=3", "threadline_session=x"], vec!["a=1; b=2; c=3"]),
        (vec!["a = 1 ;b"], vec!["a = 1 ;b"]),
    ] {
        let fields: Vec<_> = sent.iter().map(|value| ("cookie", *value)).collect();
        let mut settled = headers(&fields);
        let present = Present::scan(&settled);
        settle_cookies(&mut settled, present);
        let found: Vec<_> = settled.get_all(COOKIE).iter().map(|value| value.to_str().unwrap()).collect();
        assert_eq!(found, kept, "{sent:?}");
    }
}

fn prepared(fields: &[(&str, &str)], rules: ForwardingHeaders) -> Vec<String> {
    let mut map = headers(fields);
    let host = map.get(HOST).cloned();
    let peer = Peer::new("[::ffff:192.0.2.7]:4711".parse().unwrap());
    let upstream = HeaderValue::from_static("upstream:9000");
    let present = Present::scan(&map);
    prepare_request(&mut map, present, host.as_ref(), &upstream, &peer, Version::HTTP_11, rules);
    lines(&map)
}

#[test]
fn what_belongs_to_one_connection_stays_there() {
    let rules = ForwardingHeaders { x_forwarded: false, ..ForwardingHeaders::default() };
    assert_eq!(
        prepared(
            &[
                ("host", "shop"),
                ("connection", "keep-alive, X-Private, host, content-length"),
                ("keep-alive", "timeout=5"),
                ("proxy-connection", "keep-alive"),
                ("proxy-authorization", "Basic eDp5"),
                ("transfer-encoding", "chunked"),
                ("upgrade", "h2c"),
                ("te", "gzip;q=0.5"),
                ("expect", "100-continue"),
                ("x-private", "1"),
                ("content-length", "3"),
                ("accept", "*/*"),
            ],
            rules
        ),
        ["accept: */*", "content-length: 3", "host: shop"]
    );
    assert_eq!(
        prepared(&[("host", "shop"), ("te", "gzip, Trailers"), ("connection", "TE")], rules),
        ["connection: TE", "host: shop", "te: trailers"]
    );
}

#[test]
fn the_upstream_learns_who_asked() {
    assert_eq!(
        prepared(&[("host", "shop:8080")], ForwardingHeaders::default()),
        ["host: shop:8080", "x-forwarded-for: 192.0.2.7", "x-forwarded-host: shop:8080", "x-forwarded-proto: http"]
    );
    let forged = [
        ("host", "shop"),
        ("x-forwarded-for", "10.0.0.1"),
        ("x-forwarded-for", "10.0.0.2"),
        ("x-forwarded-host", "evil"),
        ("x-forwarded-proto", "https"),
        ("forwarded", "for=10.0.0.1"),
    ];
    assert_eq!(
        prepared(&forged, ForwardingHeaders { forwarded: true, via: true, ..ForwardingHeaders::default() }),
        [
            "forwarded: for=10.0.0.1, for=192.0.2.7;host=\"shop\";proto=http",
            "host: shop",
            "via: 1.1 threadline",
            "x-forwarded-for: 10.0.0.1, 10.0.0.2, 192.0.2.7",
            "x-forwarded-host: shop",
            "x-forwarded-proto: http",
        ]
    );
    let own = ForwardingHeaders { preserve_host: false, x_forwarded: false, ..ForwardingHeaders::default() };
    assert_eq!(prepared(&[("host", "shop")], own), ["host: upstream:9000"]);
}

fn host_of(version: Version, uri: &str, hosts: &[&str]) -> Result<Option<String>, RequestFault> {
    let mut request = Request::builder().version(version).uri(uri);
    for host in hosts {
        request = request.header(HOST, *host);
    }
    let (parts, ()) = request.body(()).unwrap().into_parts();
    request_host(&parts).map(|host| host.map(|host| host.to_str().unwrap().to_owned()))
}

#[test]
fn the_authority_of_a_request_is_one_and_clean() {
    let found = |host: &str| Ok(Some(host.to_owned()));
    assert_eq!(host_of(Version::HTTP_11, "/", &["shop:80"]), found("shop:80"));
    assert_eq!(host_of(Version::HTTP_11, "/", &["[2001:db8::1]:80"]), found("[2001:db8::1]:80"));
    assert_eq!(host_of(Version::HTTP_11, "http://target/x", &["shop"]), found("target"));
    assert_eq!(host_of(Version::HTTP_11, "https://target/x", &[]), found("target"));
    assert_eq!(host_of(Version::HTTP_10, "/", &[]), Ok(None));
    assert_eq!(host_of(Version::HTTP_2, "http://shop/", &["SHOP"]), found("shop"));
    assert_eq!(host_of(Version::HTTP_2, "http://shop/", &[]), found("shop"));
    assert_eq!(host_of(Version::HTTP_2, "http://shop/", &["other"]), Err(RequestFault::DifferingHost));
    assert_eq!(host_of(Version::HTTP_11, "/", &[]), Err(RequestFault::NoHost));
    assert_eq!(host_of(Version::HTTP_11, "/", &["a", "a"]), Err(RequestFault::RepeatedHost));
    assert_eq!(host_of(Version::HTTP_11, "ftp://target/x", &["a"]), Err(RequestFault::Scheme));
    for wrong in ["", "user@shop", "shop/path", "shop evil", "shop?x", "shop#x", "shop\\x"] {
        assert_eq!(host_of(Version::HTTP_11, "/", &[wrong]), Err(RequestFault::InvalidHost), "{wrong}");
    }
}

#[test]
fn only_websockets_are_upgraded() {
    let asks =
        |fields: &[(&str, &str)], method: Method, version| asks_for_websocket(&method, version, &headers(fields));
    let upgrade = [("upgrade", "WebSocket"), ("connection", "keep-alive, Upgrade")];
    assert!(asks(&upgrade, Method::GET, Version::HTTP_11));
    assert!(!asks(&upgrade, Method::POST, Version::HTTP_11));
    assert!(!asks(&upgrade, Method::GET, Version::HTTP_10));
    assert!(!asks(&[("upgrade", "h2c"), ("connection", "upgrade")], Method::GET, Version::HTTP_11));
    assert!(!asks(&[("upgrade", "websocket, h2c"), ("connection", "upgrade")], Method::GET, Version::HTTP_11));
    assert!(!asks(&[("upgrade", "websocket")], Method::GET, Version::HTTP_11));
}
