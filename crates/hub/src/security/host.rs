//! Whether a request is meant for this hub and comes from its own pages.
//!
//! A name that an attacker's DNS points at this machine ("DNS rebinding") makes their page same-origin with the hub;
//! so only names are answered to that cannot be theirs. Addresses are: no page has an address as its origin unless it
//! was served from there.

use std::net::IpAddr;
use std::str::FromStr;

use http::uri::Authority;
use http::{HeaderMap, Uri, header};

/// Where browsers reach a hub when TLS ends in front of it: `https`, a host, and a port if it is not 443. Nothing else,
/// since console and API live at the root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl {
    host: String,
    /// As browsers write it in `Origin` (RFC 6454, 6.2).
    origin: String,
}

/// Not an address that a hub can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected https://HOST or https://HOST:PORT, without path, as in https://threadline.example")]
pub struct PublicUrlError;

impl PublicUrl {
    /// The host in lower case, without port.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Scheme, host and, unless it is 443, port: the address without a path.
    pub fn origin(&self) -> &str {
        &self.origin
    }
}

impl FromStr for PublicUrl {
    type Err = PublicUrlError;

    fn from_str(text: &str) -> Result<Self, PublicUrlError> {
        let uri: Uri = text.parse().map_err(|_| PublicUrlError)?;
        let authority = uri.authority().ok_or(PublicUrlError)?;
        let host = authority.host().to_ascii_lowercase();
        let port = match authority.as_str().len() == host.len() {
            true => None,
            false => Some(authority.port_u16().ok_or(PublicUrlError)?),
        };
        let whole = uri.path() == "/" && uri.query().is_none() && !text.contains(['#', '@']);
        if uri.scheme_str() != Some("https") || host.is_empty() || !whole {
            return Err(PublicUrlError);
        }
        let origin = match port {
            None | Some(443) => format!("https://{host}"),
            Some(port) => format!("https://{host}:{port}"),
        };
        Ok(Self { host, origin })
    }
}

/// Whether the hub goes by the name in the request. `names` are configured ones, without port.
pub(crate) fn is_ours(headers: &HeaderMap, uri: &Uri, names: &[String]) -> bool {
    let Some(authority) = authority(headers, uri) else { return false };
    let host = authority.host();
    let literal = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    if literal.parse::<IpAddr>().is_ok() {
        return true;
    }
    let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    host == "localhost" || host.ends_with(".localhost") || names.iter().any(|name| name.eq_ignore_ascii_case(&host))
}

/// The one authority of a request (RFC 9112, 3.2).
fn authority(headers: &HeaderMap, uri: &Uri) -> Option<Authority> {
    if let Some(authority) = uri.authority() {
        return Some(authority.clone());
    }
    let mut hosts = headers.get_all(header::HOST).iter();
    let host = hosts.next()?;
    if hosts.next().is_some() {
        return None;
    }
    let authority: Authority = host.to_str().ok()?.parse().ok()?;
    // User information has no place in Host.
    (!authority.as_str().contains('@')).then_some(authority)
}

/// What the browser says about where a request comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Provenance {
    /// A page of this hub.
    SameOrigin,
    /// Another site's page.
    Foreign,
    /// Nothing: no browser, or an old one.
    Unsaid,
}

