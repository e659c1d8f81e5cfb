//! The embedded store keeps every promise of the trait.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use threadline_model::ManualClock;
use threadline_store_duckdb::{DuckSettings, DuckStore};

#[tokio::test]
async fn conformance() {
    let directories: std::sync::Mutex<Vec<tempfile::TempDir>> = std::sync::Mutex::default();
    threadline_store::conformance::run(|clock: Arc<ManualClock>| {
        let directory = tempfile::tempdir().unwrap();
        let store = DuckStore::open(DuckSettings::new(directory.path(), clock)).unwrap();
        directories.lock().unwrap().push(directory);
        async move { store }
    })
    .await;
}
