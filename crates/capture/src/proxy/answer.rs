//! One request: judged, sent upstream, its response handed back. Runs in the task of the client's connection.

use std::convert::Infallible;
use std::sync::Arc;

use http::header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE};
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, Uri, Version};
use hyper::body::{Body, Incoming};
use hyper::upgrade::OnUpgrade;
use threadline_model::{HttpVersion, Outcome};

use super::body::{RequestBody, RequestTap, ResponseBody};
use super::connection::ClientConnection;
use super::counters::ProxyCounters;
use super::framing::HeadFault;
use super::hygiene::{
    Present, RequestFault, accepts_websocket, asks_for_websocket, mark_websocket, prepare_request, prepare_response,
    request_host, settle_cookies,
};
use super::recording::{Recording, RequestHead};
use super::tunnel::Tunnel;
use super::upstream::{ConnectError, Link, SendError};
use super::worker::Worker;

/// Why the proxy answers by itself.
enum Failure {
    /// Ambiguous framing, found in the raw bytes.
    Framing(&'static str),
    /// Something else in the head.
    Request(RequestFault),
    /// The client broke its body off.
    Body,
    /// The chunks of the body were malformed.
    Chunks,
    /// No connection, or no usable response.
    BadGateway,
    /// The upstream took too long.
    GatewayTimeout,
}

/// Answers one request; `ambiguous` if its framing must be refused.
pub(super) async fn answer(
    connection: Arc<ClientConnection>,
    mut request: Request<Incoming>,
    ambiguous: Option<HeadFault>,
) -> Result<Response<ResponseBody>, Infallible> {
    connection.worker.counters.requests.add(1);
    let upgrade = take_websocket_upgrade(&mut request);
    let (mut parts, body) = request.into_parts();
    let present = Present::scan(&parts.headers);
    settle_cookies(&mut parts.headers, present);

    let host = request_host(&parts);
    let tap = (!body.is_end_stream()).then(|| RequestTap::new(Arc::clone(&connection.worker)));
    let head = RequestHead {
        method: parts.method.clone(),
        version: http_version(parts.version),
        uri: parts.uri.clone(),
        host: host.as_ref().ok().and_then(Clone::clone),
        headers: parts.headers.clone(),
    };
    let mut exchange = InFlight {
        recording: Recording::begin(&connection, head, tap.clone()),
        connection,
        tap,
        version: parts.version,
        wants_upgrade: upgrade.is_some(),
    };
    let host = match (ambiguous, host) {
        (Some(fault), _) => return Ok(exchange.refuse(&Failure::Framing(fault.reason()))),
        (None, Err(fault)) => return Ok(exchange.refuse(&Failure::Request(fault))),
        (None, Ok(_)) if exchange.tap.is_none() && present.promises_a_body(&parts.headers) => {
            return Ok(exchange.refuse(&Failure::Request(RequestFault::ContentLength)));
        }
        (None, Ok(host)) => host,
    };

    exchange.prepare(&mut parts.headers, present, host.as_ref());
    parts.version = Version::HTTP_11;
    parts.uri = upstream_target(parts.uri, exchange.worker().settings.upstream.prefix());
    let mut body = match &exchange.tap {
        Some(tap) => RequestBody::streaming(body, Arc::clone(tap)),
        None => RequestBody::empty(),
    };
    body.fetch_first().await;
    match exchange.send(Request::from_parts(parts, body)).await {
        Ok((response, link)) => Ok(exchange.respond(response, link, upgrade)),
        Err(failure) => Ok(exchange.refuse(&failure)),
    }
}

/// A request on its way.
struct InFlight {
    connection: Arc<ClientConnection>,
    recording: Recording,
    tap: Option<Arc<RequestTap>>,
    version: Version,
    wants_upgrade: bool,
}

impl InFlight {
    fn worker(&self) -> &Arc<Worker> {
        &self.connection.worker
    }

