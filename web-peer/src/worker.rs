//! The worker.

use web_sys::DedicatedWorkerGlobalScope;

/// Runs the worker.
pub(crate) fn run(scope: DedicatedWorkerGlobalScope) {
    let _ = scope;
}
