//! A connection after `101 Switching Protocols`: bytes both ways, counted, nothing looked at.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf, copy_bidirectional};
use tokio::net::TcpStream;

use super::client_io::ClientIo;
use super::recording::Recording;
use super::upstream::Link;
use super::worker::Worker;

/// A tunnel; its exchange is recorded when it is dropped, whether it ended or was cut.
pub(super) struct Tunnel {
    worker: Arc<Worker>,
    recording: Recording,
    to_upstream: Arc<AtomicU64>,
    to_client: Arc<AtomicU64>,
    established: bool,
}

impl Tunnel {
    /// Runs a tunnel as a task of its own.
    pub(super) fn open(worker: Arc<Worker>, client: OnUpgrade, upstream: Box<Link>, recording: Recording) {
        worker.counters.tunnels.raise();
        let mut tunnel =
            Self { worker, recording, to_upstream: Arc::default(), to_client: Arc::default(), established: false };
        tokio::spawn(async move {
            // Either side may break off at any time; that is how tunnels end, and the counts say how far it came.
            let _ = tunnel.run(client, upstream).await;
        });
    }

    async fn run(&mut self, client: OnUpgrade, upstream: Box<Link>) -> io::Result<()> {
        let (upstream, early, _open) = upstream.into_upgraded();
        let upgraded = client.await.map_err(io::Error::other)?;
        self.established = true;
        let client = upgraded
            .downcast::<TokioIo<ClientIo>>()
            .map_err(|_| io::Error::other("the client connection is not one of the proxy's"))?;
        let mut client_stream = Counted::new(client.io.into_inner().into_stream(), &self.to_upstream);
        let mut upstream_stream = Counted::new(upstream, &self.to_client);
        // What either side sent right behind its head.
        self.to_client.fetch_add(early.len() as u64, Ordering::Relaxed);
        client_stream.write_all(&early).await?;
        self.to_upstream.fetch_add(client.read_buf.len() as u64, Ordering::Relaxed);
        upstream_stream.write_all(&client.read_buf).await?;
        copy_bidirectional(&mut client_stream, &mut upstream_stream).await.map(|_| ())
    }
}

impl Drop for Tunnel {
    fn drop(&mut self) {
        if self.established {
            let (up, down) = (self.to_upstream.load(Ordering::Relaxed), self.to_client.load(Ordering::Relaxed));
            self.recording.tunnelled(up, down);
            self.worker.counters.request_bytes.add(up);
            self.worker.counters.response_bytes.add(down);
        }
        self.worker.counters.tunnels.lower();
    }
}

/// Counts what is read from a stream.
struct Counted {
    stream: TcpStream,
    read: Arc<AtomicU64>,
}

impl Counted {
    fn new(stream: TcpStream, read: &Arc<AtomicU64>) -> Self {
        Self { stream, read: Arc::clone(read) }
    }
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let result = Pin::new(&mut self.stream).poll_read(context, buffer);
        self.read.fetch_add((buffer.filled().len() - before) as u64, Ordering::Relaxed);
        result
    }
}

impl AsyncWrite for Counted {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
