//! The pipeline in process: a 1 KiB JSON request and response with a bearer JWT through every stage, on one core.

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use threadline_context::Selector;
use threadline_grouping::{Grouper, InstallationSecret};
use threadline_model::{
    CapturedBody, CapturedHeaders, CapturedText, Exchange, ExchangeId, HttpVersion, Outcome, Request, Response, Scheme,
    Sizes, Source, Timestamp, TlsFingerprints,
};
use threadline_node::{NodeCounters, Pipeline};
use threadline_points::{Bounds, Plan, Scratch};
use threadline_policy::{Policy, PolicyDocument};
use threadline_record::RowBuilder;

use crate::table::{Budget, Figure, Table};

/// Exchanges in the cycle, so that neither caches nor branch predictors see one message only.
const DISTINCT: usize = 512;
/// Rows of a batch, as the node closes them.
const BATCH: usize = 8_192;
/// How long each figure is measured, and how often; the median is printed.
const MEASURE: Duration = Duration::from_millis(700);
const ROUNDS: usize = 5;

/// Eight parameters, three of them keys. The keys are tried in vain twice before the third decides.
const PARAMETERS: &str = r#"{"parameters":[
 {"name":"login token","point":"response > body > json > property session > property token","group":true,"hashed":true},
 {"name":"query token","point":"request > query token","group":true,"hashed":true},
 {"name":"subject","point":"request > header AUTHORIZATION > jwt payload > property sub","group":true,"type":"user","hashed":true},
 {"name":"role","point":"request > header AUTHORIZATION > jwt payload > property role","type":"role","hashed":false},
 {"name":"order","point":"request > body > json > property order > property id","hashed":false},
 {"name":"currency","point":"request > body > json > property payment > property currency","hashed":false},
 {"name":"state","point":"response > body > json > property state","hashed":false},
 {"name":"first item","point":"response > body > json > property items > index 0 > property sku","hashed":false}
]}"#;

/// Measures and adds the section.
pub(crate) fn run(table: &mut Table) {
    let exchanges: Vec<Exchange> = (0..DISTINCT).map(reference_exchange).collect();
    let Ok(document) = serde_json::from_str::<PolicyDocument>(PARAMETERS) else { return };
    let Ok(policy) = Policy::validate(1, document) else { return };
    let Ok(folder) = tempfile::tempdir() else { return };
    let Ok(secret) = InstallationSecret::load_or_create(&folder.path().join("secret")) else { return };
    let Ok(plan) = Plan::compile(&policy.points(), Bounds::default()) else { return };
    let grouper = Grouper::new(&policy, secret.session_key());
    let selector = Selector::new(&policy, secret.parameter_key());
    let Ok(mut pipeline) = Pipeline::compile(&policy, &secret, "bench") else { return };
    let counters = NodeCounters::default();
    let mut scratch = Scratch::default();

    let extract = nanoseconds(&exchanges, |exchange| {
        black_box(plan.extract(exchange, &mut scratch));
    });
    let mut scratch = Scratch::default();
    let grouped = nanoseconds(&exchanges, |exchange| {
        let extracted = plan.extract(exchange, &mut scratch);
        black_box(grouper.decide(exchange, &extracted, &mut scratch));
    });
    let selected = nanoseconds(&exchanges, |exchange| {
        let extracted = plan.extract(exchange, &mut scratch);
        let grouped = grouper.decide(exchange, &extracted, &mut scratch);
        black_box(selector.select(exchange, &extracted, &grouped));
    });
    let mut rows = RowBuilder::with_capacity(BATCH);
    let whole = nanoseconds(&exchanges, |exchange| {
        pipeline.process(exchange, &mut rows, &counters);
        if rows.len() >= BATCH {
            black_box(rows.finish());
        }
    });
    let micros = |nanoseconds: f64| nanoseconds.max(0.0) / 1000.0;
    table.section(
        "Pipeline, one core: 1 KiB JSON request and response, bearer JWT, 8 parameters, 3 keys",
        vec![
            Figure::new("exchanges per second", 1e9 / whole, "1/s", Budget::AtLeast(250_000.0)),
            Figure::new("points: extract", micros(extract), "µs", Budget::None),
            Figure::new("grouping: decide", micros(grouped - extract), "µs", Budget::None),
            Figure::new("context: select", micros(selected - grouped), "µs", Budget::None),
            Figure::new("record: append and close", micros(whole - selected), "µs", Budget::None),
            Figure::new("all stages", micros(whole), "µs", Budget::AtMost(4.0)),
        ],
    );
}

