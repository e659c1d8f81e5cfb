//! The cookie that carries a sign-in (RFC 6265).

use http::{HeaderMap, HeaderValue, header};

use super::secret::Secret;
use super::sign_in::ABSOLUTE_MICROS;
use crate::problem::Problem;

/// Its name.
pub(crate) const NAME: &str = "threadline_session";
/// Takes it away.
pub(crate) const fn removal(secure: bool) -> &'static str {
    match secure {
        true => "threadline_session=; HttpOnly; SameSite=Strict; Path=/; Max-Age=0; Secure",
        false => "threadline_session=; HttpOnly; SameSite=Strict; Path=/; Max-Age=0",
    }
}

/// The secret in a request's cookie. The first one counts; an empty one is none.
pub(crate) fn read(headers: &HeaderMap) -> Option<&str> {
    let pairs = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut values = pairs.flat_map(|text| text.split(';')).filter_map(|pair| pair.trim().split_once('='));
    values.find(|(name, value)| *name == NAME && !value.is_empty()).map(|(_, value)| value)
}

/// Gives it to a browser. Scripts cannot read it, and no other site's page can cause it to be sent.
pub(crate) fn set(secret: &Secret, secure: bool) -> Result<HeaderValue, Problem> {
    let age = ABSOLUTE_MICROS / 1_000_000;
    let secure = if secure { "; Secure" } else { "" };
    let text = format!("{NAME}={}; HttpOnly; SameSite=Strict; Path=/; Max-Age={age}{secure}", secret.reveal());
    let mut value = HeaderValue::from_str(&text).map_err(|error| Problem::internal("write a cookie", &error))?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::security::secret::NO_PREFIX;

    #[test]
    fn the_cookie_is_found_among_others() {
        for (text, expected) in [
            ("threadline_session=abc", Some("abc")),
            ("a=1; threadline_session=abc; b=2", Some("abc")),
            ("xthreadline_session=abc", None),
            ("threadline_session=", None),
            ("", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::COOKIE, text.parse().unwrap());
            assert_eq!(read(&headers), expected, "{text}");
        }
    }

    #[test]
    fn the_cookie_is_closed_to_scripts_and_other_sites() {
        let secret = Secret::generate(NO_PREFIX).unwrap();
        let plain = set(&secret, false).unwrap();
        let plain = plain.to_str().unwrap();
        assert!(plain.contains("; HttpOnly; SameSite=Strict; Path=/;") && !plain.contains("Secure"));
        assert!(set(&secret, true).unwrap().to_str().unwrap().ends_with("; Secure"));
    }
}
