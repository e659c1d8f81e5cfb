//! What a row of the sessions list shows of a part: counts, most used values, last values, the miniature thread.

use std::collections::BTreeMap;

use duckdb::types::Value;
use duckdb::{Connection, Row, params_from_iter};
use threadline_model::{Timestamp, UtcDay};
use threadline_store::{Count, FacetField, SessionPart, Thread, ThreadBin};

use crate::questions::{Bytes16, CLASS, CLASS_COUNTS, facet_column, facet_text, facet_value};
use crate::sql::Parameters;

/// Most used values shown of addresses, hosts and endpoints.
const TOP: usize = 5;

/// Most used applications shown.
const TOP_APPLICATIONS: usize = 20;

/// The fields whose most used values a part shows.
const TOP_FIELDS: [FacetField; 4] = [FacetField::Ip, FacetField::Host, FacetField::Application, FacetField::Endpoint];

/// Whether each UTC day is a part of its own or everything is taken together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ByDay {
    Yes,
    No,
}

/// The rows of a few sessions, collected once into a table of the connection's own and asked several times.
pub(crate) struct Rows<'a> {
    pub(crate) connection: &'a Connection,
}

/// The table's name.
pub(crate) const TABLE: &str = "temp.counted_rows";

impl<'a> Rows<'a> {
    /// Collects the rows of `source` that meet the condition.
    pub(crate) fn collect(
        connection: &'a Connection,
        source: &str,
        condition: &str,
        parameters: Parameters,
    ) -> Result<Self, duckdb::Error> {
        let sql = format!(
            "CREATE OR REPLACE TEMP TABLE counted_rows AS SELECT day, ts, duration_us, session_id, client_ip, host, \
             application, endpoint, method, status, outcome, \"user\", user_hashed, role, role_hashed, session_key, \
             session_key_kind, session_value, session_value_hashed, user_agent, {CLASS} AS class, \
             attack_count > 0 AS attacked, action = 'blocked' AS blocked FROM {source} WHERE {condition}"
        );
        connection.execute(&sql, params_from_iter(parameters.0))?;
        Ok(Self { connection })
    }

    /// The parts among the rows; with [`ByDay::No`] one per session, of its newest day.
    pub(crate) fn parts(
        &self,
        by_day: ByDay,
        thread_bins: u16,
    ) -> Result<BTreeMap<(Bytes16, UtcDay), SessionPart>, duckdb::Error> {
        let source = match by_day {
            ByDay::Yes => TABLE.to_owned(),
            ByDay::No => {
                format!("(SELECT * REPLACE (max(day) OVER (PARTITION BY session_id) AS day) FROM {TABLE})")
            }
        };
        let mut parts = self.counts(&source)?;
        self.add_most_used(&source, &mut parts)?;
        if thread_bins > 0 {
            self.add_threads(&source, thread_bins, &mut parts)?;
        }
        Ok(parts)
    }

    fn counts(&self, source: &str) -> Result<BTreeMap<(Bytes16, UtcDay), SessionPart>, duckdb::Error> {
        let sql = format!(
            "SELECT session_id, (day - DATE '1970-01-01')::INTEGER, epoch_us(min(ts)), epoch_us(max(ts)), count(*), \
             count(*) FILTER (WHERE attacked), count(*) FILTER (WHERE blocked), \
             count(*) FILTER (WHERE class = 3 OR class = 2), \
             count(DISTINCT client_ip), count(DISTINCT host), count(DISTINCT endpoint), \
             arg_max({{'value': \"user\", 'hashed': user_hashed}}, ts) FILTER (WHERE \"user\" <> ''), \
             arg_max({{'value': role, 'hashed': role_hashed}}, ts) FILTER (WHERE role <> ''), \
             arg_max({{'key': session_key, 'kind': session_key_kind, 'value': session_value, \
                       'hashed': session_value_hashed}}, ts), \
             arg_max(user_agent, ts) FILTER (WHERE user_agent IS NOT NULL) \
             FROM {source} GROUP BY session_id, day"
        );
        let mut statement = self.connection.prepare(&sql)?;
        let parts = statement.query_map([], |row| {
            let part = part(row)?;
            Ok(((row.get(0)?, part.day), part))
        })?;
        parts.collect()
    }

