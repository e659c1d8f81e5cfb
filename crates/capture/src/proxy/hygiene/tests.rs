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

#[test]
fn a_response_loses_what_belongs_to_the_upstreams_connection() {
    let mut response = headers(&[
        ("connection", "close, X-Hop"),
        ("x-hop", "1"),
        ("keep-alive", "timeout=5"),
        ("transfer-encoding", "chunked"),
        ("via", "1.0 cache"),
        ("x-end", "2"),
    ]);
    let present = Present::scan(&response);
    prepare_response(&mut response, present, ForwardingHeaders { via: true, ..ForwardingHeaders::default() });
    assert_eq!(lines(&response), ["via: 1.0 cache, 1.1 threadline", "x-end: 2"]);
}

fn asked(parts: Parts) -> Result<Option<HeaderValue>, RequestFault> {
    request_host(&parts, Present::scan(&parts.headers))
}

fn host_of(version: Version, uri: &str, hosts: &[&str]) -> Result<Option<String>, RequestFault> {
    let mut request = Request::builder().version(version).uri(uri);
    for host in hosts {
        request = request.header(HOST, *host);
    }
    let (parts, ()) = request.body(()).unwrap().into_parts();
    asked(parts).map(|host| host.map(|host| host.to_str().unwrap().to_owned()))
}

#[test]
fn targets_have_the_form_of_their_method() {
    let fault = |method: &str, uri: &str| {
        let request = Request::builder().method(method).uri(uri).header(HOST, "shop").body(()).unwrap();
        asked(request.into_parts().0).err()
    };
    assert_eq!(fault("GET", "admin"), Some(RequestFault::Target));
    assert_eq!(fault("GET", "admin:80"), Some(RequestFault::Target));
    assert_eq!(fault("OPTIONS", "admin"), Some(RequestFault::Target));
    assert_eq!(fault("GET", "*"), Some(RequestFault::Target));
    assert_eq!(fault("OPTIONS", "*"), None);
    assert_eq!(fault("GET", "http://admin"), None);
}

#[test]
fn options_of_a_connection_are_few() {
    let fault = |options: usize| {
        let list = vec!["x"; options].join(",");
        let request = Request::get("/").header(HOST, "shop").header(CONNECTION, list).body(()).unwrap();
        asked(request.into_parts().0).err()
    };
    assert_eq!(fault(32), None);
    assert_eq!(fault(33), Some(RequestFault::Connection));
}

#[test]
fn trailers_hold_nothing_that_is_decided_before_the_body() {
    for name in [
        "x-forwarded-for",
        "x_forwarded_for",
        "x-forwarded-host",
        "x-forwarded-port",
        "x-real-ip",
        "X_Real_IP",
        "forwarded",
        "via",
        "keep-alive",
        "proxy-connection",
        "proxy-authorization",
        "proxy-anything",
        "set-cookie",
        "cookie",
        "cache-control",
        "authorization",
        "host",
        "content-length",
        "content-type",
        "transfer-encoding",
        "connection",
        "te",
        "trailer",
        "upgrade",
        "expect",
        "if-match",
        "range",
    ] {
        assert!(!may_be_trailer(&HeaderName::from_bytes(name.as_bytes()).unwrap()), "{name}");
    }
    for name in ["x-check", "server-timing", "grpc-status", "digest", "x-realm"] {
        assert!(may_be_trailer(&HeaderName::from_bytes(name.as_bytes()).unwrap()), "{name}");
    }
    let headers = headers(&[("connection", "close, X-Hop")]);
    assert!(is_connections_own(&headers, &HeaderName::from_static("x-hop")));
    assert!(!is_connections_own(&headers, &HeaderName::from_static("x-check")));
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
