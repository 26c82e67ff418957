//! Links and `.torrent` files that others made.

use swarm_core::metainfo::{Builder, Metainfo, NewFile, TorrentLink};
use swarm_core::pieces::Priority;

use super::*;

/// A torrent of two files, of which nobody has the bytes.
fn torrent(trackers: &[&str], private: bool) -> Metainfo {
    let files = ["a", "b"].map(|name| NewFile {
        path: vec![name.to_owned()],
        length: 16 << 10,
    });
    let builder = Builder::new(Some("both"), files.to_vec(), Some(16 << 10)).unwrap();
    let trackers = trackers.iter().map(|t| (*t).to_owned()).collect();
    builder.finish(vec![7; 40], trackers, private)
}

#[wasm_bindgen_test]
async fn each_torrent_file_is_opened_and_only_what_was_opened_is_said_to_be() {
    let page = Page::new(Store::in_memory(0));
    page.open("bad.torrent", b"nothing");
    page.open("good.torrent", &torrent(&[], false).to_torrent());
    assert_eq!(page.added().await, torrent(&[], false).info_hash());
    assert!(page.note().await.contains("“good.torrent” is opened"));
    assert_eq!(page.host.torrents.all().len(), 1);
}

#[wasm_bindgen_test]
async fn a_private_torrent_is_opened_by_its_own_trackers_page_alone() {
    let page = Page::new(Store::in_memory(0));
    let strange = torrent(&["http://private.invalid/announce"], true);
    page.open("private.torrent", &strange.to_torrent());
    let said = page.error().await;
    assert!(
        said.contains("is private") && said.contains("private.invalid"),
        "{said}"
    );
    assert_eq!(page.host.torrents.all(), []);

    // Addresses may be written in more ways than one.
    let ours = torrent(&["udp://x.invalid:1", "WS://127.0.0.1:9/swarm"], true);
    page.open("ours.torrent", &ours.to_torrent());
    assert_eq!(page.added().await, ours.info_hash());
}

#[wasm_bindgen_test]
async fn a_links_private_torrent_is_left_unless_the_link_names_a_tracker() {
    let private = torrent(&[], true);
    for (page_of_link, stays) in [
        (None, false),
        // Its server is the torrent's tracker then, if a page may connect to it.
        (Some("http://elsewhere.invalid/".to_owned()), true),
        (Some("http://127.0.0.1:9/".to_owned()), true),
    ] {
        let page = Page::new(Store::in_memory(0));
        let link = TorrentLink {
            page: page_of_link.clone(),
            ..TorrentLink::from(&private)
        };
        let text = match &page_of_link {
            Some(page) => link.to_share_link(page),
            None => link.to_magnet(),
        };
        page.send(ToWorker::AddLink(text));
        page.added().await;
        page.host.metadata_is_here(&private);
        assert_eq!(page.host.torrents.contains(private.info_hash()), stays);
        if !stays {
            assert!(page.error().await.contains("is private"));
        }
    }
}

#[wasm_bindgen_test]
async fn a_link_chooses_files_and_the_choice_waits_for_the_metadata() {
    let slot = 1010;
    let metainfo = torrent(&[], false);
    let page = Page::new(Store::open(slot).await.unwrap());
    let link = TorrentLink {
        files: Some("1".parse().unwrap()),
        web_seeds: vec!["http://seed.example/".to_owned()],
        ..TorrentLink::from(&metainfo)
    };
    page.send(ToWorker::AddLink(link.to_magnet()));
    let info_hash = page.added().await;
    // Opening waits for the transaction before it.
    Store::open(slot).await.unwrap().records().await.unwrap();

    let reloaded = Page::new(Store::open(slot).await.unwrap());
    resume_all(&reloaded.host).await;
    reloaded.host.metadata_is_here(&metainfo);
    let known = reloaded.host.torrents.metainfo(info_hash).unwrap();
    assert_eq!(known.web_seeds(), ["http://seed.example/"]);
    let wished = |page: &Page| {
        let wishes = page.host.torrents.look(info_hash, |torrent| {
            torrent.record.wishes.priorities.clone()
        });
        wishes.unwrap()
    };
    assert_eq!(wished(&reloaded), [Priority::Skip, Priority::Normal]);

    // Another link to it asks for the other file: then both are wanted.
    let other = TorrentLink {
        files: Some("0".parse().unwrap()),
        ..link
    };
    reloaded.send(ToWorker::AddLink(other.to_magnet()));
    assert_eq!(wished(&reloaded), [Priority::Normal, Priority::Normal]);
    reloaded.host.store.remove(info_hash).await.unwrap();
}
