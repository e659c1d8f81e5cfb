//! The import lane stores an exchange once, however often its file is imported. Which exchanges are there already is
//! asked before the transaction, because the question needs a table of its own and the engine writes one database per
//! transaction; nobody else writes in between.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{Array, AsArray, BooleanArray, FixedSizeBinaryArray};
use arrow::compute::filter_record_batch;
use arrow::datatypes::Schema;
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;
use duckdb::Connection;
use threadline_model::Timestamp;

use crate::files::Files;
use crate::sql::time;
use crate::table;
use crate::writer::WriteError;

/// Each batch without the exchanges that the lane has, or that a row before it in these batches is.
pub(crate) fn unknown_exchanges(
    connection: &Connection,
    files: &Files,
    batches: &[&RecordBatch],
) -> Result<Vec<RecordBatch>, WriteError> {
    let mut seen = stored_exchanges(connection, files, batches)?;
    let mut unknown = Vec::with_capacity(batches.len());
    for rows in batches {
        let ids = identities(rows)?;
        let fresh: BooleanArray = (0..ids.len()).map(|row| Some(seen.insert(ids.value(row).to_vec()))).collect();
        unknown.push(filter_record_batch(rows, &fresh)?);
    }
    Ok(unknown)
}

/// The identities among those of the batches that the lane's files hold.
fn stored_exchanges(
    connection: &Connection,
    files: &Files,
    batches: &[&RecordBatch],
) -> Result<HashSet<Vec<u8>>, WriteError> {
    let mut span: Option<(i64, i64)> = None;
    for rows in batches {
        for start in table::starts(rows)?.values() {
            span = Some(span.map_or((*start, *start), |(first, last)| (first.min(*start), last.max(*start))));
        }
    }
    let Some((first, last)) = span else { return Ok(HashSet::new()) };
    let overlapping: Vec<String> = files
        .all()
        .into_iter()
        .filter(|file| !file.key.live)
        .filter(|file| {
            file.extent().span.is_some_and(|(oldest, newest)| oldest.micros() <= last && newest.micros() >= first)
        })
        .map(|file| file.alias.clone())
        .collect();
    if overlapping.is_empty() {
        return Ok(HashSet::new());
    }

    connection.execute_batch("CREATE OR REPLACE TEMP TABLE candidate (exchange_id UUID NOT NULL)")?;
    let mut appender = connection.appender_to_catalog_and_db("candidate", "temp", "main")?;
    for rows in batches {
        let position = rows.schema_ref().index_of("exchange_id")?;
        let field = Arc::clone(&rows.schema_ref().fields()[position]);
        let schema = Arc::new(Schema::new(vec![field]));
        appender.append_record_batch(RecordBatch::try_new(schema, vec![Arc::clone(rows.column(position))])?)?;
    }
    appender.flush()?;
    drop(appender);

    let mut known = HashSet::new();
    for alias in overlapping {
        let [first, last] = [first, last].map(|moment| time(Timestamp::from_micros(moment)));
        let sql = format!(
            "SELECT exchange_id::VARCHAR FROM {alias}.exchanges \
             WHERE ts BETWEEN {first} AND {last} AND exchange_id IN (SELECT exchange_id FROM temp.candidate)"
        );
        let mut statement = connection.prepare(&sql)?;
        let ids = statement.query_map([], |row| row.get::<_, String>(0))?;
        for id in ids {
            let id = uuid::Uuid::try_parse(&id?).map_err(|_| WriteError::Identity)?;
            known.insert(id.as_bytes().to_vec());
        }
    }
    connection.execute_batch("DROP TABLE temp.candidate")?;
    Ok(known)
}

fn identities(rows: &RecordBatch) -> Result<&FixedSizeBinaryArray, ArrowError> {
    table::column(rows, "exchange_id")?
        .as_fixed_size_binary_opt()
        .ok_or_else(|| ArrowError::SchemaError("exchange_id is not an identity".to_owned()))
}
