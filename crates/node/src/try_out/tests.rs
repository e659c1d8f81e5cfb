//! Figures, changes and warnings on exchanges made by hand.

#![allow(clippy::unwrap_used)]

use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};
use threadline_grouping::KeyOutcome;
use threadline_model::{
    CapturedBody, CapturedHeaders, CapturedText, ExchangeId, Outcome, Request, Response, Scheme, Sizes, Source,
    TlsFingerprints,
};

use super::*;

fn secret() -> InstallationSecret {
    InstallationSecret::load_or_create(&tempfile::tempdir().unwrap().path().join("secret")).unwrap()
}

fn policy(document: Value) -> Policy {
    Policy::validate(1, serde_json::from_value(document).unwrap()).unwrap()
}

/// A policy whose keys are these points in this order, named `1` …
fn keys(points: &[&str]) -> Policy {
    let key = |(number, point)| json!({"name": format!("{number}"), "point": point, "group": true});
    policy(json!({"parameters": (1..).zip(points).map(key).collect::<Vec<_>>()}))
}

/// First line, header lines, an empty line, body.
fn split(message: &str) -> (&str, HeaderMap, &str) {
    let (head, body) = message.split_once("\n\n").unwrap_or((message, ""));
    let (first, lines) = head.split_once('\n').unwrap_or((head, ""));
    let mut headers = HeaderMap::new();
    for (name, value) in lines.lines().filter_map(|line| line.split_once(": ")) {
        headers.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap());
    }
    (first, headers, body)
}

/// A request `METHOD target` and a response `status`, from the client 203.0.113.`client`.
fn exchange(client: u8, request: &str, response: &str) -> Exchange {
    let (first, headers, body) = split(request);
    let (method, target) = first.split_once(' ').unwrap();
    let request = Request {
        method: CapturedText::new(method.as_bytes().to_vec()),
        scheme: Some(Scheme::Https),
        version: None,
        host: Some(CapturedText::new("api.example")),
        target: CapturedText::new(target.as_bytes().to_vec()),
        headers: CapturedHeaders::new(headers),
        body: CapturedBody::whole(body.as_bytes().to_vec()),
    };
    let (status, headers, body) = split(response);
    Exchange {
        id: ExchangeId::from_bytes([client; 16]),
        started: Timestamp::from_micros(1_795_435_200_000_000 + i64::from(client)),
        duration_us: None,
        upstream_us: None,
        source: Source::Proxy,
        client: Some(std::net::IpAddr::from([203, 0, 113, client])),
        fingerprints: TlsFingerprints::default(),
        request,
        response: Some(Response {
            status: status.parse().unwrap(),
            version: None,
            headers: CapturedHeaders::new(headers),
            body: CapturedBody::whole(body.as_bytes().to_vec()),
        }),
        sizes: Sizes::default(),
        outcome: Outcome::Completed,
    }
}

fn tried(current: &Policy, draft: &Policy, exchanges: &[Exchange]) -> TryOut {
    let exchanges: Vec<&Exchange> = exchanges.iter().collect();
    let (secret, bounds) = (secret(), Bounds::default());
    let settings = TryOutSettings { secret: &secret, bounds, is_stopped: &|| false };
    try_out(current, draft, &exchanges, settings).unwrap()
}

/// The kinds of warnings of a draft, with their keys.
fn warned(draft: &Policy, exchanges: &[Exchange]) -> Vec<(String, &'static str)> {
    let warnings = tried(&Policy::empty(), draft, exchanges).warnings;
    assert!(warnings.iter().all(|warning| warning.version == Version::Draft && !warning.reason.is_empty()));
    warnings.into_iter().map(|warning| (warning.key, warning.kind.as_str())).collect()
}

const TOKEN_KEYS: [&str; 3] =
    ["response > body > json > property token", "request > query token", "request > body > json > property token"];

fn reference_example() -> Vec<Exchange> {
    let json = "content-type: application/json";
    vec![
        exchange(
            1,
            &format!("POST /login\nuser-agent: a\n{json}\n\n{{}}"),
            &format!("200\n{json}\n\n{{\"token\":\"canary\"}}"),
        ),
        exchange(1, &format!("POST /x\nuser-agent: a\n{json}\n\n{{\"token\":\"canary\"}}"), "200"),
        exchange(2, "GET /y?token=canary\nuser-agent: b", "200"),
        exchange(1, "GET /z\nuser-agent: a", "200"),
        exchange(3, "GET /s\nuser-agent: a\ncookie: PHPSESSID=canary-two", "200"),
    ]
}

