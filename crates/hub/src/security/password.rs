//! Passwords of people: Argon2id (RFC 9106) with the parameters that OWASP recommends, on blocking threads, a bounded
//! number at a time (each takes 19 MiB).

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;

use crate::problem::Problem;

/// Characters a password may have.
pub(crate) const LENGTHS: std::ops::RangeInclusive<usize> = 12..=256;
/// Passwords that are hashed at the same time.
const AT_A_TIME: usize = 2;
/// Requests that may wait for their turn; more are told to come back.
const WAITING: usize = 32;

const MEMORY_KIBIBYTES: u32 = 19 * 1_024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// Hashing failed for a reason that is not the password's.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// The parameters or the stored hash are not what Argon2 takes.
    #[error("password hashing failed: {0}")]
    Hashing(String),
    /// The blocking thread died.
    #[error("password hashing was interrupted")]
    Interrupted(#[source] tokio::task::JoinError),
}

/// Hashes and verifies.
#[derive(Debug)]
pub(crate) struct Passwords {
    permits: Arc<Semaphore>,
    waiting: AtomicUsize,
    /// A hash that no password has, verified against when there is no such name: both take the same time.
    nobody: String,
}

/// Whether a password may be used by somebody of this name; the error is the reason.
pub(crate) fn judge(password: &str, name: &str) -> Result<(), &'static str> {
    if !LENGTHS.contains(&password.chars().count()) {
        return Err("must have 12 to 256 characters");
    }
    let mut characters = password.chars();
    let first = characters.next();
    if characters.all(|character| Some(character) == first) {
        return Err("must not be one character repeated");
    }
    if password.to_lowercase() == name.to_lowercase() {
        return Err("must not be the name");
    }
    Ok(())
}

impl Passwords {
    /// Takes as long as one sign-in.
    pub(crate) fn new() -> Result<Self, PasswordError> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(|error| PasswordError::Hashing(error.to_string()))?;
        let nobody = hash(&bytes)?;
        Ok(Self { permits: Arc::new(Semaphore::new(AT_A_TIME)), waiting: AtomicUsize::new(0), nobody })
    }

    /// Hashes a new password into PHC string format.
    pub(crate) async fn hash(&self, password: String) -> Result<String, Problem> {
        self.run(move || hash(password.as_bytes())).await
    }

    /// Whether `password` is the one behind `stored`; with nothing stored it takes as long and is false.
    pub(crate) async fn verify(&self, password: String, stored: Option<String>) -> Result<bool, Problem> {
        let known = stored.is_some();
        let stored = stored.unwrap_or_else(|| self.nobody.clone());
        let verified = self.run(move || verify(password.as_bytes(), &stored)).await?;
        Ok(verified && known)
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, PasswordError> + Send + 'static,
    ) -> Result<T, Problem> {
        let place = Place::take(&self.waiting)
            .ok_or_else(|| Problem::unavailable("Too many people are signing in at this moment."))?;
        let permit = Arc::clone(&self.permits).acquire_owned().await;
        let permit = permit.map_err(|error| Problem::internal("wait for a turn to hash", &error))?;
        drop(place);
        // The permit moves to the thread: a client that goes away does not start another hash beside this one.
        let done = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            work()
        });
        let done = done.await.map_err(PasswordError::Interrupted).and_then(std::convert::identity);
        done.map_err(|error| Problem::internal("hash a password", &error))
    }
}

/// A place in the queue, given back when dropped.
struct Place<'a>(&'a AtomicUsize);

impl<'a> Place<'a> {
    fn take(waiting: &'a AtomicUsize) -> Option<Self> {
        let place = Self(waiting);
        (waiting.fetch_add(1, Ordering::Relaxed) < WAITING).then_some(place)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn argon2() -> Result<Argon2<'static>, PasswordError> {
    let params = Params::new(MEMORY_KIBIBYTES, PASSES, LANES, None);
    let params = params.map_err(|error| PasswordError::Hashing(error.to_string()))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// Hashes into PHC string format, on this thread.
pub(crate) fn hash(password: &[u8]) -> Result<String, PasswordError> {
    let hash = argon2()?.hash_password(password).map_err(|error| PasswordError::Hashing(error.to_string()))?;
    Ok(hash.to_string())
}

fn verify(password: &[u8], stored: &str) -> Result<bool, PasswordError> {
    let stored = PasswordHash::new(stored).map_err(|error| PasswordError::Hashing(error.to_string()))?;
    match argon2()?.verify_password(password, &stored) {
        Ok(()) => Ok(true),
        Err(argon2::password_hash::Error::PasswordInvalid) => Ok(false),
        Err(error) => Err(PasswordError::Hashing(error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn weak_passwords_are_refused() {
        for (password, name) in [
            ("", "a"),
            ("short", "a"),
            ("aaaaaaaaaaaaaaaa", "a"),
            ("Administrator", "administrator"),
            (&"long".repeat(65), "a"),
        ] {
            assert!(judge(password, name).is_err(), "{password}");
        }
        assert_eq!(judge("correct horse battery", "a"), Ok(()));
        assert_eq!(judge("пароль из слов", "a"), Ok(()));
    }

    #[tokio::test]
    async fn hashes_are_argon2id_with_the_recommended_parameters_and_verify() {
        let passwords = Passwords::new().unwrap();
        let stored = passwords.hash("correct horse battery".into()).await.unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert!(passwords.verify("correct horse battery".into(), Some(stored.clone())).await.unwrap());
        assert!(!passwords.verify("correct horse batterz".into(), Some(stored)).await.unwrap());
        assert!(!passwords.verify("correct horse battery".into(), None).await.unwrap());
    }
}
