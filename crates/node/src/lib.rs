//! The node's middle: exchanges from a source go through every stage and leave as batches of rows.
//!
//! [`Pipeline`] is the only place that knows all stages and their order. Around it stand a bounded queue that sheds
//! rather than slows ([`ExchangeQueue`]), a worker thread, and the export of closed batches, repeated until
//! acknowledged. Beside it, and only while that is switched on, the exchanges seen last ([`RecentExchanges`]). A policy that
//! is not saved yet is tried out on exchanges by the same stages ([`try_out()`]). This crate opens no socket and no file.

mod counters;
mod export;
mod leaving;
mod panics;
mod pipeline;
mod queue;
mod recent;
mod stages;
mod try_out;
mod worker;

pub use counters::NodeCounters;
pub use export::{ExportError, Exporter};
pub use leaving::{WouldLeave, would_leave};
pub use pipeline::{CompileError, Pipeline};
pub use queue::ExchangeQueue;
pub use recent::{RecentExchange, RecentExchanges, RecentLimits};
pub use stages::{Sight, Stages};
pub use try_out::{
    Changes, ENOUGH_EXCHANGES, ENOUGH_VALUES, Example, ExampleSession, Figures, MANY_CLIENTS, MAXIMUM_EXAMPLES,
    MAXIMUM_TRIED, MOSTLY_SINGLE, RuleFigures, Spread, TryOut, TryOutError, TryOutSettings, Version, Warning,
    WarningKind, try_out,
};
pub use worker::{BATCH_AGE, BATCH_BYTES, BATCH_ROWS, Node, NodeSettings, batch_is_full};
