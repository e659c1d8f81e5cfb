//! What would leave under a draft, through the real binary: no value is in the answer, hashed parameters are hashed, a
//! masked one is not exported, and saving does what was shown.
#![allow(clippy::unwrap_used)]

mod support;

use http::{Method, Request, Response};
use http_body_util::Full;
use hyper::body::Bytes;
use serde_json::{Value, json};
use support::Threadline;

const ASK: &str = "/policy/exports";

fn draft() -> Value {
    json!({
        "masks": [{"point": "request > query card"}],
        "parameters": [
            {"name": "token", "point": "request > query token", "group": true, "hashed": true},
            {"name": "who", "point": "request > body > json > property who", "type": "user"},
            {"name": "card", "point": "request > query card"},
            {"name": "agent", "point": "request > header USER-AGENT", "hashed": true},
        ],
    })
}

async fn asked(threadline: &Threadline, policy: &Value) -> Value {
    let (response, answer) = threadline.api(Method::POST, ASK, Some(json!({"policy": policy}))).await;
    assert_eq!(response.status(), 200, "{answer}");
    answer
}

/// The lines of a field.
fn of<'a>(answer: &'a Value, field: &str) -> Vec<&'a Value> {
    answer["fields"].as_array().unwrap().iter().filter(|line| line["field"] == field).collect()
}

/// Form, exchanges, bytes and example of a field that has one form.
fn one(answer: &Value, field: &str) -> (String, u64, u64, Option<String>) {
    let lines = of(answer, field);
    assert_eq!(lines.len(), 1, "{field}: {lines:?}");
    let text = |name: &str| lines[0][name].as_str().map(str::to_owned);
    (
        text("form").unwrap(),
        lines[0]["exchanges"].as_u64().unwrap(),
        lines[0]["bytes"].as_u64().unwrap(),
        text("example"),
    )
}

fn changed(answer: &Value) -> Vec<[&str; 4]> {
    let changes = answer["changes"].as_array().unwrap().iter();
    changes.map(|change| ["field", "kind", "from", "to"].map(|name| change[name].as_str().unwrap())).collect()
}

