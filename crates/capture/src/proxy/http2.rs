//! One client connection of cleartext HTTP/2, and the patience for each of its streams.
//!
//! hyper runs streams as tasks of their own and bounds none of them: neither a connection on which nothing happens, nor
//! a response of which the client takes nothing.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::answer::answer;
use super::connection::ClientConnection;
use super::lazy_timer::LazyTimer;
use super::peer::Peer;
use super::replay::Replay;
use super::settings::Timeouts;
use super::worker::{Place, Worker};

/// Streams a client may reset before the proxy has looked at them (CVE-2023-44487, "rapid reset").
const PENDING_RESETS: usize = 20;
/// Bytes a client may send ahead on one stream.
const STREAM_WINDOW: u32 = 256 << 10;
/// The same for all streams of a connection: one that is not read must not hold up the others.
const CONNECTION_WINDOW: u32 = 4 * STREAM_WINDOW;
const PING_INTERVAL: Duration = Duration::from_secs(30);
const PING_TIMEOUT: Duration = Duration::from_secs(20);
/// From saying that a connection ends to cutting it, once no stream is open.
const FAREWELL: Duration = Duration::from_secs(5);

/// Serves one connection to its end; `prefix` was read already.
pub(super) async fn serve(worker: Arc<Worker>, stream: TcpStream, prefix: Bytes, peer: Peer, place: Place) {
    let timeouts = worker.settings.timeouts;
    let connection = ClientConnection::new(Arc::clone(&worker), peer, place, None);
    let streams = Arc::new(Streams { open: AtomicUsize::new(0), next: Mutex::new(None), stall: timeouts.stall });
    let service = {
        let (connection, streams) = (Arc::clone(&connection), Arc::clone(&streams));
        service_fn(move |request| {
            let pace = Arc::new(Pace::default());
            streams.announce(Arc::clone(&pace));
            answer(Arc::clone(&connection), request, None, Some(pace))
        })
    };
    let end = Arc::new(End::default());
    let io = PatientIo {
        stream: Replay::new(stream, prefix),
        write_timer: LazyTimer::default(),
        stall: timeouts.stall,
        end: Arc::clone(&end),
    };
    let executor = StreamExecutor { worker: Arc::clone(&worker), streams: Arc::clone(&streams) };
    let mut builder = hyper::server::conn::http2::Builder::new(executor);
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(worker.settings.limits.http2_streams)
        .max_header_list_size(u32::try_from(worker.settings.limits.buffer_bytes).unwrap_or(u32::MAX))
        .max_pending_accept_reset_streams(PENDING_RESETS)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .keep_alive_interval(PING_INTERVAL)
        .keep_alive_timeout(PING_TIMEOUT);
    let served = pin!(builder.serve_connection(TokioIo::new(io), service));
    match drive(&worker, &streams, &timeouts, served, |served| served.graceful_shutdown()).await {
        Ended::Idle => worker.counters.client_timeouts.add(1),
        Ended::Itself(Err(_)) if end.timed_out.load(Ordering::Relaxed) => worker.counters.client_timeouts.add(1),
        Ended::Itself(Err(error)) if error.is_timeout() => worker.counters.client_timeouts.add(1),
        // The bytes came well enough; so it was their meaning.
        Ended::Itself(Err(_)) if !end.closed.load(Ordering::Relaxed) => worker.counters.refused_malformed.add(1),
        Ended::Itself(_) => {}
    }
}

/// How a connection ended.
enum Ended {
    Itself(hyper::Result<()>),
    /// It was told to end because nothing was asked on it.
    Idle,
}

/// Runs a connection, and ends it when the worker drains or nothing has been asked on it for too long.
async fn drive<C: Future<Output = hyper::Result<()>>>(
    worker: &Worker,
    streams: &Streams,
    timeouts: &Timeouts,
    mut served: Pin<&mut C>,
    shut_down: impl Fn(Pin<&mut C>),
) -> Ended {
    let mut watch = worker.drain.watch();
    let mut told = false;
    let mut farewell = false;
    let mut idle = LazyTimer::default();
    idle.set(timeouts.head);
    poll_fn(|context: &mut Context<'_>| {
        let draining = !told && watch.is_draining(context);
        let mut polled = served.as_mut().poll(context);
        // Only now: what has come already is still to be answered.
        if draining && polled.is_pending() {
            told = true;
            shut_down(served.as_mut());
            polled = served.as_mut().poll(context);
        }
        if let Poll::Ready(result) = polled {
            return Poll::Ready(if farewell { Ended::Idle } else { Ended::Itself(result) });
        }
        if streams.open.load(Ordering::Relaxed) > 0 {
            idle.clear();
            return Poll::Pending;
        }
        loop {
            if !idle.is_set() {
                idle.set(if farewell { FAREWELL } else { timeouts.keep_alive });
            }
            ready!(idle.poll(context));
            if farewell {
                return Poll::Ready(Ended::Idle);
            }
            farewell = true;
            shut_down(served.as_mut());
            if served.as_mut().poll(context).is_ready() {
                return Poll::Ready(Ended::Idle);
            }
        }
    })
    .await
}

