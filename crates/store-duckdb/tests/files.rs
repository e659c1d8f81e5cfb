//! The data directory: who may hold it, what a crash or a broken disk leaves in it, and what retention gives back.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use threadline_model::{MICROS_PER_DAY, ManualClock, Timestamp};
use threadline_store::conformance::{NOON, Random, Sample, TODAY, batch_id, to_batch};
use threadline_store::{ExchangeStore, Filters, Lane, PageRequest, SessionsQuery, TimeRange};
use threadline_store_duckdb::{DuckSettings, DuckStore, OpenError};

const WEEK: TimeRange = TimeRange { from: TODAY.plus(-9).start(), to: TODAY.plus(2).start() };

fn settings(directory: &Path) -> DuckSettings {
    DuckSettings::new(directory, Arc::new(ManualClock::new(NOON)))
}

fn open(directory: &Path) -> DuckStore {
    DuckStore::open(settings(directory)).unwrap()
}

/// One exchange on each of the last four days.
async fn fill(store: &DuckStore) {
    let samples: Vec<Sample> = (0..4)
        .map(|day| Sample::plain(Timestamp::from_micros(NOON.micros() - day * MICROS_PER_DAY), day as u64))
        .collect();
    assert_eq!(store.append(to_batch(batch_id(1), Lane::Live, &samples)).await.unwrap().stored, 4);
}

async fn exchanges(store: &DuckStore) -> u64 {
    let page = PageRequest { limit: 500, token: None };
    let query = SessionsQuery { range: WEEK, filters: Filters::default(), page, thread_bins: 0 };
    let listed = store.sessions(query).await.unwrap().items.iter().map(|part| part.requests).sum();
    assert_eq!(store.status().await.unwrap().exchanges, listed);
    listed
}

fn day(directory: &Path, before_today: i32) -> PathBuf {
    directory.join("days").join(format!("{}.duckdb", TODAY.plus(-before_today)))
}

fn names(folder: &Path) -> Vec<String> {
    let name = |entry: fs::DirEntry| entry.file_name().into_string().unwrap();
    let mut names: Vec<String> = fs::read_dir(folder).unwrap().map(|entry| name(entry.unwrap())).collect();
    names.sort_unstable();
    names
}

#[tokio::test]
async fn what_was_stored_is_there_after_closing_and_opening_again() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    fill(&store).await;
    store.close().await.unwrap();
    let left = names(&directory.path().join("days"));
    assert_eq!(left.len(), 4, "closing writes the logs into the files: {left:?}");
    let store = open(directory.path());
    assert_eq!(exchanges(&store).await, 4);
    // The batch is known from before.
    let again = to_batch(batch_id(1), Lane::Live, &[Sample::plain(NOON, 1)]);
    assert_eq!(store.append(again).await.unwrap().duplicate, 1);
}

#[tokio::test]
async fn a_directory_has_one_holder() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let second = DuckStore::open(settings(directory.path())).unwrap_err();
    assert!(matches!(&second, OpenError::InUse { .. }), "{second:?}");
    assert!(second.to_string().contains("in use by another process"), "{second}");
    store.close().await.unwrap();
    open(directory.path());
}

#[tokio::test]
async fn a_store_that_is_dropped_lets_go_of_its_directory() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    fill(&store).await;
    drop(store);
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
    let store = loop {
        match DuckStore::open(settings(directory.path())) {
            Ok(store) => break store,
            Err(OpenError::InUse { .. }) if std::time::Instant::now() < deadline => tokio::task::yield_now().await,
            Err(error) => panic!("{error:?}"),
        }
    };
    assert_eq!(exchanges(&store).await, 4);
}

#[tokio::test]
async fn a_damaged_day_is_moved_aside_and_the_others_are_shown() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    fill(&store).await;
    store.close().await.unwrap();
    // One day is overwritten from its first byte, one is cut off, one is not there as more than a name.
    fs::write(day(directory.path(), 1), b"this was a database once".repeat(1_000)).unwrap();
    let whole = fs::read(day(directory.path(), 2)).unwrap();
    fs::write(day(directory.path(), 2), &whole[..whole.len() / 3]).unwrap();
    let store = open(directory.path());
    assert_eq!(store.status().await.unwrap().damaged, 2);
    assert_eq!(exchanges(&store).await, 2);
    let aside: Vec<String> =
        names(&directory.path().join("days")).into_iter().filter(|name| name.ends_with(".damaged")).collect();
    assert_eq!(aside, [2, 1].map(|day| format!("{}.duckdb.damaged", TODAY.plus(-day))), "nothing is deleted");

    // The day goes on in a new file, and a second accident does not overwrite the evidence of the first.
    let late = Sample::plain(Timestamp::from_micros(NOON.micros() - MICROS_PER_DAY), 9);
    assert_eq!(store.append(to_batch(batch_id(2), Lane::Live, &[late])).await.unwrap().stored, 1);
    assert_eq!(exchanges(&store).await, 3);
    store.close().await.unwrap();
    fs::write(day(directory.path(), 1), b"again").unwrap();
    let store = open(directory.path());
    assert_eq!(store.status().await.unwrap().damaged, 1);
    let aside = names(&directory.path().join("days")).into_iter().filter(|name| name.ends_with(".damaged")).count();
    assert_eq!(aside, 3);
}

