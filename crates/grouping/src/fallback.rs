//! What groups exchanges in which nothing identifies a session: the client's address with its User-Agent, the address
//! alone, the imported file, and at last the exchange itself. Each kind has a namespace of its own.
//!
//! Nothing unknown is ever a value: a client without an address is not the same as another without one.

use std::net::IpAddr;

use threadline_model::{Exchange, SessionId, Source};

use crate::hash::{Namespace, SessionHashKey};
use crate::masked::Masked;

/// The kinds of fallback, from the one that says most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FallbackKind {
    /// Client address and User-Agent, joined by what is stable of the TLS fingerprint JA4 where that is known.
    AddressAndAgent,
    /// Client address; there is no User-Agent.
    Address,
    /// The imported file; its entries have no addresses.
    File,
    /// The exchange itself: nothing at all is known of the client.
    Exchange,
}

impl FallbackKind {
    /// Its name in the exported row.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AddressAndAgent => "address and user agent",
            Self::Address => "address",
            Self::File => "file",
            Self::Exchange => "exchange",
        }
    }
}

/// The fallback session of an exchange. There always is one. What is masked is not known.
pub(crate) fn session(exchange: &Exchange, masked: &Masked, key: &SessionHashKey) -> (FallbackKind, SessionId) {
    let Some(address) = exchange.client.filter(|_| !masked.address) else {
        return match &exchange.source {
            Source::File { identity, .. } => (FallbackKind::File, key.session(Namespace::File, &[identity])),
            Source::Proxy => {
                let id: &[u8] = exchange.id.as_bytes();
                (FallbackKind::Exchange, key.session(Namespace::Exchange, &[id]))
            }
        };
    };
    // An address is the same whether a dual-stack socket mapped it or not.
    let address = match address {
        IpAddr::V4(address) => address.to_ipv6_mapped(),
        IpAddr::V6(address) => address,
    }
    .octets();
    let agent = exchange.request.headers.first("user-agent").filter(|agent| !agent.is_empty() && !masked.agent);
    let fingerprint = exchange.fingerprints.ja4.as_deref().filter(|_| !masked.fingerprint).and_then(stable_fingerprint);
    match (agent, fingerprint) {
        (None, _) => (FallbackKind::Address, key.session(Namespace::Address, &[&address])),
        (Some(agent), None) => {
            (FallbackKind::AddressAndAgent, key.session(Namespace::AddressAndAgent, &[&address[..], agent]))
        }
        (Some(agent), Some(fingerprint)) => {
            let parts = [&address[..], agent, &fingerprint];
            (FallbackKind::AddressAndAgent, key.session(Namespace::AddressAndAgent, &parts))
        }
    }
}

/// What of a JA4 stays the same for one client. The extensions 0015 (padding), 0023 (session ticket) and 0029
/// (pre-shared key) come and go with resumption; they are part of JA4's extension count and of its third section, a
/// hash, out of which they cannot be taken again. So both are left out, and the rest is kept: protocol, version, SNI,
/// number of ciphers, ALPN, and the hash of the ciphers. `None` for what is no JA4.
fn stable_fingerprint(ja4: &str) -> Option<[u8; 21]> {
    let bytes = ja4.as_bytes();
    let separators = bytes.len() == 36 && bytes[10] == b'_' && bytes[23] == b'_';
    if !separators || !bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_') {
        return None;
    }
    let mut stable = [0; 21];
    stable[..6].copy_from_slice(&bytes[..6]);
    stable[6..].copy_from_slice(&bytes[8..23]);
    Some(stable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resumed_connection_has_the_same_stable_fingerprint() {
        let full = stable_fingerprint("t13d1516h2_8daaf6152771_b186095e22b6");
        let resumed = stable_fingerprint("t13d1517h2_8daaf6152771_b0da82dd1658");
        let other_ciphers = stable_fingerprint("t13d1516h2_8daaf6152772_b186095e22b6");
        assert_eq!(full.as_ref().map(|stable| &stable[..]), Some(&b"t13d15h2_8daaf6152771"[..]));
        assert_eq!(full, resumed);
        assert_ne!(full, other_ciphers);
    }

    #[test]
    fn what_is_no_ja4_is_not_a_value() {
        for wrong in [
            "",
            "unknown",
            "t13d1516h2_8daaf6152771",
            "t13d1516h2-8daaf6152771-b186095e22b6",
            "é13d1516h2_8daaf6152771_b186095e22b",
        ] {
            assert_eq!(stable_fingerprint(wrong), None, "{wrong}");
        }
    }
}
