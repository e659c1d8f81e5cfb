//! How the hub, its store and its nodes are doing, and the OpenAPI document.

use std::sync::Arc;

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use http::header;
use serde::Serialize;
use utoipa::ToSchema;

use super::answers::Range;
use super::query::{QueryParameters, after};
use super::time::Time;
use crate::hub::Inner;
use crate::problem::Problem;

/// One number that a node counts since its start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Counter {
    /// `received`, `shed`, `processed`, `exported_rows` …
    pub name: String,
    /// Its value.
    pub value: u64,
}

/// A node as far as this hub knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct NodeStatus {
    /// Its name, as exchanges carry it.
    pub name: String,
    /// What it counts.
    pub counters: Vec<Counter>,
}

/// The store.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StoreState {
    /// Exchanges stored and visible.
    exchanges: u64,
    /// Bytes on disk.
    bytes_on_disk: u64,
    /// Days with live data, oldest first, `YYYY-MM-DD`.
    days: Vec<String>,
    /// Days with imported data, oldest first, `YYYY-MM-DD`.
    import_days: Vec<String>,
    /// Files that could not be read when the store was opened. They were moved aside, and their exchanges are not shown.
    damaged_files: u64,
    /// From the oldest exchange to just after the newest; null when nothing is stored.
    #[schema(required)]
    span: Option<Range>,
}

/// How everything is doing.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Status {
    /// Version of Threadline.
    version: String,
    /// When this hub started.
    started_at: Time,
    /// The hub's time now.
    now: Time,
    /// The policy that holds.
    policy_version: u64,
    /// Why what stands in the file that manages the policy does not hold; null while it does, and without such a file.
    #[schema(required)]
    policy_file_problem: Option<String>,
    /// The store.
    store: StoreState,
    /// The nodes.
    nodes: Vec<NodeStatus>,
}

/// Read the status
#[utoipa::path(
    get, path = "/status", tag = "status",
    responses((status = 200, description = "How everything is doing.", body = Status)),
)]
pub(crate) async fn read_status(
    State(hub): State<Arc<Inner>>,
    RawQuery(query): RawQuery,
) -> Result<Json<Status>, Problem> {
    QueryParameters::parse(query.as_deref())?.finish()?;
    let store = hub.store.status().await.map_err(Problem::store)?;
    let days = |days: Vec<threadline_model::UtcDay>| days.iter().map(ToString::to_string).collect();
    Ok(Json(Status {
        version: hub.settings.version.clone(),
        started_at: Time(hub.started_at),
        now: Time(hub.now()),
        policy_version: hub.policies.current().version(),
        policy_file_problem: hub.policies.managed_by().and_then(|managed| managed.problem),
        store: StoreState {
            exchanges: store.exchanges,
            bytes_on_disk: store.bytes_on_disk,
            days: days(store.days),
            import_days: days(store.import_days),
            damaged_files: store.damaged,
            span: store.span.map(|(oldest, newest)| Range { from: Time(oldest), to: Time(after(newest)) }),
        },
        nodes: (hub.settings.nodes)(),
    }))
}

/// Read this document
#[utoipa::path(
    get, path = "/openapi.json", tag = "status",
    responses((status = 200, description = "The OpenAPI 3.1 document of this API.", body = Object)),
)]
pub(crate) async fn read_openapi(
    State(hub): State<Arc<Inner>>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    QueryParameters::parse(query.as_deref())?.finish()?;
    Ok(([(header::CONTENT_TYPE, "application/json")], hub.openapi.clone()).into_response())
}
