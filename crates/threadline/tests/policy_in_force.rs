//! Applications, analysed traffic, scopes, composite keys and masks, saved through the API and seen in what real traffic
//! through the real binary becomes.
#![allow(clippy::unwrap_used)]

mod support;

use std::path::Path;

use http::{Method, Request, Response};
use http_body_util::Full;
use hyper::body::Bytes;
use serde_json::{Value, json};
use support::Threadline;

async fn start(folder: &Path) -> Threadline {
    let upstream = support::upstream(|_, _| Response::new(Full::new(Bytes::from_static(b"{\"answer\":1}")))).await;
    Threadline::start(folder, "serve", &["--upstream", &upstream]).await
}

/// Sends a request and gives the status that came back.
async fn ask(threadline: &Threadline, host: &str, target: &str, body: &'static str) -> u16 {
    let request = Request::builder()
        .method(if body.is_empty() { "GET" } else { "POST" })
        .uri(target)
        .header("host", host)
        .header("user-agent", "tests/1")
        .header("content-type", "application/json");
    threadline.through_proxy(request, body).await.0.status.as_u16()
}

/// Saves a whole policy over the one that holds.
async fn save(threadline: &Threadline, policy: Value) -> (u16, Value) {
    let held = threadline.get("/policy").await;
    let tag = format!("\"{}\"", held["version"]);
    let body = json!({ "policy": policy });
    let (response, answer) = threadline.api_with(Method::PUT, "/policy", Some(body), &[("if-match", &tag)]).await;
    (response.status().as_u16(), answer)
}

/// The stored exchange of a path, with its session's reasons.
async fn exchange(threadline: &Threadline, path: &str) -> Value {
    let sessions = threadline
        .wait_for(&format!("/sessions?last=1h&endpoint={path}"), |list| list["total"].as_u64() > Some(0))
        .await;
    let session = sessions["sessions"][0]["session_id"].as_str().unwrap().to_owned();
    let exchanges = threadline.get(&format!("/sessions/{session}/exchanges?last=1h&endpoint={path}")).await;
    let id = exchanges["exchanges"][0]["exchange_id"].as_str().unwrap().to_owned();
    threadline.get(&format!("/exchanges/{id}")).await
}

fn outcomes(exchange: &Value) -> Vec<&str> {
    exchange["trace"].as_array().unwrap().iter().map(|step| step["outcome"].as_str().unwrap()).collect()
}

fn folder_holds(folder: &Path, needle: &str) -> bool {
    std::fs::read_dir(folder).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            return folder_holds(&path, needle);
        }
        let holds = |content: Vec<u8>| content.windows(needle.len()).any(|window| window == needle.as_bytes());
        std::fs::read(&path).is_ok_and(holds)
    })
}

