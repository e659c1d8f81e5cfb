//! Entry points for fuzzing: the logic lives here, a fuzz target is one line elsewhere.
//!
//! Each function takes bytes nobody chose and panics when something that must always hold does not. Not for use at
//! run time.

mod structure;

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use base64::Engine as _;
use http::{HeaderMap, HeaderValue, header};
use threadline_model::{
    CapturedBody, CapturedHeaders, CapturedText, Exchange, ExchangeId, Outcome, Request, Response, Sizes, Source,
    Timestamp, TlsFingerprints,
};

pub use structure::{fuzz_policy_and_message, fuzz_shown};

use crate::coding::{Coders, Coding};
use crate::json;
use crate::tree::{Lowering, Trie};
use crate::value_tree::{Notes, ValueTree};
use crate::{Bounds, Found, Operations, Plan, Point, Scratch, Step};

/// Points that together use every step that is resolved.
pub const POINTS: &[&str] = &[
    "request > method",
    "request > scheme",
    "request > proto",
    "request > host",
    "request > uri",
    "request > path 0",
    "request > path 2",
    "request > action_name",
    "request > action_ext",
    "request > remote_addr",
    "request > ja3",
    "request > ja4",
    "request > query a",
    "request > query a > index 1",
    "request > query a > property b",
    "request > query a > property b > index 0",
    "request > query a > joined",
    "request > query a > json > property b",
    "request > query > all",
    "request > query > names > joined",
    "request > query a > property > all",
    "request > query a > property > names",
    "request > query a > index > all > json > property b",
    "request > path > all > joined",
    "request > path > names",
    "request > header > all > lower",
    "request > header > names",
    "request > header AUTHORIZATION",
    "request > header AUTHORIZATION > bearer > base64 > capture ^([^:]*)",
    "request > header AUTHORIZATION > jwt prefix",
    "request > header AUTHORIZATION > jwt token",
    "request > header AUTHORIZATION > jwt signature",
    "request > header AUTHORIZATION > jwt header > property alg",
    "request > header AUTHORIZATION > jwt payload > property sub",
    "request > header AUTHORIZATION > jwt payload > property ctx > base64 > json > property a",
    "request > header AUTHORIZATION > jwt > all",
    "request > header AUTHORIZATION > jwt > names > joined",
    "request > header AUTHORIZATION > jwt payload > property > all > joined",
    "request > header COOKIE > cookie > all > base64 > joined",
    "request > header COOKIE > cookie > names",
    "request > header COOKIE > cookie a",
    "request > header COOKIE > cookie a > joined > percent > trim > lower",
    "request > header COOKIE > cookie a > jwt payload > property sub",
    "request > body",
    "request > body > json",
    "request > body > json > property a",
    "request > body > json > property a > property b",
    "request > body > json > property a > index 1 > property c",
    "request > body > json > index 0",
    "request > body > json > index 3 > index 0",
    "request > body > json > property a > json > property a",
    "request > body > json > property token > jwt payload > property sub",
    "request > body > json > property > all",
    "request > body > json > property > names > joined",
    "request > body > json > index > all > property a",
    "request > body > json > index > all > property > all > index > all > joined > json > property > all > joined",
    "request > body > json > index > names",
    "request > body > form > all",
    "request > body > form > names",
    "request > body > form > property a",
    "request > body > form > property a > property b > index 2",
    "request > body > form > property a > joined > base64",
    "request > body > percent > form > property a",
    "request > body > base64 > json > property a",
    "request > body > xml > property a",
    "request > body > xml > property a > attribute b",
    "request > body > xml > property x:a > property u|x|b > index 1 > attribute x:c",
    "request > body > xml > property > names > joined",
    "request > body > xml > property #comment > index > all",
    "request > body > xml > property ?a",
    "request > body > xml > property &a",
    "request > body > xml > property %a",
    "request > body > xml > property a > property b > joined",
    "request > body > xml > property a > property > all",
    "request > body > xml > property a > property b > index > names",
    "request > body > xml > property a > property > all > property > all > attribute b > joined",
    "request > body > xml > property a > property #comment > joined",
    "request > body > htmljs",
    "request > body > htmljs > json > property a",
    "request > body > gzip",
    "request > body > gzip > json > property a",
    "request > body > gzip > gzip > form > property a",
    "request > body > multipart a",
    "request > body > multipart a > index 1",
    "request > body > multipart a > property b > index 0",
    "request > body > multipart a > joined",
    "request > body > multipart a > form > property b",
    "request > body > multipart a > header CONTENT-DISPOSITION",
    "request > body > multipart a > index > all > header CONTENT-TYPE",
    "request > body > multipart > all",
    "request > body > multipart > names",
    "request > body > protobuf > property 1 > index 0",
    "request > body > protobuf > property 1 > index 1 > property 2 > index 0",
    "request > body > protobuf > property > all",
    "request > body > protobuf > property > all > property > all",
    "request > body > protobuf > property 1 > index > all > property 2 > index > all",
    "request > body > protobuf > property > names",
    "request > body > grpc",
    "request > body > grpc > property 1",
    "request > body > grpc > property 1 > property 2",
    "request > body > grpc > index 1 > property 2 > index 0",
    "request > body > grpc > index > all > property 1",
    "request > body > grpc > index > names",
    "request > body > grpc > index 0 > json > property a",
    "request > body > viewstate",
    "request > body > viewstate > index 0",
    "request > body > viewstate > index 1 > index 0 > index > all",
    "request > body > viewstate > index > all > property a",
    "request > body > viewstate > property > all",
    "request > body > viewstate > property > names",
    "request > body > viewstate > index > names",
    "request > body > form > property __VIEWSTATE > viewstate > index 0 > property a",
    "request > query a > graphql > query \"\" > field a > argument b",
    "request > body > graphql > query > names",
    "request > body > graphql > query > all > field > names",
    "request > body > graphql > query > all > field > all > argument > all > joined",
    "request > body > graphql > query > all > field a > argument a > property a",
    "request > body > graphql > query a > field a > argument a",
    "request > body > graphql > query a > field a > argument a > property b > index 1",
    "request > body > graphql > query a > field a > argument > names",
    "request > body > graphql > query a > field a > alias",
    "request > body > graphql > query a > field a > field b > argument a > json > property a",
    "request > body > graphql > query a > directive > property a > argument a",
    "request > body > graphql > query a > field a > directive > property > all > argument > all",
    "request > body > graphql > query a > inline > field a > argument a",
    "request > body > graphql > query a > inline > type",
    "request > body > graphql > query a > spread",
    "request > body > graphql > query a > variable a > property a",
    "request > body > graphql > query a > variable > all",
    "request > body > graphql > mutation \"\" > field a > argument a",
    "request > body > graphql > mutation > all > field a > argument a > index > all",
    "request > body > graphql > subscription > names",
    "request > body > graphql > fragment > property a > field a > argument a",
    "request > body > graphql > fragment > property > all > type",
    "request > body > graphql > variable a",
    "request > body > graphql > variable > all > property > names",
    "request > body > graphql > variable > names",
    "response > status",
    "response > header > all > joined",
    "response > header SET-COOKIE > cookie > all",
    "response > header SET-COOKIE > cookie a",
    "response > header LOCATION > capture a=(\\w+)",
    "response > body > json > property a",
];

