//! The same bytes read by other means: the library a parser stands on, plainly used, and a tree of everything.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::io::Read as _;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

/// One of the other means.
pub(crate) struct Other {
    pub(crate) name: &'static str,
    pub(crate) work: fn(&[u8]),
    /// How many times slower it has to be.
    pub(crate) at_least: Option<f64>,
}

const fn other(name: &'static str, work: fn(&[u8])) -> Other {
    Other { name, work, at_least: None }
}

pub(crate) const JSON: &[Other] = &[
    other("skipped by serde_json", |text| {
        black_box(serde_json::from_slice::<serde::de::IgnoredAny>(text).is_ok());
    }),
    Other {
        name: "a serde_json::Value",
        work: |text| {
            black_box(serde_json::from_slice::<serde_json::Value>(text).is_ok());
        },
        at_least: Some(3.0),
    },
];

pub(crate) const FORM: &[Other] = &[
    other("form_urlencoded", |text| {
        black_box(form_urlencoded::parse(text).map(|(name, value)| name.len() + value.len()).sum::<usize>());
    }),
    other("a map of it", |text| {
        let mut fields: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(text) {
            fields.entry(name.into_owned()).or_default().push(value.into_owned());
        }
        black_box(fields.len());
    }),
];

pub(crate) const XML: &[Other] = &[
    other("events of quick-xml", |text| {
        let mut reader = quick_xml::Reader::from_reader(text);
        let mut events = 0;
        while !matches!(reader.read_event(), Ok(quick_xml::events::Event::Eof) | Err(_)) {
            events += 1;
        }
        black_box(events);
    }),
    other("a roxmltree::Document", |text| {
        let text = std::str::from_utf8(text).unwrap_or_default();
        black_box(roxmltree::Document::parse(text).is_ok());
    }),
];

pub(crate) const MULTIPART: &[Other] = &[other("boundaries found by memchr", |text| {
    black_box(memchr::memmem::find_iter(text, b"\r\n--boundary").count());
})];

pub(crate) const GRAPHQL: &[Other] = &[other("a graphql_parser document", |text| {
    let text = std::str::from_utf8(text).unwrap_or_default();
    black_box(graphql_parser::parse_query::<&str>(text).is_ok());
})];

pub(crate) const TOKEN: &[Other] = &[other("base64, then a serde_json::Value", |text| {
    let payload = text.split(|byte| *byte == b'.').nth(1).unwrap_or_default();
    let payload = URL_SAFE_NO_PAD.decode(payload).unwrap_or_default();
    black_box(serde_json::from_slice::<serde_json::Value>(&payload).is_ok());
})];

pub(crate) const BASE64: &[Other] = &[other("base64, then a serde_json::Value", |text| {
    let document = STANDARD.decode(text).unwrap_or_default();
    black_box(serde_json::from_slice::<serde_json::Value>(&document).is_ok());
})];

/// Decodes, then builds the tree that stands for "everything else".
fn tree_of(document: &[u8]) {
    black_box(serde_json::from_slice::<serde_json::Value>(document).is_ok());
}

pub(crate) const DEFLATE: &[Other] = &[
    other("miniz_oxide", |text| {
        black_box(miniz_oxide::inflate::decompress_to_vec_zlib(text).is_ok());
    }),
    other("miniz_oxide, then a serde_json::Value", |text| {
        tree_of(&miniz_oxide::inflate::decompress_to_vec_zlib(text).unwrap_or_default());
    }),
];

fn brotli(text: &[u8]) -> Vec<u8> {
    let mut document = Vec::new();
    let read = brotli_decompressor::Decompressor::new(text, 4096).read_to_end(&mut document);
    if read.is_ok() { document } else { Vec::new() }
}

pub(crate) const BROTLI: &[Other] = &[
    other("brotli-decompressor", |text| {
        black_box(brotli(text));
    }),
    other("brotli-decompressor, then a serde_json::Value", |text| tree_of(&brotli(text))),
];

fn zstd(text: &[u8]) -> Vec<u8> {
    let mut document = Vec::with_capacity(128 * 1024);
    let decoded = ruzstd::decoding::FrameDecoder::new().decode_all_to_vec(text, &mut document);
    if decoded.is_ok() { document } else { Vec::new() }
}

pub(crate) const ZSTD: &[Other] = &[
    other("ruzstd", |text| {
        black_box(zstd(text));
    }),
    other("ruzstd, then a serde_json::Value", |text| tree_of(&zstd(text))),
];
