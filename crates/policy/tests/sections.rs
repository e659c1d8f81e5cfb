//! Applications, analysed traffic, masks, scopes and composite keys: what is accepted, what is refused
//! with which field, and what holds for an exchange.
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};
use threadline_model::{
    CapturedBody, CapturedHeaders, CapturedText, Exchange, ExchangeId, Outcome, Request, Scheme, Sizes, Source,
    Timestamp, TlsFingerprints,
};
use threadline_policy::{Policy, Reach};

fn judge(mut document: Value) -> Result<Policy, Vec<String>> {
    if document.get("parameters").is_none() {
        document["parameters"] = json!([]);
    }
    let document = serde_json::from_value(document).unwrap();
    Policy::validate(1, document).map_err(|errors| errors.iter().map(ToString::to_string).collect())
}

fn accepted(document: Value) -> Policy {
    let policy = judge(document).unwrap();
    assert_eq!(Policy::validate(1, policy.document()).as_ref(), Ok(&policy), "it reads what it writes");
    policy
}

/// What is wrong, without what may stand there instead.
fn refused(document: Value) -> Vec<String> {
    let errors = judge(document).unwrap_err();
    errors.iter().map(|error| error.split("; after").next().unwrap().to_owned()).collect()
}

fn request(host: &str, method: &str, target: &str) -> Exchange {
    let text = |text: &str| CapturedText::new(text.as_bytes().to_vec());
    Exchange {
        id: ExchangeId::from_bytes([1; 16]),
        started: Timestamp::from_micros(0),
        duration_us: None,
        upstream_us: None,
        source: Source::Proxy,
        client: None,
        fingerprints: TlsFingerprints::default(),
        request: Request {
            method: text(method),
            scheme: Some(Scheme::Https),
            version: None,
            host: Some(text(host)),
            target: text(target),
            headers: CapturedHeaders::default(),
            body: CapturedBody::not_captured(),
        },
        response: None,
        sizes: Sizes::default(),
        outcome: Outcome::Completed,
    }
}

#[test]
fn what_applications_scopes_and_masks_mean_for_an_exchange() {
    let policy = accepted(json!({
        "applications": [
            {"id": "admin", "name": "Back office", "hosts": ["*.shop.example"], "paths": ["/admin"]},
            {"id": "shop", "hosts": ["api.shop.example"]},
        ],
        "analysed": {"applications": ["admin", "shop"]},
        "masks": [
            {"point": "request > query pin", "scope": {"paths": ["/**/pay"], "methods": ["post"]}},
            {"point": "request > header X-SECRET"},
        ],
        "parameters": [
            {"name": "a", "point": "request > query a", "group": true, "scope": {"applications": ["shop"]}},
            {"name": "b", "point": "request > query b", "scope": {"hosts": ["*.shop.example"], "paths": ["/admin"]}},
            {"name": "c", "point": "request > query c"},
        ],
    }));
    // Masks stand in the order of their points.
    let pin = policy.masks().iter().position(|mask| mask.point.to_string() == "request > query pin").unwrap();
    let tell = |reach: Reach| {
        let outside = (0..3).map(|parameter| reach.is_outside(parameter)).collect::<Vec<_>>();
        let masks = reach.masks().map(|mask| if mask == pin { "pin" } else { "header" }).collect::<Vec<_>>();
        (reach.passes_by, policy.applications().id(reach.application).to_owned(), outside, masks)
    };
    let shop = policy.reach(&request("api.shop.example", "POST", "/orders/pay?a=1"));
    assert_eq!(tell(shop), (false, "shop".into(), vec![false, true, false], vec!["header", "pin"]));
    let admin = policy.reach(&request("www.shop.example", "GET", "/admin/pay?a=1"));
    assert_eq!(tell(admin), (false, "admin".into(), vec![true, false, false], vec!["header"]));
    let lenient = policy.reach(&request("www.shop.example", "pOSt", "//x/..//%70ay"));
    assert_eq!(tell(lenient), (true, "default".into(), vec![true, true, false], vec!["header", "pin"]));
}