/// Reads bytes as each spelling of a point. What is read must come back from every spelling.
///
/// # Panics
/// When a spelling loses something.
pub fn fuzz_point_text(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let from_json = serde_json::from_str(text).ok().and_then(|value| Point::from_json(&value).ok());
    for point in [Point::parse(text).ok(), Point::from_breadcrumb(text).ok(), from_json].into_iter().flatten() {
        assert_eq!(Point::parse(&point.to_string()).as_ref(), Ok(&point));
        assert_eq!(Point::from_json(&point.to_json()).as_ref(), Ok(&point));
        assert_eq!(Point::from_breadcrumb(&point.breadcrumb().join(" › ")).as_ref(), Ok(&point));
        // Credentials are told from other places whatever the point is.
        let _ = point.is_credential_place();
    }
}

/// Walks bytes as JSON. What the strict walk accepts and what `serde_json` accepts must be the same.
///
/// # Panics
/// When they are not.
pub fn fuzz_json(data: &[u8]) {
    let mut trie = Trie::default();
    let points = POINTS.iter().filter(|text| text.starts_with("request > body > json"));
    for (index, point) in (0_u16..).zip(points.filter_map(|text| Point::parse(text).ok())) {
        trie.insert(index, &point, point.steps().len());
    }
    let steps = [Step::Body, Step::Json];
    let Some(trie) = steps.iter().try_fold(&trie, |trie, step| trie.child(step)) else { return };
    let tree = ValueTree::lower(trie, &mut Lowering::default());
    let mut notes = Notes::default();
    let stop = json::walk(&tree, data, false, &Bounds::default(), &mut notes);
    if let Some(stop) = stop {
        assert!(stop.offset <= data.len());
    }
    let nested = data.iter().filter(|byte| matches!(byte, b'[' | b'{')).count();
    // The other parser refuses a byte order mark and has a bound on depth of its own.
    if let Ok(text) = std::str::from_utf8(data)
        && nested < 100
        && !text.starts_with('\u{feff}')
    {
        let accepted = serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
        assert_eq!(accepted, stop.is_none(), "{stop:?}");
    }
    // A cut gives no other damage than the whole, and none before it.
    let cut = json::walk(&tree, &data[..data.len() / 2], true, &Bounds::default(), &mut notes);
    if let (Some(cut), Some(whole)) = (cut, stop)
        && !cut.ended
    {
        assert_eq!((cut.offset, cut.reason), (whole.offset, whole.reason));
    }
}

