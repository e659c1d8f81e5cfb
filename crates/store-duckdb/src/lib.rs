//! The embedded store: DuckDB, one database file per UTC day.
#[test]
fn links() {
    let connection = duckdb::Connection::open_in_memory().expect("opens");
    let version: String = connection.query_row("SELECT version()", [], |row| row.get(0)).expect("answers");
    assert_eq!(version, "v1.5.6");
}
