//! SIGINT and SIGTERM: the first asks the service to stop, a second one does not wait for that.

use std::io;
use std::thread;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

/// Listens on a thread of its own, so that a second signal is heard however busy or stuck the service is. Says true
/// with the first.
pub(crate) fn install() -> io::Result<watch::Receiver<bool>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let mut signals = {
        let _context = runtime.enter();
        Signals { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? }
    };
    let (stop, stopping) = watch::channel(false);
    thread::Builder::new().name("signals".to_owned()).spawn(move || {
        runtime.block_on(async {
            signals.next().await;
            let _ = stop.send(true);
            leave(signals.next().await);
        });
    })?;
    Ok(stopping)
}

/// Ends the process as the signal would have.
#[allow(clippy::disallowed_methods, reason = "asked twice: whoever insists does not want to wait for the drain")]
fn leave(signal: i32) -> ! {
    std::process::exit(128 + signal)
}

struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    /// The number of the next one.
    async fn next(&mut self) -> i32 {
        tokio::select! {
            _ = self.interrupt.recv() => SignalKind::interrupt().as_raw_value(),
            _ = self.terminate.recv() => SignalKind::terminate().as_raw_value(),
        }
    }
}
