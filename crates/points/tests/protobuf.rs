//! Protocol Buffers and gRPC: random messages against a slow reference, and cut at any byte.
#![allow(clippy::unwrap_used)]

mod support;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use threadline_model::{CapturedBody, Exchange};
use threadline_points::{Bounds, Extracted, Found, Plan, Point, Scratch, Side, Step};

#[derive(Clone, Debug)]
enum Value {
    Varint(u64),
    Fixed32(u32),
    Fixed64(u64),
    /// Bytes that are no message.
    Bytes(Vec<u8>),
    Message(Vec<Field>),
    Group(Vec<Field>),
}

type Field = (u32, Value);

/// A step to a field, and to one of its occurrences.
type Way = (u32, Option<u32>);

fn fields() -> impl Strategy<Value = Vec<Field>> {
    let leaf = prop_oneof![
        any::<u64>().prop_map(Value::Varint),
        (0..3_u64).prop_map(Value::Varint),
        any::<u32>().prop_map(Value::Fixed32),
        any::<u64>().prop_map(Value::Fixed64),
        // No field has number 0.
        vec(any::<u8>(), 0..200).prop_map(|bytes| Value::Bytes([&[7], &bytes[..]].concat())),
        Just(Value::Bytes(Vec::new())),
    ];
    let number = || prop_oneof![8 => 1..4_u32, 1 => Just(2000), 1 => Just((1 << 29) - 1)];
    let value = leaf.prop_recursive(5, 48, 5, move |inner| {
        let fields = vec((number(), inner), 0..5);
        prop_oneof![3 => fields.clone().prop_map(Value::Message), 1 => fields.prop_map(Value::Group)]
    });
    vec((number(), value), 0..7)
}

fn way(indexed: bool) -> impl Strategy<Value = Vec<Way>> {
    let index = if indexed { (0..3_u32).prop_map(Some).boxed() } else { proptest::option::of(0..3_u32).boxed() };
    vec((1..4_u32, index), 1..4)
}

fn varint(mut number: u64, bytes: &mut Vec<u8>) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn encode(fields: &[Field]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (number, value) in fields {
        let tag = u64::from(*number) << 3;
        let (kind, content) = match value {
            Value::Varint(value) => {
                let mut digits = Vec::new();
                varint(*value, &mut digits);
                (0, digits)
            }
            Value::Fixed64(value) => (1, value.to_le_bytes().to_vec()),
            Value::Bytes(content) => (2, content.clone()),
            Value::Message(fields) => (2, encode(fields)),
            Value::Group(fields) => {
                let mut content = encode(fields);
                varint(tag | 4, &mut content);
                (3, content)
            }
            Value::Fixed32(value) => (5, value.to_le_bytes().to_vec()),
        };
        varint(tag | kind, &mut bytes);
        if kind == 2 {
            varint(content.len() as u64, &mut bytes);
        }
        bytes.extend(content);
    }
    bytes
}

/// The slow reference: what stands at the end of a way through fields that are one message.
fn reference(fields: &[&Field], way: &[Way]) -> Found<'static> {
    let ((number, index), rest) = way.split_first().unwrap();
    let mut occurrences: Vec<&Value> =
        fields.iter().filter(|(candidate, _)| candidate == number).map(|(_, value)| value).collect();
    if let Some(index) = index {
        occurrences = occurrences.get(*index as usize).copied().into_iter().collect();
    }
    if !rest.is_empty() {
        let below = occurrences.into_iter().flat_map(|value| match value {
            Value::Message(fields) | Value::Group(fields) => fields.iter(),
            _ => [].iter(),
        });
        return reference(&below.collect::<Vec<_>>(), rest);
    }
    let bytes = |bytes: Vec<u8>| if bytes.is_empty() { Found::Empty } else { Found::Value(bytes.into()) };
    match occurrences.last() {
        None => Found::Absent,
        Some(Value::Varint(number) | Value::Fixed64(number)) => bytes(number.to_string().into_bytes()),
        Some(Value::Fixed32(number)) => bytes(number.to_string().into_bytes()),
        Some(Value::Bytes(content)) => bytes(content.clone()),
        Some(Value::Message(fields)) => bytes(encode(fields)),
        Some(Value::Group(_)) => Found::NotScalar,
    }
}

