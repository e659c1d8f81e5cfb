//! The history of the policy: every saved version with who, when, why and what changed. What a version says is the whole
//! document, so that it can be compared and saved again.

use std::sync::Arc;

use axum::Json;
use axum::extract::{RawQuery, State};
use serde::Serialize;
use threadline_policy::PolicyDocument;
use utoipa::ToSchema;

use super::path::PathText;
use super::policy::{PolicyParameter, shown};
use super::query::QueryParameters;
use super::sessions::PageParameters;
use super::time::Time;
use crate::hub::Inner;
use crate::policies::SavedVersion;
use crate::problem::Problem;

/// One saved version.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PolicyVersion {
    /// Its number.
    version: u64,
    /// When it was saved.
    saved_at: Time,
    /// Who saved it.
    saved_by: String,
    /// What they said about it.
    #[schema(required)]
    comment: Option<String>,
    /// What changed against the version before, a sentence each.
    changes: Vec<String>,
}

impl From<SavedVersion> for PolicyVersion {
    fn from(saved: SavedVersion) -> Self {
        Self {
            version: saved.version,
            saved_at: Time(saved.saved_at),
            saved_by: saved.saved_by,
            comment: saved.comment,
            changes: saved.changes,
        }
    }
}

/// A page of the version history.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PolicyVersionList {
    /// Versions over all pages.
    total: u64,
    /// Token of the next page; null on the last.
    #[schema(required)]
    next_page_token: Option<String>,
    /// Newest first.
    versions: Vec<PolicyVersion>,
}

/// One saved version with the policy that it was.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PolicyVersionDetails {
    /// The version.
    #[serde(flatten)]
    version: PolicyVersion,
    /// Its parameters.
    parameters: Vec<PolicyParameter>,
    /// The whole policy, defaults written out: what to save to restore it.
    policy: PolicyDocument,
}

/// What changed between two versions.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PolicyVersionChanges {
    /// The version that was compared with; 0 is the empty policy.
    since: u64,
    /// The version.
    version: u64,
    /// What has to be done to `since` to get `version`, a sentence each; empty when they say the same.
    changes: Vec<String>,
}

/// List policy versions
#[utoipa::path(
    get, path = "/policy/versions", tag = "policy",
    params(PageParameters),
    responses((status = 200, description = "A page of the history, newest first.", body = PolicyVersionList)),
)]
pub(crate) async fn list_versions(
    State(hub): State<Arc<Inner>>,
    RawQuery(query): RawQuery,
) -> Result<Json<PolicyVersionList>, Problem> {
    let mut parameters = QueryParameters::parse(query.as_deref())?;
    let (limit, before) = super::paging::take_descending_page(&mut parameters);
    parameters.finish()?;
    let (total, versions) = hub.policies.versions(before, limit).await?;
    let next_page_token = super::paging::descending_token(&versions, limit, |saved| saved.version);
    Ok(Json(PolicyVersionList {
        total,
        next_page_token,
        versions: versions.into_iter().map(PolicyVersion::from).collect(),
    }))
}

/// Read a policy version
#[utoipa::path(
    get, path = "/policy/versions/{version}", tag = "policy",
    params(("version" = u64, Path, description = "Its number, from 1.")),
    responses((status = 200, description = "The version.", body = PolicyVersionDetails)),
)]
pub(crate) async fn read_version(
    State(hub): State<Arc<Inner>>,
    PathText(version): PathText,
    RawQuery(query): RawQuery,
) -> Result<Json<PolicyVersionDetails>, Problem> {
    QueryParameters::parse(query.as_deref())?.finish()?;
    let number = version_number("version", &version)?;
    let saved = hub.policies.saved(number).await?.ok_or_else(no_such_version)?;
    let policy = hub.policies.version(number).await?.ok_or_else(no_such_version)?;
    Ok(Json(PolicyVersionDetails { version: saved.into(), parameters: shown(&policy), policy: policy.document() }))
}

/// Compare policy versions
///
/// What changed from one version to another, in either order: for looking back, and for seeing what somebody else saved
/// meanwhile.
#[utoipa::path(
    get, path = "/policy/versions/{version}/changes", tag = "policy",
    params(
        ("version" = u64, Path, description = "Its number, from 1."),
        ("since" = Option<u64>, Query, description = "The version to compare with; 0 is the empty policy. Left out: the \
                                                      one before."),
    ),
    responses((status = 200, description = "What changed.", body = PolicyVersionChanges)),
)]
pub(crate) async fn read_changes(
    State(hub): State<Arc<Inner>>,
    PathText(version): PathText,
    RawQuery(query): RawQuery,
) -> Result<Json<PolicyVersionChanges>, Problem> {
    let mut parameters = QueryParameters::parse(query.as_deref())?;
    let since = parameters.take_one("since");
    parameters.finish()?;
    let version = version_number("version", &version)?;
    let since = match since {
        Some(since) => version_number("since", &since)?,
        None => version.saturating_sub(1),
    };
    let policy = hub.policies.version(version).await?.ok_or_else(no_such_version)?;
    let before = hub.policies.version(since).await?.ok_or_else(no_such_version)?;
    let changes = policy.difference_from(&before).changes.iter().map(ToString::to_string).collect();
    Ok(Json(PolicyVersionChanges { since, version, changes }))
}

fn version_number(field: &str, text: &str) -> Result<u64, Problem> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse::<u64>().ok().filter(|number| plain && i64::try_from(*number).is_ok());
    number.ok_or_else(|| Problem::field(field, "expected the number of a version"))
}

fn no_such_version() -> Problem {
    Problem::not_found("There is no such version.")
}
