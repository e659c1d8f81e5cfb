//! Sessions and exchanges: the list, one session, its exchanges, one exchange.

#![allow(unused_qualifications, reason = "utoipa's macro qualifies the parameters' types")]

use std::sync::Arc;

use axum::Json;
use axum::extract::{RawQuery, State};
use threadline_model::{ExchangeId, SessionId};
use threadline_policy::Policy;
use threadline_store::{Choice, ExchangesQuery, SessionsQuery, StoredExchange};
use utoipa::{IntoParams, ToSchema};

use super::answers::{SessionList, SessionSummary};
use super::exchange::{ExchangeDetails, ExchangeList, TraceStep};
use super::filters::{FilterParameters, take_filters};
use super::paging;
use super::path::PathText;
use super::policy::BuiltInRule;
use super::query::QueryParameters;
use super::range::DefaultRange;
use crate::hub::Inner;
use crate::problem::Problem;

/// Paging.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "describes the parameters in the OpenAPI document")]
pub(crate) struct PageParameters {
    /// Rows wanted.
    #[param(minimum = 1, maximum = 500, default = 50)]
    limit: Option<u32>,
    /// `next_page_token` of the page before.
    page_token: Option<String>,
}

/// The miniature threads of a list.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "describes the parameters in the OpenAPI document")]
pub(crate) struct ListThreadParameters {
    /// Bins of each row's thread; 0 for none.
    #[param(minimum = 0, maximum = 500, default = 0)]
    thread_bins: Option<u32>,
}

/// The large thread.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "describes the parameters in the OpenAPI document")]
pub(crate) struct SessionParameters {
    /// Bins of the thread; 0 for none.
    #[param(minimum = 0, maximum = 4000, default = 400)]
    thread_bins: Option<u32>,
    /// Minutes without an exchange after which a new visit begins.
    #[param(minimum = 1, maximum = 1440, default = 30)]
    idle_minutes: Option<u32>,
}

/// Order of exchanges.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "describes the parameters in the OpenAPI document")]
pub(crate) struct OrderParameters {
    /// `asc` reads as a story, `desc` shows the newest first.
    #[param(inline, default = "asc")]
    order: Option<Order>,
}

/// `order`
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[allow(dead_code, reason = "describes the values in the OpenAPI document")]
pub(crate) enum Order {
    Asc,
    Desc,
}

/// What the sessions list asks.
async fn read_sessions_query(hub: &Inner, query: Option<&str>) -> Result<SessionsQuery, Problem> {
    let mut parameters = QueryParameters::parse(query)?;
    let asked = parameters.take_range(hub.now());
    let filters = take_filters(&mut parameters);
    let (page, asked) = paging::take_page(&mut parameters, asked, 50);
    let thread_bins = parameters.take_number("thread_bins", 0, 0..=500) as u16;
    parameters.finish()?;
    let range = hub.range(asked, DefaultRange::of_list(&filters)).await?;
    Ok(SessionsQuery { range, filters, page, thread_bins })
}

/// What a session's exchanges ask.
async fn read_exchanges_query(hub: &Inner, session: SessionId, query: Option<&str>) -> Result<ExchangesQuery, Problem> {
    let mut parameters = QueryParameters::parse(query)?;
    let asked = parameters.take_range(hub.now());
    let mut filters = take_filters(&mut parameters);
    let (page, asked) = paging::take_page(&mut parameters, asked, 50);
    let oldest_first = take_order(&mut parameters);
    parameters.finish()?;
    let range = hub.range(asked, DefaultRange::Everything).await?;
    filters.session = only(session, filters.session);
    Ok(ExchangesQuery { range, filters, page, oldest_first })
}

/// List sessions
///
/// One row is one session's exchanges within one UTC day. Only exchanges inside the range that pass the filters are
/// counted; a session without one does not appear. Newest first.
#[utoipa::path(
    get, path = "/sessions", tag = "sessions",
    params(FilterParameters, PageParameters, ListThreadParameters),
    responses((status = 200, description = "A page of the list.", body = SessionList)),
)]
pub(crate) async fn list_sessions(
    State(hub): State<Arc<Inner>>,
    RawQuery(query): RawQuery,
) -> Result<Json<SessionList>, Problem> {
    let query = read_sessions_query(&hub, query.as_deref()).await?;
    let range = query.range;
    let page = hub.store.sessions(query).await.map_err(Problem::store)?;
    Ok(Json(SessionList {
        range: range.into(),
        total: page.total,
        next_page_token: page.next,
        sessions: page.items.into_iter().map(Into::into).collect(),
    }))
}

