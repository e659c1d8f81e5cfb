//! Zstandard (RFC 8878): frames one after the other, skippable ones left out.
//!
//! A block is decoded whole or not at all, for its streams are read backwards: of a cut or damaged block nothing is known.
//! Checksums are not compared, and frames that need a dictionary are refused: nobody has sent one.

use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};
use ruzstd::io::Read as _;

use super::Decoded;

/// Largest window in HTTP (RFC 9659, section 3): 8 MiB. What lies in a window cannot be taken from the decoder before
/// its frame ends, so this bounds memory and work beside the bound on output.
const WINDOW: u64 = 8 * 1024 * 1024;

const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// First bytes of a skippable frame; the first of them only without its low four bits.
const SKIPPABLE: [u8; 4] = [0x50, 0x2a, 0x4d, 0x18];

const DAMAGED: &str = "damaged zstd data";

pub(super) fn decode(input: &[u8], room: usize, output: &mut Vec<u8>) -> Decoded {
    let mut decoder = FrameDecoder::new();
    decoder.set_max_window_size(WINDOW);
    let mut position = 0;
    loop {
        let rest = &input[position..];
        let frame = if is_skippable(rest) { skip(rest) } else { frame(&mut decoder, rest, room, output) };
        position += frame.used;
        if let Some(mut stop) = frame.stop {
            stop.offset += position - frame.used;
            return Decoded { used: position, stop: Some(stop) };
        }
        let rest = &input[position..];
        if output.len() == room || !(rest.starts_with(&MAGIC) || is_skippable(rest)) {
            return Decoded::complete(position);
        }
    }
}

fn is_skippable(input: &[u8]) -> bool {
    input.first_chunk::<4>().is_some_and(|[first, rest @ ..]| first & 0xf0 == SKIPPABLE[0] && *rest == SKIPPABLE[1..])
}

fn skip(input: &[u8]) -> Decoded {
    let Some(length) = input.get(4..).and_then(<[u8]>::first_chunk::<4>) else { return Decoded::cut(input.len()) };
    match usize::try_from(u32::from_le_bytes(*length)).ok().and_then(|length| length.checked_add(8)) {
        Some(length) if length <= input.len() => Decoded::complete(length),
        _ => Decoded::cut(input.len()),
    }
}

fn frame(decoder: &mut FrameDecoder, input: &[u8], room: usize, output: &mut Vec<u8>) -> Decoded {
    let mut rest = input;
    if let Err(error) = decoder.reset(&mut rest) {
        return match error {
            FrameDecoderError::ReadFrameHeaderError(
                ReadFrameHeaderError::MagicNumberReadError(_)
                | ReadFrameHeaderError::FrameDescriptorReadError(_)
                | ReadFrameHeaderError::WindowDescriptorReadError(_)
                | ReadFrameHeaderError::DictionaryIdReadError(_)
                | ReadFrameHeaderError::FrameContentSizeReadError(_),
            ) if MAGIC.starts_with(&input[..input.len().min(MAGIC.len())]) => Decoded::cut(input.len()),
            FrameDecoderError::ReadFrameHeaderError(_) => Decoded::damaged(0, "not zstd"),
            FrameDecoderError::WindowSizeTooBig { .. } => Decoded::damaged(4, "the window is too large"),
            FrameDecoderError::DictNotProvided { .. } => Decoded::damaged(4, "needs a dictionary"),
            _ => Decoded::damaged(4, DAMAGED),
        };
    }
    /// Flag of a frame's descriptor (RFC 8878, section 3.1.1.1.1): a checksum follows the last block.
    const CHECKSUM: u8 = 4;
    let checksum = if input.get(MAGIC.len()).is_some_and(|flags| flags & CHECKSUM != 0) { 4 } else { 0 };

    let stopped = loop {
        let position = input.len() - rest.len();
        match block_length(rest, checksum) {
            Some(length) if length <= rest.len() => {}
            _ => break Some(Decoded::cut(input.len())),
        }
        match decoder.decode_blocks(&mut rest, BlockDecodingStrategy::UptoBlocks(1)) {
            Ok(finished) => {
                take(decoder, room, output);
                if finished || output.len() == room {
                    break None;
                }
            }
            Err(_) => break Some(Decoded::damaged(position, DAMAGED)),
        }
    };
    let used = input.len() - rest.len();
    if let Some(stopped) = stopped {
        // The decoder keeps its window until a frame ends: an empty last block (and a checksum) ends it.
        let _ = decoder.decode_blocks(&[1_u8, 0, 0, 0, 0, 0, 0][..], BlockDecodingStrategy::UptoBlocks(1));
        take(decoder, room, output);
        return stopped;
    }
    Decoded::complete(used)
}

/// Length of the block at the start of `input` (RFC 8878, section 3.1.1.2) with its header, and of the frame's checksum
/// behind the last one.
fn block_length(input: &[u8], checksum: usize) -> Option<usize> {
    let [first, second, third] = *input.first_chunk::<3>()?;
    let header = u32::from_le_bytes([first, second, third, 0]) as usize;
    let (last, kind, size) = (header & 1 == 1, (header >> 1) & 3, header >> 3);
    // A repeated byte is kept once.
    let content = if kind == 1 { 1 } else { size };
    Some(3 + content + if last { checksum } else { 0 })
}

/// Takes what the decoder no longer needs.
fn take(decoder: &mut FrameDecoder, room: usize, output: &mut Vec<u8>) {
    let start = output.len();
    let length = decoder.can_collect().min(room - start);
    output.resize(start + length, 0);
    let taken = decoder.read(&mut output[start..]).unwrap_or(0);
    output.truncate(start + taken);
}
