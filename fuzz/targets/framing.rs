//! Fuzzes the guard that judges request framing on the raw bytes.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| threadline_capture::proxy::fuzz_framing(bytes));
