//! Batches as bytes: the Arrow IPC streaming format with one schema message and one record batch.
//!
//! What is decoded may come from anybody who holds a node's token, so nothing is allocated by a length that stands in
//! the message, and nothing reaches Arrow's reader (which asserts rather than reports some lengths) before every
//! buffer has been checked against the known schema of the version named. The sender's own schema is compared, never
//! used.

use std::collections::HashMap;

use arrow::buffer::Buffer;
use arrow::datatypes::{DataType, Field, Schema};
use arrow::error::ArrowError;
use arrow::ipc::reader::read_record_batch;
use arrow::ipc::writer::StreamWriter;
use arrow::ipc::{self, MessageHeader};
use arrow::record_batch::RecordBatch;

use crate::schema::{VERSION_METADATA, schema_of};

/// The most bytes one encoded batch may have.
pub const MAXIMUM_IPC_BYTES: usize = 64 * 1024 * 1024;

/// The most rows one batch may have.
pub const MAXIMUM_ROWS: usize = 65_536;

/// The most elements all lists of one column may have together.
const MAXIMUM_ELEMENTS: i64 = 64 * MAXIMUM_ROWS as i64;

/// Bytes of one offset of a text or list column.
const OFFSET_BYTES: u64 = 4;

/// The marker before every message (Arrow columnar format, "Encapsulated message format").
const CONTINUATION: [u8; 4] = [0xff; 4];

/// Why bytes are not a batch of the `exchanges` table.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// More than [`MAXIMUM_IPC_BYTES`].
    #[error("the batch has {bytes} bytes; at most {MAXIMUM_IPC_BYTES} are accepted")]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// More than [`MAXIMUM_ROWS`].
    #[error("the batch has more than {MAXIMUM_ROWS} rows")]
    TooManyRows,
    /// Not the streaming format, or not one schema and one record batch.
    #[error("the batch is not an Arrow IPC stream of one schema and one record batch: {reason}")]
    Framing {
        /// Where it departs from the format.
        reason: &'static str,
    },
    /// The metadata names no version, or one this build does not know.
    #[error("the batch has no version of the exchanges table that is known here")]
    Version,
    /// The columns are not those of the version.
    #[error("the batch does not have the columns of its version: column {column}")]
    Columns {
        /// Position of the first column that differs, from 0.
        column: usize,
    },
    /// The values do not fit the columns.
    #[error("the batch's values are damaged")]
    Values(#[source] Option<ArrowError>),
}

/// Encodes a batch that [`RowBuilder`](crate::RowBuilder) made.
pub fn encode_ipc(batch: &RecordBatch) -> Vec<u8> {
    let bytes = batch.get_array_memory_size() + 16 * 1024;
    // Writing into memory fails for columns the format does not know only, and the schema has none.
    write(batch, Vec::with_capacity(bytes)).unwrap_or_else(|error| panic!("a batch could not be encoded: {error}"))
}

fn write(batch: &RecordBatch, bytes: Vec<u8>) -> Result<Vec<u8>, ArrowError> {
    let mut writer = StreamWriter::try_new(bytes, batch.schema_ref())?;
    writer.write(batch)?;
    writer.into_inner()
}

/// Decodes one batch of any known version.
///
/// # Errors
/// For anything that is not exactly one batch within the bounds. No error holds a value of the batch.
pub fn decode_ipc(bytes: &[u8]) -> Result<RecordBatch, DecodeError> {
    if bytes.len() > MAXIMUM_IPC_BYTES {
        return Err(DecodeError::TooLarge { bytes: bytes.len() });
    }
    let mut stream = Stream { rest: bytes };
    let (message, body) = stream.next()?.ok_or(framing("it is empty"))?;
    let wire_schema = message.header_as_schema().ok_or(framing("the first message is not a schema"))?;
    if !body.is_empty() {
        return Err(framing("the schema message has a body"));
    }
    let version = version_of(&wire_schema).ok_or(DecodeError::Version)?;
    let schema = schema_of(version).ok_or(DecodeError::Version)?;
    compare_columns(&wire_schema, &schema)?;

    let (message, body) = stream.next()?.ok_or(framing("there is no record batch"))?;
    if message.header_type() != MessageHeader::RecordBatch {
        return Err(framing("the second message is not a record batch"));
    }
    let header = message.header_as_record_batch().ok_or(framing("the record batch has no header"))?;
    check_layout(&header, &schema, body.len())?;
    let batch = read_record_batch(&Buffer::from(body), header, schema, &HashMap::new(), None, &message.version())
        .map_err(|error| DecodeError::Values(Some(error)))?;
    if stream.next()?.is_some() {
        return Err(framing("something follows the record batch"));
    }
    Ok(batch)
}

