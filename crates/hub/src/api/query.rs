//! Reading the query of a request: parameters are taken out by name, refusals are collected, and what nobody took is
//! refused.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;
use threadline_model::Timestamp;
use threadline_store::TimeRange;

use super::time::{EARLIEST, LATEST, Time};
use crate::problem::{FieldProblem, Problem};

/// A query may be at most this long, in bytes, and may have at most this many parameters.
const MAXIMUM_QUERY_BYTES: usize = 16_384;
const MAXIMUM_PARAMETERS: usize = 500;

/// The parameters of one request that were not taken yet, and what was refused so far.
#[derive(Debug, Default)]
pub(crate) struct QueryParameters {
    values: BTreeMap<String, Vec<String>>,
    refused: Vec<FieldProblem>,
}

impl QueryParameters {
    /// Reads `application/x-www-form-urlencoded` text (WHATWG URL, 5.1).
    pub(crate) fn parse(query: Option<&str>) -> Result<Self, Problem> {
        let query = query.unwrap_or_default();
        if query.len() > MAXIMUM_QUERY_BYTES {
            return Err(Problem::field("query", format!("may have at most {MAXIMUM_QUERY_BYTES} bytes")));
        }
        let mut parameters = Self::default();
        for (count, pair) in query.split('&').filter(|pair| !pair.is_empty()).enumerate() {
            if count == MAXIMUM_PARAMETERS {
                return Err(Problem::field("query", format!("may have at most {MAXIMUM_PARAMETERS} parameters")));
            }
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let Some(name) = decode(name) else {
                return Err(Problem::field("query", "a parameter's name is not UTF-8"));
            };
            match decode(value) {
                Some(value) if !value.contains('\0') => parameters.values.entry(name).or_default().push(value),
                _ => parameters.refuse(shown(&name), "the value is not UTF-8 text without NUL"),
            }
        }
        Ok(parameters)
    }

    /// Notes that a parameter cannot be accepted.
    pub(crate) fn refuse(&mut self, field: impl Into<String>, reason: impl Into<String>) {
        self.refused.push(FieldProblem::new(field, reason));
    }

    /// What was refused so far.
    #[cfg(test)]
    pub(crate) fn refused(&self) -> &[FieldProblem] {
        &self.refused
    }

    /// All values of a parameter in order.
    pub(crate) fn take_all(&mut self, name: &str) -> Vec<String> {
        self.values.remove(name).unwrap_or_default()
    }

    /// The value of a parameter that may stand once.
    pub(crate) fn take_one(&mut self, name: &str) -> Option<String> {
        let mut values = self.take_all(name);
        if values.len() > 1 {
            self.refuse(name, "may stand only once");
            return None;
        }
        values.pop()
    }

    /// A whole number within bounds, or its default.
    pub(crate) fn take_number(&mut self, name: &str, default: u32, bounds: std::ops::RangeInclusive<u32>) -> u32 {
        let Some(text) = self.take_one(name) else { return default };
        let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        match text.parse() {
            Ok(number) if plain && bounds.contains(&number) => number,
            _ => {
                self.refuse(name, format!("expected a whole number from {} to {}", bounds.start(), bounds.end()));
                default
            }
        }
    }

    /// One of a few words, or the default (the first word).
    pub(crate) fn take_word<T: Copy>(&mut self, name: &str, words: &[(&str, T)], default: T) -> T {
        let Some(text) = self.take_one(name) else { return default };
        match words.iter().find(|(word, _)| *word == text) {
            Some((_, meaning)) => *meaning,
            None => {
                let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
                self.refuse(name, format!("expected one of {}", known.join(", ")));
                default
            }
        }
    }

    /// The range asked for with `from`, `to` and `last`.
    pub(crate) fn take_range(&mut self, now: Timestamp) -> AskedRange {
        let [from, to] = ["from", "to"].map(|name| {
            self.take_one(name).and_then(|text| match Time::parse(&text) {
                Ok(time) => Some(time.0),
                Err(reason) => {
                    self.refuse(name, reason);
                    None
                }
            })
        });
        let last = self.take_one("last");
        if let Some(last) = last {
            if from.is_some() || to.is_some() {
                self.refuse("last", "cannot be combined with from and to");
            }
            return match parse_last(&last) {
                Ok(None) => AskedRange::All,
                Ok(Some(micros)) => AskedRange::Moving(ending(now, micros)),
                Err(reason) => {
                    self.refuse("last", reason);
                    AskedRange::Unsaid
                }
            };
        }
        match (from, to) {
            (None, None) => AskedRange::Unsaid,
            (None, Some(_)) => {
                self.refuse("from", "is needed with to");
                AskedRange::Unsaid
            }
            (Some(from), to) => {
                let range = TimeRange { from, to: to.unwrap_or_else(|| after(now)) };
                if range.from >= range.to {
                    self.refuse("from", "must be before to (which is now, when left out)");
                }
                if to.is_some() { AskedRange::Fixed(range) } else { AskedRange::Moving(range) }
            }
        }
    }

    /// Ends the reading: refuses what was not taken, and fails if anything was refused.
    pub(crate) fn finish(mut self) -> Result<(), Problem> {
        for name in std::mem::take(&mut self.values).into_keys() {
            self.refuse(shown(&name), "is not a parameter of this request");
        }
        if self.refused.is_empty() { Ok(()) } else { Err(Problem::fields(self.refused)) }
    }
}

