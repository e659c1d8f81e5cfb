//! Cookies: of a request's Cookie header (RFC 6265, section 5.4) and of a response's Set-Cookie (section 5.2).
//! Values are given as they stand, quotes included, because that is how they come back.

use smallvec::SmallVec;
use threadline_model::Timestamp;

/// Finds the cookies of a name in one Cookie header, in order.
pub(crate) fn sent<'e>(header: &'e [u8], name: &[u8], found: &mut SmallVec<[&'e [u8]; 4]>) {
    for pair in header.split(|byte| *byte == b';') {
        let (candidate, value) = name_and_value(pair);
        if candidate == name {
            found.push(value);
        }
    }
}

/// The value of a Set-Cookie header when it sets this name to something: a header that deletes the cookie
/// (`Max-Age` of 0 or less, `Expires` before `now`) gives nothing.
pub(crate) fn set<'e>(header: &'e [u8], name: &[u8], now: Timestamp) -> Option<&'e [u8]> {
    let mut attributes = header.split(|byte| *byte == b';');
    let (candidate, value) = name_and_value(attributes.next()?);
    if candidate != name {
        return None;
    }
    let mut expires = None;
    let mut max_age = None;
    for attribute in attributes {
        let (key, text) = name_and_value(attribute);
        if key.eq_ignore_ascii_case(b"max-age") {
            max_age = deletes_by_age(text).or(max_age);
        } else if key.eq_ignore_ascii_case(b"expires") {
            expires = expiry(header).map(|moment| moment <= now.micros().div_euclid(1_000_000)).or(expires);
        }
    }
    // `Max-Age` has precedence (section 5.3, step 3).
    let deletes = max_age.or(expires).unwrap_or(false);
    (!deletes).then_some(value)
}

/// Splits at the first `=`. A text without one is a value without a name.
fn name_and_value(pair: &[u8]) -> (&[u8], &[u8]) {
    match memchr::memchr(b'=', pair) {
        Some(equals) => (pair[..equals].trim_ascii(), pair[equals + 1..].trim_ascii()),
        None => (b"", pair.trim_ascii()),
    }
}

/// Whether a `Max-Age` deletes; `None` when it is no number and to be ignored.
fn deletes_by_age(text: &[u8]) -> Option<bool> {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(digits.len() < text.len() || digits.iter().all(|digit| *digit == b'0'))
}

/// The `Expires` of a Set-Cookie header, seconds since the Unix epoch. Browsers read many date formats; so does the
/// parser used here.
fn expiry(header: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(header).ok()?;
    let expires = ::cookie::Cookie::parse(text).ok()?.expires_datetime()?;
    Some(expires.unix_timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(1_790_000_000_000_000);

    #[test]
    fn a_set_cookie_that_deletes_gives_nothing() {
        for (header, expected) in [
            ("sid=abc", Some("abc")),
            ("sid=abc; Path=/; HttpOnly", Some("abc")),
            ("sid=\"abc\"; Max-Age=60", Some("\"abc\"")),
            ("sid=deleted; Max-Age=0", None),
            ("sid=deleted; max-age=-1", None),
            ("sid=abc; Max-Age=soon", Some("abc")),
            ("sid=deleted; expires=Thu, 01 Jan 1970 00:00:01 GMT", None),
            ("sid=deleted; expires=Thu, 01-Jan-1970 00:00:01 GMT; path=/", None),
            ("sid=abc; Expires=Wed, 21 Oct 2065 07:28:00 GMT", Some("abc")),
            ("sid=abc; Expires=Thu, 01 Jan 1970 00:00:01 GMT; Max-Age=60", Some("abc")),
            ("sid=abc; Expires=never", Some("abc")),
            ("sid=", Some("")),
            ("other=abc", None),
            ("SID=abc", None),
            ("", None),
        ] {
            let found = set(header.as_bytes(), b"sid", NOW);
            assert_eq!(found, expected.map(str::as_bytes), "{header}");
        }
    }
}
