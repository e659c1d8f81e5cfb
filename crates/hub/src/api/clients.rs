//! Who the last requests were taken to come from: what the policy's settings about trusted proxies come to.

use std::sync::Arc;

use axum::Json;
use axum::extract::{RawQuery, State};
use serde::Serialize;
use threadline_model::{AddressRemark, AddressSource};
use utoipa::ToSchema;

use super::query::QueryParameters;
use super::time::Time;
use crate::clients;
use crate::hub::Inner;
use crate::problem::Problem;

/// Who one request was taken to come from.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ResolvedClient {
    /// The node that saw it.
    node: String,
    /// Start of the request.
    at: Time,
    /// Address of the connection's other end; null where a mask hides the client and this is it.
    #[schema(required)]
    peer_address: Option<String>,
    /// Where the client's address was found: `connection`, `proxy_protocol`, `forwarded`, `x_forwarded_for`, `x_real_ip`.
    how: &'static str,
    /// The client's address; null where a mask hides it.
    #[schema(required)]
    client_address: Option<String>,
    /// What may be wrong with the settings: `untrusted_header` (the peer is not trusted but sent a header that says who the
    /// client is), `no_header` (the peer is trusted but sent none of those that are looked at), `unreadable` (it sent one
    /// that is hidden or no address), or `none`.
    remark: &'static str,
}

/// Who the last requests were taken to come from.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ResolvedClientList {
    /// Newest first, at most 50 for each node.
    clients: Vec<ResolvedClient>,
}

impl From<clients::ResolvedClient> for ResolvedClient {
    fn from(resolved: clients::ResolvedClient) -> Self {
        let clients::ResolvedClient { node, at, peer, client, source, remark } = resolved;
        let text = |address: std::net::IpAddr| address.to_canonical().to_string();
        Self {
            node,
            at: Time(at),
            peer_address: peer.map(text),
            how: AddressSource::as_str(source),
            client_address: client.map(text),
            remark: remark.map_or("none", AddressRemark::as_str),
        }
    }
}

/// List the clients that requests resolved to
///
/// What `trusted_proxies` come to: the last requests through the nodes of this process, at most 20 a second. Of all
/// traffic, analysed or not; in memory only.
#[utoipa::path(
    get, path = "/policy/clients", tag = "policy",
    responses((status = 200, description = "The last requests.", body = ResolvedClientList)),
)]
pub(crate) async fn list_clients(
    State(hub): State<Arc<Inner>>,
    RawQuery(query): RawQuery,
) -> Result<Json<ResolvedClientList>, Problem> {
    QueryParameters::parse(query.as_deref())?.finish()?;
    let clients = hub.settings.clients.list(&hub.policies.current());
    Ok(Json(ResolvedClientList { clients: clients.into_iter().map(Into::into).collect() }))
}
