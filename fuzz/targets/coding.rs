//! Fuzzes content codings: bounds, and that a cut gives the beginning of the whole.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| threadline_points::fuzzing::fuzz_coding(bytes));
