//! Commands in documents can be typed: make targets, cargo aliases, packages and test names, npm scripts, files that are
//! run, and `threadline`'s subcommands and options as its own `--help` tells them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::finding::Finding;
use crate::help::Help;
use crate::tree::Tree;
use crate::workspace::Workspace;

/// Languages of blocks that hold commands.
const SHELLS: [&str; 4] = ["sh", "bash", "shell", "console"];

/// Programs whose commands are checked, also in code spans.
const PROGRAMS: [&str; 4] = ["make", "cargo", "npm", "threadline"];

/// Options of other programs that stand alone in code spans.
const FOREIGN_OPTIONS: [&str; 11] = [
    "--all-targets",
    "--dry-run",
    "--features",
    "--help",
    "--locked",
    "--no-default-features",
    "--profile",
    "--release",
    "--version",
    "--volume",
    "--workspace",
];

/// Cargo's own subcommands that documents may name, and those of tools that the recipes bring.
const CARGO: [&str; 17] = [
    "add", "build", "check", "clean", "clippy", "deny", "doc", "fetch", "fmt", "fuzz", "install", "metadata",
    "nextest", "run", "test", "tree", "update",
];

/// What can be typed.
#[derive(Debug, Default)]
pub(crate) struct Known {
    make_targets: BTreeSet<String>,
    make_variables: BTreeSet<String>,
    cargo_aliases: BTreeSet<String>,
    packages: BTreeSet<String>,
    cargo_targets: BTreeSet<String>,
    tasks: BTreeMap<String, Help>,
    npm_scripts: BTreeSet<String>,
    threadline: Option<Help>,
}

impl Known {
    /// Reads what can be typed off the files that define it. `threadline` is `None` when it is not built.
    pub(crate) fn gather(
        tree: &Tree,
        workspace: &Workspace,
        threadline: Option<Help>,
        tasks: BTreeMap<String, Help>,
    ) -> Known {
        let mut known = Known { tasks, threadline, ..Known::default() };
        for line in tree.text("Makefile").unwrap_or_default().lines() {
            known.read_make_line(line);
        }
        for path in [".cargo/config.toml", "fuzz/.cargo/config.toml"] {
            let lines = tree.text(path).unwrap_or_default().lines();
            let aliases =
                lines.skip_while(|line| line.trim() != "[alias]").skip(1).take_while(|line| !line.starts_with('['));
            known
                .cargo_aliases
                .extend(aliases.filter_map(|line| line.split_once('=')).map(|(name, _)| name.trim().to_owned()));
        }
        known.packages.extend(workspace.crates.keys().cloned());
        known.cargo_targets.extend(workspace.crates.values().flat_map(|one| one.targets.iter().cloned()));
        // The fuzz targets are a workspace of their own.
        let fuzz = tree.text("fuzz/Cargo.toml").unwrap_or_default().lines();
        known.cargo_targets.extend(
            fuzz.filter_map(|line| line.strip_prefix("name = \"")).map(|name| name.trim_end_matches('"').to_owned()),
        );
        let console = tree.text("console/package.json").and_then(|text| serde_json::from_str::<Value>(text).ok());
        let scripts = console.as_ref().and_then(|package| package.get("scripts")).and_then(Value::as_object);
        known.npm_scripts.extend(scripts.into_iter().flat_map(|scripts| scripts.keys().cloned()));
        known
    }

    fn read_make_line(&mut self, line: &str) {
        let Some((head, rest)) = line.split_once([':', '=', '?']).filter(|_| !line.starts_with(['\t', '#', '.', ' ']))
        else {
            return;
        };
        let is_assignment = rest.starts_with('=') || line[head.len()..].starts_with('=');
        let names = if is_assignment { &mut self.make_variables } else { &mut self.make_targets };
        names.extend(head.split_whitespace().map(str::to_owned));
    }

