//! Saved versions of the policy. Versions are only added, never changed.

use sqlx::SqliteConnection;
use threadline_model::Timestamp;

use super::{Database, DatabaseError};

/// One saved version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SavedVersion {
    /// From 1, without gaps.
    pub(crate) version: u64,
    /// When.
    pub(crate) saved_at: Timestamp,
    /// Who.
    pub(crate) saved_by: String,
    /// What they said about it.
    pub(crate) comment: Option<String>,
    /// What changed against the version before, a sentence each.
    pub(crate) changes: Vec<String>,
    /// The document, JSON.
    pub(crate) document: String,
}

type Row = (i64, i64, String, Option<String>, String, String);

fn read_row((version, saved_at, saved_by, comment, changes, document): Row) -> Result<SavedVersion, DatabaseError> {
    Ok(SavedVersion {
        version: u64::try_from(version).map_err(DatabaseError::of("read a policy version's number"))?,
        saved_at: Timestamp::from_micros(saved_at),
        saved_by,
        comment,
        changes: serde_json::from_str(&changes).map_err(DatabaseError::of("read a policy version's changes"))?,
        document,
    })
}

/// Adds a version.
pub(crate) async fn add(connection: &mut SqliteConnection, saved: &SavedVersion) -> Result<(), DatabaseError> {
    let changes = serde_json::to_string(&saved.changes).map_err(DatabaseError::of("write a policy's changes"))?;
    sqlx::query(
        "INSERT INTO policy_versions (version, saved_at, saved_by, comment, changes, document) VALUES (?, ?, ?, ?, ?, ?)",
    )
    .bind(number(saved.version))
    .bind(saved.saved_at.micros())
    .bind(&saved.saved_by)
    .bind(&saved.comment)
    .bind(changes)
    .bind(&saved.document)
    .execute(connection)
    .await
    .map_err(DatabaseError::of("save a policy version"))?;
    Ok(())
}

/// The newest version, or none when nothing was ever saved.
pub(crate) async fn newest(database: &Database) -> Result<Option<SavedVersion>, DatabaseError> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT version, saved_at, saved_by, comment, changes, document FROM policy_versions ORDER BY version DESC LIMIT 1",
    )
    .fetch_optional(database)
    .await
    .map_err(DatabaseError::of("read the newest policy version"))?;
    row.map(read_row).transpose()
}

/// One version.
pub(crate) async fn read(database: &Database, version: u64) -> Result<Option<SavedVersion>, DatabaseError> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT version, saved_at, saved_by, comment, changes, document FROM policy_versions WHERE version = ?",
    )
    .bind(number(version))
    .fetch_optional(database)
    .await
    .map_err(DatabaseError::of("read a policy version"))?;
    row.map(read_row).transpose()
}

/// How many versions there are, and those below `before`, newest first.
pub(crate) async fn list(
    database: &Database,
    before: Option<u64>,
    limit: u32,
) -> Result<(u64, Vec<SavedVersion>), DatabaseError> {
    let (total,): (i64,) = sqlx::query_as("SELECT count(*) FROM policy_versions")
        .fetch_one(database)
        .await
        .map_err(DatabaseError::of("count policy versions"))?;
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT version, saved_at, saved_by, comment, changes, document FROM policy_versions \
         WHERE version < ? ORDER BY version DESC LIMIT ?",
    )
    .bind(before.map_or(i64::MAX, number))
    .bind(limit)
    .fetch_all(database)
    .await
    .map_err(DatabaseError::of("list policy versions"))?;
    let versions = rows.into_iter().map(read_row).collect::<Result<_, _>>()?;
    Ok((u64::try_from(total).unwrap_or_default(), versions))
}

/// SQLite's integers are signed; versions beyond that do not exist.
fn number(version: u64) -> i64 {
    i64::try_from(version).unwrap_or(i64::MAX)
}
