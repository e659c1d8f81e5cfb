//! A proxy, an upstream and raw clients on real sockets, for the proxy's tests.

#![allow(dead_code, unreachable_pub, clippy::unwrap_used)]

use std::future::Future;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use threadline_capture::ExchangeSink;
use threadline_capture::proxy::{Proxy, ProxyCounters, ProxySettings};
use threadline_model::{Exchange, SystemClock, TrustedProxies};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Nothing in these tests takes this long unless it is broken.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Keeps every exchange.
#[derive(Default)]
pub struct Collector {
    kept: Mutex<Vec<Exchange>>,
    /// Held to block the worker that offers an exchange for [`BLOCKING`].
    gate: Arc<tokio::sync::Mutex<()>>,
    blocking: std::sync::atomic::AtomicBool,
}

/// A path for which a worker stands still, see [`Running::block_worker`].
const BLOCKING: &[u8] = b"/block";

impl ExchangeSink for Collector {
    fn offer(&self, exchange: Exchange) {
        if exchange.request.target.as_bytes() == BLOCKING {
            self.blocking.store(true, std::sync::atomic::Ordering::SeqCst);
            // On a thread of the proxy's own, inside its runtime: no `blocking_lock` there.
            while self.gate.try_lock().is_err() {
                std::thread::sleep(Duration::from_millis(1));
            }
            return;
        }
        self.kept.lock().unwrap().push(exchange);
    }
}

impl Collector {
    /// Waits for `count` exchanges and gives all that are there.
    pub async fn wait_for(&self, count: usize) -> Vec<Exchange> {
        eventually("exchanges", || self.kept.lock().unwrap().len() >= count).await;
        self.kept.lock().unwrap().clone()
    }

    pub fn len(&self) -> usize {
        self.kept.lock().unwrap().len()
    }
}

/// Polls a condition with a deadline.
pub async fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < PATIENCE, "waited in vain for {what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// A proxy that runs.
pub struct Running {
    pub address: SocketAddr,
    pub exchanges: Arc<Collector>,
    pub counters: Arc<ProxyCounters>,
    pub trusted: tokio::sync::watch::Sender<Arc<TrustedProxies>>,
    stop: Option<oneshot::Sender<()>>,
    ended: JoinHandle<()>,
}

impl Running {
    /// One worker in front of `upstream`, settings changed by `change`.
    pub fn start(upstream: SocketAddr, change: impl FnOnce(&mut ProxySettings)) -> Self {
        let mut settings =
            ProxySettings::new("127.0.0.1:0".parse().unwrap(), format!("http://{upstream}").parse().unwrap());
        settings.threads = std::num::NonZeroUsize::MIN;
        change(&mut settings);
        let exchanges = Arc::new(Collector::default());
        let sink: Arc<dyn ExchangeSink> = exchanges.clone();
        Self::start_with(settings, sink, exchanges)
    }

    pub fn start_with(settings: ProxySettings, sink: Arc<dyn ExchangeSink>, exchanges: Arc<Collector>) -> Self {
        let proxy = Proxy::bind(settings, sink, Arc::new(SystemClock)).unwrap();
        let (address, counters) = (proxy.local_address(), proxy.counters());
        let trusted = proxy.trusted_proxies();
        let (stop, stopped) = oneshot::channel();
        let ended = tokio::spawn(async move {
            proxy
                .run(async {
                    let _ = stopped.await;
                })
                .await
                .unwrap();
        });
        Self { address, exchanges, counters, trusted, stop: Some(stop), ended }
    }

    /// Asks the proxy to shut down.
    pub fn begin_stop(&mut self) {
        let _ = self.stop.take().unwrap().send(());
    }

    /// Waits until it has.
    pub async fn stopped(mut self) -> Arc<Collector> {
        if self.stop.is_some() {
            self.begin_stop();
        }
        tokio::time::timeout(PATIENCE, self.ended).await.unwrap().unwrap();
        self.exchanges
    }

    pub async fn connect(&self) -> Client {
        Client::connect(self.address).await
    }

    /// Lets the only worker stand still, in the middle of something else, until what is returned is dropped.
    pub async fn block_worker(&self) -> tokio::sync::OwnedMutexGuard<()> {
        let held = Arc::clone(&self.exchanges.gate).lock_owned().await;
        self.exchanges.blocking.store(false, std::sync::atomic::Ordering::SeqCst);
        let mut client = self.connect().await;
        // Refused by the proxy itself: no upstream is needed.
        client.send("GET /block HTTP/1.1\r\n\r\n").await;
        eventually("the worker to stand still", || self.exchanges.blocking.load(std::sync::atomic::Ordering::SeqCst))
            .await;
        held
    }
}

/// A raw connection that reads HTTP/1 messages.
pub struct Client {
    pub stream: TcpStream,
    read: Vec<u8>,
}

/// One message: its first line, its fields (names in lower case), its body without framing, and trailers.
#[derive(Debug)]
pub struct Message {
    pub first_line: String,
    pub fields: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub trailers: Vec<(String, String)>,
}

impl Message {
    pub fn status(&self) -> u16 {
        self.first_line.split(' ').nth(1).unwrap().parse().unwrap()
    }

    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str())
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

