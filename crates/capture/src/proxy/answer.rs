//! One request: judged, sent upstream, its response handed back. Runs in the task of the client's connection.

use std::convert::Infallible;
use std::sync::Arc;

use http::header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use hyper::body::{Body, Incoming};
use hyper::upgrade::OnUpgrade;
use threadline_model::Outcome;

use super::body::{RequestBody, RequestTap, ResponseBody};
use super::connection::ClientConnection;
use super::counters::ProxyCounters;
use super::forward::Forward;
use super::framing::HeadFault;
use super::http2::Pace;
use super::hygiene::{
    Present, RequestFault, accepts_websocket, asks_for_websocket, mark_websocket, prepare_response, request_host,
    settle_cookies,
};
use super::recording::{Recording, RequestHead};
use super::tunnel::Tunnel;
use super::upstream::{ConnectError, Link, ResponseHead, SendError};
use super::worker::Worker;

/// Why the proxy answers by itself.
enum Failure {
    /// Ambiguous framing, found in the raw bytes.
    Framing(&'static str),
    /// Something else in the head.
    Request(RequestFault),
    /// The client broke its body off.
    Body,
    /// The client sent its body too slowly.
    Slow,
    /// The chunks of the body were malformed.
    Chunks,
    /// No connection, or no usable response.
    BadGateway,
    /// All connections to the upstream are in use.
    Busy,
    /// The upstream took too long.
    GatewayTimeout,
}

/// Answers one request; `ambiguous` if its framing must be refused. `pace` follows the response of an HTTP/2 stream.
pub(super) async fn answer(
    connection: Arc<ClientConnection>,
    mut request: Request<Incoming>,
    ambiguous: Option<HeadFault>,
    pace: Option<Arc<Pace>>,
) -> Result<Response<ResponseBody>, Infallible> {
    connection.worker.counters.requests.add(1);
    let upgrade = take_websocket_upgrade(&mut request);
    let (mut parts, body) = request.into_parts();
    let present = Present::scan(&parts.headers);
    settle_cookies(&mut parts.headers, present);

    let host = request_host(&parts, present);
    let tap = (!body.is_end_stream()).then(|| RequestTap::new(Arc::clone(&connection.worker), parts.version));
    let promises_a_body = tap.is_none() && present.promises_a_body(&parts.headers);
    let head = RequestHead {
        method: parts.method,
        version: parts.version,
        uri: parts.uri,
        host: host.as_ref().ok().and_then(Clone::clone),
        headers: parts.headers,
        trusted: connection.worker.trust.now(),
    };
    let mut exchange = InFlight {
        recording: Recording::begin(&connection, head, tap.clone()),
        connection,
        tap,
        present,
        websocket: upgrade.is_some(),
        pace,
    };
    match (ambiguous, host) {
        (Some(fault), _) => return Ok(exchange.refuse(&Failure::Framing(fault.reason()))),
        (None, Err(fault)) => return Ok(exchange.refuse(&Failure::Request(fault))),
        (None, Ok(_)) if promises_a_body => {
            return Ok(exchange.refuse(&Failure::Request(RequestFault::ContentLength)));
        }
        (None, Ok(_)) => {}
    }
    let body = match &exchange.tap {
        Some(tap) => RequestBody::streaming(body, Arc::clone(tap)),
        None => RequestBody::empty(),
    };
    match exchange.send(body).await {
        Ok((response, link)) => Ok(exchange.respond(response, link, upgrade)),
        Err(failure) => Ok(exchange.refuse(&failure)),
    }
}

/// A request on its way.
struct InFlight {
    connection: Arc<ClientConnection>,
    recording: Recording,
    tap: Option<Arc<RequestTap>>,
    present: Present,
    websocket: bool,
    pace: Option<Arc<Pace>>,
}

impl InFlight {
    fn worker(&self) -> &Arc<Worker> {
        &self.connection.worker
    }