/// Read one session
///
/// Header and statistics over the range; over everything that is stored when no range is given.
#[utoipa::path(
    get, path = "/sessions/{session_id}", tag = "sessions",
    params(
        ("session_id" = String, Path, description = "32 hexadecimal digits."),
        FilterParameters, SessionParameters,
    ),
    responses((status = 200, description = "The session.", body = SessionSummary)),
)]
pub(crate) async fn read_session(
    State(hub): State<Arc<Inner>>,
    PathText(session): PathText,
    RawQuery(query): RawQuery,
) -> Result<Json<SessionSummary>, Problem> {
    let id = session_id(&session)?;
    let mut parameters = QueryParameters::parse(query.as_deref())?;
    let asked = parameters.take_range(hub.now());
    let filters = take_filters(&mut parameters);
    let thread_bins = parameters.take_number("thread_bins", 400, 0..=4_000) as u16;
    let idle_minutes = parameters.take_number("idle_minutes", 30, 1..=1_440);
    parameters.finish()?;
    let range = hub.range(asked, DefaultRange::Everything).await?;
    let idle_gap_us = i64::from(idle_minutes) * 60_000_000;
    let summary = hub.store.session(id, range, filters, thread_bins, idle_gap_us).await.map_err(Problem::store)?;
    let summary = summary.ok_or_else(|| {
        Problem::not_found("No exchange of this session is stored that lies in the range and passes the filters.")
    })?;
    Ok(Json(SessionSummary::new(id, range, idle_minutes, summary)))
}

/// List one session's exchanges
///
/// Over everything that is stored when no range is given; oldest first unless told otherwise.
#[utoipa::path(
    get, path = "/sessions/{session_id}/exchanges", tag = "sessions",
    params(
        ("session_id" = String, Path, description = "32 hexadecimal digits."),
        FilterParameters, PageParameters, OrderParameters,
    ),
    responses((status = 200, description = "A page of exchanges.", body = ExchangeList)),
)]
pub(crate) async fn list_exchanges(
    State(hub): State<Arc<Inner>>,
    PathText(session): PathText,
    RawQuery(query): RawQuery,
) -> Result<Json<ExchangeList>, Problem> {
    let query = read_exchanges_query(&hub, session_id(&session)?, query.as_deref()).await?;
    let range = query.range;
    let page = hub.store.exchanges(query).await.map_err(Problem::store)?;
    Ok(Json(ExchangeList {
        range: range.into(),
        total: page.total,
        next_page_token: page.next,
        exchanges: page.items.into_iter().map(Into::into).collect(),
    }))
}

/// Read one exchange
///
/// With the outcome of every grouping key that was tried on it, under the policy version that grouped it.
#[utoipa::path(
    get, path = "/exchanges/{exchange_id}", tag = "sessions",
    params(("exchange_id" = String, Path, description = "A UUID.")),
    responses((status = 200, description = "The exchange.", body = ExchangeDetails)),
)]
pub(crate) async fn read_exchange(
    State(hub): State<Arc<Inner>>,
    PathText(id): PathText,
    RawQuery(query): RawQuery,
) -> Result<Json<ExchangeDetails>, Problem> {
    QueryParameters::parse(query.as_deref())?.finish()?;
    let id: ExchangeId =
        id.parse().map_err(|_| Problem::field("exchange_id", "expected a UUID of 32 hexadecimal digits"))?;
    let exchange = hub.store.exchange(id).await.map_err(Problem::store)?;
    let exchange = exchange.ok_or_else(|| Problem::not_found("No such exchange is stored."))?;
    let policy = hub.policies.version(exchange.policy_version).await?;
    let trace = policy.map(|policy| trace(&hub, &policy, &exchange));
    let built_in = (exchange.session_key_kind != "configured").then(|| built_in(&hub, &exchange.session_key));
    Ok(Json(ExchangeDetails { exchange: exchange.into(), trace, built_in }))
}

/// Names the keys behind the letters of an exchange's trace.
fn trace(hub: &Inner, policy: &Policy, exchange: &StoredExchange) -> Vec<TraceStep> {
    let keys = policy.parameters().iter().filter(|parameter| parameter.group);
    keys.zip(exchange.session_trace.chars())
        .map(|(key, letter)| TraceStep {
            name: key.name.clone(),
            point: key.point.to_string(),
            outcome: (hub.settings.trace_outcome)(letter).map(str::to_owned),
        })
        .collect()
}

/// A rule that is not listed any more is still named.
fn built_in(hub: &Inner, name: &str) -> BuiltInRule {
    let known = hub.settings.built_in_rules.iter().find(|rule| rule.name == name);
    known.cloned().unwrap_or_else(|| BuiltInRule { name: name.to_owned(), description: String::new() })
}

/// The session of the path and the filter `session`, both of which must hold.
pub(crate) fn only(session: SessionId, filter: Choice<SessionId>) -> Choice<SessionId> {
    let Choice { any, mut not } = filter;
    if !any.is_empty() && !any.contains(&session) {
        // Nothing is in one session and in another.
        not.push(session);
    }
    Choice { any: vec![session], not }
}

/// Takes `order`: whether the oldest comes first.
pub(crate) fn take_order(parameters: &mut QueryParameters) -> bool {
    parameters.take_word("order", &[("asc", true), ("desc", false)], true)
}

/// Reads a session's identity from a path.
pub(crate) fn session_id(text: &str) -> Result<SessionId, Problem> {
    text.parse().map_err(|_| Problem::field("session_id", "expected 32 hexadecimal digits"))
}
