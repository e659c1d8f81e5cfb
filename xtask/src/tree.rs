//! The repository's files as checks see them: what git tracks or would track, read once. Checks get values, so their
//! tests need no files.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

/// Paths, relative to the root and with `/`, and the files' text.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    files: BTreeMap<String, String>,
    ignored: Vec<String>,
}

impl Tree {
    /// Reads the files below `root` that git tracks, or would track if they were added.
    ///
    /// # Errors
    /// git is missing, or a file cannot be read.
    pub(crate) fn read(root: &Path) -> Result<Tree, crate::Failure> {
        let listing = Command::new("git")
            .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            .current_dir(root)
            .output()?;
        if !listing.status.success() {
            return Err(format!("git ls-files: {}", String::from_utf8_lossy(&listing.stderr).trim()).into());
        }
        let mut files = BTreeMap::new();
        for path in String::from_utf8(listing.stdout)?.split_terminator('\0') {
            // A tracked file that was deleted and not yet committed as such is not there.
            let Ok(bytes) = std::fs::read(root.join(path)) else { continue };
            files.insert(path.to_owned(), String::from_utf8_lossy(&bytes).into_owned());
        }
        let mut tree = Tree { files, ignored: Vec::new() };
        tree.ignored = tree.text(".gitignore").unwrap_or_default().lines().map(str::to_owned).collect();
        Ok(tree)
    }

    /// A tree made of the given paths and texts.
    #[cfg(test)]
    pub(crate) fn of(files: &[(&str, &str)]) -> Tree {
        let files: BTreeMap<_, _> = files.iter().map(|(path, text)| (path.to_string(), text.to_string())).collect();
        let ignored = files.get(".gitignore").map_or_else(Vec::new, |text| text.lines().map(str::to_owned).collect());
        Tree { files, ignored }
    }

    /// All files, by path.
    pub(crate) fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// Files whose name ends with `.extension`.
    pub(crate) fn with_extension(&self, extension: &str) -> impl Iterator<Item = (&str, &str)> {
        self.files().filter(move |(path, _)| {
            path.strip_suffix(extension).is_some_and(|rest| rest.ends_with('.') && !rest.ends_with("/."))
        })
    }

    /// A file's text.
    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(String::as_str)
    }

    /// Whether there is such a file or folder.
    pub(crate) fn has(&self, path: &str) -> bool {
        let path = path.trim_end_matches('/');
        self.files.contains_key(path) || self.has_folder(path)
    }

    /// Whether any file lies below `path`.
    pub(crate) fn has_folder(&self, path: &str) -> bool {
        let folder = format!("{path}/");
        self.files.range(folder.clone()..).next().is_some_and(|(found, _)| found.starts_with(&folder))
    }

    /// Whether git ignores this path, so that only a build makes it. Knows the two forms that `.gitignore` uses: a path
    /// from the root (`/target`) and a name anywhere (`node_modules`).
    pub(crate) fn ignores(&self, path: &str) -> bool {
        self.ignored.iter().any(|pattern| match pattern.strip_prefix('/') {
            Some(from_root) => {
                path == from_root || path.strip_prefix(from_root).is_some_and(|rest| rest.starts_with('/'))
            }
            None => !pattern.is_empty() && path.split('/').any(|segment| segment == pattern),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_known_by_what_lies_in_them() {
        let tree = Tree::of(&[("crates/points/src/lib.rs", ""), ("crates/points-more/x", "")]);
        assert!(tree.has("crates/points"));
        assert!(tree.has("crates/points/"));
        assert!(!tree.has("crates/point"));
        assert!(!tree.has("crates/points/src/lib"));
    }

    #[test]
    fn ignored_paths_are_those_of_gitignore() {
        let tree = Tree::of(&[(".gitignore", "/target\nnode_modules\n")]);
        assert!(tree.ignores("target/debug/threadline"));
        assert!(tree.ignores("console/node_modules"));
        assert!(!tree.ignores("targets/x"));
        assert!(!tree.ignores("fuzz/target"));
    }
}
