//! Which session an exchange belongs to, and why.
//!
//! A [`Grouper`] tries the policy's grouping keys in their order, then the [built-in set](built_in_rules), then a
//! fallback, and makes the session ID a keyed hash of the value that decided. Nothing here parses a body, keeps
//! anything from one exchange to the next, or exports a value; the only file touched is the installation's secrets,
//! by [`InstallationSecrets`].
//!
//! Equal values are one session whichever key found them. Values that only happen to look alike are kept apart by
//! namespaces and by hashing lengths with texts; what is unknown is never a value.

mod authorization;
mod built_in;
mod cookies;
mod credentials;
mod decision;
mod fallback;
mod grouper;
mod hash;
mod masked;
mod placeholder;
mod rules;
mod secret;
mod secret_error;
mod secret_file;
mod trace;

pub use authorization::looks_like_jwt;
pub use credentials::visit_credentials;
pub use decision::{DecidingKey, Decision, Grouped, KeyKind, MAXIMUM_VALUE_BYTES, Parts, RequestSession};
pub use fallback::FallbackKind;
pub use grouper::Grouper;
pub use hash::{HashText, Namespace, ParameterHashKey, SessionHashKey};
pub use rules::{BuiltInRule, built_in_rules};
pub use secret::InstallationSecret;
pub use secret_error::SecretError;
pub use secret_file::InstallationSecrets;
pub use trace::{KeyOutcome, Trace, trace_outcome};
