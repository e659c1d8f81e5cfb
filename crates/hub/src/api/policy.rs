//! The policy as the API shows and takes it: context parameters, and the check of one point.
//!
//! The rules are the policy crate's; nothing is judged here.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, RawQuery, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, header};
use serde::{Deserialize, Serialize};
use threadline_points::{Point, PointError};
use threadline_policy::{
    FieldError, MAXIMUM_PARAMETERS, Parameter, ParameterDocument, ParameterType, PointSpelling, Policy, PolicyDocument,
    ScopeDocument,
};
use utoipa::ToSchema;

use super::body::JsonBody;
use super::query::QueryParameters;
use super::time::Time;
use crate::hub::Inner;
use crate::policies::{SaveError, SavedVersion};
use crate::problem::{FieldProblem, Problem};
use crate::security::Caller;

/// A rule of the built-in grouping set, or a fallback. Read-only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct BuiltInRule {
    /// Its name, as exchanges carry it in `session_key`.
    pub name: String,
    /// What it looks at, in a sentence.
    pub description: String,
}

/// Whether a parameter's value names somebody.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ParameterKind {
    /// Neither.
    #[default]
    None,
    /// The session's user.
    User,
    /// The user's role.
    Role,
}

impl From<ParameterKind> for ParameterType {
    fn from(kind: ParameterKind) -> Self {
        match kind {
            ParameterKind::None => Self::None,
            ParameterKind::User => Self::User,
            ParameterKind::Role => Self::Role,
        }
    }
}

impl From<ParameterType> for ParameterKind {
    fn from(kind: ParameterType) -> Self {
        match kind {
            ParameterType::None => Self::None,
            ParameterType::User => Self::User,
            ParameterType::Role => Self::Role,
        }
    }
}

/// One context parameter as it holds.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct PolicyParameter {
    /// Unique name.
    name: String,
    /// Where the value stands, text spelling.
    point: String,
    /// The same in the JSON spelling.
    #[schema(value_type = Vec<serde_json::Value>)]
    point_json: serde_json::Value,
    /// The same as the console shows it, step by step.
    breadcrumb: Vec<String>,
    /// Whether the value names a user or a role.
    #[serde(rename = "type")]
    kind: ParameterKind,
    /// Sessions are grouped by it; keys are tried in the order of the list.
    group: bool,
    /// The value leaves the node as a keyed hash only.
    hashed: bool,
    /// Values of keys are equal only within one namespace; null is the one that all keys share.
    #[schema(required)]
    namespace: Option<String>,
    /// Further points of a composite key, text spelling: all of them must have a value.
    with: Vec<String>,
    /// Where the parameter is looked for.
    scope: ScopeDocument,
}

impl From<&Parameter> for PolicyParameter {
    fn from(parameter: &Parameter) -> Self {
        Self {
            name: parameter.name.clone(),
            point: parameter.point.to_string(),
            point_json: parameter.point.to_json(),
            breadcrumb: parameter.point.breadcrumb(),
            kind: parameter.kind.into(),
            group: parameter.group,
            hashed: parameter.hashed,
            namespace: parameter.namespace.clone(),
            with: parameter.with.iter().map(ToString::to_string).collect(),
            scope: parameter.scope.document(),
        }
    }
}

/// The parameters of a policy in their order, without hidden ones.
pub(super) fn shown(policy: &Policy) -> Vec<PolicyParameter> {
    policy.parameters().iter().filter(|parameter| !parameter.hidden).map(PolicyParameter::from).collect()
}

/// The context parameters that hold now.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct PolicyParameters {
    /// Version of the policy; 0 before anything was saved.
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
    /// The parameters; their order is the order in which keys are tried.
    parameters: Vec<PolicyParameter>,
    /// What groups when no key of the list works, in order.
    built_in: Vec<BuiltInRule>,
    /// How many parameters there may be.
    maximum: u32,
}

/// A point in its text spelling (`request > query token`) or its JSON spelling (`["request",["query","token"]]`).
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum PointInput {
    /// Text spelling.
    Text(String),
    /// JSON spelling.
    Steps(Vec<serde_json::Value>),
}

impl From<PointInput> for PointSpelling {
    fn from(input: PointInput) -> Self {
        match input {
            PointInput::Text(text) => Self::Text(text),
            PointInput::Steps(steps) => Self::Json(steps.into()),
        }
    }
}

