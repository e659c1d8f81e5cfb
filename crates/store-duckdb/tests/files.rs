//! The data directory: who may hold it, what a crash or a broken disk leaves in it, and what retention gives back.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use threadline_model::{MICROS_PER_DAY, ManualClock, Timestamp};
use threadline_record::SessionKeyKind;
use threadline_store::conformance::{NOON, Random, Sample, TODAY, batch_id, to_batch};
use threadline_store::{ExchangeStore, ExchangesQuery, Filters, Lane, PageRequest, SessionsQuery, TimeRange};
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
async fn a_file_of_another_form_is_refused_by_name_and_kept() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    fill(&store).await;
    store.close().await.unwrap();
    for (change, form) in [("UPDATE about SET form = 7", 7), ("DROP TABLE about", 0)] {
        let connection = duckdb::Connection::open(day(directory.path(), 1)).unwrap();
        connection.execute_batch(change).unwrap();
        drop(connection);
        let error = DuckStore::open(settings(directory.path())).unwrap_err();
        assert!(matches!(&error, OpenError::Form { form: found, .. } if *found == form), "{error:?}");
        assert!(error.to_string().contains(&TODAY.plus(-1).to_string()), "{error}");
        assert!(day(directory.path(), 1).exists());
    }
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_enters_the_folders() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let folder = directory.path().join("store");
    fs::create_dir(&folder).unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
    let _store = open(&folder);
    for folder in [folder.clone(), folder.join("days"), folder.join("imports")] {
        let mode = fs::metadata(&folder).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700, "{}", folder.display());
    }
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

/// What a store answers to a few questions of each kind.
async fn answers(store: &DuckStore, samples: &[Sample]) -> Vec<String> {
    let page = || PageRequest { limit: 500, token: None };
    let sessions = SessionsQuery { range: WEEK, filters: Filters::default(), page: page(), thread_bins: 9 };
    let exchanges = ExchangesQuery { range: WEEK, filters: Filters::default(), page: page(), oldest_first: true };
    let mut answers = vec![
        format!("{:?}", store.sessions(sessions).await.unwrap().items),
        format!("{:?}", store.exchanges(exchanges).await.unwrap().items),
        format!("{:?}", store.histogram(WEEK, Filters::default(), 50).await.unwrap()),
    ];
    for sample in samples.iter().step_by(samples.len() / 10) {
        answers.push(format!("{:?}", store.exchange(sample.id).await.unwrap().unwrap()));
    }
    answers
}

#[tokio::test]
async fn closed_days_are_rewritten_smaller_and_answer_the_same() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let samples = Sample::random(&mut Random::new(8), 40_000);
    for (number, samples) in samples.chunks(1_000).enumerate() {
        store.append(to_batch(batch_id(number as u64), Lane::Live, samples)).await.unwrap();
    }
    store.enforce_retention().await.unwrap();
    let (before, bytes) = (answers(&store, &samples).await, store.status().await.unwrap().bytes_on_disk);
    store.rewrite_closed_days().await.unwrap();
    let days = directory.path().join("days");
    let name = |before_today: i32, generation: &str| format!("{}{generation}.duckdb", TODAY.plus(-before_today));
    let closed = |names: Vec<String>| -> Vec<String> {
        let is_closed = |name: &String| name.ends_with(".duckdb") && !name.starts_with(&TODAY.to_string());
        names.into_iter().filter(is_closed).collect()
    };
    assert_eq!(closed(names(&days)), [name(2, ".g1"), name(1, ".g1")], "today is still written");
    assert!(names(&days).contains(&name(0, "")));
    assert_eq!(answers(&store, &samples).await, before);
    let rewritten = store.status().await.unwrap().bytes_on_disk;
    assert!(rewritten < bytes, "{bytes} bytes became {rewritten}");

    // Batches are known as before; a few late rows are no reason to write everything again, many are.
    let again = to_batch(batch_id(0), Lane::Live, &samples[..1_000]);
    assert_eq!(store.append(again).await.unwrap().duplicate, 1_000);
    let late = |row: u64| Sample::plain(Timestamp::from_micros(NOON.micros() - MICROS_PER_DAY), 1_000_000 + row);
    let late: Vec<Sample> = (0..2_000).map(late).collect();
    for (number, part, generation) in [(101, &late[..9], ".g1"), (102, &late[9..], ".g2")] {
        let stored = store.append(to_batch(batch_id(number), Lane::Live, part)).await.unwrap().stored;
        assert_eq!(stored, part.len() as u64);
        store.rewrite_closed_days().await.unwrap();
        assert_eq!(closed(names(&days)), [name(2, ".g1"), name(1, generation)]);
    }
    let before = answers(&store, &samples).await;
    store.close().await.unwrap();
    let store = open(directory.path());
    assert_eq!(answers(&store, &samples).await, before);
    store.rewrite_closed_days().await.unwrap();
    assert_eq!(closed(names(&days)), [name(2, ".g1"), name(1, ".g2")], "what is in order is left alone");
}

