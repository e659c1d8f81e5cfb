//! The hub as its clients see it: a real server, the embedded store, HTTP over a socket.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod administration;
mod answers;
mod clients;
mod exploring;
mod exports;
mod hashes;
mod policy;
mod purges;
mod refusals;
mod roles;
mod sample;
mod sign_in;
mod support;
mod try_out;
