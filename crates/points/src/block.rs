//! Sixty-four bytes of JSON as bit masks: which bytes can end a run of string content, and which a number.
//!
//! Where a token ends is then a matter of shifting and counting zeros. The masks do not depend on where tokens start,
//! so the processor makes them while the scanner still works on what comes before; searching byte by byte, each
//! token would have to wait for the one before it. The loop over bytes is written so that compilers turn it into
//! vector instructions; the instructions themselves cannot be called without `unsafe`.

/// Bytes of a block.
pub(crate) const BYTES: usize = 64;

/// The masks of a block; the lowest bit stands for its first byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Block {
    /// Quotes, backslashes and control characters.
    pub(crate) string_ends: u64,
    /// Commas, closing brackets, blanks and control characters.
    pub(crate) number_ends: u64,
}

impl Block {
    pub(crate) const EMPTY: Self = Self { string_ends: 0, number_ends: 0 };

    const STRING_END: u8 = 0x80;
    const NUMBER_END: u8 = 0x01;

    #[inline]
    pub(crate) fn of(bytes: &[u8; BYTES]) -> Self {
        let mut marks = [0; BYTES];
        mark(bytes, &mut marks);
        let mut block = Self::EMPTY;
        for (position, marks) in marks.as_chunks::<8>().0.iter().enumerate() {
            let marks = u64::from_le_bytes(*marks);
            block.string_ends |= gather(marks >> 7) << (8 * position);
            block.number_ends |= gather(marks) << (8 * position);
        }
        block
    }
}

/// Writes a byte of marks for each byte. Not inlined: the marks have to go through memory, or the compiler takes the
/// vectors apart again to gather bits from them.
#[inline(never)]
fn mark(bytes: &[u8; BYTES], marks: &mut [u8; BYTES]) {
    for (mark, byte) in marks.iter_mut().zip(bytes) {
        let string_end = (*byte < 0x20) | (*byte == b'"') | (*byte == b'\\');
        // `]` and `}` differ in one bit.
        let number_end = (*byte <= b' ') | (*byte == b',') | (*byte | 0x20 == b'}');
        *mark = if string_end { Block::STRING_END } else { 0 } | if number_end { Block::NUMBER_END } else { 0 };
    }
}

/// Gathers the lowest bits of eight bytes into one byte.
#[inline(always)]
const fn gather(marks: u64) -> u64 {
    (marks & 0x0101_0101_0101_0101).wrapping_mul(0x0102_0408_1020_4080) >> 56
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One byte at a time.
    fn plain(bytes: &[u8; BYTES]) -> Block {
        let mask = |wanted: &dyn Fn(u8) -> bool| {
            bytes.iter().enumerate().fold(0, |mask, (position, byte)| mask | (u64::from(wanted(*byte)) << position))
        };
        Block {
            string_ends: mask(&|byte| byte < 0x20 || byte == b'"' || byte == b'\\'),
            number_ends: mask(&|byte| byte <= 0x20 || matches!(byte, b',' | b']' | b'}')),
        }
    }

    #[test]
    fn every_byte_is_marked_rightly_at_every_place() {
        for byte in 0..=u8::MAX {
            for position in 0..BYTES {
                for filler in [b'a', b'0', b'"', 0, 0xff, 0x7f, 0x80] {
                    let mut bytes = [filler; BYTES];
                    bytes[position] = byte;
                    assert_eq!(Block::of(&bytes), plain(&bytes), "{byte:#x} at {position} in {filler:#x}");
                }
            }
        }
    }
}
