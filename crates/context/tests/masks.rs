//! What a mask covers leaves in no form in which it could be read: not as a parameter, nor where it stands again.
#![allow(clippy::unwrap_used)]

mod support;

use serde_json::{Value, json};
use support::{exchange, select, whole_policy};
use threadline_model::Exchange;

fn selected(document: Value, exchange: &Exchange) -> String {
    select(&whole_policy(document), exchange, |contextual| format!("{contextual:#?}"))
}

fn masks(points: &[&str], parameters: Value) -> Value {
    let masks: Vec<Value> = points.iter().map(|point| json!({ "point": point })).collect();
    json!({"masks": masks, "parameters": parameters})
}

#[test]
fn a_masked_value_is_cut_wherever_it_appears() {
    let exchange = exchange(
        "POST /users/canary-name/orders?name=canary-name&q=x-canary-name-x\n\
         user-agent: app/1 canary-name\n\
         content-type: application/json\n\n\
         {\"profile\":{\"name\":\"canary-name\",\"city\":\"Ulm\"}}",
        "200",
    );
    let parameters = json!([
        {"name": "city", "point": "request > body > json > property profile > property city"},
        {"name": "name", "point": "request > body > json > property profile > property name", "type": "user"},
        {"name": "body", "point": "request > body"},
        {"name": "field", "point": "request > query name"},
        {"name": "q", "point": "request > query q"},
        {"name": "uri", "point": "request > uri"},
    ]);
    let shown = selected(masks(&[], parameters.clone()), &exchange);
    assert!(shown.contains("canary-name"), "the canary is there to be found");
    let shown = selected(masks(&["request > body > json > property profile > property name"], parameters), &exchange);
    assert!(!shown.contains("canary"), "{shown}");
    assert!(shown.contains("Ulm"), "what no mask covers still leaves");
}

#[test]
fn masked_places_of_the_head_are_cut() {
    let exchange = exchange(
        "GET /users/canary-path/x?canary-key=1&pin=canary-pin\n\
         user-agent: canary-agent\n\
         traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "200",
    );
    let parameters =
        json!([{"name": "pin", "point": "request > query pin"}, {"name": "part", "point": "request > path 1"}]);
    let all = [
        "request > path 1",
        "request > query pin",
        "request > query > names",
        "request > header USER-AGENT",
        "request > header TRACEPARENT",
        "request > host",
        "request > remote_addr",
    ];
    let shown = selected(masks(&[], parameters.clone()), &exchange);
    for place in ["canary-path", "canary-pin", "canary-key", "canary-agent", "0af765", "api.example", "203.0.113.7"] {
        assert!(shown.contains(place), "{place} is there to be found");
    }
    let shown = selected(masks(&all, parameters), &exchange);
    for place in ["canary", "0af765", "api.example", "203.0.113.7"] {
        assert!(!shown.contains(place), "{place}: {shown}");
    }
}

#[test]
fn a_masked_field_that_is_selected_shows_its_name_only() {
    // The second value is none that the point selects, but it stands under the same name.
    let exchange = exchange("GET /?pin=canary-1&pin=canary-2&a=1", "200");
    let parameters =
        json!([{"name": "pin", "point": "request > query pin"}, {"name": "a", "point": "request > query a"}]);
    let shown = selected(masks(&["request > query pin"], parameters), &exchange);
    assert!(!shown.contains("canary"), "{shown}");
    assert!(shown.contains("pin&pin&a=1"), "{shown}");
}

#[test]
fn a_mask_of_the_body_hides_what_is_asked_for_in_it() {
    let exchange = exchange(
        "POST /graphql\ncontent-type: application/json\n\n{\"query\":\"query CanaryName { canary(id: 1) { id } }\"}",
        "200",
    );
    for (mask, hidden) in [
        ("request > body", true),
        ("request > body > json > property query", true),
        ("request > body > json > property > all", true),
        ("request > body > json > property > names", true),
        ("request > body > json > property variables > property password", false),
        ("response > body", false),
    ] {
        let shown = selected(masks(&[mask], json!([])), &exchange);
        assert_eq!(!shown.contains("CanaryName"), hidden, "{mask}: {shown}");
    }
}

#[test]
fn a_mask_of_all_fields_hides_what_a_query_asks_for() {
    let exchange = exchange("GET /graphql?query=query%20CanaryName%20%7B%20canary%20%7D", "200");
    for (mask, hidden) in
        [("request > query > all", true), ("request > query query", true), ("request > query other", false)]
    {
        let shown = selected(masks(&[mask], json!([])), &exchange);
        assert_eq!(!shown.contains("CanaryName"), hidden, "{mask}: {shown}");
    }
}

