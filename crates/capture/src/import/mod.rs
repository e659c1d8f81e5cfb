//! Recordings as sources: files become the same exchanges that the proxy captures.
//!
//! A reader turns a file into exchanges one at a time with bounded memory; it decides nothing about sessions, keeps
//! nothing, and never shows captured text in an error. A message that somebody wrote down is read the same way.

pub mod har;
pub mod message;
