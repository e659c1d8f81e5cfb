//! Named values that the hub remembers.

use sqlx::SqliteExecutor;

use super::{Database, DatabaseError};

/// The value of a setting, if it was ever written.
pub(crate) async fn read(database: &Database, name: &str) -> Result<Option<String>, DatabaseError> {
    let row: Option<(String,)> = sqlx::query_as("SELECT value FROM settings WHERE name = ?")
        .bind(name)
        .fetch_optional(database)
        .await
        .map_err(DatabaseError::of("read a setting"))?;
    Ok(row.map(|(value,)| value))
}

/// Writes a setting, in the caller's transaction if it has one.
pub(crate) async fn write(executor: impl SqliteExecutor<'_>, name: &str, value: &str) -> Result<(), DatabaseError> {
    sqlx::query(
        "INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    )
    .bind(name)
    .bind(value)
    .execute(executor)
    .await
    .map_err(DatabaseError::of("write a setting"))?;
    Ok(())
}
