//! Fuzzes the extraction of arbitrary points from an arbitrary, mostly well-formed, exchange.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| threadline_points::fuzzing::fuzz_policy_and_message(bytes));
