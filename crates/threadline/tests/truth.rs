//! Sessions against the truth: simulated actors through the real proxy, under several policies. No session mixes two
//! actors whose deciding values differ, and no actor's exchanges with one deciding value are split within a day.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a broken test should panic; figures are printed")]

mod support;

use std::fs::File;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::Threadline;
use threadline_traffic::truth::{IdentifierName, Precedence, Rule, Truth, score};

const REQUESTS: usize = 1_500;

fn key(name: &str, point: &str) -> Value {
    json!({"name": name, "point": point, "group": true, "hashed": true})
}

/// Runs one policy over one seed and prints the figures.
async fn check(title: &str, seed: u64, parameters: Value, precedence: Precedence) {
    let folder = tempfile::tempdir().unwrap();
    let truth_file = folder.path().join("truth.jsonl");
    let configuration = folder.path().join("threadline.yaml");
    // JSON is YAML.
    std::fs::write(&configuration, json!({"policy": {"parameters": parameters}}).to_string()).unwrap();
    let threadline = Threadline::start(
        folder.path(),
        "demo",
        &[
            "--config",
            configuration.to_str().unwrap(),
            "--seed",
            &seed.to_string(),
            "--pace",
            "0",
            "--requests",
            &REQUESTS.to_string(),
            "--truth",
            truth_file.to_str().unwrap(),
        ],
    )
    .await;
    let mut assignment = Vec::new();
    let started = Instant::now();
    while assignment.len() < REQUESTS {
        assert!(started.elapsed() < Duration::from_secs(120), "only {} of {REQUESTS} arrived", assignment.len());
        assignment = all_exchanges(&threadline).await;
    }
    threadline.stop().await;
    let truth = Truth::read(File::open(&truth_file).unwrap()).unwrap();
    let result = score(&truth, &precedence, &assignment);
    println!("{title} (seed {seed}): {result}");
    assert!(result.mixed.is_empty(), "{title}: {:#?}", result.mixed);
    assert!(result.split.is_empty(), "{title}: {:#?}", result.split);
    assert_eq!((result.missing, result.unknown, result.repeated), (0, 0, 0), "{title}: {result}");
    assert!(result.sessions > 10, "{title}: too few sessions to mean anything");
    assert!(result.purity > 0.85 && result.completeness >= 1.0, "{title}: {result}");
}

/// Trace ID and session of every stored exchange.
async fn all_exchanges(threadline: &Threadline) -> Vec<(String, String)> {
    let mut assignment = Vec::new();
    let mut list = threadline.get("/sessions?last=24h&limit=500").await;
    loop {
        for session in list["sessions"].as_array().unwrap() {
            let id = session["session_id"].as_str().unwrap();
            let mut page = threadline.get(&format!("/sessions/{id}/exchanges?last=24h&limit=500")).await;
            loop {
                for exchange in page["exchanges"].as_array().unwrap() {
                    assignment.push((exchange["trace_id"].as_str().unwrap().to_owned(), id.to_owned()));
                }
                let Some(token) = page["next_page_token"].as_str() else { break };
                page = threadline.get(&format!("/sessions/{id}/exchanges?last=24h&limit=500&page_token={token}")).await;
            }
        }
        let Some(token) = list["next_page_token"].as_str() else { return assignment };
        list = threadline.get(&format!("/sessions?last=24h&limit=500&page_token={token}")).await;
    }
}

#[tokio::test]
async fn the_built_in_set_alone_keeps_actors_apart() {
    check("built-in set", 11, json!([]), Precedence::built_in()).await;
}

#[tokio::test]
async fn returned_tokens_first_keep_actors_apart() {
    let parameters = json!([
        key("login", "response > body > json > property token"),
        key("query", "request > query token"),
        key("body", "request > body > json > property token"),
    ]);
    let precedence = Precedence::configured([
        Rule::response(IdentifierName::BodyToken),
        Rule::request(IdentifierName::QueryToken),
        Rule::request(IdentifierName::BodyToken),
    ]);
    check("returned tokens first", 12, parameters, precedence).await;
}

#[tokio::test]
async fn claims_first_keep_actors_apart() {
    let parameters = json!([
        key("subject", "request > header AUTHORIZATION > jwt payload > property sub"),
        key("body", "request > body > json > property token"),
        key("login", "response > body > json > property token"),
    ]);
    let precedence = Precedence::configured([
        Rule::request(IdentifierName::JwtSubject),
        Rule::request(IdentifierName::BodyToken),
        Rule::response(IdentifierName::BodyToken),
    ]);
    check("claims first", 13, parameters, precedence).await;
}
