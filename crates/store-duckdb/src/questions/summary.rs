//! One session over a range: everything the session view shows beside the exchanges.

use duckdb::Connection;
use duckdb::types::Value;
use threadline_model::{SessionId, Timestamp};
use threadline_store::{Choice, Count, FacetField, Filters, SessionLink, SessionSummary, TimeRange};

use crate::files::Lease;
use crate::questions::parts::{ByDay, Rows, TABLE};
use crate::questions::{Bytes16, facets};
use crate::sql::{Parameters, condition, identity, rows_of, within};

/// Values shown per field.
const VALUES: u32 = 50;

/// Gaps shown, the longest when there are more.
const GAPS: u32 = 200;

/// Links shown, those with most exchanges when there are more.
const LINKS: u32 = 100;

/// The fields whose values are counted.
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

/// What is asked of one session.
#[derive(Debug)]
pub(crate) struct Question {
    pub(crate) id: SessionId,
    pub(crate) range: TimeRange,
    pub(crate) filters: Filters,
    pub(crate) thread_bins: u16,
    pub(crate) idle_gap_us: i64,
}

pub(crate) fn answer(
    connection: &Connection,
    leases: &[Lease],
    question: &Question,
) -> Result<Option<SessionSummary>, duckdb::Error> {
    if leases.is_empty() {
        return Ok(None);
    }
    let mut parameters = Parameters::default();
    let this = Filters { session: Choice { any: vec![question.id], not: Vec::new() }, ..Filters::default() };
    let condition = format!(
        "{} AND {}",
        condition(question.range, &this, &mut parameters),
        condition(question.range, &question.filters, &mut parameters),
    );
    let rows = Rows::collect(connection, &rows_of(leases), &condition, parameters)?;
    let Some(whole) = rows.parts(ByDay::No, question.thread_bins)?.into_values().next() else { return Ok(None) };
    let mut parts: Vec<_> = rows.parts(ByDay::Yes, 0)?.into_values().collect();
    parts.sort_unstable_by_key(|part| std::cmp::Reverse(part.day));
    let facets = facets::of_one_session(connection, TABLE, &FIELDS, VALUES)?;
    let (users, roles) = (known(&facets, FacetField::User), known(&facets, FacetField::Role));
    let gaps = gaps(connection, question.idle_gap_us)?;
    drop(rows);
    let links = links(connection, leases, question)?;
    Ok(Some(SessionSummary { whole, parts, facets, users, roles, links, gaps }))
}

/// The values of a field without the count of exchanges that have none.
fn known(facets: &[(FacetField, Vec<Count>)], field: FacetField) -> Vec<Count> {
    let counts = facets.iter().filter(|(counted, _)| *counted == field).flat_map(|(_, counts)| counts);
    counts.filter(|count| count.value.as_deref().is_some_and(|value| !value.is_empty())).cloned().collect()
}

/// Where nothing happened for longer than the gap asked for. Exchanges overlap, so the end before a gap is the latest
/// end so far.
fn gaps(connection: &Connection, idle_gap_us: i64) -> Result<Vec<(Timestamp, Timestamp)>, duckdb::Error> {
    let sql = format!(
        "WITH ends AS (\
           SELECT epoch_us(ts) AS start, \
             max(epoch_us(ts)::HUGEINT + coalesce(duration_us, 0)::HUGEINT) \
               OVER (ORDER BY ts ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before \
           FROM {TABLE}), \
         longest AS (SELECT before::BIGINT AS before, start FROM ends WHERE start - before > $1 \
           ORDER BY start - before DESC LIMIT {GAPS}) \
         SELECT before, start FROM longest ORDER BY start"
    );
    let mut statement = connection.prepare(&sql)?;
    let gaps = statement.query_map([Value::BigInt(idle_gap_us)], |row| {
        Ok((Timestamp::from_micros(row.get(0)?), Timestamp::from_micros(row.get(1)?)))
    })?;
    gaps.collect()
}

/// The links from and to this session in the range, whatever else is filtered: they lead out of what is looked at.
fn links(connection: &Connection, leases: &[Lease], question: &Question) -> Result<Vec<SessionLink>, duckdb::Error> {
    let (in_range, this) = (within(question.range), identity(*question.id.as_bytes()));
    let sql = format!(
        "SELECT request_session_id, session_id, arg_min(exchange_id, ts), epoch_us(min(ts)), count(*), \
           bool_or(coalesce(request_session_key_kind = 'fallback', false)) \
         FROM {} WHERE {in_range} AND request_session_id IS NOT NULL AND request_session_id <> session_id \
           AND (request_session_id = {this} OR session_id = {this}) \
         GROUP BY request_session_id, session_id ORDER BY count(*) DESC, min(ts) LIMIT {LINKS}",
        rows_of(leases)
    );
    let mut statement = connection.prepare(&sql)?;
    let links = statement.query_map([], |row| {
        Ok(SessionLink {
            from: row.get::<_, Bytes16>(0)?.session(),
            to: row.get::<_, Bytes16>(1)?.session(),
            exchange_id: row.get::<_, Bytes16>(2)?.exchange(),
            ts: Timestamp::from_micros(row.get(3)?),
            exchanges: row.get(4)?,
            from_fallback: row.get(5)?,
        })
    })?;
    links.collect()
}