/// One context parameter as it is to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ParameterInput {
    /// Unique name, 1 to 64 characters.
    name: String,
    /// Where the value stands.
    point: PointInput,
    /// Whether the value names a user or a role. Left out: `none`.
    #[serde(rename = "type", default)]
    #[schema(required = false)]
    kind: ParameterKind,
    /// Group sessions by this key. Left out: no.
    #[serde(default)]
    #[schema(required = false)]
    group: bool,
    /// Export as hashed. Left out or null: yes on places where credentials stand, else no.
    hashed: Option<bool>,
    /// Namespace of a grouping key. Left out or null: the one that all keys share.
    namespace: Option<String>,
    /// Further points of a composite key, at most four. Left out: none.
    #[serde(default)]
    #[schema(required = false)]
    with: Vec<PointInput>,
    /// Where the parameter is looked for. Left out: everywhere.
    #[serde(default)]
    #[schema(required = false)]
    scope: ScopeDocument,
}

/// The whole list as it is to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PolicyInput {
    /// At most 20 parameters, in order.
    parameters: Vec<ParameterInput>,
    /// What this change is about, at most 500 characters; kept with the version.
    comment: Option<String>,
}

impl PolicyInput {
    /// The policy with these parameters and the rest of `base`.
    fn into_document(self, base: PolicyDocument) -> PolicyDocument {
        let parameters = self.parameters.into_iter().map(|input| ParameterDocument {
            name: input.name,
            point: input.point.into(),
            kind: input.kind.into(),
            group: input.group,
            hashed: input.hashed,
            namespace: input.namespace,
            with: input.with.into_iter().map(PointSpelling::from).collect(),
            scope: input.scope,
        });
        PolicyDocument { parameters: parameters.collect(), ..base }
    }
}

/// Read the context parameters
///
/// In order, with the built-in rules that apply after them. The ETag is needed to save changes.
#[utoipa::path(
    get, path = "/policy/parameters", tag = "policy",
    responses((
        status = 200, description = "The list that holds.", body = PolicyParameters,
        headers(("ETag" = String, description = "The version, for If-Match.")),
    )),
)]
pub(crate) async fn read_parameters(
    State(hub): State<Arc<Inner>>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    QueryParameters::parse(query.as_deref())?.finish()?;
    let policy = hub.policies.current();
    let saved = hub.policies.saved(policy.version()).await?;
    Ok(parameters_answer(&hub, &policy, saved))
}

fn parameters_answer(hub: &Inner, policy: &Policy, saved: Option<SavedVersion>) -> Response {
    let (saved_at, saved_by, comment) = match saved {
        Some(saved) => (Some(Time(saved.saved_at)), Some(saved.saved_by), saved.comment),
        None => (None, None, None),
    };
    let body = PolicyParameters {
        version: policy.version(),
        saved_at,
        saved_by,
        comment,
        managed_by: hub.policies.managed_by().map(|managed| managed.file),
        parameters: shown(policy),
        built_in: hub.settings.built_in_rules.clone(),
        maximum: MAXIMUM_PARAMETERS as u32,
    };
    tagged(body, policy.version())
}

/// An answer with the version of the policy as its ETag.
pub(super) fn tagged(body: impl Serialize, version: u64) -> Response {
    let mut response = Json(body).into_response();
    if let Ok(tag) = HeaderValue::from_str(&format!("\"{version}\"")) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

/// Save the context parameters
///
/// Replaces the whole ordered list and makes a new version that nodes use at once for new traffic; what is stored
/// stays as it was exported. With any error nothing is changed. Saving what already holds makes no version.
#[utoipa::path(
    put, path = "/policy/parameters", tag = "policy",
    params(("If-Match" = String, Header, description = "ETag of the list that was edited.")),
    request_body = PolicyInput,
    responses((
        status = 200, description = "The list that holds now.", body = PolicyParameters,
        headers(("ETag" = String, description = "The version, for If-Match.")),
    )),
)]
pub(crate) async fn save_parameters(
    State(hub): State<Arc<Inner>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    JsonBody(input): JsonBody<PolicyInput>,
) -> Result<Response, Problem> {
    let expected = if_match(&headers)?;
    let comment = comment(input.comment.clone())?;
    let change = |held| input.into_document(held);
    let saved = hub.policies.save(change, expected.as_deref(), &caller, comment).await;
    let policy = saved.map_err(|error| refused(error, ""))?;
    let saved = hub.policies.saved(policy.version()).await?;
    Ok(parameters_answer(&hub, &policy, saved))
}

/// What somebody says about a change.
pub(super) fn comment(written: Option<String>) -> Result<Option<String>, Problem> {
    let comment = written.as_deref().map(str::trim).filter(|comment| !comment.is_empty()).map(str::to_owned);
    if comment.as_ref().is_some_and(|comment| comment.chars().count() > 500) {
        return Err(Problem::field("comment", "may have at most 500 characters"));
    }
    Ok(comment)
}

