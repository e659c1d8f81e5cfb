//! Slows down guessing. Searches for values are counted by who asks. Attempts to sign in are counted by name and address together, by name alone, and by address
//! alone, and refused with the time to wait.
//!
//! The pair has the strictest bound, so that one who guesses at somebody's name from elsewhere does not keep them out;
//! the name alone has a loose one, for those who guess from many addresses. Plain values and arithmetic; time is an
//! argument. Names are kept as hashes, since people type passwords into name fields, and at most [`CAPACITY`] of each
//! are remembered.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use threadline_model::Timestamp;

use super::Caller;

const SECOND: i64 = 1_000_000;
/// Names and addresses remembered at most; those closest to being forgotten go first.
const CAPACITY: usize = 10_000;

/// How often something may be tried: `burst` times at once, then once per `interval`.
#[derive(Clone, Copy, Debug)]
struct Rate {
    burst: i64,
    interval: i64,
}

/// One name from one address: ten attempts, then one in thirty seconds.
const PAIR: Rate = Rate { burst: 10, interval: 30 * SECOND };
/// One name from anywhere: two hundred attempts, then one in three seconds. Ten addresses at full speed stay below it.
const NAME: Rate = Rate { burst: 200, interval: 3 * SECOND };
/// One address (for IPv6 one /64): thirty attempts, then one in six seconds; many people may share an address.
const ADDRESS: Rate = Rate { burst: 30, interval: 6 * SECOND };

/// Searches of one caller for hashed values: thirty, then one in two seconds.
const SEARCHES: Rate = Rate { burst: 30, interval: 2 * SECOND };

/// Remembers who searched for values: whoever may search must not try out a list of them.
#[derive(Debug, Default)]
pub(crate) struct SearchThrottle {
    callers: Mutex<HashMap<NameKey, Timestamp>>,
}

impl SearchThrottle {
    /// Counts a search. The error is the number of seconds to wait; a refused search is not counted.
    pub(crate) fn attempt(&self, caller: &Caller, now: Timestamp) -> Result<(), u64> {
        // The map stays whole whatever panicked.
        let mut callers = self.callers.lock().unwrap_or_else(PoisonError::into_inner);
        let caller = super::secret::hash(&format!("{} {}", caller.kind.as_str(), caller.name));
        let until = SEARCHES.next(callers.get(&caller), now)?;
        remember(&mut callers, caller, until, now);
        Ok(())
    }
}

/// Remembers attempts.
#[derive(Debug, Default)]
pub(crate) struct Throttle {
    state: Mutex<State>,
}

type NameKey = [u8; 32];

/// When the attempts of each will all be forgotten.
#[derive(Debug, Default)]
struct State {
    pairs: HashMap<(NameKey, IpAddr), Timestamp>,
    names: HashMap<NameKey, Timestamp>,
    addresses: HashMap<IpAddr, Timestamp>,
}

impl Throttle {
    /// Counts an attempt. The error is the number of seconds to wait; a refused attempt is not counted.
    pub(crate) fn attempt(&self, name: Option<&str>, address: IpAddr, now: Timestamp) -> Result<(), u64> {
        let name = name.map(name_key);
        let address = address_key(address);
        let mut state = self.lock();
        let by_address = ADDRESS.next(state.addresses.get(&address), now);
        let Some(name) = name else {
            remember(&mut state.addresses, address, by_address?, now);
            return Ok(());
        };
        let by_pair = PAIR.next(state.pairs.get(&(name, address)), now);
        let by_name = NAME.next(state.names.get(&name), now);
        match (by_pair, by_name, by_address) {
            (Ok(pair_until), Ok(name_until), Ok(address_until)) => {
                remember(&mut state.pairs, (name, address), pair_until, now);
                remember(&mut state.names, name, name_until, now);
                remember(&mut state.addresses, address, address_until, now);
                Ok(())
            }
            (by_pair, by_name, by_address) => {
                Err([by_pair, by_name, by_address].into_iter().filter_map(Result::err).max().unwrap_or_default())
            }
        }
    }

