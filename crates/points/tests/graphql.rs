//! Properties of GraphQL: what is valid is walked to its end, a cut never invents, points do not disturb each other.
#![allow(clippy::unwrap_used)]

mod support;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value, json};
use threadline_model::{CapturedBody, Exchange};
use threadline_points::{Bounds, Extracted, Found, Plan, Point, Scratch};

const POINTS: [&str; 30] = [
    "query > names",
    "query > all > field > names",
    "query > all > field > all > argument > all",
    "query > all > field a > argument x",
    "query > all > spread",
    "query > all > inline > type",
    "query A > field a > argument x",
    "query A > field a > argument x > property k",
    "query A > field a > argument x > property k > index 1",
    "query A > field a > argument x > property > names",
    "query A > field a > argument x > property > all > joined",
    "query A > field a > argument x > index > all",
    "query A > field a > argument > names",
    "query A > field a > alias",
    "query A > field a > field b > argument y",
    "query A > field a > directive > property d > argument x",
    "query A > inline > field b > argument x",
    "query A > inline > type",
    "query A > spread",
    "query A > variable v",
    "query A > variable v > property k",
    "query A > variable > all",
    "query A > variable > names",
    "query \"\" > field a > argument x",
    "mutation > all > field > all > alias",
    "fragment > property F > field a > argument x",
    "fragment > property > names",
    "variable v",
    "variable v > property k",
    "variable > names",
];

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => select(vec!["a", "b", "x", "y", "k", "v", "A", "F", "d"]).prop_map(str::to_owned),
        1 => select(vec!["query", "fragment", "true", "null", "type"]).prop_map(str::to_owned),
        1 => "[A-Za-z_][A-Za-z0-9_]{0,6}".prop_filter("a keyword", |name| name != "on"),
    ]
}

/// What may stand between two tokens.
fn blank() -> impl Strategy<Value = &'static str> {
    select(vec![" ", "\n", ",", " # {\"\n", "\t\r\n  ", "\u{feff}"])
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zé \\\\]{0,6}".prop_map(|text| format!("\"{}\"", text.replace('\\', "\\\\"))),
        select(vec![
            "\"\\u00e9\\u{1F600}\\ud83d\\ude00\\n\"",
            "\"\"",
            "\"\"\"\"\"\"",
            "\"\"\"a\n  b\n   c \\\"\"\" \"\"\""
        ])
        .prop_map(str::to_owned),
    ]
}

fn value(constant: bool) -> BoxedStrategy<String> {
    let variable =
        if constant { Just("null".to_owned()).boxed() } else { name().prop_map(|name| format!("${name}")).boxed() };
    let leaf = prop_oneof![
        (-99_i32..999).prop_map(|number| number.to_string()),
        select(vec!["1.5", "-0.25e+3", "true", "false", "null", "ENUM"]).prop_map(str::to_owned),
        text(),
        variable,
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(|items| format!("[{}]", items.join(" "))),
            vec((name(), inner), 0..3).prop_map(|fields| {
                let fields: Vec<String> = fields.into_iter().map(|(name, value)| format!("{name}: {value}")).collect();
                format!("{{{}}}", fields.join(" "))
            }),
        ]
    })
    .boxed()
}

fn arguments(constant: bool) -> impl Strategy<Value = String> {
    vec((name(), value(constant), blank()), 0..3).prop_map(|arguments| {
        let arguments: String =
            arguments.into_iter().map(|(name, value, blank)| format!("{name}{blank}:{value}{blank}")).collect();
        if arguments.is_empty() { arguments } else { format!("({arguments})") }
    })
}

fn directives(constant: bool) -> impl Strategy<Value = String> {
    let directive = (name(), arguments(constant)).prop_map(|(name, arguments)| format!("@{name}{arguments}"));
    prop_oneof![3 => Just(String::new()), 1 => vec(directive, 1..3).prop_map(|all| all.join(" "))]
}

fn selections() -> impl Strategy<Value = String> {
    let field = || {
        (prop_oneof![3 => Just(None), 1 => name().prop_map(Some)], name(), arguments(false), directives(false))
            .prop_map(|(alias, name, arguments, directives)| match alias {
                Some(alias) => format!("{alias}: {name}{arguments}{directives}"),
                None => format!("{name}{arguments}{directives}"),
            })
    };
    let leaf = prop_oneof![
        4 => field(),
        1 => (name(), directives(false)).prop_map(|(name, directives)| format!("...{name} {directives}")),
    ];
    let set = |selections: Vec<(String, &'static str)>| {
        let selections: String = selections.into_iter().map(|(selection, blank)| selection + " " + blank).collect();
        format!("{{{selections}}}")
    };
    let selection = leaf.prop_recursive(3, 16, 3, move |inner| {
        let nested = vec((inner, blank()), 1..3).prop_map(set).boxed();
        prop_oneof![
            3 => (field(), nested.clone()).prop_map(|(field, nested)| field + " " + &nested),
            1 => (name(), directives(false), nested.clone())
                .prop_map(|(name, directives, nested)| format!("... on {name} {directives}{nested}")),
            1 => (directives(false), nested).prop_map(|(directives, nested)| format!("...{directives}{nested}")),
        ]
    });
    vec((selection, blank()), 1..4).prop_map(set)
}

