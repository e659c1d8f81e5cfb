//! The crate table of ARCHITECTURE.md says what the layering table says, and the layering table says what the manifests
//! say (see `layering`). Readers can rely on the page.

use std::collections::BTreeSet;

use crate::documents::markdown;
use crate::finding::Finding;
use crate::layering::{EVERYTHING, MAY_USE};
use crate::tree::Tree;
use crate::workspace::Workspace;

const PAGE: &str = "ARCHITECTURE.md";

/// What the page says instead of naming all crates.
const ALL: &str = "all of them";

/// Compares the page with the layering table and the workspace.
pub(crate) fn check(tree: &Tree, workspace: &Workspace) -> Vec<Finding> {
    // That the page is there at all is checked with the other documents.
    let Some(text) = tree.text(PAGE) else { return Vec::new() };
    let Some(rows) = table(text) else {
        return vec![Finding::error(PAGE, "has no table whose first column is `crate` and whose last is `may use`")];
    };
    let mut findings = Vec::new();
    for (name, _) in workspace.product().filter(|(name, _)| !rows.iter().any(|row| row.name == *name)) {
        findings.push(Finding::error(PAGE, format!("the crate table does not list `{name}`")));
    }
    for row in &rows {
        let Some((_, may_use)) = MAY_USE.iter().find(|(name, _)| *name == row.name) else {
            findings.push(Finding::at(PAGE, row.line, format!("`{}` is no crate of the layering table", row.name)));
            continue;
        };
        let listed: BTreeSet<&str> = row.uses.iter().map(String::as_str).collect();
        let allowed: BTreeSet<&str> =
            if *may_use == EVERYTHING { BTreeSet::from([ALL]) } else { may_use.iter().copied().collect() };
        if listed != allowed {
            let allowed: Vec<&str> = allowed.into_iter().collect();
            findings.push(Finding::at(PAGE, row.line, format!("`{}` may use: {}", row.name, allowed.join(", "))));
        }
    }
    findings
}

/// The table as it should stand on the page, in Markdown.
pub(crate) fn print(workspace: &Workspace) -> String {
    let mut text = "| crate | what lives there | may use |\n|---|---|---|\n".to_owned();
    for (name, may_use) in MAY_USE {
        let description =
            workspace.product().find(|(product, _)| *product == name).map(|(_, one)| one.description.as_str());
        let uses = if may_use == EVERYTHING { ALL.to_owned() } else { may_use.join(", ") };
        text.push_str(&format!("| `{name}` | {} | {uses} |\n", description.unwrap_or_default()));
    }
    text
}

#[derive(Debug)]
struct Row {
    line: usize,
    name: String,
    uses: Vec<String>,
}

/// Reads the first table with the expected columns.
fn table(text: &str) -> Option<Vec<Row>> {
    let mut lines = markdown::prose_lines(text).skip_while(|(_, line)| {
        let cells = cells(line);
        !(cells.first().is_some_and(|cell| cell == "crate") && cells.last().is_some_and(|cell| cell == "may use"))
    });
    lines.next()?;
    let rows = lines.skip(1).take_while(|(_, line)| line.starts_with('|')).map(|(line, text)| {
        let cells = cells(text);
        let uses = cells.last().map(String::as_str).unwrap_or_default().split(',');
        Row {
            line,
            name: cells.first().cloned().unwrap_or_default(),
            uses: uses.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect(),
        }
    });
    Some(rows.collect())
}

/// The cells of a table's line, without backticks.
fn cells(line: &str) -> Vec<String> {
    let Some(inner) = line.trim().strip_prefix('|').and_then(|line| line.strip_suffix('|')) else { return Vec::new() };
    inner.split('|').map(|cell| cell.replace('`', "").trim().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workspace() -> Workspace {
        let crates: Vec<(&str, &[&str])> = MAY_USE.iter().map(|(name, _)| (*name, &[] as &[&str])).collect();
        Workspace::of(&crates)
    }

    fn findings(page: &str) -> Vec<String> {
        check(&Tree::of(&[(PAGE, page)]), &workspace()).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_printed_table_passes() {
        assert_eq!(findings(&format!("# Page\n\n{}\nMore.\n", print(&workspace()))), [] as [String; 0]);
    }

    #[test]
    fn a_row_that_allows_more_is_found() {
        let page = print(&workspace()).replace("|  | model, record |", "|  | model, record, policy |");
        assert_eq!(findings(&page), ["ARCHITECTURE.md:11: `store` may use: model, record"]);
    }

    #[test]
    fn a_missing_and_an_invented_row_are_found() {
        let page = print(&workspace()).replace("`traffic`", "`trafic`");
        assert_eq!(
            findings(&page),
            [
                "ARCHITECTURE.md: the crate table does not list `traffic`",
                "ARCHITECTURE.md:14: `trafic` is no crate of the layering table",
            ]
        );
    }

    #[test]
    fn a_page_without_the_table_is_found() {
        assert_eq!(findings("# Page\n\n| crate | purpose |\n|---|---|\n| `a` | b |\n").len(), 1);
    }
}
