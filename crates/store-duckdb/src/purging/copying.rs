//! One file written anew without what is to leave. The rows until a batch are copied beside the traffic; the writer adds
//! those of later batches, none of which is meant.

use std::path::Path;

use duckdb::{Connection, params, params_from_iter};

use super::{Begun, Target, question};
use crate::files::StoreFile;
use crate::packed::{self, Values};
use crate::rewriting::{RewriteError, quarters};
use crate::sql::{Parameters, identity, time};
use crate::{engine, table};

/// The new file's name within the engine while it is made, and while the writer adds to it.
const ALIAS: &str = "purged";

/// Rows that are looked at together.
const WINDOW: u64 = 100_000;

/// Sessions written into one statement.
const SESSIONS: usize = 1_000;

/// Tells the connection what is to leave.
pub(crate) fn prepare(connection: &Connection, begun: &Begun) -> Result<(), duckdb::Error> {
    connection.execute_batch("CREATE TEMP TABLE leaving (session_id UUID NOT NULL)")?;
    let Target::Sessions(sessions) = &begun.target else { return Ok(()) };
    for some in sessions.chunks(SESSIONS) {
        let list: Vec<String> = some.iter().map(|id| format!("({})", identity(*id.as_bytes()))).collect();
        connection.execute_batch(&format!("INSERT INTO temp.leaving VALUES {}", list.join(", ")))?;
    }
    Ok(())
}

const LEAVING: &str = "(SELECT session_id FROM temp.leaving)";

/// Whether a file has to be written anew.
pub(crate) fn holds_any(connection: &Connection, file: &StoreFile, begun: &Begun) -> Result<bool, duckdb::Error> {
    let mut parameters = Parameters::default();
    let touched = match &begun.target {
        Target::Sessions(_) => format!("(session_id IN {LEAVING} OR coalesce(request_session_id IN {LEAVING}, false))"),
        Target::Parameter(name) => question::had(name, &mut parameters),
    };
    let (alias, until) = (&file.alias, time(begun.until));
    let sql = format!("SELECT count(*) FROM {alias}.exchanges WHERE ingested_at <= {until} AND {touched}");
    connection.query_row(&sql, params_from_iter(parameters.0), |row| row.get::<_, u64>(0)).map(|rows| rows > 0)
}

/// Writes the rows of the batches before `batches`, without what is to leave, to a new file.
pub(crate) fn write(
    connection: &Connection,
    file: &StoreFile,
    batches: u32,
    begun: &Begun,
    staged: &Path,
) -> Result<(), RewriteError> {
    let copy = match &begun.target {
        Target::Sessions(_) => without_sessions(file, batches, begun),
        Target::Parameter(name) => {
            note_values(connection, file, batches, begun, name)?;
            without_values(file, batches)
        }
    };
    engine::attach_as(connection, ALIAS, staged)?;
    let copied = connection
        .execute_batch(&table::CREATE.replace("{}", ALIAS))
        .and_then(|()| connection.execute_batch(&copy.exchanges))
        .and_then(|()| connection.execute_batch(&of_batches(file, batches)))
        .and_then(|()| engine::checkpoint(connection, ALIAS))
        .map_err(RewriteError::from)
        .and_then(|()| {
            let count = |sql: String| connection.query_row(&sql, [], |row| row.get::<_, u64>(0));
            let new = count(format!("SELECT count(*) FROM {ALIAS}.exchanges"))?;
            let old = count(format!("SELECT count(*) FROM {}.exchanges WHERE {}", file.alias, copy.stays))?;
            if new == old { Ok(()) } else { Err(RewriteError::Different { old, new }) }
        });
    // Detached in any case, so that the file can be renamed or deleted.
    let detached = engine::detach(connection, ALIAS);
    copied.and(Ok(detached?))
}

/// How a file's rows are copied, and which of them.
struct Copy {
    exchanges: String,
    stays: String,
}

fn without_sessions(file: &StoreFile, batches: u32, begun: &Begun) -> Copy {
    let (old, until) = (&file.alias, time(begun.until));
    let stays = format!("batch < {batches} AND NOT (ingested_at <= {until} AND session_id IN {LEAVING})");
    let cut = format!("ingested_at <= {until} AND coalesce(request_session_id IN {LEAVING}, false)");
    let columns = ["request_session_id", "request_session_key_kind"];
    let columns = columns.map(|column| format!("CASE WHEN {cut} THEN NULL ELSE {column} END AS {column}")).join(", ");
    let exchanges = quarters(ALIAS, &format!("SELECT * REPLACE ({columns}) FROM {old}.exchanges WHERE {stays}"));
    Copy { exchanges, stays }
}

