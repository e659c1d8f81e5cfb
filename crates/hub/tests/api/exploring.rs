//! Sessions, exchanges, counts and downloads over the embedded store.

use http::{Method, StatusCode};
use serde_json::Value;
use threadline_record::{Row, SessionKeyKind, encode_ipc};

use crate::sample::{batch_of, before_noon, exchange_id, row, session, store};
use crate::support::{MINUTE, TestHub};

const UUID: &str = "0f0e0d0c-0b0a-0908-0706-050403020100";

async fn stocked() -> (TestHub, String) {
    let hub = TestHub::start().await;
    let token = hub.token("viewer").await;
    let mut rows: Vec<Row<'_>> = (1..=10).map(|number| row(number, 1 + number % 3)).collect();
    rows[3].status = Some(404);
    rows[4].status = None;
    rows[4].outcome = "upstream_failed";
    rows[5].host = Some("admin.shop.example");
    rows[6].method = "POST";
    store(&hub, 1, &rows).await;
    (hub, token)
}

async fn get(hub: &TestHub, token: &str, path: &str) -> Value {
    let answer = hub.get(&format!("/api/v1{path}")).token(token).send().await;
    assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text());
    answer.json()
}

#[tokio::test]
async fn sessions_are_listed_newest_first_and_paged_over_one_range() {
    let (hub, token) = stocked().await;
    let list = get(&hub, &token, "/sessions?last=1h&thread_bins=20").await;
    assert_eq!(list["total"], 3);
    let sessions = list["sessions"].as_array().unwrap();
    let ids: Vec<&str> = sessions.iter().map(|part| part["session_id"].as_str().unwrap()).collect();
    assert_eq!(ids, [session(2), session(1), session(3)].map(|id| id.to_string()));
    assert_eq!(sessions[0]["requests"], 4);
    assert_eq!(sessions[0]["day"], "2026-11-23");
    assert_eq!(sessions[0]["first"], "2026-11-23T11:31:00.000000Z");
    assert_eq!(sessions[0]["user"], "user 7");
    assert_eq!(sessions[0]["thread"]["bins_total"], 20);
    assert_eq!(list["range"]["to"], "2026-11-23T12:00:00.000001Z");

    // The clock goes on while somebody pages; the range of the first page stays.
    let mut seen = Vec::new();
    let mut path = "/sessions?last=1h&limit=2".to_owned();
    loop {
        let page = get(&hub, &token, &path).await;
        assert_eq!(page["range"]["to"], "2026-11-23T12:00:00.000001Z");
        assert_eq!(page["total"], 3);
        seen.extend(
            page["sessions"].as_array().unwrap().iter().map(|part| part["session_id"].as_str().unwrap().to_owned()),
        );
        hub.forward(10 * MINUTE);
        match page["next_page_token"].as_str() {
            Some(next) => path = format!("/sessions?last=1h&limit=2&page_token={next}"),
            None => break,
        }
    }
    assert_eq!(seen, ids);
}

#[tokio::test]
async fn filters_narrow_what_is_counted() {
    let (hub, token) = stocked().await;
    for (filter, exchanges) in [
        ("", 10),
        ("status=404", 1),
        ("status=4xx&status=none", 2),
        ("status=!2xx", 2),
        ("method=POST", 1),
        ("host=!api.shop.example", 1),
        ("host=ADMIN.shop.example", 1),
        ("ip=10.0.0.0/24", 10),
        ("ip=10.0.0.2", 4),
        ("outcome=upstream_failed", 1),
        ("endpoint=ORDERS", 10),
        ("endpoint=baskets", 0),
        ("user=user+7", 10),
        ("key=cookie%20PHPSESSID&key_kind=builtin", 10),
        ("key_kind=!builtin", 0),
        ("value=00112233445566778899aabbccddeeff", 10),
        ("value=!00112233445566778899aabbccddeeff", 0),
        ("parameter=user:user+7&parameter=user:other", 10),
        ("parameter=user:user+7&parameter=plan:gold", 0),
        ("parameter=!user:user+7", 0),
        ("session=01010101010101010101010101010101&status=200", 3),
        ("request=01010101-0101-0101-0101-010101010101", 1),
        ("q=admin.shop", 1),
        ("from=2026-11-23T11:31:00Z&to=2026-11-23T11:33:00Z", 2),
        ("from=2026-11-23T13:31:00%2B02:00&to=2026-11-23T11:33:00Z", 2),
    ] {
        let counted = get(&hub, &token, &format!("/histogram?bars=5&{filter}")).await;
        let bars = counted["bars"].as_array().unwrap();
        assert_eq!(bars.len(), 5, "{filter}");
        let outcomes = ["ok", "redirect", "client_error", "server_error", "no_response"];
        let sum: u64 =
            bars.iter().flat_map(|bar| outcomes.map(|outcome| bar["counts"][outcome].as_u64().unwrap_or(0))).sum();
        assert_eq!(sum, exchanges, "{filter}");
    }
}

