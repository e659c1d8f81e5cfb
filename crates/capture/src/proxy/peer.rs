//! Who is at the other end of a client connection.
//!
//! The address of the connection itself; or, where that is a trusted proxy's, the one that it says. This is the one
//! place that reads it.

use std::net::{IpAddr, SocketAddr};

use http::{HeaderMap, HeaderValue};
use threadline_model::Network;

/// The peer of a connection. What is written into each of its requests is made once.
pub(super) struct Peer {
    address: IpAddr,
    text: String,
    trusted: bool,
}

/// Addresses of `X-Forwarded-For` that are looked at, from the right; more proxies stand in front of nobody.
const MAXIMUM_HOPS: usize = 32;

impl Peer {
    pub(super) fn new(socket: SocketAddr, trusted: &[Network]) -> Self {
        // A dual-stack listener shows IPv4 peers as mapped addresses.
        let address = socket.ip().to_canonical();
        let trusted = trusted.iter().any(|network| network.contains(address));
        Self { address, text: address.to_string(), trusted }
    }

    /// Whether it is a proxy whose word about the client counts.
    pub(super) const fn is_trusted(&self) -> bool {
        self.trusted
    }

    /// The client's address: the right-most of `X-Forwarded-For` that is not itself one of a trusted proxy. What stands
    /// left of that one, or of something that is no address, may be anybody's invention.
    pub(super) fn client(&self, headers: &HeaderMap, trusted: &[Network]) -> IpAddr {
        let mut client = self.address;
        if !self.trusted {
            return client;
        }
        let lines = headers.get_all("x-forwarded-for").iter().rev();
        let members = lines.flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b','));
        for member in members.take(MAXIMUM_HOPS) {
            let Some(address) = parse_member(member) else { break };
            client = address;
            if !trusted.iter().any(|network| network.contains(address)) {
                break;
            }
        }
        client
    }

    /// As a member of `X-Forwarded-For`.
    pub(super) const fn forwarded_for(&self) -> &[u8] {
        self.text.as_bytes()
    }

    /// As an element of `Forwarded` (RFC 7239, section 4).
    pub(super) fn forwarded_element(&self, host: Option<&HeaderValue>) -> Vec<u8> {
        let mut element = match self.address {
            IpAddr::V4(address) => format!("for={address};"),
            IpAddr::V6(address) => format!("for=\"[{address}]\";"),
        }
        .into_bytes();
        if let Some(host) = host {
            // Checked before: a host has neither quotes nor backslashes.
            element.extend_from_slice(b"host=\"");
            element.extend_from_slice(host.as_bytes());
            element.extend_from_slice(b"\";");
        }
        element.extend_from_slice(b"proto=http");
        element
    }
}

/// An address, as some proxies write it with a port or in brackets.
fn parse_member(member: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(member).ok()?.trim();
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse().ok().or_else(|| text.parse().ok().map(|socket: SocketAddr| socket.ip()))?;
    Some(IpAddr::to_canonical(&address))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn only_a_trusted_peer_is_believed_and_only_as_far_as_trust_goes() {
        let trusted = ["10.0.0.0/8".parse().unwrap(), "2001:db8::/32".parse().unwrap()];
        for (peer, lines, client) in [
            ("192.0.2.1", vec!["198.51.100.1"], "192.0.2.1"),
            ("10.0.0.1", vec![], "10.0.0.1"),
            ("10.0.0.1", vec!["198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1", vec!["203.0.113.9, 198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1", vec!["203.0.113.9, 198.51.100.1, 10.0.0.2"], "198.51.100.1"),
            ("10.0.0.1", vec!["203.0.113.9", "198.51.100.1,10.0.0.2"], "198.51.100.1"),
            ("10.0.0.1", vec!["198.51.100.1, unknown, 10.0.0.2"], "10.0.0.2"),
            ("10.0.0.1", vec!["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
            ("10.0.0.1", vec![""], "10.0.0.1"),
            ("2001:db8::5", vec!["[2001:db9::1]:4711"], "2001:db9::1"),
            ("10.0.0.1", vec!["198.51.100.1:4711"], "198.51.100.1"),
            ("10.0.0.1", vec!["::ffff:198.51.100.1"], "198.51.100.1"),
        ] {
            let mut headers = HeaderMap::new();
            for line in &lines {
                headers.append("x-forwarded-for", line.parse().unwrap());
            }
            let peer = Peer::new(SocketAddr::new(peer.parse().unwrap(), 4711), &trusted);
            assert_eq!(peer.client(&headers, &trusted), client.parse::<IpAddr>().unwrap(), "{lines:?}");
        }
    }
}
