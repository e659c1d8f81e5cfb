//! The request target as it may leave the node: the path with secrets replaced and its template, the query with names
//! and selected values only.

use std::borrow::Cow;

use smallvec::SmallVec;
use threadline_grouping::HashText;
use threadline_points::{form_decoded, is_credential_name, percent_decoded};

use crate::endpoint::{self, HIDDEN, MAXIMUM_SEGMENTS, MORE};
use crate::secrets::{Secrets, looks_like_credential};
use crate::text::{CUT, Text, text};

/// Longest path and longest query exported, bytes.
pub(crate) const MAXIMUM_BYTES: usize = 8 * 1024;

/// Longest name of a path parameter exported, bytes.
const MAXIMUM_PARAMETER_NAME: usize = 64;

/// A part of the path that a hashed parameter takes its value from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// The whole target.
    Whole,
    /// One part, counted from 0 as in points.
    Part(u32),
    /// Every part.
    EveryPart,
    /// The last part: name and extension.
    LastPart,
}

/// A covered part of this exchange's path, with the hash that takes its place; none when the parameter could not be
/// resolved, so that the part is only cut.
pub(crate) type Cover = (Place, Option<HashText>);

/// Path and query at the first `?` (RFC 9112, section 3.2.1). A fragment, which no client should send, is dropped.
pub(crate) fn split(target: &[u8]) -> (&[u8], Option<&[u8]>) {
    let target = memchr::memchr(b'#', target).map_or(target, |hash| &target[..hash]);
    match memchr::memchr(b'?', target) {
        Some(question) => (&target[..question], Some(&target[question + 1..])),
        None => (target, None),
    }
}

/// What becomes of one segment.
enum Segment {
    Clear,
    Hashed(HashText),
    Cut,
}

/// The exportable path; its template is appended to `template`.
pub(crate) fn path<'a>(path: &'a [u8], covers: &[Cover], secrets: &Secrets<'_>, template: &mut String) -> Text<'a> {
    if let Some((_, hash)) = covers.iter().find(|(place, _)| *place == Place::Whole) {
        template.push('/');
        template.push_str(HIDDEN);
        return hash.map_or(Text::Clear(Cow::Borrowed(CUT)), Text::Hashed);
    }
    if let Some(hash) = secrets.across_segments(path) {
        template.push('/');
        template.push_str(HIDDEN);
        return Text::Hashed(hash);
    }
    let kept = whole_segments(path);
    let (root, relative) = match kept.strip_prefix(b"/") {
        Some(relative) => ("/", relative),
        // `*` of OPTIONS, or something malformed.
        None => ("", kept),
    };
    // Only what was changed needs a text of its own; until then the path stays borrowed.
    let mut rewritten: Option<String> = None;
    let mut start = root.len();
    let is_plain = memchr::memchr2(b';', b'%', kept).is_none();
    let mut segments = relative.split(|byte| *byte == b'/').enumerate().peekable();
    while let Some((number, segment)) = segments.next() {
        let (base, parameters) = if is_plain { (segment, &[][..]) } else { split_parameters(segment) };
        let last = segments.peek().is_none() && kept.len() == path.len();
        let decoded = if is_plain { Cow::Borrowed(base) } else { percent_decoded(base) };
        let cover = cover_of(number, last, covers);
        let fate = fate(base, &decoded, cover, secrets);
        if !matches!(fate, Segment::Clear) || !parameters.is_empty() || kept.len() < path.len() {
            rewritten.get_or_insert_with(|| text(&kept[..start], MAXIMUM_BYTES).into_owned());
        }
        if let Some(rewritten) = &mut rewritten {
            match fate {
                Segment::Clear => rewritten.push_str(&text(base, MAXIMUM_BYTES)),
                Segment::Hashed(hash) => rewritten.push_str(hash.as_str()),
                Segment::Cut => rewritten.push_str(CUT),
            }
            push_parameters(parameters, secrets, rewritten);
            if segments.peek().is_some() {
                rewritten.push('/');
            }
        }
        if number <= MAXIMUM_SEGMENTS {
            template.push_str(if number == 0 { root } else { "/" });
            match fate {
                _ if number == MAXIMUM_SEGMENTS => template.push_str(MORE),
                Segment::Clear => endpoint::append_segment(base, template),
                // A secret that stands where others have an ordinary identifier makes no endpoint of its own.
                Segment::Hashed(_) if cover.is_none() => {
                    template.push_str(endpoint::placeholder(base).unwrap_or(HIDDEN));
                }
                Segment::Hashed(_) | Segment::Cut => template.push_str(HIDDEN),
            }
        }
        start += segment.len() + 1;
    }
    Text::Clear(match rewritten {
        None => text(path, MAXIMUM_BYTES),
        Some(mut rewritten) => {
            if kept.len() < path.len() {
                rewritten.push_str(CUT);
            }
            Cow::Owned(rewritten)
        }
    })
}