/// Checks that a batch made in this process has the columns of a known version and is within the bounds.
///
/// # Errors
/// As [`decode_ipc`].
pub fn check_schema(batch: &RecordBatch) -> Result<u32, DecodeError> {
    let given = batch.schema_ref();
    let version: u32 =
        given.metadata().get(VERSION_METADATA).and_then(|text| text.parse().ok()).ok_or(DecodeError::Version)?;
    let known = schema_of(version).ok_or(DecodeError::Version)?;
    let columns = given.fields().len().max(known.fields().len());
    let differs = |position: &usize| given.fields().get(*position) != known.fields().get(*position);
    if let Some(column) = (0..columns).find(differs) {
        return Err(DecodeError::Columns { column });
    }
    if batch.num_rows() > MAXIMUM_ROWS {
        return Err(DecodeError::TooManyRows);
    }
    Ok(version)
}

/// For fuzzing: decodes anything, and what decodes must encode and decode again to the same rows.
pub fn fuzz_decode_ipc(bytes: &[u8]) {
    if let Ok(batch) = decode_ipc(bytes) {
        let again = decode_ipc(&encode_ipc(&batch));
        assert!(again.is_ok_and(|again| again == batch), "a decoded batch must survive encoding");
    }
}

const fn framing(reason: &'static str) -> DecodeError {
    DecodeError::Framing { reason }
}

/// The messages of a stream, one after the other.
struct Stream<'a> {
    rest: &'a [u8],
}

impl<'a> Stream<'a> {
    /// The next message and its body; `None` at the end, marked or not.
    fn next(&mut self) -> Result<Option<(ipc::Message<'a>, &'a [u8])>, DecodeError> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let (marker, length) = (self.take(4)?, self.take(4)?);
        if marker != CONTINUATION {
            return Err(framing("a message does not start with the continuation marker"));
        }
        let length = length.iter().rev().fold(0, |length, byte| length << 8 | usize::from(*byte));
        if length == 0 {
            return if self.rest.is_empty() { Ok(None) } else { Err(framing("something follows the end")) };
        }
        let header = self.take(length)?;
        let message = ipc::root_as_message(header).map_err(|_| framing("a message's header is damaged"))?;
        let body = usize::try_from(message.bodyLength()).map_err(|_| framing("a body has a negative length"))?;
        Ok(Some((message, self.take(body)?)))
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], DecodeError> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(framing("it ends within a message"))?;
        self.rest = rest;
        Ok(taken)
    }
}

fn version_of(schema: &ipc::Schema<'_>) -> Option<u32> {
    let entries = schema.custom_metadata()?;
    let entry = entries.iter().find(|entry| entry.key() == Some(VERSION_METADATA))?;
    entry.value()?.parse().ok()
}

fn compare_columns(wire: &ipc::Schema<'_>, schema: &Schema) -> Result<(), DecodeError> {
    let fields = wire.fields().ok_or(framing("the schema has no fields"))?;
    let known = schema.fields();
    let differs = |column: usize| match known.get(column) {
        Some(known) if column < fields.len() => !same_field(&fields.get(column), known),
        _ => true,
    };
    match (0..fields.len().max(known.len())).find(|column| differs(*column)) {
        Some(column) => Err(DecodeError::Columns { column }),
        None => Ok(()),
    }
}

