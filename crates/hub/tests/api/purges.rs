//! Purges: what is asked for leaves the store and stays in the record, without the user's name.

use std::sync::{Arc, Mutex};

use http::StatusCode;
use serde_json::{Value, json};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};
use threadline_hub::{RecentExchange, RecentExchanges, RecentLimits};
use threadline_model::{Clock, ExchangeId, ManualClock, PurgeId};
use threadline_policy::Policy;
use threadline_record::{ParameterRow, Row};
use threadline_store::{ExchangeStore as _, Purge};
use threadline_store_duckdb::{DuckSettings, DuckStore};

use crate::sample::{row, session, store};
use crate::support::{NOON, TestHub};

const PURGES: &str = "/api/v1/purges";
const CANARY: &str = "hunter2-canary@example.com";

/// Three exchanges of a user in two sessions, one of which somebody else shares, and one of somebody else.
async fn fill(hub: &TestHub) {
    let of = |number, session, user| Row { user: Some(user), ..row(number, session) };
    store(hub, 1, &[of(1, 1, CANARY), of(2, 1, CANARY), of(3, 2, CANARY), of(4, 2, "grace"), of(5, 3, "grace")]).await;
}

async fn ask(hub: &TestHub, body: Value) -> crate::support::Answer {
    hub.post(PURGES, &body).token(&hub.local_token()).send().await
}

async fn get(hub: &TestHub, path: &str) -> Value {
    let answer = hub.get(&format!("/api/v1{path}")).token(&hub.local_token()).send().await;
    assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text());
    answer.json()
}

/// The record of a purge once it does not run any more.
async fn ended(hub: &TestHub, id: &str) -> Value {
    let started = std::time::Instant::now();
    loop {
        let record = get(hub, &format!("/purges/{id}")).await;
        if record["state"] != "running" {
            return record;
        }
        assert!(started.elapsed().as_secs() < 60, "still running: {record}");
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}

async fn exchanges(hub: &TestHub) -> u64 {
    hub.store.status().await.unwrap().exchanges
}

/// What nodes were told to keep.
#[derive(Default)]
struct Told(Mutex<Vec<bool>>);

impl RecentExchanges for Told {
    fn configure(&self, limits: Option<RecentLimits>) {
        self.0.lock().unwrap().push(limits.is_some());
    }
    fn count(&self) -> usize {
        0
    }
    fn list(&self, _policy: &Policy) -> Vec<RecentExchange> {
        Vec::new()
    }
    fn find(&self, _id: ExchangeId, _policy: &Policy) -> Option<RecentExchange> {
        None
    }
}

#[tokio::test]
async fn a_user_is_counted_purged_and_recorded_without_their_name() {
    let told = Arc::new(Told::default());
    let recent = Arc::clone(&told);
    let hub = TestHub::start_with(|settings| settings.recent = recent).await;
    let on = hub.call(http::Method::PUT, "/api/v1/recent-exchanges/settings").json(&json!({"on": true}));
    assert_eq!(on.token(&hub.local_token()).send().await.status, StatusCode::OK);
    fill(&hub).await;
    let counts = json!({"sessions": 2, "shared_sessions": 1, "deleted": 4, "changed": 0, "days": 1});
    let preview = ask(&hub, json!({"kind": "user", "value": CANARY, "dry_run": true})).await;
    assert_eq!((preview.status, preview.json()), (StatusCode::OK, counts.clone()));
    assert_eq!((exchanges(&hub).await, get(&hub, "/purges").await["total"].clone()), (5, json!(0)));
    assert_eq!(*told.0.lock().unwrap(), [false, true], "asking changes nothing");

    let asked = ask(&hub, json!({"kind": "user", "value": CANARY, "reason": " asked in writing "})).await;
    assert_eq!(asked.status, StatusCode::ACCEPTED, "{}", asked.text());
    let asked = asked.json();
    assert_eq!((&asked["reason"], &asked["counts"]), (&json!("asked in writing"), &counts));
    assert_eq!(*told.0.lock().unwrap(), [false, true, false, true], "what nodes keep in memory is forgotten");
    let record = ended(&hub, asked["id"].as_str().unwrap()).await;
    assert_eq!((&record["state"], &record["counts"], &record["failure"]), (&json!("done"), &counts, &Value::Null));
    assert_eq!(
        (&record["asked_at"], &record["ended_at"]),
        (&json!("2026-11-23T12:00:00.000000Z"), &record["asked_at"])
    );
    assert_eq!(record["value"].as_str().unwrap().len(), 8, "{record}");
    assert_eq!(exchanges(&hub).await, 1);
    let again = ask(&hub, json!({"kind": "user", "value": CANARY, "dry_run": true})).await.json();
    assert_eq!(again["deleted"], 0);

    let log = get(&hub, "/audit?limit=2").await;
    let entries = log["entries"].as_array().unwrap();
    let of = |entry: &Value| (entry["action"].clone(), entry["subject"].clone(), entry["detail"].clone());
    let subject = json!(format!("user {}", record["value"].as_str().unwrap()));
    assert_eq!(of(&entries[1]), (json!("purge.requested"), subject.clone(), json!("asked in writing")));
    let said = json!("sessions: 2, exchanges deleted: 4, changed: 0, days: 1");
    assert_eq!(of(&entries[0]), (json!("purge.done"), subject, said));

    // The store's note was forgotten, and no file of the hub names the user.
    let folder = hub.stop().await;
    assert_eq!(std::fs::read_dir(folder.path().join("store/purges")).unwrap().count(), 0);
    for file in std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()) {
        let content = if file.is_file() { std::fs::read(&file).unwrap() } else { Vec::new() };
        assert!(!content.windows(CANARY.len()).any(|bytes| bytes == CANARY.as_bytes()), "{}", file.display());
    }
}

