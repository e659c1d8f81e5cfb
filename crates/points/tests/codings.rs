//! Content codings: decoding gives back what was coded, a cut gives the beginning, damage is reported. Bodies of other
//! encoders are in `testdata/points/codings.json`, bombs in `bombs.rs`.
#![allow(clippy::unwrap_used)]

mod support;

use base64::Engine as _;
use miniz_oxide::deflate::{compress_to_vec, compress_to_vec_zlib};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use ruzstd::encoding::CompressionLevel;
use support::coded;
use threadline_model::{CapturedBody, Exchange};
use threadline_points::{Bounds, Extracted, Found, Plan, Point, Scratch};

/// An encoder and what its coding is called.
type Encoder = (&'static str, fn(&[u8]) -> Vec<u8>);

const ENCODERS: [Encoder; 6] = [
    ("gzip", support::gzip),
    ("gzip", gzip_members),
    ("deflate", |bytes| compress_to_vec_zlib(bytes, 6)),
    ("deflate", |bytes| compress_to_vec(bytes, 6)),
    ("br", brotli),
    ("zstd", |bytes| ruzstd::encoding::compress_to_vec(bytes, CompressionLevel::Fastest)),
];

fn gzip_members(bytes: &[u8]) -> Vec<u8> {
    bytes.chunks(7).flat_map(support::gzip).collect()
}

/// Brotli (RFC 7932) that is not compressed: meta-blocks of at most 11 bytes, and an empty last one.
fn brotli(bytes: &[u8]) -> Vec<u8> {
    let mut coded = Vec::new();
    for (position, block) in bytes.chunks(11).enumerate() {
        // Once the window's size, one bit 0 for 16; then not last, four nibbles of length, the length, uncompressed.
        let header = (block.len() as u32 - 1) << 3 | 1 << 19;
        let header = if position == 0 { header << 1 } else { header };
        coded.extend(&header.to_le_bytes()[..3]);
        coded.extend(block);
    }
    coded.push(if bytes.is_empty() { 0b110 } else { 0b11 });
    coded
}

fn extract<'e>(exchange: &'e Exchange, points: &[&str]) -> Extracted<'e> {
    let points: Vec<Point> = points.iter().map(|text| Point::parse(text).unwrap()).collect();
    Plan::compile(&points, Bounds::default()).unwrap().extract(exchange, &mut Scratch::default())
}

const BODY: &str = "request > body";

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_was_coded_comes_back_whatever_the_codings(
        body in vec(any::<u8>(), 1..400),
        encoders in vec(select(&ENCODERS[..]), 1..=4),
    ) {
        let bytes = encoders.iter().fold(body.clone(), |bytes, (_, encode)| encode(&bytes));
        let names: Vec<&str> = encoders.iter().map(|(name, _)| *name).collect();
        let exchange = coded(&names.join(", "), CapturedBody::whole(bytes));
        let extracted = extract(&exchange, &[BODY]);
        prop_assert_eq!(extracted.parse_errors(), &[]);
        prop_assert_eq!(extracted.get(0).value(), Some(&body[..]));
    }

    #[test]
    fn a_cut_body_gives_what_the_whole_gives_or_says_that_it_was_cut(
        fields in vec("[a-z]{1,12}", 1..40),
        encoders in vec(select(&ENCODERS[..]), 1..=3),
        cut in any::<Index>(),
    ) {
        const POINTS: [&str; 4] = [
            "request > body > form > property f0",
            "request > body > form > property f1",
            "request > body > form > property f17",
            "request > body > form > property f39",
        ];
        let body: Vec<String> = fields.iter().enumerate().map(|(place, field)| format!("f{place}={field}")).collect();
        let bytes = encoders.iter().fold(body.join("&").into_bytes(), |bytes, (_, encode)| encode(&bytes));
        let names: Vec<&str> = encoders.iter().map(|(name, _)| *name).collect();
        let whole = coded(&names.join(", "), CapturedBody::whole(bytes.clone()));
        let whole = extract(&whole, &POINTS);
        let cut = coded(&names.join(", "), CapturedBody::prefix(bytes[..cut.index(bytes.len())].to_vec()));
        let cut = extract(&cut, &POINTS);
        prop_assert_eq!(cut.parse_errors(), &[]);
        for (part, whole) in cut.iter().zip(whole.iter()) {
            prop_assert!(part == whole || *part == Found::NotCaptured);
        }
    }

    #[test]
    fn damage_is_reported_within_the_input_and_never_panics(
        body in "[a-z]{1,300}",
        (name, encode) in select(&ENCODERS[..]),
        at in any::<Index>(),
        bit in 0..8_u32,
    ) {
        let mut bytes = encode(body.as_bytes());
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        let exchange = coded(name, CapturedBody::whole(bytes.clone()));
        for error in extract(&exchange, &["request > body > json > property a", BODY]).parse_errors() {
            prop_assert!(error.offset as usize <= bytes.len());
        }
    }
}

