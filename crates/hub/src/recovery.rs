//! The way back in when nobody can sign in any more: a new password, for whoever may write the data folder. Works
//! beside a running hub, which keeps nothing about people in memory.

use std::path::Path;

use threadline_model::{Clock, escape_for_display};

use crate::database::{self, DatabaseError, audit, people};
use crate::security::password::{self, PasswordError};
use crate::security::secret::{NO_PREFIX, RandomnessError, Secret};
use crate::security::{Caller, CallerKind, Role};

/// Characters of a password that is made up: 144 random bits.
const PASSWORD_CHARACTERS: usize = 24;

/// Why a password could not be reset. Nothing was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ResetError {
    /// No hub ever ran on this folder.
    #[error("{0} holds no state of a hub; name the data folder with --data")]
    NoState(String),
    /// Nobody goes by the name.
    #[error("nobody here is called {asked}; known: {known}")]
    Unknown {
        /// The name.
        asked: String,
        /// Everybody's names.
        known: String,
    },
    /// The state could not be read or changed.
    #[error("cannot use the hub's state")]
    Database(#[from] DatabaseError),
    /// No randomness.
    #[error("cannot make up a password")]
    Randomness(#[from] RandomnessError),
    /// Argon2 does not work here.
    #[error("cannot hash the password")]
    Password(#[from] PasswordError),
}

/// Gives `name` a made-up password, which is returned, and ends all their sign-ins. The audit log says so.
pub async fn reset_password(directory: &Path, name: &str, clock: &dyn Clock) -> Result<String, ResetError> {
    let file = directory.join("state.sqlite");
    if !file.is_file() {
        return Err(ResetError::NoState(directory.display().to_string()));
    }
    let database = database::open(&file).await?;
    let reset = async {
        let Some((person, _)) = people::find(&database, name).await? else {
            let known: Vec<String> = people::list(&database).await?.into_iter().map(|person| person.name).collect();
            let known = if known.is_empty() { "nobody".to_owned() } else { known.join(", ") };
            return Err(ResetError::Unknown { asked: escape_for_display(name.as_bytes(), 64), known });
        };
        let secret = Secret::generate(NO_PREFIX)?;
        let password: String = secret.reveal().chars().take(PASSWORD_CHARACTERS).collect();
        people::set_password(&database, person.id, &password::hash(password.as_bytes())?, None).await?;
        let entry = audit::Entry::by(&local_command(), "password.reset").about(&person.name);
        audit::append(&database, entry, clock.now()).await?;
        Ok(password)
    };
    let reset = reset.await;
    database.close().await;
    reset
}

fn local_command() -> Caller {
    Caller {
        kind: CallerKind::Local,
        person: None,
        name: "local command".to_owned(),
        role: Role::Admin,
        expires_at: None,
        address: None,
    }
}
