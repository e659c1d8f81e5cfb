//! Host patterns: `api.shop.example`, `*.shop.example`, either with a port if that matters.

use std::fmt;

/// Length of a host pattern, bytes: a DNS name has at most 253, a port six more.
pub(crate) const MAXIMUM_HOST_BYTES: usize = 260;

/// Which hosts are meant. Compares without regard to ASCII case (RFC 9110, section 4.2.3).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HostPattern {
    /// Lower case, without a final dot; in brackets if it is an IPv6 address.
    name: Box<str>,
    /// Whether the hosts below the name are meant instead of the name itself.
    below: bool,
    port: Option<u16>,
}

impl HostPattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// Why it is none.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if text.len() > MAXIMUM_HOST_BYTES {
            return Err("is longer than any host");
        }
        if !text.is_ascii() {
            return Err("write an international name in its ASCII form (xn--…)");
        }
        let (name, port) = Host::split(text.as_bytes());
        let port = match port {
            None => None,
            Some(digits) => {
                let number = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok());
                Some(number.filter(|port| *port > 0).ok_or("the port is not a number from 1 to 65535")?)
            }
        };
        let name = std::str::from_utf8(name).unwrap_or_default().to_ascii_lowercase();
        let (name, below) = match name.strip_prefix("*.") {
            Some(rest) => (rest.to_owned(), true),
            None => (name, false),
        };
        if name.contains('*') {
            return Err("* stands only for whole labels at the start: *.shop.example");
        }
        let is_address = name.starts_with('[') && name.ends_with(']') && !below;
        let is_name = |label: &str| {
            let label_byte = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
            (1..=63).contains(&label.len()) && label.bytes().all(label_byte)
        };
        if is_address {
            if name[1..name.len() - 1].parse::<std::net::Ipv6Addr>().is_err() {
                return Err("what stands in brackets is no IPv6 address");
            }
        } else if !name.split('.').all(is_name) {
            return Err("is not a host such as api.shop.example, *.shop.example or 192.0.2.1:8080");
        }
        Ok(Self { name: name.into(), below, port })
    }

    /// The name without `*.` and port, by which patterns can be looked up.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Whether a host is meant.
    pub fn matches(&self, host: Host<'_>) -> bool {
        if self.port.is_some_and(|port| host.port != Some(port)) {
            return false;
        }
        if !self.below {
            return host.name.eq_ignore_ascii_case(self.name.as_bytes());
        }
        let Some(before) = host.name.len().checked_sub(self.name.len()) else { return false };
        before > 1 && host.name[before - 1] == b'.' && host.name[before..].eq_ignore_ascii_case(self.name.as_bytes())
    }

    /// Whether every host that `other` means is meant.
    pub fn covers(&self, other: &Self) -> bool {
        let same_ports = self.port.is_none() || self.port == other.port;
        let names = if other.below {
            self.below && (self.name == other.name || is_below(&other.name, &self.name))
        } else if self.below {
            is_below(&other.name, &self.name)
        } else {
            self.name == other.name
        };
        same_ports && names
    }
}

fn is_below(name: &str, parent: &str) -> bool {
    name.strip_suffix(parent).is_some_and(|before| before.len() > 1 && before.ends_with('.'))
}

impl fmt::Display for HostPattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.below {
            formatter.write_str("*.")?;
        }
        formatter.write_str(&self.name)?;
        match self.port {
            Some(port) => write!(formatter, ":{port}"),
            None => Ok(()),
        }
    }
}

/// The host of a request as patterns see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Host<'e> {
    /// Without user information and port, as sent.
    pub name: &'e [u8],
    /// The port, where one is written or the scheme says it.
    pub port: Option<u16>,
}

impl<'e> Host<'e> {
    /// Reads an authority (RFC 3986, section 3.2). `default_port` is the scheme's.
    pub fn read(authority: &'e [u8], default_port: Option<u16>) -> Self {
        let after_user = authority.iter().rposition(|byte| *byte == b'@').map_or(0, |at| at + 1);
        let (name, port) = Self::split(&authority[after_user..]);
        let digits = port.filter(|digits| !digits.is_empty());
        let port = match digits {
            Some(digits) => std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok()),
            None => default_port,
        };
        Self { name, port }
    }

    /// Name and port. A final dot, which names the root of DNS, is dropped.
    fn split(host: &[u8]) -> (&[u8], Option<&[u8]>) {
        let in_brackets = host.first() == Some(&b'[');
        let end =
            if in_brackets { host.iter().position(|byte| *byte == b']').map_or(host.len(), |at| at + 1) } else { 0 };
        let (name, port) = match host[end..].iter().rposition(|byte| *byte == b':') {
            Some(colon) => (&host[..end + colon], Some(&host[end + colon + 1..])),
            None => (host, None),
        };
        (name.strip_suffix(b".").unwrap_or(name), port)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn patterns_match_names_below_and_ports() {
        for (pattern, host, matches) in [
            ("api.shop.example", "API.Shop.example", true),
            ("api.shop.example", "api.shop.example.", true),
            ("api.shop.example", "api.shop.example:8443", true),
            ("api.shop.example:8443", "api.shop.example:8443", true),
            ("api.shop.example:443", "api.shop.example", true),
            ("api.shop.example:8443", "api.shop.example", false),
            ("api.shop.example", "user@api.shop.example", true),
            ("api.shop.example", "xapi.shop.example", false),
            ("*.shop.example", "api.shop.example", true),
            ("*.shop.example", "a.b.SHOP.example:1", true),
            ("*.shop.example", "shop.example", false),
            ("*.shop.example", ".shop.example", false),
            ("*.shop.example", "apishop.example", false),
            ("[2001:db8::1]", "[2001:DB8::1]:8080", true),
            ("192.0.2.1:8080", "192.0.2.1:8080", true),
        ] {
            let parsed = HostPattern::parse(pattern).unwrap();
            assert_eq!(parsed.matches(Host::read(host.as_bytes(), Some(443))), matches, "{pattern} {host}");
            assert_eq!(parsed.to_string(), pattern);
        }
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        let long = "a".repeat(300);
        for text in
            ["", "*", "*.", "a.*.b", "a*.b", "a b", "http://a", "a/b", "a:0", "a:x", "[::1", "[x]", "ä.example", &long]
        {
            assert!(HostPattern::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_pattern_covers_narrower_ones() {
        for (wide, narrow, covers) in [
            ("*.shop.example", "api.shop.example", true),
            ("*.shop.example", "*.api.shop.example", true),
            ("*.shop.example", "*.shop.example", true),
            ("*.shop.example", "shop.example", false),
            ("*.api.shop.example", "*.shop.example", false),
            ("api.shop.example", "api.shop.example:81", true),
            ("api.shop.example:81", "api.shop.example", false),
            ("api.shop.example", "*.shop.example", false),
        ] {
            let (wide, narrow) = (HostPattern::parse(wide).unwrap(), HostPattern::parse(narrow).unwrap());
            assert_eq!(wide.covers(&narrow), covers, "{wide} {narrow}");
        }
    }
}
