//! The policy managed by a file: applied at the start, then followed. A changed file that is good becomes a version; one
//! that is not is reported and replaces nothing. The file is only read.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use threadline_hub::{Hub, SaveError};

use crate::policy_file::{self, PolicyFileError};

/// How often the file is looked at. What is new in it counts when the next look finds it too: a file that is being
/// written may be a policy at every line, with masks missing.
const EVERY: Duration = Duration::from_millis(500);
/// A file that was written this long ago is only read again when it looks different: within one tick of a file system's
/// clock it may change without looking so.
const SETTLED: Duration = Duration::from_secs(2);

/// Why the file cannot manage the policy.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ManagedPolicyError {
    #[error(transparent)]
    File(#[from] PolicyFileError),
    #[error("the policy of the file could not be saved")]
    Save(#[source] SaveError),
}

/// How a file looks without being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Look {
    modified: SystemTime,
    bytes: u64,
    inode: u64,
}

impl Look {
    fn at(path: &Path) -> Option<Self> {
        let metadata = std::fs::metadata(path).ok()?;
        #[cfg(unix)]
        let inode = std::os::unix::fs::MetadataExt::ino(&metadata);
        #[cfg(not(unix))]
        let inode = 0;
        Some(Self { modified: metadata.modified().ok()?, bytes: metadata.len(), inode })
    }

    fn is_settled(&self) -> bool {
        self.modified.elapsed().is_ok_and(|age| age > SETTLED)
    }
}

/// A file that is followed.
pub(crate) struct ManagedPolicy {
    hub: Hub,
    file: PathBuf,
    look: Option<Look>,
    /// What was read last; none when it could not be read or saved, so that it is tried again.
    text: Option<String>,
    /// What the last look found that is new.
    new: Option<String>,
    /// What was reported last.
    problem: Option<String>,
}

impl ManagedPolicy {
    /// Lets the policy of the file hold.
    ///
    /// # Errors
    /// The file is no policy, or it could not be saved.
    pub(crate) async fn start(hub: Hub, file: PathBuf) -> Result<Self, ManagedPolicyError> {
        let text = policy_file::read_text(&file)?;
        let document = policy_file::judge(&file, &text)?;
        hub.manage_policy_by(&file.display().to_string());
        hub.apply_managed_policy(document).await.map_err(ManagedPolicyError::Save)?;
        Ok(Self { hub, file, look: None, text: Some(text), new: None, problem: None })
    }

    /// Follows the file for as long as this is polled.
    pub(crate) async fn follow(mut self) {
        loop {
            tokio::time::sleep(EVERY).await;
            self.look().await;
        }
    }

    async fn look(&mut self) {
        let (file, before) = (self.file.clone(), self.look);
        // Files may lie on a network: work for a blocking thread.
        let read = tokio::task::spawn_blocking(move || {
            let look = Look::at(&file);
            if look.is_some() && look == before {
                return None;
            }
            Some((look.filter(Look::is_settled), policy_file::read_text(&file)))
        });
        // A panic has been reported where it happened.
        let Ok(Some((look, read))) = read.await else { return };
        self.look = look;
        let text = match read {
            Ok(text) => text,
            Err(error) => {
                self.text = None;
                return self.report(error.without_values());
            }
        };
        if self.text.as_ref() == Some(&text) {
            self.new = None;
            return;
        }
        if self.new.as_ref() != Some(&text) {
            (self.new, self.look) = (Some(text), None);
            return;
        }
        match policy_file::judge(&self.file, &text) {
            Ok(document) => match self.hub.apply_managed_policy(document).await {
                Ok(policy) => {
                    tracing::info!(version = policy.version(), "the policy file is in force");
                    (self.text, self.problem) = (Some(text), None);
                }
                Err(error) => {
                    (self.text, self.look) = (None, None);
                    tracing::error!(error = &error as &dyn std::error::Error, "the policy file could not be saved");
                    self.report("it could not be saved; the log of the hub says why".to_owned());
                }
            },
            Err(error) => {
                self.text = Some(text);
                self.report(error.without_values());
            }
        }
    }

    fn report(&mut self, reason: String) {
        if self.problem.as_ref() == Some(&reason) {
            return;
        }
        tracing::warn!(file = %self.file.display(), reason, "the policy file is not used; the policy from before stays");
        let sentence = format!(
            "The policy file is not used, the policy from before stays: {reason}. `threadline policy validate` says more."
        );
        self.hub.note_policy_file_problem(Some(sentence));
        self.problem = Some(reason);
    }
}
