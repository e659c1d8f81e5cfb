//! The first administrator: made once, with a one-time token that only somebody on the machine can know.
//!
//! The token stands in a file of mode 0600 and is handed to the binary for the terminal. It is never logged. Each
//! start without people makes a new one; the file goes when it is used.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::secret::{self, NO_PREFIX, Secret};
use super::{ClientAddress, password};
use crate::api::people::checked_name;
use crate::database::audit;
use crate::database::people::{self, Person};
use crate::hub::{Inner, OpenError};
use crate::problem::{FieldProblem, Problem};

/// The token's file in the data folder.
pub(crate) const FILE: &str = "first-run-token";

/// Whether the first administrator is still to be made.
#[derive(Debug)]
pub(crate) struct FirstRun {
    path: PathBuf,
    /// None once there is somebody.
    token: Mutex<Option<Secret>>,
}

impl FirstRun {
    /// `anybody`: there are people already.
    pub(crate) fn prepare(directory: &Path, anybody: bool) -> Result<Self, OpenError> {
        let path = directory.join(FILE);
        if anybody {
            crate::files::remove_if_there(&path).map_err(OpenError::Directory)?;
            return Ok(Self { path, token: Mutex::new(None) });
        }
        let secret = Secret::generate(NO_PREFIX)?;
        crate::files::replace_private(&path, secret.reveal()).map_err(OpenError::Directory)?;
        Ok(Self { path, token: Mutex::new(Some(secret)) })
    }

    /// Whether the token still works.
    pub(crate) fn is_open(&self) -> bool {
        self.lock().is_some()
    }

    /// The token, for the terminal.
    pub(crate) fn reveal(&self) -> Option<String> {
        self.lock().as_ref().map(|secret| secret.reveal().to_owned())
    }

    /// Whether `token` is the one; none when the first run is over.
    fn matches(&self, token: &str) -> Option<bool> {
        self.lock().as_ref().map(|secret| secret::same(&secret.hash(), &secret::hash(token)))
    }

    fn close(&self) {
        *self.lock() = None;
        if let Err(error) = crate::files::remove_if_there(&self.path) {
            // It opens nothing any more.
            tracing::warn!(%error, "could not remove the file of the used one-time token");
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Secret>> {
        self.token.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes the first administrator. Of several that use the token at once, one succeeds.
pub(crate) async fn make_administrator(
    hub: &Inner,
    address: ClientAddress,
    token: &str,
    name: &str,
    password: &str,
) -> Result<Person, Problem> {
    let over = || Problem::conflict("The first administrator was made already; sign in.");
    let now = hub.now();
    if !hub.first_run.is_open() {
        return Err(over());
    }
    hub.throttle.attempt(None, address.0, now).map_err(Problem::throttled)?;
    match hub.first_run.matches(token) {
        None => return Err(over()),
        Some(false) => {
            audit::append(&hub.database, audit::Entry::of_nobody("first_run.refused").at_address(address), now).await?;
            return Err(Problem::field("token", "is not the one-time token of this start"));
        }
        Some(true) => {}
    }
    let mut errors = Vec::new();
    let name = checked_name(name, &mut errors);
    if let Err(reason) = password::judge(password, &name) {
        errors.push(FieldProblem::new("password", reason));
    }
    if !errors.is_empty() {
        return Err(Problem::fields(errors));
    }
    let hash = hub.passwords.hash(password.to_owned()).await?;
    let person = people::add_first(&hub.database, &name, &hash, now).await?.ok_or_else(over)?;
    hub.first_run.close();
    people::note_sign_in(&hub.database, person.id, now).await?;
    let entry = audit::Entry::of_nobody("first_run.used").about(&person.name).at_address(address);
    audit::append(&hub.database, entry, now).await?;
    Ok(person)
}
