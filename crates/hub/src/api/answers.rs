//! What the store answers, as the API shows it. Field names are those of the `exchanges` table and of the store's
//! types; times are RFC 3339 in UTC with microseconds.
//!
//! Strings in here come from hostile traffic. They leave as JSON and as nothing else; clients escape them where they
//! show them.

use serde::Serialize;
use threadline_model::Timestamp;
use threadline_store as store;
use utoipa::ToSchema;

use super::time::Time;

/// The range of request starts that an answer speaks about: `from <= ts < to`.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub(crate) struct Range {
    /// First moment inside.
    pub(crate) from: Time,
    /// First moment outside.
    pub(crate) to: Time,
}

impl From<store::TimeRange> for Range {
    fn from(range: store::TimeRange) -> Self {
        Self { from: Time(range.from), to: Time(range.to) }
    }
}

/// One value of a field with the number of exchanges that have it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Count {
    /// The value; null for exchanges without one.
    #[schema(required)]
    value: Option<String>,
    /// Exchanges.
    exchanges: u64,
}

impl From<store::Count> for Count {
    fn from(count: store::Count) -> Self {
        Self { value: count.value, exchanges: count.exchanges }
    }
}

fn counts(counts: Vec<store::Count>) -> Vec<Count> {
    counts.into_iter().map(Count::from).collect()
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// One bin of a thread: exchanges by outcome. Numbers that are 0 are left out.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub(crate) struct ThreadBin {
    /// Position, 0 up to the number of bins.
    index: u16,
    /// 1xx and 2xx.
    #[serde(skip_serializing_if = "is_zero")]
    #[schema(required = false)]
    ok: u32,
    /// 3xx.
    #[serde(skip_serializing_if = "is_zero")]
    #[schema(required = false)]
    redirect: u32,
    /// 4xx.
    #[serde(skip_serializing_if = "is_zero")]
    #[schema(required = false)]
    client_error: u32,
    /// 5xx, and exchanges whose upstream failed.
    #[serde(skip_serializing_if = "is_zero")]
    #[schema(required = false)]
    server_error: u32,
    /// No response otherwise.
    #[serde(skip_serializing_if = "is_zero")]
    #[schema(required = false)]
    no_response: u32,
    /// Of all those, exchanges with an attack.
    #[serde(skip_serializing_if = "is_zero")]
    #[schema(required = false)]
    attacks: u32,
    /// Of all those, blocked exchanges.
    #[serde(skip_serializing_if = "is_zero")]
    #[schema(required = false)]
    blocked: u32,
}

impl From<store::ThreadBin> for ThreadBin {
    fn from(bin: store::ThreadBin) -> Self {
        let store::ThreadBin { index, ok, redirect, client_error, server_error, no_response, attacks, blocked } = bin;
        Self { index, ok, redirect, client_error, server_error, no_response, attacks, blocked }
    }
}

/// A session drawn over time. Bins divide `from..to` evenly; empty ones are left out.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Thread {
    /// Start of the first bin.
    from: Time,
    /// End of the last bin.
    to: Time,
    /// How many bins `from..to` was divided into.
    bins_total: u16,
    /// The bins that hold exchanges, by position.
    bins: Vec<ThreadBin>,
}

impl From<store::Thread> for Thread {
    fn from(thread: store::Thread) -> Self {
        Self {
            from: Time(thread.from),
            to: Time(thread.to),
            bins_total: thread.bins_total,
            bins: thread.bins.into_iter().map(ThreadBin::from).collect(),
        }
    }
}

/// One session's exchanges within one UTC day.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct SessionPart {
    /// The session, 32 hexadecimal digits.
    pub(crate) session_id: String,
    /// The part's day, `YYYY-MM-DD`.
    #[schema(format = Date)]
    pub(crate) day: String,
    /// Start of the first counted exchange.
    pub(crate) first: Time,
    /// Start of the last counted exchange.
    pub(crate) last: Time,
    /// Counted exchanges.
    pub(crate) requests: u64,
    /// Of those, exchanges with an attack.
    pub(crate) attacks: u64,
    /// Of those, blocked ones.
    pub(crate) blocked: u64,
    /// Of those, exchanges answered 4xx or 5xx or whose upstream failed.
    pub(crate) errors: u64,
    /// Client addresses, most used first, at most 5.
    pub(crate) ips: Vec<Count>,
    /// Distinct client addresses.
    pub(crate) ip_count: u64,
    /// Hosts, most used first, at most 5.
    pub(crate) hosts: Vec<Count>,
    /// Distinct hosts.
    pub(crate) host_count: u64,
    /// Applications, most used first.
    pub(crate) applications: Vec<Count>,
    /// Last non-empty user.
    #[schema(required)]
    pub(crate) user: Option<String>,
    /// Whether `user` is a keyed hash.
    pub(crate) user_hashed: bool,
    /// Last non-empty role.
    #[schema(required)]
    pub(crate) role: Option<String>,
    /// Whether `role` is a keyed hash.
    pub(crate) role_hashed: bool,
    /// Most used endpoints, at most 5.
    pub(crate) endpoints: Vec<Count>,
    /// Distinct endpoints.
    pub(crate) endpoint_count: u64,
    /// Name of the key that decided the last exchange.
    pub(crate) key: String,
    /// Its kind: `configured`, `builtin` or `fallback`.
    pub(crate) key_kind: String,
    /// The deciding value of the last exchange, or its hash.
    pub(crate) key_value: String,
    /// Whether `key_value` is a keyed hash.
    pub(crate) key_value_hashed: bool,
    /// Last user agent seen.
    #[schema(required)]
    pub(crate) user_agent: Option<String>,
    /// The thread; null when no bins were asked for.
    #[schema(required)]
    pub(crate) thread: Option<Thread>,
}

