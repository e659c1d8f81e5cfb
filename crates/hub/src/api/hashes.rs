//! The hashes that stand for a clear value, so that what is exported hashed can be searched. The value comes in the body,
//! never in an address; what is kept of it are the first digits of its hash, in the audit log.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, State};
use serde::{Deserialize, Serialize};
use threadline_policy::MAXIMUM_NAME_CHARACTERS;
use utoipa::ToSchema;

use super::body::JsonBody;
use crate::database::audit;
use crate::hashes::{ClearValue, ValueHashes};
use crate::hub::Inner;
use crate::problem::{FieldProblem, Problem};
use crate::security::Caller;

/// Digits of a hash in the audit log: they tell searches apart, as hashed values are told apart where they are shown.
const AUDITED_DIGITS: usize = 8;

/// A value to look for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ValueToFind {
    /// The value as it stands in traffic, 1 byte to 8 KiB of UTF-8. Nothing is trimmed and no case is changed: another
    /// spelling is another value.
    #[schema(value_type = String, min_length = 1, max_length = 8192)]
    value: ClearValue,
    /// The namespace of the grouping key, for the sessions. Left out: the one that keys share, those that keys of the
    /// policy name, and the one of user names (HTTP Basic).
    #[schema(min_length = 1, max_length = 64)]
    namespace: Option<String>,
}

/// What stands for a value.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HashesOfValue {
    /// The value as it stands in users, roles, parameters and session values that are exported hashed: one for each
    /// secret that is still valid, newest first.
    parameter_hashes: Vec<String>,
    /// The sessions that a grouping key of this one value makes, whether there are any or not; by each secret that is
    /// still valid, newest first.
    session_ids: Vec<String>,
}

/// Find the hashes of a value
///
/// What to filter by when a value is known in clear and exported hashed. Neither the value nor its hash is stored, but
/// for the first digits of the hash in the audit log. At most 30 at once and 30 a minute for each person or token.
#[utoipa::path(
    post, path = "/hashes", tag = "sessions",
    request_body = ValueToFind,
    responses((status = 200, description = "The hashes.", body = HashesOfValue)),
)]
pub(crate) async fn find_hashes(
    State(hub): State<Arc<Inner>>,
    Extension(caller): Extension<Caller>,
    JsonBody(ValueToFind { value, namespace }): JsonBody<ValueToFind>,
) -> Result<Json<HashesOfValue>, Problem> {
    let mut errors = Vec::new();
    if !(1..=ClearValue::MAXIMUM_BYTES).contains(&value.as_bytes().len()) {
        let reason = format!("expected 1 to {} bytes", ClearValue::MAXIMUM_BYTES);
        errors.push(FieldProblem::new("value", reason));
    }
    let is_name = |name: &String| (1..=MAXIMUM_NAME_CHARACTERS).contains(&name.chars().count());
    if !namespace.as_ref().is_none_or(is_name) {
        errors.push(FieldProblem::new("namespace", format!("expected 1 to {MAXIMUM_NAME_CHARACTERS} characters")));
    }
    if !errors.is_empty() {
        return Err(Problem::fields(errors));
    }
    hub.search_throttle.attempt(&caller, hub.now()).map_err(Problem::throttled)?;
    let found = hub.settings.hash_values.hashes(&value, namespace.as_deref(), &hub.policies.current());
    let Some(ValueHashes { parameter_hashes, session_ids }) = found else {
        return Err(Problem::conflict("This hub has no secret to hash a value with."));
    };
    let digits: String =
        parameter_hashes.first().into_iter().flat_map(|hash| hash.chars()).take(AUDITED_DIGITS).collect();
    let entry = audit::Entry::by(&caller, "value.searched").about(&digits);
    audit::append(&hub.database, entry, hub.now()).await?;
    Ok(Json(HashesOfValue { parameter_hashes, session_ids: session_ids.iter().map(ToString::to_string).collect() }))
}
