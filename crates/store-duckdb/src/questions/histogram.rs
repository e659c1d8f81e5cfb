//! Exchanges over time.

use duckdb::{Connection, params_from_iter};
use threadline_model::Timestamp;
use threadline_store::{Filters, HistogramBar, ThreadBin, TimeRange};

use crate::files::Lease;
use crate::questions::CLASS;
use crate::questions::parts::bin;
use crate::sql::{Parameters, condition_of_sessions, rows_of};

pub(crate) fn answer(
    connection: &Connection,
    leases: &[Lease],
    range: TimeRange,
    filters: &Filters,
    bars: u16,
) -> Result<Vec<HistogramBar>, duckdb::Error> {
    let mut answer = empty(range, bars);
    if leases.is_empty() || answer.is_empty() {
        return Ok(answer);
    }
    let width = i128::from(range.to.micros()) - i128::from(range.from.micros());
    // Narrow arithmetic wherever it cannot overflow: this is done for every row.
    let number = if width * i128::from(bars) < i128::from(i64::MAX) { "BIGINT" } else { "HUGEINT" };
    let mut parameters = Parameters::default();
    let rows = rows_of(leases);
    let condition = condition_of_sessions(&rows, range, filters, &mut parameters);
    let sql = format!(
        "WITH counted AS (\
           SELECT ((epoch_us(ts)::{number} - {}) * {bars} // {width})::USMALLINT AS bar, session_id, \
             {CLASS} AS class, attack_count > 0 AS attacked, action = 'blocked' AS blocked, count(*) AS exchanges \
           FROM {rows} WHERE {condition} GROUP BY ALL) \
         SELECT bar, {}, count(DISTINCT session_id) FROM counted GROUP BY bar",
        range.from.micros(),
        sums(),
    );
    let mut statement = connection.prepare(&sql)?;
    let mut rows = statement.query(params_from_iter(parameters.0))?;
    while let Some(row) = rows.next()? {
        let counts = bin(row, 0)?;
        if let Some(bar) = answer.get_mut(usize::from(counts.index)) {
            bar.counts = counts;
            bar.sessions = row.get(8)?;
        }
    }
    Ok(answer)
}

/// The bars without counts. An empty range has none. A bar starts at the first microsecond that is counted in it.
fn empty(range: TimeRange, bars: u16) -> Vec<HistogramBar> {
    let (from, width) =
        (i128::from(range.from.micros()), i128::from(range.to.micros()) - i128::from(range.from.micros()));
    if width <= 0 {
        return Vec::new();
    }
    let start = |index: u16| {
        let offset = (i128::from(index) * width + i128::from(bars) - 1) / i128::from(bars);
        Timestamp::from_micros(i64::try_from(from + offset).unwrap_or(i64::MAX))
    };
    (0..bars)
        .map(|index| HistogramBar {
            from: start(index),
            counts: ThreadBin { index, ..ThreadBin::default() },
            sessions: 0,
        })
        .collect()
}

/// Sums in the order of `ThreadBin`'s fields.
fn sums() -> String {
    let class = |class: u8| format!("class = {class}");
    let conditions = (0..5).map(class).chain(["attacked".to_owned(), "blocked".to_owned()]);
    let sum = |condition| format!("coalesce(sum(exchanges) FILTER (WHERE {condition}), 0)::UINTEGER");
    conditions.map(sum).collect::<Vec<_>>().join(", ")
}
