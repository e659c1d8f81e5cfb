//! The sending half of an upstream connection: one request's head, body and framing.

use std::io::{self, IoSlice, Write as _};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use http::{HeaderMap, HeaderName, header};
use http_body::Frame;
use tokio::io::AsyncWrite;
use tokio::net::TcpStream;

use crate::proxy::body::{BrokenOff, RequestBody};
use crate::proxy::hygiene::{is_connections_own, may_be_trailer};

/// How a request's body is delimited on the way to the upstream. Ours to decide: the client's framing ended with the
/// client's connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::proxy) enum SendFraming {
    /// No body.
    None,
    /// Exactly so many bytes.
    Length(u64),
    /// Chunks.
    Chunked,
}

/// How sending ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Sent {
    /// All of it is with the kernel.
    Whole,
    /// The client broke its body off.
    ClientFailed,
    /// The upstream takes no more. It may have answered all the same.
    Refused,
}

/// A request on its way out. Between requests it is empty and `Whole`.
pub(super) struct Sending {
    /// Head, chunk sizes, trailers: what is written before `data`.
    before: Vec<u8>,
    /// How much of `before` is written.
    written: usize,
    data: Bytes,
    /// What is written after `data`.
    after: &'static [u8],
    body: RequestBody,
    chunked: bool,
    /// Bytes of the body that were promised to the upstream and have not come from the client.
    owed: Option<u64>,
    /// Names in the request's `Trailer`: only these trailers are passed on (RFC 9110, section 6.6.2).
    announced: Vec<HeaderName>,
    /// The body has nothing more to give.
    over: bool,
    /// Whether the body may still come with the head, in one turn of the task.
    may_wait: bool,
    failure: Option<Sent>,
    /// Whether any byte was given to the kernel.
    begun: bool,
}

const CHUNK_END: &[u8] = b"\r\n";
const LAST_CHUNK: &[u8] = b"0\r\n\r\n";
const CHUNK_END_AND_LAST_CHUNK: &[u8] = b"\r\n0\r\n\r\n";

impl Sending {
    pub(super) const fn idle() -> Self {
        Self {
            before: Vec::new(),
            written: 0,
            data: Bytes::new(),
            after: b"",
            body: RequestBody::empty(),
            chunked: false,
            owed: None,
            announced: Vec::new(),
            over: true,
            may_wait: false,
            failure: None,
            begun: false,
        }
    }

    /// The buffer in which the next request's head is to be written.
    pub(super) fn begin(&mut self) -> &mut Vec<u8> {
        self.before.clear();
        self.written = 0;
        &mut self.before
    }

    /// Sends what `begin` holds now, then the body.
    pub(super) fn start(&mut self, body: RequestBody, framing: SendFraming, headers: &HeaderMap) {
        self.over = framing == SendFraming::None;
        self.chunked = framing == SendFraming::Chunked;
        self.owed = if let SendFraming::Length(length) = framing { Some(length) } else { None };
        self.may_wait = !self.over;
        self.body = body;
        self.failure = None;
        self.begun = false;
        self.announced.clear();
        if self.chunked {
            self.announced.extend(announced_trailers(headers));
        }
    }

    /// Whether any byte was given to the kernel.
    pub(super) const fn has_begun(&self) -> bool {
        self.begun
    }

    /// The body, if none of it has been used: the request may be sent over another connection.
    pub(super) fn take_unused_body(&mut self) -> Option<RequestBody> {
        (!self.begun && self.data.is_empty()).then(|| std::mem::replace(&mut self.body, RequestBody::empty()))
    }

    /// Whether the request has left as a whole.
    pub(super) fn is_whole(&self) -> bool {
        self.over && self.failure.is_none() && self.is_flushed()
    }

    /// Whether the body has nothing more to give.
    pub(super) const fn is_over(&self) -> bool {
        self.over
    }

    /// Whether all that came is sent, and the client has more to give.
    pub(super) fn is_starved(&self) -> bool {
        !self.over && self.is_flushed()
    }

    fn is_flushed(&self) -> bool {
        self.written == self.before.len() && self.data.is_empty() && self.after.is_empty()
    }

