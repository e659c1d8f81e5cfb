//! Where all chance comes from: streams and digests of a seed. The same seed, label and index give the same answer
//! on every machine, in any order of asking.

use std::fmt::Write as _;

use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

/// A hash of labelled parts; parts never run together.
pub(crate) fn digest(seed: u64, label: &str, parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new_derive_key("threadline traffic simulator 1");
    hasher.update(&seed.to_le_bytes());
    for part in std::iter::once(label.as_bytes()).chain(parts.iter().copied()) {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    *hasher.finalize().as_bytes()
}

/// A number from a digest.
pub(crate) fn number(seed: u64, label: &str, parts: &[&[u8]]) -> u64 {
    let digest = digest(seed, label, parts);
    let mut first = [0; 8];
    first.copy_from_slice(&digest[..8]);
    u64::from_le_bytes(first)
}

/// A stream of random numbers of its own for each (label, index).
pub(crate) fn stream(seed: u64, label: &str, index: u64) -> ChaCha8Rng {
    ChaCha8Rng::from_seed(digest(seed, label, &[&index.to_le_bytes()]))
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}
