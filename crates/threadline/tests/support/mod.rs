//! Starts the real binary in a private folder on free ports and talks to it over real sockets.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "each test file uses its own part; a broken test should panic"
)]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use http::{Method, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

/// How long anything may take before a test fails.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A running `threadline`.
pub struct Threadline {
    child: Child,
    folder: PathBuf,
    pub console: String,
    pub proxy: Option<String>,
    pub token: String,
    client: Client<HttpConnector, Full<Bytes>>,
}

impl Threadline {
    /// `arguments` after the subcommand; the folder holds data, log and whatever the test puts there.
    pub async fn start(folder: &Path, subcommand: &str, arguments: &[&str]) -> Self {
        let announce = folder.join("announce.json");
        let _ = std::fs::remove_file(&announce);
        let log = std::fs::OpenOptions::new().create(true).append(true).open(folder.join("log.txt")).unwrap();
        let data = folder.join("data");
        let child = Command::new(env!("CARGO_BIN_EXE_threadline"))
            .arg(subcommand)
            .args([
                "--listen",
                "127.0.0.1:0",
                "--console",
                "127.0.0.1:0",
                "--log",
                "debug,hyper=info,h2=info,sqlx=info",
            ])
            .arg("--data")
            .arg(&data)
            .arg("--announce")
            .arg(&announce)
            .args(arguments)
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let mut running = Self {
            child,
            folder: folder.to_owned(),
            console: String::new(),
            proxy: None,
            token: String::new(),
            client: Client::builder(TokioExecutor::new()).build_http(),
        };
        let started = Instant::now();
        let addresses: Value = loop {
            if let Some(addresses) =
                std::fs::read_to_string(&announce).ok().and_then(|text| serde_json::from_str(&text).ok())
            {
                break addresses;
            }
            if let Some(status) = running.child.try_wait().unwrap() {
                panic!("threadline ended with {status}:\n{}", running.log());
            }
            assert!(started.elapsed() < PATIENCE, "not up in time:\n{}", running.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        running.console = addresses["console_url"].as_str().unwrap().trim_end_matches('/').to_owned();
        running.proxy = addresses["proxy_url"].as_str().map(|url| url.trim_end_matches('/').to_owned());
        running.token = std::fs::read_to_string(data.join("local-token")).unwrap().trim().to_owned();
        running
    }

    pub fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log.txt")).unwrap_or_default()
    }

    pub fn process_id(&self) -> u32 {
        self.child.id()
    }

    /// Sends SIGTERM and waits; the exit must be clean.
    pub async fn stop(mut self) {
        let status = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(status.success());
        let started = Instant::now();
        while started.elapsed() < PATIENCE {
            if let Some(status) = self.child.try_wait().unwrap() {
                assert!(status.success(), "ended with {status}:\n{}", self.log());
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("did not stop in time:\n{}", self.log());
    }

    /// Sends SIGKILL.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// One request through the proxy.
    pub async fn through_proxy(
        &self,
        request: http::request::Builder,
        body: impl AsRef<[u8]>,
    ) -> (http::response::Parts, Bytes) {
        let path = request.uri_ref().unwrap().clone();
        let uri = format!("{}{path}", self.proxy.as_ref().unwrap());
        send(&self.client, request.uri(uri).body(Full::new(Bytes::copy_from_slice(body.as_ref()))).unwrap())
            .await
            .unwrap()
    }

    /// One API call with the local token; `path` begins after `/api/v1`.
    pub async fn api(&self, method: Method, path: &str, body: Option<Value>) -> (Response<()>, Value) {
        self.api_with(method, path, body, &[]).await
    }

    /// The same with more headers.
    pub async fn api_with(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
        headers: &[(&str, &str)],
    ) -> (Response<()>, Value) {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}/api/v1{path}", self.console))
            .header("authorization", format!("Bearer {}", self.token));
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = body.map(|value| value.to_string()).unwrap_or_default();
        let (parts, bytes) = send(&self.client, request.body(Full::new(Bytes::from(body))).unwrap()).await.unwrap();
        let value = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        (Response::from_parts(parts, ()), value)
    }

    /// A successful `GET`.
    pub async fn get(&self, path: &str) -> Value {
        let (response, value) = self.api(Method::GET, path, None).await;
        assert!(response.status().is_success(), "{path}: {} {value}", response.status());
        value
    }

    /// A `GET` without a token, outside the API: status and text.
    pub async fn plain_get(&self, path: &str) -> (u16, String) {
        let request = Request::builder().uri(format!("{}{path}", self.console)).body(Full::default()).unwrap();
        let (parts, bytes) = send(&self.client, request).await.unwrap();
        (parts.status.as_u16(), String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Replaces the parameters list.
    pub async fn put_parameters(&self, parameters: Value) {
        let (current, _) = self.api(Method::GET, "/policy/parameters", None).await;
        let tag = current.headers()["etag"].to_str().unwrap().to_owned();
        let (response, value) = self
            .api_with(
                Method::PUT,
                "/policy/parameters",
                Some(serde_json::json!({ "parameters": parameters })),
                &[("if-match", &tag)],
            )
            .await;
        assert!(response.status().is_success(), "{} {value}", response.status());
    }

    /// Asks until `wanted` says yes, at most [`PATIENCE`].
    pub async fn wait_for(&self, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let started = Instant::now();
        loop {
            let value = self.get(path).await;
            if wanted(&value) {
                return value;
            }
            assert!(started.elapsed() < PATIENCE, "waited in vain for {path}; last: {value}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

impl Drop for Threadline {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends a request and reads the whole answer.
pub async fn send(
    client: &Client<HttpConnector, Full<Bytes>>,
    request: Request<Full<Bytes>>,
) -> Result<(http::response::Parts, Bytes), Box<dyn std::error::Error>> {
    let (parts, body) = client.request(request).await?.into_parts();
    Ok((parts, body.collect().await?.to_bytes()))
}

/// A real upstream on a free port that answers what `answer` says.
pub async fn upstream(
    answer: impl Fn(&Request<()>, &[u8]) -> Response<Full<Bytes>> + Send + Sync + Clone + 'static,
) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let answer = answer.clone();
            tokio::spawn(async move {
                let service = hyper::service::service_fn(move |request: Request<hyper::body::Incoming>| {
                    let answer = answer.clone();
                    async move {
                        let (parts, body) = request.into_parts();
                        let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
                        Ok::<_, std::convert::Infallible>(answer(&Request::from_parts(parts, ()), &body))
                    }
                });
                let _ = hyper::server::conn::http1::Builder::new()
                    .serve_connection(hyper_util::rt::TokioIo::new(stream), service)
                    .await;
            });
        }
    });
    format!("http://{address}")
}
