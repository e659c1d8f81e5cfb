//! The hub's state in SQLite: opening, migrating, and the one error of all its operations.
//!
//! Nothing here knows HTTP. Secrets come in as hashes only; no function takes or returns a clear secret.

pub(crate) mod audit;
pub(crate) mod export_ledger;
pub(crate) mod people;
pub(crate) mod policy_versions;
pub(crate) mod purges;
pub(crate) mod settings;
pub(crate) mod sign_ins;
pub(crate) mod tokens;

use std::path::Path;
use std::time::Duration;

use sqlx::SqlSafeStr as _;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

use crate::problem::Problem;

/// The pool that every operation takes.
pub(crate) type Database = sqlx::SqlitePool;

/// An operation on the state failed. The source may hold SQL and is for the log only.
#[derive(Debug, thiserror::Error)]
#[error("failed to {operation}")]
pub struct DatabaseError {
    operation: &'static str,
    #[source]
    source: Box<dyn std::error::Error + Send + Sync>,
}

impl DatabaseError {
    /// Wraps an error of the engine, for `map_err`.
    pub(crate) fn of<E>(operation: &'static str) -> impl FnOnce(E) -> Self
    where
        E: std::error::Error + Send + Sync + 'static,
    {
        move |source| Self { operation, source: Box::new(source) }
    }
}

impl From<DatabaseError> for Problem {
    fn from(error: DatabaseError) -> Self {
        Self::internal("use the hub's state", &error)
    }
}

/// Opens `path`, creates it readable by its owner only if it is missing, and brings its tables up to date.
pub(crate) async fn open(path: &Path) -> Result<Database, DatabaseError> {
    // SQLite gives its -wal and -shm files the permissions of the main file.
    crate::files::create_private(path).map_err(DatabaseError::of("create the state file"))?;
    let options = SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        // A saved policy or a removed person must survive a power cut; writes are rare.
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(10));
    let pool = SqlitePoolOptions::new().max_connections(4).connect_with(options).await;
    let pool = pool.map_err(DatabaseError::of("open the state file"))?;
    migrator().run(&pool).await.map_err(DatabaseError::of("bring the state file up to date"))?;
    Ok(pool)
}

/// Every migration there ever was, in order. Released ones are never edited.
fn migrator() -> Migrator {
    let migration = |version, name: &'static str, sql: &'static str| {
        Migration::new(version, name.into(), MigrationType::Simple, sql.into_sql_str(), false)
    };
    Migrator::with_migrations(vec![
        migration(1, "first", include_str!("../../migrations/0001_first.sql")),
        migration(2, "export ledger", include_str!("../../migrations/0002_export_ledger.sql")),
        migration(3, "purges", include_str!("../../migrations/0003_purges.sql")),
    ])
}
