//! Fuzzes the reader of HAR files.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| threadline_capture::import::har::fuzz_har(bytes));
