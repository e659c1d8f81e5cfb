//! What one exchange must not show in clear: the values of its hashed parameters and of the credential that decided
//! its session. Wherever such a value appears in exported text, its hash takes its place.

use std::borrow::Cow;

use smallvec::SmallVec;
use threadline_grouping::{HashText, looks_like_jwt};

use crate::text::{Text, text};

/// A shorter value is not looked for as a whole text elsewhere: it holds no secret, and half the paths would vanish.
const SHORTEST_WHOLE: usize = 3;

/// A shorter value is not looked for inside other texts.
const SHORTEST_PART: usize = 6;

/// Values of one exchange with the hashes that stand for them.
#[derive(Default)]
pub(crate) struct Secrets<'x> {
    values: SmallVec<[(&'x [u8], HashText); 6]>,
}

impl<'x> Secrets<'x> {
    pub(crate) fn add(&mut self, value: &'x [u8], hash: HashText) {
        if value.len() >= SHORTEST_WHOLE && self.values.iter().all(|(known, _)| *known != value) {
            self.values.push((value, hash));
        }
    }

    /// The hash to export instead of a text that is a secret or holds one.
    pub(crate) fn covering(&self, bytes: &[u8]) -> Option<HashText> {
        self.values.iter().find(|(value, _)| *value == bytes || lies_in(value, bytes)).map(|(_, hash)| *hash)
    }

    /// The hash of a secret that reaches over several segments of a path.
    pub(crate) fn across_segments(&self, path: &[u8]) -> Option<HashText> {
        let across = |value: &[u8]| memchr::memchr(b'/', value).is_some() && (value == path || lies_in(value, path));
        self.values.iter().find(|(value, _)| across(value)).map(|(_, hash)| *hash)
    }

    /// A bounded text without secrets: the hash of one if that is all there is, else with hashes in their places.
    pub(crate) fn without<'a>(&self, bytes: &'a [u8], limit: usize) -> Text<'a> {
        if let Some((_, hash)) = self.values.iter().find(|(value, _)| *value == bytes) {
            return Text::Hashed(*hash);
        }
        if !self.values.iter().any(|(value, _)| lies_in(value, bytes)) {
            return Text::Clear(text(bytes, limit));
        }
        // Longest first: a secret may hold another one.
        let mut values = self.values.clone();
        values.sort_by_key(|(value, _)| std::cmp::Reverse(value.len()));
        let mut replaced = bytes.to_vec();
        for (value, hash) in values.iter().filter(|(value, _)| value.len() >= SHORTEST_PART) {
            replaced = replace(&replaced, value, hash.as_str().as_bytes());
        }
        Text::Clear(Cow::Owned(text(&replaced, limit).into_owned()))
    }
}

fn lies_in(value: &[u8], bytes: &[u8]) -> bool {
    value.len() >= SHORTEST_PART && value.len() < bytes.len() && memchr::memmem::find(bytes, value).is_some()
}

fn replace(bytes: &[u8], value: &[u8], by: &[u8]) -> Vec<u8> {
    let mut replaced = Vec::with_capacity(bytes.len());
    let mut copied = 0;
    for found in memchr::memmem::find_iter(bytes, value) {
        replaced.extend_from_slice(&bytes[copied..found]);
        replaced.extend_from_slice(by);
        copied = found + value.len();
    }
    replaced.extend_from_slice(&bytes[copied..]);
    replaced
}

/// Whether a text in a path or a query's name looks like a token by its shape alone. A token that was cut short
/// still does.
pub(crate) fn looks_like_credential(bytes: &[u8]) -> bool {
    looks_like_jwt(bytes) || (bytes.len() >= 20 && bytes.starts_with(b"eyJ"))
}
