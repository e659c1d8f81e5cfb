//! Reading request bodies: bounded, of one media type, and with errors that say where without repeating what.

use std::time::Duration;

use axum::extract::{FromRequest, Request};
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderMap, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde::de::DeserializeOwned;

use super::objects::Objects;
use crate::problem::{FieldProblem, Problem};

/// A body must be complete within this time.
const READ_TIMEOUT: Duration = Duration::from_secs(60);
/// JSON bodies may have at most this many bytes, unless a route says otherwise.
pub(crate) const MAXIMUM_JSON_BYTES: usize = 256 * 1_024;

/// A JSON body of one shape and of at most so many bytes.
pub(crate) struct JsonBody<T, const BYTES: usize = MAXIMUM_JSON_BYTES>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync, const BYTES: usize> FromRequest<S> for JsonBody<T, BYTES> {
    type Rejection = Response;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Response> {
        use axum::response::IntoResponse as _;
        let read = async {
            let (head, body) = request.into_parts();
            expect_media_type(&head.headers, "application/json")?;
            let bytes = collect(&head.headers, body, BYTES).await?;
            parse(&bytes)
        };
        read.await.map(Self).map_err(|problem: Problem| problem.into_response())
    }
}

/// Refuses any other media type; parameters such as `charset` do not matter.
pub(crate) fn expect_media_type(headers: &HeaderMap, expected: &'static str) -> Result<(), Problem> {
    let given = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = given.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case(expected) { Ok(()) } else { Err(Problem::media_type(expected)) }
}

/// Reads a body of at most `limit` bytes; one that announces more is refused unread.
pub(crate) async fn collect(headers: &HeaderMap, body: axum::body::Body, limit: usize) -> Result<Bytes, Problem> {
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > limit as u64) {
        return Err(Problem::too_large(limit));
    }
    #[allow(clippy::disallowed_methods, reason = "bounded by Limited")]
    let reading = Limited::new(body, limit).collect();
    match tokio::time::timeout(READ_TIMEOUT, reading).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Problem::too_large(limit)),
        Ok(Err(_)) => Err(Problem::malformed("The body ended before it was complete.")),
        Err(_) => Err(Problem::too_slow()),
    }
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(Objects(&mut deserializer)).map_err(|error| {
        let path = error.path().to_string();
        refusal(&path, error.inner())
    })?;
    deserializer.end().map_err(|error| refusal(".", &error))?;
    Ok(value)
}

fn refusal(path: &str, error: &serde_json::Error) -> Problem {
    let (line, column) = (error.line(), error.column());
    match error.classify() {
        serde_json::error::Category::Data => {
            let message = error.to_string();
            // The place of a missing field is the object that lacks it; the one who sends it looks for its name.
            let missing = message.strip_prefix("missing field `").and_then(|rest| rest.split('`').next());
            let field = match (path, missing) {
                (".", Some(missing)) => missing.to_owned(),
                (_, Some(missing)) => format!("{path}.{missing}"),
                (".", None) => "body".to_owned(),
                (_, None) => path.to_owned(),
            };
            let reason = if missing.is_some() { "is needed".to_owned() } else { reason(&message) };
            Problem::fields(vec![FieldProblem::new(
                threadline_model::escape_for_display(field.as_bytes(), 200),
                reason,
            )])
        }
        _ => Problem::malformed(format!("The body is not JSON: line {line}, column {column}.")),
    }
}

/// serde's words without the values in them: a password in the wrong place must not come back in an error. Names of
/// fields are kept, since the one who sent them needs them.
fn reason(message: &str) -> String {
    let message = match message.rfind(" at line ") {
        Some(position) => &message[..position],
        None => message,
    };
    for naming in ["unknown field", "duplicate field"] {
        if message.starts_with(naming) {
            return threadline_model::escape_for_display(message.as_bytes(), 300);
        }
    }
    match message.rfind(", expected ") {
        // The names of our types are nobody's business.
        Some(position) if message[position..].starts_with(", expected struct ") => "expected an object".to_owned(),
        Some(position) => format!("expected {}", &message[position + ", expected ".len()..]),
        None => "is not of the expected shape".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)]
    struct Shape {
        list: Vec<Inner>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)]
    struct Inner {
        name: String,
        kind: Kind,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "lowercase")]
    #[allow(dead_code)]
    enum Kind {
        One,
        Two,
    }

    #[test]
    fn wrong_shapes_name_the_field_and_never_the_value() {
        for (body, field, words) in [
            (r#"{"list":[{"name":"a","kind":"one"},{"name":"x","kind":"hunter2"}]}"#, "list[1].kind", "one"),
            (r#"{"list":[{"name":{"password":"hunter2"},"kind":"one"}]}"#, "list[0].name", "a string"),
            (r#"{"list":"hunter2"}"#, "list", "a sequence"),
            (r#"{"list":[{"kind":"one"}]}"#, "list[0].name", "is needed"),
            (r#"{}"#, "list", "is needed"),
            (r#"{"list":[["hunter2","one"]]}"#, "list[0]", "an object"),
            (r#"{"list":[],"lists":"hunter2"}"#, "lists", "unknown field `lists`"),
            (r#"["hunter2"]"#, "body", "an object"),
            (r#""hunter2""#, "body", "an object"),
        ] {
            let problem = format!("{:?}", parse::<Shape>(body.as_bytes()).unwrap_err());
            assert!(problem.contains(&format!("field: \"{field}\"")), "{body}: {problem}");
            assert!(problem.contains(words), "{body}: {problem}");
            assert!(!problem.contains("hunter2"), "{body}: {problem}");
        }
    }

    #[test]
    fn what_is_no_json_is_placed_but_not_repeated() {
        for body in ["", "{", "{\"list\":\n hunter2}", "{\"list\":[]} hunter2", "\u{feff}{}", "nul"] {
            let problem = parse::<Shape>(body.as_bytes()).unwrap_err();
            assert_eq!(problem.status(), http::StatusCode::BAD_REQUEST, "{body}");
            let text = format!("{problem:?}");
            assert!(text.contains("line ") && !text.contains("hunter2"), "{body}: {text}");
        }
        let deep = format!("{{\"a\":{}", "[".repeat(100_000));
        assert_eq!(parse::<serde_json::Value>(deep.as_bytes()).unwrap_err().status(), http::StatusCode::BAD_REQUEST);
    }
}
