//! The list columns as the engine holds them: one text per row, none where the list is empty.
//!
//! A list of structs is five columns and more to the engine, each of which costs on the way in, in the log and at the
//! checkpoint; as texts, appending a row takes little more than half the time. The texts are JSON arrays of arrays, so
//! that a person with a database shell can read them and an element can be searched for by its beginning
//! (`["order","17",`). A parameter's value that stands in another column of the row as well, which those of users and
//! deciding keys do, is that column's number instead of a text.

use arrow::array::{Array, AsArray, ListArray, StringArray, StringBuilder};
use arrow::datatypes::{DataType, UInt32Type};
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;
use serde_json::{Value, json};
use threadline_store::{StoredParameter, StoredParseError};

/// Bits of a parameter's third element.
const HASHED: u64 = 1;
const FROM_RESPONSE: u64 = 2;
const HIDDEN: u64 = 4;

/// The columns that a parameter's value may stand in; their numbers are their places here.
const SHARED: [&str; 3] = ["session_value", "user", "role"];

/// A list column of a batch as texts.
pub(crate) fn pack(name: &str, rows: &RecordBatch) -> Result<StringArray, ArrowError> {
    let unknown = || ArrowError::SchemaError(format!("{name} is not the list it was"));
    let lists = rows.column_by_name(name).and_then(|column| column.as_list_opt::<i32>()).ok_or_else(unknown)?;
    if lists.values().is_empty() {
        return Ok(StringArray::new_null(lists.len()));
    }
    match (name, lists.values().data_type()) {
        ("params", DataType::Struct(_)) => {
            let [names, values, origins] = texts(lists, ["name", "value", "origin"]).ok_or_else(unknown)?;
            let [hashed, hidden] = flags(lists, ["hashed", "hidden"]).ok_or_else(unknown)?;
            let shared = SHARED.map(|name| rows.column_by_name(name).and_then(|column| column.as_string_opt::<i32>()));
            Ok(each(lists, |row, element, text| {
                let bits = bits(hashed.value(element), origins.value(element) == "response", hidden.value(element));
                let value = values.value(element);
                let stands_in = |column: &Option<&StringArray>| {
                    column.is_some_and(|column| column.is_valid(row) && column.value(row) == value)
                };
                let number = shared.iter().position(stands_in);
                self::element(text, names.value(element), value, number, bits);
            }))
        }
        ("parse_errors", DataType::Struct(_)) => {
            let [parts, parsers, reasons] = texts(lists, ["part", "parser", "reason"]).ok_or_else(unknown)?;
            let offsets = lists.values().as_struct().column_by_name("offset").ok_or_else(unknown)?;
            let offsets = offsets.as_primitive_opt::<UInt32Type>().ok_or_else(unknown)?;
            Ok(each(lists, |_, element, text| {
                let texts = [parts.value(element), parsers.value(element), reasons.value(element)];
                array(text, &texts, Some(offsets.value(element).into()));
            }))
        }
        ("attacks", DataType::Struct(_)) => {
            let [kinds, points, detectors] = texts(lists, ["type", "point", "detector"]).ok_or_else(unknown)?;
            Ok(each(lists, |_, element, text| {
                array(text, &[kinds.value(element), points.value(element), detectors.value(element)], None);
            }))
        }
        ("flows", DataType::Utf8) => {
            let flows = lists.values().as_string::<i32>();
            Ok(each(lists, |_, element, text| quote(text, flows.value(element))))
        }
        _ => Err(unknown()),
    }
}

/// The parameters of a row; `shared` are the values of its columns [`SHARED`].
pub(crate) fn parameters(packed: Option<String>, shared: [Option<&str>; 3]) -> Vec<StoredParameter> {
    elements(packed)
        .map(|element| {
            let bits = element.get(2).and_then(Value::as_u64).unwrap_or(0);
            let origin = if bits & FROM_RESPONSE == 0 { "request" } else { "response" };
            StoredParameter {
                name: text(&element, 0),
                value: match element.get(1).and_then(Value::as_u64).and_then(|number| usize::try_from(number).ok()) {
                    Some(number) => shared.get(number).copied().flatten().unwrap_or_default().to_owned(),
                    None => text(&element, 1),
                },
                hashed: bits & HASHED != 0,
                origin: origin.to_owned(),
                hidden: bits & HIDDEN != 0,
            }
        })
        .collect()
}

