//! What the proxy counts. Plain atomics, read by whoever exports metrics.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters and gauges of one proxy. All count from its start; names say what, doc comments say when.
#[derive(Debug, Default)]
pub struct ProxyCounters {
    /// Requests whose head was read, refused ones included.
    pub requests: Counter,
    /// Client connections open now.
    pub connections: Gauge,
    /// Client connections accepted.
    pub connections_accepted: Counter,
    /// Times accepting failed, for want of file descriptors for instance.
    pub accept_failures: Counter,
    /// Tunnels (upgraded connections) open now.
    pub tunnels: Gauge,
    /// Requests refused with 400 because their framing was ambiguous.
    pub refused_framing: Counter,
    /// Requests refused with 400 because of their target, `Host` or method.
    pub refused_request: Counter,
    /// Connections ended because what came was not HTTP, or over a size limit.
    pub refused_malformed: Counter,
    /// Connections from trusted proxies closed because they began with a malformed PROXY header.
    pub refused_proxy_header: Counter,
    /// Connections closed because the client was too slow.
    pub client_timeouts: Counter,
    /// Upstream connections open now, idle ones included.
    pub upstream_connections: Gauge,
    /// Upstream connections opened.
    pub upstream_connections_opened: Counter,
    /// Requests answered with 502: no connection, or no usable response.
    pub upstream_failures: Counter,
    /// Requests answered with 504: the upstream took too long.
    pub upstream_timeouts: Counter,
    /// Requests answered with 503: all connections to the upstream stayed in use.
    pub upstream_busy: Counter,
    /// Requests sent a second time because a kept connection had just been closed by the upstream.
    pub upstream_retries: Counter,
    /// Responses that the upstream broke off.
    pub upstream_broken_responses: Counter,
    /// Bodies not captured, or cut short, because the byte budget was used up.
    pub capture_skipped: Counter,
    /// Exchanges not captured at all, because the byte budget had no room for their heads.
    pub capture_shed: Counter,
    /// Bytes of request bodies received.
    pub request_bytes: Counter,
    /// Bytes of response bodies received from the upstream.
    pub response_bytes: Counter,
}

/// Only goes up. On a cache line of its own: workers count at the same time, and mostly different things.
#[derive(Debug, Default)]
#[repr(align(64))]
pub struct Counter(AtomicU64);

impl Counter {
    /// The count so far.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    pub(super) fn add(&self, amount: u64) {
        self.0.fetch_add(amount, Ordering::Relaxed);
    }
}

/// Goes up and down.
#[derive(Debug, Default)]
#[repr(align(64))]
pub struct Gauge(AtomicU64);

impl Gauge {
    /// The figure now.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    pub(super) fn raise(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn lower(&self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