#[test]
fn a_wider_mask_does_not_bare_a_hashed_value() {
    let exchange = exchange(
        "POST /cards/canary-4111?x=canary-4111\ncontent-type: application/json\n\n\
         {\"card\":{\"number\":\"canary-4111\",\"type\":\"debit\"}}",
        "200",
    );
    let parameters = json!([
        {"name": "card", "point": "request > body > json > property card > property number", "hashed": true},
        {"name": "x", "point": "request > query x"},
    ]);
    assert!(!selected(masks(&[], parameters.clone()), &exchange).contains("canary"));
    let shown = selected(masks(&["request > body > json > property card"], parameters), &exchange);
    assert!(!shown.contains("canary"), "{shown}");
}

#[test]
fn a_mask_of_the_host_header_covers_what_http_2_says_instead() {
    let mut exchange = exchange("GET /x", "200");
    exchange.request.host = Some(threadline_model::CapturedText::new("canary.example"));
    assert!(exchange.request.headers.first("host").is_none());
    assert!(selected(masks(&[], json!([])), &exchange).contains("canary"));
    let shown = selected(masks(&["request > header HOST"], json!([])), &exchange);
    assert!(!shown.contains("canary"), "{shown}");
}

#[test]
fn an_original_host_is_hidden_by_masks_of_each_place_it_stands_in() {
    let mut exchange = exchange(
        "GET /x\nhost: internal.example\nx-forwarded-host: a, canary.example\nforwarded: host=canary.example",
        "200",
    );
    exchange.request.host = Some(threadline_model::CapturedText::new("canary.example"));
    let trusted = |host: &[&str], mask: &str, parameters: Value| {
        let mut document = masks(&[mask], parameters);
        document["trusted_proxies"] = json!({"networks": ["10.0.0.0/8"], "host": host});
        selected(document, &exchange)
    };
    let all = ["forwarded", "x-forwarded-host"];
    for (read, mask, hidden) in [
        (&all[..], "request > host", true),
        (&all, "request > header HOST", true),
        (&all, "request > header X-FORWARDED-HOST", true),
        (&all, "request > header FORWARDED", true),
        (&all, "request > header > all", true),
        (&all, "request > header X-FORWARDED-FOR", false),
        (&all, "response > header FORWARDED", false),
        // Who hides addresses does not lose hosts that are not read there.
        (&all[1..], "request > header FORWARDED", false),
        (&[], "request > header X-FORWARDED-HOST", false),
    ] {
        let shown = trusted(read, mask, json!([]));
        assert_eq!(!shown.contains("canary"), hidden, "{mask}: {shown}");
    }
    let place = |header: &str| json!([{"name": "place", "point": format!("request > header {header}")}]);
    for header in ["X-FORWARDED-HOST", "FORWARDED"] {
        assert!(trusted(&all, "request > query a", place(header)).contains("canary"), "there to be found");
        let shown = trusted(&all, "request > host", place(header));
        assert!(!shown.contains("canary"), "{header}: {shown}");
        let host = json!([{"name": "host", "point": "request > host"}]);
        let shown = trusted(&all, &format!("request > header {header}"), host);
        assert!(!shown.contains("canary"), "{header}: {shown}");
    }
}

#[test]
fn a_mask_applies_within_its_scope_only() {
    let parameters = json!([{"name": "pin", "point": "request > query pin"}]);
    let document = |paths: &str| json!({"masks": [{"point": "request > query pin", "scope": {"paths": [paths]}}], "parameters": parameters});
    let exchange = exchange("GET /cards/7?pin=canary-pin", "200");
    assert!(!selected(document("/cards/*"), &exchange).contains("canary-pin"));
    assert!(selected(document("/orders"), &exchange).contains("canary-pin"));
}

#[test]
fn a_composite_key_shows_its_values_or_one_hash() {
    let exchange = exchange("GET /?a=canary-one&b=canary-two", "200");
    let document = |hashed: bool| {
        json!({"parameters": [{
            "name": "ab", "point": "request > query a", "with": ["request > query b"], "group": true, "hashed": hashed,
        }]})
    };
    let value = |hashed: bool| {
        select(&whole_policy(document(hashed)), &exchange, |contextual| contextual.session.value.as_str().to_owned())
    };
    assert_eq!(value(false), "canary-one + canary-two");
    let key = support::secret().parameter_key();
    assert_eq!(value(true), key.hash(&["canary-one", "canary-two"]).as_str());
    assert!(!selected(document(true), &exchange).contains("canary"), "further values are hashed as well");
}

#[test]
fn many_masked_values_hide_every_text() {
    let numbers: Vec<String> = (0..2_000).map(|number| format!("\"canary-{number}\"")).collect();
    let body = format!("POST /canary-1999/x\ncontent-type: application/json\n\n[{}]", numbers.join(","));
    let shown = selected(masks(&["request > body > json > index > all"], json!([])), &exchange(&body, "200"));
    assert!(!shown.contains("canary"), "{shown}");
}
