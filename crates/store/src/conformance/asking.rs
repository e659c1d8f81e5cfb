//! Every question, compared with the naive evaluator.

use std::collections::{BTreeMap, BTreeSet};

use threadline_model::{ExchangeId, Network, Timestamp};
use threadline_record::SessionKeyKind;

use super::appending::{ALWAYS, exchanges_query, sessions_query};
use super::reference;
use super::sample::{
    APPLICATIONS, HOSTS, KEYS, METHODS, OUTCOMES, ROLES, Random, Sample, USERS, WANTED, batch_id, session_id, to_batch,
};
use super::{HOUR, NOON, TODAY};
use crate::{
    Choice, Count, ExchangeStore, ExchangesQuery, FacetField, Filters, Lane, PageRequest, SessionPart, SessionsQuery,
    StatusFilter, TimeRange,
};

const FIELDS: [FacetField; 11] = [
    FacetField::Application,
    FacetField::Host,
    FacetField::Ip,
    FacetField::Method,
    FacetField::Status,
    FacetField::User,
    FacetField::Role,
    FacetField::Endpoint,
    FacetField::Key,
    FacetField::UserAgent,
    FacetField::Outcome,
];

/// Half of the rows live, half imported, so that every question reads both lanes.
pub(super) async fn fill(store: &impl ExchangeStore, random: &mut Random, count: u64) -> Vec<Sample> {
    let samples = Sample::random(random, count);
    let (live, imported): (Vec<_>, Vec<_>) = samples.iter().cloned().partition(|_| random.below(2) == 0);
    for (number, rows) in (0..).zip(live.chunks(500)) {
        store.append(to_batch(batch_id(number), Lane::Live, rows)).await.unwrap();
    }
    for (number, rows) in (1_000..).zip(imported.chunks(500)) {
        store.append(to_batch(batch_id(number), Lane::Import, rows)).await.unwrap();
    }
    samples
}

pub(super) async fn every_filter_and_its_negation(store: &impl ExchangeStore) {
    let samples = fill(store, &mut Random::new(1), 400).await;
    let mut tried = 0;
    for filters in single_filters(&samples) {
        let expected = reference::counted(&samples, ALWAYS, &filters);
        let page = store.exchanges(exchanges_query(ALWAYS, &filters, 500)).await.unwrap();
        let shown: Vec<ExchangeId> = page.items.iter().map(|row| row.exchange_id).collect();
        let wanted: Vec<ExchangeId> = expected.iter().map(|row| row.id).collect();
        assert_eq!(shown, wanted, "{filters:?}");
        assert_eq!(page.total, wanted.len() as u64, "{filters:?}");
        let of_sessions = reference::counted_in_sessions(&samples, ALWAYS, &filters);
        sessions_agree(store, ALWAYS, &filters, &of_sessions, &format!("{filters:?}")).await;
        tried += 1;
    }
    assert!(tried > 80, "{tried} filters tried");
}