#[test]
fn both_policies_are_described_side_by_side() {
    let tried = tried(&Policy::empty(), &keys(&TOKEN_KEYS), &reference_example());
    assert_eq!((tried.exchanges, tried.failed), (5, 0));
    let micros = |time: Option<Timestamp>| time.unwrap().micros() % 1_000;
    assert_eq!((micros(tried.from), micros(tried.to)), (1, 3));

    let rules = |figures: &Figures| -> Vec<(String, u64, u64)> {
        figures.rules.iter().map(|rule| (rule.key.clone(), rule.exchanges, rule.sessions)).collect()
    };
    let rule = |key: &str, exchanges, sessions| (key.to_owned(), exchanges, sessions);
    let one = Spread { of: 3, median: 1.0, most: 1 };
    let current = &tried.current;
    assert_eq!((current.analysed, current.passed_by, current.uncertain), (5, 0, 0));
    assert_eq!(rules(current), [rule("cookie PHPSESSID", 1, 1), rule("address and user agent", 4, 2)]);
    assert_eq!((current.sessions, current.largest_session, current.single_sessions), (3, 3, 2));
    assert_eq!((current.addresses_of_session, current.sessions_of_address), (one, one));

    let draft = &tried.draft;
    assert_eq!(
        rules(draft),
        [
            rule("1", 1, 1),
            rule("2", 1, 1),
            rule("3", 1, 1),
            rule("cookie PHPSESSID", 1, 1),
            rule("address and user agent", 1, 1)
        ]
    );
    assert_eq!(draft.rules[0].outcomes, [(KeyOutcome::Absent, 4), (KeyOutcome::Decided, 1)]);
    assert!(draft.rules[1].outcomes.contains(&(KeyOutcome::NotTried, 1)), "{:?}", draft.rules[1]);
    assert_eq!((draft.sessions, draft.largest_session, draft.single_sessions), (3, 3, 2));
    let two = Spread { most: 2, ..one };
    assert_eq!((draft.addresses_of_session, draft.sessions_of_address), (two, two));

    let changes = &tried.changes;
    assert_eq!((changes.compared, changes.changed, changes.newly_analysed, changes.no_longer_analysed), (5, 3, 0, 0));
    let [first, second, third] = &changes.examples[..] else { panic!("{changes:?}") };
    assert_eq!((&*first.current.key, &*first.draft.key), ("address and user agent", "1"));
    assert_eq!(first.current.value, None, "a fallback stands on facts of the exchange");
    assert_eq!(first.draft.value.unwrap().as_str().len(), 32);
    assert_eq!((first.draft.value, first.draft.session), (third.draft.value, third.draft.session));
    assert_eq!((&*second.draft.key, &*third.draft.key), ("3", "2"));
    assert_ne!(first.current.session, third.current.session);
    assert!(!format!("{tried:?}").contains("canary"), "{tried:?}");
    assert_eq!(tried.warnings, [], "five exchanges say nothing about a key");
}

#[test]
fn what_passes_by_is_counted_and_in_no_other_figure() {
    let analysed = |path: &str| policy(json!({"analysed": {"paths": [path]}, "parameters": []}));
    let exchanges = [
        exchange(1, "GET /api", "200"),
        exchange(1, "GET /api/both", "200"),
        exchange(1, "GET /both", "200"),
        exchange(1, "GET /web", "200"),
    ];
    let some = tried(&analysed("/api"), &analysed("/**/both"), &exchanges);
    assert_eq!((some.current.analysed, some.current.passed_by, some.current.sessions), (2, 2, 1));
    assert_eq!((some.draft.analysed, some.draft.passed_by, some.draft.largest_session), (2, 2, 2));
    let changes = &some.changes;
    assert_eq!((changes.compared, changes.changed, changes.newly_analysed, changes.no_longer_analysed), (1, 0, 1, 1));
    let nothing = tried(&Policy::empty(), &Policy::empty(), &[]);
    assert_eq!((nothing.exchanges, nothing.from, nothing.draft), (0, None, Figures::default()));
}

