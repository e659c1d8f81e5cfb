//! The export ledger: what left nodes and was stored, counted in memory and written to the state every
//! few seconds. A crash loses what was counted since; the exchanges themselves are stored by then.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use threadline_model::Clock;
use threadline_record::Ledger;
use threadline_store::{Appended, Batch, Lane};

use crate::database::{Database, DatabaseError, export_ledger};

/// How often it is written.
const WRITTEN_EVERY: Duration = Duration::from_secs(5);

/// Counts what is stored. Cloning shares it.
#[derive(Clone)]
pub struct ExportLedger {
    inner: Arc<Inner>,
}

struct Inner {
    clock: Arc<dyn Clock>,
    counted: Mutex<Ledger>,
    /// Held while it is written; what could not be written yet.
    unwritten: tokio::sync::Mutex<Option<Ledger>>,
}

impl std::fmt::Debug for ExportLedger {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("ExportLedger").finish_non_exhaustive()
    }
}

impl ExportLedger {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { inner: Arc::new(Inner { clock, counted: Mutex::default(), unwritten: tokio::sync::Mutex::default() }) }
    }

    /// Counts a batch that a store took. Of one that was stored before nothing is counted; of one that was stored in part
    /// everything is, for all of it left. Live traffic counts under the day of each row, an import under today.
    pub fn note(&self, batch: &Batch, appended: &Appended) {
        if appended.stored == 0 {
            return;
        }
        let day = match batch.lane {
            Lane::Live => None,
            Lane::Import => Some(self.inner.clock.now().day()),
        };
        let mut counted = self.inner.counted.lock().unwrap_or_else(PoisonError::into_inner);
        if counted.add(&batch.rows, day).is_err() {
            // The store has checked the columns.
            tracing::error!(batch = %batch.id, "a stored batch is missing in the export ledger");
        }
    }

    /// Writes what was counted until now.
    pub(crate) async fn write(&self, database: &Database) -> Result<(), DatabaseError> {
        let mut unwritten = self.inner.unwritten.lock().await;
        // What failed before comes first, then what was counted since.
        for _ in 0..2 {
            if unwritten.is_none() {
                let mut counted = self.inner.counted.lock().unwrap_or_else(PoisonError::into_inner);
                *unwritten = Some(std::mem::take(&mut *counted)).filter(|ledger| !ledger.is_empty());
            }
            let Some(ledger) = &*unwritten else { return Ok(()) };
            export_ledger::add(database, ledger, self.inner.clock.now().day()).await?;
            *unwritten = None;
        }
        Ok(())
    }

    /// Writes every few seconds, for ever.
    pub(crate) async fn keep_writing(&self, database: &Database) {
        loop {
            tokio::time::sleep(WRITTEN_EVERY).await;
            if let Err(error) = self.write(database).await {
                tracing::error!(error = %crate::problem::chain(&error), "the export ledger is not written yet");
            }
        }
    }
}
