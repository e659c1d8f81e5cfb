//! What was purged stands in no file of the directory any more, also when the purge was cut short, and traffic goes on.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use threadline_model::{Clock, MICROS_PER_DAY, ManualClock, PurgeId, SessionId, Timestamp};
use threadline_store::conformance::{NOON, Sample, batch_id, to_batch};
use threadline_store::{ExchangeStore, Lane, Purge, PurgeCounts};
use threadline_store_duckdb::{DuckSettings, DuckStore};

const PURGE: &str = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f";
const OTHER_PURGE: &str = "0193a0f0-0000-7000-8000-0000000000ff";

/// Values that no format or compression takes apart.
const USER: &str = "canary-user-5d0f1c7a9e3b";
const TOKEN: &str = "canary-token-83a4f2e6b1c9";
const OTHER: &str = "somebody-else-71c2";

fn open(directory: &Path) -> DuckStore {
    DuckStore::open(DuckSettings::new(directory, Arc::new(ManualClock::new(NOON)) as Arc<dyn Clock>)).unwrap()
}

fn session(number: u8) -> SessionId {
    SessionId::from_bytes([number; 16])
}

/// Two sessions on each of three days, live and imported; one of them has the values.
async fn fill(store: &DuckStore) {
    let mut rows = Vec::new();
    for day in 0..3 {
        for number in 0..400_u64 {
            let ts = Timestamp::from_micros(NOON.micros() - day * MICROS_PER_DAY + number as i64 * 1_000);
            let (session, user) = if number % 2 == 0 { (session(1), USER) } else { (session(2), OTHER) };
            let marks: &[(&str, &str)] = if number % 2 == 0 { &[("token", TOKEN)] } else { &[("tenant", "north")] };
            let (key, key_value) = if number % 2 == 0 { ("token", TOKEN) } else { ("tenant", "north") };
            let (path, key_value) = (format!("/orders/{number}"), key_value.to_owned());
            let sample = Sample::plain(ts, day as u64 * 1_000 + number);
            rows.push(Sample { session, user: Some(user), key, key_value, marks, path, ..sample });
        }
    }
    for (number, chunk) in (1..).zip(rows.chunks(100)) {
        store.append(to_batch(batch_id(number), Lane::Live, chunk)).await.unwrap();
    }
    let imported: Vec<Sample> = rows.iter().take(100).cloned().collect();
    store.append(to_batch(batch_id(100), Lane::Import, &imported)).await.unwrap();
}

/// Files below a directory that hold a text.
fn holding(directory: &Path, text: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(holding(&path, text));
        } else if fs::read(&path).unwrap().windows(text.len()).any(|bytes| bytes == text.as_bytes()) {
            found.push(path);
        }
    }
    found
}

fn id() -> PurgeId {
    PURGE.parse().unwrap()
}

fn other_id() -> PurgeId {
    OTHER_PURGE.parse().unwrap()
}

