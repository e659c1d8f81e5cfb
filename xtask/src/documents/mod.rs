//! Documents say what is: every path, name, link, command and example in them holds. They are read here as text; whether what
//! they say is true beyond that is for people and tests.

use crate::finding::Finding;
use crate::tree::Tree;

pub(crate) use self::commands::{Known, check as commands};
pub(crate) use self::examples::{configurations, points};
pub(crate) use self::links::check as links;
pub(crate) use self::paths::check as paths;

mod commands;
mod examples;
mod links;
pub(crate) mod markdown;
mod paths;

/// What a visitor looks for first.
const NEEDED: [&str; 8] = [
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "NOTICE",
    "README.md",
    "SECURITY.md",
    "rust-toolchain.toml",
];

/// Checks that the documents that every visitor looks for are there.
pub(crate) fn present(tree: &Tree) -> Vec<Finding> {
    let missing = NEEDED.into_iter().filter(|path| tree.text(path).is_none_or(|text| text.trim().is_empty()));
    missing.map(|path| Finding::error(path, "is missing or empty")).collect()
}

/// All Markdown files, parsed.
fn all(tree: &Tree) -> impl Iterator<Item = (&str, markdown::Document)> {
    tree.with_extension("md").map(|(path, text)| (path, markdown::parse(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_and_empty_documents_are_found() {
        let all: Vec<(&str, &str)> = NEEDED.into_iter().map(|path| (path, "text")).collect();
        assert_eq!(present(&Tree::of(&all)), []);
        assert_eq!(present(&Tree::of(&all[1..])), [Finding::error("ARCHITECTURE.md", "is missing or empty")]);
        let emptied: Vec<(&str, &str)> = all.iter().map(|(path, _)| (*path, "\n")).collect();
        assert_eq!(present(&Tree::of(&emptied)).len(), NEEDED.len());
    }
}
