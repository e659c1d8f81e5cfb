//! Exchanges made by hand, and points resolved in them.
#![allow(dead_code, clippy::unwrap_used)]

use http::{HeaderMap, HeaderName, HeaderValue};
use threadline_model::{
    CapturedBody, CapturedHeaders, CapturedText, Exchange, ExchangeId, HttpVersion, Outcome, Request, Response, Scheme,
    Sizes, Source, Timestamp, TlsFingerprints,
};
use threadline_points::{Bounds, Found, Plan, Point, Scratch};

/// A response by hand: status, headers, body.
pub(crate) type Answer<'a> = (u16, &'a [(&'a str, &'a str)], &'a str);

/// An exchange with whole bodies. `line` is `METHOD target`.
pub(crate) fn exchange(line: &str, headers: &[(&str, &str)], body: &str, answer: Option<Answer<'_>>) -> Exchange {
    let (method, target) = line.split_once(' ').unwrap();
    Exchange {
        id: ExchangeId::from_bytes([7; 16]),
        started: Timestamp::from_micros(1_790_000_000_000_000),
        duration_us: Some(1),
        upstream_us: None,
        source: Source::Proxy,
        client: "192.0.2.7".parse().ok(),
        fingerprints: TlsFingerprints::default(),
        request: Request {
            method: CapturedText::new(method.to_owned()),
            scheme: Some(Scheme::Https),
            version: Some(HttpVersion::Http11),
            host: Some(CapturedText::new("API.Shop.example:8443")),
            target: CapturedText::new(target.to_owned()),
            headers: header_section(headers),
            body: CapturedBody::whole(body.to_owned()),
        },
        response: answer.map(|(status, headers, body)| Response {
            status,
            version: Some(HttpVersion::Http11),
            headers: header_section(headers),
            body: CapturedBody::whole(body.to_owned()),
        }),
        sizes: Sizes::default(),
        outcome: Outcome::Completed,
    }
}

pub(crate) fn header_section(headers: &[(&str, &str)]) -> CapturedHeaders {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(
            HeaderName::from_bytes(name.as_bytes()).unwrap(),
            HeaderValue::from_bytes(value.as_bytes()).unwrap(),
        );
    }
    CapturedHeaders::new(map)
}

/// One member of gzip (RFC 1952).
pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut coded = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    coded.extend(miniz_oxide::deflate::compress_to_vec(bytes, 6));
    coded.extend(crc32fast::hash(bytes).to_le_bytes());
    coded.extend((bytes.len() as u32).to_le_bytes());
    coded
}

/// A request whose body carries codings.
pub(crate) fn coded(coding: &str, body: CapturedBody) -> Exchange {
    let mut coded = exchange("POST /", &[("Content-Encoding", coding)], "", None);
    coded.request.body = body;
    coded
}

/// The value in words: `Ok` is a value as text, `Err` the name of another outcome.
pub(crate) fn in_words(found: &Found<'_>) -> Result<String, String> {
    match found {
        Found::Value(value) => Ok(String::from_utf8_lossy(value).into_owned()),
        other => Err(format!("{other:?}")),
    }
}

/// Resolves one point and gives the parse errors as `part parser offset reason`.
pub(crate) fn extract(exchange: &Exchange, point: &str) -> (Result<String, String>, Vec<String>) {
    let plan = Plan::compile(&[Point::parse(point).unwrap()], Bounds::default()).unwrap();
    let mut scratch = Scratch::default();
    let extracted = plan.extract(exchange, &mut scratch);
    let errors = extracted
        .parse_errors()
        .iter()
        .map(|error| format!("{} {} {} {}", error.part, error.parser, error.offset, error.reason))
        .collect();
    (in_words(extracted.get(0)), errors)
}

/// Resolves one point.
pub(crate) fn resolve(exchange: &Exchange, point: &str) -> Result<String, String> {
    extract(exchange, point).0
}
