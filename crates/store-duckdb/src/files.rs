//! The files of the store: one per UTC day and lane, and which of them a question needs.
//!
//! The live lane's files are named for the day of their exchanges. The import lane's are named for the day of the
//! import, because that is what their retention counts from; they hold exchanges of any time.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use threadline_model::{Timestamp, UtcDay};
use threadline_store::{Lane, TimeRange};

use crate::gate::{Gate, Pass};

/// Ends the name of every database file.
pub(crate) const EXTENSION: &str = "duckdb";

/// Which file: the lane and the day in its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct FileKey {
    pub(crate) live: bool,
    pub(crate) day: UtcDay,
}

impl FileKey {
    pub(crate) fn new(lane: Lane, day: UtcDay) -> Self {
        Self { live: lane == Lane::Live, day }
    }

    /// The folder within the data directory.
    pub(crate) fn folder(live: bool) -> &'static str {
        if live { "days" } else { "imports" }
    }

    /// Where the file lies. A file that was rewritten takes the place of the one before under the next generation's
    /// name: `2026-11-23.duckdb`, `2026-11-23.g1.duckdb` …
    pub(crate) fn path(self, directory: &Path, generation: u32) -> PathBuf {
        let name = match generation {
            0 => format!("{}.{EXTENSION}", self.day),
            generation => format!("{}.g{generation}.{EXTENSION}", self.day),
        };
        directory.join(Self::folder(self.live)).join(name)
    }

    /// The file that a name in a lane's folder stands for, with its generation.
    pub(crate) fn parse(live: bool, name: &str) -> Option<(Self, u32)> {
        let stem = name.strip_suffix(EXTENSION)?.strip_suffix('.')?;
        let (day, generation) = match stem.split_once(".g") {
            Some((day, generation)) => (day, generation.parse().ok()?),
            None => (stem, 0),
        };
        Some((Self { live, day: UtcDay::parse(day)? }, generation))
    }

    /// The file's name within the engine: letters, digits and underscores only.
    pub(crate) fn alias(self, generation: u32) -> String {
        let lane = if self.live { "live" } else { "import" };
        let day = self.day.days();
        let sign = if day < 0 { "_before" } else { "" };
        format!("{lane}{sign}_{}_{generation}", day.unsigned_abs())
    }
}

/// What is known of a file's rows without asking the engine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Extent {
    pub(crate) rows: u64,
    /// Start of the oldest and newest exchange.
    pub(crate) span: Option<(Timestamp, Timestamp)>,
    /// Days of its exchanges.
    pub(crate) days: BTreeSet<UtcDay>,
    /// Batches so far; the next one's number.
    pub(crate) batches: u32,
    /// Rows that were there when the file was last rewritten in order.
    pub(crate) sorted: u64,
}

impl Extent {
    /// Takes in rows that have been committed.
    pub(crate) fn add(&mut self, rows: u64, span: (Timestamp, Timestamp), days: impl IntoIterator<Item = UtcDay>) {
        self.rows += rows;
        self.span = Some(match self.span {
            Some((from, to)) => (from.min(span.0), to.max(span.1)),
            None => span,
        });
        self.days.extend(days);
    }
}

/// One attached file.
#[derive(Debug)]
pub(crate) struct StoreFile {
    pub(crate) key: FileKey,
    pub(crate) generation: u32,
    pub(crate) alias: String,
    pub(crate) path: PathBuf,
    pub(crate) gate: Arc<Gate>,
    extent: Mutex<Extent>,
}

impl StoreFile {
    pub(crate) fn new(key: FileKey, generation: u32, path: PathBuf, extent: Extent) -> Self {
        let (alias, gate, extent) = (key.alias(generation), Arc::default(), Mutex::new(extent));
        Self { key, generation, alias, path, gate, extent }
    }

    pub(crate) fn extent(&self) -> MutexGuard<'_, Extent> {
        self.extent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Bytes on disk, the write-ahead log included.
    pub(crate) fn bytes_on_disk(&self) -> u64 {
        let size = |path: &Path| path.metadata().map_or(0, |metadata| metadata.len());
        size(&self.path) + size(&log_path(&self.path))
    }
}

/// The write-ahead log of a database file.
pub(crate) fn log_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".wal");
    PathBuf::from(name)
}

/// The visible files, oldest first. What is hidden here is not found by any question from then on.
#[derive(Debug, Default)]
pub(crate) struct Files(RwLock<Vec<Arc<StoreFile>>>);

/// A file that a question reads; it stays attached until this is dropped.
#[derive(Debug)]
pub(crate) struct Lease {
    pub(crate) file: Arc<StoreFile>,
    _pass: Pass,
}

impl Files {
    pub(crate) fn all(&self) -> Vec<Arc<StoreFile>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn get(&self, key: FileKey) -> Option<Arc<StoreFile>> {
        self.all().into_iter().find(|file| file.key == key)
    }

    pub(crate) fn show(&self, file: Arc<StoreFile>) {
        let mut files = self.0.write().unwrap_or_else(PoisonError::into_inner);
        files.push(file);
        files.sort_by_key(|file| (file.key.day, file.key.live));
    }

    /// Shows one file in the place of another; no question sees both or neither.
    pub(crate) fn replace(&self, old: &Arc<StoreFile>, new: Arc<StoreFile>) {
        let mut files = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = files.iter_mut().find(|file| Arc::ptr_eq(file, old)) {
            *place = new;
        }
    }

    /// Hides the files that `expired` says; they are still attached.
    pub(crate) fn hide(&self, expired: impl Fn(&StoreFile) -> bool) -> Vec<Arc<StoreFile>> {
        let mut files = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let (hidden, kept) = files.drain(..).partition(|file| expired(file));
        *files = kept;
        hidden
    }

    /// Leases the files that hold exchanges in the range.
    pub(crate) fn lease(&self, range: TimeRange) -> Vec<Lease> {
        let inside = |file: &Arc<StoreFile>| {
            let extent = file.extent();
            extent.span.is_some_and(|(first, last)| first < range.to && last >= range.from)
        };
        self.lease_where(inside)
    }

    /// Leases the files that `wanted` picks.
    pub(crate) fn lease_where(&self, wanted: impl Fn(&Arc<StoreFile>) -> bool) -> Vec<Lease> {
        let files = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let lease = |file: &Arc<StoreFile>| Some(Lease { file: Arc::clone(file), _pass: file.gate.enter()? });
        files.iter().filter(|file| wanted(file)).filter_map(lease).collect()
    }
}
