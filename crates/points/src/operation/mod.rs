//! What a request asks for where its path does not say it: the protocol it speaks over HTTP and the operation in it.
//!
//! The head decides whether a body is looked at: one that speaks none of these protocols is not touched. Bodies are
//! read with plans of fixed points, so that codings, cuts and damage are what they are for every point; damage is not
//! reported here, for nobody asked for these values. Clients choose the names of operations, so only what has the form
//! of a name is given. Whether a name may leave the node is not decided here.

mod graphql;
mod mcp;
mod protocol;
mod soap;

use std::fmt;

use http::HeaderName;
use threadline_model::Exchange;

use crate::{Bounds, Plan, PlanError, Point, Scratch};

pub use protocol::Protocol;

use self::graphql::Graphql;
use self::mcp::Mcp;
use self::protocol::Head;
use self::soap::Soap;

/// Longest name of an operation, bytes.
const LONGEST_NAME: usize = 128;

static WEBSOCKET_PROTOCOL: HeaderName = HeaderName::from_static("sec-websocket-protocol");

/// What an exchange speaks, and what it asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spoken {
    /// The protocol.
    pub protocol: Protocol,
    /// The operation, where the protocol has them and this one could be read. That of gRPC is the path.
    pub operation: Option<Operation>,
}

/// An operation of a protocol: captured text, so its `Debug` shows lengths only.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Operation {
    /// `query`, `mutation` or `subscription` of GraphQL, the method of JSON-RPC.
    pub kind: Option<String>,
    /// The name of a GraphQL operation, the primitive of MCP (of a resource the scheme of its URI), the method of SOAP,
    /// the subprotocol of a WebSocket.
    pub name: Option<String>,
    /// The name is that of the first field of an anonymous GraphQL operation.
    pub is_field: bool,
    /// How many more operations the request has (a batch); this is the first.
    pub further: usize,
}

impl fmt::Debug for Operation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Operation")
            .field("kind", &self.kind.as_ref().map(String::len))
            .field("name", &self.name.as_ref().map(String::len))
            .field("is_field", &self.is_field)
            .field("further", &self.further)
            .finish()
    }
}

/// Reads protocols and operations. Made once per version of a policy, used by one worker at a time.
pub struct Operations {
    graphql: Graphql,
    mcp: Mcp,
    soap: Soap,
}

impl Operations {
    /// `bounds` as for a plan.
    ///
    /// # Errors
    /// When the bounds leave no room for the points.
    pub fn new(bounds: Bounds) -> Result<Self, PlanError> {
        // The points are few and fixed; how many a policy may have is no matter of theirs.
        let bounds = Bounds { points: Bounds::default().points, ..bounds };
        Ok(Self { graphql: Graphql::new(bounds)?, mcp: Mcp::new(bounds)?, soap: Soap::new(bounds)? })
    }

    /// What an exchange speaks. Bodies are looked at only if the head says that an operation stands there.
    pub fn read(&self, exchange: &Exchange, scratch: &mut Scratch) -> Spoken {
        let head = Head::of(exchange);
        let operation = match head {
            Head::Certain(Protocol::Rest | Protocol::Grpc) => None,
            Head::Certain(Protocol::Graphql) => self.graphql.read(exchange, scratch),
            Head::Certain(Protocol::Mcp) => self.mcp.read(exchange, scratch),
            Head::Certain(Protocol::Soap) => self.soap.read(exchange, scratch),
            Head::Certain(Protocol::Websocket) => subprotocol(exchange),
            Head::PerhapsMcp => {
                let begun = self.mcp.read_beginning(exchange, scratch);
                let protocol = if begun.is_some() { Protocol::Mcp } else { Protocol::Rest };
                return Spoken { protocol, operation: begun };
            }
        };
        let Head::Certain(protocol) = head else { return Spoken { protocol: Protocol::Rest, operation } };
        Spoken { protocol, operation }
    }
}

impl fmt::Debug for Operations {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Operations")
    }
}

/// A plan of fixed points. A test holds that all of them are valid.
fn plan(points: &[String], bounds: Bounds) -> Result<Plan, PlanError> {
    let points: Vec<Point> = points.iter().filter_map(|text| Point::parse(text).ok()).collect();
    Plan::compile(&points, bounds)
}

/// A text of such bytes only, if it is not too long for a name.
fn name(text: &[u8], byte: impl Fn(&u8) -> bool) -> Option<String> {
    let is_name = (1..=LONGEST_NAME).contains(&text.len()) && text.iter().all(byte);
    std::str::from_utf8(text).ok().filter(|_| is_name).map(str::to_owned)
}

/// The subprotocol that the server chose (RFC 6455, section 4.2.2), if it is one that is registered or in wide use:
/// some clients put a token there, and their servers send it back.
fn subprotocol(exchange: &Exchange) -> Option<Operation> {
    const KNOWN: &[&str] = &[
        "actioncable-v1-json",
        "graphql-transport-ws",
        "graphql-ws",
        "mqtt",
        "ocpp1.5",
        "ocpp1.6",
        "ocpp2.0.1",
        "ocpp2.1",
        "sip",
        "soap",
        "v10.stomp",
        "v11.stomp",
        "v12.stomp",
        "wamp.2.json",
        "wamp.2.msgpack",
        "xmpp",
    ];
    let chosen = exchange.response.as_ref()?.headers.as_map().get(&WEBSOCKET_PROTOCOL)?.as_bytes().trim_ascii();
    let known = KNOWN.iter().find(|known| known.as_bytes().eq_ignore_ascii_case(chosen))?;
    Some(Operation { name: Some((*known).to_owned()), ..Operation::default() })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn all_fixed_points_are_valid() {
        for text in graphql::points().iter().chain(&mcp::points()).chain(&soap::points()) {
            assert!(Point::parse(text).is_ok(), "{text}");
        }
        assert!(Operations::new(Bounds::default()).is_ok());
    }
}
