//! What a few rows hold, field by field, for somebody who asks what would leave: figures, and one example of each field
//! of which only the shape is left. It counts with the export ledger itself, a row at a time, so it is not for whole
//! batches of live traffic.

use std::collections::BTreeMap;

use arrow::array::{Array, ArrayRef, AsArray as _};
use arrow::datatypes::{DataType, TimestampMicrosecondType, UInt16Type, UInt32Type, UInt64Type};
use arrow::record_batch::RecordBatch;
use threadline_model::{Timestamp, UtcDay};

use crate::builder::address_from_bytes;
use crate::ipc::DecodeError;
use crate::ledger::{ExportField, ExportForm, Ledger, LedgerEntry, Tally};

/// Longest example, characters.
const EXAMPLE_CHARACTERS: usize = 48;
/// Digits of a keyed hash that an example shows.
const HASH_DIGITS: usize = 8;
/// A value of fewer letters and digits shows none of them.
const SHORTEST_SHOWN: usize = 4;
/// Stands for a letter or a digit.
const HIDDEN: char = '•';

/// What rows hold of one field in one form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sampled {
    /// Rows that have a value.
    pub exchanges: u64,
    /// Values and their bytes.
    pub tally: Tally,
    /// The shape of the first value: letters and digits are `•` but for the first character, and of a hash its first
    /// eight digits. `None` where there is nothing to show.
    pub example: Option<String>,
}

/// Looks at rows in their order. The key is the field as the export ledger names it, with the form. A column of which
/// `is_hash` says so holds keyed hashes though it has no mark for them.
///
/// # Errors
/// The batch does not have the columns of a known version.
pub fn sample(
    batch: &RecordBatch,
    is_hash: impl Fn(&str) -> bool,
) -> Result<BTreeMap<(String, ExportForm), Sampled>, DecodeError> {
    let mut fields: BTreeMap<(String, ExportForm), Sampled> = BTreeMap::new();
    for row in 0..batch.num_rows() {
        let one = batch.slice(row, 1);
        let mut ledger = Ledger::default();
        ledger.add(&one, Some(UtcDay::from_days(0)))?;
        for entry in ledger.entries() {
            let name = entry.field.to_string();
            let form = if is_hash(&name) { ExportForm::Hashed } else { entry.form };
            let sampled = fields.entry((name, form)).or_insert_with(|| Sampled {
                exchanges: 0,
                tally: Tally::default(),
                example: value(&one, &entry).map(|value| shape(&value, form)),
            });
            sampled.exchanges += 1;
            sampled.tally.values += entry.tally.values;
            sampled.tally.bytes += entry.tally.bytes;
        }
    }
    Ok(fields)
}

/// A value without what it says: bounded, and letters, digits and whatever is not ASCII hidden.
pub fn shape(value: &str, form: ExportForm) -> String {
    if form == ExportForm::Hashed {
        return value.chars().take(HASH_DIGITS).collect();
    }
    // `…` is the mark of what was cut out.
    let is_shown = |character: char| matches!(character, ' ' | '…') || character.is_ascii_punctuation();
    let says = value.chars().filter(|character| !is_shown(*character)).take(SHORTEST_SHOWN).count();
    let shows_first = says == SHORTEST_SHOWN;
    let hidden = value.chars().enumerate().take(EXAMPLE_CHARACTERS).map(|(place, character)| {
        let is_first = place == 0 && shows_first && character.is_alphanumeric();
        if is_first || is_shown(character) { character } else { HIDDEN }
    });
    let cut = if value.chars().nth(EXAMPLE_CHARACTERS).is_some() { "…" } else { "" };
    hidden.chain(cut.chars()).collect()
}

/// The first value of a field in a batch of one row.
fn value(row: &RecordBatch, entry: &LedgerEntry<'_>) -> Option<String> {
    match entry.field {
        ExportField::Column(name) => text_of(row.column_by_name(name)?, name),
        ExportField::SessionValue(_) => text_of(row.column_by_name("session_value")?, "session_value"),
        ExportField::Parameter(name) => {
            let elements = row.column_by_name("params")?.as_list_opt::<i32>()?.value(0);
            let elements = elements.as_struct_opt()?;
            let names = elements.column_by_name("name")?.as_string_opt::<i32>()?;
            let hashed = elements.column_by_name("hashed")?.as_boolean_opt()?;
            let values = elements.column_by_name("value")?.as_string_opt::<i32>()?;
            let is_hashed = entry.form == ExportForm::Hashed;
            let mut places = 0..names.len();
            let found = |place: &usize| {
                names.value(*place) == name && hashed.value(*place) == is_hashed && !values.value(*place).is_empty()
            };
            places.find(found).map(|place| values.value(place).to_owned())
        }
        ExportField::FurtherParameters => None,
    }
}

/// The value of a column of one row; of a list that of its first element.
fn text_of(column: &ArrayRef, name: &str) -> Option<String> {
    if column.is_empty() || column.is_null(0) {
        return None;
    }
    Some(match column.data_type() {
        DataType::Utf8 => column.as_string_opt::<i32>()?.value(0).to_owned(),
        DataType::Boolean => if column.as_boolean_opt()?.value(0) { "true" } else { "false" }.to_owned(),
        DataType::UInt16 => column.as_primitive_opt::<UInt16Type>()?.value(0).to_string(),
        DataType::UInt32 => column.as_primitive_opt::<UInt32Type>()?.value(0).to_string(),
        DataType::UInt64 => column.as_primitive_opt::<UInt64Type>()?.value(0).to_string(),
        DataType::Timestamp(..) => {
            Timestamp::from_micros(column.as_primitive_opt::<TimestampMicrosecondType>()?.value(0)).day().to_string()
        }
        DataType::FixedSizeBinary(_) => {
            let bytes: [u8; 16] = column.as_fixed_size_binary_opt()?.value(0).try_into().ok()?;
            match name {
                "client_ip" => address_from_bytes(bytes).to_string(),
                _ => format!("{:032x}", u128::from_be_bytes(bytes)),
            }
        }
        DataType::List(_) => {
            let elements = column.as_list_opt::<i32>()?.value(0);
            match elements.as_struct_opt() {
                Some(element) => {
                    let parts = element.columns().iter().filter_map(|part| text_of(part, name));
                    parts.collect::<Vec<_>>().join(" ")
                }
                None => text_of(&elements, name)?,
            }
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shape_shows_the_first_character_and_no_more_of_what_is_said() {
        for (value, shown) in [
            ("ada.lovelace@example.com", "a••.••••••••@•••••••.•••"),
            ("/orders/17", "/••••••/••"),
            ("GET", "•••"),
            ("7", "•"),
            ("7-7-7", "•-•-•"),
            ("", ""),
            ("…", "…"),
            ("Ünïcode", "Ü••••••"),
            ("😀😀😀😀", "••••"),
            ("\u{202e}abcd\n", "••••••"),
        ] {
            assert_eq!(shape(value, ExportForm::Clear), shown);
        }
        assert_eq!(shape(&"a".repeat(60), ExportForm::Clear), format!("a{}…", "•".repeat(47)));
        assert_eq!(shape("0123456789abcdef", ExportForm::Hashed), "01234567");
    }
}
