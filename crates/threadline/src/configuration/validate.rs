//! From what was written to what is used. All mistakes are collected, each with its field and reason.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::path::PathBuf;

use threadline_capture::proxy::{Network, UpstreamAddress};
use threadline_policy::{Policy, PolicyDocument};

use super::Document;
use crate::cli::LogFormat;

/// Everything `serve` needs, checked.
#[derive(Debug)]
pub(crate) struct Configuration {
    pub(crate) data: PathBuf,
    pub(crate) node: String,
    pub(crate) proxy: ProxyConfiguration,
    pub(crate) hub: HubConfiguration,
    pub(crate) retention_days: u32,
    pub(crate) import_retention_days: u32,
    pub(crate) store_memory_megabytes: u32,
    pub(crate) log_format: LogFormat,
    pub(crate) log_filter: String,
    /// The policy the file asks for, if it names one.
    pub(crate) policy: Option<PolicyDocument>,
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
    pub(crate) trusted_proxies: Vec<Network>,
    /// For each thread.
    pub(crate) upstream_connections: usize,
    pub(crate) threads: NonZeroUsize,
}

/// Settings of API and console.
#[derive(Debug)]
pub(crate) struct HubConfiguration {
    pub(crate) listen: SocketAddr,
    pub(crate) host_names: Vec<String>,
}

/// Every mistake found, one line each: field, then reason.
#[derive(Debug)]
pub(crate) struct InvalidConfiguration(pub(crate) Vec<(String, String)>);

impl fmt::Display for InvalidConfiguration {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the configuration cannot be used:")?;
        for (field, reason) in &self.0 {
            write!(formatter, "\n  {field}: {reason}")?;
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
    let mut mistakes: Vec<(String, String)> = Vec::new();
    let mut refuse = |field: &str, reason: String| mistakes.push((field.to_owned(), reason));

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
    let mut trusted_proxies = Vec::with_capacity(proxy.trusted_proxies.len());
    for (index, network) in proxy.trusted_proxies.iter().enumerate() {
        match network.parse::<Network>() {
            Ok(network) => trusted_proxies.push(network),
            Err(reason) => refuse(&format!("proxy.trusted_proxies[{index}]"), reason.to_string()),
        }
    }
    if trusted_proxies.len() > MAXIMUM_TRUSTED_PROXIES {
        refuse("proxy.trusted_proxies", format!("at most {MAXIMUM_TRUSTED_PROXIES} networks"));
    }
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
    let node = document.node.unwrap_or_else(default_node_name);
    if node.is_empty() || node.len() > 64 || node.chars().any(char::is_control) {
        refuse("node", "a name of 1 to 64 characters without control characters".to_owned());
    }
    if let Some(policy) = &document.policy
        && let Err(errors) = Policy::validate(1, policy.clone())
    {
        for error in errors {
            refuse(&format!("policy.{}", error.field), error.reason);
        }
    }
    if !mistakes.is_empty() {
        return Err(InvalidConfiguration(mistakes));
    }
    Ok(Configuration {
        data: document.data.unwrap_or_else(|| PathBuf::from("threadline-data")),
        node,
        proxy: ProxyConfiguration {
            listen: proxy.listen.unwrap_or(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080)),
            upstream: proxy.upstream,
            capture_request_bytes: proxy.capture_request_bytes.unwrap_or(64 << 10),
            capture_response_bytes: proxy.capture_response_bytes.unwrap_or(64 << 10),
            capture_budget_bytes: proxy.capture_budget_bytes.unwrap_or(64 << 20),
            strict_framing: proxy.strict_framing.unwrap_or(true),
            trusted_proxies,
            upstream_connections: proxy.upstream_connections.unwrap_or(1_024),
            threads: proxy
                .threads
                .and_then(NonZeroUsize::new)
                .or_else(|| std::thread::available_parallelism().ok())
                .unwrap_or(NonZeroUsize::MIN),
        },
        hub: HubConfiguration { listen: hub_listen, host_names: hub.host_names },
        retention_days: document.retention.days.unwrap_or(7),
        import_retention_days: document.retention.import_days.unwrap_or(30),
        store_memory_megabytes: document.store.memory_limit_megabytes.unwrap_or(512),
        log_format: document.log.format.unwrap_or(LogFormat::Text),
        log_filter: document.log.filter.unwrap_or_else(|| "info".to_owned()),
        policy: document.policy,
    })
}

fn default_node_name() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname")
        .ok()
        .map(|name| name.trim().chars().take(64).collect::<String>())
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "node".to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::document::parse;
    use super::*;

    #[test]
    fn every_mistake_is_named_at_once() {
        let document = parse(
            "hub: {listen: '0.0.0.0:7070'}\nretention: {days: 0}\nproxy: {upstream: 'ftp://x', threads: 0}\npolicy: {parameters: [{name: a, point: request > cookie}]}\n",
        )
        .unwrap();
        let fields: Vec<_> = validate(document).unwrap_err().0.into_iter().map(|(field, _)| field).collect();
        assert_eq!(
            fields,
            ["proxy.threads", "proxy.upstream", "retention.days", "hub.listen", "policy.parameters[0].point"]
        );
    }

    #[test]
    fn trusted_proxies_are_networks() {
        let document = parse("proxy: {trusted_proxies: [10.0.0.0/8, '::1']}\n").unwrap();
        assert_eq!(validate(document).unwrap().proxy.trusted_proxies.len(), 2);
        let document = parse("proxy: {trusted_proxies: [10.0.0.0/8, 10.0.0.1/8], upstream_connections: 0}\n").unwrap();
        let mistakes = validate(document).unwrap_err().0;
        let fields: Vec<_> = mistakes.iter().map(|(field, _)| field.as_str()).collect();
        assert_eq!(fields, ["proxy.upstream_connections", "proxy.trusted_proxies[1]"]);
        assert!(mistakes[1].1.contains("bits behind the prefix"), "{}", mistakes[1].1);
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
