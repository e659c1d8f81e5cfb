//! Fuzzes cookie points, of requests and responses.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| threadline_points::fuzzing::fuzz_cookie(bytes));
