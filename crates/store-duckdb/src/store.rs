//! The store as others see it: it hands batches to the writer and questions to the readers, and sees to retention.

use std::fmt;
use std::fs::File;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use async_trait::async_trait;
use threadline_model::{Clock, ExchangeId, PurgeId, SessionId, Timestamp, behind_traffic};
use threadline_store::{
    Appended, Batch, Count, ExchangeStore, ExchangesQuery, FacetField, Filters, FirstParameterCount, HistogramBar,
    KeyHealth, Page, Purge, PurgeCounts, SessionPart, SessionSummary, SessionsQuery, StoreError, StoreStatus,
    StoredExchange, TimeRange,
};
use tokio::sync::{mpsc, oneshot};

use crate::files::{Files, StoreFile};
use crate::questions::{self, exchanges, facets, first_parameters, histogram, keys, sessions, summary};
use crate::readers::Readers;
use crate::retention::Retention;
use crate::rewriting::{self, RewriteError, Rewriting};
use crate::settings::{DuckSettings, OpenError};
use crate::writer::{Command, QUEUE, Writer, failed};
use crate::{opening, purging, retention};

/// The embedded store of exchanges.
pub struct DuckStore {
    shared: Arc<Shared>,
    /// Ends the retention thread when dropped.
    retention: Mutex<Option<(SyncSender<()>, JoinHandle<()>)>>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

/// What the store's threads share with it.
pub(crate) struct Shared {
    pub(crate) directory: PathBuf,
    pub(crate) commands: mpsc::Sender<Command>,
    pub(crate) readers: Readers,
    pub(crate) files: Arc<Files>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) retention: Retention,
    pub(crate) ingested: Arc<AtomicI64>,
    pub(crate) damaged: AtomicU64,
    pub(crate) closed: AtomicBool,
    /// Files that are hidden and yet to be deleted. Held while files are deleted or rewritten.
    pub(crate) upkeep: Mutex<Vec<Arc<StoreFile>>>,
    pub(crate) rewriting: Rewriting,
}

impl DuckStore {
    /// Opens the store in a directory, making it if needed. Blocks for as long as the files take to open: well under
    /// a second each, longer for a day whose log was not checkpointed.
    ///
    /// # Errors
    /// When another process has the directory, or it cannot be used. A damaged file is no error: it is moved aside,
    /// logged and counted ([`StoreStatus::damaged`]).
    pub fn open(settings: DuckSettings) -> Result<Self, OpenError> {
        let retention = Retention { live_days: settings.retention_days, import_days: settings.import_retention_days };
        let opened = opening::open(&settings, &retention)?;
        let files = Arc::new(Files::default());
        opened.files.into_iter().for_each(|file| files.show(Arc::new(file)));
        let ingested = Arc::new(AtomicI64::new(opened.ingested.max(purging::latest(&settings.directory)).micros()));
        let clone = |operation| {
            let connection = opened.connection.try_clone();
            connection.map_err(|source| OpenError::Engine { operation, source })
        };
        let writer = Writer {
            connection: clone("start writing")?,
            directory: settings.directory.clone(),
            clock: Arc::clone(&settings.clock),
            retention,
            files: Arc::clone(&files),
            ingested: Arc::clone(&ingested),
        };
        let readers = Readers::new(clone("start reading")?, settings.readers, settings.query_timeout);
        let (commands, queue) = mpsc::channel(QUEUE);
        let directory = settings.directory.clone();
        let directory_error = |source| OpenError::Directory { path: directory.clone(), source };
        let shared = Arc::new(Shared {
            directory: settings.directory,
            commands,
            readers,
            files,
            clock: settings.clock,
            retention,
            ingested,
            damaged: AtomicU64::new(opened.damaged),
            closed: AtomicBool::new(false),
            upkeep: Mutex::default(),
            rewriting: Rewriting::default(),
        });

        let writer = spawn("store-writer", opened.lock, move || writer.run(queue)).map_err(directory_error)?;
        let retention = keep_retention(&shared).map_err(directory_error)?;
        Ok(Self { shared, retention: Mutex::new(Some(retention)), writer: Mutex::new(Some(writer)) })
    }

    /// Rewrites closed days by quarters and sessions, which takes less space and finds a session's
    /// exchanges in one place. Runs by itself, an hour after the day has ended.
    ///
    /// # Errors
    /// When the engine fails (a full disk, for one); the days are then as they were.
    pub async fn rewrite_closed_days(&self) -> Result<(), StoreError> {
        self.shared.check_open()?;
        let shared = Arc::clone(&self.shared);
        let work = tokio::task::spawn_blocking(move || shared.rewrite_closed_days());
        work.await.map_err(failed("rewrite a day"))?
    }
}

