//! The worker thread: takes exchanges from the queue, runs them through the pipeline, closes batches.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use threadline_grouping::InstallationSecret;
use threadline_model::{BatchId, Exchange, SessionId, behind_traffic};
use threadline_points::Bounds;
use threadline_policy::Policy;
use threadline_record::RowBuilder;
use tokio::sync::{mpsc, watch};
use uuid::Uuid;

use crate::export::{self, ClosedBatch};
use crate::{CompileError, ExchangeQueue, Exporter, NodeCounters, Pipeline, RecentExchanges, panics};

/// A batch is closed when it has this many rows …
pub const BATCH_ROWS: usize = 8_192;
/// … or its rows take this many bytes: a few hundred of the largest rows, and well below
/// [`MAXIMUM_IPC_BYTES`](threadline_record::MAXIMUM_IPC_BYTES) …
pub const BATCH_BYTES: usize = 16 << 20;
/// … or when its first row is this old.
pub const BATCH_AGE: Duration = Duration::from_millis(250);

/// Whether a batch is to be closed whatever its age, here and by whoever else fills batches.
pub fn batch_is_full(rows: &RowBuilder) -> bool {
    rows.len() >= BATCH_ROWS || rows.bytes() >= BATCH_BYTES
}

/// Closed batches waiting for export; when full, the worker waits, the queue fills, and exchanges are shed.
const CLOSED_BATCHES: usize = 8;
/// Pause of a worker that found nothing, growing from the first to the second while nothing comes.
const PAUSES: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(20));

