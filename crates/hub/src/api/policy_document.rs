//! The whole policy as one document: read, checked, saved. The rules are the policy crate's; nothing is judged here.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, RawQuery, State};
use axum::response::Response;
use http::HeaderMap;
use serde::{Deserialize, Serialize};
use threadline_policy::{
    MAXIMUM_APPLICATIONS, MAXIMUM_FURTHER_POINTS, MAXIMUM_MASKS, MAXIMUM_PARAMETERS, Policy, PolicyDocument,
    SUGGESTED_MASKS,
};
use utoipa::ToSchema;

use super::body::JsonBody;
use super::policy::{BuiltInRule, comment, if_match, refused, tagged};
use super::query::QueryParameters;
use super::time::Time;
use crate::hub::Inner;
use crate::policies::SavedVersion;
use crate::problem::{FieldProblem, Problem};
use crate::security::Caller;

/// Longest document that is read, bytes.
const MAXIMUM_DOCUMENT_BYTES: usize = 1 << 20;

/// The policy that holds.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PolicyAnswer {
    /// Its version; 0 before anything was saved.
    version: u64,
    /// When it was saved; null for version 0.
    #[schema(required)]
    saved_at: Option<Time>,
    /// Who saved it: a person, an API token, or `configuration file`; null for version 0.
    #[schema(required)]
    saved_by: Option<String>,
    /// What they said about it.
    #[schema(required)]
    comment: Option<String>,
    /// The file that the policy is made of, so that it cannot be saved here; null where there is none.
    #[schema(required)]
    managed_by: Option<String>,
    /// Why what stands in that file now does not hold; null while it does.
    #[schema(required)]
    file_problem: Option<String>,
    /// The policy itself, defaults written out.
    policy: PolicyDocument,
    /// What an operator should know about it.
    warnings: Vec<PolicyWarning>,
    /// What groups when no key of the policy works, in order. Read-only.
    built_in: Vec<BuiltInRule>,
    /// Points that most APIs have and nobody needs in a session, text spelling: offered as masks, not in force.
    suggested_masks: Vec<&'static str>,
    /// How much a policy may hold.
    limits: PolicyLimits,
}

/// How much a policy may hold.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PolicyLimits {
    /// Context parameters; hidden ones do not count.
    parameters: u32,
    /// Further points of one composite key.
    further_points: u32,
    /// Masks.
    masks: u32,
    /// Applications.
    applications: u32,
}

impl PolicyLimits {
    const THESE: Self = Self {
        parameters: MAXIMUM_PARAMETERS as u32,
        further_points: MAXIMUM_FURTHER_POINTS as u32,
        masks: MAXIMUM_MASKS as u32,
        applications: MAXIMUM_APPLICATIONS as u32,
    };
}

/// Something that is allowed but may not be meant.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PolicyWarning {
    /// The field it is about: `parameters[2].point`.
    field: String,
    /// What is to be known.
    reason: String,
}

/// Parameters that masks cover.
fn warnings(policy: &Policy) -> Vec<PolicyWarning> {
    let mut warnings = Vec::new();
    for (index, mask) in policy.masks().iter().enumerate() {
        for position in policy.covered_by(index) {
            let owner = (0..policy.parameters().len())
                .find(|parameter| position == parameter || policy.further(*parameter).contains(position));
            let Some(owner) = owner else { continue };
            let parameter = &policy.parameters()[owner];
            let (effect, place) = (
                if parameter.group { "the key does not work" } else { "it has no value" },
                if mask.scope.is_everything() { "" } else { " where the mask applies" },
            );
            let field = match position.checked_sub(policy.further(owner).start) {
                Some(further) if *position != owner => format!("parameters[{owner}].with[{further}]"),
                _ => format!("parameters[{owner}].point"),
            };
            warnings.push(PolicyWarning {
                field,
                reason: format!("the mask of {} covers `{}`: {effect}{place}", mask.point, parameter.name),
            });
        }
    }
    warnings
}

/// Read the policy
///
/// Applications, analysed traffic, trusted proxies, masks and context parameters as one document. The ETag is needed to
/// save changes.
#[utoipa::path(
    get, path = "/policy", tag = "policy",
    responses((
        status = 200, description = "The policy that holds.", body = PolicyAnswer,
        headers(("ETag" = String, description = "The version, for If-Match.")),
    )),
)]
pub(crate) async fn read_policy(State(hub): State<Arc<Inner>>, RawQuery(query): RawQuery) -> Result<Response, Problem> {
    QueryParameters::parse(query.as_deref())?.finish()?;
    let policy = hub.policies.current();
    let saved = hub.policies.saved(policy.version()).await?;
    Ok(answer(&hub, &policy, saved))
}