#[tokio::test]
async fn traffic_is_told_apart_by_application_and_the_rest_passes_by() {
    let folder = tempfile::tempdir().unwrap();
    let threadline = start(folder.path()).await;
    let policy = json!({
        "applications": [
            {"id": "admin", "name": "Back office", "hosts": ["*.shop.example"], "paths": ["/admin"]},
            {"id": "shop", "hosts": ["api.shop.example"]},
        ],
        "analysed": {"applications": ["admin", "shop"]},
        "parameters": [
            {"name": "clerk", "point": "request > query clerk", "group": true, "scope": {"applications": ["admin"]}},
            {"name": "cart of tenant", "point": "request > query cart", "with": ["request > query tenant"], "group": true},
        ],
    });
    let (status, saved) = save(&threadline, policy).await;
    assert_eq!((status, saved["version"].as_u64()), (200, Some(1)), "{saved}");

    assert_eq!(ask(&threadline, "other.example", "/passed-by?cart=1&tenant=a", "").await, 200);
    assert_eq!(ask(&threadline, "www.shop.example", "/admin/a?clerk=7&cart=1&tenant=a", "").await, 200);
    assert_eq!(ask(&threadline, "api.shop.example", "/shop/a?clerk=7&cart=1&tenant=a", "").await, 200);
    assert_eq!(ask(&threadline, "api.shop.example", "/shop/b?cart=1&tenant=b", "").await, 200);
    assert_eq!(ask(&threadline, "api.shop.example", "/shop/c?cart=1", "").await, 200);

    let admin = exchange(&threadline, "/admin/a").await;
    assert_eq!((admin["application"].as_str(), outcomes(&admin)), (Some("admin"), vec!["decided", "not_tried"]));
    let first = exchange(&threadline, "/shop/a").await;
    assert_eq!((first["application"].as_str(), outcomes(&first)), (Some("shop"), vec!["out_of_scope", "decided"]));
    assert_eq!(first["session_value"], "1 + a");
    let second = exchange(&threadline, "/shop/b").await;
    assert_ne!(first["session_id"], second["session_id"], "another tenant is another session");
    let third = exchange(&threadline, "/shop/c").await;
    assert_eq!(
        (outcomes(&third), third["session_key_kind"].as_str()),
        (vec!["out_of_scope", "absent"], Some("fallback"))
    );

    let facets = threadline.get("/facets?last=1h&field=application&limit=10").await;
    assert!(facets.to_string().contains("admin") && !facets.to_string().contains("default"), "{facets}");
    let hosts = threadline.get("/facets?last=1h&field=host&limit=10").await;
    assert!(!hosts.to_string().contains("other.example"), "not analysed, not exported: {hosts}");
    let (_, metrics) = threadline.plain_get("/metrics").await;
    assert!(metrics.lines().any(|line| line.contains("passed_by") && line.ends_with(" 1")), "{metrics}");
    threadline.stop().await;
}

