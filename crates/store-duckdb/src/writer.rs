//! The one thread that writes. It takes every batch that waits, up to a bound, and commits them together, one
//! transaction per file; a batch is acknowledged when all its rows are on disk. The batch's identity is written in the
//! same transaction as its rows, so that neither a crash nor a second delivery can lose or double them.
//!
//! It never waits for more batches to come: while it commits, others gather, and that makes the groups.

use std::collections::{BTreeMap, HashSet};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;
use duckdb::types::Value;
use duckdb::{Connection, params_from_iter};
use threadline_model::{BatchId, Clock, Timestamp, UtcDay};
use threadline_store::{Appended, Batch, StoreError};
use tokio::sync::{mpsc, oneshot};

use crate::engine::AttachError;
use crate::files::{FileKey, Files, StoreFile};
use crate::retention::Retention;
use crate::{engine, imports, opening, purging, table};

/// Rows that are committed together at most, unless one batch has more.
const GROUP_ROWS: usize = 50_000;

/// Batches that may wait for the writer. With more, whoever appends waits.
pub(crate) const QUEUE: usize = 32;

/// What the writer is asked to do, in order.
pub(crate) enum Command {
    /// Store a batch.
    Append { batch: Batch, reply: oneshot::Sender<Result<Appended, StoreError>> },
    /// Detach and delete a file that is hidden and that nobody reads.
    Remove { file: Arc<StoreFile>, reply: oneshot::Sender<Result<(), StoreError>> },
    /// Show the rewritten file at `staged` in the place of a file, unless batches were stored there since it had so
    /// many. Answers whether that was done; the file is then hidden, and to be removed when its readers have left.
    Replace { file: Arc<StoreFile>, staged: PathBuf, batches: u32, reply: oneshot::Sender<Result<bool, StoreError>> },
    /// Add the batches that a file got since it had so many to the purged one at `staged`, and show that in its place.
    /// The file is then hidden, and to be removed when its readers have left.
    Purged { file: Arc<StoreFile>, staged: PathBuf, batches: u32, reply: oneshot::Sender<Result<(), StoreError>> },
    /// Tell the stamp of the newest rows: every batch that waited before is stored.
    Stamp { reply: oneshot::Sender<Result<Timestamp, StoreError>> },
    /// Checkpoint the days before `today`.
    Tidy { today: UtcDay, reply: oneshot::Sender<Result<(), StoreError>> },
    /// Checkpoint, detach everything, and end.
    Close { reply: oneshot::Sender<Result<(), StoreError>> },
}

/// The writer's own things.
pub(crate) struct Writer {
    pub(crate) connection: Connection,
    pub(crate) directory: PathBuf,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) retention: Retention,
    pub(crate) files: Arc<Files>,
    /// The stamp of the newest rows that everybody can see.
    pub(crate) ingested: Arc<AtomicI64>,
}

/// One batch on its way.
struct Job {
    batch: Batch,
    reply: oneshot::Sender<Result<Appended, StoreError>>,
    outcome: Result<Appended, StoreError>,
}

/// The rows of one batch that go into one file.
struct Piece {
    job: usize,
    id: BatchId,
    rows: RecordBatch,
    days: Vec<UtcDay>,
}

impl Writer {
    /// Works until told to close, or until nobody is left to tell.
    pub(crate) fn run(mut self, mut commands: mpsc::Receiver<Command>) {
        let mut next = commands.blocking_recv();
        while let Some(command) = next.take() {
            match command {
                Command::Append { batch, reply } => {
                    let mut group = vec![Job { batch, reply, outcome: Ok(Appended::default()) }];
                    next = gather(&mut commands, &mut group);
                    self.store(group);
                }
                Command::Remove { file, reply } => answer(reply, self.remove(&file)),
                Command::Replace { file, staged, batches, reply } => {
                    answer(reply, self.replace(&file, &staged, batches))
                }
                Command::Purged { file, staged, batches, reply } => {
                    answer(reply, self.replace_purged(&file, &staged, batches));
                }
                Command::Stamp { reply } => {
                    answer(reply, Ok(Timestamp::from_micros(self.ingested.load(Ordering::Acquire))));
                }
                Command::Tidy { today, reply } => answer(reply, self.tidy(today)),
                Command::Close { reply } => {
                    commands.close();
                    answer(reply, self.close());
                    return;
                }
            }
            if next.is_none() {
                next = commands.blocking_recv();
            }
        }
        if let Err(error) = self.close() {
            tracing::error!(error = &error as &dyn std::error::Error, "the store was not closed cleanly");
        }
    }

