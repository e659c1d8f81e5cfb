//! A draft of the policy tried out on traffic before it is saved: what it would make of exchanges that nodes keep, or of
//! those in an HTTP Archive, beside what the policy that holds makes of them. For administrators only, and in the audit
//! log before it is answered.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Json;
use axum::extract::{Extension, FromRequest as _, Request, State};
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use threadline_model::Exchange;
use threadline_policy::{Policy, PolicyDocument};
use utoipa::ToSchema;

use super::body::JsonBody;
use super::policy::refused;
use super::recent::ExchangeLine;
use super::time::Time;
use super::tried_stored::{self, TriedStored};
use crate::database::audit;
use crate::hub::Inner;
use crate::policies::SaveError;
use crate::problem::Problem;
use crate::security::Caller;
use crate::try_out::{TriedPolicy, TryOutError, TryOutTraffic};

/// Longest archive, bytes.
const MAXIMUM_HAR_BYTES: usize = 16 << 20;
/// Longest request: an archive as a string may need an escape for every other byte, and the policy stands beside it.
const MAXIMUM_REQUEST_BYTES: usize = 2 * MAXIMUM_HAR_BYTES + (1 << 20);
/// Longer than this nobody waits.
pub(crate) const TIME_LIMIT: Duration = Duration::from_secs(60);

/// A policy to try out.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PolicyToTry {
    /// The whole policy.
    policy: PolicyDocument,
    /// An HTTP Archive (HAR 1.2) to try it on, at most 16 MiB and the first 20,000 entries: the object itself, or its
    /// text as a string. Left out: the exchanges that nodes keep.
    #[schema(value_type = Option<Object>)]
    har: Option<Box<RawValue>>,
}

/// The traffic that every figure stands on.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TriedSample {
    /// `recent` or `har`.
    kind: &'static str,
    /// Exchanges that were looked at; under either policy some of them may pass by.
    exchanges: u64,
    /// When the first of them started; null of none.
    #[schema(required)]
    from: Option<Time>,
    /// When the last of them started; null of none.
    #[schema(required)]
    to: Option<Time>,
    /// Since when this process keeps exchanges; null for an archive. Later than `from` of none: older ones had to make
    /// room.
    #[schema(required)]
    kept_since: Option<Time>,
    /// What the figures leave out or cannot know; null when nothing.
    #[schema(required)]
    note: Option<String>,
}

/// How many of one thing there are to each of another.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct TriedSpread {
    /// How many were counted for.
    pub of: u64,
    /// In the middle; 0 of none.
    pub median: f64,
    /// The most.
    pub most: u64,
}

/// How often a key came out in one way.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct TriedOutcome {
    /// `decided`, `absent`, `empty`, `masked`, `too_long`, `not_scalar`, `out_of_scope`, `unparsable`, `not_captured` or
    /// `not_tried`.
    pub outcome: &'static str,
    /// Exchanges.
    pub exchanges: u64,
}

/// What one rule decides.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TriedRule {
    /// `configured`, `builtin` or `fallback`.
    pub kind: &'static str,
    /// A grouping key's name, a built-in rule's, or a fallback's.
    pub key: String,
    /// Exchanges that it decides.
    pub exchanges: u64,
    /// Their share of the analysed exchanges, 0 to 1.
    pub share: f64,
    /// Sessions that have such an exchange.
    pub sessions: u64,
    /// What becomes of a grouping key, most first; each analysed exchange is in one of them. Empty for other kinds.
    pub outcomes: Vec<TriedOutcome>,
}

/// What a policy makes of the sample.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TriedFigures {
    /// Exchanges in the analysis: the figures below stand on these.
    pub analysed: u64,
    /// Exchanges that the policy leaves out of the analysis.
    pub passed_by: u64,
    /// Analysed exchanges of which a key may have been missed: a part was not captured, or is damaged.
    pub uncertain: u64,
    /// The grouping keys in their order, then the rules of the built-in set and the fallbacks that decide something.
    pub rules: Vec<TriedRule>,
    /// Distinct sessions.
    pub sessions: u64,
    /// Exchanges of the largest one.
    pub largest_session: u64,
    /// Sessions of one exchange.
    pub single_sessions: u64,
    /// Client addresses of a session; of sessions with a known address.
    pub addresses_of_session: TriedSpread,
    /// Sessions of a client address.
    pub sessions_of_address: TriedSpread,
}