/// Each filter with each of its values alone, with all, and both negated.
fn single_filters(samples: &[Sample]) -> Vec<Filters> {
    let mut all = Vec::new();
    let nothing = Filters::default;
    let known = |values: &[Option<&str>]| values.iter().flatten().map(|&value| value.to_owned()).collect::<Vec<_>>();
    let texts = |values: &[&str]| values.iter().map(|&value| value.to_owned()).collect::<Vec<_>>();
    let kinds = [SessionKeyKind::Configured, SessionKeyKind::BuiltIn, SessionKeyKind::Fallback];
    each(&texts(&APPLICATIONS), &mut all, |application| Filters { application, ..nothing() });
    each(&known(&HOSTS), &mut all, |host| Filters { host, ..nothing() });
    each(&texts(&METHODS), &mut all, |method| Filters { method, ..nothing() });
    each(&known(&USERS), &mut all, |user| Filters { user, ..nothing() });
    each(&known(&ROLES), &mut all, |role| Filters { role, ..nothing() });
    each(&texts(&KEYS.map(|(key, _)| key)), &mut all, |key| Filters { key, ..nothing() });
    each(&texts(&kinds.map(SessionKeyKind::as_str)), &mut all, |key_kind| Filters { key_kind, ..nothing() });
    each(&texts(&OUTCOMES), &mut all, |outcome| Filters { outcome, ..nothing() });
    each(&values_of_keys(), &mut all, |value| Filters { value, ..nothing() });
    for name in WANTED.iter().map(|(name, _)| *name).collect::<BTreeSet<_>>() {
        let values = WANTED.iter().filter(|(other, _)| *other == name).map(|(_, value)| (*value).to_owned());
        let parameters = |choice| Filters { parameters: [(name.to_owned(), choice)].into(), ..nothing() };
        each(&values.collect::<Vec<_>>(), &mut all, parameters);
    }
    let both = [("token", "aaa"), ("standing", "admin")];
    let any = |value: &str| Choice { any: vec![value.to_owned()], not: Vec::new() };
    all.push(Filters { parameters: both.map(|(name, value)| (name.to_owned(), any(value))).into(), ..nothing() });
    let parts = ["users", "ORDERS", "100%", "_", "\\", "a_b\\C", "/path/1", "ÄRGER", "nowhere"];
    each(&texts(&parts), &mut all, |endpoint| Filters { endpoint, ..nothing() });
    each(&statuses(), &mut all, |status| Filters { status, ..nothing() });
    each(&networks(), &mut all, |ip| Filters { ip, ..nothing() });
    each(&[session_id(3), session_id(7), session_id(200)], &mut all, |session| Filters { session, ..nothing() });
    each(&[samples[5].id, samples[9].id], &mut all, |exchange| Filters { exchange, ..nothing() });
    all.extend(searches(samples).into_iter().map(|search| Filters { search: Some(search), ..nothing() }));
    all.push(nothing());
    all
}

fn each<T: Clone>(values: &[T], all: &mut Vec<Filters>, filters: impl Fn(Choice<T>) -> Filters) {
    for chosen in values.chunks(1).chain([values]) {
        all.push(filters(Choice { any: chosen.to_vec(), not: Vec::new() }));
        all.push(filters(Choice { any: Vec::new(), not: chosen.to_vec() }));
    }
    // What is asked for and refused at once is refused.
    all.push(filters(Choice { any: values.to_vec(), not: values[..1].to_vec() }));
}

fn values_of_keys() -> Vec<String> {
    [2, 4, 5].map(|number| format!("{number:032x}")).into()
}

fn statuses() -> Vec<StatusFilter> {
    let mut statuses: Vec<StatusFilter> = (0..=10).map(StatusFilter::Class).collect();
    statuses.extend([StatusFilter::Exact(404), StatusFilter::Exact(403), StatusFilter::None]);
    statuses
}

fn networks() -> Vec<Network> {
    let networks = [("10.0.0.1", 32), ("10.0.0.77", 24), ("10.0.0.0", 8), ("0.0.0.0", 0), ("2001:db8::", 32)];
    let more = [("2001:db8::1", 128), ("2001:db8::", 31), ("192.168.0.0", 16), ("::", 0)];
    networks
        .into_iter()
        .chain(more)
        .map(|(address, prefix)| Network { address: address.parse().unwrap(), prefix })
        // `::/0` holds every mapped IPv4 address too, and is not compared: it is not how anybody asks for IPv6.
        .filter(|network| network.prefix > 0 || network.address.is_ipv4())
        .collect()
}

fn searches(samples: &[Sample]) -> Vec<String> {
    let mut searches: Vec<String> = samples.iter().find_map(|row| row.trace_id.clone()).into_iter().collect();
    searches.push(session_id(3).to_string());
    searches.push(session_id(3).to_string().to_uppercase());
    let texts = ["ada", "o'brien", "drop table", "CURL", "100% \"real\"", "_", "%", "\\", "10.0.0.1", "2001:db8:0::1"];
    searches.extend(texts.map(str::to_owned));
    searches.extend(["example", "00000000000000000000000000000003", "nowhere", "10.0.0", ""].map(str::to_owned));
    searches
}

