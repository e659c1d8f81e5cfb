//! The command line: what can be typed and what `--help` teaches. Nothing is done here.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// API traffic becomes sessions: who did what, in which order, and what came back.
#[derive(Debug, Parser)]
#[command(
    name = "threadline",
    version,
    about,
    long_about = "Threadline sits beside an API, sees requests and their responses, groups those of one actor into a \
                  session, and shows each session as a story in a console.",
    after_help = "Start here:\n  threadline demo                                     see it work on simulated traffic\n  threadline serve --upstream http://127.0.0.1:9000   put it in front of your own API\n  threadline import har recording.har                 look at a recording\n\nSettings come from a YAML file (--config), are overridden by environment variables, and those by options."
)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Subcommands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run proxy, hub, console and embedded store in one process.
    #[command(
        after_help = "Examples:\n  threadline serve --upstream http://127.0.0.1:9000\n  threadline serve --config threadline.yaml\n\nClients then talk to the proxy (127.0.0.1:8080 unless told otherwise) and people open the console (http://127.0.0.1:7070). The first start on a terminal prints a link that makes the first administrator; elsewhere it says which file holds the token."
    )]
    Serve(Box<ServeOptions>),
    /// Like serve, with a demo API and simulated clients: live sessions within seconds.
    #[command(
        after_help = "Nothing real is touched: the demo API and all clients run inside this process and talk HTTP over the loopback interface, through the same proxy that `serve` runs. The same seed gives the same actors."
    )]
    Demo(Box<DemoOptions>),
    /// Turn recordings into sessions.
    Import(ImportOptions),
    /// List every point of the exchanges in a recording, with its value: to find a grouping key.
    #[command(
        after_help = "A point is the address of a value inside an exchange, as in `response > body > json > property token`. What is listed can be used as it stands: as a parameter in the console, or in the policy of a configuration file. Values inside of values are listed too: claims of a token, JSON in a cookie.\n\nOn a terminal the list has columns; in a pipe each line has entry, point and value with tabs between.\n\nExamples:\n  threadline points recording.har --entry 1\n  threadline points recording.har --response | grep token"
    )]
    Points(PointsOptions),
    /// Keep the policy in a file: check it, see what it would change, apply it to a hub, export it.
    #[command(
        after_help = "The policy (applications, analysed traffic, masks, context parameters) is one YAML document, which can be kept in git. Without --hub the hub that runs on the data folder is asked. `schema` and `validate` ask nobody.\n\nExamples:\n  threadline policy export > policy.yaml\n  threadline policy validate policy.yaml\n  threadline policy diff policy.yaml\n  threadline policy apply policy.yaml --comment 'tenant is part of the cart key'"
    )]
    Policy(PolicyOptions),
    /// Give somebody a new password, when nobody can sign in any more.
    #[command(
        after_help = "Works on the data folder, whether a hub runs on it or not, for whoever may read and write it. The password is made up and shown once; the audit log says that it was reset."
    )]
    ResetPassword(ResetPasswordOptions),
    /// Replace the installation secret, which makes session IDs and hashes, by a new one.
    #[command(
        after_help = "Works on the data folder, whether a hub runs on it or not; a running one goes on with the former secret until it is restarted. The former secret stays in the file for as long as something is stored that it hashed, so that values can still be found. Run it when the file may have been seen by somebody, or when your rules ask for it."
    )]
    RotateSecret(RotateSecretOptions),
    /// Check a configuration file and say what is wrong with it, field by field.
    Check {
        /// The YAML file.
        file: PathBuf,
    },
    /// Print the OpenAPI 3.1 document of the hub's API.
    Openapi,
}

