//! What a command line accepts, read off its `--help` or its definition: subcommands and long options.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

/// One command: its long options (and whether they take a value) and its subcommands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Help {
    options: BTreeMap<String, bool>,
    subcommands: BTreeMap<String, Help>,
}

impl Help {
    /// Asks a program, and each of its subcommands, for `--help`.
    ///
    /// # Errors
    /// It cannot be run or does not succeed.
    pub(crate) fn of_program(program: &Path) -> Result<Help, crate::Failure> {
        Help::ask(program, &[])
    }

    fn ask(program: &Path, subcommand: &[String]) -> Result<Help, crate::Failure> {
        let answer = Command::new(program).args(subcommand).arg("--help").output();
        let answer = answer.map_err(|error| format!("{}: {error}", program.display()))?;
        if !answer.status.success() {
            return Err(format!("{} {} --help fails", program.display(), subcommand.join(" ")).into());
        }
        let mut help = Help::parse(&String::from_utf8_lossy(&answer.stdout));
        for (name, below) in &mut help.subcommands {
            let path: Vec<String> = subcommand.iter().chain([name]).cloned().collect();
            *below = Help::ask(program, &path)?;
        }
        Ok(help)
    }

    /// Reads one page of help as clap prints it. Subcommands are named but empty.
    pub(crate) fn parse(text: &str) -> Help {
        let mut help = Help::default();
        let mut in_commands = false;
        for line in text.lines() {
            if !line.starts_with(' ') {
                in_commands = line == "Commands:";
                continue;
            }
            let first = line.trim_start();
            let indent = line.len() - first.len();
            if in_commands && indent == 2 {
                let name = first.split_whitespace().next().unwrap_or_default();
                if name != "help" {
                    help.subcommands.insert(name.to_owned(), Help::default());
                }
            } else if first.starts_with('-') {
                // `-c, --config <FILE>  What it is`; what follows two blanks is prose.
                let head = first.split("  ").next().unwrap_or_default();
                for option in head.split([' ', ',']).filter(|word| word.starts_with("--") && word.len() > 2) {
                    help.options.insert(option.to_owned(), head.contains('<'));
                }
            }
        }
        help
    }

    /// Reads a definition.
    pub(crate) fn of_command(command: &clap::Command) -> Help {
        let options = command.get_arguments().filter_map(|argument| {
            let takes_value = argument.get_action().takes_values();
            argument.get_long().map(|long| (format!("--{long}"), takes_value))
        });
        let subcommands = command.get_subcommands().map(|below| (below.get_name().to_owned(), Help::of_command(below)));
        Help { options: options.collect(), subcommands: subcommands.collect() }
    }

    /// Whether this command or one below it has the option.
    pub(crate) fn knows_option(&self, option: &str) -> bool {
        self.options.contains_key(option) || self.subcommands.values().any(|below| below.knows_option(option))
    }

    /// What is wrong with these arguments, if anything. Values are not looked at, nor what stands for one (`FILE`, `…`).
    pub(crate) fn reason_against(&self, arguments: &[&str]) -> Option<String> {
        let mut here = self;
        let mut path = vec![self];
        let mut is_value = false;
        for argument in arguments {
            if std::mem::take(&mut is_value) {
                continue;
            }
            if argument.starts_with("--") {
                let (name, value) =
                    argument.split_once('=').map_or((*argument, None), |(name, value)| (name, Some(value)));
                let takes_value = path.iter().rev().find_map(|help| help.options.get(name));
                match takes_value {
                    Some(takes_value) => is_value = *takes_value && value.is_none(),
                    None => return Some(format!("there is no option `{name}`")),
                }
            } else if !argument.starts_with('-') && !here.subcommands.is_empty() {
                match here.subcommands.get(*argument) {
                    Some(below) => {
                        here = below;
                        path.push(below);
                    }
                    None if is_placeholder(argument) => return None,
                    None => return Some(format!("there is no subcommand `{argument}`")),
                }
            }
        }
        None
    }
}

/// Whether a word stands for what the reader puts there: `COMMAND`, `<FILE>`, `[…]`, `…`.
fn is_placeholder(word: &str) -> bool {
    let is_name = word.len() > 1 && word.chars().all(|character| character.is_ascii_uppercase() || character == '_');
    is_name || word.starts_with(['<', '[', '…', '.', '$'])
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "\
API traffic becomes sessions

Usage: threadline [OPTIONS] <COMMAND>

Commands:
  serve   Run everything
          in one process
  import  Turn recordings into sessions
  help    Print this message

Options:
  -h, --help     Print help (see more with '--help')
  -V, --version  Print version

Start here:
  threadline demo   see it work
";

    const SERVE: &str = "\
Options:
  -u, --upstream <URL>
          The API, as in --nonsense [env: THREADLINE_UPSTREAM=]
      --verbose
          Say more
";

    fn threadline() -> Help {
        let mut help = Help::parse(PAGE);
        help.subcommands.insert("serve".to_owned(), Help::parse(SERVE));
        help
    }

    #[test]
    fn a_page_of_help_is_read() {
        let help = threadline();
        assert_eq!(help.subcommands.keys().collect::<Vec<_>>(), ["import", "serve"]);
        assert!(help.subcommands["serve"].options["--upstream"]);
        assert!(!help.subcommands["serve"].options["--verbose"]);
        assert!(!help.knows_option("--nonsense"));
        assert!(help.knows_option("--upstream"));
    }

    #[test]
    fn a_definition_is_read() {
        let command = clap::Command::new("xtask")
            .subcommand(clap::Command::new("check").arg(clap::Arg::new("binary").long("binary")));
        assert_eq!(Help::of_command(&command).reason_against(&["check", "--binary", "x"]), None);
    }

    #[test]
    fn what_does_not_exist_is_named() {
        let help = threadline();
        assert_eq!(help.reason_against(&["serve", "--upstream", "http://127.0.0.1:9000", "--verbose"]), None);
        assert_eq!(help.reason_against(&["serve", "--upstream=x"]), None);
        assert_eq!(help.reason_against(&["COMMAND", "--anything"]), None);
        assert_eq!(help.reason_against(&["start"]).as_deref(), Some("there is no subcommand `start`"));
        assert_eq!(
            help.reason_against(&["serve", "--upstrem", "x"]).as_deref(),
            Some("there is no option `--upstrem`")
        );
        assert_eq!(help.reason_against(&["import", "--upstream"]).as_deref(), Some("there is no option `--upstream`"));
    }
}
