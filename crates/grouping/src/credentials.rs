//! Every credential that stands in an exchange where the built-in set knows one, whichever rule decided the session:
//! what the exit must not show in clear anywhere else.
//!
//! Names are no credentials: a token's subject and the user name of HTTP Basic are not among them.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use http::HeaderMap;
use threadline_model::Exchange;
use threadline_points::{SetCookie, form_decoded, is_credential_header};

use crate::authorization;
use crate::built_in::{is_session_cookie, path_parameters, query_fields, works};
use crate::cookies::{self, Cookie};
use crate::placeholder::unquoted;
use crate::rules::{Reads, SINGLE_RULES};

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Hands every credential of both messages to `visit`: session cookies, sent and set; session, token and API key
/// headers; Authorization without its scheme and, for HTTP Basic, the password; `;jsessionid=`; the query fields of the
/// built-in set, decoded. Placeholders (`null`) and values beyond [`MAXIMUM_VALUE_BYTES`](crate::MAXIMUM_VALUE_BYTES)
/// are left out. One pass over either header section; nothing is allocated but what is decoded.
pub fn visit_credentials<'e>(exchange: &'e Exchange, mut visit: impl FnMut(Cow<'e, [u8]>)) {
    let mut offer = |value: Cow<'e, [u8]>| {
        if works(&value) {
            visit(value);
        }
    };
    in_headers(exchange.request.headers.as_map(), &mut offer);
    if let Some(response) = &exchange.response {
        in_headers(response.headers.as_map(), &mut offer);
    }
    let target = exchange.request.target.as_bytes();
    if memchr::memchr(b';', target).is_some() {
        for rule in SINGLE_RULES {
            if let Reads::PathParameter(name) = &rule.reads {
                path_parameters(exchange, name).for_each(|value| offer(Cow::Borrowed(value)));
            }
        }
    }
    query_fields(exchange).for_each(|(_, value)| offer(form_decoded(value)));
}

fn in_headers<'e>(headers: &'e HeaderMap, offer: &mut impl FnMut(Cow<'e, [u8]>)) {
    for (name, value) in headers {
        let name = name.as_str();
        if !is_credential_header(name) {
            continue;
        }
        let value = value.as_bytes();
        let mut cookie = |name: &[u8], value: &'e [u8]| {
            if is_session_cookie(cookies::without_prefix(name)) {
                offer(Cow::Borrowed(unquoted(value)));
            }
        };
        match name {
            "cookie" => cookies::request_cookies(value).for_each(|Cookie { name, value }| cookie(name, value)),
            "set-cookie" => {
                if let Some(set) = SetCookie::parse(value) {
                    cookie(set.name, set.value);
                }
            }
            "authorization" | "proxy-authorization" => in_authorization(value, offer),
            // Worth nothing without the session's cookie, and often a word (`Fetch`) that asks for one.
            "x-csrf-token" | "x-xsrf-token" => {}
            _ => offer(Cow::Borrowed(authorization::split(value).1)),
        }
    }
}

fn in_authorization<'e>(header: &'e [u8], offer: &mut impl FnMut(Cow<'e, [u8]>)) {
    let (scheme, credentials) = authorization::split(header);
    if !scheme.eq_ignore_ascii_case(b"basic") {
        return offer(Cow::Borrowed(credentials));
    }
    // Padding may be left out wherever the text appears again.
    let padding = credentials.iter().rev().take_while(|byte| **byte == b'=').count();
    let credentials = &credentials[..credentials.len() - padding];
    offer(Cow::Borrowed(credentials));
    if works(credentials)
        && let Ok(mut pair) = BASE64.decode(credentials)
        && let Some(colon) = pair.iter().position(|byte| *byte == b':')
    {
        offer(Cow::Owned(pair.split_off(colon + 1)));
    }
}