/// How a response is coming along.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// Whether the client's side is to take something before the body is asked for more.
    client_is_to_take: AtomicBool,
    /// Frames handed over.
    frames: AtomicU64,
}

impl Pace {
    /// The response, or a part of its body, is ready for the client.
    pub(super) fn handed_over(&self) {
        self.client_is_to_take.store(true, Ordering::Relaxed);
        self.frames.fetch_add(1, Ordering::Relaxed);
    }

    /// The client has taken all there is; more is awaited from the upstream.
    pub(super) fn awaited(&self) {
        self.client_is_to_take.store(false, Ordering::Relaxed);
    }
}

/// The streams of one connection.
struct Streams {
    open: AtomicUsize,
    /// Of the request that hyper has just handed over; the task for its stream follows at once.
    next: Mutex<Option<Arc<Pace>>>,
    stall: Duration,
}

impl Streams {
    fn announce(&self, pace: Arc<Pace>) {
        *self.next.lock().unwrap_or_else(PoisonError::into_inner) = Some(pace);
    }
}

/// Runs the streams of a connection on the worker's own thread.
#[derive(Clone)]
struct StreamExecutor {
    worker: Arc<Worker>,
    streams: Arc<Streams>,
}

impl<F> hyper::rt::Executor<F> for StreamExecutor
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, stream: F) {
        let pace = self.streams.next.lock().unwrap_or_else(PoisonError::into_inner).take();
        let open = OpenStream::new(Arc::clone(&self.streams));
        let worker = Arc::clone(&self.worker);
        tokio::spawn(async move {
            let mut stream = pin!(stream);
            let mut timer = LazyTimer::default();
            let mut seen = 0;
            poll_fn(|context| {
                if stream.as_mut().poll(context).is_ready() {
                    return Poll::Ready(());
                }
                let Some(pace) = &pace else { return Poll::Pending };
                if !pace.client_is_to_take.load(Ordering::Relaxed) {
                    timer.clear();
                    return Poll::Pending;
                }
                let frames = pace.frames.load(Ordering::Relaxed);
                if !timer.is_set() || frames != seen {
                    seen = frames;
                    timer.set(open.0.stall);
                }
                ready!(timer.poll(context));
                // Dropping the stream resets it; the others of the connection go on.
                worker.counters.client_timeouts.add(1);
                Poll::Ready(())
            })
            .await;
        });
    }
}

/// Counts a stream for as long as its task lives.
struct OpenStream(Arc<Streams>);

impl OpenStream {
    fn new(streams: Arc<Streams>) -> Self {
        streams.open.fetch_add(1, Ordering::Relaxed);
        Self(streams)
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// How the bytes of a connection ended.
#[derive(Debug, Default)]
struct End {
    /// A write made no progress for too long.
    timed_out: AtomicBool,
    /// The client closed, or the network failed.
    closed: AtomicBool,
}

/// The connection as hyper sees it: writes that make no progress end it.
struct PatientIo {
    stream: Replay,
    write_timer: LazyTimer,
    stall: Duration,
    end: Arc<End>,
}

impl PatientIo {
    fn patient_write(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        match &written {
            Poll::Ready(result) => {
                self.write_timer.clear();
                if result.is_err() {
                    self.end.closed.store(true, Ordering::Relaxed);
                }
                written
            }
            Poll::Pending => {
                if !self.write_timer.is_set() {
                    self.write_timer.set(self.stall);
                }
                ready!(self.write_timer.poll(context));
                self.end.timed_out.store(true, Ordering::Relaxed);
                Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
            }
        }
    }
}

impl AsyncRead for PatientIo {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = ready!(Pin::new(&mut self.stream).poll_read(context, buffer));
        if read.is_err() || (buffer.filled().len() == before && buffer.remaining() > 0) {
            self.end.closed.store(true, Ordering::Relaxed);
        }
        Poll::Ready(read)
    }
}

impl AsyncWrite for PatientIo {
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
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