/// Both files are there when a crash comes between showing the new one and deleting the old.
#[tokio::test]
async fn of_two_generations_the_newest_that_can_be_read_is_shown() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    fill(&store).await;
    store.close().await.unwrap();
    let first = day(directory.path(), 1);
    let second = first.with_extension("g1.duckdb");
    fs::copy(&first, &second).unwrap();
    let store = open(directory.path());
    assert_eq!(exchanges(&store).await, 4);
    assert!(second.exists() && !first.exists());
    store.close().await.unwrap();

    fs::copy(&second, &first).unwrap();
    fs::write(&second, b"not a database").unwrap();
    let store = open(directory.path());
    assert_eq!(exchanges(&store).await, 4);
    assert_eq!(store.status().await.unwrap().damaged, 1);
    assert!(first.exists() && !second.exists());
}

/// Days are rewritten under questions and batches, again and again; every question sees each row once.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn rewriting_waits_for_running_questions() {
    let directory = tempfile::tempdir().unwrap();
    let store = Arc::new(open(directory.path()));
    let samples = Sample::random(&mut Random::new(7), 10_000);
    store.append(to_batch(batch_id(1), Lane::Live, &samples)).await.unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let asking: Vec<_> = (0..3)
        .map(|_| {
            let (store, stop) = (Arc::clone(&store), Arc::clone(&stop));
            tokio::spawn(async move {
                let (mut asked, mut last) = (0, 0);
                while !stop.load(Ordering::Acquire) {
                    let page = PageRequest { limit: 500, token: None };
                    let query = SessionsQuery { range: WEEK, filters: Filters::default(), page, thread_bins: 5 };
                    let parts = store.sessions(query).await.unwrap();
                    let total = parts.items.iter().map(|part| part.requests).sum::<u64>();
                    assert!(total >= last && total % 1_000 == 0, "{total} after {last}");
                    (asked, last) = (asked + 1, total);
                }
                asked
            })
        })
        .collect();
    for batch in 0..8 {
        let late =
            |row: u64| Sample::plain(Timestamp::from_micros(NOON.micros() - MICROS_PER_DAY), batch * 1_000 + row);
        let late: Vec<Sample> = (0..1_000).map(late).collect();
        store.append(to_batch(batch_id(2 + batch), Lane::Live, &late)).await.unwrap();
        store.rewrite_closed_days().await.unwrap();
    }
    stop.store(true, Ordering::Release);
    for asked in asking {
        assert!(asked.await.unwrap() > 0);
    }
    assert_eq!(store.status().await.unwrap().exchanges, 18_000);
    let yesterday = format!("{}.g8.duckdb", TODAY.plus(-1));
    assert!(names(&directory.path().join("days")).contains(&yesterday));
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

/// What stands in the fixture files: five exchanges, one of them with a link.
fn of_fixtures() -> Vec<Sample> {
    let at = |number| Sample::plain(Timestamp::from_micros(NOON.micros() + number as i64), number);
    let mut samples: Vec<Sample> = (0..5).map(at).collect();
    samples[4].request_session = Some((samples[0].session, SessionKeyKind::Fallback));
    samples
}

/// Files of every form that was ever shipped can be read and go on. A new form adds a fixture; these never change.
#[tokio::test]
async fn a_file_of_form_1_is_read() {
    let directory = tempfile::tempdir().unwrap();
    let days = directory.path().join("days");
    fs::create_dir_all(&days).unwrap();
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/store/form-1.duckdb");
    fs::copy(fixture, days.join(format!("{TODAY}.duckdb"))).unwrap();
    let store = open(directory.path());
    assert_eq!(exchanges(&store).await, 5);
    for sample in of_fixtures() {
        let found = store.exchange(sample.id).await.unwrap().unwrap();
        assert_eq!((found.session_id, found.ts, &found.path), (sample.session, sample.ts, &sample.path));
    }
    let more = to_batch(batch_id(2), Lane::Live, &[Sample::plain(NOON, 99)]);
    assert_eq!(store.append(more).await.unwrap().stored, 1);
    let again = to_batch(batch_id(1), Lane::Live, &of_fixtures());
    assert_eq!(store.append(again).await.unwrap().duplicate, 5, "the batch is known");
}
