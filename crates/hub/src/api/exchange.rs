//! One exchange as the API shows it, and why it belongs to its session.

use serde::Serialize;
use threadline_store as store;
use utoipa::ToSchema;

use super::answers::Range;
use super::policy::BuiltInRule;
use super::time::Time;

/// One exported context parameter found in an exchange.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct ExchangeParameter {
    /// Name in the policy.
    name: String,
    /// Value or keyed hash.
    value: String,
    /// Whether `value` is a keyed hash.
    hashed: bool,
    /// `request` or `response`.
    origin: String,
    /// Added by a mitigation control.
    hidden: bool,
}

/// A parser that stopped before the end of what it was given.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct ParseNote {
    /// Where: `request body` …
    part: String,
    /// The parser: `json` …
    parser: String,
    /// Byte offset in what the parser was given.
    offset: u32,
    /// Why.
    reason: String,
}

/// One exchange as stored; fields are the columns of the `exchanges` table.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Exchange {
    /// Start of the request.
    pub(crate) ts: Time,
    /// When the store took it.
    pub(crate) ingested_at: Time,
    /// Identity of the exchange, a UUID.
    pub(crate) exchange_id: String,
    /// Name of the node that exported it.
    pub(crate) node: String,
    /// `proxy`, `har` …
    pub(crate) source: String,
    /// The policy that grouped it.
    pub(crate) policy_version: u64,
    /// Application; `default` when none matched.
    pub(crate) application: String,
    /// Host; null when unknown.
    #[schema(required)]
    pub(crate) host: Option<String>,
    /// `http` or `https`.
    #[schema(required)]
    pub(crate) scheme: Option<String>,
    /// `HTTP/1.1` …
    #[schema(required)]
    pub(crate) proto: Option<String>,
    /// Request method.
    pub(crate) method: String,
    /// Path without the query.
    pub(crate) path: String,
    /// Names of the query, values only where selected; null when the target had no `?`.
    #[schema(required)]
    pub(crate) query: Option<String>,
    /// Method, host and path template; of GraphQL, SOAP and MCP the operation follows.
    pub(crate) endpoint: String,
    /// `rest`, `graphql`, `soap`, `grpc`, `mcp` or `websocket`.
    pub(crate) protocol: String,
    /// Operation within the protocol: `query Profile`, `tools/call search`, `shop.v1.Orders/Get`.
    #[schema(required)]
    pub(crate) operation: Option<String>,
    /// Status code; null when there was no response.
    #[schema(required)]
    pub(crate) status: Option<u16>,
    /// How it ended: `completed`, `client_aborted`, `upstream_failed`, `refused`, `upgraded`.
    pub(crate) outcome: String,
    /// Microseconds from the first byte of the request to the end of the response.
    #[schema(required)]
    pub(crate) duration_us: Option<u64>,
    /// Microseconds until the upstream answered.
    #[schema(required)]
    pub(crate) upstream_us: Option<u64>,
    /// Bytes of the request body.
    pub(crate) request_bytes: u64,
    /// Bytes of the response body.
    pub(crate) response_bytes: u64,
    /// Client address; null when unknown.
    #[schema(required)]
    pub(crate) client_ip: Option<String>,
    /// User-Agent of the request.
    #[schema(required)]
    pub(crate) user_agent: Option<String>,
    /// JA3 fingerprint.
    #[schema(required)]
    pub(crate) ja3: Option<String>,
    /// JA4 fingerprint.
    #[schema(required)]
    pub(crate) ja4: Option<String>,
    /// The session, 32 hexadecimal digits.
    pub(crate) session_id: String,
    /// Name of the deciding key.
    pub(crate) session_key: String,
    /// Its kind: `configured`, `builtin` or `fallback`.
    pub(crate) session_key_kind: String,
    /// The deciding value, or its keyed hash.
    pub(crate) session_value: String,
    /// Whether `session_value` is a keyed hash.
    pub(crate) session_value_hashed: bool,
    /// `issued`, `client_chosen` or `unknown`.
    pub(crate) session_value_origin: String,
    /// A message part that a key needed was damaged or not captured.
    pub(crate) session_uncertain: bool,
    /// The session of the request alone, where it differs.
    #[schema(required)]
    pub(crate) request_session_id: Option<String>,
    /// Kind of the rule that decided `request_session_id`.
    #[schema(required)]
    pub(crate) request_session_key_kind: Option<String>,
    /// W3C Trace Context trace-id.
    #[schema(required)]
    pub(crate) trace_id: Option<String>,
    /// The parameter typed User.
    #[schema(required)]
    pub(crate) user: Option<String>,
    /// The parameter typed Role.
    #[schema(required)]
    pub(crate) role: Option<String>,
    /// Context parameters found.
    pub(crate) params: Vec<ExchangeParameter>,
    /// Attacks found.
    pub(crate) attacks: u32,
    /// `none`, `monitored` or `blocked`.
    pub(crate) action: String,
    /// Parsers that stopped early.
    pub(crate) parse_errors: Vec<ParseNote>,
}

