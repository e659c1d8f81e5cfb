//! Answers of a store.

use std::net::IpAddr;

use threadline_model::{ExchangeId, SessionId, Timestamp, UtcDay};

/// One value of a field with the number of exchanges that have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Count {
    /// The value as the API shows it; `None` for exchanges without one.
    pub value: Option<String>,
    /// Exchanges.
    pub exchanges: u64,
}

/// One bin of a thread: exchanges by outcome. Empty bins are left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ThreadBin {
    /// Position, 0 up to the number of bins asked for.
    pub index: u16,
    /// 1xx and 2xx.
    pub ok: u32,
    /// 3xx.
    pub redirect: u32,
    /// 4xx.
    pub client_error: u32,
    /// 5xx, and exchanges whose upstream failed.
    pub server_error: u32,
    /// No response otherwise.
    pub no_response: u32,
    /// Of all those, exchanges with an attack.
    pub attacks: u32,
    /// Of all those, blocked exchanges.
    pub blocked: u32,
}

/// A session drawn over time. Bins divide `from..to` evenly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thread {
    /// Start of the first bin.
    pub from: Timestamp,
    /// End of the last bin.
    pub to: Timestamp,
    /// How many bins `from..to` was divided into.
    pub bins_total: u16,
    /// The bins that hold exchanges, by position.
    pub bins: Vec<ThreadBin>,
}

/// One row of the sessions list: one session's exchanges within one UTC day (a part).
#[derive(Clone, Debug, PartialEq)]
pub struct SessionPart {
    /// The session.
    pub session_id: SessionId,
    /// The part's day.
    pub day: UtcDay,
    /// Start of the first counted exchange.
    pub first: Timestamp,
    /// Start of the last counted exchange.
    pub last: Timestamp,
    /// Counted exchanges.
    pub requests: u64,
    /// Of those, exchanges with an attack.
    pub attacks: u64,
    /// Of those, blocked ones.
    pub blocked: u64,
    /// Of those, exchanges answered 4xx or 5xx or whose upstream failed.
    pub errors: u64,
    /// Client addresses, most used first, at most 5.
    pub ips: Vec<Count>,
    /// Distinct client addresses.
    pub ip_count: u64,
    /// Hosts, most used first, at most 5.
    pub hosts: Vec<Count>,
    /// Distinct hosts.
    pub host_count: u64,
    /// Applications, most used first.
    pub applications: Vec<Count>,
    /// Last non-empty user.
    pub user: Option<String>,
    /// Whether `user` is a keyed hash.
    pub user_hashed: bool,
    /// Last non-empty role.
    pub role: Option<String>,
    /// Whether `role` is a keyed hash.
    pub role_hashed: bool,
    /// Most used endpoints, at most 5.
    pub endpoints: Vec<Count>,
    /// Distinct endpoints.
    pub endpoint_count: u64,
    /// Key that decided the last exchange.
    pub key: String,
    /// Its kind.
    pub key_kind: String,
    /// The deciding value of the last exchange, or its hash.
    pub key_value: String,
    /// Whether `key_value` is a keyed hash.
    pub key_value_hashed: bool,
    /// Last user agent seen.
    pub user_agent: Option<String>,
    /// The miniature thread.
    pub thread: Option<Thread>,
}

/// One page, with the total over all pages.
#[derive(Clone, Debug, PartialEq)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Rows over all pages.
    pub total: u64,
    /// Token of the next page; `None` on the last.
    pub next: Option<String>,
}

/// One exported context parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredParameter {
    /// Name in the policy.
    pub name: String,
    /// Value or keyed hash.
    pub value: String,
    /// Whether `value` is a keyed hash.
    pub hashed: bool,
    /// `request` or `response`.
    pub origin: String,
    /// Added by a mitigation control.
    pub hidden: bool,
}

/// A parser that stopped early.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredParseError {
    /// Where.
    pub part: String,
    /// Which parser.
    pub parser: String,
    /// Byte offset.
    pub offset: u32,
    /// Why.
    pub reason: String,
}

/// One exchange as stored; fields are the columns of the `exchanges` table.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "the columns are described where the table is: threadline_record::Row")]
pub struct StoredExchange {
    pub ts: Timestamp,
    pub ingested_at: Timestamp,
    pub exchange_id: ExchangeId,
    pub node: String,
    pub source: String,
    pub policy_version: u64,
    pub application: String,
    pub host: Option<String>,
    pub scheme: Option<String>,
    pub proto: Option<String>,
    pub method: String,
    pub path: String,
    pub query: Option<String>,
    pub endpoint: String,
    pub protocol: String,
    pub operation: Option<String>,
    pub status: Option<u16>,
    pub outcome: String,
    pub duration_us: Option<u64>,
    pub upstream_us: Option<u64>,
    pub request_bytes: u64,
    pub response_bytes: u64,
    pub client_ip: Option<IpAddr>,
    pub user_agent: Option<String>,
    pub ja3: Option<String>,
    pub ja4: Option<String>,
    pub session_id: SessionId,
    pub session_key: String,
    pub session_key_kind: String,
    pub session_value: String,
    pub session_value_hashed: bool,
    pub session_value_origin: String,
    pub session_trace: String,
    pub session_uncertain: bool,
    pub request_session_id: Option<SessionId>,
    pub request_session_key_kind: Option<String>,
    pub trace_id: Option<String>,
    pub user: Option<String>,
    pub role: Option<String>,
    pub params: Vec<StoredParameter>,
    pub attacks: u32,
    pub action: String,
    pub parse_errors: Vec<StoredParseError>,
}