/// A session that an exchange is put in, and why.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TriedSession {
    /// 32 hexadecimal digits.
    pub session_id: String,
    /// `configured`, `builtin` or `fallback`.
    pub kind: &'static str,
    /// The rule that decides.
    pub key: String,
    /// The keyed hash of the value; `…` of a fallback, which stands on facts of the exchange.
    pub value: String,
}

/// An exchange that changes session. What masks of either policy cover is replaced.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TriedExchange {
    /// Identity of the exchange, a UUID.
    exchange_id: String,
    /// Start of the request.
    #[serde(serialize_with = "time")]
    #[schema(value_type = Time)]
    ts: threadline_model::Timestamp,
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
    /// By the policy that holds.
    current: TriedSession,
    /// By the draft.
    draft: TriedSession,
}

fn time<S: serde::Serializer>(time: &threadline_model::Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    Time(*time).serialize(serializer)
}

impl TriedExchange {
    /// Shows the head of an exchange that has the masks applied.
    pub fn new(exchange: &Exchange, current: TriedSession, draft: TriedSession) -> Self {
        let ExchangeLine { method, host, path } = ExchangeLine::of(exchange);
        let status = exchange.response.as_ref().map(|response| response.status);
        Self { exchange_id: exchange.id.to_string(), ts: exchange.started, method, host, path, status, current, draft }
    }
}

/// What changes from the policy that holds to the draft.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TriedChanges {
    /// Exchanges that both policies analyse.
    pub compared: u64,
    /// Of these, the ones that get another session.
    pub changed: u64,
    /// Exchanges that only the draft analyses.
    pub newly_analysed: u64,
    /// Exchanges that only the policy that holds analyses.
    pub no_longer_analysed: u64,
    /// Some of those that change, at most 50, and 10 of those that go from one rule to one other.
    pub examples: Vec<TriedExchange>,
}

/// Something to worry about.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TriedWarning {
    /// Whose key: `current` or `draft`.
    pub policy: &'static str,
    /// The key.
    pub key: String,
    /// `over_merging`, `over_splitting`, `client_chosen`, `never_works`, `masked` or `out_of_scope`.
    pub kind: &'static str,
    /// What was seen, with its figures and the threshold.
    pub reason: String,
}

/// A draft beside the policy that holds.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PolicyTried {
    /// The version that the draft was compared with.
    against: u64,
    /// The traffic that every figure stands on.
    sample: TriedSample,
    /// By the policy that holds.
    current: TriedFigures,
    /// By the draft.
    draft: TriedFigures,
    /// What changes.
    changes: TriedChanges,
    /// What to worry about in either, the policy that holds first; by the order of the keys.
    warnings: Vec<TriedWarning>,
    /// Shares over the stored exchanges of the last 24 hours, as far as they can be told; null for an archive.
    #[schema(required)]
    stored: Option<TriedStored>,
}

/// Says that nobody waits any more when it is dropped.
pub(crate) struct StopWhenDropped(pub(crate) Arc<AtomicBool>);

