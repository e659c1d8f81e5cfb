//! The hub put together: what it needs from the one who starts it, its shared state, and how it is opened and served.

use std::fmt;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use threadline_model::{Clock, Network, Timestamp};
use threadline_points::Bounds;
use threadline_policy::{Policy, PolicyDocument};
use threadline_store::ExchangeStore;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};

use crate::api::policy::BuiltInRule;
use crate::api::status::NodeStatus;
use crate::clients::ResolvedClients;
use crate::database::{self, Database, DatabaseError};
use crate::exports::ExportLedger;
use crate::hashes::{HashValues, NoSecret};
use crate::leaving::WouldLeave;
use crate::metrics::HubMetrics;
use crate::policies::{LoadError, Policies, SaveError, StoredPolicyError};
use crate::recent::{NoNodes, RecentExchanges, RecentSetting, SampleError, SampleReader};
use crate::security::first_run::FirstRun;
use crate::security::host::PublicUrl;
use crate::security::local_token::LocalToken;
use crate::security::password::{PasswordError, Passwords};
use crate::security::secret::RandomnessError;
use crate::security::throttle::{SearchThrottle, Throttle};
use crate::try_out::{NoStages, TryOut};
use crate::{purges, routes, server};

/// Batches received at the same time; each may hold 64 MiB.
const BATCHES_AT_A_TIME: usize = 4;

/// The outcome that a letter of the column `session_trace` stands for: `decided`, `absent` … The column has one letter
/// per configured grouping key of the policy version that grouped the exchange.
pub type TraceOutcome = fn(char) -> Option<&'static str>;

/// What a hub needs to know, and what it shows of parts that it must not depend on.
#[derive(Clone)]
pub struct HubSettings {
    /// Folder for state and secrets; made readable by its owner only when it is missing.
    pub directory: PathBuf,
    /// Version of Threadline, for `/status`.
    pub version: String,
    /// Names besides addresses and `localhost` that the hub is reached by, without port.
    pub host_names: Vec<String>,
    /// Where browsers reach the hub when TLS ends in front of it. Cookies are `Secure` then, and the hub goes by the
    /// name.
    pub public_url: Option<PublicUrl>,
    /// Proxies in front of the hub that say in `X-Forwarded-For` for whom they ask: for throttling and the audit log.
    pub trusted_proxies: Vec<Network>,
    /// Tells nodes whether they hash with this installation's secret; `None` for a hub without one.
    pub secret_fingerprint: Option<String>,
    /// The built-in grouping rules and fallbacks, in order.
    pub built_in_rules: Vec<BuiltInRule>,
    /// The grouping stage's reading of a trace.
    pub trace_outcome: TraceOutcome,
    /// What the nodes of this process keep of what they saw recently.
    pub recent: Arc<dyn RecentExchanges>,
    /// Who the last requests through the nodes of this process were taken to come from.
    pub clients: Arc<dyn ResolvedClients>,
    /// Tries policies out on what nodes keep, or on an archive.
    pub try_out: Arc<dyn TryOut>,
    /// Says what would leave under a policy.
    pub would_leave: Arc<dyn WouldLeave>,
    /// Hashes values that somebody looks for.
    pub hash_values: Arc<dyn HashValues>,
    /// What nodes spend on analysing one exchange, so that a point tried out here finds what it finds there.
    pub bounds: Bounds,
    /// Reads exchanges that somebody wrote down.
    pub read_sample: SampleReader,
    /// The nodes of this process and what they count.
    pub nodes: Arc<dyn Fn() -> Vec<NodeStatus> + Send + Sync>,
    /// Whether everything works; the error is a reason in words.
    pub ready: Arc<dyn Fn() -> Result<(), String> + Send + Sync>,
    /// The text of `/metrics` (OpenMetrics).
    pub render_metrics: Arc<dyn Fn() -> String + Send + Sync>,
    /// The hub's own counters, registered where `render_metrics` reads.
    pub metrics: HubMetrics,
}

