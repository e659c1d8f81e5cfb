//! Every point of an exchange: what is listed resolves to what stands beside it, in the order of the message.
#![allow(clippy::unwrap_used)]

mod support;

use proptest::prelude::*;
use threadline_model::{CapturedBody, Exchange};
use threadline_points::{Bounds, Found, ListBounds, Plan, Point, PointList, Scratch, list, reference};

fn listed(exchange: &Exchange) -> PointList {
    list(exchange, &[], Bounds::default(), ListBounds::default())
}

/// `point = value`, from a first point on.
fn lines(list: &PointList, from: &str) -> Vec<String> {
    let all = list.points.iter().map(|listed| {
        let value = match &listed.found {
            Found::Value(value) => String::from_utf8_lossy(value).into_owned(),
            other => format!("{other:?}"),
        };
        format!("{} = {value}", listed.point)
    });
    all.filter(|line| line.starts_with(from)).collect()
}

#[test]
fn the_order_is_that_of_the_message() {
    let exchange = support::exchange(
        "POST /blogs/123/index.php?p1[x]=1&p2[]=a&p2[]=b&p3=2",
        &[("Cookie", "b=2; a=1"), ("X-Id", "7"), ("Content-Type", "application/json")],
        r#"{"z":1,"a":{"b":[true,{"c":"d"}]},"e":"","n":null}"#,
        Some((200, &[], "plain text")),
    );
    assert_eq!(
        lines(&listed(&exchange), ""),
        [
            "request > method = POST",
            "request > scheme = https",
            "request > host = api.shop.example:8443",
            "request > uri = /blogs/123/index.php?p1[x]=1&p2[]=a&p2[]=b&p3=2",
            "request > action_name = index",
            "request > action_ext = php",
            "request > proto = HTTP/1.1",
            "request > path 0 = blogs",
            "request > path 1 = 123",
            "request > path 2 = index.php",
            "request > query p1 > property x = 1",
            "request > query p2 = a",
            "request > query p2 > index 0 = a",
            "request > query p2 > index 1 = b",
            "request > query p3 = 2",
            "request > header COOKIE = b=2; a=1",
            "request > header COOKIE > cookie b = 2",
            "request > header COOKIE > cookie a = 1",
            "request > header X-ID = 7",
            "request > header CONTENT-TYPE = application/json",
            r#"request > body = {"z":1,"a":{"b":[true,{"c":"d"}]},"e":"","n":null}"#,
            "request > body > json > property z = 1",
            "request > body > json > property a > property b > index 0 = true",
            "request > body > json > property a > property b > index 1 > property c = d",
            "request > body > json > property e = Empty",
            "request > remote_addr = 192.0.2.7",
            "response > status = 200",
            "response > body = plain text",
        ]
    );
}

#[test]
fn values_that_hold_another_format_are_opened() {
    let exchange = support::exchange(
        "GET /?state=eyJhIjp7ImIiOjF9fQ",
        &[
            ("Authorization", "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJqbyIsImN0eCI6ImUzMD0ifQ."),
            ("Cookie", "prefs=%7B%22lang%22%3A%22de%22%7D; pair=a=1&b=2"),
        ],
        "a=1&data=%7B%22x%22%3A%5B1%5D%7D",
        None,
    );
    let list = listed(&exchange);
    let found = lines(&list, "request > ");
    for expected in [
        "request > query state > base64 > json > property a > property b = 1",
        "request > header AUTHORIZATION > jwt prefix = Bearer",
        "request > header AUTHORIZATION > jwt header > property alg = none",
        "request > header AUTHORIZATION > jwt payload > property sub = jo",
        "request > header AUTHORIZATION > jwt signature = Empty",
        "request > header COOKIE > cookie prefs > percent > json > property lang = de",
        "request > header COOKIE > cookie pair > form > property b = 2",
        "request > body > form > property data > json > property x > index 0 = 1",
    ] {
        assert!(found.contains(&expected.to_owned()), "{expected} is missing in {found:#?}");
    }
    let basic = support::exchange("GET /", &[("Authorization", "Basic am86c2VjcmV0")], "", None);
    let expected = "request > header AUTHORIZATION > bearer > base64 = jo:secret";
    assert!(lines(&listed(&basic), "request > header").contains(&expected.to_owned()));
}

