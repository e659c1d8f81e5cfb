//! Properties: spellings lose nothing, a plan agrees with a slow reference, a cut never invents, nothing panics.
#![allow(clippy::unwrap_used)]

mod support;

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::Value;
use threadline_model::CapturedBody;
use threadline_points::{
    ArgumentKind, Bounds, Extracted, Found, HeaderLabel, Plan, Point, Scratch, Side, Step, fuzzing,
};

fn cases(cases: u32) -> ProptestConfig {
    // A failure becomes a case in `testdata/points`, not a seed in a file.
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

// ---- points ----------------------------------------------------------------------------------------------------

fn any_name() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{1,8}",
        select(vec![
            "", " ", "all", "Names", "›", ">", "\"", "\\", "\\\"", "a b", " a", "a ", "\u{202e}", "\u{0}", "\u{a0}x"
        ])
        .prop_map(str::to_owned),
        "\\PC{0,12}",
        any::<String>().prop_map(|text| text.chars().take(40).collect()),
    ]
}

/// A valid point: a random walk along what the grammar says may come next.
fn any_point() -> impl Strategy<Value = Point> {
    let choices = vec((any::<Index>(), any_name(), any::<u32>()), 1..12);
    (any::<bool>(), choices).prop_filter_map("leads to a value", |(response, choices)| {
        let side = if response { Side::Response } else { Side::Request };
        let mut steps = Vec::new();
        let mut longest = 0;
        for (choice, name, number) in choices {
            let forms = Point::allowed_after(side, &steps).unwrap();
            let form = choice.get(&forms);
            let argument = match form.argument {
                ArgumentKind::None => None,
                ArgumentKind::Name => {
                    // Fields of a message have numbers.
                    let named = [&steps[..], &[Step::Property(name.clone())]].concat();
                    let numbered = form.word == "property" && Point::allowed_after(side, &named).is_err();
                    Some(Value::from(if numbered { (1 + number % 99).to_string() } else { name }))
                }
                ArgumentKind::HeaderName => {
                    Some(Value::from(if HeaderLabel::new(&name).is_some() { name } else { "Cookie".to_owned() }))
                }
                ArgumentKind::Number => Some(Value::from(number)),
                ArgumentKind::JwtPart => {
                    Some(Value::from(["header", "payload", "signature", "prefix", "token"][number as usize % 5]))
                }
                ArgumentKind::Pattern => {
                    Some(Value::from(format!("({})", name.replace(|c: char| !c.is_alphanumeric(), "."))))
                }
            };
            steps.push(read_step(side, &steps, form.word, argument));
            if Point::may_end_after(side, &steps) {
                longest = steps.len();
            }
        }
        steps.truncate(longest);
        (longest > 0).then(|| Point::new(side, steps).unwrap())
    })
}

/// The step a word and an argument make after `before`; found by completing the point until it is valid.
fn read_step(side: Side, before: &[Step], word: &str, argument: Option<Value>) -> Step {
    let spelled = match argument {
        Some(argument) => Value::Array(vec![Value::from(word), argument]),
        None => Value::from(word),
    };
    let start = before.iter().map(|step| match step.argument() {
        Some(argument) => Value::Array(vec![Value::from(step.word()), Value::from(argument)]),
        None => Value::from(step.word()),
    });
    let start: Vec<Value> =
        std::iter::once(Value::from(side.as_str())).chain(start).chain(std::iter::once(spelled)).collect();
    let endings: [&[Value]; 10] = [
        &[],
        &["all".into()],
        &["names".into()],
        &[serde_json::json!(["property", "1"])],
        &[serde_json::json!(["property", "x"])],
        &[serde_json::json!(["query", "x"]), "spread".into()],
        &[serde_json::json!(["property", "x"]), "spread".into()],
        &[serde_json::json!(["property", "x"]), serde_json::json!(["argument", "x"])],
        &[serde_json::json!(["argument", "x"])],
        &["spread".into()],
    ];
    for ending in endings {
        let point = Point::from_json(&start.iter().chain(ending).cloned().collect::<Value>());
        if let Ok(point) = point {
            return point.steps()[before.len()].clone();
        }
    }
    panic!("{word} cannot be completed");
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn the_three_spellings_convert_without_loss(point in any_point()) {
        prop_assert_eq!(&Point::parse(&point.to_string()).unwrap(), &point);
        prop_assert_eq!(&Point::from_json(&point.to_json()).unwrap(), &point);
        prop_assert_eq!(&Point::from_breadcrumb(&point.breadcrumb().join(" › ")).unwrap(), &point);
        let json = serde_json::to_string(&point).unwrap();
        prop_assert_eq!(&serde_json::from_str::<Point>(&json).unwrap(), &point);
        // What is shown holds nothing that could not be seen.
        let hidden = |character: char| character.is_control() || character == '\u{202e}';
        prop_assert!(!point.to_string().contains(hidden));
    }

    #[test]
    fn no_text_makes_the_readers_panic(text in any::<String>(), words in vec(select(vec![
        "request", "response", ">", "›", "body", "json", "property", "\"", "\\", "a", "index", "1", "header", "BODY",
        "PROPERTY", "all", " ", "[", "]", ",", "\"query\"", "capture", "(a)",
    ]), 0..14)) {
        fuzzing::fuzz_point_text(text.as_bytes());
        fuzzing::fuzz_point_text(words.concat().as_bytes());
        fuzzing::fuzz_point_text(words.join(" ").as_bytes());
    }
}

