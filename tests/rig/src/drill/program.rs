//! The program, built by cargo for an example that runs it.

use std::env;
use std::path::PathBuf;
use std::process::Command;

/// Builds the program in the profile of the example that calls, together with that example, so that cargo chooses the
/// features it has built for already; the path of the program.
///
/// # Panics
/// If it cannot be built.
pub fn build_beside(example: &str) -> PathBuf {
    let own = env::current_exe().expect("the path of this example");
    // …/release/examples/soak stands beside …/release/pg2dhis2.
    let folder = own.parent().and_then(|folder| folder.parent());
    let folder = folder.expect("the folder of the profile");
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    build.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    // `cargo run` describes the example's package in these; build scripts that look at them would take them for a change.
    for (name, _) in env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            build.env_remove(name);
        }
    }
    build.args([
        "build",
        "--quiet",
        "--bin",
        "pg2dhis2",
        "--example",
        example,
    ]);
    if folder.ends_with("release") {
        build.arg("--release");
    }
    let built = build.status();
    assert!(
        built.is_ok_and(|status| status.success()),
        "the program is built"
    );
    folder.join("pg2dhis2")
}