impl From<store::SessionPart> for SessionPart {
    fn from(part: store::SessionPart) -> Self {
        Self {
            session_id: part.session_id.to_string(),
            day: part.day.to_string(),
            first: Time(part.first),
            last: Time(part.last),
            requests: part.requests,
            attacks: part.attacks,
            blocked: part.blocked,
            errors: part.errors,
            ips: counts(part.ips),
            ip_count: part.ip_count,
            hosts: counts(part.hosts),
            host_count: part.host_count,
            applications: counts(part.applications),
            user: part.user,
            user_hashed: part.user_hashed,
            role: part.role,
            role_hashed: part.role_hashed,
            endpoints: counts(part.endpoints),
            endpoint_count: part.endpoint_count,
            key: part.key,
            key_kind: part.key_kind,
            key_value: part.key_value,
            key_value_hashed: part.key_value_hashed,
            user_agent: part.user_agent,
            thread: part.thread.map(Thread::from),
        }
    }
}

/// A page of the sessions list.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct SessionList {
    /// The range that was counted. With `last=` it is fixed by the first page and kept by the page tokens.
    pub(crate) range: Range,
    /// Parts over all pages.
    pub(crate) total: u64,
    /// Token of the next page; null on the last.
    #[schema(required)]
    pub(crate) next_page_token: Option<String>,
    /// The parts, newest `last` first.
    pub(crate) sessions: Vec<SessionPart>,
}

/// The values of one field.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Facet {
    /// The field, named as the filter that takes its values (`user_agent` has none).
    pub(crate) field: super::filters::FacetName,
    /// Most exchanges first.
    pub(crate) values: Vec<Count>,
}

impl Facet {
    pub(crate) fn list(facets: Vec<(store::FacetField, Vec<store::Count>)>) -> Vec<Self> {
        facets.into_iter().map(|(field, values)| Self { field: field.into(), values: counts(values) }).collect()
    }
}

/// An exchange whose request belongs to one session and whose response made it another's.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct SessionLink {
    /// The session of the request.
    from: String,
    /// The session of the whole exchange.
    to: String,
    /// The first such exchange.
    exchange_id: String,
    /// Its start.
    ts: Time,
    /// Number of such exchanges.
    exchanges: u64,
    /// The request's session is a fallback one (a shared address): shown, never followed.
    from_fallback: bool,
}

impl From<store::SessionLink> for SessionLink {
    fn from(link: store::SessionLink) -> Self {
        Self {
            from: link.from.to_string(),
            to: link.to.to_string(),
            exchange_id: link.exchange_id.to_string(),
            ts: Time(link.ts),
            exchanges: link.exchanges,
            from_fallback: link.from_fallback,
        }
    }
}

/// A time without exchanges, longer than the idle limit.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub(crate) struct Gap {
    /// End of the exchange before.
    from: Time,
    /// Start of the exchange after.
    to: Time,
}

impl From<(Timestamp, Timestamp)> for Gap {
    fn from((from, to): (Timestamp, Timestamp)) -> Self {
        Self { from: Time(from), to: Time(to) }
    }
}

/// A session over a time range: its header and its statistics.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct SessionSummary {
    /// The session, 32 hexadecimal digits.
    pub(crate) session_id: String,
    /// The range that was counted.
    pub(crate) range: Range,
    /// Minutes without an exchange after which a new visit begins.
    pub(crate) idle_minutes: u32,
    /// Every counted exchange taken together, shown as if it were one part; its `day` is the newest.
    pub(crate) whole: SessionPart,
    /// The parts by day, newest first, without threads.
    pub(crate) parts: Vec<SessionPart>,
    /// Counts per field, most used first, at most 50 values each.
    pub(crate) facets: Vec<Facet>,
    /// All users seen.
    pub(crate) users: Vec<Count>,
    /// All roles seen.
    pub(crate) roles: Vec<Count>,
    /// Sessions linked by an exchange.
    pub(crate) links: Vec<SessionLink>,
    /// Idle gaps; visits are what lies between them.
    pub(crate) gaps: Vec<Gap>,
}

impl SessionSummary {
    pub(crate) fn new(
        id: threadline_model::SessionId,
        range: store::TimeRange,
        idle_minutes: u32,
        summary: store::SessionSummary,
    ) -> Self {
        Self {
            session_id: id.to_string(),
            range: range.into(),
            idle_minutes,
            whole: summary.whole.into(),
            parts: summary.parts.into_iter().map(SessionPart::from).collect(),
            facets: Facet::list(summary.facets),
            users: counts(summary.users),
            roles: counts(summary.roles),
            links: summary.links.into_iter().map(SessionLink::from).collect(),
            gaps: summary.gaps.into_iter().map(Gap::from).collect(),
        }
    }
}

/// Counts of several fields.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct FacetList {
    /// The range that was counted.
    pub(crate) range: Range,
    /// The fields in the order asked for.
    pub(crate) facets: Vec<Facet>,
}

/// One bar of the histogram.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub(crate) struct HistogramBar {
    /// Start of the bar.
    from: Time,
    /// Exchanges by outcome.
    counts: ThreadBin,
    /// Distinct sessions in it.
    sessions: u64,
}

/// Exchanges over time in equal bars, empty ones included.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Histogram {
    /// The range that was counted.
    pub(crate) range: Range,
    /// The bars.
    pub(crate) bars: Vec<HistogramBar>,
}

impl Histogram {
    pub(crate) fn new(range: store::TimeRange, bars: Vec<store::HistogramBar>) -> Self {
        let bars = bars
            .into_iter()
            .map(|bar| HistogramBar { from: Time(bar.from), counts: bar.counts.into(), sessions: bar.sessions })
            .collect();
        Self { range: range.into(), bars }
    }
}
