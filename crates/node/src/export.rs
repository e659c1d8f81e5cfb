//! Closed batches leave the node here: each is offered again until the store acknowledges it.

use std::sync::Arc;
use std::time::Duration;

use arrow::record_batch::RecordBatch;
use async_trait::async_trait;
use threadline_model::BatchId;
use tokio::sync::{mpsc, watch};

use crate::NodeCounters;

/// First pause after a failed attempt.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// Longest pause between attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Why a batch was not taken.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// Worth another attempt with the same batch identity.
    #[error("the store did not take the batch")]
    Temporary(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Will never succeed; the batch is dropped and its rows are counted as lost.
    #[error("the store refuses the batch")]
    Permanent(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Where batches go: the store in this process, or a hub.
#[async_trait]
pub trait Exporter: Send + Sync + 'static {
    /// Hands over one batch and returns once it is durable, with the number of rows that are older than what is kept
    /// and were dropped. The same identity may come again after a failure.
    async fn export(&self, id: BatchId, rows: RecordBatch) -> Result<u64, ExportError>;
}

/// One closed batch.
pub(crate) struct ClosedBatch {
    pub(crate) id: BatchId,
    pub(crate) rows: RecordBatch,
}

/// Exports batches in order until the channel ends. When `give_up` turns true, each remaining batch gets one last
/// attempt.
pub(crate) async fn run(
    mut batches: mpsc::Receiver<ClosedBatch>,
    exporter: Arc<dyn Exporter>,
    counters: Arc<NodeCounters>,
    mut give_up: watch::Receiver<bool>,
) {
    while let Some(batch) = batches.recv().await {
        let row_count = batch.rows.num_rows() as u64;
        let mut pause = FIRST_PAUSE;
        loop {
            match exporter.export(batch.id, batch.rows.clone()).await {
                Ok(expired) => {
                    NodeCounters::add(&counters.exported_rows, row_count);
                    NodeCounters::add(&counters.expired_rows, expired);
                    NodeCounters::add(&counters.exported_batches, 1);
                    break;
                }
                Err(error) => {
                    NodeCounters::add(&counters.export_failures, 1);
                    let permanent = matches!(error, ExportError::Permanent(_));
                    if permanent || *give_up.borrow() {
                        NodeCounters::add(&counters.lost_rows, row_count);
                        tracing::error!(batch = %batch.id, rows = row_count, error = %chain(&error), "batch given up");
                        break;
                    }
                    tracing::warn!(batch = %batch.id, rows = row_count, error = %chain(&error), "batch not exported yet");
                }
            }
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                _ = give_up.wait_for(|over| *over) => {}
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        text.push_str(": ");
        text.push_str(&source.to_string());
        next = source.source();
    }
    text
}
