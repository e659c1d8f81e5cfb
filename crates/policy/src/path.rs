//! Path patterns: `/api` means that path and everything below it; in a segment `*` stands for any text, and `**` for any
//! number of segments.

use std::borrow::Cow;
use std::fmt;

use smallvec::SmallVec;
use threadline_points::percent_decoded;

/// Length of a path pattern, bytes.
pub(crate) const MAXIMUM_PATH_BYTES: usize = 512;
/// Segments of a request's path that are looked at.
const MAXIMUM_SEGMENTS: usize = 256;

/// Which paths are meant. Compares with case, after percent-decoding, without empty and dot segments: what servers take
/// for the same path is the same here.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PathPattern {
    segments: Box<[Segment]>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Segment {
    /// `**`.
    Any,
    /// The texts between which anything may stand; at least two.
    Glob(Box<[Box<[u8]>]>),
    /// Exactly this text.
    Text(Box<[u8]>),
}

impl Segment {
    fn matches(&self, text: &[u8]) -> bool {
        match self {
            Self::Any => true,
            Self::Text(wanted) => **wanted == *text,
            Self::Glob(glob) => matches_glob(glob, text),
        }
    }
}

/// Whether the pieces stand in a text in their order, the first at its start and the last at its end.
fn matches_glob(pieces: &[Box<[u8]>], text: &[u8]) -> bool {
    let [first, middle @ .., last] = pieces else { return false };
    let Some(mut rest) = text.strip_prefix(&**first).and_then(|rest| rest.strip_suffix(&**last)) else { return false };
    for piece in middle {
        let Some(at) = memchr::memmem::find(rest, piece) else { return false };
        rest = &rest[at + piece.len()..];
    }
    true
}

fn glob(segment: &str) -> Box<[Box<[u8]>]> {
    segment.split('*').map(|piece| percent_decoded(piece.as_bytes()).into()).collect()
}

impl PathPattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// Why it is none.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if text.len() > MAXIMUM_PATH_BYTES {
            return Err("is longer than 512 bytes");
        }
        if !text.starts_with('/') {
            return Err("a path starts with /");
        }
        if text.contains(['?', '#', ';']) {
            return Err("a path ends before ? and #, and parameters behind ; belong to no path");
        }
        if text.chars().any(char::is_control) {
            return Err("contains control characters");
        }
        let mut segments = Vec::new();
        for segment in text.split('/').filter(|segment| !segment.is_empty()) {
            segments.push(match segment {
                _ if matches!(&*percent_decoded(segment.as_bytes()), b"." | b"..") => {
                    return Err("a pattern has no dot segments");
                }
                "**" => Segment::Any,
                _ if segment.contains("**") => return Err("** stands only for whole segments: /api/**/orders"),
                _ if segment.contains('*') => Segment::Glob(glob(segment)),
                _ => Segment::Text(percent_decoded(segment.as_bytes()).into()),
            });
        }
        // Everything below is meant anyway.
        while segments.last() == Some(&Segment::Any) {
            segments.pop();
        }
        segments.dedup_by(|next, before| *next == Segment::Any && *before == Segment::Any);
        Ok(Self { segments: segments.into() })
    }

    /// Whether a path is meant.
    pub fn matches(&self, path: &NormalPath<'_>) -> bool {
        let (wanted, segments) = (&self.segments, &path.segments);
        let (mut at, mut position) = (0, 0);
        let mut retry: Option<(usize, usize)> = None;
        loop {
            match wanted.get(at) {
                // What is left of the path lies below.
                None => return true,
                Some(Segment::Any) => {
                    retry = Some((at + 1, position));
                    at += 1;
                }
                Some(segment) if segments.get(position).is_some_and(|text| segment.matches(text)) => {
                    at += 1;
                    position += 1;
                }
                Some(_) => match retry {
                    Some((after, from)) if from < segments.len() => {
                        retry = Some((after, from + 1));
                        (at, position) = (after, from + 1);
                    }
                    _ => return false,
                },
            }
        }
    }

    /// Whether every path that `other` means is meant, as far as that can be told from the patterns' beginnings.
    pub fn covers(&self, other: &Self) -> bool {
        self.segments.len() <= other.segments.len()
            && self.segments.iter().zip(&other.segments).all(|(one, other)| match (one, other) {
                (one, other) if one == other => true,
                (Segment::Glob(glob), Segment::Text(text)) => matches_glob(glob, text),
                (Segment::Glob(glob), Segment::Glob(_)) => glob.iter().all(|piece| piece.is_empty()),
                _ => false,
            })
    }
}

impl fmt::Display for PathPattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.segments.is_empty() {
            return formatter.write_str("/");
        }
        for segment in &self.segments {
            match segment {
                Segment::Any => formatter.write_str("/**")?,
                Segment::Text(text) => {
                    formatter.write_str("/")?;
                    write_text(text, formatter)?;
                }
                Segment::Glob(pieces) => {
                    for (number, piece) in pieces.iter().enumerate() {
                        formatter.write_str(if number == 0 { "/" } else { "*" })?;
                        write_text(piece, formatter)?;
                    }
                }
            }
        }
        Ok(())
    }
}

