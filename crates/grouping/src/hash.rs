//! Keyed hashes: of session keys (session IDs) and of exported values. BLAKE3 in keyed mode, cut to 128 bits.
//!
//! What is hashed is an injective encoding of a namespace and a list of parts: every part is preceded by its length,
//! so (`ab`, `c`) never equals (`a`, `bc`), and a namespace never equals a part.

use std::fmt;

use smallvec::SmallVec;
use threadline_model::SessionId;

/// Values are only equal within one namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Namespace<'a> {
    /// Where values are equal whichever key found them: all configured keys unless told otherwise, and the opaque
    /// secrets the built-in set finds (session cookies and headers, tokens, API keys, `;jsessionid=`, query names).
    Shared,
    /// One that an operator named.
    Named(&'a str),
    /// A JWT's `sid`, with its `iss` where present.
    TokenSession,
    /// A JWT's `iss` and `sub`.
    TokenSubject,
    /// The user name of HTTP Basic (RFC 7617).
    BasicUser,
    /// Client address and User-Agent, joined by a TLS fingerprint where known.
    AddressAndAgent,
    /// Client address alone.
    Address,
    /// The identity of an imported file.
    File,
    /// The exchange itself, which is like no other.
    Exchange,
}

impl Namespace<'_> {
    /// Stable for ever: part of every session ID.
    const fn number(self) -> u8 {
        match self {
            Self::Shared => 0,
            Self::Named(_) => 1,
            Self::TokenSession => 2,
            Self::TokenSubject => 3,
            Self::BasicUser => 4,
            Self::AddressAndAgent => 5,
            Self::Address => 6,
            Self::File => 7,
            Self::Exchange => 8,
        }
    }
}

/// Room for the encoding of all but very long values without an allocation.
type Encoding = SmallVec<[u8; 512]>;

/// The injective encoding: namespace number, its name where it has one, then each part, lengths before texts.
fn encode<P: AsRef<[u8]>>(namespace: Namespace<'_>, parts: &[P]) -> Encoding {
    let mut encoding = Encoding::new();
    encoding.push(namespace.number());
    if let Namespace::Named(name) = namespace {
        append_part(name.as_bytes(), &mut encoding);
    }
    for part in parts {
        append_part(part.as_ref(), &mut encoding);
    }
    encoding
}

fn append_part(part: &[u8], encoding: &mut Encoding) {
    encoding.extend_from_slice(&(part.len() as u64).to_le_bytes());
    encoding.extend_from_slice(part);
}

/// The key of session IDs.
#[derive(Clone)]
pub struct SessionHashKey([u8; 32]);

impl SessionHashKey {
    pub(crate) const fn new(key: [u8; 32]) -> Self {
        Self(key)
    }

    /// The session that a value belongs to.
    pub fn session<P: AsRef<[u8]>>(&self, namespace: Namespace<'_>, parts: &[P]) -> SessionId {
        SessionId::from_bytes(first_half(&blake3::keyed_hash(&self.0, &encode(namespace, parts))))
    }
}

impl fmt::Debug for SessionHashKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SessionHashKey(redacted)")
    }
}

/// The key of exported parameter hashes.
#[derive(Clone)]
pub struct ParameterHashKey([u8; 32]);

impl ParameterHashKey {
    pub(crate) const fn new(key: [u8; 32]) -> Self {
        Self(key)
    }

    /// The hash exported instead of a value. Equal values have equal hashes wherever they were found; a value of one
    /// part is hashed the same whether a parameter or the built-in set found it.
    pub fn hash<P: AsRef<[u8]>>(&self, parts: &[P]) -> HashText {
        HashText::new(first_half(&blake3::keyed_hash(&self.0, &encode(Namespace::Shared, parts))))
    }
}

impl fmt::Debug for ParameterHashKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ParameterHashKey(redacted)")
    }
}

/// A parameter hash as it is exported: 32 lower-case hexadecimal digits, without an allocation.
// Aligned, because it lives in enums and is moved often: at odd addresses those moves were a sixth of the exit's time.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[repr(align(8))]
pub struct HashText([u8; 32]);

impl HashText {
    fn new(hash: [u8; 16]) -> Self {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = [0; 32];
        for (pair, byte) in text.chunks_exact_mut(2).zip(hash) {
            pair[0] = DIGITS[usize::from(byte >> 4)];
            pair[1] = DIGITS[usize::from(byte & 15)];
        }
        Self(text)
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        // Always ASCII by construction.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Debug for HashText {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "HashText({})", self.as_str())
    }
}

fn first_half(hash: &blake3::Hash) -> [u8; 16] {
    let mut half = [0; 16];
    half.copy_from_slice(&hash.as_bytes()[..16]);
    half
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Short parts over few letters, so that different lists often have the same text when run together.
    fn parts() -> impl Strategy<Value = Vec<Vec<u8>>> {
        prop::collection::vec(prop::collection::vec(0_u8..3, 0..4), 0..4)
    }

    fn namespaces() -> impl Strategy<Value = Namespace<'static>> {
        prop::sample::select(vec![
            Namespace::Shared,
            Namespace::Named(""),
            Namespace::Named("a"),
            Namespace::Named("\0"),
            Namespace::TokenSession,
            Namespace::TokenSubject,
            Namespace::BasicUser,
            Namespace::AddressAndAgent,
            Namespace::Address,
            Namespace::File,
            Namespace::Exchange,
        ])
    }

    proptest! {
        #[test]
        fn different_namespaces_or_parts_are_encoded_differently(
            first in (namespaces(), parts()), second in (namespaces(), parts()),
        ) {
            let same = encode(first.0, &first.1) == encode(second.0, &second.1);
            prop_assert_eq!(same, first == second);
        }

        #[test]
        fn the_encoding_can_be_read_back(parts in parts()) {
            let encoded = encode(Namespace::Shared, &parts);
            let mut rest = &encoded[1..];
            let mut read = Vec::new();
            while let Some((length, after)) = rest.split_at_checked(8) {
                let length = length.iter().rev().fold(0, |length, byte| length << 8 | usize::from(*byte));
                let (part, after) = after.split_at(length);
                read.push(part.to_vec());
                rest = after;
            }
            prop_assert_eq!(read, parts);
        }
    }

    #[test]
    fn session_ids_of_a_known_key_never_change() {
        let key = SessionHashKey::new([7; 32]);
        // Computed apart from this code, over the bytes that `encode` documents; stored sessions depend on them.
        let known = [
            (Namespace::Shared, vec!["aaa"], "40e0de6614ca33981391e233cb407713"),
            (Namespace::Named("tenant"), vec!["aaa"], "f324450c23ff0ea161ef821290e5cfda"),
            (Namespace::TokenSubject, vec!["https://id", "42"], "e60f1d57580b8a5fa4df743a43ac7736"),
        ];
        for (namespace, parts, expected) in known {
            assert_eq!(key.session(namespace, &parts).to_string(), expected, "{namespace:?}");
        }
    }

    #[test]
    fn a_hash_depends_on_its_key_and_is_no_session_id() {
        let session = SessionHashKey::new([1; 32]).session(Namespace::Shared, &["a"]);
        let hash = ParameterHashKey::new([1; 32]).hash(&["a"]);
        let other = ParameterHashKey::new([2; 32]).hash(&["a"]);
        assert_eq!(session.to_string(), hash.as_str(), "same key, same encoding: only derivation separates them");
        assert_ne!(hash, other);
        assert_eq!(hash.as_str().len(), 32);
    }
}
