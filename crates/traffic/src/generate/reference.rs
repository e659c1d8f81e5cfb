//! The exchange that benchmarks agree on.

use std::net::{IpAddr, Ipv4Addr};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};
use threadline_model::{
    CapturedBody, CapturedHeaders, CapturedText, Exchange, HttpVersion, Outcome, Request, Response, Scheme, Sizes,
    Source, Timestamp, TlsFingerprints,
};

use crate::random::{digest, hex};
use crate::shop::access_token;

/// Bytes of each body.
const BODY_BYTES: usize = 1_024;

/// Time between two exchanges, microseconds: ten thousand a second.
const INTERVAL_US: i64 = 100;

/// One configured parameter of the reference policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReferenceParameter {
    /// Its name.
    pub name: &'static str,
    /// Its point, in the text spelling.
    pub point: &'static str,
    /// `none`, `user` or `role`.
    pub kind: &'static str,
    /// Whether it is a grouping key.
    pub group: bool,
    /// Whether the reference exchange has a value there.
    pub present: bool,
}

const fn parameter(
    name: &'static str,
    point: &'static str,
    kind: &'static str,
    group: bool,
    present: bool,
) -> ReferenceParameter {
    ReferenceParameter { name, point, kind, group, present }
}

/// The policy of the benchmark: eight parameters, of which three are keys, and only the third key works, so that all
/// three are tried and both bodies are read to their ends.
pub const REFERENCE_PARAMETERS: [ReferenceParameter; 8] = [
    parameter("issued token", "response > body > json > property token", "none", true, false),
    parameter("query token", "request > query token", "none", true, false),
    parameter("session", "request > header AUTHORIZATION > bearer > jwt payload > property sid", "none", true, true),
    parameter("user", "request > header AUTHORIZATION > bearer > jwt payload > property sub", "user", false, true),
    parameter("role", "request > header AUTHORIZATION > bearer > jwt payload > property role", "role", false, true),
    parameter("device", "request > header X-DEVICE-ID", "none", false, true),
    parameter("customer", "request > body > json > property customer > property id", "none", false, true),
    parameter("order", "response > body > json > property order > property id", "none", false, true),
];

/// An endless stream of reference exchanges.
pub struct ReferenceStream {
    seed: u64,
    sessions: u32,
    next: u64,
    start: Timestamp,
}

impl ReferenceStream {
    /// Exchanges of `sessions` sessions (at least one) in turn, ten thousand a second from `start`.
    pub fn new(seed: u64, sessions: u32, start: Timestamp) -> Self {
        Self { seed, sessions: sessions.max(1), next: 0, start }
    }
}

impl Iterator for ReferenceStream {
    type Item = Exchange;

