//! Page tokens: where the next page of a list starts, opaque to whoever carries them.
//!
//! A token holds a position, not a row number, so that rows may come and go between two pages. It also holds how far
//! the store had been written when the first page was asked for: later pages count the same rows. It is not secret
//! and not signed; a made-up token asks for another position of the same list, nothing else.

use std::hash::{Hash, Hasher};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use threadline_model::Timestamp;

use crate::{Filters, StoreError, TimeRange};

/// First byte of every token: the version of its layout.
const VERSION: u8 = 1;

/// Bytes of a token: version, list, question, range, snapshot, position.
const LENGTH: usize = 1 + 1 + 8 + 16 + 8 + 8 + 16;

/// Which list a token belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListKind {
    /// The sessions list, newest first.
    Sessions,
    /// Exchanges, newest first.
    ExchangesNewestFirst,
    /// Exchanges, oldest first.
    ExchangesOldestFirst,
}

impl ListKind {
    const fn code(self) -> u8 {
        match self {
            Self::Sessions => 1,
            Self::ExchangesNewestFirst => 2,
            Self::ExchangesOldestFirst => 3,
        }
    }
}

/// The position after a page's last row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageToken {
    /// Only rows written to the store until then are part of the list.
    pub snapshot: Timestamp,
    /// The time that the last row was ordered by.
    pub ts: Timestamp,
    /// The identity that the last row was ordered by where times are equal.
    pub id: [u8; 16],
}

impl PageToken {
    /// The token as text for the question that it continues.
    pub fn encode(&self, list: ListKind, range: TimeRange, filters: &Filters) -> String {
        let mut bytes = Vec::with_capacity(LENGTH);
        bytes.extend([VERSION, list.code()]);
        bytes.extend(fingerprint(filters).to_be_bytes());
        for time in [range.from, range.to, self.snapshot, self.ts] {
            bytes.extend(time.micros().to_be_bytes());
        }
        bytes.extend(self.id);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads a token that continues exactly this question.
    ///
    /// # Errors
    /// [`StoreError::PageToken`] for anything else: another list, other filters, another range, damaged text.
    pub fn decode(text: &str, list: ListKind, range: TimeRange, filters: &Filters) -> Result<Self, StoreError> {
        let bytes = bytes_of(text).ok_or(StoreError::PageToken)?;
        let continues =
            bytes[1] == list.code() && bytes[2..10] == fingerprint(filters).to_be_bytes() && range_of(&bytes) == range;
        if !continues {
            return Err(StoreError::PageToken);
        }
        let mut id = [0; 16];
        id.copy_from_slice(&bytes[42..]);
        Ok(Self { snapshot: time_at(&bytes, 26), ts: time_at(&bytes, 34), id })
    }

    /// The time range of the question that a token continues. A range that was given relative to the clock ("the last
    /// hour") has moved by the time the next page is asked for; this one has not.
    ///
    /// # Errors
    /// [`StoreError::PageToken`] for a text that is no token.
    pub fn range(text: &str) -> Result<TimeRange, StoreError> {
        bytes_of(text).map(|bytes| range_of(&bytes)).ok_or(StoreError::PageToken)
    }
}

fn bytes_of(text: &str) -> Option<[u8; LENGTH]> {
    let bytes: [u8; LENGTH] = URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
    (bytes[0] == VERSION).then_some(bytes)
}

fn range_of(bytes: &[u8; LENGTH]) -> TimeRange {
    TimeRange { from: time_at(bytes, 10), to: time_at(bytes, 18) }
}

fn time_at(bytes: &[u8; LENGTH], position: usize) -> Timestamp {
    let mut micros = [0; 8];
    micros.copy_from_slice(&bytes[position..position + 8]);
    Timestamp::from_micros(i64::from_be_bytes(micros))
}

/// A hash that is the same in every process (the standard library's default one promises nothing).
fn fingerprint(filters: &Filters) -> u64 {
    let mut hasher = Fnv(0xcbf2_9ce4_8422_2325);
    filters.hash(&mut hasher);
    hasher.finish()
}

/// FNV-1a, 64 bits (draft-eastlake-fnv). It tells questions apart; nobody gains by making two collide.
struct Fnv(u64);

impl Hasher for Fnv {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Choice;

    const RANGE: TimeRange = TimeRange { from: Timestamp::from_micros(-5), to: Timestamp::from_micros(1 << 60) };

    fn token() -> PageToken {
        PageToken { snapshot: Timestamp::from_micros(7), ts: Timestamp::from_micros(i64::MIN), id: [9; 16] }
    }

    #[test]
    fn a_token_continues_its_own_question() {
        let text = token().encode(ListKind::Sessions, RANGE, &Filters::default());
        assert_eq!(PageToken::decode(&text, ListKind::Sessions, RANGE, &Filters::default()).ok(), Some(token()));
        assert_eq!(PageToken::range(&text).ok(), Some(RANGE));
        assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'));
    }

    #[test]
    fn a_token_of_another_question_is_refused() {
        let filters = Filters::default();
        let text = token().encode(ListKind::Sessions, RANGE, &filters);
        let other = Filters { host: Choice { any: vec!["a".to_owned()], not: Vec::new() }, ..Filters::default() };
        let negated = Filters { host: Choice { any: Vec::new(), not: vec!["a".to_owned()] }, ..Filters::default() };
        let later = TimeRange { from: Timestamp::from_micros(0), ..RANGE };
        assert!(PageToken::decode(&text, ListKind::ExchangesNewestFirst, RANGE, &filters).is_err());
        assert!(PageToken::decode(&text, ListKind::Sessions, later, &filters).is_err());
        assert!(PageToken::decode(&text, ListKind::Sessions, RANGE, &other).is_err());
        let text = token().encode(ListKind::Sessions, RANGE, &other);
        assert!(PageToken::decode(&text, ListKind::Sessions, RANGE, &negated).is_err());
        for wrong in ["", "AQ", "!", &text[1..], &format!("{text}A")] {
            assert!(PageToken::decode(wrong, ListKind::Sessions, RANGE, &other).is_err(), "{wrong}");
        }
    }
}
