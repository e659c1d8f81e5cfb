//! How the rules that decide sessions did: what each decided, for whom, and when.

use duckdb::{Connection, params_from_iter};
use threadline_store::{Filters, KeyFigures, KeyHealth, KeyOutcomeCount, TimeRange};

use crate::files::Lease;
use crate::sql::{Parameters, condition_of_sessions, rows_of};

pub(crate) fn answer(
    connection: &Connection,
    leases: &[Lease],
    range: TimeRange,
    filters: &Filters,
    bars: u16,
) -> Result<KeyHealth, duckdb::Error> {
    if leases.is_empty() || range.to <= range.from {
        return Ok(KeyHealth::default());
    }
    let mut parameters = Parameters::default();
    let rows = rows_of(leases);
    let condition = condition_of_sessions(&rows, range, filters, &mut parameters);
    let source = format!("{rows} WHERE {condition}");
    let mut health = KeyHealth { keys: figures(connection, &source, &parameters)?, ..KeyHealth::default() };
    read_counts(connection, &source, &parameters, range, bars, &mut health)?;
    Ok(health)
}

/// What each rule decided. Every row is read once, for one group of a session, a rule and an address.
fn figures(connection: &Connection, source: &str, parameters: &Parameters) -> Result<Vec<KeyFigures>, duckdb::Error> {
    let sql = format!(
        "WITH counted AS MATERIALIZED (\
           SELECT session_key AS key, session_key_kind AS kind, session_id, client_ip, count(*) AS exchanges, \
             bool_or(session_value_origin = 'issued') AS issued \
           FROM {source} GROUP BY ALL), \
         whole AS (\
           SELECT session_id, sum(exchanges) AS total, bool_or(issued) AS issued FROM counted GROUP BY session_id), \
         by_session AS (\
           SELECT key, kind, session_id, sum(exchanges) AS exchanges, count(client_ip) AS addresses \
           FROM counted GROUP BY ALL), \
         of_sessions AS (\
           SELECT key, kind, sum(exchanges)::UBIGINT AS exchanges, count(*) AS sessions, \
             sum(total)::UBIGINT AS total, max(total)::UBIGINT AS largest, \
             count(*) FILTER (WHERE total = 1) AS single, count(*) FILTER (WHERE NOT issued) AS never_issued, \
             max(addresses) AS most_addresses, sum(addresses)::UBIGINT AS all_addresses \
           FROM by_session JOIN whole USING (session_id) GROUP BY ALL), \
         by_address AS (\
           SELECT key, kind, client_ip, count(*) AS sessions FROM counted WHERE client_ip IS NOT NULL GROUP BY ALL), \
         of_addresses AS (\
           SELECT key, kind, count(*) AS addresses, max(sessions) AS most_sessions FROM by_address GROUP BY ALL) \
         SELECT key, kind, exchanges, sessions, total, largest, single, never_issued, coalesce(addresses, 0), \
           most_addresses, all_addresses, coalesce(most_sessions, 0) \
         FROM of_sessions LEFT JOIN of_addresses USING (key, kind) ORDER BY exchanges DESC, key, kind"
    );
    let mut statement = connection.prepare(&sql)?;
    let mut rows = statement.query(params_from_iter(&parameters.0))?;
    let mut figures = Vec::new();
    while let Some(row) = rows.next()? {
        figures.push(KeyFigures {
            key: row.get(0)?,
            kind: row.get(1)?,
            exchanges: row.get(2)?,
            sessions: row.get(3)?,
            exchanges_of_sessions: row.get(4)?,
            largest_session: row.get(5)?,
            single_sessions: row.get(6)?,
            never_issued_sessions: row.get(7)?,
            addresses: row.get(8)?,
            most_addresses_of_session: row.get(9)?,
            addresses_of_sessions: row.get(10)?,
            most_sessions_of_address: row.get(11)?,
        });
    }
    Ok(figures)
}

/// Exchanges by bar and rule, and by version, place and outcome. A trace has a letter for each place.
fn read_counts(
    connection: &Connection,
    source: &str,
    parameters: &Parameters,
    range: TimeRange,
    bars: u16,
    health: &mut KeyHealth,
) -> Result<(), duckdb::Error> {
    let from = range.from.micros();
    let width = i128::from(range.to.micros()) - i128::from(from);
    let sql = format!(
        "WITH counted AS MATERIALIZED (\
           SELECT ((epoch_us(ts)::HUGEINT - {from}) * {bars} // {width})::USMALLINT AS bar, session_key AS key, \
             session_key_kind AS kind, policy_version AS version, session_trace AS trace, count(*) AS exchanges \
           FROM {source} GROUP BY ALL), \
         placed AS (\
           SELECT version, trace, exchanges, unnest(generate_series(1, length(trace))) AS place FROM counted) \
         SELECT bar, key, kind, NULL AS version, NULL AS place, NULL AS letter, sum(exchanges)::UBIGINT \
         FROM counted GROUP BY ALL \
         UNION ALL \
         SELECT NULL, NULL, NULL, version, place - 1, substr(trace, place, 1) AS letter, sum(exchanges)::UBIGINT \
         FROM placed GROUP BY ALL"
    );
    let mut statement = connection.prepare(&sql)?;
    let mut rows = statement.query(params_from_iter(&parameters.0))?;
    while let Some(row) = rows.next()? {
        let exchanges = row.get(6)?;
        if let Some(bar) = row.get::<_, Option<u16>>(0)? {
            let (key, kind): (String, String) = (row.get(1)?, row.get(2)?);
            if let Some(place) = health.keys.iter().position(|one| one.key == key && one.kind == kind) {
                health.bars.push((bar, place as u32, exchanges));
            }
        } else if let Some(letter) = row.get::<_, String>(5)?.chars().next() {
            let (policy_version, place) = (row.get(3)?, row.get(4)?);
            health.outcomes.push(KeyOutcomeCount { policy_version, place, letter, exchanges });
        }
    }
    health.bars.sort_unstable();
    health.outcomes.sort_unstable();
    Ok(())
}
