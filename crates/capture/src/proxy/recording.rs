//! One exchange while it happens. However the request ends, its recording is dropped, and dropping it delivers the
//! exchange: exactly once, and never before the response.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Instant;

use http::header::HOST;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, Version};
use threadline_model::{
    CapturedBody, CapturedText, ClientResolution, Exchange, ExchangeId, HttpVersion, Outcome, Request, Response,
    Scheme, Sizes, Source, Timestamp, TlsFingerprints, TrustedProxies,
};

use super::body::RequestTap;
use super::capture::{BodyCapture, STEP, capture_heads};
use super::connection::ClientConnection;
use super::peer::Peer;
use super::upstream::ResponseHead;
use super::worker::Worker;

/// A request's head as the client sent it. Still parts of the connection's buffer: copied only once the response is
/// on its way.
pub(super) struct RequestHead {
    pub(super) method: Method,
    pub(super) version: Version,
    /// In any form; only path and query are recorded.
    pub(super) uri: Uri,
    pub(super) host: Option<HeaderValue>,
    pub(super) headers: HeaderMap,
    /// Whose word about the client counts for this request.
    pub(super) trusted: Arc<TrustedProxies>,
}

/// What is known of an exchange so far.
pub(super) struct InProgress {
    id: ExchangeId,
    started: Timestamp,
    begin: Instant,
    sent: Option<Instant>,
    answered: Option<Instant>,
    end: Option<Instant>,
    head: RequestHead,
    request_body: Option<Arc<RequestTap>>,
    response: Option<(StatusCode, Option<Version>, HeaderMap)>,
    response_body: BodyCapture,
    response_whole: bool,
    /// Bytes that passed through a tunnel: to the upstream, to the client.
    tunnelled: (u64, u64),
    outcome: Outcome,
    /// Whether anybody wants the exchange.
    wanted: bool,
    /// Whether its copies were cut because it takes long.
    settled: bool,
}

/// The recording of one exchange; delivers it when dropped.
pub(super) struct Recording {
    /// None only while being dropped.
    inner: Option<Box<InProgress>>,
    connection: Arc<ClientConnection>,
}

impl Recording {
    /// Begins when the head has been read. Unless something else is said, the exchange ends as aborted by the client.
    pub(super) fn begin(
        connection: &Arc<ClientConnection>,
        head: RequestHead,
        request_body: Option<Arc<RequestTap>>,
    ) -> Self {
        let worker = &connection.worker;
        let wanted = worker.sink.wants_exchanges();
        let started = worker.clock.now();
        connection.answering(true);
        Self {
            inner: Some(Box::new(InProgress {
                id: worker.identities.next(started),
                started,
                begin: Instant::now(),
                sent: None,
                answered: None,
                end: None,
                head,
                request_body,
                response: None,
                response_body: BodyCapture::new(if wanted { worker.settings.capture.response_bytes } else { 0 }),
                response_whole: false,
                tunnelled: (0, 0),
                outcome: Outcome::ClientAborted,
                wanted,
                settled: false,
            })),
            connection: Arc::clone(connection),
        }
    }

    /// The request's head.
    pub(super) fn request_head(&self) -> Option<&RequestHead> {
        self.inner.as_ref().map(|inner| &inner.head)
    }

    /// The request's head goes to the upstream now; `at_once` if nothing was waited for since the beginning. Says
    /// when that is.
    pub(super) fn sending(&mut self, at_once: bool) -> Instant {
        match &mut self.inner {
            Some(inner) if at_once => *inner.sent.insert(inner.begin),
            Some(inner) => *inner.sent.insert(Instant::now()),
            None => Instant::now(),
        }
    }

    /// The worker that serves the connection.
    pub(super) fn worker(&self) -> &Arc<Worker> {
        &self.connection.worker
    }

    /// The upstream's response head came.
    pub(super) fn response_head(&mut self, head: &ResponseHead) {
        if let Some(inner) = &mut self.inner
            && inner.wanted
        {
            inner.answered = Some(Instant::now());
            inner.response = Some((head.status, Some(head.version), head.headers.clone()));
        }
    }

    /// The proxy answers by itself.
    pub(super) fn own_response(&mut self, status: StatusCode, headers: &HeaderMap, body: &[u8], outcome: Outcome) {
        let worker = &self.connection.worker;
        if let Some(inner) = &mut self.inner {
            inner.response = Some((status, None, headers.clone()));
            inner.response_body.extend(body, Some(body.len() as u64), &worker.budget, &worker.counters);
            inner.response_whole = true;
            inner.outcome = outcome;
        }
    }

    /// Data of the response body passed; `expected` as in [`BodyCapture::extend`].
    pub(super) fn response_data(&mut self, data: &[u8], expected: Option<u64>) {
        let worker = &self.connection.worker;
        worker.counters.response_bytes.add(data.len() as u64);
        let Some(inner) = &mut self.inner else { return };
        let large = inner.response_body.seen() > STEP as u64;
        inner.response_body.extend(data, expected, &worker.budget, &worker.counters);
        // Where frames come as fast as a slow client takes them, nobody ever waits for one.
        if large && self.becomes_long().is_some_and(|deadline| Instant::now() >= deadline) {
            self.settle();
        }
    }

    /// When the exchange becomes a long one, if that has a consequence and has not been told yet.
    pub(super) fn becomes_long(&self) -> Option<Instant> {
        let inner = self.inner.as_ref().filter(|inner| !inner.settled)?;
        inner.answered.map(|answered| answered + self.connection.worker.settings.capture.long_after)
    }

