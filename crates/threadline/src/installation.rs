//! The parts of an installation on one data folder: secret, store, hub. `serve` and `import` open it the same way.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use threadline_grouping::{InstallationSecret, InstallationSecrets, built_in_rules, trace_outcome};
use threadline_hub::{BuiltInRule, ExportLedger, Hub, HubMetrics, HubSettings};
use threadline_model::{BatchId, Clock as _, MICROS_PER_DAY, SystemClock};
use threadline_node::{ExportError, Exporter, RecentExchanges};
use threadline_store::{Batch, ExchangeStore, Lane, StoreError};
use threadline_store_duckdb::{DuckSettings, DuckStore};

use crate::clients::Clients;
use crate::configuration::Configuration;
use crate::exports::Leaver;
use crate::hashes::Hasher;
use crate::metrics::{self, Sources};
use crate::recent;
use crate::try_out::Trier;

/// Why an installation could not be opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InstallationError {
    #[error("cannot create the data folder {folder}")]
    Folder {
        folder: String,
        #[source]
        source: std::io::Error,
    },
    #[error("cannot use the installation secret")]
    Secret(#[source] threadline_grouping::SecretError),
    #[error("cannot open the store")]
    Store(#[source] threadline_store_duckdb::OpenError),
    #[error("cannot open the hub's state")]
    Hub(#[source] threadline_hub::OpenError),
}

/// An opened data folder.
pub(crate) struct Installation {
    pub(crate) secret: Arc<InstallationSecret>,
    pub(crate) store: Arc<dyn ExchangeStore>,
    pub(crate) hub: Hub,
    pub(crate) sources: Arc<Sources>,
    /// What the node keeps of what it saw recently, while that is switched on.
    pub(crate) recent: Arc<RecentExchanges>,
    pub(crate) ready: Arc<AtomicBool>,
    health: Arc<ExportHealth>,
}

impl Installation {
    /// Opens everything that is kept, making what is missing. Takes the store's lock: one process at a time.
    pub(crate) async fn open(configuration: &Configuration) -> Result<Self, InstallationError> {
        create_private_folder(&configuration.data)?;
        let secret_file = secret_file(configuration);
        InstallationSecrets::load_or_create(&secret_file).map_err(InstallationError::Secret)?;
        let clock = Arc::new(SystemClock);
        let mut settings = DuckSettings::new(configuration.data.join("store"), clock.clone());
        settings.retention_days = configuration.retention_days;
        settings.import_retention_days = configuration.import_retention_days;
        settings.memory_limit = u64::from(configuration.store_memory_megabytes) << 20;
        // Opening replays what a crash left: work for a blocking thread.
        let store = match tokio::task::spawn_blocking(move || DuckStore::open(settings)).await {
            Ok(opened) => opened.map_err(InstallationError::Store)?,
            Err(panicked) => std::panic::resume_unwind(panicked.into_panic()),
        };
        let store: Arc<dyn ExchangeStore> = Arc::new(store);
        // The store is ours: whoever hashed with a former secret has ended.
        let secrets = InstallationSecrets::take_up(&secret_file, clock.now()).map_err(InstallationError::Secret)?;
        let secret = Arc::new(secrets.newest().clone());

        let sources = Arc::new(Sources::default());
        let ready = Arc::new(AtomicBool::new(false));
        let health = Arc::new(ExportHealth::default());
        let mut registry = metrics::registry(&sources);
        let mut settings = HubSettings::new(&configuration.data);
        settings.metrics = HubMetrics::register(&mut registry);
        let registry = Arc::new(Mutex::new(registry));
        settings.version = env!("CARGO_PKG_VERSION").to_owned();
        settings.host_names = configuration.hub.host_names.clone();
        settings.public_url = configuration.hub.public_url.clone();
        settings.trusted_proxies = configuration.hub.trusted_proxies.clone();
        settings.secret_fingerprint = Some(secret.fingerprint());
        settings.built_in_rules = built_in_rules()
            .iter()
            .map(|rule| BuiltInRule { name: rule.name.to_owned(), description: rule.description.to_owned() })
            .collect();
        settings.trace_outcome = trace_outcome;
        let recent = Arc::new(RecentExchanges::default());
        settings.recent = Arc::new(recent::Shown { kept: Arc::clone(&recent), bounds: configuration.bounds });
        settings.clients = Arc::new(Clients { sources: Arc::clone(&sources), node: configuration.node.clone() });
        settings.try_out =
            Arc::new(Trier { kept: Arc::clone(&recent), secret: Arc::clone(&secret), bounds: configuration.bounds });
        settings.would_leave = Arc::new(Leaver {
            kept: Arc::clone(&recent),
            secret: Arc::clone(&secret),
            bounds: configuration.bounds,
            node: configuration.node.clone(),
        });
        settings.hash_values =
            Arc::new(Hasher { secrets, kept_micros: kept_micros(configuration), clock: clock.clone() });
        settings.bounds = configuration.bounds;
        settings.read_sample = Arc::new(|sample| recent::read_sample(sample, &SystemClock));
        settings.nodes = {
            let (sources, name) = (Arc::clone(&sources), configuration.node.clone());
            Arc::new(move || sources.node_status(&name))
        };
        settings.ready = {
            let (ready, health) = (Arc::clone(&ready), Arc::clone(&health));
            Arc::new(move || match ready.load(Ordering::Acquire) {
                true => health.check().map_err(str::to_owned),
                false => Err("starting or stopping".to_owned()),
            })
        };
        settings.render_metrics = Arc::new(move || metrics::render(&registry));
        let hub = Hub::open(settings, Arc::clone(&store), clock).await.map_err(InstallationError::Hub)?;
        Ok(Self { secret, store, hub, sources, recent, ready, health })
    }

    /// Where the node hands its batches. Once for each installation: readiness follows it.
    pub(crate) fn exporter(&self) -> Arc<dyn Exporter> {
        Arc::new(StoreExporter {
            store: Arc::clone(&self.store),
            health: Arc::clone(&self.health),
            exports: self.hub.exports(),
        })
    }

    /// Closes state and store; everything queued is committed first.
    pub(crate) async fn close(self) -> Result<(), StoreError> {
        self.hub.close().await;
        self.store.close().await
    }
}

/// Where the secrets of an installation are kept.
pub(crate) fn secret_file(configuration: &Configuration) -> PathBuf {
    configuration.data.join("secret")
}

/// How long something that was hashed may be stored: the longer retention, and a day, for whole days are kept.
pub(crate) fn kept_micros(configuration: &Configuration) -> i64 {
    let days = configuration.retention_days.max(configuration.import_retention_days);
    (i64::from(days) + 1) * MICROS_PER_DAY
}

/// Whether what is analysed comes to be stored.
#[derive(Debug, Default)]
struct ExportHealth {
    /// The store did not take the last batch that it was offered.
    refused: AtomicBool,
    /// Nobody exports any more.
    ended: AtomicBool,
}

impl ExportHealth {
    fn check(&self) -> Result<(), &'static str> {
        match (self.ended.load(Ordering::Acquire), self.refused.load(Ordering::Acquire)) {
            (true, _) => Err("the analysis has ended"),
            (false, true) => Err("the store takes no batches"),
            (false, false) => Ok(()),
        }
    }
}

/// Hands batches of live traffic straight to the store of this process.
struct StoreExporter {
    store: Arc<dyn ExchangeStore>,
    health: Arc<ExportHealth>,
    exports: ExportLedger,
}

impl Drop for StoreExporter {
    /// The node's export task holds the only one: it ends with the analysis thread, or by a panic.
    fn drop(&mut self) {
        self.health.ended.store(true, Ordering::Release);
    }
}

#[async_trait]
impl Exporter for StoreExporter {
    async fn export(&self, id: BatchId, rows: arrow::record_batch::RecordBatch) -> Result<u64, ExportError> {
        let batch = Batch { id, lane: Lane::Live, rows };
        let appended = self.store.append(batch.clone()).await;
        self.health.refused.store(appended.is_err(), Ordering::Release);
        match appended {
            Ok(appended) => {
                self.exports.note(&batch, &appended);
                Ok(appended.expired)
            }
            Err(error @ (StoreError::Schema(_) | StoreError::Closed)) => Err(ExportError::Permanent(error.into())),
            Err(error) => Err(ExportError::Temporary(error.into())),
        }
    }
}

/// Makes a folder, and those above it, readable by the owner only; one that is there stays as it is.
pub(crate) fn create_private_folder(folder: &Path) -> Result<(), InstallationError> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|source| InstallationError::Folder { folder: folder.display().to_string(), source })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[tokio::test]
    async fn readiness_follows_what_the_store_takes_and_whether_anybody_exports() {
        let folder = tempfile::tempdir().unwrap();
        let settings = DuckSettings::new(folder.path().join("store"), Arc::new(SystemClock));
        let store: Arc<dyn ExchangeStore> = Arc::new(DuckStore::open(settings).unwrap());
        let health = Arc::new(ExportHealth::default());
        let hub = Hub::open(HubSettings::new(folder.path()), Arc::clone(&store), Arc::new(SystemClock)).await.unwrap();
        let exporter = StoreExporter { store: Arc::clone(&store), health: Arc::clone(&health), exports: hub.exports() };
        let rows = || threadline_record::RowBuilder::default().finish();
        assert!(exporter.export(BatchId::new(uuid::Uuid::now_v7()), rows()).await.is_ok());
        assert_eq!(health.check(), Ok(()));
        store.close().await.unwrap();
        assert!(exporter.export(BatchId::new(uuid::Uuid::now_v7()), rows()).await.is_err());
        assert_eq!(health.check(), Err("the store takes no batches"));
        drop(exporter);
        assert_eq!(health.check(), Err("the analysis has ended"));
    }
}
