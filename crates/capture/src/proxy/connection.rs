//! One client connection from its first byte to its end.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use super::answer::answer;
use super::client_io::{ClientIo, FramingVerdict};
use super::framing::HeadFault;
use super::http2;
use super::lazy_timer::LazyTimer;
use super::peer::Peer;
use super::proxy_protocol;
use super::recording::InProgress;
use super::worker::{Place, Worker};

/// What the requests of one connection share.
pub(super) struct ClientConnection {
    pub(super) worker: Arc<Worker>,
    pub(super) peer: Peer,
    /// None for HTTP/2, whose framing leaves nothing to judge.
    framing: Option<Arc<FramingVerdict>>,
    /// Exchanges whose response is being written. They are delivered after that, not before: analysis has time, the
    /// client has not.
    finished: Mutex<VecDeque<Box<InProgress>>>,
    /// Kept by whatever outlives the connection's task: a tunnel, a stream of HTTP/2.
    _place: Place,
}

impl ClientConnection {
    /// Without a verdict for HTTP/2.
    pub(super) fn new(
        worker: Arc<Worker>,
        peer: Peer,
        place: Place,
        framing: Option<Arc<FramingVerdict>>,
    ) -> Arc<Self> {
        Arc::new(Self { worker, peer, framing, finished: Mutex::default(), _place: place })
    }

    /// Whether the request that hyper hands over now must be refused for its framing.
    fn refuses_next(&self) -> Option<HeadFault> {
        self.framing.as_ref()?.refuses_next()
    }

    /// Whether a body was cut off for its framing.
    pub(super) fn body_was_broken(&self) -> bool {
        self.framing.as_ref().is_some_and(|verdict| verdict.body_was_broken())
    }

    /// Whether a request is being answered.
    pub(super) fn answering(&self, answering: bool) {
        if let Some(verdict) = &self.framing {
            verdict.set_answering(answering);
        }
    }

    /// Whether a part of the responses so far is still waiting for the client to take it.
    fn has_unwritten(&self) -> bool {
        self.framing.as_ref().is_some_and(|verdict| verdict.has_unwritten())
    }

    /// Takes a finished exchange.
    pub(super) fn hand_over(&self, exchange: Box<InProgress>) {
        if self.framing.is_some() {
            self.finished.lock().unwrap_or_else(PoisonError::into_inner).push_back(exchange);
        } else {
            // The streams of an HTTP/2 connection are tasks of their own: there is no moment after the writing.
            self.deliver_one(*exchange);
        }
    }

    /// Delivers what has finished. `written`: the connection did not fail meanwhile.
    pub(super) fn deliver(&self, written: bool) {
        let next = || self.finished.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        while let Some(mut exchange) = next() {
            if !written {
                exchange.not_delivered();
            }
            self.deliver_one(*exchange);
        }
    }

    fn deliver_one(&self, exchange: InProgress) {
        if let Some(exchange) = exchange.into_exchange(&self.peer, &self.worker) {
            self.worker.sink.offer(exchange);
        }
    }
}

impl Drop for ClientConnection {
    fn drop(&mut self) {
        self.deliver(!self.has_unwritten());
    }
}

/// The beginning of every HTTP/2 connection (RFC 9113, section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// hyper's own bound on header fields, with which it parses without allocating.
const HYPER_DEFAULT_HEADERS: usize = 100;

/// Read at most this much before the protocol is known.
const FIRST_READ: usize = 4 << 10;

/// Serves one connection to its end.
pub(super) async fn serve(worker: Arc<Worker>, mut stream: TcpStream, peer: SocketAddr, place: Place) {
    let patience = worker.settings.timeouts.head;
    let trusted = worker.trust.now();
    let introduced = trusted.proxy_protocol && trusted.contains(peer.ip());
    let beginning = match tokio::time::timeout(patience, read_beginning(&worker, &mut stream, introduced)).await {
        Ok(Ok(Some(beginning))) => beginning,
        Ok(_) => return,
        Err(_) => {
            worker.counters.client_timeouts.add(1);
            return;
        }
    };
    let Beginning { prefix, proxied } = beginning;
    let peer = Peer::new(peer, proxied);
    if prefix.starts_with(PREFACE) {
        http2::serve(worker, stream, prefix, peer, place).await;
    } else {
        serve_http1(worker, stream, prefix, peer, place).await;
    }
}

/// How long a connection that has said nothing yet may still say something once the proxy wants to end: its request
/// may be on the way.
const GRACE: Duration = Duration::from_millis(100);

/// How a connection begins.
struct Beginning {
    /// What was read of HTTP already; never empty.
    prefix: Bytes,
    /// For whom a PROXY header says that it was opened.
    proxied: Option<IpAddr>,
}

