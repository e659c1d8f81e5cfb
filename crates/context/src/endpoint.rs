//! Path templates: what is variable in a path becomes a placeholder, so that an ordinary API has few endpoints. A
//! client can still make up any number of them, out of words that look like names.
//!
//! The rules look at one segment at a time and keep no state, so the same path has the same template on every node
//! and for ever. In their order:
//!
//! | segment | becomes | by |
//! |---|---|---|
//! | `550e8400-e29b-41d4-a716-446655440000` | `{uuid}` | 8-4-4-4-12 hexadecimal digits |
//! | `2026-11-23`, `2026-11-23T10:00:00Z` | `{date}` | begins year-month-day, goes on with a time or not at all |
//! | `42`, `-33.86,151.2`, `1.2.3` | `{int}` | digits, signs, points and commas |
//! | `a@example.com`, `a%40example.com` | `{email}` | one `@`, a dot after it |
//! | `9f86d081884c7d65` | `{hex}` | 8 or more hexadecimal digits, figures among them |
//! | `cus_9s6XKzkNRiz8i3`, `V1StGXR8Z5jdHi6BmyT` | `{token}` | a run of 16 letters and figures mixed, or 10 with both cases |
//! | `hello%20world`, longer than 64 bytes | `{text}` | written by people, or too long for a name |
//! | `order-1234`, `user20451` | `order-{int}`, `user{int}` | figures at the end after `-` `_` `.` `:`, or 4 and more |
//! | `users`, `v2`, `index.php` | itself | everything else |
//!
//! A file's extension is kept: `report-7.pdf` becomes `report-{int}.pdf`. A segment that a hashed parameter takes its
//! value from, or that holds a token, is `{hidden}`; one that only equals a secret keeps its placeholder, if it has
//! one. After 16 segments the rest is `{more}`.

/// Segments that a template has at most.
pub(crate) const MAXIMUM_SEGMENTS: usize = 16;

/// Longest segment that is taken for a name, bytes.
const LONGEST_NAME: usize = 64;

/// Shortest segment that may be a code rather than a word, bytes.
const SHORTEST_CODE: usize = 8;

/// Longest extension of a file, bytes.
const LONGEST_EXTENSION: usize = 5;

/// Instead of a segment that a hashed parameter or a credential rule covers.
pub(crate) const HIDDEN: &str = "{hidden}";

/// Instead of the segments after the first 16.
pub(crate) const MORE: &str = "{more}";

/// Appends what stands for one segment, which is given as sent, without path parameters.
pub(crate) fn append_segment(segment: &[u8], template: &mut String) {
    if is_plain_name(segment) {
        // The most frequent case: letters, `-` and `_` only.
        template.push_str(std::str::from_utf8(segment).unwrap_or_default());
    } else if let Some(placeholder) = placeholder(segment) {
        template.push_str(placeholder);
    } else if let Some((stem, extension)) = file_extension(segment)
        && let Some(placeholder) = placeholder(stem)
    {
        push(&[placeholder.as_bytes(), extension], template);
    } else {
        let (stem, extension) = file_extension(segment).unwrap_or((segment, b""));
        match trailing_number(stem) {
            Some(name) => push(&[name, b"{int}", extension], template),
            None => push(&[segment], template),
        }
    }
}

/// Segments that get here are ASCII; anything else has a placeholder.
fn push(parts: &[&[u8]], template: &mut String) {
    for part in parts {
        template.push_str(std::str::from_utf8(part).unwrap_or_default());
    }
}

fn is_plain_name(segment: &[u8]) -> bool {
    segment.len() <= LONGEST_NAME
        && segment.iter().all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'-' | b'_'))
        && (segment.len() < SHORTEST_CODE || !(is_hexadecimal_run(segment) || is_token(segment)))
}

