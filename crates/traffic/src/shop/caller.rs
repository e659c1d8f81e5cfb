//! Who is asking: the shop's idea of authentication, in all the ways its clients use.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use http::header::{AUTHORIZATION, COOKIE};
use serde_json::Value;

use super::state::{State, password_of, user_of};
use super::token;

/// The web shop's session cookie.
pub(super) const SESSION_COOKIE: &str = "connect.sid";

/// A caller who is known.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    pub(super) user: u32,
    pub(super) role: &'static str,
    /// The opaque token of the session, where there is one.
    pub(super) session: Option<String>,
}

/// What a person is in the shop.
pub(super) fn role_of(user: u32) -> &'static str {
    if user.is_multiple_of(17) { "premium" } else { "customer" }
}

/// Finds out who sent a request.
pub(super) fn identify(
    seed: u64,
    state: &mut State,
    headers: &HeaderMap,
    query_token: Option<&str>,
    body: Option<&Value>,
) -> Option<Caller> {
    let text = |name| headers.get(name).and_then(|value: &http::HeaderValue| value.to_str().ok());
    if let Some(key) = headers.get("x-api-key").and_then(|value| value.to_str().ok()) {
        let user = key.split('_').nth(1)?.parse().ok()?;
        return (token::api_key(user) == key).then_some(Caller { user, role: "partner", session: None });
    }
    if let Some(authorization) = text(AUTHORIZATION) {
        let (scheme, credentials) = authorization.split_once(' ')?;
        return match scheme.to_ascii_lowercase().as_str() {
            "basic" => basic(credentials),
            "bearer" if credentials.contains('.') => bearer(seed, credentials),
            "bearer" => session(state, credentials),
            _ => None,
        };
    }
    let cookie = text(COOKIE).and_then(|cookies| {
        cookies.split(';').filter_map(|pair| pair.trim().split_once('=')).find(|(name, _)| *name == SESSION_COOKIE)
    });
    if let Some((_, value)) = cookie {
        return session(state, value);
    }
    let token = query_token.or_else(|| body.and_then(|body| body["token"].as_str()))?;
    session(state, token)
}

fn session(state: &mut State, token: &str) -> Option<Caller> {
    let user = state.session(token)?.user;
    Some(Caller { user, role: role_of(user), session: Some(token.to_owned()) })
}

fn bearer(seed: u64, credentials: &str) -> Option<Caller> {
    let claims = token::claims(seed, credentials)?;
    let user = claims["sub"].as_str()?.strip_prefix("user-")?.parse().ok()?;
    Some(Caller { user, role: role_of(user), session: None })
}

/// RFC 7617.
fn basic(credentials: &str) -> Option<Caller> {
    let decoded = STANDARD.decode(credentials).ok()?;
    let (name, password) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
    let user = user_of(name)?;
    (password == password_of(user)).then_some(Caller { user, role: "staff", session: None })
}
