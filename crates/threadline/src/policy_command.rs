//! `threadline policy`: the policy as a file that can be kept in git. A file is judged here before a hub is asked; what
//! it would change is the hub's answer, and what is applied is exactly what was compared. No file is ever written.

use std::error::Error;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::json;
use threadline_model::escape_for_display;
use threadline_policy::PolicyDocument;

use crate::cli::{HubOptions, PolicyCommand, Settings};
use crate::configuration::DATA_FOLDER;
use crate::hub_client::{HubClient, HubClientError};
use crate::policy_file::{self, PolicyFileError};
use crate::print;

/// Characters of one sentence from a hub that are shown.
const SHOWN: usize = 1_000;
/// Versions that are named when another one holds.
const VERSIONS_SHOWN: usize = 20;

/// Why a command did not do what it was asked for. Nothing was changed.
#[derive(Debug, thiserror::Error)]
enum PolicyError {
    #[error(transparent)]
    File(#[from] PolicyFileError),
    #[error(
        "no hub runs on {}: start it, or name its data folder with --data, or name a hub with --hub and --token",
        folder.display()
    )]
    NoHub { folder: PathBuf },
    #[error(
        "the hub at {address} does not know the token: make one in its console (Setup, API tokens) and give it as THREADLINE_TOKEN"
    )]
    Token { address: String },
    #[error("the token's role may not do this at the hub at {address}: reading takes viewer, applying takes admin")]
    Role {
        address: String,
        #[source]
        source: HubClientError,
    },
    #[error(transparent)]
    Hub(HubClientError),
    #[error("the hub does not accept the policy:{}", lines(.0))]
    Refused(Vec<String>),
    #[error("version {holds} holds, not {base}; nothing was applied{}", lines(since))]
    Stale { base: u64, holds: u64, since: Vec<String> },
    #[error("the policy cannot be written as YAML that reads back the same")]
    Unwritable,
}

fn lines(sentences: &[String]) -> String {
    sentences.iter().map(|sentence| format!("\n  {sentence}")).collect()
}

fn shown(text: &str) -> String {
    escape_for_display(text.as_bytes(), SHOWN)
}

#[derive(Deserialize)]
struct HeldAnswer {
    version: u64,
    saved_at: Option<String>,
    saved_by: Option<String>,
    comment: Option<String>,
    policy: PolicyDocument,
}

#[derive(Deserialize)]
struct FieldAnswer {
    field: String,
    reason: String,
}

#[derive(Deserialize)]
struct CheckAnswer {
    against: u64,
    errors: Vec<FieldAnswer>,
    changes: Vec<String>,
    warnings: Vec<FieldAnswer>,
}

#[derive(Deserialize)]
struct SavedAnswer {
    version: u64,
}

#[derive(Deserialize)]
struct ChangesAnswer {
    changes: Vec<String>,
}

#[derive(Deserialize)]
struct VersionsAnswer {
    versions: Vec<VersionAnswer>,
}

#[derive(Deserialize)]
struct VersionAnswer {
    version: u64,
    saved_at: String,
    saved_by: String,
    comment: Option<String>,
}

impl VersionAnswer {
    fn sentence(&self) -> String {
        let comment = self.comment.as_deref().map(|comment| format!(": {comment}")).unwrap_or_default();
        shown(&format!("version {} was saved by {} at {}{comment}", self.version, self.saved_by, self.saved_at))
    }
}

