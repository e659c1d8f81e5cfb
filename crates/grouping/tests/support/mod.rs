//! Exchanges out of raw messages, and policies out of points.
#![allow(clippy::unwrap_used, dead_code)]

use std::sync::LazyLock;

use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};
use threadline_grouping::{Grouped, Grouper, InstallationSecret, SessionHashKey};
use threadline_model::{
    CapturedBody, CapturedHeaders, CapturedText, Exchange, ExchangeId, Outcome, Request, Response, Scheme, Sizes,
    Source, Timestamp, TlsFingerprints,
};
use threadline_points::{Bounds, Extracted, Plan, Scratch};
use threadline_policy::Policy;

/// 2026-11-23T12:00:00Z
pub(crate) const NOON: Timestamp = Timestamp::from_micros(1_795_435_200_000_000);

fn headers(lines: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in lines.lines().filter(|line| !line.is_empty()) {
        let (name, value) = line.split_once(':').unwrap();
        let value = HeaderValue::from_bytes(value.trim().as_bytes()).unwrap();
        headers.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), value);
    }
    headers
}

/// Head and body at the first empty line.
fn split(message: &str) -> (&str, &str, &str) {
    let (head, body) = message.split_once("\n\n").unwrap_or((message, ""));
    let (first, lines) = head.split_once('\n').unwrap_or((head, ""));
    (first, lines, body)
}

/// A request `METHOD target` and a response `status`, each with header lines and, after an empty line, a body. The
/// client is 203.0.113.7.
pub(crate) fn exchange(request: &str, response: &str) -> Exchange {
    let (first, lines, body) = split(request);
    let (method, target) = first.split_once(' ').unwrap();
    let request = Request {
        method: CapturedText::new(method.as_bytes().to_vec()),
        scheme: Some(Scheme::Https),
        version: None,
        host: Some(CapturedText::new("api.example")),
        target: CapturedText::new(target.as_bytes().to_vec()),
        headers: CapturedHeaders::new(headers(lines)),
        body: CapturedBody::whole(body.as_bytes().to_vec()),
    };
    let (status, lines, body) = split(response);
    Exchange {
        id: ExchangeId::from_bytes([1; 16]),
        started: NOON,
        duration_us: None,
        upstream_us: None,
        source: Source::Proxy,
        client: Some("203.0.113.7".parse().unwrap()),
        fingerprints: TlsFingerprints::default(),
        request,
        response: (!status.is_empty()).then(|| Response {
            status: status.parse().unwrap(),
            version: None,
            headers: CapturedHeaders::new(headers(lines)),
            body: CapturedBody::whole(body.as_bytes().to_vec()),
        }),
        sizes: Sizes::default(),
        outcome: Outcome::Completed,
    }
}

/// A secret that is the same in every run.
pub(crate) fn secret() -> &'static InstallationSecret {
    static SECRET: LazyLock<InstallationSecret> = LazyLock::new(|| {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secret");
        std::fs::write(&path, format!("threadline-secret-v1 {}\n", "5a".repeat(32))).unwrap();
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        InstallationSecret::load_or_create(&path).unwrap()
    });
    &SECRET
}

pub(crate) fn key() -> SessionHashKey {
    secret().session_key()
}

/// A policy whose grouping keys are these points in this order, named by their position from 1.
pub(crate) fn keys(points: &[&str]) -> Policy {
    let parameters: Value = (1..)
        .zip(points)
        .map(|(number, point)| json!({"name": number.to_string(), "point": point, "group": true}))
        .collect();
    policy(parameters)
}

pub(crate) fn policy(parameters: Value) -> Policy {
    let document = serde_json::from_value(json!({ "parameters": parameters })).unwrap();
    Policy::validate(1, document).unwrap()
}

/// A policy with everything compiled from it.
pub(crate) struct Stage {
    plan: Plan,
    policy: Policy,
    grouper: Grouper,
}

impl Stage {
    pub(crate) fn new(policy: &Policy) -> Self {
        let plan = Plan::compile(&policy.points(), Bounds::default()).unwrap();
        Self { plan, policy: policy.clone(), grouper: Grouper::new(policy, key()) }
    }

    pub(crate) fn extract<'e>(&self, exchange: &'e Exchange) -> Extracted<'e> {
        let mut extracted = self.plan.extract(exchange, &mut Scratch::default());
        self.policy.restrict(&self.policy.reach(exchange), &mut extracted);
        extracted
    }

    pub(crate) fn decide<'a>(&self, exchange: &'a Exchange, extracted: &'a Extracted<'_>) -> Grouped<'a> {
        self.grouper.decide(exchange, &self.policy.reach(exchange), extracted, &mut Scratch::default())
    }

    /// What is said about an exchange, in a form that outlives it.
    pub(crate) fn group(&self, exchange: &Exchange) -> Summary {
        let extracted = self.extract(exchange);
        let grouped = self.decide(exchange, &extracted);
        let key = match grouped.decision.key {
            threadline_grouping::DecidingKey::Configured { parameter } => format!("configured {parameter}"),
            threadline_grouping::DecidingKey::BuiltIn(rule) => rule.name.to_owned(),
            threadline_grouping::DecidingKey::Fallback(kind) => kind.as_str().to_owned(),
        };
        Summary {
            session: grouped.session.to_string(),
            key,
            trace: grouped.trace.as_str().to_owned(),
            uncertain: grouped.uncertain,
            issued: grouped.decision.side == threadline_points::Side::Response,
            request: grouped.request.map(|request| (request.session.to_string(), request.kind)),
            parse_errors: grouped.parse_errors.len(),
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Summary {
    pub(crate) session: String,
    pub(crate) key: String,
    pub(crate) trace: String,
    pub(crate) uncertain: bool,
    pub(crate) issued: bool,
    pub(crate) request: Option<(String, threadline_grouping::KeyKind)>,
    pub(crate) parse_errors: usize,
}

/// Base64url without padding, for tokens.
pub(crate) fn base64url(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let number = chunk.iter().fold(0_u32, |number, byte| number << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for position in 0..=chunk.len() {
            text.push(char::from(ALPHABET[(number >> (18 - 6 * position)) as usize & 63]));
        }
    }
    text
}

/// A JWT with these claims.
pub(crate) fn jwt(claims: Value) -> String {
    [base64url(br#"{"alg":"HS256"}"#), base64url(claims.to_string().as_bytes()), base64url(b"signature")].join(".")
}

/// A policy with more than parameters.
pub(crate) fn whole_policy(document: Value) -> Policy {
    Policy::validate(1, serde_json::from_value(document).unwrap()).unwrap()
}
