//! Collects rows into columns. It is on every exchange's way, so it holds one typed builder per column and allocates
//! only when a column grows beyond any batch before.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanBuilder, FixedSizeBinaryBuilder, StringArray, StringBuilder, TimestampMicrosecondBuilder,
    UInt16Builder, UInt32Array, UInt64Builder, new_null_array,
};
use arrow::array::{ListArray, StructArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::DataType;
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;

use crate::lists::{ParameterList, ParseErrorList};
use crate::row::{ParameterRow, Row, SessionKeyKind};
use crate::schema::{self, schema};

/// Builds record batches of the current schema version out of [`Row`]s. Reusable: [`RowBuilder::finish`] empties it.
///
/// ```
/// let mut builder = threadline_record::RowBuilder::with_capacity(8_192);
/// assert_eq!(builder.finish().num_rows(), 0);
/// ```
#[derive(Debug)]
pub struct RowBuilder {
    rows: usize,
    bytes: usize,
    ts: TimestampMicrosecondBuilder,
    exchange_id: FixedSizeBinaryBuilder,
    node: StringBuilder,
    source: StringBuilder,
    policy_version: UInt64Builder,
    application: StringBuilder,
    host: StringBuilder,
    scheme: StringBuilder,
    proto: StringBuilder,
    method: StringBuilder,
    path: StringBuilder,
    query: StringBuilder,
    endpoint: StringBuilder,
    protocol: StringBuilder,
    operation: StringBuilder,
    status: UInt16Builder,
    outcome: StringBuilder,
    duration_us: UInt64Builder,
    upstream_us: UInt64Builder,
    request_bytes: UInt64Builder,
    response_bytes: UInt64Builder,
    client_ip: FixedSizeBinaryBuilder,
    user_agent: StringBuilder,
    ja3: StringBuilder,
    ja4: StringBuilder,
    session_id: FixedSizeBinaryBuilder,
    session_key: StringBuilder,
    session_key_kind: StringBuilder,
    session_value: StringBuilder,
    session_value_hashed: BooleanBuilder,
    session_value_origin: StringBuilder,
    session_trace: StringBuilder,
    session_uncertain: BooleanBuilder,
    request_session_id: FixedSizeBinaryBuilder,
    request_session_key_kind: StringBuilder,
    trace_id: FixedSizeBinaryBuilder,
    user: StringBuilder,
    user_hashed: BooleanBuilder,
    role: StringBuilder,
    role_hashed: BooleanBuilder,
    params: ParameterList,
    parse_errors: ParseErrorList,
}

impl Default for RowBuilder {
    fn default() -> Self {
        Self::new()
    }
}

impl RowBuilder {
    /// An empty builder.
    pub fn new() -> Self {
        Self::with_capacity(0)
    }

    /// An empty builder with room for `rows` rows of typical size.
    pub fn with_capacity(rows: usize) -> Self {
        let text = |bytes_each: usize| StringBuilder::with_capacity(rows, rows * bytes_each);
        let identity = || FixedSizeBinaryBuilder::with_capacity(rows, schema::IDENTITY_BYTES);
        let number = || UInt64Builder::with_capacity(rows);
        let flag = || BooleanBuilder::with_capacity(rows);
        Self {
            rows: 0,
            bytes: 0,
            ts: TimestampMicrosecondBuilder::with_capacity(rows),
            exchange_id: identity(),
            node: text(16),
            source: text(8),
            policy_version: number(),
            application: text(16),
            host: text(24),
            scheme: text(8),
            proto: text(8),
            method: text(8),
            path: text(48),
            query: text(32),
            endpoint: text(64),
            protocol: text(8),
            operation: text(8),
            status: UInt16Builder::with_capacity(rows),
            outcome: text(16),
            duration_us: number(),
            upstream_us: number(),
            request_bytes: number(),
            response_bytes: number(),
            client_ip: identity(),
            user_agent: text(128),
            ja3: text(32),
            ja4: text(40),
            session_id: identity(),
            session_key: text(16),
            session_key_kind: text(16),
            session_value: text(32),
            session_value_hashed: flag(),
            session_value_origin: text(16),
            session_trace: text(8),
            session_uncertain: flag(),
            request_session_id: identity(),
            request_session_key_kind: text(8),
            trace_id: identity(),
            user: text(32),
            user_hashed: flag(),
            role: text(16),
            role_hashed: flag(),
            params: ParameterList::default(),
            parse_errors: ParseErrorList::default(),
        }
    }

    /// Rows appended since the last [`RowBuilder::finish`].
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// About how many bytes the rows so far take. Whoever ships batches closes one well before
    /// [`MAXIMUM_IPC_BYTES`](crate::MAXIMUM_IPC_BYTES), for a larger one is refused.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Appends one row. A `trace_id` that is not 32 hexadecimal digits is left out.
    pub fn append(&mut self, row: &Row<'_>) {
        self.rows += 1;
        self.bytes += size_estimate(row);
        self.ts.append_value(row.ts.micros());
        append_identity(&mut self.exchange_id, Some(row.exchange_id.as_bytes()));
        self.node.append_value(row.node);
        self.source.append_value(row.source);
        self.policy_version.append_value(row.policy_version);
        self.application.append_value(row.application);
        self.host.append_option(row.host);
        self.scheme.append_option(row.scheme);
        self.proto.append_option(row.proto);
        self.method.append_value(row.method);
        self.path.append_value(row.path);
        self.query.append_option(row.query);
        self.endpoint.append_value(row.endpoint);
        self.protocol.append_value(row.protocol);
        self.operation.append_option(row.operation);
        self.status.append_option(row.status);
        self.outcome.append_value(row.outcome);
        self.duration_us.append_option(row.duration_us);
        self.upstream_us.append_option(row.upstream_us);
        self.request_bytes.append_value(row.request_bytes);
        self.response_bytes.append_value(row.response_bytes);
        append_identity(&mut self.client_ip, row.client_ip.map(address_bytes).as_ref());
        self.user_agent.append_option(row.user_agent);
        self.ja3.append_option(row.ja3);
        self.ja4.append_option(row.ja4);
        append_identity(&mut self.session_id, Some(row.session_id.as_bytes()));
        self.session_key.append_value(row.session_key);
        self.session_key_kind.append_value(row.session_key_kind.as_str());
        self.session_value.append_value(row.session_value);
        self.session_value_hashed.append_value(row.session_value_hashed);
        self.session_value_origin.append_value(row.session_value_origin.as_str());
        self.session_trace.append_value(row.session_trace);
        self.session_uncertain.append_value(row.session_uncertain);
        append_identity(&mut self.request_session_id, row.request_session_id.as_ref().map(|id| id.as_bytes()));
        self.request_session_key_kind.append_option(row.request_session_key_kind.map(SessionKeyKind::as_str));
        append_identity(&mut self.trace_id, row.trace_id.and_then(trace_id_bytes).as_ref());
        self.user.append_option(row.user);
        self.user_hashed.append_value(is_hashed(row.user, row.params));
        self.role.append_option(row.role);
        self.role_hashed.append_value(is_hashed(row.role, row.params));
        self.params.append(row.params);
        self.parse_errors.append(row.parse_errors);
    }

    /// The rows so far as one batch; the builder is empty afterwards.
    pub fn finish(&mut self) -> RecordBatch {
        // The builders above are the schema's columns by construction; a disagreement is a defect of this file that
        // its tests would show, and an empty batch would hide it.
        self.try_finish().unwrap_or_else(|error| panic!("the row builder disagrees with its schema: {error}"))
    }

    fn try_finish(&mut self) -> Result<RecordBatch, ArrowError> {
        let rows = std::mem::take(&mut self.rows);
        self.bytes = 0;
        let none = || new_null_array(&DataType::Utf8, rows);
        let action = StringArray::from_iter_values(std::iter::repeat_n("none", rows));
        let columns: Vec<ArrayRef> = vec![
            Arc::new(self.ts.finish().with_timezone("UTC")),
            Arc::new(self.exchange_id.finish()),
            Arc::new(self.node.finish()),
            Arc::new(self.source.finish()),
            Arc::new(self.policy_version.finish()),
            Arc::new(self.application.finish()),
            Arc::new(self.host.finish()),
            Arc::new(self.scheme.finish()),
            Arc::new(self.proto.finish()),
            Arc::new(self.method.finish()),
            Arc::new(self.path.finish()),
            Arc::new(self.query.finish()),
            Arc::new(self.endpoint.finish()),
            Arc::new(self.protocol.finish()),
            Arc::new(self.operation.finish()),
            Arc::new(self.status.finish()),
            Arc::new(self.outcome.finish()),
            Arc::new(self.duration_us.finish()),
            Arc::new(self.upstream_us.finish()),
            Arc::new(self.request_bytes.finish()),
            Arc::new(self.response_bytes.finish()),
            Arc::new(self.client_ip.finish()),
            Arc::new(self.user_agent.finish()),
            Arc::new(self.ja3.finish()),
            Arc::new(self.ja4.finish()),
            none(), // country
            none(), // source_tag
            Arc::new(self.session_id.finish()),
            Arc::new(self.session_key.finish()),
            Arc::new(self.session_key_kind.finish()),
            Arc::new(self.session_value.finish()),
            Arc::new(self.session_value_hashed.finish()),
            Arc::new(self.session_value_origin.finish()),
            Arc::new(self.session_trace.finish()),
            Arc::new(self.session_uncertain.finish()),
            Arc::new(self.request_session_id.finish()),
            Arc::new(self.request_session_key_kind.finish()),
            Arc::new(self.trace_id.finish()),
            Arc::new(self.user.finish()),
            Arc::new(self.user_hashed.finish()),
            Arc::new(self.role.finish()),
            Arc::new(self.role_hashed.finish()),
            self.params.finish()?,
            empty_lists(rows, Arc::new(StructArray::new_null(schema::attack_fields(), 0)))?,
            Arc::new(action),
            none(), // action_reason
            empty_lists(rows, Arc::new(StringArray::new_null(0)))?,
            self.parse_errors.finish()?,
            Arc::new(UInt32Array::from_value(0, rows)), // shed
        ];
        RecordBatch::try_new(schema(), columns)
    }
}

/// The 16 bytes of an address as the column `client_ip` holds them; IPv4 is mapped into IPv6.
pub fn address_bytes(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
        IpAddr::V6(address) => address.octets(),
    }
}