/// Resolves XML points in bytes, whole and cut, after a type of the body up to the first line feed.
///
/// # Panics
/// When a cut document gives another value than the whole one, or when a result breaks what [`Found`] promises.
pub fn fuzz_xml(data: &[u8]) {
    let (content_type, body) = data.split_at(memchr::memchr(b'\n', data).unwrap_or(data.len()));
    let headers = [(header::CONTENT_TYPE, content_type)];
    cut_gives_the_beginning("request > body > xml", &headers, body.get(1..).unwrap_or_default());
}

/// Resolves the escapes of HTML and JavaScript in bytes. Nothing takes more room than it was written in, but for a few
/// short names.
///
/// # Panics
/// When something does, or when a result breaks what [`Found`] promises.
pub fn fuzz_htmljs(data: &[u8]) {
    assert!(crate::escapes::htmljs(data).len() <= 2 * data.len());
    run("request > body > htmljs", &exchange(b"/", &[], data, b""));
}

/// Resolves form points in bytes, whole and cut.
///
/// # Panics
/// When a result breaks what [`Found`] promises.
pub fn fuzz_form(data: &[u8]) {
    let mut exchange = exchange(b"/", &[], data, b"");
    run("request > body > form", &exchange);
    exchange.request.body = CapturedBody::prefix(data.to_vec());
    run("request > body > form", &exchange);
    exchange.request.target = CapturedText::new([b"/?", data].concat());
    run("request > query", &exchange);
}

/// Resolves token points in bytes.
///
/// # Panics
/// When a result breaks what [`Found`] promises.
pub fn fuzz_jwt(data: &[u8]) {
    run("request > header AUTHORIZATION", &exchange(b"/", &[(header::AUTHORIZATION, data)], b"", b""));
}

/// Resolves cookie points in bytes.
///
/// # Panics
/// When a result breaks what [`Found`] promises.
pub fn fuzz_cookie(data: &[u8]) {
    let exchange = exchange(b"/", &[(header::COOKIE, data), (header::SET_COOKIE, data)], b"", b"");
    run("request > header COOKIE", &exchange);
    run("response > header SET-COOKIE", &exchange);
}

/// Resolves GraphQL points in bytes: as a request in JSON or a document of its own, whole and cut, as a document in a
/// request in JSON with variables, and as a document in a query.
///
/// # Panics
/// When a result breaks what [`Found`] promises.
pub fn fuzz_graphql(data: &[u8]) {
    const START: &str = "request > body > graphql";
    let headers = [(header::CONTENT_TYPE, &b"application/graphql"[..])];
    let mut exchange = exchange(b"/", &headers, data, b"");
    run(START, &exchange);
    exchange.request.body = CapturedBody::prefix(data[..data.len() / 2].to_vec());
    run(START, &exchange);
    let (document, variables) = data.split_at(data.len() - data.len() / 4);
    let document = String::from_utf8_lossy(document);
    operation(&exchange);
    exchange.request.target =
        CapturedText::new([b"/graphql?variables={\"a\":{\"b\":1}}&a=", document.as_bytes()].concat());
    run("request > query a > graphql", &exchange);
    let query = serde_json::Value::from(document).to_string();
    let post = [b"{\"query\":", query.as_bytes(), b",\"variables\":", variables].concat();
    exchange.request.body = CapturedBody::whole(post);
    run(START, &exchange);
    operation(&exchange);
}

thread_local! {
    static OPERATIONS: Option<Operations> = Operations::new(Bounds::default()).ok();
}

/// Reads what an exchange asks for: names and nothing else.
fn operation(exchange: &Exchange) {
    let spoken = OPERATIONS.with(|operations| Some(operations.as_ref()?.read(exchange, &mut Scratch::default())));
    let operation = spoken.and_then(|spoken| spoken.operation).unwrap_or_default();
    for name in operation.kind.iter().chain(&operation.name) {
        assert!((1..=128).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_graphic()));
    }
}