    fn store(&mut self, group: Vec<Job>) {
        let group = self.commit(group);
        // A batch that the engine refuses must not take those down that were committed with it.
        let (failed, done): (Vec<Job>, Vec<Job>) =
            if group.len() > 1 { group.into_iter().partition(|job| job.outcome.is_err()) } else { (Vec::new(), group) };
        done.into_iter().for_each(Job::answer);
        for mut job in failed {
            job.outcome = Ok(Appended::default());
            self.commit(vec![job]).into_iter().for_each(Job::answer);
        }
    }

    /// Commits a group file by file. A file that fails fails the batches that have rows for it.
    fn commit(&mut self, mut group: Vec<Job>) -> Vec<Job> {
        let now = self.clock.now();
        let stamp = Timestamp::from_micros(now.micros().max(self.ingested.load(Ordering::Acquire) + 1));
        let mut pieces: BTreeMap<FileKey, Vec<Piece>> = BTreeMap::new();
        for (position, job) in group.iter_mut().enumerate() {
            match self.assign(position, &job.batch, now, &mut pieces) {
                Ok(expired) => job.add(Appended { expired, ..Appended::default() }),
                Err(error) => job.outcome = Err(StoreError::Schema(error.into())),
            }
        }
        for (key, pieces) in pieces {
            match self.commit_file(key, &pieces, stamp) {
                Ok(counts) => counts.into_iter().for_each(|(job, counts)| group[job].add(counts)),
                Err(error) => {
                    tracing::error!(error = &error as &dyn std::error::Error, day = %key.day, "a commit failed");
                    let error = Arc::new(error);
                    for piece in &pieces {
                        group[piece.job].outcome = Err(failed("append a batch")(Arc::clone(&error)));
                    }
                }
            }
        }
        self.ingested.store(stamp.micros(), Ordering::Release);
        group
    }

    /// Sorts the rows of a batch to the files they belong in and says how many belong in none.
    fn assign(
        &self,
        job: usize,
        batch: &Batch,
        now: Timestamp,
        pieces: &mut BTreeMap<FileKey, Vec<Piece>>,
    ) -> Result<u64, ArrowError> {
        let mut expired = 0;
        for (day, rows) in table::split_by_day(&batch.rows)? {
            match self.retention.file_for(batch.lane, day, now) {
                None => expired += rows.num_rows() as u64,
                Some(key) => {
                    let pieces = pieces.entry(key).or_default();
                    match pieces.last_mut().filter(|piece| piece.job == job) {
                        // Days of an import that share a file are one piece: the batch is known there by one entry.
                        Some(piece) => {
                            piece.rows = arrow::compute::concat_batches(&rows.schema(), [&piece.rows, &rows])?;
                            piece.days.push(day);
                        }
                        None => pieces.push(Piece { job, id: batch.id, rows, days: vec![day] }),
                    }
                }
            }
        }
        Ok(expired)
    }

