//! Where the installation's secrets are kept: one small file, readable by its owner only. The newest secret hashes; former
//! ones stay for as long as something is stored that they hashed, so that it can still be found by its clear value.
//!
//! The file is replaced as a whole or not at all. Nothing here prints a secret, and no error holds any of the content.

use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use threadline_model::Timestamp;

use crate::secret::{InstallationSecret, hexadecimal};
use crate::secret_error::SecretError;

/// First words of the file: of the form that is written, and of the one before, which held one secret.
pub(crate) const FORMAT: &str = "threadline-secret-v2";
const FIRST_FORMAT: &str = "threadline-secret-v1";

/// Most former secrets: four a year for as long as anything can be kept.
pub(crate) const MOST_FORMER: usize = 63;
/// Longer than any valid file, so that a longer one is noticed.
const LONGEST: u64 = 8 * 1024;
/// Stands where a former secret has not ended.
const IN_USE: &str = "in-use";

/// The secrets of one installation.
#[derive(Clone, Debug)]
pub struct InstallationSecrets {
    newest: InstallationSecret,
    /// Newest first.
    former: Vec<FormerSecret>,
}

/// A secret that was replaced.
#[derive(Clone, Debug)]
struct FormerSecret {
    secret: InstallationSecret,
    /// Since when nothing is hashed with it. None until a process started with the newer one: one that was running when
    /// it was replaced goes on with it.
    ended: Option<Timestamp>,
}

impl InstallationSecrets {
    /// Reads the file at `path`; creates it, mode 0600, if there is none. Of several processes that start at once,
    /// one creates it and all get the same secret; a crash never leaves half a file under this name.
    ///
    /// # Errors
    /// See [`SecretError`]; an existing file is never changed.
    pub fn load_or_create(path: &Path) -> Result<Self, SecretError> {
        match Self::load(path)? {
            Some(secrets) => Ok(secrets),
            None => {
                create(path)?;
                let missing = || SecretError::Read { path: path.into(), source: io::ErrorKind::NotFound.into() };
                Self::load(path)?.ok_or_else(missing)
            }
        }
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
        let mut content = Vec::with_capacity(256);
        file.take(LONGEST).read_to_end(&mut content).map_err(unreadable)?;
        parse(&content).map(Some).ok_or_else(|| SecretError::Malformed { path: path.into() })
    }

    /// As [`load_or_create`](Self::load_or_create), for the one process that hashes what will be stored: former secrets
    /// that were in use until then have ended `now`.
    ///
    /// # Errors
    /// See [`SecretError`].
    pub fn take_up(path: &Path, now: Timestamp) -> Result<Self, SecretError> {
        let read = Self::load_or_create(path)?;
        if read.former.iter().all(|former| former.ended.is_some()) {
            return Ok(read);
        }
        let lock = open_directory(path).and_then(|directory| directory.lock().map(|()| directory));
        let _lock = lock.map_err(|source| SecretError::Replace { path: path.into(), source })?;
        let mut secrets = Self::load_or_create(path)?;
        for former in &mut secrets.former {
            former.ended.get_or_insert(now);
        }
        secrets.replace(path)?;
        Ok(secrets)
    }

    /// Puts a new secret before the others in the file at `path`, and forgets former ones that ended more than
    /// `kept_micros` before `now`. A process that runs goes on with what it read. The file has its mode and owner again, and is
    /// either the old one or the new one whatever happens meanwhile.
    ///
    /// # Errors
    /// See [`SecretError`]; the file is as it was then.
    pub fn rotate(path: &Path, now: Timestamp, kept_micros: i64) -> Result<Self, SecretError> {
        let replacing = |source| SecretError::Replace { path: path.into(), source };
        let missing = || SecretError::Missing { path: path.into() };
        // Before the folder is looked for: it may be missing too.
        Self::load(path)?.ok_or_else(missing)?;
        let directory = open_directory(path).map_err(replacing)?;
        directory.try_lock().map_err(|refused| match refused {
            TryLockError::WouldBlock => SecretError::Busy { path: path.into() },
            TryLockError::Error(source) => replacing(source),
        })?;
        let mut secrets = Self::load(path)?.ok_or_else(missing)?;
        secrets.former.retain(|former| former.is_valid(now, kept_micros));
        if secrets.former.len() >= MOST_FORMER {
            return Err(SecretError::TooMany { path: path.into() });
        }
        let former = std::mem::replace(&mut secrets.newest, InstallationSecret::generate()?);
        secrets.former.insert(0, FormerSecret { secret: former, ended: None });
        secrets.replace(path)?;
        Ok(secrets)
    }