    /// The exchange is a long one: its copies must not keep others from being made.
    pub(super) fn settle(&mut self) {
        let counters = &self.connection.worker.counters;
        if let Some(inner) = &mut self.inner {
            inner.settled = true;
            inner.response_body.settle(counters);
            if let Some(tap) = &inner.request_body {
                tap.settle();
            }
        }
    }

    /// The response is whole.
    pub(super) fn complete(&mut self) {
        if let Some(inner) = &mut self.inner {
            inner.response_whole = true;
            inner.outcome = Outcome::Completed;
        }
    }

    /// The upstream broke the response off.
    pub(super) fn upstream_failed(&mut self) {
        if let Some(inner) = &mut self.inner {
            inner.outcome = Outcome::UpstreamFailed;
        }
    }

    /// The connection became a tunnel; so many bytes passed to the upstream and to the client.
    pub(super) fn tunnelled(&mut self, to_upstream: u64, to_client: u64) {
        if let Some(inner) = &mut self.inner {
            inner.response_whole = true;
            inner.tunnelled = (to_upstream, to_client);
            inner.outcome = Outcome::Upgraded;
        }
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        if let Some(mut inner) = self.inner.take() {
            self.connection.answering(false);
            if inner.wanted {
                inner.end = Some(Instant::now());
                self.connection.hand_over(inner);
            }
        }
    }
}

impl InProgress {
    /// The client's connection failed while the last bytes of the response were written.
    pub(super) fn not_delivered(&mut self) {
        if self.outcome == Outcome::Completed {
            self.outcome = Outcome::ClientAborted;
        }
    }

    /// The exchange as other stages know it; `None`, and counted, when the capture budget has no room for its heads.
    pub(super) fn into_exchange(mut self, peer: &Peer, worker: &Worker) -> Option<Exchange> {
        let standing = peer.standing(&self.head.trusted);
        let client = standing.client(&self.head.headers, &self.head.trusted);
        worker.resolutions.offer(self.end.unwrap_or(self.begin), || ClientResolution {
            at: self.started,
            peer: standing.connection(),
            client: client.address,
            source: client.source,
            remark: standing.remark(client, &self.head.headers),
        });
        let micros = |from: Instant, to: Instant| {
            u64::try_from(to.saturating_duration_since(from).as_micros()).unwrap_or(u64::MAX)
        };
        let (request_bytes, request_body) = match &self.request_body {
            Some(tap) => (tap.seen(), tap.finish()),
            None => (0, CapturedBody::empty()),
        };
        let sizes =
            Sizes { request: request_bytes + self.tunnelled.0, response: self.response_body.seen() + self.tunnelled.1 };
        let (status, response_headers) = match self.response {
            Some((status, version, headers)) => (Some((status, version)), Some(headers)),
            None => (None, None),
        };
        let target = self.head.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
        let original = standing.original_host(&self.head.headers, &self.head.trusted).map(Cow::into_owned);
        if let (Some(_), Some(own)) = (&original, &self.head.host)
            && !self.head.headers.contains_key(HOST)
        {
            // `:authority` stands nowhere else then. Full, which no request's head can make it, it goes without.
            let _ = self.head.headers.try_insert(HOST, own.clone());
        }
        let host = original.as_deref().or(self.head.host.as_ref().map(HeaderValue::as_bytes));
        let method = self.head.method.as_str().len();
        let Some(heads) = capture_heads(method, target, host, self.head.headers, response_headers, &worker.budget)
        else {
            worker.counters.capture_shed.add(1);
            return None;
        };
        let response = status.zip(heads.response).map(|((status, version), headers)| Response {
            status: status.as_u16(),
            version: version.map(http_version),
            headers,
            body: self.response_body.finish(self.response_whole),
        });
        Some(Exchange {
            id: self.id,
            started: self.started,
            duration_us: self.end.map(|end| micros(self.begin, end)),
            upstream_us: self.sent.zip(self.answered).map(|(sent, answered)| micros(sent, answered)),
            source: Source::Proxy,
            client: Some(client.address),
            fingerprints: TlsFingerprints::default(),
            request: Request {
                method: method_text(&self.head.method),
                scheme: Some(Scheme::Http),
                version: Some(http_version(self.head.version)),
                host: heads.host,
                target: heads.target,
                headers: heads.request,
                body: request_body,
            },
            response,
            sizes,
            outcome: self.outcome,
        })
    }
}

/// The usual methods need no copy.
fn method_text(method: &Method) -> CapturedText {
    let known: &'static [u8] = match *method {
        Method::GET => b"GET",
        Method::POST => b"POST",
        Method::PUT => b"PUT",
        Method::DELETE => b"DELETE",
        Method::PATCH => b"PATCH",
        Method::HEAD => b"HEAD",
        Method::OPTIONS => b"OPTIONS",
        _ => return CapturedText::new(method.as_str().as_bytes().to_vec()),
    };
    CapturedText::new(known)
}

fn http_version(version: Version) -> HttpVersion {
    match version {
        Version::HTTP_09 | Version::HTTP_10 => HttpVersion::Http10,
        Version::HTTP_2 => HttpVersion::Http2,
        Version::HTTP_3 => HttpVersion::Http3,
        _ => HttpVersion::Http11,
    }
}
