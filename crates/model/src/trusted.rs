//! Trusted proxies: whose word about the client and the original host counts, and where it stands. Plain settings: the
//! policy judges them, the proxy follows them. Nothing here reads a message.

use std::net::IpAddr;

use crate::Network;

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
