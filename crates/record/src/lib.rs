//! The `exchanges` table: what one exported exchange is, its Arrow schema and versions, encoding and decoding.
//!
//! No engine, no query and no captured value is known here: a [`Row`] holds only what may leave the node.

mod row;

pub use row::{MessageSide, ParameterRow, ParseErrorRow, Row, SessionKeyKind, ValueOrigin};
