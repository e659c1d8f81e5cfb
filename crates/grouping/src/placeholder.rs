//! Texts that stand where an identifier should and identify nobody: what programs write for a value they do not have.
//! All clients with the same defect would share a session.
//!
//! For the built-in set only: whoever configures a key says what its values are.

/// Written instead of a value; without regard to ASCII case.
const WORDS: [&[u8]; 9] =
    [b"null", b"undefined", b"none", b"nil", b"nan", b"false", b"deleted", b"[object object]", b""];

/// Authentication schemes, which are left alone when the credentials after them are missing.
const SCHEMES: [&[u8]; 7] = [b"bearer", b"basic", b"token", b"jwt", b"digest", b"negotiate", b"ntlm"];

/// Whether a value, in quotes or without, is no identifier.
pub(crate) fn is_placeholder(value: &[u8]) -> bool {
    let bare = unquoted(value).trim_ascii();
    // The longest of the words; most values are longer and are not compared at all.
    bare.len() <= 15 && WORDS.iter().chain(&SCHEMES).any(|word| bare.eq_ignore_ascii_case(word))
}

/// A value without the quotes around it (RFC 6265, section 4.1.1).
pub(crate) fn unquoted(value: &[u8]) -> &[u8] {
    value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\"")).unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_told_from_identifiers() {
        for placeholder in [
            "null",
            "NULL",
            "undefined",
            "None",
            "nil",
            "NaN",
            "false",
            "deleted",
            "[object Object]",
            "Bearer",
            "token",
            "",
            "\"\"",
            "\"null\"",
            " ",
        ] {
            assert!(is_placeholder(placeholder.as_bytes()), "{placeholder}");
        }
        for identifier in ["0", "true", "nullable", "null1", "\"", "\"a\"", "bearer1", "a", "null,null"] {
            assert!(!is_placeholder(identifier.as_bytes()), "{identifier}");
        }
        assert!(WORDS.iter().chain(&SCHEMES).all(|word| word.len() <= 15));
    }
}