#[test]
fn compressed_and_cut_bodies_are_listed_as_far_as_they_go() {
    let mut exchange = support::coded("gzip", CapturedBody::whole(support::gzip(br#"{"a":{"b":1}}"#)));
    assert!(
        lines(&listed(&exchange), "request > body > json")
            .contains(&"request > body > json > property a > property b = 1".to_owned())
    );
    exchange = support::exchange("POST /", &[], "", None);
    exchange.request.body = CapturedBody::prefix(&br#"{"a":1,"b":{"c":2,"d":"cut he"#[..]);
    assert_eq!(
        lines(&listed(&exchange), "request > body"),
        ["request > body > json > property a = 1", "request > body > json > property b > property c = 2"]
    );
}

#[test]
fn what_is_listed_is_bounded_and_says_so() {
    let wide: Vec<String> = (0..2_000).map(|number| format!("\"n{number}\":{number}")).collect();
    let deep = format!("{}1{}", "{\"a\":".repeat(100), "}".repeat(100));
    let long = format!("{{\"a\":\"{}\"}}", "x".repeat(10_000));
    for body in [format!("{{{}}}", wide.join(",")), deep] {
        let list = listed(&support::exchange("POST /", &[], &body, None));
        assert!(list.truncated, "{} points", list.points.len());
        assert!(list.points.len() <= ListBounds::default().points);
    }
    let list = listed(&support::exchange("POST /", &[], &long, None));
    let point = list.points.iter().find(|listed| listed.point.to_string().ends_with("property a")).unwrap();
    assert_eq!((point.found.value().unwrap().len(), point.bytes), (256, 10_000));
    let few = ListBounds { points: 3, ..ListBounds::default() };
    let list = threadline_points::list(&reference::exchange(4096), &[], Bounds::default(), few);
    assert!(list.truncated && list.points.len() == 3);
}

#[test]
fn masks_leave_names_beside_and_nothing_inside() {
    let exchange = support::exchange("GET /?token=canary&q=a", &[], r#"{"card":{"canary":1},"b":2}"#, None);
    let masks =
        ["request > query token", "request > body > json > property card"].map(|text| Point::parse(text).unwrap());
    let list = list(&exchange, &masks, Bounds::default(), ListBounds::default());
    let found = lines(&list, "");
    assert!(found.contains(&"request > query token = Masked".to_owned()), "{found:#?}");
    assert!(found.contains(&"request > query q = a".to_owned()), "{found:#?}");
    assert!(found.contains(&"request > uri = Masked".to_owned()), "{found:#?}");
    assert!(found.contains(&"request > body = Masked".to_owned()), "{found:#?}");
    assert!(found.contains(&"request > body > json > property b = 2".to_owned()), "{found:#?}");
    assert!(found.iter().all(|line| !line.contains("canary")), "{found:#?}");
    assert!(!format!("{list:?}").contains("= a"));
}

/// Every listed point alone gives what is listed.
fn assert_listed_points_resolve(exchange: &Exchange) {
    let list = listed(exchange);
    let mut spellings = std::collections::BTreeSet::new();
    for listed in &list.points {
        assert!(spellings.insert(listed.point.to_string()), "{} stands twice", listed.point);
        assert_eq!(Point::parse(&listed.point.to_string()).as_ref(), Ok(&listed.point));
        let plan = Plan::compile(std::slice::from_ref(&listed.point), Bounds::default()).unwrap();
        let mut scratch = Scratch::default();
        let extracted = plan.extract(exchange, &mut scratch);
        match (extracted.get(0), &listed.found) {
            (Found::Value(alone), Found::Value(shown)) => {
                assert!(alone.starts_with(shown) && alone.len() == listed.bytes, "{}", listed.point);
            }
            (alone, shown) => assert_eq!(alone, shown, "{}", listed.point),
        }
    }
}

fn document() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<u16>().prop_map(Into::into),
        "[a-c&=%{}\\[\\]\" ]{0,12}".prop_map(Into::into),
        Just("eyJhbGciOiJub25lIn0.eyJzdWIiOiJqbyJ9.".into()),
        Just("{\"a\":[1,{\"b\":\"%7B%7D\"}]}".into()),
        Just("eyJhIjp7ImIiOjF9fQ==".into()),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
            prop::collection::btree_map("[a-c\"\\\\ >]{0,3}", inner, 0..4)
                .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_listed_spelling_resolves_to_the_listed_value(
        document in document(),
        query in "[a-c\\[\\]=&%20+]{0,40}",
        cookie in "[a-c=; %{}\"]{0,30}",
        form in "[a-c\\[\\]=&%41]{0,40}",
        cut in any::<prop::sample::Index>(),
    ) {
        let body = document.to_string();
        let mut exchange = support::exchange(
            &format!("POST /a/b.c?{query}"),
            &[("Cookie", &cookie), ("X-Json", "{\"a\":{\"b\":[1]}}")],
            &body,
            Some((200, &[("Set-Cookie", &cookie)], &form)),
        );
        assert_listed_points_resolve(&exchange);
        exchange.request.body = CapturedBody::prefix(body.as_bytes()[..cut.index(body.len() + 1)].to_vec());
        assert_listed_points_resolve(&exchange);
    }

    #[test]
    fn no_bytes_make_a_list_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut exchange = support::exchange("POST /", &[], "", None);
        exchange.request.body = CapturedBody::whole(body);
        assert_listed_points_resolve(&exchange);
    }
}

#[test]
fn tags_are_listed_by_their_names_and_repeated_ones_by_number() {
    let body = "<s:Envelope xmlns:s='u'><s:Body><item>a</item><item>b</item><t>{\"x\":1}</t></s:Body></s:Envelope>";
    let exchange = support::exchange("POST /", &[("Content-Type", "text/xml")], body, None);
    let point = |rest: &str| format!("request > body > xml > property Envelope > property Body > {rest}");
    assert_eq!(
        lines(&listed(&exchange), "request > body > xml"),
        [
            point("property item = a"),
            point("property item > index 0 = a"),
            point("property item > index 1 = b"),
            point("property t = {\"x\":1}"),
            point("property t > json > property x = 1"),
        ]
    );
}
