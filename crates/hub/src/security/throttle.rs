//! Slows down guessing: attempts to sign in are counted by name and by address, and refused with the time to wait.
//!
//! Plain values and arithmetic; time is an argument. Names are kept as hashes, since people type passwords into name
//! fields, and at most [`CAPACITY`] of each are remembered.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use threadline_model::Timestamp;

const SECOND: i64 = 1_000_000;
/// Names and addresses remembered at most; those closest to being forgotten go first.
const CAPACITY: usize = 10_000;

/// How often something may be tried: `burst` times at once, then once per `interval`.
#[derive(Clone, Copy, Debug)]
struct Rate {
    burst: i64,
    interval: i64,
}

/// One name: ten attempts, then one in thirty seconds.
const NAME: Rate = Rate { burst: 10, interval: 30 * SECOND };
/// One address (for IPv6 one /64): thirty attempts, then one in six seconds; many people may share an address.
const ADDRESS: Rate = Rate { burst: 30, interval: 6 * SECOND };

/// Remembers attempts.
#[derive(Debug, Default)]
pub(crate) struct Throttle {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// By the name's hash: when its attempts will all be forgotten.
    names: HashMap<[u8; 32], Timestamp>,
    /// By address, likewise.
    addresses: HashMap<IpAddr, Timestamp>,
}

impl Throttle {
    /// Counts an attempt. The error is the number of seconds to wait; a refused attempt is not counted.
    pub(crate) fn attempt(&self, name: Option<&str>, address: IpAddr, now: Timestamp) -> Result<(), u64> {
        let name = name.map(name_key);
        let address = address_key(address);
        let mut state = self.lock();
        let by_name = name.map_or(Ok(now), |name| NAME.next(state.names.get(&name), now));
        let by_address = ADDRESS.next(state.addresses.get(&address), now);
        match (by_name, by_address) {
            (Ok(name_until), Ok(address_until)) => {
                if let Some(name) = name {
                    remember(&mut state.names, name, name_until, now);
                }
                remember(&mut state.addresses, address, address_until, now);
                Ok(())
            }
            (by_name, by_address) => Err(by_name.err().unwrap_or(0).max(by_address.err().unwrap_or(0))),
        }
    }

    /// After a success: forgets the name's attempts, and this one of the address.
    pub(crate) fn succeeded(&self, name: &str, address: IpAddr) {
        let mut state = self.lock();
        state.names.remove(&name_key(name));
        if let Some(until) = state.addresses.get_mut(&address_key(address)) {
            *until = Timestamp::from_micros(until.micros() - ADDRESS.interval);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // The maps stay whole whatever panicked.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Rate {
    /// When everything will be forgotten if one more attempt is counted (the generic cell rate algorithm), or the
    /// seconds until one may be.
    fn next(self, until: Option<&Timestamp>, now: Timestamp) -> Result<Timestamp, u64> {
        let until = until.copied().unwrap_or(now).max(now);
        let next = until.micros().saturating_add(self.interval);
        let excess = next.saturating_sub(now.micros()).saturating_sub(self.burst * self.interval);
        if excess > 0 {
            return Err(u64::try_from(excess).unwrap_or_default().div_ceil(SECOND as u64));
        }
        Ok(Timestamp::from_micros(next))
    }
}

fn remember<K: std::hash::Hash + Eq + Copy>(
    known: &mut HashMap<K, Timestamp>,
    key: K,
    until: Timestamp,
    now: Timestamp,
) {
    if known.len() >= CAPACITY && !known.contains_key(&key) {
        known.retain(|_, until| *until > now);
    }
    if known.len() >= CAPACITY
        && !known.contains_key(&key)
        && let Some(first) = known.iter().min_by_key(|(_, until)| **until).map(|(key, _)| *key)
    {
        known.remove(&first);
    }
    known.insert(key, until);
}

fn name_key(name: &str) -> [u8; 32] {
    super::secret::hash(&crate::database::people::folded(name))
}

/// Whoever has one IPv6 address has its whole /64.
fn address_key(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((u128::from(address) & !u128::from(u64::MAX)).into()),
        address => address,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const START: Timestamp = Timestamp::from_micros(1_000_000_000_000);

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(START.micros() + seconds * SECOND)
    }

    fn address(number: u32) -> IpAddr {
        IpAddr::V4(number.into())
    }

    #[test]
    fn a_name_is_throttled_from_many_addresses_and_recovers_with_time() {
        let throttle = Throttle::default();
        for number in 0..10 {
            assert_eq!(throttle.attempt(Some("alice"), address(number), START), Ok(()));
        }
        assert_eq!(throttle.attempt(Some(" Alice"), address(99), START), Err(30));
        assert_eq!(throttle.attempt(Some("alice"), address(99), at(20)), Err(10));
        assert_eq!(throttle.attempt(Some("alice"), address(99), at(30)), Ok(()));
        assert_eq!(throttle.attempt(Some("alice"), address(99), at(30)), Err(30));
        assert_eq!(throttle.attempt(Some("bob"), address(99), at(30)), Ok(()));
    }

    #[test]
    fn an_address_is_throttled_over_many_names() {
        let throttle = Throttle::default();
        for number in 0..30 {
            assert_eq!(throttle.attempt(Some(&format!("name {number}")), address(1), START), Ok(()));
        }
        assert_eq!(throttle.attempt(Some("another"), address(1), START), Err(6));
        assert_eq!(throttle.attempt(None, address(1), START), Err(6));
        assert_eq!(throttle.attempt(Some("another"), address(2), START), Ok(()));
    }

    #[test]
    fn one_network_of_ipv6_counts_as_one_address() {
        let throttle = Throttle::default();
        for number in 0..30_u32 {
            let address = format!("2001:db8::{number:x}").parse().unwrap();
            assert_eq!(throttle.attempt(None, address, START), Ok(()));
        }
        assert!(throttle.attempt(None, "2001:db8::ffff".parse().unwrap(), START).is_err());
        assert!(throttle.attempt(None, "2001:db8:0:1::1".parse().unwrap(), START).is_ok());
    }

    #[test]
    fn success_forgets_the_name_and_one_attempt_of_the_address() {
        let throttle = Throttle::default();
        for _ in 0..100 {
            assert_eq!(throttle.attempt(Some("alice"), address(1), START), Ok(()));
            throttle.succeeded("alice", address(1));
        }
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let throttle = Throttle::default();
        for number in 0..(CAPACITY as u32 + 500) {
            throttle.attempt(Some(&number.to_string()), address(number), START).unwrap();
        }
        let state = throttle.lock();
        assert_eq!((state.names.len(), state.addresses.len()), (CAPACITY, CAPACITY));
    }

    #[test]
    fn a_clock_that_jumps_back_locks_nobody_out_for_longer_than_the_jump() {
        let throttle = Throttle::default();
        assert_eq!(throttle.attempt(Some("alice"), address(1), at(100)), Ok(()));
        assert!(throttle.attempt(Some("alice"), address(1), START).is_ok());
    }
}
