//! People: in the web shop, in the single-page application, in the mobile app, and with a token in query and body.

use http::header::ACCEPT;
use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;
use serde_json::json;

use crate::shop::{password_of, user_name};
use crate::truth::{Identifier, IdentifierName};

use super::browsing::Browsing;
use super::call::{Call, Reply, Script};
use super::credential::Credential;

/// What a sign-in to the shop sends.
pub(super) fn login_call(user: u32, channel: &str) -> Call {
    let body = json!({"user": user_name(user), "password": password_of(user), "channel": channel});
    Call::post("/login", &body).after(2.0)
}

/// A person in the web shop with a session cookie. Looks around before signing in if told so.
pub(super) struct WebCustomer {
    user: u32,
    browsing: Browsing,
    credential: Credential,
    /// Requests before the sign-in.
    looks: u32,
    leaving: bool,
}

impl WebCustomer {
    pub(super) fn new(user: u32, looks: u32) -> Self {
        Self { user, browsing: Browsing::default(), credential: Credential::None, looks, leaving: false }
    }
}

impl Script for WebCustomer {
    fn next(&mut self, random: &mut ChaCha8Rng, remaining: u64) -> Call {
        if matches!(self.credential, Credential::None) {
            if self.looks > 0 {
                self.looks -= 1;
                return self.browsing.look(random);
            }
            return login_call(self.user, "web");
        }
        if remaining == 1 && random.random_bool(0.5) {
            self.leaving = true;
            return Call::post("/logout", &json!({})).with(&self.credential);
        }
        if random.random_bool(0.08) {
            let mut call = Call::get("/");
            call.headers = vec![(ACCEPT, "text/html".to_owned())];
            return call.with(&self.credential);
        }
        self.browsing.shop(random, self.user).with(&self.credential)
    }

    fn learn(&mut self, reply: Option<&Reply<'_>>) -> Vec<Identifier> {
        let Some(reply) = reply else { return Vec::new() };
        if reply.status == 401 || self.leaving {
            // The shop has forgotten us, or we left: the next request signs in again.
            self.credential = Credential::None;
            self.leaving = false;
        }
        match reply.cookie("connect.sid") {
            Some(value) => {
                self.credential = Credential::Cookie(value.clone());
                vec![Identifier::issued(IdentifierName::SessionCookie, value)]
            }
            None => Vec::new(),
        }
    }
}

/// How a client sends the token that it got from the sign-in's body.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum TokenUse {
    /// As bearer token, refreshed now and then.
    Bearer,
    /// In query and body.
    Passed,
}

/// A client with an opaque token.
pub(super) struct TokenCustomer {
    user: u32,
    usage: TokenUse,
    browsing: Browsing,
    token: Option<String>,
    since_token: u32,
}

impl TokenCustomer {
    pub(super) fn new(user: u32, usage: TokenUse) -> Self {
        Self { user, usage, browsing: Browsing::default(), token: None, since_token: 0 }
    }
}

impl Script for TokenCustomer {
    fn next(&mut self, random: &mut ChaCha8Rng, _remaining: u64) -> Call {
        let Some(token) = self.token.clone() else { return login_call(self.user, "app") };
        self.since_token += 1;
        if self.usage == TokenUse::Passed {
            return if random.random_bool(0.5) {
                let body = json!({"item": random.random_range(1..=400), "token": token});
                Call::post("/wishlist", &body)
            } else {
                let mut call = Call::get(format!("/wishlist?token={token}"));
                call.identifiers.push(Identifier::sent(IdentifierName::QueryToken, token));
                call
            };
        }
        let credential = Credential::Bearer(token.clone());
        if self.since_token > 8 && random.random_bool(0.2) {
            return Call::post("/token/refresh", &json!({"token": token})).with(&credential).after(0.1);
        }
        self.browsing.shop(random, self.user).with(&credential)
    }

    fn learn(&mut self, reply: Option<&Reply<'_>>) -> Vec<Identifier> {
        let Some(reply) = reply else { return Vec::new() };
        if reply.status == 401 {
            self.token = None;
        }
        match reply.json()["token"].as_str() {
            Some(token) => {
                self.token = Some(token.to_owned());
                self.since_token = 0;
                vec![Identifier::issued(IdentifierName::BodyToken, token)]
            }
            None => Vec::new(),
        }
    }
}

/// The mobile app.
pub(super) struct MobileCustomer {
    user: u32,
    credential: Credential,
    refresh_token: Option<String>,
    since_token: u32,
}

impl MobileCustomer {
    pub(super) fn new(user: u32) -> Self {
        Self { user, credential: Credential::None, refresh_token: None, since_token: 0 }
    }
}

impl Script for MobileCustomer {
    fn next(&mut self, random: &mut ChaCha8Rng, _remaining: u64) -> Call {
        let Some(refresh_token) = &self.refresh_token else {
            let body = json!({
                "user": user_name(self.user), "password": password_of(self.user),
                "device": format!("pixel-{}", self.user),
            });
            return Call::post("/mobile/session", &body);
        };
        self.since_token += 1;
        if self.since_token > 10 && random.random_bool(0.25) {
            let body = json!({"refresh_token": refresh_token});
            return Call::post("/token/refresh", &body).with(&self.credential).after(0.1);
        }
        let call = match random.random_range(0..12) {
            0..4 => Call::post(
                "/graphql",
                &json!({"operationName": "Product", "query": "query Product($id: ID!) { product(id: $id) { name price } }",
                        "variables": {"id": random.random_range(1..=400)}}),
            ),
            4 | 5 => Call::post(
                "/graphql",
                &json!({"operationName": "Profile", "query": "query Profile { profile { id name } }", "variables": {}}),
            ),
            6 => Call::post(
                "/graphql",
                &json!({"operationName": "AddToFavourites",
                        "query": "mutation AddToFavourites($id: ID!) { addToFavourites(id: $id) { ok } }",
                        "variables": {"id": random.random_range(1..=400)}}),
            ),
            7 => Call::get(format!("/users/{}/orders", self.user)),
            8 => {
                let mut call = Call::get("/events");
                call.headers = vec![(ACCEPT, "text/event-stream".to_owned())];
                call
            }
            9 => Call::get("/me"),
            _ => Call::get(format!("/products/{}", random.random_range(1..=400))),
        };
        call.with(&self.credential).after(0.8)
    }

    fn learn(&mut self, reply: Option<&Reply<'_>>) -> Vec<Identifier> {
        let Some(reply) = reply else { return Vec::new() };
        if reply.status == 401 {
            self.refresh_token = None;
            self.credential = Credential::None;
        }
        let answer = reply.json();
        if let (Some(access), Some(refresh)) = (answer["access_token"].as_str(), answer["refresh_token"].as_str())
            && let Some(credential) = Credential::from_jwt(access)
        {
            self.credential = credential.clone();
            self.refresh_token = Some(refresh.to_owned());
            self.since_token = 0;
            if let Credential::Jwt { session, subject, .. } = credential {
                return vec![
                    Identifier::issued(IdentifierName::JwtSession, session),
                    Identifier::issued(IdentifierName::JwtSubject, subject),
                ];
            }
        }
        Vec::new()
    }
}
