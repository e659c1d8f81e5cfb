//! What the ledger counts is what rows hold, whichever nodes and days they are of; what it tells apart is bounded.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::net::IpAddr;

use proptest::prelude::*;
use threadline_model::{ExchangeId, MICROS_PER_DAY, SessionId, Timestamp, UtcDay};
use threadline_record::{
    ExportForm, LEDGER_GROUPS, LEDGER_NAME_BYTES, LEDGER_PARAMETERS, Ledger, MessageSide, ParameterRow, ParseErrorRow,
    Row, RowBuilder, SessionKeyKind, ValueOrigin,
};

/// Values and bytes by node, day, field and form.
type Counted = BTreeMap<(Option<String>, i32, String, ExportForm), (u64, u64)>;

fn row() -> Row<'static> {
    Row {
        ts: Timestamp::from_micros(0),
        exchange_id: ExchangeId::from_bytes([1; 16]),
        node: "node-1",
        source: "proxy",
        policy_version: 7,
        application: "shop",
        host: None,
        scheme: None,
        proto: None,
        method: "GET",
        path: "/",
        query: None,
        endpoint: "GET /",
        protocol: "rest",
        operation: None,
        status: None,
        outcome: "completed",
        duration_us: None,
        upstream_us: None,
        request_bytes: 0,
        response_bytes: 0,
        client_ip: None,
        user_agent: None,
        ja3: None,
        ja4: None,
        session_id: SessionId::from_bytes([2; 16]),
        session_key: "key",
        session_key_kind: SessionKeyKind::Configured,
        session_value: "",
        session_value_hashed: false,
        session_value_origin: ValueOrigin::Unknown,
        session_trace: "",
        session_uncertain: false,
        request_session_id: None,
        request_session_key_kind: None,
        trace_id: None,
        user: None,
        role: None,
        params: &[],
        parse_errors: &[],
    }
}

/// The rules of counting, word by word.
fn expected(rows: &[Row<'_>], fixed: Option<UtcDay>) -> Counted {
    let mut counted = Counted::new();
    for row in rows {
        let mut add = |field: &str, hashed: bool, values: u64, bytes: usize| {
            let day = fixed.unwrap_or_else(|| row.ts.day()).days();
            let form = if hashed { ExportForm::Hashed } else { ExportForm::Clear };
            if values > 0 {
                let entry = counted.entry((Some(row.node.to_owned()), day, field.to_owned(), form)).or_default();
                *entry = (entry.0 + values, entry.1 + bytes as u64);
            }
        };
        let there = |text: &str| u64::from(!text.is_empty());
        for (field, text) in [
            ("node", Some(row.node)),
            ("source", Some(row.source)),
            ("application", Some(row.application)),
            ("host", row.host),
            ("scheme", row.scheme),
            ("proto", row.proto),
            ("method", Some(row.method)),
            ("path", Some(row.path)),
            ("query", row.query),
            ("endpoint", Some(row.endpoint)),
            ("protocol", Some(row.protocol)),
            ("operation", row.operation),
            ("outcome", Some(row.outcome)),
            ("user_agent", row.user_agent),
            ("ja3", row.ja3),
            ("ja4", row.ja4),
            ("session_key", Some(row.session_key)),
            ("session_key_kind", Some(row.session_key_kind.as_str())),
            ("session_value_origin", Some(row.session_value_origin.as_str())),
            ("session_trace", Some(row.session_trace)),
            ("request_session_key_kind", row.request_session_key_kind.map(SessionKeyKind::as_str)),
            ("action", Some("none")),
        ] {
            let text = text.unwrap_or_default();
            add(field, false, there(text), text.len());
        }
        for (field, values, bytes) in [
            ("ts", 1, 8),
            ("exchange_id", 1, 16),
            ("policy_version", 1, 8),
            ("status", u64::from(row.status.is_some()), 2),
            ("duration_us", u64::from(row.duration_us.is_some()), 8),
            ("upstream_us", u64::from(row.upstream_us.is_some()), 8),
            ("request_bytes", 1, 8),
            ("response_bytes", 1, 8),
            ("client_ip", u64::from(row.client_ip.is_some()), 16),
            ("session_id", 1, 16),
            ("session_value_hashed", 1, 1),
            ("session_uncertain", 1, 1),
            ("request_session_id", u64::from(row.request_session_id.is_some()), 16),
            ("trace_id", u64::from(row.trace_id.is_some()), 16),
            ("user_hashed", 1, 1),
            ("role_hashed", 1, 1),
            ("shed", 1, 4),
        ] {
            add(field, false, values, bytes);
        }
        let value = format!("session_value {}", row.session_key_kind.as_str());
        add(&value, row.session_value_hashed, there(row.session_value), row.session_value.len());
        for (field, value) in [("user", row.user), ("role", row.role)] {
            let hashed = row.params.iter().any(|parameter| parameter.hashed && Some(parameter.value) == value);
            let value = value.unwrap_or_default();
            add(field, hashed, there(value), value.len());
        }
        for parameter in row.params {
            let field = format!("parameter {}", parameter.name);
            add(&field, parameter.hashed, there(parameter.value), parameter.value.len());
        }
        for error in row.parse_errors {
            add("parse_errors", false, 1, error.part.len() + error.parser.len() + error.reason.len() + 4);
        }
    }
    counted
}

fn counted(ledger: &Ledger) -> Counted {
    let entries = ledger.entries().map(|entry| {
        let key = (entry.node.map(str::to_owned), entry.day.days(), entry.field.to_string(), entry.form);
        (key, (entry.tally.values, entry.tally.bytes))
    });
    entries.collect()
}

fn added<'r>(rows: impl IntoIterator<Item = Row<'r>>) -> Ledger {
    let mut builder = RowBuilder::new();
    rows.into_iter().for_each(|row| builder.append(&row));
    let mut ledger = Ledger::default();
    ledger.add(&builder.finish(), None).unwrap();
    ledger
}