/// Settings of a node.
#[derive(Debug)]
pub struct NodeSettings {
    /// Name in every exported row.
    pub name: String,
    /// What analysing one exchange may cost.
    pub bounds: Bounds,
    /// Exchanges the queue holds before it sheds.
    pub queue_capacity: usize,
    /// Where exchanges seen recently are kept, while that is switched on.
    pub recent: Arc<RecentExchanges>,
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
        let NodeSettings { name, bounds, recent, .. } = settings;
        let compile = move |policy: &Policy| Pipeline::compile(policy, &secret, &name, bounds);
        let analysis = compile(&policy.borrow_and_update().clone())?;
        panics::keep_quiet();
        let worker = {
            let (queue, counters) = (Arc::clone(&queue), Arc::clone(&counters));
            std::thread::Builder::new()
                .name(panics::ANALYSIS_THREAD.to_owned())
                .spawn(move || {
                    behind_traffic();
                    queue.served_by(std::thread::current());
                    Worker { queue, counters, closed, batch: Batching::default(), analysis, compile, policy, recent }
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

/// What the worker does with an exchange: the pipeline, and something that fails in tests.
trait Analysis {
    /// Appends the exchange's row and gives its session; none where nothing was appended.
    fn process(&mut self, exchange: &Exchange, rows: &mut RowBuilder, counters: &NodeCounters) -> Option<SessionId>;

    /// Forgets what a panic may have left half done.
    fn recover(&mut self);
}

impl Analysis for Pipeline {
    fn process(&mut self, exchange: &Exchange, rows: &mut RowBuilder, counters: &NodeCounters) -> Option<SessionId> {
        Self::process(self, exchange, rows, counters)
    }

    fn recover(&mut self) {
        Self::recover(self);
    }
}

struct Worker<A, C> {
    queue: Arc<ExchangeQueue>,
    counters: Arc<NodeCounters>,
    closed: mpsc::Sender<ClosedBatch>,
    batch: Batching,
    analysis: A,
    compile: C,
    policy: watch::Receiver<Arc<Policy>>,
    recent: Arc<RecentExchanges>,
}

impl<A: Analysis, C: FnMut(&Policy) -> Result<A, CompileError>> Worker<A, C> {
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
                self.queue.wait(pause);
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
            // One atomic read for an exchange.
            self.follow_policy();
            self.process(&exchange);
            let since = self.batch.since.get_or_insert_with(Instant::now);
            if batch_is_full(&self.batch.rows) {
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

    /// Takes one exchange through all stages. A panic costs that exchange and no other, unless it left the batch half
    /// written.
    fn process(&mut self, exchange: &Exchange) {
        let rows_before = self.batch.rows.len();
        let Self { analysis, batch, counters, recent, .. } = self;
        let contained = panics::contain(|| {
            let session = analysis.process(exchange, &mut batch.rows, counters);
            if recent.is_on()
                && let Some(session) = session
            {
                recent.keep(exchange, session);
            }
        });
        let Err(place) = contained else { return };
        self.analysis.recover();
        let failed = self.counters.failed.fetch_add(1, Ordering::Relaxed) + 1;
        if self.batch.rows.len() != rows_before {
            // The row was begun, so the columns may disagree.
            self.batch.rows = RowBuilder::new();
            NodeCounters::add(&self.counters.lost_rows, rows_before as u64);
        }
        // Whoever can cause a panic can cause many.
        if failed.is_power_of_two() {
            tracing::error!(%place, failed, exchange = %exchange.id, "an exchange could not be analysed: a defect of Threadline");
        }
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
        match (self.compile)(&policy) {
            Ok(analysis) => self.analysis = analysis,
            Err(error) => {
                tracing::error!(version = policy.version(), %error, "policy not usable; the former one stays");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use arrow::array::{AsArray, RecordBatch};
    use arrow::datatypes::UInt64Type;
    use threadline_capture::ExchangeSink;
    use threadline_model::CapturedText;
    use threadline_points::reference;

    use super::*;

    fn secret() -> InstallationSecret {
        InstallationSecret::load_or_create(&tempfile::tempdir().unwrap().path().join("secret")).unwrap()
    }

    fn policy(version: u64) -> Arc<Policy> {
        Arc::new(Policy::validate(version, Policy::empty().document()).unwrap())
    }

    fn exchange(target: &str) -> Exchange {
        let mut exchange = reference::exchange(64);
        exchange.request.target = CapturedText::new(target.as_bytes().to_vec());
        exchange
    }

    /// Runs a worker over these exchanges until all of them are done.
    fn run<A: Analysis>(
        exchanges: Vec<Exchange>,
        policy: watch::Receiver<Arc<Policy>>,
        compile: impl FnMut(&Policy) -> Result<A, CompileError>,
    ) -> (Vec<RecordBatch>, Arc<NodeCounters>) {
        run_beside(Arc::default(), exchanges, policy, compile)
    }

    /// The same, with a place for exchanges seen recently.
    fn run_beside<A: Analysis>(
        recent: Arc<RecentExchanges>,
        exchanges: Vec<Exchange>,
        policy: watch::Receiver<Arc<Policy>>,
        mut compile: impl FnMut(&Policy) -> Result<A, CompileError>,
    ) -> (Vec<RecordBatch>, Arc<NodeCounters>) {
        let counters = Arc::new(NodeCounters::default());
        let queue = Arc::new(ExchangeQueue::new(exchanges.len(), Arc::clone(&counters)));
        exchanges.into_iter().for_each(|exchange| queue.offer(exchange));
        queue.close();
        let (closed, mut batches) = mpsc::channel(CLOSED_BATCHES);
        let analysis = compile(&policy.borrow().clone()).unwrap();
        let batch = Batching::default();
        Worker { queue, counters: Arc::clone(&counters), closed, batch, analysis, compile, policy, recent }.run();
        (std::iter::from_fn(|| batches.try_recv().ok()).map(|batch| batch.rows).collect(), counters)
    }

    fn pipeline(policy: &Policy) -> Result<Pipeline, CompileError> {
        Pipeline::compile(policy, &secret(), "node", Bounds::default())
    }

    fn still(policy: Arc<Policy>) -> watch::Receiver<Arc<Policy>> {
        watch::channel(policy).1
    }

    /// A pipeline that panics where a target says so.
    struct Faulty(Pipeline);

    impl Analysis for Faulty {
        fn process(
            &mut self,
            exchange: &Exchange,
            rows: &mut RowBuilder,
            counters: &NodeCounters,
        ) -> Option<SessionId> {
            assert_ne!(exchange.request.target.as_bytes(), b"/panic-before-the-row");
            let session = Pipeline::process(&mut self.0, exchange, rows, counters);
            assert_ne!(exchange.request.target.as_bytes(), b"/panic-in-the-row");
            session
        }

        fn recover(&mut self) {
            self.0.recover();
        }
    }

    fn rows(batches: &[RecordBatch]) -> usize {
        batches.iter().map(RecordBatch::num_rows).sum()
    }

    #[test]
    fn a_panic_costs_one_exchange_and_analysis_goes_on() {
        let faulty = |policy: &Policy| pipeline(policy).map(Faulty);
        let targets = ["/a", "/panic-before-the-row", "/b", "/panic-before-the-row", "/c"];
        let (batches, counters) = run(targets.map(exchange).to_vec(), still(policy(1)), faulty);
        let read = NodeCounters::read;
        assert_eq!(rows(&batches), 3);
        assert_eq!((read(&counters.received), read(&counters.failed), read(&counters.lost_rows)), (5, 2, 0));

        let targets = ["/a", "/b", "/panic-in-the-row", "/c"];
        let (batches, counters) = run(targets.map(exchange).to_vec(), still(policy(1)), faulty);
        assert_eq!(rows(&batches), 1, "a batch that may be half written is given up");
        assert_eq!((read(&counters.received), read(&counters.failed), read(&counters.lost_rows)), (4, 1, 2));
    }

    #[test]
    fn exchanges_are_kept_with_their_sessions_while_that_is_switched_on() {
        let recent = Arc::new(RecentExchanges::default());
        run_beside(Arc::clone(&recent), vec![exchange("/a")], still(policy(1)), pipeline);
        assert!(recent.list().is_empty());
        recent.configure(Some(crate::RecentLimits { exchanges: 2, bytes: 1 << 20 }));
        let (batches, _) =
            run_beside(Arc::clone(&recent), ["/a", "/b", "/c"].map(exchange).to_vec(), still(policy(1)), pipeline);
        let kept = recent.list();
        let targets: Vec<&[u8]> = kept.iter().map(|kept| kept.exchange.request.target.as_bytes()).collect();
        assert_eq!(targets, [b"/c", b"/b"]);
        let rows = &batches[0]["session_id"];
        let session = rows.as_fixed_size_binary().value(2);
        assert_eq!(session, kept[0].session.as_bytes());
    }

    #[test]
    fn a_batch_of_large_rows_is_closed_by_its_bytes() {
        let target = format!("/{}?{}", "a".repeat(8_000), "b".repeat(8_000));
        let exchanges = vec![exchange(&target); 1_500];
        let (batches, _) = run(exchanges, still(policy(1)), pipeline);
        assert_eq!(rows(&batches), 1_500);
        assert!(batches.len() >= 2, "{} batches", batches.len());
        let most = BATCH_BYTES / target.len() + 1;
        assert!(batches.iter().all(|batch| batch.num_rows() <= most), "more than {most} rows in a batch");
    }

    #[test]
    fn a_new_policy_holds_from_the_next_exchange_on() {
        struct Changing(Pipeline, watch::Sender<Arc<Policy>>);
        impl Analysis for Changing {
            fn process(
                &mut self,
                exchange: &Exchange,
                rows: &mut RowBuilder,
                counters: &NodeCounters,
            ) -> Option<SessionId> {
                let session = self.0.process(exchange, rows, counters);
                let next = self.1.borrow().version() + 1;
                self.1.send_replace(policy(next));
                session
            }

            fn recover(&mut self) {}
        }
        let (sender, receiver) = watch::channel(policy(1));
        let changing = |policy: &Policy| Ok(Changing(pipeline(policy)?, sender.clone()));
        let (batches, _) = run(["/a", "/b", "/c"].map(exchange).to_vec(), receiver, changing);
        let versions: Vec<u64> = batches
            .iter()
            .flat_map(|batch| batch["policy_version"].as_primitive::<UInt64Type>().values().to_vec())
            .collect();
        assert_eq!(versions, [1, 2, 3]);
    }
}
