//! Examples in documents are what they claim to be: points parse, and configuration files pass `threadline check`.

use threadline_points::Point;

use super::markdown::Document;
use crate::finding::Finding;
use crate::tree::Tree;

/// Configuration files outside of documents that people start from.
const FILES: [&str; 1] = ["packaging/threadline.yaml"];

/// The page whose examples are policies by themselves: what stands in the section `policy:` of a configuration file.
const POLICY_PAGE: &str = "docs/policy.md";

/// Checks every point in a code span of every document.
pub(crate) fn points(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, document) in super::all(tree) {
        for span in document.spans.iter().filter(|span| is_point(&span.text)) {
            if let Err(error) = Point::parse(&span.text) {
                findings.push(Finding::at(path, span.line, format!("`{}`: {error}", span.text)));
            }
        }
    }
    findings
}

fn is_point(text: &str) -> bool {
    ["request > ", "response > "].iter().any(|side| text.starts_with(side)) && !text.contains('…')
}

/// Checks every block marked `yaml`. `refuse` gives the reason why `threadline check` refuses a file's text, if it does.
pub(crate) fn configurations(tree: &Tree, refuse: impl Fn(&str) -> Option<String>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let refused = |reason: String| format!("`threadline check` refuses this example: {reason}");
    for (path, document) in super::all(tree) {
        for (line, text) in examples(&document) {
            let text = if path == POLICY_PAGE { as_section(text) } else { text.to_owned() };
            findings.extend(refuse(&text).map(|reason| Finding::at(path, line, refused(reason))));
        }
    }
    for path in FILES {
        match tree.text(path) {
            Some(text) => findings.extend(refuse(text).map(|reason| Finding::error(path, refused(reason)))),
            None => findings.push(Finding::error(path, "is missing")),
        }
    }
    findings
}

/// A policy as the section of a configuration file.
fn as_section(policy: &str) -> String {
    let lines = policy.lines().map(|line| format!("  {line}\n"));
    std::iter::once("policy:\n".to_owned()).chain(lines).collect()
}

fn examples(document: &Document) -> impl Iterator<Item = (usize, &str)> {
    document.blocks.iter().filter(|block| block.language == "yaml").map(|block| (block.line, block.text.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_that_does_not_parse_is_found() {
        let good = "`request > header AUTHORIZATION > jwt payload > property sub` `request > … > json` `request > `\n";
        assert_eq!(points(&Tree::of(&[("a.md", good)])), []);
        let findings = points(&Tree::of(&[("a.md", "A\n`request > body > cookies x`\n")]));
        assert_eq!(findings.len(), 1);
        assert!(findings[0].to_string().starts_with("a.md:2: `request > body > cookies x`: "), "{}", findings[0]);
    }

    #[test]
    fn a_refused_example_is_found_where_it_stands() {
        let document = "```yaml\nproxy: {}\n```\n```yaml\nproxi: {}\n```\n```json\nproxi\n```\n";
        let tree = Tree::of(&[("a.md", document), (FILES[0], "proxy: {}")]);
        let refuse = |text: &str| text.contains("proxi").then(|| "proxi".to_owned());
        let findings: Vec<String> = configurations(&tree, refuse).iter().map(ToString::to_string).collect();
        assert_eq!(findings, ["a.md:5: `threadline check` refuses this example: proxi"]);
    }

    #[test]
    fn examples_on_the_page_about_policies_are_policies() {
        let tree =
            Tree::of(&[(POLICY_PAGE, "```yaml\nparameters: []\n```\n"), (FILES[0], "policy:\n  parameters: []\n")]);
        let refuse = |text: &str| (text != "policy:\n  parameters: []\n").then(|| text.to_owned());
        assert_eq!(configurations(&tree, refuse), []);
    }

    #[test]
    fn a_missing_file_is_found() {
        assert_eq!(configurations(&Tree::of(&[]), |_| None), [Finding::error(FILES[0], "is missing")]);
    }
}
