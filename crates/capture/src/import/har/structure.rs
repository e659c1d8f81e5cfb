//! Walks the structure of JSON (RFC 8259) in a [`Window`] without building a tree: skips a value, copies a value's
//! bytes, reads a key.
//!
//! Checks what holds a document together (brackets, colons, commas, where strings begin and end) and leaves the inside
//! of strings and numbers to whoever parses the copied bytes. It stops at the byte where the structure breaks. There
//! is no recursion, and depth is bounded.

use std::io::{self, Read, Seek};

use super::error::Reason;
use super::window::Window;

/// Objects and arrays inside each other; more is damage or an attack, not a recording.
const DEPTH_LIMIT: usize = 256;

/// The longest key that is compared; no key that matters here is longer.
const KEY_LIMIT: usize = 64;

/// Why a walk stopped.
pub(super) enum Stop {
    /// The structure breaks at the window's position.
    Broken(Reason),
    /// The file could not be read.
    Io(io::Error),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<Reason> for Stop {
    fn from(reason: Reason) -> Self {
        Self::Broken(reason)
    }
}

/// Where copied bytes go: kept up to a limit, counted beyond it.
pub(super) struct Kept<'a> {
    bytes: &'a mut Vec<u8>,
    limit: usize,
    over: bool,
}

impl<'a> Kept<'a> {
    /// Clears `bytes` and keeps at most `limit` bytes in it.
    pub(super) fn new(bytes: &'a mut Vec<u8>, limit: usize) -> Self {
        bytes.clear();
        Self { bytes, limit, over: false }
    }

    /// Whether the value was longer than the limit; its bytes are dropped then.
    pub(super) fn is_over(&self) -> bool {
        self.over
    }

    fn push(&mut self, run: &[u8]) {
        if self.over {
            return;
        }
        if self.bytes.len() + run.len() > self.limit {
            self.over = true;
            // Gives the memory back: one absurd value must not be held on to for the rest of the file.
            *self.bytes = Vec::new();
        } else {
            self.bytes.extend_from_slice(run);
        }
    }
}

/// What may stand next inside the value that is being walked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Expected {
    Value,
    ValueOrArrayEnd,
    KeyOrObjectEnd,
    Key,
    Colon,
    CommaOrEnd,
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// The next byte that is not white space, not yet consumed.
pub(super) fn peek_token<R: Read + Seek>(window: &mut Window<R>) -> io::Result<Option<u8>> {
    token_after(window, &mut |_: &[u8]| {})
}

/// The same; `run` sees the white space.
fn token_after<R: Read + Seek>(window: &mut Window<R>, run: &mut impl FnMut(&[u8])) -> io::Result<Option<u8>> {
    loop {
        let available = window.available()?;
        if available.is_empty() {
            return Ok(None);
        }
        let count = available.iter().position(|byte| !is_space(*byte)).unwrap_or(available.len());
        let token = available.get(count).copied();
        run(&available[..count]);
        window.consume(count);
        if token.is_some() {
            return Ok(token);
        }
    }
}

/// Consumes `token` after white space, or stops.
pub(super) fn take_token<R: Read + Seek>(window: &mut Window<R>, token: u8) -> Result<(), Stop> {
    match peek_token(window)? {
        Some(byte) if byte == token => {
            window.consume(1);
            Ok(())
        }
        Some(_) => Err(Reason::NotJson.into()),
        None => Err(Reason::Ends.into()),
    }
}

/// Reads a key at the window's position. Keys that are too long to matter, or that hold escapes, come back as they
/// are written, cut: they equal none of the names asked for.
pub(super) fn take_key<R: Read + Seek>(window: &mut Window<R>) -> Result<Vec<u8>, Stop> {
    let mut key = Vec::with_capacity(KEY_LIMIT);
    take_token(window, b'"')?;
    string_rest(window, |run| key.extend(run.iter().take((KEY_LIMIT + 1).saturating_sub(key.len()))))?;
    key.pop();
    Ok(key)
}

/// Skips one value.
pub(super) fn skip_value<R: Read + Seek>(window: &mut Window<R>) -> Result<(), Stop> {
    walk(window, |_| {})
}

