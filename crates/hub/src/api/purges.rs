//! Purging a user, a session or a parameter, and the record of it: for administrators.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, RawQuery, State};
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use threadline_policy::MAXIMUM_NAME_CHARACTERS;
use threadline_store::Purge as Asked;
use utoipa::ToSchema;

use super::body::JsonBody;
use super::paging;
use super::path::PathText;
use super::query::QueryParameters;
use super::sessions::PageParameters;
use super::time::Time;
use crate::database::purges::{self, PurgeRecord};
use crate::hashes::ClearValue;
use crate::hub::Inner;
use crate::problem::{FieldProblem, Problem};
use crate::purges::{PurgeKind, PurgeState, begin, preview};
use crate::security::Caller;

/// Characters that a reason may have.
const MAXIMUM_REASON_CHARACTERS: usize = 500;

/// What is to leave the store for good. It names people, so it has no `Debug`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PurgeRequest {
    /// What kind of thing.
    kind: PurgeKind,
    /// The user as stored (its hash where users are exported hashed), 1 byte to 8 KiB; the session's ID; or the
    /// parameter's name, 1 to 64 characters.
    #[schema(min_length = 1, max_length = 8192)]
    value: String,
    /// Why, 1 to 500 characters. It stays in the record, so it should name nobody. Needed unless this is a dry run.
    #[schema(min_length = 1, max_length = 500)]
    reason: Option<String>,
    /// Only say what would leave, and change nothing.
    #[serde(default)]
    dry_run: bool,
}

/// What a purge takes away.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PurgeCounts {
    /// Sessions that lose exchanges; of a parameter, sessions that lose its values.
    sessions: u64,
    /// Of the sessions of a user, those in which other users were seen too.
    shared_sessions: u64,
    /// Exchanges that leave.
    deleted: u64,
    /// Exchanges that stay without a link or a value.
    changed: u64,
    /// UTC days of those exchanges.
    days: u64,
}

impl From<threadline_store::PurgeCounts> for PurgeCounts {
    fn from(counts: threadline_store::PurgeCounts) -> Self {
        let threadline_store::PurgeCounts { sessions, shared_sessions, deleted, changed, days } = counts;
        Self { sessions, shared_sessions, deleted, changed, days }
    }
}

/// The record of a purge.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Purge {
    /// Identity, a UUID.
    id: String,
    /// What kind of thing left.
    kind: PurgeKind,
    /// The session's ID, the parameter's name, or the first 8 hexadecimal digits of the user's SHA-256: the user itself
    /// is not kept.
    value: String,
    /// Why.
    reason: String,
    /// How far it is.
    state: PurgeState,
    /// What left, or leaves while it runs; nothing when it failed.
    counts: PurgeCounts,
    /// Who asked.
    asked_by: String,
    /// When.
    asked_at: Time,
    /// When it was done or failed; null while it runs.
    #[schema(required)]
    ended_at: Option<Time>,
    /// Why it failed.
    #[schema(required)]
    failure: Option<String>,
}

impl From<PurgeRecord> for Purge {
    fn from(record: PurgeRecord) -> Self {
        Self {
            id: record.id.to_string(),
            kind: record.kind,
            value: record.value,
            reason: record.reason,
            state: record.state,
            counts: record.counts.into(),
            asked_by: record.asked_by,
            asked_at: Time(record.asked_at),
            ended_at: record.ended_at.map(Time),
            failure: record.failure,
        }
    }
}

/// A page of the record.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PurgeList {
    /// Purges over all pages.
    total: u64,
    /// Token of the next page; null on the last.
    #[schema(required)]
    next_page_token: Option<String>,
    /// Newest first.
    purges: Vec<Purge>,
}