/// Writes a text so that it is read again as the same.
fn write_text(text: &[u8], formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
    for chunk in text.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                special @ ('/' | '?' | '#' | '%' | ';' | '*') => write!(formatter, "%{:02X}", u32::from(special))?,
                other if other.is_control() => {
                    for byte in other.encode_utf8(&mut [0; 4]).bytes() {
                        write!(formatter, "%{byte:02X}")?;
                    }
                }
                other => write!(formatter, "{other}")?,
            }
        }
        for byte in chunk.invalid() {
            write!(formatter, "%{byte:02X}")?;
        }
    }
    Ok(())
}

/// A request's path as patterns see it: split into segments, percent-decoded, without empty ones, `.` and `..`
/// (RFC 3986, section 5.2.4). Of a longer path the first 256 segments.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NormalPath<'e> {
    segments: SmallVec<[Cow<'e, [u8]>; 8]>,
}

impl<'e> NormalPath<'e> {
    /// Reads a path without query.
    pub fn read(path: &'e [u8]) -> Self {
        let mut segments: SmallVec<[Cow<'e, [u8]>; 8]> = SmallVec::new();
        for segment in path.split(|byte| *byte == b'/').filter(|segment| !segment.is_empty()) {
            // A parameter belongs to no name (RFC 3986, section 3.3): `/orders;v=1` is `/orders` to most servers.
            let end = segment.iter().position(|byte| *byte == b';').unwrap_or(segment.len());
            match percent_decoded(&segment[..end]) {
                segment if segment.is_empty() || *segment == *b"." => {}
                segment if *segment == *b".." => {
                    segments.pop();
                }
                segment => {
                    if segments.len() == MAXIMUM_SEGMENTS {
                        break;
                    }
                    segments.push(segment);
                }
            }
        }
        Self { segments }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    fn matches(pattern: &str, path: &str) -> bool {
        PathPattern::parse(pattern).unwrap().matches(&NormalPath::read(path.as_bytes()))
    }

    #[test]
    fn a_pattern_means_a_path_and_what_lies_below() {
        for (pattern, path, expected) in [
            ("/", "/", true),
            ("/", "/anything/at/all", true),
            ("/api", "/api", true),
            ("/api", "/api/", true),
            ("/api", "/api/orders/7", true),
            ("/api", "/apis", false),
            ("/api/", "/api", true),
            ("/api", "/API", false),
            ("/users/*/password", "/users/7/password", true),
            ("/users/*/password", "/users/7/8/password", false),
            ("/users/*/password", "/users/password", false),
            ("/users/u*7", "/users/u-77", true),
            ("/users/u*7", "/users/u-78", false),
            ("/**/password", "/password", true),
            ("/**/password", "/a/b/c/password/reset", true),
            ("/**/password", "/a/passwords", false),
            ("/a/**/b/**/c", "/a/x/b/y/z/b/c", true),
            ("/api/**", "/api", true),
        ] {
            assert_eq!(matches(pattern, path), expected, "{pattern} {path}");
        }
    }

    #[test]
    fn spellings_that_servers_take_for_the_same_path_are_the_same() {
        for path in
            ["/login", "//login", "/./login", "/a/../login", "/%6cogin", "/%6Cogin/", "/login;v=1", "/a/%2e%2e/login"]
        {
            assert!(matches("/login", path), "{path}");
        }
        assert!(!matches("/login", "/login%2fx"), "an escaped slash separates nothing");
        assert!(!matches("/login", "/%256cogin"), "decoded once");
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        let long = format!("/{}", "a".repeat(512));
        for text in ["", "api", "/a?b", "/a#b", "/a;b", "/a/../b", "/a/%2E/b", "/a**", "/a\nb", &long] {
            assert!(PathPattern::parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_pattern_is_written_as_it_is_read(text in "/([a-c*/.;]|%2[aef]|%3b|%ff|%){0,12}") {
            if let Ok(pattern) = PathPattern::parse(&text) {
                prop_assert_eq!(PathPattern::parse(&pattern.to_string()).unwrap(), pattern);
            }
        }

        #[test]
        fn what_a_covered_pattern_matches_is_matched(
            wide in "(/([ab]|\\*|\\*\\*|a\\*)){0,3}", narrow in "(/([ab]|\\*|a\\*)){0,3}", path in "(/[ab]{1,2}){0,4}",
        ) {
            let wide = PathPattern::parse(&format!("{wide}/")).unwrap();
            let narrow = PathPattern::parse(&format!("{narrow}/")).unwrap();
            let path = NormalPath::read(path.as_bytes());
            if wide.covers(&narrow) && narrow.matches(&path) {
                prop_assert!(wide.matches(&path));
            }
        }

        #[test]
        fn globs_agree_with_a_slow_matcher(glob in "[ab*]{0,6}", text in "[ab]{0,8}") {
            fn slow(glob: &[u8], text: &[u8]) -> bool {
                match glob.split_first() {
                    None => text.is_empty(),
                    Some((b'*', rest)) => (0..=text.len()).any(|skip| slow(rest, &text[skip..])),
                    Some((byte, rest)) => text.split_first().is_some_and(|(first, after)| first == byte && slow(rest, after)),
                }
            }
            if glob.contains('*') {
                prop_assert_eq!(matches_glob(&super::glob(&glob), text.as_bytes()), slow(glob.as_bytes(), text.as_bytes()));
            }
        }
    }
}