    /// What is wrong with one command, if anything.
    fn reason_against(&self, command: &str) -> Option<String> {
        let words: Vec<&str> = words(command).collect();
        // Settings before a command: `ARGS=x make bench`, `sudo …`.
        let start = words.iter().position(|word| *word != "sudo" && *word != "exec" && !is_assignment(word))?;
        let (program, arguments) = words[start..].split_first()?;
        match *program {
            "make" => self.reason_against_make(arguments),
            "cargo" => self.reason_against_cargo(arguments),
            "npm" => self.reason_against_npm(arguments),
            _ if program.rsplit('/').next() == Some("threadline") => self.reason_against_threadline(arguments),
            _ => None,
        }
    }

    fn reason_against_make(&self, arguments: &[&str]) -> Option<String> {
        for argument in arguments.iter().filter(|argument| !argument.starts_with('-') && !is_placeholder(argument)) {
            let (name, known) = match argument.split_once('=') {
                Some((variable, _)) => (variable, &self.make_variables),
                None => (*argument, &self.make_targets),
            };
            if !known.contains(name) {
                return Some(format!("the Makefile has no `{name}`"));
            }
        }
        None
    }

    fn reason_against_cargo(&self, arguments: &[&str]) -> Option<String> {
        let own = arguments.split(|argument| *argument == "--").next().unwrap_or_default();
        let mut command = own.iter().filter(|argument| !argument.starts_with(['-', '+']));
        let name = *command.next()?;
        if name == "xtask" {
            let task = *command.next()?;
            let Some(help) = self.tasks.get(task) else { return Some(format!("`cargo xtask` has no `{task}`")) };
            let rest: Vec<&str> = own.iter().copied().skip_while(|argument| *argument != task).skip(1).collect();
            return help.reason_against(&rest);
        }
        if !CARGO.contains(&name) && !self.cargo_aliases.contains(name) && !is_placeholder(name) {
            return Some(format!("cargo has no `{name}` here"));
        }
        for pair in own.windows(2).filter(|pair| name != "install" && !is_placeholder(pair[1])) {
            let known = match pair[0] {
                "-p" | "--package" => &self.packages,
                "--bin" | "--test" | "--bench" | "--example" => &self.cargo_targets,
                _ => continue,
            };
            if !known.contains(pair[1]) {
                return Some(format!("there is no `{}` for {}", pair[1], pair[0]));
            }
        }
        // `cargo run … -- serve` runs threadline unless another package or binary is named.
        let is_ours = name == "run" && !own.iter().any(|argument| matches!(*argument, "-p" | "--package" | "--bin"));
        let passed: Vec<&str> = arguments.iter().copied().skip_while(|argument| *argument != "--").skip(1).collect();
        if is_ours { self.reason_against_threadline(&passed) } else { None }
    }

    fn reason_against_npm(&self, arguments: &[&str]) -> Option<String> {
        let script = arguments.iter().skip_while(|argument| **argument != "run").nth(1)?;
        (!self.npm_scripts.contains(*script) && !is_placeholder(script))
            .then(|| format!("the console has no script `{script}`"))
    }

    fn reason_against_threadline(&self, arguments: &[&str]) -> Option<String> {
        self.threadline.as_ref().and_then(|help| help.reason_against(arguments))
    }
}

/// Checks the shell blocks and the code spans of every document.
pub(crate) fn check(tree: &Tree, known: &Known) -> Vec<Finding> {
    let mut findings = Vec::new();
    if known.threadline.is_none() {
        findings.push(Finding::error("threadline", "is not built, so its commands cannot be checked: `cargo build`"));
    }
    for (path, document) in super::all(tree) {
        for block in document.blocks.iter().filter(|block| SHELLS.contains(&&*block.language)) {
            for (line, command) in lines(&block.text, block.line) {
                for part in command.split(['|', ';', '&']).map(str::trim) {
                    let reason = known.reason_against(part).or_else(|| missing_program(tree, part));
                    findings.extend(reason.map(|reason| Finding::at(path, line, format!("`{part}`: {reason}"))));
                }
            }
        }
        for span in &document.spans {
            let first = span.text.split_whitespace().next().unwrap_or_default();
            let is_command = span.text.contains(' ') && PROGRAMS.contains(&first.rsplit('/').next().unwrap_or(first));
            let reason = if is_command { known.reason_against(&span.text) } else { lone_option(known, &span.text) };
            findings.extend(reason.map(|reason| Finding::at(path, span.line, format!("`{}`: {reason}", span.text))));
        }
    }
    findings
}

