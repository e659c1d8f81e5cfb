//! The simulator against its own upstream, over real sockets.
#![allow(clippy::unwrap_used, reason = "a broken test should panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use threadline_traffic::truth::{Identifier, IdentifierName, Precedence, Rule, Side, Truth, TruthWriter, score};
use threadline_traffic::{ActorKind, Report, Simulation, SimulationSettings, Upstream, UpstreamSettings};
use tokio::sync::oneshot;

/// Enough for one of each kind, the two neighbours, and some more.
const REQUESTS: u64 = 900;

struct RunningUpstream {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: tokio::task::JoinHandle<()>,
}

async fn start_upstream(seed: u64) -> RunningUpstream {
    let settings = UpstreamSettings { seed, latency: Duration::ZERO, event_interval: Duration::ZERO };
    let upstream = Upstream::bind(([127, 0, 0, 1], 0).into(), settings).await.unwrap();
    let address = upstream.local_address();
    let (stop, stopped) = oneshot::channel();
    let task = tokio::spawn(upstream.run(async {
        let _ = stopped.await;
    }));
    RunningUpstream { address, stop, task }
}

async fn run(seed: u64, http2: bool) -> (Report, Truth) {
    let upstream = start_upstream(seed).await;
    let truth = TruthWriter::memory();
    let settings = SimulationSettings {
        seed,
        target: format!("http://{}", upstream.address),
        requests: Some(REQUESTS),
        pace: 0.0,
        http2,
        ..SimulationSettings::default()
    };
    let simulation = Simulation::new(settings).await.unwrap();
    let report = simulation.run(truth.clone(), std::future::pending()).await.unwrap();
    upstream.stop.send(()).unwrap();
    upstream.task.await.unwrap();
    (report, truth.take())
}

