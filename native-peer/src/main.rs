//! See the library.

use std::process::ExitCode;

/// glibc's allocator gives back the memory of nearly every piece that was sent or written, and the
/// system has to find and clear it anew for the next one, page by page. This one keeps it for some
/// seconds.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    native_peer::cli::run(std::env::args_os())
}