fn answer(hub: &Inner, policy: &Policy, saved: Option<SavedVersion>) -> Response {
    let (saved_at, saved_by, comment) = match saved {
        Some(saved) => (Some(Time(saved.saved_at)), Some(saved.saved_by), saved.comment),
        None => (None, None, None),
    };
    let (managed_by, file_problem) =
        hub.policies.managed_by().map_or((None, None), |managed| (Some(managed.file), managed.problem));
    let body = PolicyAnswer {
        version: policy.version(),
        saved_at,
        saved_by,
        comment,
        policy: policy.document(),
        warnings: warnings(policy),
        built_in: hub.settings.built_in_rules.clone(),
        suggested_masks: SUGGESTED_MASKS.to_vec(),
        limits: PolicyLimits::THESE,
        managed_by,
        file_problem,
    };
    tagged(body, policy.version())
}

/// The policy as it is to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PolicyChangeInput {
    /// The whole policy; sections that are left out are empty.
    policy: PolicyDocument,
    /// What this change is about, at most 500 characters; kept with the version.
    comment: Option<String>,
}

/// Save the policy
///
/// Replaces the whole policy and makes a new version that nodes use at once for new traffic; what is stored stays as it
/// was exported. With any error nothing is changed. Saving what already holds makes no version.
#[utoipa::path(
    put, path = "/policy", tag = "policy",
    params(("If-Match" = String, Header, description = "ETag of the policy that was edited.")),
    request_body = PolicyChangeInput,
    responses((
        status = 200, description = "The policy that holds now.", body = PolicyAnswer,
        headers(("ETag" = String, description = "The version, for If-Match.")),
    )),
)]
pub(crate) async fn save_policy(
    State(hub): State<Arc<Inner>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    JsonBody(input): JsonBody<PolicyChangeInput, MAXIMUM_DOCUMENT_BYTES>,
) -> Result<Response, Problem> {
    let expected = if_match(&headers)?;
    let comment = comment(input.comment)?;
    let saved = hub.policies.save(|_| input.policy, expected.as_deref(), &caller, comment).await;
    let policy = saved.map_err(|error| refused(error, "policy."))?;
    let saved = hub.policies.saved(policy.version()).await?;
    Ok(answer(&hub, &policy, saved))
}

/// A policy to check.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PolicyToCheck {
    /// The whole policy.
    policy: PolicyDocument,
}

/// What would happen if a policy were saved.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PolicyCheck {
    /// The version that it was compared with.
    against: u64,
    /// Fields that cannot be accepted; empty when the policy could be saved.
    errors: Vec<FieldProblem>,
    /// What saving it would change, a sentence each; empty when nothing would, or when there are errors.
    changes: Vec<String>,
    /// What an operator should know about it.
    warnings: Vec<PolicyWarning>,
    /// The policy with defaults written out; null when there are errors.
    #[schema(required)]
    policy: Option<PolicyDocument>,
}

/// Check a policy
///
/// Judges a whole policy and says what saving it would change, without changing anything.
#[utoipa::path(
    post, path = "/policy/check", tag = "policy",
    request_body = PolicyToCheck,
    responses((status = 200, description = "The verdict.", body = PolicyCheck)),
)]
pub(crate) async fn check_policy(
    State(hub): State<Arc<Inner>>,
    JsonBody(input): JsonBody<PolicyToCheck, MAXIMUM_DOCUMENT_BYTES>,
) -> Json<PolicyCheck> {
    let current = hub.policies.current();
    let against = current.version();
    Json(match Policy::validate(against + 1, input.policy) {
        Ok(policy) => PolicyCheck {
            against,
            errors: Vec::new(),
            changes: policy.difference_from(&current).changes.iter().map(ToString::to_string).collect(),
            warnings: warnings(&policy),
            policy: Some(policy.document()),
        },
        Err(errors) => PolicyCheck {
            against,
            errors: errors.into_iter().map(FieldProblem::from).collect(),
            changes: Vec::new(),
            warnings: Vec::new(),
            policy: None,
        },
    })
}
