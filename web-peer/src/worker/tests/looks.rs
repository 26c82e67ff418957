//! What a page is told that looks, and one that does not.

use super::*;
use crate::messages::Glance;

impl Page {
    fn snapshots(&self) -> usize {
        let said = self.said.borrow();
        let is_snapshot = |(message, _): &&(ToPage, _)| matches!(message, ToPage::State(_));
        said.messages.iter().filter(is_snapshot).count()
    }

    async fn glance(&self, wanted: Glance) {
        self.next(|message, _| match message {
            ToPage::Glance(glance) if *glance == wanted => Some(()),
            _ => None,
        })
        .await;
    }
}

#[wasm_bindgen_test]
async fn a_page_that_does_not_look_is_told_no_more_than_its_title_shows() {
    let page = Page::new(Store::in_memory(0));
    page.share(None, &[("film.mkv", &noise(3_000_000))]);
    let hashing = Glance {
        percent: Some(0),
        is_busy: true,
    };
    page.glance(hashing).await;
    page.glance(Glance::default()).await;
    assert_eq!(page.snapshots(), 0);

    // Once it looks, it sees everything, in one snapshot.
    page.send(ToWorker::Look { at_once: true });
    let is_snapshot = |message: &ToPage, _: &[JsValue]| match message {
        ToPage::State(state) => Some(state.clone()),
        _ => None,
    };
    let state = page.next(is_snapshot).await;
    assert_eq!(state.view.torrents[0].state, TorrentState::Seeding);
    assert_eq!(page.only().have, [0xff, 0xf0]);
    assert_eq!(page.only().description.files.len(), 1);
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
