//! Paths, names of code and names of environment variables that documents mention exist.

use std::collections::{BTreeMap, BTreeSet};

use super::markdown::Span;
use crate::finding::Finding;
use crate::tree::Tree;

/// Endings of files of this repository. A bare name with one of them (`pipeline.rs`) must be the name of some file.
/// Others (`threadline.yaml`, `recording.har`) are the reader's own.
const SOURCES: [&str; 7] = ["rs", "ts", "tsx", "mjs", "sh", "md", "service"];

/// Checks the code spans of every document.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let words = Words::of(tree);
    let mut findings = Vec::new();
    for (path, document) in super::all(tree) {
        for span in &document.spans {
            if let Some(message) = reason_against(tree, &words, path, span) {
                findings.push(Finding::at(path, span.line, message));
            }
        }
    }
    findings
}

fn reason_against(tree: &Tree, words: &Words, document: &str, span: &Span) -> Option<String> {
    let text = span.text.as_str();
    if text.contains(char::is_whitespace) {
        return None;
    }
    if is_environment_variable(text) {
        return (!words.environment.contains(text)).then(|| format!("no code reads `{text}`"));
    }
    if let Some((first, rest)) = text.split_once("::") {
        return words.reason_against(first, rest);
    }
    let path = strip_line_number(text).trim_start_matches("./");
    let folder = document.rsplit_once('/').map_or("", |(folder, _)| folder);
    let beside = if folder.is_empty() { path.to_owned() } else { format!("{folder}/{path}") };
    let is_there = tree.has(path)
        || tree.has(&beside)
        || tree.ignores(path)
        || tree.ignores(&beside)
        || matches_pattern(tree, path);
    (looks_like_path(tree, path) && !is_there).then(|| format!("there is no `{path}`"))
}

/// Whether a code span means a path of this repository, rather than a route, a media type or an expression.
fn looks_like_path(tree: &Tree, text: &str) -> bool {
    if text.starts_with(['/', '~', '$', '-', '@']) || text.contains([':', '(', '{', '<', '=', '"', '$', '…', '|', '?'])
    {
        return false;
    }
    let extension = text.rsplit_once('.').map(|(_, extension)| extension);
    let is_source = extension.is_some_and(|extension| SOURCES.contains(&extension));
    match text.split_once('/') {
        Some((first, _)) => is_source || tree.has_folder(first),
        None => is_source && !text.starts_with(['.', '*']),
    }
}

/// Whether any file fits a pattern: `*` is anything within a segment, `**` any segments, and a segment in capitals
/// (`crates/NAME`) any one segment. A bare name fits wherever it lies.
fn matches_pattern(tree: &Tree, pattern: &str) -> bool {
    let segments: Vec<&str> = pattern.trim_end_matches('/').split('/').collect();
    tree.files().any(|(path, _)| {
        let path: Vec<&str> = path.split('/').collect();
        match segments.as_slice() {
            [name] => path.last().is_some_and(|last| segment_fits(name, last)),
            // A pattern may name a folder.
            _ => (1..=path.len()).any(|length| path_fits(&segments, &path[..length])),
        }
    })
}

fn path_fits(pattern: &[&str], path: &[&str]) -> bool {
    match (pattern.split_first(), path.split_first()) {
        (None, None) => true,
        (Some((&"**", rest)), _) => (0..=path.len()).any(|skipped| path_fits(rest, &path[skipped..])),
        (Some((first, rest)), Some((segment, below))) => segment_fits(first, segment) && path_fits(rest, below),
        _ => false,
    }
}

fn segment_fits(pattern: &str, segment: &str) -> bool {
    if pattern.len() > 1 && pattern.chars().all(|one| one.is_ascii_uppercase() || matches!(one, '_' | '-')) {
        return true;
    }
    match pattern.split_once('*') {
        None => pattern == segment,
        Some((start, rest)) => segment.strip_prefix(start).is_some_and(|left| {
            (0..=left.len()).filter(|cut| left.is_char_boundary(*cut)).any(|cut| segment_fits(rest, &left[cut..]))
        }),
    }
}