#[test]
fn what_either_policy_masks_is_neither_counted_nor_shown() {
    let mask = |points: &[&str], key: &str| {
        let masks: Vec<Value> = points.iter().map(|point| json!({ "point": point })).collect();
        policy(json!({"masks": masks, "parameters": [{"name": "k", "point": key, "group": true}]}))
    };
    let current = mask(&["request > path 0"], "request > query a");
    let draft = mask(&["request > remote_addr", "request > host"], "request > query b");
    let tried = tried(&current, &draft, &[exchange(1, "GET /canary/x?a=1&b=2", "200")]);
    let [example] = &tried.changes.examples[..] else { panic!("{:?}", tried.changes) };
    let shown = &example.exchange.request;
    assert!(!shown.target.as_bytes().windows(6).any(|part| part == b"canary"), "masked by the policy that holds");
    assert_eq!(shown.host.as_ref().unwrap().as_bytes(), b"***********", "masked by the draft");
    assert_eq!(tried.current.addresses_of_session.of, 1);
    assert_eq!((tried.draft.addresses_of_session, tried.draft.sessions_of_address), <(Spread, Spread)>::default());
}

#[test]
fn clients_that_are_unknown_are_not_counted() {
    let mut exchange = exchange(1, "GET /?a=1", "200");
    exchange.client = None;
    let tried = tried(&keys(&["request > query a"]), &Policy::empty(), &vec![exchange; 30]);
    assert_eq!((tried.current.sessions, tried.current.addresses_of_session.of), (1, 0));
    assert_eq!(tried.warnings, []);
}

#[test]
fn a_spread_is_over_what_was_counted() {
    assert_eq!(Spread::over(["a", "b", "a", "c", "a", "b", "d"].iter()), Spread { of: 4, median: 1.5, most: 3 });
    assert_eq!(Spread::over(std::iter::empty::<u8>()), Spread::default());
}

fn many(count: u64, make: impl Fn(u8) -> Exchange) -> Vec<Exchange> {
    (1..=u8::try_from(count).unwrap()).map(make).collect()
}

#[test]
fn a_value_of_very_many_clients_is_warned_about() {
    let draft = keys(&["request > header X-TENANT"]);
    let shared = |client| exchange(client, "GET /\nx-tenant: north\nuser-agent: a", "200");
    assert_eq!(warned(&draft, &many(MANY_CLIENTS - 1, shared)), []);
    assert_eq!(warned(&draft, &many(MANY_CLIENTS, shared)), [("1".to_owned(), "over_merging")]);
    let programs = |number| exchange(1, &format!("GET /\nx-tenant: north\nuser-agent: {number}"), "200");
    assert_eq!(warned(&draft, &many(MANY_CLIENTS, programs)), [("1".to_owned(), "over_merging")]);
    let one = |_| exchange(1, "GET /\nx-tenant: north\nuser-agent: a", "200");
    assert_eq!(warned(&draft, &many(200, one)), []);
    let reason = &tried(&draft, &Policy::empty(), &many(25, shared)).warnings[0].reason;
    assert!(
        reason.contains("25 clients") && reason.contains("1 of 1 values") && reason.contains("20 or more"),
        "{reason}"
    );
}

#[test]
fn values_that_do_not_repeat_are_warned_about() {
    let draft = keys(&["response > header X-NONCE"]);
    let unique = |number| exchange(1, "GET /", &format!("200\nx-nonce: {number}"));
    assert_eq!(warned(&draft, &many(ENOUGH_EXCHANGES - 1, unique)), []);
    assert_eq!(warned(&draft, &many(ENOUGH_EXCHANGES, unique)), [("1".to_owned(), "over_splitting")]);
    let twice = |number| exchange(1, "GET /", &format!("200\nx-nonce: {}", number / 2));
    assert_eq!(warned(&draft, &many(40, twice)), []);
    // What a login returns once is used by another key.
    let draft = keys(&["response > header X-TOKEN", "request > query token"]);
    let mut exchanges = many(30, |number| exchange(1, "GET /", &format!("200\nx-token: t{number}")));
    exchanges.extend(many(30, |number| exchange(1, &format!("GET /?token=t{number}"), "200")));
    assert_eq!(warned(&draft, &exchanges), []);
}

