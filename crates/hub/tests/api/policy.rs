//! Context parameters: reading, saving, history, and the policy of a configuration file.

use http::{Method, StatusCode};
use serde_json::{Value, json};
use threadline_policy::PolicyDocument;

use crate::sample::{exchange_id, row, store};
use crate::support::{Answer, TestHub};

const PATH: &str = "/api/v1/policy/parameters";

async fn put(hub: &TestHub, tag: &str, body: &Value) -> Answer {
    hub.call(Method::PUT, PATH).token(&hub.local_token()).header("if-match", tag).json(body).send().await
}

fn token_key(name: &str) -> Value {
    json!({"name": name, "point": "request > query token", "group": true})
}

#[tokio::test]
async fn a_saved_list_holds_at_once_and_is_a_new_version() {
    let hub = TestHub::start().await;
    let watching = hub.hub.policy();
    let empty = hub.get(PATH).token(&hub.local_token()).send().await;
    assert_eq!(empty.header("etag"), "\"0\"");
    let json = empty.json();
    assert_eq!(
        (json["version"].as_u64(), json["saved_by"].as_str(), json["maximum"].as_u64()),
        (Some(0), None, Some(20))
    );
    assert_eq!(json["built_in"][0]["name"], "cookie PHPSESSID");

    let user = json!({"name": "user", "point": ["response", "body", "json", ["property", "user"]], "type": "user"});
    let body = json!({"parameters": [token_key("token"), user], "comment": " first keys "});
    let saved = put(&hub, "\"0\"", &body).await;
    assert_eq!(saved.status, StatusCode::OK, "{}", saved.text());
    assert_eq!(saved.header("etag"), "\"1\"");
    // Seen by the process before the answer.
    assert_eq!(watching.borrow().version(), 1);
    assert_eq!(watching.borrow().parameters().len(), 2);
    let json = saved.json();
    assert_eq!(json["saved_by"], "local command");
    assert_eq!(json["saved_at"], "2026-11-23T12:00:00.000000Z");
    assert_eq!(json["comment"], "first keys");
    assert_eq!(json["parameters"][0]["hashed"], true, "a token in a query is a credential");
    assert_eq!(json["parameters"][1]["point"], "response > body > json > property user");
    assert_eq!(json["parameters"][1]["point_json"], json!(["response", "body", "json", ["property", "user"]]));
    assert_eq!(json["parameters"][1]["type"], "user");
    assert_eq!(hub.get(PATH).token(&hub.local_token()).send().await.json(), json);

    // The same again makes no version.
    let same = put(&hub, "\"1\"", &body).await;
    assert_eq!((same.status, same.header("etag")), (StatusCode::OK, "\"1\""));

    // It survives a restart.
    let hub = TestHub::start_in(hub.stop().await, |_| {}).await;
    assert_eq!(hub.hub.policy().borrow().version(), 1);
}

#[tokio::test]
async fn nobodys_changes_are_overwritten() {
    let hub = TestHub::start().await;
    let body = json!({"parameters": [token_key("token")]});
    let none = hub.call(Method::PUT, PATH).token(&hub.local_token()).json(&body).send().await;
    none.assert_problem(428, &[]);
    put(&hub, "0", &body).await.assert_problem(422, &["If-Match"]);
    assert_eq!(put(&hub, "\"0\"", &body).await.status, StatusCode::OK);
    let other = json!({"parameters": []});
    for stale in ["\"0\"", "\"7\"", "\"abc\"", "W/\"1x\", \"0\""] {
        let answer = put(&hub, stale, &other).await;
        if stale.starts_with('W') {
            answer.assert_problem(422, &["If-Match"]);
        } else {
            answer.assert_problem(412, &[]);
            assert_eq!(answer.header("etag"), "\"1\"");
        }
    }
    assert_eq!(hub.hub.policy().borrow().parameters().len(), 1);
    assert_eq!(put(&hub, "\"0\", \"1\"", &other).await.status, StatusCode::OK);
    assert_eq!(put(&hub, "*", &body).await.status, StatusCode::OK);
}

#[tokio::test]
async fn of_two_who_save_the_same_version_one_wins() {
    let hub = TestHub::start().await;
    let (one, other) = (json!({"parameters": [token_key("one")]}), json!({"parameters": [token_key("other")]}));
    let (one, other) = tokio::join!(put(&hub, "\"0\"", &one), put(&hub, "\"0\"", &other));
    let mut statuses = [one.status.as_u16(), other.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412]);
    assert_eq!(hub.hub.policy().borrow().version(), 1);
}