/// Reads `Origin`, else `Sec-Fetch-Site`. The origin of the public address is ours whatever `Host` became on the way.
pub(crate) fn provenance(headers: &HeaderMap, uri: &Uri, public: Option<&PublicUrl>) -> Provenance {
    if let Some(origin) = headers.get(header::ORIGIN) {
        let same = origin.to_str().ok().and_then(|origin| {
            if public.is_some_and(|public| public.origin.eq_ignore_ascii_case(origin)) {
                return Some(());
            }
            let (scheme, origin) = origin.split_once("://")?;
            let web = matches!(scheme, "http" | "https");
            let origin: Authority = origin.parse().ok()?;
            let own = authority(headers, uri)?;
            // The scheme may differ from ours: TLS may end in front of the hub.
            let same = origin.as_str().eq_ignore_ascii_case(own.as_str());
            (web && same).then_some(())
        });
        return if same.is_some() { Provenance::SameOrigin } else { Provenance::Foreign };
    }
    match headers.get("sec-fetch-site").map(http::HeaderValue::as_bytes) {
        Some(b"same-origin") => Provenance::SameOrigin,
        Some(_) => Provenance::Foreign,
        None => Provenance::Unsaid,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(http::HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn only_addresses_loopback_names_and_configured_names_are_ours() {
        let names = ["threadline.corp.example".to_owned()];
        let uri = Uri::from_static("/");
        for ours in [
            "127.0.0.1:7070",
            "[::1]:7070",
            "192.168.1.5",
            "localhost",
            "LOCALHOST:7070",
            "localhost.",
            "a.localhost:1",
            "Threadline.corp.example",
        ] {
            assert!(is_ours(&headers(&[("host", ours)]), &uri, &names), "{ours}");
        }
        for foreign in ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "", "a@localhost", "a b"] {
            assert!(!is_ours(&headers(&[("host", foreign)]), &uri, &names), "{foreign}");
        }
        assert!(!is_ours(&headers(&[]), &uri, &names));
        assert!(!is_ours(&headers(&[("host", "localhost"), ("host", "evil.example")]), &uri, &names));
        assert!(!is_ours(&headers(&[("host", "localhost")]), &Uri::from_static("http://evil.example/"), &names));
    }

    #[test]
    fn the_public_address_is_https_and_a_host() {
        for (text, host, origin) in [
            ("https://threadline.example", "threadline.example", "https://threadline.example"),
            ("https://Threadline.example/", "threadline.example", "https://threadline.example"),
            ("https://threadline.example:443", "threadline.example", "https://threadline.example"),
            ("https://threadline.example:8443", "threadline.example", "https://threadline.example:8443"),
            ("https://[2001:db8::1]:8443", "[2001:db8::1]", "https://[2001:db8::1]:8443"),
        ] {
            let url: PublicUrl = text.parse().unwrap();
            assert_eq!((url.host(), url.origin.as_str()), (host, origin), "{text}");
        }
        for text in [
            "",
            "threadline.example",
            "http://threadline.example",
            "https://",
            "https://threadline.example/console",
            "https://threadline.example?a",
            "https://threadline.example#a",
            "https://ada@threadline.example",
            "https://threadline.example:",
            "https://threadline.example:99999",
        ] {
            assert_eq!(text.parse::<PublicUrl>(), Err(PublicUrlError), "{text}");
        }
    }

    #[test]
    fn the_public_origin_is_ours_behind_a_proxy_that_changes_host() {
        let public: PublicUrl = "https://threadline.example:8443".parse().unwrap();
        let uri = Uri::from_static("/");
        for (origin, expected) in [
            ("https://threadline.example:8443", Provenance::SameOrigin),
            ("https://threadline.example", Provenance::Foreign),
            ("http://threadline.example:8443", Provenance::Foreign),
            ("https://evil.example", Provenance::Foreign),
        ] {
            let given = headers(&[("host", "127.0.0.1:7070"), ("origin", origin)]);
            assert_eq!(provenance(&given, &uri, Some(&public)), expected, "{origin}");
        }
    }

    #[test]
    fn the_origin_decides_before_fetch_metadata() {
        let uri = Uri::from_static("/");
        let host = ("host", "127.0.0.1:7070");
        for (pairs, expected) in [
            (vec![host, ("origin", "http://127.0.0.1:7070")], Provenance::SameOrigin),
            (vec![host, ("origin", "https://127.0.0.1:7070")], Provenance::SameOrigin),
            (vec![host, ("origin", "http://127.0.0.1:8080")], Provenance::Foreign),
            (vec![host, ("origin", "http://evil.example")], Provenance::Foreign),
            (vec![host, ("origin", "null")], Provenance::Foreign),
            (vec![host, ("origin", "file://127.0.0.1:7070")], Provenance::Foreign),
            (vec![host, ("origin", "null"), ("sec-fetch-site", "same-origin")], Provenance::Foreign),
            (vec![host, ("sec-fetch-site", "same-origin")], Provenance::SameOrigin),
            (vec![host, ("sec-fetch-site", "same-site")], Provenance::Foreign),
            (vec![host, ("sec-fetch-site", "cross-site")], Provenance::Foreign),
            (vec![host, ("sec-fetch-site", "none")], Provenance::Foreign),
            (vec![host], Provenance::Unsaid),
        ] {
            assert_eq!(provenance(&headers(&pairs), &uri, None), expected, "{pairs:?}");
        }
    }
}