/// Decodes bytes in the content coding that the first byte picks, whole and cut, and resolves body points in them.
///
/// # Panics
/// When more is decoded than may be, when a cut gives something else than the beginning of the whole, or when a result
/// breaks what [`Found`] promises.
pub fn fuzz_coding(data: &[u8]) {
    let Some((choice, coded)) = data.split_first() else { return };
    let coding = [Coding::Gzip, Coding::Deflate, Coding::Brotli, Coding::Zstd][usize::from(choice & 3)];
    let mut coders = Coders::default();
    let mut decode = |coded: &[u8]| {
        let bounds = Bounds::default();
        let (most, beyond) = bounds.decompressed(coded.len(), bounds.decoded_bytes);
        let mut output = Vec::new();
        let decoded = coders.decode(coding, coded, most, beyond, &mut output);
        assert!(output.len() <= most && decoded.used <= coded.len());
        assert!(decoded.stop.is_none_or(|stop| stop.offset <= coded.len()));
        output
    };
    let whole = decode(coded);
    let length = coded.len() * usize::from(choice >> 2) / 64;
    assert!(whole.starts_with(&decode(&coded[..length])));
    assert!(whole == decode(coded));

    let name = [(header::CONTENT_ENCODING, coding.name().as_bytes())];
    let mut exchange = exchange(b"/", &name, coded, b"");
    run("request > body", &exchange);
    exchange.request.body = CapturedBody::prefix(coded[..length].to_vec());
    run("request > body", &exchange);
}

/// Resolves multipart points in bytes: the first line is the Content-Type, the rest the body, whole and cut.
///
/// # Panics
/// When a cut body gives another value than the whole one, or when a result breaks what [`Found`] promises.
pub fn fuzz_multipart(data: &[u8]) {
    let (content_type, body) = data.split_at(memchr::memchr(b'\n', data).unwrap_or(data.len()));
    let headers = [(header::CONTENT_TYPE, content_type)];
    cut_gives_the_beginning("request > body > multipart", &headers, body.get(1..).unwrap_or_default());
}

/// Resolves points into Protocol Buffers in bytes, whole and cut.
///
/// # Panics
/// When a cut message gives another value than the whole one, or when a result breaks what [`Found`] promises.
pub fn fuzz_protobuf(data: &[u8]) {
    cut_gives_the_beginning("request > body > protobuf", &[], data);
}

/// Resolves gRPC points in bytes, whole and cut; the first byte picks the type of the body and the coding of messages.
///
/// # Panics
/// When a result breaks what [`Found`] promises.
pub fn fuzz_grpc(data: &[u8]) {
    let Some((choice, body)) = data.split_first() else { return };
    let kind: &[u8] = if choice & 1 == 0 { b"application/grpc" } else { b"application/grpc-web-text" };
    let coding: &[u8] = [&b"identity"[..], b"gzip", b"deflate", b"br"][usize::from(choice >> 1 & 3)];
    let headers = [(header::CONTENT_TYPE, kind), (header::HeaderName::from_static("grpc-encoding"), coding)];
    let mut exchange = exchange(b"/", &headers, body, b"");
    run("request > body > grpc", &exchange);
    exchange.request.body = CapturedBody::prefix(body[..body.len() / 2].to_vec());
    run("request > body > grpc", &exchange);
}

/// Resolves view state points in bytes, as they are and as what stands behind the magic.
///
/// # Panics
/// When a result breaks what [`Found`] promises.
pub fn fuzz_viewstate(data: &[u8]) {
    run("request > body > viewstate", &exchange(b"/", &[], data, b""));
    let state = [&crate::viewstate::MAGIC, data].concat();
    let text = base64::engine::general_purpose::STANDARD.encode(state);
    run("request > body > viewstate", &exchange(b"/", &[], text.as_bytes(), b""));
}

/// Resolves points in a body and in its first half. Points that take the first value, or all of them, find the same
/// beginning.
fn cut_gives_the_beginning(start: &'static str, headers: &[(header::HeaderName, &[u8])], body: &[u8]) {
    let whole = exchange(b"/", headers, body, b"");
    run(start, &whole);
    let mut cut = whole.clone();
    cut.request.body = CapturedBody::prefix(body[..body.len() / 2].to_vec());
    run(start, &cut);
    let plan = plan(start);
    let mut scratch = Scratch::default();
    let (whole, cut) = (plan.extract(&whole, &mut scratch), plan.extract(&cut, &mut scratch));
    for (index, point) in plan.points().iter().enumerate() {
        let whole: Vec<_> = whole.values(index).collect();
        assert!(whole.starts_with(&cut.values(index).collect::<Vec<_>>()), "{point}");
    }
}

