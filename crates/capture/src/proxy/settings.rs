//! What an operator decides about the proxy. Plain values; checked when the proxy is bound.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroUsize;
use std::str::FromStr;
use std::time::Duration;

use http::uri::{Authority, Scheme, Uri};
use threadline_model::TrustedProxies;

/// Everything the proxy needs to know before it listens.
#[derive(Clone, Debug)]
pub struct ProxySettings {
    /// Where clients connect. Port 0 takes a free one ([`super::Proxy::local_address`] tells which).
    pub listen: SocketAddr,
    /// Where requests are sent.
    pub upstream: UpstreamAddress,
    /// Worker threads, each with its own listener and its own upstream connections.
    pub threads: NonZeroUsize,
    /// Whether heads with ambiguous framing are refused with 400 (RFC 9112, section 6.3). Off only for clients that
    /// cannot be fixed: the proxy still frames what it sends upstream itself.
    pub strict_framing: bool,
    /// Whether another process may listen on the same port at the same time (SO_REUSEPORT), for a change of version
    /// without a gap. Off, a port in use is an error.
    pub share_port: bool,
    /// How much of each message is kept for analysis.
    pub capture: CaptureLimits,
    /// Which headers tell the upstream who asked.
    pub forwarding: ForwardingHeaders,
    /// Proxies in front whose word about the client counts: what they say in `X-Forwarded-…` and `Forwarded` is kept,
    /// and the client's address is read from it. From everybody else these fields are dropped. What holds at first;
    /// [`super::Proxy::trusted_proxies`] changes it.
    pub trusted_proxies: TrustedProxies,
    /// Sizes and counts.
    pub limits: Limits,
    /// How long the proxy waits.
    pub timeouts: Timeouts,
}

impl ProxySettings {
    /// Settings with the defaults for everything else.
    pub fn new(listen: SocketAddr, upstream: UpstreamAddress) -> Self {
        Self {
            listen,
            upstream,
            threads: std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
            strict_framing: true,
            share_port: false,
            capture: CaptureLimits::default(),
            forwarding: ForwardingHeaders::default(),
            trusted_proxies: TrustedProxies::default(),
            limits: Limits::default(),
            timeouts: Timeouts::default(),
        }
    }
}

/// Bounds of the copies made for analysis. Traffic itself is never cut.
#[derive(Clone, Copy, Debug)]
pub struct CaptureLimits {
    /// First bytes kept of each request body.
    pub request_bytes: usize,
    /// First bytes kept of each response body.
    pub response_bytes: usize,
    /// Bytes of bodies and heads held at one time by all exchanges that analysis has not finished with. Above it bodies
    /// are recorded as not captured, and an exchange whose heads find no room is not recorded; both are counted.
    pub budget_bytes: usize,
    /// A response that has been on its way for this long holds back no more than 4 KiB of each body from then on, and
    /// all such exchanges together a fourth of the budget: many event streams must not end the analysis of bodies.
    pub long_after: Duration,
}

impl Default for CaptureLimits {
    fn default() -> Self {
        Self {
            request_bytes: 64 << 10,
            response_bytes: 64 << 10,
            budget_bytes: 64 << 20,
            long_after: Duration::from_secs(10),
        }
    }
}

/// What the upstream is told about the client and the request as it was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ForwardingHeaders {
    /// `X-Forwarded-For` is the peer's address, behind what a trusted proxy wrote; `X-Forwarded-Proto` and
    /// `X-Forwarded-Host` are set where no trusted proxy did. What others wrote, `X-Real-IP` and `Forwarded` included,
    /// is dropped: upstreams would take it for the truth.
    pub x_forwarded: bool,
    /// `Forwarded` (RFC 7239) is one element for the peer, behind those of a trusted proxy.
    pub forwarded: bool,
    /// Adds `Via` (RFC 9110, section 7.6.3) with the pseudonym `threadline`.
    pub via: bool,
    /// Whether the upstream sees the client's `Host`; otherwise its own address.
    pub preserve_host: bool,
}

impl Default for ForwardingHeaders {
    fn default() -> Self {
        Self { x_forwarded: true, forwarded: false, via: false, preserve_host: true }
    }
}

/// Sizes and counts that keep one client from taking everything.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Client connections at one time, over all threads. Further ones wait in the listen backlog.
    pub connections: usize,
    /// Fields in one header section (431 above it). Up to 100 hyper parses without allocating; a higher bound costs
    /// every request about 4 % of the proxy's work.
    pub headers: usize,
    /// Bytes of one header section and of the read buffer of one connection (431 above it). At least 8,192.
    pub buffer_bytes: usize,
    /// Connections waiting to be accepted, per listener.
    pub backlog: u32,
    /// Upstream connections open at one time per thread, tunnels included. A request that finds them all in use waits
    /// for as long as it would for connecting (503 above it).
    pub upstream_connections: usize,
    /// Idle upstream connections kept per thread.
    pub idle_upstream_connections: usize,
    /// Concurrent requests of one HTTP/2 connection.
    pub http2_streams: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 16_384,
            headers: 100,
            buffer_bytes: 64 << 10,
            backlog: 1_024,
            upstream_connections: 1_024,
            idle_upstream_connections: 128,
            http2_streams: 128,
        }
    }
}