pub(super) async fn random_questions(store: &impl ExchangeStore) {
    let mut random = Random::new(2);
    let samples = fill(store, &mut random, 3_000).await;
    for round in 0..60 {
        let range = if round == 0 { ALWAYS } else { range(&mut random) };
        let filters = if round < 2 { Filters::default() } else { filters(&mut random, &samples) };
        let rows = reference::counted(&samples, range, &filters);
        let context = format!("round {round}: {range:?} {filters:?}");
        let of_sessions = reference::counted_in_sessions(&samples, range, &filters);
        sessions_agree(store, range, &filters, &of_sessions, &context).await;
        facets_agree(store, range, &filters, &of_sessions, &context).await;
        histogram_agrees(store, range, &filters, &of_sessions, &context).await;
        exchanges_agree(store, range, &filters, &rows, &context).await;
        let in_range = reference::counted(&samples, range, &Filters::default());
        for order in [&["tenant", "token", "user"][..], &["to\"ken", "toke", "ten"], &["token", "sort"], &[]] {
            let order: Vec<String> = order.iter().map(|name| (*name).to_owned()).collect();
            let counts = store.first_parameters(range, 1, order.clone()).await.unwrap();
            assert_eq!(counts, reference::first_parameters(&in_range, 1, &order), "{context} {order:?}");
        }
        let health = store.key_health(range, filters.clone(), 24).await.unwrap();
        assert_eq!(health, reference::key_health(&of_sessions, range, 24), "{context}");
        if let Some(row) = rows.first() {
            let of_session: Vec<&Sample> = rows.iter().copied().filter(|other| other.session == row.session).collect();
            summary_agrees(store, range, &filters, &of_session, &context).await;
        }
    }
}

fn range(random: &mut Random) -> TimeRange {
    let from = NOON.micros() - 60 * HOUR + random.below(60 * HOUR as u64) as i64;
    let length = 1 + random.below(40 * HOUR as u64) as i64;
    TimeRange { from: Timestamp::from_micros(from), to: Timestamp::from_micros(from + length) }
}

/// One to three filters of [`single_filters`], together.
fn filters(random: &mut Random, samples: &[Sample]) -> Filters {
    let single = single_filters(samples);
    let mut filters = Filters::default();
    for _ in 0..=random.below(2) {
        let other = random.pick(&single);
        match random.below(8) {
            0 => filters.host = other.host,
            1 => filters.status = other.status,
            2 => filters.ip = other.ip,
            3 => filters.user = other.user,
            4 => filters.search = other.search,
            5 => filters.parameters.extend(other.parameters),
            _ => filters = Filters { search: filters.search, status: filters.status, ip: filters.ip, ..other },
        }
    }
    filters
}

async fn sessions_agree(
    store: &impl ExchangeStore,
    range: TimeRange,
    filters: &Filters,
    rows: &[&Sample],
    context: &str,
) {
    let query = SessionsQuery { thread_bins: 12, ..sessions_query(range, filters, 500) };
    let page = store.sessions(query).await.unwrap();
    let expected = reference::parts(rows);
    assert_eq!(page.total, expected.len() as u64, "{context}");
    assert_eq!(page.items.len(), expected.len(), "{context}");
    for (part, ((session, day), rows)) in page.items.iter().zip(expected) {
        assert_eq!((part.session_id, part.day), (session, day), "{context}");
        part_agrees(part, &rows, Some(12), context);
    }
}

/// `rows` are the part's, oldest first.
fn part_agrees(part: &SessionPart, rows: &[&Sample], bins: Option<u16>, context: &str) {
    let context = format!("{context}: session {} on {}", part.session_id, part.day);
    let (first, last) = (rows[0], rows[rows.len() - 1]);
    assert_eq!((part.first, part.last, part.requests), (first.ts, last.ts, rows.len() as u64), "{context}");
    assert_eq!(part.errors, rows.iter().filter(|row| reference::is_error(row)).count() as u64, "{context}");
    assert_eq!((part.attacks, part.blocked), (0, 0), "{context}");
    most_used(&part.ips, part.ip_count, rows, FacetField::Ip, 5, &context);
    most_used(&part.hosts, part.host_count, rows, FacetField::Host, 5, &context);
    most_used(&part.endpoints, part.endpoint_count, rows, FacetField::Endpoint, 5, &context);
    most_used(&part.applications, part.applications.len() as u64, rows, FacetField::Application, 20, &context);
    assert_eq!(part.user.as_deref(), reference::last(rows, |row| row.user), "{context}");
    assert_eq!(part.user_hashed, part.user.is_some(), "{context}: the samples' users are hashed");
    assert_eq!(part.role.as_deref(), reference::last(rows, |row| row.role), "{context}");
    assert!(!part.role_hashed, "{context}");
    assert_eq!((&*part.key, &*part.key_kind), (last.key, last.key_kind.as_str()), "{context}");
    assert_eq!((&part.key_value, part.key_value_hashed), (&last.key_value, true), "{context}");
    assert_eq!(part.user_agent.as_deref(), reference::last(rows, |row| row.user_agent), "{context}");
    let thread = part.thread.as_ref().map(|thread| (thread.from, thread.bins_total, thread.bins.clone()));
    let to = Timestamp::from_micros(last.ts.micros() + 1);
    let expected = bins.map(|bins| (first.ts, bins, reference::bins(rows, first.ts, to, bins)));
    assert_eq!(thread, expected, "{context}");
}

