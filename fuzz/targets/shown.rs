//! Fuzzes what is shown of an exchange: a point tried out, the list of all points, what masks leave.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| threadline_points::fuzzing::fuzz_shown(bytes));
