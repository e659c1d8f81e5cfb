//! Rows for the store's benchmark: sessions that come, act and go, the same in every run.

use std::net::IpAddr;

use threadline_model::{ExchangeId, SessionId, Timestamp};
use threadline_record::{MessageSide, ParameterRow, Row, SessionKeyKind, ValueOrigin};

/// Sessions that are active at the same time.
const ACTIVE: usize = 2_000;
/// One in so many exchanges ends its session: the average length of a session.
const LENGTH: u64 = 38;
const HOSTS: [&str; 6] = [
    "api.shop.example",
    "api.shop.example",
    "www.shop.example",
    "auth.shop.example",
    "admin.shop.example",
    "partner.shop.example",
];
const THINGS: [&str; 12] = [
    "users", "orders", "carts", "products", "invoices", "payments", "sessions", "reviews", "stores", "coupons",
    "returns", "messages",
];
const VERBS: [&str; 8] = ["", "/items", "/status", "/history", "/lines", "/notes", "/attachments", "/events"];

/// One active session.
struct Session {
    id: SessionId,
    value: String,
    address: IpAddr,
    user_agent: usize,
    /// Hashed user and role of those who signed in.
    user: Option<(String, &'static str)>,
    application: usize,
}

/// What of a row is not taken from its session.
struct Exchange {
    ts: i64,
    id: ExchangeId,
    session: usize,
    path: String,
    endpoint: usize,
    status: Option<u16>,
    duration_us: u64,
    sizes: (u64, u64),
    trace_id: Option<String>,
    number: Option<String>,
}

/// The generator. [`Traffic::prepare`] makes exchanges, [`Traffic::for_each`] shows them as rows.
pub(crate) struct Traffic {
    random: u64,
    now: i64,
    step: i64,
    sessions: Vec<Session>,
    exchanges: Vec<Exchange>,
    endpoints: Vec<(&'static str, &'static str, usize, usize, String)>,
    user_agents: Vec<String>,
}

impl Traffic {
    /// Begins at a moment and puts `step` microseconds between exchanges on average.
    pub(crate) fn new(start: i64, step: i64) -> Self {
        let mut endpoints = Vec::new();
        for (position, thing) in THINGS.iter().enumerate() {
            for (verb, suffix) in VERBS.iter().enumerate() {
                let host = HOSTS[(position + verb) % HOSTS.len()];
                let method = ["GET", "GET", "GET", "POST", "PUT", "DELETE"][(position * 5 + verb) % 6];
                let template = format!("{method} {host} /{thing}/{{int}}{suffix}");
                endpoints.push((method, host, position, verb, template));
            }
        }
        let user_agents = (0..300)
            .map(|number| {
                format!(
                    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{}.0.{}.0 Safari/537.36",
                    120 + number % 30,
                    6_000 + number
                )
            })
            .collect();
        let mut traffic =
            Self { random: 1, now: start, step, sessions: Vec::new(), exchanges: Vec::new(), endpoints, user_agents };
        traffic.sessions = (0..ACTIVE).map(|_| traffic.session()).collect();
        traffic
    }

    /// Makes the next exchanges; those before are forgotten.
    pub(crate) fn prepare(&mut self, count: usize) {
        self.exchanges.clear();
        // A session that ends is replaced between batches, because rows show the sessions as they are then.
        for position in 0..ACTIVE {
            if self.below(ACTIVE as u64 * LENGTH / count.max(1) as u64 + 1) == 0 {
                self.sessions[position] = self.session();
            }
        }
        for _ in 0..count {
            let exchange = self.exchange();
            self.exchanges.push(exchange);
        }
    }

