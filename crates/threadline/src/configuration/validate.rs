//! From what was written to what is used. All mistakes are collected, each with its field and reason.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use threadline_capture::proxy::UpstreamAddress;
use threadline_hub::PublicUrl;
use threadline_model::Network;
use threadline_points::Bounds;
use threadline_policy::{Policy, PolicyDocument};

use super::Document;
use super::document::AnalysisDocument;
use super::place::line_of;
use crate::cli::LogFormat;

/// Where everything is kept, unless told otherwise.
pub(crate) const DATA_FOLDER: &str = "threadline-data";

/// Everything `serve` needs, checked.
#[derive(Debug)]
pub(crate) struct Configuration {
    pub(crate) data: PathBuf,
    pub(crate) node: String,
    pub(crate) proxy: ProxyConfiguration,
    /// What analysing one exchange may cost.
    pub(crate) bounds: Bounds,
    pub(crate) hub: HubConfiguration,
    pub(crate) retention_days: u32,
    pub(crate) import_retention_days: u32,
    pub(crate) store_memory_megabytes: u32,
    pub(crate) log_format: LogFormat,
    pub(crate) log_filter: String,
    /// The policy the file asks for, if it names one.
    pub(crate) policy: Option<PolicyDocument>,
    /// The file that manages the policy instead.
    pub(crate) policy_file: Option<PathBuf>,
}

/// Settings of the inline proxy.
#[derive(Debug)]
pub(crate) struct ProxyConfiguration {
    pub(crate) listen: SocketAddr,
    /// `None`: no proxy is started (files only).
    pub(crate) upstream: Option<String>,
    pub(crate) capture_request_bytes: usize,
    pub(crate) capture_response_bytes: usize,
    pub(crate) capture_budget_bytes: usize,
    pub(crate) strict_framing: bool,
    /// For each thread.
    pub(crate) upstream_connections: usize,
    pub(crate) threads: NonZeroUsize,
}

/// Settings of API and console.
#[derive(Debug)]
pub(crate) struct HubConfiguration {
    pub(crate) listen: SocketAddr,
    pub(crate) host_names: Vec<String>,
    /// Where browsers reach the console when TLS ends in front of it.
    pub(crate) public_url: Option<PublicUrl>,
    /// Who may say in `X-Forwarded-For` for whom they ask.
    pub(crate) trusted_proxies: Vec<Network>,
}

/// Every mistake found, one line each: where in the file if that is known, field, then reason.
#[derive(Debug, Default)]
pub(crate) struct InvalidConfiguration {
    file: Option<PathBuf>,
    mistakes: Vec<Mistake>,
}

#[derive(Debug)]
struct Mistake {
    field: String,
    reason: String,
    line: Option<usize>,
}

impl InvalidConfiguration {
    /// Says where in its file each field stands. Only for a document that nothing was laid over.
    pub(crate) fn in_file(mut self, file: &Path, text: &str) -> Self {
        self.file = Some(file.to_owned());
        for mistake in &mut self.mistakes {
            mistake.line = line_of(text, &mistake.field);
        }
        self
    }
}

impl fmt::Display for InvalidConfiguration {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            write!(formatter, "{}: ", file.display())?;
        }
        formatter.write_str("the configuration cannot be used:")?;
        for Mistake { field, reason, line } in &self.mistakes {
            formatter.write_str("\n  ")?;
            if let Some(line) = line {
                write!(formatter, "line {line}: ")?;
            }
            write!(formatter, "{field}: {reason}")?;
        }
        Ok(())
    }
}

impl std::error::Error for InvalidConfiguration {}

/// Largest bounded copy of one body that may be configured.
const MAXIMUM_CAPTURE_BYTES: usize = 16 << 20;

/// Networks of proxies in front; each is compared with each new connection.
const MAXIMUM_TRUSTED_PROXIES: usize = 64;