/// The address that [`address_bytes`] made the bytes of; a mapped IPv6 address comes back as IPv4.
pub fn address_from_bytes(bytes: [u8; 16]) -> IpAddr {
    Ipv6Addr::from(bytes).to_canonical()
}

/// Bytes of the columns of fixed size and the short texts of one row, rounded up.
const FIXED_BYTES: usize = 512;

fn size_estimate(row: &Row<'_>) -> usize {
    let long_texts = [
        Some(row.path),
        row.query,
        Some(row.endpoint),
        row.user_agent,
        row.host,
        row.operation,
        Some(row.session_value),
        row.user,
        row.role,
    ];
    let parameters = row.params.iter().map(|parameter| parameter.name.len() + parameter.value.len() + 24);
    let errors = row.parse_errors.iter().map(|error| error.part.len() + error.reason.len() + 24);
    FIXED_BYTES + long_texts.into_iter().flatten().map(str::len).chain(parameters).chain(errors).sum::<usize>()
}

fn append_identity(builder: &mut FixedSizeBinaryBuilder, bytes: Option<&[u8; 16]>) {
    match bytes {
        // Fails for another length than the builder's only, and the type says 16.
        Some(bytes) => drop(builder.append_value(bytes)),
        None => builder.append_null(),
    }
}

fn trace_id_bytes(text: &str) -> Option<[u8; 16]> {
    if text.len() != 32 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    u128::from_str_radix(text, 16).ok().map(u128::to_be_bytes)
}

/// The user and the role are parameters, and whether they are hashed is written there.
fn is_hashed(value: Option<&str>, parameters: &[ParameterRow<'_>]) -> bool {
    value.is_some_and(|value| parameters.iter().any(|parameter| parameter.hashed && parameter.value == value))
}

fn empty_lists(rows: usize, elements: ArrayRef) -> Result<ArrayRef, ArrowError> {
    let offsets = OffsetBuffer::new_zeroed(rows);
    Ok(Arc::new(ListArray::try_new(schema::element(elements.data_type().clone()), offsets, elements, None)?))
}
