//! Runs the cases in `testdata/points`: messages with the points expected in them, spellings, refusals. Adding a
//! case needs no Rust.
#![allow(clippy::unwrap_used)]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use base64::Engine as _;
use serde::Deserialize;
use serde_json::Value;
use threadline_model::{CapturedBody, CapturedText, Exchange, HttpVersion, Response, Scheme, TlsFingerprints};
use threadline_points::{Bounds, Found, Plan, Point, PointError, Scratch};

fn directory() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../testdata/points")
}

fn read<T: for<'de> Deserialize<'de>>(name: &str) -> T {
    let path = directory().join(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

// ---- messages with expected points -----------------------------------------------------------------------------

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseFile {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    client: Option<String>,
    ja3: Option<String>,
    ja4: Option<String>,
    request: Message,
    response: Option<Message>,
    #[serde(default)]
    masks: Vec<String>,
    expect: BTreeMap<String, Expected>,
    #[serde(default)]
    parse_errors: Vec<String>,
    /// What stands later in a body replaces what stands before, so that a body that is cut may give the earlier value.
    #[serde(default)]
    later_wins: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Message {
    /// `METHOD target`, in requests.
    line: Option<String>,
    host: Option<String>,
    scheme: Option<String>,
    version: Option<String>,
    /// In responses.
    status: Option<u16>,
    #[serde(default)]
    headers: Vec<(String, String)>,
    #[serde(default)]
    body: Body,
    body_base64: Option<String>,
    #[serde(default)]
    extent: ExtentName,
}

/// A text, or pieces with how often each is repeated.
#[derive(Deserialize)]
#[serde(untagged)]
enum Body {
    Text(String),
    Pieces(Vec<(String, usize)>),
}

impl Default for Body {
    fn default() -> Self {
        Self::Text(String::new())
    }
}

#[derive(Deserialize, Default, Clone, Copy)]
#[serde(rename_all = "snake_case")]
enum ExtentName {
    #[default]
    Whole,
    Prefix,
    NotCaptured,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    Absent,
    Empty,
    Masked,
    NotScalar,
    Unparsable,
    NotCaptured,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Expected {
    Outcome(Outcome),
    Value {
        value: String,
    },
    Bytes {
        value_base64: String,
    },
    /// Of a point that takes several.
    Several {
        values: Vec<String>,
    },
}

fn from_base64(text: &str) -> Vec<u8> {
    base64::engine::general_purpose::STANDARD.decode(text).unwrap()
}

impl Expected {
    fn found(&self) -> Found<'static> {
        match self {
            Self::Outcome(Outcome::Absent) => Found::Absent,
            Self::Outcome(Outcome::Empty) => Found::Empty,
            Self::Outcome(Outcome::Masked) => Found::Masked,
            Self::Outcome(Outcome::NotScalar) => Found::NotScalar,
            Self::Outcome(Outcome::Unparsable) => Found::Unparsable,
            Self::Outcome(Outcome::NotCaptured) => Found::NotCaptured,
            Self::Value { value } => Found::Value(value.clone().into_bytes().into()),
            Self::Bytes { value_base64 } => Found::Value(from_base64(value_base64).into()),
            Self::Several { values } => Found::Value(values[0].clone().into_bytes().into()),
        }
    }

    fn values(&self) -> Vec<Vec<u8>> {
        match self {
            Self::Several { values } => values.iter().map(|value| value.clone().into_bytes()).collect(),
            one => one.found().value().map(<[u8]>::to_vec).into_iter().collect(),
        }
    }
}

impl Message {
    fn body(&self) -> CapturedBody {
        let bytes = match (&self.body_base64, &self.body) {
            (Some(text), _) => from_base64(text),
            (None, Body::Text(text)) => text.clone().into_bytes(),
            (None, Body::Pieces(pieces)) => {
                pieces.iter().map(|(text, times)| text.repeat(*times)).collect::<String>().into_bytes()
            }
        };
        match self.extent {
            ExtentName::Whole => CapturedBody::whole(bytes),
            ExtentName::Prefix => CapturedBody::prefix(bytes),
            ExtentName::NotCaptured => CapturedBody::not_captured(),
        }
    }

    fn headers(&self) -> threadline_model::CapturedHeaders {
        let headers: Vec<(&str, &str)> = self.headers.iter().map(|(name, value)| (&**name, &**value)).collect();
        support::header_section(&headers)
    }
}

impl Case {
    fn exchange(&self) -> Exchange {
        let line = self.request.line.as_deref().expect("a request has a line");
        let mut exchange = support::exchange(line, &[], "", None);
        exchange.client = self.client.as_ref().map(|address| address.parse().unwrap());
        exchange.fingerprints = TlsFingerprints { ja3: self.ja3.clone(), ja4: self.ja4.clone() };
        let request = &mut exchange.request;
        request.host = self.request.host.clone().map(CapturedText::new);
        request.scheme = self.request.scheme.as_deref().map(|scheme| match scheme {
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            other => panic!("{other}"),
        });
        request.version = self.request.version.as_deref().map(|version| match version {
            "HTTP/1.1" => HttpVersion::Http11,
            "HTTP/2" => HttpVersion::Http2,
            other => panic!("{other}"),
        });
        request.headers = self.request.headers();
        request.body = self.request.body();
        exchange.response = self.response.as_ref().map(|response| Response {
            status: response.status.expect("a response has a status"),
            version: None,
            headers: response.headers(),
            body: response.body(),
        });
        exchange
    }

    /// Compares what a plan of all points finds, and what each point finds alone, with what is expected.
    fn run(&self, file: &str) -> Vec<String> {
        let exchange = self.exchange();
        let parse = |text: &String| Point::parse(text).unwrap_or_else(|error| panic!("{}: {text}: {error}", self.name));
        let masks: Vec<Point> = self.masks.iter().map(parse).collect();
        let points: Vec<Point> = self.expect.keys().map(parse).collect();
        let together = Plan::compile_with_masks(&points, &masks, Bounds::default()).unwrap();
        let mut scratch = Scratch::default();
        let extracted = together.extract(&exchange, &mut scratch);
        let mut failures = Vec::new();
        for (index, (text, expected)) in self.expect.iter().enumerate() {
            let alone = Plan::compile_with_masks(&points[index..=index], &masks, Bounds::default()).unwrap();
            let alone = alone.extract(&exchange, &mut scratch);
            for (how, found, values) in [
                ("together", extracted.get(index), extracted.values(index).collect::<Vec<_>>()),
                ("alone", alone.get(0), alone.values(0).collect()),
            ] {
                if *found == expected.found() && values != expected.values() {
                    let values: Vec<_> = values.into_iter().map(String::from_utf8_lossy).collect();
                    failures.push(format!("{file}: {}: {text} ({how}): {values:?}", self.name));
                }
                if *found != expected.found() {
                    let (expected, found) = (support::in_words(&expected.found()), support::in_words(found));
                    failures.push(format!("{file}: {}: {text} ({how}): {expected:?} expected, {found:?}", self.name));
                }
            }
        }
        let errors: Vec<String> = extracted
            .parse_errors()
            .iter()
            .map(|error| format!("{} {} {} {}", error.part, error.parser, error.offset, error.reason))
            .collect();
        if errors != self.parse_errors {
            failures.push(format!("{file}: {}: {:?} expected, {errors:?}", self.name, self.parse_errors));
        }
        failures
    }
}

const OTHER_FILES: [&str; 2] = ["spellings.json", "refusals.json"];

fn case_files() -> Vec<(String, CaseFile)> {
    let mut names: Vec<String> = std::fs::read_dir(directory())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".json") && !OTHER_FILES.contains(&&**name))
        .collect();
    names.sort();
    names.into_iter().map(|name| (name.clone(), read(&name))).collect()
}

#[test]
fn every_case_finds_what_it_expects() {
    let failures: Vec<String> =
        case_files().iter().flat_map(|(file, cases)| cases.cases.iter().flat_map(|case| case.run(file))).collect();
    assert!(failures.is_empty(), "{} failures:\n{}", failures.len(), failures.join("\n"));
}

/// At most so many places at which one body is cut.
const CUTS: usize = 300;

/// What a body that was cut gives begins what the whole one gives: no value that the whole does not have, and nothing
/// that says a value is not there.
fn agrees_with_the_whole(whole: &[Vec<u8>], cut: &[Vec<u8>], found: &Found<'_>) -> bool {
    let unknown = matches!(found, Found::NotCaptured | Found::Unparsable | Found::Masked);
    whole.starts_with(cut) && (whole.is_empty() || unknown || !cut.is_empty())
}

#[test]
fn a_body_cut_at_any_byte_gives_the_beginning_of_what_the_whole_gives() {
    let mut failures = Vec::new();
    let mut scratch = Scratch::default();
    for (file, cases) in case_files() {
        for case in cases.cases.iter().filter(|case| !case.later_wins) {
            let whole = case.exchange();
            let points: Vec<Point> = case.expect.keys().map(|text| Point::parse(text).unwrap()).collect();
            let plan = Plan::compile(&points, Bounds::default()).unwrap();
            let values = |exchange: &Exchange, scratch: &mut Scratch| {
                let extracted = plan.extract(exchange, scratch);
                let found = (0..points.len()).map(|index| {
                    let values: Vec<Vec<u8>> = extracted.values(index).map(<[u8]>::to_vec).collect();
                    let without = match extracted.get(index) {
                        Found::Value(_) => Found::Absent,
                        Found::Absent => Found::Absent,
                        Found::Empty => Found::Empty,
                        Found::Masked => Found::Masked,
                        Found::NotScalar => Found::NotScalar,
                        Found::Unparsable => Found::Unparsable,
                        Found::NotCaptured => Found::NotCaptured,
                    };
                    (values, without)
                });
                found.collect::<Vec<_>>()
            };
            let expected = values(&whole, &mut scratch);
            let bodies = [Some(&whole.request.body), whole.response.as_ref().map(|response| &response.body)];
            for (side, body) in bodies.into_iter().enumerate() {
                let Some(bytes) = body.filter(|body| body.extent() == threadline_model::Extent::Whole) else {
                    continue;
                };
                let bytes = bytes.as_bytes();
                for at in (0..bytes.len()).step_by(bytes.len() / CUTS + 1) {
                    let mut cut = whole.clone();
                    let prefix = CapturedBody::prefix(bytes[..at].to_vec());
                    match (side, &mut cut.response) {
                        (0, _) => cut.request.body = prefix,
                        (_, Some(response)) => response.body = prefix,
                        (_, None) => {}
                    }
                    let found = values(&cut, &mut scratch);
                    for ((point, whole), (values, found)) in points.iter().zip(&expected).zip(&found) {
                        if !agrees_with_the_whole(&whole.0, values, found) {
                            let shown = |values: &[Vec<u8>]| {
                                values
                                    .iter()
                                    .map(|value| String::from_utf8_lossy(value).into_owned())
                                    .collect::<Vec<_>>()
                            };
                            let (whole, cut) = (shown(&whole.0), shown(values));
                            failures.push(format!(
                                "{file}: {}: {point}: cut at {at}: {whole:?}, {cut:?} {found:?}",
                                case.name
                            ));
                        }
                    }
                }
            }
        }
    }
    let shown: Vec<_> = failures.iter().take(40).map(String::as_str).collect();
    assert!(failures.is_empty(), "{} failures:\n{}", failures.len(), shown.join("\n"));
}

#[test]
fn every_resolved_step_has_a_case_with_a_value() {
    let mut words = BTreeSet::new();
    for (_, file) in case_files() {
        for case in file.cases {
            for (text, expected) in &case.expect {
                if !matches!(expected, Expected::Outcome(_)) {
                    words.extend(Point::parse(text).unwrap().steps().iter().map(|step| step.word()));
                }
            }
        }
    }
    let resolved = [
        "method",
        "scheme",
        "proto",
        "host",
        "uri",
        "path",
        "action_name",
        "action_ext",
        "query",
        "remote_addr",
        "ja3",
        "ja4",
        "status",
        "header",
        "body",
        "json",
        "xml",
        "form",
        "multipart",
        "grpc",
        "protobuf",
        "viewstate",
        "cookie",
        "jwt",
        "graphql",
        "mutation",
        "subscription",
        "field",
        "argument",
        "variable",
        "alias",
        "directive",
        "fragment",
        "inline",
        "spread",
        "type",
        "base64",
        "gzip",
        "percent",
        "htmljs",
        "property",
        "attribute",
        "index",
        "joined",
        "all",
        "names",
        "bearer",
        "trim",
        "lower",
        "capture",
    ];
    assert_eq!(words, resolved.into_iter().collect());
}

// ---- spellings -------------------------------------------------------------------------------------------------

#[derive(Deserialize)]
struct Spellings {
    spellings: Vec<Spelling>,
}

#[derive(Deserialize)]
struct Spelling {
    text: String,
    json: Value,
    breadcrumb: String,
}

#[test]
fn the_three_spellings_convert_into_each_other() {
    let file: Spellings = read("spellings.json");
    assert!(file.spellings.len() > 20);
    for spelling in file.spellings {
        let point = Point::parse(&spelling.text).unwrap_or_else(|error| panic!("{}: {error}", spelling.text));
        assert_eq!(Point::from_json(&spelling.json), Ok(point.clone()), "{}", spelling.json);
        assert_eq!(Point::from_breadcrumb(&spelling.breadcrumb), Ok(point.clone()), "{}", spelling.breadcrumb);
        assert_eq!(point.to_string(), spelling.text);
        assert_eq!(point.to_json(), spelling.json, "{}", spelling.text);
        assert_eq!(point.breadcrumb().join(" › "), spelling.breadcrumb, "{}", spelling.text);
        // serde writes the JSON spelling and reads both.
        assert_eq!(serde_json::to_value(&point).unwrap(), spelling.json);
        assert_eq!(serde_json::from_value::<Point>(spelling.json).unwrap(), point);
        assert_eq!(serde_json::from_value::<Point>(Value::from(spelling.text)).unwrap(), point);
    }
}

// ---- refusals --------------------------------------------------------------------------------------------------

#[derive(Deserialize)]
struct Refusals {
    accepted: Vec<Accepted>,
    text: Vec<Refusal<String>>,
    json: Vec<Refusal<Value>>,
    breadcrumb: Vec<Refusal<String>>,
}

#[derive(Deserialize)]
struct Accepted {
    text: String,
    canonical: String,
}

#[derive(Deserialize)]
struct Refusal<T> {
    spelling: T,
    position: usize,
    step: Option<String>,
    says: String,
}

impl<T: std::fmt::Debug> Refusal<T> {
    fn check(&self, read: impl Fn(&T) -> Result<Point, PointError>) {
        let error = read(&self.spelling).expect_err(&format!("{:?} is refused", self.spelling));
        assert_eq!(error.position(), self.position, "{:?}: {error}", self.spelling);
        assert!(error.to_string().contains(&self.says), "{:?}: {error}", self.spelling);
        if let Some(step) = &self.step {
            assert_eq!(error.step(), step, "{:?}: {error}", self.spelling);
        }
    }
}

#[test]
fn impossible_points_are_refused_with_the_step_and_what_may_stand_there() {
    let file: Refusals = read("refusals.json");
    for accepted in &file.accepted {
        let point = Point::parse(&accepted.text).unwrap_or_else(|error| panic!("{}: {error}", accepted.text));
        assert_eq!(point.to_string(), accepted.canonical);
    }
    assert!(file.text.len() > 40);
    for refusal in &file.text {
        refusal.check(|text| Point::parse(text));
    }
    for refusal in &file.json {
        refusal.check(Point::from_json);
    }
    for refusal in &file.breadcrumb {
        refusal.check(|text| Point::from_breadcrumb(text));
    }
}

#[test]
fn the_refusal_of_the_contract_reads_as_a_sentence() {
    let error = Point::parse("request > body > cookie sid").unwrap_err();
    assert_eq!(
        error.to_string(),
        "step 3 `cookie sid` cannot stand after `body`; here may stand: multipart NAME, multipart, grpc, json, xml, \
         form, jwt PART, jwt, graphql, protobuf, viewstate, base64, gzip, percent, htmljs, trim, lower, capture REGEX"
    );
}
