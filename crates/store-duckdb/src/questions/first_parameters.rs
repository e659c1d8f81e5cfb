//! What another order of keys would have decided: exchanges by the first of some parameters that they carry.

use duckdb::{Connection, params_from_iter};
use threadline_store::{Filters, FirstParameterCount, TimeRange};

use crate::files::Lease;
use crate::packed;
use crate::sql::{Parameters, condition, rows_of};

pub(crate) fn answer(
    connection: &Connection,
    leases: &[Lease],
    range: TimeRange,
    policy_version: u64,
    order: &[String],
) -> Result<Vec<FirstParameterCount>, duckdb::Error> {
    if leases.is_empty() || range.to <= range.from {
        return Ok(Vec::new());
    }
    let mut parameters = Parameters::default();
    let rows = rows_of(leases);
    let condition = condition(range, &Filters::default(), &mut parameters);
    let mut first = String::from("CASE");
    for (place, name) in order.iter().enumerate() {
        let beginning = parameters.text(packed::beginning(name));
        first.push_str(&format!(" WHEN contains(params, {beginning}) THEN {place}"));
    }
    // An expression without any case is none.
    first.push_str(" WHEN false THEN 0 END::USMALLINT");
    let sql = format!(
        "SELECT {first} AS first, session_key, session_key_kind, count(*) FROM {rows} \
         WHERE {condition} AND policy_version = {policy_version} GROUP BY ALL"
    );
    let mut statement = connection.prepare(&sql)?;
    let mut rows = statement.query(params_from_iter(parameters.0))?;
    let mut counts = Vec::new();
    while let Some(row) = rows.next()? {
        counts.push(FirstParameterCount {
            first: row.get(0)?,
            key: row.get(1)?,
            kind: row.get(2)?,
            exchanges: row.get(3)?,
        });
    }
    counts.sort_unstable();
    Ok(counts)
}
