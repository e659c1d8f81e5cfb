//! People who may sign in, API tokens of programs, and the audit log: what administrators look after.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, RawQuery, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::JsonBody;
use super::paging;
use super::path::PathText;
use super::query::QueryParameters;
use super::sessions::PageParameters;
use super::time::Time;
use crate::database::{audit, people, tokens};
use crate::hub::Inner;
use crate::problem::{FieldProblem, Problem};
use crate::security::{Caller, CallerKind, Role, password, secret};

const MICROS_PER_DAY: i64 = 86_400_000_000;

/// A person who may sign in.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Person {
    /// Identity.
    id: i64,
    /// Name to sign in with.
    name: String,
    /// Role.
    role: Role,
    /// When they were added.
    created_at: Time,
    /// By whom.
    created_by: String,
    /// When they last signed in; null for never.
    #[schema(required)]
    last_sign_in_at: Option<Time>,
}

impl From<people::Person> for Person {
    fn from(person: people::Person) -> Self {
        Self {
            id: person.id,
            name: person.name,
            role: person.role,
            created_at: Time(person.created_at),
            created_by: person.created_by,
            last_sign_in_at: person.last_sign_in_at.map(Time),
        }
    }
}

/// Everybody who may sign in.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PersonList {
    /// By name.
    people: Vec<Person>,
}

/// What a person may be: any role but a node's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum PersonRole {
    /// Everything.
    Admin,
    /// Looks at sessions and judges them.
    Analyst,
    /// Looks at sessions.
    Viewer,
}

impl From<PersonRole> for Role {
    fn from(role: PersonRole) -> Self {
        match role {
            PersonRole::Admin => Self::Admin,
            PersonRole::Analyst => Self::Analyst,
            PersonRole::Viewer => Self::Viewer,
        }
    }
}

/// A person to add.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewPerson {
    /// Name to sign in with, 1 to 64 characters.
    name: String,
    /// Nodes are no people: they use API tokens.
    role: PersonRole,
    /// First password, 12 to 256 characters.
    #[schema(format = Password)]
    password: String,
}

/// List people
#[utoipa::path(
    get, path = "/people", tag = "administration",
    responses((status = 200, description = "Everybody who may sign in.", body = PersonList)),
)]
pub(crate) async fn list_people(
    State(hub): State<Arc<Inner>>,
    RawQuery(query): RawQuery,
) -> Result<Json<PersonList>, Problem> {
    QueryParameters::parse(query.as_deref())?.finish()?;
    let people = people::list(&hub.database).await?;
    Ok(Json(PersonList { people: people.into_iter().map(Person::from).collect() }))
}

/// Add a person
#[utoipa::path(
    post, path = "/people", tag = "administration",
    request_body = NewPerson,
    responses((status = 201, description = "Added.", body = Person)),
)]
pub(crate) async fn add_person(
    State(hub): State<Arc<Inner>>,
    Extension(caller): Extension<Caller>,
    JsonBody(input): JsonBody<NewPerson>,
) -> Result<Response, Problem> {
    let mut errors = Vec::new();
    let name = checked_name(&input.name, &mut errors);
    if let Err(reason) = password::judge(&input.password, &name) {
        errors.push(FieldProblem::new("password", reason));
    }
    if !errors.is_empty() {
        return Err(Problem::fields(errors));
    }
    let hash = hub.passwords.hash(input.password).await?;
    let person = people::add(&hub.database, &name, input.role.into(), &hash, &caller.name, hub.now()).await?;
    let person = person.ok_or_else(|| Problem::field("name", "is taken"))?;
    let entry = audit::Entry::by(&caller, "person.added").about(&person.name).saying(person.role.as_str());
    audit::append(&hub.database, entry, hub.now()).await?;
    Ok((StatusCode::CREATED, Json(Person::from(person))).into_response())
}

