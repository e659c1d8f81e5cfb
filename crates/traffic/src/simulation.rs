//! Runs actors against a target over real sockets and writes down the truth.
//!
//! Each actor has a source address and a connection of its own. What is sent depends on the seed and the target's
//! answers only; when it is sent depends on the pace.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use http::Request;
use http_body_util::Full;
use rand::RngExt as _;
use threadline_model::{Clock as _, SystemClock};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::actors::{Actor, ActorKind, ActorPlan, ActorRequest, Arrivals, Reply};
use crate::har::HarRecorder;
use crate::random::stream;
use crate::truth::{TruthRecord, TruthWriter};
use crate::wire::{Connection, Received};

/// The usual think time at pace 1.
const THINK: Duration = Duration::from_millis(900);

/// The time between the first arrivals at pace 1.
const ARRIVAL: Duration = Duration::from_millis(250);

/// The wait after a request that got no answer, so that an absent target is not hammered.
const BACK_OFF: Duration = Duration::from_millis(200);

/// What is simulated.
#[derive(Clone, Debug)]
pub struct SimulationSettings {
    /// Which actors appear and what they do.
    pub seed: u64,
    /// Where they connect: `http://HOST:PORT`, usually the proxy.
    pub target: String,
    /// Requests in all; none goes on until shutdown.
    pub requests: Option<u64>,
    /// How fast actors act: 1 is a lively demo, 10 ten times as fast, 0 as fast as possible.
    pub pace: f64,
    /// Actors (or pairs) active at a time.
    pub actors: usize,
    /// Whether the mobile app speaks HTTP/2 with prior knowledge instead of HTTP/1.1.
    pub http2: bool,
}

impl Default for SimulationSettings {
    /// Seed 1, the proxy's default address, endless, pace 1, 16 actors, HTTP/1.1 only.
    fn default() -> Self {
        Self {
            seed: 1,
            target: "http://127.0.0.1:8080".to_owned(),
            requests: None,
            pace: 1.0,
            actors: 16,
            http2: false,
        }
    }
}

/// A setting that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SimulationError {
    /// The target is not `http://HOST:PORT`.
    #[error("target: expected a URL such as http://127.0.0.1:8080")]
    Target,
    /// The target's host has no address.
    #[error("target: the host has no address")]
    Resolve(#[source] io::Error),
    /// The pace is negative or not a number.
    #[error("pace: expected 0 (as fast as possible) or a positive number")]
    Pace,
    /// No actors at all.
    #[error("actors: expected at least 1")]
    Actors,
    /// The truth could not be written.
    #[error("the truth could not be written")]
    Truth(#[source] io::Error),
}

/// What one kind of actor did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KindReport {
    /// Actors that sent at least one request.
    pub actors: u64,
    /// Requests sent.
    pub requests: u64,
    /// Requests without a response.
    pub failures: u64,
}

/// What happened in a run. `Display` prints a small table.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// By kind of actor.
    pub kinds: BTreeMap<ActorKind, KindReport>,
    /// Responses by status.
    pub statuses: BTreeMap<u16, u64>,
    /// From the first request to the end.
    pub elapsed: Duration,
}

impl Report {
    /// Requests sent.
    pub fn requests(&self) -> u64 {
        self.kinds.values().map(|kind| kind.requests).sum()
    }

    /// Requests without a response.
    pub fn failures(&self) -> u64 {
        self.kinds.values().map(|kind| kind.failures).sum()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{:<18}{:>8}{:>10}{:>10}", "kind", "actors", "requests", "failures")?;
        for (kind, report) in &self.kinds {
            let KindReport { actors, requests, failures } = report;
            writeln!(formatter, "{:<18}{actors:>8}{requests:>10}{failures:>10}", kind.as_str())?;
        }
        let statuses: Vec<String> = self.statuses.iter().map(|(status, count)| format!("{status}: {count}")).collect();
        writeln!(formatter, "statuses          {}", statuses.join(", "))?;
        let seconds = self.elapsed.as_secs_f64().max(f64::EPSILON);
        write!(
            formatter,
            "{} requests, {} failures in {seconds:.1} s: {:.0} requests/s",
            self.requests(),
            self.failures(),
            self.requests() as f64 / seconds
        )
    }
}

