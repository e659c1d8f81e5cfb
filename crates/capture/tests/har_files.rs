//! HAR files as data: every `testdata/har/NAME.har` is read and compared with `NAME.json` beside it, where only what
//! the case is about has to be written down. Adding a case needs no Rust.
#![allow(clippy::unwrap_used, reason = "a broken test should panic")]

use std::collections::BTreeSet;
use std::io::{Cursor, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use threadline_capture::import::har::{EntryError, HarError, HarReader, HarSettings, Reason, fuzz_har};
use threadline_model::{CapturedBody, CapturedHeaders, Exchange, Extent, HttpVersion, Source};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/har")
}

fn cases() -> Vec<PathBuf> {
    let mut cases: Vec<PathBuf> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "har"))
        .collect();
    cases.sort();
    assert!(cases.len() > 30, "the cases are gone: {}", cases.len());
    cases
}

fn headers(headers: &CapturedHeaders) -> Value {
    let mut list: Vec<(String, String)> = headers
        .as_map()
        .iter()
        .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    // Names in order, values of one name as they stood.
    list.sort_by(|one, other| one.0.cmp(&other.0));
    json!(list)
}

fn put_body(shown: &mut Map<String, Value>, name: &str, body: &CapturedBody) {
    let extent = match body.extent() {
        Extent::Whole => "whole",
        Extent::Prefix => "prefix",
        Extent::NotCaptured => "not_captured",
    };
    shown.insert(format!("{name}_extent"), json!(extent));
    shown.insert(name.to_owned(), json!(String::from_utf8_lossy(body.as_bytes())));
    shown.insert(format!("{name}_base64"), json!(STANDARD.encode(body.as_bytes())));
}

/// Everything an exchange holds, for comparison.
fn shown(exchange: &Exchange) -> Value {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let request = &exchange.request;
    let mut shown = Map::new();
    let mut put = |name: &str, value: Value| shown.insert(name.to_owned(), value);
    put("started_us", json!(exchange.started.micros()));
    put("duration_us", json!(exchange.duration_us));
    put("upstream_us", json!(exchange.upstream_us));
    put("client", json!(exchange.client.map(|client| client.to_string())));
    put("outcome", json!(exchange.outcome.as_str()));
    put("sizes", json!([exchange.sizes.request, exchange.sizes.response]));
    put("method", json!(text(request.method.as_bytes())));
    put("scheme", json!(request.scheme.map(|scheme| scheme.as_str())));
    put("version", json!(request.version.map(HttpVersion::as_str)));
    put("host", json!(request.host.as_ref().map(|host| text(host.as_bytes()))));
    put("target", json!(text(request.target.as_bytes())));
    put("headers", headers(&request.headers));
    put("status", json!(exchange.response.as_ref().map(|response| response.status)));
    if let Some(response) = &exchange.response {
        put("response_version", json!(response.version.map(HttpVersion::as_str)));
        put("response_headers", headers(&response.headers));
        put_body(&mut shown, "response_body", &response.body);
    }
    put_body(&mut shown, "body", &request.body);
    Value::Object(shown)
}

fn settings(expected: &Value) -> HarSettings {
    let mut settings = HarSettings::default();
    let limit = |name: &str| expected["settings"][name].as_u64().map(|limit| usize::try_from(limit).unwrap());
    settings.body_limit = limit("body_limit").unwrap_or(settings.body_limit);
    settings.entry_limit = limit("entry_limit").unwrap_or(settings.entry_limit);
    settings
}

/// Compares what the case writes down, and only that.
fn compare(case: &str, expected: &Value, found: &Value) {
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&found[name], value, "{case}: {name}");
    }
}

#[test]
fn every_file_reads_as_written_beside_it() {
    for path in cases() {
        let expected: Value = serde_json::from_slice(&std::fs::read(path.with_extension("json")).unwrap()).unwrap();
        let case = path.file_stem().unwrap().to_str().unwrap();
        let mut reader = match HarReader::open(&path, settings(&expected)) {
            Ok(reader) => reader,
            Err(HarError::NotHar { found }) => {
                assert_eq!(expected["not_har"], json!(found), "{case}");
                continue;
            }
            Err(error) => panic!("{case}: {error}"),
        };
        let (mut exchanges, mut errors) = (Vec::new(), Vec::new());
        let mut position = 0;
        while let Some(item) = reader.next() {
            match item {
                Ok(exchange) => exchanges.push(exchange),
                Err(error) => errors.push(error),
            }
            assert!(reader.position() >= position || !errors.is_empty(), "{case}: progress goes back");
            position = reader.position();
        }
        let expected_exchanges = expected["exchanges"].as_array().unwrap_or_else(|| panic!("{case}: no exchanges"));
        let expected_errors = expected["errors"].as_array().cloned().unwrap_or_default();
        assert_eq!(exchanges.len(), expected_exchanges.len(), "{case}: exchanges (errors: {errors:?})");
        assert_eq!(errors.len(), expected_errors.len(), "{case}: errors: {errors:?}");
        for (number, (exchange, expected)) in exchanges.iter().zip(expected_exchanges).enumerate() {
            compare(&format!("{case}, exchange {number}"), expected, &shown(exchange));
            assert_eq!(exchange.source, Source::File { format: "har", identity: reader.identity() });
        }
        for (error, expected) in errors.iter().zip(&expected_errors) {
            let found = json!({"entry": error.entry, "offset": error.offset, "reason": error.reason.to_string()});
            compare(case, expected, &found);
        }
        let counts = reader.counts();
        assert_eq!((counts.exchanges, counts.damaged), (exchanges.len(), errors.len()), "{case}");
        if let Some(expected) = expected.get("counts") {
            let found = json!({"entries": counts.entries, "exchanges": counts.exchanges, "local": counts.local,
                               "damaged": counts.damaged});
            compare(case, expected, &found);
        }
        assert_eq!(reader.position(), reader.length(), "{case}: read to the end");
        let ids: BTreeSet<_> = exchanges.iter().map(|exchange| exchange.id).collect();
        assert_eq!(ids.len(), exchanges.len(), "{case}: identities are unique");
    }
}