/// Reads until the protocol is known, where `introduced` behind a PROXY header if there is one. None when the client, or
/// the proxy, goes away before, and when the PROXY header is malformed, which is counted.
async fn read_beginning(worker: &Worker, stream: &mut TcpStream, introduced: bool) -> io::Result<Option<Beginning>> {
    let mut read = Vec::with_capacity(FIRST_READ);
    let mut proxied = None;
    // Where HTTP begins; none while that is not known.
    let mut start = (!introduced).then_some(0);
    let mut watch = worker.drain.watch();
    let mut grace = LazyTimer::default();
    loop {
        let count = {
            let mut reading = pin!(stream.read_buf(&mut read));
            poll_fn(|context| match reading.as_mut().poll(context) {
                Poll::Pending if watch.is_draining(context) => {
                    if !grace.is_set() {
                        grace.set(GRACE);
                    }
                    grace.poll(context).map(|()| Ok(0))
                }
                polled => polled,
            })
            .await?
        };
        if count == 0 {
            return Ok(None);
        }
        if start.is_none() {
            match proxy_protocol::read_beginning(&read) {
                proxy_protocol::Beginning::Incomplete => {}
                proxy_protocol::Beginning::Absent => start = Some(0),
                proxy_protocol::Beginning::Header { length, source } => (start, proxied) = (Some(length), source),
                proxy_protocol::Beginning::Malformed => {
                    worker.counters.refused_proxy_header.add(1);
                    return Ok(None);
                }
            }
        }
        let Some(start) = start.filter(|start| read.len() > *start) else { continue };
        let compared = (read.len() - start).min(PREFACE.len());
        if read[start..start + compared] != PREFACE[..compared] || compared == PREFACE.len() {
            return Ok(Some(Beginning { prefix: Bytes::from(read).slice(start..), proxied }));
        }
    }
}

async fn serve_http1(worker: Arc<Worker>, stream: TcpStream, prefix: Bytes, peer: Peer, place: Place) {
    let verdict = Arc::new(FramingVerdict::new());
    let timed_out = Arc::new(AtomicBool::new(false));
    let io = ClientIo::new(
        stream,
        prefix,
        worker.settings.strict_framing,
        Arc::clone(&verdict),
        worker.settings.timeouts,
        Arc::clone(&timed_out),
    );
    let connection = ClientConnection::new(Arc::clone(&worker), peer, place, Some(Arc::clone(&verdict)));
    let service = {
        let connection = Arc::clone(&connection);
        service_fn(move |request| {
            // Now, not when the future is first polled: reading goes on between the two.
            let refusal = connection.refuses_next();
            answer(Arc::clone(&connection), request, refusal, None)
        })
    };
    let mut builder = hyper::server::conn::http1::Builder::new();
    // Waiting for heads is bounded by `ClientIo`: hyper would allocate a timer for each of them.
    builder.header_read_timeout(None).max_buf_size(worker.settings.limits.buffer_bytes);
    if worker.settings.limits.headers != HYPER_DEFAULT_HEADERS {
        builder.max_headers(worker.settings.limits.headers);
    }
    let served = pin!(builder.serve_connection(TokioIo::new(io), service).with_upgrades());
    let result = drive(&worker, &connection, served, |served| served.graceful_shutdown()).await;
    let counters = &worker.counters;
    if verdict.has_fault() {
        counters.refused_framing.add(1);
    } else if timed_out.load(Ordering::Relaxed) {
        counters.client_timeouts.add(1);
    } else if result.is_err_and(|error| error.is_parse()) {
        counters.refused_malformed.add(1);
    }
}

/// Runs a connection, delivers its exchanges, and ends it when the worker drains.
async fn drive<C, E>(
    worker: &Arc<Worker>,
    connection: &ClientConnection,
    mut served: Pin<&mut C>,
    shut_down: impl Fn(Pin<&mut C>),
) -> Result<(), E>
where
    C: Future<Output = Result<(), E>>,
{
    let mut watch = worker.drain.watch();
    let mut told = false;
    poll_fn(|context: &mut Context<'_>| {
        let draining = !told && watch.is_draining(context);
        let mut polled = served.as_mut().poll(context);
        // Only now: what has come already is still to be answered.
        if draining && polled.is_pending() {
            told = true;
            shut_down(served.as_mut());
            polled = served.as_mut().poll(context);
        }
        match &polled {
            Poll::Pending if connection.has_unwritten() => {}
            Poll::Pending | Poll::Ready(Ok(())) => connection.deliver(true),
            Poll::Ready(Err(_)) => connection.deliver(false),
        }
        polled
    })
    .await
}
