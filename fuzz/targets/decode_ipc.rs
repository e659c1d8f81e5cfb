//! Fuzzes the reader of Arrow batches that nodes send.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| threadline_record::fuzz_decode_ipc(bytes));