/// Checks a document and fills in the defaults.
pub(crate) fn validate(document: Document) -> Result<Configuration, InvalidConfiguration> {
    let mut mistakes = Vec::new();
    let mut refuse =
        |field: &str, reason: String| mistakes.push(Mistake { field: field.to_owned(), reason, line: None });

    let proxy = document.proxy;
    let hub = document.hub;
    for (field, value) in [
        ("proxy.capture_request_bytes", proxy.capture_request_bytes),
        ("proxy.capture_response_bytes", proxy.capture_response_bytes),
    ] {
        if value.is_some_and(|bytes| bytes > MAXIMUM_CAPTURE_BYTES) {
            refuse(field, format!("at most {MAXIMUM_CAPTURE_BYTES} bytes (16 MiB) of a body are captured"));
        }
    }
    if proxy.threads.is_some_and(|threads| threads == 0 || threads > 256) {
        refuse("proxy.threads", "from 1 to 256".to_owned());
    }
    if proxy.upstream_connections.is_some_and(|connections| connections == 0 || connections > 65_536) {
        refuse("proxy.upstream_connections", "from 1 to 65536".to_owned());
    }
    if proxy.trusted_proxies.is_some() {
        let reason = "is part of the policy now, where it can be changed while running; write \
                      `policy: trusted_proxies: networks` instead, or set it in the console";
        refuse("proxy.trusted_proxies", reason.to_owned());
    }
    let mut networks = |field: &str, texts: &[String]| {
        if texts.len() > MAXIMUM_TRUSTED_PROXIES {
            refuse(field, format!("at most {MAXIMUM_TRUSTED_PROXIES} networks"));
        }
        let mut networks: Vec<Network> = Vec::with_capacity(texts.len());
        for (position, text) in texts.iter().enumerate() {
            match text.parse() {
                Ok(network) => networks.push(network),
                Err(reason) => refuse(&format!("{field}[{position}]"), format!("{reason}")),
            }
        }
        networks
    };
    let proxies_before_the_hub = networks("hub.trusted_proxies", &hub.trusted_proxies);
    let bounds = bounds(&document.analysis, &mut refuse);
    if let Some(upstream) = &proxy.upstream
        && let Err(reason) = upstream.parse::<UpstreamAddress>()
    {
        refuse("proxy.upstream", reason.to_string());
    }
    for (field, value) in
        [("retention.days", document.retention.days), ("retention.import_days", document.retention.import_days)]
    {
        if value.is_some_and(|days| days == 0 || days > 3_660) {
            refuse(field, "from 1 to 3660 days".to_owned());
        }
    }
    if document.store.memory_limit_megabytes.is_some_and(|megabytes| megabytes < 128) {
        refuse("store.memory_limit_megabytes", "at least 128".to_owned());
    }
    let hub_listen = hub.listen.unwrap_or(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 7070));
    if !hub_listen.ip().is_loopback() && !hub.allow_remote.unwrap_or(false) {
        refuse(
            "hub.listen",
            format!(
                "{hub_listen} can be reached from other machines and the console speaks plain HTTP; put TLS in front of it and set hub.allow_remote: true"
            ),
        );
    }
    for (position, name) in hub.host_names.iter().enumerate() {
        if let Err(reason) = check_host_name(name) {
            refuse(&format!("hub.host_names[{position}]"), reason.to_owned());
        }
    }
    let public_url = hub.public_url.map(|text| text.parse::<PublicUrl>()).transpose();
    if let Err(reason) = &public_url {
        refuse("hub.public_url", reason.to_string());
    }
    let log_filter = document.log.filter.unwrap_or_else(|| "info".to_owned());
    if let Err(reason) = crate::logging::parse(&log_filter) {
        refuse("log.filter", reason);
    }
    let node = document.node.unwrap_or_else(default_node_name);
    if node.is_empty() || node.len() > 64 || node.chars().any(char::is_control) {
        refuse("node", "a name of 1 to 64 characters without control characters".to_owned());
    }
    if document.policy.is_some() && document.policy_file.is_some() {
        let reason =
            "cannot stand beside `policy`: the policy is a section of this file or a file of its own, not both";
        refuse("policy_file", reason.to_owned());
    }
    if let Some(policy) = &document.policy
        && let Err(errors) = Policy::validate(1, policy.clone())
    {
        for error in errors {
            refuse(&format!("policy.{}", error.field), error.reason);
        }
    }
    if document.policy.is_some() && document.policy_file.is_some() {
        let reason = "the policy stands in `policy` already: keep one of the two";
        refuse("policy_file", reason.to_owned());
    }
    if !mistakes.is_empty() {
        return Err(InvalidConfiguration { file: None, mistakes });
    }
    Ok(Configuration {
        data: document.data.unwrap_or_else(|| PathBuf::from(DATA_FOLDER)),
        node,
        proxy: ProxyConfiguration {
            listen: proxy.listen.unwrap_or(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080)),
            upstream: proxy.upstream,
            capture_request_bytes: proxy.capture_request_bytes.unwrap_or(64 << 10),
            capture_response_bytes: proxy.capture_response_bytes.unwrap_or(64 << 10),
            capture_budget_bytes: proxy.capture_budget_bytes.unwrap_or(64 << 20),
            strict_framing: proxy.strict_framing.unwrap_or(true),
            upstream_connections: proxy.upstream_connections.unwrap_or(1_024),
            threads: proxy
                .threads
                .and_then(NonZeroUsize::new)
                .or_else(|| std::thread::available_parallelism().ok())
                .unwrap_or(NonZeroUsize::MIN),
        },
        bounds,
        hub: HubConfiguration {
            listen: hub_listen,
            host_names: hub.host_names,
            public_url: public_url.ok().flatten(),
            trusted_proxies: proxies_before_the_hub,
        },
        retention_days: document.retention.days.unwrap_or(7),
        import_retention_days: document.retention.import_days.unwrap_or(30),
        store_memory_megabytes: document.store.memory_limit_megabytes.unwrap_or(512),
        log_format: document.log.format.unwrap_or(LogFormat::Text),
        log_filter,
        policy: document.policy,
        policy_file: document.policy_file,
    })
}

