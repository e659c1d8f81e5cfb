//! What one exchange must not show in clear: the values of its hashed parameters and of the credential that decided
//! its session. Wherever such a value appears in exported text, its hash takes its place.

use std::borrow::Cow;
use std::cmp::Reverse;

use smallvec::SmallVec;
use threadline_grouping::{HashText, looks_like_jwt};

use crate::text::{Text, text};

/// A shorter value is not looked for as a whole text elsewhere: it holds no secret, and half the paths would vanish.
const SHORTEST_WHOLE: usize = 3;

/// A shorter value is not looked for inside other texts.
const SHORTEST_PART: usize = 6;

/// Longer texts are searched by an algorithm that is linear whatever they hold, bytes.
const SHORT_TEXT: usize = 512;

/// Values of one exchange with the hashes that stand for them.
#[derive(Default)]
pub(crate) struct Secrets<'x> {
    secrets: SmallVec<[Secret<'x>; 4]>,
}

struct Secret<'x> {
    value: &'x [u8],
    hash: HashText,
}

impl Secret<'_> {
    fn is(&self, bytes: &[u8]) -> bool {
        self.value == bytes
    }

    fn lies_in(&self, bytes: &[u8]) -> bool {
        (SHORTEST_PART..bytes.len()).contains(&self.value.len()) && contains(bytes, self.value)
    }
}

/// Whether a text holds another. Most texts are a few dozen bytes, for which preparing a search costs more than it
/// saves.
fn contains(bytes: &[u8], value: &[u8]) -> bool {
    let Some(first) = value.first().filter(|_| bytes.len() <= SHORT_TEXT) else {
        return memchr::memmem::find(bytes, value).is_some();
    };
    let last = bytes.len().saturating_sub(value.len());
    memchr::memchr_iter(*first, &bytes[..bytes.len().min(last + 1)]).any(|at| bytes[at..].starts_with(value))
}

impl<'x> Secrets<'x> {
    pub(crate) fn add(&mut self, value: &'x [u8], hash: HashText) {
        if value.len() >= SHORTEST_WHOLE && !self.secrets.iter().any(|known| known.is(value)) {
            self.secrets.push(Secret { value, hash });
        }
    }

    /// The hash to export instead of a text that is a secret or holds one.
    pub(crate) fn covering(&self, bytes: &[u8]) -> Option<HashText> {
        self.secrets.iter().find(|secret| secret.is(bytes) || secret.lies_in(bytes)).map(|secret| secret.hash)
    }

    /// The hash of a secret that reaches over several segments of a path.
    pub(crate) fn across_segments(&self, path: &[u8]) -> Option<HashText> {
        let across = |secret: &&Secret<'_>| {
            memchr::memchr(b'/', secret.value).is_some() && (secret.is(path) || secret.lies_in(path))
        };
        self.secrets.iter().find(across).map(|secret| secret.hash)
    }

    /// A bounded text without secrets: the hash of one if that is all there is, else with hashes in their places.
    pub(crate) fn without<'a>(&self, bytes: &'a [u8], limit: usize) -> Text<'a> {
        if let Some(secret) = self.secrets.iter().find(|secret| secret.is(bytes)) {
            return Text::Hashed(secret.hash);
        }
        if !self.secrets.iter().any(|secret| secret.lies_in(bytes)) {
            return Text::Clear(text(bytes, limit));
        }
        // Longest first: a secret may hold another one.
        let mut secrets: SmallVec<[&Secret<'_>; 8]> = self.secrets.iter().collect();
        secrets.sort_by_key(|secret| Reverse(secret.value.len()));
        let mut replaced = bytes.to_vec();
        for secret in secrets.into_iter().filter(|secret| secret.value.len() >= SHORTEST_PART) {
            replaced = replace(&replaced, secret.value, secret.hash.as_str().as_bytes());
        }
        Text::Clear(Cow::Owned(text(&replaced, limit).into_owned()))
    }
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn short_and_long_texts_are_searched_alike(text in "[ab]{0,12}", value in "[ab]{1,12}", padding in 0_usize..2) {
            let padded = [text.as_bytes(), &b"c".repeat(padding * SHORT_TEXT)].concat();
            prop_assert_eq!(contains(&padded, value.as_bytes()), text.contains(&value));
        }
    }
}
