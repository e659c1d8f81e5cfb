//! Fuzzes the reader of messages written down by hand.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| threadline_capture::import::message::fuzz_message(bytes));