/// Purge a user, a session or a parameter
///
/// Takes it out of all that is stored when it is asked for, on disk too. Of a user every exchange of the sessions in
/// which the user was seen leaves, of a session every exchange; a parameter's exchanges stay without its values. What
/// comes later is new and stays. Exchanges seen recently are forgotten, all of them. It runs after the answer, and goes
/// on after a restart.
#[utoipa::path(
    post, path = "/purges", tag = "administration",
    request_body = PurgeRequest,
    responses(
        (status = 200, description = "Of a dry run: what would leave.", body = PurgeCounts),
        (status = 202, description = "Begun.", body = Purge),
    ),
)]
pub(crate) async fn ask_for_purge(
    State(hub): State<Arc<Inner>>,
    Extension(caller): Extension<Caller>,
    JsonBody(PurgeRequest { kind, value, reason, dry_run }): JsonBody<PurgeRequest>,
) -> Result<Response, Problem> {
    let mut errors = Vec::new();
    let asked = asked(kind, value);
    if let Err(reason) = &asked {
        errors.push(FieldProblem::new("value", reason.as_str()));
    }
    let reason = checked_reason(reason.as_deref(), dry_run, &mut errors);
    let (Ok(asked), []) = (asked, errors.as_slice()) else { return Err(Problem::fields(errors)) };
    if dry_run {
        let counts = preview(&hub, asked).await?;
        return Ok(Json(PurgeCounts::from(counts)).into_response());
    }
    let record = begin(&hub, asked, reason, caller).await?;
    Ok((StatusCode::ACCEPTED, Json(Purge::from(record))).into_response())
}

/// List purges
#[utoipa::path(
    get, path = "/purges", tag = "administration",
    params(PageParameters),
    responses((status = 200, description = "A page of the record, newest first.", body = PurgeList)),
)]
pub(crate) async fn list_purges(
    State(hub): State<Arc<Inner>>,
    RawQuery(query): RawQuery,
) -> Result<Json<PurgeList>, Problem> {
    let mut parameters = QueryParameters::parse(query.as_deref())?;
    let (limit, before) = paging::take_descending_page(&mut parameters);
    parameters.finish()?;
    let (total, records) = purges::list(&hub.database, before, limit).await?;
    let next_page_token = paging::descending_token(&records, limit, |record| record.number);
    Ok(Json(PurgeList { total, next_page_token, purges: records.into_iter().map(Purge::from).collect() }))
}

/// Read a purge
#[utoipa::path(
    get, path = "/purges/{purge_id}", tag = "administration",
    params(("purge_id" = String, Path, description = "Identity, a UUID.")),
    responses((status = 200, description = "The record.", body = Purge)),
)]
pub(crate) async fn read_purge(
    State(hub): State<Arc<Inner>>,
    PathText(id): PathText,
    RawQuery(query): RawQuery,
) -> Result<Json<Purge>, Problem> {
    QueryParameters::parse(query.as_deref())?.finish()?;
    let id = id.parse().map_err(|_| Problem::field("purge_id", "expected a UUID"))?;
    let record = purges::read(&hub.database, id).await?;
    Ok(Json(record.ok_or_else(|| Problem::not_found("There is no such purge."))?.into()))
}

/// What is meant by a kind and a value, or what is wrong with the value. Nothing is trimmed: another spelling is
/// another value.
fn asked(kind: PurgeKind, value: String) -> Result<Asked, String> {
    match kind {
        PurgeKind::User if (1..=ClearValue::MAXIMUM_BYTES).contains(&value.len()) && !value.contains('\0') => {
            Ok(Asked::User(value))
        }
        PurgeKind::User => Err(format!("expected 1 to {} bytes, none of them NUL", ClearValue::MAXIMUM_BYTES)),
        PurgeKind::Session => {
            value.parse().map(Asked::Session).map_err(|_| "expected a session's ID, 32 hexadecimal digits".to_owned())
        }
        PurgeKind::Parameter
            if (1..=MAXIMUM_NAME_CHARACTERS).contains(&value.chars().count()) && !value.contains('\0') =>
        {
            Ok(Asked::Parameter(value))
        }
        PurgeKind::Parameter => Err(format!("expected a parameter's name, 1 to {MAXIMUM_NAME_CHARACTERS} characters")),
    }
}

/// A reason is shown in lists and logs: trimmed, none of its characters invisible.
fn checked_reason(reason: Option<&str>, dry_run: bool, errors: &mut Vec<FieldProblem>) -> String {
    let reason = reason.map(str::trim).unwrap_or_default();
    let characters = reason.chars().count();
    if characters > MAXIMUM_REASON_CHARACTERS || (characters == 0 && !dry_run) {
        errors.push(FieldProblem::new("reason", format!("must have 1 to {MAXIMUM_REASON_CHARACTERS} characters")));
    } else if threadline_model::escape_for_display(reason.as_bytes(), MAXIMUM_REASON_CHARACTERS) != reason {
        errors.push(FieldProblem::new("reason", "must not have control or invisible characters"));
    }
    reason.to_owned()
}
