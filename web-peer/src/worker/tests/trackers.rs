//! Trackers of torrents: which of them a tab has links to, and what is kept of them.

use super::*;
use crate::messages::{NamedBy, TrackerShown, TrackerState};
use crate::worker::links::MAX_LINKS;

const HASH: &str = "2c6b6858d61da9543d4231a71db4b1c9264b0685";
const OTHER: &str = "3c6b6858d61da9543d4231a71db4b1c9264b0685";

fn link(info_hash: &str, trackers: &[&str]) -> String {
    let trackers = trackers.iter().map(|tracker| format!("&tr={tracker}"));
    format!(
        "magnet:?xt=urn:btih:{info_hash}{}",
        trackers.collect::<String>()
    )
}

fn urls(shown: &[TrackerShown]) -> Vec<&str> {
    shown.iter().map(|tracker| tracker.url.as_str()).collect()
}

impl Page {
    fn shown(&self, info_hash: InfoHash) -> Vec<TrackerShown> {
        self.host.show_trackers(info_hash)
    }

    fn links(&self) -> usize {
        self.host.links.borrow().ids().len()
    }
}

#[wasm_bindgen_test]
async fn each_tracker_that_a_link_names_is_shown_and_some_are_not_contacted() {
    let page = Page::new(Store::in_memory(0));
    page.send(ToWorker::AddLink(link(
        HASH,
        &[
            "ws://127.0.0.1:9/a",
            "WS://127.0.0.1:9/a",
            "udp://x.invalid:1",
            "ws://127.1/",
        ],
    )));
    let info_hash = page.added().await;
    let shown = page.shown(info_hash);
    assert_eq!(
        urls(&shown),
        [
            NO_TRACKER,
            "ws://127.0.0.1:9/a",
            "udp://x.invalid:1",
            "ws://127.1/"
        ]
    );
    let states: Vec<&TrackerState> = shown.iter().map(|tracker| &tracker.state).collect();
    assert!(
        matches!(
            states[..],
            [
                TrackerState::Connecting,
                TrackerState::Connecting,
                TrackerState::Unsupported(_),
                TrackerState::Refused(_)
            ]
        ),
        "{states:?}"
    );
    assert_eq!(page.links(), 2);
    page.send(ToWorker::Remove(info_hash));
    assert_eq!(page.links(), 1);
}

#[wasm_bindgen_test]
async fn links_are_few_and_go_with_the_last_torrent_that_names_them() {
    let page = Page::new(Store::in_memory(0));
    let many = ["a", "b", "c", "d", "e"].map(|path| format!("ws://127.0.0.1:9/{path}"));
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    page.send(ToWorker::AddLink(link(HASH, &many)));
    let first = page.added().await;
    assert_eq!(page.links(), MAX_LINKS);
    let spare = page.shown(first).into_iter();
    let spare = spare.filter(|tracker| tracker.state == TrackerState::Spare);
    assert_eq!(spare.count(), many.len() + 1 - MAX_LINKS);

    page.send(ToWorker::AddLink(link(OTHER, &many[..1])));
    let second = page.added().await;
    page.send(ToWorker::Remove(first));
    assert_eq!(page.links(), 2);
    page.send(ToWorker::Remove(second));
    assert_eq!(page.links(), 1);
}

#[wasm_bindgen_test]
async fn a_tracker_that_was_removed_stays_so_until_a_link_names_it_again() {
    let slot = 1050;
    let page = Page::new(Store::open(slot).await.unwrap());
    let url = "ws://127.0.0.1:9/a";
    page.send(ToWorker::AddLink(link(HASH, &[url])));
    let info_hash = page.added().await;
    for url in [url, NO_TRACKER] {
        page.send(ToWorker::RemoveTracker {
            info_hash,
            url: url.to_owned(),
        });
    }
    assert_eq!(page.shown(info_hash), []);
    assert_eq!(page.links(), 1);
    // Opening waits for the transactions before it.
    Store::open(slot).await.unwrap().records().await.unwrap();

    let reloaded = Page::new(Store::open(slot).await.unwrap());
    resume_all(&reloaded.host).await;
    assert_eq!(reloaded.shown(info_hash), []);
    let other = "ws://127.0.0.1:9/b";
    reloaded.send(ToWorker::AddLink(link(HASH, &[url, other])));
    assert_eq!(urls(&reloaded.shown(info_hash)), [url, other]);
    reloaded.host.store.remove(info_hash).await.unwrap();
}

#[wasm_bindgen_test]
async fn where_none_is_to_be_had_the_others_get_their_turn() {
    let page = Page::new(Store::in_memory(0));
    page.host.keep_connected();
    let many = ["a", "b", "c", "d", "e"].map(|path| format!("ws://127.0.0.1:9/{path}"));
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    page.send(ToWorker::AddLink(link(HASH, &many)));
    let info_hash = page.added().await;
    let mut tried = Vec::new();
    page.state(|_| {
        assert_eq!(page.links(), MAX_LINKS);
        let shown = page.shown(info_hash).into_iter();
        let links = shown.filter(|tracker| tracker.state != TrackerState::Spare);
        let new: Vec<String> = links.map(|tracker| tracker.url).collect();
        tried.extend(
            new.into_iter()
                .filter(|url| !tried.contains(url))
                .collect::<Vec<_>>(),
        );
        tried.len() == many.len() + 1
    })
    .await;
    page.host.hang_up_all();
}

#[wasm_bindgen_test]
async fn a_tracker_where_others_were_met_is_tried_after_a_reload() {
    let slot = 1051;
    let page = Page::new(Store::open(slot).await.unwrap());
    page.send(ToWorker::AddLink(link(HASH, &[])));
    let info_hash = page.added().await;
    let url = "ws://127.0.0.1:9/met";
    page.host
        .update(info_hash, |torrent| torrent.record.met.push(url.into()));
    Store::open(slot).await.unwrap().records().await.unwrap();

    let reloaded = Page::new(Store::open(slot).await.unwrap());
    resume_all(&reloaded.host).await;
    let shown = reloaded.shown(info_hash);
    assert_eq!(urls(&shown), [NO_TRACKER, url]);
    assert_eq!(shown[1].by, NamedBy::Peer);
    assert_eq!(reloaded.links(), 2);
    // Not where a person wants relays of their own only, and not what a person removed.
    reloaded.send(ToWorker::RelayOnly(true));
    assert_eq!(urls(&reloaded.shown(info_hash)), [NO_TRACKER]);
    reloaded.send(ToWorker::RelayOnly(false));
    let url = url.to_owned();
    reloaded.send(ToWorker::RemoveTracker { info_hash, url });
    assert_eq!(urls(&reloaded.shown(info_hash)), [NO_TRACKER]);
    reloaded.host.store.remove(info_hash).await.unwrap();
}
