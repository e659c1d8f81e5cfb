//! Rows survive encoding, past versions stay readable, and damaged bytes are refused without a panic.
#![allow(clippy::unwrap_used)]

use std::net::IpAddr;
use std::path::PathBuf;

use arrow::array::{Array, AsArray, FixedSizeBinaryArray};
use arrow::datatypes::{TimestampMicrosecondType, UInt16Type, UInt32Type};
use arrow::record_batch::RecordBatch;
use proptest::prelude::*;
use threadline_model::{ExchangeId, SessionId, Timestamp};
use threadline_record::{
    DecodeError, MessageSide, ParameterRow, ParseErrorRow, Row, RowBuilder, SCHEMA_VERSION, SessionKeyKind,
    ValueOrigin, address_bytes, address_from_bytes, check_schema, decode_ipc, encode_ipc, fuzz_decode_ipc, schema,
};

/// A row with every column filled.
fn full_row() -> Row<'static> {
    Row {
        ts: Timestamp::from_micros(1_795_392_000_123_456),
        exchange_id: ExchangeId::from_bytes([1; 16]),
        node: "node-1",
        source: "proxy",
        policy_version: 7,
        application: "shop",
        host: Some("api.shop.example"),
        scheme: Some("https"),
        proto: Some("HTTP/2"),
        method: "POST",
        path: "/users/17/orders",
        query: Some("page&sort=asc"),
        endpoint: "POST api.shop.example /users/{int}/orders",
        protocol: "rest",
        operation: Some("place"),
        status: Some(201),
        outcome: "completed",
        duration_us: Some(15_250),
        upstream_us: Some(12_000),
        request_bytes: 512,
        response_bytes: 2_048,
        client_ip: Some(IpAddr::from([203, 0, 113, 9])),
        user_agent: Some("Mozilla/5.0 (Grüße)"),
        ja3: Some("cd08e31494f9531f560d64c695473da9"),
        ja4: Some("t13d1516h2_8daaf6152771_e5627efa2ab1"),
        session_id: SessionId::from_bytes([2; 16]),
        session_key: "token",
        session_key_kind: SessionKeyKind::Configured,
        session_value: "9c56cc51b374c3ba189210d5b6d4bf57",
        session_value_hashed: true,
        session_value_origin: ValueOrigin::Issued,
        session_trace: "ah",
        session_uncertain: true,
        request_session_id: Some(SessionId::from_bytes([3; 16])),
        request_session_key_kind: Some(SessionKeyKind::Fallback),
        trace_id: Some("4bf92f3577b34da6a3ce929d0e0e4736"),
        user: Some("0cc175b9c0f1b6a831c399e269772661"),
        role: Some("buyer"),
        params: &[
            ParameterRow {
                name: "user",
                value: "0cc175b9c0f1b6a831c399e269772661",
                hashed: true,
                origin: MessageSide::Request,
                hidden: false,
            },
            ParameterRow { name: "role", value: "buyer", hashed: false, origin: MessageSide::Response, hidden: true },
        ],
        parse_errors: &[ParseErrorRow { part: "request body", parser: "json", offset: 65_536, reason: "cut off" }],
    }
}

/// A row with every optional column empty.
fn bare_row() -> Row<'static> {
    Row {
        ts: Timestamp::from_micros(0),
        exchange_id: ExchangeId::from_bytes([4; 16]),
        application: "default",
        host: None,
        scheme: None,
        proto: None,
        method: "GET",
        path: "/",
        query: None,
        operation: None,
        status: None,
        outcome: "upstream_failed",
        duration_us: None,
        upstream_us: None,
        client_ip: None,
        user_agent: None,
        ja3: None,
        ja4: None,
        session_key: "address",
        session_key_kind: SessionKeyKind::Fallback,
        session_value_hashed: false,
        session_value_origin: ValueOrigin::Unknown,
        session_uncertain: false,
        request_session_id: None,
        request_session_key_kind: None,
        trace_id: None,
        user: None,
        role: None,
        params: &[],
        parse_errors: &[],
        ..full_row()
    }
}

