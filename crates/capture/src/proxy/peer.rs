//! Who is at the other end of a client connection.
//!
//! The address of the connection itself; or, where that is a trusted proxy's, the one that it says: in a PROXY header at
//! the connection's beginning, then in a header of each request. This is the one place that reads it, and the original
//! host beside it.

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};

use http::{HeaderMap, HeaderName, HeaderValue};
use threadline_model::{AddressHeader, HostHeader, TrustedProxies};

use super::forwarded::{elements, read_address};
use super::hygiene::is_host;

/// The peer of a connection. What is written into each of its requests is made once.
pub(super) struct Peer {
    connection: Written,
    /// For whom a PROXY header says the connection was opened.
    proxied: Option<Written>,
}

/// An address with its text.
struct Written {
    address: IpAddr,
    text: String,
}

impl Written {
    fn new(address: IpAddr) -> Self {
        Self { address, text: address.to_string() }
    }
}

/// Proxies that are followed from one to the next, from the right; more stand in front of nobody.
const MAXIMUM_HOPS: usize = 32;

/// Longest original host that is taken, bytes: a DNS name has at most 253, a port six more.
const MAXIMUM_HOST_BYTES: usize = 260;

impl Peer {
    pub(super) fn new(socket: SocketAddr, proxied: Option<IpAddr>) -> Self {
        // A dual-stack listener shows IPv4 peers as mapped addresses.
        Self { connection: Written::new(socket.ip().to_canonical()), proxied: proxied.map(Written::new) }
    }

    /// What its word counts under the settings that hold now. Costs a comparison for each network.
    pub(super) fn standing(&self, trusted: &TrustedProxies) -> Standing<'_> {
        let mut standing = Standing { connection: &self.connection, peer: &self.connection, is_trusted: false };
        standing.is_trusted = trusted.contains(self.connection.address);
        // An open connection keeps what its PROXY header said for as long as its peer is trusted.
        if let (Some(proxied), true) = (&self.proxied, standing.is_trusted) {
            standing.peer = proxied;
            standing.is_trusted = trusted.contains(proxied.address);
        }
        standing
    }
}

/// A peer as one request sees it.
#[derive(Clone, Copy)]
pub(super) struct Standing<'p> {
    connection: &'p Written,
    /// The connection's other end, or for whom a trusted one says it was opened.
    peer: &'p Written,
    /// Whether headers of the peer are believed.
    is_trusted: bool,
}

/// How a client's address was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressSource {
    /// It is the connection's.
    Connection,
    /// From a PROXY header.
    ProxyProtocol,
    /// From a request's header.
    Header(AddressHeader),
}

impl AddressSource {
    /// `connection`, `proxy-protocol`, or the header's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Connection => "connection",
            Self::ProxyProtocol => "proxy-protocol",
            Self::Header(header) => header.as_str(),
        }
    }
}

/// What an operator may want to know about how a client's address was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remark {
    /// The peer is not trusted, but sent a header that says who the client is: it was not believed.
    NotBelieved,
    /// The peer is trusted, but sent none of the headers that are looked at.
    NothingSaid,
    /// The peer is trusted, but what the header says next to it is hidden or not an address.
    Unreadable,
}

impl Remark {
    /// `not_believed`, `nothing_said` or `unreadable`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotBelieved => "not_believed",
            Self::NothingSaid => "nothing_said",
            Self::Unreadable => "unreadable",
        }
    }
}

/// Who a request comes from.
pub(super) struct Client<'h> {
    pub(super) address: IpAddr,
    pub(super) source: AddressSource,
    /// The host that was asked for first, where a trusted proxy says another one than `Host`, and in which header.
    pub(super) host: Option<(Cow<'h, [u8]>, HostHeader)>,
    /// Of a trusted peer.
    pub(super) remark: Option<Remark>,
}

impl<'p> Standing<'p> {
    /// Whether headers of the peer count.
    pub(super) const fn is_trusted(&self) -> bool {
        self.is_trusted
    }

    /// The connection's own address.
    pub(super) const fn connection(&self) -> IpAddr {
        self.connection.address
    }

