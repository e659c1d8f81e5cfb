//! The reference exchange that figures are measured on: 1 KiB of JSON each way, a bearer token, eight parameters.
//! For benchmarks; nothing at run time uses it.

use http::{HeaderMap, HeaderName, HeaderValue, header};
use threadline_model::{
    CapturedBody, CapturedHeaders, CapturedText, Exchange, ExchangeId, HttpVersion, Outcome, Request, Response, Scheme,
    Sizes, Source, Timestamp, TlsFingerprints,
};

use crate::{Point, PointError};

/// The eight points: three grouping keys of the reference example, user and role of the token, and three more.
pub const POINTS: [&str; 8] = [
    "response > body > json > property token",
    "request > query token",
    "request > body > json > property token",
    "request > header AUTHORIZATION > jwt payload > property sub",
    "request > header AUTHORIZATION > jwt payload > property role",
    "request > body > json > property customer > property email",
    "response > body > json > property items > index 0 > property id",
    "request > header X-TENANT",
];

/// [`POINTS`], read.
///
/// # Errors
/// Never with the points as they stand.
pub fn points() -> Result<Vec<Point>, PointError> {
    POINTS.iter().map(|text| Point::parse(text)).collect()
}

/// `{"alg":"RS256","typ":"JWT","kid":"2026-10"}` and claims of a usual size, with a signature of RS256's length.
const TOKEN: &str = concat!(
    "Bearer eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6IjIwMjYtMTAifQ.",
    "eyJpc3MiOiJodHRwczovL2xvZ2luLnNob3AuZXhhbXBsZS8iLCJzdWIiOiJ1c2VyLTQyMTciLCJhdWQiOiJhcGkuc2hvcC5leGFtcGxlIiwi",
    "ZXhwIjoxNzkwMDAzNjAwLCJpYXQiOjE3OTAwMDAwMDAsInJvbGUiOiJjdXN0b21lciIsInNjb3BlIjoib3JkZXJzOnJlYWQgb3JkZXJzOndy",
    "aXRlIiwianRpIjoiN2MxZjRlIn0.",
    "c2lnbmF0dXJlc2lnbmF0dXJlc2lnbmF0dXJlc2lnbmF0dXJlc2lnbmF0dXJlc2lnbmF0dXJlc2lnbmF0dXJlc2lnbmF0dXJlc2lnbmF0dXJl",
    "c2lnbmF0dXJlc2lnbmF0dXJlc2lnbmF0dXJlc2lnbmF0dXJlc2lnbmF0dXJlc2lnbmF0dXJlc2lnbmF0dXJlc2lnbmF0dXJlc2lnbmF0dXJl",
    "c2lnbmF0dXJlc2lnbmF0dXJlc2lnbmF0dXJlc2lnbmF0dXJlc2lnbmF0dXJlc2lnbmF0dXJlc2lnbmF0dXJlc2lnbmF0dXJlc2lnbmF0dXJl",
    "c2lnbmF0dXJl",
);

/// A list of order lines as APIs write them: short names, strings and numbers, some nesting.
fn lines(bytes: usize, head: &str) -> String {
    let mut body = format!("{{{head},\"items\":[");
    for line in 0_u32.. {
        let item = format!(
            "{{\"id\":{},\"sku\":\"SKU-{:05}\",\"name\":\"Item number {line}\",\"qty\":{},\"price\":{}.{:02},\"tags\":[\"a\",\"new\"],\"gift\":false,\"note\":null}}",
            1000 + line,
            line * 37,
            line % 7 + 1,
            10 + line,
            line % 100,
        );
        if body.len() + item.len() + 3 > bytes {
            break;
        }
        if line > 0 {
            body.push(',');
        }
        body.push_str(&item);
    }
    body.push_str("]}");
    body
}

/// A JSON document of about this many bytes with the reference members.
pub fn document(bytes: usize) -> String {
    lines(
        bytes,
        "\"token\":\"3f2a9c1e7d5b4860\",\"customer\":{\"id\":4217,\"email\":\"jo@shop.example\",\"name\":\"Jo Doe\"},\"currency\":\"EUR\",\"total\":1234.50",
    )
}

/// An exchange with JSON bodies of about `bytes` each.
pub fn exchange(bytes: usize) -> Exchange {
    let body = document(bytes);
    let mut headers = HeaderMap::new();
    headers.insert(header::HOST, HeaderValue::from_static("api.shop.example"));
    headers.insert(header::USER_AGENT, HeaderValue::from_static("Mozilla/5.0 (X11; Linux x86_64) Firefox/144.0"));
    headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::AUTHORIZATION, HeaderValue::from_static(TOKEN));
    headers.insert(HeaderName::from_static("x-tenant"), HeaderValue::from_static("north"));
    let mut answer = HeaderMap::new();
    answer.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Exchange {
        id: ExchangeId::from_bytes([1; 16]),
        started: Timestamp::from_micros(1_790_000_000_000_000),
        duration_us: Some(12_000),
        upstream_us: Some(11_000),
        source: Source::Proxy,
        client: Some(std::net::IpAddr::from([192, 0, 2, 17])),
        fingerprints: TlsFingerprints::default(),
        sizes: Sizes { request: body.len() as u64, response: body.len() as u64 },
        request: Request {
            method: CapturedText::new("POST"),
            scheme: Some(Scheme::Https),
            version: Some(HttpVersion::Http11),
            host: Some(CapturedText::new("api.shop.example")),
            target: CapturedText::new("/v1/orders?currency=EUR&token=3f2a9c1e7d5b4860"),
            headers: CapturedHeaders::new(headers),
            body: CapturedBody::whole(body.clone()),
        },
        response: Some(Response {
            status: 201,
            version: Some(HttpVersion::Http11),
            headers: CapturedHeaders::new(answer),
            body: CapturedBody::whole(body),
        }),
        outcome: Outcome::Completed,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::{Bounds, Plan, Scratch};

    #[test]
    fn every_reference_point_resolves() {
        let exchange = exchange(1024);
        let plan = Plan::compile(&points().unwrap(), Bounds::default()).unwrap();
        let mut scratch = Scratch::default();
        let extracted = plan.extract(&exchange, &mut scratch);
        let expected: [&[u8]; 8] = [
            b"3f2a9c1e7d5b4860",
            b"3f2a9c1e7d5b4860",
            b"3f2a9c1e7d5b4860",
            b"user-4217",
            b"customer",
            b"jo@shop.example",
            b"1000",
            b"north",
        ];
        for (index, expected) in expected.into_iter().enumerate() {
            assert_eq!(extracted.get(index).value(), Some(expected), "{}", POINTS[index]);
        }
        assert!(extracted.parse_errors().is_empty());
        let size = exchange.request.body.as_bytes().len();
        assert!((900..=1024).contains(&size), "{size}");
    }
}
