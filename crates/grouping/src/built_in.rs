//! Looking the built-in set up in one exchange. The order and the names are in `rules`; equality of values, and so
//! sessions, is not decided here.
//!
//! Cookies and query fields are read in one pass whatever the number of rules. Only a token's claims and Basic
//! credentials go through a plan of the points crate, and only when no earlier rule found anything.

use std::borrow::Cow;

use threadline_model::Exchange;
use threadline_points::{Bounds, Extracted, Found, ParseError, Plan, Point, Scratch, SetCookie, Side, form_decoded};

use crate::authorization::Credentials;
use crate::cookies::{self, pieces, split_once};
use crate::decision::{MAXIMUM_VALUE_BYTES, Parts};
use crate::hash::Namespace;
use crate::masked::Masked;
use crate::placeholder::is_placeholder;
use crate::rules::{BuiltInRule, COOKIE_RULES, RULES, Reads, SINGLE_RULES, query_rule};

/// Which messages may decide.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Messages {
    Both,
    RequestOnly,
}

/// A rule that works on the exchange, with what it found.
pub(crate) struct Hit<'e> {
    pub(crate) rule: &'static BuiltInRule,
    pub(crate) namespace: Namespace<'static>,
    pub(crate) parts: Parts<'e>,
    pub(crate) side: Side,
}

/// The built-in set with the plans it needs.
pub(crate) struct BuiltInSet {
    claims: Plan,
    basic: Plan,
}

/// Positions in the plan `claims`.
const SID: usize = 0;
const ISS: usize = 1;
const SUB: usize = 2;

impl BuiltInSet {
    pub(crate) fn new() -> Self {
        let compile = |points: &[&str]| {
            let points: Result<Vec<Point>, _> = points.iter().map(|point| Point::parse(point)).collect();
            let points = points.expect("constant points are valid, as every test of this crate shows");
            Plan::compile(&points, Bounds::default()).expect("constant points are resolved, as every test shows")
        };
        Self {
            claims: compile(&[
                "request > header AUTHORIZATION > jwt payload > property sid",
                "request > header AUTHORIZATION > jwt payload > property iss",
                "request > header AUTHORIZATION > jwt payload > property sub",
            ]),
            basic: compile(&[r#"request > header AUTHORIZATION > bearer > base64 > capture "(?s-u)^([^:]+):""#]),
        }
    }

    /// The first rule that works and that no mask hides. What parsers complained about on the way is added to `parse_errors`.
    pub(crate) fn find<'e>(
        &self,
        exchange: &'e Exchange,
        messages: Messages,
        masked: &Masked,
        scratch: &mut Scratch,
        parse_errors: &mut Vec<ParseError>,
    ) -> Option<Hit<'e>> {
        if let Some(hit) = find_cookie(exchange, messages, masked) {
            return Some(hit);
        }
        let mut authorization = Authorization::new(exchange);
        for (number, rule) in SINGLE_RULES.iter().enumerate() {
            if masked.hides_rule(COOKIE_RULES + number) {
                continue;
            }
            let shared = |value| Some(Hit::one(rule, Namespace::Shared, Cow::Borrowed(value), Side::Request));
            let hit = match &rule.reads {
                // Cookies stand first in the table and query fields last; either are read in one pass.
                Reads::Cookie(_) | Reads::CookiePair(..) | Reads::Query(_) => None,
                Reads::Header(name) => request_header(exchange, name).and_then(shared),
                Reads::IssuedHeader(name) => issued_header(exchange, name, messages)
                    .map(|value| Hit::one(rule, Namespace::Shared, Cow::Borrowed(value), Side::Response))
                    .or_else(|| request_header(exchange, name).and_then(shared)),
                Reads::TokenSession => authorization.session(rule, &self.claims, exchange, scratch, parse_errors),
                Reads::TokenSubject => authorization.subject(rule, &self.claims, exchange, scratch, parse_errors),
                Reads::Token => authorization.token().and_then(shared),
                Reads::BasicUser => authorization.basic_user(rule, &self.basic, exchange, scratch, parse_errors),
                Reads::PathParameter(name) => path_parameters(exchange, name).next().and_then(shared),
            };
            if hit.is_some() {
                return hit;
            }
        }
        find_query_field(exchange, masked)
    }
}

