//! The embedded store: durable ingest, bytes on disk, and the questions of the console over seven days of generated
//! traffic.
//!
//! The traffic is typical rather than kind: sessions that interleave (38 exchanges each on average), hashed users and
//! keys, paths with numbers in them, a trace identity in every tenth exchange, a parameter of its own value in every
//! third. Figures that a warm cache would flatter are medians over different sessions.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use threadline_model::{BatchId, ExchangeId, ManualClock, Network, SessionId, Timestamp, UtcDay};
use threadline_record::{RowBuilder, decode_ipc, encode_ipc};
use threadline_store::{
    Batch, Choice, ExchangeStore, ExchangesQuery, FacetField, Filters, Lane, PageRequest, SessionsQuery, StatusFilter,
    StoreError, TimeRange,
};
use threadline_store_duckdb::{DuckSettings, DuckStore};
use uuid::Uuid;

use crate::store_traffic::Traffic;
use crate::table::{Budget, Figure, Table};

/// Rows of a batch, as the node closes them.
const BATCH: usize = 8_192;
/// Batches sent at the same time.
const IN_FLIGHT: usize = 8;
/// Times each question is asked.
const ASKED: usize = 15;
/// Days the rows are spread over.
const DAYS: i64 = 7;
/// The moment after the last row.
const END: Timestamp = UtcDay::from_days(20_780).start();

/// What to measure with.
#[derive(Clone, Debug)]
pub(crate) struct StoreOptions {
    /// Rows to store and ask about.
    pub(crate) rows: u64,
    /// Where to put the files; a temporary directory when not given. It must be empty.
    pub(crate) directory: Option<PathBuf>,
}

/// Measures and adds the sections.
pub(crate) fn run(options: &StoreOptions, table: &mut Table) {
    let Ok(runtime) = tokio::runtime::Runtime::new() else { return };
    if let Err(error) = runtime.block_on(measure(options, table)) {
        table.section(format!("Embedded store: not measured ({error})"), Vec::new());
    }
}

async fn measure(options: &StoreOptions, table: &mut Table) -> Result<(), Box<dyn std::error::Error>> {
    let temporary = tempfile::tempdir()?;
    let directory = options.directory.clone().unwrap_or_else(|| temporary.path().to_owned());
    // Two hours before midnight, so that the store's own upkeep, due hourly and after midnight, measures nothing twice.
    let clock = Arc::new(ManualClock::new(Timestamp::from_micros(END.micros() - 2 * 3_600_000_000)));
    let store = Arc::new(DuckStore::open(DuckSettings::new(directory, clock.clone()))?);

    let mut traffic = Traffic::new(END.micros() - DAYS * DAY, DAYS * DAY / options.rows.max(1) as i64);
    let (sessions, mut figures) = ingest(&store, &mut traffic, options.rows).await?;
    let fresh = store.status().await?;
    let storing = peak_memory();
    // As on any day: six days are closed, today's file is as it was written, and a day's worth of time covers both.
    let started = Instant::now();
    store.enforce_retention().await?;
    store.rewrite_closed_days().await?;
    let closing = started.elapsed();
    let memory = peak_memory();
    let asked = questions(&store, &sessions).await?;
    clock.set(Timestamp::from_micros(END.micros() + 2 * 3_600_000_000));
    store.enforce_retention().await?;
    store.rewrite_closed_days().await?;
    let closed = store.status().await?;
    let rows = closed.exchanges.max(1) as f64;
    figures.extend([
        Figure::new("bytes per exchange as written", fresh.bytes_on_disk as f64 / rows, "bytes", Budget::None),
        Figure::new(
            "bytes per exchange once its day is closed",
            closed.bytes_on_disk as f64 / rows,
            "bytes",
            Budget::AtMost(60.0),
        ),
        Figure::new("closing six days", closing.as_secs_f64(), "s", Budget::None),
        Figure::new("memory, highest while storing", storing, "MB", Budget::AtMost(1_000.0)),
        Figure::new("memory, highest while closing, too", memory, "MB", Budget::AtMost(1_000.0)),
    ]);
    table.section(format!("Embedded store: {} rows in {DAYS} days", options.rows), figures);
    table.section("Embedded store: questions over 24 hours, half of them of a closed day, median", asked);
    store.close().await?;
    Ok(())
}

const DAY: i64 = 86_400_000_000;

