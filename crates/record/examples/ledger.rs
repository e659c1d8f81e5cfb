//! Measures accounting: `cargo run --release -p threadline-record --example ledger`.
#![allow(clippy::print_stdout)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use threadline_model::{ExchangeId, SessionId, Timestamp};
use threadline_record::{Ledger, MessageSide, ParameterRow, Row, RowBuilder, SessionKeyKind, ValueOrigin};

const ROWS: usize = 8_192;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for (name, nodes) in [("one node", &["node-1"] as &[&str]), ("two nodes in turn", &["node-1", "node-2"])] {
        let mut builder = RowBuilder::with_capacity(ROWS);
        for number in 0..ROWS {
            builder.append(&row(nodes[number % nodes.len()]));
        }
        let batch = builder.finish();
        let mut ledger = Ledger::default();
        let mut best = Duration::MAX;
        for _ in 0..200 {
            let began = Instant::now();
            ledger.add(black_box(&batch), None)?;
            best = best.min(began.elapsed());
        }
        println!("{name:<20} {:>8.1} ns a row", best.as_secs_f64() * 1e9 / ROWS as f64);
    }
    Ok(())
}

fn row(node: &str) -> Row<'_> {
    Row {
        ts: Timestamp::from_micros(1_795_392_000_123_456),
        exchange_id: ExchangeId::from_bytes([1; 16]),
        node,
        source: "proxy",
        policy_version: 7,
        application: "shop",
        host: Some("api.shop.example"),
        scheme: Some("https"),
        proto: Some("HTTP/2"),
        method: "POST",
        path: "/users/17/orders",
        query: Some("page&sort=asc"),
        endpoint: "POST api.shop.example /users/{int}/orders",
        protocol: "rest",
        operation: None,
        status: Some(201),
        outcome: "completed",
        duration_us: Some(15_250),
        upstream_us: Some(12_000),
        request_bytes: 512,
        response_bytes: 2_048,
        client_ip: Some([203, 0, 113, 9].into()),
        user_agent: Some("Mozilla/5.0 (X11; Linux x86_64)"),
        ja3: None,
        ja4: Some("t13d1516h2_8daaf6152771_e5627efa2ab1"),
        session_id: SessionId::from_bytes([2; 16]),
        session_key: "token",
        session_key_kind: SessionKeyKind::Configured,
        session_value: "9c56cc51b374c3ba189210d5b6d4bf57",
        session_value_hashed: true,
        session_value_origin: ValueOrigin::Issued,
        session_trace: "ah",
        session_uncertain: false,
        request_session_id: None,
        request_session_key_kind: None,
        trace_id: None,
        user: Some("0cc175b9c0f1b6a831c399e269772661"),
        role: Some("buyer"),
        params: const { &[parameter("user", "0cc175b9c0f1b6a831c399e269772661", true), parameter("role", "buyer", false)] },
        parse_errors: &[],
    }
}

const fn parameter(name: &'static str, value: &'static str, hashed: bool) -> ParameterRow<'static> {
    ParameterRow { name, value, hashed, origin: MessageSide::Request, hidden: false }
}