#[tokio::test]
async fn what_a_mask_covers_is_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    let threadline = start(folder.path()).await;
    let parameters = json!([
        {"name": "password", "point": "request > body > json > property password", "group": true, "hashed": false},
        {"name": "mail", "point": "request > body > json > property mail", "type": "user"},
    ]);
    let masks = json!([{"point": "request > body > json > property password", "scope": {"paths": ["/login"], "methods": ["POST"]}}]);
    let (status, saved) = save(&threadline, json!({"masks": masks, "parameters": parameters})).await;
    assert_eq!(status, 200, "{saved}");
    assert_eq!(
        saved["warnings"],
        json!([{
            "field": "parameters[0].point",
            "reason": "the mask of request > body > json > property password covers `password`: the key does not work \
                       where the mask applies",
        }])
    );
    threadline.api(Method::PUT, "/recent-exchanges/settings", Some(json!({"on": true}))).await;

    let login = r#"{"mail":"jo@shop.example","password":"canary-password"}"#;
    assert_eq!(ask(&threadline, "shop.example", "/login?note=canary-password", login).await, 200);
    assert_eq!(ask(&threadline, "shop.example", "//x/../%6cogin/again", login).await, 200);
    let masked = exchange(&threadline, "/login").await;
    assert_eq!(outcomes(&masked), ["masked"]);
    assert_eq!(masked["user"], "jo@shop.example");

    let recent = threadline.get("/recent-exchanges").await;
    let ids: Vec<&str> =
        recent["exchanges"].as_array().unwrap().iter().map(|one| one["exchange_id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 2);
    for id in ids {
        let whole = threadline.get(&format!("/recent-exchanges/{id}")).await;
        let body = whole["request"]["body"]["content"]["text"].as_str().unwrap();
        assert_eq!(body, r#"{"mail":"jo@shop.example","password":"***************"}"#);
        let asked = json!({"point": "request > body > json > property password", "exchange_id": id});
        let (_, preview) = threadline.api(Method::POST, "/points/preview", Some(asked)).await;
        assert_eq!((preview["found"].as_str(), &preview["values"]), (Some("masked"), &json!([])), "{preview}");
    }
    // Outside of the mask's scope the key works, and its value was chosen to leave.
    assert_eq!(ask(&threadline, "shop.example", "/register", r#"{"password":"other-password"}"#).await, 200);
    assert_eq!(outcomes(&exchange(&threadline, "/register").await), ["decided"]);

    let (data, log) = (threadline.data(), threadline.log());
    threadline.stop().await;
    assert!(folder_holds(&data, "other-password"), "the search finds what is there");
    assert!(!folder_holds(&data, "canary-password"));
    assert!(!log.contains("canary-password"));
}

#[tokio::test]
async fn a_policy_holds_from_the_next_exchange_on_costs_none_and_a_bad_one_replaces_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let threadline = start(folder.path()).await;
    let parameters = |name: &str| json!({"parameters": [{"name": name, "point": "request > query a", "group": true}]});
    assert_eq!(save(&threadline, parameters("first")).await.0, 200);
    let mut sent = 0;
    for version in 2..=6 {
        assert_eq!(ask(&threadline, "shop.example", &format!("/before-{version}?a={version}"), "").await, 200);
        let (status, saved) = save(&threadline, parameters(&format!("name {version}"))).await;
        assert_eq!((status, saved["version"].as_u64()), (200, Some(version)));
        assert_eq!(ask(&threadline, "shop.example", &format!("/after-{version}?a={version}"), "").await, 200);
        let after = exchange(&threadline, &format!("/after-{version}")).await;
        assert_eq!(after["policy_version"].as_u64(), Some(version), "the next exchange has it");
        assert_eq!(after["session_key"], format!("name {version}"));
        sent += 2;
    }
    for (bad, field) in [
        (
            json!({"parameters": [{"name": "x", "point": "request > query (", "scope": {"applications": ["none"]}}]}),
            "policy.parameters[0].scope.applications[0]",
        ),
        (
            json!({"parameters": [{"name": "x", "point": "request > uri > capture \"(((a{99}){99}){99})\""}]}),
            "policy.parameters[0].point",
        ),
        (json!({"masks": [{"point": "request > nonsense"}], "parameters": []}), "policy.masks[0].point"),
    ] {
        let (status, problem) = save(&threadline, bad).await;
        assert_eq!(status, 422, "{problem}");
        let fields: Vec<&str> =
            problem["errors"].as_array().unwrap().iter().map(|error| error["field"].as_str().unwrap()).collect();
        assert!(fields.contains(&field), "{problem}");
    }
    assert_eq!(threadline.get("/policy").await["version"], 6);
    let list = threadline.wait_for("/sessions?last=1h", |list| list["total"].as_u64() == Some(5)).await;
    let requests: u64 =
        list["sessions"].as_array().unwrap().iter().map(|session| session["requests"].as_u64().unwrap()).sum();
    assert_eq!(requests, sent, "no exchange is lost by a change");
    threadline.stop().await;
}

fn import(threadline: &Threadline, file: &Path) -> std::process::Output {
    std::process::Command::new(env!("CARGO_BIN_EXE_threadline"))
        .args(["import", "har"])
        .arg(file)
        .arg("--data")
        .arg(threadline.data())
        .output()
        .unwrap()
}

#[tokio::test]
async fn an_import_says_what_the_policy_leaves_out() {
    let folder = tempfile::tempdir().unwrap();
    let threadline = start(folder.path()).await;
    assert_eq!(save(&threadline, json!({"analysed": {"hosts": ["other.example"]}, "parameters": []})).await.0, 200);
    let file = folder.path().join("recording.har");
    std::fs::write(&file, recording(3, 0)).unwrap();
    let imported = import(&threadline, &file);
    let said = String::from_utf8(imported.stdout).unwrap();
    assert!(said.contains("0 exchanges added, 3 left out by the policy"), "{said}");
    threadline.stop().await;
}

/// A recording of one minute an entry: a token on all requests until one moment, then none.
fn recording(entries: u32, until: u32) -> String {
    let entry = |number: u32| {
        let token = if number < until { format!("token=t{}&", number % 4) } else { String::new() };
        json!({
            "startedDateTime": format!("2026-01-01T{:02}:{:02}:00.000Z", number / 60, number % 60),
            "time": 5,
            "request": {
                "method": "GET", "url": format!("http://api.shop.example/x?{token}nonce=n{number}"), "httpVersion": "HTTP/1.1",
                "headers": [{"name": "User-Agent", "value": "recorded"}], "queryString": [], "cookies": [],
                "headersSize": -1, "bodySize": 0,
            },
            "response": {
                "status": 200, "statusText": "OK", "httpVersion": "HTTP/1.1", "headers": [], "cookies": [],
                "content": {"size": 0, "mimeType": "text/plain"}, "redirectURL": "", "headersSize": -1, "bodySize": 0,
            },
            "cache": {}, "timings": {"send": 0, "wait": 5, "receive": 0},
        })
    };
    let entries: Vec<Value> = (0..entries).map(entry).collect();
    json!({"log": {"version": "1.2", "creator": {"name": "tests", "version": "1"}, "entries": entries}}).to_string()
}

#[tokio::test]
async fn the_health_of_a_key_shows_what_it_decides_and_when_it_stops() {
    let folder = tempfile::tempdir().unwrap();
    let threadline = start(folder.path()).await;
    let policy = json!({"parameters": [
        {"name": "token", "point": "request > query token", "group": true, "hashed": false},
        {"name": "never", "point": "request > header X-NEVER", "group": true},
        {"name": "nonce", "point": "request > query nonce", "group": true, "hashed": false},
    ]});
    assert_eq!(save(&threadline, policy).await.0, 200);
    let file = folder.path().join("recording.har");
    std::fs::write(&file, recording(640, 540)).unwrap();
    let imported = import(&threadline, &file);
    assert!(imported.status.success(), "{imported:?}");

    let range = "from=2026-01-01T00:00:00Z&to=2026-01-01T10:40:00Z";
    let health = threadline.get(&format!("/policy/keys?{range}&bars=16")).await;
    assert_eq!(health["exchanges"], 640);
    let key = |name: &str| {
        let keys = health["keys"].as_array().unwrap();
        keys.iter().find(|key| key["key"] == name).unwrap_or_else(|| panic!("{name}: {health}")).clone()
    };
    let kinds = |key: &Value| -> Vec<String> {
        key["warnings"].as_array().unwrap().iter().map(|one| one["kind"].as_str().unwrap().to_owned()).collect()
    };
    let token = key("token");
    assert_eq!((token["exchanges"].as_u64(), token["sessions"].as_u64()), (Some(540), Some(4)));
    assert_eq!(token["mean_session"].as_f64(), Some(135.0));
    assert_eq!((token["largest_session"].as_u64(), token["single_sessions"].as_u64()), (Some(135), Some(0)));
    assert_eq!(kinds(&token), ["stopped"], "{token}");
    assert_eq!(
        token["outcomes"],
        json!([{"outcome": "decided", "exchanges": 540}, {"outcome": "absent", "exchanges": 100}])
    );
    assert_eq!(token["bars"].as_array().unwrap()[..13], vec![json!(40); 13]);
    let never = key("never");
    assert_eq!((never["exchanges"].as_u64(), never["in_policy"].as_bool()), (Some(0), Some(true)));
    assert_eq!(kinds(&never), ["never_works"]);
    let nonce = key("nonce");
    assert_eq!((nonce["exchanges"].as_u64(), nonce["single_sessions"].as_u64()), (Some(100), Some(100)));
    assert_eq!(kinds(&nonce), ["over_splitting", "client_chosen"], "{nonce}");
    assert_eq!(health["keys"][0]["key"], "token", "in the policy's order");
    threadline.stop().await;
}

#[tokio::test]
async fn saving_the_parameters_alone_keeps_the_rest_of_the_policy() {
    let folder = tempfile::tempdir().unwrap();
    let threadline = start(folder.path()).await;
    let policy = json!({
        "applications": [{"id": "shop", "hosts": ["api.shop.example"]}],
        "masks": [{"point": "request > query pin"}],
        "parameters": [{
            "name": "cart", "point": "request > query cart", "with": ["request > query tenant"], "group": true,
            "scope": {"applications": ["shop"]},
        }],
    });
    let (status, saved) = save(&threadline, policy).await;
    assert_eq!(status, 200, "{saved}");
    let listed = threadline.get("/policy/parameters").await["parameters"].clone();
    let row = |name: &str| {
        let held = &listed[0];
        json!({
            "name": name, "point": held["point"], "type": held["type"], "group": held["group"], "hashed": held["hashed"],
            "namespace": held["namespace"], "with": held["with"], "scope": held["scope"],
        })
    };
    threadline.put_parameters(json!([row("basket")])).await;
    let after = threadline.get("/policy").await;
    let mut expected = saved["policy"].clone();
    expected["parameters"][0]["name"] = "basket".into();
    assert_eq!(after["policy"], expected);
    threadline.stop().await;
}

#[tokio::test]
async fn who_the_client_is_follows_the_policy_over_an_open_connection() {
    let folder = tempfile::tempdir().unwrap();
    let threadline = start(folder.path()).await;
    let address = threadline.proxy.clone().unwrap();
    let address = address.trim_start_matches("http://").trim_end_matches('/').to_owned();
    let mut connection = tokio::net::TcpStream::connect(address).await.unwrap();
    let proxies = |networks: &str, order: Value| json!({"networks": [networks], "address": order});
    for (number, (trusted, client)) in [
        (None, "127.0.0.1"),
        (Some(proxies("127.0.0.0/8", json!(["forwarded", "x-forwarded-for"]))), "198.51.100.2"),
        (Some(proxies("127.0.0.0/8", json!(["x-real-ip", "forwarded"]))), "198.51.100.3"),
        (Some(proxies("10.0.0.0/8", json!(["x-forwarded-for"]))), "127.0.0.1"),
    ]
    .into_iter()
    .enumerate()
    {
        if let Some(trusted) = trusted {
            let (status, saved) = save(&threadline, json!({"trusted_proxies": trusted, "parameters": []})).await;
            assert_eq!(status, 200, "{saved}");
        }
        // The proxy hears of it a moment after the one who saved.
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        let request = format!(
            "GET /client{number} HTTP/1.1\r\nHost: api.shop.example\r\nX-Forwarded-For: 198.51.100.1\r\n\
             Forwarded: for=203.0.113.9, for=198.51.100.2\r\nX-Real-IP: 198.51.100.3\r\n\r\n"
        );
        tokio::io::AsyncWriteExt::write_all(&mut connection, request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"{\"answer\":1}") {
            let read = tokio::io::AsyncReadExt::read_buf(&mut connection, &mut answer).await.unwrap();
            assert!(read > 0, "the connection stays open");
        }
        assert_eq!(exchange(&threadline, &format!("/client{number}")).await["client_ip"], client, "{number}");
    }
    threadline.stop().await;
}

#[tokio::test]
async fn what_requests_resolved_to_shows_whether_the_settings_fit() {
    let folder = tempfile::tempdir().unwrap();
    let threadline = start(folder.path()).await;
    let proxies = json!({"networks": ["127.0.0.0/8"], "address": ["x-forwarded-for"]});
    let masks = json!([{"point": "request > remote_addr", "scope": {"paths": ["/elsewhere"]}}]);
    let (peer, client) = (Some("127.0.0.1"), Some("198.51.100.1"));
    for (number, (policy, sent, expected)) in [
        (None, true, (peer, "connection", peer, "untrusted_header")),
        (Some(json!({"trusted_proxies": proxies, "parameters": []})), true, (peer, "x_forwarded_for", client, "none")),
        (None, false, (peer, "connection", peer, "no_header")),
        (
            Some(json!({"trusted_proxies": proxies, "masks": masks, "parameters": []})),
            true,
            (peer, "x_forwarded_for", None, "none"),
        ),
    ]
    .into_iter()
    .enumerate()
    {
        if let Some(policy) = policy {
            let (status, saved) = save(&threadline, policy).await;
            assert_eq!(status, 200, "{saved}");
            // The proxy hears of it a moment after the one who saved.
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        } else {
            // Longer than from one that is noted to the next.
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        let mut request = Request::builder().uri("/").header("host", "api.shop.example");
        if sent {
            request = request.header("x-forwarded-for", "198.51.100.1");
        }
        assert_eq!(threadline.through_proxy(request, "").await.0.status, 200);
        let is_noted = |list: &Value| list["clients"].as_array().unwrap().len() > number;
        let list = threadline.wait_for("/policy/clients", is_noted).await;
        let newest = &list["clients"][0];
        let found = ["peer_address", "how", "client_address", "remark"].map(|name| newest[name].as_str());
        assert_eq!(found, [expected.0, Some(expected.1), expected.2, Some(expected.3)], "{number}: {list}");
        assert!(newest["node"].as_str().is_some_and(|name| !name.is_empty()), "{newest}");
    }
    let list = threadline.get("/policy/clients").await;
    let oldest = &list["clients"][3];
    assert_eq!(
        (&oldest["peer_address"], &oldest["client_address"]),
        (&Value::Null, &Value::Null),
        "the peer is the client"
    );
    threadline.stop().await;
}

#[tokio::test]
async fn the_original_host_decides_the_application_and_is_masked_like_one() {
    let folder = tempfile::tempdir().unwrap();
    let threadline = start(folder.path()).await;
    let policy = |masks: Value| {
        json!({
            "applications": [{"id": "shop", "hosts": ["canary.example"]}, {"id": "inner", "hosts": ["internal.example"]}],
            "trusted_proxies": {"networks": ["127.0.0.0/8"], "host": ["forwarded", "x-forwarded-host"]},
            "masks": masks,
            "parameters": [
                {"name": "host", "point": "request > host"},
                {"name": "own host", "point": "request > header HOST"},
                {"name": "first", "point": "request > query key", "group": true, "scope": {"hosts": ["canary.example"]}},
            ],
        })
    };
    let ask = async |path: &str, header: Option<(&str, &str)>| {
        let mut request = Request::builder().uri(format!("{path}?key=1")).header("host", "internal.example");
        if let Some((name, value)) = header {
            request = request.header(name, value);
        }
        assert_eq!(threadline.through_proxy(request, "").await.0.status, 200);
        exchange(&threadline, path).await
    };
    let value = |exchange: &Value, name: &str| {
        let parameters = exchange["params"].as_array().unwrap();
        parameters.iter().find(|one| one["name"] == name).map_or(Value::Null, |one| one["value"].clone())
    };
    let forwarded = Some(("forwarded", "for=198.51.100.1;host=Canary.example"));
    for (number, (masks, header, application, host, own)) in [
        (json!([]), forwarded, "shop", Some("canary.example"), "internal.example"),
        (json!([]), None, "inner", Some("internal.example"), "internal.example"),
        (json!([{"point": "request > host"}]), forwarded, "shop", None, ""),
        (json!([{"point": "request > header FORWARDED"}]), forwarded, "shop", None, "internal.example"),
        (json!([{"point": "request > header HOST"}]), Some(("x-forwarded-host", "canary.example")), "shop", None, ""),
    ]
    .into_iter()
    .enumerate()
    {
        let (status, saved) = save(&threadline, policy(masks)).await;
        assert_eq!(status, 200, "{saved}");
        // The proxy hears of it a moment after the one who saved.
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        let path = format!("/original{number}");
        let stored = ask(&path, header).await;
        assert_eq!(stored["application"], application, "{stored}");
        let decided = if application == "shop" { "decided" } else { "out_of_scope" };
        assert_eq!(outcomes(&stored), [decided], "{stored}");
        match host {
            Some(host) => {
                assert_eq!(stored["host"], host, "{stored}");
                assert_eq!(stored["endpoint"], format!("GET {host}{path}"), "{stored}");
                assert_eq!(value(&stored, "host"), host, "{stored}");
            }
            None => assert!(!stored.to_string().to_lowercase().contains("canary"), "{stored}"),
        }
        if !own.is_empty() {
            assert_eq!(value(&stored, "own host"), own, "{stored}");
        }
    }
    threadline.stop().await;
}
