//! The installation's secret: one small file from which the keys of session IDs and parameter hashes are derived.
//!
//! Whoever holds it can test guesses against exported hashes, so it stays with the nodes, is readable by its owner
//! only, and is never printed. Nothing here hashes a captured value.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use crate::hash::{ParameterHashKey, SessionHashKey};

/// First word of the file; a later format gets another.
const FORMAT: &str = "threadline-secret-v1";

/// Contexts of key derivation (BLAKE3's `derive_key`): they must never change, or every session ID would.
const SESSION_CONTEXT: &str = "threadline 2026-11 session identifiers";
const PARAMETER_CONTEXT: &str = "threadline 2026-11 parameter hashes";
const FINGERPRINT_CONTEXT: &str = "threadline 2026-11 secret fingerprint";

/// 32 random bytes, made once for an installation.
pub struct InstallationSecret([u8; 32]);

impl fmt::Debug for InstallationSecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("InstallationSecret(redacted)")
    }
}

/// Why there is no secret to work with. Never holds any of the file's content.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The file cannot be read.
    #[error("the secret file {path} cannot be read")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The file cannot be created.
    #[error("the secret file {path} cannot be created")]
    Create {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Other users may read or change the file.
    #[error("the secret file {path} is open to other users (mode {mode:04o}); run `chmod 600 {path}`")]
    TooOpen {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file is something else. It is left as it is: a new secret would give every session another ID.
    #[error(
        "{path} is not a secret file of Threadline (`{FORMAT}` and 64 hexadecimal digits); restore it from a backup, \
         or remove it to get a new one, which gives all sessions new IDs"
    )]
    Malformed {
        /// The file.
        path: PathBuf,
    },
    /// The system gave no random bytes.
    #[error("the system's random number generator failed")]
    Random(#[source] io::Error),
}

impl InstallationSecret {
    /// Reads the file at `path`; creates it, mode 0600, if there is none. Of several processes that start at once,
    /// one creates it and all get the same secret; a crash never leaves half a file under this name.
    ///
    /// # Errors
    /// See [`SecretError`]; an existing file is never changed.
    pub fn load_or_create(path: &Path) -> Result<Self, SecretError> {
        match Self::load(path)? {
            Some(secret) => Ok(secret),
            None => {
                Self::create(path)?;
                let missing = || SecretError::Read { path: path.into(), source: io::ErrorKind::NotFound.into() };
                Self::load(path)?.ok_or_else(missing)
            }
        }
    }

    /// The key of session IDs.
    pub fn session_key(&self) -> SessionHashKey {
        SessionHashKey::new(blake3::derive_key(SESSION_CONTEXT, &self.0))
    }

    /// The key of exported parameter hashes; unrelated to the other, so a hash never equals a session ID.
    pub fn parameter_key(&self) -> ParameterHashKey {
        ParameterHashKey::new(blake3::derive_key(PARAMETER_CONTEXT, &self.0))
    }

    /// Tells two secrets apart and says nothing else about them: 16 hexadecimal digits of a key derived for this alone.
    pub fn fingerprint(&self) -> String {
        hexadecimal(&blake3::derive_key(FINGERPRINT_CONTEXT, &self.0)[..8])
    }

    /// Reads the file at `path`; `None` if there is none.
    ///
    /// # Errors
    /// See [`SecretError`].
    pub fn load(path: &Path) -> Result<Option<Self>, SecretError> {
        let unreadable = |source| SecretError::Read { path: path.into(), source };
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unreadable(error)),
        };
        refuse_open_permissions(path, &file)?;
        let mut content = Vec::with_capacity(128);
        // Longer than any valid file, so that a longer one is noticed.
        file.take(128).read_to_end(&mut content).map_err(unreadable)?;
        parse(&content).map(|bytes| Some(Self(bytes))).ok_or_else(|| SecretError::Malformed { path: path.into() })
    }

    /// Writes a complete file beside `path` and links it there. A link, unlike a rename, does not replace a file
    /// that another process put there meanwhile.
    fn create(path: &Path) -> Result<(), SecretError> {
        let mut random = [0_u8; 40];
        getrandom::fill(&mut random).map_err(|error| SecretError::Random(io::Error::other(error)))?;
        let (secret, suffix) = random.split_at(32);
        let failed = |source| SecretError::Create { path: path.into(), source };
        let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let name = path.file_name().ok_or_else(|| failed(io::ErrorKind::InvalidInput.into()))?;
        let mut temporary_name = name.to_os_string();
        temporary_name.push(format!(".new-{}", hexadecimal(suffix)));
        let temporary = directory.join(temporary_name);

        let written = write_new(&temporary, &format!("{FORMAT} {}\n", hexadecimal(secret)));
        let linked = written.and_then(|()| match fs::hard_link(&temporary, path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
            _ => Ok(()),
        });
        let removed = fs::remove_file(&temporary);
        linked.map_err(failed)?;
        removed.map_err(failed)?;
        // The name must survive a power cut as well as the content.
        File::open(directory).and_then(|directory| directory.sync_all()).map_err(failed)
    }
}

