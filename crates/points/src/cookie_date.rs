//! The dates of cookies, read as browsers read them (RFC 6265, section 5.1.1): servers write them in many ways.

const MONTHS: [&[u8; 3]; 12] =
    [b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec"];

/// Seconds from the Unix epoch to the date; `None` when the text holds none, or one that no calendar has.
pub(crate) fn read(text: &[u8]) -> Option<i64> {
    let (mut time, mut day, mut month, mut year) = (None, None, None, None);
    for token in text.split(|byte| is_delimiter(*byte)).filter(|token| !token.is_empty()) {
        if time.is_none()
            && let Some(found) = time_of_day(token)
        {
            time = Some(found);
        } else if day.is_none()
            && let Some((found, _)) = number(token, 1, 2)
        {
            day = Some(found);
        } else if month.is_none()
            && let Some(found) = month_number(token)
        {
            month = Some(found);
        } else if year.is_none()
            && let Some((found, _)) = number(token, 2, 4)
        {
            year = Some(found);
        }
    }
    let year = match year? {
        year @ 70..=99 => year + 1900,
        year @ 0..=69 => year + 2000,
        year => year,
    };
    let (month, day) = (month?, day?);
    if year < 1601 || !(1..=days_of(year, month)).contains(&day) {
        return None;
    }
    Some(days_since_epoch(year, month, day) * 86_400 + time?)
}

const fn is_delimiter(byte: u8) -> bool {
    matches!(byte, b'\t' | b' '..=b'/' | b';'..=b'@' | b'['..=b'`' | b'{'..=b'~')
}

/// The number that a text begins with, if it has so many digits, and what follows them.
fn number(text: &[u8], fewest: usize, most: usize) -> Option<(i64, &[u8])> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if digits < fewest || digits > most {
        return None;
    }
    let number = text[..digits].iter().fold(0, |number, digit| number * 10 + i64::from(digit - b'0'));
    Some((number, &text[digits..]))
}

/// Seconds since midnight of `h:m:s`.
fn time_of_day(token: &[u8]) -> Option<i64> {
    let (hour, rest) = number(token, 1, 2)?;
    let (minute, rest) = number(rest.strip_prefix(b":")?, 1, 2)?;
    let (second, _) = number(rest.strip_prefix(b":")?, 1, 2)?;
    (hour <= 23 && minute <= 59 && second <= 59).then_some(hour * 3_600 + minute * 60 + second)
}

/// The month, from 1, that a word begins with.
fn month_number(token: &[u8]) -> Option<i64> {
    let start = token.get(..3)?;
    (1..).zip(MONTHS).find(|(_, name)| start.eq_ignore_ascii_case(*name)).map(|(number, _)| number)
}

const fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

const fn days_of(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 to a date of the Gregorian calendar.
fn days_since_epoch(year: i64, month: i64, day: i64) -> i64 {
    let before = year - 1;
    let leap_days = before / 4 - before / 100 + before / 400;
    let months: i64 = (1..month).map(|month| days_of(year, month)).sum();
    // 719,162 days lie between the first day of year 1 and 1970-01-01.
    before * 365 + leap_days + months + day - 1 - 719_162
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_as_browsers_do() {
        for (text, expected) in [
            ("Thu, 01 Jan 1970 00:00:00 GMT", Some(0)),
            ("Thu, 01-Jan-70 00:00:01 GMT", Some(1)),
            ("Thu, 01-Jan-1970 00:00:01 GMT", Some(1)),
            ("Sun Nov  6 08:49:37 1994", Some(784_111_777)),
            ("Sunday, 06-Nov-94 08:49:37 GMT", Some(784_111_777)),
            ("6 november 94 8:49:37", Some(784_111_777)),
            ("Mon, 23 Nov 2026 12:00:00 GMT", Some(1_795_435_200)),
            ("Tue, 29 Feb 2028 23:59:59 GMT", Some(1_835_481_599)),
            ("Wed, 21-Oct-37 07:28:00 GMT", Some(2_139_722_880)),
            ("Fri, 31 Dec 9999 23:59:59 GMT", Some(253_402_300_799)),
            ("Fri, 31 Dec 1600 23:59:59 GMT", None),
            ("Mon, 29 Feb 2027 00:00:00 GMT", None),
            ("Mon, 31 Apr 2027 00:00:00 GMT", None),
            ("Mon, 00 Apr 2027 00:00:00 GMT", None),
            ("99 Feb 99999 99:99:99", None),
            ("Thu, 01 Jan 1970", None),
            ("Thu, 01 1970 00:00:00", None),
            ("0", None),
            ("-1", None),
            ("never", None),
            ("", None),
        ] {
            assert_eq!(read(text.as_bytes()), expected, "{text}");
        }
    }
}