async fn send(threadline: &Threadline) {
    let request = Request::builder()
        .method("POST")
        .uri("/orders/canary7?token=canary-token&card=canary-card&page=canary-page")
        .header("content-type", "application/json")
        .header("authorization", "Bearer canary-bearer")
        .header("user-agent", "canary-agent/1.0");
    threadline.through_proxy(request, r#"{"who":"canary-ada","password":"canary-password"}"#).await;
}

#[tokio::test]
async fn a_draft_says_what_would_leave_and_then_it_does() {
    let upstream = support::upstream(|_, _| Response::new(Full::new(Bytes::from("canary-answer")))).await;
    let folder = tempfile::tempdir().unwrap();
    let threadline = Threadline::start(folder.path(), "serve", &["--upstream", &upstream]).await;

    // Without recent exchanges the policies alone tell.
    let alone = asked(&threadline, &draft()).await;
    assert_eq!((&alone["sample"]["exchanges"], &alone["sample"]["kept_since"]), (&json!(0), &Value::Null));
    let no_figures = |form: &str| (form.to_owned(), 0, 0, None);
    assert_eq!(one(&alone, "parameter token"), no_figures("hashed"));
    assert_eq!(one(&alone, "parameter who"), no_figures("clear"));
    assert_eq!(one(&alone, "parameter card"), no_figures("not exported"));
    assert_eq!(one(&alone, "user_agent"), no_figures("hashed"));
    assert_eq!(one(&alone, "country"), no_figures("not exported"));
    assert_eq!(of(&alone, "parameter card")[0]["note"], "Not exported because of the mask of `request > query card`.");
    assert_eq!(of(&alone, "parameter who")[0]["point"], "request > body > json > property who");
    assert_eq!(
        changed(&alone),
        [
            ["user_agent", "form", "clear", "hashed"],
            ["session_value configured", "newly", "not exported", "hashed"],
            ["user", "newly", "not exported", "clear"],
            ["parameter token", "newly", "not exported", "hashed"],
            ["parameter who", "newly", "not exported", "clear"],
            ["parameter agent", "newly", "not exported", "hashed"],
        ]
    );
    assert!(!alone["never"].as_array().unwrap().is_empty());
    let log = threadline.get("/audit?limit=100").await;
    assert!(!log.to_string().contains("policy.exports"), "nothing was looked at");

    threadline.api(Method::PUT, "/recent-exchanges/settings", Some(json!({"on": true}))).await;
    send(&threadline).await;
    send(&threadline).await;
    threadline.wait_for("/recent-exchanges", |list| list["exchanges"].as_array().unwrap().len() == 2).await;
    let answer = asked(&threadline, &draft()).await;
    let text = answer.to_string();
    assert!(!text.contains("canary") && !text.contains("anary"), "{answer}");
    let sample = &answer["sample"];
    assert_eq!((&sample["exchanges"], &sample["analysed"]), (&json!(2), &json!(2)));
    assert!(sample["from"].is_string() && sample["kept_since"].is_string(), "{sample}");
    let clear = |bytes, example: &str| ("clear".to_owned(), 2, bytes, Some(example.to_owned()));
    assert_eq!(one(&answer, "method"), clear(2 * 4, "P•••"));
    assert_eq!(one(&answer, "path"), clear(2 * 15, "/••••••/•••••••"));
    assert_eq!(one(&answer, "status"), clear(2 * 2, "•••"));
    assert_eq!(one(&answer, "parameter who"), clear(2 * 10, "c•••••-•••"));
    assert_eq!(one(&answer, "user"), clear(2 * 10, "c•••••-•••"));
    for field in ["parameter token", "parameter agent", "session_value configured", "user_agent"] {
        let (form, exchanges, bytes, example) = one(&answer, field);
        assert_eq!((form.as_str(), exchanges, bytes), ("hashed", 2, 2 * 32), "{field}");
        let example = example.unwrap();
        assert!(example.len() == 8 && example.bytes().all(|byte| byte.is_ascii_hexdigit()), "{field}: {example}");
    }
    assert_eq!(one(&answer, "parameter card"), no_figures("not exported"));
    // A parameter that is hashed is hashed in the query too, and one that nobody selects shows its name.
    let query = one(&answer, "query").3.unwrap();
    assert!(query.contains("=") && !query.contains("c•••••"), "{query}");

    // A mask in place of the hash, fewer parameters, another point under a name.
    let held = json!({"policy": draft()});
    let (response, saved) = threadline.api_with(Method::PUT, "/policy", Some(held), &[("if-match", "\"0\"")]).await;
    assert_eq!(response.status(), 200, "{saved}");
    assert_eq!(changed(&asked(&threadline, &draft()).await), [[""; 4]; 0], "what holds changes nothing");
    let other = json!({
        "masks": [{"point": "request > header USER-AGENT"}],
        "parameters": [
            {"name": "token", "point": "request > query token", "group": true, "hashed": false},
            {"name": "card", "point": "request > query page"},
        ],
    });
    let answer = asked(&threadline, &other).await;
    assert_eq!(
        changed(&answer),
        [
            ["user_agent", "no_longer", "hashed", "not exported"],
            ["session_value configured", "form", "hashed", "clear"],
            ["user", "no_longer", "clear", "not exported"],
            ["parameter token", "form", "hashed", "clear"],
            ["parameter card", "newly", "not exported", "clear"],
            ["parameter who", "no_longer", "clear", "not exported"],
            ["parameter agent", "no_longer", "hashed", "not exported"],
        ]
    );
    assert!(!answer.to_string().contains("anary"), "{answer}");

    // What was shown is what leaves.
    send(&threadline).await;
    let leaves = |exports: &Value, field: &str, form: &str| {
        let mut fields = exports["fields"].as_array().unwrap().iter();
        fields.any(|one| one["field"] == field && one["form"] == form)
    };
    let exports = threadline.wait_for("/exports", |exports| leaves(exports, "parameter token", "hashed")).await;
    assert!(leaves(&exports, "parameter who", "clear"));
    assert!(!leaves(&exports, "parameter token", "clear") && !leaves(&exports, "parameter card", "clear"));

    let wrong = json!({"policy": {"parameters": [{"name": "", "point": "canary"}]}});
    let (response, refused) = threadline.api(Method::POST, ASK, Some(wrong)).await;
    assert_eq!(
        (response.status().as_u16(), &refused["errors"][0]["field"]),
        (422, &json!("policy.parameters[0].name"))
    );
    let log = threadline.get("/audit?limit=100").await;
    let entries = log["entries"].as_array().unwrap().iter().filter(|entry| entry["action"] == "policy.exports");
    assert_eq!(entries.count(), 3);
    assert!(!log.to_string().contains("canary") && !threadline.log().contains("canary"));
    threadline.stop().await;
}