/// The bounds on analysing one exchange. Each may be moved within a range in which the node stays safe and useful.
fn bounds(written: &AnalysisDocument, refuse: &mut impl FnMut(&str, String)) -> Bounds {
    let mut bounds = Bounds::default();
    for (field, value, bound, range) in [
        ("analysis.depth", written.depth, &mut bounds.depth, 8..=Bounds::MAXIMUM_DEPTH),
        ("analysis.rounds", written.rounds, &mut bounds.rounds, 1..=Bounds::MAXIMUM_ROUNDS),
        ("analysis.values", written.values, &mut bounds.values, 1..=4096),
        ("analysis.decoded_bytes", written.decoded_bytes, &mut bounds.decoded_bytes, 64 << 10..=64 << 20),
        ("analysis.decoded_ratio", written.decoded_ratio, &mut bounds.decoded_ratio, 2..=10_000),
        ("analysis.parse_errors", written.parse_errors, &mut bounds.parse_errors, 1..=64),
    ] {
        match value {
            Some(value) if range.contains(&value) => *bound = value,
            Some(_) => refuse(field, format!("from {} to {}", range.start(), range.end())),
            None => {}
        }
    }
    bounds
}

/// Names are compared with the `Host` header without its port.
fn check_host_name(name: &str) -> Result<(), &'static str> {
    if name.contains("://") || name.contains('/') {
        return Err(
            "a name such as threadline.internal, without scheme and path (for an https address see public_url)",
        );
    }
    if name.contains(':') {
        return Err("a name such as threadline.internal, without port; addresses need not be listed");
    }
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    if name.is_empty() || name.len() > 253 || !name.bytes().all(allowed) || name.starts_with('.') || name.ends_with('.')
    {
        return Err("a name such as threadline.internal: letters, digits, dots and hyphens");
    }
    Ok(())
}

