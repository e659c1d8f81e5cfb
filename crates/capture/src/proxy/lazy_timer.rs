//! A timeout that is moved often and rarely fires.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::time::Sleep;

/// A deadline on which a task waits, cheap to move.
///
/// Moving a timer of the runtime costs a search in its wheel; with one or two deadlines per request that shows. Here
/// a later deadline is only written down: the timer fires at the old one, finds that it is early and is set again.
#[derive(Default)]
pub(super) struct LazyTimer {
    deadline: Option<Instant>,
    /// When `sleep` fires; always before or at `deadline` while one is set.
    fires: Option<Instant>,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl LazyTimer {
    /// Waits until `patience` after now.
    pub(super) fn set(&mut self, patience: Duration) {
        self.set_at(Instant::now() + patience);
    }

    /// Waits until `deadline`.
    pub(super) fn set_at(&mut self, deadline: Instant) {
        self.deadline = Some(deadline);
    }

    /// Waits for nothing.
    pub(super) fn clear(&mut self) {
        self.deadline = None;
    }

    /// Whether a deadline is set.
    pub(super) fn is_set(&self) -> bool {
        self.deadline.is_some()
    }

    /// Ready once the deadline has passed; pending, and the task is woken then, while there is one or none.
    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let Some(deadline) = self.deadline else { return Poll::Pending };
        loop {
            let sleep = match (&mut self.sleep, self.fires) {
                (Some(sleep), Some(fires)) if fires <= deadline => sleep,
                (Some(sleep), _) => {
                    sleep.as_mut().reset(deadline.into());
                    self.fires = Some(deadline);
                    sleep
                }
                (none, _) => {
                    self.fires = Some(deadline);
                    none.insert(Box::pin(tokio::time::sleep_until(deadline.into())))
                }
            };
            if sleep.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
            self.fires = None;
            if Instant::now() >= deadline {
                self.deadline = None;
                return Poll::Ready(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::future::poll_fn;

    use super::*;

    #[test]
    fn a_moved_deadline_fires_once_at_its_last_place() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let mut timer = LazyTimer::default();
            let start = Instant::now();
            timer.set(Duration::from_millis(5));
            assert!(timer.poll(&mut Context::from_waker(std::task::Waker::noop())).is_pending());
            timer.set(Duration::from_millis(30));
            poll_fn(|context| timer.poll(context)).await;
            assert!(start.elapsed() >= Duration::from_millis(30), "not at the first deadline");
            assert!(!timer.is_set());
            // An earlier deadline than the one the runtime knows.
            let start = Instant::now();
            timer.set(Duration::from_secs(3_600));
            assert!(timer.poll(&mut Context::from_waker(std::task::Waker::noop())).is_pending());
            timer.set(Duration::from_millis(5));
            poll_fn(|context| timer.poll(context)).await;
            assert!(start.elapsed() < Duration::from_secs(60));
        });
    }
}