/// `--upstream` alone in a code span: threadline must have it.
fn lone_option(known: &Known, text: &str) -> Option<String> {
    let name = text.strip_prefix("--")?.split(['=', ' ']).next()?;
    let option = format!("--{name}");
    let is_name = !name.is_empty() && name.chars().all(|one| one.is_ascii_lowercase() || one == '-');
    let is_known = known.threadline.is_none()
        || FOREIGN_OPTIONS.contains(&&*option)
        || known.tasks.values().any(|task| task.knows_option(&option))
        || known.threadline.as_ref().is_some_and(|help| help.knows_option(&option));
    (is_name && !is_known).then(|| "threadline has no such option".to_owned())
}

/// A file of this repository that is run must be there: `scripts/fuzz.sh 60`, `bash .ci/run`.
fn missing_program(tree: &Tree, command: &str) -> Option<String> {
    let mut words =
        words(command).skip_while(|word| matches!(*word, "sudo" | "exec" | "bash" | "sh") || is_assignment(word));
    let program = words.next()?.trim_start_matches("./");
    let (first, _) = program.split_once('/').filter(|_| !program.contains(['$', '~', ':']))?;
    let is_ours = tree.has_folder(first) && !tree.has(program) && !tree.ignores(program);
    is_ours.then(|| format!("there is no `{program}`"))
}

/// The commands of a block with their line numbers: continued lines joined, prompts and comments removed.
fn lines(text: &str, first: usize) -> Vec<(usize, String)> {
    let mut commands: Vec<(usize, String)> = Vec::new();
    let mut is_continued = false;
    for (position, line) in text.lines().enumerate() {
        let line = line.trim();
        let line = line.strip_prefix("$ ").unwrap_or(line);
        let line = line.split(" #").next().unwrap_or_default().trim_end();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let part = line.trim_end_matches('\\').trim_end();
        match commands.last_mut() {
            Some((_, command)) if is_continued => {
                command.push(' ');
                command.push_str(part);
            }
            _ => commands.push((first + position, part.to_owned())),
        }
        is_continued = line.ends_with('\\');
    }
    commands
}

/// A command's words; what stands in quotes is one word.
fn words(command: &str) -> impl Iterator<Item = &str> {
    let mut quote: Option<char> = None;
    let split = move |one: char| {
        match quote {
            Some(open) if open == one => quote = None,
            Some(_) => {}
            None if matches!(one, '"' | '\'') => quote = Some(one),
            None => return one.is_whitespace(),
        }
        false
    };
    command.split(split).filter(|word| !word.is_empty())
}

fn is_assignment(word: &str) -> bool {
    let is_name = |name: &str| !name.is_empty() && name.chars().all(|one| one.is_ascii_alphanumeric() || one == '_');
    word.split_once('=').is_some_and(|(name, _)| is_name(name))
}