impl From<store::StoredExchange> for Exchange {
    fn from(exchange: store::StoredExchange) -> Self {
        Self {
            ts: Time(exchange.ts),
            ingested_at: Time(exchange.ingested_at),
            exchange_id: exchange.exchange_id.to_string(),
            node: exchange.node,
            source: exchange.source,
            policy_version: exchange.policy_version,
            application: exchange.application,
            host: exchange.host,
            scheme: exchange.scheme,
            proto: exchange.proto,
            method: exchange.method,
            path: exchange.path,
            query: exchange.query,
            endpoint: exchange.endpoint,
            protocol: exchange.protocol,
            operation: exchange.operation,
            status: exchange.status,
            outcome: exchange.outcome,
            duration_us: exchange.duration_us,
            upstream_us: exchange.upstream_us,
            request_bytes: exchange.request_bytes,
            response_bytes: exchange.response_bytes,
            client_ip: exchange.client_ip.map(|address| address.to_canonical().to_string()),
            user_agent: exchange.user_agent,
            ja3: exchange.ja3,
            ja4: exchange.ja4,
            session_id: exchange.session_id.to_string(),
            session_key: exchange.session_key,
            session_key_kind: exchange.session_key_kind,
            session_value: exchange.session_value,
            session_value_hashed: exchange.session_value_hashed,
            session_value_origin: exchange.session_value_origin,
            session_uncertain: exchange.session_uncertain,
            request_session_id: exchange.request_session_id.map(|id| id.to_string()),
            request_session_key_kind: exchange.request_session_key_kind,
            trace_id: exchange.trace_id,
            user: exchange.user,
            role: exchange.role,
            params: exchange
                .params
                .into_iter()
                .map(|parameter| ExchangeParameter {
                    name: parameter.name,
                    value: parameter.value,
                    hashed: parameter.hashed,
                    origin: parameter.origin,
                    hidden: parameter.hidden,
                })
                .collect(),
            attacks: exchange.attacks,
            action: exchange.action,
            parse_errors: exchange
                .parse_errors
                .into_iter()
                .map(|note| ParseNote {
                    part: note.part,
                    parser: note.parser,
                    offset: note.offset,
                    reason: note.reason,
                })
                .collect(),
        }
    }
}

/// A page of one session's exchanges.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct ExchangeList {
    /// The range that was counted.
    pub(crate) range: Range,
    /// Exchanges over all pages.
    pub(crate) total: u64,
    /// Token of the next page; null on the last.
    #[schema(required)]
    pub(crate) next_page_token: Option<String>,
    /// The exchanges in the order asked for.
    pub(crate) exchanges: Vec<Exchange>,
}

/// What became of one grouping key on an exchange.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct TraceStep {
    /// The key's name in the policy that grouped the exchange.
    pub(crate) name: String,
    /// Its point, text spelling.
    pub(crate) point: String,
    /// `decided`, `absent`, `empty`, `masked`, `too_long`, `not_scalar`, `out_of_scope`, `unparsable`,
    /// `not_captured`, or `not_tried` for keys after the one that decided; null for one that a later version of
    /// Threadline wrote.
    #[schema(required)]
    pub(crate) outcome: Option<String>,
}

/// One exchange and why it belongs to its session.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct ExchangeDetails {
    /// The exchange.
    #[serde(flatten)]
    pub(crate) exchange: Exchange,
    /// The configured grouping keys in the order they were tried, each with its outcome; null when this hub does
    /// not know the policy version that grouped the exchange.
    #[schema(required)]
    pub(crate) trace: Option<Vec<TraceStep>>,
    /// The built-in rule or fallback that decided; null when a configured key did.
    #[schema(required)]
    pub(crate) built_in: Option<BuiltInRule>,
}