fn sample() -> RecordBatch {
    let mut builder = RowBuilder::with_capacity(2);
    builder.append(&full_row());
    builder.append(&bare_row());
    builder.finish()
}

fn fixture_path(version: u32) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("../../testdata/record/exchanges-v{version}.arrow"))
}

/// Run by hand, once, when a version is introduced; a fixture is never written again.
#[test]
#[ignore = "writes the fixture of the current version"]
fn write_fixture() {
    let path = fixture_path(SCHEMA_VERSION);
    assert!(!path.exists(), "a fixture is never written again");
    std::fs::write(path, encode_ipc(&sample())).unwrap();
}

#[test]
fn version_1_stays_readable() {
    let batch = decode_ipc(&std::fs::read(fixture_path(1)).unwrap()).unwrap();
    assert_eq!(check_schema(&batch).unwrap(), 1);
    assert_eq!(batch, sample());
}

#[test]
fn every_version_has_a_fixture() {
    assert!((1..=SCHEMA_VERSION).all(|version| fixture_path(version).exists()));
}

#[test]
fn a_row_arrives_in_its_columns() {
    let batch = decode_ipc(&encode_ipc(&sample())).unwrap();
    let text = |column: &str, row: usize| {
        let column = batch.column_by_name(column).unwrap().as_string::<i32>();
        (!column.is_null(row)).then(|| column.value(row).to_owned())
    };
    let identity = |column: &str, row: usize| {
        let column: &FixedSizeBinaryArray = batch.column_by_name(column).unwrap().as_fixed_size_binary();
        (!column.is_null(row)).then(|| column.value(row).to_vec())
    };
    let flag = |column: &str, row: usize| batch.column_by_name(column).unwrap().as_boolean().value(row);
    let ts = batch.column_by_name("ts").unwrap().as_primitive::<TimestampMicrosecondType>();
    assert_eq!(ts.values(), &[1_795_392_000_123_456, 0]);
    let status = batch.column_by_name("status").unwrap().as_primitive::<UInt16Type>();
    assert_eq!(status.iter().collect::<Vec<_>>(), [Some(201), None]);
    assert_eq!(text("endpoint", 0).as_deref(), Some("POST api.shop.example /users/{int}/orders"));
    assert_eq!((text("host", 1), text("user", 1), text("country", 0)), (None, None, None));
    assert_eq!(text("action", 0).as_deref(), Some("none"));
    assert_eq!(identity("client_ip", 0), Some(address_bytes(IpAddr::from([203, 0, 113, 9])).to_vec()));
    assert_eq!(identity("client_ip", 1), None);
    assert_eq!(identity("trace_id", 0), Some(0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736_u128.to_be_bytes().to_vec()));
    assert!(flag("user_hashed", 0) && !flag("role_hashed", 0) && !flag("user_hashed", 1));

    let parameters = batch.column_by_name("params").unwrap().as_list::<i32>();
    assert_eq!((parameters.value_length(0), parameters.value_length(1)), (2, 0));
    let names = parameters.values().as_struct().column_by_name("name").unwrap().as_string::<i32>().clone();
    assert_eq!(names.iter().collect::<Vec<_>>(), [Some("user"), Some("role")]);
    let errors = batch.column_by_name("parse_errors").unwrap().as_list::<i32>();
    let offsets = errors.values().as_struct().column_by_name("offset").unwrap().as_primitive::<UInt32Type>().clone();
    assert_eq!(offsets.values(), &[65_536]);
}

#[test]
fn a_builder_is_empty_after_finish() {
    let mut builder = RowBuilder::new();
    builder.append(&full_row());
    assert_eq!(builder.len(), 1);
    assert!(builder.bytes() > 500);
    assert_eq!(builder.finish().num_rows(), 1);
    assert!(builder.is_empty() && builder.bytes() == 0);
    assert_eq!(builder.finish().num_rows(), 0);
}

