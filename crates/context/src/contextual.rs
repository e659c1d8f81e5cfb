//! What leaves the node about one exchange, as far as it came from captured data. Every text in here has passed
//! hashing and the credential rules; nothing else may be exported.

use std::net::IpAddr;

use threadline_grouping::{KeyKind, RequestSession, Trace};
use threadline_model::SessionId;
use threadline_points::{Protocol, Side};

use crate::Text;

/// One context parameter that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContextParameter<'a> {
    /// Its name in the policy.
    pub name: &'a str,
    /// The value or its hash.
    pub value: Text<'a>,
    /// The message it was found in.
    pub side: Side,
    /// Added by a mitigation control rather than by a person.
    pub hidden: bool,
}

/// The session of an exchange in exportable form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContextSession<'a> {
    /// The session.
    pub id: SessionId,
    /// Name of the deciding key: a parameter's name, a built-in rule's, or a fallback's.
    pub key: &'a str,
    /// Its kind.
    pub key_kind: KeyKind,
    /// The deciding value or its hash. For a fallback: address and User-Agent, the file's identity, or the
    /// exchange's.
    pub value: Text<'a>,
    /// The deciding value was found in a response, so the API issued it.
    pub issued: bool,
    /// What became of every configured grouping key.
    pub trace: Trace,
    /// A key before the deciding one may have been missed: a part of the message was damaged or not captured, or the
    /// response never arrived.
    pub uncertain: bool,
    /// The request's own session where it is another one.
    pub request: Option<RequestSession>,
}

/// A parser that stopped early. Names and fixed words only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContextParseError {
    /// Where: `request body`, `request header AUTHORIZATION`.
    pub part: String,
    /// The parser: `json`, `jwt`.
    pub parser: &'static str,
    /// Bytes from the start of what the parser was given.
    pub offset: u32,
    /// Why.
    pub reason: &'static str,
}

/// Everything about one exchange that may leave the node and came from captured data. Times, sizes and identities,
/// which hold nothing captured, are taken from the exchange itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contextual<'a> {
    /// Lower case, without the scheme's default port and without user information; none when unknown.
    pub host: Option<Text<'a>>,
    /// As sent when it is a token of RFC 9110 of at most 32 bytes, else `OTHER`.
    pub method: &'a str,
    /// The path as sent, without query. Values of path parameters are left out (`;jsessionid=…`), secrets and tokens
    /// replaced or cut.
    pub path: Text<'a>,
    /// The query's names joined with `&`; `=value` only where a parameter selects the field. None when the target
    /// had no `?`.
    pub query: Option<Text<'a>>,
    /// `METHOD host /template`; the host left out when unknown. Of GraphQL, SOAP and MCP the operation follows, without
    /// what is variable in it and without how many more there are.
    pub endpoint: String,
    /// What the exchange speaks.
    pub protocol: Protocol,
    /// The operation within the protocol: `query Profile`, `query { profile }` of an anonymous one, and `+2` when two more
    /// follow in a batch; `tools/call search` of MCP; the method of SOAP; service and method of gRPC; the subprotocol of
    /// a WebSocket. Only what has the form of a name; secrets are left out.
    pub operation: Option<String>,
    /// The client's address, unless a hashed parameter covers it.
    pub client_ip: Option<IpAddr>,
    /// User-Agent of the request.
    pub user_agent: Option<Text<'a>>,
    /// JA3 of the client's TLS connection.
    pub ja3: Option<Text<'a>>,
    /// JA4 of the client's TLS connection.
    pub ja4: Option<Text<'a>>,
    /// The session and why.
    pub session: ContextSession<'a>,
    /// W3C Trace Context trace-id: 32 lower-case hexadecimal digits.
    pub trace_id: Option<&'a str>,
    /// Value of the parameter of type User that was seen last: one of the response after one of the request, and within
    /// a message the later in the policy.
    pub user: Option<Text<'a>>,
    /// Value of the parameter of type Role that was seen last, likewise.
    pub role: Option<Text<'a>>,
    /// The context parameters that were found, in the policy's order.
    pub params: Vec<ContextParameter<'a>>,
    /// Parsers that stopped early, the policy's before the built-in set's.
    pub parse_errors: Vec<ContextParseError>,
}
