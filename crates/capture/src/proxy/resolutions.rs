//! The last requests with the clients that they were taken to come from, so that wrong settings about trusted proxies are
//! seen at once. In memory only, bounded, and never waited for: a sample, no record.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use threadline_model::ClientResolution;

/// How many are kept.
const KEPT: usize = 50;
/// From one that is taken to the next: at most 20 a second.
const PAUSE: Duration = Duration::from_millis(50);

/// What all workers share. A request that is not due costs one relaxed load of a number that changes 20 times a second
/// at most; one that is due, three looks into the head and a lock that is only tried.
pub struct Resolutions {
    begun: Instant,
    /// Microseconds since `begun` from which the next one is taken.
    due: AtomicU64,
    kept: Mutex<VecDeque<ClientResolution>>,
}

impl Resolutions {
    pub(super) fn new(begun: Instant) -> Self {
        Self { begun, due: AtomicU64::new(0), kept: Mutex::new(VecDeque::with_capacity(KEPT)) }
    }

    fn micros(&self, now: Instant) -> u64 {
        u64::try_from(now.saturating_duration_since(self.begun).as_micros()).unwrap_or(u64::MAX)
    }

    /// Takes a resolution if one is due; it is only made then.
    pub(super) fn offer(&self, now: Instant, resolve: impl FnOnce() -> ClientResolution) {
        let now = self.micros(now);
        if now < self.due.load(Ordering::Relaxed) {
            return;
        }
        // Whoever holds it is just taking another one, or reading.
        let Ok(mut kept) = self.kept.try_lock() else { return };
        self.due.store(now.saturating_add(u64::try_from(PAUSE.as_micros()).unwrap_or(u64::MAX)), Ordering::Relaxed);
        if kept.len() == KEPT {
            kept.pop_front();
        }
        kept.push_back(resolve());
    }

    /// What is kept, the newest first.
    pub fn list(&self) -> Vec<ClientResolution> {
        let mut list: Vec<_> = self.kept.lock().unwrap_or_else(PoisonError::into_inner).iter().rev().copied().collect();
        // Noted when the response is through: a long one comes late.
        list.sort_by_key(|resolution| std::cmp::Reverse(resolution.at));
        list
    }
}

impl fmt::Debug for Resolutions {
    /// Without addresses.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Resolutions").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use threadline_model::{AddressSource, Timestamp};

    use super::*;

    fn resolution(at: i64) -> ClientResolution {
        let address = "192.0.2.1".parse().unwrap();
        let at = Timestamp::from_micros(at);
        ClientResolution { at, peer: address, client: address, source: AddressSource::Connection, remark: None }
    }

    fn times(resolutions: &Resolutions) -> Vec<i64> {
        resolutions.list().iter().map(|resolution| resolution.at.micros()).collect()
    }

    #[test]
    fn the_last_fifty_are_kept_and_twenty_a_second_are_taken() {
        let begun = Instant::now();
        let resolutions = Resolutions::new(begun);
        for millisecond in 0..10_000 {
            let now = begun + Duration::from_millis(millisecond);
            resolutions.offer(now, || resolution(millisecond.try_into().unwrap()));
        }
        let expected: Vec<i64> = (0..50).map(|number| 9_950 - 50 * number).collect();
        assert_eq!(times(&resolutions), expected);
    }

    #[test]
    fn one_that_began_earlier_stands_further_down() {
        let begun = Instant::now();
        let resolutions = Resolutions::new(begun);
        for (number, at) in [7, 9, 8].into_iter().enumerate() {
            resolutions.offer(begun + PAUSE * u32::try_from(number).unwrap(), || resolution(at));
        }
        assert_eq!(times(&resolutions), [9, 8, 7]);
    }

    #[test]
    fn nobody_waits_for_who_reads() {
        let begun = Instant::now();
        let resolutions = Resolutions::new(begun);
        let reading = resolutions.kept.lock().unwrap();
        resolutions.offer(begun, || unreachable!("nothing is resolved for nobody"));
        drop(reading);
        resolutions.offer(begun, || resolution(1));
        assert_eq!(times(&resolutions), [1]);
    }
}
