//! When a file's time is over, and the thread that sees to it. Time is read from the store's clock only.

use std::time::Duration;

use threadline_model::{MICROS_PER_DAY, Timestamp, UtcDay};
use threadline_store::Lane;

use crate::files::FileKey;

/// The first and last day whose exchanges can be kept at all: the years 1 to 9999, which the engine, RFC 3339 and the
/// file names can all write.
const REPRESENTABLE: [UtcDay; 2] = [UtcDay::from_days(-719_162), UtcDay::from_days(2_932_896)];

/// A node's clock may run ahead of ours by a time zone mistake, hardly by more.
const DAYS_AHEAD: i32 = 1;

/// How long which lane is kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Retention {
    pub(crate) live_days: u32,
    pub(crate) import_days: u32,
}

impl Retention {
    /// Whether a file is to be hidden and deleted: a live day when it is more than so many days old, an import when
    /// that many days have passed since its day.
    pub(crate) fn is_over(&self, key: FileKey, now: Timestamp) -> bool {
        let age = i64::from(now.day().days()) - i64::from(key.day.days());
        age > i64::from(if key.live { self.live_days } else { self.import_days })
    }

    /// The file for exchanges of a day; `None` when they are not kept at all.
    pub(crate) fn file_for(&self, lane: Lane, day: UtcDay, now: Timestamp) -> Option<FileKey> {
        let [first, last] = REPRESENTABLE;
        if !(first..=last).contains(&day) {
            return None;
        }
        match lane {
            Lane::Import => Some(FileKey::new(lane, now.day())),
            Lane::Live => {
                let key = FileKey::new(lane, day);
                let too_far_ahead = i64::from(day.days()) - i64::from(now.day().days()) > i64::from(DAYS_AHEAD);
                (!too_far_ahead && !self.is_over(key, now)).then_some(key)
            }
        }
    }
}

/// How long until retention is due again: an hour, or less when the day changes before.
pub(crate) fn until_due(now: Timestamp) -> Duration {
    let left_of_day = MICROS_PER_DAY - now.micros().rem_euclid(MICROS_PER_DAY);
    // A second past midnight rather than a moment before it.
    let day_change = Duration::from_micros(left_of_day.unsigned_abs()) + Duration::from_secs(1);
    day_change.min(Duration::from_secs(3_600))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RETENTION: Retention = Retention { live_days: 7, import_days: 30 };

    #[test]
    fn a_live_day_is_kept_until_it_is_older_than_its_retention() {
        let today = UtcDay::from_days(20_780);
        let now = Timestamp::from_micros(today.start().micros() + 1);
        let file = |day| RETENTION.file_for(Lane::Live, day, now);
        assert_eq!(file(today.plus(-7)), Some(FileKey { live: true, day: today.plus(-7) }));
        assert_eq!(file(today.plus(-8)), None);
        assert!(file(today.plus(1)).is_some());
        assert_eq!(file(today.plus(2)), None);
    }

    #[test]
    fn an_import_is_kept_by_its_own_day_whatever_it_holds() {
        let today = UtcDay::from_days(20_780);
        let file = |day| RETENTION.file_for(Lane::Import, day, today.start());
        assert_eq!(file(today.plus(-9_000)), Some(FileKey { live: false, day: today }));
        assert_eq!(file(UtcDay::from_days(i32::MAX)), None);
        assert_eq!(file(UtcDay::from_days(i32::MIN)), None);
        assert!(!RETENTION.is_over(FileKey { live: false, day: today.plus(-30) }, today.start()));
        assert!(RETENTION.is_over(FileKey { live: false, day: today.plus(-31) }, today.start()));
    }

    #[test]
    fn retention_is_due_hourly_and_just_after_midnight() {
        let midnight = UtcDay::from_days(20_780).start();
        assert_eq!(until_due(midnight), Duration::from_secs(3_600));
        assert_eq!(until_due(Timestamp::from_micros(midnight.micros() - 10_000_000)), Duration::from_secs(11));
    }
}
