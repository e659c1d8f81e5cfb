//! The tables of one file, and a batch in the form in which they hold it.
//!
//! `exchanges` has the columns of `threadline_record`'s schema in its order (lists as texts, see [`packed`];
//! addresses as BLOB, whose repeated values the engine reads fifty times faster than those of UUID) and three of the
//! store's own: `ingested_at`, which never repeats nor runs backwards and so orders what became visible when; `batch`,
//! the number of the row's batch in `batches`; and `attack_count`. The day is not a column: the file is the day.
//! `batches` says which batches the file has, the one row of `about` the file's form and how many of its rows were
//! there when it was last rewritten in order.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BooleanArray, TimestampMicrosecondArray, UInt16Array, UInt32Array};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{DataType, Field, Schema, TimeUnit, TimestampMicrosecondType};
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;
use threadline_model::{Timestamp, UtcDay};

use crate::packed;

/// The number of the form below. A file of another form is refused by name, not misread.
pub(crate) const FORM: u32 = 1;

/// Creates the tables of a new file. `{}` is the file's name within the engine.
pub(crate) const CREATE: &str = "
CREATE TABLE {}.exchanges (
    ts TIMESTAMP NOT NULL,
    exchange_id UUID NOT NULL,
    node VARCHAR NOT NULL,
    source VARCHAR NOT NULL,
    policy_version UBIGINT NOT NULL,
    application VARCHAR NOT NULL,
    host VARCHAR,
    scheme VARCHAR,
    proto VARCHAR,
    method VARCHAR NOT NULL,
    path VARCHAR NOT NULL,
    query VARCHAR,
    endpoint VARCHAR NOT NULL,
    protocol VARCHAR NOT NULL,
    operation VARCHAR,
    status USMALLINT,
    outcome VARCHAR NOT NULL,
    duration_us UBIGINT,
    upstream_us UBIGINT,
    request_bytes UBIGINT NOT NULL,
    response_bytes UBIGINT NOT NULL,
    client_ip BLOB,
    user_agent VARCHAR,
    ja3 VARCHAR,
    ja4 VARCHAR,
    country VARCHAR,
    source_tag VARCHAR,
    session_id UUID NOT NULL,
    session_key VARCHAR NOT NULL,
    session_key_kind VARCHAR NOT NULL,
    session_value VARCHAR NOT NULL,
    session_value_hashed BOOLEAN NOT NULL,
    session_value_origin VARCHAR NOT NULL,
    session_trace VARCHAR NOT NULL,
    session_uncertain BOOLEAN NOT NULL,
    request_session_id UUID,
    request_session_key_kind VARCHAR,
    trace_id UUID,
    \"user\" VARCHAR,
    user_hashed BOOLEAN NOT NULL,
    role VARCHAR,
    role_hashed BOOLEAN NOT NULL,
    params VARCHAR,
    attacks VARCHAR,
    action VARCHAR NOT NULL,
    action_reason VARCHAR,
    flows VARCHAR,
    parse_errors VARCHAR,
    shed UINTEGER NOT NULL,
    ingested_at TIMESTAMP NOT NULL,
    batch UINTEGER NOT NULL,
    attack_count USMALLINT NOT NULL
);
CREATE TABLE {}.batches (
    number UINTEGER NOT NULL,
    batch_id UUID NOT NULL,
    rows UINTEGER NOT NULL
);
CREATE TABLE {}.about (
    form UINTEGER NOT NULL,
    sorted UBIGINT NOT NULL
);";

/// The rows of a batch by UTC day. A batch within one day, which is nearly every batch, is not copied.
pub(crate) fn split_by_day(rows: &RecordBatch) -> Result<Vec<(UtcDay, RecordBatch)>, ArrowError> {
    let starts = starts(rows)?;
    let mut days: BTreeMap<UtcDay, usize> = BTreeMap::new();
    for start in starts.values() {
        *days.entry(Timestamp::from_micros(*start).day()).or_default() += 1;
    }
    if days.len() < 2 {
        return Ok(days.into_keys().map(|day| (day, rows.clone())).collect());
    }
    days.into_keys()
        .map(|day| {
            let of_day = |start: &i64| Some(Timestamp::from_micros(*start).day() == day);
            let of_day: BooleanArray = starts.values().iter().map(of_day).collect();
            Ok((day, filter_record_batch(rows, &of_day)?))
        })
        .collect()
}

/// The starts of the exchanges of a batch.
pub(crate) fn starts(rows: &RecordBatch) -> Result<&TimestampMicrosecondArray, ArrowError> {
    column(rows, "ts")?
        .as_primitive_opt::<TimestampMicrosecondType>()
        .ok_or_else(|| ArrowError::SchemaError("ts is not a timestamp".to_owned()))
}

/// A column by name.
pub(crate) fn column<'a>(rows: &'a RecordBatch, name: &str) -> Result<&'a ArrayRef, ArrowError> {
    rows.column_by_name(name).ok_or_else(|| ArrowError::SchemaError(format!("there is no column {name}")))
}

/// The rows as the table `exchanges` holds them.
pub(crate) fn stored(rows: &RecordBatch, ingested_at: Timestamp, batch: u32) -> Result<RecordBatch, ArrowError> {
    let count = rows.num_rows();
    let attacks = column(rows, "attacks")?
        .as_list_opt::<i32>()
        .ok_or_else(|| ArrowError::SchemaError("attacks is not a list".to_owned()))?;
    let attack_count: UInt16Array =
        attacks.offsets().lengths().map(|length| u16::try_from(length).unwrap_or(u16::MAX)).collect();

    // The engine's time zone support is an extension; UTC without a zone needs none.
    let plain_time = DataType::Timestamp(TimeUnit::Microsecond, None);
    let mut fields: Vec<Arc<Field>> = rows.schema_ref().fields().iter().cloned().collect();
    let mut columns = rows.columns().to_vec();
    let position = rows.schema_ref().index_of("ts")?;
    fields[position] = Arc::new(Field::new("ts", plain_time.clone(), false));
    columns[position] = Arc::new(starts(rows)?.clone().with_timezone_opt(None::<Arc<str>>));
    for (field, column) in fields.iter_mut().zip(&mut columns) {
        if matches!(field.data_type(), DataType::List(_)) {
            *column = Arc::new(packed::pack(field.name(), rows)?);
            *field = Arc::new(Field::new(field.name(), DataType::Utf8, true));
        }
    }

    fields.push(Arc::new(Field::new("ingested_at", plain_time, false)));
    columns.push(Arc::new(TimestampMicrosecondArray::from_value(ingested_at.micros(), count)));
    fields.push(Arc::new(Field::new("batch", DataType::UInt32, false)));
    columns.push(Arc::new(UInt32Array::from_value(batch, count)));
    fields.push(Arc::new(Field::new("attack_count", DataType::UInt16, false)));
    columns.push(Arc::new(attack_count));
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
}
