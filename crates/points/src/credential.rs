//! Which points look at credentials, so that their values are exported hashed unless somebody decides otherwise.

use crate::{JwtPart, Point, Step};

/// Headers whose value lets its holder act as somebody.
const HEADERS: &[&str] = &[
    "AUTHORIZATION",
    "PROXY-AUTHORIZATION",
    "COOKIE",
    "SET-COOKIE",
    "API-KEY",
    "APIKEY",
    "X-API-KEY",
    "X-API-TOKEN",
    "X-ACCESS-TOKEN",
    "X-AUTH-TOKEN",
    "X-AMZ-SECURITY-TOKEN",
    "X-CSRF-TOKEN",
    "X-XSRF-TOKEN",
    "X-GOOG-API-KEY",
    "X-GITLAB-TOKEN",
    "PRIVATE-TOKEN",
    "X-VAULT-TOKEN",
    "OCP-APIM-SUBSCRIPTION-KEY",
    "SESSION-ID",
    "SESSIONID",
    "X-SESSION",
    "X-SESSION-ID",
    "X-SESSION-TOKEN",
    "MCP-SESSION-ID",
];

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
];

impl Point {
    /// Whether the point looks at a credential: a cookie, a credential or session header, a token or its signature,
    /// or a field with a well-known token name. The claims inside a token (`jwt payload > property sub`) and its
    /// prefix are not credentials themselves, wherever the token stands.
    pub fn is_credential_place(&self) -> bool {
        let mut credential = false;
        for step in self.steps() {
            match step {
                Step::Header(name) => credential = HEADERS.contains(&name.as_str()),
                Step::Headers | Step::Cookie(_) | Step::Cookies => credential = true,
                Step::Jwt(JwtPart::Token | JwtPart::Signature) | Step::Jwts => credential = true,
                Step::Jwt(JwtPart::Header | JwtPart::Payload | JwtPart::Prefix) => credential = false,
                // Inside a credential (a cookie that holds JSON) everything stays one; a name may make it one.
                Step::Query(name)
                | Step::Property(name)
                | Step::Multipart(name)
                | Step::Variable(name)
                | Step::Argument(name) => credential |= is_credential_name(name),
                _ => {}
            }
        }
        credential
    }
}

fn is_credential_name(name: &str) -> bool {
    let plain: String =
        name.chars().filter(|character| !matches!(character, '-' | '_')).flat_map(char::to_lowercase).collect();
    NAMES.contains(&plain.as_str())
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
            ("request > query q", false),
            ("request > header USER-AGENT", false),
            ("request > body > json > property user", false),
            ("request > remote_addr", false),
        ] {
            assert_eq!(Point::parse(text).unwrap().is_credential_place(), expected, "{text}");
        }
    }
}
