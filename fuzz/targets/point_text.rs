//! Fuzzes the point grammar in its three spellings.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| threadline_points::fuzzing::fuzz_point_text(bytes));
