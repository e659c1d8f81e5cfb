//! Exchanges seen recently by nodes: whether they are kept, the list, and one of them whole. For administrators only;
//! each look is in the audit log before it is answered.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, RawQuery, State};
use serde::{Deserialize, Serialize};
use threadline_model::{Exchange, ExchangeId};
use utoipa::ToSchema;

use super::body::JsonBody;
use super::message::CapturedMessages;
use super::path::PathText;
use super::points::{PointsOfExchange, listed};
use super::query::QueryParameters;
use super::time::Time;
use crate::database::audit;
use crate::hub::Inner;
use crate::problem::{FieldProblem, Problem};
use crate::recent::{RecentExchange as Kept, RecentSetting};
use crate::security::Caller;

/// Whether nodes keep exchanges that they saw, and how many.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RecentSettings {
    /// Nodes keep them.
    on: bool,
    /// Most exchanges.
    exchanges: u32,
    /// Most bytes of all together.
    bytes: u64,
    /// How many are kept now.
    kept: u64,
}

/// Whether nodes are to keep exchanges, and how many.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RecentSettingsInput {
    /// Keep them. Switching off forgets what is kept.
    on: bool,
    /// Most exchanges. Left out: as it was.
    #[schema(minimum = 1, maximum = 2000)]
    exchanges: Option<u32>,
    /// Most bytes of all together. Left out: as it was.
    #[schema(minimum = 1_048_576, maximum = 268_435_456)]
    bytes: Option<u64>,
}

fn shown(hub: &Inner, setting: RecentSetting) -> RecentSettings {
    let RecentSetting { on, exchanges, bytes } = setting;
    RecentSettings { on, exchanges, bytes, kept: hub.settings.recent.count() as u64 }
}

/// Read whether recent exchanges are kept
#[utoipa::path(
    get, path = "/recent-exchanges/settings", tag = "points",
    responses((status = 200, description = "The settings that hold.", body = RecentSettings)),
)]
pub(crate) async fn read_settings(
    State(hub): State<Arc<Inner>>,
    RawQuery(query): RawQuery,
) -> Result<Json<RecentSettings>, Problem> {
    QueryParameters::parse(query.as_deref())?.finish()?;
    let setting = *hub.recent_setting.lock().await;
    Ok(Json(shown(&hub, setting)))
}

/// Keep recent exchanges, or stop keeping them
///
/// They stand in the nodes' memory only and are shown to administrators: whole exchanges, credentials included, but for
/// what masks cover. Off unless somebody switches it on; switching off forgets them at once.
#[utoipa::path(
    put, path = "/recent-exchanges/settings", tag = "points",
    request_body = RecentSettingsInput,
    responses((status = 200, description = "The settings that hold now.", body = RecentSettings)),
)]
pub(crate) async fn save_settings(
    State(hub): State<Arc<Inner>>,
    Extension(caller): Extension<Caller>,
    JsonBody(input): JsonBody<RecentSettingsInput>,
) -> Result<Json<RecentSettings>, Problem> {
    let mut errors = Vec::new();
    let bounds = (RecentSetting::EXCHANGES, RecentSetting::BYTES);
    if input.exchanges.is_some_and(|exchanges| !bounds.0.contains(&exchanges)) {
        let reason = format!("expected a whole number from {} to {}", bounds.0.start(), bounds.0.end());
        errors.push(FieldProblem::new("exchanges", reason));
    }
    if input.bytes.is_some_and(|bytes| !bounds.1.contains(&bytes)) {
        let reason = format!("expected a whole number from {} to {}", bounds.1.start(), bounds.1.end());
        errors.push(FieldProblem::new("bytes", reason));
    }
    if !errors.is_empty() {
        return Err(Problem::fields(errors));
    }
    let mut holds = hub.recent_setting.lock().await;
    let next = RecentSetting {
        on: input.on,
        exchanges: input.exchanges.unwrap_or(holds.exchanges),
        bytes: input.bytes.unwrap_or(holds.bytes),
    };
    if next != *holds {
        let switched = if next.on { "on" } else { "off" };
        let detail = format!("{switched}, {} exchanges, {} bytes", next.exchanges, next.bytes);
        let entry = audit::Entry::by(&caller, "recent_exchanges.set").saying(detail);
        let failed = || crate::database::DatabaseError::of::<sqlx::Error>("save the setting of recent exchanges");
        let mut transaction = hub.database.begin_with("BEGIN IMMEDIATE").await.map_err(failed())?;
        next.store(&mut *transaction).await?;
        audit::append(&mut *transaction, entry, hub.now()).await?;
        transaction.commit().await.map_err(failed())?;
        *holds = next;
        hub.settings.recent.configure(next.limits());
        hub.note_recent(next.on);
        tracing::info!(on = next.on, "recent exchanges");
    }
    Ok(Json(shown(&hub, next)))
}

/// One exchange that is kept, without its content.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RecentExchangeSummary {
    /// Identity of the exchange, a UUID; the same as in sessions.
    exchange_id: String,
    /// Start of the request.
    ts: Time,
    /// Its session, 32 hexadecimal digits.
    session_id: String,
    /// The method.
    method: String,
    /// The host; null when unknown.
    #[schema(required)]
    host: Option<String>,
    /// The path without the query.
    path: String,
    /// The status code; null when there was no response.
    #[schema(required)]
    status: Option<u16>,
    /// How it ended: `completed`, `client_aborted`, `upstream_failed`, `refused`, `upgraded`.
    outcome: String,
    /// Bytes of the request body that were captured.
    request_bytes: u64,
    /// Bytes of the response body that were captured.
    response_bytes: u64,
}

/// The longest host and path in a list, characters.
const SHOWN: usize = 500;

