//! Fuzzes the escapes of HTML and JavaScript.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| threadline_points::fuzzing::fuzz_htmljs(bytes));
