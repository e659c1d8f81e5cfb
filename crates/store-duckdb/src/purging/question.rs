//! What a purge is about: which sessions, and how much will leave.

use duckdb::{Connection, params_from_iter};
use threadline_model::{SessionId, Timestamp};
use threadline_store::{Purge, PurgeCounts};

use super::Target;
use crate::files::Lease;
use crate::packed;
use crate::questions::Bytes16;
use crate::sql::{Parameters, identity, rows_of, time};

/// Looks among the rows stored until then.
pub(crate) fn answer(
    connection: &Connection,
    leases: &[Lease],
    purge: &Purge,
    until: Timestamp,
) -> Result<(Target, PurgeCounts), duckdb::Error> {
    let rows = if leases.is_empty() { None } else { Some(rows_of(leases)) };
    let rows = rows.as_deref();
    match purge {
        Purge::Session(id) => {
            let counts = rows.map(|rows| sessions(connection, rows, &identity(*id.as_bytes()), None, until));
            Ok((Target::Sessions(vec![*id]), counts.transpose()?.unwrap_or_default()))
        }
        Purge::User(user) => {
            let Some(rows) = rows else { return Ok((Target::Sessions(Vec::new()), PurgeCounts::default())) };
            let seen = format!(
                "SELECT DISTINCT session_id FROM {rows} WHERE \"user\" = $1 AND ingested_at <= {}",
                time(until)
            );
            let found = connection
                .prepare(&seen)?
                .query_map([user], |row| Ok(row.get::<_, Bytes16>(0)?.session()))?
                .collect::<Result<Vec<SessionId>, _>>()?;
            Ok((Target::Sessions(found), sessions(connection, rows, &seen, Some(user), until)?))
        }
        Purge::Parameter(name) => {
            let counts = rows.map(|rows| parameter(connection, rows, name, until));
            Ok((Target::Parameter(name.clone()), counts.transpose()?.unwrap_or_default()))
        }
    }
}

/// `these` are the sessions, as the inside of an `IN`.
fn sessions(
    connection: &Connection,
    rows: &str,
    these: &str,
    user: Option<&str>,
    until: Timestamp,
) -> Result<PurgeCounts, duckdb::Error> {
    let others = if user.is_some() { "\"user\" <> $1 AND \"user\" <> ''" } else { "false" };
    let sql = format!(
        "WITH touched AS (SELECT day, session_id, \"user\", session_id IN ({these}) AS leaves FROM {rows} \
           WHERE ingested_at <= {} AND (session_id IN ({these}) OR coalesce(request_session_id IN ({these}), false))) \
         SELECT count(DISTINCT session_id) FILTER (leaves), count(DISTINCT session_id) FILTER (leaves AND {others}), \
           count(*) FILTER (leaves), count(*) FILTER (NOT leaves), count(DISTINCT day) FROM touched",
        time(until)
    );
    connection.query_row(&sql, params_from_iter(user), counts)
}

fn parameter(connection: &Connection, rows: &str, name: &str, until: Timestamp) -> Result<PurgeCounts, duckdb::Error> {
    let mut parameters = Parameters::default();
    let had = had(name, &mut parameters);
    let sql = format!(
        "SELECT count(DISTINCT session_id), 0, 0, count(*), count(DISTINCT day) FROM {rows} \
         WHERE ingested_at <= {} AND {had}",
        time(until)
    );
    connection.query_row(&sql, params_from_iter(parameters.0), counts)
}

/// Whether a row has a value of the parameter.
pub(crate) fn had(name: &str, parameters: &mut Parameters) -> String {
    let beginning = parameters.text(packed::beginning(name));
    let decided = decided(name, parameters);
    format!("(coalesce(contains(params, {beginning}), false) OR ({decided} AND session_value <> ''))")
}

/// Whether the parameter decided a row's session.
pub(crate) fn decided(name: &str, parameters: &mut Parameters) -> String {
    format!("(session_key_kind = 'configured' AND session_key = {})", parameters.text(name))
}

fn counts(row: &duckdb::Row<'_>) -> Result<PurgeCounts, duckdb::Error> {
    Ok(PurgeCounts {
        sessions: row.get(0)?,
        shared_sessions: row.get(1)?,
        deleted: row.get(2)?,
        changed: row.get(3)?,
        days: row.get(4)?,
    })
}
