//! The export ledger in the state: additions, and sums over days.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use sqlx::SqliteConnection;
use threadline_model::UtcDay;
use threadline_record::{ExportField, LEDGER_GROUPS, LEDGER_PARAMETERS, Ledger, LedgerEntry};

use super::{Database, DatabaseError};

/// Days that are kept.
pub(crate) const KEPT_DAYS: i32 = 400;

/// Sums that are given at most, those of most bytes.
pub(crate) const MAXIMUM_SUMS: usize = 5_000;

/// The sum of one field of one node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sum {
    pub(crate) node: String,
    pub(crate) field: String,
    pub(crate) form: String,
    pub(crate) count: u64,
    pub(crate) bytes: u64,
    pub(crate) first: UtcDay,
    pub(crate) last: UtcDay,
}

/// Adds what was counted, all or nothing, and forgets days that are too old. What lies before those or after tomorrow is
/// none of the store's and is left out.
pub(crate) async fn add(database: &Database, ledger: &Ledger, today: UtcDay) -> Result<(), DatabaseError> {
    let error = || DatabaseError::of("write the export ledger");
    let (oldest, newest) = (today.plus(-KEPT_DAYS), today.plus(1));
    let mut transaction = database.begin().await.map_err(error())?;
    sqlx::query("DELETE FROM export_ledger WHERE day < ?")
        .bind(oldest.days())
        .execute(&mut *transaction)
        .await
        .map_err(error())?;
    let mut known = Known::default();
    for entry in ledger.entries().filter(|entry| (oldest..=newest).contains(&entry.day)) {
        let node = known.node(&mut transaction, &entry).await?;
        let field = known.field(&mut transaction, node, &entry).await?;
        sqlx::query(
            "INSERT INTO export_ledger (day, node, field, form, count, bytes) VALUES (?, ?, ?, ?, ?, ?) \
             ON CONFLICT (day, node, field, form) DO UPDATE SET count = count + excluded.count, bytes = bytes + excluded.bytes",
        )
        .bind(entry.day.days())
        .bind(node)
        .bind(field)
        .bind(entry.form.as_str())
        .bind(i64::try_from(entry.tally.values).unwrap_or(i64::MAX))
        .bind(i64::try_from(entry.tally.bytes).unwrap_or(i64::MAX))
        .execute(&mut *transaction)
        .await
        .map_err(error())?;
    }
    transaction.commit().await.map_err(error())
}

/// What stands in the ledger already, as far as the bounds are about it: they hold over all additions of a day.
#[derive(Default)]
struct Known {
    nodes: HashMap<UtcDay, HashSet<String>>,
    parameters: HashMap<(UtcDay, String), HashSet<String>>,
}

impl Known {
    /// The node to count under; the empty name stands for those beyond the bound.
    async fn node<'l>(
        &mut self,
        connection: &mut SqliteConnection,
        entry: &LedgerEntry<'l>,
    ) -> Result<&'l str, DatabaseError> {
        let Some(node) = entry.node else { return Ok("") };
        let nodes = match self.nodes.entry(entry.day) {
            Entry::Occupied(nodes) => nodes.into_mut(),
            Entry::Vacant(place) => {
                let rows: Vec<(String,)> = sqlx::query_as("SELECT DISTINCT node FROM export_ledger WHERE day = ?")
                    .bind(entry.day.days())
                    .fetch_all(connection)
                    .await
                    .map_err(DatabaseError::of("read the export ledger"))?;
                place.insert(rows.into_iter().map(|(node,)| node).collect())
            }
        };
        Ok(if admits(nodes, node, LEDGER_GROUPS) { node } else { "" })
    }

    /// The field to count under.
    async fn field(
        &mut self,
        connection: &mut SqliteConnection,
        node: &str,
        entry: &LedgerEntry<'_>,
    ) -> Result<String, DatabaseError> {
        let field = entry.field.to_string();
        if !matches!(entry.field, ExportField::Parameter(_)) {
            return Ok(field);
        }
        let parameters = match self.parameters.entry((entry.day, node.to_owned())) {
            Entry::Occupied(parameters) => parameters.into_mut(),
            Entry::Vacant(place) => {
                let rows: Vec<(String,)> = sqlx::query_as(
                    "SELECT DISTINCT field FROM export_ledger WHERE day = ? AND node = ? AND field LIKE 'parameter %'",
                )
                .bind(entry.day.days())
                .bind(node)
                .fetch_all(connection)
                .await
                .map_err(DatabaseError::of("read the export ledger"))?;
                place.insert(rows.into_iter().map(|(field,)| field).collect())
            }
        };
        let told = admits(parameters, &field, LEDGER_PARAMETERS);
        Ok(if told { field } else { ExportField::FurtherParameters.to_string() })
    }
}

/// Whether a name is among the known ones, or there is room for it.
fn admits(known: &mut HashSet<String>, name: &str, most: usize) -> bool {
    let admitted = known.contains(name) || known.len() < most;
    if admitted {
        known.insert(name.to_owned());
    }
    admitted
}

type Row = (String, String, String, i64, i64, i32, i32);

/// Sums over days, both ends inside, of most bytes first: one more than [`MAXIMUM_SUMS`] when there are more.
pub(crate) async fn sums(database: &Database, from: UtcDay, to: UtcDay) -> Result<Vec<Sum>, DatabaseError> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT node, field, form, sum(count), sum(bytes), min(day), max(day) FROM export_ledger \
         WHERE day BETWEEN ? AND ? GROUP BY node, field, form ORDER BY sum(bytes) DESC, node, field, form LIMIT ?",
    )
    .bind(from.days())
    .bind(to.days())
    .bind(MAXIMUM_SUMS as i64 + 1)
    .fetch_all(database)
    .await
    .map_err(DatabaseError::of("read the export ledger"))?;
    let sum = |(node, field, form, count, bytes, first, last): Row| Sum {
        node,
        field,
        form,
        count: u64::try_from(count).unwrap_or_default(),
        bytes: u64::try_from(bytes).unwrap_or_default(),
        first: UtcDay::from_days(first),
        last: UtcDay::from_days(last),
    };
    Ok(rows.into_iter().map(sum).collect())
}
