//! The settings about trusted proxies that hold now, as one worker sees them. They change while requests run; each
//! request goes by those that held when its head had been read.

use std::sync::{Arc, Mutex, PoisonError};

use threadline_model::TrustedProxies;
use tokio::sync::watch;

/// One worker's copy, which no other thread touches. Asking costs a lock that nobody else takes and a look at the version
/// of what all share, which is only read.
pub(super) struct Trust {
    held: Mutex<Held>,
}

struct Held {
    source: watch::Receiver<Arc<TrustedProxies>>,
    copy: Arc<TrustedProxies>,
}

impl Trust {
    pub(super) fn new(mut source: watch::Receiver<Arc<TrustedProxies>>) -> Self {
        let copy = Arc::new(TrustedProxies::clone(&source.borrow_and_update()));
        Self { held: Mutex::new(Held { source, copy }) }
    }

    /// What holds now.
    pub(super) fn now(&self) -> Arc<TrustedProxies> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        // An error means that nobody will change them any more.
        if held.source.has_changed().unwrap_or(false) {
            // A copy of its own: workers that count references to one would wait for each other.
            let changed = TrustedProxies::clone(&held.source.borrow_and_update());
            held.copy = Arc::new(changed);
        }
        Arc::clone(&held.copy)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_change_is_seen_by_the_next_who_asks_and_the_last_one_stays() {
        let (sender, receiver) = watch::channel(Arc::new(TrustedProxies::default()));
        let trust = Trust::new(receiver);
        let before = trust.now();
        assert!(Arc::ptr_eq(&before, &trust.now()), "nothing is copied without a change");
        let changed = TrustedProxies { networks: vec!["10.0.0.0/8".parse().unwrap()], ..TrustedProxies::default() };
        sender.send_replace(Arc::new(changed.clone()));
        assert_eq!((*trust.now()).clone(), changed);
        drop(sender);
        assert_eq!(*trust.now(), changed);
        assert_eq!(*before, TrustedProxies::default());
    }
}
