//! The audit log: who did what to whom, from where. Entries are only added; those older than [`KEPT_MICROS`] are
//! forgotten when the hub starts.
//!
//! No entry holds a secret, and a name that nobody has is not written down: people type passwords into name fields.

use sqlx::SqliteExecutor;
use threadline_model::{MICROS_PER_DAY, Timestamp};

use super::{Database, DatabaseError};
use crate::security::{Caller, CallerKind, ClientAddress};

/// Entries are kept for 400 days: a year and a month to look at it.
pub(crate) const KEPT_MICROS: i64 = 400 * MICROS_PER_DAY;

/// An entry on its way into the log.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    action: &'static str,
    actor: Option<(String, CallerKind)>,
    subject: Option<String>,
    detail: Option<String>,
    address: Option<String>,
}

impl Entry {
    /// Something that nobody known did.
    pub(crate) fn of_nobody(action: &'static str) -> Self {
        Self { action, actor: None, subject: None, detail: None, address: None }
    }

    /// Something that `caller` did.
    pub(crate) fn by(caller: &Caller, action: &'static str) -> Self {
        let actor = Some((caller.name.clone(), caller.kind));
        let address = caller.address.map(|address| address.to_string());
        Self { actor, address, ..Self::of_nobody(action) }
    }

    /// Whom or what it was done to.
    pub(crate) fn about(self, subject: &str) -> Self {
        Self { subject: Some(subject.to_owned()), ..self }
    }

    /// More about it.
    pub(crate) fn saying(self, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..self }
    }

    /// From where.
    pub(crate) fn at_address(self, address: ClientAddress) -> Self {
        Self { address: Some(address.to_string()), ..self }
    }
}

/// An entry of the log.
#[derive(Clone, Debug)]
pub(crate) struct Logged {
    /// Grows.
    pub(crate) id: u64,
    /// When.
    pub(crate) at: Timestamp,
    /// Who.
    pub(crate) actor: Option<String>,
    /// How they were known.
    pub(crate) actor_kind: Option<CallerKind>,
    /// What.
    pub(crate) action: String,
    /// To whom or what.
    pub(crate) subject: Option<String>,
    /// More about it.
    pub(crate) detail: Option<String>,
    /// From where.
    pub(crate) address: Option<String>,
}

/// Adds an entry, in the caller's transaction if it has one.
pub(crate) async fn append(
    executor: impl SqliteExecutor<'_>,
    entry: Entry,
    now: Timestamp,
) -> Result<(), DatabaseError> {
    let (actor, kind) = entry.actor.unzip();
    sqlx::query(
        "INSERT INTO audit (at, actor, actor_kind, action, subject, detail, address) VALUES (?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(now.micros())
    .bind(actor)
    .bind(kind.map(CallerKind::as_str))
    .bind(entry.action)
    .bind(entry.subject)
    .bind(entry.detail)
    .bind(entry.address)
    .execute(executor)
    .await
    .map_err(DatabaseError::of("write the audit log"))?;
    Ok(())
}

type Row = (i64, i64, Option<String>, Option<String>, String, Option<String>, Option<String>, Option<String>);

/// How many entries there are, and those below `before`, newest first.
pub(crate) async fn list(
    database: &Database,
    before: Option<u64>,
    limit: u32,
) -> Result<(u64, Vec<Logged>), DatabaseError> {
    let (total,): (i64,) = sqlx::query_as("SELECT count(*) FROM audit")
        .fetch_one(database)
        .await
        .map_err(DatabaseError::of("count the audit log"))?;
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT id, at, actor, actor_kind, action, subject, detail, address FROM audit WHERE id < ? ORDER BY id DESC LIMIT ?",
    )
    .bind(before.and_then(|before| i64::try_from(before).ok()).unwrap_or(i64::MAX))
    .bind(limit)
    .fetch_all(database)
    .await
    .map_err(DatabaseError::of("read the audit log"))?;
    let entries = rows.into_iter().map(|(id, at, actor, kind, action, subject, detail, address)| Logged {
        id: u64::try_from(id).unwrap_or_default(),
        at: Timestamp::from_micros(at),
        actor,
        actor_kind: kind.and_then(|kind| kind.parse().ok()),
        action,
        subject,
        detail,
        address,
    });
    Ok((u64::try_from(total).unwrap_or_default(), entries.collect()))
}

/// Forgets entries that are too old.
pub(crate) async fn forget_old(database: &Database, now: Timestamp) -> Result<(), DatabaseError> {
    sqlx::query("DELETE FROM audit WHERE at < ?")
        .bind(now.micros().saturating_sub(KEPT_MICROS))
        .execute(database)
        .await
        .map_err(DatabaseError::of("forget old audit entries"))?;
    Ok(())
}
