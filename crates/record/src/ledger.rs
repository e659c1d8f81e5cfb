//! Accounts for what leaves nodes: how many values of which field, and how many bytes, by node and UTC day. It reads
//! columns where they lie and copies no value; names of parameters and nodes are all that it keeps.
//!
//! Rows may come from anybody who holds a node's token, so what is told apart is bounded, and the rest is counted
//! together: nothing is left out.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::ops::Range;

use arrow::array::{Array, ArrayRef, AsArray as _, BooleanArray, ListArray, StringArray};
use arrow::datatypes::{DataType, TimestampMicrosecondType};
use arrow::record_batch::RecordBatch;
use threadline_model::{Timestamp, UtcDay};

use crate::ipc::{DecodeError, check_schema};
use crate::row::SessionKeyKind;

/// Parameters that are told apart for a node and a day; those beyond are counted together.
pub const LEDGER_PARAMETERS: usize = 256;

/// Pairs of node and day that are told apart; what is beyond is counted together.
pub const LEDGER_GROUPS: usize = 1_024;

/// Longest name of a node or a parameter that is kept, bytes; longer ones are counted with those beyond the bounds.
pub const LEDGER_NAME_BYTES: usize = 256;

/// In which form values left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ExportForm {
    /// As they were seen.
    Clear,
    /// As keyed hashes.
    Hashed,
}

impl ExportForm {
    /// The word in the API and in the hub's state.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Clear => "clear",
            Self::Hashed => "hashed",
        }
    }
}

/// What values are counted under.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ExportField<'l> {
    /// A column. Of lists, each element is a value.
    Column(&'l str),
    /// `session_value`, by the kind of key that decided: what a fallback takes is not what a credential is.
    SessionValue(SessionKeyKind),
    /// An element of `params`, by the parameter's name.
    Parameter(&'l str),
    /// Elements of `params` beyond [`LEDGER_PARAMETERS`].
    FurtherParameters,
}

impl fmt::Display for ExportField<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Column(name) => formatter.write_str(name),
            Self::SessionValue(kind) => write!(formatter, "session_value {}", kind.as_str()),
            Self::Parameter(name) => write!(formatter, "parameter {name}"),
            Self::FurtherParameters => formatter.write_str("further parameters"),
        }
    }
}

/// How much of something there was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Values that are there: neither null nor empty.
    pub values: u64,
    /// Their bytes: of texts in UTF-8, of numbers and identities as the column holds them, one for a yes or no.
    pub bytes: u64,
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.values += other.values;
        self.bytes += other.bytes;
    }

    fn of(length: usize) -> Self {
        Self { values: u64::from(length > 0), bytes: length as u64 }
    }
}

/// One line of a [`Ledger`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LedgerEntry<'l> {
    /// The node; none of what is beyond [`LEDGER_GROUPS`], or of a node without a usable name.
    pub node: Option<&'l str>,
    /// The day.
    pub day: UtcDay,
    /// What it is.
    pub field: ExportField<'l>,
    /// Its form.
    pub form: ExportForm,
    /// How much; never zero values.
    pub tally: Tally,
}

/// Clear and hashed.
type Forms = [Tally; 2];

const KINDS: [SessionKeyKind; 3] = [SessionKeyKind::Configured, SessionKeyKind::BuiltIn, SessionKeyKind::Fallback];
const FORMS: [ExportForm; 2] = [ExportForm::Clear, ExportForm::Hashed];

/// Adds up batches.
#[derive(Debug, Default)]
pub struct Ledger {
    /// Names of the columns, in the order of first sight; versions of the schema may differ.
    columns: Vec<String>,
    groups: Vec<Group>,
    /// Positions in `groups`.
    places: BTreeMap<UtcDay, HashMap<String, usize>>,
    further: Option<usize>,
}

/// A node's day.
#[derive(Debug)]
struct Group {
    node: Option<String>,
    day: UtcDay,
    /// By position in the ledger's `columns`.
    columns: Vec<Forms>,
    session_values: [Forms; 3],
    parameters: HashMap<String, Forms>,
    further_parameters: Forms,
}