impl fmt::Debug for DuckStore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("DuckStore").field("files", &self.shared.files.all().len()).finish_non_exhaustive()
    }
}

/// A thread that holds the directory's lock for as long as it may write.
fn spawn(name: &str, lock: File, work: impl FnOnce() + Send + 'static) -> std::io::Result<JoinHandle<()>> {
    std::thread::Builder::new().name(name.to_owned()).spawn(move || {
        behind_traffic();
        work();
        drop(lock);
    })
}

/// A thread that enforces retention when it is due, until its sender is dropped or the store is gone.
fn keep_retention(shared: &Arc<Shared>) -> std::io::Result<(SyncSender<()>, JoinHandle<()>)> {
    let (stop, stopped) = sync_channel::<()>(1);
    let shared = Arc::downgrade(shared);
    let clock_of = |shared: &std::sync::Weak<Shared>| shared.upgrade().map(|shared| shared.clock.now());
    let thread = std::thread::Builder::new().name("store-retention".to_owned()).spawn(move || {
        behind_traffic();
        while let Some(now) = clock_of(&shared) {
            match stopped.recv_timeout(retention::until_due(now)) {
                Err(RecvTimeoutError::Timeout) => {}
                Ok(()) | Err(RecvTimeoutError::Disconnected) => return,
            }
            let Some(shared) = shared.upgrade() else { return };
            match shared.enforce_retention().and_then(|()| shared.rewrite_closed_days()) {
                Ok(()) | Err(StoreError::Closed) => {}
                Err(error) => {
                    tracing::error!(
                        error = &error as &dyn std::error::Error,
                        "the store's upkeep failed; it is tried again"
                    );
                }
            }
        }
    })?;
    Ok((stop, thread))
}

impl Shared {
    /// Hides what is over, waits for its readers, deletes it, and checkpoints the days before today. Blocks.
    fn enforce_retention(&self) -> Result<(), StoreError> {
        let mut hidden = self.upkeep.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now();
        hidden.extend(self.files.hide(|file| self.retention.is_over(file.key, now)));
        self.delete(&mut hidden)?;
        self.tell(|reply| Command::Tidy { today: now.day(), reply })
    }

    /// Deletes hidden files once their readers have left. One that cannot be deleted stays in the list, for the next
    /// time, and does not keep the others.
    pub(crate) fn delete(&self, hidden: &mut Vec<Arc<StoreFile>>) -> Result<(), StoreError> {
        let mut result = Ok(());
        hidden.retain(|file| {
            file.gate.close_and_drain();
            let deleted = self.tell(|reply| Command::Remove { file: Arc::clone(file), reply });
            let kept = deleted.is_err();
            result = std::mem::replace(&mut result, Ok(())).and(deleted);
            kept
        });
        result
    }

    /// Rewrites the closed days whose rows are not in order. Blocks, for seconds per million rows.
    fn rewrite_closed_days(&self) -> Result<(), StoreError> {
        let mut hidden = self.upkeep.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now();
        for file in self.files.all() {
            self.check_open()?;
            let batches = {
                let extent = file.extent();
                if !rewriting::is_due(file.key, &extent, now) {
                    continue;
                }
                extent.batches
            };
            let connection = self.readers.another()?.map_err(failed("rewrite a day"))?;
            let staged = self.rewriting.run(&connection, &file, |staged| rewriting::write(&connection, &file, staged));
            let staged = staged.map_err(|error| self.rewriting_failed(error))?;
            let old = Arc::clone(&file);
            let replaced = self.tell(|reply| Command::Replace { file: old, staged: staged.clone(), batches, reply })?;
            if replaced {
                hidden.push(file);
                self.delete(&mut hidden)?;
            } else {
                // Late rows came in meanwhile; the next time will do.
                opening::remove(&staged).map_err(failed("delete an outdated rewriting"))?;
            }
        }
        Ok(())
    }

    pub(crate) fn rewriting_failed(&self, error: RewriteError) -> StoreError {
        if self.rewriting.is_stopped() { StoreError::Closed } else { failed("rewrite a day")(error) }
    }

    pub(crate) fn tell<T>(
        &self,
        command: impl FnOnce(oneshot::Sender<Result<T, StoreError>>) -> Command,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.commands.blocking_send(command(reply)).map_err(|_| StoreError::Closed)?;
        answer.blocking_recv().map_err(|_| StoreError::Closed)?
    }