/// Remove a person
///
/// Ends their sign-ins. The last administrator cannot be removed. API tokens that they made keep working.
#[utoipa::path(
    delete, path = "/people/{person_id}", tag = "administration",
    params(("person_id" = i64, Path, description = "Identity.")),
    responses((status = 204, description = "Removed.")),
)]
pub(crate) async fn remove_person(
    State(hub): State<Arc<Inner>>,
    Extension(caller): Extension<Caller>,
    PathText(id): PathText,
) -> Result<StatusCode, Problem> {
    let id = identity(&id, "person_id")?;
    match people::remove(&hub.database, id).await? {
        people::Removal::Removed(name) => {
            let entry = audit::Entry::by(&caller, "person.removed").about(&name);
            audit::append(&hub.database, entry, hub.now()).await?;
            Ok(StatusCode::NO_CONTENT)
        }
        people::Removal::LastAdministrator => {
            Err(Problem::conflict("This is the last administrator; make another one first."))
        }
        people::Removal::Unknown => Err(Problem::not_found("There is no such person.")),
    }
}

/// An API token, without its secret.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ApiToken {
    /// Identity.
    id: i64,
    /// What it is for.
    name: String,
    /// Role.
    role: Role,
    /// When it was made.
    created_at: Time,
    /// By whom.
    created_by: String,
    /// When it ends; null for never.
    #[schema(required)]
    expires_at: Option<Time>,
    /// When it was last used, to the minute; null for never.
    #[schema(required)]
    last_used_at: Option<Time>,
}

impl From<tokens::ApiToken> for ApiToken {
    fn from(token: tokens::ApiToken) -> Self {
        Self {
            id: token.id,
            name: token.name,
            role: token.role,
            created_at: Time(token.created_at),
            created_by: token.created_by,
            expires_at: token.expires_at.map(Time),
            last_used_at: token.last_used_at.map(Time),
        }
    }
}

/// All API tokens.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ApiTokenList {
    /// Newest first.
    tokens: Vec<ApiToken>,
}

/// An API token to make.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewApiToken {
    /// What it is for, 1 to 64 characters.
    name: String,
    /// Role.
    role: Role,
    /// Days until it ends, 1 to 3660. Left out or null: never.
    #[schema(minimum = 1, maximum = 3660)]
    expires_in_days: Option<u32>,
}

/// A new API token with its secret, which is shown this once.
#[derive(Serialize, ToSchema)]
pub(crate) struct CreatedApiToken {
    /// The token.
    #[serde(flatten)]
    token: ApiToken,
    /// What the program sends: `Authorization: Bearer tl_…`.
    secret: String,
}

/// List API tokens
#[utoipa::path(
    get, path = "/tokens", tag = "administration",
    responses((status = 200, description = "All tokens, without their secrets.", body = ApiTokenList)),
)]
pub(crate) async fn list_tokens(
    State(hub): State<Arc<Inner>>,
    RawQuery(query): RawQuery,
) -> Result<Json<ApiTokenList>, Problem> {
    QueryParameters::parse(query.as_deref())?.finish()?;
    let tokens = tokens::list(&hub.database).await?;
    Ok(Json(ApiTokenList { tokens: tokens.into_iter().map(ApiToken::from).collect() }))
}

/// Make an API token
///
/// The secret is in the answer and nowhere else.
#[utoipa::path(
    post, path = "/tokens", tag = "administration",
    request_body = NewApiToken,
    responses((status = 201, description = "Made.", body = CreatedApiToken)),
)]
pub(crate) async fn create_token(
    State(hub): State<Arc<Inner>>,
    Extension(caller): Extension<Caller>,
    JsonBody(input): JsonBody<NewApiToken>,
) -> Result<Response, Problem> {
    let mut errors = Vec::new();
    let name = checked_name(&input.name, &mut errors);
    if input.expires_in_days.is_some_and(|days| !(1..=3_660).contains(&days)) {
        errors.push(FieldProblem::new("expires_in_days", "expected a whole number from 1 to 3660"));
    }
    if !errors.is_empty() {
        return Err(Problem::fields(errors));
    }
    let now = hub.now();
    let expires_at = input
        .expires_in_days
        .map(|days| threadline_model::Timestamp::from_micros(now.micros() + i64::from(days) * MICROS_PER_DAY));
    let secret = secret::Secret::generate(secret::TOKEN_PREFIX)?;
    let token = tokens::add(&hub.database, &secret.hash(), &name, input.role, &caller.name, now, expires_at).await?;
    let entry = audit::Entry::by(&caller, "token.created").about(&token.name).saying(token.role.as_str());
    audit::append(&hub.database, entry, now).await?;
    let created = CreatedApiToken { token: token.into(), secret: secret.reveal().to_owned() };
    Ok((StatusCode::CREATED, Json(created)).into_response())
}