#[tokio::test]
async fn facets_count_the_values_of_the_fields_asked_for() {
    let (hub, token) = stocked().await;
    let facets = get(&hub, &token, "/facets?field=status&field=host&limit=1").await;
    let names: Vec<&str> =
        facets["facets"].as_array().unwrap().iter().map(|facet| facet["field"].as_str().unwrap()).collect();
    assert_eq!(names, ["status", "host"]);
    assert_eq!(facets["facets"][0]["values"], serde_json::json!([{"value": "200", "exchanges": 8}]));
    let all = get(&hub, &token, "/facets").await;
    assert_eq!(all["facets"].as_array().unwrap().len(), 11);
}

#[tokio::test]
async fn a_session_is_read_whole_unless_a_range_is_given() {
    let (hub, token) = stocked().await;
    hub.forward(3 * 24 * 60 * MINUTE);
    let path = format!("/sessions/{}", session(2));
    let summary = get(&hub, &token, &path).await;
    assert_eq!(summary["whole"]["requests"], 4);
    assert_eq!(summary["parts"].as_array().unwrap().len(), 1);
    assert_eq!(summary["idle_minutes"], 30);
    assert_eq!(summary["users"][0]["value"], "user 7");
    let visits = get(&hub, &token, &format!("{path}?idle_minutes=2")).await;
    assert_eq!(visits["gaps"].as_array().unwrap().len(), 3);
    let none = hub.get(&format!("/api/v1{path}?last=1h")).token(&token).send().await;
    none.assert_problem(404, &[]);

    let exchanges = get(&hub, &token, &format!("{path}/exchanges?limit=3")).await;
    assert_eq!((exchanges["total"].as_u64(), exchanges["exchanges"].as_array().unwrap().len()), (Some(4), 3));
    assert_eq!(exchanges["exchanges"][0]["exchange_id"], exchange_id(1).to_string());
    let next = exchanges["next_page_token"].as_str().unwrap();
    let rest = get(&hub, &token, &format!("{path}/exchanges?limit=3&page_token={next}")).await;
    assert_eq!(rest["exchanges"][0]["exchange_id"], exchange_id(10).to_string());
    assert_eq!(rest["next_page_token"], Value::Null);
    let newest = get(&hub, &token, &format!("{path}/exchanges?order=desc&limit=1")).await;
    assert_eq!(newest["exchanges"][0]["exchange_id"], exchange_id(10).to_string());
    // A token of one order does not continue the other.
    let other = hub.get(&format!("/api/v1{path}/exchanges?order=desc&page_token={next}")).token(&token).send().await;
    other.assert_problem(422, &["page_token"]);
}

#[tokio::test]
async fn a_list_of_named_sessions_shows_all_their_parts() {
    let (hub, token) = stocked().await;
    hub.forward(3 * 24 * 60 * MINUTE);
    assert_eq!(get(&hub, &token, "/sessions").await["total"], 0, "a day, unless told otherwise");
    let one = session(2);
    let list = get(&hub, &token, &format!("/sessions?session={one}")).await;
    assert_eq!((list["total"].as_u64(), list["sessions"][0]["requests"].as_u64()), (Some(1), Some(4)));
    assert_eq!(get(&hub, &token, &format!("/sessions?session={one}&last=1h")).await["total"], 0);
    assert_eq!(get(&hub, &token, &format!("/sessions?session=!{one}")).await["total"], 0, "no session is named");
    let file = hub.get(&format!("/api/v1/sessions.csv?session={one}")).token(&token).send().await;
    assert_eq!(file.text().split_terminator("\r\n").count(), 2);
    let facets = get(&hub, &token, &format!("/facets?field=key&session={one}")).await;
    assert_eq!(facets["facets"][0]["values"][0]["exchanges"], 4);
}

