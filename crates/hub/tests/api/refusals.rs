//! Bad input at every endpoint: a clear problem that names the field, nothing echoed, nothing changed.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::sample::{exchange_id, row, session, store};
use crate::support::TestHub;

const CANARY: &str = "hunter2-canary";

/// Method, path, body, expected status, fields.
type Case = (Method, String, Value, u16, Vec<&'static str>);

fn bodies() -> Vec<Case> {
    let post = |path: &str, body: Value, status: u16, fields: &[&'static str]| -> Case {
        (Method::POST, format!("/api/v1{path}"), body, status, fields.to_vec())
    };
    let put = |path: &str, body: Value, status: u16, fields: &[&'static str]| -> Case {
        (Method::PUT, format!("/api/v1{path}"), body, status, fields.to_vec())
    };
    vec![
        post("/first-run", json!({"token": CANARY, "name": "a"}), 422, &["password"]),
        post("/first-run", json!({"token": 5, "name": "a", "password": CANARY}), 422, &["token"]),
        post("/first-run", json!({"token": "a", "name": "a", "password": "b", "extra": CANARY}), 422, &["extra"]),
        post("/first-run", json!([CANARY]), 422, &["body"]),
        post("/sign-in", json!({"name": "a", "password": {"value": CANARY}}), 422, &["password"]),
        post("/sign-in", json!({"name": null, "password": CANARY}), 422, &["name"]),
        post("/sign-in", json!({"name": "a", "password": CANARY.repeat(100)}), 422, &["password"]),
        post("/sign-in", json!({"name": "a", "password": CANARY, "remember": true}), 422, &["remember"]),
        put("/me/password", json!({"current": CANARY}), 422, &["new"]),
        put("/me/password", json!({"current": CANARY, "new": 7}), 422, &["new"]),
        put("/me/password", json!({"current": CANARY, "new": "a good new password"}), 409, &[]),
        put("/policy/parameters", json!({"parameters": CANARY}), 422, &["parameters"]),
        put("/policy/parameters", json!({"parameters": [{"name": 5, "point": CANARY}]}), 422, &["parameters[0].name"]),
        put("/policy/parameters", json!({"parameters": [{"name": "a", "point": 5}]}), 422, &["parameters[0].point"]),
        put(
            "/policy/parameters",
            json!({"parameters": [{"name": "a", "point": "request > method", "type": CANARY}]}),
            422,
            &["parameters[0].type"],
        ),
        put(
            "/policy/parameters",
            json!({"parameters": [{"name": "a", "point": "request > method", "group": "yes"}]}),
            422,
            &["parameters[0].group"],
        ),
        put(
            "/policy/parameters",
            json!({"parameters": [{"name": "a", "point": "request > method", "goup": true}]}),
            422,
            &["parameters[0].goup"],
        ),
        put("/policy/parameters", json!({"parameters": [{"name": "a"}]}), 422, &["parameters[0].point"]),
        put("/policy/parameters", json!({}), 422, &["parameters"]),
        put(
            "/policy/parameters",
            json!({"parameters": [[CANARY, "request > query token", "none", true, false, null]]}),
            422,
            &["parameters[0]"],
        ),
        put("/policy/parameters", json!({"parameters": [], "masks": []}), 422, &["masks"]),
        post("/policy/points/check", json!({"point": {"a": CANARY}}), 422, &["point"]),
        post("/policy/points/check", json!({"pont": CANARY}), 422, &["pont"]),
        post("/hashes", json!({"namespace": "a"}), 422, &["value"]),
        post("/hashes", json!({"value": [CANARY]}), 422, &["value"]),
        post("/hashes", json!({"value": CANARY, "namespace": 5}), 422, &["namespace"]),
        post("/hashes", json!({"value": CANARY.repeat(600), "namespace": ""}), 422, &["value", "namespace"]),
        post("/hashes", json!({"value": "", "namespace": "a".repeat(65)}), 422, &["value", "namespace"]),
        post("/hashes", json!({"value": CANARY, "trim": true}), 422, &["trim"]),
        post("/hashes", json!({"value": CANARY}), 409, &[]),
        post("/people", json!({"name": "a", "role": CANARY, "password": CANARY}), 422, &["role"]),
        post("/people", json!({"name": "a", "role": "viewer", "password": "short"}), 422, &["password"]),
        post("/people", json!({"name": "", "role": "viewer", "password": ""}), 422, &["name", "password"]),
        post("/people", json!({"name": "a", "role": "node", "password": CANARY}), 422, &["role"]),
        post("/tokens", json!({"name": "a", "role": "root"}), 422, &["role"]),
        post("/tokens", json!({"name": "a", "role": "node", "expires_in_days": 0}), 422, &["expires_in_days"]),
        post("/tokens", json!({"name": "a", "role": "node", "expires_in_days": -1}), 422, &["expires_in_days"]),
        post("/tokens", json!({"name": "a", "role": "node", "expires_in_days": 1.5}), 422, &["expires_in_days"]),
        post("/tokens", json!({"name": "a".repeat(65), "role": "node"}), 422, &["name"]),
        post("/purges", json!({"kind": CANARY, "value": "a", "reason": "b"}), 422, &["kind"]),
        post("/purges", json!({"kind": "user", "value": "", "reason": ""}), 422, &["value", "reason"]),
        post("/purges", json!({"kind": "user", "value": CANARY}), 422, &["reason"]),
        post("/purges", json!({"kind": "user", "value": CANARY, "reason": " "}), 422, &["reason"]),
        post("/purges", json!({"kind": "user", "value": CANARY, "reason": "a".repeat(501)}), 422, &["reason"]),
        post("/purges", json!({"kind": "user", "value": CANARY, "reason": "a\u{202e}b"}), 422, &["reason"]),
        post("/purges", json!({"kind": "user", "value": CANARY.repeat(600), "reason": "a"}), 422, &["value"]),
        post("/purges", json!({"kind": "user", "value": "a\u{0}", "dry_run": true}), 422, &["value"]),
        post("/purges", json!({"kind": "session", "value": CANARY, "reason": "a"}), 422, &["value"]),
        post("/purges", json!({"kind": "session", "value": "", "dry_run": true}), 422, &["value"]),
        post("/purges", json!({"kind": "parameter", "value": "", "reason": "a"}), 422, &["value"]),
        post("/purges", json!({"kind": "parameter", "value": CANARY.repeat(5), "reason": "a"}), 422, &["value"]),
        post("/purges", json!({"kind": "user", "value": [CANARY], "reason": "a"}), 422, &["value"]),
        post("/purges", json!({"kind": "user", "value": CANARY, "dry_run": CANARY}), 422, &["dry_run"]),
        post("/purges", json!({"kind": "user", "value": CANARY, "dry": true}), 422, &["dry"]),
    ]
}

#[tokio::test]
async fn wrong_bodies_name_the_field_and_repeat_no_value() {
    let hub = TestHub::start().await;
    for (method, path, body, status, fields) in bodies() {
        let call = hub.call(method.clone(), &path).token(&hub.local_token()).header("if-match", "*").json(&body);
        let answer = call.send().await;
        assert!(!answer.text().contains(CANARY), "{method} {path} {body}: {}", answer.text());
        assert_eq!(answer.status.as_u16(), status, "{method} {path} {body}: {}", answer.text());
        answer.assert_problem(status, &fields);
    }
    assert_eq!(hub.hub.policy().borrow().version(), 0);
    let people = hub.get("/api/v1/people").token(&hub.local_token()).send().await.json();
    assert_eq!(people["people"], json!([]));
    let tokens = hub.get("/api/v1/tokens").token(&hub.local_token()).send().await.json();
    assert_eq!(tokens["tokens"], json!([]));
    let purges = hub.get("/api/v1/purges").token(&hub.local_token()).send().await.json();
    assert_eq!(purges["purges"], json!([]));
}

#[tokio::test]
async fn every_endpoint_with_a_body_refuses_what_is_no_json_too_large_or_another_type() {
    let hub = TestHub::start().await;
    let document = hub.get("/api/v1/openapi.json").send().await.json();
    let mut tried = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            if operation["requestBody"]["content"]["application/json"].is_null() {
                continue;
            }
            let method: Method = method.to_uppercase().parse().unwrap();
            let call = || hub.call(method.clone(), path).token(&hub.local_token()).header("if-match", "*");
            for broken in ["", "{", "hunter2-canary", "{\"a\": \"\\ud800\"}", "\u{feff}{}", "{} {}"] {
                let answer = call().bytes("application/json", broken.to_owned()).send().await;
                // An object that is whole before the broken part may fail on its fields first.
                assert!(matches!(answer.status.as_u16(), 400 | 422), "{path}: {broken:?}");
                answer.assert_problem(
                    answer.status.as_u16(),
                    &fields_of(&answer.json()).iter().map(String::as_str).collect::<Vec<_>>(),
                );
                assert!(!answer.text().contains(CANARY), "{path}: {broken:?}");
            }
            let deep = format!("{{\"a\":{}", "[".repeat(100_000));
            let answer = call().bytes("application/json", deep).send().await;
            assert!(matches!(answer.status.as_u16(), 400 | 422), "{path}: deep");
            // Points are tried out on samples, policies on archives; a whole policy may be long by itself.
            let bound = match path.as_str() {
                "/api/v1/policy/try" => 33 * 1_024,
                "/api/v1/policy"
                | "/api/v1/policy/check"
                | "/api/v1/policy/exports"
                | "/api/v1/points/preview"
                | "/api/v1/points/list" => 1_024,
                _ => 256,
            };
            let large = format!("{{\"name\":\"{}\"}}", "x".repeat(bound * 1_024));
            call().bytes("application/json", large).send().await.assert_problem(413, &[]);
            call().bytes("application/x-www-form-urlencoded", "{}").send().await.assert_problem(415, &[]);
            call().bytes("application/jsonp", "{}").send().await.assert_problem(415, &[]);
            tried += 1;
        }
    }
    assert_eq!(tried, 16, "endpoints with a JSON body");
    let large = vec![0; 64 * 1_024 * 1_024 + 1];
    let call = hub.call(Method::POST, "/api/v1/batches").token(&hub.local_token());
    let call = call.header("threadline-batch-id", "0f0e0d0c-0b0a-0908-0706-050403020100");
    call.bytes("application/vnd.apache.arrow.stream", large).send().await.assert_problem(413, &[]);
}