    /// Finds the client: the right-most address of the first header that is there, which is not itself one of a trusted
    /// proxy. What stands left of that one, or of something that is no address, may be anybody's invention.
    pub(super) fn client<'h>(&self, headers: &'h HeaderMap, trusted: &TrustedProxies) -> Client<'h> {
        let own = if std::ptr::eq(self.peer, self.connection) {
            AddressSource::Connection
        } else {
            AddressSource::ProxyProtocol
        };
        let mut client = Client { address: self.peer.address, source: own, host: None, remark: None };
        if !self.is_trusted {
            return client;
        }
        client.host = trusted.host.iter().find(|header| headers.contains_key(header.as_str())).and_then(|header| {
            let host = match header {
                HostHeader::Forwarded => forwarded_host(headers, trusted),
                HostHeader::XForwardedHost => last_member(headers, &X_FORWARDED_HOST).map(Cow::Borrowed),
            };
            host.filter(|host| host.len() <= MAXIMUM_HOST_BYTES && is_host(host)).map(|host| (host, *header))
        });
        let Some(header) = trusted.address.iter().find(|header| headers.contains_key(header.as_str())) else {
            client.remark =
                (!trusted.address.is_empty() && own == AddressSource::Connection).then_some(Remark::NothingSaid);
            return client;
        };
        let found = match header {
            AddressHeader::Forwarded => {
                let lines = headers.get_all(http::header::FORWARDED).iter().rev();
                walk(lines.flat_map(|line| elements(line.as_bytes())).map(|element| element.client), trusted)
            }
            AddressHeader::XForwardedFor => {
                let lines = headers.get_all(&X_FORWARDED_FOR).iter().rev();
                walk(lines.flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b',')).map(read_address), trusted)
            }
            AddressHeader::XRealIp => {
                let mut lines = headers.get_all(&X_REAL_IP).iter();
                let line = lines.next().filter(|_| lines.next().is_none());
                line.and_then(|line| read_address(line.as_bytes()))
            }
        };
        match found {
            Some(address) => (client.address, client.source) = (address, AddressSource::Header(*header)),
            None => client.remark = Some(Remark::Unreadable),
        }
        client
    }

    /// Whether somebody who is not trusted sent what is looked at only from trusted proxies.
    pub(super) fn claims(&self, headers: &HeaderMap) -> bool {
        let mut names = AddressHeader::ALL.iter().map(|header| header.as_str()).chain(["x-forwarded-host"]);
        !self.is_trusted && names.any(|name| headers.contains_key(name))
    }

    /// As a member of `X-Forwarded-For`.
    pub(super) const fn forwarded_for(&self) -> &'p [u8] {
        self.peer.text.as_bytes()
    }

    /// As an element of `Forwarded` (RFC 7239, section 4).
    pub(super) fn forwarded_element(&self, host: Option<&HeaderValue>) -> Vec<u8> {
        let mut element = match self.peer.address {
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

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_REAL_IP: HeaderName = HeaderName::from_static("x-real-ip");

/// The first address, in the order from the right, that is not a trusted proxy's; the last one if all are. None if
/// the first is no address.
fn walk(addresses: impl Iterator<Item = Option<IpAddr>>, trusted: &TrustedProxies) -> Option<IpAddr> {
    let mut client = None;
    for address in addresses.take(MAXIMUM_HOPS).map_while(|address| address) {
        client = Some(address);
        if !trusted.contains(address) {
            break;
        }
    }
    client
}

/// The `host` furthest to the left among the elements that trusted proxies wrote: up to the one for the client.
fn forwarded_host<'h>(headers: &'h HeaderMap, trusted: &TrustedProxies) -> Option<Cow<'h, [u8]>> {
    let lines = headers.get_all(http::header::FORWARDED).iter().rev();
    let mut host = None;
    for element in lines.flat_map(|line| elements(line.as_bytes())).take(MAXIMUM_HOPS) {
        host = element.host.or(host);
        if !element.client.is_some_and(|address| trusted.contains(address)) {
            break;
        }
    }
    host
}

