//! One request: judged, sent upstream, its response handed back. Runs in the task of the client's connection.

use std::sync::Arc;

use http::header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE};
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, Uri, Version};
use hyper::body::{Body, Incoming};
use threadline_model::{HttpVersion, Outcome};

use super::body::{RequestBody, RequestTap, ResponseBody};
use super::connection::ClientConnection;
use super::framing::HeadFault;
use super::hygiene::{
    RequestFault, accepts_websocket, asks_for_websocket, mark_websocket, prepare_request, prepare_response,
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
) -> Response<ResponseBody> {
    let worker = Arc::clone(&connection.worker);
    worker.counters.requests.add(1);
    let upgrade = asks_for_websocket_upgrade(&mut request);
    let (mut parts, body) = request.into_parts();
    settle_cookies(&mut parts.headers);

    let host = request_host(&parts);
    let tap = (!body.is_end_stream()).then(|| RequestTap::new(Arc::clone(&worker)));
    let head = RequestHead {
        method: parts.method.clone(),
        version: http_version(parts.version),
        uri: parts.uri.clone(),
        host: host.as_ref().ok().and_then(Clone::clone),
        headers: parts.headers.clone(),
    };
    let recording = Recording::begin(&connection, head, tap.clone());

    let refusal = match (ambiguous, &host) {
        (Some(fault), _) => Some(Failure::Framing(fault.reason())),
        (None, Err(fault)) => Some(Failure::Request(*fault)),
        (None, Ok(_)) if tap.is_none() && promises_a_body(&parts.headers) => {
            Some(Failure::Request(RequestFault::ContentLength))
        }
        (None, Ok(_)) => None,
    };
    if let Some(refusal) = refusal {
        return refuse(&worker, recording, &refusal);
    }

    let version = parts.version;
    let host = host.ok().flatten();
    prepare_request(
        &mut parts.headers,
        host.as_ref(),
        &worker.upstream_host,
        &connection.peer,
        version,
        worker.settings.forwarding,
    );
    if upgrade.is_some() {
        mark_websocket(&mut parts.headers);
    }
    parts.version = Version::HTTP_11;
    parts.uri = upstream_target(parts.uri, worker.settings.upstream.prefix());
    let mut body = match &tap {
        Some(tap) => RequestBody::streaming(body, Arc::clone(tap)),
        None => RequestBody::empty(),
    };
    body.fetch_first().await;
    let exchange = InFlight { connection, worker, recording, tap, version, wants_upgrade: upgrade.is_some() };
    let (response, link, exchange) = match exchange.send(Request::from_parts(parts, body)).await {
        Ok(answered) => answered,
        Err((failure, exchange)) => return refuse(&exchange.worker, exchange.recording, &failure),
    };
    exchange.respond(response, link, upgrade)
}

/// A request on its way.
struct InFlight {
    connection: Arc<ClientConnection>,
    worker: Arc<Worker>,
    recording: Recording,
    tap: Option<Arc<RequestTap>>,
    version: Version,
    wants_upgrade: bool,
}

impl InFlight {
    /// Sends the request, over a kept connection if there is one; once more over a new one where that is safe.
    async fn send(
        mut self,
        request: Request<RequestBody>,
    ) -> Result<(Response<Incoming>, Box<Link>, Self), (Failure, Self)> {
        let worker = Arc::clone(&self.worker);
        // Safe to repeat whatever became of it (RFC 9110, section 9.2.1), and nothing of it is used up.
        let repeatable = self.tap.is_none() && request.method().is_safe();
        let target = if repeatable { Some(request.uri().clone()) } else { None };
        let mut next = Some(request);
        let mut kept = worker.pool.take();
        while let Some(request) = next.take() {
            let mut link = match kept.take() {
                Some(link) => link,
                None => match Link::open(&worker.settings, &worker.counters).await {
                    Ok(link) => Box::new(link),
                    Err(error) => {
                        tracing::debug!(error = &error as &dyn std::error::Error, "no upstream connection");
                        let failure = match error {
                            ConnectError::TimedOut => Failure::GatewayTimeout,
                            ConnectError::Refused(_) | ConnectError::Handshake(_) => Failure::BadGateway,
                        };
                        return Err((failure, self));
                    }
                },
            };
            self.recording.sending();
            let progress = || self.tap.as_ref().map_or(0, |tap| tap.seen());
            let patience = worker.settings.timeouts.response_head;
            match link.send(request, patience, progress).await {
                Ok(response) => return Ok((response, link, self)),
                Err(SendError::TimedOut) => return Err((Failure::GatewayTimeout, self)),
                Err(_) if self.tap.as_ref().is_some_and(|tap| tap.has_failed()) => {
                    let broken = self.connection.body_was_broken();
                    return Err((if broken { Failure::Chunks } else { Failure::Body }, self));
                }
                // The upstream closed the kept connection just as the request went out.
                Err(SendError::NotSent(request)) if link.is_reused() => next = Some(*request),
                Err(SendError::Broken(error)) if link.is_reused() && !error.is_parse() => {
                    next = target.as_ref().and_then(|target| self.repeat(target));
                }
                Err(SendError::NotSent(_) | SendError::Broken(_)) => {}
            }
            if next.is_some() {
                worker.counters.upstream_retries.add(1);
            }
        }
        Err((Failure::BadGateway, self))
    }

