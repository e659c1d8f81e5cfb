//! Every Rust file opens with `//!`: what it is for. Files too long to read in one sitting are mentioned.

use crate::finding::Finding;
use crate::tree::Tree;

/// Lines after which a file should be looked at: is there a second thing that it does?
const LONG: usize = 600;

/// Words without which a head says nothing.
const FEWEST_WORDS: usize = 3;

/// Checks all Rust files.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.with_extension("rs") {
        let head = text.lines().map_while(|line| line.strip_prefix("//!"));
        let words: usize = head.map(|line| line.split_whitespace().count()).sum();
        if !text.starts_with("//!") {
            findings.push(Finding::at(path, 1, "does not open with `//!` and what the file is for"));
        } else if words < FEWEST_WORDS {
            findings.push(Finding::at(path, 1, "its head is too short to say what the file is for"));
        }
        let lines = text.lines().count();
        if lines > LONG {
            findings.push(Finding::warning(path, format!("{lines} lines: is there a second thing that it does?")));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_with_a_head_passes() {
        assert_eq!(check(&Tree::of(&[("a.rs", "//! What a is for, in words.\n"), ("b.md", "no head")])), []);
    }

    #[test]
    fn a_missing_late_or_empty_head_is_found() {
        let tree = Tree::of(&[
            ("empty.rs", ""),
            ("late.rs", "use std::fmt;\n//! What late is for, in words.\n"),
            ("mute.rs", "//! Mute.\n"),
        ]);
        assert_eq!(check(&tree).iter().filter(|finding| finding.is_error()).count(), 3);
    }

    #[test]
    fn a_long_file_is_mentioned() {
        let text = format!("//! What it is for, in words.\n{}", "\n".repeat(LONG));
        let findings = check(&Tree::of(&[("long.rs", &text)]));
        assert_eq!(findings, [Finding::warning("long.rs", "601 lines: is there a second thing that it does?")]);
    }
}