impl Ledger {
    /// Whether nothing was counted.
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// Counts what is in a batch, under the day given or else under the day of each row.
    ///
    /// # Errors
    /// The batch does not have the columns of a known version; nothing is counted then.
    pub fn add(&mut self, batch: &RecordBatch, day: Option<UtcDay>) -> Result<(), DecodeError> {
        check_schema(batch)?;
        let batch_columns = batch.schema_ref().fields().iter().zip(batch.columns());
        let columns: Vec<(usize, Column<'_>)> = batch_columns
            .filter_map(|(field, array)| Some((self.place(field.name()), Column::of(field.name(), array, batch)?)))
            .collect();
        let (Some(nodes), Some(times)) = (
            batch.column_by_name("node").and_then(|column| column.as_string_opt::<i32>()),
            batch.column_by_name("ts").and_then(|column| column.as_primitive_opt::<TimestampMicrosecondType>()),
        ) else {
            return Ok(()); // Not in a known version.
        };
        let day_of = |row: usize| day.unwrap_or_else(|| Timestamp::from_micros(times.value(row)).day());
        let mut start = 0;
        while start < batch.num_rows() {
            let (node, day) = (nodes.value(start), day_of(start));
            let same = (start + 1..batch.num_rows()).find(|row| nodes.value(*row) != node || day_of(*row) != day);
            let rows = start..same.unwrap_or(batch.num_rows());
            start = rows.end;
            let group = self.group(node, day);
            for (place, column) in &columns {
                column.count(rows.clone(), *place, group);
            }
        }
        Ok(())
    }

    /// All that was counted, in no order.
    pub fn entries(&self) -> impl Iterator<Item = LedgerEntry<'_>> {
        self.groups.iter().flat_map(|group| {
            let columns = self.columns.iter().zip(&group.columns);
            let columns = columns.map(|(name, forms)| (ExportField::Column(name), forms));
            let values = KINDS.into_iter().zip(&group.session_values);
            let values = values.map(|(kind, forms)| (ExportField::SessionValue(kind), forms));
            let parameters = group.parameters.iter().map(|(name, forms)| (ExportField::Parameter(name), forms));
            let further = std::iter::once((ExportField::FurtherParameters, &group.further_parameters));
            columns.chain(values).chain(parameters).chain(further).flat_map(|(field, forms)| {
                let forms = FORMS.into_iter().zip(*forms).filter(|(_, tally)| tally.values > 0);
                let (node, day) = (group.node.as_deref(), group.day);
                forms.map(move |(form, tally)| LedgerEntry { node, day, field, form, tally })
            })
        })
    }

    fn place(&mut self, name: &str) -> usize {
        self.columns.iter().position(|known| known == name).unwrap_or_else(|| {
            self.columns.push(name.to_owned());
            self.columns.len() - 1
        })
    }

    fn group(&mut self, node: &str, day: UtcDay) -> &mut Group {
        let known = self.places.get(&day).and_then(|nodes| nodes.get(node)).copied();
        let tells_apart = self.groups.len() < LEDGER_GROUPS && (1..=LEDGER_NAME_BYTES).contains(&node.len());
        let place = match (known, self.further) {
            (Some(place), _) => place,
            (None, Some(further)) if !tells_apart => further,
            (None, _) => {
                let place = self.groups.len();
                if tells_apart {
                    self.places.entry(day).or_default().insert(node.to_owned(), place);
                } else {
                    self.further = Some(place);
                }
                self.groups.push(Group::new(tells_apart.then(|| node.to_owned()), day));
                place
            }
        };
        let group = &mut self.groups[place];
        group.columns.resize(self.columns.len(), Forms::default());
        group
    }
}

impl Group {
    fn new(node: Option<String>, day: UtcDay) -> Self {
        Self {
            node,
            day,
            columns: Vec::new(),
            session_values: Default::default(),
            parameters: HashMap::new(),
            further_parameters: Forms::default(),
        }
    }

    fn parameter(&mut self, name: &str) -> &mut Forms {
        let tells_apart = self.parameters.len() < LEDGER_PARAMETERS && name.len() <= LEDGER_NAME_BYTES;
        if tells_apart && !self.parameters.contains_key(name) {
            self.parameters.insert(name.to_owned(), Forms::default());
        }
        self.parameters.get_mut(name).unwrap_or(&mut self.further_parameters)
    }
}