fn read(data: &[u8]) -> Vec<Result<Exchange, EntryError>> {
    HarReader::new(Cursor::new(data), HarSettings::default()).map(Iterator::collect).unwrap_or_default()
}

fn ids(items: &[Result<Exchange, EntryError>]) -> Vec<String> {
    items.iter().filter_map(|item| item.as_ref().ok()).map(|exchange| exchange.id.to_string()).collect()
}

fn entry(second: u32, path: &str, body: &str) -> String {
    let entry = json!({
        "startedDateTime": format!("2026-03-04T09:15:{second:02}.250Z"),
        "time": 3.5,
        "request": {"method": "POST", "url": format!("https://shop.example/{path}"), "headers": [{"name": "a", "value": "b"}],
                    "postData": {"mimeType": "text/plain", "text": body}},
        "response": {"status": 200, "headers": [], "content": {"size": 2, "text": "{}"}},
    });
    entry.to_string()
}

fn document(entries: &[String]) -> String {
    format!("{{\"log\": {{\"version\": \"1.2\", \"entries\": [{}]}}}}\n", entries.join(","))
}

#[test]
fn a_file_cut_at_any_byte_yields_the_whole_entries_before_the_cut() {
    let entries =
        [entry(1, "one", "a \"quoted\" [body}"), entry(2, "two", "\u{1f375}\\"), entry(3, "three", "{\"x\":[1]}")];
    let text = document(&entries);
    let all = ids(&read(text.as_bytes()));
    assert_eq!(all.len(), 3);
    let ends: Vec<usize> = entries.iter().map(|entry| text.find(entry.as_str()).unwrap() + entry.len()).collect();
    for cut in 0..=text.len() {
        let whole = ends.iter().filter(|end| **end <= cut).count();
        let items = read(&text.as_bytes()[..cut]);
        assert_eq!(ids(&items), all[..whole], "cut at {cut}");
        let errors = items.iter().filter(|item| item.is_err()).count();
        // The last byte is a line feed: without it the document is still whole.
        let expected = usize::from(cut > 0 && cut < text.len() - 1);
        assert_eq!(errors, expected, "cut at {cut}");
    }
}

#[test]
fn identities_come_from_content() {
    let entries = [entry(1, "one", "a"), entry(1, "one", "a"), entry(2, "two", "b")];
    let short = ids(&read(document(&entries).as_bytes()));
    assert_eq!(short, ids(&read(document(&entries).as_bytes())), "the same file twice");
    let longer =
        [entry(0, "zero", "z"), entries[0].clone(), entries[1].clone(), entry(1, "one", "A"), entries[2].clone()];
    let longer = ids(&read(document(&longer).as_bytes()));
    assert_eq!([&longer[1..3], &longer[4..]].concat(), short, "a longer export of the same recording");
    assert_eq!(longer.iter().collect::<BTreeSet<_>>().len(), 5, "identical entries stay two, changed ones differ");
    let pretty: Value = serde_json::from_str(&document(&entries)).unwrap();
    assert_eq!(ids(&read(serde_json::to_string_pretty(&pretty).unwrap().as_bytes())), short, "another layout");
    let tight = HarSettings { body_limit: 0, ..HarSettings::default() };
    let tight: Vec<_> = HarReader::new(Cursor::new(document(&entries)), tight).unwrap().collect();
    assert_eq!(ids(&tight), short, "another capture limit");
    for id in &short {
        // UUIDv7 of 2026-03-04T09:15:01.250Z and :02.250Z: the day can be told.
        assert!(id.starts_with("019cb821-1302-7") || id.starts_with("019cb821-16ea-7"), "{id}");
    }
}

