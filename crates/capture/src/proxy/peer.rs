//! Who is at the other end of a client connection.
//!
//! The address of the connection itself; or, where that is a trusted proxy's, the one that it says: in a PROXY header at
//! the connection's beginning, then in a header of each request. This is the one place that reads it, and the original
//! host beside it.

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};

use http::{HeaderMap, HeaderName, HeaderValue};
use threadline_model::{AddressHeader, AddressRemark, AddressSource, HostHeader, TrustedProxies};

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

/// Who a request comes from.
#[derive(Clone, Copy)]
pub(super) struct Client {
    pub(super) address: IpAddr,
    pub(super) source: AddressSource,
    /// Of a trusted peer; of others [`Standing::remark`] tells.
    remark: Option<AddressRemark>,
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
    pub(super) fn client(&self, headers: &HeaderMap, trusted: &TrustedProxies) -> Client {
        let first = || trusted.address.iter().find(|header| headers.contains_key(header.as_str()));
        let source = match std::ptr::eq(self.peer, self.connection) {
            true => AddressSource::Connection,
            false => AddressSource::ProxyProtocol,
        };
        let own = |remark| Client { address: self.peer.address, source, remark };
        if !self.is_trusted || trusted.address.is_empty() {
            return own(None);
        }
        let Some(header) = first() else { return own(Some(AddressRemark::NoHeader)) };
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
        // One that cannot be read is not passed over for the next header.
        let Some(address) = found else { return own(Some(AddressRemark::Unreadable)) };
        Client { address, source: AddressSource::Header(*header), remark: None }
    }

