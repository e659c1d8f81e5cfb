//! Rows to store, and the randomness they are made of.

use std::net::IpAddr;

use arrow::record_batch::RecordBatch;
use threadline_model::{BatchId, ExchangeId, SessionId, Timestamp};
use threadline_record::{MessageSide, ParameterRow, ParseErrorRow, Row, RowBuilder, SessionKeyKind, ValueOrigin};
use uuid::Uuid;

use super::{HOUR, NOON};
use crate::{Batch, Lane};

/// A small generator (splitmix64) that gives the same rows in every run.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// Starts at a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.bits() % bound.max(1)
    }

    /// One of the values.
    pub fn pick<T: Clone>(&mut self, values: &[T]) -> T {
        let position = self.below(values.len() as u64) as usize;
        values[position].clone()
    }
}

/// One exchange of the suite.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "the columns are described where the table is: threadline_record::Row")]
pub struct Sample {
    pub ts: Timestamp,
    pub id: ExchangeId,
    pub session: SessionId,
    pub application: &'static str,
    pub host: Option<&'static str>,
    pub method: &'static str,
    pub path: String,
    pub endpoint: &'static str,
    pub status: Option<u16>,
    pub outcome: &'static str,
    pub duration_us: Option<u64>,
    pub client_ip: Option<IpAddr>,
    pub user_agent: Option<&'static str>,
    pub key: &'static str,
    pub key_kind: SessionKeyKind,
    pub key_value: String,
    pub issued: bool,
    pub trace: &'static str,
    pub policy_version: u64,
    pub request_session: Option<(SessionId, SessionKeyKind)>,
    pub trace_id: Option<String>,
    pub user: Option<&'static str>,
    pub role: Option<&'static str>,
    pub marks: &'static [(&'static str, &'static str)],
}

pub(super) const APPLICATIONS: [&str; 3] = ["default", "shop", "back office"];
pub(super) const HOSTS: [Option<&str>; 4] = [Some("api.example"), Some("shop.example:8443"), Some("a_b.example"), None];
pub(super) const METHODS: [&str; 3] = ["GET", "POST", "DELETE"];
pub(super) const ENDPOINTS: [&str; 4] = [
    "GET api.example /users/{int}",
    "POST api.example /Orders/100%",
    "GET shop.example /a_b\\c",
    "DELETE api.example /users/{int}/ÄRGER",
];
pub(super) const STATUSES: [Option<u16>; 9] =
    [Some(200), Some(204), Some(101), Some(302), Some(404), Some(429), Some(500), Some(999), None];
pub(super) const OUTCOMES: [&str; 3] = ["completed", "client_aborted", "upstream_failed"];
pub(super) const ADDRESSES: [Option<&str>; 6] =
    [Some("10.0.0.1"), Some("10.0.0.200"), Some("10.9.0.1"), Some("2001:db8::1"), Some("2001:db9::1"), None];
pub(super) const USER_AGENTS: [Option<&str>; 3] = [Some("curl/8.9"), Some("Mozilla/5.0 (it's 100% \"real\")"), None];
pub(super) const KEYS: [(&str, SessionKeyKind); 3] = [
    ("token", SessionKeyKind::Configured),
    ("PHPSESSID", SessionKeyKind::BuiltIn),
    ("address and user agent", SessionKeyKind::Fallback),
];
pub(super) const TRACES: [&str; 4] = ["", "d", "ad", "ama"];
pub(super) const USERS: [Option<&str>; 4] = [Some("Ada"), Some("O'Brien; DROP TABLE exchanges"), Some(""), None];
/// Further parameters by name and value. Some values look like the beginning of another parameter.
pub(super) const MARKS: [&[(&str, &str)]; 5] = [
    &[],
    &[("token", "aaa")],
    &[("to\"ken", "[\"token\",\"aaa\",0]"), ("tenant", "north")],
    &[("tenant", "\",\"x\",0],[\"token\",\"")],
    &[("ten", "token"), ("token", "Ada")],
];
/// Parameters to ask for. Values stand in the columns of user, role and deciding key as well, or only there; names and
/// values hold what ends a text; some begin as others do, some nobody has.
pub(super) const WANTED: [(&str, &str); 14] = [
    ("token", "aaa"),
    ("token", "aa"),
    ("token", "Ada"),
    ("user", "Ada"),
    ("user", "nobody"),
    ("user", "O'Brien; DROP TABLE exchanges"),
    ("user", ""),
    ("sort", ""),
    ("to\"ken", "[\"token\",\"aaa\",0]"),
    ("tenant", "\",\"x\",0],[\"token\",\""),
    ("ten", "token"),
    ("deciding", "00000000000000000000000000000002"),
    ("standing", "admin"),
    ("token", "00000000000000000000000000000002"),
];
pub(super) const ROLES: [Option<&str>; 3] = [Some("buyer"), Some("admin"), None];

impl Sample {
    /// An exchange with one value in every column.
    pub fn plain(ts: Timestamp, number: u64) -> Self {
        let key_value = "9c56cc51b374c3ba189210d5b6d4bf57".to_owned();
        Self {
            ts,
            id: exchange_id(ts, number),
            session: session_id(1),
            application: "default",
            host: Some("api.example"),
            method: "GET",
            path: "/users/17".to_owned(),
            endpoint: ENDPOINTS[0],
            status: Some(200),
            outcome: "completed",
            duration_us: Some(1_000),
            client_ip: Some(IpAddr::from([10, 0, 0, 1])),
            user_agent: Some("curl/8.9"),
            key: "token",
            key_kind: SessionKeyKind::Configured,
            key_value,
            issued: false,
            trace: "d",
            policy_version: 3,
            request_session: None,
            trace_id: None,
            user: Some("Ada"),
            role: None,
            marks: &[],
        }
    }

