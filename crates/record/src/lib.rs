//! The `exchanges` table: what one exported exchange is, its Arrow schema and versions, encoding and decoding.
//!
//! No engine, no query and no captured value is known here: a [`Row`] holds only what may leave the node.

mod builder;
mod fields;
mod ipc;
mod ledger;
mod lists;
mod row;
mod sampled;
mod schema;

pub use builder::{RowBuilder, address_bytes, address_from_bytes};
pub use fields::{COLUMN_WORDS, ColumnWords, FieldGroup, FieldOrigin, NEVER_LEAVES};
pub use ipc::{DecodeError, MAXIMUM_IPC_BYTES, MAXIMUM_ROWS, check_schema, decode_ipc, encode_ipc, fuzz_decode_ipc};
pub use ledger::{
    ExportField, ExportForm, LEDGER_GROUPS, LEDGER_NAME_BYTES, LEDGER_PARAMETERS, Ledger, LedgerEntry, Tally,
};
pub use row::{MessageSide, ParameterRow, ParseErrorRow, Row, SessionKeyKind, ValueOrigin};
pub use sampled::{Sampled, sample, shape};
pub use schema::{SCHEMA_VERSION, VERSION_METADATA, schema, schema_of};
