//! Fuzzes the walk over JSON against another parser.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| threadline_points::fuzzing::fuzz_json(bytes));
