//! Words that must not be in the repository: notes to self that nobody would find again, and paths that exist on one
//! machine only.

use crate::finding::Finding;
use crate::tree::Tree;

/// Marks of unfinished work. Put together here, so that this file does not find itself.
const UNFINISHED: [&str; 3] = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("HA", "CK:")];

/// Folders of one machine.
const MACHINE_FOLDERS: [&str; 3] = [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/Us", "ers/")];

/// Where people write: other files (recordings, lock files, fonts) may say anything.
const WRITTEN: [&str; 14] =
    ["rs", "md", "toml", "sh", "ts", "tsx", "js", "mjs", "cjs", "css", "html", "yaml", "yml", "sql"];

/// Checks everything that people wrote.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.files().filter(|(path, _)| is_written(path)) {
        for (position, line) in text.lines().enumerate() {
            for word in UNFINISHED.into_iter().filter(|word| has_word(line, word)) {
                findings.push(Finding::at(path, position + 1, format!("`{word}`: do it, or file it as an issue")));
            }
            for folder in MACHINE_FOLDERS.into_iter().filter(|folder| has_folder(line, folder)) {
                findings.push(Finding::at(path, position + 1, format!("`{folder}` exists on one machine only")));
            }
        }
    }
    findings
}

fn is_written(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    match name.rsplit_once('.') {
        Some((_, extension)) => WRITTEN.contains(&extension),
        None => matches!(name, "Makefile" | "Dockerfile" | "run"),
    }
}

/// Whether `word` stands in `line` as a whole word.
fn has_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(start, _)| {
        let before = line[..start].chars().next_back();
        let after = line[start + word.len()..].chars().next();
        !before.is_some_and(is_word) && (word.ends_with(':') || !after.is_some_and(is_word))
    })
}

/// Whether an absolute path into `folder` stands in `line`; `https://host/folder/` and `./folder/` are none.
fn has_folder(line: &str, folder: &str) -> bool {
    line.match_indices(folder).any(|(start, _)| {
        let before = line[..start].chars().next_back();
        !before.is_some_and(|before| is_word(before) || matches!(before, '.' | '-' | '/' | '}' | '*'))
    })
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unfinished_work_is_found_with_its_line() {
        let text = format!("fn a() {{}}\n// {}: later\n", UNFINISHED[0]);
        let findings = check(&Tree::of(&[("a.rs", &text)]));
        assert_eq!(findings.len(), 1);
        assert!(findings[0].to_string().starts_with("a.rs:2: "), "{}", findings[0]);
    }

    #[test]
    fn folders_of_one_machine_are_found() {
        let text = format!("cd {}threadline\n", MACHINE_FOLDERS[0]);
        assert_eq!(check(&Tree::of(&[("scripts/a.sh", &text), ("Makefile", &text)])).len(), 2);
    }

    #[test]
    fn parts_of_words_addresses_and_recordings_pass() {
        let inside =
            format!("let {}_LIST = 1; // https://host{}x ..{}", UNFINISHED[0], MACHINE_FOLDERS[0], MACHINE_FOLDERS[1]);
        let recording = format!("{{\"text\": \"{}\"}}", UNFINISHED[0]);
        assert_eq!(check(&Tree::of(&[("a.rs", &inside), ("testdata/a.har", &recording)])), []);
    }
}
