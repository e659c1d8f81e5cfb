//! Connections to the upstream, HTTP/1.1, kept open between requests.
//!
//! hyper's pooled client runs each connection as a task of its own: every request then wakes that task, and every
//! response wakes the request's. Measured against nginx these hand-overs were the largest part of the proxy's own
//! cost. Here a request *drives* the connection it uses inside its own task ([`Link::drive`]); only idle connections
//! belong to a task, the worker's [`keep_idle_connections`], which notices when the upstream closes one.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use futures_util::task::AtomicWaker;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::http1::{Builder, Connection, Parts, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::coop;

use super::body::RequestBody;
use super::counters::ProxyCounters;
use super::lazy_timer::LazyTimer;
use super::settings::{ProxySettings, UpstreamAddress};

/// Times a connection is polled again at once because it woke itself.
const ROUNDS: usize = 8;

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConnectError {
    #[error("the upstream refused the connection")]
    Refused(#[source] io::Error),
    #[error("connecting to the upstream took too long")]
    TimedOut,
    #[error("the upstream connection could not be set up")]
    Handshake(#[source] hyper::Error),
}

/// Why a request got no response.
pub(super) enum SendError {
    /// Nothing of it was written; it comes back and may be sent again.
    NotSent(Box<Request<RequestBody>>),
    /// The connection broke, or what came was not a response.
    Broken(hyper::Error),
    /// No response head within the patience given.
    TimedOut,
}

/// The waker under which a connection runs. It passes a wake on to whoever uses the connection at the time, except
/// those that the connection causes while it is being polled: they mean "poll again", which costs a loop here and
/// would cost a turn through the scheduler there.
#[derive(Debug)]
struct LinkWaker {
    user: AtomicWaker,
    state: AtomicU8,
}

const POLLING: u8 = 1;
const WOKEN: u8 = 2;

impl LinkWaker {
    fn begin(&self) {
        self.state.store(POLLING, Ordering::Release);
    }

    /// Whether it was woken since `begin`.
    fn end(&self) -> bool {
        self.state.swap(0, Ordering::AcqRel) & WOKEN != 0
    }
}

impl Wake for LinkWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.state.fetch_or(WOKEN, Ordering::AcqRel) & POLLING == 0 {
            self.user.wake();
        }
    }
}

/// One connection to the upstream. Dropping it closes it.
pub(super) struct Link {
    sender: SendRequest<RequestBody>,
    driven: Driven,
    /// Whether it served a request before.
    reused: bool,
    timer: LazyTimer,
    /// The keeper's count when it became idle.
    idle_since: u64,
    _open: Open,
}

/// hyper's half of a connection: what reads and writes.
struct Driven {
    connection: Connection<TokioIo<TcpStream>, RequestBody>,
    shared: Arc<LinkWaker>,
    waker: Waker,
    closed: bool,
}

/// Counts a connection for as long as it is open.
struct Open(Arc<ProxyCounters>);

impl Open {
    fn new(counters: &Arc<ProxyCounters>) -> Self {
        counters.upstream_connections_opened.add(1);
        counters.upstream_connections.raise();
        Self(Arc::clone(counters))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.upstream_connections.lower();
    }
}

impl Link {
    /// Opens a connection.
    pub(super) async fn open(
        settings: &ProxySettings,
        counters: &Arc<ProxyCounters>,
    ) -> Result<Box<Self>, ConnectError> {
        let stream = tokio::time::timeout(settings.timeouts.connect, connect(&settings.upstream))
            .await
            .map_err(|_| ConnectError::TimedOut)?
            .map_err(ConnectError::Refused)?;
        prepare(&stream).map_err(ConnectError::Refused)?;
        let mut builder = Builder::new();
        builder.max_buf_size(settings.limits.buffer_bytes);
        if settings.limits.headers != HYPER_DEFAULT_HEADERS {
            builder.max_headers(settings.limits.headers);
        }
        let (sender, connection) = builder.handshake(TokioIo::new(stream)).await.map_err(ConnectError::Handshake)?;
        let shared = Arc::new(LinkWaker { user: AtomicWaker::new(), state: AtomicU8::new(0) });
        let waker = Waker::from(Arc::clone(&shared));
        Ok(Box::new(Self {
            sender,
            driven: Driven { connection, shared, waker, closed: false },
            reused: false,
            timer: LazyTimer::default(),
            idle_since: 0,
            _open: Open::new(counters),
        }))
    }

