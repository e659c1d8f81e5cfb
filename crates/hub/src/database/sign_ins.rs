//! Open sign-ins of people. The secret in the browser's cookie stands here as a hash.

use threadline_model::Timestamp;

use super::{Database, DatabaseError};
use crate::security::Role;

/// An open sign-in with the person behind it.
#[derive(Clone, Debug)]
pub(crate) struct SignIn {
    /// The person.
    pub(crate) person: i64,
    /// Their name.
    pub(crate) name: String,
    /// Their role now.
    pub(crate) role: Role,
    /// When the cookie was last seen, to the minute.
    pub(crate) last_used_at: Timestamp,
    /// When it ends whatever happens.
    pub(crate) expires_at: Timestamp,
}

/// Opens a sign-in, and forgets those that ended.
pub(crate) async fn open(
    database: &Database,
    secret_hash: &[u8; 32],
    person: i64,
    now: Timestamp,
    expires_at: Timestamp,
) -> Result<(), DatabaseError> {
    let failed = || DatabaseError::of::<sqlx::Error>("open a sign-in");
    sqlx::query("DELETE FROM sign_ins WHERE expires_at <= ?")
        .bind(now.micros())
        .execute(database)
        .await
        .map_err(failed())?;
    sqlx::query(
        "INSERT INTO sign_ins (secret_hash, person_id, created_at, last_used_at, expires_at) VALUES (?, ?, ?, ?, ?)",
    )
    .bind(secret_hash.as_slice())
    .bind(person)
    .bind(now.micros())
    .bind(now.micros())
    .bind(expires_at.micros())
    .execute(database)
    .await
    .map_err(failed())?;
    Ok(())
}

/// The sign-in behind a secret.
pub(crate) async fn find(database: &Database, secret_hash: &[u8; 32]) -> Result<Option<SignIn>, DatabaseError> {
    let row: Option<(i64, String, String, i64, i64)> = sqlx::query_as(
        "SELECT people.id, people.name, people.role, sign_ins.last_used_at, sign_ins.expires_at \
         FROM sign_ins JOIN people ON people.id = sign_ins.person_id WHERE secret_hash = ?",
    )
    .bind(secret_hash.as_slice())
    .fetch_optional(database)
    .await
    .map_err(DatabaseError::of("find a sign-in"))?;
    row.map(|(person, name, role, last_used_at, expires_at)| {
        Ok(SignIn {
            person,
            name,
            role: role.parse().map_err(DatabaseError::of("read a person's role"))?,
            last_used_at: Timestamp::from_micros(last_used_at),
            expires_at: Timestamp::from_micros(expires_at),
        })
    })
    .transpose()
}

/// Notes that a sign-in is in use.
pub(crate) async fn touch(database: &Database, secret_hash: &[u8; 32], now: Timestamp) -> Result<(), DatabaseError> {
    sqlx::query("UPDATE sign_ins SET last_used_at = ? WHERE secret_hash = ?")
        .bind(now.micros())
        .bind(secret_hash.as_slice())
        .execute(database)
        .await
        .map_err(DatabaseError::of("note the use of a sign-in"))?;
    Ok(())
}

/// Ends a sign-in; gives the person's name if there was one.
pub(crate) async fn close(database: &Database, secret_hash: &[u8; 32]) -> Result<Option<String>, DatabaseError> {
    let row: Option<(String,)> = sqlx::query_as(
        "DELETE FROM sign_ins WHERE secret_hash = ? \
         RETURNING (SELECT name FROM people WHERE people.id = sign_ins.person_id)",
    )
    .bind(secret_hash.as_slice())
    .fetch_optional(database)
    .await
    .map_err(DatabaseError::of("end a sign-in"))?;
    Ok(row.map(|(name,)| name))
}
