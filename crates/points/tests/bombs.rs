//! Bodies of at most 64 KiB, as they are captured, that would decode to gigabytes: they meet a bound, give what stands
//! before it, and take little memory. A program of its own, because memory is that of the whole process.
#![allow(clippy::unwrap_used)]

mod support;

use base64::Engine as _;
use miniz_oxide::deflate::{compress_to_vec, compress_to_vec_zlib};
use support::{coded, gzip};
use threadline_model::CapturedBody;
use threadline_points::{Bounds, Found, Plan, Point, Scratch};

/// Forty million bytes in a window of 16 MiB, made by Google's encoder.
const BROTLI: &str = "z///fwAEcXDk48M5sxItQ5nlsVwcKW+NJc6n9/+N////AEgAxGEB6N7/Z4SWGAAJgDgsAOYoMQ==";

/// What decoding may take at once: the window of a brotli stream and the ring buffer it grew from, or that of zstd, and
/// buffers for what comes out.
const MEMORY: u64 = 48 * 1024 * 1024;

fn bombs() -> Vec<(&'static str, Vec<u8>)> {
    let start = br#"{"a":"first","b":""#;
    let zeros = [&start[..], &vec![b'0'; 40_000_000]].concat();
    // Blocks of 128 KiB, four bytes each, in the largest window (RFC 8878, sections 3.1.1.1.2 and 3.1.1.2).
    let mut zstd = vec![0x28, 0xb5, 0x2f, 0xfd, 0, 13 << 3];
    zstd.extend(&((start.len() as u32) << 3).to_le_bytes()[..3]);
    zstd.extend(start);
    for _ in 0..16_000 {
        zstd.extend(&((128_u32 << 10 << 3) | (1 << 1)).to_le_bytes()[..3]);
        zstd.push(b'0');
    }
    let brotli = base64::engine::general_purpose::STANDARD.decode(BROTLI).unwrap();
    vec![
        ("gzip", gzip(&zeros)),
        ("gzip, gzip", gzip(&gzip(&zeros))),
        ("deflate", compress_to_vec_zlib(&zeros, 9)),
        ("deflate", compress_to_vec(&zeros, 9)),
        ("br, gzip, gzip", gzip(&gzip(&brotli))),
        ("zstd", zstd.clone()),
        ("zstd, gzip", gzip(&zstd)),
        ("zstd, gzip, gzip, gzip", gzip(&gzip(&gzip(&zstd)))),
        ("br", brotli),
    ]
}

/// The most memory that this process has had since it was last asked, bytes; `None` where the system does not tell.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let peak = line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? * 1024;
    std::fs::write("/proc/self/clear_refs", "5").ok()?;
    Some(peak)
}

#[test]
fn bombs_meet_a_bound_and_give_what_stands_before_it() {
    let points: Vec<Point> = ["json > property a", "json > property b", "gzip", "trim"]
        .iter()
        .map(|rest| Point::parse(&format!("request > body > {rest}")).unwrap())
        .collect();
    let plan = Plan::compile(&points, Bounds::default()).unwrap();
    let mut scratch = Scratch::default();
    let bombs = bombs();
    peak_memory();
    let before = peak_memory();
    for (codings, bytes) in bombs {
        assert!(bytes.len() <= 64 * 1024, "{codings}: {}", bytes.len());
        let exchange = coded(codings, CapturedBody::whole(bytes));
        let extracted = plan.extract(&exchange, &mut scratch);
        assert_eq!(support::in_words(extracted.get(0)), Ok("first".to_owned()), "{codings}");
        for index in 1..points.len() {
            assert_eq!(*extracted.get(index), Found::Unparsable, "{codings}");
        }
        let reason = extracted.parse_errors()[0].reason;
        assert!(reason.starts_with("the bound on "), "{codings}: {reason}");
        if let (Some(before), Some(after)) = (before, peak_memory()) {
            assert!(after < before + MEMORY, "{codings}: {} KiB", (after - before) / 1024);
        }
    }
}
