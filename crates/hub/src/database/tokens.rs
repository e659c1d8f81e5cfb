//! API tokens of programs. The secret stands here as a hash.

use threadline_model::Timestamp;

use super::{Database, DatabaseError};
use crate::security::Role;

/// One token, without its secret.
#[derive(Clone, Debug)]
pub(crate) struct ApiToken {
    /// Never used again after removal.
    pub(crate) id: i64,
    /// What it is for.
    pub(crate) name: String,
    /// Role.
    pub(crate) role: Role,
    /// When it was made.
    pub(crate) created_at: Timestamp,
    /// By whom.
    pub(crate) created_by: String,
    /// When it ends.
    pub(crate) expires_at: Option<Timestamp>,
    /// When it was last used, to the minute.
    pub(crate) last_used_at: Option<Timestamp>,
}

type Row = (i64, String, String, i64, String, Option<i64>, Option<i64>);

fn read_row(
    (id, name, role, created_at, created_by, expires_at, last_used_at): Row,
) -> Result<ApiToken, DatabaseError> {
    Ok(ApiToken {
        id,
        name,
        role: role.parse().map_err(DatabaseError::of("read a token's role"))?,
        created_at: Timestamp::from_micros(created_at),
        created_by,
        expires_at: expires_at.map(Timestamp::from_micros),
        last_used_at: last_used_at.map(Timestamp::from_micros),
    })
}

/// Adds a token.
pub(crate) async fn add(
    database: &Database,
    secret_hash: &[u8; 32],
    name: &str,
    role: Role,
    by: &str,
    now: Timestamp,
    expires_at: Option<Timestamp>,
) -> Result<ApiToken, DatabaseError> {
    let row: Row = sqlx::query_as(
        "INSERT INTO api_tokens (secret_hash, name, role, created_at, created_by, expires_at) VALUES (?, ?, ?, ?, ?, ?) \
         RETURNING id, name, role, created_at, created_by, expires_at, last_used_at",
    )
    .bind(secret_hash.as_slice())
    .bind(name)
    .bind(role.as_str())
    .bind(now.micros())
    .bind(by)
    .bind(expires_at.map(Timestamp::micros))
    .fetch_one(database)
    .await
    .map_err(DatabaseError::of("add a token"))?;
    read_row(row)
}

/// All tokens, newest first.
pub(crate) async fn list(database: &Database) -> Result<Vec<ApiToken>, DatabaseError> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT id, name, role, created_at, created_by, expires_at, last_used_at FROM api_tokens ORDER BY id DESC",
    )
    .fetch_all(database)
    .await
    .map_err(DatabaseError::of("list tokens"))?;
    rows.into_iter().map(read_row).collect()
}

/// The token behind a secret.
pub(crate) async fn find(database: &Database, secret_hash: &[u8; 32]) -> Result<Option<ApiToken>, DatabaseError> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT id, name, role, created_at, created_by, expires_at, last_used_at FROM api_tokens WHERE secret_hash = ?",
    )
    .bind(secret_hash.as_slice())
    .fetch_optional(database)
    .await
    .map_err(DatabaseError::of("find a token"))?;
    row.map(read_row).transpose()
}

/// Notes that a token is in use.
pub(crate) async fn touch(database: &Database, id: i64, now: Timestamp) -> Result<(), DatabaseError> {
    sqlx::query("UPDATE api_tokens SET last_used_at = ? WHERE id = ?")
        .bind(now.micros())
        .bind(id)
        .execute(database)
        .await
        .map_err(DatabaseError::of("note the use of a token"))?;
    Ok(())
}

/// Removes a token; gives its name if there was one.
pub(crate) async fn remove(database: &Database, id: i64) -> Result<Option<String>, DatabaseError> {
    let row: Option<(String,)> = sqlx::query_as("DELETE FROM api_tokens WHERE id = ? RETURNING name")
        .bind(id)
        .fetch_optional(database)
        .await
        .map_err(DatabaseError::of("revoke a token"))?;
    Ok(row.map(|(name,)| name))
}