// ---- JSON ------------------------------------------------------------------------------------------------------

/// Names that occur often, so that points meet documents.
fn key() -> impl Strategy<Value = String> {
    prop_oneof![4 => select(vec!["a", "b", "c", "token", "é\"", ""]).prop_map(str::to_owned), 1 => ".{0,5}"]
}

fn document() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        "[a-z\"\\\\\n]{0,20}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 48, 5, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(Value::from),
            btree_map(key(), inner, 0..5).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

#[derive(Clone, Debug)]
enum Way {
    Property(String),
    Index(u32),
}

fn way() -> impl Strategy<Value = Vec<Way>> {
    vec(prop_oneof![3 => key().prop_map(Way::Property), 1 => (0..4_u32).prop_map(Way::Index)], 0..5)
}

fn point(way: &[Way]) -> Point {
    let steps = way.iter().map(|step| match step {
        Way::Property(name) => Step::Property(name.clone()),
        Way::Index(index) => Step::Index(*index),
    });
    Point::new(Side::Request, [Step::Body, Step::Json].into_iter().chain(steps).collect()).unwrap()
}

/// The slow reference: builds the document and looks up one point.
fn reference(document: &Value, way: &[Way]) -> Found<'static> {
    let found = way.iter().try_fold(document, |value, step| match (step, value) {
        (Way::Property(name), Value::Object(object)) => object.get(name),
        (Way::Index(index), Value::Array(array)) => array.get(*index as usize),
        _ => None,
    });
    match found {
        None => Found::Absent,
        Some(Value::Null | Value::Array(_) | Value::Object(_)) => Found::NotScalar,
        Some(Value::String(text)) if text.is_empty() => Found::Empty,
        Some(Value::String(text)) => Found::Value(text.clone().into_bytes().into()),
        Some(other) => Found::Value(other.to_string().into_bytes().into()),
    }
}

fn extract_json<'e>(exchange: &'e threadline_model::Exchange, ways: &[Vec<Way>]) -> Extracted<'e> {
    let points: Vec<Point> = ways.iter().map(|way| point(way)).collect();
    Plan::compile(&points, Bounds::default()).unwrap().extract(exchange, &mut Scratch::default())
}

