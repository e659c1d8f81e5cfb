//! Sixty-four bytes of JSON as a bit mask of those that can end a run of string content.
//!
//! Where a string ends is then a matter of shifting and counting zeros. The mask does not depend on where strings
//! start, so the processor makes it while the scanner still works on what comes before; searching byte by byte, each
//! token would have to wait for the one before it. The loop over bytes is written so that compilers turn it into
//! vector instructions; the instructions themselves cannot be called without `unsafe`.

/// Bytes of a block.
pub(crate) const BYTES: usize = 64;

/// Marks quotes, backslashes and control characters; the lowest bit stands for the first byte.
#[inline]
pub(crate) fn string_ends(bytes: &[u8; BYTES]) -> u64 {
    let mut marks = [0; BYTES];
    mark(bytes, &mut marks);
    let mut mask = 0;
    for (position, marks) in marks.as_chunks::<8>().0.iter().enumerate() {
        mask |= gather(u64::from_le_bytes(*marks)) << (8 * position);
    }
    mask
}

/// Writes 1 for each byte that ends string content. Not inlined: the marks have to go through memory, or the compiler
/// takes the vectors apart again to gather bits from them.
#[inline(never)]
fn mark(bytes: &[u8; BYTES], marks: &mut [u8; BYTES]) {
    for (mark, byte) in marks.iter_mut().zip(bytes) {
        *mark = u8::from((*byte < 0x20) | (*byte == b'"') | (*byte == b'\\'));
    }
}

/// Gathers the lowest bits of eight bytes, which are 0 or 1, into one byte.
#[inline(always)]
const fn gather(marks: u64) -> u64 {
    marks.wrapping_mul(0x0102_0408_1020_4080) >> 56
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_marked_rightly_at_every_place() {
        let ends = |byte: u8| byte < 0x20 || byte == b'"' || byte == b'\\';
        for byte in 0..=u8::MAX {
            for position in 0..BYTES {
                for filler in [b'a', b'0', b'"', 0, 0xff, 0x7f, 0x80] {
                    let mut bytes = [filler; BYTES];
                    bytes[position] = byte;
                    let expected = (0..BYTES).fold(0, |mask, place| mask | (u64::from(ends(bytes[place])) << place));
                    assert_eq!(string_ends(&bytes), expected, "{byte:#x} at {position} in {filler:#x}");
                }
            }
        }
    }
}
