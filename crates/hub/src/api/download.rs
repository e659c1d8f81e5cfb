//! Lists as files: every row that the list would page through, streamed as it is read, over one snapshot.

#![allow(unused_qualifications, reason = "utoipa's macro qualifies the parameters' types")]

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use futures_util::future::BoxFuture;
use futures_util::stream;
use http::header;
use threadline_store::{Count, ExchangesQuery, PageRequest, SessionPart, SessionsQuery, StoreError, StoredExchange};

use super::csv::CsvRows;
use super::filters::{FilterParameters, take_filters};
use super::path::PathText;
use super::query::QueryParameters;
use super::range::DefaultRange;
use super::sessions::{OrderParameters, only, session_id, take_order};
use super::time::Time;
use crate::hub::Inner;
use crate::problem::{self, Problem};

/// Rows asked of the store at once.
const ROWS_AT_A_TIME: u32 = 500;

const SESSION_COLUMNS: &[&str] = &[
    "session_id",
    "day",
    "first",
    "last",
    "requests",
    "attacks",
    "blocked",
    "errors",
    "user",
    "role",
    "key",
    "key_kind",
    "key_value",
    "ips",
    "ip_count",
    "hosts",
    "host_count",
    "applications",
    "endpoints",
    "endpoint_count",
    "user_agent",
];

const EXCHANGE_COLUMNS: &[&str] = &[
    "ts",
    "exchange_id",
    "session_id",
    "application",
    "method",
    "scheme",
    "host",
    "path",
    "query",
    "endpoint",
    "status",
    "outcome",
    "duration_us",
    "upstream_us",
    "request_bytes",
    "response_bytes",
    "client_ip",
    "user_agent",
    "user",
    "role",
    "session_key",
    "session_key_kind",
    "session_value",
    "policy_version",
    "node",
    "source",
    "trace_id",
    "attacks",
    "action",
    "params",
];

/// Download sessions
///
/// The whole list over the range as comma-separated values (RFC 4180). Text that a spreadsheet would take for a
/// formula has an apostrophe in front.
#[utoipa::path(
    get, path = "/sessions.csv", tag = "sessions",
    params(FilterParameters),
    responses((status = 200, description = "All rows.", body = String, content_type = "text/csv")),
)]
pub(crate) async fn download_sessions(
    State(hub): State<Arc<Inner>>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let mut parameters = QueryParameters::parse(query.as_deref())?;
    let asked = parameters.take_range(hub.now());
    let filters = take_filters(&mut parameters);
    parameters.finish()?;
    let range = hub.range(asked, DefaultRange::of_list(&filters)).await?;
    let page = move |hub: Arc<Inner>, token: Option<String>| -> BoxFuture<'static, Result<Chunk, StoreError>> {
        let page = PageRequest { limit: ROWS_AT_A_TIME, token };
        let query = SessionsQuery { range, filters: filters.clone(), page, thread_bins: 0 };
        Box::pin(async move {
            let page = hub.store.sessions(query).await?;
            let mut rows = CsvRows::default();
            page.items.iter().for_each(|part| write_session(&mut rows, part));
            Ok(Chunk { text: rows.into_text(), next: page.next })
        })
    };
    download(hub, "threadline-sessions.csv", SESSION_COLUMNS, page).await
}

/// Download one session's exchanges
///
/// All of them over the range as comma-separated values (RFC 4180). Text that a spreadsheet would take for a formula
/// has an apostrophe in front.
#[utoipa::path(
    get, path = "/sessions/{session_id}/exchanges.csv", tag = "sessions",
    params(
        ("session_id" = String, Path, description = "32 hexadecimal digits."),
        FilterParameters, OrderParameters,
    ),
    responses((status = 200, description = "All rows.", body = String, content_type = "text/csv")),
)]
pub(crate) async fn download_exchanges(
    State(hub): State<Arc<Inner>>,
    PathText(session): PathText,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let session = session_id(&session)?;
    let mut parameters = QueryParameters::parse(query.as_deref())?;
    let asked = parameters.take_range(hub.now());
    let mut filters = take_filters(&mut parameters);
    let oldest_first = take_order(&mut parameters);
    parameters.finish()?;
    let range = hub.range(asked, DefaultRange::Everything).await?;
    filters.session = only(session, filters.session);
    let page = move |hub: Arc<Inner>, token: Option<String>| -> BoxFuture<'static, Result<Chunk, StoreError>> {
        let page = PageRequest { limit: ROWS_AT_A_TIME, token };
        let query = ExchangesQuery { range, filters: filters.clone(), page, oldest_first };
        Box::pin(async move {
            let page = hub.store.exchanges(query).await?;
            let mut rows = CsvRows::default();
            page.items.iter().for_each(|exchange| write_exchange(&mut rows, exchange));
            Ok(Chunk { text: rows.into_text(), next: page.next })
        })
    };
    download(hub, &format!("threadline-session-{session}.csv"), EXCHANGE_COLUMNS, page).await
}

