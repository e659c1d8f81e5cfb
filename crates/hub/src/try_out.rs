//! Trying a policy out before it is saved. The hub asks; who holds the traffic and knows the stages answers.

use threadline_model::Timestamp;
use threadline_policy::Policy;

use crate::api::try_out::{TriedChanges, TriedFigures, TriedWarning};

/// What a policy is tried out on.
#[derive(Clone, PartialEq, Eq)]
pub enum TryOutTraffic {
    /// Exchanges that nodes keep.
    Recent,
    /// The text of an HTTP Archive.
    Har(String),
}

impl std::fmt::Debug for TryOutTraffic {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Recent => "Recent",
            Self::Har(_) => "Har",
        })
    }
}

/// What came of it. No captured value of a key is in it.
#[derive(Debug)]
pub struct TriedPolicy {
    /// Exchanges that were looked at.
    pub exchanges: u64,
    /// When the first of them started.
    pub from: Option<Timestamp>,
    /// When the last of them started.
    pub to: Option<Timestamp>,
    /// What the figures leave out, a sentence each.
    pub notes: Vec<String>,
    /// By the policy that holds.
    pub current: TriedFigures,
    /// By the draft.
    pub draft: TriedFigures,
    /// What changes.
    pub changes: TriedChanges,
    /// What to worry about.
    pub warnings: Vec<TriedWarning>,
}

/// Why a policy could not be tried out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TryOutError {
    /// The archive cannot be read; no words of it are in the reason.
    #[error("the archive cannot be read: {0}")]
    Har(String),
    /// The draft needs more than nodes spend on an exchange.
    #[error("the draft cannot be used by nodes")]
    Draft(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Nobody wants the answer any more.
    #[error("stopped")]
    Stopped,
    /// A defect, or the system gave no thread.
    #[error("the policy could not be tried out")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// There are no nodes in this process.
    #[error("there are no nodes here")]
    NoNodes,
}

/// Tries policies out. Implemented where nodes live.
pub trait TryOut: Send + Sync + 'static {
    /// Puts exchanges in sessions by both policies. Blocks; ends early once `is_stopped` says so.
    ///
    /// # Errors
    /// See [`TryOutError`].
    fn try_out(
        &self,
        current: &Policy,
        draft: &Policy,
        traffic: TryOutTraffic,
        is_stopped: &(dyn Fn() -> bool + Sync),
    ) -> Result<TriedPolicy, TryOutError>;
}

/// A hub without nodes.
pub(crate) struct NoStages;

impl TryOut for NoStages {
    fn try_out(
        &self,
        _current: &Policy,
        _draft: &Policy,
        _traffic: TryOutTraffic,
        _is_stopped: &(dyn Fn() -> bool + Sync),
    ) -> Result<TriedPolicy, TryOutError> {
        Err(TryOutError::NoNodes)
    }
}
