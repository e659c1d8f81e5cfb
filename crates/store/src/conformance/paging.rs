//! Pages join without a seam, whatever happens to the store between two of them.

use threadline_model::{ExchangeId, ManualClock, SessionId, Timestamp, UtcDay};

use super::appending::{ALWAYS, exchanges_query, sessions_query};
use super::sample::{Random, Sample, batch_id, session_id, to_batch};
use super::{HOUR, NOON, TODAY, reference};
use crate::{
    Choice, ExchangeStore, ExchangesQuery, Filters, Lane, PageRequest, PageToken, SessionsQuery, StoreError, TimeRange,
};

/// Fits the samples, which end at noon.
const RANGE: TimeRange = TimeRange { from: TODAY.plus(-9).start(), to: NOON };

async fn all_sessions(
    store: &impl ExchangeStore,
    limit: u32,
    between: impl AsyncFn(),
) -> (Vec<(SessionId, UtcDay)>, Vec<u64>) {
    let (mut parts, mut totals, mut token) = (Vec::new(), Vec::new(), None);
    loop {
        let query =
            SessionsQuery { page: PageRequest { limit, token }, ..sessions_query(RANGE, &Filters::default(), 1) };
        let page = store.sessions(query).await.unwrap();
        assert!(page.items.len() <= limit as usize);
        parts.extend(page.items.iter().map(|part| (part.session_id, part.day)));
        totals.push(page.total);
        token = page.next;
        if token.is_none() {
            return (parts, totals);
        }
        between().await;
    }
}

async fn all_exchanges(
    store: &impl ExchangeStore,
    limit: u32,
    oldest_first: bool,
    between: impl AsyncFn(),
) -> Vec<ExchangeId> {
    let (mut exchanges, mut token) = (Vec::new(), None);
    loop {
        let page = PageRequest { limit, token };
        let query = ExchangesQuery { page, oldest_first, ..exchanges_query(RANGE, &Filters::default(), 1) };
        let page = store.exchanges(query).await.unwrap();
        exchanges.extend(page.items.iter().map(|row| row.exchange_id));
        token = page.next;
        if token.is_none() {
            return exchanges;
        }
        between().await;
    }
}

/// Rows of which several start at the same microsecond, so that a page may end between them.
fn samples() -> Vec<Sample> {
    let mut samples = Sample::random(&mut Random::new(3), 300);
    for sample in &mut samples {
        sample.ts = Timestamp::from_micros(sample.ts.micros() / HOUR * HOUR);
    }
    samples
}

fn expected(samples: &[Sample]) -> (Vec<(SessionId, UtcDay)>, Vec<ExchangeId>) {
    let rows = reference::counted(samples, RANGE, &Filters::default());
    let parts = reference::parts(&rows).into_iter().map(|(part, _)| part).collect();
    let mut exchanges: Vec<_> = rows.iter().map(|row| (row.ts, row.id)).collect();
    exchanges.sort_unstable();
    (parts, exchanges.into_iter().map(|(_, id)| id).collect())
}

pub(super) async fn pages_join_without_seam(store: &impl ExchangeStore) {
    let samples = samples();
    store.append(to_batch(batch_id(1), Lane::Live, &samples)).await.unwrap();
    let (parts, exchanges) = expected(&samples);
    let backwards: Vec<_> = exchanges.iter().rev().copied().collect();
    for limit in [1, 7, parts.len() as u32, 500] {
        let (paged, totals) = all_sessions(store, limit, async || {}).await;
        assert_eq!(paged, parts, "limit {limit}");
        assert!(totals.iter().all(|total| *total == parts.len() as u64), "limit {limit}");
    }
    for limit in [7, 300, 500] {
        assert_eq!(all_exchanges(store, limit, true, async || {}).await, exchanges, "limit {limit}");
        assert_eq!(all_exchanges(store, limit, false, async || {}).await, backwards, "limit {limit}");
    }
}

pub(super) async fn pages_stay_still_while_rows_arrive(store: &impl ExchangeStore, clock: &ManualClock) {
    let (parts, exchanges) = expected(&samples());
    let arrivals = std::sync::atomic::AtomicU64::new(0);
    // Each arrival changes sessions that were shown and sessions that were not, and makes new ones.
    let arrive = async || {
        let number = 100 + arrivals.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        // Even a clock that stands still or runs backwards must not blur what came when.
        clock.set(Timestamp::from_micros(NOON.micros() - number as i64));
        let session = if number.is_multiple_of(2) { session_id((number % 25) as u8) } else { session_id(number as u8) };
        let rows = [1, 30].map(|hours| Sample {
            session,
            ..Sample::plain(Timestamp::from_micros(NOON.micros() - hours * HOUR), number * 10 + hours as u64)
        });
        store.append(to_batch(batch_id(number), Lane::Live, &rows)).await.unwrap();
    };
    let (paged, totals) = all_sessions(store, 5, arrive).await;
    assert_eq!(paged, parts);
    assert!(totals.iter().all(|total| *total == parts.len() as u64), "{totals:?}");

    let arrived = arrivals.load(std::sync::atomic::Ordering::Relaxed);
    assert!(arrived > 3);
    let page = store.exchanges(exchanges_query(RANGE, &Filters::default(), 500)).await.unwrap();
    assert_eq!(page.total, exchanges.len() as u64 + 2 * arrived, "a new list shows what has arrived");
    let before: Vec<_> = all_exchanges(store, 500, false, async || {}).await;
    assert_eq!(all_exchanges(store, 90, false, arrive).await, before);
}

pub(super) async fn tokens_of_other_questions_are_refused(store: &impl ExchangeStore) {
    let sessions = store.sessions(sessions_query(RANGE, &Filters::default(), 1)).await.unwrap();
    let token = sessions.next.unwrap();
    assert_eq!(PageToken::range(&token).unwrap(), RANGE);
    let refused = async |range, filters: Filters, token: &str| {
        let page = PageRequest { limit: 1, token: Some(token.to_owned()) };
        let outcome = store.sessions(SessionsQuery { page, ..sessions_query(range, &filters, 1) }).await;
        assert!(matches!(outcome, Err(StoreError::PageToken)), "{token}");
    };
    let host = Choice { any: vec!["api.example".to_owned()], not: Vec::new() };
    refused(RANGE, Filters { host, ..Filters::default() }, &token).await;
    refused(ALWAYS, Filters::default(), &token).await;
    refused(RANGE, Filters::default(), "not a token").await;
    let page = PageRequest { limit: 1, token: Some(token) };
    let query = ExchangesQuery { page, ..exchanges_query(RANGE, &Filters::default(), 1) };
    assert!(matches!(store.exchanges(query).await, Err(StoreError::PageToken)));
}
