//! Follows the framing of HTTP/1 requests on the raw bytes of a connection and finds heads that two recipients could
//! read differently (RFC 9112, section 11.2: request smuggling).
//!
//! hyper resolves such heads silently: of Content-Length and Transfer-Encoding it drops one, equal Content-Lengths it
//! merges. What it hands over looks clean, so the judgement has to be made on what came in. This module only looks:
//! it changes no byte, and it answers no request.

mod chunked;
mod head;

pub(crate) use chunked::{ChunkedBody, Step};
pub(crate) use head::HeadFault;
pub(crate) use head::find_end;
use head::{BodyFraming, judge};

/// A head that is not over after this many bytes is not followed further.
const MAXIMUM_HEAD: usize = 1 << 20;

/// What is wrong with the framing of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FramingFault {
    /// The head of a request. Nothing before it is in doubt; it must be refused and nothing after it read.
    Head {
        /// Which request of the connection, from 0.
        ordinal: u64,
        /// What is wrong with it.
        fault: HeadFault,
    },
    /// The chunks of a request's body. The request may be on its way already; the connection must end.
    Body {
        /// Which request of the connection, from 0.
        ordinal: u64,
    },
}

/// Where in the stream of requests the last byte seen stands.
#[derive(Debug)]
enum Position {
    /// Before a head, empty lines skipped (RFC 9112, section 2.2). `true` after a carriage return.
    BetweenHeads(bool),
    /// Inside a head; the bytes so far are in `FramingFollower::partial`.
    Head,
    /// Inside a body of which this many bytes are missing.
    Length(u64),
    /// Inside a chunked body.
    Chunked(ChunkedBody),
    /// A fault was found; what follows has no meaning.
    Faulted,
}

/// What the connection waits for, to decide how long it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Awaiting {
    /// The first byte of a head.
    NextHead,
    /// The rest of a head.
    RestOfHead,
    /// The rest of a body.
    RestOfBody,
}

/// Follows the requests of one connection. However the stream is split into pieces, the findings are the same.
#[derive(Debug)]
pub(crate) struct FramingFollower {
    position: Position,
    /// The head that is being received, when it came in more than one piece. Bounded by [`MAXIMUM_HEAD`].
    partial: Vec<u8>,
    heads: u64,
    fault: Option<FramingFault>,
}

impl Default for FramingFollower {
    fn default() -> Self {
        Self::new()
    }
}

impl FramingFollower {
    /// Stands before the first request of a connection.
    pub(crate) const fn new() -> Self {
        Self { position: Position::BetweenHeads(false), partial: Vec::new(), heads: 0, fault: None }
    }

    /// Heads seen whole, a faulty one included.
    pub(crate) const fn heads(&self) -> u64 {
        self.heads
    }

    /// The first fault, after which nothing is followed any more.
    pub(crate) const fn fault(&self) -> Option<FramingFault> {
        self.fault
    }

    /// What comes next.
    pub(crate) const fn awaiting(&self) -> Awaiting {
        match self.position {
            Position::BetweenHeads(_) | Position::Faulted => Awaiting::NextHead,
            Position::Head => Awaiting::RestOfHead,
            Position::Length(_) | Position::Chunked(_) => Awaiting::RestOfBody,
        }
    }

    /// Takes the next bytes of the stream.
    pub(crate) fn follow(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            bytes = match &mut self.position {
                Position::BetweenHeads(after_return) => match (bytes[0], *after_return) {
                    (b'\r', false) => {
                        *after_return = true;
                        &bytes[1..]
                    }
                    (b'\n', true) => {
                        *after_return = false;
                        &bytes[1..]
                    }
                    (b'\n', false) | (_, true) => {
                        self.finish_head(Err(HeadFault::LineEnd));
                        return;
                    }
                    (_, false) => {
                        self.position = Position::Head;
                        bytes
                    }
                },
                Position::Head => {
                    let Some(rest) = self.follow_head(bytes) else { return };
                    rest
                }
                Position::Length(missing) => {
                    let taken = usize::try_from(*missing).unwrap_or(usize::MAX).min(bytes.len());
                    *missing -= taken as u64;
                    if *missing == 0 {
                        self.position = Position::BetweenHeads(false);
                    }
                    &bytes[taken..]
                }
                Position::Chunked(body) => match body.follow(bytes) {
                    Ok(chunked::Progress::Ongoing) => return,
                    Ok(chunked::Progress::Complete(rest)) => {
                        self.position = Position::BetweenHeads(false);
                        rest
                    }
                    Err(chunked::ChunkFault) => {
                        self.fault = Some(FramingFault::Body { ordinal: self.heads.saturating_sub(1) });
                        self.position = Position::Faulted;
                        return;
                    }
                },
                Position::Faulted => return,
            };
        }
    }

    /// Continues a head; `None` when the head is not over with these bytes, or was faulty.
    fn follow_head<'a>(&mut self, bytes: &'a [u8]) -> Option<&'a [u8]> {
        if self.partial.is_empty() {
            return match find_end(bytes, 0) {
                Some(end) if end <= MAXIMUM_HEAD => {
                    self.finish_head(judge(&bytes[..end]));
                    Some(&bytes[end..])
                }
                None if bytes.len() < MAXIMUM_HEAD => {
                    self.partial.extend_from_slice(bytes);
                    None
                }
                _ => {
                    self.finish_head(Err(HeadFault::TooLong));
                    None
                }
            };
        }
        let before = self.partial.len();
        self.partial.extend_from_slice(&bytes[..bytes.len().min(MAXIMUM_HEAD.saturating_sub(before))]);
        match find_end(&self.partial, before) {
            Some(end) => {
                let verdict = judge(&self.partial[..end]);
                // A connection that sends long heads in pieces is rare; it need not keep the memory between them.
                self.partial = Vec::new();
                self.finish_head(verdict);
                Some(&bytes[end - before..])
            }
            None if self.partial.len() >= MAXIMUM_HEAD => {
                self.finish_head(Err(HeadFault::TooLong));
                None
            }
            None => None,
        }
    }

    fn finish_head(&mut self, verdict: Result<BodyFraming, HeadFault>) {
        let ordinal = self.heads;
        self.heads += 1;
        self.position = match verdict {
            Ok(BodyFraming::None) => Position::BetweenHeads(false),
            Ok(BodyFraming::Length(length)) => Position::Length(length),
            Ok(BodyFraming::Chunked) => Position::Chunked(ChunkedBody::strict()),
            Err(fault) => {
                self.partial = Vec::new();
                self.fault = Some(FramingFault::Head { ordinal, fault });
                Position::Faulted
            }
        };
    }
}

/// For fuzzing: whatever comes, no panic, and the same findings for the whole as for every split into two and for
/// single bytes.
///
/// # Panics
///
/// When a split changes the findings, which is what the fuzzer looks for.
pub fn fuzz_framing(bytes: &[u8]) {
    let mut whole = FramingFollower::new();
    whole.follow(bytes);
    let found = (whole.heads(), whole.fault(), whole.awaiting());
    let mut singly = FramingFollower::new();
    for byte in bytes {
        singly.follow(std::slice::from_ref(byte));
    }
    assert_eq!(found, (singly.heads(), singly.fault(), singly.awaiting()), "byte by byte");
    let step = (bytes.len() / 64).max(1);
    for middle in (0..bytes.len()).step_by(step) {
        let mut halves = FramingFollower::new();
        halves.follow(&bytes[..middle]);
        halves.follow(&bytes[middle..]);
        assert_eq!(found, (halves.heads(), halves.fault(), halves.awaiting()), "split at {middle}");
    }
}

#[cfg(test)]
mod tests;