/// The path up to the last slash within bounds: half a segment could be half a secret, no longer recognised as one.
fn whole_segments(path: &[u8]) -> &[u8] {
    if path.len() <= MAXIMUM_BYTES {
        return path;
    }
    let slash = memchr::memrchr(b'/', &path[..MAXIMUM_BYTES]);
    &path[..slash.map_or(0, |slash| slash + 1)]
}

/// The hashed parameter that takes its value from a segment.
fn cover_of(number: usize, last: bool, covers: &[Cover]) -> Option<Cover> {
    let covers_this = |place: &Place| match place {
        Place::Whole | Place::EveryPart => true,
        Place::Part(part) => usize::try_from(*part) == Ok(number),
        Place::LastPart => last,
    };
    covers.iter().find(|(place, _)| covers_this(place)).copied()
}

fn fate(sent: &[u8], decoded: &[u8], cover: Option<Cover>, secrets: &Secrets<'_>) -> Segment {
    if let Some((_, hash)) = cover {
        hash.map_or(Segment::Cut, Segment::Hashed)
    } else if let Some(hash) = covering(sent, decoded, secrets) {
        Segment::Hashed(hash)
    } else if looks_like_credential(decoded) {
        Segment::Cut
    } else {
        Segment::Clear
    }
}

/// The hash of a secret that shows in a text as sent or once it is decoded.
fn covering(sent: &[u8], decoded: &[u8], secrets: &Secrets<'_>) -> Option<HashText> {
    secrets.covering(decoded).or_else(|| if sent == decoded { None } else { secrets.covering(sent) })
}

/// A segment without its parameters (RFC 3986, section 3.3), and the parameters with the `;` before them. An escaped
/// `;` counts: some servers unescape first.
fn split_parameters(segment: &[u8]) -> (&[u8], &[u8]) {
    // Looks no further than the first separator: this is called again for what follows it.
    let separates = |at: &usize| {
        let rest = &segment[*at..];
        rest[0] == b';' || rest.get(..3).is_some_and(|escape| escape.eq_ignore_ascii_case(b"%3b"))
    };
    match memchr::memchr2_iter(b';', b'%', segment).find(separates) {
        Some(at) => segment.split_at(at),
        None => (segment, &[]),
    }
}

/// Names of path parameters; values are never exported.
fn push_parameters(mut parameters: &[u8], secrets: &Secrets<'_>, path: &mut String) {
    while !parameters.is_empty() {
        let separator = if parameters[0] == b';' { 1 } else { 3 };
        let (parameter, rest) = split_parameters(&parameters[separator..]);
        parameters = rest;
        let (name, value) = split_pair(parameter);
        path.push(';');
        push_name(name, MAXIMUM_PARAMETER_NAME, secrets, path);
        if value.is_some() {
            path.push('=');
            path.push_str(CUT);
        }
    }
}