impl<'e> Hit<'e> {
    fn one(rule: &'static BuiltInRule, namespace: Namespace<'static>, value: Cow<'e, [u8]>, side: Side) -> Self {
        Self { rule, namespace, parts: Parts::One([value]), side }
    }
}

/// G1 for values of the built-in set, where a word that stands for no value is none.
pub(crate) fn works(value: &[u8]) -> bool {
    value.len() <= MAXIMUM_VALUE_BYTES && !is_placeholder(value)
}

fn request_header<'e>(exchange: &'e Exchange, name: &str) -> Option<&'e [u8]> {
    let value = exchange.request.headers.first(name)?.trim_ascii();
    // Some clients send a session token the way they would send it in Authorization.
    let bare = match value.split_at_checked(7) {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case(b"bearer ") => token.trim_ascii_start(),
        _ => value,
    };
    works(bare).then_some(bare)
}

fn issued_header<'e>(exchange: &'e Exchange, name: &str, messages: Messages) -> Option<&'e [u8]> {
    let response = exchange.response.as_ref().filter(|_| messages == Messages::Both)?;
    response.headers.first(name).map(<[u8]>::trim_ascii).filter(|value| works(value))
}

/// A cookie found, with the message it was found in.
#[derive(Clone, Copy)]
struct Seen<'e> {
    value: &'e [u8],
    side: Side,
}

