//! The installation's secret, from which the keys of session IDs and parameter hashes are derived.
//!
//! Whoever holds it can test guesses against exported hashes, so it stays with the nodes and is never printed. Where it is
//! kept, see [`InstallationSecrets`]. Nothing here hashes a captured value.

use std::fmt;
use std::io;
use std::path::Path;

use crate::hash::{ParameterHashKey, SessionHashKey};
use crate::secret_error::SecretError;
use crate::secret_file::InstallationSecrets;

/// Contexts of key derivation (BLAKE3's `derive_key`): they must never change, or every session ID would.
const SESSION_CONTEXT: &str = "threadline 2026-11 session identifiers";
const PARAMETER_CONTEXT: &str = "threadline 2026-11 parameter hashes";
const FINGERPRINT_CONTEXT: &str = "threadline 2026-11 secret fingerprint";

/// 32 random bytes.
#[derive(Clone)]
pub struct InstallationSecret([u8; 32]);

impl fmt::Debug for InstallationSecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("InstallationSecret(redacted)")
    }
}

impl InstallationSecret {
    /// The newest secret of the file at `path`; see [`InstallationSecrets::load_or_create`].
    ///
    /// # Errors
    /// See [`SecretError`]; an existing file is never changed.
    pub fn load_or_create(path: &Path) -> Result<Self, SecretError> {
        InstallationSecrets::load_or_create(path).map(|secrets| secrets.newest().clone())
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

    /// A fresh one.
    pub(crate) fn generate() -> Result<Self, SecretError> {
        let mut secret = [0; 32];
        getrandom::fill(&mut secret).map_err(|error| SecretError::Random(io::Error::other(error)))?;
        Ok(Self(secret))
    }

    /// As it stands in the file: 64 hexadecimal digits.
    pub(crate) fn to_digits(&self) -> String {
        hexadecimal(&self.0)
    }

    pub(crate) fn from_digits(digits: &str) -> Option<Self> {
        let mut bytes = [0_u8; 32];
        if digits.len() != 64 {
            return None;
        }
        for (byte, pair) in bytes.iter_mut().zip(digits.as_bytes().chunks_exact(2)) {
            let value = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
            *byte = value(pair[0])? << 4 | value(pair[1])?;
        }
        Some(Self(bytes))
    }
}

pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    use fmt::Write as _;

    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_are_equal_for_equal_secrets_only() {
        let [one, same, other] = [7, 7, 8].map(|byte| InstallationSecret([byte; 32]).fingerprint());
        assert_eq!(one, same);
        assert_ne!(one, other);
        assert_eq!(one.len(), 16);
        let keys = [SESSION_CONTEXT, PARAMETER_CONTEXT].map(|context| blake3::derive_key(context, &[7; 32]));
        assert!(keys.iter().all(|key| !hexadecimal(key).contains(&one)), "it is part of no key");
    }

    #[test]
    fn debug_and_display_show_no_secret() {
        let secret = InstallationSecret([0xab; 32]);
        let shown = format!("{secret:?} {:?} {:?}", secret.session_key(), secret.parameter_key());
        assert!(!shown.contains("ab, ab") && !shown.contains("171") && shown.contains("redacted"), "{shown}");
    }
}
