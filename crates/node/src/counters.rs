//! What a node counts about itself. Plain atomics; the binary exports them as metrics.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters since start. Every received exchange is, in the end, shed, passed by, failed, exported, or lost
/// with its row.
#[derive(Debug, Default)]
pub struct NodeCounters {
    /// Exchanges offered by sources.
    pub received: AtomicU64,
    /// Exchanges dropped because the queue was full: analysis lost, traffic untouched.
    pub shed: AtomicU64,
    /// Exchanges that the policy leaves out of the analysis.
    pub passed_by: AtomicU64,
    /// Exchanges that went through all stages.
    pub processed: AtomicU64,
    /// Exchanges dropped because their analysis ended by a panic: a defect of ours. The next one is analysed again.
    pub failed: AtomicU64,
    /// Exchanges decided by a configured key.
    pub decided_configured: AtomicU64,
    /// Exchanges decided by the built-in set.
    pub decided_built_in: AtomicU64,
    /// Exchanges decided by a fallback.
    pub decided_fallback: AtomicU64,
    /// Parsers that stopped before the end of their input.
    pub parse_errors: AtomicU64,
    /// Rows acknowledged by the store.
    pub exported_rows: AtomicU64,
    /// Of those, rows that the store dropped because their day is not kept any more, or not yet: an exchange that took
    /// days, a clock that is wrong.
    pub expired_rows: AtomicU64,
    /// Batches acknowledged by the store.
    pub exported_batches: AtomicU64,
    /// Attempts to export a batch that failed and were repeated.
    pub export_failures: AtomicU64,
    /// Rows given up: the store refused them for good, or did not take them before the deadline of a shutdown, or a
    /// panic left their batch half written.
    pub lost_rows: AtomicU64,
}

impl NodeCounters {
    pub(crate) fn add(counter: &AtomicU64, count: u64) {
        counter.fetch_add(count, Ordering::Relaxed);
    }

    /// The value of a counter now.
    pub fn read(counter: &AtomicU64) -> u64 {
        counter.load(Ordering::Relaxed)
    }
}
