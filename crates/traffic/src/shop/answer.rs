//! What the shop answers.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, SET_COOKIE};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::{Value, json};

/// The body of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// All of it at once.
    Whole(Bytes),
    /// Server-sent events, one after the other.
    Events(Vec<Bytes>),
}

/// A response without its transport.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Status code.
    pub status: StatusCode,
    /// Header section, `Content-Length` and `Date` excluded.
    pub headers: HeaderMap,
    /// The body.
    pub content: Content,
}

impl Answer {
    /// A body with its media type.
    pub(super) fn of(status: StatusCode, media_type: &'static str, body: impl Into<Bytes>) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
        Self { status, headers, content: Content::Whole(body.into()) }
    }

    /// 200 with JSON.
    pub(super) fn json(value: &Value) -> Self {
        Self::json_with(StatusCode::OK, value)
    }

    /// JSON with a status.
    pub(super) fn json_with(status: StatusCode, value: &Value) -> Self {
        Self::of(status, "application/json", value.to_string())
    }

    /// A problem (RFC 9457).
    pub(crate) fn problem(status: StatusCode, title: &str) -> Self {
        let body = json!({"title": title, "status": status.as_u16()});
        Self::of(status, "application/problem+json", body.to_string())
    }

    /// 204.
    pub(super) fn nothing() -> Self {
        Self { status: StatusCode::NO_CONTENT, headers: HeaderMap::new(), content: Content::Whole(Bytes::new()) }
    }

    /// A stream of server-sent events.
    pub(super) fn events(events: Vec<Bytes>) -> Self {
        let mut answer = Self::of(StatusCode::OK, "text/event-stream", Bytes::new());
        answer.content = Content::Events(events);
        answer
    }

    /// Adds a header; a value that cannot be sent is left out.
    pub(super) fn with(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.append(name, value);
        }
        self
    }

    /// Adds the session cookie.
    pub(super) fn with_session(self, token: &str) -> Self {
        self.with(SET_COOKIE, &format!("{}={token}; Path=/; HttpOnly; SameSite=Lax", super::caller::SESSION_COOKIE))
    }

    /// The body in one piece.
    pub fn whole_body(&self) -> Bytes {
        match &self.content {
            Content::Whole(bytes) => bytes.clone(),
            Content::Events(events) => Bytes::from(events.concat()),
        }
    }
}