/// Whether a field on the wire has the name and the kind of a known one, children included. Widths are not compared:
/// a wrong one cannot pass the check of the buffers and Arrow's own.
fn same_field(wire: &ipc::Field<'_>, known: &Field) -> bool {
    let kind = match known.data_type() {
        DataType::Utf8 => ipc::Type::Utf8,
        DataType::Boolean => ipc::Type::Bool,
        DataType::UInt16 | DataType::UInt32 | DataType::UInt64 => ipc::Type::Int,
        DataType::Timestamp(..) => ipc::Type::Timestamp,
        DataType::FixedSizeBinary(_) => ipc::Type::FixedSizeBinary,
        DataType::List(_) => ipc::Type::List,
        DataType::Struct(_) => ipc::Type::Struct_,
        _ => return false,
    };
    let known_children = children(known);
    let wire_children = wire.children();
    wire.name() == Some(known.name())
        && wire.type_type() == kind
        && wire.dictionary().is_none()
        && wire_children.map_or(0, |children| children.len()) == known_children.len()
        && wire_children
            .is_none_or(|children| children.iter().zip(known_children).all(|(wire, known)| same_field(&wire, known)))
}

fn children(field: &Field) -> Vec<&Field> {
    match field.data_type() {
        DataType::List(element) => vec![element.as_ref()],
        DataType::Struct(fields) => fields.iter().map(AsRef::as_ref).collect(),
        _ => Vec::new(),
    }
}

/// Checks counts, lengths and positions of all buffers, so that Arrow's reader has nothing left to assert.
fn check_layout(header: &ipc::RecordBatch<'_>, schema: &Schema, body: usize) -> Result<(), DecodeError> {
    if header.compression().is_some() {
        return Err(framing("the record batch is compressed"));
    }
    let rows = usize::try_from(header.length()).map_err(|_| DecodeError::Values(None))?;
    if rows > MAXIMUM_ROWS {
        return Err(DecodeError::TooManyRows);
    }
    let (Some(nodes), Some(buffers)) = (header.nodes(), header.buffers()) else {
        return Err(DecodeError::Values(None));
    };
    let mut layout = Layout { nodes: nodes.iter(), buffers: buffers.iter(), body: body as u64 };
    for field in schema.fields() {
        if layout.field(field).map(i64::unsigned_abs) != Some(rows as u64) {
            return Err(DecodeError::Values(None));
        }
    }
    if layout.nodes.next().is_some() || layout.buffers.next().is_some() {
        return Err(DecodeError::Values(None));
    }
    Ok(())
}

/// Walks the nodes and buffers of a record batch in the order of its fields.
struct Layout<Nodes, Buffers> {
    nodes: Nodes,
    buffers: Buffers,
    body: u64,
}

impl<'a, Nodes, Buffers> Layout<Nodes, Buffers>
where
    Nodes: Iterator<Item = &'a ipc::FieldNode>,
    Buffers: Iterator<Item = &'a ipc::Buffer>,
{
    /// Checks one field with its children and gives its length; `None` when something is out of bounds.
    fn field(&mut self, field: &Field) -> Option<i64> {
        let node = self.nodes.next()?;
        let (length, nulls) = (node.length(), node.null_count());
        if !(0..=MAXIMUM_ELEMENTS).contains(&length) || !(0..=length).contains(&nulls) {
            return None;
        }
        if nulls > 0 && !field.is_nullable() {
            return None;
        }
        let bits = (length as u64).div_ceil(8);
        let validity = self.buffer(1)?;
        if nulls > 0 && validity < bits {
            return None;
        }
        // Arrow checks that offsets and values are as many as the length says, but asserts that they are whole.
        match field.data_type() {
            DataType::Utf8 => {
                self.buffer(OFFSET_BYTES)?;
                self.buffer(1)?;
            }
            DataType::List(element) => {
                self.buffer(OFFSET_BYTES)?;
                self.field(element)?;
            }
            DataType::Struct(fields) => {
                for child in fields {
                    if self.field(child)? != length {
                        return None;
                    }
                }
            }
            DataType::Boolean => {
                if self.buffer(1)? < bits {
                    return None;
                }
            }
            other => {
                self.buffer(other.primitive_width().unwrap_or(1) as u64)?;
            }
        }
        Some(length)
    }

    /// The next buffer's length, when it lies within the body and holds whole elements of `width` bytes.
    fn buffer(&mut self, width: u64) -> Option<u64> {
        let buffer = self.buffers.next()?;
        let (offset, length) = (u64::try_from(buffer.offset()).ok()?, u64::try_from(buffer.length()).ok()?);
        (length % width == 0 && offset.checked_add(length)? <= self.body).then_some(length)
    }
}