    /// Makes the client's header section one for the upstream.
    fn prepare(&self, headers: &mut HeaderMap, present: Present, host: Option<&HeaderValue>) {
        let worker = self.worker();
        let rules = worker.settings.forwarding;
        prepare_request(headers, present, host, &worker.upstream_host, &self.connection.peer, self.version, rules);
        if self.wants_upgrade {
            mark_websocket(headers);
        }
    }

    /// Sends the request, over a kept connection if there is one; once more over a new one where that is safe.
    async fn send(&mut self, request: Request<RequestBody>) -> Result<(Response<Incoming>, Box<Link>), Failure> {
        let worker = Arc::clone(self.worker());
        // Safe to repeat whatever became of it (RFC 9110, section 9.2.1), and nothing of it is used up.
        let repeatable = (self.tap.is_none() && request.method().is_safe()).then(|| request.uri().clone());
        let mut kept = worker.pool.take();
        let mut next = Some(request);
        while let Some(request) = next.take() {
            let at_once = kept.is_some() && self.tap.is_none();
            let mut link = match kept.take() {
                Some(link) => link,
                // Boxed: it is large, rare, and would otherwise be part of every request's future.
                None => Box::pin(Link::open(&worker.settings, &worker.counters)).await?,
            };
            let since = self.recording.sending(at_once);
            let progress = || self.tap.as_ref().map_or(0, |tap| tap.seen());
            match link.send(request, since, worker.settings.timeouts.response_head, progress).await {
                Ok(response) => return Ok((response, link)),
                Err(SendError::TimedOut) => return Err(Failure::GatewayTimeout),
                Err(_) if self.tap.as_ref().is_some_and(|tap| tap.has_failed()) => {
                    return Err(if self.connection.body_was_broken() { Failure::Chunks } else { Failure::Body });
                }
                // The upstream closed the kept connection just as the request went out.
                Err(SendError::NotSent(request)) if link.is_reused() => next = Some(*request),
                Err(SendError::Broken(error)) if link.is_reused() && !error.is_parse() => {
                    next = repeatable.as_ref().and_then(|target| self.repeat(target));
                }
                Err(SendError::NotSent(_) | SendError::Broken(_)) => {}
            }
            if next.is_some() {
                worker.counters.upstream_retries.add(1);
            }
        }
        Err(Failure::BadGateway)
    }

    /// The request once more, from its recording.
    fn repeat(&self, target: &Uri) -> Option<Request<RequestBody>> {
        let head = self.recording.request_head()?;
        let mut request = Request::new(RequestBody::empty());
        *request.method_mut() = head.method.clone();
        *request.uri_mut() = target.clone();
        *request.headers_mut() = head.headers.clone();
        self.prepare(request.headers_mut(), Present::scan(&head.headers), head.host.as_ref());
        Some(request)
    }

    /// Hands the response on, or becomes a tunnel.
    fn respond(
        mut self,
        response: Response<Incoming>,
        link: Box<Link>,
        upgrade: Option<OnUpgrade>,
    ) -> Response<ResponseBody> {
        let (mut parts, body) = response.into_parts();
        let switches = parts.status == StatusCode::SWITCHING_PROTOCOLS;
        if switches && (upgrade.is_none() || !accepts_websocket(&parts.headers)) {
            return self.refuse(&Failure::BadGateway);
        }
        self.recording.response_head(parts.status.as_u16(), http_version(parts.version), &parts.headers);
        prepare_response(&mut parts.headers, self.worker().settings.forwarding);
        // hyper would answer in the version of the upstream otherwise.
        parts.version = Version::HTTP_11;
        let body = match upgrade {
            Some(client) if switches => {
                mark_websocket(&mut parts.headers);
                Tunnel::open(Arc::clone(self.worker()), client, link, self.recording);
                ResponseBody::own(bytes::Bytes::new(), None)
            }
            _ => ResponseBody::streaming(body, link, self.recording),
        };
        Response::from_parts(parts, body)
    }

