//! A client's HTTP/1 connection as hyper sees it: bytes pass unchanged, while their framing is followed and slow
//! clients are given up.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::framing::{Awaiting, FramingFault, FramingFollower, HeadFault};
use super::lazy_timer::LazyTimer;
use super::replay::Replay;
use super::settings::Timeouts;

/// What the bytes of a connection said about its requests, for whoever answers them. Written while reading, before
/// hyper parses what was read.
#[derive(Debug)]
pub(super) struct FramingVerdict {
    /// Heads judged so far, the refused one included.
    judged: AtomicU64,
    /// Requests that hyper has handed over.
    taken: AtomicU64,
    /// Ordinal of the head to refuse.
    refused: AtomicU64,
    fault: std::sync::OnceLock<HeadFault>,
    /// Whether a body was cut off for its framing.
    broken_body: AtomicBool,
    /// Requests that are being answered.
    answering: AtomicBool,
    /// Whether the kernel did not take all that was to be written.
    unwritten: AtomicBool,
}

/// Nothing to refuse.
const NONE: u64 = u64::MAX;

impl FramingVerdict {
    pub(super) fn new() -> Self {
        Self {
            judged: AtomicU64::new(0),
            taken: AtomicU64::new(0),
            refused: AtomicU64::new(NONE),
            fault: std::sync::OnceLock::new(),
            broken_body: AtomicBool::new(false),
            answering: AtomicBool::new(false),
            unwritten: AtomicBool::new(false),
        }
    }

    /// Whether the kernel did not take all that was to be written.
    pub(super) fn has_unwritten(&self) -> bool {
        self.unwritten.load(Ordering::Relaxed)
    }

    /// To be asked once for each request, in their order: whether it must be refused, and why. A head that was not
    /// judged at all is refused too: it would mean that the two readings of the stream have parted.
    pub(super) fn refuses_next(&self) -> Option<HeadFault> {
        let ordinal = self.taken.fetch_add(1, Ordering::Relaxed);
        if ordinal >= self.refused.load(Ordering::Relaxed) {
            return Some(self.fault.get().copied().unwrap_or(HeadFault::LineEnd));
        }
        (ordinal >= self.judged.load(Ordering::Relaxed)).then_some(HeadFault::LineEnd)
    }

    fn refuse(&self, ordinal: u64, fault: HeadFault) {
        // Set once: a follower finds one fault.
        let _ = self.fault.set(fault);
        self.refused.store(ordinal, Ordering::Relaxed);
    }

    fn is_refusing(&self) -> bool {
        self.fault.get().is_some()
    }

    /// Whether any fault was found.
    pub(super) fn has_fault(&self) -> bool {
        self.is_refusing() || self.body_was_broken()
    }

    /// Whether reading ended because a body's chunks were broken.
    pub(super) fn body_was_broken(&self) -> bool {
        self.broken_body.load(Ordering::Relaxed)
    }

    /// Says whether a request is being answered: meanwhile nothing is expected of the client.
    pub(super) fn set_answering(&self, answering: bool) {
        self.answering.store(answering, Ordering::Relaxed);
    }
}

/// What a slow client was waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Waiting {
    Nothing,
    NextHead,
    RestOfHead,
    RestOfBody,
}

/// The connection.
pub(super) struct ClientIo {
    stream: Replay,
    follower: FramingFollower,
    /// Whether faults count. Where they do not, the follower still says what is waited for.
    strict: bool,
    verdict: Arc<FramingVerdict>,
    timeouts: Timeouts,
    read_timer: LazyTimer,
    waiting: Waiting,
    /// Heads seen when the wait for the rest of one began; the deadline of a head does not move with each byte.
    waiting_at_head: u64,
    write_timer: LazyTimer,
    timed_out: Arc<AtomicBool>,
    /// Our side is closed; what still comes is read and forgotten.
    lingering: bool,
}

/// How long a client that is still sending is listened to after our side is closed, and how long of it in silence.
/// Closing with unread bytes makes the kernel reset the connection, and the client may lose the answer that says why.
const LINGER: Duration = Duration::from_secs(5);
const LINGER_IDLE: Duration = Duration::from_secs(2);

impl ClientIo {
    pub(super) fn new(
        stream: TcpStream,
        prefix: Bytes,
        strict: bool,
        verdict: Arc<FramingVerdict>,
        timeouts: Timeouts,
        timed_out: Arc<AtomicBool>,
    ) -> Self {
        if !strict {
            // Every head counts as judged and none is refused.
            verdict.judged.store(NONE, Ordering::Relaxed);
        }
        Self {
            stream: Replay::new(stream, prefix),
            follower: FramingFollower::new(),
            strict,
            verdict,
            timeouts,
            read_timer: LazyTimer::default(),
            waiting: Waiting::Nothing,
            waiting_at_head: 0,
            write_timer: LazyTimer::default(),
            timed_out,
            lingering: false,
        }
    }

    /// The bare connection, for a tunnel.
    pub(super) fn into_stream(self) -> TcpStream {
        self.stream.into_stream()
    }