#[test]
fn a_policy_without_applications_scopes_and_masks_asks_nothing() {
    let policy = accepted(json!({"parameters": [{"name": "a", "point": "request > query a"}]}));
    assert_eq!(policy.reach(&request("api.shop.example", "GET", "/")), Reach::default());
}

#[test]
fn applications_are_told_apart_and_can_be_reached() {
    assert_eq!(
        refused(json!({"applications": [
            {"id": "Shop", "hosts": ["a.example"]},
            {"id": "default", "hosts": ["a.example"]},
            {"id": "empty"},
            {"id": "odd", "name": " x", "hosts": ["a b", "b.example", "B.example"], "paths": ["api"]},
            {"id": "shop", "hosts": ["*.shop.example"]},
            {"id": "shop", "hosts": ["c.example"]},
            {"id": "late", "hosts": ["api.shop.example"], "paths": ["/x"]},
        ]})),
        [
            "applications[0].id: is not 1 to 64 small letters, digits, dots, hyphens or underscores",
            "applications[1].id: `default` is what belongs to no application",
            "applications[2].hosts: an application needs a host or a path",
            "applications[3].name: the name begins or ends with a space",
            "applications[3].hosts[0]: is not a host such as api.shop.example, *.shop.example or 192.0.2.1:8080",
            "applications[3].hosts[2]: says the same as applications[3].hosts[1]",
            "applications[3].paths[0]: a path starts with /",
            "applications[5].id: the ID is already used by applications[4]",
            "applications[6]: everything here belongs to applications[4], which stands before it",
        ]
    );
}

#[test]
fn scopes_name_what_exists() {
    assert_eq!(
        refused(json!({
            "applications": [{"id": "shop", "hosts": ["a.example"]}],
            "analysed": {"applications": ["default", "shop", "other"]},
            "masks": [
                {"point": "request > query a", "scope": {"hosts": ["*"], "methods": ["GET", "get", "a b"]}},
                {"point": "request > method"},
                {"point": "request > nonsense"},
                {"point": "request > query b"},
                {"point": "request > query b", "scope": {"paths": ["/x"]}},
            ],
            "parameters": [{"name": "a", "point": "request > query a", "scope": {"applications": ["no"], "paths": ["/../x"]}}],
        })),
        [
            "analysed.applications[2]: there is no application with this ID",
            "masks[0].scope.hosts[0]: * stands only for whole labels at the start: *.shop.example",
            "masks[0].scope.methods[1]: says the same as masks[0].scope.methods[0]",
            "masks[0].scope.methods[2]: is not a method such as POST",
            "masks[1].point: cannot be masked: this is exported in clear with every exchange",
            "masks[2].point: step 2 `nonsense` is not a step",
            "masks[4]: masks[3] masks this already",
            "parameters[0].scope.applications[0]: there is no application with this ID",
            "parameters[0].scope.paths[0]: a pattern has no dot segments",
        ]
    );
}

#[test]
fn lists_are_bounded() {
    let many = |count: usize, make: &dyn Fn(usize) -> Value| (0..count).map(make).collect::<Vec<_>>();
    let errors = refused(json!({
        "applications": many(101, &|number| json!({"id": format!("a{number}"), "hosts": [format!("a{number}.example")]})),
        "masks": many(101, &|number| json!({"point": format!("request > query q{number}")})),
        "analysed": {"hosts": many(101, &|number| json!(format!("h{number}.example")))},
        "trusted_proxies": {"networks": many(101, &|number| json!(format!("10.0.0.{number}")))},
    }));
    assert_eq!(
        errors,
        [
            "applications[100]: at most 100 applications are allowed, this is a list of 101",
            "analysed.hosts[100]: at most 100 hosts are allowed, this is a list of 101",
            "trusted_proxies.networks[100]: at most 100 networks are allowed, this is a list of 101",
            "masks[100]: at most 100 masks are allowed, this is a list of 101",
        ]
    );
}

