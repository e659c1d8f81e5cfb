//! Header rules of an intermediary (RFC 9110, section 7.6): what belongs to one connection stays there, and what is
//! ours never leaves. What is written to the upstream stands in `forward`.

use http::header::{CONNECTION, CONTENT_LENGTH, COOKIE, HOST, PROXY_AUTHENTICATE, TE, TRANSFER_ENCODING, UPGRADE, VIA};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Version};

use super::settings::ForwardingHeaders;

/// The console's session cookie. Console and API may share a host name with the proxied application; their session
/// is neither the upstream's business nor anything to analyse.
const CONSOLE_COOKIE: &[u8] = b"threadline_session";

/// Which of the fields that an intermediary looks at a header section has: found in one pass over the names, where
/// asking the map for each of them would hash each of them.
#[derive(Clone, Copy)]
pub(super) struct Present(u32);

impl Present {
    pub(super) const CONNECTION: u32 = 1;
    const KEEP_ALIVE: u32 = 1 << 1;
    const PROXY_CONNECTION: u32 = 1 << 2;
    pub(super) const TRANSFER_ENCODING: u32 = 1 << 3;
    const UPGRADE: u32 = 1 << 4;
    const TE: u32 = 1 << 5;
    const PROXY_AUTHORIZATION: u32 = 1 << 6;
    const PROXY_AUTHENTICATE: u32 = 1 << 7;
    const EXPECT: u32 = 1 << 8;
    const COOKIE: u32 = 1 << 9;
    pub(super) const CONTENT_LENGTH: u32 = 1 << 10;
    pub(super) const X_FORWARDED_FOR: u32 = 1 << 11;
    pub(super) const X_FORWARDED_HOST: u32 = 1 << 12;
    pub(super) const X_FORWARDED_PROTO: u32 = 1 << 13;
    pub(super) const FORWARDED: u32 = 1 << 14;
    pub(super) const VIA: u32 = 1 << 15;
    const HOST: u32 = 1 << 16;
    /// Other fields by which upstreams tell who asked and how: `X-Real-IP`, `X-Forwarded-Port` and their like.
    pub(super) const X_FORWARDED_OTHER: u32 = 1 << 17;
    /// The same names with underscores, which many upstreams cannot tell from the true ones (CGI, WSGI).
    pub(super) const X_FORWARDED_UNDERSCORE: u32 = 1 << 18;

    /// Fields of a request that never pass to the upstream as the client wrote them: they belong to the client's
    /// connection, or the proxy writes its own.
    pub(super) const REWRITTEN: u32 = Self::CONNECTION
        | Self::KEEP_ALIVE
        | Self::PROXY_CONNECTION
        | Self::TRANSFER_ENCODING
        | Self::UPGRADE
        | Self::TE
        | Self::PROXY_AUTHORIZATION
        | Self::EXPECT
        | Self::CONTENT_LENGTH
        | Self::HOST;
    /// Fields that the proxy writes when it tells about the client the usual way.
    pub(super) const X_FORWARDED: u32 = Self::X_FORWARDED_FOR | Self::X_FORWARDED_HOST | Self::X_FORWARDED_PROTO;
    /// Fields that tell about the client, and that only a trusted proxy in front may write.
    pub(super) const IDENTITY: u32 =
        Self::X_FORWARDED | Self::X_FORWARDED_OTHER | Self::X_FORWARDED_UNDERSCORE | Self::FORWARDED;

    /// Looks at every name once.
    pub(super) fn scan(headers: &HeaderMap) -> Self {
        let mut present = Self::nothing();
        headers.keys().for_each(|name| present.note(name));
        present
    }

    /// None so far.
    pub(super) const fn nothing() -> Self {
        Self(0)
    }

    /// One more name.
    pub(super) fn note(&mut self, name: &HeaderName) {
        self.0 |= Self::field(name);
    }

