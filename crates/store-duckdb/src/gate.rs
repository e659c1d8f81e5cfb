//! A gate that readers pass and that can be closed for good: how a file is taken away under running questions.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Counts who is inside.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    state: Mutex<State>,
    left: Condvar,
}

#[derive(Debug, Default)]
struct State {
    inside: usize,
    closed: bool,
}

/// Proof of being inside; leaves when dropped.
#[derive(Debug)]
pub(crate) struct Pass(Arc<Gate>);

impl Gate {
    /// Goes in; `None` once the gate is closed.
    pub(crate) fn enter(self: &Arc<Self>) -> Option<Pass> {
        let mut state = self.state();
        if state.closed {
            return None;
        }
        state.inside += 1;
        Some(Pass(Arc::clone(self)))
    }

    /// Lets nobody in from now on and returns when everybody has left. Blocks: never call it on an async worker.
    pub(crate) fn close_and_drain(&self) {
        let mut state = self.state();
        state.closed = true;
        while state.inside > 0 {
            state = self.left.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    // The counters are valid whenever the lock is free, whoever panicked elsewhere.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        self.0.state().inside -= 1;
        self.0.left.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_waits_for_those_inside_and_refuses_new_ones() {
        let gate = Arc::new(Gate::default());
        let pass = gate.enter().unwrap();
        let closing = std::thread::spawn({
            let gate = Arc::clone(&gate);
            move || gate.close_and_drain()
        });
        while gate.enter().is_some() {
            std::thread::yield_now();
        }
        assert!(!closing.is_finished());
        drop(pass);
        closing.join().unwrap();
        assert!(gate.enter().is_none());
    }
}
