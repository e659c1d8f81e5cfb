//! `threadline serve`: node and hub in one process. The order of starting is the order of dependence; stopping goes
//! the other way round, so that nothing accepted is lost.

use std::future::pending;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use threadline_capture::proxy::{Proxy, ProxyError, ProxySettings};
use threadline_model::{SystemClock, TrustedProxies};
use threadline_node::{CompileError, Node, NodeSettings};
use threadline_policy::Policy;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::announce::{self, Addresses};
use crate::configuration::Configuration;
use crate::installation::{Installation, InstallationError};
use crate::managed_policy::{ManagedPolicy, ManagedPolicyError};
use crate::signals;

/// Exchanges that wait for analysis before the node sheds.
const QUEUE_CAPACITY: usize = 8_192;
/// How long a stop waits for the store to take what was analysed.
const EXPORT_DEADLINE: Duration = Duration::from_secs(20);
/// How long the announcement waits for the hub to publish how commands find it.
const PUBLISH_DEADLINE: Duration = Duration::from_secs(20);

/// Why serving did not start or ended badly.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ServeError {
    #[error(transparent)]
    Installation(#[from] InstallationError),
    #[error("cannot apply the policy of the configuration file")]
    Policy(#[source] threadline_hub::SaveError),
    #[error(transparent)]
    PolicyFile(#[from] ManagedPolicyError),
    #[error("cannot start the analysis")]
    Node(#[source] CompileError),
    #[error("cannot run the proxy")]
    Proxy(#[source] ProxyError),
    #[error("the upstream cannot be used")]
    Upstream(#[source] threadline_capture::proxy::UpstreamAddressError),
    #[error("cannot listen on {address} for the console")]
    Listen {
        address: std::net::SocketAddr,
        #[source]
        source: std::io::Error,
    },
    #[error("the console ended")]
    Hub(#[source] threadline_hub::OpenError),
    #[error("cannot write {}", file.display())]
    Announce {
        file: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("the console did not publish its address in time")]
    Unpublished,
    #[error("{0} ended by itself, which is a bug")]
    Ended(&'static str),
    #[error("the store did not close cleanly")]
    Close(#[source] threadline_store::StoreError),
    #[error("cannot wait for signals")]
    Signals(#[source] std::io::Error),
}

/// Serves until SIGINT or SIGTERM, or until a part of the service fails. `started` is called with the addresses once
/// everything is up, and its future runs beside the service (the demo's clients); a service without company passes
/// `std::future::pending`. However it ends, everything is stopped in order; the first error is returned.
pub(crate) async fn run<Company: Future<Output = ()> + Send + 'static>(
    configuration: Configuration,
    announce_file: Option<PathBuf>,
    started: impl FnOnce(&Addresses, watch::Receiver<bool>) -> Company,
) -> Result<(), ServeError> {
    let signals = signals::install().map_err(ServeError::Signals)?;

    // Both addresses are taken before anything is created, so that a busy port leaves nothing behind.
    let console_address = configuration.hub.listen;
    let listener = TcpListener::bind(console_address)
        .await
        .map_err(|source| ServeError::Listen { address: console_address, source })?;
    let console = listener.local_addr().map_err(|source| ServeError::Listen { address: console_address, source })?;

    let installation = tokio::select! {
        installation = Installation::open(&configuration) => installation?,
        () = told(signals.clone()) => return Ok(()),
    };
    let (node, proxy, managed) = match start(&configuration, &installation).await {
        Ok(parts) => parts,
        Err(error) => return first(Err(error), installation.close().await.map_err(ServeError::Close)),
    };

    let console_url = match &configuration.hub.public_url {
        Some(public) => format!("{}/", public.origin()),
        None => announce::reachable(&format!("http://{console}/")),
    };
    let addresses = Addresses {
        first_run_url: installation.hub.first_run_token().map(|token| format!("{console_url}first-run#token={token}")),
        console_url,
        proxy_url: proxy.as_ref().map(|proxy| format!("http://{}/", proxy.local_address())),
    };

    let (stop, stopping) = watch::channel(false);
    let (stop_hub, stopping_hub) = watch::channel(false);
    let mut hub = Task::spawn("the console", {
        let hub = installation.hub.clone();
        async move { hub.serve(listener, told(stopping_hub)).await.map_err(ServeError::Hub) }
    });
    let mut proxy = proxy.map(|proxy| {
        let stopping = told(stopping.clone());
        Task::spawn("the proxy", async move { proxy.run(stopping).await.map_err(ServeError::Proxy) })
    });
    let followed = managed.map(|managed| {
        let stopping = told(stopping.clone());
        tokio::spawn(async move {
            tokio::select! {
                () = managed.follow() => {}
                () = stopping => {}
            }
        })
    });
    installation.ready.store(true, Ordering::Release);
    tracing::info!(console = %addresses.console_url, proxy = addresses.proxy_url.as_deref(), "up");
    announce::on_terminal(&addresses, configuration.proxy.upstream.as_deref(), &configuration.data);
    let company = tokio::spawn(started(&addresses, stopping));

    let mut outcome = tokio::select! {
        () = told(signals) => Ok(()),
        error = hub.fails() => Err(error),
        error = async { match &mut proxy { Some(proxy) => proxy.fails().await, None => pending().await } } => Err(error),
        Err(error) = async {
            let published = publish(&addresses, &configuration.data, announce_file).await;
            if published.is_ok() { pending().await } else { published }
        } => Err(error),
    };
    tracing::info!("stopping");
    installation.ready.store(false, Ordering::Release);
    let _ = stop.send(true);
    if let Some(proxy) = proxy {
        outcome = first(outcome, proxy.end().await);
    }
    let _ = company.await;
    if let Some(followed) = followed {
        let _ = followed.await;
    }
    node.shut_down(EXPORT_DEADLINE).await;
    let _ = stop_hub.send(true);
    outcome = first(outcome, hub.end().await);
    outcome = first(outcome, installation.close().await.map_err(ServeError::Close));
    tracing::info!("stopped");
    outcome
}

/// Starts what stands on an open installation.
async fn start(
    configuration: &Configuration,
    installation: &Installation,
) -> Result<(Node, Option<Proxy>, Option<ManagedPolicy>), ServeError> {
    // The store's lock is ours now: what points to a running hub was left behind by one that was killed.
    for stale in ["local-token", "hub-address"] {
        let _ = std::fs::remove_file(configuration.data.join(stale));
    }
    if let Some(document) = configuration.policy.clone() {
        installation.hub.apply_policy(document, "configuration file").await.map_err(ServeError::Policy)?;
    }
    let managed = match configuration.policy_file.clone() {
        Some(file) => Some(ManagedPolicy::start(installation.hub.clone(), file).await?),
        None => None,
    };
    let settings = NodeSettings {
        name: configuration.node.clone(),
        bounds: configuration.bounds,
        queue_capacity: QUEUE_CAPACITY,
        recent: Arc::clone(&installation.recent),
    };
    let node =
        Node::start(settings, installation.hub.policy(), Arc::clone(&installation.secret), installation.exporter())
            .map_err(ServeError::Node)?;
    let _ = installation.sources.node.set(node.counters());
    let proxy = match bind_proxy(configuration, &node, installation.hub.policy()) {
        Ok(proxy) => proxy,
        Err(error) => {
            node.shut_down(EXPORT_DEADLINE).await;
            return Err(error);
        }
    };
    if let Some(proxy) = &proxy {
        let _ = installation.sources.proxy.set(proxy.counters());
        let _ = installation.sources.resolutions.set(proxy.resolutions());
    }
    Ok((node, proxy, managed))
}

fn bind_proxy(
    configuration: &Configuration,
    node: &Node,
    policy: watch::Receiver<Arc<Policy>>,
) -> Result<Option<Proxy>, ServeError> {
    let configuration = &configuration.proxy;
    let Some(upstream) = &configuration.upstream else { return Ok(None) };
    let mut settings = ProxySettings::new(configuration.listen, upstream.parse().map_err(ServeError::Upstream)?);
    settings.threads = configuration.threads;
    settings.strict_framing = configuration.strict_framing;
    settings.trusted_proxies = policy.borrow().trusted_proxies().clone();
    settings.limits.upstream_connections = configuration.upstream_connections;
    settings.capture.request_bytes = configuration.capture_request_bytes;
    settings.capture.response_bytes = configuration.capture_response_bytes;
    settings.capture.budget_bytes = configuration.capture_budget_bytes;
    let proxy = Proxy::bind(settings, node.queue(), Arc::new(SystemClock)).map_err(ServeError::Proxy)?;
    tokio::spawn(follow_trusted_proxies(policy, proxy.trusted_proxies()));
    Ok(Some(proxy))
}

/// Tells the proxy what the policy says about trusted proxies, until one of both is gone.
async fn follow_trusted_proxies(mut policy: watch::Receiver<Arc<Policy>>, proxy: watch::Sender<Arc<TrustedProxies>>) {
    loop {
        let trusted = policy.borrow_and_update().trusted_proxies().clone();
        proxy.send_if_modified(|held| {
            let changed = **held != trusted;
            if changed {
                *held = Arc::new(trusted);
            }
            changed
        });
        tokio::select! {
            changed = policy.changed() => if changed.is_err() { return },
            () = proxy.closed() => return,
        }
    }
}

/// The first error of two.
fn first(one: Result<(), ServeError>, other: Result<(), ServeError>) -> Result<(), ServeError> {
    if let (Err(_), Err(later)) = (&one, &other) {
        tracing::error!(error = later as &dyn std::error::Error, "and while stopping");
    }
    one.and(other)
}

/// A part of the service that runs until it is told to stop.
struct Task {
    name: &'static str,
    running: Option<JoinHandle<Result<(), ServeError>>>,
}

impl Task {
    fn spawn(name: &'static str, part: impl Future<Output = Result<(), ServeError>> + Send + 'static) -> Self {
        Self { name, running: Some(tokio::spawn(part)) }
    }

    /// Done if it ends before it is told to: why.
    async fn fails(&mut self) -> ServeError {
        match self.joined().await {
            Err(error) => error,
            Ok(()) => ServeError::Ended(self.name),
        }
    }

    /// Waits for its end, unless that was seen already. It has been told.
    async fn end(mut self) -> Result<(), ServeError> {
        self.joined().await
    }

    async fn joined(&mut self) -> Result<(), ServeError> {
        let Some(running) = &mut self.running else { return Ok(()) };
        let joined = running.await;
        self.running = None;
        // A panic has been reported where it happened.
        joined.unwrap_or(Err(ServeError::Ended(self.name)))
    }
}

/// Done once the channel says true, or its sender is gone.
pub(crate) async fn told(mut stopping: watch::Receiver<bool>) {
    let _ = stopping.wait_for(|stop| *stop).await;
}

/// Writes the announcement, if one is asked for. The hub leaves its token in the data folder when it begins to serve;
/// scripts that read the announcement rely on it.
async fn publish(addresses: &Addresses, data: &Path, file: Option<PathBuf>) -> Result<(), ServeError> {
    let Some(file) = file else { return Ok(()) };
    let published = async {
        while !data.join("local-token").exists() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PUBLISH_DEADLINE, published).await.map_err(|_| ServeError::Unpublished)?;
    announce::to_file(addresses, &file).map_err(|source| ServeError::Announce { file, source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_part_that_ends_unasked_is_a_failure_once() {
        let mut quiet = Task::spawn("a part", async { Ok(()) });
        assert!(matches!(quiet.fails().await, ServeError::Ended("a part")));
        assert!(quiet.end().await.is_ok(), "told already");
        let mut broken = Task::spawn("a part", async { panic!("on purpose") });
        assert!(matches!(broken.fails().await, ServeError::Ended("a part")));
        let told = Task::spawn("a part", async { Err(ServeError::Unpublished) });
        assert!(matches!(first(told.end().await, Ok(())), Err(ServeError::Unpublished)));
        let both = first(Err(ServeError::Unpublished), Err(ServeError::Ended("a part")));
        assert!(matches!(both, Err(ServeError::Unpublished)), "the first counts");
    }
}
