//! A request's head as the upstream gets it, written straight from the client's header section: what belongs to the
//! client's connection is left out, what the upstream should know of the client is added and true.

use http::header::{FORWARDED, VIA};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, Version};

use super::hygiene::{Present, join_list, names, takes_trailers, via};
use super::peer::Standing;
use super::settings::ForwardingHeaders;
use super::upstream::{SendFraming, write_field};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// One request, and what its head is made of.
pub(super) struct Forward<'a> {
    pub(super) method: &'a Method,
    pub(super) uri: &'a Uri,
    /// Put before the path.
    pub(super) prefix: &'a str,
    /// Of the client's request.
    pub(super) version: Version,
    /// The client's header section, and what stands in it.
    pub(super) headers: &'a HeaderMap,
    pub(super) present: Present,
    /// The authority the request is for.
    pub(super) host: Option<&'a HeaderValue>,
    /// The upstream's own authority.
    pub(super) upstream: &'a HeaderValue,
    pub(super) peer: Standing<'a>,
    pub(super) rules: ForwardingHeaders,
    pub(super) websocket: bool,
}

impl Forward<'_> {
    /// Writes the head, its empty line included.
    pub(super) fn write(&self, head: &mut Vec<u8>, framing: SendFraming) {
        self.write_request_line(head);
        let host = if self.rules.preserve_host { self.host.unwrap_or(self.upstream) } else { self.upstream };
        write_field(head, b"host", host.as_bytes());
        self.write_fields(head);
        self.write_connection(head);
        self.write_framing(head, framing);
        self.write_forwarding(head);
        head.extend_from_slice(b"\r\n");
    }

    /// The target in origin-form (RFC 9112, section 3.2.1), the upstream's prefix before it.
    fn write_request_line(&self, head: &mut Vec<u8>) {
        let target = self.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
        head.extend_from_slice(self.method.as_str().as_bytes());
        head.push(b' ');
        if target != "*" {
            head.extend_from_slice(self.prefix.as_bytes());
            if !target.starts_with('/') {
                head.push(b'/');
            }
        }
        head.extend_from_slice(target.as_bytes());
        head.extend_from_slice(b" HTTP/1.1\r\n");
    }

    /// The client's fields, without those that stay on its connection and those that the proxy writes itself.
    fn write_fields(&self, head: &mut Vec<u8>) {
        let mut without = Present::REWRITTEN;
        if self.rules.x_forwarded {
            without |= if self.peer.is_trusted() {
                Present::X_FORWARDED_FOR | Present::X_FORWARDED_UNDERSCORE
            } else {
                Present::IDENTITY
            };
        }
        if self.rules.forwarded {
            without |= Present::FORWARDED;
        }
        if self.rules.via {
            without |= Present::VIA;
        }
        let named: Vec<&[u8]> = if self.present.has(Present::CONNECTION) {
            // What `Connection` usually says names no field.
            names(self.headers).filter(|name| *name != b"keep-alive" && *name != b"close").collect()
        } else {
            Vec::new()
        };
        for (name, value) in self.headers {
            let stays = Present::field(name) & without != 0
                || named.iter().any(|named| named.eq_ignore_ascii_case(name.as_str().as_bytes()));
            if !stays {
                write_field(head, name.as_str().as_bytes(), value.as_bytes());
            }
        }
    }

    fn write_connection(&self, head: &mut Vec<u8>) {
        if self.websocket {
            head.extend_from_slice(b"connection: Upgrade\r\nupgrade: websocket\r\n");
        } else if takes_trailers(self.headers, self.present) {
            head.extend_from_slice(b"connection: TE\r\nte: trailers\r\n");
        }
    }

    fn write_framing(&self, head: &mut Vec<u8>, framing: SendFraming) {
        match framing {
            SendFraming::Chunked => head.extend_from_slice(b"transfer-encoding: chunked\r\n"),
            SendFraming::Length(length) => write_field(head, b"content-length", length.to_string().as_bytes()),
            // RFC 9110, section 8.6: said where a body would be expected, or where the client said it.
            SendFraming::None if self.present.has(Present::CONTENT_LENGTH) || self.method_has_content() => {
                head.extend_from_slice(b"content-length: 0\r\n");
            }
            SendFraming::None => {}
        }
    }

    fn method_has_content(&self) -> bool {
        matches!(*self.method, Method::POST | Method::PUT | Method::PATCH)
    }

    fn write_forwarding(&self, head: &mut Vec<u8>) {
        if self.rules.x_forwarded {
            let peer = self.peer.forwarded_for();
            if self.has_from_front(Present::X_FORWARDED_FOR) {
                self.write_list(head, &X_FORWARDED_FOR, peer);
            } else {
                write_field(head, b"x-forwarded-for", peer);
            }
            if !self.has_from_front(Present::X_FORWARDED_PROTO) {
                head.extend_from_slice(b"x-forwarded-proto: http\r\n");
            }
            if let (Some(host), false) = (self.host, self.has_from_front(Present::X_FORWARDED_HOST)) {
                write_field(head, b"x-forwarded-host", host.as_bytes());
            }
        }
        if self.rules.forwarded {
            let element = self.peer.forwarded_element(self.host);
            if self.has_from_front(Present::FORWARDED) {
                self.write_list(head, &FORWARDED, &element);
            } else {
                write_field(head, b"forwarded", &element);
            }
        }
        if self.rules.via {
            self.write_list(head, &VIA, via(self.version));
        }
    }

    /// Whether a trusted proxy in front has written the field already.
    fn has_from_front(&self, field: u32) -> bool {
        self.peer.is_trusted() && self.present.has(field)
    }

    fn write_list(&self, head: &mut Vec<u8>, name: &HeaderName, member: &[u8]) {
        head.extend_from_slice(name.as_str().as_bytes());
        head.extend_from_slice(b": ");
        join_list(head, self.headers, name, member);
        head.extend_from_slice(b"\r\n");
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use http::header::HOST;

    use super::super::peer::Peer;
    use super::*;
    use threadline_model::{Network, TrustedProxies};

    fn forwarded(fields: &[(&str, &str)], rules: ForwardingHeaders, framing: SendFraming) -> Vec<String> {
        forwarded_from(fields, rules, framing, &[])
    }

    fn forwarded_from(
        fields: &[(&str, &str)],
        rules: ForwardingHeaders,
        framing: SendFraming,
        trusted: &[Network],
    ) -> Vec<String> {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap());
        }
        let trusted = TrustedProxies { networks: trusted.to_vec(), ..TrustedProxies::default() };
        let peer = Peer::new("[::ffff:192.0.2.7]:4711".parse().unwrap(), None);
        let forward = Forward {
            method: &Method::GET,
            uri: &Uri::from_static("/a?b"),
            prefix: "",
            version: Version::HTTP_11,
            headers: &headers,
            present: Present::scan(&headers),
            host: headers.get(HOST),
            upstream: &HeaderValue::from_static("upstream:9000"),
            peer: peer.standing(&trusted),
            rules,
            websocket: false,
        };
        let mut head = Vec::new();
        forward.write(&mut head, framing);
        let head = String::from_utf8(head).unwrap();
        let mut lines: Vec<_> =
            head.strip_suffix("\r\n\r\n").unwrap().split("\r\n").skip(1).map(str::to_owned).collect();
        lines.sort();
        lines
    }

    #[test]
    fn what_belongs_to_one_connection_stays_there() {
        let rules = ForwardingHeaders { x_forwarded: false, ..ForwardingHeaders::default() };
        let fields = [
            ("host", "shop"),
            ("connection", "keep-alive, X-Private, host, content-length"),
            ("keep-alive", "timeout=5"),
            ("proxy-connection", "keep-alive"),
            ("proxy-authorization", "Basic eDp5"),
            ("transfer-encoding", "chunked"),
            ("upgrade", "h2c"),
            ("te", "gzip;q=0.5"),
            ("expect", "100-continue"),
            ("x-private", "1"),
            ("content-length", "3"),
            ("accept", "*/*"),
        ];
        assert_eq!(
            forwarded(&fields, rules, SendFraming::Length(3)),
            ["accept: */*", "content-length: 3", "host: shop"]
        );
        assert_eq!(
            forwarded(&[("host", "shop"), ("te", "gzip, Trailers"), ("connection", "TE")], rules, SendFraming::Chunked),
            ["connection: TE", "host: shop", "te: trailers", "transfer-encoding: chunked"]
        );
    }

    #[test]
    fn the_upstream_learns_who_asked() {
        let told = forwarded(&[("host", "shop:8080")], ForwardingHeaders::default(), SendFraming::None);
        assert_eq!(
            told,
            ["host: shop:8080", "x-forwarded-for: 192.0.2.7", "x-forwarded-host: shop:8080", "x-forwarded-proto: http"]
        );
        let forged = [
            ("host", "shop"),
            ("x-forwarded-for", "10.0.0.1"),
            ("x-forwarded-for", "10.0.0.2"),
            ("x-forwarded-host", "evil"),
            ("x-forwarded-proto", "https"),
            ("forwarded", "for=10.0.0.1"),
            ("x_forwarded_for", "10.0.0.1"),
            ("x-real-ip", "10.0.0.1"),
            ("x-forwarded-port", "443"),
        ];
        let rules = ForwardingHeaders { forwarded: true, via: true, ..ForwardingHeaders::default() };
        assert_eq!(
            forwarded(&forged, rules, SendFraming::None),
            [
                "forwarded: for=192.0.2.7;host=\"shop\";proto=http",
                "host: shop",
                "via: 1.1 threadline",
                "x-forwarded-for: 192.0.2.7",
                "x-forwarded-host: shop",
                "x-forwarded-proto: http",
            ]
        );
        let trusted = ["192.0.2.0/24".parse().unwrap()];
        assert_eq!(
            forwarded_from(&forged, rules, SendFraming::None, &trusted),
            [
                "forwarded: for=10.0.0.1, for=192.0.2.7;host=\"shop\";proto=http",
                "host: shop",
                "via: 1.1 threadline",
                "x-forwarded-for: 10.0.0.1, 10.0.0.2, 192.0.2.7",
                "x-forwarded-host: evil",
                "x-forwarded-port: 443",
                "x-forwarded-proto: https",
                "x-real-ip: 10.0.0.1",
            ],
            "what a trusted proxy says stands"
        );
        assert_eq!(
            forwarded(&forged[..6], ForwardingHeaders::default(), SendFraming::None),
            ["host: shop", "x-forwarded-for: 192.0.2.7", "x-forwarded-host: shop", "x-forwarded-proto: http"],
            "a field that the proxy does not write is dropped as well"
        );
        let own = ForwardingHeaders { preserve_host: false, x_forwarded: false, ..ForwardingHeaders::default() };
        assert_eq!(forwarded(&[("host", "shop")], own, SendFraming::None), ["host: upstream:9000"]);
    }
}
