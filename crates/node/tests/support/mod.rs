//! The reference implementation of grouping and the traffic it is held against.

pub(crate) mod reference;
pub(crate) mod traffic;

use std::sync::LazyLock;

use threadline_grouping::InstallationSecret;

/// A secret of this run.
pub(crate) fn secret() -> &'static InstallationSecret {
    static SECRET: LazyLock<InstallationSecret> = LazyLock::new(|| {
        InstallationSecret::load_or_create(&tempfile::tempdir().unwrap().path().join("secret")).unwrap()
    });
    &SECRET
}