#[test]
fn a_recorded_body_cut_anywhere_gives_the_beginning() {
    let file = std::fs::read_to_string(
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/points/codings.json"),
    )
    .unwrap();
    let file: serde_json::Value = serde_json::from_str(&file).unwrap();
    let mut seen = 0;
    for case in file["cases"].as_array().unwrap() {
        let message = case.get("response").unwrap_or(&case["request"]);
        let Some(body) = message["body_base64"].as_str() else { continue };
        let bytes = base64::engine::general_purpose::STANDARD.decode(body).unwrap();
        let names: Vec<&str> = message["headers"].as_array().map_or_else(Vec::new, |headers| {
            let codings = headers.iter().filter(|header| header[0] == "Content-Encoding");
            codings.map(|header| header[1].as_str().unwrap()).collect()
        });
        const FIRST: &str = "request > body > json > property first";
        let whole = coded(&names.join(","), CapturedBody::whole(bytes.clone()));
        let whole = extract(&whole, &[FIRST]);
        for length in 1..bytes.len() {
            let cut = coded(&names.join(","), CapturedBody::prefix(bytes[..length].to_vec()));
            let cut = extract(&cut, &[FIRST]);
            let found = cut.get(0);
            assert!(found == whole.get(0) || !matches!(found, Found::Value(_)), "{} at {length}", case["name"]);
            seen += 1;
        }
    }
    assert!(seen > 5_000, "{seen}");
}

#[test]
fn all_bodies_and_values_of_an_exchange_share_what_may_be_decoded() {
    let mut bounds = Bounds::default();
    bounds.decoded_bytes = 1_000;
    let texts = ["request > body > json > property a", "response > body > json > property a"];
    let points: Vec<Point> = texts.iter().map(|text| Point::parse(text).unwrap()).collect();
    let plan = Plan::compile(&points, bounds).unwrap();
    let body =
        |length: usize| CapturedBody::whole(support::gzip(format!(r#"{{"a":"{}"}}"#, "x".repeat(length)).as_bytes()));
    let mut exchange = support::exchange(
        "POST /",
        &[("Content-Encoding", "gzip")],
        "",
        Some((200, &[("Content-Encoding", "gzip")], "")),
    );
    let mut scratch = Scratch::default();
    for (lengths, both) in [((400, 400), true), ((900, 400), false)] {
        exchange.request.body = body(lengths.0);
        exchange.response.as_mut().unwrap().body = body(lengths.1);
        let extracted = plan.extract(&exchange, &mut scratch);
        assert!(extracted.get(0).value().is_some());
        assert_eq!(extracted.get(1).value().is_some(), both);
        assert_eq!(extracted.parse_errors().is_empty(), both);
    }
}

#[test]
fn the_ratio_is_bounded_only_beyond_what_is_free() {
    let mut bounds = Bounds::default();
    bounds.decoded_ratio = 1;
    let plan = Plan::compile(&[Point::parse(BODY).unwrap()], bounds).unwrap();
    let free = Bounds::DECODED_FREELY;
    for (length, whole) in [(free, true), (free + 1, false)] {
        let exchange = coded("gzip", CapturedBody::whole(support::gzip(&vec![b'a'; length])));
        let extracted = plan.extract(&exchange, &mut Scratch::default());
        assert_eq!(extracted.get(0).value().is_some(), whole);
        let reasons: Vec<&str> = extracted.parse_errors().iter().map(|error| error.reason).collect();
        let expected: &[&str] = if whole { &[] } else { &["the bound on the decoding ratio is reached"] };
        assert_eq!(reasons, expected);
    }
}