    pub(crate) fn check_open(&self) -> Result<(), StoreError> {
        if self.closed.load(Ordering::Acquire) { Err(StoreError::Closed) } else { Ok(()) }
    }

    /// Rows stamped until then are visible to every question from now on.
    pub(crate) fn snapshot(&self) -> Timestamp {
        Timestamp::from_micros(self.ingested.load(Ordering::Acquire))
    }
}

#[async_trait]
impl ExchangeStore for DuckStore {
    async fn append(&self, batch: Batch) -> Result<Appended, StoreError> {
        self.shared.check_open()?;
        threadline_record::check_schema(&batch.rows).map_err(|error| StoreError::Schema(error.into()))?;
        let (reply, answer) = oneshot::channel();
        self.shared.commands.send(Command::Append { batch, reply }).await.map_err(|_| StoreError::Closed)?;
        answer.await.map_err(|_| StoreError::Closed)?
    }

    async fn sessions(&self, query: SessionsQuery) -> Result<Page<SessionPart>, StoreError> {
        self.shared.check_open()?;
        let start = sessions::start(&query, self.shared.snapshot())?;
        let leases = self.shared.files.lease(query.range);
        let answer = move |connection: &_| sessions::answer(connection, &leases, &query, start);
        self.shared.readers.run("list sessions", answer).await
    }

    async fn session(
        &self,
        id: SessionId,
        range: TimeRange,
        filters: Filters,
        thread_bins: u16,
        idle_gap_us: i64,
    ) -> Result<Option<SessionSummary>, StoreError> {
        self.shared.check_open()?;
        let leases = self.shared.files.lease(range);
        let question = summary::Question { id, range, filters, thread_bins, idle_gap_us };
        let answer = move |connection: &_| summary::answer(connection, &leases, &question);
        self.shared.readers.run("describe a session", answer).await
    }

    async fn exchanges(&self, query: ExchangesQuery) -> Result<Page<StoredExchange>, StoreError> {
        self.shared.check_open()?;
        let start = exchanges::start(&query, self.shared.snapshot())?;
        let leases = self.shared.files.lease(query.range);
        let answer = move |connection: &_| exchanges::answer(connection, &leases, &query, start);
        self.shared.readers.run("list exchanges", answer).await
    }

