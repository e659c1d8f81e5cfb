//! The clients that requests resolved to: who may look, under which policy, and what is shown.

use std::sync::{Arc, Mutex};

use serde_json::json;
use threadline_hub::{ResolvedClient, ResolvedClients};
use threadline_model::{AddressHeader, AddressRemark, AddressSource};
use threadline_policy::Policy;

use crate::support::{NOON, TestHub};

const CLIENTS: &str = "/api/v1/policy/clients";

/// A node that saw two requests, and notes under which policy it was asked.
#[derive(Default)]
struct Node(Mutex<Vec<u64>>);

impl ResolvedClients for Node {
    fn list(&self, policy: &Policy) -> Vec<ResolvedClient> {
        self.0.lock().unwrap().push(policy.version());
        let address = |text: &str| Some(text.parse().unwrap());
        let resolved = |peer, client, source, remark| ResolvedClient {
            node: "edge".to_owned(),
            at: NOON,
            peer,
            client,
            source,
            remark,
        };
        let header = AddressSource::Header(AddressHeader::XForwardedFor);
        vec![
            resolved(address("10.0.0.1"), address("::ffff:192.0.2.7"), header, None),
            resolved(None, None, AddressSource::Connection, Some(AddressRemark::UntrustedHeader)),
        ]
    }
}

#[tokio::test]
async fn administrators_see_who_requests_were_taken_to_come_from() {
    let node = Arc::new(Node::default());
    let hub = TestHub::start_with(|settings| settings.clients = Arc::clone(&node) as Arc<dyn ResolvedClients>).await;
    for role in ["analyst", "viewer", "node"] {
        hub.get(CLIENTS).token(&hub.token(role).await).send().await.assert_problem(403, &[]);
    }
    hub.get(CLIENTS).send().await.assert_problem(401, &[]);
    let administrator = hub.token("admin").await;
    hub.get(&format!("{CLIENTS}?limit=5")).token(&administrator).send().await.assert_problem(422, &["limit"]);
    assert!(node.0.lock().unwrap().is_empty());
    let answer = hub.get(CLIENTS).token(&administrator).send().await;
    let at = "2026-11-23T12:00:00.000000Z";
    assert_eq!(
        answer.json(),
        json!({"clients": [
            {"node": "edge", "at": at, "peer_address": "10.0.0.1", "how": "x_forwarded_for",
             "client_address": "192.0.2.7", "remark": "none"},
            {"node": "edge", "at": at, "peer_address": null, "how": "connection", "client_address": null,
             "remark": "untrusted_header"},
        ]})
    );
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(*node.0.lock().unwrap(), [0], "under the policy that holds");
}

#[tokio::test]
async fn a_hub_without_nodes_has_seen_nobody() {
    let hub = TestHub::start().await;
    let answer = hub.get(CLIENTS).token(&hub.local_token()).send().await;
    assert_eq!(answer.json(), json!({"clients": []}));
}
