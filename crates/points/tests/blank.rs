//! What masks cover is not in the exchange that is shown.
#![allow(clippy::unwrap_used)]

mod support;

use proptest::prelude::*;
use threadline_model::{CapturedBody, CapturedHeaders, CapturedText, Exchange};
use threadline_points::{Bounds, Point, blank};

/// Everything of an exchange that is text, in one.
fn text(exchange: &Exchange) -> String {
    let mut text = Vec::new();
    let request = &exchange.request;
    let mut add = |part: &[u8]| {
        text.extend_from_slice(part);
        text.push(b'\n');
    };
    add(request.method.as_bytes());
    add(request.host.as_ref().unwrap().as_bytes());
    add(request.target.as_bytes());
    request
        .headers
        .as_map()
        .iter()
        .for_each(|(name, value)| add(&[name.as_str().as_bytes(), b": ", value.as_bytes()].concat()));
    add(request.body.as_bytes());
    if let Some(response) = &exchange.response {
        response
            .headers
            .as_map()
            .iter()
            .for_each(|(name, value)| add(&[name.as_str().as_bytes(), b": ", value.as_bytes()].concat()));
        add(response.body.as_bytes());
    }
    String::from_utf8_lossy(&text).into_owned()
}

fn blanked(exchange: &Exchange, masks: &[&str]) -> Exchange {
    let masks: Vec<Point> = masks.iter().map(|mask| Point::parse(mask).unwrap()).collect();
    blank(exchange, &masks, Bounds::default())
}

fn exchange(body: &str) -> Exchange {
    support::exchange(
        "POST /a/b?token=canary&q=visible",
        &[("Cookie", "sid=canary; theme=visible"), ("X-Key", "canary"), ("Host", "api.shop.example")],
        body,
        Some((200, &[("Set-Cookie", "sid=canary; Path=/"), ("Set-Cookie", "theme=visible")], "{}")),
    )
}

