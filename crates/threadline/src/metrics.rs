//! What `/metrics` shows: the counters of node and proxy, read when somebody asks. Names follow the OpenMetrics and
//! Prometheus conventions; nothing captured is ever a label.

use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;
use threadline_capture::proxy::{ProxyCounters, Resolutions};
use threadline_hub::{Counter, NodeStatus};
use threadline_node::NodeCounters;

/// The counters of this process, as they come to exist during a start.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    pub(crate) node: OnceLock<Arc<NodeCounters>>,
    pub(crate) proxy: OnceLock<Arc<ProxyCounters>>,
    /// Not a figure: who the last requests were taken to come from.
    pub(crate) resolutions: OnceLock<Arc<Resolutions>>,
}

/// One figure: name, what it says, value.
type Row = (&'static str, &'static str, u64);

impl Sources {
    fn node_rows(&self) -> Vec<Row> {
        let Some(node) = self.node.get() else { return Vec::new() };
        let read = NodeCounters::read;
        vec![
            ("exchanges_received", "Exchanges offered to analysis", read(&node.received)),
            (
                "exchanges_shed",
                "Exchanges dropped because analysis was full; traffic was not touched",
                read(&node.shed),
            ),
            ("exchanges_processed", "Exchanges that went through all stages", read(&node.processed)),
            (
                "exchanges_failed",
                "Exchanges whose analysis failed by a defect of Threadline; traffic was not touched",
                read(&node.failed),
            ),
            ("decided_configured", "Exchanges whose session a configured key decided", read(&node.decided_configured)),
            ("decided_built_in", "Exchanges whose session the built-in set decided", read(&node.decided_built_in)),
            ("passed_by", "Exchanges that the policy leaves out of the analysis", read(&node.passed_by)),
            ("decided_fallback", "Exchanges whose session a fallback decided", read(&node.decided_fallback)),
            ("parse_errors", "Parsers that stopped before the end of their input", read(&node.parse_errors)),
            ("exported_rows", "Rows acknowledged by the store", read(&node.exported_rows)),
            (
                "expired_rows",
                "Rows acknowledged and dropped by the store because their day is not kept",
                read(&node.expired_rows),
            ),
            ("exported_batches", "Batches acknowledged by the store", read(&node.exported_batches)),
            ("export_failures", "Failed attempts to export a batch", read(&node.export_failures)),
            ("lost_rows", "Rows given up because the store did not take them", read(&node.lost_rows)),
        ]
    }

    fn proxy_counter_rows(&self) -> Vec<Row> {
        let Some(proxy) = self.proxy.get() else { return Vec::new() };
        vec![
            ("proxy_requests", "Requests whose head was read", proxy.requests.get()),
            ("proxy_connections_accepted", "Client connections accepted", proxy.connections_accepted.get()),
            ("proxy_accept_failures", "Failed attempts to accept a connection", proxy.accept_failures.get()),
            (
                "proxy_refused_framing",
                "Requests refused because their framing was ambiguous",
                proxy.refused_framing.get(),
            ),
            (
                "proxy_refused_request",
                "Requests refused because of target, Host or method",
                proxy.refused_request.get(),
            ),
            (
                "proxy_refused_malformed",
                "Connections ended because what came was not HTTP",
                proxy.refused_malformed.get(),
            ),
            (
                "proxy_refused_proxy_header",
                "Connections of trusted proxies closed because they began with a malformed PROXY header",
                proxy.refused_proxy_header.get(),
            ),
            (
                "proxy_client_timeouts",
                "Connections closed because the client was too slow",
                proxy.client_timeouts.get(),
            ),
            (
                "proxy_upstream_connections_opened",
                "Upstream connections opened",
                proxy.upstream_connections_opened.get(),
            ),
            ("proxy_upstream_failures", "Requests answered with 502", proxy.upstream_failures.get()),
            (
                "proxy_upstream_busy",
                "Requests answered with 503 because all upstream connections were in use",
                proxy.upstream_busy.get(),
            ),
            ("proxy_upstream_timeouts", "Requests answered with 504", proxy.upstream_timeouts.get()),
            (
                "proxy_upstream_retries",
                "Requests repeated on a fresh upstream connection",
                proxy.upstream_retries.get(),
            ),
            (
                "proxy_upstream_broken_responses",
                "Responses that the upstream broke off",
                proxy.upstream_broken_responses.get(),
            ),
            (
                "proxy_capture_skipped",
                "Bodies not captured because the byte budget was used up",
                proxy.capture_skipped.get(),
            ),
            (
                "proxy_capture_shed",
                "Exchanges not captured because the byte budget had no room for their heads",
                proxy.capture_shed.get(),
            ),
            ("proxy_request_bytes", "Bytes of request bodies", proxy.request_bytes.get()),
            ("proxy_response_bytes", "Bytes of response bodies", proxy.response_bytes.get()),
        ]
    }

    fn proxy_gauge_rows(&self) -> Vec<Row> {
        let Some(proxy) = self.proxy.get() else { return Vec::new() };
        vec![
            ("proxy_connections", "Client connections open", proxy.connections.get()),
            ("proxy_tunnels", "Upgraded connections open", proxy.tunnels.get()),
            ("proxy_upstream_connections", "Upstream connections open", proxy.upstream_connections.get()),
        ]
    }

    /// The node of this process for the hub's status page.
    pub(crate) fn node_status(&self, name: &str) -> Vec<NodeStatus> {
        let rows = self.node_rows().into_iter().chain(self.proxy_counter_rows()).chain(self.proxy_gauge_rows());
        let counters = rows.map(|(name, _, value)| Counter { name: name.to_owned(), value }).collect();
        vec![NodeStatus { name: name.to_owned(), counters }]
    }
}

#[derive(Debug)]
struct ProcessCollector(Arc<Sources>);

impl Collector for ProcessCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        for (name, help, value) in self.0.node_rows().into_iter().chain(self.0.proxy_counter_rows()) {
            let counter = ConstCounter::new(value);
            let metric = encoder.encode_descriptor(name, help, None, counter.metric_type())?;
            counter.encode(metric)?;
        }
        for (name, help, value) in self.0.proxy_gauge_rows() {
            let gauge = ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
            let metric = encoder.encode_descriptor(name, help, None, gauge.metric_type())?;
            gauge.encode(metric)?;
        }
        Ok(())
    }
}

/// The registry with everything this process exports, shared with whoever renders it.
pub(crate) fn registry(sources: &Arc<Sources>) -> Registry {
    let mut registry = Registry::with_prefix("threadline");
    registry.register_collector(Box::new(ProcessCollector(Arc::clone(sources))));
    registry
}

/// Renders a registry in the OpenMetrics text format.
pub(crate) fn render(registry: &Mutex<Registry>) -> String {
    let mut text = String::new();
    let registry = registry.lock().unwrap_or_else(PoisonError::into_inner);
    // Writing to a String cannot fail.
    let _ = prometheus_client::encoding::text::encode(&mut text, &registry);
    text
}