    /// The proxy's own answer: a status, one line of text, and a recorded exchange.
    fn refuse(mut self, failure: &Failure) -> Response<ResponseBody> {
        let (status, outcome, reason) = failure.answer(&self.worker().counters);
        let text = format!("{} {}\n", status.as_u16(), reason);
        let mut headers = HeaderMap::with_capacity(3);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        headers.insert(CONTENT_LENGTH, HeaderValue::from(text.len()));
        if outcome != Outcome::UpstreamFailed {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        self.recording.own_response(status.as_u16(), &headers, text.as_bytes(), outcome);
        let mut response = Response::new(ResponseBody::own(text, Some(self.recording)));
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        response
    }
}

/// The client's side of the upgrade, if it asks for one that is offered. hyper puts it into every request that has
/// an `Upgrade` field.
fn take_websocket_upgrade(request: &mut Request<Incoming>) -> Option<OnUpgrade> {
    let upgrade = request.extensions_mut().remove::<OnUpgrade>()?;
    let bodyless = request.body().is_end_stream();
    (bodyless && asks_for_websocket(request.method(), request.version(), request.headers())).then_some(upgrade)
}

/// Path and query in origin-form (RFC 9112, section 3.2.1), the upstream's prefix before it.
fn upstream_target(target: Uri, prefix: &str) -> Uri {
    if target.scheme().is_none() && target.authority().is_none() && prefix.is_empty() {
        return target;
    }
    let path = target.path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"));
    if prefix.is_empty() || path.as_str() == "*" {
        return Uri::from(path);
    }
    let separator = if path.as_str().starts_with('/') { "" } else { "/" };
    // Both halves are valid, so is the whole; were it too long, the bare path reaches the upstream's 404 or 414.
    Uri::try_from(format!("{prefix}{separator}{path}")).unwrap_or_else(|_| Uri::from(path))
}

impl From<ConnectError> for Failure {
    fn from(error: ConnectError) -> Self {
        tracing::debug!(error = &error as &dyn std::error::Error, "no upstream connection");
        match error {
            ConnectError::TimedOut => Self::GatewayTimeout,
            ConnectError::Refused(_) | ConnectError::Handshake(_) => Self::BadGateway,
        }
    }
}

impl Failure {
    /// What the client is told, what is recorded, and why; counted.
    fn answer(&self, counters: &ProxyCounters) -> (StatusCode, Outcome, &'static str) {
        match self {
            Failure::Framing(reason) => (StatusCode::BAD_REQUEST, Outcome::Refused, *reason),
            Failure::Request(fault) => {
                counters.refused_request.add(1);
                let status = match fault {
                    RequestFault::Connect => StatusCode::METHOD_NOT_ALLOWED,
                    _ => StatusCode::BAD_REQUEST,
                };
                (status, Outcome::Refused, fault.reason())
            }
            Failure::Chunks => (StatusCode::BAD_REQUEST, Outcome::Refused, HeadFault::Chunks.reason()),
            Failure::Body => (StatusCode::BAD_REQUEST, Outcome::ClientAborted, "the request body broke off"),
            Failure::BadGateway => {
                counters.upstream_failures.add(1);
                (StatusCode::BAD_GATEWAY, Outcome::UpstreamFailed, "the upstream gave no response")
            }
            Failure::GatewayTimeout => {
                counters.upstream_timeouts.add(1);
                (StatusCode::GATEWAY_TIMEOUT, Outcome::UpstreamFailed, "the upstream took too long")
            }
        }
    }
}

fn http_version(version: Version) -> HttpVersion {
    match version {
        Version::HTTP_09 | Version::HTTP_10 => HttpVersion::Http10,
        Version::HTTP_2 => HttpVersion::Http2,
        Version::HTTP_3 => HttpVersion::Http3,
        _ => HttpVersion::Http11,
    }
}