/// A session over a time range: its header and its statistics.
#[derive(Clone, Debug, PartialEq)]
pub struct SessionSummary {
    /// Every counted exchange taken together, shown as if it were one part (its `day` is the newest).
    pub whole: SessionPart,
    /// The parts by day, newest first, without threads.
    pub parts: Vec<SessionPart>,
    /// Counts per field, most used first, at most 50 values each.
    pub facets: Vec<(crate::FacetField, Vec<Count>)>,
    /// All users seen with counts (C3).
    pub users: Vec<Count>,
    /// All roles seen with counts.
    pub roles: Vec<Count>,
    /// Sessions linked by an exchange (G8).
    pub links: Vec<SessionLink>,
    /// Idle gaps longer than asked for: end of the exchange before, start of the one after.
    pub gaps: Vec<(Timestamp, Timestamp)>,
}

/// A link between two sessions: an exchange whose request belongs to one and whose response made it another's (G8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionLink {
    /// The session of the request.
    pub from: SessionId,
    /// The session of the whole exchange.
    pub to: SessionId,
    /// The first such exchange.
    pub exchange_id: ExchangeId,
    /// Its start.
    pub ts: Timestamp,
    /// Number of such exchanges.
    pub exchanges: u64,
    /// The request's session is a fallback one (a shared address): shown, never followed.
    pub from_fallback: bool,
}

/// One bar of the histogram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HistogramBar {
    /// Start of the bar.
    pub from: Timestamp,
    /// Exchanges by outcome in it (`index` is the bar's position).
    pub counts: ThreadBin,
    /// Distinct sessions in it.
    pub sessions: u64,
}

/// How the rules that decide sessions did over a range (G9). Distinct values and sessions are exact.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyHealth {
    /// Every rule that decided an exchange, most exchanges first; those of equal counts by name.
    pub keys: Vec<KeyFigures>,
    /// What became of the configured keys, by policy version and place in it; in that order.
    pub outcomes: Vec<KeyOutcomeCount>,
    /// Exchanges over time by the rule that decided: the number of an equal bar of the range, the rule's place in
    /// [`KeyHealth::keys`], exchanges. Ordered; what is not there is none.
    pub bars: Vec<(u16, u32, u64)>,
}

/// What one rule decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyFigures {
    /// A configured key's name, a built-in rule's, or a fallback's.
    pub key: String,
    /// `configured`, `builtin` or `fallback`.
    pub kind: String,
    /// Exchanges that it decided.
    pub exchanges: u64,
    /// Sessions that have such an exchange.
    pub sessions: u64,
    /// Exchanges of those sessions, whichever rule decided them.
    pub exchanges_of_sessions: u64,
    /// Most exchanges of one of those sessions.
    pub largest_session: u64,
    /// Those of the sessions that have one exchange only.
    pub single_sessions: u64,
    /// Sessions of which no exchange in the range, whichever rule decided it, had a value that the API issued.
    pub never_issued_sessions: u64,
    /// Distinct client addresses.
    pub addresses: u64,
    /// Most addresses of one session.
    pub most_addresses_of_session: u64,
    /// Addresses of a session, summed over its sessions.
    pub addresses_of_sessions: u64,
    /// Most sessions of one address.
    pub most_sessions_of_address: u64,
}

/// How many exchanges of one policy version a rule decided of which a parameter is the first in an order to be there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FirstParameterCount {
    /// The place in the order of the first parameter that the exchanges were exported with; `None` of none of them.
    pub first: Option<u16>,
    /// The rule that decided: a configured key's name, a built-in rule's, or a fallback's.
    pub key: String,
    /// `configured`, `builtin` or `fallback`.
    pub kind: String,
    /// Exchanges.
    pub exchanges: u64,
}

/// How often a configured key came out in one way.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyOutcomeCount {
    /// The policy version.
    pub policy_version: u64,
    /// The key's place among the grouping keys of that version, from 0.
    pub place: u16,
    /// The letter of the outcome in a session's trace.
    pub letter: char,
    /// Exchanges.
    pub exchanges: u64,
}

/// What became of a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Appended {
    /// Rows stored now.
    pub stored: u64,
    /// Rows of batches (or, for imports, exchanges) that were stored before.
    pub duplicate: u64,
    /// Rows outside of what is kept (older than retention, or more than a day ahead of the store's clock):
    /// acknowledged, dropped, counted.
    pub expired: u64,
}

/// Size and reach of what is stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoreStatus {
    /// Exchanges stored and visible.
    pub exchanges: u64,
    /// Bytes on disk, write-ahead logs included.
    pub bytes_on_disk: u64,
    /// Days with live data, oldest first.
    pub days: Vec<UtcDay>,
    /// Days with imported data, oldest first.
    pub import_days: Vec<UtcDay>,
    /// Start of the oldest and newest exchange.
    pub span: Option<(Timestamp, Timestamp)>,
    /// Files that were found damaged since the store was opened and moved aside.
    pub damaged: u64,
}