fn point(start: &[Step], way: &[Way]) -> Point {
    let steps = way.iter().flat_map(|(number, index)| {
        [Some(Step::Property(number.to_string())), index.map(Step::Index)].into_iter().flatten()
    });
    Point::new(Side::Request, [Step::Body].iter().chain(start).cloned().chain(steps).collect()).unwrap()
}

fn extract<'e>(exchange: &'e Exchange, points: &[Point]) -> Extracted<'e> {
    Plan::compile(points, Bounds::default()).unwrap().extract(exchange, &mut Scratch::default())
}

fn exchange(body: CapturedBody, content_type: &str) -> Exchange {
    let mut exchange = support::exchange("POST /", &[("content-type", content_type)], "", None);
    exchange.request.body = body;
    exchange
}

fn frame(message: &[u8]) -> Vec<u8> {
    [&[0], &(message.len() as u32).to_be_bytes()[..], message].concat()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_plan_agrees_with_the_slow_reference(fields in fields(), ways in vec(way(false), 1..10)) {
        let exchange = exchange(CapturedBody::whole(encode(&fields)), "application/protobuf");
        let points: Vec<Point> = ways.iter().map(|way| point(&[Step::Protobuf], way)).collect();
        let together = extract(&exchange, &points);
        prop_assert!(together.parse_errors().is_empty());
        for (index, way) in ways.iter().enumerate() {
            // An empty body is no message that could be looked at.
            let expected = reference(&fields.iter().collect::<Vec<_>>(), way);
            prop_assert!(*together.get(index) == expected, "{:?} {:?}", fields, points[index]);
            prop_assert!(extract(&exchange, &points[index..=index]).get(0) == together.get(index));
        }
    }

    #[test]
    fn a_cut_message_gives_what_the_whole_gives_or_says_that_it_was_cut(
        fields in fields(),
        ways in vec(way(true), 1..10),
        cut in any::<Index>(),
    ) {
        let body = encode(&fields);
        let cut = cut.index(body.len() + 1);
        let mut points: Vec<Point> = ways.iter().map(|way| point(&[Step::Protobuf], way)).collect();
        points.push(Point::parse("request > body > protobuf > property > all > property > all").unwrap());
        let whole = exchange(CapturedBody::whole(body.clone()), "application/protobuf");
        let part = exchange(CapturedBody::prefix(body[..cut].to_vec()), "application/protobuf");
        let (whole, part) = (extract(&whole, &points), extract(&part, &points));
        prop_assert!(part.parse_errors().is_empty(), "{:?}", part.parse_errors());
        let last = ways.len();
        for (index, point) in points[..last].iter().enumerate() {
            let (part, whole) = (part.get(index), whole.get(index));
            prop_assert!(part == whole || *part == Found::NotCaptured, "{:?} {} {:?}", fields, cut, point);
        }
        let whole: Vec<_> = whole.values(last).collect();
        prop_assert!(whole.starts_with(&part.values(last).collect::<Vec<_>>()));
    }

    #[test]
    fn messages_of_a_call_are_those_that_were_framed(
        messages in vec(fields(), 1..5),
        ways in vec((0..5_u32, way(true)), 1..10),
        cut in any::<Index>(),
    ) {
        let body: Vec<u8> = messages.iter().flat_map(|fields| frame(&encode(fields))).collect();
        let cut = cut.index(body.len() + 1);
        let points: Vec<Point> =
            ways.iter().map(|(message, way)| point(&[Step::Grpc, Step::Index(*message)], way)).collect();
        let whole = exchange(CapturedBody::whole(body.clone()), "application/grpc");
        let part = exchange(CapturedBody::prefix(body[..cut].to_vec()), "application/grpc");
        let (together, part) = (extract(&whole, &points), extract(&part, &points));
        prop_assert!(together.parse_errors().is_empty() && part.parse_errors().is_empty());
        for (index, (message, way)) in ways.iter().enumerate() {
            let expected = messages.get(*message as usize).map_or(Found::Absent, |fields| {
                reference(&fields.iter().collect::<Vec<_>>(), way)
            });
            prop_assert!(*together.get(index) == expected, "{:?} {:?}", messages, points[index]);
            prop_assert!(extract(&whole, &points[index..=index]).get(0) == together.get(index));
            let part = part.get(index);
            prop_assert!(part == together.get(index) || *part == Found::NotCaptured, "{} {:?}", cut, points[index]);
        }
    }
}