    /// Whether it served a request before: only then can its closing have crossed a new request.
    pub(super) fn is_reused(&self) -> bool {
        self.reused
    }

    /// Polls `wanted`, and the connection for as long as that makes progress. `wanted` gets a context that wakes
    /// nobody: whatever makes it ready happens while the connection is polled.
    pub(super) fn drive<T>(
        &mut self,
        context: &mut Context<'_>,
        wanted: impl FnMut(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        self.driven.drive(context, wanted)
    }

    /// Sends a request and waits for the response's head, at most `patience` after `since` (now, or nearly) and after
    /// `progress` (a count of what was sent of the body) last changed.
    pub(super) async fn send(
        &mut self,
        request: Request<RequestBody>,
        since: Instant,
        patience: Duration,
        progress: impl Fn() -> u64,
    ) -> Result<Response<Incoming>, SendError> {
        let Self { sender, driven, timer, .. } = self;
        // Handing over a request wakes the connection; nobody else needs to know.
        driven.shared.begin();
        let mut response = pin!(sender.try_send_request(request));
        driven.shared.end();
        timer.set_at(since + patience);
        let mut seen = progress();
        let sent = poll_fn(|context| {
            if let Poll::Ready(answer) = driven.drive(context, |silent| response.as_mut().poll(silent)) {
                return Poll::Ready(Some(answer));
            }
            let now = progress();
            if now != seen {
                seen = now;
                timer.set(patience);
            }
            timer.poll(context).map(|()| None)
        })
        .await;
        match sent {
            Some(Ok(response)) => {
                self.reused = true;
                Ok(response)
            }
            Some(Err(mut error)) => match error.take_message() {
                Some(request) => Err(SendError::NotSent(Box::new(request))),
                None => Err(SendError::Broken(error.into_error())),
            },
            None => Err(SendError::TimedOut),
        }
    }

    /// Whether the connection has finished with its last request and can take another one.
    fn is_idle(&mut self) -> bool {
        if !self.sender.is_ready() {
            self.driven.poll_silently();
        }
        !self.driven.closed && self.sender.is_ready()
    }

    /// The bare connection after a response 101, and what was read of it beyond the response.
    pub(super) async fn into_upgraded(mut self) -> Parts<TokioIo<TcpStream>> {
        // The connection ends by itself once both heads have passed.
        let Driven { connection, closed: ended, .. } = &mut self.driven;
        poll_fn(|context| {
            if !*ended {
                *ended = Pin::new(&mut *connection).poll_without_shutdown(context).is_ready();
            }
            if *ended { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        self.driven.connection.into_parts()
    }
}

impl Driven {
    /// As [`Link::drive`].
    fn drive<T>(&mut self, context: &mut Context<'_>, mut wanted: impl FnMut(&mut Context<'_>) -> Poll<T>) -> Poll<T> {
        let mut silent = Context::from_waker(Waker::noop());
        self.shared.user.register(context.waker());
        self.shared.begin();
        // Asking first tells the connection what is wanted of it before it is polled.
        let result = wanted(&mut silent);
        if result.is_ready() {
            self.shared.end();
            return result;
        }
        for _ in 0..ROUNDS {
            self.shared.begin();
            self.poll();
            let result = wanted(&mut silent);
            let woken = self.shared.end();
            if result.is_ready() {
                return result;
            }
            if !woken {
                if !coop::has_budget_remaining() {
                    context.waker().wake_by_ref();
                }
                return Poll::Pending;
            }
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }

    fn poll(&mut self) {
        if !self.closed {
            let mut own = Context::from_waker(&self.waker);
            self.closed = Pin::new(&mut self.connection).poll(&mut own).is_ready();
        }
    }

    /// Polls the connection without waking anybody.
    fn poll_silently(&mut self) {
        self.shared.begin();
        self.poll();
        self.shared.end();
    }
}

/// hyper's own bound, with which it parses without allocating.
pub(super) const HYPER_DEFAULT_HEADERS: usize = 100;

async fn connect(upstream: &UpstreamAddress) -> io::Result<TcpStream> {
    match upstream.socket_address() {
        Some(address) => TcpStream::connect(address).await,
        None => TcpStream::connect((upstream.host(), upstream.port())).await,
    }
}

/// A peer that vanished without a word is noticed after about two minutes, however long a response may be silent.
const KEEP_ALIVE_PROBES: Duration = Duration::from_secs(60);

/// What every connection of the proxy gets, on both sides.
pub(super) fn prepare(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let probes = socket2::TcpKeepalive::new().with_time(KEEP_ALIVE_PROBES).with_interval(KEEP_ALIVE_PROBES / 4);
    socket2::SockRef::from(stream).set_tcp_keepalive(&probes)
}

/// The idle connections of one worker, the one used last on top.
pub(super) struct Pool {
    idle: Mutex<Vec<Box<Link>>>,
    /// Wakes the task that watches idle connections, once it runs.
    keeper: OnceLock<Waker>,
    maximum: usize,
    /// Goes up [`TICKS`] times in an idle timeout: a clock that costs nothing to read.
    ticks: AtomicU64,
    tick: Duration,
}

/// Idle connections are closed after their timeout, or up to a fourth of it earlier.
const TICKS: u32 = 4;

impl Pool {
    pub(super) fn new(maximum: usize, idle_timeout: Duration) -> Self {
        Self {
            idle: Mutex::new(Vec::new()),
            keeper: OnceLock::new(),
            maximum,
            ticks: AtomicU64::new(0),
            tick: (idle_timeout / TICKS).max(SHORTEST_TICK),
        }
    }

    /// Takes an idle connection.
    pub(super) fn take(&self) -> Option<Box<Link>> {
        self.lock().pop()
    }

    /// Gives a connection back, if it can be used again.
    pub(super) fn give_back(&self, mut link: Box<Link>) {
        if !link.is_idle() {
            return;
        }
        // From now on the keeper hears when the upstream closes.
        if let Some(keeper) = self.keeper.get() {
            link.driven.shared.user.register(keeper);
        }
        link.idle_since = self.ticks.load(Ordering::Relaxed);
        let mut idle = self.lock();
        if idle.len() < self.maximum {
            idle.push(link);
        }
    }

    /// Closes every idle connection.
    pub(super) fn clear(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Box<Link>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Drops what the upstream has closed and what has been idle for too long.
    fn sweep(&self) {
        let now = self.ticks.load(Ordering::Relaxed);
        self.lock().retain_mut(|link| {
            link.driven.poll_silently();
            !link.driven.closed && now - link.idle_since < u64::from(TICKS)
        });
    }
}

const SHORTEST_TICK: Duration = Duration::from_millis(10);

/// Watches the idle connections of a worker; never ends.
pub(super) async fn keep_idle_connections(pool: Arc<Pool>) {
    let mut interval = tokio::time::interval(pool.tick);
    poll_fn(|context| {
        pool.keeper.get_or_init(|| context.waker().clone());
        while interval.poll_tick(context).is_ready() {
            pool.ticks.fetch_add(1, Ordering::Relaxed);
        }
        pool.sweep();
        Poll::<()>::Pending
    })
    .await;
}