#[tokio::test]
async fn sessions_and_parameters_are_purged_and_the_record_pages() {
    let hub = TestHub::start().await;
    let tenant = ParameterRow { name: "tenant", value: "north", ..row(1, 1).params[0] };
    let params = [tenant, row(1, 1).params[0]];
    store(&hub, 1, &[Row { params: &params, ..row(1, 1) }, row(2, 2)]).await;
    let mut asked = Vec::new();
    for (kind, value, deleted, changed) in
        [("parameter", "tenant", 0, 1), ("session", &*session(1).to_string(), 1, 0), ("parameter", "unknown", 0, 0)]
    {
        let answer = ask(&hub, json!({"kind": kind, "value": value, "reason": "test", "dry_run": false})).await;
        let record = ended(&hub, answer.json()["id"].as_str().unwrap()).await;
        assert_eq!(
            (&record["kind"], &record["value"], &record["state"]),
            (&json!(kind), &json!(value), &json!("done"))
        );
        assert_eq!((&record["counts"]["deleted"], &record["counts"]["changed"]), (&json!(deleted), &json!(changed)));
        asked.push(record);
    }
    assert_eq!(exchanges(&hub).await, 1);
    let page = get(&hub, "/purges?limit=2").await;
    assert_eq!((&page["total"], &page["purges"]), (&json!(3), &json!([asked[2], asked[1]])));
    let next = page["next_page_token"].as_str().unwrap();
    let page = get(&hub, &format!("/purges?limit=2&page_token={next}")).await;
    assert_eq!((&page["next_page_token"], &page["purges"]), (&Value::Null, &json!([asked[0]])));
    let unknown = hub.get(&format!("{PURGES}/017f22e2-79b0-7cc3-98c4-dc0c0c07398f")).token(&hub.local_token());
    unknown.send().await.assert_problem(404, &[]);
}

/// Two records that run: of one the store has a note, of the other it has none.
#[tokio::test]
async fn what_was_begun_is_finished_at_the_next_start_and_what_was_not_is_said() {
    const BEGUN: &str = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f";
    const NOT_BEGUN: &str = "017f22e2-79b0-7cc3-98c4-dc0c0c073990";
    let hub = TestHub::start().await;
    fill(&hub).await;
    let folder = hub.stop().await;
    let clock = Arc::new(ManualClock::new(NOON)) as Arc<dyn Clock>;
    let duck = DuckStore::open(DuckSettings::new(folder.path().join("store"), clock)).unwrap();
    let id: PurgeId = BEGUN.parse().unwrap();
    duck.begin_purge(id, Purge::User(CANARY.to_owned())).await.unwrap();
    duck.close().await.unwrap();
    let state = SqliteConnectOptions::new().filename(folder.path().join("state.sqlite"));
    let mut state = state.connect().await.unwrap();
    for id in [BEGUN, NOT_BEGUN] {
        sqlx::query(
            "INSERT INTO purges (id, kind, value, reason, asked_at, asked_by, state) \
             VALUES (?, 'user', '00112233', 'test', 0, 'ada', 'running')",
        )
        .bind(id)
        .execute(&mut state)
        .await
        .unwrap();
    }
    state.close().await.unwrap();

    let hub = TestHub::start_in(folder, |_| {}).await;
    let begun = ended(&hub, BEGUN).await;
    assert_eq!((&begun["state"], &begun["counts"]["deleted"]), (&json!("done"), &json!(4)));
    let not_begun = ended(&hub, NOT_BEGUN).await;
    assert_eq!((&not_begun["state"], &not_begun["counts"]["deleted"]), (&json!("failed"), &json!(0)));
    assert!(not_begun["failure"].as_str().unwrap().contains("not begun"), "{not_begun}");
    assert_eq!(exchanges(&hub).await, 1);
    let log = get(&hub, "/audit?limit=2").await;
    let mut actions: Vec<&str> =
        log["entries"].as_array().unwrap().iter().map(|entry| entry["action"].as_str().unwrap()).collect();
    actions.sort_unstable();
    assert_eq!(actions, ["purge.done", "purge.failed"]);
}

#[tokio::test]
async fn what_cannot_be_begun_has_failed_and_only_so_many_run_at_a_time() {
    let hub = TestHub::start().await;
    let body = json!({"kind": "user", "value": CANARY, "reason": "test"});
    hub.store.close().await.unwrap();
    ask(&hub, body.clone()).await.assert_problem(503, &[]);
    let record = get(&hub, "/purges").await["purges"][0].clone();
    assert_eq!((&record["state"], &record["counts"]["deleted"]), (&json!("failed"), &json!(0)));
    assert!(record["failure"].as_str().unwrap().contains("ask for it again"), "{record}");
    let log = get(&hub, "/audit?limit=2").await;
    let actions = [&log["entries"][0]["action"], &log["entries"][1]["action"]];
    assert_eq!(actions, [&json!("purge.failed"), &json!("purge.requested")]);

    let state = SqliteConnectOptions::new().filename(hub.directory.path().join("state.sqlite"));
    let mut state = state.connect().await.unwrap();
    for number in 100..200 {
        sqlx::query(
            "INSERT INTO purges (id, kind, value, reason, asked_at, asked_by, state) \
             VALUES (?, 'user', '00112233', 'test', 0, 'ada', 'running')",
        )
        .bind(format!("017f22e2-79b0-7cc3-98c4-000000000{number}"))
        .execute(&mut state)
        .await
        .unwrap();
    }
    state.close().await.unwrap();
    ask(&hub, body).await.assert_problem(409, &[]);
}
