//! An entry's URL, split into what the request line and the authority were (RFC 9112, section 3.2).

use threadline_model::Scheme;

use super::error::Reason;

/// The longest URL taken, bytes.
const URL_LIMIT: usize = 64 * 1024;

/// Schemes of resources that a browser shows without asking an HTTP server.
const LOCAL_SCHEMES: [&[u8]; 8] =
    [b"data", b"blob", b"about", b"javascript", b"filesystem", b"view-source", b"mailto", b"tel"];

/// What an entry's URL says.
pub(super) enum Url {
    /// A request that went to an HTTP server.
    Http(Target),
    /// `data:`, `blob:`, an extension's page: no exchange took place.
    Local,
}

/// The parts of the URL.
pub(super) struct Target {
    /// Where known.
    pub(super) scheme: Option<Scheme>,
    /// Host and port as written, without user information.
    pub(super) authority: Option<Vec<u8>>,
    /// Path and query, without the fragment.
    pub(super) target: Vec<u8>,
}

/// Splits a URL. `connect` is set for the method CONNECT, whose target is an authority.
pub(super) fn split(url: &[u8], connect: bool) -> Result<Url, Reason> {
    let url = url.trim_ascii();
    let (scheme, rest) = scheme(url);
    if scheme.is_some_and(|scheme| LOCAL_SCHEMES.iter().any(|local| local.eq_ignore_ascii_case(scheme))) {
        return Ok(Url::Local);
    }
    // After the check above: a data URL may be megabytes long and is no damage.
    if url.is_empty() || url.len() > URL_LIMIT {
        return Err(Reason::Url);
    }
    if let (Some(scheme), Some(rest)) = (scheme, rest.strip_prefix(b"//")) {
        let scheme = match scheme.to_ascii_lowercase().as_slice() {
            b"http" | b"ws" => Scheme::Http,
            b"https" | b"wss" => Scheme::Https,
            _ => return Ok(Url::Local),
        };
        let end = rest.iter().position(|byte| matches!(byte, b'/' | b'?' | b'#' | b'\\')).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at(end);
        let authority = authority.rsplit(|byte| *byte == b'@').next().unwrap_or(authority);
        if authority.is_empty() {
            return Err(Reason::Url);
        }
        return Ok(Url::Http(Target {
            scheme: Some(scheme),
            authority: Some(sendable(authority)),
            target: origin(rest),
        }));
    }
    if connect {
        return Ok(Url::Http(Target { scheme: None, authority: Some(sendable(url)), target: sendable(url) }));
    }
    match url {
        b"*" => Ok(Url::Http(Target { scheme: None, authority: None, target: b"*".to_vec() })),
        [b'/', ..] => Ok(Url::Http(Target { scheme: None, authority: None, target: origin(url) })),
        _ => Err(Reason::Url),
    }
}

/// Adds a query that some exporters write only as a list of names and values.
pub(super) fn add_query<'a>(target: &mut Vec<u8>, pairs: impl Iterator<Item = (&'a [u8], &'a [u8])>) {
    let mut separator = b'?';
    for (name, value) in pairs {
        if target.len() + 1 + 3 * (name.len() + value.len()) > URL_LIMIT {
            return;
        }
        target.push(separator);
        super::body::form_encode(target, name);
        target.push(b'=');
        super::body::form_encode(target, value);
        separator = b'&';
    }
}

/// RFC 3986, section 3.1; the rest begins behind the colon.
fn scheme(url: &[u8]) -> (Option<&[u8]>, &[u8]) {
    let end = url.iter().position(|byte| !(byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.')));
    match end {
        Some(end) if end > 0 && url[end] == b':' && url[0].is_ascii_alphabetic() => {
            (Some(&url[..end]), &url[end + 1..])
        }
        _ => (None, url),
    }
}

fn origin(rest: &[u8]) -> Vec<u8> {
    let rest = &rest[..rest.iter().position(|byte| *byte == b'#').unwrap_or(rest.len())];
    let mut target = Vec::with_capacity(rest.len() + 1);
    if rest.first() != Some(&b'/') {
        target.push(b'/');
    }
    target.extend(sendable(rest));
    target
}

/// Some exporters write a URL for people; what cannot stand in a request line is percent-encoded, as it was sent.
fn sendable(text: &[u8]) -> Vec<u8> {
    let mut sent = Vec::with_capacity(text.len());
    for byte in text {
        if byte.is_ascii_graphic() {
            sent.push(*byte);
        } else {
            super::body::percent_encode(&mut sent, *byte);
        }
    }
    sent
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(url: &str) -> Option<(Option<Scheme>, Option<String>, String)> {
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        match split(url.as_bytes(), false) {
            Ok(Url::Http(target)) => Some((target.scheme, target.authority.map(text), text(target.target))),
            Ok(Url::Local) | Err(_) => None,
        }
    }

    fn absolute(scheme: Scheme, authority: &str, target: &str) -> Option<(Option<Scheme>, Option<String>, String)> {
        Some((Some(scheme), Some(authority.to_owned()), target.to_owned()))
    }

    #[test]
    fn urls_become_authority_and_origin_form() {
        assert_eq!(shown("https://shop.example/a?b=c#d"), absolute(Scheme::Https, "shop.example", "/a?b=c"));
        assert_eq!(shown("HTTP://me:secret@shop.example:81"), absolute(Scheme::Http, "shop.example:81", "/"));
        assert_eq!(shown("https://[::1]:8443?x=1"), absolute(Scheme::Https, "[::1]:8443", "/?x=1"));
        assert_eq!(shown("wss://shop.example/live"), absolute(Scheme::Https, "shop.example", "/live"));
        assert_eq!(shown("https://h/\u{fc} b"), absolute(Scheme::Https, "h", "/%C3%BC%20b"));
        assert_eq!(shown("/orders?id=1#x"), Some((None, None, "/orders?id=1".to_owned())));
    }

    #[test]
    fn local_resources_are_no_exchanges_and_nonsense_is_an_error() {
        for url in
            ["data:text/plain,hi", "blob:https://shop.example/1", "chrome-extension://abc/x.js", "file:///etc/hosts"]
        {
            assert!(matches!(split(url.as_bytes(), false), Ok(Url::Local)), "{url}");
        }
        let long_data = format!("data:,{}", "x".repeat(URL_LIMIT));
        assert!(matches!(split(long_data.as_bytes(), false), Ok(Url::Local)));
        for url in ["", " ", "shop.example/a", "https://", "https:///a", "https:shop.example"] {
            assert!(matches!(split(url.as_bytes(), false), Err(Reason::Url)), "{url}");
        }
        assert!(matches!(split(b"shop.example:443", true), Ok(Url::Http(_))));
    }
}