    /// The bit of one field; 0 for those that an intermediary does not look at.
    pub(super) fn field(name: &HeaderName) -> u32 {
        match name.as_str() {
            "host" => Self::HOST,
            "connection" => Self::CONNECTION,
            "keep-alive" => Self::KEEP_ALIVE,
            "proxy-connection" => Self::PROXY_CONNECTION,
            "transfer-encoding" => Self::TRANSFER_ENCODING,
            "upgrade" => Self::UPGRADE,
            "te" => Self::TE,
            "proxy-authorization" => Self::PROXY_AUTHORIZATION,
            "proxy-authenticate" => Self::PROXY_AUTHENTICATE,
            "expect" => Self::EXPECT,
            "cookie" => Self::COOKIE,
            "content-length" => Self::CONTENT_LENGTH,
            "x-forwarded-for" => Self::X_FORWARDED_FOR,
            "x-forwarded-host" => Self::X_FORWARDED_HOST,
            "x-forwarded-proto" => Self::X_FORWARDED_PROTO,
            "forwarded" => Self::FORWARDED,
            "via" => Self::VIA,
            name => Self::other_identity(name),
        }
    }

    /// `X-Forwarded-…` and `X-Real-IP` in every spelling.
    fn other_identity(name: &str) -> u32 {
        let name = name.as_bytes();
        let begins_with = |plain: &[u8]| {
            name.len() >= plain.len()
                && name.iter().zip(plain).all(|(byte, plain)| byte == plain || (*byte == b'_' && *plain == b'-'))
        };
        if name.first() != Some(&b'x') || !(begins_with(b"x-forwarded") || begins_with(b"x-real-ip")) {
            0
        } else if name.contains(&b'_') {
            Self::X_FORWARDED_UNDERSCORE
        } else {
            Self::X_FORWARDED_OTHER
        }
    }

    pub(super) const fn has(self, field: u32) -> bool {
        self.0 & field != 0
    }

    /// A Content-Length other than 0, though there is no body: it would make the upstream wait for the next request's
    /// head as this one's body.
    pub(super) fn promises_a_body(self, headers: &HeaderMap) -> bool {
        self.has(Self::CONTENT_LENGTH)
            && headers.get_all(CONTENT_LENGTH).iter().any(|value| value.as_bytes().iter().any(|byte| *byte != b'0'))
    }
}

const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");

/// Why a request is refused for its head, framing aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RequestFault {
    /// No `Host` in HTTP/1.1 (RFC 9112, section 3.2).
    NoHost,
    /// More than one `Host`.
    RepeatedHost,
    /// `Host` or the target's authority is not `host[:port]`.
    InvalidHost,
    /// `:authority` and `Host` differ (RFC 9113, section 8.3.1).
    DifferingHost,
    /// An absolute target that is not http or https.
    Scheme,
    /// A target in a form that its method does not have (RFC 9112, section 3.2): `host:port`, or `*`.
    Target,
    /// More options in `Connection` than any client has.
    Connection,
    /// CONNECT: this is not a forward proxy.
    Connect,
    /// A Content-Length for a body that is not there.
    ContentLength,
}

impl RequestFault {
    /// For the client that sent it. Names the rule, never a value.
    pub(super) const fn reason(self) -> &'static str {
        match self {
            Self::NoHost => "no Host",
            Self::RepeatedHost => "more than one Host",
            Self::InvalidHost => "Host is not a host with an optional port",
            Self::DifferingHost => "Host and :authority differ",
            Self::Scheme => "the target is not an http URL",
            Self::Target => "the target is not a path",
            Self::Connection => "too many options in Connection",
            Self::Connect => "CONNECT is not served here",
            Self::ContentLength => "Content-Length without a body",
        }
    }
}

/// Options taken in one `Connection`. Each of them is compared with each field.
const MAXIMUM_OPTIONS: usize = 32;