/// What was asked about time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AskedRange {
    /// Nothing: the route's default holds.
    Unsaid,
    /// Everything that is stored.
    All,
    /// Ends now, so it differs from one page of a list to the next unless the page token holds it.
    Moving(TimeRange),
    /// Both ends were given.
    Fixed(TimeRange),
}

/// The range of `micros` that ends with `now` inside.
pub(crate) fn ending(now: Timestamp, micros: i64) -> TimeRange {
    let to = after(now);
    TimeRange { from: Timestamp::from_micros(to.micros().saturating_sub(micros)).max(EARLIEST), to }
}

/// The first moment after `now`: ranges are half-open, and what just happened belongs to "the last hour".
pub(crate) fn after(now: Timestamp) -> Timestamp {
    Timestamp::from_micros(now.micros().saturating_add(1)).min(LATEST)
}

/// `15m`, `1h`, `24h`, `7d` in microseconds; `None` for `all`.
fn parse_last(text: &str) -> Result<Option<i64>, &'static str> {
    const EXPECTED: &str = "expected a number with a unit, such as 30s, 15m, 24h or 7d (at most 3660d), or all";
    if text == "all" {
        return Ok(None);
    }
    let unit = text.chars().next_back().ok_or(EXPECTED)?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return Err(EXPECTED),
    };
    let digits = &text[..text.len() - 1];
    if digits.is_empty() || digits.len() > 9 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(EXPECTED);
    }
    let count: i64 = digits.parse().map_err(|_| EXPECTED)?;
    let seconds = count.saturating_mul(seconds);
    if seconds == 0 || seconds > 3_660 * 86_400 {
        return Err(EXPECTED);
    }
    Ok(Some(seconds * 1_000_000))
}

fn decode(text: &str) -> Option<String> {
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

/// A name from outside, safe and short enough to be named in an error.
fn shown(name: &str) -> String {
    threadline_model::escape_for_display(name.as_bytes(), 64)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(1_763_892_930_000_000);

    fn range(query: &str) -> Result<AskedRange, Vec<String>> {
        let mut parameters = QueryParameters::parse(Some(query)).unwrap();
        let range = parameters.take_range(NOW);
        if parameters.refused.is_empty() {
            Ok(range)
        } else {
            Err(parameters.refused.into_iter().map(|problem| problem.field).collect())
        }
    }

    #[test]
    fn ranges_are_moving_fixed_all_or_unsaid() {
        let hour = ending(NOW, 3_600_000_000);
        assert_eq!(range("last=1h"), Ok(AskedRange::Moving(hour)));
        assert_eq!(range("last=60m"), Ok(AskedRange::Moving(hour)));
        assert_eq!(range("last=all"), Ok(AskedRange::All));
        assert_eq!(range(""), Ok(AskedRange::Unsaid));
        let fixed = range("from=2025-11-23T00:00:00Z&to=2025-11-23T01:00:00Z").unwrap();
        assert!(matches!(fixed, AskedRange::Fixed(range) if range.to.micros() - range.from.micros() == 3_600_000_000));
        assert!(matches!(range("from=2025-11-23T00:00:00Z"), Ok(AskedRange::Moving(range)) if range.to == after(NOW)));
    }

    #[test]
    fn impossible_ranges_are_refused_by_name() {
        for (query, field) in [
            ("last=", "last"),
            ("last=0h", "last"),
            ("last=1w", "last"),
            ("last=-1h", "last"),
            ("last=%2B1h", "last"),
            ("last=9999d", "last"),
            ("last=999999999999h", "last"),
            ("last=1%C3%A9", "last"),
            ("last=1h&last=2h", "last"),
            ("last=1h&from=2025-11-23T00:00:00Z", "last"),
            ("to=2025-11-23T00:00:00Z", "from"),
            ("from=2025-11-23T00:00:00Z&to=2025-11-23T00:00:00Z", "from"),
            ("from=2099-11-23T00:00:00Z", "from"),
            ("from=yesterday", "from"),
            ("from=2025-11-23T00:00:00Z&to=1e400", "to"),
        ] {
            assert_eq!(range(query).unwrap_err(), [field], "{query}");
        }
    }

    #[test]
    fn numbers_and_words_keep_to_their_bounds() {
        let mut parameters = QueryParameters::parse(Some("a=5&b=501&c=x&d=%2B5&order=up&e=99999999999")).unwrap();
        assert_eq!(parameters.take_number("a", 1, 1..=500), 5);
        for name in ["b", "c", "d", "e"] {
            parameters.take_number(name, 1, 1..=500);
        }
        parameters.take_word("order", &[("asc", true), ("desc", false)], true);
        let fields: Vec<&str> = parameters.refused.iter().map(|problem| problem.field.as_str()).collect();
        assert_eq!(fields, ["b", "c", "d", "e", "order"]);
    }

    #[test]
    fn what_nobody_takes_is_refused_and_shown_escaped() {
        let parameters = QueryParameters::parse(Some("hots=a.io&%1b%5B31m=1")).unwrap();
        let problem = format!("{:?}", parameters.finish().unwrap_err());
        assert!(problem.contains("hots") && !problem.contains('\x1b'), "{problem}");
    }

    #[test]
    fn unreadable_queries_are_refused() {
        assert!(QueryParameters::parse(Some("%ff=1")).is_err());
        assert!(QueryParameters::parse(Some("a=%ff")).unwrap().finish().is_err());
        assert!(QueryParameters::parse(Some("a=%00")).unwrap().finish().is_err());
        assert!(QueryParameters::parse(Some(&"a&".repeat(501))).is_err());
        assert!(QueryParameters::parse(Some(&"a".repeat(20_000))).is_err());
    }
}
