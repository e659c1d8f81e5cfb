//! Puts the DuckDB library beside the binaries, where their run path (`$ORIGIN`, see `.cargo/config.toml`) finds it,
//! whatever the target directory is. With the feature `bundled` there is no such library and nothing to do.
//! It downloads nothing: `make deps` does.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    if std::env::var_os("CARGO_FEATURE_BUNDLED").is_some() {
        return Ok(());
    }
    let file = match std::env::var("CARGO_CFG_TARGET_OS")?.as_str() {
        "macos" => "libduckdb.dylib",
        _ => "libduckdb.so",
    };
    println!("cargo::rerun-if-env-changed=DUCKDB_LIB_DIR");
    let directory = std::env::var_os("DUCKDB_LIB_DIR").map_or_else(|| PathBuf::from("../../native/lib"), PathBuf::from);
    let library = directory.join(file);
    println!("cargo::rerun-if-changed={}", library.display());
    if !library.is_file() {
        println!("cargo::error=The DuckDB library is not in {}: run `make deps`.", directory.display());
        return Ok(());
    }
    // OUT_DIR is TARGET/PROFILE/build/PACKAGE-HASH/out.
    let out = PathBuf::from(std::env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?);
    let beside = out.ancestors().nth(3).ok_or("OUT_DIR lies in TARGET/PROFILE/build")?.join(file);
    println!("cargo::rerun-if-changed={}", beside.display());
    place(&library, &beside)?;
    Ok(())
}

/// Links or copies `library` to `beside` in one step, so that programs running from an older one keep its pages. The
/// copy keeps the modification time: a newer one would make cargo run this script on every build.
fn place(library: &Path, beside: &Path) -> Result<(), Box<dyn Error>> {
    let (source, present) = (fs::metadata(library)?, fs::metadata(beside).ok());
    if present.is_some_and(|present| present.len() == source.len() && present.modified().ok() == source.modified().ok())
    {
        return Ok(());
    }
    let staged = beside.with_extension("staged");
    if staged.exists() {
        fs::remove_file(&staged)?;
    }
    if fs::hard_link(library, &staged).is_err() {
        fs::copy(library, &staged)?;
        fs::File::options().write(true).open(&staged)?.set_modified(source.modified()?)?;
    }
    fs::rename(&staged, beside)?;
    Ok(())
}