/// How a column is counted.
enum Column<'b> {
    Text(&'b StringArray),
    /// Of so many bytes each.
    Fixed(&'b dyn Array, usize),
    /// A text, with whether it is hashed beside it.
    Marked {
        value: &'b StringArray,
        hashed: &'b BooleanArray,
    },
    SessionValue {
        value: &'b StringArray,
        hashed: &'b BooleanArray,
        kind: &'b StringArray,
    },
    Parameters {
        list: &'b ListArray,
        name: &'b StringArray,
        value: &'b StringArray,
        hashed: &'b BooleanArray,
    },
    /// Elements made of texts and `fixed` bytes more.
    Elements {
        list: &'b ListArray,
        texts: Vec<&'b StringArray>,
        fixed: usize,
    },
}

impl<'b> Column<'b> {
    fn of(name: &str, array: &'b ArrayRef, batch: &'b RecordBatch) -> Option<Self> {
        let flag = |name: &str| batch.column_by_name(name).and_then(|column| column.as_boolean_opt());
        let text = |name: &str| batch.column_by_name(name).and_then(|column| column.as_string_opt::<i32>());
        match (name, array.data_type()) {
            ("session_value", _) => Some(Self::SessionValue {
                value: array.as_string_opt()?,
                hashed: flag("session_value_hashed")?,
                kind: text("session_key_kind")?,
            }),
            ("user", _) => Some(Self::Marked { value: array.as_string_opt()?, hashed: flag("user_hashed")? }),
            ("role", _) => Some(Self::Marked { value: array.as_string_opt()?, hashed: flag("role_hashed")? }),
            ("params", _) => {
                let list: &ListArray = array.as_list_opt()?;
                let element = list.values().as_struct_opt()?;
                Some(Self::Parameters {
                    list,
                    name: element.column_by_name("name")?.as_string_opt()?,
                    value: element.column_by_name("value")?.as_string_opt()?,
                    hashed: element.column_by_name("hashed")?.as_boolean_opt()?,
                })
            }
            (_, DataType::Utf8) => Some(Self::Text(array.as_string_opt()?)),
            (_, DataType::List(_)) => {
                let list: &ListArray = array.as_list_opt()?;
                let parts = match list.values().as_struct_opt() {
                    Some(element) => element.columns().iter().collect(),
                    None => vec![list.values()],
                };
                let fixed = parts.iter().filter_map(|part| width(part.data_type())).sum();
                Some(Self::Elements {
                    list,
                    texts: parts.iter().filter_map(|part| part.as_string_opt()).collect(),
                    fixed,
                })
            }
            (_, other) => Some(Self::Fixed(array, width(other)?)),
        }
    }

    fn count(&self, rows: Range<usize>, place: usize, group: &mut Group) {
        match self {
            Self::Text(texts) => group.columns[place][0].add(tally(texts, rows)),
            Self::Fixed(array, width) => {
                let absent = array.nulls().map_or(0, |nulls| nulls.slice(rows.start, rows.len()).null_count());
                let values = rows.len() - absent;
                group.columns[place][0].add(Tally { values: values as u64, bytes: (values * width) as u64 });
            }
            Self::Marked { value, hashed } => {
                if value.null_count() < value.len() {
                    for row in rows.filter(|row| value.is_valid(*row)) {
                        group.columns[place][form(hashed, row)].add(Tally::of(length(value, row)));
                    }
                }
            }
            Self::SessionValue { value, hashed, kind } => {
                for row in rows {
                    let word = kind.value(row);
                    // A word that is none of the three can only be a node's defect; it counts as what is told least of.
                    let kind = KINDS.iter().position(|kind| kind.as_str() == word).unwrap_or(KINDS.len() - 1);
                    group.session_values[kind][form(hashed, row)].add(Tally::of(length(value, row)));
                }
            }
            Self::Parameters { list, name, value, hashed } => {
                for element in elements(list, rows) {
                    let tally = Tally::of(length(value, element));
                    group.parameter(name.value(element))[form(hashed, element)].add(tally);
                }
            }
            Self::Elements { list, texts, fixed } => {
                let elements = elements(list, rows);
                let values = elements.len() as u64;
                let bytes: u64 = texts.iter().map(|texts| tally(texts, elements.clone()).bytes).sum();
                group.columns[place][0].add(Tally { values, bytes: bytes + values * *fixed as u64 });
            }
        }
    }
}

/// Values and bytes of texts.
fn tally(texts: &StringArray, rows: Range<usize>) -> Tally {
    if texts.null_count() > 0 {
        let mut total = Tally::default();
        rows.filter(|row| texts.is_valid(*row)).for_each(|row| total.add(Tally::of(length(texts, row))));
        return total;
    }
    let offsets = &texts.value_offsets()[rows.start..=rows.end];
    let values = offsets.windows(2).filter(|ends| ends[0] != ends[1]).count();
    // Offsets ascend and are not negative: Arrow checks both.
    Tally { values: values as u64, bytes: u64::from(offsets[offsets.len() - 1].abs_diff(offsets[0])) }
}

fn length(texts: &StringArray, row: usize) -> usize {
    usize::try_from(texts.value_length(row)).unwrap_or_default()
}

/// Positions in a list's values of the elements of some rows; of a list that is null there are none by Arrow's rules.
fn elements(list: &ListArray, rows: Range<usize>) -> Range<usize> {
    let position = |row: usize| usize::try_from(list.value_offsets()[row]).unwrap_or_default();
    position(rows.start)..position(rows.end)
}

fn form(hashed: &BooleanArray, row: usize) -> usize {
    usize::from(hashed.value(row))
}

/// Bytes of one value of a type of fixed size.
fn width(data_type: &DataType) -> Option<usize> {
    match data_type {
        DataType::Boolean => Some(1),
        DataType::FixedSizeBinary(width) => usize::try_from(*width).ok(),
        other => other.primitive_width(),
    }
}
