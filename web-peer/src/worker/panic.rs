//! Our own bugs: said to the person, and then nothing more is done in a broken state.
//!
//! In the page that people get a panic is a trap without words: the page hears that its worker
//! failed, and where in the program, and ends it. While we develop there are words.

use web_sys::DedicatedWorkerGlobalScope;

use crate::messages::{self, ToPage};

/// From now on a panic shows a notice and ends the worker.
pub(super) fn report_to_page(scope: DedicatedWorkerGlobalScope) {
    std::panic::set_hook(Box::new(move |panic| {
        web_sys::console::error_1(&panic.to_string().into());
        let text = format!(
            "Tabswarm has a bug and stopped in this tab; reload the page to go on. ({panic})"
        );
        // What was posted arrives although the worker ends; nobody could be told of more.
        let _ = scope.post_message(&messages::pack(&ToPage::Notice { error: true, text }, &[]));
        scope.close();
    }));
}
