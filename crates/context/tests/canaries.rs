//! Nothing leaves but what was selected: a canary in every place of an exchange, and a look at everything that comes
//! out.
#![allow(clippy::unwrap_used)]

mod support;

use serde_json::{Value, json};
use support::{base64url, exchange, hash, jwt, policy, select};
use threadline_model::Exchange;

/// Every canary begins with this, so that none can hide.
const CANARY: &str = "canary";

/// An exchange with a different canary in every place that could hold one. The places of metadata that leaves by
/// design (path, host, User-Agent, names of the query) hold none, but path parameters do.
fn full_of_canaries() -> Exchange {
    let token = jwt(json!({"iss": "canary-iss", "sub": "canary-sub", "sid": "canary-sid", "role": "canary-role"}));
    let request = format!(
        "POST /shop/items;jsessionid=canary-path-session;v=canary-path-value/{token}\
         ?page=canary-page&sid=canary-query-session&p%5Bx%5D=canary-nested&eyJhbGciOi.canary.bare=canary-bare\n\
         authorization: Bearer {token}\n\
         cookie: theme=canary-theme; PHPSESSID=canary-cookie\n\
         proxy-authorization: Basic {basic}\n\
         x-api-key: canary-api-key\n\
         x-tenant: canary-tenant\n\
         referer: https://shop.example/?canary-referer\n\
         origin: https://canary-origin.example\n\
         x-forwarded-for: canary-forwarded\n\
         traceparent: canary-traceparent\n\
         user-agent: curl/8\n\
         content-type: application/json\n\n\
         {{\"login\":\"canary-login\",\"password\":\"canary-password\",\"broken\":canary-broken",
        basic = base64url(b"canary-user:canary-basic-password"),
    );
    let response = "200\n\
         set-cookie: PHPSESSID=canary-set-cookie; Path=/canary-cookie-path\n\
         location: /canary-location\n\
         x-session-id: canary-response-header\n\
         content-type: application/json\n\n\
         {\"token\":\"canary-issued\",\"mail\":\"canary-mail\"}";
    exchange(&request, response)
}

/// Everything of the exported form, as text.
fn exported(parameters: Value) -> String {
    select(&policy(parameters), &full_of_canaries(), |contextual| format!("{contextual:?}"))
}

/// The canaries in a text, each up to the first character that is not part of one.
fn canaries(text: &str) -> Vec<&str> {
    let end = |rest: &str| rest.find(|character: char| !character.is_ascii_alphanumeric() && character != '-');
    text.match_indices(CANARY).map(|(at, _)| &text[at..at + end(&text[at..]).unwrap_or(text.len() - at)]).collect()
}

#[test]
fn without_parameters_no_captured_value_leaves() {
    let shown = exported(json!([]));
    assert_eq!(canaries(&shown), Vec::<&str>::new(), "{shown}");
    assert!(!shown.contains(&jwt(json!({}))[..16]), "a token in the path is cut: {shown}");
    assert!(shown.contains(&hash("canary-set-cookie")), "what the built-in set found leaves hashed: {shown}");
}

#[test]
fn only_selected_values_leave_and_hashed_ones_as_hashes() {
    let places = [
        ("request > header AUTHORIZATION > jwt payload > property sub", "canary-sub"),
        ("request > header AUTHORIZATION > jwt payload > property role", "canary-role"),
        ("request > header COOKIE > cookie theme", "canary-theme"),
        ("request > header X-TENANT", "canary-tenant"),
        ("request > header X-API-KEY", "canary-api-key"),
        ("request > query page", "canary-page"),
        ("request > query sid", "canary-query-session"),
        ("request > query p > property x", "canary-nested"),
        ("request > body > json > property login", "canary-login"),
        ("request > body > json > property password", "canary-password"),
        ("response > header SET-COOKIE > cookie PHPSESSID", "canary-set-cookie"),
        ("response > body > json > property token", "canary-issued"),
        ("response > body > json > property mail", "canary-mail"),
    ];
    for (point, canary) in places {
        for (group, hashed) in [(false, false), (false, true), (true, false), (true, true)] {
            let shown = exported(json!([{"name": "selected", "point": point, "group": group, "hashed": hashed}]));
            let found = canaries(&shown);
            assert!(found.iter().all(|found| *found == canary), "{point}: {found:?}");
            // What the built-in set decided by is hashed whatever a parameter says of the same value.
            let hashed = hashed || (canary == "canary-set-cookie" && !group);
            assert_eq!(found.is_empty(), hashed, "{point}, hashed {hashed}: {shown}");
            if hashed {
                assert!(shown.contains(&hash(canary)), "{point}: {shown}");
            }
        }
    }
}

