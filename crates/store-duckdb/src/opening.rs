//! What happens to a data directory before anybody may ask: it is locked, what a crash left behind is removed, what is
//! older than retention is deleted, and every other file is attached or, when it is damaged, moved aside.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use duckdb::Connection;
use threadline_model::Timestamp;

use crate::engine::{self, AttachError};
use crate::files::{FileKey, StoreFile, log_path};
use crate::retention::Retention;
use crate::settings::{DuckSettings, OpenError};

/// The file whose lock says that a process has the directory.
const LOCK: &str = "lock";

/// Ends the names of files moved aside.
const DAMAGED: &str = "damaged";

/// Stands in the names of files that are being made.
pub(crate) const STAGED: &str = ".new";

/// Words by which the engine says that the machine, not the file, is at fault. A file is moved aside for nothing of
/// this kind.
const NOT_DAMAGED: [&str; 7] = [
    "Could not set lock",
    "Permission denied",
    "No space left",
    "Read-only file system",
    "Too many open files",
    "Out of Memory",
    "newer version of DuckDB",
];

/// An opened directory.
pub(crate) struct Opened {
    pub(crate) lock: File,
    pub(crate) connection: Connection,
    pub(crate) files: Vec<StoreFile>,
    /// When the newest row was stored.
    pub(crate) ingested: Timestamp,
    /// Files moved aside.
    pub(crate) damaged: u64,
}

pub(crate) fn open(settings: &DuckSettings, retention: &Retention) -> Result<Opened, OpenError> {
    let directory = &settings.directory;
    for folder in [directory.clone(), directory.join(FileKey::folder(true)), directory.join(FileKey::folder(false))] {
        make_private(&folder).map_err(at(&folder))?;
    }
    let lock = lock(directory)?;
    let spill = directory.join("spill");
    if spill.exists() {
        fs::remove_dir_all(&spill).map_err(at(&spill))?;
    }
    let connection = engine::start(settings)?;
    let now = settings.clock.now();
    let mut opened = Opened { lock, connection, files: Vec::new(), ingested: Timestamp::from_micros(0), damaged: 0 };
    for live in [true, false] {
        for (key, generations) in list(&directory.join(FileKey::folder(live)), live)? {
            opened.open_day(directory, key, &generations, retention.is_over(key, now))?;
        }
    }
    Ok(opened)
}

impl Opened {
    /// Attaches the newest generation of a file that can be read. Older ones are what a crash left between showing
    /// the newer and deleting them; the newer holds all they hold.
    fn open_day(
        &mut self,
        directory: &Path,
        key: FileKey,
        generations: &BTreeSet<u32>,
        over: bool,
    ) -> Result<(), OpenError> {
        let mut attached = false;
        for generation in generations.iter().rev() {
            let path = key.path(directory, *generation);
            if over || attached {
                tracing::info!(file = %path.display(), over, "deleting a file that is over or was replaced");
                remove(&path).map_err(at(&path))?;
            } else {
                attached = self.attach(key, *generation, &path)?;
            }
        }
        Ok(())
    }

    /// Whether the file could be read; if not, it has been moved aside.
    fn attach(&mut self, key: FileKey, generation: u32, path: &Path) -> Result<bool, OpenError> {
        match engine::attach(&self.connection, key, generation, path) {
            Ok((file, ingested)) => {
                self.ingested = self.ingested.max(ingested);
                self.files.push(file);
                Ok(true)
            }
            Err(AttachError::Form(form)) => Err(OpenError::Form { path: path.to_owned(), form }),
            Err(AttachError::Engine(source)) if NOT_DAMAGED.iter().any(|words| source.to_string().contains(words)) => {
                Err(OpenError::Engine { operation: "open a file that is not damaged", source })
            }
            Err(AttachError::Engine(error)) => {
                // What cannot be read now may be whole: a disk that fails, a quota, a mount that went away.
                io::copy(&mut File::open(path).map_err(at(path))?, &mut io::sink()).map_err(at(path))?;
                let aside = move_aside(path).map_err(at(path))?;
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    file = %path.display(),
                    moved_to = %aside.display(),
                    "a day's file is damaged; it was moved aside and its exchanges are not shown",
                );
                self.damaged += 1;
                Ok(false)
            }
        }
    }
}

/// Makes a folder that nobody but its owner can enter, and makes one that is there so: what is in it is as worth
/// keeping from others as the secret beside it.
pub(crate) fn make_private(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}

/// Deletes a database file with everything the engine keeps beside it.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    for file in beside(path)? {
        fs::remove_file(file)?;
    }
    Ok(())
}

fn lock(directory: &Path) -> Result<File, OpenError> {
    let path = directory.join(LOCK);
    let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(at(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse { path: directory.to_owned() }),
        Err(TryLockError::Error(error)) => Err(at(&path)(error)),
    }
}

/// The database files of a folder with their generations, oldest day first. Files that a crash left half made are
/// removed on the way.
fn list(folder: &Path, live: bool) -> Result<BTreeMap<FileKey, BTreeSet<u32>>, OpenError> {
    let mut files: BTreeMap<FileKey, BTreeSet<u32>> = BTreeMap::new();
    for entry in fs::read_dir(folder).map_err(at(folder))? {
        let path = entry.map_err(at(folder))?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.contains(STAGED) {
            tracing::info!(file = %path.display(), "removing a file that was not finished");
            fs::remove_file(&path).map_err(at(&path))?;
            continue;
        }
        if let Some((key, generation)) = FileKey::parse(live, name) {
            files.entry(key).or_default().insert(generation);
        }
        // A log without its database is what a deletion that was cut short leaves.
        let orphan = name.strip_suffix(".wal").is_some_and(|database| !folder.join(database).exists());
        if orphan {
            tracing::info!(file = %path.display(), "removing what a deletion left");
            fs::remove_file(&path).map_err(at(&path))?;
        }
    }
    Ok(files)
}

/// Renames a file and what lies beside it to a free name that no listing takes for a database.
fn move_aside(path: &Path) -> io::Result<PathBuf> {
    let named = |count: u32| {
        let mut name = path.as_os_str().to_owned();
        name.push(if count == 0 { format!(".{DAMAGED}") } else { format!(".{count}.{DAMAGED}") });
        PathBuf::from(name)
    };
    let aside = (0..).map(named).find(|name| !name.exists()).unwrap_or_else(|| named(0));
    for file in beside(path)? {
        let suffix = file.as_os_str().to_string_lossy().into_owned();
        let suffix = suffix.strip_prefix(&*path.to_string_lossy()).unwrap_or_default().to_owned();
        let mut target = aside.as_os_str().to_owned();
        target.push(suffix);
        fs::rename(&file, target)?;
    }
    Ok(aside)
}

/// A database file and the logs the engine keeps beside it, the database last: a deletion that is cut short leaves
/// something that the next start deletes again rather than a log that looks like data.
fn beside(path: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found: Vec<PathBuf> = Vec::new();
    let logs = log_path(path);
    let prefix = logs.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    for entry in fs::read_dir(path.parent().unwrap_or(Path::new(".")))? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with(&prefix) && !name.contains(DAMAGED) {
            found.push(entry.path());
        }
    }
    if path.exists() {
        found.push(path.to_owned());
    }
    Ok(found)
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> OpenError {
    let path = path.to_owned();
    |source| OpenError::Directory { path, source }
}