impl Client {
    pub async fn connect(address: SocketAddr) -> Self {
        Self::over(TcpStream::connect(address).await.unwrap())
    }

    pub fn over(stream: TcpStream) -> Self {
        stream.set_nodelay(true).unwrap();
        Self { stream, read: Vec::new() }
    }

    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).await.unwrap();
    }

    /// Sends and reads one response.
    pub async fn ask(&mut self, bytes: impl AsRef<[u8]>) -> Message {
        self.send(bytes).await;
        self.message().await.expect("a response")
    }

    /// More bytes; false at the end of the stream (a reset counts as one).
    pub async fn fill(&mut self) -> bool {
        let read = tokio::time::timeout(PATIENCE, self.stream.read_buf(&mut self.read)).await.expect("bytes in time");
        read.is_ok_and(|count| count > 0)
    }

    /// What has been read and not been used.
    pub fn take_unread(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.read)
    }

    /// Everything up to the end of the stream.
    pub async fn rest(&mut self) -> Vec<u8> {
        while self.fill().await {}
        std::mem::take(&mut self.read)
    }

    pub async fn exactly(&mut self, count: usize) -> Vec<u8> {
        while self.read.len() < count {
            assert!(self.fill().await, "{} of {count} bytes", self.read.len());
        }
        self.read.drain(..count).collect()
    }

    async fn until(&mut self, end: &[u8]) -> Option<Vec<u8>> {
        loop {
            if let Some(at) = self.read.windows(end.len()).position(|window| window == end) {
                let taken = self.read.drain(..at + end.len()).collect::<Vec<u8>>();
                return Some(taken[..at].to_vec());
            }
            if !self.fill().await {
                return None;
            }
        }
    }

    /// A head only.
    pub async fn head(&mut self) -> Option<Message> {
        let head = String::from_utf8_lossy(&self.until(b"\r\n\r\n").await?).into_owned();
        let mut lines = head.split("\r\n");
        let first_line = lines.next().unwrap().to_owned();
        Some(Message { first_line, fields: fields(lines), body: Vec::new(), trailers: Vec::new() })
    }

    /// A message with its body; None at the end of the stream. Responses to HEAD need [`Client::head`].
    pub async fn message(&mut self) -> Option<Message> {
        let mut message = self.head().await?;
        let response = message.first_line.starts_with("HTTP/");
        let bodyless = response && matches!(message.status(), 100..=199 | 204 | 304);
        if message.field("transfer-encoding").is_some() {
            loop {
                let size = String::from_utf8(self.until(b"\r\n").await?).unwrap();
                let size = usize::from_str_radix(size.split(';').next().unwrap(), 16).unwrap();
                if size == 0 {
                    break;
                }
                message.body.extend(self.exactly(size).await);
                assert_eq!(self.exactly(2).await, b"\r\n");
            }
            let mut trailers = Vec::new();
            loop {
                let line = self.until(b"\r\n").await?;
                if line.is_empty() {
                    break;
                }
                trailers.push(String::from_utf8(line).unwrap());
            }
            message.trailers = fields(trailers.iter().map(String::as_str));
        } else if let Some(length) = message.field("content-length") {
            let length = length.parse().unwrap();
            if !bodyless {
                message.body = self.exactly(length).await;
            }
        } else if response && !bodyless {
            message.body = self.rest().await;
        }
        Some(message)
    }
}

fn fields<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<(String, String)> {
    lines
        .map(|line| {
            let (name, value) = line.split_once(':').unwrap();
            (name.to_ascii_lowercase(), value.trim().to_owned())
        })
        .collect()
}

/// An upstream that hands each connection to `serve`.
pub async fn raw_upstream<F>(serve: impl Fn(Client) -> F + Send + 'static) -> SocketAddr
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(Client::over(stream)));
        }
    });
    address
}

/// An upstream that keeps connections open, writes every request down and answers each with what `answer` makes.
pub struct Upstream {
    pub address: SocketAddr,
    pub requests: Arc<Mutex<Vec<Message>>>,
    pub connections: Arc<Mutex<usize>>,
}

impl Upstream {
    pub async fn start(answer: impl Fn(&Message) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let requests = Arc::new(Mutex::new(Vec::new()));
        let connections = Arc::new(Mutex::new(0));
        let answer = Arc::new(answer);
        let (log, count) = (Arc::clone(&requests), Arc::clone(&connections));
        let address = raw_upstream(move |mut client| {
            let (log, answer) = (Arc::clone(&log), Arc::clone(&answer));
            *count.lock().unwrap() += 1;
            async move {
                while let Some(request) = client.message().await {
                    let response = answer(&request);
                    log.lock().unwrap().push(request);
                    if client.stream.write_all(&response).await.is_err() {
                        return;
                    }
                }
            }
        })
        .await;
        Self { address, requests, connections }
    }

    /// Answers everything with a small text.
    pub async fn plain() -> Self {
        Self::start(|_| text_response("hello")).await
    }

    pub fn seen(&self) -> Vec<String> {
        self.requests.lock().unwrap().iter().map(|request| request.first_line.clone()).collect()
    }
}

pub fn text_response(body: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}
