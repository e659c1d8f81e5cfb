//! One worker: a thread with a runtime of its own, a listener, and upstream connections that no other thread uses.
//!
//! A request is read, sent, answered and recorded on one thread. Nothing is handed to another one, so none has to be
//! woken, which costs more than the whole of the proxy's work on a request.

use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use threadline_model::{Clock, TrustedProxies};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use super::capture::CaptureBudget;
use super::connection::serve;
use super::counters::ProxyCounters;
use super::drain::Drain;
use super::identity::IdentityGenerator;
use super::resolutions::Resolutions;
use super::settings::ProxySettings;
use super::trust::Trust;
use super::upstream::{Pool, keep_idle_connections, prepare};
use crate::ExchangeSink;

/// What the workers share.
#[derive(Clone)]
pub(super) struct Shared {
    pub(super) settings: Arc<ProxySettings>,
    pub(super) sink: Arc<dyn ExchangeSink>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) counters: Arc<ProxyCounters>,
    pub(super) budget: Arc<CaptureBudget>,
    pub(super) trusted: watch::Receiver<Arc<TrustedProxies>>,
    pub(super) resolutions: Arc<Resolutions>,
}

/// What the connections of one worker share.
pub(super) struct Worker {
    pub(super) settings: Arc<ProxySettings>,
    pub(super) sink: Arc<dyn ExchangeSink>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) counters: Arc<ProxyCounters>,
    pub(super) budget: Arc<CaptureBudget>,
    pub(super) trust: Trust,
    pub(super) resolutions: Arc<Resolutions>,
    pub(super) pool: Arc<Pool>,
    pub(super) identities: IdentityGenerator,
    pub(super) drain: Drain,
    /// The upstream's authority as a `Host`.
    pub(super) upstream_host: HeaderValue,
}

impl Worker {
    fn new(shared: Shared) -> Self {
        let limits = &shared.settings.limits;
        let idle_timeout = shared.settings.timeouts.upstream_idle;
        let pool = Pool::new(limits.upstream_connections, limits.idle_upstream_connections, idle_timeout);
        // An authority is always a valid value.
        let upstream_host = HeaderValue::from_str(shared.settings.upstream.authority().as_str())
            .unwrap_or(HeaderValue::from_static(""));
        Self {
            pool: Arc::new(pool),
            identities: IdentityGenerator::new(),
            drain: Drain::default(),
            upstream_host,
            settings: shared.settings,
            sink: shared.sink,
            clock: shared.clock,
            counters: shared.counters,
            budget: shared.budget,
            trust: Trust::new(shared.trusted),
            resolutions: shared.resolutions,
        }
    }
}

/// Runs a worker on the calling thread until `stop` turns true and its connections have ended, at most
/// [`super::Timeouts::shutdown`] later. When it returns, every exchange has been offered.
pub(super) fn run(shared: Shared, listener: TcpListener, stop: watch::Receiver<bool>) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let patience = shared.settings.timeouts.shutdown;
    let result = runtime.block_on(async {
        let worker = Arc::new(Worker::new(shared));
        let listener = tokio::net::TcpListener::from_std(listener)?;
        tokio::spawn(keep_idle_connections(Arc::clone(&worker.pool)));
        let share = worker.settings.limits.connections.div_ceil(worker.settings.threads.get()).max(1);
        let places = Arc::new(Semaphore::new(share.min(Semaphore::MAX_PERMITS)));
        accept_until(&worker, &listener, &places, stop).await;
        // What the kernel accepted before is answered; who comes later is told at once that nobody listens.
        let last = tokio::time::Instant::now() + LAST_ACCEPTS;
        while let Ok(Ok(accepted)) = tokio::time::timeout_at(last, listener.accept()).await {
            spawn_connection(&worker, &places, accepted);
        }
        drop(listener);
        worker.drain.begin();
        worker.pool.clear();
        // All places free: all connections, tunnels included, are over, and their exchanges with them.
        let all = u32::try_from(share).unwrap_or(u32::MAX);
        let _ = tokio::time::timeout(patience, places.acquire_many(all)).await;
        io::Result::Ok(())
    });
    // Ending the runtime drops every task that is left, and each drops its recording, which delivers it. A name that is
    // still being resolved, on a thread that cannot be stopped, is not waited for.
    runtime.shutdown_timeout(LAST_RESOLUTION);
    result
}

/// Accepts connections until told to stop.
async fn accept_until(
    worker: &Arc<Worker>,
    listener: &tokio::net::TcpListener,
    places: &Arc<Semaphore>,
    mut stop: watch::Receiver<bool>,
) {
    loop {
        let accepted = tokio::select! {
            biased;
            // The sender going away means the same.
            _ = stop.wait_for(|stop| *stop) => return,
            accepted = accept_with_place(listener, places) => accepted,
        };
        match accepted {
            Ok(accepted) => spawn_connection(worker, places, accepted),
            Err(_) => {
                worker.counters.accept_failures.add(1);
                // Usually no file descriptors are left; trying again at once would only burn the processor.
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// For taking what the kernel has accepted; the runtime hears of it a moment later.
const LAST_ACCEPTS: Duration = Duration::from_millis(10);
const LAST_RESOLUTION: Duration = Duration::from_secs(1);

const ACCEPT_PAUSE: Duration = Duration::from_millis(20);

type Accepted = (tokio::net::TcpStream, std::net::SocketAddr);

/// Waits for a place before it accepts: over the limit, clients wait in the listen backlog.
async fn accept_with_place(listener: &tokio::net::TcpListener, places: &Semaphore) -> io::Result<Accepted> {
    // The semaphore is never closed.
    let _place = places.acquire().await.map_err(io::Error::other)?;
    listener.accept().await
}

fn spawn_connection(worker: &Arc<Worker>, places: &Arc<Semaphore>, (stream, peer): Accepted) {
    let Ok(place) = Arc::clone(places).try_acquire_owned() else { return };
    let worker = Arc::clone(worker);
    worker.counters.connections_accepted.add(1);
    worker.counters.connections.raise();
    let place = Place { counters: Arc::clone(&worker.counters), _permit: place };
    tokio::spawn(async move {
        if prepare(&stream).is_ok() {
            serve(worker, stream, peer, place).await;
        }
    });
}

/// A client connection's place among those that may be open; free again when it is dropped.
pub(super) struct Place {
    counters: Arc<ProxyCounters>,
    _permit: OwnedSemaphorePermit,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.counters.connections.lower();
    }
}
