//! What a point selects: bytes, value, or where it went astray.
#![allow(clippy::unwrap_used)]

mod support;

use threadline_model::{CapturedBody, Exchange};
use threadline_points::{Bounds, ListBounds, Point, Preview, Standing, list, preview, reference};

fn shown<'e>(exchange: &'e Exchange, point: &str) -> Preview<'e> {
    preview(&Point::parse(point).unwrap(), &[], exchange, Bounds::default()).unwrap()
}

/// The selected bytes as `part[exact or enclosing]: text`.
fn selected(exchange: &Exchange, point: &str) -> Vec<String> {
    let point_text = point;
    let preview = shown(exchange, point_text);
    let bytes = |selection: &threadline_points::Selection| -> Vec<u8> {
        use threadline_points::{SelectedPart, Side};
        let response = exchange.response.as_ref();
        let headers = match selection.side {
            Side::Request => &exchange.request.headers,
            Side::Response => &response.unwrap().headers,
        };
        match (selection.side, selection.part) {
            (_, SelectedPart::Method) => exchange.request.method.as_bytes().to_vec(),
            (_, SelectedPart::Target) => exchange.request.target.as_bytes().to_vec(),
            (_, SelectedPart::Version) => exchange.request.version.unwrap().as_str().as_bytes().to_vec(),
            (_, SelectedPart::Host) => exchange.request.host.as_ref().unwrap().as_bytes().to_vec(),
            (_, SelectedPart::Status) => response.unwrap().status.to_string().into_bytes(),
            (_, SelectedPart::Header(position)) => headers.as_map().iter().nth(position).unwrap().1.as_bytes().to_vec(),
            (Side::Request, SelectedPart::Body) => exchange.request.body.as_bytes().to_vec(),
            (Side::Response, SelectedPart::Body) => response.unwrap().body.as_bytes().to_vec(),
        }
    };
    preview
        .selections
        .iter()
        .map(|selection| {
            let text = String::from_utf8_lossy(&bytes(selection)[selection.range.clone()]).into_owned();
            let how = if selection.exact { "is" } else { "in" };
            format!("{} {how} {text}", selection.part.as_str())
        })
        .collect()
}

