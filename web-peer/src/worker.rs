//! The worker.

use web_sys::DedicatedWorkerGlobalScope;

mod backoff;
mod clock;
mod js;
mod sha1;
mod slot;
mod store;

/// Runs the worker.
pub(crate) fn run(scope: DedicatedWorkerGlobalScope) {
    let _ = scope;
}