    /// The secret that hashes.
    pub fn newest(&self) -> &InstallationSecret {
        &self.newest
    }

    /// Every secret that something may be hashed with that is kept for `kept_micros`, newest first.
    pub fn valid(&self, now: Timestamp, kept_micros: i64) -> impl Iterator<Item = &InstallationSecret> {
        let former = self.former.iter().filter(move |former| former.is_valid(now, kept_micros));
        std::iter::once(&self.newest).chain(former.map(|former| &former.secret))
    }

    /// Whether a secret with this fingerprint was replaced.
    pub fn was_replaced(&self, fingerprint: &str) -> bool {
        self.former.iter().any(|former| former.secret.fingerprint() == fingerprint)
    }

    fn write(&self) -> String {
        let mut content = format!("{FORMAT}\nnewest {}\n", self.newest.to_digits());
        for FormerSecret { secret, ended } in &self.former {
            let ended = ended.map_or_else(|| IN_USE.to_owned(), |ended| ended.micros().to_string());
            // Writing to a String cannot fail.
            let _ = writeln!(content, "former {} {ended}", secret.to_digits());
        }
        content
    }

    /// Writes a complete file beside `path` and renames it. Only for who holds the lock, so that one name will do.
    fn replace(&self, path: &Path) -> Result<(), SecretError> {
        let replace = || {
            let next = beside(path, ".next")?;
            match fs::remove_file(&next) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                // Of one that was killed.
                _ => {}
            }
            let file = write_new(&next, &self.write())?;
            keep_owner(path, &file)?;
            fs::rename(&next, path)?;
            open_directory(path)?.sync_all()
        };
        replace().map_err(|source| SecretError::Replace { path: path.into(), source })
    }
}

impl FormerSecret {
    fn is_valid(&self, now: Timestamp, kept_micros: i64) -> bool {
        self.ended.is_none_or(|ended| now.micros() < ended.micros().saturating_add(kept_micros))
    }
}

/// Writes a complete file beside `path` and links it there. A link, unlike a rename, does not replace a file that another
/// process put there meanwhile.
fn create(path: &Path) -> Result<(), SecretError> {
    let mut suffix = [0_u8; 8];
    getrandom::fill(&mut suffix).map_err(|error| SecretError::Random(io::Error::other(error)))?;
    let secrets = InstallationSecrets { newest: InstallationSecret::generate()?, former: Vec::new() };
    let create = || {
        let temporary = beside(path, &format!(".new-{}", hexadecimal(&suffix)))?;
        let linked = write_new(&temporary, &secrets.write()).and_then(|_| match fs::hard_link(&temporary, path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
            _ => Ok(()),
        });
        let removed = fs::remove_file(&temporary);
        linked.and(removed)?;
        // The name must survive a power cut as well as the content.
        open_directory(path)?.sync_all()
    };
    create().map_err(|source| SecretError::Create { path: path.into(), source })
}

/// The folder of a file.
fn directory_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// The folder, to lock it or to make its names last.
fn open_directory(path: &Path) -> io::Result<File> {
    File::open(directory_of(path))
}

/// A file with a longer name in the same folder.
fn beside(path: &Path, suffix: &str) -> io::Result<PathBuf> {
    let mut name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_os_string();
    name.push(suffix);
    Ok(directory_of(path).join(name))
}

fn write_new(path: &Path, content: &str) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(content.as_bytes())?;
    file.sync_all()?;
    Ok(file)
}

