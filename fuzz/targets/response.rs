//! Fuzzes the proxy's reading of what an upstream answers.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| threadline_capture::proxy::fuzz_response(bytes));
