//! What was acknowledged survives `kill -9` at any moment, exactly once, also around midnight and while closed days are
//! rewritten.
//!
//! The test starts itself as another process that appends under load, and kills it, over and over in one directory.
//! The process notes each batch outside of the store: before it appends, and again when the append was acknowledged.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use threadline_model::{Clock, ManualClock, SessionId, Timestamp, UtcDay};
use threadline_store::conformance::{Random, Sample, batch_id, to_batch};
use threadline_store::{Batch, ExchangeStore, Filters, Lane, PageRequest, SessionsQuery, StoreError, TimeRange};
use threadline_store_duckdb::{DuckSettings, DuckStore};

const ROUNDS: u64 = 50;
const DIRECTORY: &str = "THREADLINE_KILL_TEST_DIRECTORY";
const START: &str = "THREADLINE_KILL_TEST_START";
const MIDNIGHT: Timestamp = UtcDay::from_days(20_780).start();

/// A batch as it stands in the notes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Note {
    number: u64,
    rows: u64,
    start: i64,
}

impl Note {
    /// All its exchanges are one session of its own number, half a millisecond apart.
    fn samples(self) -> Vec<Sample> {
        let session = SessionId::from_bytes(u128::from(self.number).to_be_bytes());
        let sample = |row: u64| {
            let ts = Timestamp::from_micros(self.start + row as i64 * 500);
            Sample { session, ..Sample::plain(ts, self.number * 10_000 + row) }
        };
        (0..self.rows).map(sample).collect()
    }

    fn batch(self) -> Batch {
        to_batch(batch_id(self.number), Lane::Live, &self.samples())
    }

    fn rows_by_day(self) -> BTreeMap<UtcDay, u64> {
        let mut days = BTreeMap::new();
        for sample in self.samples() {
            *days.entry(sample.ts.day()).or_default() += 1;
        }
        days
    }

    /// One line, written at once, so that a kill leaves whole lines or, at the very end, a part of one.
    fn write(self, file: &File) {
        let line = format!("{} {} {}\n", self.number, self.rows, self.start);
        (&mut &*file).write_all(line.as_bytes()).unwrap();
    }

    fn read(path: &Path) -> Vec<Self> {
        let text = fs::read_to_string(path).unwrap_or_default();
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        let note = |line: &str| {
            let mut numbers = line.split(' ');
            let mut next = || numbers.next().unwrap().parse::<i64>().unwrap();
            Self { number: next() as u64, rows: next() as u64, start: next() }
        };
        whole.lines().map(note).collect()
    }
}

fn attempts_path(directory: &Path) -> PathBuf {
    directory.join("attempts")
}

fn acknowledged_path(directory: &Path) -> PathBuf {
    directory.join("acknowledged")
}

/// Runs on from a given moment, however late it is outside.
struct ShiftedClock {
    start: i64,
    since: Instant,
}

impl Clock for ShiftedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.start + self.since.elapsed().as_micros() as i64)
    }
}

/// The other process. Does nothing when run as a test.
#[test]
fn appending_process() {
    let Some(directory) = std::env::var_os(DIRECTORY).map(PathBuf::from) else { return };
    let start = std::env::var(START).unwrap().parse().unwrap();
    let clock = Arc::new(ShiftedClock { start, since: Instant::now() });
    tokio::runtime::Runtime::new().unwrap().block_on(append_for_ever(&directory, clock));
}

async fn append_for_ever(directory: &Path, clock: Arc<ShiftedClock>) {
    let settings = DuckSettings::new(directory.join("store"), Arc::clone(&clock) as Arc<dyn Clock>);
    // So little log that many kills come while it is being written into the day's file.
    let settings = DuckSettings { checkpoint_bytes: 256 * 1024, ..settings };
    let store = Arc::new(DuckStore::open(settings).unwrap());
    let open = |path| Arc::new(File::options().create(true).append(true).open(path).unwrap());
    let before = Note::read(&attempts_path(directory));
    let attempts = open(attempts_path(directory));
    let acknowledged = open(acknowledged_path(directory));
    // A node that got no answer sends again; one that has lost its notes sends again what was answered.
    for note in before.iter().rev().take(12) {
        store.append(note.batch()).await.unwrap();
        note.write(&acknowledged);
    }
    let next = Arc::new(AtomicU64::new(before.iter().map(|note| note.number + 1).max().unwrap_or(0)));
    fs::write(directory.join("running"), "").unwrap();
    let mut senders = tokio::task::JoinSet::new();
    for sender in 0..6 {
        let (store, clock, next) = (Arc::clone(&store), Arc::clone(&clock), Arc::clone(&next));
        let (attempts, acknowledged) = (Arc::clone(&attempts), Arc::clone(&acknowledged));
        senders.spawn(async move {
            let mut random = Random::new(sender ^ clock.now().micros().unsigned_abs());
            loop {
                let number = next.fetch_add(1, Ordering::SeqCst);
                let note = Note { number, rows: 1 + random.below(800), start: clock.now().micros() - 200_000 };
                note.write(&attempts);
                store.append(note.batch()).await?;
                note.write(&acknowledged);
            }
        });
    }
    let upkeep = Arc::clone(&store);
    senders.spawn(async move {
        loop {
            upkeep.rewrite_closed_days().await?;
            tokio::task::yield_now().await;
        }
    });
    let ended: Option<Result<Result<(), StoreError>, _>> = senders.join_next().await;
    panic!("a sender ended: {ended:?}");
}

