//! The sessions list: which parts are on the page first, then what a row shows of those few.

use duckdb::{Connection, params_from_iter};
use threadline_model::{Timestamp, UtcDay};
use threadline_store::{Choice, Filters, ListKind, Page, PageToken, SessionPart, SessionsQuery, StoreError, TimeRange};

use crate::files::Lease;
use crate::questions::exchanges::Start;
use crate::questions::{Bytes16, parts};
use crate::sql::{Parameters, condition, condition_of_sessions, identity, of_exchanges, rows_of, time};

pub(crate) fn start(query: &SessionsQuery, now: Timestamp) -> Result<Start, StoreError> {
    Start::new(query.page.token.as_deref(), ListKind::Sessions, query.range, &query.filters, now)
}

pub(crate) fn answer(
    connection: &Connection,
    leases: &[Lease],
    query: &SessionsQuery,
    start: Start,
) -> Result<Page<SessionPart>, duckdb::Error> {
    if leases.is_empty() {
        return Ok(Page { items: Vec::new(), total: 0, next: None });
    }
    let limit = query.page.limit as usize;
    let (total, mut keys) = keys(connection, leases, query, start, limit + 1)?;
    let more = keys.len() > limit;
    keys.truncate(limit);
    let next = keys.last().filter(|_| more).map(|key| {
        let token = PageToken { snapshot: start.snapshot, ts: key.last, id: key.session.0 };
        token.encode(ListKind::Sessions, query.range, &query.filters)
    });
    Ok(Page { items: describe(connection, leases, query, start, &keys)?, total, next })
}

/// What orders and names a part.
struct Key {
    session: Bytes16,
    day: UtcDay,
    first: Timestamp,
    last: Timestamp,
}

/// The total and the parts of a page.
fn keys(
    connection: &Connection,
    leases: &[Lease],
    query: &SessionsQuery,
    start: Start,
    limit: usize,
) -> Result<(u64, Vec<Key>), duckdb::Error> {
    let mut parameters = Parameters::default();
    let rows = rows_of(leases);
    let condition = condition_of_sessions(&rows, query.range, &query.filters, &mut parameters);
    let snapshot = time(start.snapshot);
    let after = start.after.map_or_else(String::new, |(last, session)| {
        let (last, session) = (time(last), identity(session));
        format!("WHERE last < {last} OR (last = {last} AND session_id < {session})")
    });
    // The total comes with a first row of its own, so that an empty page has one as well.
    let sql = format!(
        "WITH parts AS MATERIALIZED (\
           SELECT session_id, day, min(ts) AS first, max(ts) AS last FROM {rows} \
           WHERE {condition} AND ingested_at <= {snapshot} GROUP BY session_id, day), \
         page AS (\
           SELECT session_id, (day - DATE '1970-01-01')::INTEGER AS day, epoch_us(first) AS first, \
             epoch_us(last) AS last \
           FROM parts {after} ORDER BY last DESC, session_id DESC LIMIT {limit}) \
         SELECT NULL AS session_id, NULL AS day, NULL AS first, NULL AS last, count(*) AS total FROM parts \
         UNION ALL SELECT session_id, day, first, last, NULL FROM page \
         ORDER BY last DESC NULLS FIRST, session_id DESC"
    );
    let mut statement = connection.prepare(&sql)?;
    let mut rows = statement.query(params_from_iter(parameters.0))?;
    let (mut total, mut keys) = (0, Vec::new());
    while let Some(row) = rows.next()? {
        match row.get::<_, Option<Bytes16>>(0)? {
            None => total = row.get(4)?,
            Some(session) => keys.push(Key {
                session,
                day: UtcDay::from_days(row.get(1)?),
                first: Timestamp::from_micros(row.get(2)?),
                last: Timestamp::from_micros(row.get(3)?),
            }),
        }
    }
    Ok((total, keys))
}

fn describe(
    connection: &Connection,
    leases: &[Lease],
    query: &SessionsQuery,
    start: Start,
    keys: &[Key],
) -> Result<Vec<SessionPart>, duckdb::Error> {
    let (Some(first), Some(last)) = (keys.iter().map(|key| key.first).min(), keys.first().map(|key| key.last)) else {
        return Ok(Vec::new());
    };
    // Only these sessions, and only the time that holds all of their parts on this page.
    let range =
        TimeRange { from: first, to: query.range.to.min(Timestamp::from_micros(last.micros().saturating_add(1))) };
    let mut sessions: Vec<_> = keys.iter().map(|key| key.session.session()).collect();
    sessions.sort_unstable();
    sessions.dedup();
    let only_these = Filters { session: Choice { any: sessions, not: Vec::new() }, ..Filters::default() };
    let mut parameters = Parameters::default();
    let condition = format!(
        "{} AND {} AND ingested_at <= {}",
        condition(range, &only_these, &mut parameters),
        // These sessions are those that user and role choose.
        condition(query.range, &of_exchanges(&query.filters), &mut parameters),
        time(start.snapshot),
    );
    let rows = parts::Rows::collect(connection, &rows_of(leases), &condition, parameters)?;
    let mut described = rows.parts(parts::ByDay::Yes, query.thread_bins)?;
    Ok(keys.iter().filter_map(|key| described.remove(&(key.session, key.day))).collect())
}
