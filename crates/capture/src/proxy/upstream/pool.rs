//! Idle connections to the upstream, kept by each worker for itself.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use super::Link;

/// The idle connections of one worker, the one used last on top.
pub(in crate::proxy) struct Pool {
    idle: Mutex<Vec<Idle>>,
    /// Wakes the task that watches idle connections, once it runs.
    keeper: OnceLock<Waker>,
    maximum: usize,
    /// For connections that may be open, idle ones included.
    places: Arc<Semaphore>,
    /// Requests that wait because there is neither an idle connection nor a place.
    waiting: AtomicUsize,
    /// Told to one of them when a connection becomes idle.
    returned: Notify,
    /// Goes up [`TICKS`] times in an idle timeout: a clock that costs nothing to read.
    ticks: AtomicU64,
    tick: Duration,
}

/// How a request comes by a connection.
pub(super) enum Turn {
    Idle(Box<Link>),
    Place(OwnedSemaphorePermit),
}

/// Counts a request for as long as it waits.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

struct Idle {
    link: Box<Link>,
    /// In ticks.
    since: u64,
}

/// Idle connections are closed after their timeout, or up to a fourth of it earlier.
const TICKS: u32 = 4;
const SHORTEST_TICK: Duration = Duration::from_millis(10);

impl Pool {
    /// At most `open` connections at a time, and `maximum` of them idle.
    pub(in crate::proxy) fn new(open: usize, maximum: usize, idle_timeout: Duration) -> Self {
        Self {
            idle: Mutex::new(Vec::new()),
            keeper: OnceLock::new(),
            maximum,
            places: Arc::new(Semaphore::new(open.clamp(1, Semaphore::MAX_PERMITS))),
            waiting: AtomicUsize::new(0),
            returned: Notify::new(),
            ticks: AtomicU64::new(0),
            tick: (idle_timeout / TICKS).max(SHORTEST_TICK),
        }
    }

    /// Takes an idle connection that the upstream has not closed, as far as anybody can know.
    pub(in crate::proxy) fn take(&self) -> Option<Box<Link>> {
        loop {
            let mut link = self.lock().pop()?.link;
            if !link.has_ended(&mut Context::from_waker(Waker::noop())) {
                return Some(link);
            }
        }
    }

    /// A place for a new connection, or, where there is none, what comes first of a place and an idle connection.
    pub(super) async fn turn(&self) -> Turn {
        if let Ok(place) = Arc::clone(&self.places).try_acquire_owned() {
            return Turn::Place(place);
        }
        let _waiting = Waiting::new(&self.waiting);
        let mut place = pin!(Arc::clone(&self.places).acquire_owned());
        loop {
            if let Some(link) = self.take() {
                return Turn::Idle(link);
            }
            tokio::select! {
                // The semaphore is never closed.
                Ok(place) = &mut place => return Turn::Place(place),
                () = self.returned.notified() => {}
            }
        }
    }

    /// Gives a connection back, if it can be used again.
    pub(in crate::proxy) fn give_back(&self, mut link: Box<Link>) {
        // From now on the keeper hears when the upstream closes.
        let keeper = self.keeper.get().unwrap_or(Waker::noop());
        if !link.is_reusable() || link.has_ended(&mut Context::from_waker(keeper)) {
            return;
        }
        let mut idle = self.lock();
        if idle.len() < self.maximum {
            idle.push(Idle { link, since: self.ticks.load(Ordering::Relaxed) });
            if self.waiting.load(Ordering::Relaxed) > 0 {
                self.returned.notify_one();
            }
        }
    }

    /// Closes every idle connection.
    pub(in crate::proxy) fn clear(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Idle>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Drops what the upstream has closed and what has been idle for too long.
    fn sweep(&self, context: &mut Context<'_>) {
        let now = self.ticks.load(Ordering::Relaxed);
        self.lock().retain_mut(|idle| now - idle.since < u64::from(TICKS) && !idle.link.has_ended(context));
    }
}

/// Watches the idle connections of a worker; never ends.
pub(in crate::proxy) async fn keep_idle_connections(pool: Arc<Pool>) {
    let mut interval = tokio::time::interval(pool.tick);
    poll_fn(|context| {
        pool.keeper.get_or_init(|| context.waker().clone());
        while interval.poll_tick(context).is_ready() {
            pool.ticks.fetch_add(1, Ordering::Relaxed);
        }
        pool.sweep(context);
        Poll::<()>::Pending
    })
    .await;
}
