//! When there was enough of sharing.

use swarm_core::engine::{Enough, Reached};

use super::*;
use crate::messages::Limits;

fn shared_enough(state: &State) -> bool {
    let torrent = &state.view.torrents[0];
    let paused = torrent.state == TorrentState::Paused;
    paused && state.enough == [(torrent.info_hash, Reached::Ratio)]
}

fn shares(state: &State) -> bool {
    state.view.torrents[0].state == TorrentState::Seeding && state.enough.is_empty()
}

#[wasm_bindgen_test]
async fn what_was_shared_enough_stays_so_until_more_is_allowed() {
    let slot = 1012;
    let page = Page::new(Store::open(slot).await.unwrap());
    let info_hash = share_folder(&page).await;
    page.state(shares).await;
    let allow = |page: &Page, ratio| {
        page.send(ToWorker::SetLimits(Limits {
            enough: Enough { ratio, time: None },
            ..Limits::default()
        }));
    };
    allow(&page, Some(0.0));
    page.state(shared_enough).await;

    let reloaded = loop {
        let reloaded = Page::new(Store::open(slot).await.unwrap());
        resume_all(&reloaded.host).await;
        // The browser keeps things in its own time.
        if shared_enough(&reloaded.state(|_| true).await) {
            break reloaded;
        }
    };
    allow(&reloaded, Some(1.0));
    reloaded.state(shares).await;
    allow(&reloaded, Some(0.0));
    reloaded.state(shared_enough).await;
    allow(&reloaded, None);
    reloaded.state(shares).await;
    reloaded.host.store.remove(info_hash).await.unwrap();
}
