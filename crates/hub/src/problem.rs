//! Errors as people and programs see them: problem details (RFC 9457).
//!
//! Says whose fault it is and, for input, which field and why. Never carries SQL, paths of this machine, captured
//! values or what a client sent; what went wrong inside is logged once where it becomes a [`Problem`].

use std::error::Error;

use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;
use threadline_store::StoreError;
use utoipa::ToSchema;

/// One field of the request that cannot be accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct FieldProblem {
    /// The field: a path in the body (`parameters[3].point`), or the name of a query parameter or header.
    pub(crate) field: String,
    /// Why, and what would be accepted.
    pub(crate) reason: String,
}

impl FieldProblem {
    pub(crate) fn new(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { field: field.into(), reason: reason.into() }
    }
}

impl From<threadline_policy::FieldError> for FieldProblem {
    fn from(error: threadline_policy::FieldError) -> Self {
        Self { field: error.field, reason: error.reason }
    }
}

/// Problem details (RFC 9457).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct ProblemDetails {
    /// Kind of problem, `urn:threadline:problem:…`; stable, for programs.
    #[serde(rename = "type")]
    kind: String,
    /// The kind in words.
    title: String,
    /// HTTP status code.
    status: u16,
    /// What happened this time.
    detail: String,
    /// The fields at fault; empty when no field is.
    errors: Vec<FieldProblem>,
}

/// A refusal or failure on its way out.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    kind: &'static str,
    title: &'static str,
    detail: String,
    errors: Vec<FieldProblem>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Problem {
    fn new(status: StatusCode, kind: &'static str, title: &'static str, detail: impl Into<String>) -> Self {
        Self { status, kind, title, detail: detail.into(), errors: Vec::new(), headers: Vec::new() }
    }

    fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// 422: the request was understood, but these fields cannot be accepted.
    pub(crate) fn fields(errors: Vec<FieldProblem>) -> Self {
        let detail = match errors.as_slice() {
            [only] => format!("{}: {}", only.field, only.reason),
            several => format!("{} fields cannot be accepted; nothing was changed.", several.len()),
        };
        let problem =
            Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid-field", "A field cannot be accepted", detail);
        Self { errors, ..problem }
    }

    /// 422 about one field.
    pub(crate) fn field(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::fields(vec![FieldProblem::new(field, reason)])
    }

    /// 400: the body cannot be read at all.
    pub(crate) fn malformed(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "malformed-body", "The body cannot be read", detail)
    }

    /// 401: nobody is signed in. `detail` says what to do.
    pub(crate) fn unauthenticated(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "sign-in-needed", "Sign in first", detail)
            .with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"threadline\""))
    }

    /// 403: signed in, but not allowed to do this.
    pub(crate) fn role(needed: &str) -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "role-needed",
            "Your role does not allow this",
            format!("This needs one of the roles: {needed}."),
        )
    }

    /// 403: a request that another site's page may have caused.
    pub(crate) fn cross_origin() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "cross-origin",
            "The request came from another site",
            "Changes made with a browser's sign-in must come from a page of this console (Origin or Sec-Fetch-Site). \
             Programs send an API token instead.",
        )
    }

    /// 421: the Host header names somebody else (RFC 9110, 15.5.20).
    pub(crate) fn host() -> Self {
        Self::new(
            StatusCode::MISDIRECTED_REQUEST,
            "unknown-host",
            "This hub does not go by that name",
            "The Host header names neither an address, nor localhost, nor a name that was configured (host_names).",
        )
    }

    /// 404.
    pub(crate) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", "Not found", detail)
    }

    /// 405 with `Allow` (RFC 9110, 15.5.6).
    pub(crate) fn method_not_allowed(allow: &str) -> Self {
        let problem = Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method-not-allowed",
            "The method does not exist here",
            format!("Allowed here: {allow}."),
        );
        match HeaderValue::from_str(allow) {
            Ok(value) => problem.with_header(header::ALLOW, value),
            Err(_) => problem,
        }
    }

    /// 408.
    pub(crate) fn too_slow() -> Self {
        Self::new(StatusCode::REQUEST_TIMEOUT, "too-slow", "The body took too long", "Send the request again.")
            .with_header(header::CONNECTION, HeaderValue::from_static("close"))
    }

    /// 409: the state of things does not allow it.
    pub(crate) fn conflict(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "conflict", "That is not possible now", detail)
    }

    /// 409: the policy is what a file says.
    pub(crate) fn policy_managed(file: &str) -> Self {
        Self::new(
            StatusCode::CONFLICT,
            "policy-managed",
            "The policy is managed by a file",
            format!("The policy is what the file {file} says. Change it there; the hub follows. Nothing was changed."),
        )
    }

    /// 412: somebody else saved in between.
    pub(crate) fn stale(current: u64) -> Self {
        Self::new(
            StatusCode::PRECONDITION_FAILED,
            "stale",
            "Somebody saved a newer version",
            format!("If-Match names another version than {current}, which holds now. Nothing was changed."),
        )
        .with_etag(current)
    }

    fn with_etag(self, version: u64) -> Self {
        match HeaderValue::from_str(&format!("\"{version}\"")) {
            Ok(value) => self.with_header(header::ETAG, value),
            Err(_) => self,
        }
    }

    /// 413.
    pub(crate) fn too_large(limit: usize) -> Self {
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too-large",
            "The body is too large",
            format!("At most {limit} bytes are accepted here."),
        )
    }

    /// 415.
    pub(crate) fn media_type(expected: &'static str) -> Self {
        Self::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "media-type",
            "The media type is not accepted",
            format!("Content-Type must be {expected}."),
        )
        .with_header(header::ACCEPT, HeaderValue::from_static(expected))
    }

    /// 428 (RFC 6585).
    pub(crate) fn if_match_needed() -> Self {
        Self::new(
            StatusCode::PRECONDITION_REQUIRED,
            "if-match-needed",
            "If-Match is needed",
            "Send the ETag of the version that was edited as If-Match, so that nobody's changes are overwritten.",
        )
    }

    /// 429 (RFC 6585) with `Retry-After` in whole seconds.
    pub(crate) fn throttled(seconds: u64) -> Self {
        Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            "throttled",
            "Too many attempts",
            format!("Try again in {seconds} seconds."),
        )
        .with_header(header::RETRY_AFTER, HeaderValue::from(seconds))
    }

    /// 503: for now. `detail` says what to wait for.
    pub(crate) fn unavailable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "Not now", detail)
            .with_header(header::RETRY_AFTER, HeaderValue::from_static("1"))
    }

    /// 500: our fault. Logs the chain of causes here, and only here.
    pub(crate) fn internal(doing: &'static str, error: &(dyn Error + 'static)) -> Self {
        tracing::error!(error = %chain(error), "failed to {doing}");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "Threadline failed",
            format!("Failed to {doing}. It is not your fault; the log of the hub says more."),
        )
    }

    /// What the store's refusal or failure means to a client.
    pub(crate) fn store(error: StoreError) -> Self {
        match error {
            StoreError::PageToken => {
                Self::field("page_token", "is not a token of this list; take it from the answer before")
            }
            StoreError::Schema(_) => Self::malformed("The batch is not one of a known version of the exchanges table."),
            StoreError::Closed => Self::unavailable("The store is shutting down."),
            StoreError::TooSlow { .. } => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "question-too-slow",
                "The answer took too long",
                "The question was given up. Ask for a shorter time range, or narrow it down with filters.",
            ),
            other => Self::internal("read the stored exchanges", &other),
        }
    }

    /// What it means to the sender that a batch was not stored.
    pub(crate) fn append(error: StoreError) -> Self {
        match error {
            StoreError::Schema(_) | StoreError::Closed => Self::store(error),
            other => {
                tracing::error!(error = %chain(&other), "a batch was not stored");
                Self::unavailable("The batch was not stored; the log of the hub says why. Send this one again.")
            }
        }
    }

    /// The status code.
    #[cfg(test)]
    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }
}

