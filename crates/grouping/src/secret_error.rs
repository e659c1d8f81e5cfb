//! Why the file of the installation's secrets cannot be used.

use std::io;
use std::path::PathBuf;

use crate::secret_file::{FORMAT, MOST_FORMER};

/// Why there is no secret to work with, or no newer one. Never holds any of the file's content.
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
    /// The file cannot be replaced. It is as it was.
    #[error("the secret file {path} cannot be replaced; it is as it was")]
    Replace {
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
        "{path} is not a secret file of Threadline (`{FORMAT}` and lines of 64 hexadecimal digits); restore it from a \
         backup, or remove it to get a new one, which gives all sessions new IDs"
    )]
    Malformed {
        /// The file.
        path: PathBuf,
    },
    /// There is nothing to rotate.
    #[error("there is no secret file {path}; `threadline serve` makes one")]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// Somebody else is at it.
    #[error("the secret file {path} is being changed by another process")]
    Busy {
        /// The file.
        path: PathBuf,
    },
    /// The file is full of former secrets.
    #[error(
        "{path} holds {MOST_FORMER} former secrets that something stored may still be hashed with; rotate again when the \
         retention of the oldest has ended"
    )]
    TooMany {
        /// The file.
        path: PathBuf,
    },
    /// The system gave no random bytes.
    #[error("the system's random number generator failed")]
    Random(#[source] io::Error),
}