impl Drop for StopWhenDropped {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Try out a policy
///
/// Puts recent exchanges, or those of an archive, in sessions by the policy that holds and by a draft, and describes both:
/// what each key decides, how many sessions there are and how large, which exchanges change session, and what to worry
/// about. Nothing is saved, stored or exported; values show as keyed hashes. Needs recent exchanges to be kept, or an
/// archive. One at a time; each is in the audit log.
#[utoipa::path(
    post, path = "/policy/try", tag = "policy",
    request_body = PolicyToTry,
    responses((status = 200, description = "Both policies side by side.", body = PolicyTried)),
)]
pub(crate) async fn try_policy(
    State(hub): State<Arc<Inner>>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Response {
    // Taken before the body: an archive is held in memory.
    let Ok(permit) = Arc::clone(&hub.try_out_permit).try_acquire_owned() else {
        return Problem::unavailable("Another policy is being tried out; try this one again.").into_response();
    };
    let input: PolicyToTry = match JsonBody::<_, MAXIMUM_REQUEST_BYTES>::from_request(request, &()).await {
        Ok(JsonBody(input)) => input,
        Err(refusal) => return refusal,
    };
    match tried(&hub, &caller, input, permit).await {
        Ok(tried) => Json(tried).into_response(),
        Err(problem) => problem.into_response(),
    }
}

async fn tried(
    hub: &Inner,
    caller: &Caller,
    input: PolicyToTry,
    permit: tokio::sync::OwnedSemaphorePermit,
) -> Result<PolicyTried, Problem> {
    let current = hub.policies.current();
    let draft = Policy::validate(current.version() + 1, input.policy)
        .map_err(|errors| refused(SaveError::Invalid(errors), "policy."))?;
    let traffic = input.har.map(|har| archive(&har)).transpose()?.map_or(TryOutTraffic::Recent, TryOutTraffic::Har);
    let kind = if traffic == TryOutTraffic::Recent { "recent" } else { "har" };
    if traffic == TryOutTraffic::Recent && !hub.recent_setting.lock().await.on {
        return Err(Problem::conflict(
            "Recent exchanges are not kept, so there is nothing to try the policy on. Switch that on with PUT \
             /api/v1/recent-exchanges/settings {\"on\": true} and wait for traffic, or send an HTTP Archive as `har`.",
        ));
    }
    let kept_since = if kind == "recent" { hub.recent_since() } else { None };
    let against = current.version();
    let stop = StopWhenDropped(Arc::default());
    let (stopped, try_out) = (Arc::clone(&stop.0), Arc::clone(&hub.settings.try_out));
    let (held, wanted) = (Arc::clone(&current), draft.clone());
    let running = tokio::task::spawn_blocking(move || {
        let tried = try_out.try_out(&held, &wanted, traffic, &|| stopped.load(Ordering::Relaxed));
        drop(permit);
        tried
    });
    let slow = || Problem::unavailable("This took too long; keep fewer exchanges, or send a smaller archive.");
    let tried = match tokio::time::timeout(TIME_LIMIT, running).await {
        Ok(Ok(Ok(tried))) => tried,
        Ok(Ok(Err(error))) => return Err(problem(error)),
        Ok(Err(failed)) => return Err(Problem::internal("try out the policy", &failed)),
        Err(_) => return Err(slow()),
    };
    let stored = match kind {
        "recent" => Some(tried_stored::shares(hub, &current, &draft).await?),
        _ => None,
    };
    let TriedPolicy { exchanges, from, to, notes, current, draft, changes, warnings } = tried;
    let detail = format!(
        "{kind}, {exchanges} exchanges, {} change session; {} sessions become {}",
        changes.changed, current.sessions, draft.sessions
    );
    let entry = audit::Entry::by(caller, "policy.tried").about(&format!("version {against}")).saying(detail);
    audit::append(&hub.database, entry, hub.now()).await?;
    Ok(PolicyTried {
        against,
        sample: TriedSample {
            kind,
            exchanges,
            from: from.map(Time),
            to: to.map(Time),
            kept_since: kept_since.map(Time),
            note: (!notes.is_empty()).then(|| notes.join(" ")),
        },
        current,
        draft,
        changes,
        warnings,
        stored,
    })
}

/// The text of an archive that was sent as an object or as a string.
fn archive(har: &RawValue) -> Result<String, Problem> {
    let text = match har.get().as_bytes().first() {
        Some(b'"') => {
            serde_json::from_str(har.get()).map_err(|_| Problem::field("har", "is not a string of characters"))?
        }
        Some(b'{') => har.get().to_owned(),
        _ => return Err(Problem::field("har", "expected an object, or a string that holds one")),
    };
    if text.len() > MAXIMUM_HAR_BYTES {
        return Err(Problem::field("har", format!("has more than {MAXIMUM_HAR_BYTES} bytes")));
    }
    Ok(text)
}

pub(crate) fn problem(error: TryOutError) -> Problem {
    match error {
        TryOutError::Har(reason) => Problem::field("har", reason),
        TryOutError::Draft(cause) => Problem::field("policy.parameters", crate::problem::chain(&*cause)),
        TryOutError::NoNodes => Problem::conflict("There are no nodes in this process to try a policy out."),
        TryOutError::Stopped => Problem::unavailable("Trying the policy out was stopped."),
        error @ TryOutError::Failed(_) => Problem::internal("try out the policy", &error),
    }
}