/// Spells a document in another way: blanks between tokens, escapes in strings.
fn respell(value: &Value, blanks: &[u8], text: &mut String) {
    let blank = |text: &mut String| {
        let choice = blanks.get(text.len() % blanks.len().max(1)).copied().unwrap_or(0);
        text.push_str(["", "", " ", "\n", "\t  ", "\r\n                "][choice as usize % 6]);
    };
    let string = |string: &str, text: &mut String| {
        text.push('"');
        for character in string.chars() {
            let choice = blanks.get(text.len() % blanks.len().max(1)).copied().unwrap_or(0);
            if choice % 3 == 0 || matches!(character, '"' | '\\' | '\0'..='\u{1f}') {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    text.push_str(&format!("\\u{unit:04X}"));
                }
            } else {
                text.push(character);
            }
        }
        text.push('"');
    };
    blank(text);
    match value {
        Value::Array(items) => {
            text.push('[');
            for (position, item) in items.iter().enumerate() {
                if position > 0 {
                    text.push(',');
                }
                respell(item, blanks, text);
            }
            blank(text);
            text.push(']');
        }
        Value::Object(members) => {
            text.push('{');
            for (position, (name, member)) in members.iter().enumerate() {
                if position > 0 {
                    text.push(',');
                }
                blank(text);
                string(name, text);
                blank(text);
                text.push(':');
                respell(member, blanks, text);
            }
            blank(text);
            text.push('}');
        }
        Value::String(content) => string(content, text),
        other => text.push_str(&other.to_string()),
    }
    blank(text);
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn a_plan_agrees_with_the_slow_reference(
        document in document(),
        ways in vec(way(), 1..10),
        blanks in vec(any::<u8>(), 1..20),
    ) {
        let mut body = String::new();
        respell(&document, &blanks, &mut body);
        prop_assert_eq!(&serde_json::from_str::<Value>(&body).unwrap(), &document);
        let exchange = support::exchange("POST /", &[], &body, None);
        let extracted = extract_json(&exchange, &ways);
        prop_assert!(extracted.parse_errors().is_empty());
        for (index, way) in ways.iter().enumerate() {
            prop_assert!(*extracted.get(index) == reference(&document, way), "{} {:?}", body, way);
        }
    }

    #[test]
    fn a_cut_body_gives_what_the_whole_gives_or_says_that_it_was_cut(
        document in document(),
        ways in vec(way(), 1..10),
        cut in any::<Index>(),
    ) {
        let body = document.to_string();
        let mut exchange = support::exchange("POST /", &[], &body, None);
        let cut = cut.index(body.len() + 1);
        let whole = exchange.clone();
        let whole = extract_json(&whole, &ways);
        exchange.request.body = CapturedBody::prefix(body.as_bytes()[..cut].to_vec());
        let part = extract_json(&exchange, &ways);
        prop_assert!(part.parse_errors().is_empty(), "{:?}", part.parse_errors());
        for (index, way) in ways.iter().enumerate() {
            let (part, whole) = (part.get(index), whole.get(index));
            prop_assert!(part == whole || *part == Found::NotCaptured, "{} {} {:?}", body, cut, way);
        }
    }

    #[test]
    fn damage_never_changes_what_stands_before_it(
        document in document(),
        ways in vec(way(), 1..10),
        at in any::<Index>(),
        damage in select(vec![&b"\x00"[..], b"\xff", b"}", b"]]", b"x", b"\\", b",,"]),
    ) {
        let body = document.to_string();
        let at = at.index(body.len() + 1);
        let damaged = [&body.as_bytes()[..at], damage, &body.as_bytes()[at..]].concat();
        let mut exchange = support::exchange("POST /", &[], &body, None);
        let whole = exchange.clone();
        let whole = extract_json(&whole, &ways);
        exchange.request.body = CapturedBody::whole(damaged.clone());
        let part = extract_json(&exchange, &ways);
        if let [error] = part.parse_errors() {
            // A zero at its start makes it a text in UTF-16, in which places are counted in UTF-8.
            let is_wide = damaged.iter().take(2).any(|byte| *byte == 0);
            let longest = if is_wide { damaged.len() / 2 * 3 + 3 } else { damaged.len() };
            prop_assert!(error.offset as usize <= longest);
            for (index, _) in ways.iter().enumerate() {
                let (part, whole) = (part.get(index), whole.get(index));
                // Inside a string or a number the damage belongs to the value; a bracket may cut a number short.
                let shortened = part.value().zip(whole.value()).is_some_and(|(part, whole)| whole.starts_with(part));
                let touched = part.value().is_some() && (at < error.offset as usize || shortened);
                prop_assert!(part == whole || *part == Found::Unparsable || touched, "{} {}", body, at);
            }
        }
    }

    #[test]
    fn the_walk_accepts_what_a_strict_parser_accepts(document in document(), at in any::<Index>(), byte in select(
        b"{}[]\",:\\0-9eE+.truefalsn /u\x01\x7f\xc3".to_vec(),
    )) {
        let mut body = document.to_string().into_bytes();
        fuzzing::fuzz_json(&body);
        let at = at.index(body.len());
        body[at] = byte;
        fuzzing::fuzz_json(&body);
        body.insert(at, byte);
        fuzzing::fuzz_json(&body);
        body.truncate(at);
        fuzzing::fuzz_json(&body);
    }
}

