//! The cookies of a request as far as sessions need them (RFC 6265). Values are bytes as they stand; nothing is decoded,
//! nothing allocated. Set-Cookie is read by the points crate.

/// Name and value of one cookie.
#[derive(Clone, Copy)]
pub(crate) struct Cookie<'e> {
    /// Without the prefixes `__Host-` and `__Secure-`, which say how a cookie was set and not what it is.
    pub(crate) name: &'e [u8],
    pub(crate) value: &'e [u8],
}

/// The pairs of one Cookie header (RFC 6265, section 4.2), in their order. A piece without `=` is no cookie.
pub(crate) fn request_cookies(header: &[u8]) -> impl Iterator<Item = Cookie<'_>> {
    pieces(header, b';').filter_map(pair)
}

/// The pieces of a text between its separators, found without looking at each byte by itself.
pub(crate) fn pieces(text: &[u8], separator: u8) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let (piece, after) = split_once(text, separator);
        rest = after;
        Some(piece)
    })
}

fn pair(piece: &[u8]) -> Option<Cookie<'_>> {
    let (name, value) = split_once(piece, b'=');
    Some(Cookie { name: without_prefix(name.trim_ascii()), value: value?.trim_ascii() })
}

/// A cookie's name without `__Host-` or `__Secure-`.
pub(crate) fn without_prefix(name: &[u8]) -> &[u8] {
    name.strip_prefix(b"__Host-").or_else(|| name.strip_prefix(b"__Secure-")).unwrap_or(name)
}

pub(crate) fn split_once(text: &[u8], separator: u8) -> (&[u8], Option<&[u8]>) {
    match memchr::memchr(separator, text) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn cookie_headers_split_into_pairs() {
        let pairs: Vec<_> = request_cookies(b"a=1; b = x=y ;flag; __Host-c=3;;=4; d=").collect();
        let shown: Vec<(&[u8], &[u8])> = pairs.iter().map(|cookie| (cookie.name, cookie.value)).collect();
        let expected: [(&[u8], &[u8]); 5] = [(b"a", b"1"), (b"b", b"x=y"), (b"c", b"3"), (b"", b"4"), (b"d", b"")];
        assert_eq!(shown, expected);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(header in prop::collection::vec(any::<u8>(), 0..200)) {
            let pairs = request_cookies(&header).count();
            prop_assert!(pairs <= header.len() + 1);
        }
    }
}