#[tokio::test]
async fn purged_values_are_in_no_file_of_open_and_closed_days() {
    for purge in [Purge::User(USER.to_owned()), Purge::Session(session(1)), Purge::Parameter("token".to_owned())] {
        let directory = tempfile::tempdir().unwrap();
        let store = open(directory.path());
        fill(&store).await;
        store.rewrite_closed_days().await.unwrap();
        let gone: &[&str] = if matches!(purge, Purge::Parameter(_)) { &[TOKEN] } else { &[TOKEN, USER] };
        for value in gone {
            assert!(holding(directory.path(), value).len() >= 4, "{value}: the test looks for what is there");
        }
        let counts = store.begin_purge(id(), purge.clone()).await.unwrap();
        assert_eq!((counts.sessions, counts.days, counts.deleted + counts.changed), (1, 3, 650), "{purge:?}");
        assert_eq!(store.finish_purge(id()).await.unwrap(), Some(counts));
        if matches!(purge, Purge::Parameter(_)) {
            // Another parameter of these samples has the same value, and keeps it until it is purged too.
            assert!(!holding(directory.path(), TOKEN).is_empty());
            let other = Purge::Parameter("deciding".to_owned());
            store.begin_purge(other_id(), other).await.unwrap();
            store.finish_purge(other_id()).await.unwrap();
        }
        for value in gone {
            assert_eq!(holding(directory.path(), value), [] as [PathBuf; 0], "{purge:?} while the store is open");
        }
        assert!(!holding(directory.path(), OTHER).is_empty(), "the others stay");
        // Further batches go where they belong, and a day that was purged is rewritten as any other.
        let late = Sample::plain(Timestamp::from_micros(NOON.micros() - MICROS_PER_DAY), 50_000);
        store.append(to_batch(batch_id(200), Lane::Live, &vec![late; 60])).await.unwrap();
        store.rewrite_closed_days().await.unwrap();
        let left = store.status().await.unwrap().exchanges;
        assert_eq!(left, 1_300 + 60 - counts.deleted);
        store.close().await.unwrap();
        for value in gone {
            assert_eq!(holding(directory.path(), value), [] as [PathBuf; 0], "{purge:?} after closing");
        }
        let store = open(directory.path());
        assert_eq!(store.status().await.unwrap().exchanges, left);
        assert_eq!(store.finish_purge(id()).await.unwrap(), Some(counts), "the note outlives the process");
    }
}

#[tokio::test]
async fn a_purge_that_was_cut_short_is_finished_after_the_next_start() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    fill(&store).await;
    let counts = store.begin_purge(id(), Purge::User(USER.to_owned())).await.unwrap();
    assert_eq!(holding(&directory.path().join("purges"), USER), [] as [PathBuf; 0], "a note names no user");
    store.close().await.unwrap();

    // The files as they were, to be put back below.
    let copy = tempfile::tempdir().unwrap();
    let days = |directory: &Path| directory.join("days");
    fs::create_dir_all(days(copy.path())).unwrap();
    for entry in fs::read_dir(days(directory.path())).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, days(copy.path()).join(path.file_name().unwrap())).unwrap();
    }
    let store = open(directory.path());
    assert_eq!(store.finish_purge(id()).await.unwrap(), Some(counts));
    store.close().await.unwrap();
    let old = days(directory.path()).join("2026-11-22.duckdb");
    let [newest, ..] = &holding(&days(copy.path()), USER)[..] else { panic!("the copy has the user") };
    let name = newest.file_name().unwrap().to_owned();
    // The old generation of a day is there again beside the new one: the crash came before it was deleted.
    fs::copy(newest, days(directory.path()).join(&name)).unwrap();
    fs::write(old.with_extension("duckdb.new"), USER).unwrap();
    assert!(!holding(directory.path(), USER).is_empty());
    let store = open(directory.path());
    assert_eq!(holding(directory.path(), USER), [] as [PathBuf; 0], "the start removes what the crash left");
    assert_eq!(store.status().await.unwrap().exchanges, 1_300 - counts.deleted);
}

#[tokio::test(flavor = "multi_thread")]
async fn traffic_is_stored_while_a_purge_runs() {
    let directory = tempfile::tempdir().unwrap();
    let store = Arc::new(open(directory.path()));
    fill(&store).await;
    let counts = store.begin_purge(id(), Purge::Session(session(1))).await.unwrap();
    let appending = tokio::spawn({
        let store = Arc::clone(&store);
        async move {
            for number in 0..60_u64 {
                let ts = Timestamp::from_micros(NOON.micros() + number as i64);
                let sample = Sample { session: session(1), ..Sample::plain(ts, 90_000 + number) };
                let appended = store.append(to_batch(batch_id(1_000 + number), Lane::Live, &[sample])).await.unwrap();
                assert_eq!(appended.stored, 1);
            }
        }
    });
    assert_eq!(store.finish_purge(id()).await.unwrap(), Some(counts));
    appending.await.unwrap();
    let preview = store.preview_purge(Purge::Session(session(1))).await.unwrap();
    let expected = PurgeCounts { sessions: 1, deleted: 60, days: 1, ..PurgeCounts::default() };
    assert_eq!(preview, expected, "what came after the purge began is new, and none of it is lost");
}
