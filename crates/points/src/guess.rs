//! Which formats are worth trying in a value that somebody wants listed. A guess costs a step in a plan and nothing
//! else: what is then listed is what the plan found, so a wrong guess shows nothing.

use std::borrow::Cow;

use crate::decode;
use crate::graphql;
use crate::token::Token;
use crate::{JwtPart, Step};

/// A format that may be tried in a value.
pub(crate) struct Format {
    /// The steps that open it, each a way of its own.
    pub(crate) steps: &'static [Step],
    /// Whether a value looks like it.
    looks: fn(&[u8], &Step) -> bool,
    /// What a media type of it holds (RFC 9110, section 8.3.1), in lower case; a body that is declared so is tried
    /// even if it was cut or cannot be seen.
    media: Option<&'static [u8]>,
}

/// Every format, in the order in which what they give is listed. A further format adds a line.
const FORMATS: &[Format] = &[
    Format { steps: &[Step::Json], looks: |value, _| looks_like_json(value), media: Some(b"json") },
    Format { steps: &[Step::Xml], looks: |value, _| looks_like_xml(value), media: Some(b"xml") },
    Format { steps: &[Step::Form], looks: |value, _| looks_like_form(value), media: Some(b"x-www-form-urlencoded") },
    Format { steps: &[Step::Graphql], looks: |value, _| looks_like_graphql(value), media: Some(b"graphql") },
    Format { steps: &[Step::Grpc], looks: |_, _| false, media: Some(b"grpc") },
    Format { steps: &[Step::Protobuf], looks: |_, _| false, media: Some(b"protobuf") },
    Format { steps: &[Step::Viewstate], looks: |value, _| value.starts_with(VIEWSTATE), media: None },
    Format {
        steps: &[
            Step::Jwt(JwtPart::Prefix),
            Step::Jwt(JwtPart::Token),
            Step::Jwt(JwtPart::Header),
            Step::Jwt(JwtPart::Payload),
            Step::Jwt(JwtPart::Signature),
        ],
        looks: |value, _| Token::find(value).is_some(),
        media: None,
    },
    Format { steps: &[Step::Bearer], looks: looks_like_credentials, media: None },
    Format { steps: &[Step::Base64], looks: |value, _| looks_like_base64(value), media: None },
    Format { steps: &[Step::Gzip], looks: |value, _| value.starts_with(GZIP), media: None },
    Format { steps: &[Step::Percent], looks: |value, _| is_percent_encoded(value), media: None },
];

/// How view state in the clear begins: base64 of its marker and version.
const VIEWSTATE: &[u8] = b"/wE";

/// How a member of gzip begins (RFC 1952, section 2.3.1).
const GZIP: &[u8] = b"\x1f\x8b\x08";

/// The steps worth trying in a value that stands after `last`.
pub(crate) fn of_value<'v>(value: &'v [u8], last: &'v Step) -> impl Iterator<Item = &'static Step> + use<'v> {
    FORMATS.iter().filter(move |format| (format.looks)(value, last)).flat_map(|format| format.steps)
}

/// The steps worth trying in a body of which only the beginning is known, or nothing: by how it begins and by what it
/// is declared to be.
pub(crate) fn of_body<'v>(beginning: &'v [u8], media_type: &'v [u8]) -> impl Iterator<Item = &'static Step> + use<'v> {
    let declared = move |media: &[u8]| media_type.to_ascii_lowercase().windows(media.len()).any(|part| part == media);
    FORMATS
        .iter()
        .filter(move |format| format.media.is_some_and(declared) || (format.looks)(beginning, &Step::Body))
        .flat_map(|format| format.steps)
}

/// How an object or a list begins.
fn looks_like_json(value: &[u8]) -> bool {
    let value = value.strip_prefix(b"\xef\xbb\xbf").unwrap_or(value);
    matches!(value.trim_ascii_start().first(), Some(b'{' | b'['))
}

/// How a tag or a declaration begins.
fn looks_like_xml(value: &[u8]) -> bool {
    let value = value.strip_prefix(b"\xef\xbb\xbf").unwrap_or(value);
    match value.trim_ascii_start() {
        [b'<', first, ..] => matches!(first, b'?' | b'!' | b'_') || first.is_ascii_alphabetic() || !first.is_ascii(),
        _ => false,
    }
}

/// Requests in JSON, or a document of which the first definition begins without a comment.
fn looks_like_graphql(value: &[u8]) -> bool {
    if graphql::is_post(value, false) {
        return [&b"\"query\""[..], b"\"variables\""].iter().any(|name| memchr::memmem::find(value, name).is_some());
    }
    let value = value.trim_ascii_start();
    let starts_with = |word: &&[u8]| {
        value.strip_prefix(*word).and_then(<[u8]>::first).is_some_and(|next| b" \t\r\n{(@".contains(next))
    };
    match value.strip_prefix(b"{").map(<[u8]>::trim_ascii_start) {
        Some(selection) => selection.first().is_some_and(|first| first.is_ascii_alphabetic() || b"_.".contains(first)),
        None => [&b"query"[..], b"mutation", b"subscription", b"fragment"].iter().any(starts_with),
    }
}