    fn next(&mut self) -> Option<Exchange> {
        let number = self.next;
        self.next += 1;
        let user = (number % u64::from(self.sessions)) as u32;
        let chance = digest(self.seed, "reference", &[&number.to_le_bytes()]);
        let session = hex(&digest(self.seed, "reference session", &[&user.to_le_bytes()])[..12]);
        let token = access_token(self.seed, user, "customer", &session, "reference");
        let order = 10_000_000 + number % 90_000_000;
        let product = u32::from(chance[0]) + 1;
        let target = format!("/v1/orders/{order}/items/{product}?channel=app&page={}", chance[1] % 9 + 1);
        let request_body = padded(json!({
            "customer": {"id": format!("c-{user:08}"), "tier": "gold", "newsletter": true},
            "items": [
                {"product": product, "quantity": 2, "options": {"wrap": true, "note": "for \u{e9}milie"}},
                {"product": u32::from(chance[2]) + 1, "quantity": 1, "options": {"wrap": false, "note": null}},
            ],
            "delivery": {"method": "courier", "address": {"street": "Lindenweg 7", "city": "Basel", "zip": "4057"}},
            "totals": {"net": 48.2, "tax": 3.71, "gross": 51.91, "currency": "CHF"},
        }));
        let response_body = padded(json!({
            "order": {"id": order, "state": "accepted", "version": chance[3]},
            "items": [
                {"line": 1, "product": product, "name": "Green tea no. 5", "price": {"amount": 2_410, "currency": "CHF"}},
                {"line": 2, "product": u32::from(chance[2]) + 1, "name": "Mug no. 8", "price": {"amount": 990, "currency": "CHF"}},
            ],
            "links": {"self": format!("/v1/orders/{order}"), "invoice": format!("/v1/orders/{order}/invoice")},
        }));
        let trace_id = hex(&chance[4..20]);
        let content_length = BODY_BYTES.to_string();
        let request_headers = headers(&[
            ("host", "api.shop.example"),
            ("user-agent", "ShopApp/7.4.1 (Android 16; Pixel 10) okhttp/5.3.0"),
            ("accept", "application/json"),
            ("accept-encoding", "gzip, br"),
            ("authorization", &format!("Bearer {token}")),
            ("content-type", "application/json"),
            ("content-length", &content_length),
            ("traceparent", &format!("00-{trace_id}-{}-01", hex(&chance[20..28]))),
            ("x-device-id", &format!("pixel-{user:08}")),
        ]);
        let response_headers = headers(&[
            ("content-type", "application/json"),
            ("content-length", &content_length),
            ("cache-control", "no-store"),
            ("server", "shop/1.0"),
        ]);
        let started = Timestamp::from_micros(self.start.micros() + number as i64 * INTERVAL_US);
        Some(Exchange {
            id: super::exchange_id(self.seed, started, number),
            started,
            duration_us: Some(8_000 + u64::from(chance[28]) * 40),
            upstream_us: Some(7_000 + u64::from(chance[28]) * 40),
            source: Source::Proxy,
            client: Some(IpAddr::V4(Ipv4Addr::new(198, 18, (user / 250 % 250) as u8, (user % 250) as u8))),
            fingerprints: TlsFingerprints::default(),
            request: Request {
                method: CapturedText::new(&b"POST"[..]),
                scheme: Some(Scheme::Http),
                version: Some(HttpVersion::Http11),
                host: Some(CapturedText::new(&b"api.shop.example"[..])),
                target: CapturedText::new(target),
                headers: CapturedHeaders::new(request_headers),
                body: CapturedBody::whole(request_body),
            },
            response: Some(Response {
                status: 200,
                version: Some(HttpVersion::Http11),
                headers: CapturedHeaders::new(response_headers),
                body: CapturedBody::whole(response_body),
            }),
            sizes: Sizes { request: BODY_BYTES as u64, response: BODY_BYTES as u64 },
            outcome: Outcome::Completed,
        })
    }
}

/// Fills a document up to exactly [`BODY_BYTES`] with a last property, as real documents have text in them.
fn padded(mut document: Value) -> Bytes {
    const WORDS: &str = "please leave the parcel with the neighbours if nobody answers the door; ";
    document["zz_note"] = Value::from("");
    let missing = BODY_BYTES.saturating_sub(document.to_string().len());
    document["zz_note"] = Value::from(WORDS.chars().cycle().take(missing).collect::<String>());
    Bytes::from(document.to_string())
}

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    pairs
        .iter()
        .filter_map(|(name, value)| Some((HeaderName::from_static(name), HeaderValue::from_str(value).ok()?)))
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_reference_exchange_is_one_kibibyte_of_json_both_ways() {
        for exchange in ReferenceStream::new(3, 10, Timestamp::from_micros(0)).take(200) {
            let response = exchange.response.unwrap();
            for body in [&exchange.request.body, &response.body] {
                assert_eq!(body.as_bytes().len(), BODY_BYTES);
                assert!(serde_json::from_slice::<Value>(body.as_bytes()).unwrap().is_object());
            }
            assert_eq!(exchange.request.headers.as_map().len(), 9);
        }
    }

    #[test]
    fn sessions_come_in_turn_and_streams_repeat_by_seed() {
        let start = Timestamp::from_micros(1_000_000);
        let tokens = |seed| -> Vec<Vec<u8>> {
            ReferenceStream::new(seed, 4, start)
                .take(8)
                .map(|exchange| exchange.request.headers.first("authorization").unwrap().to_vec())
                .collect()
        };
        let first = tokens(1);
        assert_eq!(first, tokens(1));
        assert_ne!(first, tokens(2));
        assert_eq!(first[..4], first[4..]);
        assert_eq!(first.iter().collect::<std::collections::BTreeSet<_>>().len(), 4);
    }
}