#[test]
fn short_numbers_of_every_form_are_judged_as_a_strict_parser_does() {
    const BYTES: [char; 8] = ['0', '1', '9', '.', '-', 'e', ' ', ']'];
    for length in 1..=4_u32 {
        for mut choice in 0..BYTES.len().pow(length) {
            let mut number = String::new();
            for _ in 0..length {
                number.push(BYTES[choice % BYTES.len()]);
                choice /= BYTES.len();
            }
            // With enough after it for a look at eight bytes at once, and without.
            fuzzing::fuzz_json(format!("[{number},2345678]").as_bytes());
            fuzzing::fuzz_json(format!("[{number}]").as_bytes());
        }
    }
}

// ---- forms -----------------------------------------------------------------------------------------------------

/// The slow reference for names without brackets: splits and decodes every field.
fn form_values(text: &str, wanted: &str) -> Vec<Vec<u8>> {
    let decode = |text: &str| percent_encoding::percent_decode_str(&text.replace('+', " ")).collect::<Vec<u8>>();
    text.split('&')
        .filter(|field| !field.is_empty())
        .map(|field| field.split_once('=').unwrap_or((field, "")))
        .filter(|(name, _)| decode(name) == wanted.as_bytes())
        .map(|(_, value)| decode(value))
        .collect()
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn repeated_form_fields_agree_with_the_slow_reference(
        fields in vec((select(vec!["a", "b", "a%62", "%61", "a+b", ""]), "[a-z%+=0-9]{0,6}"), 0..8),
    ) {
        let text = fields.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&");
        let exchange = support::exchange(&format!("GET /?{text}"), &[], "", None);
        for name in ["a", "b", "ab", "a b", ""] {
            let values = form_values(&text, name);
            let query = |rest: Option<Step>| {
                let steps = [Step::Query(name.to_owned())].into_iter().chain(rest).collect();
                let plan = Plan::compile(&[Point::new(Side::Request, steps).unwrap()], Bounds::default()).unwrap();
                support::in_words(plan.extract(&exchange, &mut Scratch::default()).get(0))
            };
            let expected = |value: Option<Vec<u8>>| match value {
                None => Err("Absent".to_owned()),
                Some(value) if value.is_empty() => Err("Empty".to_owned()),
                Some(value) => Ok(String::from_utf8_lossy(&value).into_owned()),
            };
            prop_assert_eq!(query(None), expected(values.first().cloned()));
            for index in 0..3 {
                prop_assert_eq!(query(Some(Step::Index(index))), expected(values.get(index as usize).cloned()));
            }
            let joined = (!values.is_empty()).then(|| values.join(&b','));
            prop_assert_eq!(query(Some(Step::Joined)), expected(joined));
        }
    }
}

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn no_bytes_make_a_parser_panic(data in vec(any::<u8>(), 0..300), text in "[a-c=&;\\[\\]%. \"{}:,0-9eyJ\0]{0,200}") {
        for data in [&data, text.as_bytes()] {
            fuzzing::fuzz_form(data);
            fuzzing::fuzz_jwt(data);
            fuzzing::fuzz_cookie(data);
            fuzzing::fuzz_json(data);
            fuzzing::fuzz_coding(data);
            fuzzing::fuzz_multipart(data);
            fuzzing::fuzz_protobuf(data);
            fuzzing::fuzz_grpc(data);
            fuzzing::fuzz_viewstate(data);
            fuzzing::fuzz_xml(data);
            fuzzing::fuzz_htmljs(data);
            fuzzing::fuzz_extract(data);
        }
    }
}