impl HubSettings {
    /// Settings of a hub that stands alone: no nodes, no rules, always ready.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self {
            directory: directory.into(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            host_names: Vec::new(),
            public_url: None,
            trusted_proxies: Vec::new(),
            secret_fingerprint: None,
            built_in_rules: Vec::new(),
            trace_outcome: |_| None,
            recent: Arc::new(NoNodes),
            clients: Arc::new(NoNodes),
            try_out: Arc::new(NoStages),
            would_leave: Arc::new(NoStages),
            hash_values: Arc::new(NoSecret),
            bounds: Bounds::default(),
            read_sample: Arc::new(|_| {
                Err(SampleError { field: "request", reason: "this hub reads no samples".to_owned() })
            }),
            nodes: Arc::new(Vec::new),
            ready: Arc::new(|| Ok(())),
            render_metrics: Arc::new(|| "# EOF\n".to_owned()),
            metrics: HubMetrics::default(),
        }
    }

    /// Whether browsers reach the hub over https only.
    pub(crate) fn secure_cookies(&self) -> bool {
        self.public_url.is_some()
    }
}

impl fmt::Debug for HubSettings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("HubSettings")
            .field("directory", &self.directory)
            .field("host_names", &self.host_names)
            .field("public_url", &self.public_url)
            .finish_non_exhaustive()
    }
}

