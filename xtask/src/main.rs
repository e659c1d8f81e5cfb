//! `cargo xtask`: the repository checks itself where neither the compiler nor a linter does. Every check is a function
//! from the repository's files to findings, with a test that shows it failing. It changes nothing.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use clap::{Parser, Subcommand};

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
    let binary = binary.map(Path::to_path_buf).or_else(|| workspace.newest_binary("threadline"));
    let help = binary.as_deref().map(Help::of_program).transpose()?;
    let known = documents::Known::gather(&tree, &workspace, help, subcommands());
    // Without the program the commands' check says that it is missing.
    let refuse = |text: &str| binary.as_deref().and_then(|binary| refusal(binary, text));

    let checks = [
        ("layering", layering::check(&workspace)),
        ("crate table", crate_table::check(&tree, &workspace)),
        ("file heads", heads::check(&tree)),
        ("words", words::check(&tree)),
        ("lock files", locks::check(&tree)),
        ("documents are there", documents::present(&tree)),
        ("paths and names in documents", documents::paths(&tree)),
        ("links between documents", documents::links(&tree)),
        ("commands in documents", documents::commands(&tree, &known)),
        ("points in documents", documents::points(&tree)),
        ("configuration in documents", documents::configurations(&tree, refuse)),
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

/// Why `threadline check` refuses a configuration, if it does.
fn refusal(binary: &Path, configuration: &str) -> Option<String> {
    let file = std::env::temp_dir().join(format!("threadline-xtask-{}.yaml", std::process::id()));
    let answer = std::fs::write(&file, configuration)
        .and_then(|()| Command::new(binary).arg("check").arg(&file).stdin(Stdio::null()).output());
    // Left behind, it would only be a copy of what stands in a document.
    let _ = std::fs::remove_file(&file);
    match answer {
        Ok(answer) if answer.status.success() => None,
        Ok(answer) => Some(String::from_utf8_lossy(&answer.stderr).trim().replace('\n', "; ")),
        Err(error) => Some(error.to_string()),
    }
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
