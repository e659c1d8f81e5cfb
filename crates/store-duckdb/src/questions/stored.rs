//! A row of the table as [`StoredExchange`].

use duckdb::Row;
use threadline_model::Timestamp;
use threadline_record::address_from_bytes;
use threadline_store::StoredExchange;

use crate::packed;
use crate::questions::Bytes16;

/// The columns of [`read`], in its order.
pub(crate) const COLUMNS: &str = "epoch_us(ts), epoch_us(ingested_at), exchange_id, node, source, policy_version, \
     application, host, scheme, proto, method, path, query, endpoint, protocol, operation, status, outcome, \
     duration_us, upstream_us, request_bytes, response_bytes, client_ip, user_agent, ja3, ja4, session_id, \
     session_key, session_key_kind, session_value, session_value_hashed, session_value_origin, session_trace, \
     session_uncertain, request_session_id, request_session_key_kind, trace_id, \"user\", role, attack_count, action, \
     parse_errors, params";

/// Reads one row of [`COLUMNS`].
pub(crate) fn read(row: &Row<'_>) -> Result<StoredExchange, duckdb::Error> {
    let mut next = Columns { row, position: 0 };
    let mut exchange = StoredExchange {
        ts: Timestamp::from_micros(next.get()?),
        ingested_at: Timestamp::from_micros(next.get()?),
        exchange_id: next.get::<Bytes16>()?.exchange(),
        node: next.get()?,
        source: next.get()?,
        policy_version: next.get()?,
        application: next.get()?,
        host: next.get()?,
        scheme: next.get()?,
        proto: next.get()?,
        method: next.get()?,
        path: next.get()?,
        query: next.get()?,
        endpoint: next.get()?,
        protocol: next.get()?,
        operation: next.get()?,
        status: next.get()?,
        outcome: next.get()?,
        duration_us: next.get()?,
        upstream_us: next.get()?,
        request_bytes: next.get()?,
        response_bytes: next.get()?,
        client_ip: next.get::<Option<Bytes16>>()?.map(|bytes| address_from_bytes(bytes.0)),
        user_agent: next.get()?,
        ja3: next.get()?,
        ja4: next.get()?,
        session_id: next.get::<Bytes16>()?.session(),
        session_key: next.get()?,
        session_key_kind: next.get()?,
        session_value: next.get()?,
        session_value_hashed: next.get()?,
        session_value_origin: next.get()?,
        session_trace: next.get()?,
        session_uncertain: next.get()?,
        request_session_id: next.get::<Option<Bytes16>>()?.map(Bytes16::session),
        request_session_key_kind: next.get()?,
        trace_id: next.get::<Option<Bytes16>>()?.map(|bytes| bytes.session().to_string()),
        user: next.get()?,
        role: next.get()?,
        params: Vec::new(),
        attacks: next.get()?,
        action: next.get()?,
        parse_errors: packed::parse_errors(next.get()?),
    };
    let shared = [Some(exchange.session_value.as_str()), exchange.user.as_deref(), exchange.role.as_deref()];
    exchange.params = packed::parameters(next.get()?, shared);
    Ok(exchange)
}

/// Reads columns one after the other.
struct Columns<'a, 'row> {
    row: &'a Row<'row>,
    position: usize,
}

impl Columns<'_, '_> {
    fn get<T: duckdb::types::FromSql>(&mut self) -> Result<T, duckdb::Error> {
        let value = self.row.get(self.position);
        self.position += 1;
        value
    }
}
