//! What is older than retention is neither shown nor kept (T1), by the clock the store was given.

use threadline_model::{MICROS_PER_DAY, ManualClock, Timestamp};

use super::appending::{ALWAYS, sessions_query, stored};
use super::sample::{Sample, batch_id, session_id, to_batch};
use super::{HOUR, NOON, TODAY};
use crate::{Appended, ExchangeStore, Filters, Lane};

fn days_later(days: i64) -> Timestamp {
    Timestamp::from_micros(NOON.micros() + days * MICROS_PER_DAY)
}

pub(super) async fn live_days_go_by_their_day(store: &impl ExchangeStore, clock: &ManualClock) {
    let rows: Vec<Sample> = (0..8).map(|days| Sample::plain(days_later(-days), days as u64)).collect();
    store.append(to_batch(batch_id(1), Lane::Live, &rows)).await.unwrap();
    store.enforce_retention().await.unwrap();
    assert_eq!(stored(store).await, 8, "a part of the seventh day before today is not older than seven days");
    let full = store.status().await.unwrap();
    assert_eq!(full.days.len(), 8);

    // Just before midnight nothing has changed; at midnight the oldest day is over.
    clock.set(Timestamp::from_micros(TODAY.end().micros() - 1));
    store.enforce_retention().await.unwrap();
    assert_eq!(stored(store).await, 8);
    clock.set(TODAY.end());
    store.enforce_retention().await.unwrap();
    assert_eq!(stored(store).await, 7);
    assert_eq!(store.exchange(rows[7].id).await.unwrap(), None, "it is not found by its identity either");
    let parts = store.sessions(sessions_query(ALWAYS, &Filters::default(), 50)).await.unwrap();
    assert_eq!(parts.total, 7);
    assert!(parts.items.iter().all(|part| part.day > TODAY.plus(-7)));
    let status = store.status().await.unwrap();
    assert_eq!(status.days[0], TODAY.plus(-6));
    assert_eq!(status.span, Some((rows[6].ts, rows[0].ts)));
    assert!(status.bytes_on_disk < full.bytes_on_disk, "the space is given back");

    clock.set(days_later(30));
    store.enforce_retention().await.unwrap();
    assert_eq!(stored(store).await, 0);
    let status = store.status().await.unwrap();
    assert_eq!((status.days, status.bytes_on_disk, status.span), (Vec::new(), 0, None));

    // Life goes on: the same batch is not stored again, for it is too old now; a new one is.
    let again = store.append(to_batch(batch_id(1), Lane::Live, &rows)).await.unwrap();
    assert_eq!(again, Appended { stored: 0, duplicate: 0, expired: 8 });
    let new = store.append(to_batch(batch_id(2), Lane::Live, &[Sample::plain(days_later(30), 9)])).await.unwrap();
    assert_eq!(new.stored, 1);
    assert_eq!(stored(store).await, 1);
}

pub(super) async fn imports_go_by_the_time_since_the_import(store: &impl ExchangeStore, clock: &ManualClock) {
    let last_year = Sample::plain(days_later(-365), 1);
    let live = Sample::plain(NOON, 2);
    store.append(to_batch(batch_id(1), Lane::Import, std::slice::from_ref(&last_year))).await.unwrap();
    store.append(to_batch(batch_id(2), Lane::Live, &[live])).await.unwrap();
    clock.set(days_later(29));
    store.enforce_retention().await.unwrap();
    assert_eq!(stored(store).await, 1, "the import outlives the live day");
    let again = store.append(to_batch(batch_id(3), Lane::Import, std::slice::from_ref(&last_year))).await.unwrap();
    assert_eq!(again.duplicate, 1, "importing again weeks later adds nothing");
    clock.set(days_later(31));
    store.enforce_retention().await.unwrap();
    assert_eq!(stored(store).await, 0);
    let again = store.append(to_batch(batch_id(4), Lane::Import, &[last_year])).await.unwrap();
    assert_eq!(again.stored, 1, "what is gone can be imported again");
}

pub(super) async fn rows_outside_of_retention_are_acknowledged(store: &impl ExchangeStore) {
    let at = |offset: i64, number| Sample {
        session: session_id(number as u8),
        ..Sample::plain(Timestamp::from_micros(NOON.micros() + offset), number)
    };
    let rows = [
        at(-8 * MICROS_PER_DAY, 1),
        at(-30 * MICROS_PER_DAY, 2),
        at(-7 * MICROS_PER_DAY, 3),
        at(0, 4),
        at(HOUR, 5),
        at(MICROS_PER_DAY, 6),
        // A node whose clock is a year ahead must not leave a day behind that never ends.
        at(365 * MICROS_PER_DAY, 7),
    ];
    let outcome = store.append(to_batch(batch_id(1), Lane::Live, &rows)).await.unwrap();
    assert_eq!(outcome, Appended { stored: 4, duplicate: 0, expired: 3 });
    assert_eq!(stored(store).await, 4);
    let beyond = [i64::MIN, i64::MAX].map(|micros| Sample { ts: Timestamp::from_micros(micros), ..at(0, 8) });
    for (number, lane) in [(2, Lane::Live), (3, Lane::Import)] {
        let outcome = store.append(to_batch(batch_id(number), lane, &beyond)).await.unwrap();
        assert_eq!(outcome.expired, 2, "{lane:?}: times that cannot be written are not kept");
    }
    assert_eq!(stored(store).await, 4);
}
