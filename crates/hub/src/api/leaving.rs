//! What would leave nodes under a draft of the policy, field by field, with the shape of one value each. For
//! administrators only; where recent exchanges were looked at, that is in the audit log before it is answered.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Json;
use axum::extract::{Extension, FromRequest as _, Request, State};
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use threadline_policy::{Policy, PolicyDocument};
use utoipa::ToSchema;

use super::body::JsonBody;
use super::policy::refused;
use super::time::Time;
use super::try_out::{StopWhenDropped, TIME_LIMIT, problem};
use crate::database::audit;
use crate::hub::Inner;
use crate::leaving::Leaving;
use crate::policies::SaveError;
use crate::problem::Problem;
use crate::security::Caller;

/// Longest request, bytes: a whole policy.
const MAXIMUM_REQUEST_BYTES: usize = 1 << 20;

/// A policy that is asked about.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PolicyToLeave {
    /// The whole policy.
    policy: PolicyDocument,
}

/// A field of the table in one form.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct LeavingField {
    /// As the export ledger names it: a column; `session_value configured`, `session_value builtin` or
    /// `session_value fallback`; `parameter NAME`.
    pub field: String,
    /// What it is, a sentence.
    pub about: String,
    /// `place`, `request`, `amounts`, `parameters`, `session` or `analysis`.
    pub group: &'static str,
    /// Why it leaves: `always`, `parameter` or `session`.
    pub origin: &'static str,
    /// `clear`, `hashed` or `not exported`. A field that leaves in both forms is there twice.
    pub form: &'static str,
    /// Where a parameter takes its value from; null of all else.
    #[schema(required)]
    pub point: Option<String>,
    /// What of the policy keeps it, or parts of it, from leaving as it is; null when nothing.
    #[schema(required)]
    pub note: Option<String>,
    /// Exchanges of the sample that have it in this form.
    pub exchanges: u64,
    /// Bytes of its values in the sample.
    pub bytes: u64,
    /// The shape of one value: letters and digits are `•`, but for the first character of longer ones; of a keyed hash
    /// its first eight digits. Null when the sample has none.
    #[schema(required)]
    pub example: Option<String>,
}

/// A field that the draft treats in another way than the policy that holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct LeavingChange {
    /// The field.
    pub field: String,
    /// `newly` leaves, `no_longer` leaves, leaves in another `form`, or is taken from another `point`.
    pub kind: &'static str,
    /// By the policy that holds: `not exported`, `clear`, `hashed` or `clear and hashed`; of another point, that point.
    pub from: String,
    /// By the draft.
    pub to: String,
}

/// The exchanges that figures and examples stand on.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LeavingSample {
    /// Exchanges that were looked at; 0 while recent exchanges are not kept.
    exchanges: u64,
    /// Of these, the ones that the draft analyses: only they leave anything.
    analysed: u64,
    /// When the first of them started; null of none.
    #[schema(required)]
    from: Option<Time>,
    /// When the last of them started; null of none.
    #[schema(required)]
    to: Option<Time>,
    /// Since when this process keeps exchanges; null while it does not.
    #[schema(required)]
    kept_since: Option<Time>,
    /// What the figures leave out; null when nothing.
    #[schema(required)]
    note: Option<String>,
}

/// What would leave.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PolicyLeaves {
    /// The version that the draft was compared with.
    against: u64,
    /// The exchanges that figures and examples stand on.
    sample: LeavingSample,
    /// Every field under the draft, in the order of the table.
    fields: Vec<LeavingField>,
    /// What the draft changes.
    changes: Vec<LeavingChange>,
    /// What never leaves, sentences.
    never: Vec<String>,
}

/// Say what would leave
///
/// Every field that nodes would export under a draft of the policy: what it is, why and in which form it leaves, and over
/// the recent exchanges how many have it, how many bytes that is, and the shape of one value. Compared with the policy
/// that holds. Nothing is saved, stored or exported. While recent exchanges are not kept, figures are 0 and there are no
/// examples. One at a time, together with trying out; each that looks at exchanges is in the audit log.
#[utoipa::path(
    post, path = "/policy/exports", tag = "policy",
    request_body = PolicyToLeave,
    responses((status = 200, description = "Field by field.", body = PolicyLeaves)),
)]
pub(crate) async fn policy_exports(
    State(hub): State<Arc<Inner>>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Response {
    let input: PolicyToLeave = match JsonBody::<_, MAXIMUM_REQUEST_BYTES>::from_request(request, &()).await {
        Ok(JsonBody(input)) => input,
        Err(refusal) => return refusal,
    };
    match leaves(&hub, &caller, input).await {
        Ok(leaves) => Json(leaves).into_response(),
        Err(problem) => problem.into_response(),
    }
}

async fn leaves(hub: &Inner, caller: &Caller, input: PolicyToLeave) -> Result<PolicyLeaves, Problem> {
    let current = hub.policies.current();
    let draft = Policy::validate(current.version() + 1, input.policy)
        .map_err(|errors| refused(SaveError::Invalid(errors), "policy."))?;
    let Ok(permit) = Arc::clone(&hub.try_out_permit).try_acquire_owned() else {
        return Err(Problem::unavailable("Another policy is being tried out; ask again."));
    };
    let kept_since = hub.recent_since();
    let against = current.version();
    let stop = StopWhenDropped(Arc::default());
    let (stopped, would_leave) = (Arc::clone(&stop.0), Arc::clone(&hub.settings.would_leave));
    let running = tokio::task::spawn_blocking(move || {
        let leaving = would_leave.would_leave(&current, &draft, &|| stopped.load(Ordering::Relaxed));
        drop(permit);
        leaving
    });
    let slow = || Problem::unavailable("This took too long; keep fewer exchanges.");
    let leaving = match tokio::time::timeout(TIME_LIMIT, running).await {
        Ok(Ok(leaving)) => leaving.map_err(problem)?,
        Ok(Err(failed)) => return Err(Problem::internal("say what would leave", &failed)),
        Err(_) => return Err(slow()),
    };
    let Leaving { exchanges, analysed, from, to, notes, fields, changes, never } = leaving;
    if exchanges > 0 {
        let detail = format!("{exchanges} exchanges, {} fields change", changes.len());
        let entry = audit::Entry::by(caller, "policy.exports").about(&format!("version {against}")).saying(detail);
        audit::append(&hub.database, entry, hub.now()).await?;
    }
    let note = (!notes.is_empty()).then(|| notes.join(" "));
    let sample = LeavingSample {
        exchanges,
        analysed,
        from: from.map(Time),
        to: to.map(Time),
        kept_since: kept_since.map(Time),
        note,
    };
    Ok(PolicyLeaves { against, sample, fields, changes, never })
}
