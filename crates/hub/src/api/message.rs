//! A whole exchange as the API shows it, with bytes that are text or not. Only for exchanges seen recently and samples:
//! everything else of an exchange leaves its node as chosen values or not at all.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use threadline_model::{CapturedBody, CapturedHeaders, Exchange, Extent, Request, Response};
use utoipa::ToSchema;

/// Bytes as captured. Exactly one of the two is there.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CapturedBytes {
    /// The bytes, if they are UTF-8. Hostile: escape it where it is shown.
    #[schema(required)]
    text: Option<String>,
    /// The bytes in base64, if they are not.
    #[schema(required)]
    base64: Option<String>,
}

impl From<&[u8]> for CapturedBytes {
    fn from(bytes: &[u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self { text: Some(text.to_owned()), base64: None },
            Err(_) => Self { text: None, base64: Some(STANDARD.encode(bytes)) },
        }
    }
}

/// One header.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CapturedHeader {
    /// Its name, in lower case.
    name: String,
    /// Its value.
    value: CapturedBytes,
}

/// How much of a body was captured.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum BodyExtent {
    /// All of it.
    Whole,
    /// The first bytes; the rest was cut.
    Prefix,
    /// Nothing, though there may have been a body.
    NotCaptured,
}

/// A message body, with the content codings that its headers name.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CapturedMessageBody {
    /// What was captured.
    content: CapturedBytes,
    /// How much that is of the body.
    extent: BodyExtent,
    /// Bytes captured.
    bytes: u64,
}

impl From<&CapturedBody> for CapturedMessageBody {
    fn from(body: &CapturedBody) -> Self {
        Self {
            content: body.as_bytes().into(),
            extent: match body.extent() {
                Extent::Whole => BodyExtent::Whole,
                Extent::Prefix => BodyExtent::Prefix,
                Extent::NotCaptured => BodyExtent::NotCaptured,
            },
            bytes: body.as_bytes().len() as u64,
        }
    }
}

/// A request as captured.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CapturedRequest {
    /// The method.
    method: CapturedBytes,
    /// Path and query.
    target: CapturedBytes,
    /// `HTTP/1.1` …; null when unknown.
    #[schema(required)]
    version: Option<&'static str>,
    /// The authority that the request was sent to; null when unknown.
    #[schema(required)]
    host: Option<CapturedBytes>,
    /// The headers. Selections count them from 0.
    headers: Vec<CapturedHeader>,
    /// The body.
    body: CapturedMessageBody,
}

/// A response as captured.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CapturedResponse {
    /// The status code.
    status: u16,
    /// `HTTP/1.1` …; null when unknown.
    #[schema(required)]
    version: Option<&'static str>,
    /// The headers. Selections count them from 0.
    headers: Vec<CapturedHeader>,
    /// The body.
    body: CapturedMessageBody,
}

/// Both messages of an exchange.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CapturedMessages {
    /// The request.
    request: CapturedRequest,
    /// The response; null when there was none.
    #[schema(required)]
    response: Option<CapturedResponse>,
}

impl From<&Exchange> for CapturedMessages {
    fn from(exchange: &Exchange) -> Self {
        Self { request: (&exchange.request).into(), response: exchange.response.as_ref().map(Into::into) }
    }
}

impl From<&Request> for CapturedRequest {
    fn from(request: &Request) -> Self {
        Self {
            method: request.method.as_bytes().into(),
            target: request.target.as_bytes().into(),
            version: request.version.map(threadline_model::HttpVersion::as_str),
            host: request.host.as_ref().map(|host| host.as_bytes().into()),
            headers: headers(&request.headers),
            body: (&request.body).into(),
        }
    }
}

impl From<&Response> for CapturedResponse {
    fn from(response: &Response) -> Self {
        Self {
            status: response.status,
            version: response.version.map(threadline_model::HttpVersion::as_str),
            headers: headers(&response.headers),
            body: (&response.body).into(),
        }
    }
}

fn headers(headers: &CapturedHeaders) -> Vec<CapturedHeader> {
    let shown = headers.as_map().iter();
    shown
        .map(|(name, value)| CapturedHeader { name: name.as_str().to_owned(), value: value.as_bytes().into() })
        .collect()
}
