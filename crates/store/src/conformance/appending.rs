//! What is stored, and that it is stored once.

use threadline_model::{MICROS_PER_DAY, Timestamp};
use threadline_record::schema;

use super::sample::{Random, Sample, batch_id, session_id, to_batch};
use super::{HOUR, NOON, TODAY};
use crate::{
    Appended, Batch, ExchangeStore, ExchangesQuery, FacetField, Filters, Lane, PageRequest, SessionsQuery, StoreError,
    TimeRange,
};

/// Every moment there is.
pub(super) const ALWAYS: TimeRange =
    TimeRange { from: Timestamp::from_micros(i64::MIN), to: Timestamp::from_micros(i64::MAX) };

pub(super) fn sessions_query(range: TimeRange, filters: &Filters, limit: u32) -> SessionsQuery {
    SessionsQuery { range, filters: filters.clone(), page: PageRequest { limit, token: None }, thread_bins: 0 }
}

pub(super) fn exchanges_query(range: TimeRange, filters: &Filters, limit: u32) -> ExchangesQuery {
    ExchangesQuery { range, filters: filters.clone(), page: PageRequest { limit, token: None }, oldest_first: true }
}

pub(super) async fn stored(store: &impl ExchangeStore) -> u64 {
    let page = store.exchanges(exchanges_query(ALWAYS, &Filters::default(), 1)).await.unwrap();
    assert_eq!(store.status().await.unwrap().exchanges, page.total, "status and list agree on what is stored");
    page.total
}

fn appended(stored: u64, duplicate: u64, expired: u64) -> Appended {
    Appended { stored, duplicate, expired }
}

pub(super) async fn an_empty_store_answers_emptily(store: &impl ExchangeStore) {
    let filters = Filters::default();
    let sessions = store.sessions(sessions_query(ALWAYS, &filters, 50)).await.unwrap();
    assert_eq!((sessions.items.len(), sessions.total, sessions.next), (0, 0, None));
    let exchanges = store.exchanges(exchanges_query(ALWAYS, &filters, 50)).await.unwrap();
    assert_eq!((exchanges.items.len(), exchanges.total, exchanges.next), (0, 0, None));
    assert_eq!(store.session(session_id(1), ALWAYS, filters.clone(), 10, 1).await.unwrap(), None);
    assert_eq!(store.exchange(Sample::plain(NOON, 1).id).await.unwrap(), None);
    let facets = store.facets(ALWAYS, filters.clone(), vec![FacetField::Host], 10).await.unwrap();
    assert_eq!(facets, [(FacetField::Host, Vec::new())]);
    let range = TimeRange { from: TODAY.start(), to: TODAY.end() };
    let bars = store.histogram(range, filters.clone(), 24).await.unwrap();
    assert_eq!(bars.len(), 24, "empty bars are there");
    assert_eq!(bars[1].from.micros() - bars[0].from.micros(), HOUR);
    let nothing = TimeRange { from: NOON, to: NOON };
    assert_eq!(store.histogram(nothing, filters, 24).await.unwrap(), [], "an empty range has no bars");
    assert_eq!(store.status().await.unwrap().span, None);
}

pub(super) async fn a_batch_is_stored_once(store: &impl ExchangeStore) {
    let rows: Vec<Sample> = (0..3).map(|number| Sample::plain(NOON, number)).collect();
    let batch = to_batch(batch_id(1), Lane::Live, &rows);
    assert_eq!(store.append(batch.clone()).await.unwrap(), appended(3, 0, 0));
    assert_eq!(stored(store).await, 3, "what was acknowledged is visible");
    assert_eq!(store.append(batch).await.unwrap(), appended(0, 3, 0));
    assert_eq!(stored(store).await, 3);
    let empty = to_batch(batch_id(2), Lane::Live, &[]);
    assert_eq!(store.append(empty).await.unwrap(), appended(0, 0, 0));
    let status = store.status().await.unwrap();
    assert_eq!((status.days, status.import_days), (vec![TODAY], Vec::new()));
    assert_eq!(status.span, Some((NOON, NOON)));
    assert!(status.bytes_on_disk > 0);
}

