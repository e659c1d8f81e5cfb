//! The history of the policy: its saved versions, each whole, and what changed between any two. Read-only: a version is
//! restored by saving its document again.

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

/// One saved version, whole.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PolicyVersionDetails {
    /// The version.
    #[serde(flatten)]
    version: PolicyVersion,
    /// Its parameters.
    parameters: Vec<PolicyParameter>,
    /// The policy itself, defaults written out: saving it again restores the version.
    policy: PolicyDocument,
}

/// What changed between two versions.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PolicyVersionChanges {
    /// The version that was compared with; 0 is the empty policy.
    since: u64,
    /// The version that was asked about.
    version: u64,
    /// What has to be done to `since` to get `version`, a sentence each; empty when both say the same.
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

/// A version's number as written.
fn number(text: &str) -> Option<u64> {
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse::<u64>().ok().filter(|number| plain && i64::try_from(*number).is_ok())
}

fn missing() -> Problem {
    Problem::not_found("There is no such version.")
}

fn expected_number() -> Problem {
    Problem::field("version", "expected a whole number from 1")
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
    let number = number(&version).ok_or_else(expected_number)?;
    let saved = hub.policies.saved(number).await?.ok_or_else(missing)?;
    let policy = hub.policies.version(number).await?.ok_or_else(missing)?;
    Ok(Json(PolicyVersionDetails { version: saved.into(), parameters: shown(&policy), policy: policy.document() }))
}

/// Compare policy versions
///
/// What changed from one version to another, in either order. For whoever was refused because somebody else had saved, and
/// for whoever thinks of restoring a version.
#[utoipa::path(
    get, path = "/policy/versions/{version}/changes", tag = "policy",
    params(
        ("version" = u64, Path, description = "The version to look at; 0 is the empty policy."),
        ("since" = Option<u64>, Query, description = "The version to compare with; 0 is the empty policy. Left out: the one before."),
    ),
    responses((status = 200, description = "The changes.", body = PolicyVersionChanges)),
)]
pub(crate) async fn read_changes(
    State(hub): State<Arc<Inner>>,
    PathText(version): PathText,
    RawQuery(query): RawQuery,
) -> Result<Json<PolicyVersionChanges>, Problem> {
    let mut parameters = QueryParameters::parse(query.as_deref())?;
    let since = parameters.take_one("since").map(|text| number(&text));
    if since == Some(None) {
        parameters.refuse("since", "expected a whole number from 0");
    }
    parameters.finish()?;
    let version = number(&version).ok_or_else(expected_number)?;
    let since = since.flatten().unwrap_or_else(|| version.saturating_sub(1));
    let before = hub.policies.version(since).await?.ok_or_else(missing)?;
    let after = hub.policies.version(version).await?.ok_or_else(missing)?;
    let changes = after.difference_from(&before).changes.iter().map(ToString::to_string).collect();
    Ok(Json(PolicyVersionChanges { since, version, changes }))
}