/// The best cookies so far, by the position of their rule: the earliest rule wins, and for one rule what the response
/// sets wins over what was sent.
#[derive(Default)]
struct CookieSearch<'e> {
    best: Option<(usize, Seen<'e>)>,
    /// Halves of the one rule that needs two cookies.
    halves: [Option<Seen<'e>>; 2],
}

/// Which cookie of which rule.
#[derive(Clone, Copy)]
enum Place {
    Alone(usize),
    Half(usize),
}

/// The cookie rules by the first letter of the names they read, a bit for each: a cookie is compared with few.
static RULES_BY_LETTER: [u64; 256] = {
    assert!(COOKIE_RULES <= 64);
    let mut letters = [0; 256];
    let mut index = 0;
    while index < COOKIE_RULES {
        if let Reads::Cookie(name) = &RULES[index].reads {
            letters[name.beginning().as_bytes()[0] as usize] |= 1 << index;
        } else if let Reads::CookiePair(first, second) = &RULES[index].reads {
            letters[first.as_bytes()[0] as usize] |= 1 << index;
            letters[second.as_bytes()[0] as usize] |= 1 << index;
        }
        index += 1;
    }
    letters
};

/// Whether a rule reads a cookie of this name, given without its prefix.
pub(crate) fn is_session_cookie(name: &[u8]) -> bool {
    place_of(name).is_some()
}

fn place_of(name: &[u8]) -> Option<Place> {
    let mut candidates = RULES_BY_LETTER[usize::from(*name.first()?)];
    while candidates != 0 {
        let index = candidates.trailing_zeros() as usize;
        match &RULES[index].reads {
            Reads::Cookie(known) if known.matches(name) => return Some(Place::Alone(index)),
            Reads::CookiePair(first, _) if first.as_bytes() == name => return Some(Place::Half(0)),
            Reads::CookiePair(_, second) if second.as_bytes() == name => return Some(Place::Half(1)),
            _ => candidates &= candidates - 1,
        }
    }
    None
}

impl<'e> CookieSearch<'e> {
    /// A browser keeps the last cookie that a response sets; of those sent, servers read the first. Responses are
    /// read first, so what was sent never replaces what was set.
    fn see(&mut self, place: Place, seen: Seen<'e>) {
        let replaces = |old: &Seen<'_>| seen.side == Side::Response && old.side == Side::Response;
        match place {
            Place::Half(half) => {
                if self.halves[half].as_ref().is_none_or(replaces) {
                    self.halves[half] = Some(seen);
                }
            }
            Place::Alone(index) => {
                let better = |(best, old): &(usize, Seen<'_>)| index < *best || (index == *best && replaces(old));
                if self.best.as_ref().is_none_or(better) {
                    self.best = Some((index, seen));
                }
            }
        }
    }

    fn hit(self, masked: &Masked) -> Option<Hit<'e>> {
        let pair_rule = RULES[..COOKIE_RULES].iter().position(|rule| matches!(rule.reads, Reads::CookiePair(..)));
        if let ([Some(first), Some(second)], Some(index)) = (self.halves, pair_rule)
            && !masked.hides_rule(index)
            && self.best.as_ref().is_none_or(|(best, _)| index < *best)
        {
            let issued = first.side == Side::Response || second.side == Side::Response;
            return Some(Hit {
                rule: &RULES[index],
                namespace: Namespace::Shared,
                parts: Parts::Two([Cow::Borrowed(first.value), Cow::Borrowed(second.value)]),
                side: if issued { Side::Response } else { Side::Request },
            });
        }
        let (index, seen) = self.best?;
        Some(Hit::one(&RULES[index], Namespace::Shared, Cow::Borrowed(seen.value), seen.side))
    }
}

fn find_cookie<'e>(exchange: &'e Exchange, messages: Messages, masked: &Masked) -> Option<Hit<'e>> {
    let place_of = |name: &[u8]| match place_of(name) {
        Some(Place::Alone(rule)) if masked.hides_rule(rule) => None,
        place => place,
    };
    let mut search = CookieSearch::default();
    if let Some(response) = exchange.response.as_ref().filter(|_| messages == Messages::Both) {
        for header in response.headers.as_map().get_all(http::header::SET_COOKIE) {
            if let Some(cookie) = SetCookie::parse(header.as_bytes()).filter(|cookie| works(cookie.value))
                && let Some(place) = place_of(cookies::without_prefix(cookie.name))
                && !cookie.has_expired(exchange.started)
            {
                search.see(place, Seen { value: cookie.value, side: Side::Response });
            }
        }
    }
    // HTTP/2 may split the Cookie header (RFC 9113, section 8.2.3).
    for header in exchange.request.headers.as_map().get_all(http::header::COOKIE) {
        for cookie in cookies::request_cookies(header.as_bytes()).filter(|cookie| works(cookie.value)) {
            if let Some(place) = place_of(cookie.name) {
                search.see(place, Seen { value: cookie.value, side: Side::Request });
            }
        }
    }
    search.hit(masked)
}

/// The Authorization header, decoded no further than the rules tried so far needed.
struct Authorization<'e> {
    credentials: Credentials<'e>,
    claims: Option<Extracted<'e>>,
}

impl<'e> Authorization<'e> {
    fn new(exchange: &'e Exchange) -> Self {
        let header = exchange.request.headers.first("authorization");
        Self { credentials: header.map_or(Credentials::Passing, Credentials::of), claims: None }
    }

