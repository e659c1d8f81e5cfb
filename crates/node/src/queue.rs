//! The queue between capture and analysis. Full means shed and counted; a source is never made to wait.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::Thread;
use std::time::Duration;

use crossbeam_queue::ArrayQueue;
use threadline_capture::ExchangeSink;
use threadline_model::Exchange;

use crate::NodeCounters;

/// So many exchanges are worth a wake-up. They still lie in the processor's cache when the worker comes to them; with
/// thousands the analysis would take twice as long for each.
const WORTH_WAKING: usize = 64;

/// A bounded queue of captured exchanges.
#[derive(Debug)]
pub struct ExchangeQueue {
    slots: ArrayQueue<Exchange>,
    closed: AtomicBool,
    worker: OnceLock<Thread>,
    /// The worker waits and wants to be woken when the queue runs full.
    sleeping: AtomicBool,
    counters: Arc<NodeCounters>,
}

impl ExchangeQueue {
    /// A queue of at most `capacity` exchanges (at least 1).
    pub fn new(capacity: usize, counters: Arc<NodeCounters>) -> Self {
        Self {
            slots: ArrayQueue::new(capacity.max(1)),
            closed: AtomicBool::new(false),
            worker: OnceLock::new(),
            sleeping: AtomicBool::new(false),
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

    /// The worker waits until the queue runs full, is closed, or `longest` is over. At once if that is so already.
    pub(crate) fn wait(&self, longest: Duration) {
        // The order of both sides in time decides: either this sees what was offered before, or who offers sees that
        // the worker sleeps. Nothing weaker than sequential consistency gives that.
        self.sleeping.store(true, Ordering::SeqCst);
        if !self.runs_full() && !self.is_closed() {
            std::thread::park_timeout(longest);
        }
        self.sleeping.store(false, Ordering::SeqCst);
    }

    /// Whether so much waits that waking the worker costs little beside it: [`WORTH_WAKING`] exchanges, or a quarter
    /// of a small queue.
    fn runs_full(&self) -> bool {
        self.slots.len() >= (self.slots.capacity() / 4).clamp(1, WORTH_WAKING)
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
        if self.runs_full() && self.sleeping.load(Ordering::SeqCst) && self.sleeping.swap(false, Ordering::SeqCst) {
            self.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use threadline_points::reference;

    use super::*;

    /// Nobody waits so long: a test that is not woken hangs.
    const FOR_EVER: Duration = Duration::from_secs(3_600);

    fn queue(capacity: usize) -> Arc<ExchangeQueue> {
        let queue = Arc::new(ExchangeQueue::new(capacity, Arc::default()));
        queue.served_by(std::thread::current());
        queue
    }

    fn offer(queue: &ExchangeQueue, exchanges: usize) {
        for _ in 0..exchanges {
            queue.offer(reference::exchange(16));
        }
    }

    #[test]
    fn a_worker_does_not_wait_when_the_queue_is_full_enough_already() {
        for (capacity, exchanges) in [(8, 2), (8, 3), (8, 9), (1, 1), (2, 1), (3, 2)] {
            let queue = queue(capacity);
            offer(&queue, exchanges);
            queue.wait(FOR_EVER);
        }
        let closed = queue(8);
        closed.close();
        closed.wait(FOR_EVER);
    }

    #[test]
    fn a_waiting_worker_is_woken_however_many_exchanges_come_at_once() {
        for (capacity, before, after) in [(64, 0, 16), (64, 15, 1), (64, 15, 40), (3, 0, 1), (1, 0, 5)] {
            let queue = queue(capacity);
            offer(&queue, before);
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    while !queue.sleeping.load(Ordering::SeqCst) {
                        std::thread::yield_now();
                    }
                    offer(&queue, after);
                });
                // A thread may be woken for no reason; the worker then looks and waits again.
                while !queue.runs_full() {
                    queue.wait(FOR_EVER);
                }
            });
        }
    }

    #[test]
    fn nobody_is_woken_for_a_few_exchanges() {
        let queue = queue(64);
        queue.sleeping.store(true, Ordering::SeqCst);
        offer(&queue, 15);
        assert!(queue.sleeping.load(Ordering::SeqCst));
        offer(&queue, 1);
        assert!(!queue.sleeping.load(Ordering::SeqCst));
    }
}