/// What each actor sent, in its order.
fn sent(truth: &Truth) -> BTreeMap<&str, Vec<(u64, &str, &str, &str)>> {
    let mut actors: BTreeMap<&str, Vec<_>> = BTreeMap::new();
    for record in &truth.records {
        let request = (record.sequence, record.method.as_str(), record.target.as_str(), record.body.as_str());
        actors.entry(&record.actor).or_default().push(request);
    }
    actors
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_seed_gives_one_set_of_requests() {
    let (first_report, first) = run(11, false).await;
    let (_, second) = run(11, true).await;
    assert_eq!(first.records.len() as u64, REQUESTS);
    assert_eq!((first_report.requests(), first_report.failures()), (REQUESTS, 0));
    assert_eq!(sent(&first), sent(&second));
    let (_, other) = run(12, false).await;
    assert_ne!(sent(&first), sent(&other));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_kind_of_actor_appears_and_does_what_it_is_there_for() {
    let (report, truth) = run(1, false).await;
    assert_eq!(report.kinds.keys().copied().collect::<BTreeSet<_>>(), BTreeSet::from(ActorKind::ALL));
    for status in [200, 201, 202, 204, 403, 404] {
        assert!(report.statuses.contains_key(&status), "no {status} in {:?}", report.statuses);
    }
    assert!(report.statuses.keys().any(|status| *status >= 500), "no server error in {:?}", report.statuses);
    assert!(!report.statuses.contains_key(&401), "an actor was refused: {:?}", report.statuses);
    let targets = |wanted: &str| truth.records.iter().filter(|record| record.target.starts_with(wanted)).count();
    for target in
        ["/login", "/token/refresh", "/mobile/session", "/graphql", "/events", "/wishlist?token=", "/search?q="]
    {
        assert!(targets(target) > 0, "nobody asked for {target}");
    }
    let addresses: BTreeSet<&str> = truth
        .records
        .iter()
        .flat_map(|record| &record.identifiers)
        .filter(|found| found.name == IdentifierName::AddressAndAgent)
        .filter_map(|found| found.value.split(' ').next())
        .collect();
    if cfg!(target_os = "linux") {
        assert!(addresses.len() > 10 && !addresses.contains("127.0.0.1"), "{addresses:?}");
    }
    let ids: BTreeSet<&str> = truth.records.iter().map(|record| record.trace_id.as_str()).collect();
    assert_eq!(ids.len(), truth.records.len(), "trace IDs are unique");
    let neighbours: Vec<_> = truth.records.iter().filter(|record| record.kind == ActorKind::Neighbour).collect();
    let value = |record: &&&threadline_traffic::truth::TruthRecord| {
        let found = record.identifiers.iter().find(|found| found.name == IdentifierName::AddressAndAgent);
        (record.actor.trim_end_matches("-a").trim_end_matches("-b").to_owned(), found.unwrap().value.clone())
    };
    let households: BTreeSet<_> = neighbours.iter().map(|record| value(&record)).collect();
    let names: BTreeSet<_> = households.iter().map(|(name, _)| name).collect();
    assert_eq!(households.len(), names.len(), "neighbours share address and agent");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_simulation_ends_and_a_missing_target_is_counted() {
    let upstream = start_upstream(3).await;
    let target = format!("http://{}", upstream.address);
    let settings = SimulationSettings { seed: 3, target, pace: 0.0, ..SimulationSettings::default() };
    let truth = TruthWriter::memory();
    let (stop, stopped) = oneshot::channel::<()>();
    let running = Simulation::new(settings.clone()).await.unwrap().run(truth.clone(), async {
        let _ = stopped.await;
    });
    let running = tokio::spawn(running);
    let mut seen = 0;
    while seen < 100 {
        seen += truth.take().records.len();
        tokio::task::yield_now().await;
    }
    stop.send(()).unwrap();
    let report = running.await.unwrap().unwrap();
    assert!(report.requests() >= 100);
    assert_eq!(report.failures(), 0, "requests under way are finished");

    upstream.stop.send(()).unwrap();
    upstream.task.await.unwrap();
    let settings = SimulationSettings { requests: Some(5), ..settings };
    let truth = TruthWriter::memory();
    let report = Simulation::new(settings).await.unwrap().run(truth.clone(), std::future::pending()).await.unwrap();
    assert_eq!((report.requests(), report.failures()), (5, 5));
    assert!(truth.take().records.iter().all(|record| record.status.is_none()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_ideal_assignment_scores_full_marks_and_damage_is_seen() {
    let (_, truth) = run(5, false).await;
    let precedence = Precedence::configured([
        Rule::response(IdentifierName::BodyToken),
        Rule::request(IdentifierName::QueryToken),
        Rule::request(IdentifierName::BodyToken),
    ]);
    let session = |found: &Identifier| format!("{} {}", found.name.namespace(), found.value);
    let mut ideal: Vec<(String, String)> = truth
        .records
        .iter()
        .map(|record| (record.trace_id.clone(), session(precedence.deciding(record).unwrap())))
        .collect();
    let full = score(&truth, &precedence, &ideal);
    assert_eq!((full.exchanges as u64, full.missing, full.unknown, full.repeated), (REQUESTS, 0, 0, 0), "{full}");
    assert!(full.mixed.is_empty() && full.split.is_empty(), "{full}");
    assert!((full.completeness - 1.0).abs() < f64::EPSILON && full.purity > 0.98, "{full}");

    // Two signed-in people in one session, and one person's session in two.
    let token_of = |kind: ActorKind| {
        let record = truth.records.iter().find(|record| record.kind == kind && record.sequence == 3).unwrap();
        session(precedence.deciding(record).unwrap())
    };
    let (web, partner) = (token_of(ActorKind::WebShopper), token_of(ActorKind::Partner));
    for (_, session) in ideal.iter_mut().filter(|(_, session)| *session == web) {
        session.clone_from(&partner);
    }
    let enumerator = token_of(ActorKind::OrderEnumerator);
    ideal.iter_mut().find(|(_, session)| *session == enumerator).unwrap().1.push_str(" again");
    ideal.push(("ffffffffffffffffffffffffffffffff".to_owned(), "nobody".to_owned()));
    let repeated = ideal[0].clone();
    ideal.push(repeated);
    let damaged = score(&truth, &precedence, &ideal);
    assert_eq!((damaged.mixed.len(), damaged.split.len()), (1, 1), "{damaged}");
    assert_eq!((damaged.unknown, damaged.repeated), (1, 1), "{damaged}");
    assert!(damaged.purity < full.purity && damaged.completeness < full.completeness, "{damaged}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_truth_reads_back_what_was_written() {
    let (_, truth) = run(4, false).await;
    let file = tempfile::NamedTempFile::new().unwrap();
    let writer = TruthWriter::lines(file.reopen().unwrap());
    for record in &truth.records {
        writer.write(record).unwrap();
    }
    writer.flush().unwrap();
    assert_eq!(Truth::read(file.reopen().unwrap()).unwrap(), truth);
    assert!(Truth::read(&b"{}\n"[..]).is_err());
    assert!(truth.records.iter().flat_map(|record| &record.identifiers).any(|found| found.side == Side::Response));
}
