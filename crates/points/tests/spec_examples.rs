//! The examples of the specification, one by one.
#![allow(clippy::unwrap_used)]

mod support;

use support::{exchange, resolve};

#[test]
fn path_rules() {
    let exchange = exchange("GET /blogs/123/index.php?q=aaa", &[], "", None);
    for (point, expected) in [
        ("request > uri", "/blogs/123/index.php?q=aaa"),
        ("request > path 0", "blogs"),
        ("request > path 1", "123"),
        ("request > action_name", "index"),
        ("request > action_ext", "php"),
        ("request > query q", "aaa"),
    ] {
        assert_eq!(resolve(&exchange, point), Ok(expected.to_owned()), "{point}");
    }
}

#[test]
fn nested_query_names() {
    let exchange = exchange("GET /?p1[x]=1&p2[]=a&p2[]=b&p3=1&p3=2", &[], "", None);
    for (point, expected) in [
        ("request > query p1 > property x", "1"),
        ("request > query p2 > index 1", "b"),
        ("request > query p3 > index 1", "2"),
        ("request > query p3 > joined", "1,2"),
        ("request > query p3", "1"),
    ] {
        assert_eq!(resolve(&exchange, point), Ok(expected.to_owned()), "{point}");
    }
}

#[test]
fn scalars_match_by_the_text_of_the_document_and_nothing_else_matches() {
    let body = r#"{"n":-1.50e+3,"t":true,"f":false,"z":null,"o":{},"a":[1],"e":"","s":"x"}"#;
    let exchange = exchange("POST /", &[], body, None);
    for (name, expected) in [
        ("n", Ok("-1.50e+3")),
        ("t", Ok("true")),
        ("f", Ok("false")),
        ("s", Ok("x")),
        ("z", Err("NotScalar")),
        ("o", Err("NotScalar")),
        ("a", Err("NotScalar")),
        ("e", Err("Empty")),
        ("missing", Err("Absent")),
    ] {
        let point = format!("request > body > json > property {name}");
        assert_eq!(resolve(&exchange, &point), expected.map(str::to_owned).map_err(str::to_owned), "{point}");
    }
}

#[test]
fn the_reference_keys_of_g5() {
    let login = exchange("POST /login", &[], r#"{"in":"bbb"}"#, Some((200, &[], r#"{"token":"aaa"}"#)));
    assert_eq!(resolve(&login, "response > body > json > property token"), Ok("aaa".to_owned()));
    let second = exchange("POST /x", &[], r#"{"in":"ccc","token":"aaa"}"#, Some((200, &[], "{}")));
    assert_eq!(resolve(&second, "response > body > json > property token"), Err("Absent".to_owned()));
    assert_eq!(resolve(&second, "request > body > json > property token"), Ok("aaa".to_owned()));
    let third = exchange("GET /y?token=aaa", &[], "", None);
    assert_eq!(resolve(&third, "request > query token"), Ok("aaa".to_owned()));
    assert_eq!(resolve(&third, "request > body > json > property token"), Err("Absent".to_owned()));
}

#[test]
fn a_broken_body_gives_what_stands_before_the_damage() {
    let exchange = exchange("POST /", &[], r#"{"a":"1","b":}"#, None);
    assert_eq!(resolve(&exchange, "request > body > json > property a"), Ok("1".to_owned()));
    assert_eq!(resolve(&exchange, "request > body > json > property b"), Err("Unparsable".to_owned()));
}

#[test]
fn ten_thousand_nested_arrays_are_a_reported_error() {
    let body = "[".repeat(10_000);
    let exchange = exchange("POST /", &[], &body, None);
    for point in ["request > body > json > index 0 > index 1", "request > body > json > property a"] {
        let (found, errors) = support::extract(&exchange, point);
        assert_eq!(found, Err("Unparsable".to_owned()), "{point}");
        assert_eq!(errors, ["request body json 128 nested too deeply"], "{point}");
    }
}
