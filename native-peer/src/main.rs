//! See the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    native_peer::cli::run(std::env::args_os())
}
