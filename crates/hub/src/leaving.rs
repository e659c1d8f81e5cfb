//! What would leave nodes under a policy, before it is saved. The hub asks; who holds the traffic and knows the
//! stages answers.

use threadline_model::Timestamp;
use threadline_policy::Policy;

use crate::api::leaving::{LeavingChange, LeavingField};
use crate::try_out::{NoStages, TryOutError};

/// What would leave. Of values, shapes only.
#[derive(Debug)]
pub struct Leaving {
    /// Exchanges that were looked at.
    pub exchanges: u64,
    /// Of these, the ones that the draft analyses: only they leave anything.
    pub analysed: u64,
    /// When the first of them started.
    pub from: Option<Timestamp>,
    /// When the last of them started.
    pub to: Option<Timestamp>,
    /// What the figures leave out, a sentence each.
    pub notes: Vec<String>,
    /// Every field under the draft, in the order of the table.
    pub fields: Vec<LeavingField>,
    /// What the draft changes.
    pub changes: Vec<LeavingChange>,
    /// What never leaves, sentences.
    pub never: Vec<String>,
}

/// Says what would leave. Implemented where nodes live.
pub trait WouldLeave: Send + Sync + 'static {
    /// Goes through the exchanges that nodes keep; without any, through the policies alone. Blocks; ends early once
    /// `is_stopped` says so.
    ///
    /// # Errors
    /// See [`TryOutError`].
    fn would_leave(
        &self,
        current: &Policy,
        draft: &Policy,
        is_stopped: &(dyn Fn() -> bool + Sync),
    ) -> Result<Leaving, TryOutError>;
}

impl WouldLeave for NoStages {
    fn would_leave(
        &self,
        _current: &Policy,
        _draft: &Policy,
        _is_stopped: &(dyn Fn() -> bool + Sync),
    ) -> Result<Leaving, TryOutError> {
        Err(TryOutError::NoNodes)
    }
}