    async fn exchange(&self, id: ExchangeId) -> Result<Option<StoredExchange>, StoreError> {
        self.shared.check_open()?;
        // The identity of live traffic tells its day; what is not there is looked for everywhere.
        let day = questions::day_of(id);
        let likely = |file: &Arc<StoreFile>| {
            day.is_some_and(|day| file.key.live && (day.plus(-1)..=day.plus(1)).contains(&file.key.day))
        };
        for likely_ones in [true, false] {
            let leases = self.shared.files.lease_where(|file| likely(file) == likely_ones);
            let answer = move |connection: &_| exchanges::one(connection, &leases, id);
            if let Some(found) = self.shared.readers.run("find an exchange", answer).await? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    async fn facets(
        &self,
        range: TimeRange,
        filters: Filters,
        fields: Vec<FacetField>,
        limit: u32,
    ) -> Result<Vec<(FacetField, Vec<Count>)>, StoreError> {
        self.shared.check_open()?;
        let leases = self.shared.files.lease(range);
        let answer = move |connection: &_| facets::answer(connection, &leases, range, &filters, &fields, limit);
        self.shared.readers.run("count values", answer).await
    }

    async fn histogram(&self, range: TimeRange, filters: Filters, bars: u16) -> Result<Vec<HistogramBar>, StoreError> {
        self.shared.check_open()?;
        let leases = self.shared.files.lease(range);
        let answer = move |connection: &_| histogram::answer(connection, &leases, range, &filters, bars);
        self.shared.readers.run("draw the histogram", answer).await
    }

    async fn key_health(&self, range: TimeRange, filters: Filters, bars: u16) -> Result<KeyHealth, StoreError> {
        self.shared.check_open()?;
        let leases = self.shared.files.lease(range);
        let answer = move |connection: &_| keys::answer(connection, &leases, range, &filters, bars);
        self.shared.readers.run("look at the keys", answer).await
    }

    async fn first_parameters(
        &self,
        range: TimeRange,
        policy_version: u64,
        order: Vec<String>,
    ) -> Result<Vec<FirstParameterCount>, StoreError> {
        self.shared.check_open()?;
        let leases = self.shared.files.lease(range);
        let answer = move |connection: &_| first_parameters::answer(connection, &leases, range, policy_version, &order);
        self.shared.readers.run("count by parameters", answer).await
    }

    async fn preview_purge(&self, purge: Purge) -> Result<PurgeCounts, StoreError> {
        self.shared.check_open()?;
        self.shared.preview_purge(purge).await
    }

    async fn begin_purge(&self, id: PurgeId, purge: Purge) -> Result<PurgeCounts, StoreError> {
        self.shared.check_open()?;
        self.shared.begin_purge(id, purge).await
    }

    async fn finish_purge(&self, id: PurgeId) -> Result<Option<PurgeCounts>, StoreError> {
        self.shared.check_open()?;
        let shared = Arc::clone(&self.shared);
        tokio::task::spawn_blocking(move || shared.finish_purge(id)).await.map_err(failed("purge"))?
    }

    async fn forget_purge(&self, id: PurgeId) -> Result<(), StoreError> {
        self.shared.check_open()?;
        let shared = Arc::clone(&self.shared);
        let forgotten = tokio::task::spawn_blocking(move || purging::forget(&shared.directory, id));
        forgotten.await.map_err(failed("purge"))?.map_err(failed("purge"))
    }

    async fn status(&self) -> Result<StoreStatus, StoreError> {
        self.shared.check_open()?;
        let mut status = StoreStatus { damaged: self.shared.damaged.load(Ordering::Relaxed), ..StoreStatus::default() };
        let mut import_days = std::collections::BTreeSet::new();
        for file in self.shared.files.all() {
            status.bytes_on_disk += file.bytes_on_disk();
            let extent = file.extent();
            status.exchanges += extent.rows;
            if file.key.live {
                status.days.extend((extent.rows > 0).then_some(file.key.day));
            } else {
                import_days.extend(extent.days.iter().copied());
            }
            status.span = match (status.span, extent.span) {
                (Some((from, to)), Some((first, last))) => Some((from.min(first), to.max(last))),
                (span, other) => span.or(other),
            };
        }
        status.import_days = import_days.into_iter().collect();
        Ok(status)
    }

    async fn enforce_retention(&self) -> Result<(), StoreError> {
        self.shared.check_open()?;
        let shared = Arc::clone(&self.shared);
        let work = tokio::task::spawn_blocking(move || shared.enforce_retention());
        work.await.map_err(failed("enforce retention"))?
    }

    async fn close(&self) -> Result<(), StoreError> {
        if self.shared.closed.swap(true, Ordering::AcqRel) {
            return Err(StoreError::Closed);
        }
        let retention = self.retention.lock().unwrap_or_else(PoisonError::into_inner).take();
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        let shared = Arc::clone(&self.shared);
        let work = tokio::task::spawn_blocking(move || {
            shared.rewriting.stop();
            if let Some((stop, thread)) = retention {
                drop(stop);
                let _ = thread.join();
            }
            let closed = shared.tell(|reply| Command::Close { reply });
            shared.readers.close();
            // The thread lets go of the directory's lock last; whoever opens it next needs that to have happened.
            if let Some(writer) = writer {
                let _ = writer.join();
            }
            closed
        });
        work.await.map_err(failed("close"))?
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use threadline_model::ManualClock;
    use threadline_store::Lane;
    use threadline_store::conformance::{Sample, batch_id, to_batch};

    use super::*;

    const NOON: Timestamp = Timestamp::from_micros(1_795_305_600_000_000 + 43_200_000_000);

    fn open(directory: &std::path::Path) -> DuckStore {
        DuckStore::open(DuckSettings::new(directory, Arc::new(ManualClock::new(NOON)))).unwrap()
    }

    /// The next start keeps the newest generation of a day and deletes the others.
    #[tokio::test]
    async fn a_file_that_cannot_take_another_ones_place_does_not_keep_its_name() {
        let directory = tempfile::tempdir().unwrap();
        let store = open(directory.path());
        store.append(to_batch(batch_id(1), Lane::Live, &[Sample::plain(NOON, 1)])).await.unwrap();
        let file = store.shared.files.all().remove(0);
        let staged = directory.path().join("staged");
        std::fs::write(&staged, "no database").unwrap();
        let (shared, old) = (Arc::clone(&store.shared), Arc::clone(&file));
        let replace = move || shared.tell(|reply| Command::Replace { file: old, staged, batches: 1, reply });
        assert!(tokio::task::spawn_blocking(replace).await.unwrap().is_err());
        store.append(to_batch(batch_id(2), Lane::Live, &[Sample::plain(NOON, 2)])).await.unwrap();
        store.close().await.unwrap();
        let status = open(directory.path()).status().await.unwrap();
        assert_eq!((status.exchanges, status.damaged), (2, 0));
    }
}
