//! View state: random values against a slow reference, and ended at any byte.
#![allow(clippy::unwrap_used)]

mod support;

use std::collections::BTreeMap;

use base64::Engine as _;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use threadline_points::{Bounds, Extracted, Found, Plan, Point, Scratch, Side, Step};

#[derive(Clone, Debug)]
enum Value {
    Null,
    Boolean(bool),
    Number(i32),
    Text(String),
    Indexed(String),
    Pair(Box<[Value; 2]>),
    List(Vec<Value>),
    Texts(Vec<String>),
    Table(BTreeMap<String, Value>),
}

#[derive(Clone, Debug)]
enum Way {
    Index(u32),
    Property(String),
}

fn key() -> impl Strategy<Value = String> {
    select(vec!["a", "b", "user", ""]).prop_map(str::to_owned)
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Boolean),
        any::<i32>().prop_map(Value::Number),
        ".{0,6}".prop_map(Value::Text),
        key().prop_map(Value::Indexed),
        vec(".{0,3}", 0..3).prop_map(Value::Texts),
    ];
    leaf.prop_recursive(5, 48, 5, |inner| {
        prop_oneof![
            [inner.clone(), inner.clone()].prop_map(|pair| Value::Pair(Box::new(pair))),
            vec(inner.clone(), 0..5).prop_map(Value::List),
            btree_map(key(), inner, 0..4).prop_map(Value::Table),
        ]
    })
}

fn way() -> impl Strategy<Value = Vec<Way>> {
    vec(prop_oneof![2 => (0..4_u32).prop_map(Way::Index), 1 => key().prop_map(Way::Property)], 0..4)
}

fn number(mut number: u32, bytes: &mut Vec<u8>) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn text(text: &str, bytes: &mut Vec<u8>) {
    number(text.len() as u32, bytes);
    bytes.extend(text.as_bytes());
}

fn encode(value: &Value, strings: &mut Vec<String>, bytes: &mut Vec<u8>) {
    match value {
        Value::Null => bytes.push(100),
        Value::Boolean(value) => bytes.push(if *value { 103 } else { 104 }),
        Value::Number(value) => {
            bytes.push(2);
            number(*value as u32, bytes);
        }
        Value::Text(value) => {
            bytes.push(5);
            text(value, bytes);
        }
        Value::Indexed(value) => match strings.iter().position(|known| known == value) {
            Some(place) => bytes.extend([31, place as u8]),
            None => {
                strings.push(value.clone());
                bytes.push(30);
                text(value, bytes);
            }
        },
        Value::Pair(pair) => {
            bytes.push(15);
            pair.iter().for_each(|value| encode(value, strings, bytes));
        }
        Value::List(values) => {
            bytes.push(22);
            number(values.len() as u32, bytes);
            values.iter().for_each(|value| encode(value, strings, bytes));
        }
        Value::Texts(texts) => {
            bytes.push(21);
            number(texts.len() as u32, bytes);
            texts.iter().for_each(|value| text(value, bytes));
        }
        Value::Table(table) => {
            bytes.push(24);
            number(table.len() as u32, bytes);
            for (key, value) in table {
                encode(&Value::Indexed(key.clone()), strings, bytes);
                encode(value, strings, bytes);
            }
        }
    }
}

/// The slow reference: looks up one way.
fn reference(value: &Value, way: &[Way]) -> Found<'static> {
    let bytes = |text: String| if text.is_empty() { Found::Empty } else { Found::Value(text.into_bytes().into()) };
    let Some((step, rest)) = way.split_first() else {
        return match value {
            Value::Boolean(value) => bytes(value.to_string()),
            Value::Number(value) => bytes(value.to_string()),
            Value::Text(value) | Value::Indexed(value) => bytes(value.clone()),
            _ => Found::NotScalar,
        };
    };
    let below = match (step, value) {
        (Way::Index(index), Value::Pair(pair)) => pair.get(*index as usize).cloned(),
        (Way::Index(index), Value::List(values)) => values.get(*index as usize).cloned(),
        (Way::Index(index), Value::Texts(texts)) => texts.get(*index as usize).cloned().map(Value::Text),
        (Way::Property(name), Value::Table(table)) => table.get(name).cloned(),
        _ => None,
    };
    below.map_or(Found::Absent, |below| reference(&below, rest))
}

fn point(way: &[Way]) -> Point {
    let steps = way.iter().map(|step| match step {
        Way::Property(name) => Step::Property(name.clone()),
        Way::Index(index) => Step::Index(*index),
    });
    Point::new(Side::Request, [Step::Body, Step::Viewstate].into_iter().chain(steps).collect()).unwrap()
}

fn extract<'e>(exchange: &'e threadline_model::Exchange, points: &[Point]) -> Extracted<'e> {
    Plan::compile(points, Bounds::default()).unwrap().extract(exchange, &mut Scratch::default())
}

fn exchange(state: &[u8]) -> threadline_model::Exchange {
    let text = base64::engine::general_purpose::STANDARD.encode([&[0xff, 1], state].concat());
    support::exchange("POST /", &[], &text, None)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_plan_agrees_with_the_slow_reference(
        value in value(),
        ways in vec(way(), 1..10),
        signature in vec(any::<u8>(), 0..40),
        end in any::<Index>(),
    ) {
        let mut state = Vec::new();
        encode(&value, &mut Vec::new(), &mut state);
        let end = end.index(state.len());
        let points: Vec<Point> = ways.iter().map(|way| point(way)).collect();
        let short = exchange(&state[..end]);
        state.extend(signature);
        let exchange = exchange(&state);
        let together = extract(&exchange, &points);
        prop_assert!(together.parse_errors().is_empty());
        let early = extract(&short, &points);
        prop_assert_eq!(early.parse_errors().len(), 1);
        for (index, way) in ways.iter().enumerate() {
            let found = together.get(index);
            prop_assert!(*found == reference(&value, way), "{:?} {:?}", value, way);
            prop_assert!(extract(&exchange, &points[index..=index]).get(0) == found);
            // What stands before the damage stays.
            prop_assert!(early.get(index) == found || *early.get(index) == Found::Unparsable, "{:?} {} {:?}", value, end, way);
        }
    }
}
