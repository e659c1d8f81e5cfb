//! Fuzzes the parser of PROXY headers, versions 1 and 2.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| threadline_capture::proxy::fuzz_proxy_protocol(bytes));