fn without_values(file: &StoreFile, batches: u32) -> Copy {
    let old = &file.alias;
    let values = ["params", "session_value", "\"user\"", "role", "query"]
        .map(|column| format!("CASE WHEN c.place IS NULL THEN e.{column} ELSE c.{column} END AS {column}"))
        .join(", ");
    let flags = [
        ("session_value_hashed", "c.session_value = ''"),
        ("user_hashed", "c.\"user\" IS NULL"),
        ("role_hashed", "c.role IS NULL"),
    ]
    .map(|(flag, gone)| format!("e.{flag} AND NOT (c.place IS NOT NULL AND coalesce({gone}, true)) AS {flag}"))
    .join(", ");
    let stays = format!("batch < {batches}");
    let exchanges = quarters(
        ALIAS,
        &format!(
            "SELECT e.* REPLACE ({values}, {flags}) FROM {old}.exchanges e \
             LEFT JOIN temp.without c ON e.rowid = c.place WHERE e.{stays}"
        ),
    );
    Copy { exchanges, stays }
}

/// Notes what the rows that have the parameter become, by their places: nothing is deleted from a file, so that a row
/// keeps its place.
fn note_values(
    connection: &Connection,
    file: &StoreFile,
    batches: u32,
    begun: &Begun,
    name: &str,
) -> Result<(), duckdb::Error> {
    connection.execute_batch(
        "CREATE OR REPLACE TEMP TABLE without (place BIGINT NOT NULL, params VARCHAR, session_value VARCHAR NOT NULL, \
           \"user\" VARCHAR, role VARCHAR, query VARCHAR)",
    )?;
    let (old, until) = (&file.alias, time(begun.until));
    let end: u64 = connection.query_row(
        &format!("SELECT coalesce(max(rowid) + 1, 0)::UBIGINT FROM {old}.exchanges WHERE batch < {batches}"),
        [],
        |row| row.get(0),
    )?;
    let mut parameters = Parameters::default();
    let (had, decided) = (question::had(name, &mut parameters), question::decided(name, &mut parameters));
    for from in (0..end).step_by(WINDOW as usize) {
        let to = from + WINDOW;
        let sql = format!(
            "SELECT rowid, {decided}, params, session_value, \"user\", role, query FROM {old}.exchanges \
             WHERE rowid >= {from} AND rowid < {to} AND batch < {batches} AND ingested_at <= {until} AND {had}"
        );
        let mut statement = connection.prepare(&sql)?;
        let rows = statement.query_map(params_from_iter(parameters.0.clone()), |row| {
            let values = Values {
                params: row.get(2)?,
                session_value: row.get(3)?,
                user: row.get(4)?,
                role: row.get(5)?,
                query: row.get(6)?,
            };
            Ok((row.get::<_, i64>(0)?, packed::without(name, row.get(1)?, values)))
        })?;
        let rows: Vec<(i64, Values)> = rows.collect::<Result<_, _>>()?;
        let mut appender = connection.appender_to_catalog_and_db("without", "temp", "main")?;
        for (place, values) in rows {
            let Values { params, session_value, user, role, query } = values;
            appender.append_row(params![place, params, session_value, user, role, query])?;
        }
        appender.flush()?;
    }
    Ok(())
}

/// Batches keep their identities, so that one that is sent again is known, and get their new numbers of rows.
fn of_batches(file: &StoreFile, batches: u32) -> String {
    let old = &file.alias;
    format!(
        "INSERT INTO {ALIAS}.batches SELECT b.number, b.batch_id, coalesce(n.rows, 0)::UINTEGER FROM {old}.batches b \
           LEFT JOIN (SELECT batch, count(*) AS rows FROM {ALIAS}.exchanges GROUP BY batch) n ON n.batch = b.number \
           WHERE b.number < {batches} ORDER BY b.number;
         INSERT INTO {ALIAS}.about SELECT form, (SELECT count(*) FROM {ALIAS}.exchanges) FROM {old}.about;"
    )
}

/// Adds the batches that were stored while the file was written anew. For the writer, so that there are no later ones.
pub(crate) fn add_late(
    connection: &Connection,
    file: &StoreFile,
    staged: &Path,
    batches: u32,
) -> Result<(), duckdb::Error> {
    let old = &file.alias;
    engine::attach_as(connection, ALIAS, staged)?;
    let added = connection
        .execute_batch(&format!(
            "INSERT INTO {ALIAS}.exchanges SELECT * FROM {old}.exchanges WHERE batch >= {batches};
             INSERT INTO {ALIAS}.batches SELECT * FROM {old}.batches WHERE number >= {batches} ORDER BY number;"
        ))
        .and_then(|()| engine::checkpoint(connection, ALIAS));
    let detached = engine::detach(connection, ALIAS);
    added.and(detached)
}