/// `a.rs` for `a.rs:12`.
fn strip_line_number(text: &str) -> &str {
    match text.rsplit_once(':') {
        Some((path, number)) if !number.is_empty() && number.chars().all(|one| one.is_ascii_digit()) => path,
        _ => text,
    }
}

fn is_environment_variable(text: &str) -> bool {
    let is_name = |one: char| one.is_ascii_uppercase() || one.is_ascii_digit() || one == '_';
    text.strip_prefix("THREADLINE_").is_some_and(|rest| !rest.is_empty() && rest.chars().all(is_name))
}

/// The words of the code.
struct Words {
    /// By crate, as Rust writes it (`store_duckdb`): every identifier in its files.
    by_crate: BTreeMap<String, BTreeSet<String>>,
    /// Environment variables that code or scripts name.
    environment: BTreeSet<String>,
}

impl Words {
    fn of(tree: &Tree) -> Words {
        let mut words = Words { by_crate: BTreeMap::new(), environment: BTreeSet::new() };
        for (path, text) in tree.files().filter(|(path, _)| !path.ends_with(".md")) {
            let identifiers =
                || text.split(|one: char| !one.is_alphanumeric() && one != '_').filter(|word| !word.is_empty());
            words.environment.extend(identifiers().filter(|word| is_environment_variable(word)).map(str::to_owned));
            let folder = path.strip_prefix("crates/").and_then(|rest| rest.split_once('/')).map(|(folder, _)| folder);
            if let Some(folder) = folder.filter(|_| path.ends_with(".rs")) {
                let known = words.by_crate.entry(folder.replace('-', "_")).or_default();
                known.extend(identifiers().map(str::to_owned));
                // A module's name is its file's or its folder's.
                known.extend(path.trim_end_matches(".rs").split('/').map(str::to_owned));
            }
        }
        words
    }

    /// `points::Plan::extract`: a crate of ours must have the words that follow.
    fn reason_against(&self, first: &str, rest: &str) -> Option<String> {
        let name = first.strip_prefix("threadline_").unwrap_or(first);
        let known = self.by_crate.get(name)?;
        let mut segments = rest
            .split("::")
            .map(|segment| segment.split(|one: char| !one.is_alphanumeric() && one != '_').next().unwrap_or_default());
        let missing = segments.find(|segment| !segment.is_empty() && !known.contains(*segment))?;
        Some(format!("the crate {name} has no `{missing}`"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(span: &str) -> Vec<String> {
        let text = format!("`{span}`\n");
        let tree = Tree::of(&[
            (".gitignore", "/target\n"),
            ("crates/points/src/plan.rs", "pub struct Plan;\nimpl Plan { fn extract() {} }"),
            ("crates/threadline/src/cli.rs", "env = \"THREADLINE_DATA\""),
            ("docs/page.md", &text),
            ("docs/other.md", ""),
            ("testdata/points/a.http", ""),
        ]);
        check(&tree).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_exists_or_is_no_path_passes() {
        for span in [
            "crates/points",
            "crates/points/",
            "crates/points/src/plan.rs:12",
            "./docs/page.md",
            "other.md",
            "plan.rs",
            "target/debug/threadline",
            "testdata/points/*.http",
            "testdata/**/*.http",
            "crates/NAME",
            "crates/NAME/src/",
            "/api/v1/sessions",
            "application/json",
            "text/html",
            "https://example.org/a.md",
            "threadline.yaml",
            "a / b.rs",
            "points::Plan::extract",
            "threadline_points::Plan",
            "points::plan",
            "std::fmt::Debug",
            "THREADLINE_DATA",
            "threadline import har FILE",
            "*.rs",
            ".rs",
            "days/",
        ] {
            assert_eq!(findings(span), [] as [String; 0], "{span}");
        }
    }

    #[test]
    fn what_does_not_exist_is_found() {
        for span in [
            "crates/point",
            "crates/points/src/plans.rs",
            "docs/missing.md",
            "missing.rs",
            "testdata/points/*.har",
            "crates/NAME/tests",
            "points::Plan::walk",
            "threadline_points::Plans",
            "THREADLINE_DATUM",
        ] {
            assert_eq!(findings(span).len(), 1, "{span}");
        }
        assert_eq!(findings("crates/point"), ["docs/page.md:1: there is no `crates/point`"]);
    }
}