/// Names with values, and nothing that a form encodes.
fn looks_like_form(value: &[u8]) -> bool {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"&=%+-_.*[]~:/,@!$'()|".contains(byte);
    let named = |field: &[u8]| match memchr::memchr(b'=', field) {
        // The padding of base64 is no empty value.
        Some(equals) => equals > 0 && (value.contains(&b'&') || field[equals..].iter().any(|byte| *byte != b'=')),
        None => false,
    };
    value.iter().all(plain) && value.split(|byte| *byte == b'&').all(named)
}

/// `Basic dXNlcg==`: a scheme and credentials, where HTTP has them.
fn looks_like_credentials(value: &[u8], last: &Step) -> bool {
    let Step::Header(label) = last else { return false };
    let scheme = decode::after_scheme(value);
    label.as_str().ends_with("AUTHORIZATION") && scheme > 0 && !value[scheme..].contains(&b' ')
}

/// Base64 of something that can be read on: text or gzip. Most words are base64 of something.
fn looks_like_base64(value: &[u8]) -> bool {
    /// Of a long value the beginning is judged.
    const JUDGED: usize = 1024;
    const SHORTEST: usize = 8;
    if value.len() < SHORTEST {
        return false;
    }
    let mut decoded = Vec::new();
    let judged = &value[..value.len().min(JUDGED)];
    if decode::base64_into(judged, &mut decoded).is_err() {
        return false;
    }
    let readable = match std::str::from_utf8(&decoded) {
        Ok(text) => text,
        // The cut may have gone through a character.
        Err(error) if error.error_len().is_none() && judged.len() < value.len() => {
            std::str::from_utf8(&decoded[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => "",
    };
    let text = !readable.is_empty()
        && readable.chars().all(|character| !character.is_control() || character.is_ascii_whitespace());
    text || decoded.starts_with(GZIP)
}

fn is_percent_encoded(value: &[u8]) -> bool {
    matches!(decode::percent(value), Cow::Owned(_))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn guessed(value: &str, last: &Step) -> Vec<&'static str> {
        let mut words: Vec<&str> = of_value(value.as_bytes(), last).map(Step::word).collect();
        words.dedup();
        words
    }

    #[test]
    fn guesses_follow_what_a_value_looks_like() {
        let authorization = Step::Header(crate::HeaderLabel::new("authorization").unwrap());
        let property = Step::Property("x".to_owned());
        for (value, last, expected) in [
            (" {\"a\":1}", &property, &["json"][..]),
            ("[]", &property, &["json"]),
            ("\n<a/>", &property, &["xml"]),
            ("<3", &property, &[]),
            ("{\"query\":\"{a}\"}", &property, &["json", "graphql"]),
            ("query($a: Int) { a }", &property, &["graphql"]),
            ("query a", &property, &["graphql"]),
            ("querying", &property, &[]),
            ("a=1&b=", &property, &["form"]),
            ("a=1", &property, &["form"]),
            ("dXNlcjpwYXNz", &property, &["base64"]),
            ("dXNlcjpwYXNzMQ==", &property, &["base64"]),
            ("Basic dXNlcjpwYXNz", &authorization, &["bearer"]),
            ("Basic dXNlcjpwYXNz", &property, &[]),
            ("Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.", &authorization, &["jwt", "bearer"]),
            ("a%20b", &property, &["percent"]),
            ("/wEPBQExZA==", &property, &["viewstate"]),
            ("text/html; charset=utf-8", &property, &[]),
            ("3f2a9c1e7d5b4860", &property, &[]),
            ("password", &property, &[]),
            ("Mozilla/5.0 (X11; Linux x86_64)", &property, &[]),
            ("1234", &property, &[]),
            ("", &property, &[]),
        ] {
            assert_eq!(guessed(value, last), expected, "{value}");
        }
    }

    #[test]
    fn a_body_is_tried_as_what_it_is_declared_to_be() {
        let words = |beginning: &[u8], media: &[u8]| of_body(beginning, media).map(Step::word).collect::<Vec<_>>();
        assert_eq!(words(b"", b"Application/Problem+JSON; charset=utf-8"), ["json"]);
        assert_eq!(words(b"{\"a\":", b"text/plain"), ["json"]);
        assert_eq!(words(b"", b"application/x-www-form-urlencoded"), ["form"]);
        assert_eq!(words(b"", b"application/grpc+proto"), ["grpc"]);
        assert_eq!(words(b"", b"application/x-protobuf"), ["protobuf"]);
        assert_eq!(words(b"", b""), [""; 0]);
    }
}
