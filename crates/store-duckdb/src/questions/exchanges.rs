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
use crate::sql::{Parameters, condition, rows_of};

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
    let total = count(connection, leases, query, start.snapshot)?;
    let limit = query.page.limit as usize;
    let mut keys = keys(connection, leases, query, start, limit + 1)?;
    let more = keys.len() > limit;
    keys.truncate(limit);
    let next = keys.last().filter(|_| more).map(|(ts, id)| {
        let token = PageToken { snapshot: start.snapshot, ts: *ts, id: id.0 };
        token.encode(kind(query), query.range, &query.filters)
    });
    let items = rows(connection, leases, &keys, query.oldest_first)?;
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
    let mut parameters = Parameters::default();
    let place = parameters.identity(*id.as_bytes());
    let sql = format!("SELECT {} FROM {} WHERE exchange_id = {place} LIMIT 1", stored::COLUMNS, rows_of(leases));
    let mut statement = connection.prepare(&sql)?;
    let mut found = statement.query_map(params_from_iter(parameters.0), stored::read)?;
    found.next().transpose()
}

fn kind(query: &ExchangesQuery) -> ListKind {
    if query.oldest_first { ListKind::ExchangesOldestFirst } else { ListKind::ExchangesNewestFirst }
}

fn count(
    connection: &Connection,
    leases: &[Lease],
    query: &ExchangesQuery,
    snapshot: Timestamp,
) -> Result<u64, duckdb::Error> {
    let mut parameters = Parameters::default();
    let condition = condition(query.range, &query.filters, &mut parameters);
    let snapshot = parameters.time(snapshot);
    let sql = format!("SELECT count(*) FROM {} WHERE {condition} AND ingested_at <= {snapshot}", rows_of(leases));
    connection.query_row(&sql, params_from_iter(parameters.0), |row| row.get(0))
}

fn keys(
    connection: &Connection,
    leases: &[Lease],
    query: &ExchangesQuery,
    start: Start,
    limit: usize,
) -> Result<Vec<(Timestamp, Bytes16)>, duckdb::Error> {
    let mut parameters = Parameters::default();
    let mut condition = condition(query.range, &query.filters, &mut parameters);
    condition.push_str(&format!(" AND ingested_at <= {}", parameters.time(start.snapshot)));
    let (beyond, direction) = if query.oldest_first { (">", "ASC") } else { ("<", "DESC") };
    if let Some((ts, id)) = start.after {
        let (ts, id) = (parameters.time(ts), parameters.identity(id));
        // The first half repeats the second's for the engine, which skips by it.
        condition.push_str(&format!(
            " AND ts {beyond}= {ts} AND (ts {beyond} {ts} OR (ts = {ts} AND exchange_id {beyond} {id}))"
        ));
    }
    let sql = format!(
        "SELECT epoch_us(ts), exchange_id FROM {} WHERE {condition} \
         ORDER BY ts {direction}, exchange_id {direction} LIMIT {limit}",
        rows_of(leases)
    );
    let mut statement = connection.prepare(&sql)?;
    let keys = statement
        .query_map(params_from_iter(parameters.0), |row| Ok((Timestamp::from_micros(row.get(0)?), row.get(1)?)))?;
    keys.collect()
}

/// The rows of a page, in its order.
fn rows(
    connection: &Connection,
    leases: &[Lease],
    keys: &[(Timestamp, Bytes16)],
    oldest_first: bool,
) -> Result<Vec<StoredExchange>, duckdb::Error> {
    let times = keys.iter().map(|(ts, _)| *ts);
    let (Some(first), Some(last)) = (times.clone().min(), times.max()) else { return Ok(Vec::new()) };
    let ids = keys.iter().map(|(_, id)| id.exchange()).collect();
    let filters = Filters { exchange: Choice { any: ids, not: Vec::new() }, ..Filters::default() };
    let mut parameters = Parameters::default();
    let range = TimeRange { from: first, to: Timestamp::from_micros(last.micros().saturating_add(1)) };
    let condition = condition(range, &filters, &mut parameters);
    let direction = if oldest_first { "ASC" } else { "DESC" };
    let sql = format!(
        "SELECT {} FROM {} WHERE {condition} ORDER BY ts {direction}, exchange_id {direction}",
        stored::COLUMNS,
        rows_of(leases)
    );
    let mut statement = connection.prepare(&sql)?;
    statement.query_map(params_from_iter(parameters.0), stored::read)?.collect()
}
