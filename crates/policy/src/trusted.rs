//! Trusted proxies: whose word about the client and the original host counts, and where it stands.

use threadline_model::Network;

/// A header in which a proxy says who the client is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
pub enum AddressHeader {
    /// `X-Forwarded-For`: a list, to which each proxy appends.
    #[serde(rename = "x-forwarded-for")]
    XForwardedFor,
    /// `Forwarded` (RFC 7239), its `for` parameters.
    #[serde(rename = "forwarded")]
    Forwarded,
    /// `X-Real-IP`: one address.
    #[serde(rename = "x-real-ip")]
    XRealIp,
}

impl AddressHeader {
    /// As written in a policy, which is the header's name in lower case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::XForwardedFor => "x-forwarded-for",
            Self::Forwarded => "forwarded",
            Self::XRealIp => "x-real-ip",
        }
    }
}

/// A header in which a proxy says which host the client asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
pub enum HostHeader {
    /// `X-Forwarded-Host`.
    #[serde(rename = "x-forwarded-host")]
    XForwardedHost,
    /// `Forwarded` (RFC 7239), its `host` parameter.
    #[serde(rename = "forwarded")]
    Forwarded,
}

impl HostHeader {
    /// As written in a policy, which is the header's name in lower case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::XForwardedHost => "x-forwarded-host",
            Self::Forwarded => "forwarded",
        }
    }
}

/// Whose word about the client counts. From anybody else these headers are not believed and not passed on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies {
    /// Networks of the proxies that stand in front.
    pub networks: Vec<Network>,
    /// Where the client's address is looked for; the first header that is there decides.
    pub address_headers: Vec<AddressHeader>,
    /// Where the original host is looked for; the first header that is there decides. Empty: only `Host` counts.
    pub host_headers: Vec<HostHeader>,
    /// Whether connections from these networks begin with the PROXY protocol, version 1 or 2.
    pub proxy_protocol: bool,
}
