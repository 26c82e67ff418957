//! What a page is told that looks, and one that does not.

use swarm_core::pieces::Strategy;

use super::*;
use crate::messages::Glance;

impl Page {
    async fn glance(&self, wanted: Glance) {
        self.next(|message, _| match message {
            ToPage::Glance(glance) if *glance == wanted => Some(()),
            _ => None,
        })
        .await;
    }
}

#[wasm_bindgen_test]
async fn a_page_that_does_not_look_is_told_what_happens_and_no_more() {
    let page = Page::new(Store::in_memory(0));
    page.share(None, &[("film.mkv", &noise(3_000_000))]);
    let hashing = Glance {
        percent: Some(0),
        is_busy: true,
        is_needed: false,
    };
    page.glance(hashing).await;
    let info_hash = page.added().await;
    let is_snapshot = |message: &ToPage, _: &[JsValue]| match message {
        ToPage::State(state) => Some(state.clone()),
        _ => None,
    };
    // It is busy until the files are copied as well, before or after it says so.
    let (mut happened, mut rests) = (None, false);
    while happened.is_none() || !rests {
        let news = page.next(|message, _| match message {
            ToPage::State(state) => Some(Ok(state.clone())),
            ToPage::Glance(glance) => Some(Err(*glance)),
            _ => None,
        });
        match news.await {
            Ok(state) => happened = happened.or(Some(state)),
            Err(glance) => rests = glance == Glance::default(),
        }
    }
    let state = happened.expect("it was awaited");
    assert!(state.has_happened);
    assert_eq!(state.view.torrents[0].state, TorrentState::Seeding);
    assert_eq!(page.only().have, [0xff, 0xf0]);
    assert_eq!(page.only().description.files.len(), 1);

    // For everything else it has to ask, and gets it in one snapshot.
    let snapshots = || page.said.borrow().snapshots;
    let before = snapshots();
    for strategy in [
        Strategy::Sequential,
        Strategy::RarestFirst,
        Strategy::Streaming,
    ] {
        page.send(ToWorker::SetStrategy(info_hash, strategy));
        page.send(ToWorker::Save {
            info_hash,
            file: None,
        });
        page.saved().await;
    }
    assert_eq!(snapshots(), before);
    page.send(ToWorker::Look { at_once: true });
    let state = page.next(is_snapshot).await;
    assert!(!state.has_happened && state.changes.is_empty());
    assert_eq!(state.view.torrents[0].strategy, Strategy::Streaming);
    assert_eq!(snapshots(), before + 1);
}

#[wasm_bindgen_test]
async fn a_page_is_told_again_only_what_is_new() {
    let page = Page::new(Store::in_memory(0));
    let info_hash = share_folder(&page).await;
    let is_here = |state: &State| !state.view.torrents.is_empty();
    page.state(is_here).await;
    page.send(ToWorker::SetWanted {
        info_hash,
        file: 2,
        wanted: false,
    });
    let is_chosen = |state: &State| {
        let news = state.changes.iter().find(|(of, _)| *of == info_hash);
        news.is_some_and(|(_, changes)| changes.priorities.is_some())
    };
    let state = page.state(is_chosen).await;
    let (_, changes) = &state.changes[0];
    assert_eq!((&changes.description, &changes.have), (&None, &None));

    // It is forgotten with the torrent, and told anew when it comes back.
    page.send(ToWorker::Remove(info_hash));
    page.state(|state| !is_here(state)).await;
    assert_eq!(share_folder(&page).await, info_hash);
    page.state(is_here).await;
    assert_eq!(page.known(info_hash).description.name, "a folder");
}