/// The placeholder of a segment that is variable as a whole.
pub(crate) fn placeholder(segment: &[u8]) -> Option<&'static str> {
    if is_uuid(segment) {
        Some("{uuid}")
    } else if is_date(segment) {
        Some("{date}")
    } else if is_number(segment) {
        Some("{int}")
    } else if is_email(segment) {
        Some("{email}")
    } else if is_hexadecimal_run(segment) {
        Some("{hex}")
    } else if is_token(segment) {
        Some("{token}")
    } else if segment.len() > LONGEST_NAME || !segment.iter().all(|byte| byte.is_ascii_graphic() && *byte != b'%') {
        Some("{text}")
    } else {
        None
    }
}

fn is_uuid(segment: &[u8]) -> bool {
    segment.len() == 36
        && segment.iter().enumerate().all(|(position, byte)| match position {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

fn is_date(segment: &[u8]) -> bool {
    let Some((day, time)) = segment.split_at_checked(10) else { return false };
    let day_fits = day.iter().enumerate().all(|(position, byte)| match position {
        4 | 7 => *byte == b'-',
        _ => byte.is_ascii_digit(),
    });
    let time_byte = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b':' | b'.' | b'+' | b'-' | b'Z' | b'%' | b'A');
    day_fits && (time.is_empty() || (matches!(time[0], b'T' | b't') && time[1..].iter().all(time_byte)))
}

fn is_number(segment: &[u8]) -> bool {
    segment.iter().any(u8::is_ascii_digit)
        && segment.iter().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b',' | b'-' | b'+'))
}

fn is_email(segment: &[u8]) -> bool {
    let at = segment
        .iter()
        .position(|byte| *byte == b'@')
        .map(|at| (at, 1))
        .or_else(|| segment.windows(3).position(|escape| escape.eq_ignore_ascii_case(b"%40")).map(|at| (at, 3)));
    at.is_some_and(|(at, width)| {
        let domain = &segment[at + width..];
        at > 0 && domain.contains(&b'.') && !domain.contains(&b'@') && !domain.starts_with(b".")
    })
}

/// Words such as `facade` have no figures; a long run without figures is no word either.
fn is_hexadecimal_run(segment: &[u8]) -> bool {
    segment.len() >= SHORTEST_CODE
        && segment.iter().all(u8::is_ascii_hexdigit)
        && (segment.len() >= 16 || segment.iter().any(u8::is_ascii_digit))
}

/// Whether some run of letters and figures is too mixed for a word.
fn is_token(segment: &[u8]) -> bool {
    let run_byte = |byte: &u8| byte.is_ascii_alphanumeric();
    segment.split(|byte| !run_byte(byte)).any(|run| {
        if run.len() < 10 {
            return false;
        }
        let figures = run.iter().filter(|byte| byte.is_ascii_digit()).count();
        let upper = run.iter().any(u8::is_ascii_uppercase);
        let lower = run.iter().any(u8::is_ascii_lowercase);
        let letters = figures < run.len();
        // `internationalization2` is a word with a number: figures must stand among the letters.
        let mixed = figures >= 2 && letters && trailing_figures(run) < figures;
        (run.len() >= 16 && mixed) || (figures >= 1 && upper && lower && changes_of_kind(run) >= 4)
    })
}

/// How often a letter follows a figure, an upper-case letter a lower-case one, or the other way round.
fn changes_of_kind(run: &[u8]) -> usize {
    let kind = |byte: &u8| (byte.is_ascii_digit(), byte.is_ascii_uppercase());
    run.windows(2).filter(|pair| kind(&pair[0]) != kind(&pair[1])).count()
}

fn trailing_figures(segment: &[u8]) -> usize {
    segment.iter().rev().take_while(|byte| byte.is_ascii_digit()).count()
}

/// What stands before a number at the end, when the number is variable and not a version (`v2`, `oauth2`).
fn trailing_number(segment: &[u8]) -> Option<&[u8]> {
    let figures = trailing_figures(segment);
    let name = &segment[..segment.len() - figures];
    let separated = matches!(name.last(), Some(b'-' | b'_' | b'.' | b':' | b'='));
    let variable = figures >= 4 || (figures >= 1 && separated);
    (variable && !name.is_empty()).then_some(name)
}