/// Why a hub could not be opened or served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The folder or a file in it could not be made, written or removed.
    #[error("cannot use the hub's folder")]
    Directory(#[source] std::io::Error),
    /// The state could not be opened or brought up to date.
    #[error("cannot open the hub's state")]
    Database(#[from] DatabaseError),
    /// A saved policy is not valid under the rules of this version.
    #[error("cannot start from the saved policy")]
    Policy(#[from] StoredPolicyError),
    /// Argon2 does not work here.
    #[error("cannot hash passwords")]
    Passwords(#[from] PasswordError),
    /// No randomness.
    #[error("cannot make secrets")]
    Randomness(#[from] RandomnessError),
    /// The listener has no address.
    #[error("cannot read the address that the hub listens on")]
    Listener(#[source] std::io::Error),
}

impl From<LoadError> for OpenError {
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::Database(error) => Self::Database(error),
            LoadError::Stored(error) => Self::Policy(error),
        }
    }
}

/// What handlers share.
pub(crate) struct Inner {
    pub(crate) settings: HubSettings,
    pub(crate) store: Arc<dyn ExchangeStore>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) started_at: Timestamp,
    pub(crate) database: Database,
    pub(crate) policies: Policies,
    /// Whether nodes keep what they see; held while it changes.
    pub(crate) recent_setting: tokio::sync::Mutex<RecentSetting>,
    /// Since when nodes keep what they see.
    pub(crate) recent_since: Mutex<Option<Timestamp>>,
    /// Purges are finished one at a time.
    pub(crate) purging: tokio::sync::Mutex<()>,
    /// Policies are tried out, and asked what would leave, one at a time.
    pub(crate) try_out_permit: Arc<Semaphore>,
    pub(crate) first_run: FirstRun,
    pub(crate) local_token: LocalToken,
    pub(crate) passwords: Passwords,
    pub(crate) throttle: Throttle,
    pub(crate) search_throttle: SearchThrottle,
    pub(crate) batch_permits: Semaphore,
    pub(crate) exports: ExportLedger,
    /// The last use of a sign-in or token could not be noted; said once in the log.
    pub(crate) uses_unnoted: AtomicBool,
    pub(crate) openapi: Bytes,
}

impl Inner {
    /// The time now.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Since when nodes keep what they see; none while they do not.
    pub(crate) fn recent_since(&self) -> Option<Timestamp> {
        *self.recent_since.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that nodes were told to keep what they see, or not to; what they kept already they keep.
    pub(crate) fn note_recent(&self, on: bool) {
        let mut since = self.recent_since.lock().unwrap_or_else(PoisonError::into_inner);
        *since = if on { since.or_else(|| Some(self.now())) } else { None };
    }

    /// Nodes forget what they keep of what they saw, and go on keeping what they see from now on.
    pub(crate) async fn forget_recent(&self) {
        let holds = self.recent_setting.lock().await;
        self.settings.recent.configure(None);
        self.note_recent(false);
        self.settings.recent.configure(holds.limits());
        self.note_recent(holds.on);
    }
}

/// State, sign-in, API and console. Cloning shares it.
#[derive(Clone)]
pub struct Hub {
    inner: Arc<Inner>,
}

impl fmt::Debug for Hub {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Hub").field("settings", &self.inner.settings).finish_non_exhaustive()
    }
}

impl Hub {
    /// Opens the state in the folder, making both if they are missing. Without any person, a one-time token for the
    /// first administrator is made. Purges that were not finished go on.
    pub async fn open(
        mut settings: HubSettings,
        store: Arc<dyn ExchangeStore>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, OpenError> {
        settings.host_names.extend(settings.public_url.as_ref().map(|url| url.host().to_owned()));
        make_directory(&settings.directory).map_err(OpenError::Directory)?;
        let database = database::open(&settings.directory.join("state.sqlite")).await?;
        let now = clock.now();
        database::audit::forget_old(&database, now).await?;
        let policies = Policies::load(database.clone(), Arc::clone(&clock)).await?;
        let anybody = database::people::any(&database).await?;
        let recent_setting = RecentSetting::load(&database).await?;
        settings.recent.configure(recent_setting.limits());
        let inner = Inner {
            first_run: FirstRun::prepare(&settings.directory, anybody)?,
            local_token: LocalToken::generate()?,
            passwords: Passwords::new()?,
            throttle: Throttle::default(),
            search_throttle: SearchThrottle::default(),
            batch_permits: Semaphore::new(BATCHES_AT_A_TIME),
            exports: ExportLedger::new(Arc::clone(&clock)),
            uses_unnoted: AtomicBool::new(false),
            recent_setting: tokio::sync::Mutex::new(recent_setting),
            recent_since: Mutex::new(recent_setting.on.then_some(now)),
            purging: tokio::sync::Mutex::new(()),
            try_out_permit: Arc::new(Semaphore::new(1)),
            openapi: routes::openapi_document().into(),
            started_at: now,
            settings,
            store,
            clock,
            database,
            policies,
        };
        let inner = Arc::new(inner);
        purges::resume(&inner).await?;
        Ok(Self { inner })
    }

    /// Follows the policy: a saved version is seen here before the one who saved it gets an answer.
    pub fn policy(&self) -> watch::Receiver<Arc<Policy>> {
        self.inner.policies.subscribe()
    }

    /// Applies the policy of a configuration file if it differs from the one last applied this way, and returns the
    /// policy that holds. `by` stands in the history, as in `configuration file`.
    pub async fn apply_policy(&self, document: PolicyDocument, by: &str) -> Result<Arc<Policy>, SaveError> {
        self.inner.policies.apply_file(document, by).await
    }

    /// Lets a file manage the policy from now on: nobody else can save one. `file` is shown to readers of the policy.
    pub fn manage_policy_by(&self, file: &str) {
        self.inner.policies.manage_by(file);
    }

    /// Lets hold what the file that manages the policy says; what already holds makes no version.
    pub async fn apply_managed_policy(&self, document: PolicyDocument) -> Result<Arc<Policy>, SaveError> {
        self.inner.policies.apply_managed(document).await
    }

    /// Tells readers of the policy and of the status why what stands in the file does not hold, in a sentence without
    /// values; `None` when it does.
    pub fn note_policy_file_problem(&self, problem: Option<String>) {
        self.inner.policies.note_file_problem(problem);
    }

    /// The one-time token for the first administrator: for a terminal, never for a log. None once it was used.
    pub fn first_run_token(&self) -> Option<String> {
        self.inner.first_run.reveal()
    }

    /// Serves API and console until `shutdown`, then lets requests under way finish. While it serves, the folder
    /// holds `local-token` and `hub-address` for commands on the same machine.
    pub async fn serve(&self, listener: TcpListener, shutdown: impl Future<Output = ()>) -> Result<(), OpenError> {
        let address = listener.local_addr().map_err(OpenError::Listener)?;
        let published = self.inner.local_token.publish(&self.inner.settings.directory, address);
        let _published = published.map_err(OpenError::Directory)?;
        let serving = server::serve(server::router(Arc::clone(&self.inner)), listener, shutdown);
        tokio::select! {
            () = serving => {}
            () = self.inner.exports.keep_writing(&self.inner.database) => {}
        }
        Ok(())
    }

    /// Counts what is stored past the hub, in the same process.
    pub fn exports(&self) -> ExportLedger {
        self.inner.exports.clone()
    }

    /// Writes what was counted and closes the state. Call it after [`Hub::serve`] returned.
    pub async fn close(&self) {
        if let Err(error) = self.inner.exports.write(&self.inner.database).await {
            tracing::error!(error = %crate::problem::chain(&error), "the last seconds are missing in the export ledger");
        }
        self.inner.database.close().await;
    }
}

fn make_directory(path: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}
