//! The rules of grouping, read literally and slowly.

use std::net::IpAddr;

use threadline_grouping::{Namespace, SessionHashKey};
use threadline_model::{Exchange, SessionId};
use threadline_points::{Bounds, Found, Plan, Point, Scratch, Side};
use threadline_policy::{PointSpelling, PolicyDocument, ScopeDocument};

use super::secret;

/// A longer value does not work as a key.
const LONGEST: usize = 8 * 1024;

/// What becomes of an exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Decision {
    pub(crate) session: SessionId,
    pub(crate) key: String,
    pub(crate) trace: String,
    pub(crate) uncertain: bool,
    /// The request's own session where it is another one.
    pub(crate) request: Option<SessionId>,
}

/// A policy as it is written.
pub(crate) struct Reference<'d> {
    document: &'d PolicyDocument,
    key: SessionHashKey,
}

/// An exchange and the masks that hold for it.
struct Case<'x> {
    exchange: &'x Exchange,
    masks: Vec<Point>,
}

fn point(spelling: &PointSpelling) -> Point {
    match spelling {
        PointSpelling::Text(text) => Point::parse(text).unwrap(),
        PointSpelling::Json(steps) => Point::from_json(steps).unwrap(),
    }
}

impl<'d> Reference<'d> {
    pub(crate) fn new(document: &'d PolicyDocument) -> Self {
        Self { document, key: secret().session_key() }
    }

    /// `None` for an exchange that is not analysed.
    pub(crate) fn decide(&self, exchange: &Exchange) -> Option<Decision> {
        if !self.is_in(&self.document.analysed, exchange) {
            return None;
        }
        let masks = self.document.masks.iter().filter(|mask| self.is_in(&mask.scope, exchange));
        let case = Case { exchange, masks: masks.map(|mask| point(&mask.point)).collect() };
        let whole = self.by_rules(&case, &[Side::Request, Side::Response]);
        let request = self.by_rules(&case, &[Side::Request]).session;
        Some(Decision { request: Some(request).filter(|request| *request != whole.session), ..whole })
    }

    /// The keys that look at these messages only, in their order; then the built-in set; then the fallback.
    fn by_rules(&self, case: &Case<'_>, sides: &[Side]) -> Decision {
        let mut trace = String::new();
        let mut uncertain = false;
        let mut decided: Option<(String, SessionId)> = None;
        for parameter in self.document.parameters.iter().filter(|parameter| parameter.group) {
            let points: Vec<Point> = std::iter::once(&parameter.point).chain(&parameter.with).map(point).collect();
            if points.iter().any(|point| !sides.contains(&point.side())) {
                continue;
            }
            if decided.is_some() {
                trace.push('n');
                continue;
            }
            if !self.is_in(&parameter.scope, case.exchange) {
                trace.push('o');
                continue;
            }
            match points.iter().map(|point| case.works(point)).collect::<Result<Vec<_>, char>>() {
                Ok(values) => {
                    trace.push('d');
                    let namespace = parameter.namespace.as_deref().map_or(Namespace::Shared, Namespace::Named);
                    decided = Some((parameter.name.clone(), self.key.session(namespace, &values)));
                }
                Err(letter) => {
                    trace.push(letter);
                    uncertain |= matches!(letter, 'p' | 'c');
                }
            }
        }
        let (key, session) = decided.or_else(|| self.built_in(case, sides)).unwrap_or_else(|| self.fallback(case));
        Decision { session, key, trace, uncertain, request: None }
    }

    // ---- scopes ------------------------------------------------------------------------------------------------

    fn is_in(&self, scope: &ScopeDocument, exchange: &Exchange) -> bool {
        let is_place = |hosts: &[String], paths: &[String]| {
            (hosts.is_empty() || hosts.iter().any(|host| is_host(host, exchange)))
                && (paths.is_empty() || paths.iter().any(|path| is_path(path, exchange)))
        };
        let application = self
            .document
            .applications
            .iter()
            .find(|application| is_place(&application.hosts, &application.paths))
            .map_or("default", |application| &application.id);
        let method = String::from_utf8_lossy(exchange.request.method.as_bytes()).to_uppercase();
        (scope.applications.is_empty() || scope.applications.iter().any(|id| id == application))
            && (scope.methods.is_empty() || scope.methods.contains(&method))
            && is_place(&scope.hosts, &scope.paths)
    }

    // ---- the built-in set ------------------------------------------------------------------------------------------