pub(super) async fn batches_at_once_are_all_stored(store: &impl ExchangeStore) {
    let before = stored(store).await;
    let rows = |number: u64| vec![Sample::plain(Timestamp::from_micros(NOON.micros() + number as i64), number)];
    // Every batch twice, so that a group holds the same batch more than once.
    let batches: Vec<Batch> =
        (0..40).map(|number| to_batch(batch_id(1_000 + number / 2), Lane::Live, &rows(number / 2))).collect();
    let outcomes = futures_util::future::join_all(batches.into_iter().map(|batch| store.append(batch))).await;
    let outcomes: Vec<Appended> = outcomes.into_iter().collect::<Result<_, _>>().unwrap();
    let stored_now: u64 = outcomes.iter().map(|outcome| outcome.stored).sum();
    let duplicate: u64 = outcomes.iter().map(|outcome| outcome.duplicate).sum();
    assert_eq!((stored_now, duplicate), (20, 20));
    assert_eq!(stored(store).await, before + 20);
}

pub(super) async fn a_batch_is_split_at_midnight(store: &impl ExchangeStore) {
    let midnight = TODAY.start().micros();
    let rows: Vec<Sample> = [-1, 0, 1, -MICROS_PER_DAY - 1]
        .iter()
        .zip(0..)
        .map(|(offset, number)| Sample::plain(Timestamp::from_micros(midnight + offset), number))
        .collect();
    let whole = to_batch(batch_id(1), Lane::Live, &rows);
    assert_eq!(store.append(whole.clone()).await.unwrap(), appended(4, 0, 0));
    assert_eq!(store.append(whole).await.unwrap(), appended(0, 4, 0));
    assert_eq!(store.status().await.unwrap().days, [TODAY.plus(-2), TODAY.plus(-1), TODAY]);
    let parts = store.sessions(sessions_query(ALWAYS, &Filters::default(), 50)).await.unwrap();
    let shown: Vec<_> = parts.items.iter().map(|part| (part.day, part.requests)).collect();
    assert_eq!(shown, [(TODAY, 2), (TODAY.plus(-1), 1), (TODAY.plus(-2), 1)], "a part is one session in one UTC day");
    let yesterday = TimeRange { from: TODAY.plus(-1).start(), to: TODAY.start() };
    let parts = store.sessions(sessions_query(yesterday, &Filters::default(), 50)).await.unwrap();
    assert_eq!(parts.total, 1);
    for row in rows {
        let found = store.exchange(row.id).await.unwrap();
        assert_eq!(found.map(|found| found.ts), Some(row.ts), "an exchange is found by its identity alone");
    }
}

pub(super) async fn an_import_is_stored_once_whatever_its_batch(store: &impl ExchangeStore) {
    let last_year = |number: u64| Timestamp::from_micros(NOON.micros() - 365 * MICROS_PER_DAY + number as i64 * HOUR);
    let rows: Vec<Sample> = (0..30).map(|number| Sample::plain(last_year(number), number)).collect();
    let import = |number, rows: &[Sample]| to_batch(batch_id(number), Lane::Import, rows);
    assert_eq!(store.append(import(1, &rows[..20])).await.unwrap(), appended(20, 0, 0));
    assert_eq!(store.append(import(1, &rows[..20])).await.unwrap(), appended(0, 20, 0));
    assert_eq!(store.append(import(2, &rows[10..])).await.unwrap(), appended(10, 10, 0));
    let doubled = [rows.clone(), rows.clone()].concat();
    assert_eq!(store.append(import(3, &doubled)).await.unwrap(), appended(0, 60, 0));
    let mut twice = vec![Sample::plain(last_year(99), 99)];
    twice.push(twice[0].clone());
    assert_eq!(store.append(import(4, &twice)).await.unwrap(), appended(1, 1, 0));
    assert_eq!(stored(store).await, 31);
    let status = store.status().await.unwrap();
    assert_eq!(status.days, [], "imports are no live days");
    let first_day = rows[0].ts.day();
    assert_eq!(status.import_days, [0, 1, 4].map(|day| first_day.plus(day)), "the days of the exchanges");

    // The lanes do not know each other: what happened live is counted whatever was imported.
    let live = Sample::plain(NOON, 500);
    assert_eq!(store.append(import(5, std::slice::from_ref(&live))).await.unwrap(), appended(1, 0, 0));
    let batch = to_batch(batch_id(6), Lane::Live, &[live]);
    assert_eq!(store.append(batch).await.unwrap(), appended(1, 0, 0));
    let both = store.sessions(sessions_query(ALWAYS, &Filters::default(), 50)).await.unwrap();
    assert_eq!(both.items.iter().map(|part| part.requests).sum::<u64>(), 33);
    assert_eq!(both.items[0].requests, 2, "a part takes from both lanes");
}

