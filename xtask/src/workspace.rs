//! The workspace as cargo sees it: crates, what they depend on, and the names of what they build.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use cargo_metadata::{DependencyKind, MetadataCommand};

/// The crates of the workspace.
#[derive(Debug, Default)]
pub(crate) struct Workspace {
    /// By package name.
    pub(crate) crates: BTreeMap<String, Crate>,
    target_folder: PathBuf,
}

/// One crate.
#[derive(Clone, Debug, Default)]
pub(crate) struct Crate {
    /// Relative to the root, as in `crates/points`.
    pub(crate) folder: String,
    /// One line of what it is for.
    pub(crate) description: String,
    /// Package names of the normal dependencies: not those of build scripts and tests.
    pub(crate) uses: BTreeSet<String>,
    /// Names of binaries, tests, examples and benchmarks.
    pub(crate) targets: BTreeSet<String>,
}

impl Workspace {
    /// Asks cargo, without the network.
    ///
    /// # Errors
    /// A manifest is broken.
    pub(crate) fn read(root: &Path) -> Result<Workspace, crate::Failure> {
        let metadata = MetadataCommand::new().manifest_path(root.join("Cargo.toml")).no_deps().exec()?;
        let mut crates = BTreeMap::new();
        for package in &metadata.packages {
            let folder = package.manifest_path.parent().map(|folder| folder.as_std_path()).unwrap_or(root);
            let folder = folder.strip_prefix(root).unwrap_or(folder).to_string_lossy().into_owned();
            let uses = package.dependencies.iter().filter(|dependency| dependency.kind == DependencyKind::Normal);
            crates.insert(
                package.name.to_string(),
                Crate {
                    folder,
                    description: package.description.clone().unwrap_or_default(),
                    uses: uses.map(|dependency| dependency.name.clone()).collect(),
                    targets: package.targets.iter().map(|target| target.name.clone()).collect(),
                },
            );
        }
        Ok(Workspace { crates, target_folder: metadata.target_directory.into_std_path_buf() })
    }

    /// A workspace of crates in `crates/`, each with what it uses.
    #[cfg(test)]
    pub(crate) fn of(crates: &[(&str, &[&str])]) -> Workspace {
        let crates = crates.iter().map(|(name, uses)| {
            let folder = format!("crates/{}", short(name));
            let uses = uses.iter().map(ToString::to_string).collect();
            (name.to_string(), Crate { folder, uses, ..Crate::default() })
        });
        Workspace { crates: crates.collect(), ..Workspace::default() }
    }

    /// The product's crates by short name: those in `crates/`, not benchmarks and checks.
    pub(crate) fn product(&self) -> impl Iterator<Item = (&str, &Crate)> {
        let product = self.crates.iter().filter(|(_, one)| one.folder.starts_with("crates/"));
        product.map(|(name, one)| (short(name), one))
    }

    /// The build of a binary that was made last, debug or release.
    pub(crate) fn newest_binary(&self, name: &str) -> Option<PathBuf> {
        let builds = ["debug", "release"].map(|profile| self.target_folder.join(profile).join(name));
        builds
            .into_iter()
            .filter(|path| path.is_file())
            .max_by_key(|path| path.metadata().and_then(|of| of.modified()).ok())
    }
}

/// `points` for `threadline-points`; other names as they are.
pub(crate) fn short(package: &str) -> &str {
    package.strip_prefix("threadline-").unwrap_or(package)
}