    /// Stores the pieces for one file in one transaction.
    fn commit_file(
        &mut self,
        key: FileKey,
        pieces: &[Piece],
        stamp: Timestamp,
    ) -> Result<Vec<(usize, Appended)>, WriteError> {
        let file = self.file(key)?;
        let known = self.known_batches(&file, pieces)?;
        let mut seen = HashSet::new();
        let (fresh, repeated): (Vec<&Piece>, Vec<&Piece>) =
            pieces.iter().partition(|piece| !known.contains(&piece.id) && seen.insert(piece.id));
        let mut counts: Vec<(usize, Appended)> = repeated
            .into_iter()
            .map(|piece| (piece.job, Appended { duplicate: piece.rows.num_rows() as u64, ..Appended::default() }))
            .collect();
        let fresh: Vec<(&Piece, RecordBatch)> = if key.live {
            fresh.into_iter().map(|piece| (piece, piece.rows.clone())).collect()
        } else {
            let rows: Vec<&RecordBatch> = fresh.iter().map(|piece| &piece.rows).collect();
            let unknown = imports::unknown_exchanges(&self.connection, &self.files, &rows)?;
            fresh.into_iter().zip(unknown).collect()
        };
        if fresh.is_empty() {
            return Ok(counts);
        }

        let mut extent = file.extent().clone();
        self.connection.execute_batch("BEGIN TRANSACTION")?;
        let written = self.write(&file, &fresh, stamp, extent.batches);
        match written.and_then(|()| Ok(self.connection.execute_batch("COMMIT")?)) {
            Ok(()) => {}
            Err(error) => {
                // After a failed COMMIT there may be no transaction left to roll back.
                let _ = self.connection.execute_batch("ROLLBACK");
                return Err(error);
            }
        }
        for (piece, rows) in &fresh {
            extent.batches += 1;
            let stored = rows.num_rows() as u64;
            let duplicate = piece.rows.num_rows() as u64 - stored;
            counts.push((piece.job, Appended { stored, duplicate, expired: 0 }));
            if let Some(span) = span(rows)? {
                extent.add(stored, span, piece.days.iter().copied());
            }
        }
        *file.extent() = extent;
        Ok(counts)
    }

    fn write(
        &self,
        file: &StoreFile,
        pieces: &[(&Piece, RecordBatch)],
        stamp: Timestamp,
        first_number: u32,
    ) -> Result<(), WriteError> {
        let mut appender = self.connection.appender_to_catalog_and_db("exchanges", &file.alias, "main")?;
        for (number, (_, rows)) in (first_number..).zip(pieces) {
            if rows.num_rows() > 0 {
                appender.append_record_batch(table::stored(rows, stamp, number)?)?;
            }
        }
        appender.flush()?;
        drop(appender);
        let insert = format!("INSERT INTO {}.batches VALUES ($1, $2::UUID, $3)", file.alias);
        let mut insert = self.connection.prepare(&insert)?;
        for (number, (piece, rows)) in (first_number..).zip(pieces) {
            let rows = u32::try_from(rows.num_rows()).unwrap_or(u32::MAX);
            insert.execute(duckdb::params![number, piece.id.to_string(), rows])?;
        }
        Ok(())
    }

    /// Which of the batches the file has already.
    fn known_batches(&self, file: &StoreFile, pieces: &[Piece]) -> Result<HashSet<BatchId>, WriteError> {
        let places: Vec<String> = (1..=pieces.len()).map(|number| format!("${number}::UUID")).collect();
        let sql =
            format!("SELECT batch_id::VARCHAR FROM {}.batches WHERE batch_id IN ({})", file.alias, places.join(", "));
        let mut statement = self.connection.prepare(&sql)?;
        let ids = pieces.iter().map(|piece| Value::Text(piece.id.to_string()));
        let known = statement.query_map(params_from_iter(ids), |row| row.get::<_, String>(0))?;
        known.map(|id| id?.parse().map_err(|_| WriteError::Identity)).collect()
    }

    /// The file, attached now if it was not there.
    fn file(&self, key: FileKey) -> Result<Arc<StoreFile>, WriteError> {
        if let Some(file) = self.files.get(key) {
            return Ok(file);
        }
        let path = key.path(&self.directory, 0);
        let (file, _) = engine::attach(&self.connection, key, 0, &path)?;
        let file = Arc::new(file);
        self.files.show(Arc::clone(&file));
        tracing::info!(file = %path.display(), "began a new file");
        Ok(file)
    }

    fn remove(&self, file: &StoreFile) -> Result<(), StoreError> {
        engine::detach_if_attached(&self.connection, &file.alias).map_err(failed("detach a day"))?;
        opening::remove(&file.path).map_err(failed("delete a day"))?;
        tracing::info!(file = %file.path.display(), "deleted a file that is over or was replaced");
        Ok(())
    }

    fn replace(&self, old: &Arc<StoreFile>, staged: &Path, batches: u32) -> Result<bool, StoreError> {
        if old.extent().batches != batches {
            return Ok(false);
        }
        self.show_instead(old, staged)?;
        Ok(true)
    }

