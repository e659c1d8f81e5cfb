//! Fuzzes the walk over GraphQL documents and the requests they come in.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| threadline_points::fuzzing::fuzz_graphql(bytes));
