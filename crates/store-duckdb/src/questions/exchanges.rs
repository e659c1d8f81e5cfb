//! Lists of exchanges, and one exchange.
//!
//! A list is asked in two steps, because a row is wide: which rows are on the page, by their times and identities,
//! then those rows.

use duckdb::{Connection, params_from_iter};
use threadline_model::{ExchangeId, Timestamp};
use threadline_store::{
    Choice, ExchangesQuery, Filters, ListKind, Page, PageToken, StoreError, StoredExchange, TimeRange,
};

use crate::files::Lease;
use crate::questions::{Bytes16, stored};
use crate::sql::{Parameters, condition, identity, rows_of, time};

/// Where a page starts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Start {
    pub(crate) snapshot: Timestamp,
    pub(crate) after: Option<(Timestamp, [u8; 16])>,
}

impl Start {
    /// The start that a token says, or the first page as of now.
    pub(crate) fn new(
        token: Option<&str>,
        kind: ListKind,
        range: TimeRange,
        filters: &Filters,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let Some(token) = token else { return Ok(Self { snapshot: now, after: None }) };
        let token = PageToken::decode(token, kind, range, filters)?;
        Ok(Self { snapshot: token.snapshot, after: Some((token.ts, token.id)) })
    }
}

pub(crate) fn start(query: &ExchangesQuery, now: Timestamp) -> Result<Start, StoreError> {
    Start::new(query.page.token.as_deref(), kind(query), query.range, &query.filters, now)
}

pub(crate) fn answer(
    connection: &Connection,
    leases: &[Lease],
    query: &ExchangesQuery,
    start: Start,
) -> Result<Page<StoredExchange>, duckdb::Error> {
    if leases.is_empty() {
        return Ok(Page { items: Vec::new(), total: 0, next: None });
    }
    let limit = query.page.limit as usize;
    let (total, mut keys) = keys(connection, leases, query, start, limit + 1)?;
    let more = keys.len() > limit;
    keys.truncate(limit);
    let next = keys.last().filter(|_| more).map(|(ts, id)| {
        let token = PageToken { snapshot: start.snapshot, ts: *ts, id: id.0 };
        token.encode(kind(query), query.range, &query.filters)
    });
    let items = rows(connection, leases, query, &keys)?;
    Ok(Page { items, total, next })
}

/// One exchange by its identity.
pub(crate) fn one(
    connection: &Connection,
    leases: &[Lease],
    id: ExchangeId,
) -> Result<Option<StoredExchange>, duckdb::Error> {
    if leases.is_empty() {
        return Ok(None);
    }
    let id = identity(*id.as_bytes());
    let sql = format!("SELECT {} FROM {} WHERE exchange_id = {id} LIMIT 1", stored::COLUMNS, rows_of(leases));
    let mut statement = connection.prepare(&sql)?;
    let mut found = statement.query_map([], stored::read)?;
    found.next().transpose()
}

fn kind(query: &ExchangesQuery) -> ListKind {
    if query.oldest_first { ListKind::ExchangesOldestFirst } else { ListKind::ExchangesNewestFirst }
}

/// The total and the rows of a page, by their times and identities, in one pass.
fn keys(
    connection: &Connection,
    leases: &[Lease],
    query: &ExchangesQuery,
    start: Start,
    limit: usize,
) -> Result<(u64, Vec<(Timestamp, Bytes16)>), duckdb::Error> {
    let mut parameters = Parameters::default();
    let condition = condition(query.range, &query.filters, &mut parameters);
    let snapshot = time(start.snapshot);
    let (beyond, direction) = if query.oldest_first { (">", "ASC") } else { ("<", "DESC") };
    let after = start.after.map_or_else(String::new, |(ts, id)| {
        let (ts, id) = (time(ts), identity(id));
        format!("WHERE ts {beyond} {ts} OR (ts = {ts} AND exchange_id {beyond} {id})")
    });
    // The total comes with a first row of its own, so that an empty page has one as well.
    let sql = format!(
        "WITH counted AS MATERIALIZED (\
           SELECT ts, exchange_id FROM {} WHERE {condition} AND ingested_at <= {snapshot}), \
         page AS (\
           SELECT epoch_us(ts) AS ts, exchange_id FROM counted {after} \
           ORDER BY ts {direction}, exchange_id {direction} LIMIT {limit}) \
         SELECT NULL AS ts, NULL AS exchange_id, count(*) AS total FROM counted \
         UNION ALL SELECT ts, exchange_id, NULL FROM page \
         ORDER BY ts {direction} NULLS FIRST, exchange_id {direction}",
        rows_of(leases)
    );
    let mut statement = connection.prepare(&sql)?;
    let mut rows = statement.query(params_from_iter(parameters.0))?;
    let (mut total, mut keys) = (0, Vec::new());
    while let Some(row) = rows.next()? {
        match row.get::<_, Option<i64>>(0)? {
            None => total = row.get(2)?,
            Some(ts) => keys.push((Timestamp::from_micros(ts), row.get(1)?)),
        }
    }
    Ok((total, keys))
}

/// The rows of a page, in its order.
fn rows(
    connection: &Connection,
    leases: &[Lease],
    query: &ExchangesQuery,
    keys: &[(Timestamp, Bytes16)],
) -> Result<Vec<StoredExchange>, duckdb::Error> {
    let times = keys.iter().map(|(ts, _)| *ts);
    let (Some(first), Some(last)) = (times.clone().min(), times.max()) else { return Ok(Vec::new()) };
    let ids = keys.iter().map(|(_, id)| id.exchange()).collect();
    let exchange = Choice { any: ids, not: Vec::new() };
    // The session repeats what the identities say, for the engine, which finds a session's rows of a closed day by it.
    let filters = Filters { exchange, session: query.filters.session.clone(), ..Filters::default() };
    let mut parameters = Parameters::default();
    let range = TimeRange { from: first, to: Timestamp::from_micros(last.micros().saturating_add(1)) };
    let condition = condition(range, &filters, &mut parameters);
    let direction = if query.oldest_first { "ASC" } else { "DESC" };
    let sql = format!(
        "SELECT {} FROM {} WHERE {condition} ORDER BY ts {direction}, exchange_id {direction}",
        stored::COLUMNS,
        rows_of(leases)
    );
    let mut statement = connection.prepare(&sql)?;
    statement.query_map(params_from_iter(parameters.0), stored::read)?.collect()
}
