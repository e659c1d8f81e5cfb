//! Exchanges to store.

use std::net::IpAddr;

use arrow::record_batch::RecordBatch;
use threadline_model::{BatchId, ExchangeId, SessionId, Timestamp};
use threadline_record::{MessageSide, ParameterRow, Row, RowBuilder, SessionKeyKind, ValueOrigin};
use threadline_store::{Batch, ExchangeStore as _, Lane};

use crate::support::{MINUTE, NOON, TestHub};

/// An identity made of one number.
pub(crate) fn session(number: u8) -> SessionId {
    SessionId::from_bytes([number; 16])
}

pub(crate) fn exchange_id(number: u8) -> ExchangeId {
    ExchangeId::from_bytes([number; 16])
}

pub(crate) fn before_noon(minutes: i64) -> Timestamp {
    Timestamp::from_micros(NOON.micros() - minutes * MINUTE)
}

/// An ordinary exchange of a session, half an hour before noon and a minute later for each number.
pub(crate) fn row(number: u8, session_number: u8) -> Row<'static> {
    Row {
        ts: Timestamp::from_micros(before_noon(30).micros() + i64::from(number) * MINUTE),
        exchange_id: exchange_id(number),
        node: "test",
        source: "proxy",
        policy_version: 0,
        application: "default",
        host: Some("api.shop.example"),
        scheme: Some("http"),
        proto: Some("HTTP/1.1"),
        method: "GET",
        path: "/users/7/orders",
        query: Some("page"),
        endpoint: "GET api.shop.example /users/{int}/orders",
        protocol: "rest",
        operation: None,
        status: Some(200),
        outcome: "completed",
        duration_us: Some(1_500),
        upstream_us: Some(1_000),
        request_bytes: 0,
        response_bytes: 120,
        client_ip: Some(IpAddr::from([10, 0, 0, session_number])),
        user_agent: Some("agent/1.0"),
        ja3: None,
        ja4: None,
        session_id: session(session_number),
        session_key: "cookie PHPSESSID",
        session_key_kind: SessionKeyKind::BuiltIn,
        session_value: "00112233445566778899aabbccddeeff",
        session_value_hashed: true,
        session_value_origin: ValueOrigin::Unknown,
        session_trace: "",
        session_uncertain: false,
        request_session_id: None,
        request_session_key_kind: None,
        trace_id: None,
        user: Some("user 7"),
        role: None,
        params: &[ParameterRow {
            name: "user",
            value: "user 7",
            hashed: false,
            origin: MessageSide::Request,
            hidden: false,
        }],
        parse_errors: &[],
    }
}

pub(crate) fn batch_of(rows: &[Row<'_>]) -> RecordBatch {
    let mut builder = RowBuilder::new();
    rows.iter().for_each(|row| builder.append(row));
    builder.finish()
}

/// Stores rows as one batch.
pub(crate) async fn store(hub: &TestHub, number: u8, rows: &[Row<'_>]) {
    let batch = Batch { id: BatchId::from_bytes([number; 16]), lane: Lane::Live, rows: batch_of(rows) };
    let appended = hub.store.append(batch).await.unwrap();
    assert_eq!(appended.stored, rows.len() as u64);
}