fn fields_of(problem: &Value) -> Vec<String> {
    problem["errors"].as_array().unwrap().iter().map(|error| error["field"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn queries_name_what_they_cannot_accept() {
    let hub = TestHub::start().await;
    let token = hub.token("viewer").await;
    let one = session(1);
    for (path, fields) in [
        ("/sessions?hots=a".to_owned(), vec!["hots"]),
        ("/sessions?limit=0".to_owned(), vec!["limit"]),
        ("/sessions?limit=501".to_owned(), vec!["limit"]),
        ("/sessions?limit=ten".to_owned(), vec!["limit"]),
        ("/sessions?limit=1&limit=2".to_owned(), vec!["limit"]),
        ("/sessions?thread_bins=501".to_owned(), vec!["thread_bins"]),
        ("/sessions?page_token=abc".to_owned(), vec!["page_token"]),
        ("/sessions?last=1y&status=9&ip=x".to_owned(), vec!["last", "ip", "status"]),
        ("/sessions?from=2026-11-24T00:00:00Z&to=2026-11-23T00:00:00Z".to_owned(), vec!["from"]),
        ("/sessions?user=%00".to_owned(), vec!["user"]),
        ("/sessions?user=%ff".to_owned(), vec!["user"]),
        ("/sessions?order=asc".to_owned(), vec!["order"]),
        ("/sessions/xyz".to_owned(), vec!["session_id"]),
        ("/sessions/%ff".to_owned(), vec!["path"]),
        ("/sessions/00112233".to_owned(), vec!["session_id"]),
        (format!("/sessions/{one}?idle_minutes=0"), vec!["idle_minutes"]),
        (format!("/sessions/{one}?thread_bins=4001"), vec!["thread_bins"]),
        (format!("/sessions/{one}?limit=1"), vec!["limit"]),
        (format!("/sessions/{one}/exchanges?order=up"), vec!["order"]),
        (format!("/sessions/{one}/exchanges.csv?limit=5"), vec!["limit"]),
        ("/sessions/xyz/exchanges".to_owned(), vec!["session_id"]),
        ("/sessions/xyz/exchanges.csv".to_owned(), vec!["session_id"]),
        ("/sessions.csv?page_token=x".to_owned(), vec!["page_token"]),
        ("/exchanges/xyz".to_owned(), vec!["exchange_id"]),
        (format!("/exchanges/{}?x=1", exchange_id(1)), vec!["x"]),
        ("/facets?field=colour".to_owned(), vec!["field"]),
        ("/facets?field=host&field=host".to_owned(), vec!["field"]),
        ("/facets?limit=1000".to_owned(), vec!["limit"]),
        ("/histogram?bars=0".to_owned(), vec!["bars"]),
        ("/histogram?bars=1001".to_owned(), vec!["bars"]),
        ("/policy/parameters?x=1".to_owned(), vec!["x"]),
        ("/policy/versions?limit=0".to_owned(), vec!["limit"]),
        ("/policy/versions?page_token=abc".to_owned(), vec!["page_token"]),
        ("/policy/versions/1/changes?since=x".to_owned(), vec!["since"]),
        ("/status?x=1".to_owned(), vec!["x"]),
        (format!("/sessions?q={}", "x".repeat(201)), vec!["q"]),
        (format!("/sessions?user={}", "x".repeat(17_000)), vec!["query"]),
    ] {
        let answer = hub.get(&format!("/api/v1{path}")).token(&token).send().await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{path}: {}", answer.text());
        answer.assert_problem(422, &fields);
    }
    for path in ["/people?x=1", "/tokens?x=1", "/audit?x=1", "/audit?page_token=x", "/purges?x=1", "/purges/x"] {
        let answer = hub.get(&format!("/api/v1{path}")).token(&hub.local_token()).send().await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{path}");
    }
    for path in ["/people/x", "/tokens/-1", "/people/99999999999999999999"] {
        let answer = hub.call(Method::DELETE, &format!("/api/v1{path}")).token(&hub.local_token()).send().await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{path}");
    }
}

#[tokio::test]
async fn parameters_that_a_request_does_not_have_are_refused_on_every_method() {
    let hub = TestHub::start().await;
    let document = hub.get("/api/v1/openapi.json").send().await.json();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            let method: Method = method.to_uppercase().parse().unwrap();
            let mut known = path.clone();
            for (name, value) in [
                ("{session_id}", session(1).to_string()),
                ("{exchange_id}", exchange_id(1).to_string()),
                ("{version}", "1".to_owned()),
                ("{person_id}", "1".to_owned()),
                ("{token_id}", "1".to_owned()),
                ("{purge_id}", "017f22e2-79b0-7cc3-98c4-dc0c0c07398f".to_owned()),
            ] {
                known = known.replace(name, &value);
            }
            let call = hub.call(method.clone(), &format!("{known}?dry_run=true")).token(&hub.local_token());
            let answer = call.header("if-match", "*").json(&json!({})).send().await;
            assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{method} {path}: {}", answer.text());
            answer.assert_problem(422, &["dry_run"]);
        }
    }
}

/// The document names exactly the parameters that are accepted: each one alone is never refused as unknown.
#[tokio::test]
async fn every_documented_parameter_is_known_to_its_route() {
    let hub = TestHub::start().await;
    store(&hub, 1, &[row(1, 1)]).await;
    let token = hub.local_token();
    let document = hub.get("/api/v1/openapi.json").send().await.json();
    let mut tried = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        let Some(parameters) = item["get"]["parameters"].as_array() else { continue };
        let path = path.replace("{session_id}", &session(1).to_string()).replace("{version}", "1");
        for parameter in parameters.iter().filter(|parameter| parameter["in"] == "query") {
            let name = parameter["name"].as_str().unwrap();
            let answer = hub.get(&format!("{path}?{name}=!")).token(&token).send().await;
            let unknown = answer.text().contains("is not a parameter of this request");
            assert!(!unknown, "{path}: {name}: {}", answer.text());
            tried += 1;
        }
    }
    assert!(tried > 80, "only {tried} parameters were tried");
}

#[tokio::test]
async fn a_head_that_never_ends_or_makes_no_sense_does_not_disturb_others() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let hub = TestHub::start().await;
    let mut slow = tokio::net::TcpStream::connect(hub.address).await.unwrap();
    slow.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ").await.unwrap();
    for (nonsense, expected) in [
        (&b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..], "HTTP/1.1 400"),
        (b"GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 421"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: localhost\r\n\r\n", "HTTP/1.1 421"),
    ] {
        let mut stream = tokio::net::TcpStream::connect(hub.address).await.unwrap();
        stream.write_all(nonsense).await.unwrap();
        let mut head = [0; 12];
        stream.read_exact(&mut head).await.unwrap();
        assert_eq!(String::from_utf8_lossy(&head), expected);
    }
    assert_eq!(hub.get("/healthz").send().await.status, StatusCode::OK);
}
