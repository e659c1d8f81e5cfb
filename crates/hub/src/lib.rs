//! The control plane: state, sign-in, the HTTP API and the console.
//!
//! A hub keeps settings, people, tokens, the audit log and the policy with its versions in SQLite, asks a store for
//! exchanges and sessions, and serves both under `/api/v1`. It decides no session and knows no engine; what it shows of
//! nodes, of exchanges they saw recently and of the grouping stage is handed to it in [`HubSettings`].
//!
//! ```
//! let document = threadline_hub::openapi_document();
//! assert!(document.contains("\"openapi\": \"3.1.0\""));
//! ```
//!
//! Strings from traffic leave as JSON (or quoted CSV) only. Errors are problem details (RFC 9457) that name the field and the reason
//! and never carry SQL, captured values or what a client sent.

mod api;
mod clients;
mod console;
mod database;
mod exports;
mod files;
mod hashes;
mod hub;
mod leaving;
mod metrics;
mod policies;
mod problem;
mod purges;
mod recent;
mod recovery;
mod routes;
mod security;
mod server;
mod try_out;

pub use api::leaving::{LeavingChange, LeavingField};
pub use api::policy::BuiltInRule;
pub use api::status::{Counter, NodeStatus};
pub use api::try_out::{
    TriedChanges, TriedExchange, TriedFigures, TriedOutcome, TriedRule, TriedSession, TriedSpread, TriedWarning,
};
pub use clients::{ResolvedClient, ResolvedClients};
pub use database::DatabaseError;
pub use exports::ExportLedger;
pub use hashes::{ClearValue, HashValues, ValueHashes};
pub use hub::{Hub, HubSettings, OpenError, TraceOutcome};
pub use leaving::{Leaving, WouldLeave};
pub use metrics::HubMetrics;
pub use policies::{SaveError, StoredPolicyError};
pub use recent::{RecentExchange, RecentExchanges, RecentLimits, Sample, SampleError, SampleReader};
pub use recovery::{ResetError, reset_password};
pub use routes::openapi_document;
pub use security::host::{PublicUrl, PublicUrlError};
pub use security::password::PasswordError;
pub use security::secret::RandomnessError;
pub use try_out::{TriedPolicy, TryOut, TryOutError, TryOutTraffic};
