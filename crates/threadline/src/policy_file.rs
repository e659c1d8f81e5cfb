//! A policy in a file of its own: read, judged with the line of each mistake, and followed where it manages the policy of
//! a hub. The file is its author's: nothing here writes it.

use std::fmt;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use threadline_hub::{Hub, SaveError};
use threadline_policy::{FieldError, Policy, PolicyDocument};

use crate::configuration::line_of;

/// A policy file may hold at most this many bytes.
pub(crate) const MAXIMUM_BYTES: usize = 1 << 20;
/// How often a file that manages the policy is looked at. What changed is read once it looks the same twice: a file that
/// is being written may be YAML at every line, with masks missing.
const LOOKED_AT: Duration = Duration::from_millis(300);
/// Who stands in the history for what a managing file says.
const AUTHOR: &str = "policy file";

/// Why a file is no policy.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PolicyFileError {
    /// It could not be opened or read.
    #[error("cannot read {}", path.display())]
    Read {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    /// More than [`MAXIMUM_BYTES`].
    #[error("{} is larger than 1 MiB; a policy is not", path.display())]
    TooLarge { path: PathBuf },
    /// Not YAML, or not the keys and types of a policy. The message names line, column and key.
    #[error("{}: {message}", path.display())]
    Malformed { path: PathBuf, message: String },
    /// Fields that cannot be accepted.
    #[error("{}: the policy cannot be used:{}", path.display(), Lines(.mistakes))]
    Invalid { path: PathBuf, mistakes: Vec<Mistake> },
    /// The hub did not take it.
    #[error("the policy was not saved")]
    Save(#[source] SaveError),
}

/// A field that cannot be accepted, and where it stands.
#[derive(Debug)]
pub(crate) struct Mistake {
    line: Option<usize>,
    error: FieldError,
}

struct Lines<'m>(&'m [Mistake]);

impl fmt::Display for Lines<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Mistake { line, error } in self.0 {
            formatter.write_str("\n  ")?;
            if let Some(line) = line {
                write!(formatter, "line {line}: ")?;
            }
            write!(formatter, "{}: {}", error.field, error.reason)?;
        }
        Ok(())
    }
}

/// Reads a policy as written. `-` is standard input.
pub(crate) fn read(path: &Path) -> Result<PolicyDocument, PolicyFileError> {
    let text = if path == Path::new("-") {
        bounded(path, std::io::stdin().lock())?
    } else {
        bounded(path, std::fs::File::open(path).map_err(|source| PolicyFileError::Read { path: path.into(), source })?)?
    };
    parse(path, &text)
}

/// Judges the text of a file.
fn parse(path: &Path, text: &str) -> Result<PolicyDocument, PolicyFileError> {
    let document: PolicyDocument = serde_saphyr::from_str(text)
        .map_err(|error| PolicyFileError::Malformed { path: path.into(), message: error.to_string() })?;
    match Policy::validate(1, document.clone()) {
        Ok(_) => Ok(document),
        Err(errors) => {
            let place = |error: FieldError| Mistake { line: line_of(text, &error.field), error };
            Err(PolicyFileError::Invalid { path: path.into(), mistakes: errors.into_iter().map(place).collect() })
        }
    }
}

fn bounded(path: &Path, source: impl std::io::Read) -> Result<String, PolicyFileError> {
    let mut text = String::new();
    let read = source.take(MAXIMUM_BYTES as u64 + 1).read_to_string(&mut text);
    read.map_err(|source| PolicyFileError::Read { path: path.into(), source })?;
    if text.len() > MAXIMUM_BYTES {
        return Err(PolicyFileError::TooLarge { path: path.into() });
    }
    Ok(text)
}

/// What tells that a file may hold something else than before, without reading it.
#[derive(Debug, PartialEq, Eq)]
struct Stamp {
    modified: Option<SystemTime>,
    bytes: u64,
    inode: u64,
}

impl Stamp {
    fn of(path: &Path) -> Option<Self> {
        let metadata = std::fs::metadata(path).ok()?;
        #[cfg(unix)]
        let inode = std::os::unix::fs::MetadataExt::ino(&metadata);
        #[cfg(not(unix))]
        let inode = 0;
        Some(Self { modified: metadata.modified().ok(), bytes: metadata.len(), inode })
    }
}

/// The file that manages the policy of a hub.
pub(crate) struct ManagingFile {
    path: PathBuf,
    hub: Hub,
    /// As it was when it was read.
    read: Option<Stamp>,
}

impl ManagingFile {
    /// Applies what the file says.
    ///
    /// # Errors
    /// When it cannot be read, is no policy, or could not be saved: a service does not start on half of its settings.
    pub(crate) async fn apply(path: PathBuf, hub: Hub) -> Result<Self, PolicyFileError> {
        let mut file = Self { path, hub, read: None };
        file.look().await?;
        Ok(file)
    }

    async fn look(&mut self) -> Result<(), PolicyFileError> {
        // Before reading: what is written meanwhile is seen by the next look.
        self.read = Stamp::of(&self.path);
        let path = self.path.clone();
        let document = match tokio::task::spawn_blocking(move || read(&path)).await {
            Ok(read) => read?,
            Err(panicked) => std::panic::resume_unwind(panicked.into_panic()),
        };
        self.hub.apply_managed_policy(document, AUTHOR).await.map_err(PolicyFileError::Save)?;
        Ok(())
    }

    /// Follows the file for ever. What is no policy is reported, and the good one holds on.
    pub(crate) async fn follow(mut self) {
        let mut again = false;
        let mut seen = Stamp::of(&self.path);
        loop {
            tokio::time::sleep(LOOKED_AT).await;
            let now = Stamp::of(&self.path);
            let at_rest = now == seen;
            let changed = now != self.read;
            seen = now;
            if !again && !(changed && at_rest) {
                continue;
            }
            let looked = self.look().await;
            // The state of the hub may be writable again later, with the same file.
            again = matches!(looked, Err(PolicyFileError::Save(_)));
            let problem = looked.err().map(|error| {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "the policy file does not hold; the policy before it does"
                );
                error.to_string()
            });
            self.hub.report_policy_file(problem);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn mistakes_have_their_lines_and_fields() {
        let path = Path::new("policy.yaml");
        let text = "# ours\nmasks:\n  - point: request > cookie a\nparameters:\n  - name: a\n    point: request > method\n  - name: a\n    point: request > uri\n";
        let message = parse(path, text).unwrap_err().to_string();
        assert!(message.contains("\n  line 3: masks[0].point: "), "{message}");
        assert!(message.contains("\n  line 7: parameters[1].name: "), "{message}");
        let message = parse(path, "parameters: []\nmask: []\n").unwrap_err().to_string();
        assert!(message.contains("mask") && message.contains("line 2"), "{message}");
    }

    #[test]
    fn a_large_file_is_refused_unread() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("policy.yaml");
        std::fs::write(&path, " ".repeat(MAXIMUM_BYTES + 1)).unwrap();
        assert!(matches!(read(&path), Err(PolicyFileError::TooLarge { .. })));
    }
}
