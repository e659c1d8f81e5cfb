//! The variable part of a path.

use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequestParts, Path};
use axum::response::{IntoResponse as _, Response};
use http::request::Parts;

use crate::problem::Problem;

/// The one variable segment of a route, decoded.
pub(crate) struct PathText(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for PathText {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        let text: Result<Path<String>, PathRejection> = Path::from_request_parts(parts, state).await;
        match text {
            Ok(Path(text)) => Ok(Self(text)),
            Err(_) => Err(Problem::field("path", "is not UTF-8").into_response()),
        }
    }
}
