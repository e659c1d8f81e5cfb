//! Questions that take longer than the store allows.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::time::Duration;

use threadline_model::ManualClock;
use threadline_store::conformance::{NOON, Sample, TODAY, batch_id, to_batch};
use threadline_store::{ExchangeStore, Filters, Lane, StoreError, TimeRange};
use threadline_store_duckdb::{DuckSettings, DuckStore};

#[tokio::test]
async fn a_question_that_takes_too_long_is_told_from_one_that_failed() {
    let directory = tempfile::tempdir().unwrap();
    let mut settings = DuckSettings::new(directory.path(), Arc::new(ManualClock::new(NOON)));
    settings.query_timeout = Duration::ZERO;
    let store = DuckStore::open(settings).unwrap();
    store.append(to_batch(batch_id(1), Lane::Live, &[Sample::plain(NOON, 1)])).await.unwrap();
    let range = TimeRange { from: TODAY.start(), to: TODAY.plus(1).start() };
    let error = store.histogram(range, Filters::default(), 10).await.unwrap_err();
    assert!(matches!(error, StoreError::TooSlow { .. }), "{error}");
    store.close().await.unwrap();
}
