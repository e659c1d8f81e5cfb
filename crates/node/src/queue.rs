//! The queue between capture and analysis. Full means shed and counted; a source is never made to wait.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::Thread;

use crossbeam_queue::ArrayQueue;
use threadline_capture::ExchangeSink;
use threadline_model::Exchange;

use crate::NodeCounters;

/// A bounded queue of captured exchanges.
#[derive(Debug)]
pub struct ExchangeQueue {
    slots: ArrayQueue<Exchange>,
    closed: AtomicBool,
    worker: OnceLock<Thread>,
    counters: Arc<NodeCounters>,
}

impl ExchangeQueue {
    /// A queue of at most `capacity` exchanges (at least 1).
    pub fn new(capacity: usize, counters: Arc<NodeCounters>) -> Self {
        Self {
            slots: ArrayQueue::new(capacity.max(1)),
            closed: AtomicBool::new(false),
            worker: OnceLock::new(),
            counters,
        }
    }

    /// Takes the oldest exchange.
    pub(crate) fn take(&self) -> Option<Exchange> {
        self.slots.pop()
    }

    /// Says that no exchange will come any more; the worker drains what is there and ends.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.wake();
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Names the thread to wake when the queue runs full.
    pub(crate) fn served_by(&self, worker: Thread) {
        // A second worker would be a second call; the first stays the one that is woken.
        let _ = self.worker.set(worker);
    }

    fn wake(&self) {
        if let Some(worker) = self.worker.get() {
            worker.unpark();
        }
    }
}

impl ExchangeSink for ExchangeQueue {
    fn offer(&self, exchange: Exchange) {
        NodeCounters::add(&self.counters.received, 1);
        if self.slots.push(exchange).is_err() {
            NodeCounters::add(&self.counters.shed, 1);
        }
        // The worker looks by itself every few milliseconds: waking it for each exchange would cost the request's
        // thread a system call. Only a queue that fills faster than that wakes it early.
        if self.slots.len() == self.slots.capacity() / 4 {
            self.wake();
        }
    }
}