/// Stores the rows and gives some sessions' identities back.
async fn ingest(
    store: &Arc<DuckStore>,
    traffic: &mut Traffic,
    rows: u64,
) -> Result<(Vec<(SessionId, ExchangeId)>, Vec<Figure>), Box<dyn std::error::Error>> {
    let mut builder = RowBuilder::with_capacity(BATCH);
    let (mut built, mut encoded, mut decoded, mut appended) =
        (Duration::ZERO, Duration::ZERO, Duration::ZERO, Duration::ZERO);
    let (mut bytes, mut done, mut number) = (0, 0, 0_u128);
    let mut latencies = Vec::new();
    let mut sessions = Vec::new();
    while done < rows {
        let mut batches = Vec::new();
        while batches.len() < 4 * IN_FLIGHT && done < rows {
            traffic.prepare(BATCH.min((rows - done) as usize));
            let started = Instant::now();
            traffic.for_each(|row| builder.append(row));
            let rows = builder.finish();
            built += started.elapsed();
            done += rows.num_rows() as u64;
            let started = Instant::now();
            let wire = encode_ipc(&rows);
            encoded += started.elapsed();
            bytes += wire.len();
            let started = Instant::now();
            let rows = decode_ipc(&wire)?;
            decoded += started.elapsed();
            let mut last = None;
            traffic.for_each(|row| last = Some((row.session_id, row.exchange_id)));
            sessions.extend(last);
            number += 1;
            batches.push(Batch { id: BatchId::new(Uuid::from_u128(number)), lane: Lane::Live, rows });
        }
        let started = Instant::now();
        for result in send(store, batches).await {
            latencies.push(result?);
        }
        appended += started.elapsed();
    }
    latencies.sort_unstable();
    let per_row = |time: Duration| time.as_nanos() as f64 / rows as f64;
    let at = |share: f64| latencies[((latencies.len() - 1) as f64 * share) as usize].as_secs_f64() * 1_000.0;
    let figures = vec![
        Figure::new("build rows, one core", per_row(built), "ns per row", Budget::AtMost(667.0)),
        Figure::new("encode", per_row(encoded), "ns per row", Budget::None),
        Figure::new("decode and check", per_row(decoded), "ns per row", Budget::None),
        Figure::new("bytes per row on the wire", bytes as f64 / rows as f64, "bytes", Budget::None),
        Figure::new("durable ingest", rows as f64 / appended.as_secs_f64(), "rows/s", Budget::AtLeast(120_000.0)),
        Figure::new("acknowledged after, p50, eight batches at once", at(0.5), "ms", Budget::None),
        Figure::new("acknowledged after, p99, eight batches at once", at(0.99), "ms", Budget::None),
    ];
    Ok((sessions, figures))
}

/// Sends batches, so many at a time, and says how long each took.
async fn send(store: &Arc<DuckStore>, batches: Vec<Batch>) -> Vec<Result<Duration, StoreError>> {
    let mut waiting = tokio::task::JoinSet::new();
    let mut results = Vec::new();
    for batch in batches {
        if waiting.len() >= IN_FLIGHT {
            results.extend(waiting.join_next().await.and_then(Result::ok));
        }
        let store = Arc::clone(store);
        waiting.spawn(async move {
            let started = Instant::now();
            store.append(batch).await.map(|_| started.elapsed())
        });
    }
    results.extend(waiting.join_all().await);
    results
}

async fn questions(store: &DuckStore, sessions: &[(SessionId, ExchangeId)]) -> Result<Vec<Figure>, StoreError> {
    let range = TimeRange {
        from: Timestamp::from_micros(END.micros() - DAY * 3 / 2),
        to: Timestamp::from_micros(END.micros() - DAY / 2),
    };
    let week = TimeRange { from: Timestamp::from_micros(END.micros() - DAYS * DAY), to: END };
    let text = |value: &str| Choice { any: vec![value.to_owned()], not: Vec::new() };
    let network = Network { address: [10, 1, 0, 0].into(), prefix: 20 };
    let user = some_user(store, range).await?;
    let five = vec![FacetField::Host, FacetField::Status, FacetField::Method, FacetField::Endpoint, FacetField::User];
    let eleven = [
        five.clone(),
        vec![
            FacetField::Application,
            FacetField::Ip,
            FacetField::Role,
            FacetField::Key,
            FacetField::UserAgent,
            FacetField::Outcome,
        ],
    ]
    .concat();
    let failed = Filters {
        status: Choice { any: vec![StatusFilter::Class(5)], not: Vec::new() },
        host: text("api.shop.example"),
        ..Filters::default()
    };
    let of_user = Filters { user: text(&user), ..Filters::default() };
    let of_network = Filters { ip: Choice { any: vec![network], not: Vec::new() }, ..Filters::default() };
    let of_endpoint = Filters { endpoint: text("orders"), ..Filters::default() };
    let parameter = some_parameter(store, sessions[pick(sessions, 1)].1).await?;
    let of_parameter = Filters { parameters: parameter.into_iter().collect(), ..Filters::default() };
    let searched = Filters { search: Some("orders/{int}/items".to_owned()), ..Filters::default() };
    let list = async |range: TimeRange, filters: &Filters, bins: u16| {
        let page = PageRequest { limit: 50, token: None };
        let query = SessionsQuery { range, filters: filters.clone(), page, thread_bins: bins };
        store.sessions(query).await.map(|page| page.total)
    };
    let everything = Filters::default();
    let hundred = Budget::AtMost(100.0);
    let twenty = Budget::AtMost(20.0);
    Ok(vec![
        median("sessions list", hundred, |_| list(range, &everything, 0)).await?,
        median("sessions list with miniature threads", hundred, |_| list(range, &everything, 48)).await?,
        median("sessions list, 5xx of one host", hundred, |_| list(range, &failed, 0)).await?,
        median("sessions list, one user", hundred, |_| list(range, &of_user, 0)).await?,
        median("sessions list, one network", hundred, |_| list(range, &of_network, 0)).await?,
        median("sessions list, endpoint contains", hundred, |_| list(range, &of_endpoint, 0)).await?,
        median("sessions list, one parameter", hundred, |_| list(range, &of_parameter, 0)).await?,
        median("sessions list, free text", Budget::None, |_| list(range, &searched, 0)).await?,
        median("sessions list of seven days", Budget::None, |_| list(week, &everything, 0)).await?,
        median("five facets", hundred, |_| facets(store, range, five.clone())).await?,
        median("eleven facets", Budget::None, |_| facets(store, range, eleven.clone())).await?,
        median("histogram, 96 bars", hundred, |_| histogram(store, range)).await?,
        median("histogram of seven days, 96 bars", Budget::None, |_| histogram(store, week)).await?,
        median("one session's exchanges", twenty, |round| exchanges(store, range, sessions[pick(sessions, round)].0))
            .await?,
        median("one session's exchanges over seven days", Budget::None, |round| {
            exchanges(store, week, sessions[pick(sessions, round)].0)
        })
        .await?,
        median("one session's summary", Budget::None, async |round| {
            let (session, _) = sessions[pick(sessions, round)];
            store
                .session(session, week, Filters::default(), 500, 1_800_000_000)
                .await
                .map(|found| u64::from(found.is_some()))
        })
        .await?,
        median("one exchange by its identity", twenty, async |round| {
            store.exchange(sessions[pick(sessions, round)].1).await.map(|found| u64::from(found.is_some()))
        })
        .await?,
    ])
}

