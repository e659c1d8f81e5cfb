//! The engine itself: one in-memory database that the files are attached to. Everything that names a file in SQL is
//! here or goes through an alias made here.

use std::path::Path;

use duckdb::{Config, Connection};
use threadline_model::{Timestamp, UtcDay};

use crate::files::{Extent, FileKey, StoreFile};
use crate::settings::{DuckSettings, OpenError};
use crate::table;

/// The engine's storage format is told, so that a newer engine does not write what the one before cannot read, and so
/// that the better string compression of the newer formats is used.
const STORAGE_VERSION: &str = "v1.5.0";

/// Starts the engine with nothing attached.
pub(crate) fn start(settings: &DuckSettings) -> Result<Connection, OpenError> {
    let directory = text_of(&settings.directory)?;
    let failed = |source| OpenError::Engine { operation: "start", source };
    let config = Config::default()
        .max_memory(&format!("{}B", settings.memory_limit))
        .and_then(|config| config.threads(i64::try_from(settings.threads.max(1)).unwrap_or(1)))
        .and_then(|config| config.enable_autoload_extension(false))
        .and_then(|config| config.with("autoinstall_known_extensions", "false"))
        .and_then(|config| config.with("temp_directory", format!("{directory}/spill")))
        .and_then(|config| config.with("checkpoint_threshold", format!("{}B", settings.checkpoint_bytes)))
        .map_err(failed)?;
    Connection::open_in_memory_with_flags(config).map_err(failed)
}

/// Attaches a file, making its tables when they are missing, and reads what it holds and when its newest row was
/// stored.
pub(crate) fn attach(
    connection: &Connection,
    key: FileKey,
    generation: u32,
    path: &Path,
) -> Result<(StoreFile, Timestamp), AttachError> {
    let alias = key.alias(generation);
    attach_as(connection, &alias, path)?;
    match check_form(connection, &alias).and_then(|()| Ok(describe(connection, &alias)?)) {
        Ok((extent, ingested)) => Ok((StoreFile::new(key, generation, path.to_owned(), extent), ingested)),
        Err(error) => {
            detach(connection, &alias)?;
            Err(error)
        }
    }
}

/// Why a file cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AttachError {
    #[error("the engine failed")]
    Engine(#[from] duckdb::Error),
    #[error("the file has form {0}, and this version reads and writes form {FORM}", FORM = table::FORM)]
    Form(u32),
}

/// Whether a file has the form that this version writes; a new one is given it.
fn check_form(connection: &Connection, alias: &str) -> Result<(), AttachError> {
    let mut tables = connection.prepare("SELECT table_name FROM duckdb_tables() WHERE database_name = $1")?;
    let tables: Vec<String> = tables.query_map([alias], |row| row.get(0))?.collect::<Result<_, _>>()?;
    if tables.is_empty() {
        return Ok(create(connection, alias)?);
    }
    // What was written before forms had numbers has number 0.
    let mut form = 0;
    if tables.iter().any(|table| table == "about") {
        form = connection.query_row(&format!("SELECT form FROM {alias}.about"), [], |row| row.get(0))?;
    }
    if form == table::FORM { Ok(()) } else { Err(AttachError::Form(form)) }
}

fn create(connection: &Connection, alias: &str) -> Result<(), duckdb::Error> {
    let (tables, form) = (table::CREATE.replace("{}", alias), table::FORM);
    let sql = format!("BEGIN TRANSACTION; {tables} INSERT INTO {alias}.about VALUES ({form}, 0); COMMIT");
    connection.execute_batch(&sql).inspect_err(|_| {
        // The engine may have given the transaction up already.
        let _ = connection.execute_batch("ROLLBACK");
    })
}

/// Attaches a file under a name made in this crate.
pub(crate) fn attach_as(connection: &Connection, alias: &str, path: &Path) -> Result<(), duckdb::Error> {
    let quoted = path.to_string_lossy().replace('\'', "''");
    connection.execute_batch(&format!("ATTACH '{quoted}' AS {alias} (STORAGE_VERSION '{STORAGE_VERSION}')"))
}

/// Detaches a file that nobody reads. Must not be called within a transaction.
pub(crate) fn detach(connection: &Connection, alias: &str) -> Result<(), duckdb::Error> {
    connection.execute_batch(&format!("DETACH {alias}"))
}

/// The same for a file whose deletion may have failed after it was detached.
pub(crate) fn detach_if_attached(connection: &Connection, alias: &str) -> Result<(), duckdb::Error> {
    connection.execute_batch(&format!("DETACH DATABASE IF EXISTS {alias}"))
}

/// Writes a file's log into the file.
pub(crate) fn checkpoint(connection: &Connection, alias: &str) -> Result<(), duckdb::Error> {
    connection.execute_batch(&format!("CHECKPOINT {alias}"))
}

/// What a file holds, and when its newest row was stored.
fn describe(connection: &Connection, alias: &str) -> Result<(Extent, Timestamp), duckdb::Error> {
    let sorted = connection.query_row(&format!("SELECT sorted FROM {alias}.about"), [], |row| row.get(0))?;
    let batches = connection.query_row(
        &format!("SELECT coalesce(max(number) + 1, 0)::UINTEGER FROM {alias}.batches"),
        [],
        |row| row.get(0),
    )?;
    let sql = format!(
        "SELECT count(*), epoch_us(min(ts)), epoch_us(max(ts)), coalesce(epoch_us(max(ingested_at)), 0) \
         FROM {alias}.exchanges"
    );
    let (rows, first, last, ingested): (u64, Option<i64>, Option<i64>, i64) =
        connection.query_row(&sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
    let mut days = connection
        .prepare(&format!("SELECT DISTINCT (ts::DATE - DATE '1970-01-01')::INTEGER FROM {alias}.exchanges"))?;
    let days = days.query_map([], |row| Ok(UtcDay::from_days(row.get(0)?)))?.collect::<Result<_, _>>()?;
    let span = first.zip(last).map(|(first, last)| (Timestamp::from_micros(first), Timestamp::from_micros(last)));
    Ok((Extent { rows, span, days, batches, sorted }, Timestamp::from_micros(ingested)))
}

fn text_of(path: &Path) -> Result<&str, OpenError> {
    path.to_str().ok_or_else(|| OpenError::Path { path: path.to_owned() })
}