/// The columns of a row that a parameter's value stands in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Values {
    pub(crate) params: Option<String>,
    pub(crate) session_value: String,
    pub(crate) user: Option<String>,
    pub(crate) role: Option<String>,
    pub(crate) query: Option<String>,
}

/// The columns without the values of a parameter, which `decided` the row's session or not: what else points at them
/// gets a text of its own.
pub(crate) fn without(name: &str, decided: bool, values: Values) -> Values {
    let shared = [Some(values.session_value.as_str()), values.user.as_deref(), values.role.as_deref()];
    let parameters = parameters(values.params, shared);
    let (gone, kept): (Vec<StoredParameter>, Vec<StoredParameter>) =
        parameters.into_iter().partition(|parameter| parameter.name == name);
    let has_gone = |value: &String| {
        gone.iter().any(|parameter| parameter.value == *value) || (decided && values.session_value == *value)
    };
    let left = |value: &String| !has_gone(value);
    let (user, role) = (values.user.clone().filter(left), values.role.clone().filter(left));
    let session_value = if decided { String::new() } else { values.session_value };
    let query = values.query.map(|query| {
        let names: Vec<&str> = query.split('&').map(|field| field.split('=').next().unwrap_or_default()).collect();
        names.join("&")
    });
    let shared = [Some(session_value.as_str()), user.as_deref(), role.as_deref()];
    let params = (!kept.is_empty()).then(|| {
        let mut text = String::new();
        for parameter in &kept {
            text.push(if text.is_empty() { '[' } else { ',' });
            let bits = bits(parameter.hashed, parameter.origin == "response", parameter.hidden);
            let number = shared.iter().position(|column| *column == Some(parameter.value.as_str()));
            element(&mut text, &parameter.name, &parameter.value, number, bits);
        }
        text.push(']');
        text
    });
    Values { params, session_value, user, role, query }
}

fn bits(hashed: bool, from_response: bool, hidden: bool) -> u64 {
    let bit = |set: bool, bit: u64| if set { bit } else { 0 };
    bit(hashed, HASHED) | bit(from_response, FROM_RESPONSE) | bit(hidden, HIDDEN)
}

/// Writes a parameter, with the number of the column that has its value if one does.
fn element(text: &mut String, name: &str, value: &str, number: Option<usize>, bits: u64) {
    text.push('[');
    quote(text, name);
    match number {
        Some(number) => text.push_str(&format!(",{number},{bits}]")),
        None => {
            text.push(',');
            quote(text, value);
            text.push_str(&format!(",{bits}]"));
        }
    }
}

/// What the element of a parameter of this name begins with, and nothing else in a packed list: within a text a quote
/// has an escape before it.
pub(crate) fn beginning(name: &str) -> String {
    let mut beginning = String::from("[");
    quote(&mut beginning, name);
    beginning.push(',');
    beginning
}

/// What the element of a parameter with this name and value begins with, where the value is written in it.
pub(crate) fn beginning_with(name: &str, value: &str) -> String {
    let mut beginning = beginning(name);
    quote(&mut beginning, value);
    beginning.push(',');
    beginning
}

