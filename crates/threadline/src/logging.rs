//! The log: text for people or JSON for machines, on standard error.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

use crate::cli::LogFormat;

/// Installs the log for the whole process. The error names the part of the filter that cannot be read.
pub(crate) fn install(format: LogFormat, filter: &str) -> Result<(), String> {
    let filter = parse(filter).map_err(|error| format!("log filter: {error}"))?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let installed = match format {
        LogFormat::Text => {
            let terminal = std::io::IsTerminal::is_terminal(&std::io::stderr());
            builder.with_ansi(terminal).with_target(false).try_init()
        }
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    installed.map_err(|error| error.to_string())
}

/// Reads a filter. A bare word has to be a level: the library would take `wran` for the name of a module and keep
/// silent about everything else.
pub(crate) fn parse(filter: &str) -> Result<EnvFilter, String> {
    for directive in filter.split(',').map(str::trim).filter(|directive| !directive.is_empty()) {
        let bare = !directive.contains(['=', '[', ']', '{', '}']);
        if bare && directive.parse::<LevelFilter>().is_err() {
            return Err(format!(
                "`{directive}` is no level (off, error, warn, info, debug, trace); for a module write {directive}=debug"
            ));
        }
    }
    EnvFilter::builder().parse(filter).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_level_is_refused_instead_of_silencing_the_log() {
        for good in ["info", "WARN", "off", "info,threadline_hub=debug", "debug,hyper=info,h2=info"] {
            assert!(parse(good).is_ok(), "{good}");
        }
        for bad in ["wran", "info,wran", "threadline_hub", "x=loud", "info,threadline_hub=verbose"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