/// The authority a request is for: the target's own, else `Host`. None only where HTTP/1.0 allows it.
pub(super) fn request_host(parts: &Parts, present: Present) -> Result<Option<HeaderValue>, RequestFault> {
    if parts.method == Method::CONNECT {
        return Err(RequestFault::Connect);
    }
    if parts.uri.scheme_str().is_some_and(|scheme| scheme != "http" && scheme != "https") {
        return Err(RequestFault::Scheme);
    }
    let authority_form = parts.uri.scheme().is_none() && parts.uri.authority().is_some();
    if authority_form || (parts.uri.path() == "*" && parts.method != Method::OPTIONS) {
        return Err(RequestFault::Target);
    }
    if present.has(Present::CONNECTION) && names(&parts.headers).nth(MAXIMUM_OPTIONS).is_some() {
        return Err(RequestFault::Connection);
    }
    let mut hosts = parts.headers.get_all(HOST).iter();
    let host = hosts.next();
    if hosts.next().is_some() {
        return Err(RequestFault::RepeatedHost);
    }
    if let Some(host) = host
        && !is_host(host.as_bytes())
    {
        return Err(RequestFault::InvalidHost);
    }
    match (parts.uri.authority(), host) {
        (Some(authority), _) if !is_host(authority.as_str().as_bytes()) => Err(RequestFault::InvalidHost),
        // HTTP/1: the target wins (RFC 9112, section 3.2.2). HTTP/2: both must say the same.
        (Some(authority), Some(host))
            if parts.version == Version::HTTP_2
                && !authority.as_str().as_bytes().eq_ignore_ascii_case(host.as_bytes()) =>
        {
            Err(RequestFault::DifferingHost)
        }
        (Some(authority), _) => {
            HeaderValue::from_str(authority.as_str()).map(Some).map_err(|_| RequestFault::InvalidHost)
        }
        (None, Some(host)) => Ok(Some(host.clone())),
        (None, None) if parts.version == Version::HTTP_10 => Ok(None),
        (None, None) => Err(RequestFault::NoHost),
    }
}

/// `uri-host [ ":" port ]` by its characters (RFC 3986, section 3.2), without a user name.
pub(super) fn is_host(bytes: &[u8]) -> bool {
    !bytes.is_empty()
        && bytes.iter().all(|byte| {
            byte.is_ascii_alphanumeric()
                || matches!(
                    byte,
                    b'.' | b'-'
                        | b'_'
                        | b'~'
                        | b':'
                        | b'['
                        | b']'
                        | b'%'
                        | b'!'
                        | b'$'
                        | b'&'
                        | b'\''
                        | b'('
                        | b')'
                        | b'*'
                        | b'+'
                        | b','
                        | b';'
                        | b'='
                )
        })
}

/// Puts a request's cookies into one field, as HTTP/1.1 wants them (RFC 9113, section 8.2.3), and takes the
/// console's own out. All others stay as they are, byte by byte.
pub(super) fn settle_cookies(headers: &mut HeaderMap, present: Present) {
    if !present.has(Present::COOKIE) {
        return;
    }
    let mut cookies = headers.get_all(COOKIE).iter();
    let Some(first) = cookies.next() else { return };
    let several = cookies.next().is_some();
    if !several && memchr::memmem::find(first.as_bytes(), CONSOLE_COOKIE).is_none() {
        return;
    }
    let mut kept = Vec::with_capacity(first.len());
    for value in headers.get_all(COOKIE) {
        for (position, pair) in value.as_bytes().split(|byte| *byte == b';').enumerate() {
            if is_console_cookie(pair) {
                continue;
            }
            if kept.is_empty() {
                kept.extend_from_slice(pair.trim_ascii_start());
            } else {
                kept.extend_from_slice(if position == 0 { b"; " } else { b";" });
                kept.extend_from_slice(pair);
            }
        }
    }
    match HeaderValue::from_maybe_shared(bytes::Bytes::from(kept)) {
        Ok(kept) if !kept.is_empty() => headers.insert(COOKIE, kept),
        // Parts of valid values are valid; were they not, no cookie is safer than ours.
        _ => headers.remove(COOKIE),
    };
}

fn is_console_cookie(pair: &[u8]) -> bool {
    let name = pair.split(|byte| *byte == b'=').next().unwrap_or_default();
    name.trim_ascii() == CONSOLE_COOKIE
}

/// Whether the client asks for a WebSocket (RFC 6455, section 4.1). Other upgrades are not offered upstream: `h2c`
/// would open a way around everything that is checked here.
pub(super) fn asks_for_websocket(method: &Method, version: Version, headers: &HeaderMap) -> bool {
    version == Version::HTTP_11
        && method == Method::GET
        && accepts_websocket(headers)
        && names(headers).any(|name| name.eq_ignore_ascii_case(b"upgrade"))
}

