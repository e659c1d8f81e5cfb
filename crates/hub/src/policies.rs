//! The policy that holds, its saved versions, and how it changes: one change at a time, saved before anybody sees it,
//! seen by everybody in the process before the one who saved it gets an answer.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use threadline_model::Clock;
use threadline_policy::{FieldError, Policy, PolicyDocument};
use tokio::sync::watch;

pub(crate) use crate::database::policy_versions::SavedVersion;
use crate::database::{Database, DatabaseError, audit, policy_versions, settings};
use crate::security::{Caller, CallerKind, Role};

/// Past versions kept compiled, for decoding traces.
const REMEMBERED: usize = 32;
/// The setting that holds the document last applied from a configuration file.
const FROM_FILE: &str = "policy.from_file";

/// Why a policy was not saved. Nothing was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SaveError {
    /// Another version holds than the one that was edited.
    #[error("version {current} holds, which is not the one that was edited")]
    Stale {
        /// The version that holds.
        current: u64,
    },
    /// The policy is what a file says.
    #[error("the policy is managed by the file {file}")]
    Managed {
        /// The file, as it was named to the hub.
        file: String,
    },
    /// Fields that cannot be accepted.
    #[error("{}", Self::sentence(.0))]
    Invalid(Vec<FieldError>),
    /// The state could not be read or written.
    #[error("the policy could not be saved")]
    Database(#[from] DatabaseError),
}

impl SaveError {
    fn sentence(errors: &[FieldError]) -> String {
        errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    }
}

/// The stored policy is not valid under the rules of this version of Threadline.
#[derive(Debug, thiserror::Error)]
#[error("the stored policy version {version} is not valid: {reason}")]
pub struct StoredPolicyError {
    version: u64,
    reason: String,
}

/// The file that the policy is made of, while nobody else may change it.
#[derive(Clone, Debug)]
pub(crate) struct ManagedBy {
    /// As it was named to the hub.
    pub(crate) file: String,
    /// Why what stands in the file now does not hold; none while it does.
    pub(crate) problem: Option<String>,
}

/// The policy and its history.
pub(crate) struct Policies {
    database: Database,
    holds: watch::Sender<Arc<Policy>>,
    /// Held while a version is made.
    saving: tokio::sync::Mutex<()>,
    past: Mutex<BTreeMap<u64, Arc<Policy>>>,
    managed_by: Mutex<Option<ManagedBy>>,
    clock: Arc<dyn Clock>,
}