#[tokio::test]
async fn errors_name_every_field_and_change_nothing() {
    let hub = TestHub::start().await;
    let named = |name: &str, point: &str| json!({"name": name, "point": point});
    let many: Vec<Value> =
        (0..21).map(|number| named(&format!("key {number}"), &format!("request > query q{number}"))).collect();
    let twice = json!([named("same", "request > query a"), named("same", "request > query b")]);
    let wrong = json!([{"name": "", "point": "request > body > cookie a"}, {"name": "b", "point": "nonsense"}]);
    for (parameters, fields) in [
        (json!(many), vec!["parameters[20]"]),
        (twice, vec!["parameters[1].name"]),
        (wrong, vec!["parameters[0].name", "parameters[0].point", "parameters[1].point"]),
    ] {
        let answer = put(&hub, "\"0\"", &json!({"parameters": parameters})).await;
        answer.assert_problem(422, &fields);
    }
    let long = json!({"parameters": [], "comment": "x".repeat(501)});
    put(&hub, "\"0\"", &long).await.assert_problem(422, &["comment"]);
    assert_eq!(hub.hub.policy().borrow().version(), 0);
    let versions = hub.get("/api/v1/policy/versions").token(&hub.local_token()).send().await.json();
    assert_eq!(versions["total"], 0);
}

#[tokio::test]
async fn every_version_stays_with_who_when_and_what_changed() {
    let hub = TestHub::start().await;
    for (version, name) in ["one", "two", "three"].iter().enumerate() {
        let body = json!({"parameters": [token_key(name), {"name": "ip", "point": "request > remote_addr"}]});
        assert_eq!(put(&hub, &format!("\"{version}\""), &body).await.status, StatusCode::OK);
        hub.forward(1_000_000);
    }
    let read = |path: &str| hub.get(&format!("/api/v1/policy/versions{path}")).token(&hub.local_token()).send();
    let first = read("?limit=2").await.json();
    assert_eq!(first["total"], 3);
    assert_eq!(first["versions"][0]["version"], 3);
    assert_eq!(first["versions"][0]["saved_at"], "2026-11-23T12:00:02.000000Z");
    assert_eq!(first["versions"][0]["changes"], json!(["renamed `two` to `three`"]));
    let next = first["next_page_token"].as_str().unwrap();
    let second = read(&format!("?limit=2&page_token={next}")).await.json();
    assert_eq!((second["versions"].as_array().unwrap().len(), &second["next_page_token"]), (1, &Value::Null));
    let one = read("/1").await.json();
    assert_eq!((one["parameters"][0]["name"].as_str(), one["saved_by"].as_str()), (Some("one"), Some("local command")));
    assert_eq!(one["policy"]["parameters"][0]["point"], "request > query token");
    let changes = |path: &'static str| async move { read(path).await.json()["changes"].clone() };
    assert_eq!(changes("/3/changes").await, json!(["renamed `two` to `three`"]));
    assert_eq!(changes("/3/changes?since=1").await, json!(["renamed `one` to `three`"]));
    assert_eq!(changes("/1/changes?since=3").await, json!(["renamed `three` to `one`"]));
    assert_eq!(changes("/2/changes?since=2").await, json!([]));
    assert_eq!(changes("/1/changes").await[0], "added `one` (request > query token) at position 1");
    for (wrong, fields) in [("/3/changes?since=x", vec!["since"]), ("/3/changes?sinc=1", vec!["sinc"])] {
        read(wrong).await.assert_problem(422, &fields);
    }
    read("/3/changes?since=4").await.assert_problem(404, &[]);
    read("/4/changes").await.assert_problem(404, &[]);
    read("/4").await.assert_problem(404, &[]);
    read("/0").await.assert_problem(404, &[]);
    for wrong in ["/x", "/-1", "/+1", "/99999999999999999999", "/1?x=1"] {
        let field = if wrong.ends_with("x=1") { "x" } else { "version" };
        read(wrong).await.assert_problem(422, &[field]);
    }
}

