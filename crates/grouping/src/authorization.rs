//! What an Authorization header says about who sends it (RFC 9110, section 11.6.2). Splits and recognises; decoding
//! a JWT or Basic credentials is left to the points crate.

use crate::placeholder::is_placeholder;

/// Credentials by what a session can be made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Credentials<'e> {
    /// Three dotted parts of base64url: claims may be read; the whole token, without its scheme, if they name nobody.
    Jwt(&'e [u8]),
    /// Any other token, without its scheme.
    Token(&'e [u8]),
    /// HTTP Basic.
    Basic,
    /// Nothing that stays the same from one request to the next: no credentials, a list of parameters (Digest,
    /// AWS4-HMAC-SHA256, OAuth 1, HTTP signatures), a handshake (Negotiate, NTLM) or a signature of this request
    /// (`AWS id:signature`).
    Passing,
}

/// Schemes whose token is made for one connection …
const HANDSHAKES: [&[u8]; 5] = [b"negotiate", b"ntlm", b"kerberos", b"hawk", b"digest"];
/// … or signs one request: those of object stores (Amazon S3 version 2, Azure, Alibaba, Huawei, Google) and their kind.
const SIGNATURES: [&[u8]; 7] = [b"aws", b"sharedkey", b"sharedkeylite", b"oss", b"obs", b"goog1", b"hmac"];

impl<'e> Credentials<'e> {
    pub(crate) fn of(header: &'e [u8]) -> Self {
        let (scheme, token) = split(header);
        let is_one_token = |byte: &u8| byte.is_ascii_graphic() && !matches!(byte, b',' | b'"');
        let passing = |known: &&[u8]| scheme.eq_ignore_ascii_case(known);
        if token.is_empty() || HANDSHAKES.iter().chain(&SIGNATURES).any(passing) {
            Self::Passing
        } else if scheme.eq_ignore_ascii_case(b"basic") {
            Self::Basic
        } else if !token.iter().all(is_one_token) {
            Self::Passing
        } else if looks_like_jwt(token) {
            Self::Jwt(token)
        } else {
            Self::Token(token)
        }
    }
}

/// Scheme and credentials. Some clients send the bare token; a placeholder, as a scheme alone is one, has none.
pub(crate) fn split(header: &[u8]) -> (&[u8], &[u8]) {
    let header = header.trim_ascii();
    if is_placeholder(header) {
        return (header, &[]);
    }
    match memchr::memchr2(b' ', b'\t', header) {
        Some(at) => (&header[..at], header[at..].trim_ascii_start()),
        None => (&[], header),
    }
}

/// Whether a text has the shape of a JWT in compact serialisation (RFC 7515, section 3.1): three parts of base64url,
/// the first of which begins like a JSON object.
pub fn looks_like_jwt(text: &[u8]) -> bool {
    // `{"` and `{ ` in base64 begin with these letters.
    if !text.starts_with(b"ey") && !text.starts_with(b"ew") {
        return false;
    }
    let base64url = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'=');
    let mut parts = text.split(|byte| *byte == b'.');
    let mut part = || parts.next().filter(|part| part.iter().all(base64url));
    let (Some(_), Some(payload), Some(_)) = (part(), part(), part()) else { return false };
    payload.len() >= 2 && parts.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_told_apart() {
        use Credentials::{Basic, Jwt, Passing, Token};
        for (header, expected) in [
            ("Bearer abc", Token(b"abc")),
            ("bearer   abc ", Token(b"abc")),
            ("Bearer 12|Laravel/Sanctum", Token(b"12|Laravel/Sanctum")),
            ("Token 9944b09199c62bcf", Token(b"9944b09199c62bcf")),
            ("abcdef", Token(b"abcdef")),
            ("Bearer eyJhbGciOiJub25lIn0.e30.", Jwt(b"eyJhbGciOiJub25lIn0.e30.")),
            ("eyJhbGciOiJub25lIn0.e30.c2ln", Jwt(b"eyJhbGciOiJub25lIn0.e30.c2ln")),
            ("Bearer a.b.c", Token(b"a.b.c")),
            ("Bearer eyJh.e30.a.b.c", Token(b"eyJh.e30.a.b.c")),
            ("Basic dTpw", Basic),
            ("basic dTpw", Basic),
            ("Basic", Passing),
            ("Bearer", Passing),
            ("Bearer  ", Passing),
            ("", Passing),
            ("Digest username=\"Mufasa\", nonce=\"x\"", Passing),
            ("AWS4-HMAC-SHA256 Credential=AKID/20261123/eu/s3/aws4_request, Signature=ab", Passing),
            ("OAuth oauth_consumer_key=\"k\", oauth_signature=\"s\"", Passing),
            ("Negotiate YIIJvwYGKwYB", Passing),
            ("NTLM TlRMTVNTUAAB", Passing),
            ("AWS AKIAIOSFODNN7EXAMPLE:frJIUN8DYpKDtOLCwo//yllqDzg=", Passing),
            ("SharedKey account:ctzMq410TV3wS7upTBcunJTDLEJwMAZuFPfr0mrrA08=", Passing),
            ("SharedKeyLite account:signature", Passing),
            ("OSS id:signature", Passing),
            ("aws id:signature", Passing),
            ("AWSome key", Token(b"key")),
            ("[object Object]", Passing),
            ("Bearer a b", Passing),
            ("Bearer a\0b", Passing),
        ] {
            assert_eq!(Credentials::of(header.as_bytes()), expected, "{header}");
        }
    }
}
