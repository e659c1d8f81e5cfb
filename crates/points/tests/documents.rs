//! The examples of docs/points.md are executed: each message there, and the table of points and values below it.
#![allow(clippy::unwrap_used)]

mod support;

use std::collections::BTreeSet;
use std::path::PathBuf;

use base64::Engine as _;
use http::{HeaderMap, HeaderName, HeaderValue};
use threadline_model::{CapturedBody, CapturedHeaders, CapturedText, Exchange, TlsFingerprints};
use threadline_points::{Bounds, Plan, Point, Scratch, StepForm};

fn document() -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/points.md");
    std::fs::read_to_string(path).unwrap()
}

/// A message and the rows of the table below it: points, and what they find, in words.
struct Example {
    line: usize,
    exchange: Exchange,
    rows: Vec<(usize, String, String)>,
}

fn examples(document: &str) -> Vec<Example> {
    let mut examples: Vec<Example> = Vec::new();
    let mut message: Option<(usize, String, String)> = None;
    for (number, line) in (1..).zip(document.lines()) {
        if let Some((start, kind, text)) = &mut message {
            if line == "```" {
                examples.push(Example { line: *start, exchange: exchange(kind, text), rows: Vec::new() });
                message = None;
            } else {
                text.push_str(line);
                text.push('\n');
            }
        } else if let Some(kind) = line.strip_prefix("```http") {
            message = Some((number, kind.trim().to_owned(), String::new()));
        } else if let Some(row) = line.strip_prefix("| `") {
            let (point, value) = row.strip_suffix(" |").and_then(|row| row.split_once("` | ")).unwrap_or_else(|| {
                panic!("docs/points.md:{number}: a row has a point and what it finds");
            });
            let example = examples.last_mut().expect("a table follows a message");
            example.rows.push((number, point.to_owned(), value.to_owned()));
        }
    }
    examples
}

/// A request and, after a line `---`, a response. `kind` says `request-base64` where the request's body is written so.
fn exchange(kind: &str, text: &str) -> Exchange {
    let (request, response) = text.split_once("---\n").map_or((text, None), |(one, other)| (one, Some(other)));
    let (line, headers, body) = message(request);
    let mut words = line.split(' ');
    let (method, target) = (words.next().unwrap(), words.next().unwrap());
    let mut exchange = support::exchange(&format!("{method} {target}"), &[], "", None);
    exchange.client = "203.0.113.7".parse().ok();
    exchange.fingerprints = TlsFingerprints {
        ja3: Some("771,4865-4866,0-23-65281,29-23,0".to_owned()),
        ja4: Some("t13d1516h2_8daaf6152771_02713d6af862".to_owned()),
    };
    exchange.request.host = headers.get("host").map(|host| CapturedText::new(host.as_bytes().to_vec()));
    exchange.request.headers = CapturedHeaders::new(headers);
    exchange.request.body = CapturedBody::whole(match kind {
        "" => body.into_bytes(),
        "request-base64" => base64::engine::general_purpose::STANDARD.decode(body).unwrap(),
        other => panic!("{other}"),
    });
    if let Some(response) = response {
        let (line, headers, body) = message(response);
        exchange.response = support::exchange("GET /", &[], "", Some((200, &[], &body))).response;
        let response = exchange.response.as_mut().unwrap();
        response.status = line.split(' ').nth(1).unwrap().parse().unwrap();
        response.headers = CapturedHeaders::new(headers);
    }
    exchange
}

/// First line, headers and body. Multipart bodies have their line ends as they are sent.
fn message(text: &str) -> (&str, HeaderMap, String) {
    let (head, body) = text.split_once("\n\n").unwrap_or((text.trim_end(), ""));
    let (line, fields) = head.split_once('\n').unwrap_or((head, ""));
    let mut headers = HeaderMap::new();
    for field in fields.lines() {
        let (name, value) = field.split_once(": ").unwrap();
        headers.append(HeaderName::try_from(name).unwrap(), HeaderValue::try_from(value).unwrap());
    }
    let multipart = headers.get("content-type").is_some_and(|kind| kind.as_bytes().starts_with(b"multipart/"));
    let body = body.trim_end();
    (line, headers, if multipart { body.replace('\n', "\r\n") } else { body.to_owned() })
}

/// What a cell says: values in backticks, or why there is none; what stands in brackets explains.
fn said(cell: &str) -> Result<Vec<String>, String> {
    let cell = cell.split(" (").next().unwrap().replace("\\|", "|");
    if !cell.starts_with('`') {
        return Err(cell);
    }
    Ok(cell.trim_matches('`').split("`, `").map(str::to_owned).collect())
}

#[test]
fn every_example_finds_what_it_says() {
    let document = document();
    let mut failures = Vec::new();
    let mut rows = 0;
    for example in examples(&document) {
        assert!(!example.rows.is_empty(), "docs/points.md:{}: a message without points", example.line);
        for (number, text, value) in &example.rows {
            rows += 1;
            let text = text.replace("\\|", "|");
            let point = Point::parse(&text).unwrap_or_else(|error| panic!("docs/points.md:{number}: {error}"));
            let plan = Plan::compile(&[point], Bounds::default()).unwrap();
            let extracted = plan.extract(&example.exchange, &mut Scratch::default());
            let found: Vec<String> =
                extracted.values(0).map(|value| String::from_utf8_lossy(value).into_owned()).collect();
            let agrees = match said(value) {
                Ok(values) => found == values,
                Err(words) => format!("{:?}", extracted.get(0)).eq_ignore_ascii_case(&words.replace(' ', "")),
            };
            if !agrees {
                failures
                    .push(format!("docs/points.md:{number}: {text}: {value}, found {found:?} {:?}", extracted.get(0)));
            }
        }
    }
    assert!(rows > 60, "{rows}");
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn every_step_has_an_example() {
    let document = document();
    let shown: BTreeSet<&'static str> = examples(&document)
        .iter()
        .flat_map(|example| &example.rows)
        .filter(|(_, _, value)| value.starts_with('`'))
        .flat_map(|(_, text, _)| {
            let steps = Point::parse(&text.replace("\\|", "|")).unwrap().steps().to_vec();
            steps.into_iter().map(|step| step.word())
        })
        .collect();
    let all: BTreeSet<&'static str> = StepForm::all().map(|form| form.word).collect();
    let missing: Vec<_> = all.difference(&shown).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
