//! Which crate may use which: the one place that says so. Checked against `cargo metadata`, for normal dependencies;
//! tests may reach further. What stands here beyond the table keeps invariants of ARCHITECTURE.md from eroding by one
//! convenient dependency.

use std::collections::BTreeSet;

use crate::finding::Finding;
use crate::workspace::{Workspace, short};

/// Crates and what they may use of ours, in the order of the way an exchange takes.
pub(crate) const MAY_USE: [(&str, &[&str]); 13] = [
    ("model", &[]),
    ("points", &["model"]),
    ("policy", &["model", "points"]),
    ("grouping", &["model", "points", "policy"]),
    ("context", &["model", "points", "policy", "grouping"]),
    ("record", &["model"]),
    ("capture", &["model"]),
    ("node", &["model", "points", "policy", "grouping", "context", "record", "capture"]),
    ("store", &["model", "record"]),
    ("store-duckdb", &["model", "record", "store"]),
    ("hub", &["model", "points", "policy", "record", "store"]),
    ("traffic", &["model"]),
    (BINARY, EVERYTHING),
];

/// The binary: assembles all of them.
const BINARY: &str = "threadline";

/// May use every crate of ours.
pub(crate) const EVERYTHING: &[&str] = &["*"];

/// Stages: plain functions over values. They do no I/O, read no clock and write no log (a captured value in a log line
/// would have left the node).
const STAGES: [&str; 6] = ["model", "points", "policy", "grouping", "context", "record"];

/// What a stage would do I/O, tell the time or log with.
const NOT_IN_STAGES: [&str; 14] = [
    "axum",
    "duckdb",
    "hyper",
    "hyper-util",
    "indicatif",
    "jiff",
    "log",
    "prometheus-client",
    "socket2",
    "sqlx",
    "tokio",
    "tower",
    "tracing",
    "tracing-subscriber",
];

/// Crates that handle captured values and must not be able to serialise them.
const NO_SERIALISATION: [&str; 4] = ["model", "grouping", "context", "record"];

/// Third parties that belong to one place, so that they can be replaced there.
const ONLY_IN: [(&str, &[&str]); 7] = [
    ("argon2", &["hub"]),
    ("axum", &["hub"]),
    ("duckdb", &["store-duckdb"]),
    ("httparse", &["capture"]),
    ("rust-embed", &["hub"]),
    ("sqlx", &["hub"]),
    ("tracing-subscriber", &["threadline"]),
];

/// Holds the workspace against the rules above.
pub(crate) fn check(workspace: &Workspace) -> Vec<Finding> {
    let mut findings = Vec::new();
    let ours: BTreeSet<&str> = workspace.product().map(|(name, _)| name).collect();
    for (name, _) in MAY_USE.iter().filter(|(name, _)| !ours.contains(name)) {
        findings.push(Finding::error(*name, "stands in the layering table and is not in crates/"));
    }
    for (name, one) in workspace.product() {
        let Some((_, may_use)) = MAY_USE.iter().find(|(listed, _)| *listed == name) else {
            findings.push(Finding::error(name, "is not in the layering table (xtask/src/layering.rs)"));
            continue;
        };
        for used in &one.uses {
            let used_short = short(used);
            if let Some(reason) = reason_against(name, used_short, ours.contains(used_short), may_use) {
                findings.push(Finding::error(name, format!("must not depend on {used}: {reason}")));
            }
        }
        for allowed in may_use.iter().filter(|allowed| **allowed != "*") {
            if !one.uses.iter().any(|used| short(used) == *allowed) {
                findings.push(Finding::warning(name, format!("may use {allowed} and does not: narrow the table")));
            }
        }
    }
    findings
}

