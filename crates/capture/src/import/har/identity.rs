//! Identities from content: the same entry has the same identity in every file that holds it.

use std::collections::HashMap;

use http::HeaderMap;
use threadline_model::{ExchangeId, Timestamp};
use uuid::Builder;

/// Hashes an entry's normalised fields. Every part is written with its length, so parts never run together.
pub(super) struct ContentHasher(blake3::Hasher);

impl ContentHasher {
    pub(super) fn new() -> Self {
        Self(blake3::Hasher::new_derive_key("threadline HAR entry identity 1"))
    }

    pub(super) fn bytes(&mut self, part: &[u8]) {
        self.0.update(&(part.len() as u64).to_le_bytes());
        self.0.update(part);
    }

    /// A part that may be missing: missing differs from empty.
    pub(super) fn optional(&mut self, part: Option<&[u8]>) {
        self.0.update(&[u8::from(part.is_some())]);
        if let Some(part) = part {
            self.bytes(part);
        }
    }

    pub(super) fn number(&mut self, number: u64) {
        self.0.update(&number.to_le_bytes());
    }

    pub(super) fn headers(&mut self, headers: &HeaderMap) {
        self.number(headers.len() as u64);
        for (name, value) in headers {
            self.bytes(name.as_str().as_bytes());
            self.bytes(value.as_bytes());
        }
    }

    pub(super) fn finish(&self) -> [u8; 16] {
        let mut short = [0; 16];
        short.copy_from_slice(&self.0.finalize().as_bytes()[..16]);
        short
    }
}

/// Tells identical entries of one file apart by their number of occurrence, so that a longer export of the same
/// recording gives the entries both hold the same identities. Twenty bytes an entry.
#[derive(Default)]
pub(super) struct Identities(HashMap<[u8; 16], u32>);

impl Identities {
    /// The identity of the entry with this content: UUIDv7 (RFC 9562, section 5.7) of its start, with bits of the
    /// hash where random ones would stand.
    pub(super) fn next(&mut self, started: Timestamp, content: [u8; 16]) -> ExchangeId {
        let occurrence = self.0.entry(content).or_insert(0);
        let mut hasher = blake3::Hasher::new_derive_key("threadline HAR entry occurrence 1");
        hasher.update(&content);
        hasher.update(&occurrence.to_le_bytes());
        *occurrence = occurrence.saturating_add(1);
        let mut bits = [0; 10];
        bits.copy_from_slice(&hasher.finalize().as_bytes()[..10]);
        let millis = u64::try_from(started.micros().div_euclid(1_000)).unwrap_or(0);
        ExchangeId::new(Builder::from_unix_timestamp_millis(millis, &bits).into_uuid())
    }
}