/// The stem of a file's name and its extension with the dot.
fn file_extension(segment: &[u8]) -> Option<(&[u8], &[u8])> {
    let dot = segment.iter().rposition(|byte| *byte == b'.').filter(|dot| *dot > 0)?;
    let (stem, extension) = segment.split_at(dot);
    let fits = (2..=LONGEST_EXTENSION + 1).contains(&extension.len());
    let is_word = extension[1..].iter().all(u8::is_ascii_alphanumeric) && extension.iter().any(u8::is_ascii_alphabetic);
    (fits && is_word).then_some((stem, extension))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn template(segment: &str) -> String {
        let mut template = String::new();
        append_segment(segment.as_bytes(), &mut template);
        template
    }

    #[test]
    fn segments_become_what_the_table_says() {
        for (segment, expected) in [
            ("users", "users"),
            ("v1", "v1"),
            ("v2beta1", "v2beta1"),
            ("oauth2", "oauth2"),
            ("index.php", "index.php"),
            ("jquery.min.js", "jquery.min.js"),
            ("well-known", "well-known"),
            (".well-known", ".well-known"),
            ("openid-configuration", "openid-configuration"),
            ("internationalization", "internationalization"),
            ("shop.v1.Orders", "shop.v1.Orders"),
            ("GetCustomerOrders", "GetCustomerOrders"),
            ("facade", "facade"),
            ("deadbeef", "deadbeef"),
            ("~user", "~user"),
            ("", ""),
            ("42", "{int}"),
            ("0", "{int}"),
            ("-7", "{int}"),
            ("1.2.3", "{int}"),
            ("-33.86,151.20", "{int}"),
            ("12345678901234567890123", "{int}"),
            ("550e8400-e29b-41d4-a716-446655440000", "{uuid}"),
            ("550E8400-E29B-41D4-A716-446655440000", "{uuid}"),
            ("550e8400-e29b-41d4-a716-446655440000.json", "{uuid}.json"),
            ("2026-11-23", "{date}"),
            ("2026-11-23T10:00:00Z", "{date}"),
            ("2026-11-23T10:00:00.5+01:00", "{date}"),
            ("9f86d081", "{hex}"),
            ("507f1f77bcf86cd799439011", "{hex}"),
            ("abcdefabcdefabcdef", "{hex}"),
            ("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "{hex}"),
            ("a@example.com", "{email}"),
            ("a.b%40example.co.uk", "{email}"),
            ("@scope", "@scope"),
            ("cus_9s6XKzkNRiz8i3", "{token}"),
            ("V1StGXR8Z5jdHi6BmyT", "{token}"),
            ("01ARZ3NDEKTSV4RRFFQ69G5FAV", "{token}"),
            ("dQw4w9WgXcQ", "{token}"),
            ("hello%20world", "{text}"),
            ("grüße", "{text}"),
            ("my-first-blog-post", "my-first-blog-post"),
            ("top-10-tips", "top-10-tips"),
            ("order-1234", "order-{int}"),
            ("order_7", "order_{int}"),
            ("user20451", "user{int}"),
            ("report-7.pdf", "report-{int}.pdf"),
            ("42.json", "{int}.json"),
            ("app.3f2a9c1b.js", "app.3f2a9c1b.js"),
        ] {
            assert_eq!(template(segment), expected, "{segment}");
        }
        assert_eq!(template(&"name".repeat(17)), "{text}");
    }

    proptest! {
        #[test]
        fn every_segment_has_a_short_template(segment in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut template = String::new();
            append_segment(&segment, &mut template);
            prop_assert!(template.len() <= LONGEST_NAME + 16);
            prop_assert_eq!(template.is_empty(), segment.is_empty());
        }

        #[test]
        fn identifiers_never_make_endpoints_of_their_own(number: u64, bytes: [u8; 16]) {
            prop_assert_eq!(template(&number.to_string()), "{int}");
            let hexadecimal: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            let found = template(&hexadecimal);
            prop_assert!(["{hex}", "{int}"].contains(&found.as_str()), "{}", found);
        }
    }
}
