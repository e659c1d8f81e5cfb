//! The demo API itself: a small shop that answers one request at a time, without sockets or clocks.
//!
//! Everything it issues (sessions, tokens, order numbers, errors now and then) is a function of the seed and of the
//! request's trace ID, never of the order in which requests arrive, so that concurrent clients get the same answers
//! in every run. It is a stage set: signatures look right and protect nothing.

mod answer;
mod caller;
mod pages;
mod routes;
mod state;
mod token;

use std::sync::{Mutex, PoisonError};

use http::{HeaderMap, Method, StatusCode};

use crate::random;

pub use self::answer::{Answer, Content};
pub(crate) use self::state::{FIRST_ORDER, LAST_SEEDED_ORDER, password_of, user_name};
pub(crate) use self::token::{access_token, api_key};

use self::state::State;

/// One request as the shop sees it.
#[derive(Clone, Copy)]
pub struct Question<'a> {
    /// The method.
    pub method: &'a Method,
    /// Path and query.
    pub target: &'a str,
    /// The header section.
    pub headers: &'a HeaderMap,
    /// The whole body.
    pub body: &'a [u8],
}

/// The shop.
pub struct Shop {
    seed: u64,
    state: Mutex<State>,
}

impl Shop {
    /// A shop without sessions. Its catalogue and first orders follow from the seed.
    pub fn new(seed: u64) -> Self {
        Self { seed, state: Mutex::new(State::default()) }
    }

    /// Answers one request.
    pub fn answer(&self, question: Question<'_>) -> Answer {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let nonce = nonce(question.headers, &mut state);
        let path = question.target.split('?').next().unwrap_or_default();
        // Sign-in never fails by chance: an actor that cannot come in would have nothing to do.
        let may_fail = !matches!(path, "/login" | "/token/refresh" | "/mobile/session" | "/events" | "/health");
        if may_fail && let Some(status) = mishap(self.seed, &nonce) {
            return Answer::problem(status, "the shop has a bad moment");
        }
        routes::answer(self.seed, &mut state, &nonce, path, question)
    }
}

/// What distinguishes this request from all others: its trace ID, else a running number.
fn nonce(headers: &HeaderMap, state: &mut State) -> String {
    let traced = headers.get("traceparent").and_then(|value| value.to_str().ok()).and_then(|value| value.get(3..35));
    match traced {
        Some(trace_id) => trace_id.to_owned(),
        None => format!("untraced-{}", state.next_untraced()),
    }
}

/// About one request in ninety meets a server error.
fn mishap(seed: u64, nonce: &str) -> Option<StatusCode> {
    match random::number(seed, "mishap", &[nonce.as_bytes()]) % 270 {
        0 => Some(StatusCode::INTERNAL_SERVER_ERROR),
        1 => Some(StatusCode::BAD_GATEWAY),
        2 => Some(StatusCode::SERVICE_UNAVAILABLE),
        _ => None,
    }
}