    fn add_most_used(
        &self,
        source: &str,
        parts: &mut BTreeMap<(Bytes16, UtcDay), SessionPart>,
    ) -> Result<(), duckdb::Error> {
        let columns: Vec<&str> = TOP_FIELDS.map(facet_column).to_vec();
        let sets: Vec<String> = columns.iter().map(|column| format!("(session_id, day, {column})")).collect();
        let list = columns.join(", ");
        // GROUPING has a bit per field, set where the field is not part of the set.
        let masks: Vec<u32> = (0..columns.len()).rev().map(|bit| 0b1111 ^ 1 << bit).collect();
        let shown: Vec<String> = TOP_FIELDS
            .iter()
            .zip(&masks)
            .map(|(field, mask)| format!("WHEN {mask} THEN {}", facet_text(*field)))
            .collect();
        let sql = format!(
            "WITH counted AS (\
               SELECT session_id, day, GROUPING({list}) AS field, {list}, count(*) AS exchanges FROM {source} \
               GROUP BY GROUPING SETS ({})), \
             named AS (\
               SELECT session_id, day, field, exchanges, CASE field {} END AS shown FROM counted) \
             SELECT session_id, (day - DATE '1970-01-01')::INTEGER, field, shown, exchanges FROM named \
             WHERE shown IS NOT NULL \
             QUALIFY row_number() OVER (PARTITION BY session_id, day, field ORDER BY exchanges DESC, shown) \
               <= {TOP_APPLICATIONS} \
             ORDER BY exchanges DESC, shown",
            sets.join(", "),
            shown.join(" "),
        );
        let mut statement = self.connection.prepare(&sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let Some(part) = parts.get_mut(&key(row)?) else { continue };
            let mask: u32 = row.get(2)?;
            let Some(field) = masks.iter().position(|other| *other == mask).map(|position| TOP_FIELDS[position]) else {
                continue;
            };
            let (counts, limit) = match field {
                FacetField::Ip => (&mut part.ips, TOP),
                FacetField::Host => (&mut part.hosts, TOP),
                FacetField::Application => (&mut part.applications, TOP_APPLICATIONS),
                _ => (&mut part.endpoints, TOP),
            };
            if counts.len() < limit {
                let value = Some(facet_value(field, row.get(3)?));
                counts.push(Count { value, exchanges: row.get(4)? });
            }
        }
        Ok(())
    }

    /// Divides each part's own time, from its first exchange to its last, into bins.
    fn add_threads(
        &self,
        source: &str,
        bins: u16,
        parts: &mut BTreeMap<(Bytes16, UtcDay), SessionPart>,
    ) -> Result<(), duckdb::Error> {
        for part in parts.values_mut() {
            let to = Timestamp::from_micros(part.last.micros() + 1);
            part.thread = Some(Thread { from: part.first, to, bins_total: bins, bins: Vec::new() });
        }
        let sql = format!(
            "WITH spans AS (\
               SELECT session_id, day, epoch_us(min(ts)) AS first, epoch_us(max(ts)) + 1 - epoch_us(min(ts)) AS span \
               FROM {source} GROUP BY session_id, day) \
             SELECT session_id, (day - DATE '1970-01-01')::INTEGER, \
               ((epoch_us(ts) - first)::HUGEINT * {bins} // span)::USMALLINT AS bin, {CLASS_COUNTS} \
             FROM {source} JOIN spans USING (session_id, day) GROUP BY session_id, day, bin ORDER BY bin"
        );
        let mut statement = self.connection.prepare(&sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            if let Some(thread) = parts.get_mut(&key(row)?).and_then(|part| part.thread.as_mut()) {
                thread.bins.push(bin(row, 2)?);
            }
        }
        Ok(())
    }
}

impl Drop for Rows<'_> {
    fn drop(&mut self) {
        // The next question replaces the table anyway; dropping it gives the memory back now.
        let _ = self.connection.execute_batch(&format!("DROP TABLE IF EXISTS {TABLE}"));
    }
}

/// A bin out of a row that has its index at `position` and [`CLASS_COUNTS`] after it.
pub(crate) fn bin(row: &Row<'_>, position: usize) -> Result<ThreadBin, duckdb::Error> {
    Ok(ThreadBin {
        index: row.get(position)?,
        ok: row.get(position + 1)?,
        redirect: row.get(position + 2)?,
        client_error: row.get(position + 3)?,
        server_error: row.get(position + 4)?,
        no_response: row.get(position + 5)?,
        attacks: row.get(position + 6)?,
        blocked: row.get(position + 7)?,
    })
}

fn key(row: &Row<'_>) -> Result<(Bytes16, UtcDay), duckdb::Error> {
    Ok((row.get(0)?, UtcDay::from_days(row.get(1)?)))
}

fn part(row: &Row<'_>) -> Result<SessionPart, duckdb::Error> {
    let (session, day) = key(row)?;
    let (user, role, deciding) = (fields(row.get(11)?), fields(row.get(12)?), fields(row.get(13)?));
    Ok(SessionPart {
        session_id: session.session(),
        day,
        first: Timestamp::from_micros(row.get(2)?),
        last: Timestamp::from_micros(row.get(3)?),
        requests: row.get(4)?,
        attacks: row.get(5)?,
        blocked: row.get(6)?,
        errors: row.get(7)?,
        ips: Vec::new(),
        ip_count: row.get(8)?,
        hosts: Vec::new(),
        host_count: row.get(9)?,
        applications: Vec::new(),
        user: text(&user, 0),
        user_hashed: flag(&user, 1),
        role: text(&role, 0),
        role_hashed: flag(&role, 1),
        endpoints: Vec::new(),
        endpoint_count: row.get(10)?,
        key: text(&deciding, 0).unwrap_or_default(),
        key_kind: text(&deciding, 1).unwrap_or_default(),
        key_value: text(&deciding, 2).unwrap_or_default(),
        key_value_hashed: flag(&deciding, 3),
        user_agent: row.get(14)?,
        thread: None,
    })
}

/// The fields of a struct in their order; none when no row had one.
fn fields(value: Value) -> Vec<Value> {
    match value {
        Value::Struct(fields) => fields.iter().map(|(_, value)| value.clone()).collect(),
        _ => Vec::new(),
    }
}

fn text(fields: &[Value], position: usize) -> Option<String> {
    match fields.get(position) {
        Some(Value::Text(text)) => Some(text.clone()),
        _ => None,
    }
}

fn flag(fields: &[Value], position: usize) -> bool {
    matches!(fields.get(position), Some(Value::Boolean(true)))
}
