//! Policies tried out: what is refused and how, one at a time, ended when the caller leaves, in the audit log.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{Method, StatusCode};
use serde_json::{Value, json};
use threadline_hub::{
    Leaving, TriedChanges, TriedFigures, TriedPolicy, TriedSpread, TryOut, TryOutError, TryOutTraffic, WouldLeave,
};
use threadline_policy::Policy;

use crate::support::{Answer, NOON, TestHub};

const TRY: &str = "/api/v1/policy/try";

/// Answers at once, or waits until it is stopped.
#[derive(Default)]
struct Stages {
    waits: AtomicBool,
    running: AtomicBool,
    stopped: AtomicBool,
    asked: Mutex<Vec<(u64, TryOutTraffic)>>,
}

fn figures(sessions: u64) -> TriedFigures {
    let none = TriedSpread { of: 0, median: 0.0, most: 0 };
    TriedFigures {
        analysed: 9,
        passed_by: 0,
        uncertain: 0,
        rules: Vec::new(),
        sessions,
        largest_session: 3,
        single_sessions: 1,
        addresses_of_session: none,
        sessions_of_address: none,
    }
}

impl TryOut for Stages {
    fn try_out(
        &self,
        _current: &Policy,
        draft: &Policy,
        traffic: TryOutTraffic,
        is_stopped: &(dyn Fn() -> bool + Sync),
    ) -> Result<TriedPolicy, TryOutError> {
        self.asked.lock().unwrap().push((draft.version(), traffic));
        self.running.store(true, Ordering::SeqCst);
        while self.waits.load(Ordering::SeqCst) {
            if is_stopped() {
                self.stopped.store(true, Ordering::SeqCst);
                return Err(TryOutError::Stopped);
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        Ok(TriedPolicy {
            exchanges: 9,
            from: Some(NOON),
            to: None,
            notes: vec!["One.".into(), "Two.".into()],
            current: figures(4),
            draft: figures(2),
            changes: TriedChanges {
                compared: 9,
                changed: 5,
                newly_analysed: 0,
                no_longer_analysed: 0,
                examples: Vec::new(),
            },
            warnings: Vec::new(),
        })
    }
}

impl WouldLeave for Stages {
    fn would_leave(
        &self,
        current: &Policy,
        draft: &Policy,
        is_stopped: &(dyn Fn() -> bool + Sync),
    ) -> Result<Leaving, TryOutError> {
        let tried = self.try_out(current, draft, TryOutTraffic::Recent, is_stopped)?;
        let (exchanges, from, to, notes) = (tried.exchanges, tried.from, tried.to, tried.notes);
        let (fields, changes, never) = Default::default();
        Ok(Leaving { exchanges, analysed: 8, from, to, notes, fields, changes, never })
    }
}

async fn post(hub: &TestHub, body: &Value) -> Answer {
    hub.post(TRY, body).token(&hub.local_token()).send().await
}

async fn keep_recent(hub: &TestHub) {
    let call = hub.call(Method::PUT, "/api/v1/recent-exchanges/settings").json(&json!({"on": true}));
    assert_eq!(call.token(&hub.local_token()).send().await.status, StatusCode::OK);
}

async fn until(what: impl Fn() -> bool) {
    for _ in 0..5_000 {
        if what() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    panic!("waited in vain");
}

fn valid() -> Value {
    json!({"parameters": [{"name": "token", "point": "request > query token", "group": true}]})
}

#[tokio::test]
async fn what_cannot_be_tried_is_refused_with_field_and_reason() {
    let stages = Arc::new(Stages::default());
    let hub = TestHub::start_with(|settings| settings.try_out = Arc::clone(&stages) as Arc<dyn TryOut>).await;
    let off = post(&hub, &json!({"policy": valid()})).await;
    off.assert_problem(409, &[]);
    assert!(off.text().contains("recent-exchanges/settings"), "it says how to switch that on: {}", off.text());
    keep_recent(&hub).await;

    let wrong = json!({"masks": [{"point": "request > cookie a"}], "parameters": [{"name": "", "point": "x"}]});
    let fields = ["policy.masks[0].point", "policy.parameters[0].name", "policy.parameters[0].point"];
    post(&hub, &json!({"policy": wrong})).await.assert_problem(422, &fields);
    post(&hub, &json!({})).await.assert_problem(422, &["policy"]);
    post(&hub, &json!({"policy": valid(), "hra": {}})).await.assert_problem(422, &["hra"]);
    for har in [json!(7), json!([]), json!(true)] {
        let refused = post(&hub, &json!({"policy": valid(), "har": har})).await;
        refused.assert_problem(422, &["har"]);
    }
    let long = json!({"policy": valid(), "har": "x".repeat((16 << 20) + 1)});
    post(&hub, &long).await.assert_problem(422, &["har"]);
    let longer = format!("{{\"policy\":{},\"har\":\"{}\"}}", valid(), "\\n".repeat(17 << 20));
    let refused = hub.call(Method::POST, TRY).bytes("application/json", longer).token(&hub.local_token()).send().await;
    refused.assert_problem(413, &[]);
    assert!(stages.asked.lock().unwrap().is_empty());
    let audit = hub.get("/api/v1/audit?limit=50").token(&hub.local_token()).send().await.text();
    assert!(!audit.contains("policy.tried"), "nothing was tried: {audit}");

    let alone = TestHub::start().await;
    keep_recent(&alone).await;
    post(&alone, &json!({"policy": valid()})).await.assert_problem(409, &[]);
}

#[tokio::test]
async fn what_came_of_it_states_its_sample_and_is_in_the_audit_log() {
    let stages = Arc::new(Stages::default());
    let hub = TestHub::start_with(|settings| settings.try_out = Arc::clone(&stages) as Arc<dyn TryOut>).await;
    keep_recent(&hub).await;
    let tried = post(&hub, &json!({"policy": valid()})).await;
    assert_eq!(tried.status, StatusCode::OK, "{}", tried.text());
    let tried = tried.json();
    assert_eq!(
        tried["sample"],
        json!({"kind": "recent", "exchanges": 9, "from": "2026-11-23T12:00:00.000000Z", "to": null,
               "kept_since": "2026-11-23T12:00:00.000000Z", "note": "One. Two."})
    );
    assert_eq!(
        (&tried["against"], &tried["current"]["sessions"], &tried["draft"]["sessions"]),
        (&json!(0), &json!(4), &json!(2))
    );

    let none = json!({"kind": "configured", "key": "token", "exchanges": 0, "share": 0.0});
    assert_eq!((&tried["stored"]["exchanges"], &tried["stored"]["current"]), (&json!(0), &json!([])));
    assert!(tried["stored"]["not_told"].as_str().unwrap().contains("`token` is no parameter"));
    assert!(!tried["stored"]["draft"].as_array().unwrap().contains(&none), "what is not known is no zero");

    // An archive is handed on as it was sent, whichever way.
    let archive = "{\"log\": {\"entries\" : [ ]}, \"canary\":1.50}";
    let object = format!("{{\"policy\":{},\"har\":{archive}}}", valid());
    let string = json!({"policy": valid(), "har": archive}).to_string();
    for body in [object, string] {
        let call = hub.call(Method::POST, TRY).bytes("application/json", body).token(&hub.local_token());
        let sample = call.send().await.json()["sample"].clone();
        assert_eq!((&sample["kind"], &sample["kept_since"]), (&json!("har"), &Value::Null));
    }
    let har = || (1, TryOutTraffic::Har(archive.to_owned()));
    assert_eq!(*stages.asked.lock().unwrap(), [(1, TryOutTraffic::Recent), har(), har()]);

    let log = hub.get("/api/v1/audit?limit=50").token(&hub.local_token()).send().await;
    assert!(!log.text().contains("canary") && !log.text().contains("query token"), "counts only: {}", log.text());
    let log = log.json();
    let entries: Vec<&Value> =
        log["entries"].as_array().unwrap().iter().filter(|entry| entry["action"] == "policy.tried").collect();
    assert_eq!(entries.len(), 3);
    assert_eq!(entries[2]["detail"], "recent, 9 exchanges, 5 change session; 4 sessions become 2");
    assert_eq!(
        hub.get("/api/v1/policy").token(&hub.local_token()).send().await.json()["version"],
        0,
        "nothing is saved"
    );
}

#[tokio::test]
async fn one_at_a_time_and_not_longer_than_somebody_waits() {
    let stages = Arc::new(Stages::default());
    stages.waits.store(true, Ordering::SeqCst);
    let hub = TestHub::start_with(|settings| settings.try_out = Arc::clone(&stages) as Arc<dyn TryOut>).await;
    keep_recent(&hub).await;
    let body = json!({"policy": valid()});
    {
        let leaving = post(&hub, &body);
        tokio::pin!(leaving);
        tokio::select! {
            answer = &mut leaving => panic!("answered: {}", answer.text()),
            () = until(|| stages.running.load(Ordering::SeqCst)) => {}
        }
        let busy = post(&hub, &body).await;
        busy.assert_problem(503, &[]);
        assert_eq!(busy.header("retry-after"), "1");
    }
    until(|| stages.stopped.load(Ordering::SeqCst)).await;
    stages.waits.store(false, Ordering::SeqCst);
    for _ in 0..100 {
        if post(&hub, &body).await.status == StatusCode::OK {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("nobody else gets a turn");
}

#[tokio::test]
async fn what_would_leave_is_asked_one_at_a_time_and_not_longer_than_somebody_waits() {
    const LEAVES: &str = "/api/v1/policy/exports";
    let alone = TestHub::start().await;
    let body = json!({"policy": valid()});
    let ask = async |hub: &TestHub| hub.post(LEAVES, &body).token(&hub.local_token()).send().await;
    ask(&alone).await.assert_problem(409, &[]);

    let stages = Arc::new(Stages::default());
    stages.waits.store(true, Ordering::SeqCst);
    let hub = TestHub::start_with(|settings| settings.would_leave = Arc::clone(&stages) as Arc<dyn WouldLeave>).await;
    let viewer = hub.token("viewer").await;
    hub.post(LEAVES, &body).token(&viewer).send().await.assert_problem(403, &[]);
    {
        let leaving = ask(&hub);
        tokio::pin!(leaving);
        tokio::select! {
            answer = &mut leaving => panic!("answered: {}", answer.text()),
            () = until(|| stages.running.load(Ordering::SeqCst)) => {}
        }
        ask(&hub).await.assert_problem(503, &[]);
    }
    until(|| stages.stopped.load(Ordering::SeqCst)).await;
    stages.waits.store(false, Ordering::SeqCst);
    for _ in 0..100 {
        let answer = ask(&hub).await;
        if answer.status == StatusCode::OK {
            let sample = &answer.json()["sample"];
            assert_eq!((&sample["exchanges"], &sample["analysed"]), (&json!(9), &json!(8)));
            assert_eq!((&sample["kept_since"], &sample["note"]), (&Value::Null, &json!("One. Two.")));
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("nobody else gets a turn");
}
