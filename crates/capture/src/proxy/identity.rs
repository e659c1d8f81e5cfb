//! Exchange identities: UUIDv7 (RFC 9562, section 5.7) without a system call or a lock per request.

use std::sync::atomic::{AtomicU64, Ordering};

use threadline_model::{ExchangeId, Timestamp};

/// Makes the identities of one worker thread.
///
/// The time stands first, to a quarter of a microsecond (RFC 9562, section 6.2, method 3), then 62 bits from
/// SplitMix64 started at random: they need to be unique, not secret.
pub(super) struct IdentityGenerator(AtomicU64);

impl IdentityGenerator {
    /// Starts at a random place.
    pub(super) fn new() -> Self {
        // The low 62 bits of a fresh UUIDv7 come from the operating system's generator.
        Self(AtomicU64::new(uuid::Uuid::now_v7().as_u64_pair().1))
    }

    /// A new identity for an exchange that starts now.
    pub(super) fn next(&self, now: Timestamp) -> ExchangeId {
        let micros = now.micros().max(0).unsigned_abs();
        let (millis, rest) = (micros / 1_000, micros % 1_000);
        // 1,000 microseconds on 4,096 steps.
        let fraction = rest * 4_096 / 1_000;
        let high = (millis << 16) | 0x7000 | fraction;
        let low = (split_mix(self.0.fetch_add(GOLDEN_GAMMA, Ordering::Relaxed)) >> 2) | (1 << 63);
        ExchangeId::from_bytes(((u128::from(high) << 64) | u128::from(low)).to_be_bytes())
    }
}

/// 2^64 divided by the golden ratio, odd: the step of SplitMix64.
const GOLDEN_GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

/// The output function of SplitMix64 (Steele, Lea, Flood: "Fast Splittable Pseudorandom Number Generators").
fn split_mix(state: u64) -> u64 {
    let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn identities_are_version_7_unique_and_ordered_by_time() {
        let generator = IdentityGenerator::new();
        let other = IdentityGenerator::new();
        let mut seen = HashSet::new();
        let mut previous = None;
        for step in 0..2_000 {
            let now = Timestamp::from_micros(1_795_000_000_000_000 + step);
            for id in [generator.next(now), other.next(now)] {
                let uuid = uuid::Uuid::from_bytes(*id.as_bytes());
                assert_eq!(uuid.get_version_num(), 7);
                assert_eq!(uuid.get_variant(), uuid::Variant::RFC4122);
                assert!(seen.insert(id));
                assert!(previous.is_none_or(|(when, before)| when == now || before < id), "ordered by time");
                previous = Some((now, id));
            }
            let first_bytes =
                u64::from_be_bytes(std::array::from_fn(
                    |index| {
                        if index < 2 { 0 } else { seen_millis(&previous)[index - 2] }
                    },
                ));
            assert_eq!(first_bytes, now.micros().unsigned_abs() / 1_000);
        }
    }

    fn seen_millis(previous: &Option<(Timestamp, ExchangeId)>) -> [u8; 6] {
        let mut millis = [0; 6];
        if let Some((_, id)) = previous {
            millis.copy_from_slice(&id.as_bytes()[..6]);
        }
        millis
    }
}
