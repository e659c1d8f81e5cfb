//! Cookies: of a request's Cookie header (RFC 6265, section 5.4) and of a response's Set-Cookie (section 5.2).
//! Values are given as they stand, quotes included, because that is how they come back.

use std::fmt;

use smallvec::SmallVec;
use threadline_model::Timestamp;

use crate::cookie_date;

/// Finds the cookies of a name in one Cookie header, in order.
pub(crate) fn sent<'e>(header: &'e [u8], name: &[u8], found: &mut SmallVec<[&'e [u8]; 4]>) {
    found.extend(every_sent(header).filter(|(candidate, _)| *candidate == name).map(|(_, value)| value));
}

/// Every cookie of one Cookie header with its name, in order.
pub(crate) fn every_sent(header: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    header.split(|byte| *byte == b';').map(name_and_value)
}

/// The value of a Set-Cookie header when it sets this name to something: one that has expired at `now` deletes the
/// cookie and gives nothing.
pub(crate) fn set<'e>(header: &'e [u8], name: &[u8], now: Timestamp) -> Option<&'e [u8]> {
    let cookie = SetCookie::parse(header).filter(|cookie| cookie.name == name)?;
    (!cookie.has_expired(now)).then_some(cookie.value)
}

/// A Set-Cookie header (RFC 6265, section 5.2). Bytes as they stand: nothing is decoded, nothing has to be UTF-8.
/// Its `Debug` tells lengths only.
#[derive(Clone, Copy)]
pub struct SetCookie<'e> {
    /// The cookie's name.
    pub name: &'e [u8],
    /// The cookie's value, quotes included.
    pub value: &'e [u8],
    /// What follows the first `;`.
    attributes: &'e [u8],
}

impl<'e> SetCookie<'e> {
    /// Splits a header's value. A text without `=` before its attributes sets no cookie.
    pub fn parse(header: &'e [u8]) -> Option<Self> {
        let (pair, attributes) = match memchr::memchr(b';', header) {
            Some(end) => (&header[..end], &header[end + 1..]),
            None => (header, &[][..]),
        };
        memchr::memchr(b'=', pair)?;
        let (name, value) = name_and_value(pair);
        Some(Self { name, value, attributes })
    }

    /// Whether the header deletes the cookie: `Max-Age` of 0 or less or, without one, `Expires` not after `now`. An
    /// attribute that cannot be read does not count; of repeated ones the last does (section 5.3, step 3). Linear in
    /// the header's length.
    pub fn has_expired(&self, now: Timestamp) -> bool {
        let mut expires = None;
        for attribute in self.attributes.rsplit(|byte| *byte == b';') {
            let (key, text) = name_and_value(attribute);
            if key.eq_ignore_ascii_case(b"max-age") {
                if let Some(deletes) = deletes_by_age(text) {
                    return deletes;
                }
            } else if expires.is_none() && key.eq_ignore_ascii_case(b"expires") {
                expires = cookie_date::read(text);
            }
        }
        expires.is_some_and(|moment| moment <= now.micros().div_euclid(1_000_000))
    }
}

impl fmt::Debug for SetCookie<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SetCookie({} and {} bytes)", self.name.len(), self.value.len())
    }
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// 2026-09-21T14:13:20Z
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
            ("sid=abc; Max-Age", Some("abc")),
            ("sid=abc; Max-Age=", Some("abc")),
            ("sid=abc; Max-Age=-", Some("abc")),
            ("sid=abc; Max-Age=; Expires=Thu, 01 Jan 1970 00:00:01 GMT", None),
            ("sid=abc; Max-Age=0; Max-Age=60", Some("abc")),
            ("sid=abc; Max-Age=60; Max-Age=0", None),
            ("sid=deleted; expires=Thu, 01 Jan 1970 00:00:01 GMT", None),
            ("sid=deleted; expires=Thu, 01-Jan-1970 00:00:01 GMT; path=/", None),
            ("sid=a; expires=Thu, 01-Jan-70 00:00:01 GMT", None),
            ("sid=abc; Expires=Mon, 21 Sep 2026 14:13:20 GMT", None),
            ("sid=abc; Expires=Mon, 21 Sep 2026 14:13:21 GMT", Some("abc")),
            ("sid=abc; Expires=Wed, 21 Oct 2065 07:28:00 GMT", Some("abc")),
            ("sid=abc; Expires=Thu, 01 Jan 1970 00:00:01 GMT; Max-Age=60", Some("abc")),
            ("sid=abc; Expires=never", Some("abc")),
            ("sid=abc; Expires=Thu, 01 Jan 1970 00:00:01 GMT; Expires=never", None),
            ("sid=abc; Expires=99 Feb 99999 99:99:99", Some("abc")),
            ("sid=deleted", Some("deleted")),
            ("sid=", Some("")),
            ("other=abc", None),
            ("SID=abc", None),
            ("sid", None),
            ("", None),
        ] {
            let found = set(header.as_bytes(), b"sid", NOW);
            assert_eq!(found, expected.map(str::as_bytes), "{header}");
        }
        assert_eq!(set(b"sid=\xe9; Path=/\xff; Max-Age=0", b"sid", NOW), None, "not UTF-8, and deleted all the same");
    }

    #[test]
    fn a_cookie_never_shows() {
        let shown = format!("{:?}", SetCookie::parse(b"canary=canary; Path=/canary"));
        assert!(!shown.contains("canary"), "{shown}");
    }

    /// Section 5.3 word for word: every attribute in order, later ones replacing earlier ones.
    fn deletes_by_the_standard(header: &[u8]) -> bool {
        let (mut age, mut expires) = (None, None);
        for attribute in header.split(|byte| *byte == b';').skip(1) {
            let (key, text) = name_and_value(attribute);
            if key.eq_ignore_ascii_case(b"max-age") {
                age = deletes_by_age(text).or(age);
            } else if key.eq_ignore_ascii_case(b"expires") {
                expires = cookie_date::read(text).or(expires);
            }
        }
        age.or(expires.map(|moment| moment <= NOW.micros() / 1_000_000)).unwrap_or(false)
    }

    proptest! {
        #[test]
        fn repeated_attributes_count_as_the_standard_says(attributes in prop::collection::vec(
            prop::sample::select(vec![
                "Max-Age=0", "max-age=60", "Max-Age=", "Max-Age=x", "Expires=Thu, 01 Jan 1970 00:00:01 GMT",
                "expires=Wed, 21 Oct 2065 07:28:00 GMT", "Expires=never", "Path=/", "", "=",
            ]),
            0..8,
        )) {
            let header = format!("sid=a;{}", attributes.join(";"));
            let expired = SetCookie::parse(header.as_bytes()).is_some_and(|cookie| cookie.has_expired(NOW));
            prop_assert_eq!(expired, deletes_by_the_standard(header.as_bytes()), "{}", header);
        }

        #[test]
        fn any_bytes_are_read_without_panic(header in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Some(cookie) = SetCookie::parse(&header) {
                cookie.has_expired(NOW);
            }
        }
    }
}