    /// The host that was asked for first, where a trusted peer says one: in the first header that is there. Nothing where
    /// that one holds no host.
    pub(super) fn original_host<'h>(&self, headers: &'h HeaderMap, trusted: &TrustedProxies) -> Option<Cow<'h, [u8]>> {
        if !self.is_trusted {
            return None;
        }
        let host = match trusted.host.iter().find(|header| headers.contains_key(header.as_str()))? {
            HostHeader::Forwarded => forwarded_host(headers, trusted),
            HostHeader::XForwardedHost => last_member(headers, &X_FORWARDED_HOST).map(Cow::Borrowed),
        };
        host.filter(|host| host.len() <= MAXIMUM_HOST_BYTES && is_host(host))
    }

    /// What may be wrong with the settings, of a request whose client was found. Looks for the headers that an untrusted
    /// peer should not have sent.
    pub(super) fn remark(&self, client: Client, headers: &HeaderMap) -> Option<AddressRemark> {
        let claims = || AddressHeader::ALL.iter().any(|header| headers.contains_key(header.as_str()));
        if !self.is_trusted && claims() { Some(AddressRemark::UntrustedHeader) } else { client.remark }
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

    fn trusted(address: &[AddressHeader]) -> TrustedProxies {
        TrustedProxies {
            networks: vec!["10.0.0.0/8".parse().unwrap(), "2001:db8::/32".parse().unwrap()],
            address: address.to_vec(),
            host: Vec::new(),
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
        let trusted = trusted(&[AddressHeader::XForwardedFor]);
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
            (vec![XForwardedFor, Forwarded], &sent, "198.51.100.2", "x_forwarded_for", None),
            (vec![XRealIp], &sent, "198.51.100.3", "x_real_ip", None),
            (vec![], &sent, "10.0.0.1", "connection", None),
            (vec![Forwarded, XRealIp], &hidden, "10.0.0.1", "connection", Some("unreadable")),
            (vec![XForwardedFor, XRealIp], &hidden, "198.51.100.3", "x_real_ip", None),
            (vec![XRealIp], &twice, "10.0.0.1", "connection", Some("unreadable")),
            (vec![Forwarded, XRealIp], &none, "10.0.0.1", "connection", Some("no_header")),
        ] {
            let found = resolved("10.0.0.1", None, sent, &trusted(&order));
            assert_eq!(found, (client.to_owned(), source, remark), "{order:?}");
        }
    }

    /// The client, how it was found, and the remark.
    fn resolved(
        connection: &str,
        proxied: Option<&str>,
        sent: &HeaderMap,
        trusted: &TrustedProxies,
    ) -> (String, &'static str, Option<&'static str>) {
        let peer = peer(connection, proxied);
        let standing = peer.standing(trusted);
        assert_eq!(standing.connection().to_string(), connection);
        let client = standing.client(sent, trusted);
        let remark = standing.remark(client, sent).map(AddressRemark::as_str);
        (client.address.to_string(), client.source.as_str(), remark)
    }

    #[test]
    fn a_proxy_header_moves_the_peer_and_trust_goes_on_from_there() {
        let trusted = trusted(&[AddressHeader::XForwardedFor]);
        let sent = headers(&[("x-forwarded-for", "198.51.100.1")]);
        let untrusted = Some("untrusted_header");
        for (connection, proxied, client, source, remark) in [
            ("10.0.0.1", Some("203.0.113.5"), "203.0.113.5", "proxy_protocol", untrusted),
            ("10.0.0.1", Some("10.0.0.2"), "198.51.100.1", "x_forwarded_for", None),
            ("10.0.0.1", None, "198.51.100.1", "x_forwarded_for", None),
            // The peer is not trusted any more.
            ("192.0.2.1", Some("203.0.113.5"), "192.0.2.1", "connection", untrusted),
            ("192.0.2.1", Some("10.0.0.2"), "192.0.2.1", "connection", untrusted),
        ] {
            let found = resolved(connection, proxied, &sent, &trusted);
            assert_eq!(found, (client.to_owned(), source, remark), "{connection} {proxied:?}");
            let peer = peer(connection, proxied);
            assert_eq!(peer.standing(&trusted).is_trusted(), source == "x_forwarded_for", "{connection} {proxied:?}");
        }
    }

    #[test]
    fn remarks_tell_settings_that_do_not_fit_from_clients_that_say_nothing() {
        let (proxies, nobody) = (trusted(&[AddressHeader::XForwardedFor]), TrustedProxies::default());
        let none = headers(&[]);
        for name in ["forwarded", "x-forwarded-for", "x-real-ip"] {
            let sent = headers(&[(name, "198.51.100.1")]);
            assert_eq!(resolved("10.0.0.1", None, &sent, &nobody).2, Some("untrusted_header"), "{name}");
        }
        assert_eq!(resolved("10.0.0.1", None, &none, &nobody).2, None);
        let other = headers(&[("x-real-ip", "198.51.100.1")]);
        assert_eq!(resolved("10.0.0.1", None, &other, &proxies).2, Some("no_header"));
        assert_eq!(resolved("10.0.0.1", Some("203.0.113.5"), &none, &proxies).2, None);
    }

    #[test]
    fn the_original_host_is_what_trusted_proxies_say() {
        use HostHeader::{Forwarded, XForwardedHost};
        let sent = headers(&[
            ("forwarded", "for=203.0.113.9;host=forged, for=198.51.100.1;host=\"Shop.example:8443\", for=10.0.0.2"),
            ("x-forwarded-host", "forged, shop.internal"),
        ]);
        let nonsense = headers(&[("x-forwarded-host", "a/b"), ("forwarded", "for=198.51.100.1;host=shop")]);
        let lines = headers(&[("x-forwarded-host", "forged"), ("x-forwarded-host", " shop "), ("forwarded", "for=1")]);
        let long = headers(&[("x-forwarded-host", &"a".repeat(261))]);
        let longest = "a".repeat(260);
        let long_enough = headers(&[("x-forwarded-host", &longest)]);
        for (order, address, sent, host) in [
            (vec![Forwarded], "10.0.0.1", &sent, Some("Shop.example:8443")),
            (vec![XForwardedHost, Forwarded], "10.0.0.1", &sent, Some("shop.internal")),
            (vec![], "10.0.0.1", &sent, None),
            (vec![Forwarded], "192.0.2.1", &sent, None),
            (vec![XForwardedHost, Forwarded], "10.0.0.1", &nonsense, None),
            (vec![Forwarded], "10.0.0.1", &nonsense, Some("shop")),
            (vec![XForwardedHost], "10.0.0.1", &lines, Some("shop")),
            (vec![Forwarded, XForwardedHost], "10.0.0.1", &lines, None),
            (vec![XForwardedHost], "10.0.0.1", &long, None),
            (vec![XForwardedHost], "10.0.0.1", &long_enough, Some(longest.as_str())),
        ] {
            let trusted = TrustedProxies { host: order.clone(), ..trusted(&[]) };
            let peer = peer(address, None);
            let found = peer.standing(&trusted).original_host(sent, &trusted);
            assert_eq!(found.as_deref(), host.map(str::as_bytes), "{order:?} {address}");
        }
    }
}
