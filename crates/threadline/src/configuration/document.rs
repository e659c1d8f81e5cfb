//! The configuration file as written: every key optional, unknown keys refused by name and line.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer};
use threadline_policy::PolicyDocument;

use crate::cli::LogFormat;

/// A configuration file may hold at most this many bytes.
const MAXIMUM_BYTES: u64 = 1 << 20;

/// The whole file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Document {
    /// Folder for everything that is kept.
    pub(crate) data: Option<PathBuf>,
    /// Name of this node in every exchange it exports.
    pub(crate) node: Option<String>,
    /// The inline proxy.
    #[serde(deserialize_with = "or_default")]
    pub(crate) proxy: ProxyDocument,
    /// What analysing one exchange may cost.
    #[serde(deserialize_with = "or_default")]
    pub(crate) analysis: AnalysisDocument,
    /// API and console.
    #[serde(deserialize_with = "or_default")]
    pub(crate) hub: HubDocument,
    /// How long things are kept.
    #[serde(deserialize_with = "or_default")]
    pub(crate) retention: RetentionDocument,
    /// The embedded store.
    #[serde(deserialize_with = "or_default")]
    pub(crate) store: StoreDocument,
    /// The log.
    #[serde(deserialize_with = "or_default")]
    pub(crate) log: LogDocument,
    /// The policy, applied when this file was edited.
    pub(crate) policy: Option<PolicyDocument>,
    /// A file of its own that manages the policy instead; relative to the folder of the configuration file.
    pub(crate) policy_file: Option<PathBuf>,
}

/// `proxy:`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ProxyDocument {
    pub(crate) listen: Option<SocketAddr>,
    pub(crate) upstream: Option<String>,
    pub(crate) capture_request_bytes: Option<usize>,
    pub(crate) capture_response_bytes: Option<usize>,
    pub(crate) capture_budget_bytes: Option<usize>,
    pub(crate) strict_framing: Option<bool>,
    /// Part of the policy now: whatever is written here is an error that says so.
    pub(crate) trusted_proxies: Option<serde_json::Value>,
    pub(crate) upstream_connections: Option<usize>,
    pub(crate) threads: Option<usize>,
}

/// `analysis:`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct AnalysisDocument {
    pub(crate) depth: Option<usize>,
    pub(crate) rounds: Option<usize>,
    pub(crate) values: Option<usize>,
    pub(crate) decoded_bytes: Option<usize>,
    pub(crate) decoded_ratio: Option<usize>,
    pub(crate) parse_errors: Option<usize>,
}

/// `hub:`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct HubDocument {
    pub(crate) listen: Option<SocketAddr>,
    pub(crate) allow_remote: Option<bool>,
    #[serde(deserialize_with = "or_default")]
    pub(crate) host_names: Vec<String>,
    pub(crate) public_url: Option<String>,
    #[serde(deserialize_with = "or_default")]
    pub(crate) trusted_proxies: Vec<String>,
}

/// `retention:`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RetentionDocument {
    pub(crate) days: Option<u32>,
    pub(crate) import_days: Option<u32>,
}

/// `store:`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct StoreDocument {
    pub(crate) memory_limit_megabytes: Option<u32>,
}

/// `log:`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct LogDocument {
    pub(crate) format: Option<LogFormat>,
    pub(crate) filter: Option<String>,
}

/// A section of which every line was commented out is written as `proxy:` and read as null: nothing is set in it.
fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(deserializer: D) -> Result<T, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// Why a file could not be read as a configuration.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DocumentError {
    /// The file could not be opened or read.
    #[error("cannot read {}", path.display())]
    Read {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    /// More than [`MAXIMUM_BYTES`].
    #[error("{} is larger than 1 MiB; a configuration is not", path.display())]
    TooLarge { path: PathBuf },
    /// Not YAML, or not the keys and types of a configuration. The message names line, column and key.
    #[error("{}: {message}", path.display())]
    Malformed { path: PathBuf, message: String },
}

/// Reads a file's text.
pub(crate) fn read_text(path: &Path) -> Result<String, DocumentError> {
    let read_error = |source| DocumentError::Read { path: path.to_owned(), source };
    if std::fs::metadata(path).map_err(read_error)?.len() > MAXIMUM_BYTES {
        return Err(DocumentError::TooLarge { path: path.to_owned() });
    }
    std::fs::read_to_string(path).map_err(read_error)
}

/// Reads the text of a file. An empty one is a configuration in which nothing is set.
pub(crate) fn parse_file(path: &Path, text: &str) -> Result<Document, DocumentError> {
    let malformed = |message| DocumentError::Malformed { path: path.to_owned(), message };
    let mut document = parse(text).map_err(malformed)?;
    if let (Some(file), Some(folder)) = (&mut document.policy_file, path.parent()) {
        *file = folder.join(&*file);
    }
    Ok(document)
}

/// Reads text; the error is ready to be shown and names the line.
pub(crate) fn parse(text: &str) -> Result<Document, String> {
    if text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
        return Ok(Document::default());
    }
    serde_saphyr::from_str(text).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn unknown_keys_are_refused_by_name_and_line() {
        for (text, name, line) in [
            ("proxy:\n  lisen: 127.0.0.1:1\n", "lisen", "line 2"),
            ("proxi: {}\n", "proxi", "line 1"),
            (
                "policy:\n  parameters:\n    - name: a\n      point: request > method\n      groupp: true\n",
                "groupp",
                "line 5",
            ),
        ] {
            let message = parse(text).unwrap_err();
            assert!(message.contains(name) && message.contains(line), "{message}");
        }
    }

    #[test]
    fn wrong_types_name_their_line() {
        let message = parse("retention:\n  days: many\n").unwrap_err();
        assert!(message.contains("line 2"), "{message}");
    }

    #[test]
    fn a_section_with_every_line_commented_out_is_empty() {
        for section in ["proxy", "analysis", "hub", "retention", "store", "log", "policy"] {
            let text = format!("node: a\n{section}:\n  # listen: 127.0.0.1:1\n");
            assert!(parse(&text).is_ok(), "{section}: {:?}", parse(&text).unwrap_err());
        }
        assert!(parse("hub:\n  host_names:\n  # - a\n").is_ok());
    }

    #[test]
    fn nothing_set_is_a_configuration() {
        assert!(parse("").is_ok());
        assert!(parse("# only a remark\n").is_ok());
    }
}
