//! A client's connection: one at a time, kept alive, from a source address of the client's own.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, Version};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::{TcpSocket, TcpStream};

/// The largest response body read, bytes.
const BODY_LIMIT: usize = 16 * 1024 * 1024;

/// How long one request may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Why a request got no response.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WireError {
    #[error("could not connect")]
    Connect(#[source] std::io::Error),
    #[error("the connection broke")]
    Transfer(#[source] hyper::Error),
    #[error("the response is too long or broke off")]
    Body,
    #[error("no response in time")]
    Slow,
}

/// What came back.
pub(crate) struct Received {
    pub(crate) status: u16,
    pub(crate) version: Version,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

enum Sender {
    Http1(http1::SendRequest<Full<Bytes>>),
    Http2(http2::SendRequest<Full<Bytes>>),
}

/// One client's way to the target.
pub(crate) struct Connection {
    target: SocketAddr,
    source: Ipv4Addr,
    http2: bool,
    sender: Option<Sender>,
    /// The address the target sees, once connected.
    pub(crate) local: Option<IpAddr>,
}

impl Connection {
    /// Not connected yet. `source` is used where the system lets us.
    pub(crate) fn new(target: SocketAddr, source: Ipv4Addr, http2: bool) -> Self {
        Self { target, source, http2, sender: None, local: None }
    }

    /// Connects unless a usable connection is there.
    pub(crate) async fn open(&mut self) -> Result<(), WireError> {
        let usable = match &self.sender {
            Some(Sender::Http1(sender)) => !sender.is_closed(),
            Some(Sender::Http2(sender)) => !sender.is_closed(),
            None => false,
        };
        if usable {
            return Ok(());
        }
        self.sender = None;
        let connecting = tokio::time::timeout(PATIENCE, connect(self.target, self.source));
        let stream = connecting.await.map_err(|_| WireError::Slow)?.map_err(WireError::Connect)?;
        stream.set_nodelay(true).map_err(WireError::Connect)?;
        self.local = stream.local_addr().ok().map(|address| address.ip());
        let io = TokioIo::new(stream);
        self.sender = Some(if self.http2 {
            let (sender, connection) = http2::handshake(TokioExecutor::new(), io).await.map_err(WireError::Transfer)?;
            tokio::spawn(connection);
            Sender::Http2(sender)
        } else {
            let (sender, connection) = http1::handshake(io).await.map_err(WireError::Transfer)?;
            tokio::spawn(connection);
            Sender::Http1(sender)
        });
        Ok(())
    }

    /// Sends one request and reads the whole response. A request is never sent twice.
    pub(crate) async fn send(&mut self, request: Request<Full<Bytes>>) -> Result<Received, WireError> {
        let result = match tokio::time::timeout(PATIENCE, self.exchange(request)).await {
            Ok(result) => result,
            Err(_) => Err(WireError::Slow),
        };
        if result.is_err() {
            self.sender = None;
        }
        result
    }

    #[expect(clippy::disallowed_methods, reason = "the body is limited")]
    async fn exchange(&mut self, request: Request<Full<Bytes>>) -> Result<Received, WireError> {
        self.open().await?;
        let response = match self.sender.as_mut() {
            Some(Sender::Http1(sender)) => {
                sender.ready().await.map_err(WireError::Transfer)?;
                sender.send_request(request).await
            }
            Some(Sender::Http2(sender)) => {
                sender.ready().await.map_err(WireError::Transfer)?;
                sender.send_request(request).await
            }
            None => return Err(WireError::Slow),
        };
        let (parts, body) = response.map_err(WireError::Transfer)?.into_parts();
        let body = Limited::new(body, BODY_LIMIT).collect().await.map_err(|_| WireError::Body)?.to_bytes();
        Ok(Received { status: parts.status.as_u16(), version: parts.version, headers: parts.headers, body })
    }
}

/// All of 127/8 is loopback on Linux; elsewhere only 127.0.0.1 may be usable, and a target that is not loopback
/// cannot be reached from there.
async fn connect(target: SocketAddr, source: Ipv4Addr) -> std::io::Result<TcpStream> {
    if target.is_ipv4() && target.ip().is_loopback() {
        let socket = TcpSocket::new_v4()?;
        if socket.bind((source, 0).into()).is_ok() {
            return socket.connect(target).await;
        }
    }
    TcpStream::connect(target).await
}
