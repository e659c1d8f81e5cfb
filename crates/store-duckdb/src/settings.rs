//! What the store is told when it is opened, and why opening may fail.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use threadline_model::Clock;

/// How the embedded store is opened.
#[derive(Clone)]
pub struct DuckSettings {
    /// Where the files lie. Created when missing; one process at a time may hold it.
    pub directory: PathBuf,
    /// A live day is kept until it is more than this many days old (T1).
    pub retention_days: u32,
    /// What was imported is kept for this many days after the day of the import.
    pub import_retention_days: u32,
    /// The most memory the engine may use for its buffers, bytes; beyond it, it spills into the directory.
    pub memory_limit: u64,
    /// Bytes of a day's write-ahead log after which the engine writes it into the day's file. More makes commits
    /// steadier, and start and memory worse.
    pub checkpoint_bytes: u64,
    /// Threads that work on one question or one commit. With more than one, the thread that waits for the others does
    /// not sleep but asks again and again whether they are done, so it should be few where cores are few.
    pub threads: usize,
    /// Questions answered at the same time. More wait their turn.
    pub readers: usize,
    /// A question that takes longer is stopped.
    pub query_timeout: Duration,
    /// What "today" and "now" are.
    pub clock: Arc<dyn Clock>,
}

impl DuckSettings {
    /// The defaults: 7 days live, 30 days imported, 512 MiB of memory, 128 MiB of log, a thread for two cores, 4
    /// readers, 30 seconds.
    pub fn new(directory: impl Into<PathBuf>, clock: Arc<dyn Clock>) -> Self {
        Self {
            directory: directory.into(),
            retention_days: 7,
            import_retention_days: 30,
            memory_limit: 512 * 1024 * 1024,
            checkpoint_bytes: 128 * 1024 * 1024,
            threads: std::thread::available_parallelism().map_or(1, |cores| cores.get().div_ceil(2)),
            readers: 4,
            query_timeout: Duration::from_secs(30),
            clock,
        }
    }
}

impl fmt::Debug for DuckSettings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("DuckSettings")
            .field("directory", &self.directory)
            .field("retention_days", &self.retention_days)
            .field("import_retention_days", &self.import_retention_days)
            .field("memory_limit", &self.memory_limit)
            .field("checkpoint_bytes", &self.checkpoint_bytes)
            .field("threads", &self.threads)
            .field("readers", &self.readers)
            .field("query_timeout", &self.query_timeout)
            .finish_non_exhaustive()
    }
}

/// Why the store could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The directory or a file in it cannot be used.
    #[error("cannot use {}", path.display())]
    Directory {
        /// The path.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Another process has the directory open.
    #[error("{} is in use by another process; stop it, or choose another data directory", path.display())]
    InUse {
        /// The directory.
        path: PathBuf,
    },
    /// The path holds what the engine cannot be told.
    #[error("{} is not valid UTF-8", path.display())]
    Path {
        /// The directory.
        path: PathBuf,
    },
    /// A file was written by a version that keeps exchanges in another form.
    #[error("{} is of form {form}, which this version cannot read; start the version that wrote it, or move the file away", path.display())]
    Form {
        /// The file.
        path: PathBuf,
        /// Its form.
        form: u32,
    },
    /// The engine did not start, or a file cannot be opened although it is not damaged.
    #[error("the database engine could not {operation}")]
    Engine {
        /// What was being done.
        operation: &'static str,
        /// The engine's error.
        #[source]
        source: duckdb::Error,
    },
}
