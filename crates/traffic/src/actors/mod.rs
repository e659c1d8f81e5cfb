//! The people and programs that use the shop: who they are, when they arrive, and what they send next.
//!
//! An actor is a small state machine: it sends a request, learns from the answer, and decides on the next. It does no
//! I/O and reads no clock, so the same seed and the same answers give the same requests.

mod automata;
mod browsing;
mod call;
mod credential;
mod customers;
mod party;

use std::net::Ipv4Addr;

use bytes::Bytes;
use http::header::{HOST, HeaderName, HeaderValue, USER_AGENT};
use http::{HeaderMap, Method};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use crate::random::{digest, hex};
use crate::truth::{Identifier, IdentifierName};

pub(crate) use self::call::{Reply, Script};
pub use self::party::{ActorPlan, Arrivals};

/// The kinds of actors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActorKind {
    /// A person in the web shop: signs in, gets a session cookie, shops, signs out.
    WebShopper,
    /// A single-page application: token from the JSON answer of the sign-in, sent as bearer token, refreshed.
    TokenShopper,
    /// A client that carries its token in query and body.
    TokenPasser,
    /// The mobile app: JWT, GraphQL, refreshes that keep the session claim.
    MobileApp,
    /// An integration partner with an API key.
    Partner,
    /// A crawler that has nothing but its User-Agent and takes pages in order.
    Crawler,
    /// Somebody who signs in with one account and asks for order after order.
    OrderEnumerator,
    /// One of two people behind one address with the same browser.
    Neighbour,
    /// A visitor who looks around and signs in later.
    LateLogin,
    /// A back-office program with Basic authentication.
    BasicClient,
}

impl ActorKind {
    /// All kinds.
    pub const ALL: [Self; 10] = [
        Self::WebShopper,
        Self::TokenShopper,
        Self::MobileApp,
        Self::OrderEnumerator,
        Self::Neighbour,
        Self::TokenPasser,
        Self::LateLogin,
        Self::Crawler,
        Self::Partner,
        Self::BasicClient,
    ];

    /// The name in the truth and in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::WebShopper => "web_shopper",
            Self::TokenShopper => "token_shopper",
            Self::TokenPasser => "token_passer",
            Self::MobileApp => "mobile_app",
            Self::Partner => "partner",
            Self::Crawler => "crawler",
            Self::OrderEnumerator => "order_enumerator",
            Self::Neighbour => "neighbour",
            Self::LateLogin => "late_login",
            Self::BasicClient => "basic_client",
        }
    }
}

/// One request of an actor, ready to be sent.
pub(crate) struct ActorRequest {
    pub(crate) method: Method,
    pub(crate) target: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) trace_id: String,
    pub(crate) sequence: u64,
    /// What identifies the actor in this request, address and agent excluded.
    pub(crate) identifiers: Vec<Identifier>,
    /// Think time before it, in units of the usual one.
    pub(crate) pause: f64,
}

/// A living actor.
pub(crate) struct Actor {
    plan: ActorPlan,
    seed: u64,
    random: ChaCha8Rng,
    script: Box<dyn Script>,
    sequence: u64,
}

impl Actor {
    pub(crate) fn new(seed: u64, plan: ActorPlan) -> Self {
        let random = crate::random::stream(seed, "actor", u64::from(plan.user));
        let script = party::script(&plan);
        Self { plan, seed, random, script, sequence: 0 }
    }

    pub(crate) fn plan(&self) -> &ActorPlan {
        &self.plan
    }

    pub(crate) fn source(&self) -> Ipv4Addr {
        self.plan.address
    }

    /// The next request; `None` when the actor has done what it came for.
    pub(crate) fn next_request(&mut self) -> Option<ActorRequest> {
        if self.sequence >= self.plan.requests {
            return None;
        }
        let remaining = self.plan.requests - self.sequence;
        let call = self.script.next(&mut self.random, remaining);
        let position = [self.plan.name.as_bytes(), &self.sequence.to_le_bytes()].concat();
        let ids = digest(self.seed, "trace", &[&position]);
        let trace_id = hex(&ids[..16]);
        let mut headers = HeaderMap::new();
        let mut add = |name: HeaderName, value: &str| {
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.append(name, value);
            }
        };
        add(HOST, self.plan.kind_host());
        add(USER_AGENT, self.plan.agent);
        add(HeaderName::from_static("traceparent"), &format!("00-{trace_id}-{}-01", hex(&ids[16..24])));
        for (name, value) in call.headers {
            add(name, &value);
        }
        let sequence = self.sequence;
        self.sequence += 1;
        Some(ActorRequest {
            method: call.method,
            target: call.target,
            headers,
            body: Bytes::from(call.body),
            trace_id,
            sequence,
            identifiers: call.identifiers,
            pause: call.pause,
        })
    }

    /// Lets the actor see the answer to its last request; returns what the answer issued.
    pub(crate) fn learn(&mut self, reply: Option<&Reply<'_>>) -> Vec<Identifier> {
        self.script.learn(reply)
    }

    /// What every request of this actor has.
    pub(crate) fn address_and_agent(&self, seen_as: std::net::IpAddr) -> Identifier {
        Identifier::sent(IdentifierName::AddressAndAgent, format!("{seen_as} {}", self.plan.agent))
    }
}
