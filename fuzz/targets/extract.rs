//! Fuzzes the extraction of every kind of point from a whole exchange.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| threadline_points::fuzzing::fuzz_extract(bytes));
