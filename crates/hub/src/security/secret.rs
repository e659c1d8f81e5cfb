//! Random secrets that stand for somebody: sign-in cookies, API tokens, the one-time token.
//!
//! They hold 256 random bits, so a plain hash protects them at rest: nothing can be guessed from it.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq as _;

use crate::problem::Problem;

/// Leads every API token, so that secret scanners can find one that leaked.
pub(crate) const TOKEN_PREFIX: &str = "tl_";
/// Sign-in cookies and the one-time token have none.
pub(crate) const NO_PREFIX: &str = "";

/// A clear secret. `Debug` does not show it.
pub(crate) struct Secret(String);

impl Secret {
    /// A fresh one: the prefix and 43 characters that are safe in URLs, headers and files.
    pub(crate) fn generate(prefix: &str) -> Result<Self, RandomnessError> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(|error| RandomnessError(error.to_string()))?;
        Ok(Self(format!("{prefix}{}", URL_SAFE_NO_PAD.encode(bytes))))
    }

    /// The secret itself: for the one answer, file or terminal that it is made for.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }

    /// What is kept of it.
    pub(crate) fn hash(&self) -> [u8; 32] {
        hash(&self.0)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(…)")
    }
}

/// The machine has no randomness to give.
#[derive(Debug, thiserror::Error)]
#[error("the operating system gave no random bytes: {0}")]
pub struct RandomnessError(String);

impl From<RandomnessError> for Problem {
    fn from(error: RandomnessError) -> Self {
        Self::internal("make a secret", &error)
    }
}

/// What is kept of a secret that somebody presents.
pub(crate) fn hash(secret: &str) -> [u8; 32] {
    *blake3::hash(secret.as_bytes()).as_bytes()
}

/// Compares without telling by its time where the difference is.
pub(crate) fn same(left: &[u8; 32], right: &[u8; 32]) -> bool {
    left.ct_eq(right).into()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn secrets_differ_and_do_not_show_themselves() {
        let (one, other) = (Secret::generate(TOKEN_PREFIX).unwrap(), Secret::generate(TOKEN_PREFIX).unwrap());
        assert_eq!(one.reveal().len(), 46);
        assert!(one.reveal().starts_with("tl_"));
        assert!(!same(&one.hash(), &other.hash()) && same(&one.hash(), &hash(one.reveal())));
        assert!(!format!("{one:?}").contains(one.reveal()));
    }
}
