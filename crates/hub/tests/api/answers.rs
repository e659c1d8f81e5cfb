//! What holds for every answer: the Host check, headers, unknown places, methods, probes and metrics.

use std::sync::{Arc, Mutex};

use http::{Method, StatusCode};
use prometheus_client::registry::Registry;
use threadline_hub::HubMetrics;

use crate::support::TestHub;

#[tokio::test]
async fn names_of_others_are_not_answered_to() {
    let hub = TestHub::start_with(|settings| settings.host_names = vec!["threadline.corp.example".into()]).await;
    for path in ["/", "/api/v1/first-run", "/metrics", "/assets/x.js", "/api/v1/nowhere"] {
        hub.get(path).header("host", "evil.example").send().await.assert_problem(421, &[]);
    }
    for host in ["localhost:7070", "[::1]", "threadline.corp.example"] {
        assert_eq!(hub.get("/api/v1/first-run").header("host", host).send().await.status, StatusCode::OK, "{host}");
    }
    assert_eq!(hub.get("/healthz").header("host", "probe").send().await.status, StatusCode::OK);
}

#[tokio::test]
async fn every_answer_forbids_what_pages_of_ours_do_not_need() {
    let hub = TestHub::start().await;
    let token = hub.local_token();
    for path in ["/", "/sessions", "/healthz", "/metrics", "/api/v1/me", "/api/v1/nowhere", "/api/v1/sessions.csv"] {
        for host in [hub.address.to_string(), "evil.example".to_owned()] {
            let answer = hub.get(path).token(&token).header("host", &host).send().await;
            assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
            let policy = answer.header("content-security-policy");
            assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{path}: {policy}");
            assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe-eval"), "{path}");
            if path.starts_with("/api/") {
                assert_eq!(answer.header("cache-control"), "no-store", "{path}");
            }
        }
    }
}

#[tokio::test]
async fn unknown_places_and_wrong_methods_are_said() {
    let hub = TestHub::start().await;
    let token = hub.local_token();
    for path in ["/api", "/api/", "/api/v1", "/api/v1/", "/api/v1/nowhere", "/api/v2/sessions", "/api/v1/sessions/"] {
        hub.get(path).token(&token).send().await.assert_problem(404, &[]);
    }
    for (method, path, allow) in [
        (Method::DELETE, "/api/v1/sessions", "GET, HEAD"),
        (Method::POST, "/api/v1/policy/parameters", "GET, HEAD, PUT"),
        (Method::GET, "/api/v1/sign-in", "POST"),
        (Method::OPTIONS, "/api/v1/people/1", "DELETE"),
        (Method::PATCH, "/", "GET, HEAD"),
        (Method::PUT, "/metrics", "GET, HEAD"),
    ] {
        let answer = hub.call(method, path).token(&token).send().await;
        answer.assert_problem(405, &[]);
        assert_eq!(answer.header("allow"), allow, "{path}");
    }
    let head = hub.call(Method::HEAD, "/api/v1/me").token(&token).send().await;
    assert_eq!((head.status, head.body.len()), (StatusCode::OK, 0));
    hub.get("/api/v1/me").send().await.assert_problem(401, &[]);
    assert!(hub.get("/api/v1/me").send().await.header("www-authenticate").starts_with("Bearer"));
}

#[tokio::test]
async fn readiness_is_what_the_process_says() {
    let hub = TestHub::start().await;
    assert_eq!(hub.get("/readyz").send().await.status, StatusCode::OK);
    let hub = TestHub::start_with(|settings| settings.ready = Arc::new(|| Err("the store is starting".into()))).await;
    let answer = hub.get("/readyz").send().await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer.text().contains("the store is starting"));
}

#[tokio::test]
async fn requests_are_counted_by_route_and_never_by_path() {
    let mut registry = Registry::default();
    let metrics = HubMetrics::register(&mut registry);
    let registry = Arc::new(Mutex::new(registry));
    let hub = TestHub::start_with(|settings| {
        settings.metrics = metrics;
        settings.render_metrics = Arc::new(move || {
            let mut text = String::new();
            prometheus_client::encoding::text::encode(&mut text, &registry.lock().unwrap()).unwrap();
            text
        });
    })
    .await;
    hub.get("/api/v1/sessions/secretlooking").token(&hub.local_token()).send().await;
    hub.get("/api/v1/secretlooking").send().await;
    hub.get("/secretlooking").send().await;
    let text = hub.get("/metrics").send().await.text();
    let line = r#"threadline_hub_requests_total{method="GET",route="/api/v1/sessions/{session_id}",status="422"} 1"#;
    assert!(text.contains(line), "{text}");
    assert!(text.contains(r#"route="other""#) && !text.contains("secretlooking"), "{text}");
    assert!(text.contains("threadline_hub_request_duration_seconds_bucket"), "{text}");
}
