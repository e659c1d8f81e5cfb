//! What an exchange speaks, by cheap facts of its head. Bodies are not looked at.

use http::HeaderName;
use threadline_model::{CapturedHeaders, Exchange, Outcome};

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

    /// `path` is the path of the request's target.
    pub(crate) fn of(exchange: &Exchange, path: &[u8]) -> Self {
        let headers = &exchange.request.headers;
        let content_type = headers.as_map().get(http::header::CONTENT_TYPE).map_or(&b""[..], |value| value.as_bytes());
        let begins =
            |prefix: &[u8]| content_type.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
        let upgrade = || headers.as_map().get(http::header::UPGRADE).map(|value| value.as_bytes());
        let graphql_path = |path: &[u8]| {
            let path = path.strip_suffix(b"/").unwrap_or(path);
            path.len().checked_sub(8).is_some_and(|at| path[at..].eq_ignore_ascii_case(b"/graphql"))
        };
        if exchange.outcome == Outcome::Upgraded || upgrade().is_some_and(|to| to.eq_ignore_ascii_case(b"websocket")) {
            Self::Websocket
        } else if begins(b"application/grpc") {
            Self::Grpc
        } else if begins(b"application/graphql") || graphql_path(path) {
            Self::Graphql
        } else if begins(b"application/soap+xml")
            || (begins(b"text/xml") && headers.as_map().contains_key(&SOAP_ACTION))
        {
            Self::Soap
        } else if headers.as_map().contains_key(&MCP_PROTOCOL_VERSION) || mcp_session(exchange) {
            Self::Mcp
        } else {
            Self::Rest
        }
    }
}

/// A server names the session in its answer to `initialize`, the client in every request after.
fn mcp_session(exchange: &Exchange) -> bool {
    let names = |headers: &CapturedHeaders| headers.as_map().contains_key(&MCP_SESSION_ID);
    names(&exchange.request.headers) || exchange.response.as_ref().is_some_and(|response| names(&response.headers))
}
