//! What a plan refuses, what it leaves alone, and its bounds.
#![allow(clippy::unwrap_used)]

mod support;

use threadline_model::CapturedBody;
use threadline_points::{Bounds, Found, Plan, PlanError, Point, Scratch};

fn points(texts: &[&str]) -> Vec<Point> {
    texts.iter().map(|text| Point::parse(text).unwrap()).collect()
}

fn compile(texts: &[&str]) -> Result<Plan, PlanError> {
    Plan::compile(&points(texts), Bounds::default())
}

#[test]
fn points_and_rounds_are_bounded() {
    let mut bounds = Bounds::default();
    bounds.points = 2;
    let three = points(&["request > method", "request > uri", "request > host"]);
    assert_eq!(Plan::compile(&three, bounds).unwrap_err(), PlanError::TooManyPoints { points: 3, bound: 2 });
    let deep = points(&[&format!("request > body{} > json", " > base64".repeat(Bounds::MAXIMUM_ROUNDS))]);
    let expected = PlanError::TooManyRounds { index: 0, point: deep[0].clone(), bound: Bounds::MAXIMUM_ROUNDS };
    assert_eq!(Plan::compile(&deep, Bounds::default()).unwrap_err(), expected);
}

#[test]
fn a_point_that_needs_more_rounds_than_are_set_is_reported_where_it_would_go_on() {
    let mut bounds = Bounds::default();
    bounds.rounds = 1;
    let all = points(&[
        "request > query a > base64",
        "request > query a > base64 > base64",
        "request > query a > base64 > json > property a",
        "request > query b > base64 > json",
    ]);
    let plan = Plan::compile(&all, bounds).unwrap();
    let exchange = support::exchange("GET /?a=YWI", &[], "", None);
    let extracted = plan.extract(&exchange, &mut Scratch::default());
    let found: Vec<_> = extracted.iter().map(support::in_words).collect();
    let unparsable = || Err("Unparsable".to_owned());
    assert_eq!(found, [Ok("ab".to_owned()), unparsable(), unparsable(), Err("Absent".to_owned())]);
    let errors: Vec<_> = extracted.parse_errors().iter().map(|error| (error.parser, error.reason)).collect();
    let reason = "the bound on formats inside each other is reached";
    assert_eq!(errors, [("base64", reason), ("json", reason)]);
}

#[test]
fn a_plan_without_body_points_does_not_look_at_bodies() {
    let plan = compile(&["request > method", "request > header X", "response > status"]).unwrap();
    let coded = [("Content-Encoding", "gzip")];
    let exchange = support::exchange("GET /", &coded, "{broken", Some((200, &coded, "{broken")));
    assert!(plan.extract(&exchange, &mut Scratch::default()).parse_errors().is_empty());
}

#[test]
fn an_empty_plan_finds_nothing() {
    let plan = compile(&[]).unwrap();
    assert!(plan.is_empty());
    let exchange = support::exchange("GET /", &[], "", None);
    let extracted = plan.extract(&exchange, &mut Scratch::default());
    assert!(extracted.is_empty());
    assert_eq!(*extracted.get(0), Found::Absent);
}

#[test]
fn equal_points_have_equal_results() {
    let plan = compile(&["request > query a", "request > query a > lower", "request > query a"]).unwrap();
    let exchange = support::exchange("GET /?a=X", &[], "", None);
    let extracted = plan.extract(&exchange, &mut Scratch::default());
    let found: Vec<_> = extracted.iter().map(support::in_words).collect();
    assert_eq!(found, ["X", "x", "X"].map(|value| Ok(value.to_owned())));
}

#[test]
fn what_decoders_produce_is_bounded_and_said() {
    let mut bounds = Bounds::default();
    bounds.decoded_bytes = 10;
    let plan = Plan::compile(&points(&["request > query a > base64", "request > query b > base64"]), bounds).unwrap();
    let exchange = support::exchange("GET /?a=YWFhYQ&b=YmJiYg", &[], "", None);
    let extracted = plan.extract(&exchange, &mut Scratch::default());
    assert_eq!(support::in_words(extracted.get(0)), Ok("aaaa".to_owned()));
    assert_eq!(*extracted.get(1), Found::Unparsable);
    assert_eq!(extracted.parse_errors()[0].reason, "the bound on decoded bytes is reached");
}

