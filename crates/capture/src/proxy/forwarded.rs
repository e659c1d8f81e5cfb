//! `Forwarded` (RFC 7239, section 4) and the addresses in it, read from the right: what a trusted proxy added stands
//! there, and what a client put before it may be anything, half a quoted string included.

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};

/// What one proxy says in its element.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Element<'h> {
    /// `for`, unless it is left out, hidden (`_abc`), `unknown`, or not an address.
    pub(super) client: Option<IpAddr>,
    /// `host`, unquoted.
    pub(super) host: Option<Cow<'h, [u8]>>,
}

/// The elements of one line, the right-most first. One that cannot be read says nothing.
pub(super) fn elements(line: &[u8]) -> impl Iterator<Item = Element<'_>> {
    from_the_right(line, b',').map(|element| read_element(element).unwrap_or_default())
}

/// `None`: not an element, or one that says something twice.
fn read_element(element: &[u8]) -> Option<Element<'_>> {
    let (mut client, mut host) = (None, None);
    for pair in from_the_right(element, b';') {
        if pair.trim_ascii().is_empty() {
            continue;
        }
        let equals = memchr::memchr(b'=', pair)?;
        let (name, value) = (pair[..equals].trim_ascii(), unquoted(pair[equals + 1..].trim_ascii())?);
        let place = if name.eq_ignore_ascii_case(b"for") {
            &mut client
        } else if name.eq_ignore_ascii_case(b"host") {
            &mut host
        } else {
            continue;
        };
        if place.replace(value).is_some() {
            return None;
        }
    }
    Some(Element { client: client.and_then(|node| read_address(&node)), host })
}

/// Splits at what stands outside of quotes, the right-most part first. A quote that is never opened reaches to the
/// beginning.
fn from_the_right(text: &[u8], separator: u8) -> impl Iterator<Item = &[u8]> {
    let mut left = Some(text);
    std::iter::from_fn(move || {
        let text = left?;
        let mut quoted = false;
        for at in (0..text.len()).rev() {
            if text[at] == b'"' && !is_escaped(text, at) {
                quoted = !quoted;
            } else if text[at] == separator && !quoted {
                left = Some(&text[..at]);
                return Some(&text[at + 1..]);
            }
        }
        left = None;
        Some(text)
    })
}

/// Whether a quote stands behind an odd number of backslashes. Looks back no further than they go, and each is looked at
/// for one quote only.
fn is_escaped(text: &[u8], at: usize) -> bool {
    text[..at].iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 1
}

/// A token as it is, a quoted string without its quotes and escapes (RFC 9110, section 5.6.4).
fn unquoted(value: &[u8]) -> Option<Cow<'_, [u8]>> {
    let Some(opened) = value.strip_prefix(b"\"") else {
        return (!value.contains(&b'"')).then_some(Cow::Borrowed(value));
    };
    let inner = opened.strip_suffix(b"\"")?;
    if !inner.contains(&b'\\') {
        return (!inner.contains(&b'"')).then_some(Cow::Borrowed(inner));
    }
    let mut plain = Vec::with_capacity(inner.len());
    let mut bytes = inner.iter();
    while let Some(byte) = bytes.next() {
        plain.push(if *byte == b'\\' { *bytes.next()? } else { *byte });
    }
    Some(Cow::Owned(plain))
}

/// An address, as proxies write it: with a port, which may be hidden, or in brackets. `None` for `unknown`, a hidden
/// name, or anything else.
pub(super) fn read_address(text: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(text).ok()?.trim();
    let bare = match text.strip_prefix('[') {
        Some(rest) => {
            let (address, port) = rest.split_once(']')?;
            if !(port.is_empty() || port.strip_prefix(':').is_some_and(is_port)) || !address.contains(':') {
                return None;
            }
            address
        }
        None => match text.split_once(':') {
            // More than one colon: an IPv6 address without brackets.
            Some((address, port)) if !port.contains(':') => is_port(port).then_some(address)?,
            _ => text,
        },
    };
    bare.parse()
        .ok()
        .or_else(|| text.parse().ok().map(|socket: SocketAddr| socket.ip()))
        .map(|address| IpAddr::to_canonical(&address))
}

/// A port, or a hidden one (section 6).
fn is_port(text: &str) -> bool {
    match text.strip_prefix('_') {
        Some(name) => {
            let hidden = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
            !name.is_empty() && name.bytes().all(hidden)
        }
        None => (1..=5).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn addresses_come_in_many_spellings() {
        for (text, address) in [
            ("192.0.2.1", Some("192.0.2.1")),
            (" 192.0.2.1\t", Some("192.0.2.1")),
            ("192.0.2.1:80", Some("192.0.2.1")),
            ("192.0.2.1:_hidden", Some("192.0.2.1")),
            ("[2001:db8::1]", Some("2001:db8::1")),
            ("[2001:db8::1]:4711", Some("2001:db8::1")),
            ("2001:db8::1", Some("2001:db8::1")),
            ("::ffff:192.0.2.1", Some("192.0.2.1")),
            ("unknown", None),
            ("_hidden", None),
            ("192.0.2.1:", None),
            ("192.0.2.1:_", None),
            ("192.0.2.1:123456", None),
            ("[192.0.2.1]", None),
            ("[2001:db8::1", None),
            ("[2001:db8::1]x", None),
            ("192.0.2.256", None),
            ("192.0.2.1, 192.0.2.2", None),
            ("", None),
        ] {
            assert_eq!(read_address(text.as_bytes()), address.map(|address| address.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn elements_are_read_from_the_right() {
        let element = |client: Option<&str>, host: Option<&str>| Element {
            client: client.map(|address| address.parse().unwrap()),
            host: host.map(|host| Cow::Owned(host.as_bytes().to_vec())),
        };
        for (line, read) in [
            ("for=192.0.2.1", vec![element(Some("192.0.2.1"), None)]),
            (
                "for=192.0.2.1, For=\"[2001:db8::1]:80\";proto=https;host=shop",
                vec![element(Some("2001:db8::1"), Some("shop")), element(Some("192.0.2.1"), None)],
            ),
            ("host=\"a,b;c\";for=\"192\\.0.2.1\"", vec![element(Some("192.0.2.1"), Some("a,b;c"))]),
            // A client's half quote swallows nothing.
            ("for=\", for=192.0.2.1", vec![element(Some("192.0.2.1"), None), element(None, None)]),
            ("for=\"\\\", for=192.0.2.1", vec![element(Some("192.0.2.1"), None), element(None, None)]),
            ("for=192.0.2.1;for=192.0.2.2", vec![element(None, None)]),
            ("for=\"192.0.2.1\"\"\"", vec![element(None, None)]),
            ("for=192.0.2.1;host=a;Host=b", vec![element(None, None)]),
            ("for=unknown;host=shop", vec![element(None, Some("shop"))]),
            ("for", vec![element(None, None)]),
            ("", vec![element(None, None)]),
        ] {
            assert_eq!(elements(line.as_bytes()).collect::<Vec<_>>(), read, "{line}");
        }
    }
}
