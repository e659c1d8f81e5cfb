//! The columns of the `exchanges` table, by version.
//!
//! A version is never changed once a release has written it: a new column makes a new version, readers accept all
//! past ones, and each has a fixture under `testdata/record`.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef, TimeUnit};

/// The version that is written.
pub const SCHEMA_VERSION: u32 = 1;

/// The key of the Arrow schema's metadata that holds the version as a decimal number.
pub const VERSION_METADATA: &str = "threadline.exchanges.version";

/// Bytes of an identity, and of an address.
pub(crate) const IDENTITY_BYTES: i32 = 16;

static VERSION_1: LazyLock<SchemaRef> = LazyLock::new(|| Arc::new(version_1()));

/// The Arrow schema of the version that is written.
pub fn schema() -> SchemaRef {
    Arc::clone(&VERSION_1)
}

/// The Arrow schema of a version; `None` for a version this build does not know.
pub fn schema_of(version: u32) -> Option<SchemaRef> {
    match version {
        1 => Some(Arc::clone(&VERSION_1)),
        _ => None,
    }
}

/// One element of the list column `params`.
pub(crate) fn parameter_fields() -> Fields {
    Fields::from(vec![
        Field::new("name", DataType::Utf8, false),
        Field::new("value", DataType::Utf8, false),
        Field::new("hashed", DataType::Boolean, false),
        Field::new("origin", DataType::Utf8, false),
        Field::new("hidden", DataType::Boolean, false),
    ])
}

/// One element of the list column `attacks`.
pub(crate) fn attack_fields() -> Fields {
    Fields::from(vec![
        Field::new("type", DataType::Utf8, false),
        Field::new("point", DataType::Utf8, false),
        Field::new("detector", DataType::Utf8, false),
    ])
}

/// One element of the list column `parse_errors`.
pub(crate) fn parse_error_fields() -> Fields {
    Fields::from(vec![
        Field::new("part", DataType::Utf8, false),
        Field::new("parser", DataType::Utf8, false),
        Field::new("offset", DataType::UInt32, false),
        Field::new("reason", DataType::Utf8, false),
    ])
}

/// The element field of a list column.
pub(crate) fn element(data_type: DataType) -> Arc<Field> {
    Arc::new(Field::new("item", data_type, false))
}

fn version_1() -> Schema {
    let text = |name| Field::new(name, DataType::Utf8, false);
    let optional_text = |name| Field::new(name, DataType::Utf8, true);
    let flag = |name| Field::new(name, DataType::Boolean, false);
    let number = |name| Field::new(name, DataType::UInt64, false);
    let optional_number = |name| Field::new(name, DataType::UInt64, true);
    let list = |name, data_type| Field::new(name, DataType::List(element(data_type)), false);
    let fields = vec![
        Field::new("ts", DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())), false),
        identity("exchange_id", false),
        text("node"),
        text("source"),
        number("policy_version"),
        text("application"),
        optional_text("host"),
        optional_text("scheme"),
        optional_text("proto"),
        text("method"),
        text("path"),
        optional_text("query"),
        text("endpoint"),
        text("protocol"),
        optional_text("operation"),
        Field::new("status", DataType::UInt16, true),
        text("outcome"),
        optional_number("duration_us"),
        optional_number("upstream_us"),
        number("request_bytes"),
        number("response_bytes"),
        // Not marked as a UUID like the identities, and IPv4 mapped into IPv6 (RFC 4291, section 2.5.5.2).
        Field::new("client_ip", DataType::FixedSizeBinary(IDENTITY_BYTES), true),
        optional_text("user_agent"),
        optional_text("ja3"),
        optional_text("ja4"),
        optional_text("country"),
        optional_text("source_tag"),
        identity("session_id", false),
        text("session_key"),
        text("session_key_kind"),
        text("session_value"),
        flag("session_value_hashed"),
        text("session_value_origin"),
        text("session_trace"),
        flag("session_uncertain"),
        identity("request_session_id", true),
        optional_text("request_session_key_kind"),
        identity("trace_id", true),
        optional_text("user"),
        flag("user_hashed"),
        optional_text("role"),
        flag("role_hashed"),
        list("params", DataType::Struct(parameter_fields())),
        list("attacks", DataType::Struct(attack_fields())),
        text("action"),
        optional_text("action_reason"),
        list("flows", DataType::Utf8),
        list("parse_errors", DataType::Struct(parse_error_fields())),
        Field::new("shed", DataType::UInt32, false),
    ];
    Schema::new_with_metadata(fields, HashMap::from([(VERSION_METADATA.to_owned(), "1".to_owned())]))
}

fn identity(name: &str, nullable: bool) -> Field {
    Field::new(name, DataType::FixedSizeBinary(IDENTITY_BYTES), nullable)
        .with_metadata(HashMap::from([("ARROW:extension:name".to_owned(), "arrow.uuid".to_owned())]))
}
