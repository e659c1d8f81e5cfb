//! The record of what was purged. Rows are never removed: that it was done can be shown for as long as somebody may
//! ask.

use std::error::Error;
use std::str::FromStr;

use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteExecutor};
use threadline_model::{PurgeId, Timestamp};
use threadline_store::PurgeCounts;

use super::{Database, DatabaseError};
use crate::purges::{PurgeKind, PurgeState};

/// One purge.
#[derive(Clone, Debug)]
pub(crate) struct PurgeRecord {
    /// Grows from 1.
    pub(crate) number: u64,
    /// Identity, the store's too.
    pub(crate) id: PurgeId,
    /// What kind of thing was to leave.
    pub(crate) kind: PurgeKind,
    /// Which, as far as that is kept.
    pub(crate) value: String,
    /// Why.
    pub(crate) reason: String,
    /// When it was asked for.
    pub(crate) asked_at: Timestamp,
    /// By whom.
    pub(crate) asked_by: String,
    /// How far it is.
    pub(crate) state: PurgeState,
    /// When it was done or failed.
    pub(crate) ended_at: Option<Timestamp>,
    /// Why it failed, in words.
    pub(crate) failure: Option<String>,
    /// What it takes away; nothing until that was looked for.
    pub(crate) counts: PurgeCounts,
}

/// A purge that is about to begin.
#[derive(Clone, Debug)]
pub(crate) struct NewPurge<'a> {
    pub(crate) id: PurgeId,
    pub(crate) kind: PurgeKind,
    pub(crate) value: &'a str,
    pub(crate) reason: &'a str,
    pub(crate) asked_by: &'a str,
}

fn read_row(row: &SqliteRow) -> Result<PurgeRecord, DatabaseError> {
    let read = || -> Result<PurgeRecord, Box<dyn Error + Send + Sync>> {
        let count = |column| -> Result<u64, Box<dyn Error + Send + Sync>> {
            Ok(u64::try_from(row.try_get::<i64, &str>(column)?)?)
        };
        Ok(PurgeRecord {
            number: count("number")?,
            id: word(row, "id")?,
            kind: word(row, "kind")?,
            value: row.try_get("value")?,
            reason: row.try_get("reason")?,
            asked_at: Timestamp::from_micros(row.try_get("asked_at")?),
            asked_by: row.try_get("asked_by")?,
            state: word(row, "state")?,
            ended_at: row.try_get::<Option<i64>, _>("ended_at")?.map(Timestamp::from_micros),
            failure: row.try_get("failure")?,
            counts: PurgeCounts {
                sessions: count("sessions")?,
                shared_sessions: count("shared_sessions")?,
                deleted: count("deleted")?,
                changed: count("changed")?,
                days: count("days")?,
            },
        })
    };
    read().map_err(|source| DatabaseError { operation: "read a purge", source })
}

fn word<T>(row: &SqliteRow, column: &str) -> Result<T, Box<dyn Error + Send + Sync>>
where
    T: FromStr<Err: Error + Send + Sync + 'static>,
{
    Ok(row.try_get::<String, _>(column)?.parse()?)
}

/// Adds a purge as running, in the caller's transaction.
pub(crate) async fn add(
    executor: impl SqliteExecutor<'_>,
    purge: &NewPurge<'_>,
    now: Timestamp,
) -> Result<(), DatabaseError> {
    sqlx::query(
        "INSERT INTO purges (id, kind, value, reason, asked_at, asked_by, state) VALUES (?, ?, ?, ?, ?, ?, 'running')",
    )
    .bind(purge.id.to_string())
    .bind(purge.kind.as_str())
    .bind(purge.value)
    .bind(purge.reason)
    .bind(now.micros())
    .bind(purge.asked_by)
    .execute(executor)
    .await
    .map_err(DatabaseError::of("record a purge"))?;
    Ok(())
}

/// Notes what a purge takes away.
pub(crate) async fn count(
    executor: impl SqliteExecutor<'_>,
    id: PurgeId,
    counts: PurgeCounts,
) -> Result<(), DatabaseError> {
    let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    sqlx::query("UPDATE purges SET sessions = ?, shared_sessions = ?, deleted = ?, changed = ?, days = ? WHERE id = ?")
        .bind(number(counts.sessions))
        .bind(number(counts.shared_sessions))
        .bind(number(counts.deleted))
        .bind(number(counts.changed))
        .bind(number(counts.days))
        .bind(id.to_string())
        .execute(executor)
        .await
        .map_err(DatabaseError::of("record what a purge takes away"))?;
    Ok(())
}

/// Notes that a running purge has ended: done, or failed and why. One that has ended stays as it is.
pub(crate) async fn end(
    executor: impl SqliteExecutor<'_>,
    id: PurgeId,
    failure: Option<&str>,
    now: Timestamp,
) -> Result<(), DatabaseError> {
    let state = if failure.is_some() { PurgeState::Failed } else { PurgeState::Done };
    sqlx::query("UPDATE purges SET state = ?, failure = ?, ended_at = ? WHERE id = ? AND state = 'running'")
        .bind(state.as_str())
        .bind(failure)
        .bind(now.micros())
        .bind(id.to_string())
        .execute(executor)
        .await
        .map_err(DatabaseError::of("record the end of a purge"))?;
    Ok(())
}

/// One purge.
pub(crate) async fn read(database: &Database, id: PurgeId) -> Result<Option<PurgeRecord>, DatabaseError> {
    let row = sqlx::query("SELECT * FROM purges WHERE id = ?")
        .bind(id.to_string())
        .fetch_optional(database)
        .await
        .map_err(DatabaseError::of("read a purge"))?;
    row.as_ref().map(read_row).transpose()
}

/// How many purges there are, and those below `before`, newest first.
pub(crate) async fn list(
    database: &Database,
    before: Option<u64>,
    limit: u32,
) -> Result<(u64, Vec<PurgeRecord>), DatabaseError> {
    let (total,): (i64,) = sqlx::query_as("SELECT count(*) FROM purges")
        .fetch_one(database)
        .await
        .map_err(DatabaseError::of("count purges"))?;
    let rows = sqlx::query("SELECT * FROM purges WHERE number < ? ORDER BY number DESC LIMIT ?")
        .bind(before.and_then(|before| i64::try_from(before).ok()).unwrap_or(i64::MAX))
        .bind(limit)
        .fetch_all(database)
        .await
        .map_err(DatabaseError::of("list purges"))?;
    Ok((u64::try_from(total).unwrap_or_default(), rows.iter().map(read_row).collect::<Result<_, _>>()?))
}

/// The purges that have not ended, oldest first.
pub(crate) async fn running(database: &Database) -> Result<Vec<PurgeRecord>, DatabaseError> {
    let rows = sqlx::query("SELECT * FROM purges WHERE state = 'running' ORDER BY number")
        .fetch_all(database)
        .await
        .map_err(DatabaseError::of("list the running purges"))?;
    rows.iter().map(read_row).collect()
}