/// Settings of `serve` that may also stand in the file.
#[derive(Debug, Default, Args)]
pub(crate) struct Settings {
    /// YAML configuration file.
    #[arg(long, short, value_name = "FILE", env = "THREADLINE_CONFIG", hide_env_values = true)]
    pub(crate) config: Option<PathBuf>,
    /// Folder for everything that is kept: sessions, settings, the installation secret [default: ./threadline-data, for a demo
    /// ./threadline-demo-data]
    #[arg(long, value_name = "FOLDER", env = "THREADLINE_DATA", hide_env_values = true)]
    pub(crate) data: Option<PathBuf>,
    /// Where clients connect; port 0 takes a free one [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS:PORT", env = "THREADLINE_PROXY_LISTEN", hide_env_values = true)]
    pub(crate) listen: Option<SocketAddr>,
    /// Where people open the console; port 0 takes a free one [default: 127.0.0.1:7070]
    #[arg(long, value_name = "ADDRESS:PORT", env = "THREADLINE_CONSOLE_LISTEN", hide_env_values = true)]
    pub(crate) console: Option<SocketAddr>,
    /// Let the console be reached from other machines although it speaks plain HTTP (put TLS in front of it).
    #[arg(
        long,
        value_name = "true|false",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        value_parser = clap::builder::BoolishValueParser::new(),
        env = "THREADLINE_CONSOLE_ALLOW_REMOTE",
        hide_env_values = true
    )]
    pub(crate) console_allow_remote: Option<bool>,
    /// Where browsers reach the console when TLS ends in front of it, as in https://threadline.example
    #[arg(long, value_name = "URL", env = "THREADLINE_CONSOLE_PUBLIC_URL", hide_env_values = true)]
    pub(crate) console_public_url: Option<String>,
    /// YAML file that manages the policy: it is followed, and nobody else can change the policy
    #[arg(long, value_name = "FILE", env = "THREADLINE_POLICY_FILE", hide_env_values = true)]
    pub(crate) policy_file: Option<PathBuf>,
    /// Days that sessions are kept [default: 7]
    #[arg(long, value_name = "DAYS", env = "THREADLINE_RETENTION_DAYS", hide_env_values = true)]
    pub(crate) retention_days: Option<u32>,
    /// How the log is written [default: text]
    #[arg(long, value_enum, env = "THREADLINE_LOG_FORMAT", hide_env_values = true)]
    pub(crate) log_format: Option<LogFormat>,
    /// What is logged: error, warn, info, debug, or per module as in `info,threadline_hub=debug` [default: info]
    #[arg(long, value_name = "FILTER", env = "THREADLINE_LOG", hide_env_values = true)]
    pub(crate) log: Option<String>,
    /// Write the addresses as one line of JSON to this file once everything is up (for scripts and tests).
    #[arg(long, value_name = "FILE")]
    pub(crate) announce: Option<PathBuf>,
}

/// `threadline serve`
#[derive(Debug, Default, Args)]
pub(crate) struct ServeOptions {
    /// The API that requests are passed on to, as in http://127.0.0.1:9000
    #[arg(long, short, value_name = "URL", env = "THREADLINE_UPSTREAM", hide_env_values = true)]
    pub(crate) upstream: Option<String>,
    #[command(flatten)]
    pub(crate) settings: Settings,
}

/// `threadline demo`
#[derive(Debug, Default, Args)]
pub(crate) struct DemoOptions {
    /// Which actors appear and what they do.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// How fast simulated people act: 1 is a lively demo, 10 ten times as fast, 0 as fast as possible.
    #[arg(long, default_value_t = 1.0)]
    pub(crate) pace: f64,
    /// Stop the simulated clients after this many requests; the console stays up.
    #[arg(long, value_name = "REQUESTS")]
    pub(crate) requests: Option<u64>,
    /// Write which actor sent which request to this file, as JSON Lines.
    #[arg(long, value_name = "FILE")]
    pub(crate) truth: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) settings: Settings,
}

/// `threadline import`
#[derive(Debug, Args)]
pub(crate) struct ImportOptions {
    /// The kind of file.
    #[command(subcommand)]
    pub(crate) format: ImportFormat,
}

/// Kinds of recordings.
#[derive(Debug, Subcommand)]
pub(crate) enum ImportFormat {
    /// HTTP Archive files, as browsers and debugging proxies export them.
    #[command(
        after_help = "Entries keep their original times. Imported exchanges have a retention of their own (30 days after the import unless set otherwise), so last year's recording can be looked at. Importing the same file again adds nothing. If a hub runs on the same data folder, the import goes through it; otherwise the folder is opened for the time of the import."
    )]
    Har(ImportHarOptions),
}

/// `threadline import har`
#[derive(Debug, Args)]
pub(crate) struct ImportHarOptions {
    /// The files.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// YAML configuration file.
    #[arg(long, short, value_name = "FILE", env = "THREADLINE_CONFIG", hide_env_values = true)]
    pub(crate) config: Option<PathBuf>,
    /// The data folder of the hub [default: ./threadline-data]
    #[arg(long, value_name = "FOLDER", env = "THREADLINE_DATA", hide_env_values = true)]
    pub(crate) data: Option<PathBuf>,
    /// A hub elsewhere, as in http://127.0.0.1:7070 (needs --token, and a copy of that hub's secret in the data folder)
    #[arg(long, value_name = "URL", env = "THREADLINE_HUB", hide_env_values = true, requires = "token")]
    pub(crate) hub: Option<String>,
    /// An API token of that hub; prefer the environment variable, which other users of this machine cannot see.
    #[arg(long, env = "THREADLINE_TOKEN", hide_env_values = true)]
    pub(crate) token: Option<String>,
}

