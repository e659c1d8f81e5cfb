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

/// Bytes of write-ahead log after which the engine checkpoints by itself. Higher makes commits steadier and start and
/// memory worse; the notes on storage in the documentation have the figures.
const CHECKPOINT_THRESHOLD: &str = "64MB";

/// Starts the engine with nothing attached.
pub(crate) fn start(settings: &DuckSettings) -> Result<Connection, OpenError> {
    let directory = text_of(&settings.directory)?;
    let failed = |source| OpenError::Engine { operation: "start", source };
    let config = Config::default()
        .max_memory(&format!("{}B", settings.memory_limit))
        .and_then(|config| config.enable_autoload_extension(false))
        .and_then(|config| config.with("autoinstall_known_extensions", "false"))
        .and_then(|config| config.with("temp_directory", format!("{directory}/spill")))
        .and_then(|config| config.with("checkpoint_threshold", CHECKPOINT_THRESHOLD))
        .map_err(failed)?;
    Connection::open_in_memory_with_flags(config).map_err(failed)
}

/// Attaches a file, making its tables when they are missing, and reads what it holds.
pub(crate) fn attach(
    connection: &Connection,
    key: FileKey,
    path: &Path,
) -> Result<(StoreFile, Timestamp), duckdb::Error> {
    let alias = key.alias();
    let quoted = path.to_string_lossy().replace('\'', "''");
    connection.execute_batch(&format!("ATTACH '{quoted}' AS {alias} (STORAGE_VERSION '{STORAGE_VERSION}')"))?;
    let described =
        connection.execute_batch(&table::CREATE.replace("{}", &alias)).and_then(|()| describe(connection, &alias));
    match described {
        Ok((extent, ingested)) => Ok((StoreFile::new(key, path.to_owned(), extent), ingested)),
        Err(error) => {
            detach(connection, &alias)?;
            Err(error)
        }
    }
}

/// Detaches a file that nobody reads. Must not be called within a transaction.
pub(crate) fn detach(connection: &Connection, alias: &str) -> Result<(), duckdb::Error> {
    connection.execute_batch(&format!("DETACH {alias}"))
}

/// Writes a file's log into the file.
pub(crate) fn checkpoint(connection: &Connection, alias: &str) -> Result<(), duckdb::Error> {
    connection.execute_batch(&format!("CHECKPOINT {alias}"))
}

/// What a file holds, and when its newest row was stored.
fn describe(connection: &Connection, alias: &str) -> Result<(Extent, Timestamp), duckdb::Error> {
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
    Ok((Extent { rows, span, days, batches }, Timestamp::from_micros(ingested)))
}

fn text_of(path: &Path) -> Result<&str, OpenError> {
    path.to_str().ok_or_else(|| OpenError::Path { path: path.to_owned() })
}