/// Resolves every point in an exchange made of bytes: target, Authorization, Cookie, request body and response body,
/// separated by zero bytes.
///
/// # Panics
/// When a result breaks what [`Found`] promises.
pub fn fuzz_extract(data: &[u8]) {
    let mut parts = data.splitn(5, |byte| *byte == 0);
    let mut part = || parts.next().unwrap_or_default();
    let (target, authorization, cookie, request, response) = (part(), part(), part(), part(), part());
    let headers = [(header::AUTHORIZATION, authorization), (header::COOKIE, cookie), (header::SET_COOKIE, cookie)];
    let mut exchange = exchange(target, &headers, request, response);
    run("", &exchange);
    exchange.request.body = CapturedBody::prefix(request.to_vec());
    run("", &exchange);
    for content_type in ["application/graphql", "application/json"] {
        let map = [(header::CONTENT_TYPE, content_type.as_bytes()), (header::ACCEPT, b"text/event-stream")];
        operation(&self::exchange(target, &map, request, response));
    }
}

thread_local! {
    /// Plans by the start of their points: compiling takes longer than extracting.
    static PLANS: RefCell<HashMap<&'static str, Rc<Plan>>> = RefCell::default();
}

/// The plan of all points whose text starts with `start`.
fn plan(start: &'static str) -> Rc<Plan> {
    PLANS.with_borrow_mut(|plans| {
        let compile = || {
            let texts = POINTS.iter().filter(|text| text.starts_with(start));
            let points: Vec<Point> = texts.filter_map(|text| Point::parse(text).ok()).collect();
            assert!(!points.is_empty());
            Plan::compile(&points, Bounds::default()).map_or_else(|error| panic!("{error}"), Rc::new)
        };
        Rc::clone(plans.entry(start).or_insert_with(compile))
    })
}

/// Resolves the points whose text starts with `start` and checks what is found.
fn run(start: &'static str, exchange: &Exchange) {
    let plan = plan(start);
    let mut scratch = Scratch::default();
    let first = plan.extract(exchange, &mut scratch);
    assert_eq!(first.len(), POINTS.iter().filter(|text| text.starts_with(start)).count());
    assert!(first.parse_errors().len() <= Bounds::default().parse_errors);
    for (index, found) in first.iter().enumerate() {
        assert!(!matches!(found, Found::Masked));
        assert!(first.values(index).all(|value| !value.is_empty()));
        let most = if takes_several(&plan.points()[index]) { Bounds::default().values } else { 1 };
        assert!(first.values(index).count() <= most);
    }
    // Buffers that were used before change nothing.
    let second = plan.extract(exchange, &mut scratch);
    assert!(first.iter().eq(second.iter()));
    assert!((0..first.len()).all(|index| first.values(index).eq(second.values(index))));
    assert_eq!(first.parse_errors(), second.parse_errors());
}

/// Whether a point ends in several places.
fn takes_several(point: &Point) -> bool {
    point
        .steps()
        .iter()
        .rev()
        .take_while(|step| **step != Step::Joined)
        .any(|step| matches!(step, Step::All | Step::Names))
}

fn exchange(target: &[u8], headers: &[(header::HeaderName, &[u8])], request: &[u8], response: &[u8]) -> Exchange {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        if let Ok(value) = HeaderValue::from_bytes(value) {
            map.append(name, value);
        }
    }
    Exchange {
        id: ExchangeId::from_bytes([0; 16]),
        started: Timestamp::from_micros(1_790_000_000_000_000),
        duration_us: None,
        upstream_us: None,
        source: Source::Proxy,
        client: None,
        fingerprints: TlsFingerprints::default(),
        request: Request {
            method: CapturedText::new("POST"),
            scheme: None,
            version: None,
            host: Some(CapturedText::new(target.to_vec())),
            target: CapturedText::new(target.to_vec()),
            headers: CapturedHeaders::new(map.clone()),
            body: CapturedBody::whole(request.to_vec()),
        },
        response: Some(Response {
            status: 200,
            version: None,
            headers: CapturedHeaders::new(map),
            body: CapturedBody::whole(response.to_vec()),
        }),
        sizes: Sizes::default(),
        outcome: Outcome::Completed,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn all_points_are_valid_and_resolved() {
        let points: Vec<Point> = POINTS.iter().map(|text| Point::parse(text).unwrap()).collect();
        assert!(Plan::compile(&points, Bounds::default()).is_ok());
    }
}
