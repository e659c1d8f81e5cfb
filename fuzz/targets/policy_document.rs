//! Fuzzes the reading and validation of policies.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| threadline_policy::fuzzing::fuzz_document(bytes));
