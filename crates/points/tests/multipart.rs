//! Bodies of several parts: random contents against what was put in, and cut at any byte.
#![allow(clippy::unwrap_used)]

mod support;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use threadline_model::{CapturedBody, Exchange};
use threadline_points::{Bounds, Extracted, Found, Plan, Point, Scratch};

const BOUNDARY: &str = "AaB03x";
const NAMES: [&str; 4] = ["a", "b", "c\\d", ""];

/// Contents made of pieces of boundaries, none of which is one.
fn content(line_end: &'static str) -> impl Strategy<Value = Vec<u8>> {
    let pieces = vec!["\r", "\n", "\r\n", "-", "--", "--AaB03", "AaB03x", "--AaB03xy", " ", "é", "x", "\0"];
    vec(select(pieces), 0..12).prop_map(move |pieces| {
        // Where lines end with LF alone a CR before one belongs to it.
        let mut text = if line_end == "\n" { pieces.concat().replace('\r', "") } else { pieces.concat() };
        let delimiter = format!("\n--{BOUNDARY}");
        let is_delimiter = |rest: &str| {
            rest.is_empty()
                || rest.starts_with("--")
                || rest.trim_start_matches([' ', '\t', '\r']).is_empty()
                || rest.trim_start_matches([' ', '\t', '\r']).starts_with('\n')
        };
        while format!("\n{text}").split(&delimiter).skip(1).any(is_delimiter) {
            text = format!("\n{text}").replace(&delimiter, "\nx")[1..].to_owned();
        }
        text.into_bytes()
    })
}

fn body(parts: &[(&str, Vec<u8>)], line_end: &str, preamble: &str) -> Vec<u8> {
    let mut body = preamble.as_bytes().to_vec();
    for (name, content) in parts {
        let head = format!("--{BOUNDARY}{line_end}Content-Disposition: form-data; name=\"{name}\"{line_end}{line_end}");
        body.extend(head.as_bytes());
        body.extend(content);
        body.extend(line_end.as_bytes());
    }
    body.extend(format!("--{BOUNDARY}--{line_end}behind the end").as_bytes());
    body
}

fn points() -> Vec<Point> {
    let mut texts =
        vec!["request > body > multipart > all".to_owned(), "request > body > multipart > names".to_owned()];
    for name in NAMES {
        let start = format!("request > body > multipart \"{}\"", name.replace('\\', "\\\\"));
        texts.extend(
            ["", " > index 1", " > joined", " > header CONTENT-DISPOSITION"].map(|rest| format!("{start}{rest}")),
        );
    }
    texts.iter().map(|text| Point::parse(text).unwrap()).collect()
}

fn extract<'e>(exchange: &'e Exchange, points: &[Point]) -> Extracted<'e> {
    Plan::compile(points, Bounds::default()).unwrap().extract(exchange, &mut Scratch::default())
}

fn exchange(body: CapturedBody) -> Exchange {
    let content_type = format!("multipart/form-data; boundary={BOUNDARY}");
    let mut exchange = support::exchange("POST /", &[("content-type", &content_type)], "", None);
    exchange.request.body = body;
    exchange
}

fn parts() -> impl Strategy<Value = (Vec<(&'static str, Vec<u8>)>, &'static str, &'static str)> {
    (select(vec!["\r\n", "\n"]), select(vec!["", "preamble\r\n", "--AaB\r\n", "\n"])).prop_flat_map(
        |(line_end, preamble)| (vec((select(NAMES.to_vec()), content(line_end)), 0..6), Just(line_end), Just(preamble)),
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn parts_come_out_as_they_were_put_in((parts, line_end, preamble) in parts()) {
        let body = body(&parts, line_end, preamble);
        let exchange = exchange(CapturedBody::whole(body));
        let points = points();
        let together = extract(&exchange, &points);
        prop_assert!(together.parse_errors().is_empty(), "{:?}", together.parse_errors());
        let found = |value: Option<Vec<u8>>| match value {
            None => Found::Absent,
            Some(value) if value.is_empty() => Found::Empty,
            Some(value) => Found::Value(value.into()),
        };
        let not_empty = |values: Vec<Vec<u8>>| values.into_iter().filter(|value| !value.is_empty()).collect::<Vec<_>>();
        let contents = not_empty(parts.iter().map(|(_, content)| content.clone()).collect());
        prop_assert_eq!(together.values(0).collect::<Vec<_>>(), contents);
        let names = not_empty(parts.iter().map(|(name, _)| name.as_bytes().to_vec()).collect());
        prop_assert_eq!(together.values(1).collect::<Vec<_>>(), names);
        for (place, name) in NAMES.into_iter().enumerate() {
            let values: Vec<Vec<u8>> =
                parts.iter().filter(|(candidate, _)| *candidate == name).map(|(_, content)| content.clone()).collect();
            let get = |rest: usize| together.get(2 + 4 * place + rest);
            prop_assert!(*get(0) == found(values.first().cloned()), "{}", name);
            prop_assert!(*get(1) == found(values.get(1).cloned()), "{}", name);
            prop_assert!(*get(2) == found((!values.is_empty()).then(|| values.join(&b','))), "{}", name);
            let header = (!values.is_empty()).then(|| format!("form-data; name=\"{name}\"").into_bytes());
            prop_assert!(*get(3) == found(header), "{}", name);
        }
        for index in 0..points.len() {
            prop_assert!(extract(&exchange, &points[index..=index]).get(0) == together.get(index));
        }
    }

    #[test]
    fn a_cut_body_gives_what_the_whole_gives_or_says_that_it_was_cut(
        (parts, line_end, preamble) in parts(),
        cut in any::<Index>(),
    ) {
        let body = body(&parts, line_end, preamble);
        let cut = cut.index(body.len() + 1);
        let points = points();
        let (whole, part) = (exchange(CapturedBody::whole(body.clone())), exchange(CapturedBody::prefix(body[..cut].to_vec())));
        let (whole, part) = (extract(&whole, &points), extract(&part, &points));
        prop_assert!(part.parse_errors().is_empty(), "{:?}", part.parse_errors());
        for (index, point) in points.iter().enumerate() {
            let several = index < 2;
            let same = part.get(index) == whole.get(index) || *part.get(index) == Found::NotCaptured;
            prop_assert!(same || several, "{:?} {} {}", String::from_utf8_lossy(&body), cut, point);
            let whole: Vec<_> = whole.values(index).collect();
            let values: Vec<_> = part.values(index).collect();
            prop_assert!(whole.starts_with(&values), "{:?} {} {}", String::from_utf8_lossy(&body), cut, point);
        }
    }
}