#[tokio::test]
async fn any_version_is_there_whole_and_comparable_with_any_other() {
    let hub = TestHub::start().await;
    let path = "/api/v1/policy";
    let save = async |tag: &str, policy: Value| {
        let call = hub.call(Method::PUT, path).token(&hub.local_token()).header("if-match", tag);
        let saved = call.json(&json!({"policy": policy})).send().await;
        assert_eq!(saved.status, StatusCode::OK, "{}", saved.text());
        saved.json()["policy"].clone()
    };
    let first = json!({"masks": [{"point": "request > query pin"}], "parameters": [token_key("token")]});
    let first = save("\"0\"", first).await;
    assert_eq!(first["parameters"][0]["hashed"], true, "defaults are written out");
    save(
        "\"1\"",
        json!({"applications": [{"id": "shop", "hosts": ["shop.example"]}], "parameters": [token_key("token")]}),
    )
    .await;
    let viewer = hub.token("viewer").await;
    let read = |rest: &str| hub.get(&format!("{path}/versions{rest}")).token(&viewer).send();
    let one = read("/1").await.json();
    assert_eq!((&one["policy"], one["version"].as_u64()), (&first, Some(1)));

    let removed = "removed the mask of request > query pin (everywhere)";
    let added = "added a mask of request > query pin (everywhere)";
    for (asked, since, sentence) in [
        ("/2/changes", 1, removed),
        ("/2/changes?since=1", 1, removed),
        ("/1/changes?since=2", 2, added),
        ("/1/changes", 0, added),
        ("/1/changes?since=0", 0, added),
        ("/0/changes?since=1", 1, removed),
    ] {
        let answer = read(asked).await.json();
        let sentences = answer["changes"].as_array().unwrap();
        assert_eq!(answer["since"].as_u64(), Some(since), "{asked}: {answer}");
        assert!(sentences.contains(&json!(sentence)), "{asked}: {answer}");
    }
    for same in ["/2/changes?since=2", "/0/changes"] {
        assert_eq!(read(same).await.json()["changes"], json!([]), "{same}");
    }
    for unknown in ["/3/changes", "/2/changes?since=3", "/7/changes?since=1"] {
        read(unknown).await.assert_problem(404, &[]);
    }
    for (wrong, field) in [
        ("/x/changes", "version"),
        ("/-1/changes", "version"),
        ("/1/changes?since=", "since"),
        ("/1/changes?since=+0", "since"),
        ("/1/changes?since=99999999999999999999", "since"),
        ("/1/changes?since=0&since=1", "since"),
        ("/1/changes?sinse=0", "sinse"),
    ] {
        read(wrong).await.assert_problem(422, &[field]);
    }

    // Saving what a version says restores it.
    assert_eq!(save("\"2\"", one["policy"].clone()).await, first);
    assert_eq!(read("/3/changes?since=1").await.json()["changes"], json!([]));
}

/// Whoever saves over anything saves over what holds at that moment: every version says what it changed in the one
/// before, and no change is lost.
#[tokio::test]
async fn saving_over_anything_loses_no_race() {
    let hub = TestHub::start().await;
    let whole = async |number: u64| {
        let policy = json!({"masks": [{"point": format!("request > query pin{number}")}], "parameters": []});
        let call = hub.call(Method::PUT, "/api/v1/policy").token(&hub.local_token()).header("if-match", "*");
        call.json(&json!({"policy": policy})).send().await.status
    };
    let list = async |number: u64| {
        put(&hub, "*", &json!({"parameters": [token_key(&format!("token {number}"))]})).await.status
    };
    let saved = tokio::join!(whole(1), list(1), whole(2), list(2), whole(3), list(3), list(4), list(5));
    let (a, b, c, d, e, f, g, h) = saved;
    assert_eq!([a, b, c, d, e, f, g, h], [StatusCode::OK; 8]);
    let read = |path: String| hub.get(&format!("/api/v1/policy/versions{path}")).token(&hub.local_token()).send();
    let versions = read(String::new()).await.json();
    assert_eq!(versions["total"], 8, "one for each");
    for version in versions["versions"].as_array().unwrap() {
        let number = &version["version"];
        let compared = read(format!("/{number}/changes")).await.json();
        assert_eq!(version["changes"], compared["changes"], "version {number} was made of the one before");
    }
    // A list was saved on a policy with the masks that held at that moment, whichever they were.
    for number in 2..=8 {
        let saved = read(format!("/{number}")).await.json()["policy"].clone();
        let before = read(format!("/{}", number - 1)).await.json()["policy"].clone();
        if saved["parameters"] != json!([]) {
            assert_eq!(saved["masks"], before["masks"], "version {number}");
        }
    }
}