/// How long the proxy waits for others.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// From the first byte of a request's head to its end; also from accepting a connection to its first byte.
    pub head: Duration,
    /// Between requests of one client connection.
    pub keep_alive: Duration,
    /// Without progress while a client sends a body or takes a response.
    pub stall: Duration,
    /// Connecting to the upstream, name resolution included (504 above it).
    pub connect: Duration,
    /// From the request's last byte to the response's head (504 above it); also between one KiB of a request's body and
    /// the next (408 above it). A response body may be silent for as long as it likes: that is what event streams do.
    pub response_head: Duration,
    /// Idle upstream connections are closed after this. Shorter than the upstream's own timeout saves retries.
    pub upstream_idle: Duration,
    /// From the request to shut down to cutting what still runs.
    pub shutdown: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(10),
            keep_alive: Duration::from_secs(75),
            stall: Duration::from_secs(60),
            connect: Duration::from_secs(5),
            response_head: Duration::from_secs(120),
            upstream_idle: Duration::from_secs(50),
            shutdown: Duration::from_secs(10),
        }
    }
}

/// Where requests are sent: `http://host:port` and optionally a path that is put before every request's path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpstreamAddress {
    authority: Authority,
    host: String,
    port: u16,
    prefix: String,
}

impl UpstreamAddress {
    /// Host and port as written, for the `Host` header and for messages.
    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// Name or address to connect to, without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Port to connect to.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The address, if the host is one and needs no resolution.
    pub fn socket_address(&self) -> Option<SocketAddr> {
        self.host.parse::<IpAddr>().ok().map(|address| SocketAddr::new(address, self.port))
    }

    /// Put before every path; empty, or begins with `/` and does not end with it.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }
}

impl fmt::Display for UpstreamAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "http://{}{}", self.authority, self.prefix)
    }
}

/// Why a text is not an upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UpstreamAddressError {
    /// Not a URL at all.
    #[error("not a URL; an upstream is written http://host:port or http://host:port/prefix")]
    Malformed,
    /// `https://`.
    #[error("https upstreams are not supported yet; use http://, for instance through a sidecar that speaks TLS")]
    Tls,
    /// Another scheme, or none.
    #[error("an upstream begins with http://")]
    Scheme,
    /// No host, or one with a user name.
    #[error("an upstream needs a host, without user name or password")]
    Host,
    /// `?query` or port 0.
    #[error("an upstream has no query, and no port 0")]
    Superfluous,
}

impl FromStr for UpstreamAddress {
    type Err = UpstreamAddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let uri: Uri = text.parse().map_err(|_| UpstreamAddressError::Malformed)?;
        match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTP => {}
            Some(scheme) if *scheme == Scheme::HTTPS => return Err(UpstreamAddressError::Tls),
            _ => return Err(UpstreamAddressError::Scheme),
        }
        let authority = uri.authority().ok_or(UpstreamAddressError::Host)?.clone();
        if authority.as_str().contains('@') || authority.host().is_empty() {
            return Err(UpstreamAddressError::Host);
        }
        let port = match authority.port() {
            None if authority.as_str().ends_with(':') => return Err(UpstreamAddressError::Malformed),
            None => 80,
            Some(port) => port.as_u16(),
        };
        if uri.query().is_some() || port == 0 {
            return Err(UpstreamAddressError::Superfluous);
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        let prefix = uri.path().trim_end_matches('/').to_owned();
        Ok(Self { authority, host, port, prefix })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_upstream_is_a_host_a_port_and_maybe_a_prefix() {
        let plain: UpstreamAddress = "http://127.0.0.1:9000".parse().unwrap();
        assert_eq!((plain.host(), plain.port(), plain.prefix()), ("127.0.0.1", 9000, ""));
        assert_eq!(plain.socket_address(), Some("127.0.0.1:9000".parse().unwrap()));
        let named: UpstreamAddress = "http://shop.internal/api/v2/".parse().unwrap();
        assert_eq!((named.host(), named.port(), named.prefix()), ("shop.internal", 80, "/api/v2"));
        assert_eq!(named.socket_address(), None);
        let six: UpstreamAddress = "http://[::1]:8080/".parse().unwrap();
        assert_eq!((six.host(), six.port(), six.prefix()), ("::1", 8080, ""));
        assert_eq!(six.to_string(), "http://[::1]:8080");
    }

    #[test]
    fn what_is_not_an_upstream_says_why() {
        for (text, reason) in [
            ("https://shop.internal", UpstreamAddressError::Tls),
            ("ftp://shop.internal", UpstreamAddressError::Scheme),
            ("shop.internal:80", UpstreamAddressError::Scheme),
            ("http://user:password@shop.internal", UpstreamAddressError::Host),
            ("http://shop.internal/?a=b", UpstreamAddressError::Superfluous),
            ("http://shop.internal:0", UpstreamAddressError::Superfluous),
            ("http://", UpstreamAddressError::Malformed),
            ("", UpstreamAddressError::Malformed),
        ] {
            assert_eq!(text.parse::<UpstreamAddress>(), Err(reason), "{text}");
        }
    }
}
