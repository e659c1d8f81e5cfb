//! Content codings (RFC 9110, section 8.4.1): compressed bytes become those that were meant, under bounds.
//!
//! A decoder never fails: it gives what it could decode and says where and why it stopped. What it makes of a cut input
//! is the beginning of what it makes of the whole. No decoder is asked for more than one byte beyond what it may
//! produce, so work is linear in what comes in and what may come out.
//!
//! Nothing here knows of points, and nothing here changes a message that passes.

mod brotli;
mod deflate;
mod zstd;

use http::HeaderMap;
use http::header::CONTENT_ENCODING;
use miniz_oxide::inflate::core::DecompressorOxide;
use smallvec::SmallVec;

use crate::scan::Stop;

/// A coding that is decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Coding {
    /// RFC 1952, of any number of members.
    Gzip,
    /// RFC 1950, or without its header (RFC 1951) as some servers send it and all browsers accept it.
    Deflate,
    /// RFC 7932, without the large windows that are no part of it.
    Brotli,
    /// RFC 8878, with windows of at most 8 MiB (RFC 9659).
    Zstd,
}

/// The codings of a message, in the order in which they were applied.
pub(crate) type Codings = SmallVec<[Coding; MOST_CODINGS]>;

/// Most codings applied to one message. Nobody has a use for two.
pub(crate) const MOST_CODINGS: usize = 4;

impl Coding {
    /// By its name, in any case.
    pub(crate) fn of(name: &[u8]) -> Option<Self> {
        /// The names that are registered for HTTP, and the older one of gzip (RFC 9110, section 8.4.1.3).
        const NAMES: [(&[u8], Coding); 5] = [
            (b"gzip", Coding::Gzip),
            (b"x-gzip", Coding::Gzip),
            (b"deflate", Coding::Deflate),
            (b"br", Coding::Brotli),
            (b"zstd", Coding::Zstd),
        ];
        NAMES.iter().find(|(known, _)| name.eq_ignore_ascii_case(known)).map(|(_, coding)| *coding)
    }

    /// What a parse error calls it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
            Self::Brotli => "br",
            Self::Zstd => "zstd",
        }
    }
}

/// The codings that a message names, of all its Content-Encoding headers together; `identity` is none.
///
/// # Errors
/// Says why the body cannot be decoded.
pub(crate) fn named(headers: &HeaderMap) -> Result<Codings, &'static str> {
    let mut codings = Codings::new();
    let values = headers.get_all(CONTENT_ENCODING).iter().map(http::HeaderValue::as_bytes);
    for name in values.flat_map(|value| value.split(|byte| *byte == b',')).map(<[u8]>::trim_ascii) {
        if name.is_empty() || name.eq_ignore_ascii_case(b"identity") {
            continue;
        }
        let coding = Coding::of(name).ok_or("unknown content coding")?;
        if codings.len() == MOST_CODINGS {
            return Err("more than 4 content codings");
        }
        codings.push(coding);
    }
    Ok(codings)
}

/// How far a decoder came.
pub(crate) struct Decoded {
    /// Bytes of the input that were used; what follows them is no part of the coded data.
    pub(crate) used: usize,
    /// Why it stopped before the end of the coded data, if it did.
    pub(crate) stop: Option<Stop>,
}

impl Decoded {
    const fn complete(used: usize) -> Self {
        Self { used, stop: None }
    }

    const fn damaged(used: usize, reason: &'static str) -> Self {
        Self { used, stop: Some(Stop::at(used, reason)) }
    }

    /// The input ended before the coded data did.
    const fn cut(length: usize) -> Self {
        Self { used: length, stop: Some(Stop { offset: length, reason: "ends early", ended: true }) }
    }
}