#[test]
fn trusted_proxies_have_networks_and_each_header_once() {
    assert_eq!(
        refused(json!({"trusted_proxies": {"networks": []}})),
        ["trusted_proxies.networks: name at least one network, or leave the section out"]
    );
    assert_eq!(
        refused(json!({"trusted_proxies": {
            "networks": ["10.0.0.0/33", "10.0.0.1", "proxy.internal", "10.0.0.1/32"],
            "address": ["forwarded", "x-real-ip", "Forwarded", "via"],
            "host": ["x-forwarded-host", "host", "x-forwarded-host"],
        }})),
        [
            "trusted_proxies.networks[0]: has a prefix that is longer than the address",
            "trusted_proxies.networks[2]: is not a network such as 10.0.0.0/8, or an address",
            "trusted_proxies.networks[3]: says the same as trusted_proxies.networks[1]",
            "trusted_proxies.address[2]: says the same as trusted_proxies.address[0]",
            "trusted_proxies.address[3]: is none of forwarded, x-forwarded-for, x-real-ip",
            "trusted_proxies.host[1]: is none of forwarded, x-forwarded-host",
            "trusted_proxies.host[2]: says the same as trusted_proxies.host[0]",
        ]
    );
    let headers = |document: Value| {
        let trusted = accepted(json!({ "trusted_proxies": document })).trusted_proxies().clone();
        trusted.address.iter().map(|header| header.as_str()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(headers(json!({"networks": ["10.0.0.0/8"]})), "x-forwarded-for");
    assert_eq!(headers(json!({"networks": ["10.0.0.0/8"], "address": []})), "");
    assert_eq!(
        headers(json!({"networks": ["10.0.0.0/8"], "address": ["x-real-ip", "Forwarded"]})),
        "x-real-ip forwarded"
    );
    assert!(accepted(json!({})).trusted_proxies().networks.is_empty());
}

#[test]
fn composite_keys_have_further_points_that_are_told_apart() {
    let policy = accepted(json!({"parameters": [
        {"name": "tenant and user", "point": "request > header X-TENANT", "with": ["request > query user", "request > query shop"], "group": true},
        {"name": "tenant", "point": "request > header X-TENANT", "group": true},
        {"name": "other", "point": "request > query other", "with": ["request > header COOKIE > cookie c"], "group": true},
    ]}));
    assert_eq!((policy.further(0), policy.further(1), policy.further(2)), (3..5, 5..5, 5..6));
    assert_eq!(policy.points()[4].to_string(), "request > query shop");
    assert_eq!(policy.parameters().iter().map(|one| one.hashed).collect::<Vec<_>>(), [false, false, true]);
    let with =
        |with: Value, group: bool| json!({"name": "k", "point": "request > query a", "with": with, "group": group});
    assert_eq!(
        refused(json!({"parameters": [
            with(json!(["request > query b"]), false),
            {"name": "l", "point": "request > query l", "group": true, "with": ["request > query l", "request > query m", "request > query m"]},
            {"name": "m", "point": "request > query n", "group": true, "with": ["request > nonsense"]},
            {"name": "o", "point": "request > query o", "group": true,
             "with": (0..5).map(|n| format!("request > query o{n}")).collect::<Vec<_>>()},
        ]})),
        [
            "parameters[0].with: only a grouping key has further points: set `group` too",
            "parameters[1].with[0]: is a point that the key has already",
            "parameters[1].with[2]: is a point that the key has already",
            "parameters[2].with[0]: step 2 `nonsense` is not a step",
            "parameters[3].with[4]: at most 4 further points are allowed, this is a list of 5",
        ]
    );
}

#[test]
fn a_key_that_an_earlier_one_always_beats_is_refused() {
    let key = |name: &str, point: &str, with: &[&str], paths: &[&str]| {
        let with: Vec<String> = with.iter().map(|name| format!("request > query {name}")).collect();
        json!({"name": name, "point": format!("request > query {point}"), "with": with, "group": true, "scope": {"paths": paths}})
    };
    for (first, second, never) in [
        (key("1", "a", &[], &[]), key("2", "a", &[], &[]), true),
        (key("1", "a", &[], &[]), key("2", "a", &["b"], &[]), true),
        (key("1", "a", &[], &[]), key("2", "b", &["a"], &[]), true),
        (key("1", "a", &["b"], &[]), key("2", "b", &["a"], &[]), true),
        (key("1", "a", &["b"], &[]), key("2", "a", &[], &[]), false),
        (key("1", "a", &[], &["/api"]), key("2", "a", &[], &["/api/v2"]), true),
        (key("1", "a", &[], &["/api"]), key("2", "a", &[], &[]), false),
        (key("1", "a", &[], &["/api"]), key("2", "a", &[], &["/web"]), false),
    ] {
        let errors = judge(json!({"parameters": [first, second]})).err();
        let expected =
            "parameters[1].point: parameters[0] already groups by this point, so this key could never decide a session";
        assert_eq!(errors, never.then(|| vec![expected.to_owned()]), "{first} {second}");
    }
}

#[test]
fn a_mask_covers_what_may_show_it() {
    let policy = accepted(json!({
        "masks": [{"point": "request > body > json > property card"}],
        "parameters": [
            {"name": "number", "point": "request > body > json > property card > property number"},
            {"name": "body", "point": "request > body"},
            {"name": "name", "point": "request > body > json > property name"},
            {"name": "key", "point": "request > query a", "with": ["request > body > json > property card > property cvc"], "group": true},
        ],
    }));
    assert_eq!(policy.covered_by(0), [0, 1, 4]);
    assert_eq!(policy.mask_points(), 5..6);
}

#[test]
fn changes_read_as_sentences() {
    let before = accepted(json!({
        "applications": [{"id": "a", "hosts": ["a.example"]}, {"id": "b", "paths": ["/b"]}, {"id": "c", "paths": ["/c"]}],
        "masks": [{"point": "request > query a", "scope": {"applications": ["b"]}}, {"point": "request > query b"}],
        "parameters": [{"name": "k", "point": "request > query k", "group": true}],
    }));
    let after = accepted(json!({
        "applications": [{"id": "b", "paths": ["/b"]}, {"id": "a", "name": "A", "hosts": ["a.example", "aa.example"]}, {"id": "d", "paths": ["/d"]}],
        "analysed": {"applications": ["a"], "hosts": ["*.example"]},
        "trusted_proxies": {"networks": ["10.0.0.0/8"], "host": ["forwarded"], "proxy_protocol": true},
        "masks": [{"point": "request > query a", "scope": {"applications": ["b"]}}, {"point": "request > query b", "scope": {"methods": ["POST"]}}],
        "parameters": [{"name": "k", "point": "request > query k", "with": ["request > query l"], "group": true, "scope": {"paths": ["/x", "/y"]}}],
    }));
    let sentences: Vec<String> = after.difference_from(&before).changes.iter().map(ToString::to_string).collect();
    assert_eq!(
        sentences,
        [
            "removed application `c`",
            "changed name of application `a` from a to A",
            "changed hosts of application `a` from a.example to a.example, aa.example",
            "added application `d` (any host; /d) at position 3",
            "moved application `b` from position 2 to 1",
            "changed analysed from everywhere to application a, host *.example",
            "changed trusted_proxies.networks from none to 10.0.0.0/8",
            "changed trusted_proxies.address from none to x-forwarded-for",
            "changed trusted_proxies.host from none to forwarded",
            "changed trusted_proxies.proxy_protocol from no to yes",
            "removed the mask of request > query b (everywhere)",
            "added a mask of request > query b (method POST)",
            "changed with of `k` from nothing else to request > query l",
            "changed scope of `k` from everywhere to path /x or /y",
        ]
    );
}