#[tokio::test]
async fn the_filter_session_holds_beside_the_session_of_the_path() {
    let (hub, token) = stocked().await;
    let (one, other) = (session(2), session(1));
    for (filter, expected) in [
        (format!("session={one}"), 4),
        (format!("session={one}&session={other}"), 4),
        (format!("session=!{other}"), 4),
        (format!("session={other}"), 0),
        (format!("session=!{one}"), 0),
    ] {
        let list = get(&hub, &token, &format!("/sessions/{one}/exchanges?{filter}")).await;
        assert_eq!(list["total"], expected, "{filter}");
        let file = hub.get(&format!("/api/v1/sessions/{one}/exchanges.csv?{filter}")).token(&token).send().await;
        assert_eq!(file.text().split_terminator("\r\n").count(), 1 + expected, "{filter}");
    }
}

#[tokio::test]
async fn one_exchange_says_which_rule_decided() {
    let (hub, token) = stocked().await;
    let exchange = get(&hub, &token, &format!("/exchanges/{}", exchange_id(5))).await;
    assert_eq!(exchange["status"], Value::Null);
    assert_eq!(exchange["outcome"], "upstream_failed");
    assert_eq!(exchange["client_ip"], "10.0.0.3");
    assert_eq!(exchange["params"][0]["name"], "user");
    assert_eq!(exchange["built_in"]["description"], "PHP's session cookie");
    assert_eq!(exchange["trace"], Value::Array(Vec::new()));
    let missing = hub.get(&format!("/api/v1/exchanges/{UUID}")).token(&token).send().await;
    missing.assert_problem(404, &[]);
}

#[tokio::test]
async fn hostile_text_comes_back_as_text() {
    let hub = TestHub::start().await;
    let token = hub.token("viewer").await;
    let hostile = "</script><script>alert(1)</script>\u{202e}\u{0}\u{1b}[31m\"=cmd|' /C calc'!A0";
    let mut rows = vec![row(1, 1)];
    rows[0].path = hostile;
    rows[0].user = Some("=HYPERLINK(\"http://evil.example\")");
    rows[0].user_agent = Some(hostile);
    store(&hub, 1, &rows).await;
    let answer = hub.get(&format!("/api/v1/exchanges/{}", exchange_id(1))).token(&token).send().await;
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.json()["path"], hostile);
    let file = hub.get(&format!("/api/v1/sessions/{}/exchanges.csv", session(1))).token(&token).send().await;
    assert!(file.text().contains("\"'=HYPERLINK(\"\"http://evil.example\"\")\""), "{}", file.text());
}

#[tokio::test]
async fn downloads_hold_every_row_of_every_page() {
    let hub = TestHub::start().await;
    let token = hub.token("viewer").await;
    let rows: Vec<Row<'_>> = (0..1_203_u32)
        .map(|number| {
            let mut bytes = [9; 16];
            bytes[12..].copy_from_slice(&number.to_be_bytes());
            Row {
                exchange_id: threadline_model::ExchangeId::from_bytes(bytes),
                session_id: threadline_model::SessionId::from_bytes(bytes),
                request_bytes: u64::from(number),
                ..row(1, 1)
            }
        })
        .collect();
    store(&hub, 1, &rows).await;
    let answer = hub.get("/api/v1/sessions.csv?last=1h").token(&token).send().await;
    assert_eq!(answer.header("content-type"), "text/csv; charset=utf-8; header=present");
    assert_eq!(answer.header("content-disposition"), "attachment; filename=\"threadline-sessions.csv\"");
    let text = answer.text();
    let lines: Vec<&str> = text.split_terminator("\r\n").collect();
    assert_eq!(lines.len(), 1_204);
    assert!(lines[0].starts_with("session_id,day,first,last,requests,"));
    let distinct: std::collections::BTreeSet<&str> =
        lines[1..].iter().map(|line| line.split(',').next().unwrap()).collect();
    assert_eq!(distinct.len(), 1_203);

    let same: Vec<Row<'_>> = rows.iter().map(|given| Row { session_id: session(7), ..given.clone() }).collect();
    let again: Vec<Row<'_>> = same
        .iter()
        .map(|given| {
            let mut bytes = *given.exchange_id.as_bytes();
            bytes[0] = 8;
            Row { exchange_id: threadline_model::ExchangeId::from_bytes(bytes), ..given.clone() }
        })
        .collect();
    store(&hub, 2, &again).await;
    let answer = hub.get(&format!("/api/v1/sessions/{}/exchanges.csv", session(7))).token(&token).send().await;
    assert_eq!(answer.text().split_terminator("\r\n").count(), 1_204);
}