const TEXTS: [&str; 5] = ["", "a", "9c56cc51b374c3ba189210d5b6d4bf57", "Grüße", "x y"];
const NAMES: [&str; 3] = ["user", "role", "cart"];
const KINDS: [SessionKeyKind; 3] = [SessionKeyKind::Configured, SessionKeyKind::BuiltIn, SessionKeyKind::Fallback];

fn any_parameters() -> impl Strategy<Value = Vec<ParameterRow<'static>>> {
    let parameter = (0..NAMES.len(), 0..TEXTS.len(), any::<bool>()).prop_map(|(name, value, hashed)| ParameterRow {
        name: NAMES[name],
        value: TEXTS[value],
        hashed,
        origin: MessageSide::Request,
        hidden: false,
    });
    prop::collection::vec(parameter, 0..4)
}

fn any_errors() -> impl Strategy<Value = Vec<ParseErrorRow<'static>>> {
    let error = (0..TEXTS.len(), any::<u32>()).prop_map(|(part, offset)| ParseErrorRow {
        part: TEXTS[part],
        parser: "json",
        offset,
        reason: "cut off",
    });
    prop::collection::vec(error, 0..3)
}

prop_compose! {
    fn any_row()(
        (node, day, parameters, errors) in (0..2_usize, 0..2_i64, any_parameters(), any_errors()),
        texts in prop::array::uniform12(prop::option::of(0..TEXTS.len())),
        flags in prop::array::uniform8(any::<bool>()),
        kind in 0..KINDS.len(),
    ) -> Row<'static> {
        let text = |position: usize| texts[position].map(|text| TEXTS[text]);
        Row {
            ts: Timestamp::from_micros(day * MICROS_PER_DAY + 5),
            node: ["node-1", "node-2"][node],
            host: text(0),
            scheme: text(1),
            path: text(2).unwrap_or_default(),
            query: text(3),
            operation: text(4),
            user_agent: text(5),
            ja3: text(6),
            ja4: text(7),
            session_value: text(8).unwrap_or_default(),
            session_trace: text(9).unwrap_or_default(),
            user: text(10),
            role: text(11),
            session_value_hashed: flags[0],
            session_key_kind: KINDS[kind],
            status: flags[1].then_some(200),
            duration_us: flags[2].then_some(1),
            upstream_us: flags[3].then_some(1),
            client_ip: flags[4].then_some(IpAddr::from([203, 0, 113, 9])),
            request_session_id: flags[5].then_some(SessionId::from_bytes([3; 16])),
            request_session_key_kind: flags[5].then_some(SessionKeyKind::Fallback),
            trace_id: flags[6].then_some("4bf92f3577b34da6a3ce929d0e0e4736"),
            params: Vec::leak(parameters),
            parse_errors: Vec::leak(errors),
            ..row()
        }
    }
}

