//! The ways clients say who they are.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::header::{AUTHORIZATION, COOKIE, HeaderName};
use serde_json::Value;

use crate::truth::{Identifier, IdentifierName};

use super::call::Call;

/// What an actor holds at the moment.
#[derive(Clone)]
pub(crate) enum Credential {
    /// Nothing yet.
    None,
    /// Cookie `connect.sid`.
    Cookie(String),
    /// Opaque bearer token.
    Bearer(String),
    /// A JWT with its claims.
    Jwt { token: String, session: String, subject: String },
    /// Header X-API-Key.
    ApiKey(String),
    /// Basic authentication (RFC 7617).
    Basic { user: String, password: String },
}

impl Credential {
    /// Reads the claims of a JWT as a client would; `None` if it has none.
    pub(crate) fn from_jwt(token: &str) -> Option<Self> {
        let payload = token.split('.').nth(1)?;
        let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()?;
        Some(Self::Jwt {
            token: token.to_owned(),
            session: claims["sid"].as_str()?.to_owned(),
            subject: claims["sub"].as_str()?.to_owned(),
        })
    }

    /// Puts the credential into a request.
    pub(crate) fn apply(&self, call: &mut Call) {
        let mut add = |name: HeaderName, value: String| call.headers.push((name, value));
        match self {
            Self::None => {}
            Self::Cookie(value) => {
                add(COOKIE, format!("theme=dark; connect.sid={value}; seen=1"));
                call.identifiers.push(Identifier::sent(IdentifierName::SessionCookie, value));
            }
            Self::Bearer(token) => {
                add(AUTHORIZATION, format!("Bearer {token}"));
                call.identifiers.push(Identifier::sent(IdentifierName::BearerToken, token));
            }
            Self::Jwt { token, session, subject } => {
                add(AUTHORIZATION, format!("Bearer {token}"));
                call.identifiers.push(Identifier::sent(IdentifierName::JwtSession, session));
                call.identifiers.push(Identifier::sent(IdentifierName::JwtSubject, subject));
            }
            Self::ApiKey(key) => {
                add(HeaderName::from_static("x-api-key"), key.clone());
                call.identifiers.push(Identifier::sent(IdentifierName::ApiKey, key));
            }
            Self::Basic { user, password } => {
                add(AUTHORIZATION, format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))));
                call.identifiers.push(Identifier::sent(IdentifierName::BasicUser, user));
            }
        }
    }
}