    /// The request once more, from its recording.
    fn repeat(&self, target: &Uri) -> Option<Request<RequestBody>> {
        let head = self.recording.request_head()?;
        let mut request = Request::new(RequestBody::empty());
        *request.method_mut() = head.method.clone();
        *request.uri_mut() = target.clone();
        *request.headers_mut() = head.headers.clone();
        prepare_request(
            request.headers_mut(),
            head.host.as_ref(),
            &self.worker.upstream_host,
            &self.connection.peer,
            self.version,
            self.worker.settings.forwarding,
        );
        if self.wants_upgrade {
            mark_websocket(request.headers_mut());
        }
        Some(request)
    }

    /// Hands the response on, or becomes a tunnel.
    fn respond(
        mut self,
        response: Response<Incoming>,
        link: Box<Link>,
        upgrade: Option<hyper::upgrade::OnUpgrade>,
    ) -> Response<ResponseBody> {
        let (mut parts, body) = response.into_parts();
        let switches = parts.status == StatusCode::SWITCHING_PROTOCOLS;
        if switches && (upgrade.is_none() || !accepts_websocket(&parts.headers)) {
            return refuse(&self.worker, self.recording, &Failure::BadGateway);
        }
        self.recording.response_head(parts.status.as_u16(), http_version(parts.version), &parts.headers);
        prepare_response(&mut parts.headers, self.worker.settings.forwarding);
        // hyper would answer in the version of the upstream otherwise.
        parts.version = Version::HTTP_11;
        let body = match upgrade {
            Some(client) if switches => {
                mark_websocket(&mut parts.headers);
                Tunnel::open(self.worker, client, link, self.recording);
                ResponseBody::own(bytes::Bytes::new(), None)
            }
            _ => ResponseBody::streaming(body, link, self.worker, self.recording),
        };
        Response::from_parts(parts, body)
    }
}

/// The client's side of the upgrade, if it asks for one that is offered. hyper puts it into every request that has
/// an `Upgrade` field.
fn asks_for_websocket_upgrade(request: &mut Request<Incoming>) -> Option<hyper::upgrade::OnUpgrade> {
    let upgrade = request.extensions_mut().remove::<hyper::upgrade::OnUpgrade>()?;
    let bodyless = request.body().is_end_stream();
    (bodyless && asks_for_websocket(request.method(), request.version(), request.headers())).then_some(upgrade)
}

/// A Content-Length other than 0: with no body behind it, it would make the upstream wait for the next request's
/// head as this one's body.
fn promises_a_body(headers: &HeaderMap) -> bool {
    headers.get_all(CONTENT_LENGTH).iter().any(|value| value.as_bytes().iter().any(|byte| *byte != b'0'))
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

/// The proxy's own answer: a status, one line of text, and a recorded exchange.
fn refuse(worker: &Worker, mut recording: Recording, failure: &Failure) -> Response<ResponseBody> {
    let counters = &worker.counters;
    let (status, outcome, reason) = match failure {
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
    };
    let text = format!("{} {}\n", status.as_u16(), reason);
    let mut headers = HeaderMap::with_capacity(3);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(text.len()));
    if outcome != Outcome::UpstreamFailed {
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }
    recording.own_response(status.as_u16(), &headers, text.as_bytes(), outcome);
    let mut response = Response::new(ResponseBody::own(text, Some(recording)));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

fn http_version(version: Version) -> HttpVersion {
    match version {
        Version::HTTP_09 | Version::HTTP_10 => HttpVersion::Http10,
        Version::HTTP_2 => HttpVersion::Http2,
        Version::HTTP_3 => HttpVersion::Http3,
        _ => HttpVersion::Http11,
    }
}