fn write_new(path: &Path, content: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(content.as_bytes())?;
    file.sync_all()
}

#[cfg(unix)]
fn refuse_open_permissions(path: &Path, file: &File) -> Result<(), SecretError> {
    use std::os::unix::fs::PermissionsExt;

    let metadata = file.metadata().map_err(|source| SecretError::Read { path: path.into(), source })?;
    let mode = metadata.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(SecretError::TooOpen { path: path.into(), mode });
    }
    Ok(())
}

#[cfg(not(unix))]
fn refuse_open_permissions(_: &Path, _: &File) -> Result<(), SecretError> {
    Ok(())
}

fn parse(content: &[u8]) -> Option<[u8; 32]> {
    let digits = content.strip_prefix(FORMAT.as_bytes())?.strip_prefix(b" ")?;
    let digits = digits.strip_suffix(b"\n").unwrap_or(digits);
    let mut bytes = [0_u8; 32];
    if digits.len() != 64 {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let value = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
        *byte = value(pair[0])? << 4 | value(pair[1])?;
    }
    Some(bytes)
}

fn hexadecimal(bytes: &[u8]) -> String {
    use fmt::Write as _;

    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::os::unix::fs::PermissionsExt;
    use std::sync::Barrier;

    use super::*;

    fn session_of(secret: &InstallationSecret) -> String {
        secret.session_key().session(crate::Namespace::Shared, &[b"value"]).to_string()
    }

    #[test]
    fn is_created_once_and_read_again() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secret");
        let created = InstallationSecret::load_or_create(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o600);
        let loaded = InstallationSecret::load_or_create(&path).unwrap();
        assert_eq!(session_of(&created), session_of(&loaded));
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "no temporary file is left");
        let other = InstallationSecret::load_or_create(&directory.path().join("other")).unwrap();
        assert_ne!(session_of(&created), session_of(&other));
    }

    #[test]
    fn fingerprints_are_equal_for_equal_secrets_only() {
        let [one, same, other] = [7, 7, 8].map(|byte| InstallationSecret([byte; 32]).fingerprint());
        assert_eq!(one, same);
        assert_ne!(one, other);
        assert_eq!(one.len(), 16);
        let keys = [SESSION_CONTEXT, PARAMETER_CONTEXT].map(|context| blake3::derive_key(context, &[7; 32]));
        assert!(keys.iter().all(|key| !hexadecimal(key).contains(&one)), "it is part of no key");
        let missing = tempfile::tempdir().unwrap().path().join("secret");
        assert!(InstallationSecret::load(&missing).unwrap().is_none());
        assert!(!missing.exists(), "loading creates nothing");
    }

    #[test]
    fn processes_that_start_together_share_one_secret() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secret");
        let barrier = Barrier::new(8);
        let sessions: Vec<String> = std::thread::scope(|scope| {
            let start = || {
                barrier.wait();
                session_of(&InstallationSecret::load_or_create(&path).unwrap())
            };
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(start)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(sessions.iter().all(|session| *session == sessions[0]), "{sessions:?}");
    }

    #[test]
    fn a_file_that_others_may_read_is_refused_with_advice() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secret");
        InstallationSecret::load_or_create(&path).unwrap();
        for mode in [0o644, 0o640, 0o601, 0o620] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let error = InstallationSecret::load_or_create(&path).unwrap_err().to_string();
            assert!(error.contains(&format!("chmod 600 {}", path.display())), "{error}");
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
        InstallationSecret::load_or_create(&path).unwrap();
    }

    #[test]
    fn a_damaged_file_is_refused_and_kept() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secret");
        let whole = format!("{FORMAT} {}\n", "ab".repeat(32));
        for damaged in ["", "canary", &whole[..80], &whole.replace('b', "x"), &format!("{whole}{whole}")] {
            fs::write(&path, damaged).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
            let error = InstallationSecret::load_or_create(&path).unwrap_err();
            assert!(matches!(error, SecretError::Malformed { .. }), "{error}");
            assert!(!format!("{error:?} {error}").contains("canary"));
            assert_eq!(fs::read_to_string(&path).unwrap(), damaged);
        }
        fs::write(&path, whole).unwrap();
        InstallationSecret::load_or_create(&path).unwrap();
    }

    #[test]
    fn debug_and_display_show_no_secret() {
        let secret = InstallationSecret([0xab; 32]);
        let shown = format!("{secret:?} {:?} {:?}", secret.session_key(), secret.parameter_key());
        assert!(!shown.contains("ab, ab") && !shown.contains("171") && shown.contains("redacted"), "{shown}");
    }
}