/// Copies one value's bytes, white space and all.
pub(super) fn copy_value<R: Read + Seek>(window: &mut Window<R>, copy: &mut Kept<'_>) -> Result<(), Stop> {
    walk(window, |run| copy.push(run))
}

/// The rest of a string after its opening quote; `run` sees the closing quote too.
fn string_rest<R: Read + Seek>(window: &mut Window<R>, mut run: impl FnMut(&[u8])) -> Result<(), Stop> {
    let mut escaped = false;
    loop {
        let available = window.available()?;
        if available.is_empty() {
            return Err(Reason::Ends.into());
        }
        if escaped {
            run(&available[..1]);
            window.consume(1);
            escaped = false;
            continue;
        }
        match memchr::memchr2(b'"', b'\\', available) {
            Some(position) => {
                let quote = available[position] == b'"';
                run(&available[..=position]);
                window.consume(position + 1);
                if quote {
                    return Ok(());
                }
                escaped = true;
            }
            None => {
                run(available);
                let count = available.len();
                window.consume(count);
            }
        }
    }
}

fn walk<R: Read + Seek>(window: &mut Window<R>, mut run: impl FnMut(&[u8])) -> Result<(), Stop> {
    // true: object, false: array.
    let mut open: Vec<bool> = Vec::new();
    let mut expected = Expected::Value;
    loop {
        let Some(byte) = token_after(window, &mut run)? else {
            return Err(Reason::Ends.into());
        };
        match (expected, byte) {
            (Expected::Value | Expected::ValueOrArrayEnd, b'{' | b'[') => {
                if open.len() == DEPTH_LIMIT {
                    return Err(Reason::TooDeep.into());
                }
                open.push(byte == b'{');
                expected = if byte == b'{' { Expected::KeyOrObjectEnd } else { Expected::ValueOrArrayEnd };
                run(&[byte]);
                window.consume(1);
                continue;
            }
            (Expected::Value | Expected::ValueOrArrayEnd, b'"') => {
                run(b"\"");
                window.consume(1);
                string_rest(window, &mut run)?;
                expected = Expected::CommaOrEnd;
            }
            (Expected::Value | Expected::ValueOrArrayEnd, b'-' | b'0'..=b'9' | b't' | b'f' | b'n') => {
                scalar(window, &mut run)?;
                expected = Expected::CommaOrEnd;
            }
            (Expected::ValueOrArrayEnd, b']') | (Expected::KeyOrObjectEnd, b'}') => {
                open.pop();
                run(&[byte]);
                window.consume(1);
                expected = Expected::CommaOrEnd;
            }
            (Expected::KeyOrObjectEnd | Expected::Key, b'"') => {
                run(b"\"");
                window.consume(1);
                string_rest(window, &mut run)?;
                expected = Expected::Colon;
                continue;
            }
            (Expected::Colon, b':') => {
                run(b":");
                window.consume(1);
                expected = Expected::Value;
                continue;
            }
            (Expected::CommaOrEnd, b',') => {
                expected = if open.last() == Some(&true) { Expected::Key } else { Expected::Value };
                run(b",");
                window.consume(1);
                continue;
            }
            (Expected::CommaOrEnd, b'}') if open.last() == Some(&true) => {
                open.pop();
                run(b"}");
                window.consume(1);
            }
            (Expected::CommaOrEnd, b']') if open.last() == Some(&false) => {
                open.pop();
                run(b"]");
                window.consume(1);
            }
            _ => return Err(Reason::NotJson.into()),
        }
        if open.is_empty() {
            return Ok(());
        }
    }
}

/// A number or a literal: whatever letters and number characters stand together.
fn scalar<R: Read + Seek>(window: &mut Window<R>, run: &mut impl FnMut(&[u8])) -> Result<(), Stop> {
    loop {
        let available = window.available()?;
        let count = available
            .iter()
            .position(|byte| !(byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.')))
            .unwrap_or(available.len());
        run(&available[..count]);
        let ended = count < available.len() || available.is_empty();
        window.consume(count);
        if ended {
            return Ok(());
        }
    }
}
