//! The performance suite behind `make bench`. It measures and prints; it never fails because a machine is slow.
#![allow(clippy::print_stdout, reason = "printing the table is what this program is for")]

mod pipeline;
mod store;
mod store_traffic;
mod table;

use clap::{Parser, ValueEnum};
use store::StoreOptions;
use table::Table;

/// Measures Threadline's parts and prints them beside their budgets.
#[derive(Debug, Parser)]
struct Options {
    /// What to measure.
    #[arg(value_enum, default_values_t = [Part::Pipeline, Part::Store])]
    parts: Vec<Part>,
    /// Rows for the store's figures; the budget is stated for 10 million.
    #[arg(long, default_value_t = 10_000_000)]
    rows: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Extract to row, in process, one core.
    Pipeline,
    /// The embedded store: ingest, size, questions.
    Store,
}

fn main() {
    let options = Options::parse();
    let mut table = Table::default();
    for part in options.parts {
        match part {
            Part::Pipeline => pipeline::run(&mut table),
            Part::Store => store::run(&StoreOptions { rows: options.rows, directory: None }, &mut table),
        }
    }
    println!("{table}");
}
