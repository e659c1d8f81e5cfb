//! Which points look at credentials, so that their values are exported hashed unless somebody decides otherwise.

use crate::{JwtPart, Point, Step};

/// Whether the value of a header lets its holder act as somebody. `name` in lower case, as in a
/// [`HeaderMap`](http::HeaderMap).
pub fn is_credential_header(name: &str) -> bool {
    matches!(
        name,
        "authorization"
            | "proxy-authorization"
            | "cookie"
            | "set-cookie"
            | "api-key"
            | "apikey"
            | "x-api-key"
            | "x-api-token"
            | "x-access-token"
            | "x-auth-token"
            | "x-amz-security-token"
            | "x-csrf-token"
            | "x-xsrf-token"
            | "x-goog-api-key"
            | "x-gitlab-token"
            | "private-token"
            | "x-vault-token"
            | "ocp-apim-subscription-key"
            | "session-id"
            | "sessionid"
            | "x-session"
            | "x-session-id"
            | "x-session-token"
            | "mcp-session-id"
    )
}

/// Names of query fields, form fields and properties that usually hold a credential; compared without case, `-` and
/// `_`.
const NAMES: &[&str] = &[
    "accesskey",
    "accesstoken",
    "apikey",
    "apitoken",
    "auth",
    "authorization",
    "authtoken",
    "bearer",
    "bearertoken",
    "clientsecret",
    "idtoken",
    "jsessionid",
    "jwt",
    "key",
    "passwd",
    "password",
    "phpsessid",
    "refreshtoken",
    "samlresponse",
    "secret",
    "session",
    "sessionid",
    "sessiontoken",
    "sessid",
    "sid",
    "sig",
    "signature",
    "token",
    "xapikey",
    "xamzsecuritytoken",
    "xamzsignature",
    "xgoogsignature",
];

impl Point {
    /// Whether the point looks at a credential: a cookie, a credential or session header, a token or its signature,
    /// or a field with a well-known token name. The claims inside a token (`jwt payload > property sub`) and its
    /// prefix are not credentials themselves, wherever the token stands.
    pub fn is_credential_place(&self) -> bool {
        let mut credential = false;
        for step in self.steps() {
            match step {
                Step::Header(name) => credential = is_credential_header(&name.as_str().to_ascii_lowercase()),
                Step::Headers | Step::Cookie(_) | Step::Cookies => credential = true,
                Step::Jwt(JwtPart::Token | JwtPart::Signature) | Step::Jwts => credential = true,
                Step::Jwt(JwtPart::Header | JwtPart::Payload | JwtPart::Prefix) => credential = false,
                // Inside a credential (a cookie that holds JSON) everything stays one; a name may make it one.
                Step::Query(name)
                | Step::Property(name)
                | Step::Multipart(name)
                | Step::Variable(name)
                | Step::Argument(name) => credential |= is_credential_name(name.as_bytes()),
                _ => {}
            }
        }
        credential
    }
}

/// Whether a field or property of this name usually holds a credential: `access_token`, `X-Amz-Signature`, and by any
/// part of a nested name `user[password]`. Compared without case, `-` and `_`.
pub fn is_credential_name(name: &[u8]) -> bool {
    let same = |written: &[u8], known: &&str| {
        let plain = written.iter().filter(|byte| !matches!(byte, b'-' | b'_')).map(u8::to_ascii_lowercase);
        plain.eq(known.bytes())
    };
    name.split(|byte| matches!(byte, b'[' | b']')).any(|part| NAMES.iter().any(|known| same(part, known)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn credentials_are_told_from_what_they_say_about_their_holder() {
        for (text, expected) in [
            ("request > header AUTHORIZATION", true),
            ("request > header authorization > bearer", true),
            ("request > header COOKIE > cookie theme", true),
            ("response > header SET-COOKIE > cookie sid", true),
            ("request > header X-API-KEY", true),
            ("request > header MCP-SESSION-ID", true),
            ("request > header AUTHORIZATION > jwt token", true),
            ("request > header AUTHORIZATION > jwt signature", true),
            ("request > body > json > property blob > jwt token", true),
            ("request > query access_token", true),
            ("request > query X-Amz-Signature", true),
            ("response > body > json > property refreshToken", true),
            ("request > header AUTHORIZATION > jwt payload > property sub", false),
            ("request > header AUTHORIZATION > jwt prefix", false),
            ("request > query \"user[password]\"", true),
            ("request > query q", false),
            ("request > query tokens", false),
            ("request > header USER-AGENT", false),
            ("request > body > json > property user", false),
            ("request > remote_addr", false),
        ] {
            assert_eq!(Point::parse(text).unwrap().is_credential_place(), expected, "{text}");
        }
    }
}
