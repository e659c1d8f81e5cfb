//! `threadline import har`: files go through the same pipeline as live traffic. What leaves for a running hub are
//! rows, as from any node; without one the data folder is opened for the time of the import.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::record_batch::RecordBatch;
use indicatif::{ProgressBar, ProgressStyle};
use threadline_capture::import::har::{EntryError, HarError, HarReader, HarSettings};
use threadline_grouping::{InstallationSecret, InstallationSecrets, SecretError};
use threadline_model::{BatchId, Timestamp};
use threadline_node::{CompileError, NodeCounters, Pipeline, batch_is_full};
use threadline_policy::Policy;
use threadline_record::RowBuilder;
use threadline_store::{Appended, Batch, Lane, StoreError};
use uuid::Uuid;

use crate::cli::ImportHarOptions;
use crate::configuration::Configuration;
use crate::hub_client::{HubClient, HubClientError};
use crate::installation::{Installation, InstallationError};
use crate::managed_policy::{ManagedPolicy, ManagedPolicyError};

/// Places of damage shown for one file; the rest is counted.
const DAMAGE_SHOWN: usize = 10;

/// Why an import did not begin or broke off. What was imported before stays.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ImportError {
    #[error(transparent)]
    Installation(#[from] InstallationError),
    #[error(transparent)]
    Hub(#[from] HubClientError),
    #[error("cannot use the installation secret")]
    Secret(#[source] SecretError),
    #[error(
        "there is no installation secret at {}: values are hashed before they leave, with the secret of the hub at \
         {address}; copy `secret` from its data folder (mode 0600) and name the folder with --data",
        file.display()
    )]
    NoSecret { file: PathBuf, address: String },
    #[error(
        "the secret at {} is not the one of the hub at {address} (fingerprint {ours}, there {theirs}): nothing imported \
         would match the hub's sessions; copy `secret` from its data folder and name the folder with --data",
        file.display()
    )]
    OtherSecret { file: PathBuf, address: String, ours: String, theirs: String },
    #[error(
        "the secret at {} was rotated, and the hub at {address} still hashes with a former one: restart it first",
        file.display()
    )]
    FormerSecret { file: PathBuf, address: String },
    #[error(transparent)]
    PolicyFile(#[from] ManagedPolicyError),
    #[error("the hub's policy is not one this version can use: {0}")]
    Policy(String),
    #[error("cannot compile the policy")]
    Compile(#[source] CompileError),
    #[error("{}", file.display())]
    Har {
        file: PathBuf,
        #[source]
        source: HarError,
    },
    #[error("the store did not take the rows")]
    Store(#[source] StoreError),
}

/// A hub that answered, and what it expects.
struct RunningHub {
    client: HubClient,
    secret_fingerprint: String,
}

/// Where rows go.
enum Target {
    Hub(Box<RunningHub>),
    Folder(Installation),
}

impl Target {
    /// Where people look at what was imported.
    fn console(&self, configuration: &Configuration) -> String {
        match self {
            Self::Hub(hub) => hub.client.address().to_owned(),
            Self::Folder(_) => crate::announce::reachable(&format!("http://{}", configuration.hub.listen)),
        }
    }

    async fn append(&self, rows: RecordBatch) -> Result<Appended, ImportError> {
        // The identity need not be remembered: in the import lane exchanges are told apart by their own identities.
        let id = BatchId::new(Uuid::now_v7());
        match self {
            Self::Hub(hub) => Ok(hub.client.append_import(id, &rows).await?),
            Self::Folder(installation) => {
                let batch = Batch { id, lane: Lane::Import, rows };
                let appended = installation.store.append(batch.clone()).await.map_err(ImportError::Store)?;
                installation.hub.exports().note(&batch, &appended);
                Ok(appended)
            }
        }
    }

    async fn policy(&self) -> Result<Arc<Policy>, ImportError> {
        match self {
            Self::Hub(hub) => {
                let (version, document) = hub.client.policy().await?;
                let policy = Policy::validate(version, document).map_err(|errors| {
                    let reasons: Vec<_> =
                        errors.iter().map(|error| format!("{}: {}", error.field, error.reason)).collect();
                    ImportError::Policy(reasons.join("; "))
                })?;
                Ok(Arc::new(policy))
            }
            Self::Folder(installation) => Ok(installation.hub.policy().borrow().clone()),
        }
    }
}

/// What became of one file.
#[derive(Default)]
struct FileReport {
    appended: Appended,
    span: Option<(Timestamp, Timestamp)>,
    damage: Vec<EntryError>,
    damaged: usize,
    local: usize,
    /// Entries that the policy leaves out of the analysis.
    passed_by: u64,
}

/// Imports all files and tells on standard output what came of each. `Ok(false)`: something was damaged or missing.
pub(crate) async fn run(configuration: &Configuration, options: &ImportHarOptions) -> Result<bool, ImportError> {
    let target = open_target(configuration, options).await?;
    if let Target::Folder(installation) = &target
        && let Some(document) = configuration.policy.clone()
    {
        installation
            .hub
            .apply_policy(document, "configuration file")
            .await
            .map_err(|error| ImportError::Policy(error.to_string()))?;
    }
    if let Target::Folder(installation) = &target
        && let Some(file) = configuration.policy_file.clone()
    {
        ManagedPolicy::start(installation.hub.clone(), file).await?;
    }
    let secret = match &target {
        Target::Hub(hub) => Arc::new(secret_of(hub, &configuration.data)?),
        Target::Folder(installation) => Arc::clone(&installation.secret),
    };
    let policy = target.policy().await?;
    let mut pipeline =
        Pipeline::compile(&policy, &secret, &configuration.node, configuration.bounds).map_err(ImportError::Compile)?;

    let console = target.console(configuration);
    let mut whole = true;
    for file in &options.files {
        match import_file(&target, &mut pipeline, file).await {
            Ok(report) => {
                whole &= report.damaged == 0;
                tell(file, &report, &console);
            }
            Err(error @ ImportError::Har { .. }) => {
                whole = false;
                crate::report_error(&error);
            }
            Err(error) => return Err(error),
        }
    }
    if let Target::Folder(installation) = target {
        installation.close().await.map_err(ImportError::Store)?;
    }
    Ok(whole)
}

async fn open_target(configuration: &Configuration, options: &ImportHarOptions) -> Result<Target, ImportError> {
    if let (Some(address), Some(token)) = (&options.hub, &options.token) {
        return Ok(Target::Hub(Box::new(meet(HubClient::new(address, token)?).await?)));
    }
    if let Some(client) = HubClient::running_on(&configuration.data) {
        // After a kill the files that point to a hub are still there, and somebody else may have its port by now. If
        // the hub runs after all, opening its folder is refused.
        match meet(client).await {
            Ok(hub) => {
                say(&format!("Importing through the hub at {}\n", hub.client.address()));
                return Ok(Target::Hub(Box::new(hub)));
            }
            Err(error) if error.is_absence() => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(Target::Folder(Installation::open(configuration).await?))
}

async fn meet(client: HubClient) -> Result<RunningHub, HubClientError> {
    let fingerprint = client.secret_fingerprint().await?;
    let unclear = || HubClientError::Answer { address: client.address().to_owned() };
    let secret_fingerprint = fingerprint.ok_or_else(unclear)?;
    Ok(RunningHub { client, secret_fingerprint })
}

/// The secret in the data folder, which must be the hub's: one that was made for the occasion would give every imported
/// session an identity of its own.
fn secret_of(hub: &RunningHub, data: &Path) -> Result<InstallationSecret, ImportError> {
    let (file, address) = (data.join("secret"), hub.client.address().to_owned());
    let Some(secrets) = InstallationSecrets::load(&file).map_err(ImportError::Secret)? else {
        return Err(ImportError::NoSecret { file, address });
    };
    let (ours, theirs) = (secrets.newest().fingerprint(), hub.secret_fingerprint.clone());
    if secrets.was_replaced(&theirs) {
        return Err(ImportError::FormerSecret { file, address });
    }
    if ours != theirs {
        let theirs = threadline_model::escape_for_display(theirs.as_bytes(), 64);
        return Err(ImportError::OtherSecret { file, address, ours, theirs });
    }
    Ok(secrets.newest().clone())
}

async fn import_file(target: &Target, pipeline: &mut Pipeline, file: &Path) -> Result<FileReport, ImportError> {
    let har_error = |source| ImportError::Har { file: file.to_owned(), source };
    let mut reader = HarReader::open(file, HarSettings::default()).map_err(har_error)?;
    let bar = progress_bar(reader.length(), file);
    let counters = NodeCounters::default();
    let mut rows = RowBuilder::new();
    let mut report = FileReport::default();
    while let Some(entry) = reader.next() {
        match entry {
            Ok(exchange) => {
                let (from, to) = report.span.unwrap_or((exchange.started, exchange.started));
                report.span = Some((from.min(exchange.started), to.max(exchange.started)));
                pipeline.process(&exchange, &mut rows, &counters);
            }
            Err(damage) => {
                report.damaged += 1;
                if report.damage.len() < DAMAGE_SHOWN {
                    report.damage.push(damage);
                }
            }
        }
        bar.set_position(reader.position());
        if batch_is_full(&rows) {
            add(&mut report.appended, target.append(rows.finish()).await?);
        }
    }
    if !rows.is_empty() {
        add(&mut report.appended, target.append(rows.finish()).await?);
    }
    report.local = reader.counts().local;
    report.passed_by = NodeCounters::read(&counters.passed_by);
    bar.finish_and_clear();
    Ok(report)
}

fn add(sum: &mut Appended, one: Appended) {
    sum.stored += one.stored;
    sum.duplicate += one.duplicate;
    sum.expired += one.expired;
}

fn progress_bar(bytes: u64, file: &Path) -> ProgressBar {
    let bar = ProgressBar::new(bytes);
    if let Ok(style) = ProgressStyle::with_template("{msg} {bar:30} {bytes}/{total_bytes} {eta}") {
        bar.set_style(style);
    }
    bar.set_message(file.display().to_string());
    bar
}

fn tell(file: &Path, report: &FileReport, console: &str) {
    let exchanges = |count: u64| if count == 1 { "1 exchange".to_owned() } else { format!("{count} exchanges") };
    let mut text = format!("{}: {} added", file.display(), exchanges(report.appended.stored));
    if report.appended.duplicate > 0 {
        text += &format!(", {} already there", report.appended.duplicate);
    }
    if report.appended.expired > 0 {
        text += &format!(", {} beyond retention", report.appended.expired);
    }
    if report.local > 0 {
        text += &format!(", {} entries that never left the browser skipped", report.local);
    }
    if report.passed_by > 0 {
        text += &format!(", {} left out by the policy (`analysed`)", report.passed_by);
    }
    text.push('\n');
    for damage in &report.damage {
        text += &format!("  damaged: entry {} at byte {}: {}\n", damage.entry + 1, damage.offset, damage.reason);
    }
    if report.damaged > report.damage.len() {
        text += &format!("  … and {} more places of damage\n", report.damaged - report.damage.len());
    }
    if let Some((from, to)) = report.span {
        let shown = |time: Timestamp| {
            jiff::Timestamp::from_microsecond(time.micros()).map(|time| format!("{time:.0}")).unwrap_or_default()
        };
        let end = Timestamp::from_micros(to.micros() + 1_000_000);
        text += &format!(
            "  from {} to {}\n  in the console: {console}/sessions?from={}&to={}\n",
            shown(from),
            shown(to),
            shown(from),
            shown(end)
        );
    }
    say(&text);
}

fn say(text: &str) {
    use std::io::Write as _;
    // A closed pipe (`| head`) must not turn a good import into a failure.
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
}