/// A simulation that is ready to run.
pub struct Simulation {
    settings: SimulationSettings,
    address: SocketAddr,
    recorder: Option<HarRecorder>,
}

impl Simulation {
    /// Checks the settings and resolves the target.
    ///
    /// # Errors
    /// When a setting cannot be used.
    pub async fn new(settings: SimulationSettings) -> Result<Self, SimulationError> {
        if !(settings.pace.is_finite() && settings.pace >= 0.0) {
            return Err(SimulationError::Pace);
        }
        if settings.actors == 0 {
            return Err(SimulationError::Actors);
        }
        let uri: http::Uri = settings.target.parse().map_err(|_| SimulationError::Target)?;
        let (Some("http"), Some(host)) = (uri.scheme_str(), uri.host()) else { return Err(SimulationError::Target) };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let mut addresses =
            tokio::net::lookup_host((host, uri.port_u16().unwrap_or(80))).await.map_err(SimulationError::Resolve)?;
        let address = addresses.next().ok_or(SimulationError::Target)?;
        Ok(Self { settings, address, recorder: None })
    }

    /// Also records what the clients see as HAR.
    #[must_use]
    pub fn with_recorder(mut self, recorder: HarRecorder) -> Self {
        self.recorder = Some(recorder);
        self
    }

    /// Runs until all requests are sent or `shutdown` is done; requests under way are finished.
    ///
    /// # Errors
    /// When the truth or the recording cannot be written.
    pub async fn run(self, truth: TruthWriter, shutdown: impl Future<Output = ()>) -> Result<Report, SimulationError> {
        let (stop, stopped) = watch::channel(false);
        let shared = Arc::new(Shared {
            arrivals: Mutex::new(Arrivals::new(self.settings.seed, self.settings.requests)),
            report: Mutex::new(Report::default()),
            settings: self.settings,
            address: self.address,
            truth,
            recorder: self.recorder,
        });
        let began = Instant::now();
        let mut slots = JoinSet::new();
        for slot in 0..shared.settings.actors {
            slots.spawn(run_slot(Arc::clone(&shared), slot, stopped.clone()));
        }
        let mut shutdown = std::pin::pin!(shutdown);
        let mut outcome = Ok(());
        loop {
            tokio::select! {
                () = &mut shutdown, if !*stop.borrow() => {
                    stop.send_replace(true);
                }
                ended = slots.join_next() => match ended {
                    None => break,
                    Some(Ok(Err(error))) => {
                        outcome = Err(SimulationError::Truth(error));
                        stop.send_replace(true);
                    }
                    Some(Ok(Ok(())) | Err(_)) => {}
                }
            }
        }
        shared.truth.flush().map_err(SimulationError::Truth)?;
        if let Some(recorder) = &shared.recorder {
            recorder.finish().map_err(SimulationError::Truth)?;
        }
        outcome?;
        let mut report = shared.report.lock().unwrap_or_else(PoisonError::into_inner).clone();
        report.elapsed = began.elapsed();
        Ok(report)
    }
}

struct Shared {
    settings: SimulationSettings,
    address: SocketAddr,
    arrivals: Mutex<Arrivals>,
    truth: TruthWriter,
    recorder: Option<HarRecorder>,
    report: Mutex<Report>,
}

impl Shared {
    /// Waits `units` of `time` at the pace; false when asked to stop meanwhile.
    async fn pause(&self, time: Duration, units: f64, stopped: &mut watch::Receiver<bool>) -> bool {
        if *stopped.borrow() {
            return false;
        }
        if self.settings.pace > 0.0 {
            let wait = tokio::time::sleep(time.mul_f64(units / self.settings.pace));
            tokio::select! {
                () = wait => {}
                _ = stopped.wait_for(|stop| *stop) => return false,
            }
        }
        true
    }

    fn count(&self, kind: ActorKind, first: bool, status: Option<u16>) {
        let mut report = self.report.lock().unwrap_or_else(PoisonError::into_inner);
        let counts = report.kinds.entry(kind).or_default();
        counts.actors += u64::from(first);
        counts.requests += 1;
        counts.failures += u64::from(status.is_none());
        if let Some(status) = status {
            *report.statuses.entry(status).or_default() += 1;
        }
    }
}