    /// Sends as much as the upstream takes and the client gives.
    pub(super) fn poll(&mut self, stream: &mut TcpStream, context: &mut Context<'_>) -> Poll<Sent> {
        loop {
            match self.failure {
                Some(Sent::ClientFailed) => return Poll::Ready(Sent::ClientFailed),
                Some(_) => return Poll::Ready(Sent::Refused),
                None => {}
            }
            let mut starved = false;
            if !self.over && self.data.is_empty() && self.after.is_empty() {
                match self.body.poll_frame(context) {
                    Poll::Ready(frame) => {
                        self.take_frame(frame);
                        if self.failure.is_some() {
                            continue;
                        }
                    }
                    Poll::Pending if self.may_wait => {
                        // What came in one packet with the head leaves in one as well. Waits one turn of the task,
                        // in which hyper reads on; not for the network.
                        self.may_wait = false;
                        context.waker().wake_by_ref();
                        return Poll::Pending;
                    }
                    Poll::Pending => starved = true,
                }
                self.may_wait = false;
            }
            if ready!(self.poll_flush(stream, context)).is_err() {
                self.failure.get_or_insert(Sent::Refused);
            } else if self.over && self.failure.is_none() {
                return Poll::Ready(Sent::Whole);
            } else if starved {
                return Poll::Pending;
            }
        }
    }

    /// Makes what is to be written of a frame.
    fn take_frame(&mut self, frame: Option<Result<Frame<Bytes>, BrokenOff>>) {
        match frame {
            Some(Ok(frame)) => match frame.into_data() {
                // An empty chunk would end the body.
                Ok(data) if data.is_empty() => {}
                Ok(data) => {
                    self.over = self.body.is_end_stream();
                    self.count(data.len() as u64);
                    if self.chunked {
                        // Writing to a Vec cannot fail.
                        let _ = write!(self.before, "{:x}\r\n", data.len());
                        self.after = if self.over { CHUNK_END_AND_LAST_CHUNK } else { CHUNK_END };
                    }
                    self.data = data;
                }
                Err(frame) => {
                    self.over = true;
                    self.count(0);
                    if let (true, Ok(trailers)) = (self.chunked, frame.into_trailers()) {
                        self.write_trailers(&trailers);
                    }
                }
            },
            Some(Err(_)) => self.failure = Some(Sent::ClientFailed),
            None => {
                self.over = true;
                self.count(0);
                if self.chunked {
                    self.after = LAST_CHUNK;
                }
            }
        }
    }

    /// Counts bytes against the length that was promised. A body that ends short of it, or goes beyond it, would make
    /// the upstream read the next request as a part of this one, or the other way round.
    fn count(&mut self, bytes: u64) {
        let Some(owed) = &mut self.owed else { return };
        match owed.checked_sub(bytes) {
            Some(rest) if rest == 0 || !self.over => *owed = rest,
            _ => self.failure = Some(Sent::ClientFailed),
        }
    }

    fn write_trailers(&mut self, trailers: &HeaderMap) {
        self.before.extend_from_slice(b"0\r\n");
        for (name, value) in trailers {
            if self.announced.contains(name) {
                write_field(&mut self.before, name.as_str().as_bytes(), value.as_bytes());
            }
        }
        self.after = CHUNK_END;
    }

    fn poll_flush(&mut self, stream: &mut TcpStream, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.is_flushed() {
            let before = &self.before[self.written..];
            let mut stream = Pin::new(&mut *stream);
            let count = ready!(if self.data.is_empty() && self.after.is_empty() {
                stream.as_mut().poll_write(context, before)
            } else {
                let slices = [IoSlice::new(before), IoSlice::new(&self.data), IoSlice::new(self.after)];
                stream.as_mut().poll_write_vectored(context, &slices)
            })?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.begun = true;
            self.advance(count);
        }
        self.before.clear();
        self.written = 0;
        Poll::Ready(Ok(()))
    }

    fn advance(&mut self, count: usize) {
        let of_before = count.min(self.before.len() - self.written);
        let of_data = (count - of_before).min(self.data.len());
        self.written += of_before;
        self.data.advance(of_data);
        self.after = &self.after[count - of_before - of_data..];
    }
}

/// One field line.
pub(in crate::proxy) fn write_field(head: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    head.extend_from_slice(name);
    head.extend_from_slice(b": ");
    head.extend_from_slice(value);
    head.extend_from_slice(b"\r\n");
}

/// The names in `Trailer`, without those that must not stand in trailers.
fn announced_trailers(headers: &HeaderMap) -> impl Iterator<Item = HeaderName> {
    headers
        .get_all(header::TRAILER)
        .iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .filter_map(|name| HeaderName::from_bytes(name.trim_ascii()).ok())
        .filter(|name| may_be_trailer(name) && !is_connections_own(headers, name))
}
