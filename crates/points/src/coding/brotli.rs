//! Brotli (RFC 7932). Windows of more than 16 MiB ("large window") are no part of it and are refused.

use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};

use super::{Decoded, grow};

/// The decoder keeps back what it wrote last when it meets damage, but gives all it has when its input ends. So a
/// damaged input is decoded a second time, a byte at a time: then all that stands before the damage has been given.
pub(super) fn decode(input: &[u8], room: usize, output: &mut Vec<u8>) -> Decoded {
    let start = output.len();
    let decoded = decode_in_steps(input, input.len(), room, output);
    if decoded.stop.is_none_or(|stop| stop.ended) {
        return decoded;
    }
    output.truncate(start);
    decode_in_steps(input, 1, room, output)
}

/// Decodes with at most `step` bytes of input at a time.
fn decode_in_steps(input: &[u8], step: usize, room: usize, output: &mut Vec<u8>) -> Decoded {
    let allocator = StandardAlloc::default;
    let mut state = BrotliState::new_strict(allocator(), allocator(), allocator());
    let (start, mut total) = (output.len(), 0);
    let (mut used, mut written) = (0, start);
    let decoded = loop {
        if written == output.len() && !grow(output, start, written, room) {
            break Decoded::complete(used);
        }
        let mut available = step.min(input.len() - used);
        let mut free = output.len() - written;
        let result = BrotliDecompressStream(
            &mut available,
            &mut used,
            input,
            &mut free,
            &mut written,
            output,
            &mut total,
            &mut state,
        );
        match result {
            BrotliResult::ResultSuccess => break Decoded::complete(used),
            BrotliResult::ResultFailure => break Decoded::damaged(used, "damaged brotli data"),
            BrotliResult::NeedsMoreOutput => {}
            // With a full output there may be more that was held back.
            BrotliResult::NeedsMoreInput if used == input.len() && written < output.len() => {
                break Decoded::cut(input.len());
            }
            BrotliResult::NeedsMoreInput => {}
        }
    };
    output.truncate(written);
    decoded
}
