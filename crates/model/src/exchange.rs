//! One HTTP request with its response (RFC 9110, section 3.4: "request/response exchange"), as a source saw it.

use std::net::IpAddr;

use crate::{CapturedBody, CapturedHeaders, CapturedText, ExchangeId, Timestamp};

/// Where an exchange was captured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The inline reverse proxy.
    Proxy,
    /// An imported file. `identity` is a hash of the file's content: the last resort of grouping for entries that
    /// have no address (a fallback), never a client's identity otherwise.
    File {
        /// What kind of file: `har`.
        format: &'static str,
        /// Hash of the file's content.
        identity: [u8; 16],
    },
}

/// The URI scheme of the request, where it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// `http`
    Http,
    /// `https`
    Https,
}

impl Scheme {
    /// As written in a URI.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

/// The protocol version a message was received with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HttpVersion {
    /// HTTP/1.0
    Http10,
    /// HTTP/1.1
    Http11,
    /// HTTP/2
    Http2,
    /// HTTP/3 (files only)
    Http3,
}

impl HttpVersion {
    /// As written in a status line or log: `HTTP/1.1`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http10 => "HTTP/1.0",
            Self::Http11 => "HTTP/1.1",
            Self::Http2 => "HTTP/2",
            Self::Http3 => "HTTP/3",
        }
    }
}

/// How an exchange ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The response was delivered.
    Completed,
    /// The client went away first.
    ClientAborted,
    /// The upstream could not be reached, broke off, or timed out.
    UpstreamFailed,
    /// Refused at the node: malformed framing, or a block.
    Refused,
    /// Became a tunnel (WebSocket).
    Upgraded,
}

impl Outcome {
    /// The name in the `exchanges` table and the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::ClientAborted => "client_aborted",
            Self::UpstreamFailed => "upstream_failed",
            Self::Refused => "refused",
            Self::Upgraded => "upgraded",
        }
    }
}

/// The request as the client sent it.
#[derive(Clone, Debug)]
pub struct Request {
    /// The method, as sent.
    pub method: CapturedText,
    /// Where known.
    pub scheme: Option<Scheme>,
    /// Where known.
    pub version: Option<HttpVersion>,
    /// The host that the client asked for, port included as sent: what a trusted proxy says it was, else the request's
    /// own authority (`:authority`, the absolute target's, or `Host`).
    pub host: Option<CapturedText>,
    /// Path and query as sent (RFC 9112's origin-form; an absolute target is cut to it).
    pub target: CapturedText,
    /// The header section.
    pub headers: CapturedHeaders,
    /// The body; the content codings that `headers` name are still applied.
    pub body: CapturedBody,
}

/// The response as the upstream sent it.
#[derive(Clone, Debug)]
pub struct Response {
    /// Status code, 100 to 999.
    pub status: u16,
    /// Where known.
    pub version: Option<HttpVersion>,
    /// The header section.
    pub headers: CapturedHeaders,
    /// The body; the content codings that `headers` name are still applied.
    pub body: CapturedBody,
}

/// Bytes on the wire as far as the source can tell: message bodies without framing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sizes {
    /// Request body, bytes.
    pub request: u64,
    /// Response body, bytes.
    pub response: u64,
}

/// Fingerprints of the TLS connection, where a source knows them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsFingerprints {
    /// JA3: 32 hexadecimal digits.
    pub ja3: Option<String>,
    /// JA4 as published by FoxIO.
    pub ja4: Option<String>,
}

/// One exchange on its way through the stages.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// Its identity.
    pub id: ExchangeId,
    /// When the request's head had been read.
    pub started: Timestamp,
    /// From `started` to the end of the response, microseconds.
    pub duration_us: Option<u64>,
    /// From sending the request's head upstream to receiving the response's head, microseconds.
    pub upstream_us: Option<u64>,
    /// Where it was captured.
    pub source: Source,
    /// The client's address, where the source knows one.
    pub client: Option<IpAddr>,
    /// Fingerprints of the client's TLS connection.
    pub fingerprints: TlsFingerprints,
    /// The request.
    pub request: Request,
    /// The response; none when there was none.
    pub response: Option<Response>,
    /// Body sizes.
    pub sizes: Sizes,
    /// How it ended.
    pub outcome: Outcome,
}