/// State of decoders that is used again from body to body.
///
/// What inflating needs is kept (11 KiB), so that a gzip or deflate body allocates nothing but its output, whose buffer
/// is kept by the caller. The libraries for brotli and zstd cannot be told to start again with what they hold: each such
/// body allocates its tables and its window (as large as the body or its window says it is, whichever is smaller: at most
/// 16 MiB and 8 MiB), and frees them.
#[derive(Default)]
pub(crate) struct Coders {
    inflater: Option<Box<DecompressorOxide>>,
}

impl Coders {
    /// Decodes `input` behind what stands in `output`, which is empty. At most `most` bytes stay in `output`; one that would
    /// have more is cut there, and the decoder stops with `beyond` as the reason.
    pub(crate) fn decode(
        &mut self,
        coding: Coding,
        input: &[u8],
        most: usize,
        beyond: &'static str,
        output: &mut Vec<u8>,
    ) -> Decoded {
        output.clear();
        // One byte more tells an output that fits exactly from one that goes on.
        let room = most.saturating_add(1);
        let decoded = match coding {
            Coding::Gzip => deflate::gzip(self.inflater(), input, room, output),
            Coding::Deflate => deflate::deflate(self.inflater(), input, room, output),
            Coding::Brotli => brotli::decode(input, room, output),
            Coding::Zstd => zstd::decode(input, room, output),
        };
        if output.len() <= most {
            return decoded;
        }
        output.truncate(most);
        Decoded::damaged(decoded.used, beyond)
    }

    fn inflater(&mut self) -> &mut DecompressorOxide {
        self.inflater.get_or_insert_default()
    }
}

/// Bytes that an output buffer is first given.
const FIRST_BYTES: usize = 4 * 1024;

/// Makes room in an output that began at `start` and is written up to `end`: twice as much as there is, so that growing
/// stays linear, and no more than `room` bytes in all. False when there is no more room.
fn grow(output: &mut Vec<u8>, start: usize, end: usize, room: usize) -> bool {
    let length = end.saturating_add((end - start).max(FIRST_BYTES)).min(room);
    if length <= end {
        return false;
    }
    output.resize(length, 0);
    true
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn codings(values: &[&str]) -> Result<Vec<Coding>, &'static str> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(CONTENT_ENCODING, value.parse().unwrap());
        }
        named(&headers).map(SmallVec::into_vec)
    }

    #[test]
    fn codings_are_named_in_one_or_several_headers() {
        use Coding::{Brotli, Deflate, Gzip, Zstd};
        assert_eq!(codings(&[]), Ok(vec![]));
        assert_eq!(codings(&["", " , identity,", "Identity"]), Ok(vec![]));
        assert_eq!(codings(&["GZIP"]), Ok(vec![Gzip]));
        assert_eq!(codings(&["deflate , br", "zstd,x-gzip"]), Ok(vec![Deflate, Brotli, Zstd, Gzip]));
        assert_eq!(codings(&["br,identity,br,identity,br", "br"]), Ok(vec![Brotli; 4]));
        assert_eq!(codings(&["br,br,br,br", "br"]), Err("more than 4 content codings"));
        assert_eq!(codings(&["gzip", "compress"]), Err("unknown content coding"));
        assert_eq!(codings(&["gzip;q=1"]), Err("unknown content coding"));
    }

    #[test]
    fn output_that_fits_exactly_is_whole_and_one_byte_more_is_not() {
        let text = b"abcdefgh".repeat(2_000);
        let zlib = miniz_oxide::deflate::compress_to_vec_zlib(&text, 6);
        let mut output = Vec::new();
        let decoded = Coders::default().decode(Coding::Deflate, &zlib, text.len(), "bound", &mut output);
        assert!(decoded.stop.is_none() && decoded.used == zlib.len() && output == text);
        let decoded = Coders::default().decode(Coding::Deflate, &zlib, text.len() - 1, "bound", &mut output);
        assert_eq!(decoded.stop.unwrap().reason, "bound");
        assert_eq!(output, text[..text.len() - 1]);
    }
}