/// An exchange whose session `x-key` decides if that is a key, with every kind of credential, and each of them again
/// in the path, a query name, the User-Agent and a header.
fn full_of_copies() -> (Exchange, Vec<String>) {
    let token = jwt(json!({"sub": "someone"}));
    let basic = base64url(b"someone:canary-basic-password");
    let mut credentials: Vec<String> = [
        "canary-cookie",
        "canary-later-cookie",
        "canary-set-cookie",
        "canary-deleted-cookie",
        "canary-session-header",
        "canary-auth-header",
        "canary-api-key",
        "canary-issued-header",
        "canary-basic-password",
        "canary-jsessionid",
        "canary-query-session",
        "canary-vault",
    ]
    .map(str::to_owned)
    .to_vec();
    credentials.extend([token.clone(), basic.clone()]);
    let agents = credentials.join(" ");
    let request = format!(
        "GET /a;jsessionid=canary-jsessionid/{path}?sid=canary-query-session&{names}\n\
         x-key: decides\n\
         cookie: PHPSESSID=canary-cookie; theme=dark; session=\"canary-later-cookie\"\n\
         authorization: Bearer {token}\n\
         proxy-authorization: Basic {basic}\n\
         x-session-id: canary-session-header\n\
         x-auth-token: Bearer canary-auth-header\n\
         x-api-key: canary-api-key\n\
         x-vault-token: canary-vault\n\
         user-agent: app ({agents})\n\
         x-copy: copy of {agents}",
        path = credentials.join("/"),
        names = credentials.join("&"),
    );
    let response = "200\nset-cookie: sid=canary-set-cookie\nset-cookie: SID=canary-deleted-cookie; Max-Age=0\n\
                    mcp-session-id: canary-issued-header";
    (exchange(&request, response), credentials)
}

#[test]
fn a_credential_leaves_by_no_other_place_whichever_key_decides() {
    let (exchange, credentials) = full_of_copies();
    for key in [
        "request > header X-KEY",
        "request > header X-ABSENT",
        "request > header X-API-KEY",
        "request > header AUTHORIZATION > bearer",
        "response > header SET-COOKIE > cookie sid",
    ] {
        let parameters = json!([
            {"name": "key", "point": key, "group": true, "hashed": true},
            {"name": "copy", "point": "request > header X-COPY"},
            {"name": "target", "point": "request > uri"},
        ]);
        let shown = select(&policy(parameters), &exchange, |contextual| format!("{contextual:?}"));
        for credential in &credentials {
            assert!(!shown.contains(credential), "{key}: {credential} in {shown}");
        }
        assert_eq!(canaries(&shown), Vec::<&str>::new(), "{key}");
        assert!(shown.contains(&hash("canary-later-cookie")), "{key}: {shown}");
    }
}

#[test]
fn the_whole_target_is_shown_without_its_credentials() {
    let names = [
        "token",
        "password",
        "signature",
        "X-Amz-Signature",
        "X-Amz-Security-Token",
        "sig",
        "api_key",
        "access_token",
        "refresh_token",
        "id_token",
        "client_secret",
        "user[password]",
        "user%5Bpassword%5D",
        "SESSION",
    ];
    let fields: Vec<String> = names.iter().map(|name| format!("{name}=canary-{}", name.len())).collect();
    let exchange = exchange(&format!("GET /a?page=2&{}", fields.join("&")), "200");
    let parameters = policy(json!([{"name": "target", "point": "request > uri"}]));
    let shown = select(&parameters, &exchange, |contextual| format!("{contextual:?}"));
    assert_eq!(canaries(&shown), Vec::<&str>::new(), "{shown}");
    assert!(shown.contains("/a?page=2&token=…&password=…"), "{shown}");
}

#[test]
fn the_whole_target_may_be_selected_but_its_credentials_stay() {
    let shown = exported(json!([{"name": "target", "point": "request > uri"}]));
    let found = canaries(&shown);
    assert_eq!(found, ["canary-page", "canary-nested"], "{shown}");
}