/// Whether `Upgrade` names the WebSocket protocol and nothing else.
pub(super) fn accepts_websocket(headers: &HeaderMap) -> bool {
    headers.get(UPGRADE).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

/// Says so again, for one connection.
pub(super) fn mark_websocket(headers: &mut HeaderMap) {
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
}

/// The names in `Connection`.
pub(super) fn names(headers: &HeaderMap) -> impl Iterator<Item = &[u8]> {
    headers
        .get_all(CONNECTION)
        .iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .map(<[u8]>::trim_ascii)
}

/// Whether `Connection` says that a field belongs to one connection only.
pub(super) fn is_connections_own(headers: &HeaderMap, name: &HeaderName) -> bool {
    names(headers).any(|named| named.eq_ignore_ascii_case(name.as_str().as_bytes()))
}

/// Whether a field may stand in a request's trailers: not what frames, routes, authenticates or decides before the body
/// is read (RFC 9110, section 6.5.1), and nothing that the proxy writes or strips in heads.
pub(super) fn may_be_trailer(name: &HeaderName) -> bool {
    let name_text = name.as_str();
    let barred = [
        "accept",
        "age",
        "allow",
        "authorization",
        "authentication-info",
        "cache-control",
        "date",
        "expires",
        "from",
        "if-",
        "location",
        "max-forwards",
        "origin",
        "pragma",
        "proxy-",
        "range",
        "referer",
        "retry-after",
        "sec-",
        "set-cookie",
        "trailer",
        "user-agent",
        "vary",
        "warning",
        "www-authenticate",
    ];
    Present::field(name) == 0
        && !name_text.starts_with("content-")
        && !barred.iter().any(
            |barred| {
                if barred.ends_with('-') { name_text.starts_with(barred) } else { name_text == *barred }
            },
        )
}

/// Removes what belongs to one connection only.
fn strip_hop_by_hop(headers: &mut HeaderMap, present: Present) {
    if present.has(Present::CONNECTION) {
        let named: Vec<HeaderName> = names(headers)
            .filter(|name| !name.eq_ignore_ascii_case(b"keep-alive") && !name.eq_ignore_ascii_case(b"close"))
            .filter_map(|name| HeaderName::from_bytes(name).ok())
            // A client must not be able to remove these by naming them.
            .filter(|name| *name != HOST && *name != CONTENT_LENGTH)
            .collect();
        for name in named {
            headers.remove(name);
        }
        headers.remove(CONNECTION);
    }
    for (field, name) in [
        (Present::KEEP_ALIVE, KEEP_ALIVE),
        (Present::PROXY_CONNECTION, PROXY_CONNECTION),
        (Present::TRANSFER_ENCODING, TRANSFER_ENCODING),
        (Present::UPGRADE, UPGRADE),
    ] {
        if present.has(field) {
            headers.remove(name);
        }
    }
}

/// Whether the client takes trailers.
pub(super) fn takes_trailers(headers: &HeaderMap, present: Present) -> bool {
    present.has(Present::TE)
        && headers.get_all(TE).iter().any(|value| {
            value.as_bytes().split(|byte| *byte == b',').any(|one| one.trim_ascii().eq_ignore_ascii_case(b"trailers"))
        })
}

/// Makes an upstream's header section one for the client.
pub(super) fn prepare_response(headers: &mut HeaderMap, present: Present, rules: ForwardingHeaders) {
    strip_hop_by_hop(headers, present);
    if present.has(Present::PROXY_AUTHENTICATE) {
        headers.remove(PROXY_AUTHENTICATE);
    }
    if rules.via {
        append_to_list(headers, VIA, via(Version::HTTP_11));
    }
}

/// This hop's member of `Via` (RFC 9110, section 7.6.3).
pub(super) const fn via(received: Version) -> &'static [u8] {
    match received {
        Version::HTTP_10 => b"1.0 threadline",
        Version::HTTP_2 => b"2 threadline",
        _ => b"1.1 threadline",
    }
}

/// Appends one member to a list field, within one line.
fn append_to_list(headers: &mut HeaderMap, name: HeaderName, member: &[u8]) {
    let mut list = Vec::new();
    join_list(&mut list, headers, &name, member);
    if let Ok(list) = HeaderValue::from_maybe_shared(bytes::Bytes::from(list)) {
        headers.insert(name, list);
    }
}

/// Writes a list field's members and one more into one line: some recipients read only the first line, or the last.
pub(super) fn join_list(line: &mut Vec<u8>, headers: &HeaderMap, name: &HeaderName, member: &[u8]) {
    for value in headers.get_all(name) {
        line.extend_from_slice(value.as_bytes());
        line.extend_from_slice(b", ");
    }
    line.extend_from_slice(member);
}

#[cfg(test)]
mod tests;
