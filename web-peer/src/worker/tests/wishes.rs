//! What a person wants of a torrent.

use swarm_core::engine::TorrentView;
use swarm_core::pieces::{Priority, Strategy};

use super::*;

/// A snapshot of it shows what was wished for.
fn has_wishes(page: &Page, state: &State) -> bool {
    use Priority::{Normal, Skip};
    let in_order = |torrent: &TorrentView| torrent.strategy == Strategy::Sequential;
    state.view.torrents.iter().any(in_order)
        && page.only().priorities == [Skip, Normal, Skip, Normal]
}

#[wasm_bindgen_test]
async fn what_is_left_out_is_not_saved_and_every_new_engine_hears_of_it() {
    let slot = 1002;
    let page = Page::new(Store::open(slot).await.unwrap());
    let info_hash = share_folder(&page).await;
    page.send(ToWorker::SetAllWanted(info_hash, false));
    for (file, wanted) in [(1, true), (2, true), (2, false), (3, true)] {
        page.send(ToWorker::SetWanted {
            info_hash,
            file,
            wanted,
        });
    }
    page.send(ToWorker::SetStrategy(info_hash, Strategy::Sequential));
    page.send(ToWorker::Save {
        info_hash,
        file: None,
    });
    let [_, second, _, fourth] = folder().try_into().unwrap();
    check_zip(page.saved().await, vec![second, fourth]);

    page.send(ToWorker::Record(true));
    page.state(|state| state.recording.is_some() && has_wishes(&page, state))
        .await;

    loop {
        let reloaded = Page::new(Store::open(slot).await.unwrap());
        resume_all(&reloaded.host).await;
        let state = reloaded.state(|_| true).await;
        // The browser keeps things in its own time.
        if has_wishes(&reloaded, &state) {
            reloaded.host.store.remove(info_hash).await.unwrap();
            break;
        }
    }
}