/// Whether a word stands for what the reader puts there: `TARGET`, `<name>`, `[ARGS=…]`, `…`.
fn is_placeholder(word: &str) -> bool {
    let is_name = word.len() > 1 && word.chars().all(|one| one.is_ascii_uppercase() || one == '_');
    is_name || word.starts_with(['<', '[', '…', '.', '$'])
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAKEFILE: &str =
        "ARGS ?=\nTIME ?= 60\nFILE := x\n.PHONY: run\nrun: deps ## Run\n\tcargo run: x\ndeps lint:\n";

    fn findings(document: &str) -> Vec<String> {
        let tree = Tree::of(&[
            ("Makefile", MAKEFILE),
            (".cargo/config.toml", "[env]\nA = 1\n[alias]\nxtask = \"run\"\nlook = \"run\"\n"),
            (".gitignore", "/target\n"),
            ("console/package.json", "{\"scripts\": {\"e2e\": \"playwright test\"}}"),
            ("fuzz/Cargo.toml", "[[bin]]\nname = \"json\"\n"),
            ("scripts/fuzz.sh", ""),
            ("README.md", document),
        ]);
        let workspace = Workspace::of(&[("threadline-points", &[])]);
        let threadline = Help::parse("Commands:\n  serve  Run\n\nOptions:\n      --data <FOLDER>\n");
        let tasks = BTreeMap::from([("check".to_owned(), Help::parse("Options:\n      --binary <FILE>\n"))]);
        let known = Known::gather(&tree, &workspace, Some(threadline), tasks);
        check(&tree, &known).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_can_be_typed_passes() {
        for command in [
            "make run",
            "make run ARGS=\"--seed 2\"",
            "TIME=3 make deps lint",
            "make -j TARGET",
            "cargo build --release",
            "cargo xtask check --binary x",
            "cargo look",
            "cargo test -p threadline-points json",
            "cd console && npm run e2e",
            "cargo run --release --bin json -- artifacts/json/x",
            "threadline serve --data /tmp/x",
            "sudo threadline serve",
            "target/release/threadline serve &",
            "cargo run -- serve",
            "scripts/fuzz.sh 60",
            "curl -s http://127.0.0.1:7070/ | head",
            "$ threadline \\\n  serve",
            "# make nonsense",
            "threadline COMMAND --help-me",
            "cargo install x --bin y",
        ] {
            assert_eq!(findings(&format!("```sh\n{command}\n```\n")), [] as [String; 0], "{command}");
        }
        for span in ["make run", "make", "--data", "--data FOLDER", "--release", "threadline serve", "-- --x"] {
            assert_eq!(findings(&format!("`{span}`\n")), [] as [String; 0], "{span}");
        }
    }

    #[test]
    fn what_cannot_be_typed_is_found() {
        for command in [
            "make walk",
            "make run TIMES=3",
            "make phony",
            "cargo xtaks check",
            "cargo xtask chek",
            "cargo xtask check --bin x",
            "cargo test -p threadline-pionts",
            "cargo run --bin jsn",
            "cd console && npm run e3e",
            "threadline start",
            "threadline serve --datum x",
            "cargo run -- start",
            "scripts/fuzzy.sh 60",
            "bash scripts/none.sh",
            "$ threadline \\\n  start",
            "ls | threadline start",
            "target/release/threadline start",
        ] {
            assert_eq!(findings(&format!("```sh\n{command}\n```\n")).len(), 1, "{command}");
        }
        for span in ["make walk", "--datum", "threadline start", "cargo xtaks check"] {
            assert_eq!(findings(&format!("`{span}`\n")).len(), 1, "{span}");
        }
    }

    #[test]
    fn lines_are_counted_and_other_languages_are_not_read() {
        assert_eq!(
            findings("A\n\n```sh\nmake run\nmake walk\n```\n"),
            ["README.md:5: `make walk`: the Makefile has no `walk`"]
        );
        assert_eq!(findings("```text\nmake walk\n```\n"), [] as [String; 0]);
    }

    #[test]
    fn without_the_program_its_commands_are_not_waved_through() {
        let tree = Tree::of(&[("README.md", "`threadline serve`\n")]);
        let known = Known::gather(&tree, &Workspace::default(), None, BTreeMap::new());
        assert_eq!(check(&tree, &known).len(), 1);
    }
}
