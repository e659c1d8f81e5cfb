//! The performance suite behind `make bench`. It measures and prints; it never fails because a machine is slow.
#![allow(clippy::print_stdout, reason = "printing the table is what this program is for")]

mod pipeline;
mod table;

use clap::{Parser, ValueEnum};
use table::Table;

/// Measures Threadline's parts and prints them beside their budgets.
#[derive(Debug, Parser)]
struct Options {
    /// What to measure.
    #[arg(value_enum, default_values_t = [Part::Pipeline])]
    parts: Vec<Part>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Extract to row, in process, one core.
    Pipeline,
}

fn main() {
    let options = Options::parse();
    let mut table = Table::default();
    for part in options.parts {
        match part {
            Part::Pipeline => pipeline::run(&mut table),
        }
    }
    println!("{table}");
}