#[test]
fn values_become_stars_of_the_same_length_and_the_rest_stays() {
    let before = exchange(r#"{"password":"canary","user":"visible"}"#);
    let after = blanked(
        &before,
        &[
            "request > query token",
            "request > header COOKIE > cookie sid",
            "request > header X-KEY",
            "request > body > json > property password",
            "response > header SET-COOKIE",
        ],
    );
    let shown = text(&after);
    assert!(!shown.contains("canary"), "{shown}");
    assert!(shown.contains("/a/b?token=******&q=visible"), "{shown}");
    assert!(shown.contains("cookie: sid=******; theme=visible"), "{shown}");
    assert!(shown.contains(r#"{"password":"******","user":"visible"}"#), "{shown}");
    assert_eq!(shown.len(), text(&before).len());
    assert_eq!(text(&blanked(&before, &[])), text(&before));
}

#[test]
fn repeated_tags_are_blanked_together_however_they_are_spelled() {
    let before =
        exchange("<a xmlns:s='u'><s:item k='visible'>canary</s:item><b>visible</b><s:item>canary</s:item></a>");
    for mask in ["property item", "property s:item", "property u|x|item", "property item > index 0"] {
        let shown = text(&blanked(&before, &[&format!("request > body > xml > property a > {mask}")]));
        let body = shown.lines().find(|line| line.starts_with("<a") || line.starts_with('*')).unwrap();
        assert!(!body.contains("canary"), "{mask}: {body}");
    }
    let shown = text(&blanked(&before, &["request > body > xml > property a > property b"]));
    assert!(shown.contains("<b>*******</b>") && shown.contains("<s:item k='visible'>"), "{shown}");
}

#[test]
fn what_cannot_be_told_apart_is_blanked_as_a_whole() {
    for (body, mask) in [
        // Repeated names: a point takes one, the other stays to be seen.
        (r#"{"password":"canary","b":1,"password":"x"}"#, "request > body > json > property password"),
        (
            r#"{"a":{"password":"canary"},"a":{"password":"x"}}"#,
            "request > body > json > property a > property password",
        ),
        ("password=x&password=canary", "request > body > form > property password"),
        // Escaped, so that it stands nowhere as it is.
        (r#"{"password":"can\u0061ry canary"}"#, "request > body > json > property password"),
        // Not a scalar.
        (r#"{"card":{"number":"canary"}}"#, "request > body > json > property card"),
        // Behind damage.
        (r#"{"a":1,, "password":"canary"}"#, "request > body > json > property password"),
    ] {
        let shown = text(&blanked(&exchange(body), &[mask]));
        assert!(!shown.lines().nth(6).unwrap().contains("canary"), "{mask}: {shown}");
    }
    let twice = support::exchange("GET /?t=1&t=canary", &[("X-A", "1"), ("X-A", "canary")], "", None);
    let shown = text(&blanked(&twice, &["request > query t", "request > header X-A"]));
    assert!(!shown.contains("canary"), "{shown}");
    let cut = {
        let mut cut = exchange("");
        cut.request.body = CapturedBody::prefix(&br#"{"a":1,"password":"canary"#[..]);
        cut
    };
    let shown = text(&blanked(&cut, &["request > body > json > property password"]));
    assert!(!shown.contains("\"canary"), "{shown}");
}

#[test]
fn a_compressed_body_with_a_masked_value_is_blanked() {
    let coded = support::coded("gzip", CapturedBody::whole(support::gzip(br#"{"password":"canary"}"#)));
    let after = blanked(&coded, &["request > body > json > property password"]);
    assert!(after.request.body.as_bytes().iter().all(|byte| *byte == b'*'));
}

#[test]
fn a_host_is_blanked_in_both_its_places_and_addresses_go() {
    let shown = blanked(&exchange(""), &["request > host", "request > remote_addr"]);
    assert!(!text(&shown).contains("shop"), "{}", text(&shown));
    assert_eq!(shown.client, None);
    let shown = blanked(&exchange(""), &["request > header HOST"]);
    assert!(!text(&shown).contains("shop"), "{}", text(&shown));
}

#[test]
fn a_host_is_blanked_in_every_header_that_it_may_have_been_read_from() {
    let mut exchange = exchange("");
    let mut headers = exchange.request.headers.as_map().clone();
    headers.append("x-forwarded-host", "canary.example".parse().unwrap());
    headers.append("x-forwarded-host", "b, canary.example".parse().unwrap());
    headers.append("forwarded", "for=192.0.2.1;host=canary.example".parse().unwrap());
    exchange.request.headers = CapturedHeaders::new(headers);
    exchange.request.host = Some(CapturedText::new("canary.example"));
    let shown = blanked(&exchange, &["request > host"]);
    assert!(!text(&shown).contains("example") && !text(&shown).contains("shop"), "{}", text(&shown));
    for header in ["HOST", "X-FORWARDED-HOST", "FORWARDED"] {
        let shown = blanked(&exchange, &[&format!("request > header {header}")]);
        let host = shown.request.host.unwrap();
        assert!(host.as_bytes().iter().all(|byte| *byte == b'*'), "{header}");
    }
    for other in ["request > header X-FORWARDED-FOR", "response > header FORWARDED"] {
        let shown = blanked(&exchange, &[other]);
        assert_eq!(shown.request.host.unwrap().as_bytes(), b"canary.example", "{other}");
    }
}

fn respelled() -> impl Strategy<Value = String> {
    prop_oneof![Just("canary".to_owned()), Just("can\\u0061ry".to_owned()), Just("x".to_owned()),]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_under_a_masked_name_is_left(
        names in prop::collection::vec((prop::sample::select(vec!["a", "b", "secret"]), respelled()), 0..6),
        nested in any::<bool>(),
        cut in any::<prop::sample::Index>(),
    ) {
        // The name that is masked holds the canary, whatever else is there and however often.
        let members: Vec<String> = names
            .iter()
            .map(|(name, value)| format!("\"{name}\":\"{}\"", if *name == "secret" { value.as_str() } else { "visible" }))
            .collect();
        let object = format!("{{{}}}", members.join(","));
        let (body, mask) = match nested {
            true => (format!("{{\"in\":{object},\"b\":1}}"), "request > body > json > property in > property secret"),
            false => (object, "request > body > json > property secret"),
        };
        let mut exchange = support::exchange("POST /", &[], &body, None);
        prop_assert!(!text(&blanked(&exchange, &[mask])).contains("canary"));
        exchange.request.body = CapturedBody::prefix(body.as_bytes()[..cut.index(body.len() + 1)].to_vec());
        let shown = text(&blanked(&exchange, &[mask]));
        prop_assert!(!shown.contains("can"), "{}", shown);
    }
}

#[test]
fn parts_and_fields_of_messages_become_stars_or_all_of_the_body_does() {
    let sent = |content_type: &str, body: &str| {
        let mut exchange = support::exchange("POST /", &[("Content-Type", content_type)], body, None);
        exchange.request.host = Some(CapturedText::new("a"));
        exchange
    };
    let part = |name: &str, content: &str| {
        format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{content}\r\n")
    };
    let parts = |parts: &[(&str, &str)]| {
        let body: String = parts.iter().map(|(name, content)| part(name, content)).collect();
        sent("multipart/form-data; boundary=b", &format!("{body}--b--"))
    };
    let messages = |body: &str| sent("application/protobuf", body);
    // Field 1 `visible`, field 2 `canary`, a message in field 3 with `canary` in field 1.
    let (visible, canary, message) = ("\n\u{7}visible", "\u{12}\u{6}canary", "\u{1a}\u{8}\n\u{6}canary");
    let password = "request > body > multipart password";
    let field = "request > body > protobuf > property 2";
    let nested = "request > body > protobuf > property 3 > property 1";
    for (exchange, mask, shows_the_rest) in [
        (parts(&[("user", "visible"), ("password", "canary")]), password, true),
        (parts(&[("password", "x"), ("user", "visible"), ("password", "canary")]), password, false),
        (parts(&[("password", "x"), ("user", "visible"), ("password[old]", "canary")]), password, false),
        (messages(&format!("{visible}{canary}")), field, true),
        (messages(&format!("{visible}{message}")), nested, true),
        (messages(&format!("{visible}\u{12}\u{1}x{canary}")), field, false),
        (messages(&format!("{visible}{message}\u{1a}\u{3}\n\u{1}x")), nested, false),
        (messages(&format!("{visible}\u{12}\u{7f}canary")), field, false),
    ] {
        let shown = text(&blanked(&exchange, &[mask]));
        assert!(!shown.contains("canary"), "{mask} {shown}");
        assert_eq!(shown.contains("visible"), shows_the_rest, "{mask} {shown}");
    }
}
