//! Where nodes that run apart, and imports, hand in their rows.

use std::sync::Arc;

use axum::Json;
use axum::extract::{RawQuery, Request, State};
use http::HeaderMap;
use serde::Serialize;
use threadline_model::BatchId;
use threadline_store::{Batch, Lane};
use utoipa::ToSchema;

use super::body;
use super::query::QueryParameters;
use crate::hub::Inner;
use crate::problem::Problem;

/// A batch may have at most this many bytes.
pub(crate) const MAXIMUM_BATCH_BYTES: usize = 64 * 1_024 * 1_024;
/// The media type of an Arrow IPC stream, as registered with IANA.
pub(crate) const ARROW_STREAM: &str = "application/vnd.apache.arrow.stream";

/// What became of a batch.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Appended {
    /// Rows stored now, durably.
    stored: u64,
    /// Rows that were stored before.
    duplicate: u64,
    /// Rows older than retention: acknowledged and dropped.
    expired: u64,
}

/// What whoever makes batches must know before it sends any.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BatchTerms {
    /// Version of Threadline.
    version: String,
    /// Fingerprint of the installation secret: values must be hashed with the secret that has the same one, or they
    /// match nothing that is stored. Null for a hub that knows none.
    #[schema(required)]
    secret_fingerprint: Option<String>,
}

/// Read what batches must be like
#[utoipa::path(
    get, path = "/batches", tag = "nodes",
    responses((status = 200, description = "What to know before sending batches.", body = BatchTerms)),
)]
pub(crate) async fn read_terms(
    State(hub): State<Arc<Inner>>,
    RawQuery(query): RawQuery,
) -> Result<Json<BatchTerms>, Problem> {
    QueryParameters::parse(query.as_deref())?.finish()?;
    let (version, secret_fingerprint) = (hub.settings.version.clone(), hub.settings.secret_fingerprint.clone());
    Ok(Json(BatchTerms { version, secret_fingerprint }))
}

/// Append a batch
///
/// Stored exactly once per batch ID, however often it is sent; answered after the commit. Rows are those of the
/// `exchanges` table in any known version of its schema.
#[utoipa::path(
    post, path = "/batches", tag = "nodes",
    params(
        ("Threadline-Batch-Id" = String, Header, description = "UUID of the batch; the same when it is sent again."),
        ("Threadline-Lane" = Option<String>, Header,
            description = "`live` (the default) or `import`, which has a retention of its own."),
    ),
    request_body(
        content = Vec<u8>, content_type = "application/vnd.apache.arrow.stream",
        description = "An Arrow IPC stream, at most 64 MiB."
    ),
    responses((status = 200, description = "What became of it.", body = Appended)),
)]
pub(crate) async fn append_batch(State(hub): State<Arc<Inner>>, request: Request) -> Result<Json<Appended>, Problem> {
    let (head, content) = request.into_parts();
    body::expect_media_type(&head.headers, ARROW_STREAM)?;
    let id = batch_id(&head.headers)?;
    let lane = lane(&head.headers)?;
    // Bodies are held in memory: only a few at a time.
    let busy = || Problem::unavailable("Too many batches are being received; send this one again.");
    let _permit = hub.batch_permits.try_acquire().map_err(|_| busy())?;
    let bytes = body::collect(&head.headers, content, MAXIMUM_BATCH_BYTES).await?;
    let rows = tokio::task::spawn_blocking(move || threadline_record::decode_ipc(&bytes))
        .await
        .map_err(|error| Problem::internal("decode a batch", &error))?
        .map_err(|error| {
            tracing::warn!(error = %crate::problem::chain(&error), batch = %id, "refused a damaged batch");
            Problem::malformed("The batch is not an Arrow IPC stream of a known version of the exchanges table.")
        })?;
    let batch = Batch { id, lane, rows };
    let appended = hub.store.append(batch.clone()).await.map_err(Problem::append)?;
    let exports = hub.exports.clone();
    // Counting a batch that was made to be slow takes a while.
    let noted = tokio::task::spawn_blocking(move || exports.note(&batch, &appended)).await;
    noted.map_err(|error| Problem::internal("count a batch", &error))?;
    Ok(Json(Appended { stored: appended.stored, duplicate: appended.duplicate, expired: appended.expired }))
}

fn batch_id(headers: &HeaderMap) -> Result<BatchId, Problem> {
    const NAME: &str = "Threadline-Batch-Id";
    let text = headers.get(NAME).ok_or_else(|| Problem::field(NAME, "is needed: the UUID of the batch"))?;
    let id = text.to_str().ok().and_then(|text| text.parse().ok());
    id.ok_or_else(|| Problem::field(NAME, "expected a UUID of 32 hexadecimal digits"))
}

fn lane(headers: &HeaderMap) -> Result<Lane, Problem> {
    const NAME: &str = "Threadline-Lane";
    match headers.get(NAME).map(http::HeaderValue::as_bytes) {
        None | Some(b"live") => Ok(Lane::Live),
        Some(b"import") => Ok(Lane::Import),
        Some(_) => Err(Problem::field(NAME, "expected live or import")),
    }
}