/// What a list shows of a request.
pub(super) struct ExchangeLine {
    pub(super) method: String,
    pub(super) host: Option<String>,
    /// Without the query.
    pub(super) path: String,
}

impl ExchangeLine {
    pub(super) fn of(exchange: &Exchange) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).chars().take(SHOWN).collect::<String>();
        let target = exchange.request.target.as_bytes();
        Self {
            method: text(exchange.request.method.as_bytes()),
            host: exchange.request.host.as_ref().map(|host| text(host.as_bytes())),
            path: text(target.split(|byte| *byte == b'?').next().unwrap_or_default()),
        }
    }
}

impl From<&Kept> for RecentExchangeSummary {
    fn from(kept: &Kept) -> Self {
        let Kept { exchange, session, .. } = kept;
        let ExchangeLine { method, host, path } = ExchangeLine::of(exchange);
        let response = exchange.response.as_ref();
        Self {
            exchange_id: exchange.id.to_string(),
            ts: Time(exchange.started),
            session_id: session.to_string(),
            method,
            host,
            path,
            status: response.map(|response| response.status),
            outcome: exchange.outcome.as_str().to_owned(),
            request_bytes: exchange.request.body.as_bytes().len() as u64,
            response_bytes: response.map_or(0, |response| response.body.as_bytes().len() as u64),
        }
    }
}

/// What is kept.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RecentExchangeList {
    /// Exchanges are kept; while they are not, the list is empty.
    on: bool,
    /// Newest first.
    exchanges: Vec<RecentExchangeSummary>,
}

/// List recent exchanges
///
/// What nodes of this process saw last, while that is switched on. Each look is in the audit log.
#[utoipa::path(
    get, path = "/recent-exchanges", tag = "points",
    responses((status = 200, description = "All that are kept.", body = RecentExchangeList)),
)]
pub(crate) async fn list_recent(
    State(hub): State<Arc<Inner>>,
    Extension(caller): Extension<Caller>,
    RawQuery(query): RawQuery,
) -> Result<Json<RecentExchangeList>, Problem> {
    QueryParameters::parse(query.as_deref())?.finish()?;
    let on = hub.recent_setting.lock().await.on;
    let kept = hub.settings.recent.list(&hub.policies.current());
    let entry = audit::Entry::by(&caller, "recent_exchanges.listed").saying(format!("{} exchanges", kept.len()));
    audit::append(&hub.database, entry, hub.now()).await?;
    Ok(Json(RecentExchangeList { on, exchanges: kept.iter().map(Into::into).collect() }))
}

/// One exchange that is kept, whole.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RecentExchange {
    /// The exchange.
    #[serde(flatten)]
    summary: RecentExchangeSummary,
    /// The client's address; null when unknown.
    #[schema(required)]
    client_ip: Option<String>,
    /// Its messages. What masks cover is replaced by `*`.
    #[serde(flatten)]
    messages: CapturedMessages,
}

/// Read a recent exchange
///
/// Whole, credentials included, but for what masks cover. Each look is in the audit log.
#[utoipa::path(
    get, path = "/recent-exchanges/{exchange_id}", tag = "points",
    params(("exchange_id" = String, Path, description = "A UUID.")),
    responses((status = 200, description = "The exchange.", body = RecentExchange)),
)]
pub(crate) async fn read_recent(
    State(hub): State<Arc<Inner>>,
    Extension(caller): Extension<Caller>,
    PathText(id): PathText,
    RawQuery(query): RawQuery,
) -> Result<Json<RecentExchange>, Problem> {
    QueryParameters::parse(query.as_deref())?.finish()?;
    let kept = look(&hub, &caller, "exchange_id", &id, "recent_exchange.read").await?;
    Ok(Json(RecentExchange {
        summary: (&kept).into(),
        client_ip: kept.exchange.client.map(|address| address.to_canonical().to_string()),
        messages: (&kept.exchange).into(),
    }))
}

/// List the points of a recent exchange
///
/// Every point with its value, in the order of the message. Each look is in the audit log.
#[utoipa::path(
    get, path = "/recent-exchanges/{exchange_id}/points", tag = "points",
    params(("exchange_id" = String, Path, description = "A UUID.")),
    responses((status = 200, description = "The points.", body = PointsOfExchange)),
)]
pub(crate) async fn list_points_of_recent(
    State(hub): State<Arc<Inner>>,
    Extension(caller): Extension<Caller>,
    PathText(id): PathText,
    RawQuery(query): RawQuery,
) -> Result<Json<PointsOfExchange>, Problem> {
    QueryParameters::parse(query.as_deref())?.finish()?;
    let kept = look(&hub, &caller, "exchange_id", &id, "recent_exchange.points_listed").await?;
    listed(&hub, kept.exchange, kept.masks, false).await.map(Json)
}

/// Takes an exchange that is kept, once it is in the audit log that somebody did. `field` is where its identity stands
/// in the request.
pub(super) async fn look(
    hub: &Inner,
    caller: &Caller,
    field: &'static str,
    id: &str,
    action: &'static str,
) -> Result<Kept, Problem> {
    let id: ExchangeId = id.parse().map_err(|_| Problem::field(field, "expected a UUID of 32 hexadecimal digits"))?;
    let Some(kept) = hub.settings.recent.find(id, &hub.policies.current()) else {
        let on = hub.recent_setting.lock().await.on;
        return Err(Problem::not_found(match on {
            true => "No such exchange is among those seen recently; only the last ones are kept.",
            false => "Recent exchanges are not kept; an administrator can switch that on.",
        }));
    };
    let entry = audit::Entry::by(caller, action).about(&id.to_string());
    audit::append(&hub.database, entry, hub.now()).await?;
    Ok(kept)
}