#[tokio::test]
async fn batches_are_stored_once_however_often_they_are_sent() {
    let hub = TestHub::start().await;
    let (node, viewer) = (hub.token("node").await, hub.token("viewer").await);
    let terms = hub.get("/api/v1/batches").token(&node).send().await.json();
    assert_eq!(terms["secret_fingerprint"], "0011223344556677");
    let send = |id: &str, body: Vec<u8>| {
        let call = hub.call(Method::POST, "/api/v1/batches").token(&node).header("threadline-batch-id", id);
        call.bytes("application/vnd.apache.arrow.stream", body).send()
    };
    let mut rows = vec![row(1, 1), row(2, 1)];
    rows[1].ts = before_noon(60 * 24 * 30);
    let bytes = encode_ipc(&batch_of(&rows));
    let first = send(UUID, bytes.clone()).await;
    assert_eq!(first.json(), serde_json::json!({"stored": 1, "duplicate": 0, "expired": 1}));
    let second = send(UUID, bytes.clone()).await.json();
    assert_eq!((second["stored"].as_u64(), second["duplicate"].as_u64()), (Some(0), Some(1)));
    assert_eq!(get(&hub, &viewer, "/sessions").await["total"], 1);

    let half = bytes[..bytes.len() / 2].to_vec();
    send("1f0e0d0c-0b0a-0908-0706-050403020100", half).await.assert_problem(400, &[]);
    send("1f0e0d0c-0b0a-0908-0706-050403020100", Vec::new()).await.assert_problem(400, &[]);
    send("not an id", bytes.clone()).await.assert_problem(422, &["Threadline-Batch-Id"]);
    let call = || hub.call(Method::POST, "/api/v1/batches").token(&node).header("threadline-batch-id", UUID);
    let arrow = "application/vnd.apache.arrow.stream";
    call().bytes("application/json", "{}").send().await.assert_problem(415, &[]);
    call()
        .header("threadline-lane", "fast")
        .bytes(arrow, bytes.clone())
        .send()
        .await
        .assert_problem(422, &["Threadline-Lane"]);
    let none = hub.call(Method::POST, "/api/v1/batches").token(&node).bytes(arrow, bytes);
    none.send().await.assert_problem(422, &["Threadline-Batch-Id"]);

    // An old recording has a retention of its own.
    let old = encode_ipc(&batch_of(&[Row {
        ts: before_noon(60 * 24 * 400),
        session_key_kind: SessionKeyKind::Fallback,
        ..row(3, 3)
    }]));
    let import =
        hub.call(Method::POST, "/api/v1/batches").token(&hub.local_token()).header("threadline-lane", "import");
    let import = import.header("threadline-batch-id", "2f0e0d0c-0b0a-0908-0706-050403020100").bytes(arrow, old);
    assert_eq!(import.send().await.json()["stored"], 1);
    assert_eq!(get(&hub, &viewer, "/sessions?last=all").await["total"], 2);
    let status = get(&hub, &viewer, "/status").await;
    assert_eq!(status["store"]["exchanges"], 2);
    assert_eq!(status["store"]["import_days"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn an_empty_store_answers_with_nothing() {
    let hub = TestHub::start().await;
    let token = hub.token("viewer").await;
    for range in ["", "?last=all", "?last=15m"] {
        let list = get(&hub, &token, &format!("/sessions{range}")).await;
        assert_eq!((list["total"].as_u64(), list["next_page_token"].as_str()), (Some(0), None), "{range}");
    }
    let answer = hub.get("/api/v1/sessions.csv").token(&token).send().await;
    assert_eq!(answer.text().split_terminator("\r\n").count(), 1);
    assert_eq!(get(&hub, &token, "/status").await["store"]["span"], Value::Null);
}
