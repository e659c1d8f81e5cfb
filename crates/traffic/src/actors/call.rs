//! What a script sends and what it sees.

use http::header::{ACCEPT, CONTENT_TYPE, HeaderName};
use http::{HeaderMap, Method};
use rand_chacha::ChaCha8Rng;
use serde_json::Value;

use crate::truth::{Identifier, IdentifierName};

use super::credential::Credential;

/// One request as a script wants it.
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) target: String,
    pub(crate) headers: Vec<(HeaderName, String)>,
    pub(crate) body: String,
    pub(crate) identifiers: Vec<Identifier>,
    pub(crate) pause: f64,
}

impl Call {
    pub(crate) fn get(target: impl Into<String>) -> Self {
        Self {
            method: Method::GET,
            target: target.into(),
            headers: vec![(ACCEPT, "application/json".to_owned())],
            body: String::new(),
            identifiers: Vec::new(),
            pause: 1.0,
        }
    }

    pub(crate) fn post(target: impl Into<String>, body: &Value) -> Self {
        let mut call = Self::get(target);
        call.method = Method::POST;
        call.headers.push((CONTENT_TYPE, "application/json".to_owned()));
        call.body = body.to_string();
        if let Some(token) = body["token"].as_str() {
            call.identifiers.push(Identifier::sent(IdentifierName::BodyToken, token));
        }
        call
    }

    /// Adds a credential and says so in the identifiers.
    pub(crate) fn with(mut self, credential: &Credential) -> Self {
        credential.apply(&mut self);
        self
    }

    /// `pause` times the usual think time before it.
    pub(crate) fn after(mut self, pause: f64) -> Self {
        self.pause = pause;
        self
    }
}

/// An answer as a script sees it.
pub(crate) struct Reply<'a> {
    pub(crate) status: u16,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: &'a [u8],
}

impl Reply<'_> {
    /// The body as JSON; null when it is none.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(self.body).unwrap_or(Value::Null)
    }

    /// The value of a cookie that the answer sets.
    pub(crate) fn cookie(&self, name: &str) -> Option<String> {
        self.headers
            .get_all(http::header::SET_COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok()?.split(';').next()?.split_once('='))
            .find(|(found, value)| *found == name && !value.is_empty())
            .map(|(_, value)| value.to_owned())
    }
}

/// What an actor does.
pub(crate) trait Script: Send {
    /// The next request. `remaining` counts it and those after it.
    fn next(&mut self, random: &mut ChaCha8Rng, remaining: u64) -> Call;

    /// Sees the answer to the last request, if there was one, and returns what it issued.
    fn learn(&mut self, reply: Option<&Reply<'_>>) -> Vec<Identifier>;
}
