//! The embedded store: DuckDB, one database file per UTC day and lane.
//!
//! ```text
//! DIR/lock                        held while a process has the directory
//! DIR/days/2026-11-23.duckdb      live exchanges of that day
//! DIR/days/2026-11-22.g1.duckdb   a closed day, rewritten in order
//! DIR/imports/2026-11-23.duckdb   exchanges of any time, imported on that day
//! DIR/days/….damaged              what could not be read, moved aside
//! DIR/purges/ID.json           a purge that was begun: what is to leave
//! DIR/spill/                      what does not fit into memory; emptied at start
//! ```
//!
//! One thread writes ([`DuckStore::append`](threadline_store::ExchangeStore::append) returns after its commit), a
//! bounded pool of connections reads. Time is read from the clock in [`DuckSettings`] only. Nothing here decides what
//! an exchange is or which session it belongs to.

mod engine;
mod files;
mod gate;
mod imports;
mod opening;
mod packed;
mod purging;
mod questions;
mod readers;
mod retention;
mod rewriting;
mod settings;
mod sql;
mod store;
mod table;
mod writer;

pub use settings::{DuckSettings, OpenError};
pub use store::DuckStore;