#[test]
fn values_that_no_response_ever_held_are_client_chosen() {
    let draft = keys(&["request > query id"]);
    let used = |number| exchange(1, &format!("GET /?id=value-{}", number / 2), "200");
    // 1, 2, 2, 3, 3 …: one more than half of them are different.
    let few = many(2 * (ENOUGH_VALUES - 1) - 1, used);
    assert_eq!(warned(&draft, &few), []);
    let exchanges = many(2 * ENOUGH_VALUES, used);
    assert_eq!(warned(&draft, &exchanges), [("1".to_owned(), "client_chosen")]);
    let json = "200\ncontent-type: application/json\n\n";
    for (answer, is_issued) in [
        (format!("{json}{{\"data\":[{{\"note\":\"{{\\\"id\\\":\\\"value-7\\\"}}\"}}]}}"), true),
        ("200\nset-cookie: any=value-7; Path=/".to_owned(), true),
        ("200\nx-id: value-7".to_owned(), true),
        (format!("{json}{{\"id\":\"value-700\"}}"), false),
    ] {
        let mut exchanges = exchanges.clone();
        exchanges.push(exchange(1, "GET /list", &answer));
        assert_eq!(warned(&draft, &exchanges).is_empty(), is_issued, "{answer}");
    }
    // A value that a response decides by is issued, whatever it looks like there.
    let draft = keys(&["response > body > json > property id > lower", "request > query id"]);
    let mut exchanges = exchanges;
    exchanges.push(exchange(1, "GET /new", &format!("{json}{{\"id\":\"VALUE-7\"}}")));
    assert_eq!(warned(&draft, &exchanges), []);
}

#[test]
fn keys_that_cannot_work_are_warned_about() {
    let draft = policy(json!({
        "masks": [{"point": "request > query masked"}],
        "parameters": [
            {"name": "absent", "point": "request > query absent", "group": true},
            {"name": "masked", "point": "request > query masked", "group": true},
            {"name": "elsewhere", "point": "request > query a", "group": true, "scope": {"paths": ["/elsewhere"]}},
            {"name": "works", "point": "request > query b", "group": true},
            {"name": "never its turn", "point": "request > query c", "group": true},
        ],
    }));
    let request = |number| exchange(1, &format!("GET /?a=1&b=2&masked={}", number % 2), "200");
    let warning = |key: &str, kind| (key.to_owned(), kind);
    assert_eq!(
        warned(&draft, &many(ENOUGH_EXCHANGES, request)),
        [
            warning("absent", "never_works"),
            warning("masked", "never_works"),
            warning("masked", "masked"),
            warning("elsewhere", "out_of_scope"),
        ]
    );
    assert_eq!(
        warned(&draft, &many(ENOUGH_EXCHANGES - 1, request)),
        [warning("masked", "masked"), warning("elsewhere", "out_of_scope")]
    );
    let warnings = tried(&draft, &Policy::empty(), &many(20, request)).warnings;
    let reasons: Vec<&str> = warnings.iter().map(|warning| &*warning.reason).collect();
    assert_eq!(reasons[0], "was tried on 20 exchanges and never worked (said from 20 exchanges on)");
    assert_eq!(reasons[2], "a mask covered it on 20 of 20 exchanges on which it was tried");
    assert_eq!(reasons[3], "none of 20 exchanges lies in its scope");
    assert!(warnings.iter().all(|warning| warning.version == Version::Current));
}

#[test]
fn a_frequent_change_does_not_hide_a_rare_one() {
    let draft = keys(&[
        "request > query a",
        "request > query b",
        "request > query c",
        "request > query d",
        "request > query e",
        "request > query f",
    ]);
    let mut exchanges = many(200, |number| exchange(1, &format!("GET /?a={number}"), "200"));
    exchanges.push(exchange(1, "GET /?f=1", "200"));
    let changes = tried(&Policy::empty(), &draft, &exchanges).changes;
    assert_eq!((changes.changed, changes.examples.len()), (201, 11));
    assert_eq!(changes.examples[10].draft.key, "6");
    let all = |letter: &str| many(20, |number| exchange(1, &format!("GET /?{letter}={number}"), "200"));
    let exchanges: Vec<Exchange> = ["a", "b", "c", "d", "e", "f"].into_iter().flat_map(all).collect();
    assert_eq!(tried(&Policy::empty(), &draft, &exchanges).changes.examples.len(), MAXIMUM_EXAMPLES);
}

#[test]
fn it_ends_when_nobody_waits_and_refuses_what_does_not_compile() {
    let (secret, exchanges) = (secret(), reference_example());
    let exchanges: Vec<&Exchange> = exchanges.iter().collect();
    let settings = TryOutSettings { secret: &secret, bounds: Bounds::default(), is_stopped: &|| true };
    let stopped = try_out(&Policy::empty(), &Policy::empty(), &exchanges, settings);
    assert!(matches!(stopped, Err(TryOutError::Stopped)));
    let mut bounds = Bounds::default();
    bounds.points = 2;
    let settings = TryOutSettings { bounds, is_stopped: &|| false, ..settings };
    let refused = try_out(&Policy::empty(), &keys(&TOKEN_KEYS), &exchanges, settings);
    assert!(matches!(refused, Err(TryOutError::Draft(_))));
}
