//! `threadline serve`: node and hub in one process. The order of starting is the order of dependence; stopping goes
//! the other way round, so that nothing accepted is lost.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use threadline_capture::proxy::{Proxy, ProxyError, ProxySettings};
use threadline_model::SystemClock;
use threadline_node::{CompileError, Node, NodeSettings};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::announce::{self, Addresses};
use crate::configuration::Configuration;
use crate::installation::{Installation, InstallationError, StoreExporter};

/// Exchanges that wait for analysis before the node sheds.
const QUEUE_CAPACITY: usize = 8_192;
/// How long a stop waits for the store to take what was analysed.
const EXPORT_DEADLINE: Duration = Duration::from_secs(20);

/// Why serving did not start or ended badly.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ServeError {
    #[error(transparent)]
    Installation(#[from] InstallationError),
    #[error("cannot apply the policy of the configuration file")]
    Policy(#[source] threadline_hub::SaveError),
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
    #[error("the store did not close cleanly")]
    Close(#[source] threadline_store::StoreError),
    #[error("cannot wait for signals")]
    Signals(#[source] std::io::Error),
}

/// Serves until SIGINT or SIGTERM. `started` is called with the addresses once everything is up, and its future runs
/// beside the service (the demo's clients); a service without company passes `std::future::pending`.
pub(crate) async fn run<Company: Future<Output = ()> + Send + 'static>(
    configuration: Configuration,
    announce_file: Option<PathBuf>,
    started: impl FnOnce(&Addresses, watch::Receiver<bool>) -> Company,
) -> Result<(), ServeError> {
    let signals = Signals::install().map_err(ServeError::Signals)?;
    let clock = Arc::new(SystemClock);

    // Both addresses are taken before anything is created, so that a busy port leaves nothing behind.
    let console_address = configuration.hub.listen;
    let listener = TcpListener::bind(console_address)
        .await
        .map_err(|source| ServeError::Listen { address: console_address, source })?;
    let console = listener.local_addr().map_err(|source| ServeError::Listen { address: console_address, source })?;

    let installation = Installation::open(&configuration).await?;
    // The store's lock is ours now: what points to a running hub was left behind by one that was killed.
    for stale in ["local-token", "hub-address"] {
        let _ = std::fs::remove_file(configuration.data.join(stale));
    }
    if let Some(document) = configuration.policy.clone() {
        installation.hub.apply_policy(document, "configuration file").await.map_err(ServeError::Policy)?;
    }
    let settings = NodeSettings { name: configuration.node.clone(), queue_capacity: QUEUE_CAPACITY };
    let exporter = Arc::new(StoreExporter(Arc::clone(&installation.store)));
    let node = Node::start(settings, installation.hub.policy(), Arc::clone(&installation.secret), exporter)
        .map_err(ServeError::Node)?;
    let _ = installation.sources.node.set(node.counters());

    let proxy = match &configuration.proxy.upstream {
        Some(upstream) => {
            let mut settings =
                ProxySettings::new(configuration.proxy.listen, upstream.parse().map_err(ServeError::Upstream)?);
            settings.threads = configuration.proxy.threads;
            settings.strict_framing = configuration.proxy.strict_framing;
            settings.capture.request_bytes = configuration.proxy.capture_request_bytes;
            settings.capture.response_bytes = configuration.proxy.capture_response_bytes;
            settings.capture.budget_bytes = configuration.proxy.capture_budget_bytes;
            Some(Proxy::bind(settings, node.queue(), clock).map_err(ServeError::Proxy)?)
        }
        None => None,
    };
    if let Some(proxy) = &proxy {
        let _ = installation.sources.proxy.set(proxy.counters());
    }

    let console_url = format!("http://{console}/");
    let addresses = Addresses {
        first_run_url: installation.hub.first_run_token().map(|token| format!("{console_url}first-run#token={token}")),
        console_url,
        proxy_url: proxy.as_ref().map(|proxy| format!("http://{}/", proxy.local_address())),
    };

    let (stop, stopping) = watch::channel(false);
    let (stop_hub, stopping_hub) = watch::channel(false);
    let hub_task = tokio::spawn({
        let hub = installation.hub.clone();
        async move { hub.serve(listener, told(stopping_hub)).await }
    });
    let proxy_task = proxy.map(|proxy| tokio::spawn(proxy.run(told(stopping.clone()))));
    installation.ready.store(true, Ordering::Release);
    tracing::info!(console = %addresses.console_url, proxy = addresses.proxy_url.as_deref(), "up");
    announce::on_terminal(&addresses, configuration.proxy.upstream.as_deref(), &configuration.data);
    let company = tokio::spawn(started(&addresses, stopping));
    if let Some(file) = announce_file {
        wait_until_published(&configuration.data).await;
        announce::to_file(&addresses, &file).map_err(|source| ServeError::Announce { file, source })?;
    }

    signals.wait().await;
    tracing::info!("stopping");
    installation.ready.store(false, Ordering::Release);
    let _ = stop.send(true);
    if let Some(task) = proxy_task {
        flatten(task.await).map_err(ServeError::Proxy)?;
    }
    let _ = company.await;
    node.shut_down(EXPORT_DEADLINE).await;
    let _ = stop_hub.send(true);
    flatten(hub_task.await).map_err(ServeError::Hub)?;
    installation.close().await.map_err(ServeError::Close)?;
    tracing::info!("stopped");
    Ok(())
}

/// Done once the channel says true, or its sender is gone.
pub(crate) async fn told(mut stopping: watch::Receiver<bool>) {
    let _ = stopping.wait_for(|stop| *stop).await;
}

/// The hub leaves its token in the data folder when it begins to serve; scripts that read the announcement rely on it.
async fn wait_until_published(data: &std::path::Path) {
    while !data.join("local-token").exists() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn flatten<T, E>(joined: Result<Result<T, E>, tokio::task::JoinError>) -> Result<T, E> {
    match joined {
        Ok(result) => result,
        Err(panicked) => std::panic::resume_unwind(panicked.into_panic()),
    }
}

/// SIGINT and SIGTERM.
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

impl Signals {
    fn install() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn wait(mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