    /// Shows the exchanges as rows, in order of time.
    pub(crate) fn for_each(&self, mut each: impl FnMut(&Row<'_>)) {
        for exchange in &self.exchanges {
            let session = &self.sessions[exchange.session];
            let parameter = |name, value, hashed, origin| ParameterRow { name, value, hashed, origin, hidden: false };
            let user = session.user.as_ref().map(|(user, _)| parameter("user", user, true, MessageSide::Request));
            let role = session.user.as_ref().map(|(_, role)| parameter("role", role, false, MessageSide::Request));
            let number =
                exchange.number.as_deref().map(|value| parameter("order", value, false, MessageSide::Response));
            let mut parameters = [parameter("token", &session.value, true, MessageSide::Request); 4];
            let mut count = 1;
            for found in [user, role, number].into_iter().flatten() {
                parameters[count] = found;
                count += 1;
            }
            each(&self.row(exchange, &parameters[..count]));
        }
    }

    fn row<'a>(&'a self, exchange: &'a Exchange, params: &'a [ParameterRow<'a>]) -> Row<'a> {
        let session = &self.sessions[exchange.session];
        let (method, host, _, _, template) = &self.endpoints[exchange.endpoint];
        Row {
            ts: Timestamp::from_micros(exchange.ts),
            exchange_id: exchange.id,
            node: "node-1",
            source: "proxy",
            policy_version: 12,
            application: ["shop", "shop", "back-office", "default"][session.application],
            host: Some(host),
            scheme: Some("https"),
            proto: Some("HTTP/1.1"),
            method,
            path: &exchange.path,
            query: exchange.number.is_some().then_some("page&sort"),
            endpoint: template,
            protocol: "rest",
            operation: None,
            status: exchange.status,
            outcome: if exchange.status.is_some() { "completed" } else { "client_aborted" },
            duration_us: Some(exchange.duration_us),
            upstream_us: Some(exchange.duration_us * 3 / 4),
            request_bytes: exchange.sizes.0,
            response_bytes: exchange.sizes.1,
            client_ip: Some(session.address),
            user_agent: Some(&self.user_agents[session.user_agent]),
            ja3: None,
            ja4: None,
            session_id: session.id,
            session_key: if session.user.is_some() { "token" } else { "sessionid" },
            session_key_kind: if session.user.is_some() { SessionKeyKind::Configured } else { SessionKeyKind::BuiltIn },
            session_value: &session.value,
            session_value_hashed: true,
            session_value_origin: ValueOrigin::Unknown,
            session_trace: if session.user.is_some() { "aw" } else { "aaa" },
            session_uncertain: false,
            request_session_id: None,
            request_session_key_kind: None,
            trace_id: exchange.trace_id.as_deref(),
            user: session.user.as_ref().map(|(user, _)| user.as_str()),
            role: session.user.as_ref().map(|(_, role)| *role),
            params,
            parse_errors: &[],
        }
    }

    fn session(&mut self) -> Session {
        let bits = self.bits();
        let user = (bits % 10 < 6).then(|| {
            (
                format!("{:032x}", (self.bits() % 40_000).wrapping_mul(0x9e37_79b9_7f4a_7c15)),
                ["buyer", "buyer", "admin"][bits as usize % 3],
            )
        });
        let mut id = [0; 16];
        id[..8].copy_from_slice(&self.bits().to_be_bytes());
        id[8..].copy_from_slice(&self.bits().to_be_bytes());
        let [_, b, c, d, ..] = (self.bits() % 60_000 * 4_099).to_le_bytes();
        Session {
            id: SessionId::from_bytes(id),
            value: format!("{:016x}{:016x}", self.bits(), self.bits()),
            address: IpAddr::from([10, b % 4, c, d]),
            user_agent: self.below(300) as usize,
            user,
            application: self.below(4) as usize,
        }
    }

    fn exchange(&mut self) -> Exchange {
        self.now += 1 + self.below(2 * self.step.unsigned_abs()) as i64;
        // Few endpoints get most of the traffic.
        let endpoint = (self.below(96) * self.below(96) / 96) as usize;
        let (_, _, thing, verb, _) = self.endpoints[endpoint];
        let status = match self.below(100) {
            0..80 => Some(200),
            80..86 => Some(201),
            86..90 => Some(304),
            90..93 => Some(404),
            93..96 => Some(401),
            96..98 => Some(403),
            98 => Some(500),
            _ => (self.below(3) > 0).then_some(503),
        };
        let mut id = [0; 16];
        id[..6].copy_from_slice(&(self.now / 1_000).to_be_bytes()[2..]);
        id[6..14].copy_from_slice(&self.bits().to_be_bytes());
        id[14..].copy_from_slice(&self.bits().to_be_bytes()[..2]);
        id[6] = id[6] & 0x0f | 0x70;
        id[8] = id[8] & 0x3f | 0x80;
        let own_value = self.below(3) == 0;
        Exchange {
            ts: self.now,
            id: ExchangeId::from_bytes(id),
            session: self.below(ACTIVE as u64) as usize,
            path: format!("/{}/{}{}", THINGS[thing], self.below(50_000), VERBS[verb]),
            endpoint,
            status,
            duration_us: 2_000 + self.below(40_000) * self.below(8),
            sizes: (self.below(3) * self.below(900), 200 + self.below(60) * 64),
            trace_id: (self.below(10) == 0).then(|| format!("{:016x}{:016x}", self.bits(), self.bits())),
            number: own_value.then(|| self.below(1_000_000).to_string()),
        }
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.bits() % bound.max(1)
    }

    /// splitmix64.
    fn bits(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.random ^ (self.random >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
