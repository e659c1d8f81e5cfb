//! The export ledger: what is stored is counted once, under bounds, and kept beyond the exchanges.

use std::collections::BTreeMap;

use http::{Method, StatusCode};
use serde_json::Value;
use threadline_record::{LEDGER_PARAMETERS, MessageSide, ParameterRow, Row, encode_ipc};

use crate::sample::{batch_of, before_noon, row};
use crate::support::{HOUR, TestHub};

async fn send(hub: &TestHub, number: u8, lane: &str, rows: &[Row<'_>]) {
    let call = hub.call(Method::POST, "/api/v1/batches").token(&hub.local_token()).header("threadline-lane", lane);
    let call = call.header("threadline-batch-id", &format!("{number:032x}"));
    let answer = call.bytes("application/vnd.apache.arrow.stream", encode_ipc(&batch_of(rows))).send().await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
}

async fn exports(hub: &TestHub, query: &str) -> Value {
    let answer = hub.get(&format!("/api/v1/exports{query}")).token(&hub.local_token()).send().await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    answer.json()
}

/// Values and bytes by field and form.
fn fields(exports: &Value) -> BTreeMap<(String, String), (u64, u64)> {
    let text = |field: &Value, name: &str| field[name].as_str().unwrap().to_owned();
    let number = |field: &Value, name: &str| field[name].as_u64().unwrap();
    let fields = exports["fields"].as_array().unwrap().iter();
    let fields = fields.map(|field| {
        let key = (text(field, "field"), text(field, "form"));
        (key, (number(field, "values"), number(field, "bytes")))
    });
    fields.collect()
}

fn of(exports: &Value, field: &str, form: &str) -> Option<(u64, u64)> {
    fields(exports).get(&(field.to_owned(), form.to_owned())).copied()
}

#[tokio::test]
async fn what_is_stored_is_counted_once_and_survives_a_restart() {
    let hub = TestHub::start().await;
    assert_eq!(exports(&hub, "").await["fields"], Value::Array(Vec::new()));
    let rows = [row(1, 1), row(2, 1)];
    send(&hub, 1, "live", &rows).await;
    send(&hub, 1, "live", &rows).await;
    let counted = exports(&hub, "").await;
    assert_eq!(of(&counted, "method", "clear"), Some((2, 6)));
    assert_eq!(of(&counted, "session_value builtin", "hashed"), Some((2, 64)));
    assert_eq!(of(&counted, "session_value builtin", "clear"), None);
    assert_eq!(of(&counted, "parameter user", "clear"), Some((2, 12)));
    assert_eq!(of(&counted, "operation", "clear"), None, "nothing of it was there");
    let method = counted["fields"].as_array().unwrap().iter().find(|field| field["field"] == "method").unwrap();
    assert_eq!(
        (&method["node"], &method["first_day"], &method["last_day"]),
        (&"test".into(), &"2026-11-23".into(), &"2026-11-23".into())
    );

    send(&hub, 2, "live", &[row(3, 1)]).await;
    let hub = TestHub::start_in(hub.stop().await, |_| {}).await;
    assert_eq!(of(&exports(&hub, "").await, "method", "clear"), Some((3, 9)), "what was not written yet is at the end");
}

#[tokio::test]
async fn days_are_those_of_the_rows_and_of_an_import_its_own() {
    let hub = TestHub::start().await;
    send(&hub, 1, "live", &[row(1, 1), Row { ts: before_noon(60 * 24), ..row(2, 1) }]).await;
    send(&hub, 2, "import", &[Row { ts: before_noon(60 * 24 * 900), ..row(3, 1) }]).await;
    let on = async |day: &str| {
        of(&exports(&hub, &format!("?from={day}T05:00:00Z&to={day}T06:00:00Z")).await, "method", "clear")
    };
    assert_eq!(on("2026-11-21").await, None);
    assert_eq!(on("2026-11-22").await, Some((1, 3)));
    assert_eq!(on("2026-11-23").await, Some((2, 6)));
    // The next addition forgets what is older than 400 days.
    hub.forward(401 * 24 * HOUR);
    send(&hub, 3, "import", &[row(4, 1)]).await;
    assert_eq!(on("2026-11-22").await, None);
    assert_eq!(on("2026-11-23").await, None);
    assert_eq!(of(&exports(&hub, "").await, "method", "clear"), Some((1, 3)));
}

#[tokio::test]
async fn parameters_of_a_day_are_bounded_over_all_batches() {
    let hub = TestHub::start().await;
    for (number, first) in [(1, 0), (2, LEDGER_PARAMETERS / 2), (3, LEDGER_PARAMETERS)] {
        let names: Vec<String> = (first..first + LEDGER_PARAMETERS / 2).map(|name| format!("name {name}")).collect();
        let parameters: Vec<ParameterRow<'_>> = names
            .iter()
            .map(|name| ParameterRow { name, value: "v", hashed: false, origin: MessageSide::Request, hidden: false })
            .collect();
        send(&hub, number, "live", &[Row { params: &parameters, ..row(number, 1) }]).await;
        exports(&hub, "").await;
    }
    let counted = exports(&hub, "").await;
    let named = fields(&counted).keys().filter(|(field, _)| field.starts_with("parameter ")).count();
    assert_eq!(named, LEDGER_PARAMETERS);
    let further = (LEDGER_PARAMETERS / 2) as u64;
    assert_eq!(of(&counted, "further parameters", "clear"), Some((further, further)), "nothing is left out");
}