#[test]
fn acknowledged_batches_survive_kill_9() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    let mut random = Random::new(std::process::id().into());
    for round in 0..ROUNDS {
        // Every second round runs across midnight, the others an hour later, when the day before is rewritten.
        let ahead = if round % 2 == 0 { 300_000 } else { -3_600_000_000 };
        let mut child = start(directory, MIDNIGHT.micros() - ahead);
        std::thread::sleep(Duration::from_millis(random.below(700)));
        child.kill().unwrap();
        child.wait().unwrap();
        if round % 10 == 9 {
            check(directory, round);
        }
    }
    let acknowledged = Note::read(&acknowledged_path(directory)).len();
    assert!(acknowledged > 100, "the load was none: {acknowledged} batches");
    let across = |note: &Note| note.rows_by_day().len() > 1;
    assert!(Note::read(&acknowledged_path(directory)).iter().any(across), "no batch across midnight");
    let yesterday = format!("{}.g", MIDNIGHT.day().plus(-1));
    let mut days = fs::read_dir(directory.join("store").join("days")).unwrap();
    let rewritten = days.any(|entry| entry.unwrap().file_name().to_string_lossy().starts_with(&yesterday));
    assert!(rewritten, "no day was rewritten");
}

/// Starts the other process and waits until it appends.
fn start(directory: &Path, start: i64) -> Child {
    let running = directory.join("running");
    let _ = fs::remove_file(&running);
    let log = File::create(directory.join("log")).unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "appending_process", "--nocapture"])
        .env(DIRECTORY, directory)
        .env(START, start.to_string())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    while !running.exists() {
        let ended = child.try_wait().unwrap();
        let log = || fs::read_to_string(directory.join("log")).unwrap_or_default();
        assert!(ended.is_none(), "the store did not open after a kill: {}", log());
        assert!(Instant::now() < deadline, "the store did not open in time: {}", log());
        std::thread::sleep(Duration::from_millis(2));
    }
    child
}

/// Every acknowledged batch is there exactly once, and no batch is there in part or twice.
fn check(directory: &Path, round: u64) {
    let attempts = Note::read(&attempts_path(directory));
    let acknowledged: BTreeSet<u64> =
        Note::read(&acknowledged_path(directory)).iter().map(|note| note.number).collect();
    let mut found = tokio::runtime::Runtime::new().unwrap().block_on(count(directory));
    for note in attempts {
        for (day, rows) in note.rows_by_day() {
            let session = SessionId::from_bytes(u128::from(note.number).to_be_bytes());
            match found.remove(&(session, day)) {
                Some(stored) => assert_eq!(stored, rows, "round {round}: {note:?} on {day}"),
                None => assert!(!acknowledged.contains(&note.number), "round {round}: lost {note:?} on {day}"),
            }
        }
    }
    assert_eq!(found, BTreeMap::new(), "round {round}: nobody sent these");
}

/// Rows by session, which is a batch here, and day.
async fn count(directory: &Path) -> BTreeMap<(SessionId, UtcDay), u64> {
    let clock = Arc::new(ManualClock::new(MIDNIGHT));
    let store = DuckStore::open(DuckSettings::new(directory.join("store"), clock)).unwrap();
    let range = TimeRange { from: MIDNIGHT.day().plus(-2).start(), to: MIDNIGHT.day().plus(2).start() };
    let (mut found, mut token) = (BTreeMap::new(), None);
    loop {
        let page = PageRequest { limit: 500, token };
        let query = SessionsQuery { range, filters: Filters::default(), page, thread_bins: 0 };
        let page = store.sessions(query).await.unwrap();
        for part in page.items {
            let before = found.insert((part.session_id, part.day), part.requests);
            assert_eq!(before, None, "a part is listed once");
        }
        token = page.next;
        if token.is_none() {
            break;
        }
    }
    let status = store.status().await.unwrap();
    assert_eq!(status.exchanges, found.values().sum::<u64>(), "status and list agree");
    assert_eq!(status.damaged, 0, "a kill damages nothing");
    store.close().await.unwrap();
    found
}