#[tokio::test]
async fn what_a_crash_left_half_done_is_finished_at_start() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    fill(&store).await;
    store.close().await.unwrap();
    let days = directory.path().join("days");
    // A deletion that was cut short after the database, a file that was being made, and a day that came of age
    // while nobody was there.
    fs::write(days.join("2026-11-01.duckdb.wal"), b"log").unwrap();
    fs::write(days.join("2026-11-20.duckdb.new"), b"half").unwrap();
    fs::copy(day(directory.path(), 3), days.join("2026-11-02.duckdb")).unwrap();
    fs::create_dir_all(directory.path().join("spill")).unwrap();
    fs::write(directory.path().join("spill").join("block.tmp"), b"spilled").unwrap();
    let store = open(directory.path());
    assert_eq!(exchanges(&store).await, 4);
    assert_eq!(store.status().await.unwrap().damaged, 0);
    let left = names(&days);
    assert!(
        left.iter().all(|name| !name.contains("11-01") && !name.contains("11-02") && !name.contains(".new")),
        "{left:?}"
    );
    assert!(!directory.path().join("spill").join("block.tmp").exists());
}

#[tokio::test]
async fn a_path_with_a_quote_is_a_path() {
    let directory = tempfile::tempdir().unwrap();
    let awkward = directory.path().join("it's \"here\"; DETACH live");
    let store = open(&awkward);
    fill(&store).await;
    store.close().await.unwrap();
    assert_eq!(exchanges(&open(&awkward)).await, 4);
}

#[tokio::test]
async fn a_directory_that_cannot_be_used_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    fs::write(&file, b"").unwrap();
    let error = DuckStore::open(settings(&file.join("data"))).unwrap_err();
    assert!(matches!(&error, OpenError::Directory { .. }), "{error:?}");
    assert!(error.to_string().contains("file"), "{error}");
}

/// Days are deleted under questions that are running on them, again and again; no question fails or sees half a day.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn retention_waits_for_running_questions() {
    let directory = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::new(NOON));
    let store = Arc::new(DuckStore::open(DuckSettings::new(directory.path(), clock.clone())).unwrap());
    let samples = Sample::random(&mut Random::new(5), 20_000);
    store.append(to_batch(batch_id(1), Lane::Live, &samples)).await.unwrap();
    let by_day = |day| samples.iter().filter(|sample| sample.ts.day() == day).count() as u64;
    // What is left after none, one, two … days are gone, oldest first.
    let counts: Vec<u64> = (0..4).map(|gone| (gone..3).map(|day| by_day(TODAY.plus(day - 2))).sum()).collect();
    let asking: Vec<_> = (0..3)
        .map(|_| {
            let (store, counts) = (Arc::clone(&store), counts.clone());
            tokio::spawn(async move {
                let mut asked = 0;
                loop {
                    let page = PageRequest { limit: 500, token: None };
                    let query = SessionsQuery { range: WEEK, filters: Filters::default(), page, thread_bins: 5 };
                    let parts = store.sessions(query).await.unwrap();
                    let total = parts.items.iter().map(|part| part.requests).sum::<u64>();
                    assert!(counts.contains(&total), "{total} is none of {counts:?}");
                    asked += 1;
                    if total == 0 {
                        return asked;
                    }
                }
            })
        })
        .collect();
    for day in 0..3 {
        clock.set(TODAY.plus(6 + day).start());
        store.enforce_retention().await.unwrap();
        assert_eq!(store.status().await.unwrap().exchanges, counts[day as usize + 1]);
    }
    for asked in asking {
        assert!(asked.await.unwrap() > 0);
    }
    assert_eq!(names(&directory.path().join("days")), [""; 0]);
}

/// A question that nobody waits for is stopped, and the connection that it ran on serves others afterwards.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn abandoned_questions_do_not_hold_up_others() {
    let directory = tempfile::tempdir().unwrap();
    let store = Arc::new(DuckStore::open(DuckSettings { readers: 1, ..settings(directory.path()) }).unwrap());
    let samples = Sample::random(&mut Random::new(6), 20_000);
    store.append(to_batch(batch_id(1), Lane::Live, &samples)).await.unwrap();
    for _ in 0..200 {
        let store = Arc::clone(&store);
        let asking = tokio::spawn(async move {
            let page = PageRequest { limit: 500, token: None };
            let query = SessionsQuery { range: WEEK, filters: Filters::default(), page, thread_bins: 200 };
            store.sessions(query).await.map(|page| page.total)
        });
        tokio::task::yield_now().await;
        asking.abort();
        let _ = asking.await;
    }
    assert_eq!(exchanges(&store).await, 20_000);
    store.close().await.unwrap();
}
