//! Optimised builds embed `console/dist`. The compiler notices changes of embedded files by itself, but not that a
//! folder which was missing has appeared; so the build waits for it. Unoptimised builds read the folder when they run.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var("PROFILE").is_ok_and(|profile| profile == "release") {
        println!("cargo::rerun-if-changed=../../console/dist/index.html");
    }
}
