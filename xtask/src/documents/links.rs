//! Links between documents, and to headings in them, resolve. Addresses elsewhere are not asked.

use std::collections::BTreeMap;

use super::markdown;
use crate::finding::Finding;
use crate::tree::Tree;

/// Checks every link of every document.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let documents: BTreeMap<&str, markdown::Document> = super::all(tree).collect();
    let mut findings = Vec::new();
    for (path, document) in &documents {
        for link in &document.links {
            // `https:`, `mailto:` and the like.
            if link.text.contains(':') {
                continue;
            }
            let (file, anchor) =
                link.text.split_once('#').map_or((&*link.text, None), |(file, anchor)| (file, Some(anchor)));
            let target = if file.is_empty() { Some(path.to_string()) } else { resolve(path, file) };
            let Some(target) = target.filter(|target| target.is_empty() || tree.has(target)) else {
                findings.push(Finding::at(path, link.line, format!("the link to `{file}` leads nowhere")));
                continue;
            };
            let Some(anchor) = anchor else { continue };
            let is_heading = |linked: &markdown::Document| linked.anchors.iter().any(|known| known == anchor);
            if !documents.get(&*target).is_some_and(is_heading) {
                findings.push(Finding::at(path, link.line, format!("`{target}` has no heading `#{anchor}`")));
            }
        }
    }
    findings
}

/// The path, from the root, that a link in `document` means; `None` when it leaves the repository.
fn resolve(document: &str, link: &str) -> Option<String> {
    let mut segments: Vec<&str> = document.split('/').collect();
    segments.pop();
    if link.starts_with('/') {
        segments.clear();
    }
    for segment in link.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop()?;
            }
            name => segments.push(name),
        }
    }
    Some(segments.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(link: &str) -> Vec<String> {
        let text = format!("# Top\n\n[x]({link})\n");
        let tree = Tree::of(&[("docs/a.md", &text), ("docs/b.md", "## Part one\n"), ("README.md", "# R\n")]);
        check(&tree).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn links_that_resolve_pass() {
        for link in
            ["b.md", "b.md#part-one", "#top", "../README.md", "/README.md", "../docs/", "https://example.org/x#y"]
        {
            assert_eq!(findings(link), [] as [String; 0], "{link}");
        }
    }

    #[test]
    fn links_that_lead_nowhere_are_found() {
        assert_eq!(findings("c.md"), ["docs/a.md:3: the link to `c.md` leads nowhere"]);
        assert_eq!(findings("../../README.md"), ["docs/a.md:3: the link to `../../README.md` leads nowhere"]);
        assert_eq!(findings("b.md#part-two"), ["docs/a.md:3: `docs/b.md` has no heading `#part-two`"]);
        assert_eq!(findings("#bottom"), ["docs/a.md:3: `docs/a.md` has no heading `#bottom`"]);
    }
}