/// Why the history could not be opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoadError {
    #[error(transparent)]
    Database(#[from] DatabaseError),
    #[error(transparent)]
    Stored(#[from] StoredPolicyError),
}

impl Policies {
    /// Starts from the newest saved version, or from the empty policy.
    pub(crate) async fn load(database: Database, clock: Arc<dyn Clock>) -> Result<Self, LoadError> {
        let policy = match policy_versions::newest(&database).await? {
            Some(saved) => compile(&saved)?,
            None => Policy::empty(),
        };
        let (holds, _) = watch::channel(Arc::new(policy));
        let (saving, past, managed_by) = (tokio::sync::Mutex::new(()), Mutex::default(), Mutex::default());
        Ok(Self { database, holds, saving, past, managed_by, clock })
    }

    /// The policy that holds.
    pub(crate) fn current(&self) -> Arc<Policy> {
        Arc::clone(&self.holds.borrow())
    }

    /// Follows the policy that holds.
    pub(crate) fn subscribe(&self) -> watch::Receiver<Arc<Policy>> {
        self.holds.subscribe()
    }

    /// Saves a document as the next version and lets it hold. With `expected`, only if one of those versions holds.
    /// What already holds is not saved again. The policy that holds afterwards is returned.
    ///
    /// `change` makes the document of the one that holds, while nobody else can save.
    pub(crate) async fn save(
        &self,
        change: impl FnOnce(PolicyDocument) -> PolicyDocument,
        expected: Option<&[u64]>,
        caller: &Caller,
        comment: Option<String>,
    ) -> Result<Arc<Policy>, SaveError> {
        let _one_at_a_time = self.saving.lock().await;
        if let Some(ManagedBy { file, .. }) = self.managed_by() {
            return Err(SaveError::Managed { file });
        }
        let document = change(self.current().document());
        self.save_locked(document, expected, caller, comment).await
    }

    async fn save_locked(
        &self,
        document: PolicyDocument,
        expected: Option<&[u64]>,
        caller: &Caller,
        comment: Option<String>,
    ) -> Result<Arc<Policy>, SaveError> {
        let before = self.current();
        if expected.is_some_and(|versions| !versions.contains(&before.version())) {
            return Err(SaveError::Stale { current: before.version() });
        }
        let policy = Policy::validate(before.version() + 1, document).map_err(SaveError::Invalid)?;
        let document = policy.document();
        if document == before.document() {
            return Ok(before);
        }
        let now = self.clock.now();
        let changes = policy.difference_from(&before).changes.iter().map(ToString::to_string).collect();
        let saved = SavedVersion {
            version: policy.version(),
            saved_at: now,
            saved_by: caller.name.clone(),
            comment,
            changes,
            document: serde_json::to_string(&document).map_err(DatabaseError::of("write a policy"))?,
        };
        let failed = || DatabaseError::of::<sqlx::Error>("save a policy version");
        let mut transaction = self.database.begin_with("BEGIN IMMEDIATE").await.map_err(failed())?;
        policy_versions::add(&mut transaction, &saved).await?;
        let entry = audit::Entry::by(caller, "policy.saved").about(&format!("version {}", saved.version));
        audit::append(&mut *transaction, entry.saying(saved.changes.join("; ")), now).await?;
        transaction.commit().await.map_err(failed())?;
        let policy = Arc::new(policy);
        self.holds.send_replace(Arc::clone(&policy));
        self.remember(&before);
        tracing::info!(version = policy.version(), "policy saved");
        Ok(policy)
    }

    /// Applies the document of a configuration file if it differs from the one last applied from a file: what people
    /// changed since in the console is only overwritten by an edited file.
    pub(crate) async fn apply_file(&self, document: PolicyDocument, by: &str) -> Result<Arc<Policy>, SaveError> {
        let _one_at_a_time = self.saving.lock().await;
        let judged = Policy::validate(self.current().version() + 1, document).map_err(SaveError::Invalid)?.document();
        let text = serde_json::to_string(&judged).map_err(DatabaseError::of("write a policy"))?;
        if settings::read(&self.database, FROM_FILE).await?.as_deref() == Some(text.as_str()) {
            return Ok(self.current());
        }
        let policy = self.save_locked(judged, None, &file_caller(by), None).await?;
        // A crash before this line applies the file once more, which changes nothing.
        settings::write(&self.database, FROM_FILE, &text).await?;
        Ok(policy)
    }

    /// From now on only [`Policies::apply_managed`] changes the policy.
    pub(crate) fn manage_by(&self, file: &str) {
        let mut managed_by = self.managed_by.lock().unwrap_or_else(PoisonError::into_inner);
        *managed_by = Some(ManagedBy { file: file.to_owned(), problem: None });
    }

    /// The file that manages the policy, if one does.
    pub(crate) fn managed_by(&self) -> Option<ManagedBy> {
        self.managed_by.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Notes why what stands in the file does not hold, or that it does.
    pub(crate) fn note_file_problem(&self, problem: Option<String>) {
        if let Some(managed_by) = self.managed_by.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            managed_by.problem = problem;
        }
    }

    /// Lets hold what the file that manages the policy says.
    pub(crate) async fn apply_managed(&self, document: PolicyDocument) -> Result<Arc<Policy>, SaveError> {
        let _one_at_a_time = self.saving.lock().await;
        let policy = self.save_locked(document, None, &file_caller("policy file"), None).await?;
        self.note_file_problem(None);
        Ok(policy)
    }

    /// A version ready for use; none when this hub does not know it or it is not valid any more.
    pub(crate) async fn version(&self, version: u64) -> Result<Option<Arc<Policy>>, DatabaseError> {
        let current = self.current();
        if version == current.version() {
            return Ok(Some(current));
        }
        if version == 0 {
            return Ok(Some(Arc::new(Policy::empty())));
        }
        let remembered = self.past.lock().unwrap_or_else(PoisonError::into_inner).get(&version).cloned();
        if remembered.is_some() {
            return Ok(remembered);
        }
        let Some(saved) = policy_versions::read(&self.database, version).await? else { return Ok(None) };
        match compile(&saved) {
            Ok(policy) => {
                let policy = Arc::new(policy);
                self.remember(&policy);
                Ok(Some(policy))
            }
            Err(error) => {
                tracing::warn!(%error, "a past policy cannot be read any more");
                Ok(None)
            }
        }
    }

    fn remember(&self, policy: &Arc<Policy>) {
        let mut past = self.past.lock().unwrap_or_else(PoisonError::into_inner);
        past.insert(policy.version(), Arc::clone(policy));
        // Recent versions grouped most of what is stored.
        while past.len() > REMEMBERED {
            past.pop_first();
        }
    }

    /// Who saved a version and when; none for version 0 and unknown ones.
    pub(crate) async fn saved(&self, version: u64) -> Result<Option<SavedVersion>, DatabaseError> {
        policy_versions::read(&self.database, version).await
    }

    /// How many versions there are, and those below `before`, newest first.
    pub(crate) async fn versions(
        &self,
        before: Option<u64>,
        limit: u32,
    ) -> Result<(u64, Vec<SavedVersion>), DatabaseError> {
        policy_versions::list(&self.database, before, limit).await
    }
}

/// A file as the one who saves, by the name that stands in the history.
fn file_caller(by: &str) -> Caller {
    let (kind, name) = (CallerKind::File, by.to_owned());
    Caller { kind, person: None, name, role: Role::Admin, expires_at: None, address: None }
}

fn compile(saved: &SavedVersion) -> Result<Policy, StoredPolicyError> {
    let version = saved.version;
    let document: PolicyDocument = serde_json::from_str(&saved.document)
        .map_err(|error| StoredPolicyError { version, reason: error.to_string() })?;
    Policy::validate(version, document)
        .map_err(|errors| StoredPolicyError { version, reason: SaveError::sentence(&errors) })
}