/// A session among those of the questions' 24 hours, the same ones in every run.
fn pick<T>(values: &[T], round: usize) -> usize {
    let days = DAYS as usize;
    let (first, count) = (values.len() * (2 * days - 3) / (2 * days), values.len() / days);
    (first + (round + 1) * 7_919 % count.max(1)).min(values.len() - 1)
}

async fn facets(store: &DuckStore, range: TimeRange, fields: Vec<FacetField>) -> Result<u64, StoreError> {
    store.facets(range, Filters::default(), fields, 20).await.map(|facets| facets.len() as u64)
}

async fn histogram(store: &DuckStore, range: TimeRange) -> Result<u64, StoreError> {
    store.histogram(range, Filters::default(), 96).await.map(|bars| bars.len() as u64)
}

async fn exchanges(store: &DuckStore, range: TimeRange, session: SessionId) -> Result<u64, StoreError> {
    let filters = Filters { session: Choice { any: vec![session], not: Vec::new() }, ..Filters::default() };
    let page = PageRequest { limit: 100, token: None };
    store.exchanges(ExchangesQuery { range, filters, page, oldest_first: true }).await.map(|page| page.total)
}

/// A parameter of an exchange with its value.
async fn some_parameter(
    store: &DuckStore,
    exchange: ExchangeId,
) -> Result<Option<(String, Choice<String>)>, StoreError> {
    let exchange = store.exchange(exchange).await?;
    let parameter = exchange.and_then(|exchange| exchange.params.into_iter().next());
    Ok(parameter.map(|parameter| (parameter.name, Choice { any: vec![parameter.value], not: Vec::new() })))
}

async fn some_user(store: &DuckStore, range: TimeRange) -> Result<String, StoreError> {
    let facets = store.facets(range, Filters::default(), vec![FacetField::User], 50).await?;
    Ok(facets
        .into_iter()
        .flat_map(|(_, counts)| counts)
        .filter_map(|count| count.value)
        .next_back()
        .unwrap_or_default())
}

/// The median of asking; the first answer, which warms what a running hub has warm, is not counted.
async fn median<Asking: Future<Output = Result<u64, StoreError>>>(
    name: &str,
    budget: Budget,
    ask: impl Fn(usize) -> Asking,
) -> Result<Figure, StoreError> {
    let found = ask(0).await?;
    let mut times = Vec::with_capacity(ASKED);
    for round in 1..=ASKED {
        let started = Instant::now();
        ask(round).await?;
        times.push(started.elapsed());
    }
    times.sort_unstable();
    Ok(Figure::new(format!("{name} ({found})"), times[ASKED / 2].as_secs_f64() * 1_000.0, "ms", budget))
}

/// The process's highest resident memory; 0 where the system does not tell.
fn peak_memory() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    let kibibytes: f64 = line.trim().trim_end_matches(" kB").parse().unwrap_or(0.0);
    kibibytes / 1_000.0
}
