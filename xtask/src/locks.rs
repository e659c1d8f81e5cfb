//! Lock files and registry settings name the public registries only, and lock by hash: a mirror's address that slips in
//! works on the machine that wrote it and nowhere else. What is fuzzed has the versions that are shipped.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::finding::Finding;
use crate::tree::Tree;

const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";
const NPM: &str = "https://registry.npmjs.org/";

/// Checks every lock file and every file that could point to another registry.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.files() {
        match path.rsplit('/').next() {
            Some("Cargo.lock") => cargo_lock(path, text, &mut findings),
            Some("package-lock.json") => npm_lock(path, text, &mut findings),
            Some(".npmrc") => setting(path, text, "registry", &mut findings),
            Some("config.toml") if path.contains(".cargo/") => {
                setting(path, text, "[source", &mut findings);
                setting(path, text, "[registr", &mut findings);
            }
            _ => {}
        }
    }
    for needed in ["Cargo.lock", "console/package-lock.json", "native/package-lock.json", "fuzz/Cargo.lock"] {
        if tree.text(needed).is_none() {
            findings.push(Finding::error(needed, "is not committed"));
        }
    }
    if let (Some(shipped), Some(fuzzed)) = (tree.text("Cargo.lock"), tree.text("fuzz/Cargo.lock")) {
        same_versions(shipped, fuzzed, &mut findings);
    }
    findings
}

/// The fuzz targets are a workspace of their own, whose lock file would drift.
fn same_versions(shipped: &str, fuzzed: &str, findings: &mut Vec<Finding>) {
    let shipped = versions(shipped);
    for (name, versions) in versions(fuzzed) {
        let Some(known) = shipped.get(name) else { continue };
        for version in versions.into_iter().filter(|version| !known.contains(version)) {
            let remedy = "copy Cargo.lock to fuzz/ and run `cargo update --workspace` there";
            let message = format!("{name} {version} is not what is shipped ({}): {remedy}", known.join(", "));
            findings.push(Finding::error("fuzz/Cargo.lock", message));
        }
    }
}

/// Versions by crate.
fn versions(lock: &str) -> BTreeMap<&str, Vec<&str>> {
    let mut versions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut name = "";
    for line in lock.lines() {
        if let Some(value) = line.strip_prefix("name = \"") {
            name = value.trim_end_matches('"');
        } else if let Some(value) = line.strip_prefix("version = \"") {
            versions.entry(name).or_default().push(value.trim_end_matches('"'));
        }
    }
    versions
}

fn cargo_lock(path: &str, text: &str, findings: &mut Vec<Finding>) {
    for (position, line) in text.lines().enumerate() {
        let source = line.strip_prefix("source = \"").and_then(|rest| rest.strip_suffix('"'));
        if source.is_some_and(|source| source != CRATES_IO) {
            findings.push(Finding::at(path, position + 1, "a source other than crates.io"));
        }
    }
}

fn npm_lock(path: &str, text: &str, findings: &mut Vec<Finding>) {
    let Ok(lock) = serde_json::from_str::<Value>(text) else {
        findings.push(Finding::error(path, "is no JSON"));
        return;
    };
    let Some(packages) = lock.get("packages").and_then(Value::as_object) else {
        findings.push(Finding::error(path, "has no `packages`: write it with npm 9 or newer"));
        return;
    };
    for (name, package) in packages.iter().filter(|(name, _)| !name.is_empty()) {
        // A link is a folder of this repository; a bundled package is covered by the hash of the one that bundles it.
        if package.get("link").is_some() || package.get("inBundle").is_some() {
            continue;
        }
        if package.get("integrity").and_then(Value::as_str).is_none() {
            findings.push(Finding::error(path, format!("`{name}` is not locked by hash")));
        }
        if package.get("resolved").and_then(Value::as_str).is_some_and(|resolved| !resolved.starts_with(NPM)) {
            findings.push(Finding::error(path, format!("`{name}` comes from elsewhere than the npm registry")));
        }
    }
}

fn setting(path: &str, text: &str, start: &str, findings: &mut Vec<Finding>) {
    for (position, line) in text.lines().enumerate() {
        let key = line.trim_start().trim_start_matches(|character| character != '=' && character != ':');
        let is_scoped = start == "registry" && line.trim_start().starts_with('@') && key.starts_with(":registry");
        if line.trim_start().starts_with(start) || is_scoped {
            findings.push(Finding::at(path, position + 1, "points to another registry"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD_NPM: &str = r#"{"packages": {"": {"name": "x"}, "node_modules/a": {"integrity": "sha512-x"}}}"#;

    fn with(changed: &str, text: &str) -> Vec<Finding> {
        let mut files = vec![
            ("Cargo.lock", "source = \"registry+https://github.com/rust-lang/crates.io-index\"\n"),
            ("console/package-lock.json", GOOD_NPM),
            ("fuzz/Cargo.lock", ""),
            ("native/package-lock.json", GOOD_NPM),
        ];
        files.retain(|(path, _)| *path != changed);
        files.push((changed, text));
        check(&Tree::of(&files))
    }

    #[test]
    fn public_registries_pass() {
        assert_eq!(with("README.md", ""), []);
    }

    #[test]
    fn another_source_of_crates_is_found() {
        assert_eq!(with("Cargo.lock", "source = \"registry+https://mirror.example/index\"\n").len(), 1);
        assert_eq!(with("fuzz/Cargo.lock", "source = \"git+https://example.org/a#1\"\n").len(), 1);
    }

    #[test]
    fn another_source_of_packages_is_found() {
        let lock =
            r#"{"packages": {"node_modules/a": {"integrity": "x", "resolved": "https://mirror.example/a.tgz"}}}"#;
        assert_eq!(with("console/package-lock.json", lock).len(), 1);
    }

    #[test]
    fn a_package_without_hash_is_found() {
        assert_eq!(with("native/package-lock.json", r#"{"packages": {"node_modules/a": {}}}"#).len(), 1);
    }

    #[test]
    fn settings_that_point_elsewhere_are_found() {
        assert_eq!(with("console/.npmrc", "fund=false\nregistry=https://mirror.example\n").len(), 1);
        assert_eq!(with("console/.npmrc", "@scope:registry=https://mirror.example\n").len(), 1);
        assert_eq!(with(".cargo/config.toml", "[source.crates-io]\n").len(), 1);
        assert_eq!(with("console/.npmrc", "omit-lockfile-registry-resolved=true\n"), []);
    }

    #[test]
    fn fuzzing_other_versions_is_found() {
        let lock = |version: &str| format!("version = 4\n\n[[package]]\nname = \"http\"\nversion = \"{version}\"\n");
        let npm = ("console/package-lock.json", GOOD_NPM);
        let shipped = lock("1.5.0");
        let fuzzed = lock("1.4.0") + "\n[[package]]\nname = \"libfuzzer-sys\"\nversion = \"0.4.13\"\n";
        let tree = Tree::of(&[
            npm,
            ("native/package-lock.json", GOOD_NPM),
            ("Cargo.lock", &shipped),
            ("fuzz/Cargo.lock", &fuzzed),
        ]);
        let findings = check(&tree);
        assert_eq!(findings.len(), 1);
        assert!(findings[0].to_string().starts_with("fuzz/Cargo.lock: http 1.4.0 is not what is shipped (1.5.0)"));
    }

    #[test]
    fn a_missing_lock_file_is_found() {
        assert_eq!(check(&Tree::of(&[])).len(), 4);
    }
}