pub(super) async fn a_row_comes_back_as_it_went_in(store: &impl ExchangeStore) {
    let mut random = Random::new(7);
    let rows = Sample::random(&mut random, 40);
    store.append(to_batch(batch_id(1), Lane::Live, &rows)).await.unwrap();
    for row in rows {
        let found = store.exchange(row.id).await.unwrap().unwrap();
        assert_eq!((found.ts, found.exchange_id, found.session_id), (row.ts, row.id, row.session));
        assert_eq!((&*found.application, found.host.as_deref()), (row.application, row.host));
        assert_eq!((&*found.method, &*found.path, &*found.endpoint), (row.method, &*row.path, row.endpoint));
        assert_eq!((found.status, &*found.outcome, found.duration_us), (row.status, row.outcome, row.duration_us));
        assert_eq!((found.client_ip, found.user_agent.as_deref()), (row.client_ip, row.user_agent));
        assert_eq!((&*found.session_key, &*found.session_key_kind), (row.key, row.key_kind.as_str()));
        assert_eq!((&found.session_value, found.session_value_hashed), (&row.key_value, true));
        assert_eq!(found.request_session_id, row.request_session.map(|(session, _)| session));
        assert_eq!(found.request_session_key_kind.as_deref(), row.request_session.map(|(_, kind)| kind.as_str()));
        assert_eq!(found.trace_id, row.trace_id);
        assert_eq!((found.user.as_deref(), found.role.as_deref()), (row.user, row.role));
        assert_eq!((&*found.node, &*found.source, found.policy_version), ("node-1", "proxy", row.policy_version));
        assert_eq!((found.scheme.as_deref(), found.proto.as_deref()), (Some("https"), Some("HTTP/1.1")));
        assert_eq!((found.query.as_deref(), &*found.protocol, found.operation), (Some("page"), "rest", None));
        assert_eq!((found.request_bytes, found.response_bytes, found.upstream_us), (10, 20, None));
        assert_eq!((found.ja3, found.ja4.as_deref()), (None, Some("t13d1516h2_8daaf6152771_e5627efa2ab1")));
        let origin = if row.issued { "issued" } else { "client_chosen" };
        assert_eq!((&*found.session_value_origin, &*found.session_trace), (origin, row.trace));
        assert_eq!((found.session_uncertain, found.attacks, &*found.action), (false, 0, "none"));
        let parameters: Vec<_> = found
            .params
            .iter()
            .map(|parameter| {
                (&*parameter.name, &*parameter.value, parameter.hashed, &*parameter.origin, parameter.hidden)
            })
            .collect();
        let others = row.parameters().split_off(2);
        let user = row.user.unwrap_or("nobody");
        let mut expected = vec![("user", user, true, "request", false), ("sort", "", false, "response", true)];
        expected.extend(others.iter().map(|(name, value)| (*name, *value, false, "request", false)));
        assert_eq!(parameters, expected);
        let errors: Vec<_> = found
            .parse_errors
            .iter()
            .map(|error| (&*error.part, &*error.parser, error.offset, &*error.reason))
            .collect();
        assert_eq!(errors, [("request body", "json", 7, "cut off")]);
        assert!(found.ingested_at >= NOON);
    }
}

pub(super) async fn other_columns_are_refused(store: &impl ExchangeStore) {
    let before = stored(store).await;
    let mut batch = to_batch(batch_id(2), Lane::Live, &[Sample::plain(NOON, 1)]);
    batch.rows = batch.rows.project(&(0..schema().fields().len() - 1).collect::<Vec<_>>()).unwrap();
    assert!(matches!(store.append(batch).await, Err(StoreError::Schema(_))));
    assert_eq!(stored(store).await, before);
}

pub(super) async fn a_closed_store_says_so(store: &impl ExchangeStore) {
    store.close().await.unwrap();
    let batch = to_batch(batch_id(9_999), Lane::Live, &[Sample::plain(NOON, 1)]);
    assert!(matches!(store.append(batch).await, Err(StoreError::Closed)));
    assert!(matches!(store.status().await, Err(StoreError::Closed)));
    let query = sessions_query(ALWAYS, &Filters::default(), 1);
    assert!(matches!(store.sessions(query).await, Err(StoreError::Closed)));
}
