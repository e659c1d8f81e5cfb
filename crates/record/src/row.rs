//! One row of the `exchanges` table before it is encoded. Field names are column names.

use std::net::IpAddr;

use threadline_model::{ExchangeId, SessionId, Timestamp};

/// What kind of rule decided the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SessionKeyKind {
    /// A grouping key of the policy.
    Configured,
    /// A rule of the built-in set.
    BuiltIn,
    /// Address and user agent, address alone, or the file's own identity.
    Fallback,
}

impl SessionKeyKind {
    /// The value of the column `session_key_kind`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Configured => "configured",
            Self::BuiltIn => "builtin",
            Self::Fallback => "fallback",
        }
    }
}

/// Whether the deciding value is known to come from the API itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueOrigin {
    /// Seen in a response.
    Issued,
    /// Made up by the client as far as is known.
    ClientChosen,
    /// Not judged.
    Unknown,
}

impl ValueOrigin {
    /// The value of the column `session_value_origin`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Issued => "issued",
            Self::ClientChosen => "client_chosen",
            Self::Unknown => "unknown",
        }
    }
}

/// The part of the exchange a value was found in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageSide {
    /// The request.
    Request,
    /// The response.
    Response,
}

impl MessageSide {
    /// The value in the API and in `params`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Response => "response",
        }
    }
}

/// One exported context parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParameterRow<'a> {
    /// The parameter's name in the policy.
    pub name: &'a str,
    /// The value, or its keyed hash.
    pub value: &'a str,
    /// Whether `value` is a keyed hash.
    pub hashed: bool,
    /// Where it was found.
    pub origin: MessageSide,
    /// Added by a mitigation control rather than by a person.
    pub hidden: bool,
}

/// A parser that stopped before the end of what it was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseErrorRow<'a> {
    /// Where: `request body`, `response body`, `request header AUTHORIZATION` …
    pub part: &'a str,
    /// The parser: `json`, `jwt` …
    pub parser: &'a str,
    /// Byte offset in what the parser was given.
    pub offset: u32,
    /// Why, in a few fixed words; never text from the message.
    pub reason: &'a str,
}

/// Everything that leaves the node about one exchange. Strings have passed masks and hashing.
#[derive(Clone, Debug)]
pub struct Row<'a> {
    /// Start of the request.
    pub ts: Timestamp,
    /// Identity of the exchange.
    pub exchange_id: ExchangeId,
    /// Name of the node.
    pub node: &'a str,
    /// `proxy`, `har` …
    pub source: &'a str,
    /// The policy that grouped it.
    pub policy_version: u64,
    /// Application ID; `default` when none matched.
    pub application: &'a str,
    /// Host, lower case, port kept unless it is the scheme's default; none when unknown.
    pub host: Option<&'a str>,
    /// `http` or `https`.
    pub scheme: Option<&'a str>,
    /// `HTTP/1.1` …
    pub proto: Option<&'a str>,
    /// Request method.
    pub method: &'a str,
    /// Path without the query.
    pub path: &'a str,
    /// Names of the query; values only where selected. `None` when the target had no `?`.
    pub query: Option<&'a str>,
    /// Method, host and path template; of GraphQL, SOAP and MCP the operation follows.
    pub endpoint: &'a str,
    /// `rest`, `graphql`, `soap`, `grpc`, `mcp`, `websocket`.
    pub protocol: &'a str,
    /// Operation within the protocol.
    pub operation: Option<&'a str>,
    /// Status code; none when there was no response.
    pub status: Option<u16>,
    /// How the exchange ended (`threadline_model::Outcome::as_str`).
    pub outcome: &'a str,
    /// Microseconds.
    pub duration_us: Option<u64>,
    /// Microseconds.
    pub upstream_us: Option<u64>,
    /// Bytes of the request body.
    pub request_bytes: u64,
    /// Bytes of the response body.
    pub response_bytes: u64,
    /// Client address.
    pub client_ip: Option<IpAddr>,
    /// User-Agent of the request.
    pub user_agent: Option<&'a str>,
    /// JA3.
    pub ja3: Option<&'a str>,
    /// JA4.
    pub ja4: Option<&'a str>,
    /// The session.
    pub session_id: SessionId,
    /// Name of the deciding key: a parameter's name, a built-in rule's, or a fallback's.
    pub session_key: &'a str,
    /// Its kind.
    pub session_key_kind: SessionKeyKind,
    /// The deciding value, or its keyed hash.
    pub session_value: &'a str,
    /// Whether `session_value` is a keyed hash.
    pub session_value_hashed: bool,
    /// Where the deciding value came from.
    pub session_value_origin: ValueOrigin,
    /// One letter per configured grouping key in the policy's order; see `threadline_grouping::Trace`.
    pub session_trace: &'a str,
    /// A message part that a key needed was damaged or not captured.
    pub session_uncertain: bool,
    /// The session of the request alone, where it differs (a login, a refresh).
    pub request_session_id: Option<SessionId>,
    /// Kind of the rule that decided `request_session_id`.
    pub request_session_key_kind: Option<SessionKeyKind>,
    /// W3C Trace Context trace-id, 32 hexadecimal digits.
    pub trace_id: Option<&'a str>,
    /// The parameter typed User.
    pub user: Option<&'a str>,
    /// The parameter typed Role.
    pub role: Option<&'a str>,
    /// Context parameters found.
    pub params: &'a [ParameterRow<'a>],
    /// Parsers that stopped early.
    pub parse_errors: &'a [ParseErrorRow<'a>],
}
