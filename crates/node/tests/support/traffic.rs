//! Exchanges in which the model's points, scopes and masks meet values, and everything that makes a value fail.

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::{HeaderMap, HeaderName, HeaderValue};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::json;
use threadline_model::{
    CapturedBody, CapturedHeaders, CapturedText, Exchange, ExchangeId, Outcome, Request, Response, Scheme, Sizes,
    Source, Timestamp, TlsFingerprints,
};

/// Values that are the same in several places, and some that do not work.
fn value() -> BoxedStrategy<String> {
    prop_oneof![
        10 => select(vec!["aaa", "AAA", "b", "7"]).prop_map(str::to_owned),
        1 => select(vec!["", "null", "a b"]).prop_map(str::to_owned),
        1 => Just("x".repeat(9_000)),
    ]
    .boxed()
}

fn json_value() -> BoxedStrategy<serde_json::Value> {
    prop_oneof![
        6 => value().prop_map(serde_json::Value::from),
        1 => Just(json!(7)),
        1 => Just(json!(null)),
        1 => Just(json!({"id": "aaa"})),
        1 => Just(json!(["b", "aaa"])),
    ]
    .boxed()
}

/// A body and the media type that is said of it.
fn body() -> BoxedStrategy<(CapturedBody, &'static str)> {
    const JSON: &str = "application/json";
    let document = || {
        (json_value(), json_value(), json_value())
            .prop_map(|(token, user, list)| json!({"token": token, "user": {"id": user}, "list": list}).to_string())
    };
    prop_oneof![
        1 => Just((CapturedBody::empty(), "")),
        1 => Just((CapturedBody::not_captured(), JSON)),
        6 => document().prop_map(|text| (CapturedBody::whole(text), JSON)),
        1 => (document(), any::<prop::sample::Index>()).prop_map(|(text, at)| {
            (CapturedBody::whole(text.as_bytes()[..at.index(text.len())].to_vec()), JSON)
        }),
        1 => (document(), any::<prop::sample::Index>()).prop_map(|(text, at)| {
            (CapturedBody::prefix(text.as_bytes()[..at.index(text.len())].to_vec()), JSON)
        }),
        2 => value().prop_map(|value| {
            let form = format!("b=1&a={}", value.replace(' ', "+"));
            (CapturedBody::whole(form), "application/x-www-form-urlencoded")
        }),
    ]
    .boxed()
}

fn authorization() -> BoxedStrategy<String> {
    let jwt = (option::of(value()), option::of(value()), option::of(value())).prop_map(|(sid, iss, sub)| {
        let mut claims = serde_json::Map::new();
        for (name, value) in [("sid", sid), ("iss", iss), ("sub", sub)] {
            claims.extend(value.map(|value| (name.to_owned(), value.into())));
        }
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        let claims = serde_json::Value::Object(claims).to_string();
        format!("Bearer {}.{}.{}", part("{\"alg\":\"none\"}"), part(&claims), part("signature"))
    });
    prop_oneof![
        2 => value().prop_map(|token| format!("Bearer {}", token.replace(' ', ""))),
        3 => jwt,
        1 => value().prop_map(|user| format!("Basic {}", STANDARD.encode(format!("{user}:secret")))),
        1 => select(vec!["Bearer", "null", "Digest username=\"x\"", "Bearer a b"]).prop_map(str::to_owned),
    ]
    .boxed()
}

fn headers(pairs: Vec<(&str, Option<String>)>) -> CapturedHeaders {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        if let Some(value) = value {
            headers.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(&value).unwrap());
        }
    }
    CapturedHeaders::new(headers)
}

fn request() -> BoxedStrategy<Request> {
    let path =
        select(vec!["/", "/api/login", "/api/x/1", "/api/x/1/2", "/admin", "//api/./y", "/API", "/a/../admin/z"]);
    let host =
        select(vec!["shop.example", "api.shop.example", "API.shop.example:8443", "other.example", "xshop.example"]);
    let query = (option::of(value()), option::of(value()), option::weighted(0.2, value()));
    let cookies = (option::weighted(0.2, value()), option::weighted(0.3, value()));
    let single = (
        option::weighted(0.3, value()),
        option::weighted(0.2, value()),
        option::weighted(0.2, value()),
        option::weighted(0.4, authorization()),
        option::weighted(0.8, select(vec!["agent", "other", ""])),
    );
    let first = (select(vec!["GET", "POST", "get"]), host, path, query);
    (first, cookies, single, body())
        .prop_map(
            |(
                (method, host, path, (a, token, sid)),
                (php, cookie),
                (key, session, api, authorization, agent),
                body,
            )| {
                let field = |name: &str, value: Option<String>| {
                    value.map(|value| format!("{name}={}", value.replace(' ', "+")))
                };
                let fields: Vec<String> =
                    [field("a", a), field("token", token), field("sid", sid)].into_iter().flatten().collect();
                let target = if fields.is_empty() { path.to_owned() } else { format!("{path}?{}", fields.join("&")) };
                let pair =
                    |name: &str, value: Option<String>| value.map(|value| format!("{name}={}", value.replace(' ', "")));
                let pairs: Vec<String> = [pair("PHPSESSID", php), pair("sid", cookie)].into_iter().flatten().collect();
                let (body, media_type) = body;
                Request {
                    method: CapturedText::new(method),
                    scheme: Some(Scheme::Https),
                    version: None,
                    host: Some(CapturedText::new(host)),
                    target: CapturedText::new(target),
                    headers: headers(vec![
                        ("host", Some(host.to_owned())),
                        ("user-agent", agent.map(str::to_owned)),
                        ("content-type", Some(media_type.to_owned())),
                        ("cookie", (!pairs.is_empty()).then(|| pairs.join("; "))),
                        ("x-key", key),
                        ("x-session-id", session),
                        ("x-api-key", api),
                        ("authorization", authorization),
                    ]),
                    body,
                }
            },
        )
        .boxed()
}

fn response() -> BoxedStrategy<Response> {
    let set = option::weighted(0.3, value());
    (option::weighted(0.3, value()), set, body())
        .prop_map(|(token, set, (body, media_type))| Response {
            status: 200,
            version: None,
            headers: headers(vec![
                ("content-type", Some(media_type.to_owned())),
                ("x-token", token),
                ("set-cookie", set.map(|value| format!("sid={}; Path=/", value.replace(' ', "")))),
            ]),
            body,
        })
        .boxed()
}

/// An exchange.
pub(crate) fn exchange() -> BoxedStrategy<Exchange> {
    let client = option::weighted(0.9, select(vec!["192.0.2.1", "::ffff:192.0.2.1", "192.0.2.2"]));
    (any::<[u8; 16]>(), client, request(), option::weighted(0.9, response()))
        .prop_map(|(id, client, request, response)| Exchange {
            id: ExchangeId::from_bytes(id),
            started: Timestamp::from_micros(1_795_435_200_000_000),
            duration_us: None,
            upstream_us: None,
            source: Source::Proxy,
            client: client.map(|address| address.parse::<IpAddr>().unwrap()),
            fingerprints: TlsFingerprints::default(),
            request,
            response,
            sizes: Sizes::default(),
            outcome: Outcome::Completed,
        })
        .boxed()
}
