//! In front of every route of the API: who is asking, does the request come from our own pages, may they.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, Method, header};

use super::host::{Provenance, provenance};
use super::{Caller, CallerKind, ClientAddress, Role, cookie, secret, sign_in};
use crate::api::query::QueryParameters;
use crate::database::{DatabaseError, sign_ins, tokens};
use crate::hub::Inner;
use crate::problem::Problem;
use crate::routes::{self, Access};

/// Lets a request through with its [`Caller`], or answers it.
pub(crate) async fn guard(State(hub): State<Arc<Inner>>, request: Request, next: Next) -> Response {
    match admit(&hub, request).await {
        Ok(request) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

async fn admit(hub: &Inner, mut request: Request) -> Result<Request, Problem> {
    let Some(route) = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned()) else {
        return Err(Problem::not_found("There is no such place in the API."));
    };
    let Some(access) = routes::access(request.method(), &route) else {
        return Err(Problem::method_not_allowed(&routes::allowed_methods(&route)));
    };
    let address = request.extensions().get::<ClientAddress>().copied();
    let presented = Presented::read(request.headers());
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD);
    if changes {
        refuse_foreign(&presented, provenance(request.headers(), request.uri(), hub.settings.public_url.as_ref()))?;
    }
    if let Access::Roles(roles) = access {
        let caller = identify(hub, presented, address).await?;
        if !roles.contains(&caller.role) {
            let names: Vec<&str> = roles.iter().map(|role| role.as_str()).collect();
            return Err(Problem::role(&names.join(", ")));
        }
        request.extensions_mut().insert(caller);
    }
    if changes {
        // No change takes query parameters: one that is there was meant for something.
        QueryParameters::parse(request.uri().query())?.finish()?;
    }
    Ok(request)
}

/// What a request says about who asks. A token wins over a cookie: programs say what they mean.
enum Presented {
    Token([u8; 32]),
    Cookie([u8; 32]),
    Nothing,
}

impl Presented {
    fn read(headers: &HeaderMap) -> Self {
        // Other schemes are for somebody in front of the hub.
        let token = headers.get(header::AUTHORIZATION).and_then(|value| {
            let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
        });
        match (token, cookie::read(headers)) {
            (Some(token), _) => Self::Token(secret::hash(token)),
            (None, Some(secret)) => Self::Cookie(secret::hash(secret)),
            (None, None) => Self::Nothing,
        }
    }
}

/// Changes made with a cookie must come from our own pages (cross-site request forgery); so must first run and
/// sign-in when a browser sends them, or another site could sign somebody in as itself.
fn refuse_foreign(presented: &Presented, provenance: Provenance) -> Result<(), Problem> {
    match (presented, provenance) {
        (Presented::Token(_), _) | (_, Provenance::SameOrigin) | (Presented::Nothing, Provenance::Unsaid) => Ok(()),
        (_, Provenance::Foreign) | (Presented::Cookie(_), Provenance::Unsaid) => Err(Problem::cross_origin()),
    }
}

async fn identify(hub: &Inner, presented: Presented, address: Option<ClientAddress>) -> Result<Caller, Problem> {
    match presented {
        Presented::Nothing => {
            Err(Problem::unauthenticated("Sign in, or send an API token as `Authorization: Bearer tl_…`."))
        }
        Presented::Cookie(hash) => person(hub, &hash, address).await,
        Presented::Token(hash) => program(hub, &hash, address).await,
    }
}

async fn person(hub: &Inner, hash: &[u8; 32], address: Option<ClientAddress>) -> Result<Caller, Problem> {
    let ended = || Problem::unauthenticated("The sign-in has ended; sign in again.");
    let now = hub.now();
    let found = sign_ins::find(&hub.database, hash).await?.ok_or_else(ended)?;
    let idle = now.micros().saturating_sub(found.last_used_at.micros());
    if now >= found.expires_at || idle >= sign_in::IDLE_MICROS {
        noted(hub, sign_ins::close(&hub.database, hash).await.map(drop));
        return Err(ended());
    }
    if idle >= sign_in::TOUCH_MICROS {
        noted(hub, sign_ins::touch(&hub.database, hash, now).await);
    }
    Ok(Caller {
        kind: CallerKind::Person,
        person: Some(found.person),
        name: found.name,
        role: found.role,
        expires_at: Some(found.expires_at),
        address,
    })
}

/// A disk that is full must not lock people out of what can still be read: that a use was not noted is said in the log,
/// once until it works again.
fn noted(hub: &Inner, outcome: Result<(), DatabaseError>) {
    match outcome {
        Ok(()) => hub.uses_unnoted.store(false, Ordering::Relaxed),
        Err(error) if !hub.uses_unnoted.swap(true, Ordering::Relaxed) => {
            tracing::error!(error = %crate::problem::chain(&error), "the use of sign-ins and tokens cannot be noted");
        }
        Err(_) => {}
    }
}

async fn program(hub: &Inner, hash: &[u8; 32], address: Option<ClientAddress>) -> Result<Caller, Problem> {
    if hub.local_token.matches(hash) {
        let name = "local command".to_owned();
        let (kind, role) = (CallerKind::Local, Role::Admin);
        return Ok(Caller { kind, person: None, name, role, expires_at: None, address });
    }
    let unknown = || Problem::unauthenticated("The API token is not known, was revoked, or has ended.");
    let now = hub.now();
    let token = tokens::find(&hub.database, hash).await?.ok_or_else(unknown)?;
    if token.expires_at.is_some_and(|end| now >= end) {
        return Err(unknown());
    }
    if token.last_used_at.is_none_or(|last| now.micros().saturating_sub(last.micros()) >= sign_in::TOUCH_MICROS) {
        noted(hub, tokens::touch(&hub.database, token.id, now).await);
    }
    Ok(Caller {
        kind: CallerKind::Token,
        person: None,
        name: token.name,
        role: token.role,
        expires_at: token.expires_at,
        address,
    })
}
