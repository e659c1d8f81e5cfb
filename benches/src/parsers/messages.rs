//! Exchanges that carry one text to one parser.

use http::{HeaderMap, HeaderName, HeaderValue, header};
use threadline_model::{
    CapturedBody, CapturedHeaders, CapturedText, Exchange, ExchangeId, Outcome, Request, Response, Sizes, Source,
    Timestamp, TlsFingerprints,
};

/// Where the text stands.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place {
    /// The request's body, of this Content-Type.
    Body(&'static str),
    /// The request's body, of this Content-Encoding.
    Coded(&'static str),
    /// A request header.
    Header(&'static str),
    /// The query.
    Query,
}

/// An exchange with the text in its place.
pub(crate) fn exchange(place: Place, text: Vec<u8>) -> Exchange {
    let mut headers = HeaderMap::new();
    let mut target = b"/v1/orders".to_vec();
    let mut body = Vec::new();
    let mut set = |name: HeaderName, value: &[u8]| {
        if let Ok(value) = HeaderValue::from_bytes(value) {
            headers.insert(name, value);
        }
    };
    match place {
        Place::Body(kind) => {
            set(header::CONTENT_TYPE, kind.as_bytes());
            body = text;
        }
        Place::Coded(coding) => {
            set(header::CONTENT_TYPE, b"application/json");
            set(header::CONTENT_ENCODING, coding.as_bytes());
            body = text;
        }
        Place::Header(name) => set(HeaderName::from_static(name), &text),
        Place::Query => target.extend([b"?", &text[..]].concat()),
    }
    Exchange {
        id: ExchangeId::from_bytes([1; 16]),
        started: Timestamp::from_micros(1_790_000_000_000_000),
        duration_us: None,
        upstream_us: None,
        source: Source::Proxy,
        client: None,
        fingerprints: TlsFingerprints::default(),
        sizes: Sizes::default(),
        request: Request {
            method: CapturedText::new("POST"),
            scheme: None,
            version: None,
            host: None,
            target: CapturedText::new(target),
            headers: CapturedHeaders::new(headers),
            body: CapturedBody::whole(body),
        },
        response: Some(Response {
            status: 200,
            version: None,
            headers: CapturedHeaders::new(HeaderMap::new()),
            body: CapturedBody::whole(Vec::new()),
        }),
        outcome: Outcome::Completed,
    }
}