#[test]
fn parse_errors_are_bounded() {
    let texts: Vec<String> = (0..20).map(|number| format!("request > query q{number} > base64")).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let query: Vec<String> = (0..20).map(|number| format!("q{number}=!")).collect();
    let exchange = support::exchange(&format!("GET /?{}", query.join("&")), &[], "", None);
    let plan = compile(&texts).unwrap();
    let extracted = plan.extract(&exchange, &mut Scratch::default());
    assert_eq!(extracted.parse_errors().len(), Bounds::default().parse_errors);
    assert!(extracted.iter().all(|found| *found == Found::Unparsable));
}

#[test]
fn the_bound_on_depth_can_be_set() {
    let mut bounds = Bounds::default();
    bounds.depth = 3;
    let plan = Plan::compile(&points(&["request > body > json > property a"]), bounds).unwrap();
    let mut exchange = support::exchange("POST /", &[], r#"{"b":[[1]],"a":"x"}"#, None);
    assert_eq!(support::in_words(plan.extract(&exchange, &mut Scratch::default()).get(0)), Ok("x".to_owned()));
    exchange.request.body = CapturedBody::whole(r#"{"b":[[[1]]],"a":"x"}"#);
    assert_eq!(plan.extract(&exchange, &mut Scratch::default()).parse_errors()[0].offset, 7);
    // Beyond the largest bound there is no deeper nesting.
    bounds.depth = usize::MAX;
    let plan = Plan::compile(&points(&["request > body > json > property a"]), bounds).unwrap();
    exchange.request.body = CapturedBody::whole("[".repeat(5_000));
    assert_eq!(plan.extract(&exchange, &mut Scratch::default()).parse_errors()[0].offset, 1024);
}

#[test]
fn what_was_found_never_shows() {
    let plan = compile(&["request > query token", "request > body > json > property a"]).unwrap();
    let exchange = support::exchange("GET /?token=canary", &[], r#"{"canary"#, None);
    let extracted = plan.extract(&exchange, &mut Scratch::default());
    let shown = format!("{extracted:?} {plan:?} {}", extracted.parse_errors()[0].part);
    assert!(!shown.contains("canary"), "{shown}");
    assert!(shown.contains("Value(6 bytes)"), "{shown}");
}

#[test]
fn values_are_borrowed_from_the_exchange_where_nothing_was_decoded() {
    let texts =
        ["request > query token", "request > header X-A", "request > body > json > property a", "request > path 0"];
    let plan = compile(&texts).unwrap();
    let exchange = support::exchange("GET /p?token=t", &[("X-A", "h")], r#"{"a":"b"}"#, None);
    let extracted = plan.extract(&exchange, &mut Scratch::default());
    for (text, found) in texts.iter().zip(extracted.iter()) {
        assert!(matches!(found, Found::Value(std::borrow::Cow::Borrowed(_))), "{text}");
    }
}

#[test]
fn a_point_takes_no_more_values_than_the_bound_and_says_so_once() {
    let points: Vec<Point> = [
        "request > body > json > index > all",
        "request > body > json > index > all > joined",
        "request > query > names",
    ]
    .iter()
    .map(|text| Point::parse(text).unwrap())
    .collect();
    let mut bounds = Bounds::default();
    bounds.values = 3;
    let plan = Plan::compile(&points, bounds).unwrap();
    let exchange = support::exchange("POST /?a&b&c", &[], "[1,2,3,4,5]", None);
    let extracted = plan.extract(&exchange, &mut Scratch::default());
    assert_eq!(extracted.values(0).collect::<Vec<_>>(), [b"1", b"2", b"3"]);
    assert_eq!(support::in_words(extracted.get(1)), Ok("1,2,3,4,5".to_owned()));
    assert_eq!(extracted.values(2).count(), 3);
    let errors: Vec<String> =
        extracted.parse_errors().iter().map(|error| format!("{} {}", error.parser, error.reason)).collect();
    assert_eq!(errors, ["all the bound on values is reached"]);
}