/// The rows of one page, and where the next one starts.
struct Chunk {
    text: String,
    next: Option<String>,
}

/// Streams page after page. The first one is read before the answer begins, so that a failure can still be told;
/// after that a failure cuts the answer off, which clients notice (the last chunk is missing).
async fn download(
    hub: Arc<Inner>,
    name: &str,
    columns: &[&str],
    page: impl Fn(Arc<Inner>, Option<String>) -> BoxFuture<'static, Result<Chunk, StoreError>> + Send + 'static,
) -> Result<Response, Problem> {
    let first = page(Arc::clone(&hub), None).await.map_err(Problem::store)?;
    let mut text = CsvRows::with_header(columns).into_text();
    text.push_str(&first.text);
    let first = Chunk { text, next: first.next };
    let stream = stream::try_unfold((Some(first), None), move |(ready, token): (Option<Chunk>, Option<String>)| {
        let asked = match (&ready, token) {
            (None, Some(token)) => Some(page(Arc::clone(&hub), Some(token))),
            _ => None,
        };
        async move {
            let chunk = match (ready, asked) {
                (Some(chunk), _) => chunk,
                (None, Some(asked)) => asked.await.inspect_err(|error| {
                    tracing::error!(error = %problem::chain(error), "a download was cut off");
                })?,
                (None, None) => return Ok::<_, StoreError>(None),
            };
            Ok(Some((chunk.text, (None, chunk.next))))
        }
    });
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8; header=present".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
    ];
    Ok((headers, Body::from_stream(stream)).into_response())
}

fn write_session(rows: &mut CsvRows, part: &SessionPart) {
    rows.cell(&part.session_id.to_string());
    rows.raw(part.day);
    rows.raw(Time(part.first));
    rows.raw(Time(part.last));
    for number in [part.requests, part.attacks, part.blocked, part.errors] {
        rows.raw(number);
    }
    rows.optional(part.user.as_deref());
    rows.optional(part.role.as_deref());
    rows.cell(&part.key);
    rows.cell(&part.key_kind);
    rows.cell(&part.key_value);
    rows.cell(&joined(&part.ips));
    rows.raw(part.ip_count);
    rows.cell(&joined(&part.hosts));
    rows.raw(part.host_count);
    rows.cell(&joined(&part.applications));
    rows.cell(&joined(&part.endpoints));
    rows.raw(part.endpoint_count);
    rows.optional(part.user_agent.as_deref());
    rows.end();
}

/// Most used first, one a line.
fn joined(counts: &[Count]) -> String {
    let values: Vec<&str> = counts.iter().filter_map(|count| count.value.as_deref()).collect();
    values.join("\n")
}

fn write_exchange(rows: &mut CsvRows, exchange: &StoredExchange) {
    rows.raw(Time(exchange.ts));
    rows.raw(exchange.exchange_id);
    rows.cell(&exchange.session_id.to_string());
    rows.cell(&exchange.application);
    rows.cell(&exchange.method);
    rows.optional(exchange.scheme.as_deref());
    rows.optional(exchange.host.as_deref());
    rows.cell(&exchange.path);
    rows.optional(exchange.query.as_deref());
    rows.cell(&exchange.endpoint);
    rows.optional(exchange.status);
    rows.cell(&exchange.outcome);
    rows.optional(exchange.duration_us);
    rows.optional(exchange.upstream_us);
    rows.raw(exchange.request_bytes);
    rows.raw(exchange.response_bytes);
    rows.optional(exchange.client_ip.map(|address| address.to_canonical()));
    rows.optional(exchange.user_agent.as_deref());
    rows.optional(exchange.user.as_deref());
    rows.optional(exchange.role.as_deref());
    rows.cell(&exchange.session_key);
    rows.cell(&exchange.session_key_kind);
    rows.cell(&exchange.session_value);
    rows.raw(exchange.policy_version);
    rows.cell(&exchange.node);
    rows.cell(&exchange.source);
    rows.optional(exchange.trace_id.as_deref());
    rows.raw(exchange.attacks);
    rows.cell(&exchange.action);
    let parameters: Vec<String> =
        exchange.params.iter().map(|parameter| format!("{}={}", parameter.name, parameter.value)).collect();
    rows.cell(&parameters.join("\n"));
    rows.end();
}