    /// The rules that the generated traffic can meet, in the order of the set.
    fn built_in(&self, case: &Case<'_>, sides: &[Side]) -> Option<(String, SessionId)> {
        let cookies = ["PHPSESSID", "connect.sid", "sid"].map(|name| {
            let sent = format!("request > header COOKIE > cookie {name}");
            let set = format!("response > header SET-COOKIE > cookie {name}");
            (format!("cookie {name}"), case.secret(&[&set, &sent], sides))
        });
        let header =
            |name: &str| (format!("header {name}"), case.secret(&[&format!("request > header {name}")], sides));
        let mut found: Vec<(String, Option<SessionId>)> = Vec::new();
        let shared = |(name, value): (String, Option<Vec<u8>>)| {
            (name, value.map(|value| self.key.session(Namespace::Shared, &[value])))
        };
        found.extend(cookies.map(shared));
        found.push(shared(header("X-SESSION-ID")));
        found.extend(self.authorization(case));
        found.push(shared(header("X-API-KEY")));
        found.push(shared(("query sid".to_owned(), case.secret(&["request > query sid"], sides))));
        found.into_iter().find_map(|(name, session)| Some((name, session?)))
    }

    fn authorization(&self, case: &Case<'_>) -> Vec<(String, Option<SessionId>)> {
        const HEADER: &str = "request > header AUTHORIZATION";
        let claim_point = |name: &str| format!("{HEADER} > jwt payload > property {name}");
        let claim = |name: &str| case.resolve(&claim_point(name)).filter(|value| is_identifier(value));
        let hides = |name: &str| case.hides(&claim_point(name));
        let header = case.resolve(HEADER).unwrap_or_default();
        let header = String::from_utf8_lossy(&header).trim().to_owned();
        let (scheme, credentials) = header.split_once(' ').unwrap_or(("", &header));
        let credentials = credentials.trim();
        let is_one_word = !credentials.contains([' ', '"', ',']) && !is_placeholder(header.as_bytes());
        let is_jwt = is_one_word && credentials.starts_with("ey") && credentials.split('.').count() == 3;
        let is_basic = scheme.eq_ignore_ascii_case("basic");
        let session = |namespace, parts: &[Vec<u8>]| Some(self.key.session(namespace, parts));

        let sid = claim("sid").filter(|_| is_jwt && !hides("sid") && !hides("iss")).and_then(|sid| {
            let parts = claim("iss").into_iter().chain([sid]).collect::<Vec<_>>();
            session(Namespace::TokenSession, &parts)
        });
        let subject = claim("iss").zip(claim("sub")).filter(|_| is_jwt && !hides("iss") && !hides("sub"));
        let subject = subject.and_then(|(iss, sub)| session(Namespace::TokenSubject, &[iss, sub]));
        let visible = !case.hides(HEADER);
        let token = Some(credentials.as_bytes().to_vec())
            .filter(|token| visible && is_one_word && !is_basic && is_identifier(token))
            .filter(|_| !scheme.eq_ignore_ascii_case("digest"))
            .and_then(|token| session(Namespace::Shared, &[token]));
        let user = case
            .resolve(&format!("{HEADER} > bearer > base64 > capture ^([^:]*):"))
            .filter(|user| visible && is_basic && is_identifier(user))
            .and_then(|user| session(Namespace::BasicUser, &[user]));
        vec![
            ("authorization JWT sid".to_owned(), sid),
            ("authorization JWT iss and sub".to_owned(), subject),
            ("authorization token".to_owned(), token),
            ("authorization Basic user".to_owned(), user),
        ]
    }

    fn fallback(&self, case: &Case<'_>) -> (String, SessionId) {
        let address = case.exchange.client.filter(|_| !case.hides("request > remote_addr"));
        let Some(address) = address else {
            let session = self.key.session(Namespace::Exchange, &[case.exchange.id.as_bytes()]);
            return ("exchange".to_owned(), session);
        };
        let address = match address {
            IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
            IpAddr::V6(address) => address.octets(),
        };
        let agent = case.exchange.request.headers.first("user-agent").filter(|agent| !agent.is_empty());
        match agent.filter(|_| !case.hides("request > header USER-AGENT")) {
            Some(agent) => {
                let session = self.key.session(Namespace::AddressAndAgent, &[&address[..], agent]);
                ("address and user agent".to_owned(), session)
            }
            None => ("address".to_owned(), self.key.session(Namespace::Address, &[&address])),
        }
    }
}