/// An administrator may rotate the secret of a service that runs as somebody else, who must be able to read it.
#[cfg(unix)]
fn keep_owner(path: &Path, file: &File) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt;

    let (old, new) = (fs::metadata(path)?, file.metadata()?);
    if (old.uid(), old.gid()) != (new.uid(), new.gid()) {
        std::os::unix::fs::fchown(file, Some(old.uid()), Some(old.gid()))?;
    }
    Ok(())
}

#[cfg(not(unix))]
fn keep_owner(_: &Path, _: &File) -> io::Result<()> {
    Ok(())
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

fn parse(content: &[u8]) -> Option<InstallationSecrets> {
    let content = std::str::from_utf8(content).ok()?;
    if let Some(digits) = content.strip_prefix(FIRST_FORMAT).and_then(|rest| rest.strip_prefix(' ')) {
        let newest = InstallationSecret::from_digits(digits.strip_suffix('\n').unwrap_or(digits))?;
        return Some(InstallationSecrets { newest, former: Vec::new() });
    }
    // A file that ends within a line was cut.
    let mut lines = content.strip_suffix('\n')?.split('\n');
    if lines.next() != Some(FORMAT) {
        return None;
    }
    let newest = InstallationSecret::from_digits(lines.next()?.strip_prefix("newest ")?)?;
    let former: Option<Vec<FormerSecret>> = lines.map(former).collect();
    let former = former.filter(|former| former.len() <= MOST_FORMER)?;
    Some(InstallationSecrets { newest, former })
}

fn former(line: &str) -> Option<FormerSecret> {
    let (digits, ended) = line.strip_prefix("former ")?.split_once(' ')?;
    let ended = match ended {
        IN_USE => None,
        micros => Some(Timestamp::from_micros(micros.parse().ok()?)),
    };
    Some(FormerSecret { secret: InstallationSecret::from_digits(digits)?, ended })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::os::unix::fs::PermissionsExt;
    use std::sync::Barrier;

    use super::*;

    const NOON: Timestamp = Timestamp::from_micros(1_795_435_200_000_000);
    const DAY: i64 = 86_400_000_000;

    fn after(days: i64) -> Timestamp {
        Timestamp::from_micros(NOON.micros() + days * DAY)
    }

    fn fingerprints<'a>(secrets: impl Iterator<Item = &'a InstallationSecret>) -> Vec<String> {
        secrets.map(InstallationSecret::fingerprint).collect()
    }

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
        let secret = "ab".repeat(32);
        let first = format!("{FIRST_FORMAT} {secret}\n");
        let whole = format!("{FORMAT}\nnewest {secret}\nformer {secret} in-use\nformer {secret} 17\n");
        let broken = [
            "".to_owned(),
            "canary".to_owned(),
            first[..80].to_owned(),
            first.replace('b', "x"),
            format!("{first}{first}"),
            format!("{FORMAT}\n"),
            format!("{FORMAT} {secret}\n"),
            whole[..whole.len() - 1].to_owned(),
            whole.replace('b', "é"),
            whole.replace("newest", "former"),
            whole.replace("17", "soon"),
            whole.replace("in-use", ""),
            format!("{whole}\n"),
            format!("{whole}{}", format!("former {secret} 1\n").repeat(MOST_FORMER)),
            format!("{whole}{}", " ".repeat(100_000)),
        ];
        for damaged in &broken {
            fs::write(&path, damaged).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
            let error = InstallationSecret::load_or_create(&path).unwrap_err();
            assert!(matches!(error, SecretError::Malformed { .. }), "{error}");
            assert!(!format!("{error:?} {error}").contains("canary"));
            assert!(InstallationSecrets::rotate(&path, NOON, DAY).is_err());
            assert!(InstallationSecrets::take_up(&path, NOON).is_err());
            assert_eq!(fs::read_to_string(&path).unwrap(), *damaged);
        }
        fs::write(&path, whole).unwrap();
        assert_eq!(InstallationSecrets::load(&path).unwrap().unwrap().former.len(), 2);
    }

    #[test]
    fn a_file_of_the_first_form_is_read_and_written_in_the_second_when_it_is_rotated() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secret");
        // As version 0.1.0 wrote it.
        fs::write(&path, format!("threadline-secret-v1 {}\n", "7".repeat(64))).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let first = InstallationSecrets::take_up(&path, NOON).unwrap().newest().fingerprint();
        assert!(fs::read_to_string(&path).unwrap().starts_with(FIRST_FORMAT), "taking up alone changes nothing");
        let rotated = InstallationSecrets::rotate(&path, NOON, DAY).unwrap();
        let read = InstallationSecrets::load(&path).unwrap().unwrap();
        assert_eq!(fingerprints(read.valid(NOON, DAY)), fingerprints(rotated.valid(NOON, DAY)));
        assert_eq!(fingerprints(read.valid(NOON, DAY))[1..], [first]);
    }

    #[test]
    fn former_secrets_stay_for_as_long_as_something_is_kept_that_they_hashed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secret");
        let kept = 7 * DAY;
        assert!(matches!(InstallationSecrets::rotate(&path, NOON, kept), Err(SecretError::Missing { .. })));
        assert!(!path.exists());
        let first = InstallationSecrets::load_or_create(&path).unwrap().newest().fingerprint();
        let second = InstallationSecrets::rotate(&path, NOON, kept).unwrap().newest().fingerprint();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o600);
        assert_ne!(first, second);

        // Whoever runs goes on with the first: it ends when somebody starts with the second.
        let running = InstallationSecrets::load(&path).unwrap().unwrap();
        assert_eq!(fingerprints(running.valid(after(1_000), kept)), [&*second, &*first]);
        assert!(running.was_replaced(&first) && !running.was_replaced(&second));
        let started = InstallationSecrets::take_up(&path, after(3)).unwrap();
        assert_eq!(started.newest().fingerprint(), second);
        assert_eq!(fingerprints(started.valid(after(9), kept)), [&*second, &*first]);
        assert_eq!(fingerprints(started.valid(after(10), kept)), [&*second]);
        let again = InstallationSecrets::take_up(&path, after(5)).unwrap();
        assert_eq!(fingerprints(again.valid(after(10), kept)), [&*second], "it ended once");

        // What nothing is hashed with any more is forgotten by the next rotation.
        let third = InstallationSecrets::rotate(&path, after(9), kept).unwrap();
        assert_eq!(fingerprints(third.valid(after(9), kept))[1..], [&*second, &*first]);
        let fourth = InstallationSecrets::rotate(&path, after(10), kept).unwrap();
        assert_eq!(fingerprints(fourth.valid(NOON, kept))[1..], [third.newest().fingerprint(), second]);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "nothing else is left");
    }

    #[test]
    fn one_rotation_at_a_time_and_no_more_than_the_file_holds() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secret");
        InstallationSecrets::load_or_create(&path).unwrap();
        let other = open_directory(&path).unwrap();
        other.lock().unwrap();
        assert!(matches!(InstallationSecrets::rotate(&path, NOON, DAY), Err(SecretError::Busy { .. })));
        drop(other);
        for _ in 0..MOST_FORMER {
            InstallationSecrets::rotate(&path, NOON, DAY).unwrap();
        }
        let full = fs::read(&path).unwrap();
        assert!((full.len() as u64) < LONGEST);
        assert!(matches!(InstallationSecrets::rotate(&path, NOON, DAY), Err(SecretError::TooMany { .. })));
        assert_eq!(fs::read(&path).unwrap(), full);
        InstallationSecrets::take_up(&path, NOON).unwrap();
        InstallationSecrets::rotate(&path, after(1), DAY).unwrap();
    }

    #[test]
    fn what_a_killed_rotation_left_is_replaced_and_readers_never_see_half_a_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secret");
        InstallationSecrets::load_or_create(&path).unwrap();
        fs::write(directory.path().join("secret.next"), "threadline-secret-v2\nnewest abab").unwrap();
        std::thread::scope(|scope| {
            let rotating = scope.spawn(|| {
                for _ in 0..MOST_FORMER {
                    InstallationSecrets::rotate(&path, NOON, DAY).unwrap();
                }
            });
            let mut most = 0;
            while !rotating.is_finished() {
                let read = InstallationSecrets::load(&path).unwrap().unwrap().former.len();
                assert!(read >= most, "{read} after {most}");
                most = read;
            }
        });
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "nothing else is left");
    }
}
