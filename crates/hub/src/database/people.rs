//! People who may sign in.

use threadline_model::Timestamp;

use super::{Database, DatabaseError};
use crate::security::Role;

/// One person, without the password.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    /// Never used again after removal.
    pub(crate) id: i64,
    /// As written.
    pub(crate) name: String,
    /// Never `Node`.
    pub(crate) role: Role,
    /// When they were added.
    pub(crate) created_at: Timestamp,
    /// By whom.
    pub(crate) created_by: String,
    /// When they last signed in.
    pub(crate) last_sign_in_at: Option<Timestamp>,
}

/// What became of a removal.
#[derive(Debug)]
pub(crate) enum Removal {
    /// Gone; this was the name.
    Removed(String),
    /// Refused.
    LastAdministrator,
    /// There is no such person.
    Unknown,
}

type Row = (i64, String, String, i64, String, Option<i64>);
type RowWithHash = (i64, String, String, i64, String, Option<i64>, String);

fn read_row((id, name, role, created_at, created_by, last_sign_in_at): Row) -> Result<Person, DatabaseError> {
    Ok(Person {
        id,
        name,
        role: role.parse().map_err(DatabaseError::of("read a person's role"))?,
        created_at: Timestamp::from_micros(created_at),
        created_by,
        last_sign_in_at: last_sign_in_at.map(Timestamp::from_micros),
    })
}

/// How names are compared.
pub(crate) fn folded(name: &str) -> String {
    name.trim().to_lowercase()
}

/// Whether anybody may sign in yet.
pub(crate) async fn any(database: &Database) -> Result<bool, DatabaseError> {
    let (any,): (bool,) = sqlx::query_as("SELECT EXISTS (SELECT 1 FROM people)")
        .fetch_one(database)
        .await
        .map_err(DatabaseError::of("look for people"))?;
    Ok(any)
}

/// Everybody, by name.
pub(crate) async fn list(database: &Database) -> Result<Vec<Person>, DatabaseError> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT id, name, role, created_at, created_by, last_sign_in_at FROM people ORDER BY folded_name",
    )
    .fetch_all(database)
    .await
    .map_err(DatabaseError::of("list people"))?;
    rows.into_iter().map(read_row).collect()
}

/// Adds a person; `None` when the name is taken.
pub(crate) async fn add(
    database: &Database,
    name: &str,
    role: Role,
    password_hash: &str,
    by: &str,
    now: Timestamp,
) -> Result<Option<Person>, DatabaseError> {
    let row: Option<Row> = sqlx::query_as(
        "INSERT INTO people (name, folded_name, role, password_hash, created_at, created_by) VALUES (?, ?, ?, ?, ?, ?) \
         ON CONFLICT DO NOTHING RETURNING id, name, role, created_at, created_by, last_sign_in_at",
    )
    .bind(name)
    .bind(folded(name))
    .bind(role.as_str())
    .bind(password_hash)
    .bind(now.micros())
    .bind(by)
    .fetch_optional(database)
    .await
    .map_err(DatabaseError::of("add a person"))?;
    row.map(read_row).transpose()
}

/// Adds the first administrator; `None` when there is anybody already. One statement, so that of two concurrent
/// calls one loses.
pub(crate) async fn add_first(
    database: &Database,
    name: &str,
    password_hash: &str,
    now: Timestamp,
) -> Result<Option<Person>, DatabaseError> {
    let row: Option<Row> = sqlx::query_as(
        "INSERT INTO people (name, folded_name, role, password_hash, created_at, created_by) \
         SELECT ?, ?, 'admin', ?, ?, 'first run' WHERE NOT EXISTS (SELECT 1 FROM people) \
         RETURNING id, name, role, created_at, created_by, last_sign_in_at",
    )
    .bind(name)
    .bind(folded(name))
    .bind(password_hash)
    .bind(now.micros())
    .fetch_optional(database)
    .await
    .map_err(DatabaseError::of("add the first administrator"))?;
    row.map(read_row).transpose()
}

/// A person with their password hash, by name.
pub(crate) async fn find(database: &Database, name: &str) -> Result<Option<(Person, String)>, DatabaseError> {
    let row: Option<RowWithHash> = sqlx::query_as(
        "SELECT id, name, role, created_at, created_by, last_sign_in_at, password_hash FROM people WHERE folded_name = ?",
    )
    .bind(folded(name))
    .fetch_optional(database)
    .await
    .map_err(DatabaseError::of("find a person"))?;
    row.map(|(id, name, role, created_at, created_by, last_sign_in_at, hash)| {
        Ok((read_row((id, name, role, created_at, created_by, last_sign_in_at))?, hash))
    })
    .transpose()
}

/// Notes a sign-in.
pub(crate) async fn note_sign_in(database: &Database, id: i64, now: Timestamp) -> Result<(), DatabaseError> {
    sqlx::query("UPDATE people SET last_sign_in_at = ? WHERE id = ?")
        .bind(now.micros())
        .bind(id)
        .execute(database)
        .await
        .map_err(DatabaseError::of("note a sign-in"))?;
    Ok(())
}

/// Replaces a password and ends all sign-ins of the person but the one with `keep`.
pub(crate) async fn set_password(
    database: &Database,
    id: i64,
    password_hash: &str,
    keep: Option<[u8; 32]>,
) -> Result<(), DatabaseError> {
    let failed = || DatabaseError::of::<sqlx::Error>("change a password");
    let mut transaction = database.begin_with("BEGIN IMMEDIATE").await.map_err(failed())?;
    sqlx::query("UPDATE people SET password_hash = ? WHERE id = ?")
        .bind(password_hash)
        .bind(id)
        .execute(&mut *transaction)
        .await
        .map_err(failed())?;
    sqlx::query("DELETE FROM sign_ins WHERE person_id = ? AND secret_hash IS NOT ?")
        .bind(id)
        .bind(keep.map(|hash| hash.to_vec()))
        .execute(&mut *transaction)
        .await
        .map_err(failed())?;
    transaction.commit().await.map_err(failed())
}

/// Removes a person and their sign-ins, unless it is the last administrator.
pub(crate) async fn remove(database: &Database, id: i64) -> Result<Removal, DatabaseError> {
    let failed = || DatabaseError::of::<sqlx::Error>("remove a person");
    let row: Option<(String,)> = sqlx::query_as(
        "DELETE FROM people WHERE id = ?1 AND (role <> 'admin' \
         OR EXISTS (SELECT 1 FROM people WHERE role = 'admin' AND id <> ?1)) RETURNING name",
    )
    .bind(id)
    .fetch_optional(database)
    .await
    .map_err(failed())?;
    if let Some((name,)) = row {
        return Ok(Removal::Removed(name));
    }
    let (exists,): (bool,) = sqlx::query_as("SELECT EXISTS (SELECT 1 FROM people WHERE id = ?)")
        .bind(id)
        .fetch_one(database)
        .await
        .map_err(failed())?;
    Ok(if exists { Removal::LastAdministrator } else { Removal::Unknown })
}