#[tokio::test]
async fn a_configuration_file_applies_when_it_changed_and_not_again() {
    let hub = TestHub::start().await;
    let document =
        |name: &str| -> PolicyDocument { serde_json::from_value(json!({"parameters": [token_key(name)]})).unwrap() };
    let by = "configuration file";
    assert_eq!(hub.hub.apply_policy(document("file"), by).await.unwrap().version(), 1);
    assert_eq!(hub.hub.apply_policy(document("file"), by).await.unwrap().version(), 1);
    let versions = hub.get("/api/v1/policy/versions").token(&hub.local_token()).send().await.json();
    assert_eq!(versions["versions"][0]["saved_by"], by);

    // What somebody changed in the console stays until the file is edited.
    put(&hub, "\"1\"", &json!({"parameters": [token_key("console")]})).await;
    let hub = TestHub::start_in(hub.stop().await, |_| {}).await;
    assert_eq!(hub.hub.apply_policy(document("file"), by).await.unwrap().version(), 2);
    let edited = hub.hub.apply_policy(document("edited"), by).await.unwrap();
    assert_eq!((edited.version(), edited.parameters()[0].name.as_str()), (3, "edited"));
    let wrong: PolicyDocument = serde_json::from_value(json!({"parameters": [{"name": "a", "point": "x"}]})).unwrap();
    assert!(hub.hub.apply_policy(wrong, by).await.unwrap_err().to_string().contains("parameters[0].point"));
    assert_eq!(hub.hub.policy().borrow().version(), 3);
}

#[tokio::test]
async fn points_are_checked_in_any_spelling() {
    let hub = TestHub::start().await;
    let viewer = hub.token("viewer").await;
    let check = |point: Value| {
        let call = hub.post("/api/v1/policy/points/check", &json!({"point": point})).token(&viewer);
        async move { call.send().await.json() }
    };
    let by_text = check(json!("request > header authorization > bearer")).await;
    assert_eq!(by_text["error"], Value::Null);
    assert_eq!(by_text["spellings"]["point"], "request > header AUTHORIZATION > bearer");
    assert_eq!(by_text["spellings"]["side"], "request");
    assert_eq!(by_text["spellings"]["hashed_by_default"], true);
    assert_eq!(check(by_text["spellings"]["point_json"].clone()).await, by_text);

    let wrong = check(json!("request > body > cookie a")).await;
    assert_eq!((&wrong["spellings"], wrong["error"]["step"].as_u64()), (&Value::Null, Some(2)));
    assert!(wrong["error"]["reason"].as_str().unwrap().contains("cookie"));
    // Well-formed, but more than a node would do for one point: it could not be saved either.
    let deep = check(json!(format!("request > body{}", " > base64".repeat(13)))).await;
    assert_eq!(deep["spellings"], Value::Null, "{deep}");
    assert!(deep["error"]["reason"].as_str().unwrap().contains("more than 12 formats"), "{deep}");
}

#[tokio::test]
async fn an_exchange_is_explained_by_the_version_that_grouped_it() {
    let hub = TestHub::start().await;
    let second = json!({"name": "second", "point": "request > body > json > property token", "group": true});
    let plain = json!({"name": "ip", "point": "request > remote_addr"});
    put(&hub, "\"0\"", &json!({"parameters": [token_key("first"), plain, second]})).await;
    put(&hub, "\"1\"", &json!({"parameters": []})).await;
    let mut rows = vec![row(1, 1), row(2, 1), row(3, 1)];
    rows[0].policy_version = 1;
    rows[0].session_trace = "ad";
    rows[0].session_key = "second";
    rows[0].session_key_kind = threadline_record::SessionKeyKind::Configured;
    rows[1].policy_version = 1;
    rows[1].session_trace = "a?";
    rows[2].policy_version = 99;
    store(&hub, 1, &rows).await;
    let read = |number| hub.get(&format!("/api/v1/exchanges/{}", exchange_id(number))).token(&hub.local_token()).send();
    let explained = read(1).await.json();
    assert_eq!(
        explained["trace"],
        json!([
            {"name": "first", "point": "request > query token", "outcome": "absent"},
            {"name": "second", "point": "request > body > json > property token", "outcome": "decided"},
        ])
    );
    assert_eq!(explained["built_in"], Value::Null);
    let from_later = read(2).await.json();
    assert_eq!(from_later["trace"][1]["outcome"], Value::Null);
    assert_eq!(read(3).await.json()["trace"], Value::Null);
}
