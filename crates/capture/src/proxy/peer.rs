//! Who is at the other end of a client connection.
//!
//! For now that is the address of the connection itself. Where proxies in front are trusted, this is the one place
//! that will read the client's address from what they say.

use std::net::{IpAddr, SocketAddr};

use http::HeaderValue;

/// The peer of a connection. What is written into each of its requests is made once.
pub(super) struct Peer {
    address: IpAddr,
    text: String,
}

impl Peer {
    pub(super) fn new(socket: SocketAddr) -> Self {
        // A dual-stack listener shows IPv4 peers as mapped addresses.
        let address = socket.ip().to_canonical();
        Self { address, text: address.to_string() }
    }

    /// The client's address.
    pub(super) const fn address(&self) -> IpAddr {
        self.address
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