#[test]
fn a_trace_id_that_is_none_is_left_out() {
    let mut builder = RowBuilder::new();
    for wrong in ["", "4bf9", "+bf92f3577b34da6a3ce929d0e0e4736", "4bf92f3577b34da6a3ce929d0e0e473g"] {
        builder.append(&Row { trace_id: Some(wrong), ..full_row() });
    }
    assert_eq!(builder.finish().column_by_name("trace_id").unwrap().null_count(), 4);
}

#[test]
fn addresses_come_back() {
    for address in ["203.0.113.9", "::1", "2001:db8::1", "0.0.0.0", "255.255.255.255"] {
        let address: IpAddr = address.parse().unwrap();
        assert_eq!(address_from_bytes(address_bytes(address)), address);
    }
    // A mapped address and the IPv4 address are the same client.
    assert_eq!(address_from_bytes(address_bytes("::ffff:10.0.0.1".parse().unwrap())), IpAddr::from([10, 0, 0, 1]));
}

#[test]
fn other_columns_and_versions_are_refused() {
    let batch = sample();
    let fewer = batch.project(&(0..batch.num_columns() - 1).collect::<Vec<_>>()).unwrap();
    assert!(matches!(decode_ipc(&encode_ipc(&fewer)), Err(DecodeError::Columns { column }) if column == 48));
    assert!(matches!(check_schema(&fewer), Err(DecodeError::Columns { column: 48 })));

    let mut metadata = schema().metadata().clone();
    for version in ["2", "x", ""] {
        metadata.insert(threadline_record::VERSION_METADATA.to_owned(), version.to_owned());
        let other = RecordBatch::try_new(
            std::sync::Arc::new(schema().as_ref().clone().with_metadata(metadata.clone())),
            batch.columns().to_vec(),
        )
        .unwrap();
        assert!(matches!(decode_ipc(&encode_ipc(&other)), Err(DecodeError::Version)), "{version}");
        assert!(matches!(check_schema(&other), Err(DecodeError::Version)), "{version}");
    }
}

#[test]
fn every_cut_is_refused() {
    let bytes = encode_ipc(&sample());
    // The end marker (8 bytes) may be missing: the batch is complete without it.
    for length in 0..bytes.len() - 8 {
        assert!(decode_ipc(&bytes[..length]).is_err(), "cut at {length}");
    }
    assert!(decode_ipc(&bytes[..bytes.len() - 8]).is_ok());
    let twice = [bytes.clone(), bytes].concat();
    assert!(matches!(decode_ipc(&twice), Err(DecodeError::Framing { .. })));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn damaged_bytes_never_panic(
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        words in prop::collection::vec((any::<prop::sample::Index>(), any::<i64>()), 0..2),
    ) {
        let mut bytes = encode_ipc(&sample());
        for (position, value) in flips {
            let position = position.index(bytes.len());
            bytes[position] = value;
        }
        for (position, value) in words {
            let position = position.index(bytes.len() / 8 - 1) * 8;
            bytes[position..position + 8].copy_from_slice(&value.to_le_bytes());
        }
        fuzz_decode_ipc(&bytes);
    }

    #[test]
    fn headers_with_hostile_lengths_never_panic(word in any::<prop::sample::Index>(), value in prop_oneof![
        Just(i64::MAX), Just(i64::MIN), Just(-1), Just(1 << 40), 0_i64..200_000,
    ]) {
        // Lengths stand in the first part of the file: the two messages' headers.
        let mut bytes = encode_ipc(&sample());
        let position = word.index(bytes.len() / 16) * 8;
        bytes[position..position + 8].copy_from_slice(&value.to_le_bytes());
        fuzz_decode_ipc(&bytes);
    }
}
