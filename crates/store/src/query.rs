//! Questions to a store. Filters combine with AND; several values of one filter with OR.

use std::collections::BTreeMap;

use threadline_model::{ExchangeId, Network, SessionId, Timestamp};

/// Half-open range of request starts: `from <= ts < to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TimeRange {
    /// First moment inside.
    pub from: Timestamp,
    /// First moment outside.
    pub to: Timestamp,
}

/// One status code or a whole class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StatusFilter {
    /// Exactly this code.
    Exact(u16),
    /// `Class(4)` is every 4xx.
    Class(u8),
    /// There was no response.
    None,
}

/// Allowed and refused values of one field: a row passes when it has one of `any` (or `any` is empty) and none of
/// `not`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Choice<T> {
    /// One of these.
    pub any: Vec<T>,
    /// None of these.
    pub not: Vec<T>,
}

impl<T> Default for Choice<T> {
    fn default() -> Self {
        Self { any: Vec::new(), not: Vec::new() }
    }
}

/// Which exchanges count. The default lets every exchange through.
///
/// User and role belong to sessions, and few exchanges of a session carry them. In questions about sessions (list,
/// facets, histogram) they choose the sessions in which a value was seen within the range, with all their exchanges;
/// in questions about exchanges and about one session they choose the exchanges that carry the value.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Filters {
    /// Application ID.
    pub application: Choice<String>,
    /// Host, compared as stored (lower case).
    pub host: Choice<String>,
    /// Client address or network.
    pub ip: Choice<Network>,
    /// Method.
    pub method: Choice<String>,
    /// Status code or class.
    pub status: Choice<StatusFilter>,
    /// User.
    pub user: Choice<String>,
    /// Role.
    pub role: Choice<String>,
    /// Text that the endpoint or the path contains, without regard to ASCII case.
    pub endpoint: Choice<String>,
    /// Session.
    pub session: Choice<SessionId>,
    /// Exchange.
    pub exchange: Choice<ExchangeId>,
    /// Name of the key that decided.
    pub key: Choice<String>,
    /// `configured`, `builtin`, `fallback`.
    pub key_kind: Choice<String>,
    /// The value that decided, as exported.
    pub value: Choice<String>,
    /// Values of exported parameters by the parameter's name, as exported: in clear, or the hash of a hashed one. Where
    /// one has several values, any of them may be it.
    pub parameters: BTreeMap<String, Choice<String>>,
    /// Outcome.
    pub outcome: Choice<String>,
    /// Free text: matches a session ID or trace ID exactly, or is contained in user, host, path, endpoint, user
    /// agent, deciding value, or equals a client address. Empty: no restriction.
    pub search: Option<String>,
}

/// A page of something, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageRequest {
    /// Rows wanted, 1 to 500.
    pub limit: u32,
    /// Opaque token of the page before; `None` for the first.
    pub token: Option<String>,
}

/// What the sessions list asks.
#[derive(Clone, Debug)]
pub struct SessionsQuery {
    /// Only exchanges started in this range count.
    pub range: TimeRange,
    /// Only these exchanges, of the sessions that user and role choose, count; a session without one does not appear.
    pub filters: Filters,
    /// Which page.
    pub page: PageRequest,
    /// How many bins each row's miniature thread has; 0 for none.
    pub thread_bins: u16,
}

/// What one session's exchanges ask.
#[derive(Clone, Debug)]
pub struct ExchangesQuery {
    /// Only exchanges started in this range.
    pub range: TimeRange,
    /// Only these exchanges.
    pub filters: Filters,
    /// Which page.
    pub page: PageRequest,
    /// Oldest first (a session read as a story) instead of newest first.
    pub oldest_first: bool,
}

/// A field whose values can be counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FacetField {
    /// Application ID.
    Application,
    /// Host.
    Host,
    /// Client address.
    Ip,
    /// Method.
    Method,
    /// Status code.
    Status,
    /// User.
    User,
    /// Role.
    Role,
    /// Endpoint.
    Endpoint,
    /// Deciding key.
    Key,
    /// User agent.
    UserAgent,
    /// Outcome.
    Outcome,
}
