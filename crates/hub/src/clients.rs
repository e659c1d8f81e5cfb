//! Who the last requests were taken to come from, as the nodes of this process saw it: what settings about trusted proxies
//! come to. Nothing is kept here.

use std::net::IpAddr;

use threadline_model::{AddressRemark, AddressSource, Timestamp};
use threadline_policy::Policy;

use crate::recent::NoNodes;

/// One request.
#[derive(Clone, Debug)]
pub struct ResolvedClient {
    /// The node that saw it.
    pub node: String,
    /// Start of the request.
    pub at: Timestamp,
    /// The connection's other end; `None` where a mask covers it.
    pub peer: Option<IpAddr>,
    /// The client; `None` where a mask covers it.
    pub client: Option<IpAddr>,
    /// Where the client's address was found.
    pub source: AddressSource,
    /// What may be wrong with the settings.
    pub remark: Option<AddressRemark>,
}

/// What nodes saw. Implemented where nodes live; what it gives has the masks applied.
pub trait ResolvedClients: Send + Sync + 'static {
    /// The last requests, the newest first, under the masks of a policy.
    fn list(&self, policy: &Policy) -> Vec<ResolvedClient>;
}

impl ResolvedClients for NoNodes {
    fn list(&self, _policy: &Policy) -> Vec<ResolvedClient> {
        Vec::new()
    }
}