    /// After a success: forgets the attempts with this name from this address, and this one otherwise.
    pub(crate) fn succeeded(&self, name: &str, address: IpAddr) {
        let (name, address) = (name_key(name), address_key(address));
        let mut state = self.lock();
        state.pairs.remove(&(name, address));
        let give_back = |until: &mut Timestamp, rate: Rate| {
            *until = Timestamp::from_micros(until.micros() - rate.interval);
        };
        if let Some(until) = state.names.get_mut(&name) {
            give_back(until, NAME);
        }
        if let Some(until) = state.addresses.get_mut(&address) {
            give_back(until, ADDRESS);
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

fn name_key(name: &str) -> NameKey {
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
    use crate::security::CallerKind;

    const START: Timestamp = Timestamp::from_micros(1_000_000_000_000);

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(START.micros() + seconds * SECOND)
    }

    fn address(number: u32) -> IpAddr {
        IpAddr::V4(number.into())
    }

    #[test]
    fn a_name_is_throttled_from_one_address_and_recovers_with_time() {
        let throttle = Throttle::default();
        for _ in 0..10 {
            assert_eq!(throttle.attempt(Some("alice"), address(1), START), Ok(()));
        }
        assert_eq!(throttle.attempt(Some(" Alice"), address(1), START), Err(30));
        assert_eq!(throttle.attempt(Some("alice"), address(1), at(20)), Err(10));
        assert_eq!(throttle.attempt(Some("alice"), address(1), at(30)), Ok(()));
        assert_eq!(throttle.attempt(Some("alice"), address(1), at(30)), Err(30));
        assert_eq!(throttle.attempt(Some("bob"), address(1), at(30)), Ok(()));
    }

    #[test]
    fn whoever_guesses_at_a_name_elsewhere_does_not_lock_its_owner_out() {
        let throttle = Throttle::default();
        for second in 0..3_600 {
            for attacker in 1..=5 {
                let _ = throttle.attempt(Some("alice"), address(attacker), at(second));
            }
            if second % 60 == 0 {
                assert_eq!(throttle.attempt(Some("alice"), address(99), at(second)), Ok(()), "{second}");
                throttle.succeeded("alice", address(99));
            }
        }
    }

    #[test]
    fn a_name_is_throttled_from_many_addresses_too() {
        let throttle = Throttle::default();
        let attempts = (0..1_000).filter(|number| throttle.attempt(Some("alice"), address(*number), START).is_ok());
        assert_eq!(attempts.count(), 200);
        assert_eq!(throttle.attempt(Some("alice"), address(5_000), START), Err(3));
        assert_eq!(throttle.attempt(Some("bob"), address(5_000), START), Ok(()));
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
    fn success_forgets_the_pair_and_one_attempt_of_name_and_address() {
        let throttle = Throttle::default();
        for _ in 0..1_000 {
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
        assert_eq!((state.pairs.len(), state.names.len(), state.addresses.len()), (CAPACITY, CAPACITY, CAPACITY));
    }

    #[test]
    fn searches_are_throttled_for_each_caller() {
        let throttle = SearchThrottle::default();
        let caller = |kind, name: &str| Caller {
            kind,
            person: None,
            name: name.to_owned(),
            role: crate::security::Role::Analyst,
            expires_at: None,
            address: None,
        };
        let ada = caller(CallerKind::Person, "ada");
        for _ in 0..30 {
            assert_eq!(throttle.attempt(&ada, START), Ok(()));
        }
        assert_eq!(throttle.attempt(&ada, START), Err(2));
        assert_eq!(throttle.attempt(&caller(CallerKind::Token, "ada"), START), Ok(()));
        assert_eq!(throttle.attempt(&caller(CallerKind::Person, "bob"), START), Ok(()));
        assert_eq!(throttle.attempt(&ada, at(2)), Ok(()));
        assert_eq!(throttle.attempt(&ada, at(2)), Err(2));
    }

    #[test]
    fn a_clock_that_jumps_back_locks_nobody_out_for_longer_than_the_jump() {
        let throttle = Throttle::default();
        assert_eq!(throttle.attempt(Some("alice"), address(1), at(100)), Ok(()));
        assert!(throttle.attempt(Some("alice"), address(1), START).is_ok());
    }
}
