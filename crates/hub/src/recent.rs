//! Exchanges seen recently by the nodes of this process, and samples that somebody wrote down: what points are tried
//! out on. Both come from parts that the hub must not depend on, through the two types here.
//!
//! Whether nodes keep exchanges is a setting of the hub: off until an administrator switches it on.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use threadline_model::{Exchange, ExchangeId, SessionId};
use threadline_points::Point;
use threadline_policy::Policy;

use crate::database::{Database, DatabaseError, settings};

/// The name of the setting in the state.
const SETTING: &str = "recent_exchanges";

/// How much is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecentLimits {
    /// Most exchanges.
    pub exchanges: usize,
    /// Most bytes of all together.
    pub bytes: usize,
}

/// An exchange that may be looked at.
#[derive(Clone, Debug)]
pub struct RecentExchange {
    /// The exchange. What masks cover is replaced already.
    pub exchange: Exchange,
    /// Its session.
    pub session: SessionId,
    /// The places that masks cover in it.
    pub masks: Vec<Point>,
}

/// What nodes keep. Implemented where nodes live; what it gives has the masks applied.
pub trait RecentExchanges: Send + Sync + 'static {
    /// Keeps so much from now on; `None` keeps nothing and forgets what is kept.
    fn configure(&self, limits: Option<RecentLimits>);

    /// How many exchanges are kept.
    fn count(&self) -> usize;

    /// What is kept, the newest first, under the masks of a policy.
    fn list(&self, policy: &Policy) -> Vec<RecentExchange>;

    /// One exchange, if it is kept still, under the masks of a policy.
    fn find(&self, id: ExchangeId, policy: &Policy) -> Option<RecentExchange>;
}

/// A hub without nodes.
pub(crate) struct NoNodes;

impl RecentExchanges for NoNodes {
    fn configure(&self, _limits: Option<RecentLimits>) {}

    fn count(&self) -> usize {
        0
    }

    fn list(&self, _policy: &Policy) -> Vec<RecentExchange> {
        Vec::new()
    }

    fn find(&self, _id: ExchangeId, _policy: &Policy) -> Option<RecentExchange> {
        None
    }
}

/// An exchange written down by hand.
pub enum Sample {
    /// A request and a response as HTTP/1.1 writes them; at least one is there.
    Messages {
        /// The request.
        request: Option<String>,
        /// The response.
        response: Option<String>,
    },
    /// An entry of an HTTP Archive, JSON.
    HarEntry(String),
}

impl std::fmt::Debug for Sample {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Messages { .. } => "Messages",
            Self::HarEntry(_) => "HarEntry",
        })
    }
}

/// Why a sample cannot be read; no words of the sample are in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SampleError {
    /// `request`, `response` or `har_entry`.
    pub field: &'static str,
    /// What is wrong with it.
    pub reason: String,
}

/// Reads a sample.
pub type SampleReader = Arc<dyn Fn(Sample) -> Result<Exchange, SampleError> + Send + Sync>;

/// The setting as it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RecentSetting {
    pub(crate) on: bool,
    pub(crate) exchanges: u32,
    pub(crate) bytes: u64,
}

impl Default for RecentSetting {
    fn default() -> Self {
        Self { on: false, exchanges: 200, bytes: 32 << 20 }
    }
}

impl RecentSetting {
    pub(crate) const EXCHANGES: std::ops::RangeInclusive<u32> = 1..=2_000;
    pub(crate) const BYTES: std::ops::RangeInclusive<u64> = 1 << 20..=256 << 20;

    /// The setting that holds. One that cannot be read (of a later version) is off.
    pub(crate) async fn load(database: &Database) -> Result<Self, DatabaseError> {
        let stored = settings::read(database, SETTING).await?;
        Ok(stored.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
    }

    pub(crate) async fn store(self, connection: impl sqlx::SqliteExecutor<'_>) -> Result<(), DatabaseError> {
        let text = serde_json::to_string(&self).map_err(DatabaseError::of("write a setting"))?;
        settings::write(connection, SETTING, &text).await
    }

    /// What nodes are to keep.
    pub(crate) fn limits(self) -> Option<RecentLimits> {
        let bytes = usize::try_from(self.bytes).unwrap_or(usize::MAX);
        self.on.then_some(RecentLimits { exchanges: self.exchanges as usize, bytes })
    }
}