/// Revoke an API token
#[utoipa::path(
    delete, path = "/tokens/{token_id}", tag = "administration",
    params(("token_id" = i64, Path, description = "Identity.")),
    responses((status = 204, description = "Revoked; it stops working at once.")),
)]
pub(crate) async fn revoke_token(
    State(hub): State<Arc<Inner>>,
    Extension(caller): Extension<Caller>,
    PathText(id): PathText,
) -> Result<StatusCode, Problem> {
    let id = identity(&id, "token_id")?;
    let name = tokens::remove(&hub.database, id).await?;
    let name = name.ok_or_else(|| Problem::not_found("There is no such token."))?;
    let entry = audit::Entry::by(&caller, "token.revoked").about(&name);
    audit::append(&hub.database, entry, hub.now()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// One entry of the audit log.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AuditEntry {
    /// Identity; later entries have greater ones.
    id: u64,
    /// When.
    at: Time,
    /// Who: the name of a person or token, `configuration file`, or null when nobody was signed in.
    #[schema(required)]
    actor: Option<String>,
    /// How they were known.
    #[schema(required)]
    actor_kind: Option<CallerKind>,
    /// What was done: `sign_in.succeeded`, `sign_in.failed`, `policy.saved` …
    action: String,
    /// To whom or what.
    #[schema(required)]
    subject: Option<String>,
    /// More about it.
    #[schema(required)]
    detail: Option<String>,
    /// Address of the client, where one was involved.
    #[schema(required)]
    address: Option<String>,
}

/// A page of the audit log.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AuditLog {
    /// Entries over all pages.
    total: u64,
    /// Token of the next page; null on the last.
    #[schema(required)]
    next_page_token: Option<String>,
    /// Newest first.
    entries: Vec<AuditEntry>,
}

/// Read the audit log
#[utoipa::path(
    get, path = "/audit", tag = "administration",
    params(PageParameters),
    responses((status = 200, description = "A page, newest first.", body = AuditLog)),
)]
pub(crate) async fn read_audit(
    State(hub): State<Arc<Inner>>,
    RawQuery(query): RawQuery,
) -> Result<Json<AuditLog>, Problem> {
    let mut parameters = QueryParameters::parse(query.as_deref())?;
    let (limit, before) = paging::take_descending_page(&mut parameters);
    parameters.finish()?;
    let (total, entries) = audit::list(&hub.database, before, limit).await?;
    let next_page_token = paging::descending_token(&entries, limit, |entry| entry.id);
    let entries = entries.into_iter().map(|entry| AuditEntry {
        id: entry.id,
        at: Time(entry.at),
        actor: entry.actor,
        actor_kind: entry.actor_kind,
        action: entry.action,
        subject: entry.subject,
        detail: entry.detail,
        address: entry.address,
    });
    Ok(Json(AuditLog { total, next_page_token, entries: entries.collect() }))
}

fn identity(text: &str, field: &'static str) -> Result<i64, Problem> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| plain).ok_or_else(|| Problem::field(field, "expected a whole number"))
}

/// Names are shown in lists and logs: trimmed, of 1 to 64 characters, none of them invisible.
pub(crate) fn checked_name(name: &str, errors: &mut Vec<FieldProblem>) -> String {
    let name = name.trim();
    let characters = name.chars().count();
    if characters == 0 || characters > 64 {
        errors.push(FieldProblem::new("name", "must have 1 to 64 characters"));
    } else if threadline_model::escape_for_display(name.as_bytes(), 64) != name {
        errors.push(FieldProblem::new("name", "must not have control or invisible characters"));
    }
    name.to_owned()
}
