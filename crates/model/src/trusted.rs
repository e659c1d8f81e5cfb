//! Trusted proxies: whose word about the client and the original host counts, and where it stands. Plain settings: the
//! policy judges them, the proxy follows them. And what a request resolved to under them. Nothing here reads a message.

use std::net::IpAddr;

use crate::{Network, Timestamp};

/// A header in which a proxy says who the client is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressHeader {
    /// `Forwarded` (RFC 7239), its `for` parameters.
    Forwarded,
    /// `X-Forwarded-For`: a list, to which each proxy appends.
    XForwardedFor,
    /// `X-Real-IP`: one address.
    XRealIp,
}

impl AddressHeader {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Forwarded, Self::XForwardedFor, Self::XRealIp];

    /// As written in a policy, which is the header's name in lower case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Forwarded => "forwarded",
            Self::XForwardedFor => "x-forwarded-for",
            Self::XRealIp => "x-real-ip",
        }
    }
}

/// A header in which a proxy says which host the client asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostHeader {
    /// `Forwarded` (RFC 7239), its `host` parameter.
    Forwarded,
    /// `X-Forwarded-Host`.
    XForwardedHost,
}

impl HostHeader {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Forwarded, Self::XForwardedHost];

    /// As written in a policy, which is the header's name in lower case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Forwarded => "forwarded",
            Self::XForwardedHost => "x-forwarded-host",
        }
    }
}

/// Whose word about the client counts. Nobody's by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies {
    /// Networks of the proxies that stand in front.
    pub networks: Vec<Network>,
    /// Where the client's address is looked for; the first header that is there decides.
    pub address: Vec<AddressHeader>,
    /// Where the original host is looked for; the first header that is there decides. Empty: only `Host` counts.
    pub host: Vec<HostHeader>,
    /// Whether connections from these networks may begin with the PROXY protocol, version 1 or 2.
    pub proxy_protocol: bool,
}

impl TrustedProxies {
    /// Whether an address is one of a trusted proxy.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(address))
    }
}

/// How a client's address was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressSource {
    /// It is the connection's.
    Connection,
    /// From a PROXY header at the connection's beginning.
    ProxyProtocol,
    /// From a header of the request.
    Header(AddressHeader),
}

impl AddressSource {
    /// `connection`, `proxy_protocol`, `forwarded`, `x_forwarded_for` or `x_real_ip`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Connection => "connection",
            Self::ProxyProtocol => "proxy_protocol",
            Self::Header(AddressHeader::Forwarded) => "forwarded",
            Self::Header(AddressHeader::XForwardedFor) => "x_forwarded_for",
            Self::Header(AddressHeader::XRealIp) => "x_real_ip",
        }
    }
}

/// What may be wrong with the settings, seen from one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressRemark {
    /// The peer is not trusted, but sent a header that says who the client is: it was not believed.
    UntrustedHeader,
    /// The peer is trusted, but sent none of the headers that are looked at.
    NoHeader,
    /// The peer is trusted, but what it says in the header that counts is hidden or no address.
    Unreadable,
}

impl AddressRemark {
    /// `untrusted_header`, `no_header` or `unreadable`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UntrustedHeader => "untrusted_header",
            Self::NoHeader => "no_header",
            Self::Unreadable => "unreadable",
        }
    }
}

/// Who one request was taken to come from, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientResolution {
    /// Start of the request.
    pub at: Timestamp,
    /// The connection's other end.
    pub peer: IpAddr,
    /// The client.
    pub client: IpAddr,
    /// Where the client's address was found.
    pub source: AddressSource,
    /// What may be wrong.
    pub remark: Option<AddressRemark>,
}