/// Most used first, none of them more used than shown, and how many there are.
fn most_used(shown: &[Count], count: u64, rows: &[&Sample], field: FacetField, limit: usize, context: &str) {
    let expected: BTreeMap<_, _> =
        reference::counts(rows, field).into_iter().filter(|(value, _)| value.is_some()).collect();
    assert_eq!(count, expected.len() as u64, "{context}: {field:?}");
    let mut exchanges: Vec<u64> = expected.values().copied().collect();
    exchanges.sort_unstable_by(|one, other| other.cmp(one));
    exchanges.truncate(limit);
    let shown_exchanges: Vec<u64> = shown.iter().map(|count| count.exchanges).collect();
    assert_eq!(shown_exchanges, exchanges, "{context}: {field:?}");
    for count in shown {
        let expected = expected.get(&count.value).copied();
        assert_eq!(expected, Some(count.exchanges), "{context}: {field:?}");
    }
}

async fn exchanges_agree(
    store: &impl ExchangeStore,
    range: TimeRange,
    filters: &Filters,
    rows: &[&Sample],
    context: &str,
) {
    for oldest_first in [true, false] {
        let page = PageRequest { limit: 100, token: None };
        let query = ExchangesQuery { range, filters: filters.clone(), page, oldest_first };
        let page = store.exchanges(query).await.unwrap();
        assert_eq!(page.total, rows.len() as u64, "{context}");
        assert_eq!(page.next.is_some(), rows.len() > 100, "{context}");
        let shown: Vec<ExchangeId> = page.items.iter().map(|row| row.exchange_id).collect();
        let mut expected: Vec<ExchangeId> = rows.iter().map(|row| row.id).collect();
        if !oldest_first {
            expected.reverse();
        }
        expected.truncate(100);
        assert_eq!(shown, expected, "{context}");
    }
}

async fn facets_agree(
    store: &impl ExchangeStore,
    range: TimeRange,
    filters: &Filters,
    rows: &[&Sample],
    context: &str,
) {
    let facets = store.facets(range, filters.clone(), FIELDS.to_vec(), 1_000).await.unwrap();
    assert_eq!(facets.iter().map(|(field, _)| *field).collect::<Vec<_>>(), FIELDS, "{context}");
    for (field, counts) in &facets {
        assert_eq!(reference::as_counts(counts), reference::counts(rows, *field), "{context}: {field:?}");
        assert!(counts.is_sorted_by(|one, other| one.exchanges >= other.exchanges), "{context}: {field:?}");
    }
    // One field alone, cut short.
    let facets = store.facets(range, filters.clone(), vec![FacetField::Endpoint], 2).await.unwrap();
    let all = reference::counts(rows, FacetField::Endpoint);
    assert_eq!(facets[0].1.len(), all.len().min(2), "{context}");
}

async fn histogram_agrees(
    store: &impl ExchangeStore,
    range: TimeRange,
    filters: &Filters,
    rows: &[&Sample],
    context: &str,
) {
    if range == ALWAYS {
        // All of time has no bars to speak of; it must not fail, and nothing may be lost.
        let bars = store.histogram(range, filters.clone(), 7).await.unwrap();
        let counted: u32 = bars
            .iter()
            .map(|bar| {
                bar.counts.ok
                    + bar.counts.redirect
                    + bar.counts.client_error
                    + bar.counts.server_error
                    + bar.counts.no_response
            })
            .sum();
        assert_eq!(counted as usize, rows.len(), "{context}");
        return;
    }
    let bars = store.histogram(range, filters.clone(), 37).await.unwrap();
    assert_eq!(bars[0].from, range.from, "{context}");
    assert_eq!(reference::as_histogram(&bars), reference::histogram(rows, range, 37), "{context}");
}