/// Why a policy was not saved; `place` is where it stands in the request.
pub(super) fn refused(error: SaveError, place: &str) -> Problem {
    match error {
        SaveError::Managed { file } => Problem::policy_managed(&file),
        SaveError::Stale { current } => Problem::stale(current),
        SaveError::Invalid(errors) => {
            let placed = |error: FieldError| FieldError { field: format!("{place}{}", error.field), ..error };
            Problem::fields(errors.into_iter().map(placed).map(FieldProblem::from).collect())
        }
        SaveError::Database(error) => Problem::internal("save the policy", &error),
    }
}

/// The versions that `If-Match` names (RFC 9110, 13.1.1); `None` for `*`.
pub(super) fn if_match(headers: &HeaderMap) -> Result<Option<Vec<u64>>, Problem> {
    let mut versions = Vec::new();
    let mut present = false;
    for value in headers.get_all(header::IF_MATCH) {
        present = true;
        let text = value.to_str().map_err(|_| Problem::field("If-Match", "is not an ETag"))?;
        for tag in text.split(',').map(str::trim) {
            if tag == "*" {
                return Ok(None);
            }
            let inner = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"'));
            let inner = inner.ok_or_else(|| Problem::field("If-Match", "expected an ETag in quotes, such as \"3\""))?;
            // A tag that is none of ours is well-formed and simply matches nothing.
            versions.extend(inner.parse::<u64>().ok());
        }
    }
    if present { Ok(Some(versions)) } else { Err(Problem::if_match_needed()) }
}

/// A point to check.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PointToCheck {
    /// The point as written.
    point: PointInput,
}

/// One point in its three spellings.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PointSpellings {
    /// Text spelling.
    point: String,
    /// JSON spelling.
    #[schema(value_type = Vec<serde_json::Value>)]
    point_json: serde_json::Value,
    /// Breadcrumb, step by step.
    breadcrumb: Vec<String>,
    /// `request` or `response`.
    side: &'static str,
    /// Whether credentials usually stand there, so that `hashed` is preselected.
    hashed_by_default: bool,
}

/// What is wrong with a point.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PointProblem {
    /// Position of the step at fault, from 0; null when no single step is.
    #[schema(required)]
    step: Option<u32>,
    /// Why.
    reason: String,
    /// What may stand there instead; empty when that is no short list.
    allowed: Vec<String>,
}

impl From<PointError> for PointProblem {
    fn from(error: PointError) -> Self {
        Self {
            step: u32::try_from(error.position()).ok(),
            reason: error.to_string(),
            allowed: error.allowed().to_vec(),
        }
    }
}

/// The verdict on a point: exactly one of the two is there.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PointCheck {
    /// Its spellings, when it is one.
    #[schema(required)]
    spellings: Option<PointSpellings>,
    /// What is wrong, when it is none.
    #[schema(required)]
    error: Option<PointProblem>,
}

/// Check a point
///
/// Takes any spelling and returns all of them, or says which step cannot stand where it does and what may. What the
/// check accepts can be saved.
#[utoipa::path(
    post, path = "/policy/points/check", tag = "policy",
    request_body = PointToCheck,
    responses((status = 200, description = "The verdict.", body = PointCheck)),
)]
pub(crate) async fn check_point(JsonBody(input): JsonBody<PointToCheck>) -> Json<PointCheck> {
    let parsed = match &input.point {
        PointInput::Text(text) => Point::parse(text),
        PointInput::Steps(steps) => Point::from_json(&steps.clone().into()),
    };
    let verdict = parsed.map_err(PointProblem::from).and_then(|point| match refused_by_policy(&point) {
        None => Ok(PointSpellings::from(&point)),
        Some(reason) => Err(PointProblem { step: None, reason, allowed: Vec::new() }),
    });
    Json(match verdict {
        Ok(spellings) => PointCheck { spellings: Some(spellings), error: None },
        Err(error) => PointCheck { spellings: None, error: Some(error) },
    })
}

/// Some points are well-formed, but no policy may use them (yet).
fn refused_by_policy(point: &Point) -> Option<String> {
    let parameter = ParameterDocument {
        name: "checked".to_owned(),
        point: PointSpelling::Text(point.to_string()),
        kind: ParameterType::None,
        group: false,
        hashed: None,
        namespace: None,
        with: Vec::new(),
        scope: ScopeDocument::default(),
    };
    let document = PolicyDocument { parameters: vec![parameter], ..PolicyDocument::default() };
    let errors = Policy::validate(1, document).err()?;
    errors.into_iter().next().map(|error| error.reason)
}

impl From<&Point> for PointSpellings {
    fn from(point: &Point) -> Self {
        Self {
            point: point.to_string(),
            point_json: point.to_json(),
            breadcrumb: point.breadcrumb(),
            side: point.side().as_str(),
            hashed_by_default: point.is_credential_place(),
        }
    }
}
