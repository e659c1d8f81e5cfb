//! How a worker's connections learn that it wants to end.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Waker};

/// A flag, and whom to wake when it is raised. A connection pays one load of it each time it runs.
#[derive(Default)]
pub(super) struct Drain {
    begun: AtomicBool,
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    next: u64,
    wakers: HashMap<u64, Waker>,
}

impl Drain {
    /// Raises the flag.
    pub(super) fn begin(&self) {
        self.begun.store(true, Ordering::SeqCst);
        let wakers = std::mem::take(&mut self.lock().wakers);
        wakers.into_values().for_each(Waker::wake);
    }

    /// Watches the flag on behalf of one task.
    pub(super) fn watch(&self) -> DrainWatch<'_> {
        DrainWatch { drain: self, registered: None }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One task's view of a [`Drain`].
pub(super) struct DrainWatch<'a> {
    drain: &'a Drain,
    registered: Option<u64>,
}

impl DrainWatch<'_> {
    /// Whether the flag is raised; the task is woken when it will be. Always to be called from the same task.
    pub(super) fn is_draining(&mut self, context: &Context<'_>) -> bool {
        if self.registered.is_none() {
            let mut waiting = self.drain.lock();
            let id = waiting.next;
            waiting.next += 1;
            waiting.wakers.insert(id, context.waker().clone());
            self.registered = Some(id);
        }
        self.drain.begun.load(Ordering::SeqCst)
    }
}

impl Drop for DrainWatch<'_> {
    fn drop(&mut self) {
        if let Some(id) = self.registered {
            self.drain.lock().wakers.remove(&id);
        }
    }
}