impl Case<'_> {
    fn find(&self, point: &Point) -> Found<'static> {
        let plan = Plan::compile(std::slice::from_ref(point), Bounds::default()).unwrap();
        match plan.extract(self.exchange, &mut Scratch::default()).get(0) {
            Found::Value(value) => Found::Value(value.to_vec().into()),
            Found::Absent => Found::Absent,
            Found::Empty => Found::Empty,
            Found::Masked => Found::Masked,
            Found::NotScalar => Found::NotScalar,
            Found::Unparsable => Found::Unparsable,
            Found::NotCaptured => Found::NotCaptured,
        }
    }

    /// The value with which a point works as a key, or the letter of why it does not.
    fn works(&self, point: &Point) -> Result<Vec<u8>, char> {
        let found = self.find(point);
        let is_there = matches!(found, Found::Value(_) | Found::Empty | Found::NotScalar);
        // A text is hidden from one format only where another finds its masked place, or cannot tell.
        let covers = |mask: &Point| {
            mask.overlaps(point) && !(mask.reads_another_format(point) && matches!(self.find(mask), Found::Absent))
        };
        if is_there && self.masks.iter().any(covers) {
            return Err('m');
        }
        match found {
            Found::Value(value) if value.len() > LONGEST => Err('l'),
            Found::Value(value) => Ok(value.into_owned()),
            Found::Absent => Err('a'),
            Found::Empty => Err('e'),
            Found::Masked => Err('m'),
            Found::NotScalar => Err('s'),
            Found::Unparsable => Err('p'),
            Found::NotCaptured => Err('c'),
        }
    }

    fn resolve(&self, point: &str) -> Option<Vec<u8>> {
        self.find(&Point::parse(point).unwrap()).value().map(<[u8]>::to_vec)
    }

    /// Whether a mask covers the place.
    fn hides(&self, point: &str) -> bool {
        let point = Point::parse(point).unwrap();
        self.masks.iter().any(|mask| mask.overlaps(&point))
    }

    /// The first value that identifies somebody at one of the places of a rule; none if a mask covers any of them.
    fn secret(&self, places: &[&str], sides: &[Side]) -> Option<Vec<u8>> {
        if places.iter().any(|place| self.hides(place)) {
            return None;
        }
        let places = places.iter().filter(|place| sides.contains(&Point::parse(place).unwrap().side()));
        places.into_iter().find_map(|place| self.resolve(place).filter(|value| is_identifier(value)))
    }
}

/// What programs write for a value they do not have.
fn is_placeholder(value: &[u8]) -> bool {
    let word = String::from_utf8_lossy(value).trim().to_lowercase();
    matches!(&*word, "" | "null" | "bearer" | "undefined")
}

/// Neither empty, nor too long, nor a placeholder.
fn is_identifier(value: &[u8]) -> bool {
    !is_placeholder(value) && value.len() <= LONGEST
}

fn is_host(pattern: &str, exchange: &Exchange) -> bool {
    let Some(host) = &exchange.request.host else { return false };
    let host = String::from_utf8_lossy(host.as_bytes()).to_lowercase();
    let default_port = match exchange.request.scheme {
        Some(threadline_model::Scheme::Http) => "80",
        _ => "443",
    };
    let (name, port) = host.split_once(':').unwrap_or((&host, default_port));
    let (wanted, wanted_port) = pattern.split_once(':').unwrap_or((pattern, port));
    let is_name = match wanted.strip_prefix('*') {
        Some(ending) => name.len() > ending.len() && name.ends_with(ending),
        None => name == wanted,
    };
    is_name && port == wanted_port
}

fn is_path(pattern: &str, exchange: &Exchange) -> bool {
    let target = String::from_utf8_lossy(exchange.request.target.as_bytes()).into_owned();
    let path = target.split('?').next().unwrap_or_default();
    let mut segments: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => drop(segments.pop()),
            segment => segments.push(segment),
        }
    }
    let wanted: Vec<&str> = pattern.split('/').filter(|segment| !segment.is_empty()).collect();
    begins(&segments, &wanted)
}

/// Whether a path is the wanted one or lies below it.
fn begins(path: &[&str], wanted: &[&str]) -> bool {
    match (wanted.split_first(), path.split_first()) {
        (None, _) => true,
        (Some((&"**", rest)), _) => (0..=path.len()).any(|skipped| begins(&path[skipped..], rest)),
        (Some((segment, rest)), Some((first, below))) => (*segment == "*" || segment == first) && begins(below, rest),
        (Some(_), None) => false,
    }
}
