//! What masks take from the built-in set and from the fallback: a value that nobody may see groups nothing.

use threadline_points::{Point, Side, Step};
use threadline_policy::{Policy, Reach};

use crate::cookies;
use crate::rules::{RULES, Reads};

/// What must not be looked at in one exchange.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Masked {
    /// A bit for each rule of the built-in set.
    rules: u128,
    pub(crate) address: bool,
    pub(crate) agent: bool,
    pub(crate) fingerprint: bool,
}

const _: () = assert!(RULES.len() <= 128);

impl Masked {
    pub(crate) const fn hides_rule(&self, rule: usize) -> bool {
        self.rules & (1 << rule) != 0
    }

    const fn join(&mut self, other: Self) {
        self.rules |= other.rules;
        self.address |= other.address;
        self.agent |= other.agent;
        self.fingerprint |= other.fingerprint;
    }

    /// What one mask takes.
    fn by(mask: &Point) -> Self {
        let mut masked = Self::default();
        for (position, rule) in RULES.iter().enumerate() {
            if hides(mask, &rule.reads) {
                masked.rules |= 1 << position;
            }
        }
        masked.address = overlaps(mask, "request > remote_addr");
        masked.agent = overlaps(mask, "request > header USER-AGENT");
        masked.fingerprint = overlaps(mask, "request > ja4");
        masked
    }
}

/// What each mask of a policy takes.
pub(crate) struct Masks(Vec<Masked>);

impl Masks {
    pub(crate) fn new(policy: &Policy) -> Self {
        Self(policy.masks().iter().map(|mask| Masked::by(&mask.point)).collect())
    }

    /// What the masks that apply to an exchange take together.
    pub(crate) fn of(&self, reach: &Reach) -> Masked {
        let mut all = Masked::default();
        for masked in reach.masks().filter_map(|mask| self.0.get(mask)) {
            all.join(*masked);
        }
        all
    }
}

fn overlaps(mask: &Point, point: &str) -> bool {
    Point::parse(point).is_ok_and(|point| point.overlaps(mask))
}

fn hides(mask: &Point, reads: &Reads) -> bool {
    let header = |side: &str, name: &str| overlaps(mask, &format!("{side} > header {name}"));
    let claim = |name: &str| overlaps(mask, &format!("request > header AUTHORIZATION > jwt payload > property {name}"));
    match reads {
        Reads::Cookie(name) => hides_cookie(mask, |cookie| name.matches(cookie)),
        Reads::CookiePair(one, other) => {
            hides_cookie(mask, |cookie| cookie == one.as_bytes() || cookie == other.as_bytes())
        }
        Reads::Header(name) => header("request", name),
        Reads::IssuedHeader(name) => header("request", name) || header("response", name),
        Reads::TokenSession => claim("sid") || claim("iss"),
        Reads::TokenSubject => claim("sub") || claim("iss"),
        Reads::Token | Reads::BasicUser => header("request", "AUTHORIZATION"),
        Reads::PathParameter(_) => {
            let in_path = |step: &Step| {
                matches!(step, Step::Uri | Step::Path(_) | Step::Paths | Step::ActionName | Step::ActionExt)
            };
            mask.side() == Side::Request && mask.steps().first().is_some_and(in_path)
        }
        Reads::Query(name) => {
            let named = |step: &Step| match step {
                Step::Query(field) => {
                    let base = field.split('[').next().unwrap_or_default();
                    base.eq_ignore_ascii_case(name)
                }
                Step::Queries | Step::Uri => true,
                _ => false,
            };
            mask.side() == Side::Request && mask.steps().first().is_some_and(named)
        }
    }
}

/// Whether a mask covers a cookie of such a name, sent or set: all of it, or something in it.
fn hides_cookie(mask: &Point, is_meant: impl Fn(&[u8]) -> bool) -> bool {
    let section = if mask.side() == Side::Request { "COOKIE" } else { "SET-COOKIE" };
    match mask.steps() {
        [Step::Headers, ..] => true,
        [Step::Header(name), rest @ ..] if name.as_str() == section => match rest.first() {
            Some(Step::Cookie(cookie)) => is_meant(cookies::without_prefix(cookie.as_bytes())),
            _ => true,
        },
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_mask_takes_the_rules_that_read_its_place() {
        for (mask, rules) in [
            ("request > header COOKIE > cookie PHPSESSID", vec!["cookie PHPSESSID"]),
            ("response > header SET-COOKIE > cookie PHPSESSID", vec!["cookie PHPSESSID"]),
            ("request > header COOKIE > cookie __Host-connect.sid", vec!["cookie connect.sid"]),
            ("request > header COOKIE > cookie CFTOKEN", vec!["cookies CFID and CFTOKEN"]),
            ("request > header COOKIE > cookie wordpress_logged_in_ab", vec!["cookie wordpress_logged_in_*"]),
            ("request > header COOKIE > cookie theme", vec![]),
            ("request > header X-API-KEY", vec!["header X-API-KEY"]),
            ("response > header MCP-SESSION-ID", vec!["header MCP-SESSION-ID"]),
            (
                "request > header AUTHORIZATION > jwt payload > property sub",
                vec!["authorization JWT iss and sub", "authorization token", "authorization Basic user"],
            ),
            ("request > query SID", vec!["query sid"]),
            ("request > path 0", vec!["path jsessionid"]),
            ("request > body > json > property password", vec![]),
        ] {
            let masked = Masked::by(&Point::parse(mask).unwrap());
            let hidden: Vec<&str> =
                (0..RULES.len()).filter(|rule| masked.hides_rule(*rule)).map(|rule| RULES[rule].name).collect();
            assert_eq!(hidden, rules, "{mask}");
        }
        let all_cookies = Masked::by(&Point::parse("request > header COOKIE").unwrap());
        let cookie_rules = RULES.iter().filter(|rule| rule.name.starts_with("cookie")).count();
        assert_eq!(all_cookies.rules.count_ones() as usize, cookie_rules);
    }

    #[test]
    fn a_mask_takes_facts_from_the_fallback() {
        let of = |mask: &str| {
            let masked = Masked::by(&Point::parse(mask).unwrap());
            (masked.address, masked.agent, masked.fingerprint)
        };
        assert_eq!(of("request > remote_addr"), (true, false, false));
        assert_eq!(of("request > header USER-AGENT"), (false, true, false));
        assert_eq!(of("request > ja4"), (false, false, true));
        assert_eq!(of("request > query a"), (false, false, false));
    }
}
