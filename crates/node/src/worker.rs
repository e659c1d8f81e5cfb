//! The worker thread: takes exchanges from the queue, runs them through the pipeline, closes batches.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use threadline_grouping::InstallationSecret;
use threadline_model::BatchId;
use threadline_policy::Policy;
use threadline_record::RowBuilder;
use tokio::sync::{mpsc, watch};
use uuid::Uuid;

use crate::export::{self, ClosedBatch};
use crate::{CompileError, ExchangeQueue, Exporter, NodeCounters, Pipeline};

/// A batch is closed when it has this many rows …
pub const BATCH_ROWS: usize = 8_192;
/// … or when its first row is this old.
pub const BATCH_AGE: Duration = Duration::from_millis(250);

/// Closed batches waiting for export; when full, the worker waits, the queue fills, and exchanges are shed.
const CLOSED_BATCHES: usize = 8;
/// Pause of a worker that found nothing, growing from the first to the second while nothing comes.
const PAUSES: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(20));

/// Settings of a node.
#[derive(Debug)]
pub struct NodeSettings {
    /// Name in every exported row.
    pub name: String,
    /// Exchanges the queue holds before it sheds.
    pub queue_capacity: usize,
}

/// A running node.
#[derive(Debug)]
pub struct Node {
    queue: Arc<ExchangeQueue>,
    counters: Arc<NodeCounters>,
    worker: JoinHandle<()>,
    exporter: tokio::task::JoinHandle<()>,
    give_up: watch::Sender<bool>,
}

impl Node {
    /// Starts the worker thread and the export task (on the current Tokio runtime). `policy` is followed: a new
    /// version is compiled before the next exchange; one that does not compile is reported and the old one stays.
    pub fn start(
        settings: NodeSettings,
        mut policy: watch::Receiver<Arc<Policy>>,
        secret: Arc<InstallationSecret>,
        exporter: Arc<dyn Exporter>,
    ) -> Result<Self, CompileError> {
        let counters = Arc::new(NodeCounters::default());
        let queue = Arc::new(ExchangeQueue::new(settings.queue_capacity, Arc::clone(&counters)));
        let (closed, batches) = mpsc::channel(CLOSED_BATCHES);
        let (give_up, giving_up) = watch::channel(false);
        let pipeline = Pipeline::compile(&policy.borrow_and_update().clone(), &secret, &settings.name)?;
        let worker = {
            let (queue, counters) = (Arc::clone(&queue), Arc::clone(&counters));
            std::thread::Builder::new()
                .name("analysis".to_owned())
                .spawn(move || {
                    queue.served_by(std::thread::current());
                    let name = settings.name;
                    Worker { queue, counters, closed, batch: Batching::default(), pipeline, policy, secret, name }
                        .run();
                })
                .map_err(CompileError::Thread)?
        };
        let exporter = tokio::spawn(export::run(batches, exporter, Arc::clone(&counters), giving_up));
        Ok(Self { queue, counters, worker, exporter, give_up })
    }

    /// Where sources deliver.
    pub fn queue(&self) -> Arc<ExchangeQueue> {
        Arc::clone(&self.queue)
    }

    /// What the node counts.
    pub fn counters(&self) -> Arc<NodeCounters> {
        Arc::clone(&self.counters)
    }

    /// Analyses and exports everything that was accepted, then ends. Call after the sources have stopped. Batches
    /// that the store still refuses after `deadline` get one last attempt and are then counted as lost.
    pub async fn shut_down(self, deadline: Duration) {
        self.queue.close();
        let Self { worker, mut exporter, give_up, .. } = self;
        let joined = tokio::task::spawn_blocking(move || worker.join());
        let finished = async {
            if !matches!(joined.await, Ok(Ok(()))) {
                tracing::error!("the analysis thread ended by a panic");
            }
            let _ = (&mut exporter).await;
        };
        tokio::pin!(finished);
        if tokio::time::timeout(deadline, &mut finished).await.is_err() {
            let _ = give_up.send(true);
            finished.await;
        }
    }
}

/// Rows of the batch being filled.
#[derive(Default)]
struct Batching {
    rows: RowBuilder,
    since: Option<Instant>,
}

struct Worker {
    queue: Arc<ExchangeQueue>,
    counters: Arc<NodeCounters>,
    closed: mpsc::Sender<ClosedBatch>,
    batch: Batching,
    pipeline: Pipeline,
    policy: watch::Receiver<Arc<Policy>>,
    secret: Arc<InstallationSecret>,
    name: String,
}

impl Worker {
    fn run(mut self) {
        let mut pause = PAUSES.0;
        loop {
            // Read before the drain: what was pushed before closing is then seen by this drain or the next.
            let closing = self.queue.is_closed();
            self.follow_policy();
            if self.drain() {
                pause = PAUSES.0;
            } else if closing {
                self.close_batch();
                return;
            } else {
                std::thread::park_timeout(pause);
                pause = (pause * 2).min(PAUSES.1);
            }
            if self.batch.since.is_some_and(|since| since.elapsed() >= BATCH_AGE) {
                self.close_batch();
            }
        }
    }

    /// Processes what is queued, at most one batch full, and tells whether there was anything.
    fn drain(&mut self) -> bool {
        let mut any = false;
        while let Some(exchange) = self.queue.take() {
            any = true;
            self.pipeline.process(&exchange, &mut self.batch.rows, &self.counters);
            let since = self.batch.since.get_or_insert_with(Instant::now);
            if self.batch.rows.len() >= BATCH_ROWS {
                self.close_batch();
                break;
            }
            // Looking at the clock for each of a flood of exchanges would cost more than it gives.
            if self.batch.rows.len().is_multiple_of(256) && since.elapsed() >= BATCH_AGE {
                break;
            }
        }
        any
    }

    fn close_batch(&mut self) {
        self.batch.since = None;
        if self.batch.rows.is_empty() {
            return;
        }
        let rows = self.batch.rows.finish();
        let row_count = rows.num_rows() as u64;
        if self.closed.blocking_send(ClosedBatch { id: BatchId::new(Uuid::now_v7()), rows }).is_err() {
            // The export task ended before the worker: only after a panic in an exporter.
            NodeCounters::add(&self.counters.lost_rows, row_count);
        }
    }

    fn follow_policy(&mut self) {
        if !self.policy.has_changed().unwrap_or(false) {
            return;
        }
        let policy = self.policy.borrow_and_update().clone();
        match Pipeline::compile(&policy, &self.secret, &self.name) {
            Ok(pipeline) => self.pipeline = pipeline,
            Err(error) => {
                tracing::error!(version = policy.version(), %error, "policy not usable; the former one stays");
            }
        }
    }
}