/// `rows` are one session's, oldest first.
async fn summary_agrees(
    store: &impl ExchangeStore,
    range: TimeRange,
    filters: &Filters,
    rows: &[&Sample],
    context: &str,
) {
    let session = rows[0].session;
    let summary = store.session(session, range, filters.clone(), 50, HOUR).await.unwrap().expect(context);
    let parts = reference::parts(rows);
    assert_eq!(summary.whole.day, parts[0].0.1, "{context}: the newest day");
    part_agrees(&summary.whole, rows, Some(50), context);
    assert_eq!(summary.parts.len(), parts.len(), "{context}");
    for (part, ((_, day), rows)) in summary.parts.iter().zip(&parts) {
        assert_eq!(part.day, *day, "{context}: newest first");
        part_agrees(part, rows, None, context);
    }
    for (field, counts) in &summary.facets {
        assert_eq!(reference::as_counts(counts), reference::counts(rows, *field), "{context}: {field:?}");
    }
    let named = |counts: &[Count]| counts.iter().filter_map(|count| count.value.clone()).collect::<Vec<_>>();
    assert!(named(&summary.users).iter().all(|user| !user.is_empty()), "{context}");
    let users: u64 = summary.users.iter().map(|count| count.exchanges).sum();
    assert_eq!(users, rows.iter().filter(|row| row.user.is_some_and(|user| !user.is_empty())).count() as u64);
    let roles: u64 = summary.roles.iter().map(|count| count.exchanges).sum();
    assert_eq!(roles, rows.iter().filter(|row| row.role.is_some()).count() as u64);

    let mut gaps = Vec::new();
    let mut end = rows[0].ts.micros();
    for row in rows {
        if row.ts.micros() - end > HOUR {
            gaps.push((Timestamp::from_micros(end), row.ts));
        }
        end = end.max(row.ts.micros() + row.duration_us.unwrap_or(0) as i64);
    }
    assert_eq!(summary.gaps, gaps, "{context}");
}

pub(super) async fn links_lead_both_ways(store: &impl ExchangeStore) {
    let (before, after) = (session_id(100), session_id(101));
    let at = |number: u64| Timestamp::from_micros(NOON.micros() + number as i64);
    let linked = |number, session, request: Option<_>| Sample {
        session,
        request_session: request,
        ..Sample::plain(at(number), number)
    };
    let rows = [
        linked(0, before, None),
        linked(1, after, Some((before, SessionKeyKind::Fallback))),
        linked(2, after, Some((before, SessionKeyKind::Fallback))),
        linked(3, session_id(102), Some((after, SessionKeyKind::Configured))),
        linked(4, session_id(103), Some((session_id(102), SessionKeyKind::Configured))),
    ];
    store.append(to_batch(batch_id(1), Lane::Live, &rows)).await.unwrap();
    let links = async |session| {
        let summary = store.session(session, ALWAYS, Filters::default(), 0, HOUR).await.unwrap().unwrap();
        assert_eq!(summary.whole.thread, None, "no bins, no thread");
        summary
            .links
            .iter()
            .map(|link| (link.from, link.to, link.exchange_id, link.ts, link.exchanges, link.from_fallback))
            .collect::<Vec<_>>()
    };
    let login = (before, after, rows[1].id, rows[1].ts, 2, true);
    let refresh = (after, session_id(102), rows[3].id, rows[3].ts, 1, false);
    assert_eq!(links(before).await, [login]);
    assert_eq!(links(after).await, [login, refresh]);
}

pub(super) async fn gaps_are_where_nothing_happened(store: &impl ExchangeStore) {
    let session = session_id(110);
    let minute = HOUR / 60;
    let exchange = |minutes: i64, duration: i64, number| Sample {
        session,
        duration_us: Some((duration * minute) as u64),
        ..Sample::plain(Timestamp::from_micros(TODAY.start().micros() + minutes * minute), number)
    };
    // A long download covers what would be a gap; the next gap counts from its end.
    let rows = [
        exchange(0, 1, 900),
        exchange(10, 120, 901),
        exchange(20, 1, 902),
        exchange(100, 1, 903),
        exchange(170, 1, 904),
    ];
    store.append(to_batch(batch_id(2), Lane::Live, &rows)).await.unwrap();
    let summary = store.session(session, ALWAYS, Filters::default(), 10, 30 * minute).await.unwrap().unwrap();
    let at = |minutes| Timestamp::from_micros(TODAY.start().micros() + minutes * minute);
    assert_eq!(summary.gaps, [(at(130), at(170))]);
}