/// What the element of a parameter of this name begins with where its value is that of a column, for each such column.
pub(crate) fn beginnings_shared(name: &str) -> [(&'static str, String); 3] {
    let mut number = 0;
    SHARED.map(|column| {
        let beginning = format!("{}{number},", beginning(name));
        number += 1;
        (column, beginning)
    })
}

/// The parse errors of a row.
pub(crate) fn parse_errors(packed: Option<String>) -> Vec<StoredParseError> {
    elements(packed)
        .map(|element| StoredParseError {
            part: text(&element, 0),
            parser: text(&element, 1),
            offset: element.get(3).and_then(Value::as_u64).and_then(|offset| u32::try_from(offset).ok()).unwrap_or(0),
            reason: text(&element, 2),
        })
        .collect()
}

// What this module wrote it can read; a file that somebody else wrote into gives what can be made out.
fn elements(packed: Option<String>) -> impl Iterator<Item = Value> {
    let list: Vec<Value> = packed.and_then(|packed| serde_json::from_str(&packed).ok()).unwrap_or_default();
    list.into_iter()
}

fn text(element: &Value, position: usize) -> String {
    element.get(position).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// Writes each row's elements with `write`, which is told the row and the element, between brackets.
fn each(lists: &ListArray, write: impl Fn(usize, usize, &mut String)) -> StringArray {
    let mut packed = StringBuilder::with_capacity(lists.len(), lists.values().len() * 64);
    let mut text = String::new();
    for (row, ends) in lists.value_offsets().windows(2).enumerate() {
        if ends[0] == ends[1] {
            packed.append_null();
            continue;
        }
        text.clear();
        for element in ends[0]..ends[1] {
            text.push(if text.is_empty() { '[' } else { ',' });
            write(row, element as usize, &mut text);
        }
        text.push(']');
        packed.append_value(&text);
    }
    packed.finish()
}

/// Writes an array of texts, with a number behind them.
fn array(written: &mut String, texts: &[&str], number: Option<u64>) {
    for (position, text) in texts.iter().enumerate() {
        written.push(if position == 0 { '[' } else { ',' });
        quote(written, text);
    }
    if let Some(number) = number {
        written.push(',');
        written.push_str(&number.to_string());
    }
    written.push(']');
}

/// Writes a JSON string. Nearly none needs an escape.
fn quote(written: &mut String, text: &str) {
    if text.bytes().any(|byte| byte < b' ' || byte == b'"' || byte == b'\\') {
        written.push_str(&json!(text).to_string());
    } else {
        written.push('"');
        written.push_str(text);
        written.push('"');
    }
}

fn texts<'a, const N: usize>(lists: &'a ListArray, names: [&str; N]) -> Option<[&'a StringArray; N]> {
    let elements = lists.values().as_struct_opt()?;
    let found: Vec<&StringArray> =
        names.iter().filter_map(|name| elements.column_by_name(name)?.as_string_opt::<i32>()).collect();
    found.try_into().ok()
}

fn flags<'a, const N: usize>(lists: &'a ListArray, names: [&str; N]) -> Option<[&'a arrow::array::BooleanArray; N]> {
    let elements = lists.values().as_struct_opt()?;
    let found: Vec<_> = names.iter().filter_map(|name| elements.column_by_name(name)?.as_boolean_opt()).collect();
    found.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_need_escapes_come_back() {
        let mut written = String::new();
        array(&mut written, &["na\"me\\", "line\nbreak \u{1} ü"], Some(5));
        assert_eq!(written, "[\"na\\\"me\\\\\",\"line\\nbreak \\u0001 ü\",5]");
        let parameters = parameters(Some(format!("[{written},[\"user\",1,0]]")), [None, Some("Ada"), None]);
        assert_eq!((&*parameters[0].name, &*parameters[0].value), ("na\"me\\", "line\nbreak \u{1} ü"));
        assert!(parameters[0].hashed && parameters[0].hidden && parameters[0].origin == "request");
        assert_eq!((&*parameters[1].name, &*parameters[1].value), ("user", "Ada"));
    }

    #[test]
    fn a_text_that_is_none_of_ours_is_no_reason_to_fail() {
        for foreign in ["", "[", "{}", "[1,[],[[]],[7,7,7]]"] {
            let parameters = parameters(Some(foreign.to_owned()), [None; 3]);
            assert!(parameters.iter().all(|parameter| parameter.name.is_empty()));
            assert!(parse_errors(Some(foreign.to_owned())).iter().all(|error| error.part.is_empty()));
        }
    }
}
