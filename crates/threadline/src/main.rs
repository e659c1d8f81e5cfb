//! The binary: reads the command line, assembles node and hub, and reports errors once, at the edge.

mod announce;
mod cli;
mod clients;
mod configuration;
mod demo;
mod exports;
mod hashes;
mod hub_client;
mod import;
mod installation;
mod logging;
mod managed_policy;
mod metrics;
mod points;
mod policy_command;
mod policy_file;
mod recent;
mod rotate_secret;
mod serve;
mod signals;
mod try_out;

use std::error::Error;
use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser;
use cli::{Cli, Command, ImportFormat, Settings};
use configuration::{Configuration, DATA_FOLDER, Document};
use threadline_model::SystemClock;

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(code) => code,
        Err(error) => {
            report_error(error.as_ref());
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<ExitCode, Box<dyn Error>> {
    match command {
        Command::Serve(options) => {
            let announce = options.settings.announce.clone();
            let configuration = configure(options.settings, options.upstream, DATA_FOLDER)?;
            runtime()?.block_on(serve::run(configuration, announce, |_, _| std::future::ready(())))?;
        }
        Command::Demo(options) => {
            let mut options = *options;
            let announce = options.settings.announce.clone();
            let configuration = configure(std::mem::take(&mut options.settings), None, demo::DATA_FOLDER)?;
            options.settings.announce = announce;
            runtime()?.block_on(demo::run(configuration, options))?;
        }
        Command::Import(options) => {
            let ImportFormat::Har(options) = options.format;
            let settings = Settings {
                config: options.config.clone(),
                data: options.data.clone(),
                log: Some("warn".to_owned()),
                ..Settings::default()
            };
            let configuration = configure(settings, None, DATA_FOLDER)?;
            if !runtime()?.block_on(import::run(&configuration, &options))? {
                return Ok(ExitCode::FAILURE);
            }
        }
        Command::Points(options) => {
            if !points::run(&options)? {
                return Ok(ExitCode::FAILURE);
            }
        }
        Command::Policy(options) => return policy_command::run(options.command),
        Command::Check { file } => {
            let text = configuration::read_text(&file)?;
            let document = configuration::parse_file(&file, &text)?;
            let checked = configuration::validate(document).map_err(|mistakes| mistakes.in_file(&file, &text))?;
            if let Some(policy) = checked.policy_file {
                policy_file::judge(&policy, &policy_file::read_text(&policy)?)?;
            }
            print(&format!("{}: good\n", file.display()));
        }
        Command::ResetPassword(options) => {
            let settings = Settings {
                config: options.config,
                data: options.data,
                log: Some("warn".to_owned()),
                ..Settings::default()
            };
            let configuration = configure(settings, None, DATA_FOLDER)?;
            let reset = threadline_hub::reset_password(&configuration.data, &options.name, &SystemClock);
            let password = runtime()?.block_on(reset)?;
            print(&format!(
                "The new password of {}:\n\n  {password}\n\nAll their sign-ins have ended. It is shown this once.\n",
                options.name
            ));
        }
        Command::RotateSecret(options) => {
            let settings = Settings {
                config: options.config,
                data: options.data,
                log: Some("warn".to_owned()),
                ..Settings::default()
            };
            print(&rotate_secret::run(&configure(settings, None, DATA_FOLDER)?, &SystemClock)?);
        }
        Command::Openapi => print(&threadline_hub::openapi_document()),
    }
    Ok(ExitCode::SUCCESS)
}

/// File, then environment and options over it (clap has put the environment into the options), then validation.
pub(crate) fn configure(
    settings: Settings,
    upstream: Option<String>,
    data_folder: &str,
) -> Result<Configuration, Box<dyn Error>> {
    let mut document = match &settings.config {
        Some(file) => configuration::parse_file(file, &configuration::read_text(file)?)?,
        None => Document::default(),
    };
    let Settings {
        data,
        listen,
        console,
        console_allow_remote,
        console_public_url,
        policy_file,
        retention_days,
        log_format,
        log,
        ..
    } = settings;
    document.data = data.or(document.data).or_else(|| Some(data_folder.into()));
    document.proxy.listen = listen.or(document.proxy.listen);
    document.proxy.upstream = upstream.or(document.proxy.upstream);
    document.hub.listen = console.or(document.hub.listen);
    document.hub.allow_remote = console_allow_remote.or(document.hub.allow_remote);
    document.hub.public_url = console_public_url.or(document.hub.public_url);
    document.policy_file = policy_file.or(document.policy_file);
    document.retention.days = retention_days.or(document.retention.days);
    document.log.format = log_format.or(document.log.format);
    document.log.filter = log.or(document.log.filter);
    let configuration = configuration::validate(document)?;
    logging::install(configuration.log_format, &configuration.log_filter)?;
    Ok(configuration)
}

pub(crate) fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()
}

/// Writes to standard output.
pub(crate) fn print(text: &str) {
    // A closed pipe is not an error of ours.
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
}

/// Writes an error with its causes to standard error.
pub(crate) fn report_error(error: &dyn Error) {
    let mut text = format!("threadline: {error}");
    let mut cause = error.source();
    while let Some(source) = cause {
        let reason = source.to_string();
        // Errors that wrap another without words of their own repeat it.
        if !text.ends_with(&reason) {
            text += &format!("\n  because: {reason}");
        }
        cause = source.source();
    }
    text.push('\n');
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}
