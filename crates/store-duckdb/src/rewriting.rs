//! Closed days are rewritten once, by quarters of the day and session by session within.
//!
//! While a day is written, its rows lie in the order of their arrival, sessions interleaved, in a file with gaps that
//! checkpoints left. Rewritten, the file is smaller, and a session's exchanges lie together. The new file is made beside
//! the old one under a name that the next start deletes; only the writer puts it in its place.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use duckdb::{Connection, InterruptHandle};
use threadline_model::Timestamp;

use crate::files::{Extent, FileKey, StoreFile};
use crate::{engine, opening, table};

/// Microseconds after the end of a day during which late rows are to be expected.
const SETTLING: i64 = 3_600_000_000;

/// The new file's name within the engine while it is made.
const ALIAS: &str = "rewritten";

/// Whether a file is closed and holds more than a twentieth of rows that are not in order.
pub(crate) fn is_due(key: FileKey, extent: &Extent, now: Timestamp) -> bool {
    let closed = now.micros() >= key.day.end().micros().saturating_add(SETTLING);
    closed && extent.rows.saturating_sub(extent.sorted) > extent.rows / 20
}

/// The rewriting that is going on, if any, so that closing the store need not wait for it.
#[derive(Default)]
pub(crate) struct Rewriting(Mutex<State>);

#[derive(Default)]
struct State {
    stopped: bool,
    running: Option<Arc<InterruptHandle>>,
}

/// Why a day was not rewritten.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RewriteError {
    #[error("the store is closing")]
    Stopped,
    #[error("the engine failed")]
    Engine(#[from] duckdb::Error),
    #[error("the new file has {new} exchanges where the old one has {old}")]
    Different { old: u64, new: u64 },
    #[error("the new file could not be placed")]
    File(#[from] std::io::Error),
}

impl Rewriting {
    /// Has a file's rows written to a new file by `write` and gives its path. `write` uses `connection`, and is
    /// interrupted when the store is closed.
    pub(crate) fn run(
        &self,
        connection: &Connection,
        file: &StoreFile,
        write: impl FnOnce(&Path) -> Result<(), RewriteError>,
    ) -> Result<PathBuf, RewriteError> {
        let mut staged = file.path.as_os_str().to_owned();
        staged.push(opening::STAGED);
        let staged = PathBuf::from(staged);
        opening::remove(&staged)?;
        self.begin(connection)?;
        let written = write(&staged);
        self.state().running = None;
        if let Err(error) = written {
            opening::remove(&staged)?;
            return Err(error);
        }
        Ok(staged)
    }

    /// Stops what runs and lets nothing begin.
    pub(crate) fn stop(&self) {
        let mut state = self.state();
        state.stopped = true;
        if let Some(running) = state.running.take() {
            running.interrupt();
        }
    }

    /// Whether the store is closing.
    pub(crate) fn is_stopped(&self) -> bool {
        self.state().stopped
    }

    fn begin(&self, connection: &Connection) -> Result<(), RewriteError> {
        let mut state = self.state();
        if state.stopped {
            return Err(RewriteError::Stopped);
        }
        state.running = Some(connection.interrupt_handle());
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes a file's rows in order.
pub(crate) fn write(connection: &Connection, file: &StoreFile, staged: &Path) -> Result<(), RewriteError> {
    engine::attach_as(connection, ALIAS, staged)?;
    let copied = connection
        .execute_batch(&table::CREATE.replace("{}", ALIAS))
        .and_then(|()| connection.execute_batch(&copy(file)))
        .and_then(|()| engine::checkpoint(connection, ALIAS))
        .map_err(RewriteError::from)
        .and_then(|()| compare(connection));
    // Detached in any case, so that the file can be renamed or deleted.
    let detached = engine::detach(connection, ALIAS);
    copied.and(Ok(detached?))
}

/// Nothing takes the place of a file unless it has as many rows as stood there when the copy began.
fn compare(connection: &Connection) -> Result<(), RewriteError> {
    let count = |sql: String| connection.query_row(&sql, [], |row| row.get::<_, u64>(0));
    let new = count(format!("SELECT count(*) FROM {ALIAS}.exchanges"))?;
    let old = count(format!("SELECT sum(rows)::UBIGINT FROM {ALIAS}.batches"))?;
    if new == old { Ok(()) } else { Err(RewriteError::Different { old, new }) }
}

/// The quarters of a day are sorted and written one after the other: that needs memory for a quarter, and lets questions
/// about a few hours, and those for one exchange, skip the others. Not more of them: what a part leaves of a row group
/// (122,880 rows) is written again by the next, and with eighths the file was twice as large for it. Not one
/// transaction: nobody sees the file before it is whole. `rows` is a question with a `WHERE` at its end.
pub(crate) fn quarters(alias: &str, rows: &str) -> String {
    let quarter = |quarter: u8| {
        format!(
            "INSERT INTO {alias}.exchanges {rows}
                 AND hour(ts) // 6 = {quarter} ORDER BY session_id, ts, exchange_id;"
        )
    };
    (0..4).map(quarter).collect()
}

fn copy(file: &StoreFile) -> String {
    let old = &file.alias;
    let exchanges = quarters(ALIAS, &format!("SELECT * FROM {old}.exchanges WHERE true"));
    format!(
        "{exchanges}
         INSERT INTO {ALIAS}.batches SELECT * FROM {old}.batches ORDER BY number;
         INSERT INTO {ALIAS}.about SELECT form, (SELECT count(*) FROM {ALIAS}.exchanges) FROM {old}.about;"
    )
}
