//! The shop behind a real HTTP server: HTTP/1.1 and HTTP/2 in cleartext, on any address, port 0 included.
//!
//! Knows transport only; what is answered is decided by [`Shop`].

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Interval;

use crate::random;
use crate::shop::{Answer, Content, Question, Shop};

/// The largest request body taken, bytes.
const BODY_LIMIT: usize = 1024 * 1024;

/// How long connections may take to finish after shutdown was asked for.
const GRACE: Duration = Duration::from_secs(5);

/// How the upstream behaves.
#[derive(Clone, Copy, Debug)]
pub struct UpstreamSettings {
    /// What it issues and when it fails follows from this.
    pub seed: u64,
    /// Mean time to answer; zero answers at once. Single answers take between half and three times as long.
    pub latency: Duration,
    /// Time between server-sent events; zero sends them at once.
    pub event_interval: Duration,
}

impl Default for UpstreamSettings {
    /// Seed 1, 8 ms, two events a second.
    fn default() -> Self {
        Self { seed: 1, latency: Duration::from_millis(8), event_interval: Duration::from_millis(500) }
    }
}

/// A bound upstream; connections wait until [`run`](Self::run).
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// use threadline_traffic::{Upstream, UpstreamSettings};
///
/// let upstream = Upstream::bind(([127, 0, 0, 1], 0).into(), UpstreamSettings::default()).await?;
/// println!("the shop is at http://{}", upstream.local_address());
/// upstream.run(async { /* until shutdown */ }).await;
/// # Ok::<(), std::io::Error>(()) })?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Upstream {
    listener: TcpListener,
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    shop: Shop,
    settings: UpstreamSettings,
    requests: AtomicU64,
}

impl Upstream {
    /// Binds; port 0 takes a free one.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub async fn bind(address: SocketAddr, settings: UpstreamSettings) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let shared = Shared { shop: Shop::new(settings.seed), settings, requests: AtomicU64::new(0) };
        Ok(Self { listener, address, shared: Arc::new(shared) })
    }

    /// Where it listens.
    pub fn local_address(&self) -> SocketAddr {
        self.address
    }

    /// Counts requests answered, also while it runs.
    pub fn request_counter(&self) -> impl Fn() -> u64 + Send + Sync + 'static {
        let shared = Arc::clone(&self.shared);
        move || shared.requests.load(Ordering::Relaxed)
    }

    /// Serves until `shutdown` is done, then lets requests under way finish.
    pub async fn run(self, shutdown: impl Future<Output = ()>) {
        let (closing, closed) = watch::channel(());
        let mut connections = JoinSet::new();
        let mut shutdown = std::pin::pin!(shutdown);
        loop {
            tokio::select! {
                () = &mut shutdown => break,
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, _)) => {
                        // A socket that went away again is no reason to stop.
                        let _ = stream.set_nodelay(true);
                        connections.spawn(serve(stream, Arc::clone(&self.shared), closed.clone()));
                    }
                    // Out of file descriptors: wait for connections to end rather than spin.
                    Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
                },
                Some(_) = connections.join_next() => {}
            }
        }
        drop(closing);
        let drained = async { while connections.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(GRACE, drained).await;
    }
}

async fn serve(stream: tokio::net::TcpStream, shared: Arc<Shared>, mut closed: watch::Receiver<()>) {
    let service = service_fn(move |request| answer(request, Arc::clone(&shared)));
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new());
    let mut connection = std::pin::pin!(builder.serve_connection(TokioIo::new(stream), service));
    tokio::select! {
        _ = &mut connection => {}
        _ = closed.changed() => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the body is limited")]
async fn answer(request: Request<Incoming>, shared: Arc<Shared>) -> Result<Response<ShopBody>, Infallible> {
    let count = shared.requests.fetch_add(1, Ordering::Relaxed);
    let (parts, body) = request.into_parts();
    let Ok(body) = Limited::new(body, BODY_LIMIT).collect().await else {
        return Ok(respond(Answer::problem(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large"), Duration::ZERO));
    };
    let body = body.to_bytes();
    let latency = shared.settings.latency;
    if !latency.is_zero() {
        let share = random::number(shared.settings.seed, "latency", &[&count.to_le_bytes()]) % 100;
        // Most answers are fast, a few are slow.
        let factor = 0.5 + f64::from(share as u32).powi(4) / 1e8 * 2.5;
        tokio::time::sleep(latency.mul_f64(factor)).await;
    }
    let target = parts.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    let question = Question { method: &parts.method, target, headers: &parts.headers, body: &body };
    Ok(respond(shared.shop.answer(question), shared.settings.event_interval))
}

fn respond(answer: Answer, event_interval: Duration) -> Response<ShopBody> {
    let body = match answer.content {
        Content::Whole(bytes) => ShopBody::Whole(Some(bytes).filter(|bytes| !bytes.is_empty())),
        Content::Events(events) => ShopBody::Events {
            interval: (!event_interval.is_zero()).then(|| tokio::time::interval(event_interval)),
            events: events.into_iter(),
        },
    };
    let mut response = Response::new(body);
    *response.status_mut() = answer.status;
    *response.headers_mut() = answer.headers;
    response
}

enum ShopBody {
    Whole(Option<Bytes>),
    Events { interval: Option<Interval>, events: std::vec::IntoIter<Bytes> },
}

impl Body for ShopBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match &mut *self {
            Self::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Events { interval, events } => {
                if events.len() > 0
                    && let Some(interval) = interval
                {
                    ready!(interval.poll_tick(context));
                }
                Poll::Ready(events.next().map(|event| Ok(Frame::data(event))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(bytes) => bytes.is_none(),
            Self::Events { events, .. } => events.len() == 0,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, Bytes::len) as u64),
            Self::Events { .. } => SizeHint::default(),
        }
    }
}
