//! Idle connections to the upstream, kept by each worker for itself.

use std::future::poll_fn;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::Link;

/// The idle connections of one worker, the one used last on top.
pub(in crate::proxy) struct Pool {
    idle: Mutex<Vec<Idle>>,
    /// Wakes the task that watches idle connections, once it runs.
    keeper: OnceLock<Waker>,
    maximum: usize,
    /// Goes up [`TICKS`] times in an idle timeout: a clock that costs nothing to read.
    ticks: AtomicU64,
    tick: Duration,
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
    pub(in crate::proxy) fn new(maximum: usize, idle_timeout: Duration) -> Self {
        Self {
            idle: Mutex::new(Vec::new()),
            keeper: OnceLock::new(),
            maximum,
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