    /// Sends the request, over a kept connection if there is one; once more over a new one where that is safe.
    async fn send(&mut self, body: RequestBody) -> Result<(ResponseHead, Box<Link>), Failure> {
        let Self { connection, recording, tap, .. } = self;
        let worker = &connection.worker;
        let settings = &worker.settings;
        let mut kept = worker.pool.take();
        let mut next = Some(body);
        while let Some(body) = next.take() {
            let at_once = kept.is_some() && tap.is_none();
            let mut link = match kept.take() {
                Some(link) => link,
                // Boxed: it is large, rare, and would otherwise be part of every request's future.
                None => Box::pin(Link::open(settings, &worker.counters, &worker.pool)).await?,
            };
            let since = recording.sending(at_once);
            let Some(head) = recording.request_head() else { break };
            let framing = body.framing();
            let forward = Forward {
                method: &head.method,
                uri: &head.uri,
                prefix: settings.upstream.prefix(),
                version: head.version,
                headers: &head.headers,
                present: self.present,
                host: head.host.as_ref(),
                upstream: &worker.upstream_host,
                peer: connection.peer.standing(&head.trusted),
                rules: settings.forwarding,
                websocket: self.websocket,
            };
            let sent = link.send(
                &head.method,
                &head.headers,
                |text| forward.write(text, framing),
                (body, framing),
                (since, settings.timeouts.response_head),
                || tap.as_ref().map_or(0, |tap| tap.seen()),
            );
            match sent.await {
                Ok(response) => return Ok((response, link)),
                Err(SendError::TimedOut) => return Err(Failure::GatewayTimeout),
                Err(SendError::ClientSlow) => return Err(Failure::Slow),
                Err(SendError::ClientFailed) => {
                    let slow = tap.as_ref().is_some_and(|tap| tap.timed_out());
                    return Err(match (slow, connection.body_was_broken()) {
                        (true, _) => Failure::Slow,
                        (false, true) => Failure::Chunks,
                        (false, false) => Failure::Body,
                    });
                }
                // The upstream closed the kept connection just as the request went out. Nothing of it was sent, or
                // it is safe to repeat whatever became of it (RFC 9110, section 9.2.1) and has no body.
                Err(SendError::Failed(_, Some(body))) if link.is_reused() => next = Some(body),
                Err(SendError::NoResponse(_)) if link.is_reused() && tap.is_none() && head.method.is_safe() => {
                    next = Some(RequestBody::empty());
                }
                Err(SendError::Failed(error, _) | SendError::NoResponse(error)) => {
                    tracing::debug!(error = &error as &dyn std::error::Error, "no response from the upstream");
                }
            }
            if next.is_some() {
                worker.counters.upstream_retries.add(1);
            }
        }
        Err(Failure::BadGateway)
    }

    /// Hands the response on, or becomes a tunnel.
    fn respond(
        mut self,
        mut head: ResponseHead,
        link: Box<Link>,
        upgrade: Option<OnUpgrade>,
    ) -> Response<ResponseBody> {
        let switches = head.status == StatusCode::SWITCHING_PROTOCOLS;
        if switches && (upgrade.is_none() || !accepts_websocket(&head.headers)) {
            return self.refuse(&Failure::BadGateway);
        }
        self.recording.response_head(&head);
        prepare_response(&mut head.headers, head.present, self.worker().settings.forwarding);
        let body = match upgrade {
            Some(client) if switches => {
                mark_websocket(&mut head.headers);
                Tunnel::open(Arc::clone(self.worker()), client, link, self.recording);
                ResponseBody::own(bytes::Bytes::new(), None)
            }
            _ => ResponseBody::streaming(link, self.recording, self.pace),
        };
        // In HTTP/1.1, whatever the upstream speaks.
        let mut response = Response::new(body);
        *response.status_mut() = head.status;
        *response.headers_mut() = head.headers;
        response
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
        if let Some(pace) = &self.pace {
            pace.handed_over();
        }
        self.recording.own_response(status, &headers, text.as_bytes(), outcome);
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

impl From<ConnectError> for Failure {
    fn from(error: ConnectError) -> Self {
        tracing::debug!(error = &error as &dyn std::error::Error, "no upstream connection");
        match error {
            ConnectError::TimedOut => Self::GatewayTimeout,
            ConnectError::Refused(_) => Self::BadGateway,
            ConnectError::Busy => Self::Busy,
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
            Failure::Slow => {
                counters.client_timeouts.add(1);
                (StatusCode::REQUEST_TIMEOUT, Outcome::ClientAborted, "the request body came too slowly")
            }
            Failure::BadGateway => {
                counters.upstream_failures.add(1);
                (StatusCode::BAD_GATEWAY, Outcome::UpstreamFailed, "the upstream gave no response")
            }
            Failure::Busy => {
                counters.upstream_busy.add(1);
                (StatusCode::SERVICE_UNAVAILABLE, Outcome::UpstreamFailed, "all connections to the upstream are in use")
            }
            Failure::GatewayTimeout => {
                counters.upstream_timeouts.add(1);
                (StatusCode::GATEWAY_TIMEOUT, Outcome::UpstreamFailed, "the upstream took too long")
            }
        }
    }
}