/// `threadline points`
#[derive(Debug, Args)]
pub(crate) struct PointsOptions {
    /// The HTTP Archive file.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Only this entry of the file, counted from 1.
    #[arg(long, value_name = "N")]
    pub(crate) entry: Option<usize>,
    /// Only points of the request.
    #[arg(long)]
    pub(crate) request: bool,
    /// Only points of the response.
    #[arg(long)]
    pub(crate) response: bool,
    /// Write one JSON object for each exchange.
    #[arg(long)]
    pub(crate) json: bool,
}

/// `threadline policy`
#[derive(Debug, Args)]
pub(crate) struct PolicyOptions {
    /// What to do with it.
    #[command(subcommand)]
    pub(crate) command: PolicyCommand,
}

/// What `threadline policy` does.
#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    /// Print the JSON Schema (2020-12) of a policy, for editors.
    Schema,
    /// Check a policy without asking a hub: every mistake with its line, field and reason.
    Validate {
        /// The YAML or JSON file; - reads standard input.
        file: PathBuf,
    },
    /// Print the policy that holds, or a version, as YAML that can be applied again.
    Export {
        /// A version of the history instead of the one that holds.
        #[arg(long, value_name = "N")]
        version: Option<u64>,
        #[command(flatten)]
        hub: HubOptions,
    },
    /// Say what applying a file would change. Ends with 0 when nothing, 1 when something, 2 when it cannot be said.
    Diff {
        /// The YAML or JSON file; - reads standard input.
        file: PathBuf,
        #[command(flatten)]
        hub: HubOptions,
    },
    /// Make a file the policy, as a new version, all at once or not at all. The file stays as it is.
    Apply {
        /// The YAML or JSON file; - reads standard input.
        file: PathBuf,
        /// Refuse when another version than this one holds, and say who saved what since.
        #[arg(long, value_name = "N")]
        base: Option<u64>,
        /// What the change is about, at most 500 characters; kept with the version.
        #[arg(long, value_name = "TEXT")]
        comment: Option<String>,
        /// Say what would change and change nothing.
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        hub: HubOptions,
    },
}

/// Which hub a command talks to.
#[derive(Debug, Args)]
pub(crate) struct HubOptions {
    /// YAML configuration file.
    #[arg(long, short, value_name = "FILE", env = "THREADLINE_CONFIG", hide_env_values = true)]
    pub(crate) config: Option<PathBuf>,
    /// The data folder of the hub [default: ./threadline-data]
    #[arg(long, value_name = "FOLDER", env = "THREADLINE_DATA", hide_env_values = true)]
    pub(crate) data: Option<PathBuf>,
    /// A hub elsewhere, as in http://127.0.0.1:7070 (needs --token)
    #[arg(long, value_name = "URL", env = "THREADLINE_HUB", hide_env_values = true, requires = "token")]
    pub(crate) hub: Option<String>,
    /// An API token of that hub; prefer the environment variable, which other users of this machine cannot see.
    #[arg(long, env = "THREADLINE_TOKEN", hide_env_values = true)]
    pub(crate) token: Option<String>,
}

/// `threadline reset-password`
#[derive(Debug, Args)]
pub(crate) struct ResetPasswordOptions {
    /// Whose password.
    pub(crate) name: String,
    /// YAML configuration file.
    #[arg(long, short, value_name = "FILE", env = "THREADLINE_CONFIG", hide_env_values = true)]
    pub(crate) config: Option<PathBuf>,
    /// The data folder of the hub [default: ./threadline-data]
    #[arg(long, value_name = "FOLDER", env = "THREADLINE_DATA", hide_env_values = true)]
    pub(crate) data: Option<PathBuf>,
}

/// `threadline rotate-secret`
#[derive(Debug, Args)]
pub(crate) struct RotateSecretOptions {
    /// YAML configuration file.
    #[arg(long, short, value_name = "FILE", env = "THREADLINE_CONFIG", hide_env_values = true)]
    pub(crate) config: Option<PathBuf>,
    /// The data folder of the hub [default: ./threadline-data]
    #[arg(long, value_name = "FOLDER", env = "THREADLINE_DATA", hide_env_values = true)]
    pub(crate) data: Option<PathBuf>,
}

/// How the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    /// One line a person can read.
    Text,
    /// One JSON object a line.
    Json,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        super::Cli::command().debug_assert();
    }
}