/// One place for an actor: when one has left, the next arrives.
async fn run_slot(shared: Arc<Shared>, slot: usize, mut stopped: watch::Receiver<bool>) -> io::Result<()> {
    if !shared.pause(ARRIVAL, slot as f64, &mut stopped).await {
        return Ok(());
    }
    loop {
        let party = shared.arrivals.lock().unwrap_or_else(PoisonError::into_inner).next();
        let Some(party) = party else { return Ok(()) };
        let mut members = JoinSet::new();
        for plan in party {
            members.spawn(run_actor(Arc::clone(&shared), plan, stopped.clone()));
        }
        while let Some(ended) = members.join_next().await {
            if let Ok(result) = ended {
                result?;
            }
        }
        if !shared.pause(THINK, 2.0, &mut stopped).await {
            return Ok(());
        }
    }
}

async fn run_actor(shared: Arc<Shared>, plan: ActorPlan, mut stopped: watch::Receiver<bool>) -> io::Result<()> {
    let seed = shared.settings.seed;
    let kind = plan.kind;
    // Think times have a stream of their own: they must not change what is sent.
    let mut think = stream(seed, "think", u64::from(plan.user));
    let mut actor = Actor::new(seed, plan);
    let http2 = shared.settings.http2 && kind == ActorKind::MobileApp;
    let mut connection = Connection::new(shared.address, actor.source(), http2);
    while let Some(request) = actor.next_request() {
        let units = request.pause * think.random_range(0.4..1.6);
        if !shared.pause(THINK, units, &mut stopped).await {
            return Ok(());
        }
        let sent_us = SystemClock.now().micros();
        let began = Instant::now();
        let received = match to_send(&request, shared.address, http2) {
            Some(message) => connection.send(message).await.ok(),
            None => None,
        };
        let reply = received.as_ref().map(|received| Reply {
            status: received.status,
            headers: &received.headers,
            body: &received.body,
        });
        let issued = actor.learn(reply.as_ref());
        let mut record = record_of(&actor, &request, sent_us, received.as_ref());
        record.identifiers.extend(issued);
        let seen_as = connection.local.unwrap_or(IpAddr::V4(actor.source()));
        record.identifiers.push(actor.address_and_agent(seen_as));
        shared.count(kind, request.sequence == 0, record.status);
        shared.truth.write(&record)?;
        if let Some(recorder) = &shared.recorder {
            recorder.record(&request, seen_as, sent_us, began.elapsed(), received.as_ref())?;
        }
        if received.is_none() {
            tokio::time::sleep(BACK_OFF).await;
        }
    }
    Ok(())
}

/// The request for hyper. HTTP/2 wants the authority in the URI.
fn to_send(request: &ActorRequest, address: SocketAddr, http2: bool) -> Option<Request<Full<bytes::Bytes>>> {
    let mut headers = request.headers.clone();
    let uri = if http2 {
        let host = headers.remove(http::header::HOST);
        let host = host.as_ref().and_then(|host| host.to_str().ok()).map_or(address.to_string(), str::to_owned);
        format!("http://{host}{}", request.target)
    } else {
        request.target.clone()
    };
    let mut message =
        Request::builder().method(request.method.clone()).uri(uri).body(Full::new(request.body.clone())).ok()?;
    *message.headers_mut() = headers;
    Some(message)
}

pub(crate) fn record_of(
    actor: &Actor,
    request: &ActorRequest,
    sent_us: i64,
    received: Option<&Received>,
) -> TruthRecord {
    let plan = actor.plan();
    TruthRecord {
        trace_id: request.trace_id.clone(),
        actor: plan.name.clone(),
        kind: plan.kind,
        sequence: request.sequence,
        sent_us,
        method: request.method.to_string(),
        target: request.target.clone(),
        body: String::from_utf8_lossy(&request.body).into_owned(),
        status: received.map(|received| received.status),
        identifiers: request.identifiers.clone(),
    }
}