/// Median over the rounds of the nanoseconds one call takes.
fn nanoseconds(exchanges: &[Exchange], mut work: impl FnMut(&Exchange)) -> f64 {
    let mut rounds: Vec<f64> = (0..=ROUNDS)
        .map(|_| {
            let started = Instant::now();
            let mut count = 0_u64;
            while started.elapsed() < MEASURE {
                for exchange in exchanges {
                    work(exchange);
                }
                count += exchanges.len() as u64;
            }
            started.elapsed().as_nanos() as f64 / count as f64
        })
        .skip(1)
        .collect();
    rounds.sort_by(f64::total_cmp);
    rounds[rounds.len() / 2]
}

/// One exchange of the cycle; `number` makes its values differ from the others'.
fn reference_exchange(number: usize) -> Exchange {
    let payload = format!(
        r#"{{"iss":"https://login.shop.example","sub":"user-{number:06}","aud":"api","role":"customer","iat":1790000000,"exp":1790003600,"scope":"orders:read orders:write"}}"#
    );
    let token = format!(
        "Bearer {}.{}.{}",
        base64(br#"{"alg":"HS256","typ":"JWT","kid":"2026-11"}"#),
        base64(payload.as_bytes()),
        base64(&[number as u8; 32])
    );
    let mut headers = HeaderMap::new();
    let mut header = |name: &'static str, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    header("host", "api.shop.example");
    header("authorization", &token);
    header(
        "user-agent",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36",
    );
    header("content-type", "application/json");
    header("accept", "application/json");
    header("accept-encoding", "gzip, deflate, br");
    header("x-forwarded-proto", "https");
    let mut answer_headers = HeaderMap::new();
    answer_headers.insert("content-type", HeaderValue::from_static("application/json"));
    Exchange {
        id: ExchangeId::from_bytes((number as u128).to_be_bytes()),
        started: Timestamp::from_micros(1_790_000_000_000_000 + number as i64),
        duration_us: Some(1_500),
        upstream_us: Some(1_200),
        source: Source::Proxy,
        client: Some(IpAddr::V4(Ipv4Addr::new(10, 0, (number >> 8) as u8, number as u8))),
        fingerprints: TlsFingerprints::default(),
        request: Request {
            method: CapturedText::new("POST"),
            scheme: Some(Scheme::Http),
            version: Some(HttpVersion::Http11),
            host: Some(CapturedText::new("api.shop.example")),
            target: CapturedText::new(format!("/users/{number}/orders?page=2&sort=newest")),
            headers: CapturedHeaders::new(headers),
            body: CapturedBody::whole(request_body(number)),
        },
        response: Some(Response {
            status: 201,
            version: Some(HttpVersion::Http11),
            headers: CapturedHeaders::new(answer_headers),
            body: CapturedBody::whole(response_body(number)),
        }),
        sizes: Sizes { request: 1_024, response: 1_024 },
        outcome: Outcome::Completed,
    }
}

fn request_body(number: usize) -> Bytes {
    let mut body = format!(
        r#"{{"order":{{"id":{},"note":"leave at the door","express":true}},"payment":{{"method":"card","currency":"EUR","amount":129.9}},"items":["#,
        100_000 + number
    );
    fill(&mut body, number, r#"],"address":{"street":"Long Street 12","city":"Delft","zip":"2611"}}"#)
}

fn response_body(number: usize) -> Bytes {
    let mut body = String::from(r#"{"state":"accepted","total":129.9,"items":["#);
    fill(&mut body, number, r#"],"links":{"self":"/orders/1","next":null},"warnings":[]}"#)
}

/// Adds items until the whole is about 1 KiB.
fn fill(body: &mut String, number: usize, end: &str) -> Bytes {
    let mut item = 0;
    while body.len() + end.len() < 960 {
        if item > 0 {
            body.push(',');
        }
        body.push_str(&format!(
            r#"{{"sku":"A-{number:05}-{item}","title":"Cotton shirt, blue","quantity":{},"price":{}.95}}"#,
            1 + item % 3,
            19 + item
        ));
        item += 1;
    }
    body.push_str(end);
    Bytes::from(std::mem::take(body))
}

/// base64url without padding (RFC 4648, section 5).
fn base64(bytes: &[u8]) -> String {
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