/// Why `name` may not depend on `used`, if it may not.
fn reason_against(name: &str, used: &str, is_ours: bool, may_use: &[&str]) -> Option<String> {
    if is_ours {
        let allowed = may_use == EVERYTHING || may_use.contains(&used);
        return (!allowed).then(|| {
            format!("it may use {}", if may_use.is_empty() { "none of ours".to_owned() } else { may_use.join(", ") })
        });
    }
    if STAGES.contains(&name) && NOT_IN_STAGES.contains(&used) {
        return Some("stages do no I/O, read no clock and write no log".to_owned());
    }
    if NO_SERIALISATION.contains(&name) && (used == "serde" || used.starts_with("serde_")) {
        return Some("what handles captured values must not be able to serialise them".to_owned());
    }
    let (_, places) = ONLY_IN.iter().find(|(third_party, _)| *third_party == used)?;
    (!places.contains(&name)).then(|| format!("it belongs to {}", places.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A workspace that keeps the rules, with one crate's dependencies replaced.
    fn workspace_with(changed: &str, uses: &[&str]) -> Workspace {
        let full: Vec<String> = MAY_USE.iter().map(|(name, _)| package(name)).collect();
        let mut crates = Vec::new();
        for (position, (name, may_use)) in MAY_USE.iter().enumerate() {
            let names: Vec<String> = if *name == changed {
                uses.iter().map(ToString::to_string).collect()
            } else if *may_use == EVERYTHING {
                full.iter().filter(|other| **other != full[position]).cloned().collect()
            } else {
                may_use.iter().map(|used| package(used)).collect()
            };
            crates.push((full[position].clone(), names));
        }
        let borrowed: Vec<(&str, Vec<&str>)> =
            crates.iter().map(|(name, uses)| (name.as_str(), uses.iter().map(String::as_str).collect())).collect();
        let slices: Vec<(&str, &[&str])> = borrowed.iter().map(|(name, uses)| (*name, uses.as_slice())).collect();
        Workspace::of(&slices)
    }

    fn package(short: &str) -> String {
        if short == BINARY { short.to_owned() } else { format!("threadline-{short}") }
    }

    fn messages(workspace: &Workspace) -> Vec<String> {
        check(workspace).iter().filter(|finding| finding.is_error()).map(ToString::to_string).collect()
    }

    #[test]
    fn the_table_itself_is_allowed() {
        assert_eq!(check(&workspace_with("model", &["bytes", "http"])), []);
    }

    #[test]
    fn a_crate_that_reaches_sideways_is_found() {
        let found = messages(&workspace_with("store", &["threadline-model", "threadline-record", "threadline-policy"]));
        assert_eq!(found, ["store: must not depend on threadline-policy: it may use model, record"]);
    }

    #[test]
    fn a_stage_that_does_input_and_output_is_found() {
        let uses = ["threadline-model", "threadline-points", "threadline-policy", "threadline-grouping", "tokio"];
        let found = messages(&workspace_with("context", &uses));
        assert_eq!(found, ["context: must not depend on tokio: stages do no I/O, read no clock and write no log"]);
    }

    #[test]
    fn captured_values_that_could_be_serialised_are_found() {
        assert_eq!(messages(&workspace_with("model", &["serde"])).len(), 1);
    }

    #[test]
    fn a_third_party_outside_its_place_is_found() {
        let uses = ["threadline-model", "threadline-record", "duckdb"];
        assert_eq!(
            messages(&workspace_with("store", &uses)),
            ["store: must not depend on duckdb: it belongs to store-duckdb"]
        );
    }

    #[test]
    fn crates_and_table_name_each_other() {
        let found = messages(&Workspace::of(&[("threadline-stranger", &[])]));
        assert!(found.contains(&"stranger: is not in the layering table (xtask/src/layering.rs)".to_owned()));
        assert!(found.contains(&"model: stands in the layering table and is not in crates/".to_owned()));
    }

    #[test]
    fn permission_that_nobody_uses_is_mentioned() {
        let findings = check(&workspace_with("points", &[]));
        assert_eq!(findings, [Finding::warning("points", "may use model and does not: narrow the table")]);
    }
}
