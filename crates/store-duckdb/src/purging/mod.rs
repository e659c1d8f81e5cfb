//! Purging: what was asked to leave is in no file any more.
//!
//! First a note says durably what is to leave, of the rows stored until when; then each file that holds any of it is
//! written anew without, beside it, and takes its place, as closed days do when they are rewritten: a deletion within a
//! file would leave the bytes in its free blocks. Nobody waits for that but who asked: questions read the old file
//! until the new one is there, and rows that came meanwhile are added by the writer when it puts it in place. A crash
//! leaves each file as it was or purged, and the note.

mod copying;
mod note;
mod question;

use std::path::Path;
use std::sync::{Arc, PoisonError};

use threadline_model::{PurgeId, SessionId, Timestamp};
use threadline_store::{Purge, PurgeCounts, StoreError};

use crate::store::Shared;
use crate::writer::{Command, failed};

pub(crate) use copying::add_late;
pub(crate) use note::{forget, latest};

/// What a purge takes away, once it was looked for: of a user, the sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Sessions(Vec<SessionId>),
    Parameter(String),
}

/// A purge that was begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Begun {
    pub(crate) target: Target,
    /// Rows stored later are not meant.
    pub(crate) until: Timestamp,
    pub(crate) counts: PurgeCounts,
    pub(crate) finished: bool,
}

const OPERATION: &str = "purge";

impl Shared {
    pub(crate) async fn preview_purge(&self, purge: Purge) -> Result<PurgeCounts, StoreError> {
        self.look_for(purge, self.snapshot()).await.map(|(_, counts)| counts)
    }

    pub(crate) async fn begin_purge(&self, id: PurgeId, purge: Purge) -> Result<PurgeCounts, StoreError> {
        if let Some(begun) = note::read(&self.directory, id).map_err(failed(OPERATION))? {
            return Ok(begun.counts);
        }
        let (reply, answer) = tokio::sync::oneshot::channel();
        self.commands.send(Command::Stamp { reply }).await.map_err(|_| StoreError::Closed)?;
        let until = answer.await.map_err(|_| StoreError::Closed)??;
        let (target, counts) = self.look_for(purge, until).await?;
        let (directory, begun) = (self.directory.clone(), Begun { target, until, counts, finished: false });
        let written = tokio::task::spawn_blocking(move || note::write(&directory, id, &begun));
        written.await.map_err(failed(OPERATION))?.map_err(failed(OPERATION))?;
        Ok(counts)
    }

    async fn look_for(&self, purge: Purge, until: Timestamp) -> Result<(Target, PurgeCounts), StoreError> {
        let leases = self.files.lease_where(|_| true);
        let answer = move |connection: &_| question::answer(connection, &leases, &purge, until);
        self.readers.run("look for what is to be purged", answer).await
    }

    /// Writes every file anew that holds something of what is to leave. Blocks.
    pub(crate) fn finish_purge(&self, id: PurgeId) -> Result<Option<PurgeCounts>, StoreError> {
        let mut hidden = self.upkeep.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(begun) = note::read(&self.directory, id).map_err(failed(OPERATION))? else { return Ok(None) };
        if begun.finished {
            return Ok(Some(begun.counts));
        }
        let connection = self.readers.another()?.map_err(failed(OPERATION))?;
        copying::prepare(&connection, &begun).map_err(failed(OPERATION))?;
        for file in self.files.all() {
            self.check_open()?;
            let batches = file.extent().batches;
            if !copying::holds_any(&connection, &file, &begun).map_err(failed(OPERATION))? {
                continue;
            }
            let write = |staged: &Path| copying::write(&connection, &file, batches, &begun, staged);
            let staged = self.rewriting.run(&connection, &file, write).map_err(|error| self.rewriting_failed(error))?;
            let old = Arc::clone(&file);
            self.tell(|reply| Command::Purged { file: old, staged, batches, reply })?;
            hidden.push(file);
            self.delete(&mut hidden)?;
        }
        // What retention hid and could not delete holds it as well.
        self.delete(&mut hidden)?;
        let done = Begun { target: Target::Sessions(Vec::new()), finished: true, ..begun };
        note::write(&self.directory, id, &done).map_err(failed(OPERATION))?;
        Ok(Some(done.counts))
    }
}
