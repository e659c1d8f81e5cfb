//! The performance suite behind `make bench`. It measures and prints; it never fails because a machine is slow.
#![allow(clippy::print_stdout, reason = "printing the table is what this program is for")]

mod parsers;
mod pipeline;
mod proxy;
mod store;
mod store_traffic;
mod table;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use proxy::ProxyOptions;
use store::StoreOptions;
use table::Table;

/// Measures Threadline's parts and prints them beside their budgets.
#[derive(Debug, Parser)]
struct Options {
    /// What to measure.
    #[arg(value_enum, default_values_t = [Part::Pipeline, Part::Parsers, Part::Store, Part::Proxy])]
    parts: Vec<Part>,
    /// Rows for the store's figures; the budget is stated for 10 million.
    #[arg(long, default_value_t = 10_000_000)]
    rows: u64,
    /// The `threadline` binary, for the proxy's figures with analysis and store [default: the one beside this program;
    /// if there is none, the proxy alone is measured].
    #[arg(long, value_name = "FILE")]
    threadline: Option<PathBuf>,
    /// Length of each of the proxy's measurements, seconds.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Extract to row, in process, one core.
    Pipeline,
    /// Each parser beside the library it stands on and a tree of the whole message.
    Parsers,
    /// How the parsers' work grows on the worst inputs, in instructions (needs valgrind; some minutes).
    Work,
    /// The embedded store: ingest, size, questions.
    Store,
    /// The proxy beside nginx (needs nginx and wrk).
    Proxy,
}

fn main() {
    if proxy::act() || parsers::work::act() {
        return;
    }
    let options = Options::parse();
    let mut table = Table::default();
    for part in options.parts {
        match part {
            Part::Pipeline => pipeline::run(&mut table),
            Part::Parsers => parsers::run(&mut table),
            Part::Work => {
                if let Err(unmeasured) = parsers::work::run(&mut table) {
                    println!("The parsers' work was not counted. {unmeasured}");
                }
            }
            Part::Proxy => {
                let length = Duration::from_secs(options.seconds);
                let options =
                    ProxyOptions { threadline: options.threadline.clone().or_else(beside), length, rounds: 5 };
                if let Err(unmeasured) = proxy::run(&options, &mut table) {
                    println!("The proxy was not measured. {unmeasured}");
                }
            }
            Part::Store => store::run(&StoreOptions { rows: options.rows, directory: None }, &mut table),
        }
    }
    println!("{table}");
}

/// The binary that was built together with this program.
fn beside() -> Option<PathBuf> {
    let binary = std::env::current_exe().ok()?.with_file_name("threadline");
    binary.exists().then_some(binary)
}
