//! Counts of the values of several fields, in one pass over the rows.

use duckdb::{Connection, params_from_iter};
use threadline_store::{Count, FacetField, Filters, TimeRange};

use crate::files::Lease;
use crate::questions::{facet_column, facet_text, facet_value};
use crate::sql::{Parameters, condition_of_sessions, rows_of};

pub(crate) fn answer(
    connection: &Connection,
    leases: &[Lease],
    range: TimeRange,
    filters: &Filters,
    fields: &[FacetField],
    limit: u32,
) -> Result<Vec<(FacetField, Vec<Count>)>, duckdb::Error> {
    let mut distinct: Vec<FacetField> = Vec::new();
    for field in fields {
        if !distinct.contains(field) {
            distinct.push(*field);
        }
    }
    let mut counts: Vec<(FacetField, Vec<Count>)> = distinct.iter().map(|field| (*field, Vec::new())).collect();
    if leases.is_empty() || distinct.is_empty() {
        return Ok(counts);
    }
    let mut parameters = Parameters::default();
    let rows = rows_of(leases);
    let condition = condition_of_sessions(&rows, range, filters, &mut parameters);
    let sql = statement(&format!("{rows} WHERE {condition}"), &distinct, limit);
    read(connection, &sql, parameters, &mut counts)?;
    Ok(counts)
}

/// The same over rows of one session.
pub(crate) fn of_one_session(
    connection: &Connection,
    table: &str,
    fields: &[FacetField],
    limit: u32,
) -> Result<Vec<(FacetField, Vec<Count>)>, duckdb::Error> {
    let mut counts: Vec<(FacetField, Vec<Count>)> = fields.iter().map(|field| (*field, Vec::new())).collect();
    let sql = statement(table, fields, limit);
    read(connection, &sql, Parameters::default(), &mut counts)?;
    Ok(counts)
}

/// Columns: position of the field, value, exchanges. Most exchanges first.
fn statement(source: &str, fields: &[FacetField], limit: u32) -> String {
    let columns: Vec<&str> = fields.iter().map(|field| facet_column(*field)).collect();
    let sets = columns.iter().map(|column| format!("({column})")).collect::<Vec<_>>().join(", ");
    let list = columns.join(", ");
    // GROUPING has a bit per field, set where the field is not part of the set; the field is the one bit not set.
    let position: Vec<String> = (0..columns.len())
        .map(|position| {
            let bit = 1_u64 << (columns.len() - 1 - position);
            let mask = ((1_u64 << columns.len()) - 1) ^ bit;
            format!("WHEN {mask} THEN {position}")
        })
        .collect();
    let shown: Vec<String> = fields.iter().map(|field| facet_text(*field)).collect();
    format!(
        "WITH counted AS (\
           SELECT {list}, GROUPING({list}) AS field, count(*) AS exchanges FROM {source} \
           GROUP BY GROUPING SETS ({sets})) \
         SELECT CASE field {} END AS position, coalesce({}, NULL) AS shown, exchanges FROM counted \
         QUALIFY row_number() OVER (PARTITION BY field ORDER BY exchanges DESC, shown NULLS LAST) <= {limit} \
         ORDER BY position, exchanges DESC, shown NULLS LAST",
        position.join(" "),
        shown.join(", "),
    )
}

fn read(
    connection: &Connection,
    sql: &str,
    parameters: Parameters,
    counts: &mut [(FacetField, Vec<Count>)],
) -> Result<(), duckdb::Error> {
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query(params_from_iter(parameters.0))?;
    while let Some(row) = rows.next()? {
        if let Some((field, counts)) = counts.get_mut(row.get::<_, usize>(0)?) {
            let value = row.get::<_, Option<String>>(1)?.map(|value| facet_value(*field, value));
            counts.push(Count { value, exchanges: row.get(2)? });
        }
    }
    Ok(())
}
