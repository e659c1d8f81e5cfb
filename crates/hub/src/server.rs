//! The HTTP server: connections, and what holds for every answer.

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tower::ServiceExt as _;

use crate::hub::Inner;
use crate::problem::Problem;
use crate::security::{ClientAddress, forwarded, guard, host};
use crate::{console, routes};

/// Connections at the same time; more wait to be accepted.
const CONNECTIONS: usize = 1_024;
/// A request's head must arrive within this time.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// Bytes that a request's head may have.
const HEAD_BYTES: usize = 64 * 1_024;
/// After a shutdown began, requests under way may take this long.
const DRAIN: Duration = Duration::from_secs(10);

/// Forbids everything but the console's own files; inline styles are how its components are placed.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; \
    frame-ancestors 'none'";

const ANSWER_HEADERS: &[(&str, &str)] = &[
    ("content-security-policy", CONTENT_SECURITY_POLICY),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
];

/// Everything the hub answers.
pub(crate) fn router(hub: Arc<Inner>) -> axum::Router {
    let (api, _) = routes::api();
    let machines = axum::Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .method_not_allowed_fallback(|| async { Problem::method_not_allowed("GET, HEAD") });
    api.layer(from_fn_with_state(Arc::clone(&hub), guard::guard))
        .merge(machines)
        .fallback(elsewhere)
        .layer(from_fn_with_state(Arc::clone(&hub), around))
        .with_state(hub)
}

/// What holds for every answer: the Host check, the headers, the counters.
async fn around(State(hub): State<Arc<Inner>>, mut request: Request, next: Next) -> Response {
    let began = Instant::now();
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map_or("other", MatchedPath::as_str).to_owned();
    let api = request.uri().path().starts_with("/api/");
    // Probes of an orchestrator name whatever they like, and these two answers are the same for everybody.
    let probe = matches!(route.as_str(), "/healthz" | "/readyz");
    let ours = probe || host::is_ours(request.headers(), request.uri(), &hub.settings.host_names);
    if let Some(peer) = request.extensions().get::<ClientAddress>().copied() {
        let client = forwarded::client(peer, request.headers(), &hub.settings.trusted_proxies);
        request.extensions_mut().insert(client);
    }
    let mut response = if ours { next.run(request).await } else { Problem::host().into_response() };
    let headers = response.headers_mut();
    for (name, value) in ANSWER_HEADERS {
        headers.insert(*name, HeaderValue::from_static(value));
    }
    if api || !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    hub.settings.metrics.answered(&method, &route, response.status().as_u16(), began.elapsed());
    response
}

async fn ready(State(hub): State<Arc<Inner>>) -> (StatusCode, String) {
    match (hub.settings.ready)() {
        Ok(()) => (StatusCode::OK, "ready\n".to_owned()),
        Err(reason) => (StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {reason}\n")),
    }
}

async fn metrics(State(hub): State<Arc<Inner>>) -> impl IntoResponse {
    let kind = [(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")];
    (kind, (hub.settings.render_metrics)())
}

/// Whatever is no route: an unknown place in the API, or the console.
async fn elsewhere(method: Method, uri: http::Uri, headers: HeaderMap) -> Response {
    let path = uri.path();
    if path == "/api" || path.starts_with("/api/") {
        return Problem::not_found("There is no such place in the API; see /api/v1/openapi.json.").into_response();
    }
    if !matches!(method, Method::GET | Method::HEAD) {
        return Problem::method_not_allowed("GET, HEAD").into_response();
    }
    console::serve(path, &headers)
}

/// Serves until `shutdown`, then lets requests under way finish.
pub(crate) async fn serve(router: axum::Router, listener: TcpListener, shutdown: impl Future<Output = ()>) {
    let permits = Arc::new(Semaphore::new(CONNECTIONS));
    let graceful = GracefulShutdown::new();
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let accepted = async {
            // Closing the semaphore is the only way this fails, and nobody does.
            let permit = Arc::clone(&permits).acquire_owned().await.ok();
            (permit, listener.accept().await)
        };
        let (permit, accepted) = tokio::select! {
            accepted = accepted => accepted,
            () = &mut shutdown => break,
        };
        match accepted {
            Ok((stream, peer)) => {
                let connection = graceful.watch(connection(router.clone(), stream, ClientAddress(peer.ip())));
                tokio::spawn(async move {
                    let _permit = permit;
                    // What clients do wrong on the wire is not ours to log.
                    let _ = connection.await;
                });
            }
            Err(error) => {
                tracing::warn!(%error, "could not accept a connection");
                // Out of descriptors, most likely: others have to be closed first.
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
    drop(listener);
    if tokio::time::timeout(DRAIN, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests were cut off by the shutdown");
    }
}

fn connection(
    router: axum::Router,
    stream: TcpStream,
    address: ClientAddress,
) -> impl hyper_util::server::graceful::GracefulConnection<Error = hyper::Error> {
    let service = hyper::service::service_fn(move |request: http::Request<hyper::body::Incoming>| {
        let mut request = request.map(axum::body::Body::new);
        request.extensions_mut().insert(address);
        let router = router.clone();
        async move { Ok::<_, Infallible>(router.oneshot(request).await.into_response()) }
    });
    hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service)
}
