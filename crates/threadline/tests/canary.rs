//! Plants secrets everywhere an exchange can hold one, then looks for them in everything that Threadline keeps or says:
//! store files, log, metrics, API answers, error texts. Only selected values may appear; hashed ones only as hashes.
#![allow(clippy::unwrap_used)]

mod support;

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{Method, Request, Response};
use http_body_util::Full;
use hyper::body::Bytes;
use serde_json::json;
use support::Threadline;

/// Selected and exported as they are.
const SELECTED: [&str; 2] = ["canary-selected-query", "canary-selected-body"];

/// Planted, and never to be seen outside the node's memory.
const SECRET: [&str; 17] = [
    "canary-hashed-parameter",
    "canary-path-parameter",
    "canary-header",
    "canary-cookie",
    "canary-session-cookie",
    "canary-query",
    "canary-body",
    "canary-form",
    "canary-jwt-claim",
    "canary-jwt-signature",
    "canary-basic-password",
    "canary-api-key",
    "canary-response-header",
    "canary-set-cookie",
    "canary-response-body",
    "canary-response-jwt",
    "canary-referer",
];

fn jwt(claim: &str, signature: &str) -> String {
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","typ":"JWT"}"#);
    let payload = URL_SAFE_NO_PAD.encode(format!(r#"{{"iss":"shop","sub":"canary-sub","secret":"{claim}"}}"#));
    format!("{header}.{payload}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn search(folder: &Path, needle: &[u8], hits: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            search(&path, needle, hits);
        } else if let Ok(content) = std::fs::read(&path)
            && content.windows(needle.len()).any(|window| window == needle)
        {
            hits.push(path.display().to_string());
        }
    }
}

#[tokio::test]
async fn only_selected_values_leave_the_node() {
    let upstream = support::upstream(|_, _| {
        Response::builder()
            .header("content-type", "application/json")
            .header("x-internal", "canary-response-header")
            .header("set-cookie", "JSESSIONID=canary-set-cookie; Path=/")
            .body(Full::new(Bytes::from(format!(
                r#"{{"secret":"canary-response-body","jwt":"{}"}}"#,
                jwt("canary-response-jwt", "canary-jwt-signature")
            ))))
            .unwrap()
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    let threadline = Threadline::start(folder.path(), "serve", &["--upstream", &upstream]).await;
    threadline
        .put_parameters(json!([
            {"name": "chosen query", "point": "request > query chosen", "hashed": false},
            {"name": "chosen body", "point": "request > body > json > property chosen", "hashed": false},
            {"name": "account", "point": "request > body > json > property account", "type": "user", "hashed": true},
        ]))
        .await;

    let token = jwt("canary-jwt-claim", "canary-jwt-signature");
    let basic = base64::engine::general_purpose::STANDARD.encode("someone:canary-basic-password");
    let requests = [
        ("authorization", format!("Bearer {token}")),
        ("authorization", format!("Basic {basic}")),
        ("x-api-key", "canary-api-key".to_owned()),
        ("cookie", "PHPSESSID=canary-session-cookie; other=canary-cookie".to_owned()),
        ("x-anything", "canary-header".to_owned()),
        ("referer", "http://x/?canary-referer".to_owned()),
    ];
    let json_body = r#"{"chosen":"canary-selected-body","account":"canary-hashed-parameter","rest":["canary-body"]}"#;
    for (name, value) in &requests {
        let target = "/shop;jsessionid=canary-path-parameter/items?chosen=canary-selected-query&other=canary-query";
        let request = Request::builder()
            .method("POST")
            .uri(target)
            .header("content-type", "application/json")
            .header(*name, value);
        threadline.through_proxy(request, json_body).await;
        let form = Request::builder()
            .method("POST")
            .uri("/form")
            .header("content-type", "application/x-www-form-urlencoded")
            .header(*name, value);
        threadline.through_proxy(form, "a=canary-form&chosen=canary-form").await;
    }
    // Every credential once more in the path, a query name, the User-Agent and a parameter in clear, together with one
    // that the response sets.
    let copied = [
        (&requests[0], token.as_str()),
        (&requests[1], "canary-basic-password"),
        (&requests[1], basic.as_str()),
        (&requests[2], "canary-api-key"),
        (&requests[3], "canary-session-cookie"),
    ];
    for ((name, value), credential) in copied {
        let copies = format!("{credential}.canary-set-cookie.canary-path-parameter");
        let request = Request::builder()
            .method("GET")
            .uri(format!(
                "/copies;jsessionid=canary-path-parameter/{credential}/canary-set-cookie/{copies}\
                 ?{credential}&{copies}&chosen=copy-of-{copies}"
            ))
            .header("user-agent", format!("agent ({copies})"))
            .header(*name, value);
        threadline.through_proxy(request, "").await;
    }
    let expected = requests.len() as u64 * 2 + copied.len() as u64;
    let list = threadline
        .wait_for("/sessions?last=1h&limit=100", |list| {
            list["sessions"]
                .as_array()
                .unwrap()
                .iter()
                .map(|session| session["requests"].as_u64().unwrap())
                .sum::<u64>()
                == expected
        })
        .await;

    // Everything the API says, errors included, and everything the node says about itself.
    let mut said = list.to_string();
    for session in list["sessions"].as_array().unwrap() {
        let id = session["session_id"].as_str().unwrap();
        said += &threadline.get(&format!("/sessions/{id}?last=1h")).await.to_string();
        let page = threadline.get(&format!("/sessions/{id}/exchanges?last=1h&limit=500")).await;
        for exchange in page["exchanges"].as_array().unwrap() {
            let exchange_id = exchange["exchange_id"].as_str().unwrap();
            said += &threadline.get(&format!("/exchanges/{exchange_id}")).await.to_string();
        }
        said += &page.to_string();
    }
    let (_, refused) = threadline
        .api_with(
            Method::PUT,
            "/policy/parameters",
            Some(json!({"parameters": [{"name": "x", "point": "request > body > cookie canary-query"}]})),
            &[("if-match", "\"0\"")],
        )
        .await;
    let refused = refused.to_string().replace("cookie canary-query", "");
    said += &refused;
    let hashed_users: Vec<_> =
        list["sessions"].as_array().unwrap().iter().filter(|session| session["user_hashed"] == true).collect();
    assert!(!hashed_users.is_empty(), "the hashed user must be there as a hash: {list}");
    for selected in SELECTED {
        assert!(said.contains(selected), "{selected} was selected and must be shown");
    }
    let log_before_stop = threadline.log();
    assert!(log_before_stop.len() > 200, "the test reads the real log at debug level");
    threadline.stop().await;

    let mut leaks = Vec::new();
    for canary in SECRET {
        if said.contains(canary) {
            leaks.push(format!("{canary} in an API answer"));
        }
        search(folder.path(), canary.as_bytes(), &mut leaks);
    }
    for canary in SECRET.iter().chain(["canary-sub"].iter()) {
        let encoded = URL_SAFE_NO_PAD.encode(canary);
        search(folder.path(), encoded.as_bytes(), &mut leaks);
    }
    search(folder.path(), token.as_bytes(), &mut leaks);
    search(folder.path(), basic.as_bytes(), &mut leaks);
    assert!(leaks.is_empty(), "{leaks:#?}");
    let mut found = Vec::new();
    search(folder.path(), SELECTED[0].as_bytes(), &mut found);
    assert!(found.iter().any(|path| path.contains("store")), "the search itself must be able to find: {found:?}");
}