fn default_node_name() -> String {
    // Not from /proc: services are often not shown it.
    let system = rustix::system::uname();
    let name = system.nodename().to_string_lossy();
    let name: String = name.chars().filter(|character| !character.is_control()).take(64).collect();
    Some(name).filter(|name| !name.is_empty() && name.len() <= 64).unwrap_or_else(|| "node".to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::document::parse;
    use super::*;

    fn fields_of(mistakes: InvalidConfiguration) -> Vec<String> {
        mistakes.mistakes.into_iter().map(|mistake| mistake.field).collect()
    }

    #[test]
    fn what_serve_would_stumble_over_is_refused_here() {
        for (text, field) in [
            ("log: {filter: wran}", "log.filter"),
            ("log: {filter: 'info,threadline_hub=loud'}", "log.filter"),
            ("hub: {host_names: ['threadline.internal:7070']}", "hub.host_names[0]"),
            ("hub: {host_names: [a, 'http://threadline.internal']}", "hub.host_names[1]"),
            ("hub: {host_names: ['']}", "hub.host_names[0]"),
            ("hub: {public_url: 'http://threadline.example'}", "hub.public_url"),
            ("hub: {public_url: 'https://threadline.example/console'}", "hub.public_url"),
            ("hub: {trusted_proxies: ['10.0.0.0/40']}", "hub.trusted_proxies[0]"),
        ] {
            assert_eq!(fields_of(validate(parse(text).unwrap()).unwrap_err()), [field], "{text}");
        }
        let text = "hub: {host_names: [threadline.internal], public_url: 'https://threadline.example', \
                    trusted_proxies: [127.0.0.1, '10.0.0.0/8']}";
        let hub = validate(parse(text).unwrap()).unwrap().hub;
        assert!(hub.public_url.is_some() && hub.trusted_proxies.len() == 2);
    }

    #[test]
    fn mistakes_in_a_file_are_shown_with_their_line() {
        let text = "proxy:\n  upstream: ftp://x\n";
        let shown = validate(parse(text).unwrap()).unwrap_err().in_file(Path::new("a.yaml"), text).to_string();
        assert!(shown.starts_with("a.yaml: ") && shown.contains("\n  line 2: proxy.upstream: "), "{shown}");
    }

    #[test]
    fn a_policy_is_a_section_or_a_file_of_its_own() {
        let document = parse("policy: {parameters: []}\npolicy_file: policy.yaml\n").unwrap();
        let said = validate(document).unwrap_err();
        assert!(said.to_string().contains("policy_file: cannot stand beside `policy`"), "{said}");
        let file = super::super::parse_file(Path::new("/etc/threadline/a.yaml"), "policy_file: policy.yaml\n").unwrap();
        assert_eq!(validate(file).unwrap().policy_file.as_deref(), Some(Path::new("/etc/threadline/policy.yaml")));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_node_is_named_after_its_host() {
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
        assert_eq!(default_node_name(), host.trim().chars().take(64).collect::<String>());
    }

    #[test]
    fn every_mistake_is_named_at_once() {
        let document = parse(
            "hub: {listen: '0.0.0.0:7070'}\nretention: {days: 0}\nproxy: {upstream: 'ftp://x', threads: 0}\npolicy: {parameters: [{name: a, point: request > cookie}]}\n",
        )
        .unwrap();
        let fields = fields_of(validate(document).unwrap_err());
        assert_eq!(
            fields,
            ["proxy.threads", "proxy.upstream", "retention.days", "hub.listen", "policy.parameters[0].point"]
        );
    }

    #[test]
    fn bounds_on_analysis_are_settings_within_ranges() {
        let text =
            "analysis: {depth: 64, rounds: 3, values: 10, decoded_bytes: 2097152, decoded_ratio: 50, parse_errors: 4}";
        let bounds = validate(parse(text).unwrap()).unwrap().bounds;
        assert_eq!((bounds.depth, bounds.rounds, bounds.values), (64, 3, 10));
        assert_eq!((bounds.decoded_bytes, bounds.decoded_ratio, bounds.parse_errors), (2 << 20, 50, 4));
        assert_eq!(validate(Document::default()).unwrap().bounds, Bounds::default());
        for field in ["depth", "rounds", "values", "decoded_bytes", "decoded_ratio", "parse_errors"] {
            for value in [0, 1_000_000_000] {
                let document = parse(&format!("analysis: {{{field}: {value}}}")).unwrap();
                assert_eq!(fields_of(validate(document).unwrap_err()), [format!("analysis.{field}")]);
            }
        }
    }

    #[test]
    fn trusted_proxies_are_networks() {
        let policy = "policy: {parameters: [], trusted_proxies: {networks: [10.0.0.0/8, '::1', 10.0.0.0/33]}}\n";
        let fields = fields_of(validate(parse(policy).unwrap()).unwrap_err());
        assert_eq!(fields, ["policy.trusted_proxies.networks[2]"]);
        let document = parse("proxy: {trusted_proxies: [10.0.0.0/8], upstream_connections: 0}\n").unwrap();
        let refused = validate(document).unwrap_err();
        assert!(refused.to_string().contains("policy: trusted_proxies: networks"), "{refused}");
        assert_eq!(fields_of(refused), ["proxy.upstream_connections", "proxy.trusted_proxies"]);
    }

    #[test]
    fn defaults_bind_to_loopback_and_keep_seven_days() {
        let configuration = validate(Document::default()).unwrap();
        assert!(configuration.hub.listen.ip().is_loopback());
        assert!(configuration.proxy.listen.ip().is_loopback());
        assert_eq!(configuration.retention_days, 7);
    }

    #[test]
    fn listening_on_other_addresses_needs_insistence() {
        let document = parse("hub: {listen: '0.0.0.0:7070', allow_remote: true}\n").unwrap();
        assert!(validate(document).is_ok());
    }
}
