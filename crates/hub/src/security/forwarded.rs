//! For whom a proxy in front of the hub asks. Only proxies that were named are believed: anybody can write
//! `X-Forwarded-For`.

use http::HeaderMap;
use threadline_model::Network;

use super::ClientAddress;

/// The client: whoever the last hop of `X-Forwarded-For` names if a trusted proxy connected, else whoever connected.
/// Only the last hop was written by that proxy; those before it came with the request.
pub(crate) fn client(peer: ClientAddress, headers: &HeaderMap, trusted: &[Network]) -> ClientAddress {
    if !trusted.iter().any(|proxy| proxy.contains(peer.0)) {
        return peer;
    }
    let last = headers.get_all("x-forwarded-for").iter().next_back().and_then(|value| value.to_str().ok());
    let named = last.and_then(|hops| hops.rsplit(',').next()?.trim().parse().ok());
    named.map_or(peer, ClientAddress)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn client_of(peer: &str, forwarded: &[&str], trusted: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append("x-forwarded-for", value.parse().unwrap());
        }
        let trusted: Vec<Network> = trusted.iter().map(|text| text.parse().unwrap()).collect();
        client(ClientAddress(peer.parse().unwrap()), &headers, &trusted).to_string()
    }

    #[test]
    fn only_the_last_hop_and_only_of_a_trusted_proxy_counts() {
        for (peer, forwarded, trusted, expected) in [
            ("10.0.0.1", vec!["192.0.2.7"], vec![], "10.0.0.1"),
            ("10.0.0.1", vec!["192.0.2.7"], vec!["10.0.0.2"], "10.0.0.1"),
            ("10.0.0.1", vec!["192.0.2.7"], vec!["10.0.0.0/8"], "192.0.2.7"),
            ("::ffff:10.0.0.1", vec!["192.0.2.7"], vec!["10.0.0.0/8"], "192.0.2.7"),
            ("10.0.0.1", vec!["198.51.100.9, 192.0.2.7"], vec!["10.0.0.1"], "192.0.2.7"),
            ("10.0.0.1", vec!["198.51.100.9", "192.0.2.7"], vec!["10.0.0.1"], "192.0.2.7"),
            ("10.0.0.1", vec!["192.0.2.7, unknown"], vec!["10.0.0.1"], "10.0.0.1"),
            ("10.0.0.1", vec![], vec!["0.0.0.0/0"], "10.0.0.1"),
            ("2001:db8::1", vec!["2001:db8:1::7"], vec!["2001:db8::/64"], "2001:db8:1::7"),
            ("2001:db8:0:1::1", vec!["192.0.2.7"], vec!["2001:db8::/64"], "2001:db8:0:1::1"),
            ("10.0.0.1", vec!["192.0.2.7"], vec!["::/0"], "10.0.0.1"),
        ] {
            assert_eq!(client_of(peer, &forwarded, &trusted), expected, "{peer} {forwarded:?} {trusted:?}");
        }
    }
}
