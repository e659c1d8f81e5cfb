//! `startedDateTime`: ISO 8601 as recorders write it.

use threadline_model::{Timestamp, UtcDay};

/// Reads `YYYY-MM-DDThh:mm:ss` with any fraction and offset (`Z`, `+02:00`, `+0200`, `+02`; none is taken as UTC).
/// Times before 1970 (the zero time of some recorders) become 1970-01-01. `None` for anything else.
pub(super) fn parse_started(text: &[u8]) -> Option<Timestamp> {
    let text = std::str::from_utf8(text).ok()?.trim();
    let day = UtcDay::parse(text.get(..10)?)?;
    let rest = text.get(10..)?;
    let rest = rest.strip_prefix(['T', 't', ' '])?;
    let (hour, rest) = two_digits(rest, 23)?;
    let (minute, rest) = two_digits(rest.strip_prefix(':')?, 59)?;
    let (second, rest) = match rest.strip_prefix(':') {
        // A leap second is the last one once more: Unix time has none.
        Some(rest) => two_digits(rest, 60).map(|(second, rest)| (second.min(59), rest))?,
        None => (0, rest),
    };
    let (micros, rest) = match rest.strip_prefix(['.', ',']) {
        Some(rest) => fraction(rest)?,
        None => (0, rest),
    };
    let offset_minutes = offset(rest)?;
    let seconds = (hour * 60 + minute - offset_minutes) * 60 + second;
    let since_epoch = day.start().micros() + seconds * 1_000_000 + micros;
    Some(Timestamp::from_micros(since_epoch.max(0)))
}

fn two_digits(text: &str, largest: i64) -> Option<(i64, &str)> {
    let digits = text.get(..2).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
    let value = digits.parse().ok().filter(|value| *value <= largest)?;
    Some((value, &text[2..]))
}

/// Microseconds from any number of fraction digits.
fn fraction(text: &str) -> Option<(i64, &str)> {
    let end = text.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    if end == 0 {
        return None;
    }
    let micros = (0..6)
        .fold(0, |sum, index| sum * 10 + text.as_bytes()[..end].get(index).map_or(0, |digit| i64::from(digit - b'0')));
    Some((micros, &text[end..]))
}

/// Minutes east of UTC.
fn offset(text: &str) -> Option<i64> {
    let text = text.trim_start();
    if text.is_empty() || text == "Z" || text == "z" {
        return Some(0);
    }
    let sign = match text.as_bytes()[0] {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hours, rest) = two_digits(&text[1..], 23)?;
    let (minutes, rest) = match rest.strip_prefix(':').unwrap_or(rest) {
        "" => (0, ""),
        rest => two_digits(rest, 59)?,
    };
    rest.is_empty().then_some(sign * (hours * 60 + minutes))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_spelling_of_one_moment_is_that_moment() {
        let moment = UtcDay::parse("2023-03-29").unwrap().end().micros() + 2_532_418_000;
        for text in [
            "2023-03-30T00:42:12.418Z",
            "2023-03-30T00:42:12.418+00:00",
            "2023-03-30T00:42:12.418",
            "2023-03-30 00:42:12,418 Z",
            "2023-03-29T17:42:12.418-07:00",
            "2023-03-30T02:42:12.4180000+0200",
            "2023-03-30t02:42:12.418000999+02",
        ] {
            assert_eq!(parse_started(text.as_bytes()).unwrap().micros(), moment, "{text}");
        }
        assert_eq!(parse_started(b"2023-03-30T00:42Z").unwrap().micros(), moment - 12_418_000);
    }

    #[test]
    fn the_zero_time_of_some_recorders_becomes_the_epoch() {
        assert_eq!(parse_started(b"0001-01-01T00:00:00").unwrap().micros(), 0);
    }

    #[test]
    fn what_is_not_a_time_is_none() {
        for text in [
            "",
            "yesterday",
            "2023-02-30T00:00:00Z",
            "2023-03-30T24:00:00Z",
            "2023-03-30T00:00:00.Z",
            "2023-03-30",
            "2023-03-30T00:00:00+2",
            "2023-03-30T00:00:00Zulu",
            "2023-03-30T00:00:0\u{e9}",
            "1680136932418",
        ] {
            assert_eq!(parse_started(text.as_bytes()), None, "{text}");
        }
    }
}
