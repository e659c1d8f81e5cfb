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
mod forwarded;
mod framing;
mod http2;
mod hygiene;
mod identity;
mod lazy_timer;
mod listener;
mod peer;
mod proxy_protocol;
mod recording;
mod replay;
mod resolutions;
mod settings;
mod trust;
mod tunnel;
mod upstream;
mod worker;

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use threadline_model::{Clock, TrustedProxies};
use tokio::sync::{oneshot, watch};

pub use counters::{Counter, Gauge, ProxyCounters};
pub use framing::fuzz_framing;
pub use proxy_protocol::fuzz_proxy_protocol;
pub use resolutions::Resolutions;
pub use settings::{
    CaptureLimits, ForwardingHeaders, Limits, ProxySettings, Timeouts, UpstreamAddress, UpstreamAddressError,
};
pub use upstream::fuzz_response;

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
    trusted: watch::Sender<Arc<TrustedProxies>>,
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
        let (trusted, following) = watch::channel(Arc::new(settings.trusted_proxies.clone()));
        let counters = Arc::default();
        let resolutions = Arc::new(Resolutions::new(Instant::now()));
        let settings = Arc::new(settings);
        let shared = Shared { settings, sink, clock, counters, budget, trusted: following, resolutions };
        Ok(Self { address, listeners, shared, trusted })
    }

    /// Where clients connect.
    pub fn local_address(&self) -> SocketAddr {
        self.address
    }

    /// What the proxy counts.
    pub fn counters(&self) -> Arc<ProxyCounters> {
        Arc::clone(&self.shared.counters)
    }

    /// Who the last requests were taken to come from.
    pub fn resolutions(&self) -> Arc<Resolutions> {
        Arc::clone(&self.shared.resolutions)
    }

    /// Changes the settings about trusted proxies while the proxy runs. They hold for each request whose head is read
    /// from then on, over open connections too; whether a connection begins with a PROXY header is judged once, when it
    /// is accepted.
    pub fn trusted_proxies(&self) -> watch::Sender<Arc<TrustedProxies>> {
        self.trusted.clone()
    }

    /// Serves until `shutdown` is done, then lets running requests end, at most for [`Timeouts::shutdown`]. When it
    /// returns, every exchange has been offered to the sink, those that were cut short included. A worker thread that
    /// fails shuts the others down as well, and its error is returned.
    ///
    /// The proxy has threads of its own; this only waits for them. Dropped before it is done, it shuts down as well,
    /// without waiting.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> Result<(), ProxyError> {
        let (stop, stopped) = watch::channel(false);
        let mut workers = FuturesUnordered::new();
        let mut outcome = Ok(());
        for (number, listener) in self.listeners.into_iter().enumerate() {
            let (ended, end) = oneshot::channel();
            let (shared, stopped) = (self.shared.clone(), stopped.clone());
            let spawned = thread::Builder::new().name(format!("proxy-{number}")).spawn(move || {
                // Nobody waits any more when this proxy's `run` was dropped.
                let _ = ended.send(worker::run(shared, listener, stopped));
            });
            match spawned {
                Ok(_) => workers.push(end),
                Err(error) => {
                    outcome = Err(ProxyError::Worker(error));
                    stop.send_replace(true);
                    break;
                }
            }
        }
        drop(stopped);
        let mut shutdown = pin!(shutdown);
        loop {
            let ended = tokio::select! {
                () = &mut shutdown, if !*stop.borrow() => None,
                ended = workers.next() => Some(ended),
            };
            match ended {
                // Workers that have ended by themselves need not be told.
                None | Some(Some(Ok(Ok(())))) => {}
                Some(None) => return outcome,
                Some(Some(Ok(Err(error)))) => outcome = outcome.and(Err(ProxyError::Worker(error))),
                Some(Some(Err(_))) => outcome = outcome.and(Err(ProxyError::Panicked)),
            }
            // Nobody would notice that a share of the connections is not served: one that fails ends all.
            stop.send_replace(true);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::time::Duration;

    use threadline_model::{Exchange, SystemClock};

    use super::*;

    struct Nowhere;

    impl ExchangeSink for Nowhere {
        fn offer(&self, _: Exchange) {}
    }

    #[tokio::test]
    async fn one_worker_that_fails_ends_the_proxy_with_its_error() {
        let mut settings = ProxySettings::new("127.0.0.1:0".parse().unwrap(), "http://127.0.0.1:1".parse().unwrap());
        settings.threads = 2.try_into().unwrap();
        let mut proxy = Proxy::bind(settings, Arc::new(Nowhere), Arc::new(SystemClock)).unwrap();
        // No runtime takes a file for a listener.
        proxy.listeners[1] = std::fs::File::open("/proc/self/status").map(std::os::fd::OwnedFd::from).unwrap().into();
        let ended = tokio::time::timeout(Duration::from_secs(20), proxy.run(std::future::pending())).await.unwrap();
        assert!(matches!(ended, Err(ProxyError::Worker(_) | ProxyError::Panicked)), "{ended:?}");
    }
}
