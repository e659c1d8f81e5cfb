//! What a name may be.

/// Length of a name and of a namespace, in characters.
pub const MAXIMUM_NAME_CHARACTERS: usize = 64;

/// Why a text cannot be the name of something, each reason there is.
pub(super) fn faults(what: &str, name: &str) -> Vec<String> {
    let mut faults = Vec::new();
    if name.trim().is_empty() {
        faults.push(format!("{what} needs a name"));
    } else if name.trim() != name {
        faults.push("the name begins or ends with a space".into());
    }
    let length = name.chars().count();
    if length > MAXIMUM_NAME_CHARACTERS {
        faults.push(format!("the name has {length} characters, at most {MAXIMUM_NAME_CHARACTERS} are allowed"));
    }
    if name.chars().any(is_invisible) {
        faults.push("the name contains control or invisible characters".into());
    }
    faults
}

/// Whether a text is 1 to 64 letters, digits, dots, hyphens or underscores.
pub(super) fn is_identifier(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    (1..=MAXIMUM_NAME_CHARACTERS).contains(&text.len()) && text.bytes().all(allowed)
}

fn is_invisible(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}