/// Does what was typed.
pub(crate) fn run(command: PolicyCommand) -> Result<ExitCode, Box<dyn Error>> {
    match command {
        PolicyCommand::Schema => print(&threadline_policy::json_schema()),
        PolicyCommand::Validate { file } => {
            policy_file::judge(&file, &policy_file::read_text(&file)?)?;
            print(&format!("{}: good\n", file.display()));
        }
        PolicyCommand::Export { version, hub } => {
            let exporting = async { Ok::<_, Box<dyn Error>>(export(&Hub::find(&hub)?, version).await?) };
            let text = crate::runtime()?.block_on(exporting)?;
            print(&text);
        }
        PolicyCommand::Diff { file, hub } => return Ok(diff(&file, &hub)),
        PolicyCommand::Apply { file, base, comment, dry_run, hub } => {
            let document = policy_file::judge(&file, &policy_file::read_text(&file)?)?;
            let applying = async {
                let hub = Hub::find(&hub)?;
                let check = hub.check(&document).await?;
                if let Some(base) = base.filter(|base| *base != check.against) {
                    return Err(hub.stale(base, check.against).await.into());
                }
                apply(&hub, &document, &check, comment.as_deref(), dry_run).await.map_err(Box::<dyn Error>::from)
            };
            crate::runtime()?.block_on(applying)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// As `diff` does: 0 the same, 1 different, 2 trouble.
fn diff(file: &Path, options: &HubOptions) -> ExitCode {
    let compared = || -> Result<CheckAnswer, Box<dyn Error>> {
        let document = policy_file::judge(file, &policy_file::read_text(file)?)?;
        crate::runtime()?.block_on(async { Ok(Hub::find(options)?.check(&document).await?) })
    };
    match compared() {
        Ok(check) => {
            tell(&check);
            ExitCode::from(u8::from(!check.changes.is_empty()))
        }
        Err(error) => {
            crate::report_error(error.as_ref());
            ExitCode::from(2)
        }
    }
}

/// Changes on standard output, warnings on standard error.
fn tell(check: &CheckAnswer) {
    if check.changes.is_empty() {
        print(&format!("nothing to change; version {} holds\n", check.against));
    }
    for change in &check.changes {
        print(&format!("{}\n", shown(change)));
    }
    for warning in &check.warnings {
        let (field, reason) = (shown(&warning.field), shown(&warning.reason));
        // A closed pipe is not an error of ours.
        let _ = writeln!(std::io::stderr().lock(), "warning: {field}: {reason}");
    }
}

async fn apply(
    hub: &Hub,
    document: &PolicyDocument,
    check: &CheckAnswer,
    comment: Option<&str>,
    dry_run: bool,
) -> Result<(), PolicyError> {
    tell(check);
    if check.changes.is_empty() {
        return Ok(());
    }
    if dry_run {
        print(&format!("would be version {} (nothing was applied)\n", check.against + 1));
        return Ok(());
    }
    let tag = format!("\"{}\"", check.against);
    let body = json!({"policy": document, "comment": comment});
    let saved = hub.client.send::<SavedAnswer>(Method::PUT, "/policy", &[("if-match", &tag)], &body).await;
    match saved {
        Ok(saved) => print(&format!("version {} holds\n", saved.version)),
        Err(HubClientError::Refused { status: StatusCode::PRECONDITION_FAILED, .. }) => {
            let holds = hub.held().await?.version;
            return Err(hub.stale(check.against, holds).await);
        }
        Err(error) => return Err(hub.failed(error)),
    }
    Ok(())
}

async fn export(hub: &Hub, version: Option<u64>) -> Result<String, PolicyError> {
    let held = match version {
        None => hub.held().await?,
        Some(version) => hub.read(&format!("/policy/versions/{version}")).await?,
    };
    let mut text = format!("# Policy version {}", held.version);
    match (&held.saved_at, &held.saved_by) {
        (Some(at), Some(by)) => text += &format!(", saved by {} at {}", shown(by), shown(at)),
        _ => text += ", which holds until one is saved",
    }
    if let Some(comment) = &held.comment {
        text += &format!(": {}", shown(comment));
    }
    text.push('\n');
    // Folded texts would be harder to read in a comparison of lines.
    let mut options = serde_saphyr::SerializerOptions::default();
    options.prefer_block_scalars = false;
    text += &serde_saphyr::to_string_with_options(&held.policy, options).map_err(|_| PolicyError::Unwritable)?;
    let again: Option<PolicyDocument> = serde_saphyr::from_str(&text).ok();
    if again.as_ref() == Some(&held.policy) { Ok(text) } else { Err(PolicyError::Unwritable) }
}

/// The hub that a command talks to.
struct Hub {
    client: HubClient,
    /// Where it was looked for, unless it was named.
    folder: Option<PathBuf>,
}

impl Hub {
    fn find(options: &HubOptions) -> Result<Self, Box<dyn Error>> {
        if let (Some(address), Some(token)) = (&options.hub, &options.token) {
            return Ok(Self { client: HubClient::new(address, token).map_err(PolicyError::Hub)?, folder: None });
        }
        let settings = Settings {
            config: options.config.clone(),
            data: options.data.clone(),
            log: Some("warn".to_owned()),
            ..Settings::default()
        };
        let folder = crate::configure(settings, None, DATA_FOLDER)?.data;
        let client = HubClient::running_on(&folder).ok_or_else(|| PolicyError::NoHub { folder: folder.clone() })?;
        Ok(Self { client, folder: Some(folder) })
    }

    /// What a failure means to the one who typed the command.
    fn failed(&self, error: HubClientError) -> PolicyError {
        let address = self.client.address().to_owned();
        match (&error, &self.folder) {
            // What a hub that was killed left behind.
            (error, Some(folder)) if error.is_absence() => PolicyError::NoHub { folder: folder.clone() },
            (HubClientError::Refused { status: StatusCode::UNAUTHORIZED, .. }, None) => PolicyError::Token { address },
            (HubClientError::Refused { status: StatusCode::FORBIDDEN, .. }, _) => {
                PolicyError::Role { address, source: error }
            }
            _ => PolicyError::Hub(error),
        }
    }

    async fn read<T: serde::de::DeserializeOwned>(&self, path: &str) -> Result<T, PolicyError> {
        self.client.read(path).await.map_err(|error| self.failed(error))
    }

    async fn held(&self) -> Result<HeldAnswer, PolicyError> {
        self.read("/policy").await
    }

    /// What saving a document would change. A hub of another version may refuse what was good here.
    async fn check(&self, document: &PolicyDocument) -> Result<CheckAnswer, PolicyError> {
        let body = json!({"policy": document});
        let check = self.client.send::<CheckAnswer>(Method::POST, "/policy/check", &[], &body).await;
        let check = check.map_err(|error| self.failed(error))?;
        if check.errors.is_empty() {
            return Ok(check);
        }
        let sentence = |error: &FieldAnswer| shown(&format!("{}: {}", error.field, error.reason));
        Err(PolicyError::Refused(check.errors.iter().map(sentence).collect()))
    }

    /// Who saved what since a version, as far as that can be found out.
    async fn stale(&self, base: u64, holds: u64) -> PolicyError {
        let mut since = Vec::new();
        if let Ok(list) = self.client.read::<VersionsAnswer>(&format!("/policy/versions?limit={VERSIONS_SHOWN}")).await
        {
            since.extend(list.versions.iter().rev().filter(|one| one.version > base).map(VersionAnswer::sentence));
        }
        let changes =
            self.client.read::<ChangesAnswer>(&format!("/policy/versions/{holds}/changes?since={base}")).await;
        match changes {
            Ok(changes) => since.extend(changes.changes.iter().map(|change| shown(change))),
            Err(_) => since.push(format!("there is no version {base} to compare with")),
        }
        PolicyError::Stale { base, holds, since }
    }
}
