//! Fuzzes the walk over XML.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| threadline_points::fuzzing::fuzz_xml(bytes));
