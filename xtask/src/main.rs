//! `cargo xtask`: the repository checks itself where neither the compiler nor a linter does. Every check is a function
//! from the repository's files to findings, with a test that shows it failing. It changes nothing.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::finding::Finding;
use crate::help::Help;
use crate::tree::Tree;
use crate::workspace::Workspace;

mod crate_table;
mod documents;
mod finding;
mod heads;
mod help;
mod layering;
mod locks;
mod tree;
mod words;
mod workspace;

/// The repository's own checks.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Check layering, file heads, documents, words and lock files.
    Check {
        /// The built `threadline`, whose `--help` the documents are held against [default: the newer one of the target
        /// folder's debug and release builds].
        #[arg(long, value_name = "FILE")]
        binary: Option<PathBuf>,
    },
    /// Print the crate table as it should stand in ARCHITECTURE.md.
    Crates,
}

type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let outcome = match Arguments::parse().task {
        Task::Check { binary } => check(binary.as_deref()),
        Task::Crates => crates(),
    };
    outcome.unwrap_or_else(|failure| {
        say(&format!("xtask: {failure}"));
        ExitCode::FAILURE
    })
}

/// Runs every check and prints what each found.
fn check(binary: Option<&Path>) -> Result<ExitCode, Failure> {
    let root = root()?;
    let tree = Tree::read(&root)?;
    let workspace = Workspace::read(&root)?;
    let help = match binary.map(Path::to_path_buf).or_else(|| workspace.newest_binary("threadline")) {
        Some(binary) => Some(Help::of_program(&binary)?),
        None => None,
    };
    let known = documents::Known::gather(&tree, &workspace, help, subcommands());

    let checks: [(&str, Vec<Finding>); 9] = [
        ("layering", layering::check(&workspace)),
        ("crate table", crate_table::check(&tree, &workspace)),
        ("file heads", heads::check(&tree)),
        ("words", words::check(&tree)),
        ("lock files", locks::check(&tree)),
        ("documents are there", documents::present(&tree)),
        ("paths and names in documents", documents::paths(&tree)),
        ("links between documents", documents::links(&tree)),
        ("commands in documents", documents::commands(&tree, &known)),
    ];
    let mut errors = 0;
    for (name, findings) in &checks {
        let broken = findings.iter().filter(|finding| finding.is_error()).count();
        say(&format!("{name}: {}", if broken == 0 { "ok".to_owned() } else { format!("{broken} wrong") }));
        for finding in findings {
            say(&format!("  {finding}"));
        }
        errors += broken;
    }
    Ok(if errors == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn crates() -> Result<ExitCode, Failure> {
    let workspace = Workspace::read(&root()?)?;
    say(crate_table::print(&workspace).trim_end());
    Ok(ExitCode::SUCCESS)
}

/// The names that may follow `cargo xtask`, with their options, read off the program's own definition.
fn subcommands() -> BTreeMap<String, Help> {
    let command = <Arguments as clap::CommandFactory>::command();
    command.get_subcommands().map(|task| (task.get_name().to_owned(), Help::of_command(task))).collect()
}

/// The repository's root: the folder above this crate's.
fn root() -> Result<PathBuf, Failure> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    Ok(here.parent().ok_or("xtask has no parent folder")?.to_path_buf())
}

#[allow(clippy::print_stdout, reason = "findings are this program's output")]
fn say(line: &str) {
    println!("{line}");
}
