//! How often a tracker is asked that is there, and of no use.

use wasm_bindgen_test::wasm_bindgen_test;

use super::TRACKER;
use crate::worker::language::Language;
use crate::worker::store::Store;
use crate::worker::tests::Page;

#[wasm_bindgen_test]
fn a_tracker_that_says_a_word_and_closes_is_asked_less_and_less() {
    let page = Page::new(Store::in_memory(0));
    let host = &page.host;
    for _ in 0..8 {
        host.connect(TRACKER);
        host.with_link(TRACKER, |link| {
            link.hears(host.clock.now(), Language::Ours);
        });
        host.lost(TRACKER);
    }
    let seconds = host.reconnect_in(host.clock.now());
    assert!(seconds.is_some_and(|it| it >= 14), "{seconds:?}");
}