    fn replace_purged(&self, old: &Arc<StoreFile>, staged: &Path, batches: u32) -> Result<(), StoreError> {
        if old.extent().batches > batches {
            purging::add_late(&self.connection, old, staged, batches).map_err(failed("complete a purged day"))?;
        }
        self.show_instead(old, staged)
    }

    /// Gives a file that was made beside another the next generation's name and shows it in the other's place. A file
    /// that cannot be shown must not keep that name: rows go on to the old one, which the next start would take for the
    /// older and delete.
    fn show_instead(&self, old: &Arc<StoreFile>, staged: &Path) -> Result<(), StoreError> {
        let generation = old.generation + 1;
        let path = old.key.path(&self.directory, generation);
        let placed = fs::rename(staged, &path)
            .and_then(|()| File::open(path.parent().unwrap_or(&self.directory))?.sync_all())
            .map_err(failed("rename a rewritten day"));
        let attached = placed.and_then(|()| {
            let attached = engine::attach(&self.connection, old.key, generation, &path);
            attached.map_err(failed("attach a rewritten day"))
        });
        match attached {
            Ok((new, _)) => self.files.replace(old, Arc::new(new)),
            Err(error) => {
                opening::remove(&path).map_err(failed("delete a rewritten day"))?;
                return Err(error);
            }
        }
        Ok(())
    }

    fn tidy(&self, today: UtcDay) -> Result<(), StoreError> {
        for file in self.files.all() {
            let has_log = crate::files::log_path(&file.path).metadata().is_ok_and(|log| log.len() > 0);
            if file.key.day < today && has_log {
                engine::checkpoint(&self.connection, &file.alias).map_err(failed("checkpoint a day"))?;
            }
        }
        Ok(())
    }

    fn close(&self) -> Result<(), StoreError> {
        let mut result = Ok(());
        for file in self.files.hide(|_| true) {
            file.gate.close_and_drain();
            let closed = engine::checkpoint(&self.connection, &file.alias)
                .and_then(|()| engine::detach(&self.connection, &file.alias));
            result = result.and(closed.map_err(failed("close a day")));
        }
        result
    }
}

impl Job {
    fn add(&mut self, counts: Appended) {
        if let Ok(outcome) = &mut self.outcome {
            outcome.stored += counts.stored;
            outcome.duplicate += counts.duplicate;
            outcome.expired += counts.expired;
        }
    }

    fn answer(self) {
        answer(self.reply, self.outcome);
    }
}

/// Takes the batches that wait already, up to the bound; gives back the first command that is not one.
fn gather(commands: &mut mpsc::Receiver<Command>, group: &mut Vec<Job>) -> Option<Command> {
    let mut rows: usize = group.iter().map(|job| job.batch.rows.num_rows()).sum();
    while rows < GROUP_ROWS {
        match commands.try_recv().ok()? {
            Command::Append { batch, reply } if rows + batch.rows.num_rows() <= GROUP_ROWS => {
                rows += batch.rows.num_rows();
                group.push(Job { batch, reply, outcome: Ok(Appended::default()) });
            }
            other => return Some(other),
        }
    }
    None
}

/// Whoever asked may have gone away; what was done stays done.
fn answer<T>(reply: oneshot::Sender<T>, result: T) {
    let _ = reply.send(result);
}

fn span(rows: &RecordBatch) -> Result<Option<(Timestamp, Timestamp)>, ArrowError> {
    let starts = table::starts(rows)?.values();
    let first = starts.iter().min().copied().map(Timestamp::from_micros);
    let last = starts.iter().max().copied().map(Timestamp::from_micros);
    Ok(first.zip(last))
}

pub(crate) fn failed<E: Into<Box<dyn std::error::Error + Send + Sync>>>(
    operation: &'static str,
) -> impl FnOnce(E) -> StoreError {
    move |source| StoreError::Engine { operation, source: source.into() }
}

/// Why a transaction failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WriteError {
    #[error("the engine failed")]
    Engine(#[from] duckdb::Error),
    #[error("the day's file could not be opened")]
    Attach(#[from] AttachError),
    #[error("the rows could not be brought into the table's form")]
    Rows(#[from] ArrowError),
    #[error("the engine gave an identity that is none")]
    Identity,
}