proptest! {
    #[test]
    fn the_ledger_counts_what_rows_hold(
        rows in prop::collection::vec(any_row(), 0..24),
        cut in any::<prop::sample::Index>(),
        fixed in prop::option::of(100..102_i32),
    ) {
        let fixed = fixed.map(UtcDay::from_days);
        let mut builder = RowBuilder::new();
        rows.iter().for_each(|row| builder.append(row));
        let batch = builder.finish();
        let mut ledger = Ledger::default();
        // In one batch or in two slices of it.
        let cut = cut.index(rows.len() + 1);
        ledger.add(&batch.slice(0, cut), fixed).unwrap();
        ledger.add(&batch.slice(cut, rows.len() - cut), fixed).unwrap();
        prop_assert_eq!(counted(&ledger), expected(&rows, fixed));
    }
}

#[test]
fn parameters_beyond_the_bound_are_counted_together() {
    let names: Vec<String> = (0..LEDGER_PARAMETERS + 5).map(|number| format!("name {number}")).collect();
    let long = "n".repeat(LEDGER_NAME_BYTES + 1);
    let names = names.iter().map(String::as_str).chain([long.as_str()]);
    let parameters: Vec<ParameterRow<'_>> = names
        .map(|name| ParameterRow { name, value: "ab", hashed: true, origin: MessageSide::Request, hidden: false })
        .collect();
    let ledger = added([Row { params: &parameters, ..row() }]);
    let counted = counted(&ledger);
    let of = |field: &str| counted.get(&(Some("node-1".to_owned()), 0, field.to_owned(), ExportForm::Hashed)).copied();
    assert_eq!(of("parameter name 0"), Some((1, 2)));
    assert_eq!(counted.keys().filter(|key| key.2.starts_with("parameter ")).count(), LEDGER_PARAMETERS);
    assert_eq!(of("further parameters"), Some((6, 12)));
}

#[test]
fn nodes_and_days_beyond_the_bound_are_counted_together() {
    let names: Vec<String> = (0..LEDGER_GROUPS + 3).map(|number| format!("node {number}")).collect();
    let ledger = added(names.iter().map(|node| Row { node, ..row() }).chain([Row { node: "", ..row() }]));
    let counted = counted(&ledger);
    let methods = counted.iter().filter(|(key, _)| key.2 == "method");
    assert_eq!(methods.clone().count(), LEDGER_GROUPS + 1);
    assert_eq!(methods.map(|(_, (values, _))| values).sum::<u64>(), LEDGER_GROUPS as u64 + 4, "nothing is left out");
    assert_eq!(counted[&(None, 0, "method".to_owned(), ExportForm::Clear)], (4, 12));
}

#[test]
fn other_columns_are_refused_and_count_nothing() {
    let mut builder = RowBuilder::new();
    builder.append(&row());
    let batch = builder.finish();
    let mut ledger = Ledger::default();
    assert!(ledger.add(&batch.project(&[0, 1, 2]).unwrap(), None).is_err());
    assert!(ledger.is_empty());
}