fn login() -> Exchange {
    support::exchange(
        "POST /shop/caf%C3%A9/login.do?p=1&name=a%20b&t=x&t=y",
        &[
            ("Cookie", "sid=abc; theme=dark%20blue"),
            ("Authorization", "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJqbyIsIm4iOjF9.c2ln"),
            ("Content-Type", "application/json"),
        ],
        r#"{"user":{"name":"jo","note":"a\nb","tags":["x","y"],"none":null,"empty":""},"n":12}"#,
        Some((200, &[("Set-Cookie", "sid=new; Path=/"), ("Set-Cookie", "other=1")], r#"[{"id":1},{"id":2}]"#)),
    )
}

#[test]
fn values_that_stand_in_the_message_are_selected_exactly() {
    let exchange = login();
    for (point, expected) in [
        ("request > method", "method is POST"),
        ("request > uri", "target is /shop/caf%C3%A9/login.do?p=1&name=a%20b&t=x&t=y"),
        ("request > path 0", "target is shop"),
        ("request > action_name", "target is login"),
        ("request > query p", "target is 1"),
        ("request > query t", "target is x"),
        ("request > query t > index 1", "target is y"),
        ("request > header COOKIE > cookie theme", "header is dark%20blue"),
        ("request > header AUTHORIZATION > jwt signature", "header is c2ln"),
        ("request > body > json > property user > property name", "body is jo"),
        ("request > body > json > property n", "body is 12"),
        ("request > body > json > property user > property tags > index 1", "body is y"),
        ("response > header SET-COOKIE > cookie sid", "header is new"),
        ("response > status", "status is 200"),
        ("response > body > json > index 1 > property id", "body is 2"),
    ] {
        assert_eq!(selected(&exchange, point), [expected], "{point}");
        assert!(shown(&exchange, point).stop.is_none(), "{point}");
    }
    let both = selected(&exchange, "response > body > json > index > all > property id");
    assert_eq!(both, ["body is 1", "body is 2"]);
}

#[test]
fn decoded_values_select_what_they_were_decoded_out_of() {
    let exchange = login();
    for (point, expected) in [
        ("request > host", "host in API.Shop.example:8443"),
        ("request > path 1", "target in caf%C3%A9"),
        ("request > query name", "target in a%20b"),
        ("request > query t > joined", "target in x"),
        ("request > header COOKIE > cookie theme > percent", "header in dark%20blue"),
        (
            "request > header AUTHORIZATION > jwt payload > property sub",
            "header in Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJqbyIsIm4iOjF9.c2ln",
        ),
        (
            "request > body > json > property user > property note",
            r#"body in {"user":{"name":"jo","note":"a\nb","tags":["x","y"],"none":null,"empty":""},"n":12}"#,
        ),
    ] {
        assert_eq!(selected(&exchange, point), [expected], "{point}");
    }
}

/// The step and what stands there, in words.
fn stop(exchange: &Exchange, point: &str) -> (usize, String) {
    let stop = shown(exchange, point).stop.unwrap();
    let standing = match stop.standing {
        Standing::Names { names, more } => {
            let names: Vec<_> =
                names.iter().map(|name| String::from_utf8_lossy(name.as_bytes()).into_owned()).collect();
            format!("{}{}", names.join(" "), if more > 0 { " …" } else { "" })
        }
        Standing::Elements(count) => format!("{count} elements"),
        Standing::Text(bytes) => format!("{bytes} bytes"),
        other => other.as_str().to_owned(),
    };
    (stop.step, standing)
}

#[test]
fn a_point_that_matches_nothing_says_where_it_went_astray() {
    let exchange = login();
    for (point, step, standing) in [
        ("request > query token", 1, "p name t"),
        ("request > header X-TOKEN", 1, "COOKIE AUTHORIZATION CONTENT-TYPE"),
        ("request > header COOKIE > cookie session", 2, "sid theme"),
        ("request > path 7", 1, "3 elements"),
        ("request > body > json > property user > property mail", 4, "name note tags none empty"),
        ("request > body > json > property user", 3, "name note tags none empty"),
        ("request > body > json > property user > property tags > property x", 5, "2 elements"),
        ("request > body > json > property user > property tags > index 5", 5, "2 elements"),
        ("request > body > json > property user > property tags", 4, "2 elements"),
        ("request > body > json > property user > property none", 4, "hollow"),
        ("request > body > json > property user > property empty", 4, "empty"),
        ("request > body > json > property n > property x", 4, "2 bytes"),
        ("request > body > json > index 0", 3, "user n"),
        ("request > body > form > property a", 2, "83 bytes"),
        ("request > header AUTHORIZATION > jwt payload > property role", 3, "sub n"),
        ("request > header CONTENT-TYPE > jwt payload > property role", 2, "16 bytes"),
        ("request > header CONTENT-TYPE > capture x(y)", 2, "16 bytes"),
        ("request > ja4", 1, "nothing"),
        ("response > body > json > property data", 3, "2 elements"),
    ] {
        assert_eq!(stop(&exchange, point), (step, standing.to_owned()), "{point}");
    }
}

#[test]
fn what_is_not_known_says_so_at_the_first_step_of_which_nothing_is() {
    let mut exchange = login();
    exchange.response = None;
    exchange.request.body = CapturedBody::prefix(&br#"{"a":{"b":1},"c"#[..]);
    assert_eq!(stop(&exchange, "response > body > json > property a"), (1, "not_captured".to_owned()));
    assert_eq!(stop(&exchange, "request > body > json > property c > property d"), (1, "not_captured".to_owned()));
    assert_eq!(selected(&exchange, "request > body > json > property a > property b"), ["body is 1"]);
    exchange.request.body = CapturedBody::whole(&br#"{"a":1,}"#[..]);
    let shown = shown(&exchange, "request > body > json > property z");
    assert_eq!(shown.errors.len(), 1);
    assert_eq!(stop(&exchange, "request > body > json > property z"), (3, "unparsable".to_owned()));
}

#[test]
fn masks_hide_values_and_the_names_inside_but_not_those_beside() {
    let exchange = login();
    let masks = [Point::parse("request > body > json > property user").unwrap()];
    let shown = |point: &str| preview(&Point::parse(point).unwrap(), &masks, &exchange, Bounds::default()).unwrap();
    for point in [
        "request > body > json > property user > property name",
        "request > body > json > property user",
        "request > body",
        "request > body > json > property user > property name > lower",
    ] {
        let preview = shown(point);
        assert_eq!(format!("{:?}", preview.found), "Masked", "{point}");
        assert_eq!(preview.stop.unwrap().standing, Standing::Masked, "{point}");
    }
    let inside = shown("request > body > json > property user > property mail").stop.unwrap();
    assert!(!format!("{inside:?}").contains("5 names"), "{inside:?}");
    assert!(!matches!(inside.standing, Standing::Names { .. }), "{inside:?}");
    let beside = shown("request > body > json > property mail").stop.unwrap();
    assert!(matches!(beside.standing, Standing::Names { .. }), "{beside:?}");
    let read_otherwise = shown("request > body > form > property a").stop.unwrap();
    assert!(!matches!(read_otherwise.standing, Standing::Names { .. } | Standing::Text(_)), "{read_otherwise:?}");
    assert_eq!(shown("request > body > json > property n").found.value(), Some(&b"12"[..]));
}

#[test]
fn captured_values_and_names_never_show_in_debug() {
    let exchange = support::exchange(
        "GET /?canary=canary",
        &[("X-Canary", "canary")],
        r#"{"canary":"canary","b":{"canary":1}}"#,
        None,
    );
    for point in ["request > query canary", "request > query x", "request > body > json > property b"] {
        let preview = shown(&exchange, point);
        let debug = format!("{preview:?}");
        assert!(!debug.contains("canary"), "{debug}");
    }
}

#[test]
fn the_reference_points_are_selected() {
    let exchange = reference::exchange(1024);
    for point in reference::POINTS {
        assert!(!shown(&exchange, point).selections.is_empty(), "{point}");
    }
}

#[test]
fn a_mask_in_another_format_hides_only_where_it_finds_something() {
    let show = |mask: &str, kind: &str, body: &str| {
        let exchange = support::exchange("POST /", &[("Content-Type", kind)], body, None);
        let point = Point::parse("request > body > json > property token").unwrap();
        let masks = [Point::parse(mask).unwrap()];
        let shown = preview(&point, &masks, &exchange, Bounds::default()).unwrap();
        let list = list(&exchange, &masks, Bounds::default(), ListBounds::default());
        let listed = list.points.iter().find(|listed| listed.point == point).map(|listed| listed.found.clone());
        (format!("{:?}", shown.found), listed.map(|found| format!("{found:?}")))
    };
    let both = |found: &str| (found.to_owned(), Some(found.to_owned()));
    let body = r#"{"token":"t&password=p"}"#;
    let form = "request > body > form > property password";
    assert_eq!(show(form, "application/json", body), both("Value(12 bytes)"));
    // Two formats read it, so names are hidden too.
    assert_eq!(show(form, "text/plain", body), ("Masked".to_owned(), None));
    assert_eq!(show("request > body > json > property other", "application/json", body), both("Value(12 bytes)"));
    assert_eq!(show("request > body > json > property token", "application/json", body), both("Masked"));
}
