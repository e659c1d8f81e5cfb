//! Between the proxy, which notes who requests were taken to come from, and the hub, which shows it and must not know the
//! proxy. Masks are applied here, on the node's side.

use std::net::IpAddr;
use std::sync::Arc;

use threadline_hub::ResolvedClient;
use threadline_model::{AddressSource, ClientResolution};
use threadline_points::Point;
use threadline_policy::Policy;

use crate::metrics::Sources;

/// What the proxy of this process saw, once there is one.
pub(crate) struct Clients {
    pub(crate) sources: Arc<Sources>,
    pub(crate) node: String,
}

impl threadline_hub::ResolvedClients for Clients {
    fn list(&self, policy: &Policy) -> Vec<ResolvedClient> {
        let Some(resolutions) = self.sources.resolutions.get() else { return Vec::new() };
        let is_masked = hides_clients(policy);
        resolutions.list().into_iter().map(|resolution| show(resolution, &self.node, is_masked)).collect()
    }
}

/// Whether any mask covers the client's address. Of a request that is long gone nobody knows whether it was in a mask's
/// scope: one that holds somewhere holds here.
fn hides_clients(policy: &Policy) -> bool {
    let address = Point::parse("request > remote_addr");
    policy.masks().iter().any(|mask| address.as_ref().is_ok_and(|address| mask.point.overlaps(address)))
}

fn show(resolution: ClientResolution, node: &str, is_masked: bool) -> ResolvedClient {
    let ClientResolution { at, peer, client, source, remark } = resolution;
    // Where nobody else was named, the peer is the client.
    let shown = |address: IpAddr, is_client: bool| (!(is_masked && is_client)).then_some(address);
    ResolvedClient {
        node: node.to_owned(),
        at,
        peer: shown(peer, source == AddressSource::Connection || peer == client),
        client: shown(client, true),
        source,
        remark,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;
    use threadline_model::{AddressHeader, Timestamp};

    use super::*;

    fn policy(masks: serde_json::Value) -> Policy {
        let document = serde_json::from_value(json!({"masks": masks, "parameters": []})).unwrap();
        Policy::validate(1, document).unwrap()
    }

    #[test]
    fn a_mask_of_the_clients_address_hides_it_wherever_it_holds() {
        for (masks, hidden) in [
            (json!([]), false),
            (json!([{"point": "request > header X-FORWARDED-FOR"}]), false),
            (json!([{"point": "request > remote_addr"}]), true),
            (json!([{"point": "request > remote_addr", "scope": {"paths": ["/a"]}}]), true),
        ] {
            let is_masked = hides_clients(&policy(masks.clone()));
            assert_eq!(is_masked, hidden, "{masks}");
            for (source, peer, client) in [
                (AddressSource::Header(AddressHeader::XRealIp), "10.0.0.1", "192.0.2.1"),
                (AddressSource::ProxyProtocol, "10.0.0.1", "10.0.0.1"),
                (AddressSource::Connection, "192.0.2.1", "192.0.2.1"),
            ] {
                let (peer, client) = (peer.parse().unwrap(), client.parse().unwrap());
                let at = Timestamp::from_micros(1);
                let shown = show(ClientResolution { at, peer, client, source, remark: None }, "n", is_masked);
                assert_eq!(shown.client, (!hidden).then_some(client), "{masks}");
                assert_eq!(shown.peer, (!hidden || peer != client).then_some(peer), "a proxy's address is nobody's");
            }
        }
    }
}
