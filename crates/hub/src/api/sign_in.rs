//! First run, sign-in, sign-out, and who is asking.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, RawQuery, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::JsonBody;
use super::query::QueryParameters;
use super::time::Time;
use crate::hub::Inner;
use crate::problem::Problem;
use crate::security::{self, Caller, CallerKind, ClientAddress, Role, cookie};

/// Whether the first administrator is still to be made.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FirstRunState {
    /// The one-time token still works.
    open: bool,
}

/// The first administrator.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FirstRun {
    /// The one-time token that was printed on the terminal and stands in `first-run-token` in the data folder.
    token: String,
    /// Name to sign in with, 1 to 64 characters.
    name: String,
    /// Password, 12 to 256 characters.
    #[schema(format = Password)]
    password: String,
}

/// Who wants to sign in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignIn {
    /// Name.
    name: String,
    /// Password.
    #[schema(format = Password)]
    password: String,
}

/// A person who is signed in now.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SignedIn {
    /// Name.
    name: String,
    /// Role.
    role: Role,
}

/// Who is asking.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Me {
    /// Name of the person or of the API token.
    name: String,
    /// Role.
    role: Role,
    /// How they are known.
    kind: CallerKind,
    /// When the sign-in or the token ends; null for never.
    #[schema(required)]
    expires_at: Option<Time>,
}

/// A new password for oneself.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PasswordChange {
    /// The password until now.
    #[schema(format = Password)]
    current: String,
    /// The password from now on, 12 to 256 characters.
    #[schema(format = Password)]
    new: String,
}

/// Is the first run open?
#[utoipa::path(
    get, path = "/first-run", tag = "sign-in",
    responses((status = 200, description = "Whether the first administrator is still to be made.", body = FirstRunState)),
)]
pub(crate) async fn first_run_state(
    State(hub): State<Arc<Inner>>,
    RawQuery(query): RawQuery,
) -> Result<Json<FirstRunState>, Problem> {
    QueryParameters::parse(query.as_deref())?.finish()?;
    Ok(Json(FirstRunState { open: hub.first_run.is_open() }))
}

/// Make the first administrator
///
/// Works once, with the one-time token, and signs in.
#[utoipa::path(
    post, path = "/first-run", tag = "sign-in",
    request_body = FirstRun,
    responses((
        status = 200, description = "Signed in.", body = SignedIn,
        headers(("Set-Cookie" = String, description = "`threadline_session`")),
    )),
)]
pub(crate) async fn first_run(
    State(hub): State<Arc<Inner>>,
    Extension(address): Extension<ClientAddress>,
    JsonBody(input): JsonBody<FirstRun>,
) -> Result<Response, Problem> {
    let person = security::first_run::make_administrator(&hub, address, &input.token, &input.name, &input.password);
    let person = person.await?;
    signed_in(&hub, person.id, person.name, person.role).await
}

/// Sign in
#[utoipa::path(
    post, path = "/sign-in", tag = "sign-in",
    request_body = SignIn,
    responses((
        status = 200, description = "Signed in.", body = SignedIn,
        headers(("Set-Cookie" = String, description = "`threadline_session`")),
    )),
)]
pub(crate) async fn sign_in(
    State(hub): State<Arc<Inner>>,
    Extension(address): Extension<ClientAddress>,
    JsonBody(input): JsonBody<SignIn>,
) -> Result<Response, Problem> {
    let person = security::sign_in::verify(&hub, address, &input.name, &input.password).await?;
    signed_in(&hub, person.id, person.name, person.role).await
}

async fn signed_in(hub: &Inner, person: i64, name: String, role: Role) -> Result<Response, Problem> {
    let secret = security::sign_in::open(hub, person).await?;
    let mut response = Json(SignedIn { name, role }).into_response();
    response.headers_mut().insert(header::SET_COOKIE, cookie::set(&secret, hub.settings.secure_cookies())?);
    Ok(response)
}

/// Sign out
///
/// Ends this sign-in. Succeeds as well when there was none.
#[utoipa::path(
    post, path = "/sign-out", tag = "sign-in",
    responses((status = 204, description = "Signed out.")),
)]
pub(crate) async fn sign_out(State(hub): State<Arc<Inner>>, headers: HeaderMap) -> Result<Response, Problem> {
    if let Some(secret) = cookie::read(&headers) {
        security::sign_in::close(&hub, secret).await?;
    }
    let mut response = StatusCode::NO_CONTENT.into_response();
    let removal = HeaderValue::from_static(cookie::removal(hub.settings.secure_cookies()));
    response.headers_mut().insert(header::SET_COOKIE, removal);
    Ok(response)
}

/// Who am I?
#[utoipa::path(
    get, path = "/me", tag = "sign-in",
    responses((status = 200, description = "Who is asking.", body = Me)),
)]
pub(crate) async fn me(Extension(caller): Extension<Caller>, RawQuery(query): RawQuery) -> Result<Json<Me>, Problem> {
    QueryParameters::parse(query.as_deref())?.finish()?;
    let expires_at = caller.expires_at.map(Time);
    Ok(Json(Me { name: caller.name, role: caller.role, kind: caller.kind, expires_at }))
}

/// Change my password
///
/// For people. Ends all other sign-ins of the same person.
#[utoipa::path(
    put, path = "/me/password", tag = "sign-in",
    request_body = PasswordChange,
    responses((status = 204, description = "Changed.")),
)]
pub(crate) async fn change_password(
    State(hub): State<Arc<Inner>>,
    Extension(caller): Extension<Caller>,
    Extension(address): Extension<ClientAddress>,
    headers: HeaderMap,
    JsonBody(input): JsonBody<PasswordChange>,
) -> Result<StatusCode, Problem> {
    let secret = cookie::read(&headers);
    security::sign_in::change_password(&hub, &caller, address, secret, &input.current, &input.new).await?;
    Ok(StatusCode::NO_CONTENT)
}
