//! Connections to the upstream, HTTP/1.1, kept open between requests.
//!
//! Why not hyper's client: it runs each connection as a task and hands requests, responses and body frames to it
//! over channels. Even driven inside the request's own task that was a third of the proxy's own work per request
//! (counted in instructions, against nginx's whole). A proxy needs none of it: here the request writes its head
//! straight from the client's header section into the connection's buffer, and the response's parts are slices of
//! what was read. What it gives up is hyper's tolerance: a response whose framing is ambiguous is an error.

mod pool;
mod receive;
mod send;

use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Method};
use http_body::Frame;
use tokio::io::{AsyncRead, AsyncReadExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;

use pool::Turn;
pub(super) use pool::{Pool, keep_idle_connections};
pub use receive::fuzz_response;
pub(super) use receive::{Malformed, ResponseHead};
use receive::{Receiving, take_head};
pub(super) use send::{SendFraming, write_field};
use send::{Sending, Sent};

use super::body::RequestBody;
use super::counters::ProxyCounters;
use super::lazy_timer::LazyTimer;
use super::settings::{ProxySettings, UpstreamAddress};

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConnectError {
    #[error("the upstream refused the connection")]
    Refused(#[source] io::Error),
    #[error("connecting to the upstream took too long")]
    TimedOut,
    #[error("all connections to the upstream are in use")]
    Busy,
}

/// Why a response, or the rest of one, did not come.
#[derive(Debug, thiserror::Error)]
pub(super) enum LinkError {
    #[error("the upstream connection failed")]
    Io(#[source] io::Error),
    #[error("the upstream closed the connection too early")]
    Closed,
    #[error("the upstream sent something before it was asked")]
    Unsolicited,
    #[error("the upstream's response is malformed")]
    Malformed(#[source] Malformed),
}

/// Why a request got no response.
pub(super) enum SendError {
    /// The client broke its body off.
    ClientFailed,
    /// No response head within the patience given.
    TimedOut,
    /// The request's body came too slowly.
    ClientSlow,
    /// The connection failed. The body comes back if nothing of the request was sent.
    Failed(LinkError, Option<RequestBody>),
    /// The connection failed before anything of a response came.
    NoResponse(LinkError),
}

/// One connection to the upstream. Dropping it closes it.
pub(super) struct Link {
    stream: TcpStream,
    /// Received, and not yet part of a response.
    received: BytesMut,
    /// How much of `received` is known not to hold the end of a head.
    searched: usize,
    sending: Sending,
    receiving: Receiving,
    /// Whether the upstream will take another request after this one.
    persistent: bool,
    /// Whether it served a request before.
    reused: bool,
    /// How much to make room for; grows with bodies that fill it.
    read_size: usize,
    maximum_head: usize,
    timer: LazyTimer,
    open: Open,
}

/// Counts a connection, and holds its place, for as long as it is open.
pub(super) struct Open {
    counters: Arc<ProxyCounters>,
    _place: OwnedSemaphorePermit,
}

impl Open {
    fn new(counters: &Arc<ProxyCounters>, place: OwnedSemaphorePermit) -> Self {
        counters.upstream_connections_opened.add(1);
        counters.upstream_connections.raise();
        Self { counters: Arc::clone(counters), _place: place }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.counters.upstream_connections.lower();
    }
}

/// Bytes of a request's body that must come before its response may be waited for longer: a body that drips does not
/// keep a request alive for ever.
const PROGRESS: u64 = 1 << 10;

/// A read buffer's size; several small responses share one. A new one is taken when less than a fourth is left.
const READ_BUFFER: usize = 16 << 10;
/// Its size once a response has filled the smaller one.
const LARGE_READ_BUFFER: usize = 64 << 10;

impl Link {
    /// Opens a connection, or takes an idle one where no more may be open.
    pub(super) async fn open(
        settings: &ProxySettings,
        counters: &Arc<ProxyCounters>,
        pool: &Pool,
    ) -> Result<Box<Self>, ConnectError> {
        let turn = tokio::time::timeout(settings.timeouts.connect, pool.turn());
        let place = match turn.await.map_err(|_| ConnectError::Busy)? {
            Turn::Idle(link) => return Ok(link),
            Turn::Place(place) => place,
        };
        let stream = tokio::time::timeout(settings.timeouts.connect, connect(&settings.upstream))
            .await
            .map_err(|_| ConnectError::TimedOut)?
            .map_err(ConnectError::Refused)?;
        prepare(&stream).map_err(ConnectError::Refused)?;
        Ok(Box::new(Self {
            stream,
            received: BytesMut::new(),
            searched: 0,
            sending: Sending::idle(),
            receiving: Receiving::nothing(),
            persistent: true,
            reused: false,
            read_size: READ_BUFFER,
            maximum_head: settings.limits.buffer_bytes,
            timer: LazyTimer::default(),
            open: Open::new(counters, place),
        }))
    }

    /// Whether it served a request before: only then can its closing have crossed a new request.
    pub(super) const fn is_reused(&self) -> bool {
        self.reused
    }

    /// Sends a request and waits for the response's head, at most `patience` after `since` (now, or nearly), after the
    /// request left as a whole, and after `progress` (a count of what came of the body) last moved on by
    /// [`PROGRESS`]. `write_head` writes the request's head, up to and
    /// with its empty line; `headers` is the client's header section.
    pub(super) async fn send(
        &mut self,
        method: &Method,
        headers: &HeaderMap,
        write_head: impl FnOnce(&mut Vec<u8>),
        (body, framing): (RequestBody, SendFraming),
        (since, patience): (Instant, Duration),
        progress: impl Fn() -> u64,
    ) -> Result<ResponseHead, SendError> {
        write_head(self.sending.begin());
        self.sending.start(body, framing, headers);
        self.read_size = READ_BUFFER;
        self.timer.set_at(since + patience);
        let mut seen = progress();
        let mut whole = self.sending.is_over();
        let mut head = poll_fn(|context| {
            if let Poll::Ready(head) = self.poll_head(context) {
                return Poll::Ready(head);
            }
            let now = progress();
            if now - seen >= PROGRESS || (!whole && self.sending.is_whole()) {
                seen = now;
                whole = self.sending.is_whole();
                self.timer.set(patience);
            }
            ready!(self.timer.poll(context));
            Poll::Ready(Err(if self.sending.is_starved() { SendError::ClientSlow } else { SendError::TimedOut }))
        })
        .await?;
        let (receiving, persistent) = Receiving::after(&mut head, method)
            .map_err(|malformed| SendError::Failed(LinkError::Malformed(malformed), None))?;
        self.receiving = receiving;
        self.persistent = persistent;
        self.reused = true;
        Ok(head)
    }

    fn poll_head(&mut self, context: &mut Context<'_>) -> Poll<Result<ResponseHead, SendError>> {
        if !self.sending.has_begun()
            && let Poll::Ready(received) = self.poll_receive(context)
        {
            // What comes before anything was asked answers nothing, and the request can still go another way.
            let error = received.map_or_else(LinkError::Io, |count| match count {
                0 => LinkError::Closed,
                _ => LinkError::Unsolicited,
            });
            return Poll::Ready(Err(SendError::Failed(error, self.sending.take_unused_body())));
        }
        if let Poll::Ready(Sent::ClientFailed) = self.sending.poll(&mut self.stream, context) {
            return Poll::Ready(Err(SendError::ClientFailed));
        }
        loop {
            if !self.received.is_empty() {
                if !self.sending.has_begun() {
                    let body = self.sending.take_unused_body();
                    return Poll::Ready(Err(SendError::Failed(LinkError::Unsolicited, body)));
                }
                match take_head(&mut self.received, &mut self.searched, self.maximum_head) {
                    Ok(Some(head)) => return Poll::Ready(Ok(head)),
                    Ok(None) => {}
                    Err(malformed) => {
                        return Poll::Ready(Err(SendError::Failed(LinkError::Malformed(malformed), None)));
                    }
                }
            }
            let error = match ready!(self.poll_receive(context)) {
                Ok(0) => LinkError::Closed,
                Ok(_) => continue,
                Err(error) => LinkError::Io(error),
            };
            return Poll::Ready(Err(if !self.sending.has_begun() {
                SendError::Failed(error, self.sending.take_unused_body())
            } else if self.received.is_empty() {
                SendError::NoResponse(error)
            } else {
                SendError::Failed(error, None)
            }));
        }
    }

    /// The next part of the response's body; none when it is over.
    pub(super) fn poll_frame(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, LinkError>>> {
        loop {
            match self.receiving.take_frame(&mut self.received) {
                Ok(Some(frame)) => return Poll::Ready(Some(Ok(frame))),
                Ok(None) if self.receiving.is_over() => return Poll::Ready(None),
                Ok(None) => {}
                Err(malformed) => return Poll::Ready(Some(Err(LinkError::Malformed(malformed)))),
            }
            if !self.sending.is_whole() {
                // The upstream answers while the request is still on its way.
                let _ = self.sending.poll(&mut self.stream, context);
            }
            match ready!(self.poll_receive(context)) {
                Ok(0) if self.receiving.closed() => return Poll::Ready(None),
                Ok(0) => return Poll::Ready(Some(Err(LinkError::Closed))),
                Ok(_) => {}
                Err(error) => return Poll::Ready(Some(Err(LinkError::Io(error)))),
            }
        }
    }

    /// Ready once `deadline` has passed; until then the task is woken when it does. For while a body is received.
    pub(super) fn poll_deadline(&mut self, deadline: Instant, context: &mut Context<'_>) -> Poll<()> {
        self.timer.set_at(deadline);
        self.timer.poll(context)
    }

    /// Whether the response is over.
    pub(super) const fn is_over(&self) -> bool {
        self.receiving.is_over()
    }

    /// What is missing of the response's body, where it is known.
    pub(super) const fn exact_rest(&self) -> Option<u64> {
        self.receiving.exact_rest()
    }

    fn poll_receive(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        if self.received.capacity() - self.received.len() < self.read_size / 4 {
            self.received.reserve(self.read_size);
        }
        let room = self.received.capacity() - self.received.len();
        let count = ready!(pin!(self.stream.read_buf(&mut self.received)).poll(context))?;
        if count == room {
            self.read_size = LARGE_READ_BUFFER;
        }
        Poll::Ready(Ok(count))
    }

    /// Whether request and response have passed whole, and the upstream will take another request.
    fn is_reusable(&self) -> bool {
        self.persistent && self.receiving.is_over() && self.sending.is_whole() && self.received.is_empty()
    }

    /// Whether an idle connection is of no use any more: it was closed, or something came that nobody asked for.
    /// The task of `context` is woken when that happens.
    fn has_ended(&mut self, context: &mut Context<'_>) -> bool {
        let mut byte = [0];
        Pin::new(&mut self.stream).poll_read(context, &mut ReadBuf::new(&mut byte)).is_ready()
    }

    /// The bare connection after a response 101, what was read of it beyond the response, and its place.
    pub(super) fn into_upgraded(self) -> (TcpStream, BytesMut, Open) {
        (self.stream, self.received, self.open)
    }
}

async fn connect(upstream: &UpstreamAddress) -> io::Result<TcpStream> {
    match upstream.socket_address() {
        Some(address) => TcpStream::connect(address).await,
        None => TcpStream::connect((upstream.host(), upstream.port())).await,
    }
}

/// A peer that vanished without a word is noticed after about two minutes, however long a response may be silent.
const KEEP_ALIVE_PROBES: Duration = Duration::from_secs(60);

/// What every connection of the proxy gets, on both sides.
pub(super) fn prepare(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let probes = socket2::TcpKeepalive::new().with_time(KEEP_ALIVE_PROBES).with_interval(KEEP_ALIVE_PROBES / 4);
    socket2::SockRef::from(stream).set_tcp_keepalive(&probes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::io::Write as _;

    use super::*;

    #[tokio::test]
    async fn what_comes_before_a_request_does_not_answer_it() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let upstream = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        let settings = ProxySettings::new("127.0.0.1:0".parse().unwrap(), upstream);
        let pool = Pool::new(1, 1, Duration::from_secs(60));
        let mut link = Link::open(&settings, &Arc::default(), &pool).await.unwrap();
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno").unwrap();
        link.stream.readable().await.unwrap();
        let headers = HeaderMap::new();
        let sent = link.send(
            &Method::GET,
            &headers,
            |head| head.extend_from_slice(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"),
            (RequestBody::empty(), SendFraming::None),
            (Instant::now(), Duration::from_secs(20)),
            || 0,
        );
        let sent = sent.await;
        assert!(matches!(sent, Err(SendError::Failed(LinkError::Unsolicited, Some(_)))), "to be sent another way");
    }
}