    /// Looks at bytes that were just read, before hyper does.
    fn inspect(&mut self, read: &[u8]) -> io::Result<()> {
        let follower = &mut self.follower;
        let faulted_before = follower.fault().is_some();
        follower.follow(read);
        if !self.strict {
            return Ok(());
        }
        self.verdict.judged.store(follower.heads(), Ordering::Relaxed);
        match follower.fault() {
            Some(FramingFault::Head { ordinal, fault }) if !faulted_before => self.verdict.refuse(ordinal, fault),
            // The head came with the broken chunks: hyper has not handed it over yet, so it can still be refused.
            Some(FramingFault::Body { ordinal }) if ordinal >= self.verdict.taken.load(Ordering::Relaxed) => {
                self.verdict.refuse(ordinal, HeadFault::Chunks);
            }
            Some(FramingFault::Body { .. }) if !self.verdict.is_refusing() => {
                self.verdict.broken_body.store(true, Ordering::Relaxed);
                return Err(io::Error::new(io::ErrorKind::InvalidData, "the chunks of a request body are malformed"));
            }
            _ => {}
        }
        Ok(())
    }

    /// Nothing could be read: may the client take longer?
    fn poll_patience(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        // Behind a fault that does not count nobody knows where heads begin. Then all of a request has to come within
        // the time between two of them.
        let lost = self.follower.fault().is_some();
        let heads = if lost { self.verdict.taken.load(Ordering::Relaxed) } else { self.follower.heads() };
        let (waiting, patience) = match self.follower.awaiting() {
            Awaiting::NextHead if self.verdict.answering.load(Ordering::Relaxed) => {
                self.waiting = Waiting::Nothing;
                self.read_timer.clear();
                return Poll::Pending;
            }
            Awaiting::NextHead if lost => (Waiting::RestOfHead, self.timeouts.keep_alive),
            Awaiting::NextHead => (Waiting::NextHead, self.timeouts.keep_alive),
            Awaiting::RestOfHead => (Waiting::RestOfHead, self.timeouts.head),
            Awaiting::RestOfBody => (Waiting::RestOfBody, self.timeouts.stall),
        };
        if self.waiting != waiting || (waiting == Waiting::RestOfHead && self.waiting_at_head != heads) {
            self.waiting = waiting;
            self.waiting_at_head = heads;
            self.read_timer.set(patience);
        }
        if self.read_timer.poll(context).is_pending() {
            return Poll::Pending;
        }
        self.timed_out.store(true, Ordering::Relaxed);
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }

    /// Whether more is to be expected of the client than its closing.
    fn is_client_sending(&self) -> bool {
        self.follower.fault().is_some() || self.follower.awaiting() != Awaiting::NextHead
    }

    /// Reads and forgets until the client closes, or it has been enough.
    fn poll_linger(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let mut scratch = [0; 4 << 10];
        loop {
            let mut buffer = ReadBuf::new(&mut scratch);
            match Pin::new(&mut self.stream).poll_read(context, &mut buffer) {
                // Nothing is written any more: its timer is free.
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => self.write_timer.set(LINGER_IDLE),
                Poll::Ready(_) => return Poll::Ready(()),
                Poll::Pending => break,
            }
        }
        if self.write_timer.poll(context).is_ready() { Poll::Ready(()) } else { self.read_timer.poll(context) }
    }

    /// Bounds how long a write may make no progress.
    fn patient_write(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            if self.write_timer.is_set() {
                self.write_timer.clear();
                self.verdict.unwritten.store(false, Ordering::Relaxed);
            }
            return written;
        }
        if !self.write_timer.is_set() {
            self.write_timer.set(self.timeouts.stall);
            self.verdict.unwritten.store(true, Ordering::Relaxed);
        }
        if self.write_timer.poll(context).is_pending() {
            return Poll::Pending;
        }
        self.timed_out.store(true, Ordering::Relaxed);
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for ClientIo {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let before = buffer.filled().len();
        match Pin::new(&mut this.stream).poll_read(context, buffer) {
            Poll::Ready(Ok(())) => {}
            Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
            Poll::Pending => return this.poll_patience(context),
        }
        // The deadline for the rest of a head stands; every other one begins anew with each progress.
        if this.waiting != Waiting::RestOfHead {
            this.waiting = Waiting::Nothing;
        }
        Poll::Ready(this.inspect(&buffer.filled()[before..]))
    }
}

impl AsyncWrite for ClientIo {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.patient_write(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.patient_write(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if !this.lingering {
            ready!(Pin::new(&mut this.stream).poll_shutdown(context))?;
            if !this.is_client_sending() {
                return Poll::Ready(Ok(()));
            }
            this.lingering = true;
            this.read_timer.set(LINGER);
            this.write_timer.set(LINGER_IDLE);
        }
        this.poll_linger(context).map(Ok)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::future::poll_fn;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test]
    async fn what_the_kernel_has_not_taken_is_known_until_it_has() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        let verdict = Arc::new(FramingVerdict::new());
        let told = Arc::new(AtomicBool::new(false));
        let mut io = ClientIo::new(stream, Bytes::new(), true, Arc::clone(&verdict), Timeouts::default(), told);
        let full = |io: &mut ClientIo, context: &mut Context<'_>| {
            while Pin::new(&mut *io).poll_write(context, &[0; 64 << 10]).is_ready() {}
            Poll::Ready(())
        };
        assert!(!verdict.has_unwritten());
        poll_fn(|context| full(&mut io, context)).await;
        assert!(verdict.has_unwritten(), "a response that waits for its client is not delivered");
        let reading = tokio::spawn(async move {
            let mut sink = vec![0; 1 << 20];
            while client.read(&mut sink).await.is_ok_and(|count| count > 0) {}
        });
        io.write_all(b"the rest").await.unwrap();
        assert!(!verdict.has_unwritten());
        io.shutdown().await.unwrap();
        reading.await.unwrap();
    }
}