#[test]
fn errors_and_debug_output_never_hold_captured_text() {
    let canary = "canary-5f1c";
    let damaged = [
        entry(1, canary, canary).replace("\"time\":3.5", &format!("\"time\":[\"{canary}\"]")),
        entry(2, canary, canary).replace("\"method\":\"POST\"", &format!("\"method\":\"{canary} {canary}\"")),
        entry(3, canary, canary).replace("\"headers\":[]", &format!("\"headers\":\"{canary}\"")),
        entry(4, canary, canary).replace("\"status\":200", "\"status\":2x"),
        entry(5, canary, canary),
        entry(6, canary, canary).replace("\"name\":", &format!("\"{canary} ")),
    ];
    let items = read(document(&damaged).as_bytes());
    assert_eq!(items.iter().filter(|item| item.is_ok()).count(), 1);
    assert_eq!(items.len(), 6);
    for item in &items {
        let shown = match item {
            Ok(exchange) => format!("{exchange:?}"),
            Err(error) => format!("{error} {error:?}"),
        };
        assert!(!shown.contains(canary), "{shown}");
    }
}

#[test]
fn brackets_nested_on_purpose_are_not_searched_for_ever() {
    let nested = format!("{{\"log\":{{\"entries\":[x{}", "[{\"a\":".repeat(50_000));
    let reasons: Vec<_> =
        read(nested.as_bytes()).into_iter().map(|item| item.map(|_| ()).unwrap_err().reason).collect();
    assert_eq!(reasons, [Reason::NotJson, Reason::GaveUp]);
}

/// Gives few bytes at a time.
struct Trickle {
    data: Cursor<Vec<u8>>,
    step: usize,
}

impl Read for Trickle {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let length = buffer.len().min(self.step);
        self.data.read(&mut buffer[..length])
    }
}

impl Seek for Trickle {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.data.seek(to)
    }
}

fn told(items: &[Result<Exchange, EntryError>]) -> Vec<String> {
    items
        .iter()
        .map(|item| match item {
            Ok(exchange) => format!("{} {}", exchange.id, shown(exchange)),
            Err(error) => error.to_string(),
        })
        .collect()
}

#[test]
fn every_way_of_splitting_reads_gives_the_same_answer() {
    for path in cases() {
        let data = std::fs::read(&path).unwrap();
        let whole = told(&read(&data));
        // Byte by byte takes long for a long file, and the short ones hold all the odd places.
        let steps: &[usize] = if data.len() < 20_000 { &[1, 2, 7, 1_000] } else { &[1_000, 65_537] };
        for step in steps.iter().copied() {
            let reader = HarReader::new(Trickle { data: Cursor::new(data.clone()), step }, HarSettings::default());
            let items: Vec<_> = reader.map(Iterator::collect).unwrap_or_default();
            assert_eq!(told(&items), whole, "{} in steps of {step}", path.display());
        }
    }
}

#[test]
fn the_fuzz_entry_holds_on_all_cases_and_on_cut_ones() {
    for path in cases() {
        let data = std::fs::read(&path).unwrap();
        for cut in (0..data.len()).step_by(data.len() / 40 + 1) {
            fuzz_har(&data[..cut]);
            fuzz_har(&data[cut..]);
        }
        fuzz_har(&data);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn damage_in_one_entry_costs_only_that_entry(
        bodies in prop::collection::vec(any::<String>(), 2..7),
        chosen in any::<prop::sample::Index>(),
        from in any::<prop::sample::Index>(),
        length in 1_usize..60,
        filler in prop::sample::select(vec![&b""[..], b"\"", b"\0\0\0", b"}", b"]]", b"{", b"\\", b",", b"xxxxxxxxxxxx"]),
    ) {
        let entries: Vec<String> = bodies.iter().enumerate().map(|(number, body)| entry(number as u32, "p", body)).collect();
        let text = document(&entries);
        let all = ids(&read(text.as_bytes()));
        prop_assert_eq!(all.len(), entries.len());
        let chosen = chosen.index(entries.len());
        let start = text.find(entries[chosen].as_str()).unwrap();
        // The opening bracket stays: without it the rest of the entry belongs to nothing.
        let from = start + 1 + from.index(entries[chosen].len() - 1);
        let to = (from + length).min(start + entries[chosen].len());
        let damaged = [&text.as_bytes()[..from], filler, &text.as_bytes()[to..]].concat();
        let found = ids(&read(&damaged));
        for (number, id) in all.iter().enumerate() {
            prop_assert!(number == chosen || found.contains(id), "entry {} is lost with {}", number, chosen);
        }
    }

    #[test]
    fn no_bytes_make_it_panic(data in prop::collection::vec(any::<u8>(), 0..300), prefix in prop::sample::select(vec![
        "", "{", "{\"log\":", "{\"log\":{\"entries\":[", "{\"log\":{\"entries\":[{\"request\":{\"url\":\"http://h\",",
    ])) {
        fuzz_har(&[prefix.as_bytes(), &data].concat());
    }
}