fn definition() -> impl Strategy<Value = String> {
    let kind = select(vec!["query", "query", "query", "mutation", "subscription"]);
    let variable = (name(), prop_oneof![Just(None), value(true).prop_map(Some)], directives(true)).prop_map(
        |(name, default, directives)| match default {
            Some(default) => format!("${name}: [T!]! = {default} {directives}"),
            None => format!("\"told\" ${name}: T {directives}"),
        },
    );
    let variables = prop_oneof![
        Just(String::new()),
        vec(variable, 1..3).prop_map(|variables| format!("({})", variables.join(" "))),
    ];
    let named = prop_oneof![3 => Just("A".to_owned()), 1 => name(), 1 => Just(String::new())];
    prop_oneof![
        4 => (kind, named, variables, directives(false), selections())
            .prop_map(|(kind, name, variables, directives, set)| format!("{kind} {name}{variables}{directives}{set}")),
        1 => selections(),
        1 => (name(), name(), directives(false), selections())
            .prop_map(|(name, on, directives, set)| format!("fragment {name} on {on} {directives}{set}")),
    ]
}

fn document() -> impl Strategy<Value = String> {
    vec((definition(), blank()), 1..3).prop_map(|definitions| {
        definitions.into_iter().map(|(definition, blank)| blank.to_owned() + &definition).collect()
    })
}

fn variables() -> impl Strategy<Value = Value> {
    let leaf =
        prop_oneof![Just(Value::Null), any::<i32>().prop_map(Value::from), "[a-zé\"\\\\]{0,6}".prop_map(Value::from),];
    let value = leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Value::from),
            vec((name(), inner), 0..3).prop_map(|members| members.into_iter().collect()),
        ]
    });
    vec((name(), value), 0..4).prop_map(|members| members.into_iter().collect())
}

/// A request in JSON, its members in one order or the other, alone or in a batch.
fn body() -> impl Strategy<Value = String> {
    let post = || {
        (document(), variables(), any::<bool>()).prop_map(|(document, variables, first)| {
            let (document, variables) = (json!(document), variables);
            if first {
                format!("{{\"variables\":{variables},\"query\":{document}}}")
            } else {
                format!("{{\"query\":{document}, \"operationName\":\"A\" ,\"variables\":{variables}}}")
            }
        })
    };
    prop_oneof![2 => post(), 1 => vec(post(), 1..3).prop_map(|posts| format!("[{}]", posts.join(", "))), 1 => document()]
}

fn points() -> Vec<Point> {
    POINTS.iter().map(|text| Point::parse(&format!("request > body > graphql > {text}")).unwrap()).collect()
}

fn extract<'e>(exchange: &'e Exchange, points: &[Point]) -> Extracted<'e> {
    Plan::compile(points, Bounds::default()).unwrap().extract(exchange, &mut Scratch::default())
}

fn request(body: &str) -> Exchange {
    support::exchange("POST /graphql", &[("Content-Type", "application/graphql")], body, None)
}

proptest! {
    // A failure becomes a case in `testdata/points`, not a seed in a file.
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn valid_documents_are_walked_to_their_end_and_points_do_not_disturb_each_other(body in body()) {
        let exchange = request(&body);
        let points = points();
        let together = extract(&exchange, &points);
        prop_assert!(together.parse_errors().is_empty(), "{} {:?}", body, together.parse_errors());
        for (index, point) in points.iter().enumerate() {
            let alone = extract(&exchange, std::slice::from_ref(point));
            prop_assert!(alone.get(0) == together.get(index), "{} {}", body, point);
            prop_assert!(alone.values(0).eq(together.values(index)), "{} {}", body, point);
        }
    }

    #[test]
    fn a_cut_body_gives_what_the_whole_gives_or_says_that_it_was_cut(body in body(), cut in any::<Index>()) {
        let points = points();
        let whole = request(&body);
        let whole = extract(&whole, &points);
        let cut = cut.index(body.len() + 1);
        let mut exchange = request("");
        exchange.request.body = CapturedBody::prefix(body.as_bytes()[..cut].to_vec());
        let part = extract(&exchange, &points);
        prop_assert!(part.parse_errors().is_empty(), "{} {} {:?}", body, cut, part.parse_errors());
        for (index, point) in points.iter().enumerate() {
            let (found, expected): (Vec<_>, Vec<_>) = (part.values(index).collect(), whole.values(index).collect());
            let unknown = matches!(part.get(index), Found::NotCaptured);
            prop_assert!(expected.starts_with(&found), "{} {} {}", body, cut, point);
            prop_assert!(!found.is_empty() || unknown || part.get(index) == whole.get(index) || expected.is_empty(),
                "{} {} {} {:?}", body, cut, point, part.get(index));
        }
    }

    #[test]
    fn damage_never_panics_and_is_reported_inside_the_body(
        body in body(),
        at in any::<Index>(),
        damage in select(vec![&b"\x00"[..], b"\xff", b"}", b"{", b")", b"\"", b"\\", b"...", b"$", b"\\ud83d"]),
    ) {
        let at = at.index(body.len() + 1);
        let damaged = [&body.as_bytes()[..at], damage, &body.as_bytes()[at..]].concat();
        let mut exchange = request("");
        exchange.request.body = CapturedBody::whole(damaged.clone());
        let extracted = extract(&exchange, &points());
        // A zero at its start makes it a text in UTF-16, in which places are counted in UTF-8.
        let is_wide = damaged.iter().take(2).any(|byte| *byte == 0);
        let longest = if is_wide { damaged.len() / 2 * 3 + 3 } else { damaged.len() };
        prop_assert!(extracted.parse_errors().iter().all(|error| error.offset as usize <= longest));
    }
}
