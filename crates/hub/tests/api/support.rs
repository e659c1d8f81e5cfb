//! A hub over the embedded store on a free port of its own, and a small client for it.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use tempfile::TempDir;
use threadline_hub::{BuiltInRule, Hub, HubMetrics, HubSettings};
use threadline_model::{Clock, ManualClock, Timestamp};
use threadline_store::ExchangeStore;
use threadline_store_duckdb::{DuckSettings, DuckStore};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// 2026-11-23T12:00:00Z, where every test's clock starts.
pub(crate) const NOON: Timestamp = Timestamp::from_micros(1_795_435_200_000_000);
pub(crate) const SECOND: i64 = 1_000_000;
pub(crate) const MINUTE: i64 = 60 * SECOND;
pub(crate) const HOUR: i64 = 60 * MINUTE;

pub(crate) const ADMIN: &str = "ada";
pub(crate) const PASSWORD: &str = "correct horse battery";

pub(crate) struct TestHub {
    pub(crate) address: SocketAddr,
    pub(crate) hub: Hub,
    pub(crate) store: Arc<DuckStore>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) directory: TempDir,
    client: Client<HttpConnector, Full<Bytes>>,
    stop: Option<oneshot::Sender<()>>,
    serving: JoinHandle<()>,
}

impl TestHub {
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    pub(crate) async fn start_with(change: impl FnOnce(&mut HubSettings)) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), change).await
    }

    pub(crate) async fn start_in(directory: TempDir, change: impl FnOnce(&mut HubSettings)) -> Self {
        let clock = Arc::new(ManualClock::new(NOON));
        let duck = DuckSettings::new(directory.path().join("store"), Arc::clone(&clock) as Arc<dyn Clock>);
        let store = Arc::new(DuckStore::open(duck).unwrap());
        let mut settings = settings(&directory);
        change(&mut settings);
        let hub =
            Hub::open(settings, Arc::clone(&store) as Arc<dyn ExchangeStore>, Arc::clone(&clock) as Arc<dyn Clock>);
        let hub = hub.await.unwrap();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let served = hub.clone();
        let serving = tokio::spawn(async move {
            let shutdown = async {
                let _ = stopped.await;
            };
            served.serve(listener, shutdown).await.unwrap();
        });
        let client = Client::builder(TokioExecutor::new()).build_http();
        let started = Self { address, hub, store, clock, directory, client, stop: Some(stop), serving };
        // The first answer comes when the files for local commands are there.
        assert_eq!(started.get("/healthz").send().await.status, StatusCode::OK);
        started
    }

    /// Stops it cleanly and gives the folder back.
    pub(crate) async fn stop(mut self) -> TempDir {
        drop(self.client);
        let _ = self.stop.take().map(|stop| stop.send(()));
        self.serving.await.unwrap();
        self.hub.close().await;
        self.store.close().await.unwrap();
        self.directory
    }

    pub(crate) fn forward(&self, micros: i64) {
        self.clock.set(Timestamp::from_micros(self.clock.now().micros() + micros));
    }

    pub(crate) fn call(&self, method: Method, path: &str) -> Call<'_> {
        let mut headers = HeaderMap::new();
        headers.insert("host", self.address.to_string().parse().unwrap());
        Call { hub: self, method, path: path.to_owned(), headers, body: Bytes::new() }
    }

    pub(crate) fn get(&self, path: &str) -> Call<'_> {
        self.call(Method::GET, path)
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Call<'_> {
        self.call(Method::POST, path).json(body)
    }

    /// The token of commands on the same machine: an administrator's.
    pub(crate) fn local_token(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("local-token")).unwrap().trim().to_owned()
    }

    /// A new API token of a role.
    pub(crate) async fn token(&self, role: &str) -> String {
        let body = json!({"name": format!("a {role}"), "role": role});
        let answer = self.post("/api/v1/tokens", &body).token(&self.local_token()).send().await;
        assert_eq!(answer.status, StatusCode::CREATED);
        answer.json()["secret"].as_str().unwrap().to_owned()
    }

    /// Makes the first administrator; gives the cookie.
    pub(crate) async fn first_administrator(&self) -> String {
        let token = self.hub.first_run_token().unwrap();
        let body = json!({"token": token, "name": ADMIN, "password": PASSWORD});
        let answer = self.post("/api/v1/first-run", &body).send().await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        answer.cookie().unwrap()
    }

    pub(crate) async fn sign_in(&self, name: &str, password: &str) -> Answer {
        self.post("/api/v1/sign-in", &json!({"name": name, "password": password})).send().await
    }
}

pub(crate) fn settings(directory: &TempDir) -> HubSettings {
    let mut settings = HubSettings::new(directory.path());
    settings.built_in_rules = vec![
        BuiltInRule { name: "cookie PHPSESSID".into(), description: "PHP's session cookie".into() },
        BuiltInRule { name: "address and user agent".into(), description: "When nothing else identifies".into() },
    ];
    settings.trace_outcome = |letter| match letter {
        'd' => Some("decided"),
        'a' => Some("absent"),
        _ => None,
    };
    settings.metrics = HubMetrics::default();
    settings.secret_fingerprint = Some("0011223344556677".to_owned());
    settings
}

/// A request being put together.
pub(crate) struct Call<'a> {
    hub: &'a TestHub,
    method: Method,
    path: String,
    headers: HeaderMap,
    body: Bytes,
}

impl Call<'_> {
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.insert(http::HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap());
        self
    }

    pub(crate) fn token(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    /// A browser's request from one of the hub's own pages.
    pub(crate) fn browser(self, cookie: &str) -> Self {
        let origin = format!("http://{}", self.hub.address);
        self.header("cookie", cookie).header("origin", &origin)
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.bytes("application/json", body.to_string())
    }

    pub(crate) fn bytes(mut self, kind: &str, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self.header("content-type", kind)
    }

    pub(crate) async fn send(self) -> Answer {
        let uri = format!("http://{}{}", self.hub.address, self.path);
        let mut request = Request::builder().method(self.method).uri(uri).body(Full::new(self.body)).unwrap();
        *request.headers_mut() = self.headers;
        let response = self.hub.client.request(request).await.unwrap();
        let (head, body) = response.into_parts();
        #[allow(clippy::disallowed_methods, reason = "the hub's own answers")]
        let body = body.collect().await.unwrap().to_bytes();
        Answer { status: head.status, headers: head.headers, body }
    }
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.to_vec()).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// `name=value` of the cookie that was set.
    pub(crate) fn cookie(&self) -> Option<String> {
        let text = self.headers.get("set-cookie")?.to_str().unwrap();
        Some(text.split(';').next().unwrap().to_owned())
    }

    /// A problem of this status about these fields, well-formed.
    #[track_caller]
    pub(crate) fn assert_problem(&self, status: u16, fields: &[&str]) {
        let text = self.text();
        assert_eq!(self.status.as_u16(), status, "{text}");
        assert_eq!(self.header("content-type"), "application/problem+json", "{text}");
        let problem = self.json();
        assert_eq!(problem["status"], status, "{text}");
        assert!(problem["type"].as_str().unwrap().starts_with("urn:threadline:problem:"), "{text}");
        assert!(!problem["title"].as_str().unwrap().is_empty() && !problem["detail"].as_str().unwrap().is_empty());
        let named: Vec<&str> =
            problem["errors"].as_array().unwrap().iter().map(|error| error["field"].as_str().unwrap()).collect();
        assert_eq!(named, fields, "{text}");
    }
}
