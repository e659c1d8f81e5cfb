//! The inline reverse proxy: HTTP/1.1 and cleartext HTTP/2 in, HTTP/1.1 out.
//!
//! It forwards bytes and leaves bounded copies behind. It knows nothing of sessions, parses no body, and whatever
//! happens to the copies, traffic passes: a full queue or an exhausted budget costs analysis, never a request.
//!
//! A request's way: [`worker`] accepts, [`client_io`] reads and follows the framing of the raw bytes, hyper parses,
//! [`answer`] judges and sends it over a connection of [`upstream`], [`body`] streams both bodies, and [`recording`]
//! delivers the exchange once the response is written.

mod answer;
mod body;
mod capture;
mod client_io;
mod connection;
mod counters;
mod drain;
mod forward;
mod framing;
mod hygiene;
mod identity;
mod lazy_timer;
mod listener;
mod peer;
mod recording;
mod replay;
mod settings;
mod tunnel;
mod upstream;
mod worker;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread;

use threadline_model::Clock;
use tokio::sync::{oneshot, watch};

pub use counters::{Counter, Gauge, ProxyCounters};
pub use framing::fuzz_framing;
pub use settings::{
    CaptureLimits, ForwardingHeaders, Limits, ProxySettings, Timeouts, UpstreamAddress, UpstreamAddressError,
};

use self::capture::CaptureBudget;
use self::worker::Shared;
use crate::ExchangeSink;

/// Why the proxy does not run.
#[derive(Debug, thiserror::Error)]
pub enum ProxyError {
    /// The address to listen on cannot be had.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// A worker thread could not be started or its runtime not be made.
    #[error("a proxy thread could not run")]
    Worker(#[source] io::Error),
    /// A worker thread panicked, which is a bug.
    #[error("a proxy thread panicked")]
    Panicked,
}

/// A proxy that listens, and serves once [`Proxy::run`] is called.
pub struct Proxy {
    address: SocketAddr,
    listeners: Vec<std::net::TcpListener>,
    shared: Shared,
}

impl Proxy {
    /// Takes the listening address. Clients may connect from now on; they are answered once [`Proxy::run`] runs.
    pub fn bind(
        settings: ProxySettings,
        sink: Arc<dyn ExchangeSink>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ProxyError> {
        let listen_error = |source| ProxyError::Listen { address: settings.listen, source };
        let listeners = listener::open(&settings).map_err(listen_error)?;
        let address = match listeners.first() {
            Some(first) => first.local_addr().map_err(listen_error)?,
            None => settings.listen,
        };
        let budget = Arc::new(CaptureBudget::new(settings.capture.budget_bytes));
        let shared = Shared { settings: Arc::new(settings), sink, clock, counters: Arc::default(), budget };
        Ok(Self { address, listeners, shared })
    }

    /// Where clients connect.
    pub fn local_address(&self) -> SocketAddr {
        self.address
    }

    /// What the proxy counts.
    pub fn counters(&self) -> Arc<ProxyCounters> {
        Arc::clone(&self.shared.counters)
    }

    /// Serves until `shutdown` is done, then lets running requests end, at most for [`Timeouts::shutdown`]. When it
    /// returns, every exchange has been offered to the sink, those that were cut short included.
    ///
    /// The proxy has threads of its own; this only waits for them. Dropped before it is done, it shuts down as well,
    /// without waiting.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> Result<(), ProxyError> {
        let (stop, stopped) = watch::channel(false);
        let mut workers = Vec::with_capacity(self.listeners.len());
        for (number, listener) in self.listeners.into_iter().enumerate() {
            let (ended, end) = oneshot::channel();
            let (shared, stopped) = (self.shared.clone(), stopped.clone());
            let spawned = thread::Builder::new().name(format!("proxy-{number}")).spawn(move || {
                // Nobody waits any more when this proxy's `run` was dropped.
                let _ = ended.send(worker::run(shared, listener, stopped));
            });
            match spawned {
                Ok(_) => workers.push(end),
                Err(error) => return Err(ProxyError::Worker(error)),
            }
        }
        drop(stopped);
        let mut ends = futures_util::future::join_all(workers);
        let results = tokio::select! {
            () = shutdown => {
                // Workers that have ended by themselves need not be told.
                let _ = stop.send(true);
                (&mut ends).await
            }
            // Only an error ends a worker that was not told to.
            results = &mut ends => results,
        };
        for result in results {
            result.map_err(|_| ProxyError::Panicked)?.map_err(ProxyError::Worker)?;
        }
        Ok(())
    }
}
