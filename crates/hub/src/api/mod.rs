//! The HTTP API under `/api/v1`: one file per area, each with its requests, answers and handlers.
//!
//! Which role may call what is said in one place, [`crate::routes`], and enforced before any handler runs.

pub(crate) mod answers;
pub(crate) mod batches;
pub(crate) mod body;
pub(crate) mod clients;
pub(crate) mod csv;
pub(crate) mod download;
pub(crate) mod exchange;
pub(crate) mod exports;
pub(crate) mod filters;
pub(crate) mod hashes;
pub(crate) mod keys;
pub(crate) mod leaving;
pub(crate) mod message;
pub(crate) mod objects;
pub(crate) mod overview;
pub(crate) mod paging;
pub(crate) mod path;
pub(crate) mod people;
pub(crate) mod points;
pub(crate) mod policy;
pub(crate) mod policy_document;
pub(crate) mod policy_versions;
pub(crate) mod purges;
pub(crate) mod query;
pub(crate) mod range;
pub(crate) mod recent;
pub(crate) mod sessions;
pub(crate) mod sign_in;
pub(crate) mod status;
pub(crate) mod time;
pub(crate) mod tried_stored;
pub(crate) mod try_out;
