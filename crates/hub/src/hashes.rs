//! A clear value that somebody looks for, and the hashes that stand for it in what is stored. The hub asks; who holds the
//! installation's secret answers. The value itself lives as long as the request and is kept and shown nowhere.

use std::fmt;

use serde::Deserialize;
use threadline_model::SessionId;
use threadline_policy::Policy;

/// A value in clear. `Debug` does not show it.
#[derive(Deserialize)]
#[serde(transparent)]
pub struct ClearValue(String);

impl ClearValue {
    /// The longest that is looked for, bytes: as long as the value of a grouping key.
    pub const MAXIMUM_BYTES: usize = 8 * 1_024;

    /// The value: for hashing.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for ClearValue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ClearValue(…)")
    }
}

/// What stands for a value in exported rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueHashes {
    /// The value as a hashed parameter is exported, by each secret, newest first.
    pub parameter_hashes: Vec<String>,
    /// The sessions that a grouping key with this value makes, by each secret, newest first.
    pub session_ids: Vec<SessionId>,
}

/// Hashes values. Implemented where the secret is.
pub trait HashValues: Send + Sync + 'static {
    /// The hashes of a value. Its sessions are those of the `namespace`; without one those of the namespace that keys
    /// share, of all that the keys of `policy` name, and of user names (HTTP Basic). `None` without a secret.
    fn hashes(&self, value: &ClearValue, namespace: Option<&str>, policy: &Policy) -> Option<ValueHashes>;
}

/// A hub without a secret.
pub(crate) struct NoSecret;

impl HashValues for NoSecret {
    fn hashes(&self, _value: &ClearValue, _namespace: Option<&str>, _policy: &Policy) -> Option<ValueHashes> {
        None
    }
}