/// Whether the name could be shown; what stands under one that could not is no more harmless.
fn push_name(name: &[u8], limit: usize, secrets: &Secrets<'_>, into: &mut String) -> bool {
    let decoded = percent_decoded(name);
    let shown = covering(name, &decoded, secrets).is_none() && !looks_like_credential(&decoded);
    into.push_str(&if shown { text(name, limit) } else { Cow::Borrowed(CUT) });
    shown
}

fn split_pair(pair: &[u8]) -> (&[u8], Option<&[u8]>) {
    match memchr::memchr(b'=', pair) {
        Some(equals) => (&pair[..equals], Some(&pair[equals + 1..])),
        None => (pair, None),
    }
}

/// A query field that a parameter selects.
pub(crate) struct SelectedField<'s> {
    pub(crate) name: &'s [u8],
    /// The hash to export; none for a field in clear.
    pub(crate) hash: Option<HashText>,
    /// A credential that somebody chose to export in clear.
    pub(crate) chosen: bool,
}

/// Which values of a query are exported.
pub(crate) enum Values<'s> {
    /// Of a repeated field, points select the first, and so does this.
    Selected(&'s [SelectedField<'s>]),
    /// All but credentials: somebody selected the whole target.
    AllButCredentials,
}

/// The exportable query.
pub(crate) fn query<'a>(query: &'a [u8], values: &Values<'_>, secrets: &Secrets<'_>) -> Text<'a> {
    let mut exported = String::with_capacity(query.len().min(MAXIMUM_BYTES));
    let mut shown: SmallVec<[usize; 8]> = SmallVec::new();
    for field in query.split(|byte| *byte == b'&').filter(|field| !field.is_empty()) {
        if exported.len() > MAXIMUM_BYTES {
            exported.push('&');
            exported.push_str(CUT);
            break;
        }
        if !exported.is_empty() {
            exported.push('&');
        }
        let (name, value) = split_pair(field);
        let shown_name = push_name(name, MAXIMUM_BYTES, secrets, &mut exported);
        let Some(value) = value.filter(|_| shown_name) else { continue };
        match values {
            Values::Selected([]) => {}
            Values::Selected(selected) => {
                let name = form_decoded(name);
                let Some(position) = selected.iter().position(|field| field.name == &*name) else { continue };
                if shown.contains(&position) {
                    continue;
                }
                shown.push(position);
                let SelectedField { hash, chosen, .. } = selected[position];
                if chosen {
                    push_value(value, hash, &secrets.binding(), &mut exported);
                } else {
                    push_value(value, hash, secrets, &mut exported);
                }
            }
            Values::AllButCredentials if is_credential_name(&form_decoded(name)) => exported.push_str("=…"),
            Values::AllButCredentials => push_value(value, None, secrets, &mut exported),
        }
    }
    Text::Clear(Cow::Owned(exported))
}

fn push_value(value: &[u8], hash: Option<HashText>, secrets: &Secrets<'_>, exported: &mut String) {
    exported.push('=');
    let decoded = form_decoded(value);
    if let Some(hash) = hash.or_else(|| covering(value, &decoded, secrets)) {
        exported.push_str(hash.as_str());
    } else if looks_like_credential(&decoded) {
        exported.push_str(CUT);
    } else {
        exported.push_str(&text(value, MAXIMUM_BYTES));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The same by a search of the whole text.
    fn split_slowly(segment: &[u8]) -> (&[u8], &[u8]) {
        let separates = |at: &usize| segment[*at] == b';' || segment[*at..].to_ascii_lowercase().starts_with(b"%3b");
        segment.split_at((0..segment.len()).find(separates).unwrap_or(segment.len()))
    }

    proptest! {
        #[test]
        fn parameters_begin_at_the_first_separator(segment in "[a;%3bB]{0,24}") {
            prop_assert_eq!(split_parameters(segment.as_bytes()), split_slowly(segment.as_bytes()));
        }
    }
}