    fn claim(
        &mut self,
        index: usize,
        plan: &Plan,
        exchange: &'e Exchange,
        scratch: &mut Scratch,
        parse_errors: &mut Vec<ParseError>,
    ) -> Option<Cow<'e, [u8]>> {
        if !matches!(self.credentials, Credentials::Jwt(_)) {
            return None;
        }
        let claims = self.claims.get_or_insert_with(|| {
            let claims = plan.extract(exchange, scratch);
            parse_errors.extend_from_slice(claims.parse_errors());
            claims
        });
        match claims.get(index) {
            Found::Value(value) if works(value) => Some(value.clone()),
            _ => None,
        }
    }

    fn session(
        &mut self,
        rule: &'static BuiltInRule,
        plan: &Plan,
        exchange: &'e Exchange,
        scratch: &mut Scratch,
        parse_errors: &mut Vec<ParseError>,
    ) -> Option<Hit<'e>> {
        let sid = self.claim(SID, plan, exchange, scratch, parse_errors)?;
        // The issuer stands first, so that a list of one part is always a `sid` alone.
        let parts = match self.claim(ISS, plan, exchange, scratch, parse_errors) {
            Some(iss) => Parts::Two([iss, sid]),
            None => Parts::One([sid]),
        };
        Some(Hit { rule, namespace: Namespace::TokenSession, parts, side: Side::Request })
    }

    fn subject(
        &mut self,
        rule: &'static BuiltInRule,
        plan: &Plan,
        exchange: &'e Exchange,
        scratch: &mut Scratch,
        parse_errors: &mut Vec<ParseError>,
    ) -> Option<Hit<'e>> {
        let iss = self.claim(ISS, plan, exchange, scratch, parse_errors)?;
        let sub = self.claim(SUB, plan, exchange, scratch, parse_errors)?;
        Some(Hit { rule, namespace: Namespace::TokenSubject, parts: Parts::Two([iss, sub]), side: Side::Request })
    }

    fn token(&self) -> Option<&'e [u8]> {
        match self.credentials {
            Credentials::Jwt(token) | Credentials::Token(token) => Some(token).filter(|token| works(token)),
            Credentials::Basic | Credentials::Passing => None,
        }
    }

    fn basic_user(
        &self,
        rule: &'static BuiltInRule,
        plan: &Plan,
        exchange: &'e Exchange,
        scratch: &mut Scratch,
        parse_errors: &mut Vec<ParseError>,
    ) -> Option<Hit<'e>> {
        if self.credentials != Credentials::Basic {
            return None;
        }
        let decoded = plan.extract(exchange, scratch);
        parse_errors.extend_from_slice(decoded.parse_errors());
        match decoded.get(0) {
            Found::Value(user) if works(user) => {
                Some(Hit::one(rule, Namespace::BasicUser, user.clone(), Side::Request))
            }
            _ => None,
        }
    }
}

/// The values that work of `;name=` in any segment of the path (RFC 3986, section 3.3).
pub(crate) fn path_parameters<'e>(exchange: &'e Exchange, name: &str) -> impl Iterator<Item = &'e [u8]> {
    let (path, _) = split_once(exchange.request.target.as_bytes(), b'?');
    pieces(path, b';').skip(1).filter_map(move |parameter| {
        let (found, value) = parameter.split_at_checked(name.len())?;
        let value = value.strip_prefix(b"=").filter(|_| found.eq_ignore_ascii_case(name.as_bytes()))?;
        let end = value.iter().position(|byte| *byte == b'/').unwrap_or(value.len());
        Some(&value[..end]).filter(|value| works(value))
    })
}

/// The query fields that rules read, in the order of the query: the rule's position, and the value as sent.
pub(crate) fn query_fields(exchange: &Exchange) -> impl Iterator<Item = (usize, &[u8])> {
    let (_, query) = split_once(exchange.request.target.as_bytes(), b'?');
    query.into_iter().flat_map(|query| pieces(query, b'&')).filter_map(|field| {
        let (name, value) = split_once(field, b'=');
        Some((query_rule(name)?, value?))
    })
}

fn find_query_field<'e>(exchange: &'e Exchange, masked: &Masked) -> Option<Hit<'e>> {
    let mut best: Option<(usize, Cow<'_, [u8]>)> = None;
    for (index, value) in query_fields(exchange) {
        if !masked.hides_rule(index) && best.as_ref().is_none_or(|(best, _)| index < *best) {
            let value = form_decoded(value);
            if works(&value) {
                best = Some((index, value));
            }
        }
    }
    best.map(|(index, value)| Hit::one(&RULES[index], Namespace::Shared, value, Side::Request))
}
