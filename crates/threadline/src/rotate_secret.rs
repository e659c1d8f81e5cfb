//! `threadline rotate-secret`: a new secret for the installation, and what that means for who reads sessions.

use threadline_grouping::{InstallationSecrets, SecretError};
use threadline_model::Clock;

use crate::configuration::Configuration;
use crate::installation::{kept_micros, secret_file};

/// Rotates the secret in the data folder; gives what to tell. No secret is in it.
pub(crate) fn run(configuration: &Configuration, clock: &dyn Clock) -> Result<String, SecretError> {
    let (file, now, kept) = (secret_file(configuration), clock.now(), kept_micros(configuration));
    let secrets = InstallationSecrets::rotate(&file, now, kept)?;
    let valid = secrets.valid(now, kept).count();
    let former = if valid == 2 { "one former secret".to_owned() } else { format!("{} former secrets", valid - 1) };
    Ok(format!(
        "{} has a new secret (fingerprint {}) and keeps {former}.\n\n\
         Restart `threadline serve`; until then it goes on with the former one. From then on:\n\
         - New sessions get new IDs. A session that goes on appears as two, one from before and one from after.\n\
         - Hashed values get new hashes. Searching for a clear value finds both; a saved link with a hash finds what was \
         before.\n\
         - Other machines that import through this hub need a copy of the file again, and so do backups.\n",
        file.display(),
        secrets.newest().fingerprint(),
    ))
}
