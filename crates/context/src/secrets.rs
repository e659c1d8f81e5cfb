//! What one exchange must not show in clear: the values of its hashed parameters, the credential that decided its
//! session, and the other credentials it carries where the built-in set knows one. Wherever such a value appears in
//! exported text, its hash takes its place.

use std::borrow::Cow;
use std::cmp::Reverse;

use smallvec::SmallVec;
use threadline_grouping::{HashText, ParameterHashKey, looks_like_jwt};

use crate::text::{Text, text};

/// A shorter value is not looked for as a whole text elsewhere: it holds no secret, and half the paths would vanish.
const SHORTEST_WHOLE: usize = 3;

/// A shorter value is not looked for inside other texts.
const SHORTEST_PART: usize = 6;

/// Longer texts are searched by an algorithm that is linear whatever they hold, bytes.
const SHORT_TEXT: usize = 512;

/// Most credentials of one exchange that are kept beside those that decide. One with more of them, which no client has
/// that means well, shows no text at all.
const MOST_CREDENTIALS: usize = 32;

/// Most masked values of one exchange that are kept: a mask with `all` may cover many. Beyond that, no text is shown.
const MOST_MASKED: usize = 256;

/// Values of one exchange with the hashes that stand for them.
pub(crate) struct Secrets<'x> {
    key: &'x ParameterHashKey,
    /// Those that bind whatever a parameter says of the same value (masked, hashed), then other credentials.
    secrets: SmallVec<[Secret<'x>; 4]>,
    binding: usize,
    /// Length of the shortest: most texts are no longer, and are not compared.
    shortest: usize,
    /// There are more credentials than are kept.
    too_many: bool,
}

struct Secret<'x> {
    value: Cow<'x, [u8]>,
    /// None until somebody asks: most credentials appear nowhere but in their own places.
    hash: Option<HashText>,
}

impl Secret<'_> {
    fn is(&self, bytes: &[u8]) -> bool {
        *self.value == *bytes
    }

    fn lies_in(&self, bytes: &[u8]) -> bool {
        (SHORTEST_PART..bytes.len()).contains(&self.value.len()) && contains(bytes, &self.value)
    }

    fn hash(&self, key: &ParameterHashKey) -> HashText {
        self.hash.unwrap_or_else(|| key.hash(&[&self.value]))
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
    pub(crate) fn new(key: &'x ParameterHashKey) -> Self {
        Self { key, secrets: SmallVec::new(), binding: 0, shortest: usize::MAX, too_many: false }
    }

    /// Adds the value of a hashed parameter or of the deciding credential; all of them before other credentials.
    pub(crate) fn bind(&mut self, value: &'x [u8], hash: HashText) {
        if self.is_new(value) {
            self.push(Secret { value: Cow::Borrowed(value), hash: Some(hash) });
            self.binding = self.secrets.len();
        }
    }

    /// Adds a value that a mask covers; before all others.
    pub(crate) fn mask(&mut self, value: &'x [u8]) {
        if self.secrets.len() == MOST_MASKED {
            self.too_many = true;
            self.shortest = SHORTEST_WHOLE;
        } else if self.is_new(value) {
            self.push(Secret { value: Cow::Borrowed(value), hash: None });
            self.binding = self.secrets.len();
        }
    }

    /// Adds a credential that stands in the exchange.
    pub(crate) fn add(&mut self, value: Cow<'x, [u8]>) {
        if self.too_many || !self.is_new(&value) {
            return;
        }
        if self.secrets.len() - self.binding == MOST_CREDENTIALS {
            self.too_many = true;
            self.shortest = SHORTEST_WHOLE;
        } else {
            self.push(Secret { value, hash: None });
        }
    }

    fn is_new(&self, value: &[u8]) -> bool {
        value.len() >= SHORTEST_WHOLE && !self.secrets.iter().any(|known| known.is(value))
    }

    fn push(&mut self, secret: Secret<'x>) {
        self.shortest = self.shortest.min(secret.value.len());
        self.secrets.push(secret);
    }

    /// Only what binds whatever a parameter says of the same value: for a credential that somebody chose to export in
    /// clear.
    pub(crate) fn binding(&self) -> Secrets<'_> {
        let mut binding = Secrets::new(self.key);
        for secret in &self.secrets[..self.binding] {
            binding.push(Secret { value: Cow::Borrowed(&secret.value), hash: secret.hash });
        }
        binding.binding = self.binding;
        // Credentials that are too many bind nobody, but masked values do.
        if self.too_many && self.binding >= MOST_MASKED {
            binding.too_many = true;
            binding.shortest = SHORTEST_WHOLE;
        }
        binding
    }

    /// The hash to export instead of a text that is a secret or holds one.
    pub(crate) fn covering(&self, bytes: &[u8]) -> Option<HashText> {
        if bytes.len() < self.shortest {
            return None;
        }
        if self.too_many {
            return Some(self.key.hash(&[bytes]));
        }
        let secret = self.secrets.iter().find(|secret| secret.is(bytes) || secret.lies_in(bytes))?;
        Some(secret.hash(self.key))
    }

    /// The hash of a secret that reaches over several segments of a path.
    pub(crate) fn across_segments(&self, path: &[u8]) -> Option<HashText> {
        if self.too_many {
            return Some(self.key.hash(&[path]));
        }
        let across = |secret: &&Secret<'_>| {
            memchr::memchr(b'/', &secret.value).is_some() && (secret.is(path) || secret.lies_in(path))
        };
        self.secrets.iter().find(across).map(|secret| secret.hash(self.key))
    }

    /// A bounded text without secrets: the hash of one if that is all there is, else with hashes in their places.
    pub(crate) fn without<'a>(&self, bytes: &'a [u8], limit: usize) -> Text<'a> {
        if bytes.len() < self.shortest {
            return Text::Clear(text(bytes, limit));
        }
        if self.too_many {
            return Text::Hashed(self.key.hash(&[bytes]));
        }
        if let Some(secret) = self.secrets.iter().find(|secret| secret.is(bytes)) {
            return Text::Hashed(secret.hash(self.key));
        }
        if !self.secrets.iter().any(|secret| secret.lies_in(bytes)) {
            return Text::Clear(text(bytes, limit));
        }
        // Longest first: a secret may hold another one.
        let mut secrets: SmallVec<[&Secret<'_>; 8]> = self.secrets.iter().collect();
        secrets.sort_by_key(|secret| Reverse(secret.value.len()));
        let mut replaced = bytes.to_vec();
        for secret in secrets.into_iter().filter(|secret| secret.lies_in(bytes)) {
            replaced = replace(&replaced, &secret.value, secret.hash(self.key).as_str().as_bytes());
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