/// The member that the peer itself wrote: the right-most.
fn last_member<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h [u8]> {
    let line = headers.get_all(name).iter().next_back()?.as_bytes();
    line.rsplit(|byte| *byte == b',').next().map(<[u8]>::trim_ascii)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn trusted(address: &[AddressHeader], host: &[HostHeader]) -> TrustedProxies {
        TrustedProxies {
            networks: vec!["10.0.0.0/8".parse().unwrap(), "2001:db8::/32".parse().unwrap()],
            address: address.to_vec(),
            host: host.to_vec(),
            proxy_protocol: true,
        }
    }

    fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, value.parse().unwrap());
        }
        headers
    }

    fn peer(address: &str, proxied: Option<&str>) -> Peer {
        let proxied = proxied.map(|address| address.parse().unwrap());
        Peer::new(SocketAddr::new(address.parse().unwrap(), 4711), proxied)
    }

    #[test]
    fn only_a_trusted_peer_is_believed_and_only_as_far_as_trust_goes() {
        let trusted = trusted(&[AddressHeader::XForwardedFor], &[]);
        for (peer_address, lines, client) in [
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
            let headers = headers(&lines.iter().map(|line| ("x-forwarded-for", *line)).collect::<Vec<_>>());
            let peer = peer(peer_address, None);
            let found = peer.standing(&trusted).client(&headers, &trusted);
            assert_eq!(found.address, client.parse::<IpAddr>().unwrap(), "{lines:?}");
        }
    }

    #[test]
    fn the_first_header_that_is_there_decides_and_the_others_are_not_looked_at() {
        use AddressHeader::{Forwarded, XForwardedFor, XRealIp};
        let sent = headers(&[
            ("forwarded", "for=203.0.113.9, for=198.51.100.1;host=shop, for=\"[2001:db8::7]:80\""),
            ("x-forwarded-for", "198.51.100.2"),
            ("x-real-ip", "198.51.100.3"),
        ]);
        let hidden = headers(&[("forwarded", "for=198.51.100.1, for=_hidden"), ("x-real-ip", "198.51.100.3")]);
        let twice = headers(&[("x-real-ip", "198.51.100.3"), ("x-real-ip", "198.51.100.4")]);
        let none = headers(&[]);
        for (order, sent, client, source, remark) in [
            (vec![Forwarded, XForwardedFor], &sent, "198.51.100.1", "forwarded", None),
            (vec![XForwardedFor, Forwarded], &sent, "198.51.100.2", "x-forwarded-for", None),
            (vec![XRealIp], &sent, "198.51.100.3", "x-real-ip", None),
            (vec![], &sent, "10.0.0.1", "connection", None),
            (vec![Forwarded, XRealIp], &hidden, "10.0.0.1", "connection", Some(Remark::Unreadable)),
            (vec![XForwardedFor, XRealIp], &hidden, "198.51.100.3", "x-real-ip", None),
            (vec![XRealIp], &twice, "10.0.0.1", "connection", Some(Remark::Unreadable)),
            (vec![Forwarded, XRealIp], &none, "10.0.0.1", "connection", Some(Remark::NothingSaid)),
        ] {
            let trusted = trusted(&order, &[]);
            let found = peer("10.0.0.1", None).standing(&trusted).client(sent, &trusted).into_parts();
            assert_eq!(found, (client.to_owned(), source, remark), "{order:?}");
        }
    }

    impl Client<'_> {
        fn into_parts(self) -> (String, &'static str, Option<Remark>) {
            (self.address.to_string(), self.source.as_str(), self.remark)
        }
    }

    #[test]
    fn a_proxy_header_moves_the_peer_and_trust_goes_on_from_there() {
        let trusted = trusted(&[AddressHeader::XForwardedFor], &[]);
        let sent = headers(&[("x-forwarded-for", "198.51.100.1")]);
        for (connection, proxied, client, source) in [
            ("10.0.0.1", Some("203.0.113.5"), "203.0.113.5", "proxy-protocol"),
            ("10.0.0.1", Some("10.0.0.2"), "198.51.100.1", "x-forwarded-for"),
            ("10.0.0.1", None, "198.51.100.1", "x-forwarded-for"),
            // The peer is not trusted any more.
            ("192.0.2.1", Some("203.0.113.5"), "192.0.2.1", "connection"),
            ("192.0.2.1", Some("10.0.0.2"), "192.0.2.1", "connection"),
        ] {
            let peer = peer(connection, proxied);
            let standing = peer.standing(&trusted);
            let found = standing.client(&sent, &trusted).into_parts();
            assert_eq!((found.0.as_str(), found.1), (client, source), "{connection} {proxied:?}");
            assert_eq!(standing.claims(&sent), source != "x-forwarded-for");
        }
    }

    #[test]
    fn the_original_host_is_what_trusted_proxies_say() {
        use HostHeader::{Forwarded, XForwardedHost};
        let sent = headers(&[
            ("forwarded", "for=203.0.113.9;host=forged, for=198.51.100.1;host=\"Shop.example:8443\", for=10.0.0.2"),
            ("x-forwarded-host", "forged, shop.internal"),
        ]);
        let nonsense = headers(&[("x-forwarded-host", "a/b"), ("forwarded", "for=198.51.100.1;host=shop")]);
        let long = headers(&[("x-forwarded-host", &"a".repeat(261))]);
        for (order, address, sent, host) in [
            (vec![Forwarded], "10.0.0.1", &sent, Some("Shop.example:8443")),
            (vec![XForwardedHost, Forwarded], "10.0.0.1", &sent, Some("shop.internal")),
            (vec![], "10.0.0.1", &sent, None),
            (vec![Forwarded], "192.0.2.1", &sent, None),
            (vec![XForwardedHost, Forwarded], "10.0.0.1", &nonsense, None),
            (vec![Forwarded], "10.0.0.1", &nonsense, Some("shop")),
            (vec![XForwardedHost], "10.0.0.1", &long, None),
        ] {
            let trusted = trusted(&[], &order);
            let peer = peer(address, None);
            let found = peer.standing(&trusted).client(sent, &trusted).host.map(|(host, _)| host.into_owned());
            assert_eq!(found.as_deref(), host.map(str::as_bytes), "{order:?} {address}");
        }
    }
}
