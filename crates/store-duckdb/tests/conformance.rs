//! The embedded store keeps every promise of the trait, also when closed days are rewritten all the time.
#![allow(clippy::unwrap_used)]

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use tempfile::TempDir;
use threadline_model::{ExchangeId, ManualClock, PurgeId, SessionId};
use threadline_store::{
    Appended, Batch, Count, ExchangeStore, ExchangesQuery, FacetField, Filters, FirstParameterCount, HistogramBar,
    KeyHealth, Page, Purge, PurgeCounts, SessionPart, SessionSummary, SessionsQuery, StoreError, StoreStatus,
    StoredExchange, TimeRange,
};
use threadline_store_duckdb::{DuckSettings, DuckStore};

/// Opens empty stores in directories that are kept until this is dropped.
#[derive(Default)]
struct Directories(Mutex<Vec<TempDir>>);

impl Directories {
    fn open(&self, clock: Arc<ManualClock>) -> DuckStore {
        let directory = tempfile::tempdir().unwrap();
        let store = DuckStore::open(DuckSettings::new(directory.path(), clock)).unwrap();
        self.0.lock().unwrap().push(directory);
        store
    }
}

#[tokio::test]
async fn conformance() {
    let directories = Directories::default();
    threadline_store::conformance::run(|clock| {
        let store = directories.open(clock);
        async move { store }
    })
    .await;
}

#[tokio::test]
async fn conformance_while_days_are_rewritten() {
    let directories = Directories::default();
    threadline_store::conformance::run(|clock| {
        let store = directories.open(clock);
        async move { Rewritten(store) }
    })
    .await;
    let rewritten = |directory: &TempDir| {
        let names = std::fs::read_dir(directory.path().join("days")).unwrap();
        names.filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().contains(".g")).count()
    };
    let rewritten: usize = directories.0.lock().unwrap().iter().map(rewritten).sum();
    assert!(rewritten > 10, "only {rewritten} days were rewritten");
}

/// A store that rewrites its closed days after every batch.
struct Rewritten(DuckStore);

#[async_trait]
impl ExchangeStore for Rewritten {
    async fn append(&self, batch: Batch) -> Result<Appended, StoreError> {
        let appended = self.0.append(batch).await?;
        self.0.rewrite_closed_days().await?;
        Ok(appended)
    }

    async fn sessions(&self, query: SessionsQuery) -> Result<Page<SessionPart>, StoreError> {
        self.0.sessions(query).await
    }

    async fn session(
        &self,
        id: SessionId,
        range: TimeRange,
        filters: Filters,
        thread_bins: u16,
        idle_gap_us: i64,
    ) -> Result<Option<SessionSummary>, StoreError> {
        self.0.session(id, range, filters, thread_bins, idle_gap_us).await
    }

    async fn exchanges(&self, query: ExchangesQuery) -> Result<Page<StoredExchange>, StoreError> {
        self.0.exchanges(query).await
    }

    async fn exchange(&self, id: ExchangeId) -> Result<Option<StoredExchange>, StoreError> {
        self.0.exchange(id).await
    }

    async fn facets(
        &self,
        range: TimeRange,
        filters: Filters,
        fields: Vec<FacetField>,
        limit: u32,
    ) -> Result<Vec<(FacetField, Vec<Count>)>, StoreError> {
        self.0.facets(range, filters, fields, limit).await
    }

    async fn histogram(&self, range: TimeRange, filters: Filters, bars: u16) -> Result<Vec<HistogramBar>, StoreError> {
        self.0.histogram(range, filters, bars).await
    }

    async fn key_health(&self, range: TimeRange, filters: Filters, bars: u16) -> Result<KeyHealth, StoreError> {
        self.0.key_health(range, filters, bars).await
    }

    async fn first_parameters(
        &self,
        range: TimeRange,
        policy_version: u64,
        order: Vec<String>,
    ) -> Result<Vec<FirstParameterCount>, StoreError> {
        self.0.first_parameters(range, policy_version, order).await
    }

    async fn preview_purge(&self, purge: Purge) -> Result<PurgeCounts, StoreError> {
        self.0.preview_purge(purge).await
    }

    async fn begin_purge(&self, id: PurgeId, purge: Purge) -> Result<PurgeCounts, StoreError> {
        self.0.begin_purge(id, purge).await
    }

    async fn finish_purge(&self, id: PurgeId) -> Result<Option<PurgeCounts>, StoreError> {
        self.0.finish_purge(id).await
    }

    async fn forget_purge(&self, id: PurgeId) -> Result<(), StoreError> {
        self.0.forget_purge(id).await
    }

    async fn status(&self) -> Result<StoreStatus, StoreError> {
        self.0.status().await
    }

    async fn enforce_retention(&self) -> Result<(), StoreError> {
        self.0.enforce_retention().await
    }

    async fn close(&self) -> Result<(), StoreError> {
        self.0.close().await
    }
}
