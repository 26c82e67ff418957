//! Where the programs under test are.

use std::path::PathBuf;

/// The built page; set by `cargo xtask test`.
pub const PAGE: &str = "TABSWARM_PAGE";
/// The folder of `tracker-relay` and `native-peer`; set by `cargo xtask test`.
pub const PROGRAMS: &str = "TABSWARM_BIN_DIR";

/// The folder of the built page.
pub fn page() -> PathBuf {
    folder(PAGE)
}

/// The program of this name.
pub fn program(name: &str) -> PathBuf {
    folder(PROGRAMS).join(name)
}

fn folder(variable: &str) -> PathBuf {
    std::env::var_os(variable)
        .map(PathBuf::from)
        .unwrap_or_else(|| {
            panic!("{variable} is not set: run these tests with `cargo xtask test tabs`")
        })
}