    /// Every exported parameter by name and value.
    pub(super) fn parameters(&self) -> Vec<(&str, &str)> {
        let deciding = (self.key_kind == SessionKeyKind::Configured).then_some(("deciding", self.key_value.as_str()));
        let standing = self.role.map(|role| ("standing", role));
        let marks = self.marks.iter().copied().chain(deciding).chain(standing);
        [("user", self.user.unwrap_or("nobody")), ("sort", "")].into_iter().chain(marks).collect()
    }

    /// Rows of a few sessions over the two and a half days before noon, oldest first, no two at the same time.
    pub fn random(random: &mut Random, count: u64) -> Vec<Self> {
        let step = 60 * HOUR / count.max(1) as i64;
        (0..count)
            .map(|number| {
                let ts = NOON.micros() - 60 * HOUR + number as i64 * step + random.below(step as u64) as i64;
                let ts = Timestamp::from_micros(ts);
                let session = session_id(random.below(25) as u8);
                let (key, key_kind) = random.pick(&KEYS);
                let other = (session_id(random.below(25) as u8), random.pick(&KEYS).1);
                Self {
                    ts,
                    id: exchange_id(ts, number),
                    session,
                    application: random.pick(&APPLICATIONS),
                    host: random.pick(&HOSTS),
                    method: random.pick(&METHODS),
                    path: format!("/path/{}", random.below(40)),
                    endpoint: random.pick(&ENDPOINTS),
                    status: random.pick(&STATUSES),
                    outcome: random.pick(&OUTCOMES),
                    duration_us: (random.below(5) > 0).then(|| random.below(90_000_000)),
                    client_ip: random.pick(&ADDRESSES).and_then(|address| address.parse().ok()),
                    user_agent: random.pick(&USER_AGENTS),
                    key,
                    key_kind,
                    key_value: format!("{:032x}", random.below(5)),
                    issued: random.below(20) == 0,
                    trace: random.pick(&TRACES),
                    policy_version: 1 + random.below(2),
                    request_session: (random.below(10) == 0 && other.0 != session).then_some(other),
                    trace_id: (random.below(3) == 0).then(|| format!("{:032x}", u128::from(random.bits()) + 1)),
                    user: random.pick(&USERS),
                    role: random.pick(&ROLES),
                    marks: random.pick(&MARKS),
                }
            })
            .collect()
    }
}

/// An identity as a node makes it: the time in front.
fn exchange_id(ts: Timestamp, number: u64) -> ExchangeId {
    let millis = (ts.micros() / 1_000).unsigned_abs();
    let mut bytes = [0; 16];
    bytes[..6].copy_from_slice(&millis.to_be_bytes()[2..]);
    bytes[6] = 0x70;
    bytes[8..].copy_from_slice(&number.to_be_bytes());
    bytes[8] = bytes[8] & 0x3f | 0x80;
    ExchangeId::from_bytes(bytes)
}

/// Sessions whose identities differ in their first and last bytes, so that sorting by either shows.
pub(super) fn session_id(number: u8) -> SessionId {
    let mut bytes = [number.wrapping_mul(83); 16];
    bytes[15] = number;
    SessionId::from_bytes(bytes)
}

/// A batch's identity by number.
pub fn batch_id(number: u64) -> BatchId {
    BatchId::new(Uuid::from_u128(u128::from(number) | 1 << 100))
}

/// Rows as a batch.
pub fn to_batch(id: BatchId, lane: Lane, samples: &[Sample]) -> Batch {
    Batch { id, lane, rows: to_rows(samples) }
}

fn to_rows(samples: &[Sample]) -> RecordBatch {
    let mut builder = RowBuilder::with_capacity(samples.len());
    for sample in samples {
        let parameters = sample.parameters();
        let params: Vec<ParameterRow<'_>> = parameters
            .iter()
            .map(|(name, value)| ParameterRow {
                name,
                value,
                hashed: *name == "user",
                origin: if *name == "sort" { MessageSide::Response } else { MessageSide::Request },
                hidden: *name == "sort",
            })
            .collect();
        builder.append(&Row {
            ts: sample.ts,
            exchange_id: sample.id,
            node: "node-1",
            source: "proxy",
            policy_version: sample.policy_version,
            application: sample.application,
            host: sample.host,
            scheme: Some("https"),
            proto: Some("HTTP/1.1"),
            method: sample.method,
            path: &sample.path,
            query: Some("page"),
            endpoint: sample.endpoint,
            protocol: "rest",
            operation: None,
            status: sample.status,
            outcome: sample.outcome,
            duration_us: sample.duration_us,
            upstream_us: None,
            request_bytes: 10,
            response_bytes: 20,
            client_ip: sample.client_ip,
            user_agent: sample.user_agent,
            ja3: None,
            ja4: Some("t13d1516h2_8daaf6152771_e5627efa2ab1"),
            session_id: sample.session,
            session_key: sample.key,
            session_key_kind: sample.key_kind,
            session_value: &sample.key_value,
            session_value_hashed: true,
            session_value_origin: if sample.issued { ValueOrigin::Issued } else { ValueOrigin::ClientChosen },
            session_trace: sample.trace,
            session_uncertain: false,
            request_session_id: sample.request_session.map(|(session, _)| session),
            request_session_key_kind: sample.request_session.map(|(_, kind)| kind),
            trace_id: sample.trace_id.as_deref(),
            user: sample.user,
            role: sample.role,
            params: &params,
            parse_errors: &[ParseErrorRow { part: "request body", parser: "json", offset: 7, reason: "cut off" }],
        });
    }
    builder.finish()
}
