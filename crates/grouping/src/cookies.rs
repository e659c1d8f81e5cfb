//! Cookies as far as sessions need them: pairs of a Cookie header, and the pair of a Set-Cookie header together with
//! whether it deletes the cookie (RFC 6265). Values are bytes as they stand; nothing is decoded, nothing allocated.

use threadline_model::Timestamp;

/// Name and value of one cookie.
#[derive(Clone, Copy)]
pub(crate) struct Cookie<'e> {
    /// Without the prefixes `__Host-` and `__Secure-`, which say how a cookie was set and not what it is.
    pub(crate) name: &'e [u8],
    pub(crate) value: &'e [u8],
}

/// The pairs of one Cookie header (RFC 6265, section 4.2), in their order. A piece without `=` is no cookie.
pub(crate) fn request_cookies(header: &[u8]) -> impl Iterator<Item = Cookie<'_>> {
    header.split(|byte| *byte == b';').filter_map(pair)
}

/// The pair of one Set-Cookie header (section 4.1); whether it deletes the cookie is another question.
pub(crate) fn set_cookie(header: &[u8]) -> Option<Cookie<'_>> {
    header.split(|byte| *byte == b';').next().and_then(pair)
}

/// Whether a Set-Cookie header deletes its cookie at `now`. Max-Age has precedence over Expires (section 5.3, step 3);
/// some frameworks write a word instead of an empty value. An attribute that cannot be read is ignored.
pub(crate) fn deletes(header: &[u8], now: Timestamp) -> bool {
    let Some(cookie) = set_cookie(header) else { return true };
    if cookie.value.is_empty() || cookie.value == b"\"\"" || cookie.value.eq_ignore_ascii_case(b"deleted") {
        return true;
    }
    let parsed = std::str::from_utf8(header).ok().and_then(|header| cookie::Cookie::parse(header).ok());
    let Some(parsed) = parsed else { return false };
    match (parsed.max_age(), parsed.expires_datetime()) {
        (Some(age), _) => !age.is_positive(),
        (None, Some(expires)) => expires.unix_timestamp() <= now.micros().div_euclid(1_000_000),
        (None, None) => false,
    }
}

fn pair(piece: &[u8]) -> Option<Cookie<'_>> {
    let (name, value) = split_once(piece, b'=');
    let name = name.trim_ascii();
    let name = name.strip_prefix(b"__Host-").or_else(|| name.strip_prefix(b"__Secure-")).unwrap_or(name);
    Some(Cookie { name, value: value?.trim_ascii() })
}

fn split_once(text: &[u8], separator: u8) -> (&[u8], Option<&[u8]>) {
    match text.iter().position(|byte| *byte == separator) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// 2026-11-23T12:00:00Z
    const NOON: Timestamp = Timestamp::from_micros(1_795_435_200_000_000);

    #[test]
    fn cookie_headers_split_into_pairs() {
        let pairs: Vec<_> = request_cookies(b"a=1; b = x=y ;flag; __Host-c=3;;=4; d=").collect();
        let shown: Vec<(&[u8], &[u8])> = pairs.iter().map(|cookie| (cookie.name, cookie.value)).collect();
        let expected: [(&[u8], &[u8]); 5] = [(b"a", b"1"), (b"b", b"x=y"), (b"c", b"3"), (b"", b"4"), (b"d", b"")];
        assert_eq!(shown, expected);
    }

    #[test]
    fn a_set_cookie_that_deletes_is_told_from_one_that_sets() {
        for (header, sets) in [
            ("sid=a", true),
            ("sid=a; Path=/; HttpOnly", true),
            ("sid=a; Max-Age=3600", true),
            ("sid=a; Max-Age=0", false),
            ("sid=a; max-age=-1", false),
            ("sid=a; Max-Age=x", true),
            ("sid=", false),
            ("sid=\"\"", false),
            ("sid=deleted; Path=/", false),
            ("sid=a; Expires=Thu, 01 Jan 1970 00:00:00 GMT", false),
            ("sid=a; expires=Thu, 01-Jan-70 00:00:01 GMT", false),
            ("sid=a; Expires=Mon, 23 Nov 2026 11:59:59 GMT", false),
            ("sid=a; Expires=Mon, 23 Nov 2026 12:00:01 GMT", true),
            ("sid=a; Expires=Wed, 21-Oct-2037 07:28:00 GMT", true),
            ("sid=a; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=60", true),
            ("sid=a; Expires=soon", true),
            ("sid=a; Expires=99 Feb 99999 99:99:99", true),
            ("sid=\u{e9}; Max-Age=60", true),
            ("sid", false),
            ("", false),
        ] {
            assert_eq!(!deletes(header.as_bytes(), NOON), sets, "{header}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(header in prop::collection::vec(any::<u8>(), 0..200)) {
            let pairs = request_cookies(&header).count();
            prop_assert!(pairs <= header.len() + 1);
            deletes(&header, NOON);
        }
    }
}
