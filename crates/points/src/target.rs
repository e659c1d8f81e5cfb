//! The parts of a request target in origin form (RFC 9112, section 3.2.1), by the rules of docs/points.md.

/// The path, without the query.
pub(crate) fn path(target: &[u8]) -> &[u8] {
    memchr::memchr(b'?', target).map_or(target, |question| &target[..question])
}

/// What follows the first `?`; `None` without one.
pub(crate) fn query(target: &[u8]) -> Option<&[u8]> {
    memchr::memchr(b'?', target).map(|question| &target[question + 1..])
}

/// The parts of a path between its slashes. The last one may be empty: `/a/` has `a` and an empty part.
pub(crate) fn parts(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    path.strip_prefix(b"/").unwrap_or(path).split(|byte| *byte == b'/')
}

/// One part of a path, still percent-encoded, counted from 0.
pub(crate) fn path_part(path: &[u8], number: u32) -> Option<&[u8]> {
    parts(path).nth(number as usize)
}

/// The last part of a path, still percent-encoded, cut at its first dot into name and extension.
pub(crate) fn action(path: &[u8]) -> (&[u8], Option<&[u8]>) {
    let last = parts(path).last().unwrap_or_default();
    match memchr::memchr(b'.', last) {
        Some(dot) => (&last[..dot], Some(&last[dot + 1..])),
        None => (last, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_part_is_cut_at_its_first_dot() {
        for (text, name, extension) in [
            ("/blogs/123/index.php?q=a.b", "index", Some("php")),
            ("/a/archive.tar.gz", "archive", Some("tar.gz")),
            ("/a/b", "b", None),
            ("/a/", "", None),
            ("/.htaccess", "", Some("htaccess")),
            ("/", "", None),
            ("", "", None),
            ("*", "*", None),
        ] {
            let expected = (name.as_bytes(), extension.map(str::as_bytes));
            assert_eq!(action(path(text.as_bytes())), expected, "{text}");
        }
    }
}
