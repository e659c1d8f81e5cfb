//! What the shop issues: opaque tokens, JSON Web Tokens (RFC 7519) and API keys, all functions of the seed.
//!
//! The signature is 32 bytes in the shape of HS256, made with BLAKE3: enough for a stage, nothing to trust.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::random::{digest, hex};

/// The issuer in every token.
pub(super) const ISSUER: &str = "https://login.shop.example";

/// Tokens hold no wall clock, so that a seed always gives the same ones; they are valid for the length of a demo.
const ISSUED_AT: u64 = 1_795_392_000;
const EXPIRES_AT: u64 = ISSUED_AT + 10 * 365 * 86_400;

/// An opaque token.
pub(super) fn opaque(seed: u64, user: u32, nonce: &str) -> String {
    hex(&digest(seed, "token", &[&user.to_le_bytes(), nonce.as_bytes()])[..16])
}

/// The API key of an integration partner: the same for every seed, as passwords are.
pub(crate) fn api_key(user: u32) -> String {
    format!("pk_{user}_{}", hex(&digest(0, "api key", &[&user.to_le_bytes()])[..12]))
}

/// The identity of a mobile session: stays over refreshes.
pub(super) fn mobile_session(seed: u64, user: u32, nonce: &str) -> String {
    hex(&digest(seed, "sid", &[&user.to_le_bytes(), nonce.as_bytes()])[..12])
}

/// A signed access token. `nonce` becomes its `jti`, so every refresh gives another token.
pub(crate) fn access_token(seed: u64, user: u32, role: &str, session: &str, nonce: &str) -> String {
    let header = json!({"alg": "HS256", "typ": "JWT", "kid": "demo"});
    let payload = json!({
        "iss": ISSUER,
        "sub": format!("user-{user}"),
        "sid": session,
        "role": role,
        "iat": ISSUED_AT,
        "exp": EXPIRES_AT,
        "jti": nonce,
    });
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", encode(&header), encode(&payload));
    let signature = URL_SAFE_NO_PAD.encode(digest(seed, "signature", &[signed.as_bytes()]));
    format!("{signed}.{signature}")
}

/// The claims of an access token that this shop issued.
pub(super) fn claims(seed: u64, token: &str) -> Option<Value> {
    let (signed, signature) = token.rsplit_once('.')?;
    let expected = URL_SAFE_NO_PAD.encode(digest(seed, "signature", &[signed.as_bytes()]));
    if signature != expected {
        return None;
    }
    let (_, payload) = signed.split_once('.')?;
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_token_shows_its_claims_only_as_issued() {
        let token = access_token(7, 104, "customer", "s1", "n1");
        let claims_of = claims(7, &token).unwrap();
        assert_eq!((claims_of["sub"].as_str(), claims_of["sid"].as_str()), (Some("user-104"), Some("s1")));
        assert_eq!(claims(8, &token), None, "another shop's token");
        assert_ne!(token, access_token(7, 104, "customer", "s1", "n2"));
    }
}