/// The error and what caused it, in one line.
pub(crate) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let details = ProblemDetails {
            kind: format!("urn:threadline:problem:{}", self.kind),
            title: self.title.to_owned(),
            status: self.status.as_u16(),
            detail: self.detail,
            errors: self.errors,
        };
        // Strings and a number: serialising them cannot fail.
        let body = serde_json::to_vec(&details).unwrap_or_default();
        let mut response = (self.status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        for (name, value) in self.headers {
            headers.insert(name, value);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::io;

    use super::*;

    #[test]
    fn an_internal_problem_says_nothing_about_its_cause() {
        let source = Box::new(io::Error::other("SELECT secret FROM exchanges"));
        let problem = Problem::store(StoreError::Engine { operation: "list sessions", source });
        assert_eq!(problem.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert!(!format!("{problem:?}").contains("SELECT"));
    }

    #[test]
    fn slow_questions_and_batches_that_were_not_stored_are_nobodys_bug() {
        let slow = Problem::store(StoreError::TooSlow { operation: "list sessions" });
        assert_eq!(slow.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(slow.detail.contains("shorter time range"), "{slow:?}");
        let source = Box::new(io::Error::other("no space left on /secret/path"));
        let full = Problem::append(StoreError::Engine { operation: "append a batch", source });
        assert_eq!(full.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(full.detail.contains("again") && !format!("{full:?}").contains("/secret"), "{full:?}");
    }

    #[test]
    fn a_chain_names_every_cause_once() {
        let source = Box::new(io::Error::other("disk full"));
        let error = StoreError::Engine { operation: "append a batch", source };
        assert_eq!(chain(&error), "the store failed to append a batch: disk full");
    }
}
