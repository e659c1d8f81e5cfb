//! From what was asked about time to the range that a store is asked.

use threadline_store::{Filters, TimeRange};

use super::query::{AskedRange, after, ending};
use super::time::{EARLIEST, LATEST};
use crate::hub::Inner;
use crate::problem::Problem;

/// What holds when a question says nothing about time.
#[derive(Clone, Copy, Debug)]
pub(crate) enum DefaultRange {
    /// The last 24 hours.
    Day,
    /// Everything that is stored.
    Everything,
}

impl DefaultRange {
    /// What holds for lists and counts: a day, unless they are about named sessions, which are shown whole.
    pub(crate) fn of_list(filters: &Filters) -> Self {
        if filters.session.any.is_empty() { Self::Day } else { Self::Everything }
    }
}

const DAY_MICROS: i64 = 86_400_000_000;

impl Inner {
    /// The range to ask the store for.
    pub(crate) async fn range(&self, asked: AskedRange, default: DefaultRange) -> Result<TimeRange, Problem> {
        match (asked, default) {
            (AskedRange::Fixed(range) | AskedRange::Moving(range), _) => Ok(range),
            (AskedRange::Unsaid, DefaultRange::Day) => Ok(ending(self.now(), DAY_MICROS)),
            (AskedRange::All, _) | (AskedRange::Unsaid, DefaultRange::Everything) => {
                let status = self.store.status().await.map_err(Problem::store)?;
                let everything = status.span.map(|(oldest, newest)| TimeRange {
                    from: oldest.max(EARLIEST).min(newest),
                    to: after(newest).min(LATEST),
                });
                Ok(everything.filter(|range| range.from < range.to).unwrap_or_else(|| ending(self.now(), DAY_MICROS)))
            }
        }
    }
}
