//! Panics of the analysis thread: where they happened, and never what they say, for the message of a panic may quote
//! what was being looked at.

use std::cell::{Cell, RefCell};
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::sync::Once;

/// Name of the analysis thread.
pub(crate) const ANALYSIS_THREAD: &str = "analysis";

thread_local! {
    /// Whether a step is running that is contained.
    static CONTAINED: Cell<bool> = const { Cell::new(false) };
    /// Where the contained step panicked.
    static PLACE: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Keeps the messages of panics of a thread with this name off standard error. Those of other threads are reported as
/// before.
pub(crate) fn keep_quiet() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let report = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            if std::thread::current().name() == Some(ANALYSIS_THREAD) {
                note(panic);
            } else {
                report(panic);
            }
        }));
    });
}

fn note(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(|location| format!("{}:{}", location.file(), location.line()));
    let place = place.unwrap_or_else(|| "an unknown place".to_owned());
    if CONTAINED.get() {
        PLACE.with_borrow_mut(|kept| *kept = place);
    } else {
        tracing::error!(%place, "the analysis thread ends: a defect of Threadline");
    }
}

/// Runs a step of the analysis.
///
/// # Errors
/// When it panicked; says where in our code, as far as that was noted.
pub(crate) fn contain(step: impl FnOnce()) -> Result<(), String> {
    CONTAINED.set(true);
    // What the step may have left half done is mended by the caller.
    let ended = panic::catch_unwind(AssertUnwindSafe(step));
    CONTAINED.set(false);
    ended.map_err(|_| PLACE.take())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_contained_panic_says_where_and_not_what() {
        keep_quiet();
        let thread = std::thread::Builder::new().name(ANALYSIS_THREAD.to_owned());
        let step = || contain(|| panic!("canary"));
        let place = thread.spawn(step).unwrap().join().unwrap().unwrap_err();
        assert!(place.contains("panics.rs:") && !place.contains("canary"), "{place}");
        assert_eq!(contain(|| {}), Ok(()));
    }
}
