//! What one exchange must not show in clear: the values of its hashed parameters and of the credential that decided
//! its session. Wherever such a value appears in exported text, its hash takes its place.

use std::borrow::Cow;
use std::cmp::Reverse;

use memchr::memmem::Finder;
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
    secrets: SmallVec<[Secret<'x>; 2]>,
}

/// One value, prepared for being looked for in many short texts.
struct Secret<'x> {
    value: &'x [u8],
    hash: HashText,
    finder: Option<Finder<'x>>,
}

impl<'x> Secret<'x> {
    fn is(&self, bytes: &[u8]) -> bool {
        self.value == bytes
    }

    fn lies_in(&self, bytes: &[u8]) -> bool {
        self.value.len() < bytes.len() && self.finder.as_ref().is_some_and(|finder| finder.find(bytes).is_some())
    }
}

impl<'x> Secrets<'x> {
    pub(crate) fn add(&mut self, value: &'x [u8], hash: HashText) {
        if value.len() >= SHORTEST_WHOLE && !self.secrets.iter().any(|known| known.is(value)) {
            let finder = (value.len() >= SHORTEST_PART).then(|| Finder::new(value));
            self.secrets.push(Secret { value, hash, finder });
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
        for secret in secrets.into_iter().filter(|secret| secret.finder.is_some()) {
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
