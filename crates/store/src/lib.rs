//! What a store of exchanges must do: the trait, the questions, the answers, and the conformance suite that every
//! engine runs. A session is a query over the one table; there is no second source of truth.

mod answer;
#[cfg(feature = "conformance")]
pub mod conformance;
mod purge;
mod query;
mod token;

pub use answer::{
    Appended, Count, FirstParameterCount, HistogramBar, KeyFigures, KeyHealth, KeyOutcomeCount, Page, SessionLink,
    SessionPart, SessionSummary, StoreStatus, StoredExchange, StoredParameter, StoredParseError, Thread, ThreadBin,
};
pub use purge::{Purge, PurgeCounts};
pub use query::{Choice, ExchangesQuery, FacetField, Filters, PageRequest, SessionsQuery, StatusFilter, TimeRange};
pub use token::{ListKind, PageToken};

use arrow::record_batch::RecordBatch;
use async_trait::async_trait;
use threadline_model::{BatchId, ExchangeId, PurgeId, SessionId};

/// Which retention a batch falls under.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lane {
    /// Traffic as it happens: kept by the day of the exchange.
    Live,
    /// Imported files: kept by the time of the import. Exchanges already stored in this lane (same `exchange_id`)
    /// are not stored again.
    Import,
}

/// Rows on their way into the store. Columns are those of `threadline_record`'s schema of any version.
#[derive(Clone, Debug)]
pub struct Batch {
    /// Stored exactly once per identity.
    pub id: BatchId,
    /// Retention.
    pub lane: Lane,
    /// The rows.
    pub rows: RecordBatch,
}

/// Why a store could not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The page token is not one of this store's, or belongs to another question.
    #[error("the page token is not valid for this list")]
    PageToken,
    /// The rows do not have the columns of a known schema version.
    #[error("the batch does not have the columns of a known version of the exchanges table")]
    Schema(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The engine failed. The source holds its words, which may hold SQL and are for the log only.
    #[error("the store failed to {operation}")]
    Engine {
        /// What was being done: `append a batch`, `list sessions` …
        operation: &'static str,
        /// The engine's error.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The question took longer than the store allows; over a shorter range or with narrower filters it may not.
    #[error("the store took too long to {operation}")]
    TooSlow {
        /// What was being done: `list sessions` …
        operation: &'static str,
    },
    /// The store is shutting down.
    #[error("the store is closed")]
    Closed,
}

/// A store of exchanges. Implementations pass the conformance suite.
#[async_trait]
pub trait ExchangeStore: Send + Sync + 'static {
    /// Stores a batch durably, exactly once per (batch, UTC day). Returns after the commit.
    async fn append(&self, batch: Batch) -> Result<Appended, StoreError>;
    /// The sessions list: parts having exchanges that count, newest `last` first.
    async fn sessions(&self, query: SessionsQuery) -> Result<Page<SessionPart>, StoreError>;
    /// One session over a range; `None` when no exchange counts. `idle_gap_us` is the visit gap (T3), `thread_bins`
    /// the resolution of the large thread.
    async fn session(
        &self,
        id: SessionId,
        range: TimeRange,
        filters: Filters,
        thread_bins: u16,
        idle_gap_us: i64,
    ) -> Result<Option<SessionSummary>, StoreError>;
    /// Exchanges that count.
    async fn exchanges(&self, query: ExchangesQuery) -> Result<Page<StoredExchange>, StoreError>;
    /// One exchange. UUIDv7 identities tell the day; for others every day is searched.
    async fn exchange(&self, id: ExchangeId) -> Result<Option<StoredExchange>, StoreError>;
    /// Counts of the values of several fields at once, at most `limit` each, most exchanges first.
    async fn facets(
        &self,
        range: TimeRange,
        filters: Filters,
        fields: Vec<FacetField>,
        limit: u32,
    ) -> Result<Vec<(FacetField, Vec<Count>)>, StoreError>;
    /// Exchanges over time in `bars` equal bars, empty ones included.
    async fn histogram(&self, range: TimeRange, filters: Filters, bars: u16) -> Result<Vec<HistogramBar>, StoreError>;
    /// How the rules that decide sessions did, with their exchanges in `bars` equal bars.
    async fn key_health(&self, range: TimeRange, filters: Filters, bars: u16) -> Result<KeyHealth, StoreError>;
    /// Exchanges that `policy_version` grouped, by the first of the parameters named in `order` that they were exported
    /// with and by the rule that decided them: what another order of keys would have decided, as far as that is stored.
    /// Ordered.
    async fn first_parameters(
        &self,
        range: TimeRange,
        policy_version: u64,
        order: Vec<String>,
    ) -> Result<Vec<FirstParameterCount>, StoreError>;
    /// What a purge would take away, were it begun now.
    async fn preview_purge(&self, purge: Purge) -> Result<PurgeCounts, StoreError>;
    /// Notes durably what is to leave: everything that fits `purge` among what was appended before, and batches that
    /// wait to be stored are that too. What comes later is new, and stays. Nothing is taken away yet:
    /// [`ExchangeStore::finish_purge`] does, as often as it takes. Beginning the same purge again changes nothing.
    /// Answers what will be taken away.
    async fn begin_purge(&self, id: PurgeId, purge: Purge) -> Result<PurgeCounts, StoreError>;
    /// Takes away what a purge that was begun is about, on disk too: what is gone stands in no file any more. Each file
    /// is as before or purged, never in between; a purge that was cut short is finished by the next call, whichever
    /// process makes it. Answers what [`ExchangeStore::begin_purge`] did; `None` when no such purge was begun, or it was
    /// forgotten. Takes seconds per million exchanges in the days concerned, and may be dropped: it goes on.
    async fn finish_purge(&self, id: PurgeId) -> Result<Option<PurgeCounts>, StoreError>;
    /// Drops the store's note of a purge that was finished: whoever asked has it in a record of their own.
    async fn forget_purge(&self, id: PurgeId) -> Result<(), StoreError>;
    /// Size and reach.
    async fn status(&self) -> Result<StoreStatus, StoreError>;
    /// Hides and deletes what is older than retention by the store's clock. Also runs by itself.
    async fn enforce_retention(&self) -> Result<(), StoreError>;
    /// Commits what is queued, checkpoints and closes the files. Later calls fail with [`StoreError::Closed`].
    async fn close(&self) -> Result<(), StoreError>;
}
