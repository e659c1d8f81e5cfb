//! What an exchange speaks, by cheap facts of its head. Bodies are not looked at.

use http::HeaderName;
use http::header::{ACCEPT, CONTENT_TYPE, UPGRADE};
use threadline_model::{CapturedHeaders, Exchange, Outcome};

use crate::target;

static SOAP_ACTION: HeaderName = HeaderName::from_static("soapaction");
static MCP_PROTOCOL_VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
static MCP_SESSION_ID: HeaderName = HeaderName::from_static("mcp-session-id");

/// The protocol spoken over HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// None of the others.
    Rest,
    /// GraphQL over HTTP.
    Graphql,
    /// SOAP 1.2, or 1.1 by its header SOAPAction.
    Soap,
    /// gRPC, gRPC-Web included.
    Grpc,
    /// Model Context Protocol, streamable HTTP.
    Mcp,
    /// A WebSocket handshake (RFC 6455; RFC 8441 where the source reports it as upgraded).
    Websocket,
}

/// What the head says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Head {
    Certain(Protocol),
    /// It may begin a session of MCP, which has nothing in its head that others do not have; else it is REST.
    PerhapsMcp,
}

impl Protocol {
    /// The value of the column `protocol`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rest => "rest",
            Self::Graphql => "graphql",
            Self::Soap => "soap",
            Self::Grpc => "grpc",
            Self::Mcp => "mcp",
            Self::Websocket => "websocket",
        }
    }
}

impl Head {
    pub(super) fn of(exchange: &Exchange) -> Self {
        let headers = exchange.request.headers.as_map();
        let content_type = headers.get(CONTENT_TYPE).map_or(&b""[..], |value| value.as_bytes());
        let declares =
            |prefix: &[u8]| content_type.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
        let upgrade = || headers.get(UPGRADE).map(|value| value.as_bytes());
        if exchange.outcome == Outcome::Upgraded || upgrade().is_some_and(|to| to.eq_ignore_ascii_case(b"websocket")) {
            Self::Certain(Protocol::Websocket)
        } else if declares(b"application/grpc") {
            Self::Certain(Protocol::Grpc)
        } else if declares(b"application/graphql") || is_graphql_path(target::path(exchange.request.target.as_bytes()))
        {
            Self::Certain(Protocol::Graphql)
        } else if declares(b"application/soap+xml") || (declares(b"text/xml") && headers.contains_key(&SOAP_ACTION)) {
            Self::Certain(Protocol::Soap)
        } else if headers.contains_key(&MCP_PROTOCOL_VERSION) || mcp_session(exchange) {
            Self::Certain(Protocol::Mcp)
        } else if declares(b"application/json")
            && exchange.request.method.as_bytes() == b"POST"
            && headers.get(ACCEPT).is_some_and(|accepted| takes_events(accepted.as_bytes()))
        {
            Self::PerhapsMcp
        } else {
            Self::Certain(Protocol::Rest)
        }
    }
}

/// `/graphql`, `/api/gql/`: where servers of GraphQL are by convention.
fn is_graphql_path(path: &[u8]) -> bool {
    let path = path.strip_suffix(b"/").unwrap_or(path);
    let last = memchr::memrchr(b'/', path).map_or(path, |slash| &path[slash + 1..]);
    last.eq_ignore_ascii_case(b"graphql") || last.eq_ignore_ascii_case(b"gql")
}

/// A server names the session in its answer to `initialize`, the client in every request after.
fn mcp_session(exchange: &Exchange) -> bool {
    let names = |headers: &CapturedHeaders| headers.as_map().contains_key(&MCP_SESSION_ID);
    names(&exchange.request.headers) || exchange.response.as_ref().is_some_and(|response| names(&response.headers))
}

/// Clients of MCP take an answer as JSON or as events (MCP, Streamable HTTP, "Sending Messages to the Server").
fn takes_events(accepted: &[u8]) -> bool {
    const EVENTS: &[u8] = b"text/event-stream";
    accepted
        .split(|byte| *byte == b',')
        .any(|kind| kind.trim_ascii_start().get(..EVENTS.len()).is_some_and(|kind| kind.eq_ignore_ascii_case(EVENTS)))
}
