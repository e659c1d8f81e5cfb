//! gzip (RFC 1952), and what HTTP calls deflate: zlib (RFC 1950) or the bare format (RFC 1951).

use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::inflate_flags::{
    TINFL_FLAG_HAS_MORE_INPUT, TINFL_FLAG_PARSE_ZLIB_HEADER, TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF,
};
use miniz_oxide::inflate::core::{DecompressorOxide, decompress};

use super::{Decoded, grow};

const DAMAGED: &str = "damaged deflate data";
const CHECKSUM: &str = "the checksum does not match";

/// Decodes zlib data, or deflate data without its header: two bytes tell them apart. The first byte of a bare stream
/// would look like zlib's only for a stored block whose padding is not zero, which nobody writes.
pub(super) fn deflate(inflater: &mut DecompressorOxide, input: &[u8], room: usize, output: &mut Vec<u8>) -> Decoded {
    let [first, second, ..] = input else { return Decoded::cut(input.len()) };
    let deflates = first & 0x0f == 8 && first >> 4 <= 7;
    let zlib = deflates && second & 0x20 == 0 && u16::from_be_bytes([*first, *second]).is_multiple_of(31);
    inflate(inflater, input, if zlib { TINFL_FLAG_PARSE_ZLIB_HEADER } else { 0 }, room, output)
}

/// Decodes gzip members until the input ends or something else follows.
pub(super) fn gzip(inflater: &mut DecompressorOxide, input: &[u8], room: usize, output: &mut Vec<u8>) -> Decoded {
    let mut position = 0;
    loop {
        let member = member(inflater, &input[position..], room, output);
        position += member.used;
        if let Some(mut stop) = member.stop {
            stop.offset += position - member.used;
            return Decoded { used: position, stop: Some(stop) };
        }
        if output.len() == room || !input[position..].starts_with(&MAGIC) {
            return Decoded::complete(position);
        }
    }
}

const MAGIC: [u8; 2] = [0x1f, 0x8b];

fn member(inflater: &mut DecompressorOxide, input: &[u8], room: usize, output: &mut Vec<u8>) -> Decoded {
    let header = match header(input) {
        Ok(header) => header,
        Err(stopped) => return stopped,
    };
    let start = output.len();
    let inflated = inflate(inflater, &input[header..], 0, room, output);
    let used = header + inflated.used;
    if let Some(mut stop) = inflated.stop {
        stop.offset += header;
        return Decoded { used, stop: Some(stop) };
    }
    if output.len() == room {
        return Decoded::complete(used);
    }
    let Some(trailer) = input[used..].first_chunk::<8>() else { return Decoded::cut(input.len()) };
    let [c0, c1, c2, c3, l0, l1, l2, l3] = *trailer;
    let decoded = &output[start..];
    // The length is kept modulo 2^32.
    let right = u32::from_le_bytes([c0, c1, c2, c3]) == crc32fast::hash(decoded)
        && u32::from_le_bytes([l0, l1, l2, l3]) == decoded.len() as u32;
    if right { Decoded::complete(used + trailer.len()) } else { Decoded::damaged(used, CHECKSUM) }
}

/// The length of a member's header (RFC 1952, section 2.3).
fn header(input: &[u8]) -> Result<usize, Decoded> {
    const HEADER_CHECKSUM: u8 = 2;
    const EXTRA: u8 = 4;
    const NAME: u8 = 8;
    const COMMENT: u8 = 16;
    const RESERVED: u8 = 0xe0;
    /// Behind the flags: time, extra flags, operating system.
    const FIXED: usize = 10;

    let cut = || Decoded::cut(input.len());
    for (position, expected) in [MAGIC[0], MAGIC[1], 8].into_iter().enumerate() {
        match input.get(position) {
            None => return Err(cut()),
            Some(byte) if *byte != expected => return Err(Decoded::damaged(position, "not gzip")),
            Some(_) => {}
        }
    }
    let flags = *input.get(3).ok_or_else(cut)?;
    if flags & RESERVED != 0 {
        return Err(Decoded::damaged(3, "not gzip"));
    }
    let mut length = FIXED;
    if flags & EXTRA != 0 {
        let extra = input.get(length..).and_then(<[u8]>::first_chunk::<2>).ok_or_else(cut)?;
        length += 2 + usize::from(u16::from_le_bytes(*extra));
    }
    for flag in [NAME, COMMENT] {
        if flags & flag != 0 {
            let rest = input.get(length..).ok_or_else(cut)?;
            length += memchr::memchr(0, rest).ok_or_else(cut)? + 1;
        }
    }
    if flags & HEADER_CHECKSUM != 0 {
        length += 2;
    }
    if length > input.len() { Err(cut()) } else { Ok(length) }
}

/// Inflates one stream. The output is the window, so what was decoded before damage is there.
fn inflate(inflater: &mut DecompressorOxide, input: &[u8], flags: u32, room: usize, output: &mut Vec<u8>) -> Decoded {
    inflater.init();
    let flags = flags | TINFL_FLAG_HAS_MORE_INPUT | TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
    let start = output.len();
    let (mut used, mut written) = (0, 0);
    let status = loop {
        if !grow(output, start, start + written, room) {
            break TINFLStatus::HasMoreOutput;
        }
        // References reach back to `start` at most: not into the member before.
        let (status, taken, made) = decompress(inflater, &input[used..], &mut output[start..], written, flags);
        used += taken;
        written += made;
        if status != TINFLStatus::HasMoreOutput {
            break status;
        }
    };
    output.truncate(start + written);
    match status {
        TINFLStatus::Done | TINFLStatus::HasMoreOutput => Decoded::complete(used),
        TINFLStatus::NeedsMoreInput => Decoded::cut(input.len()),
        TINFLStatus::Adler32Mismatch => Decoded::damaged(used, CHECKSUM),
        _ => Decoded::damaged(used, DAMAGED),
    }
}
