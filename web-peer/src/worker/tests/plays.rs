//! Files that are read while they come, as the service worker asks for them.

use js_sys::{Array, ArrayBuffer, Promise};
use swarm_core::engine::TorrentState;
use swarm_core::pieces::{Priority, Strategy};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::{MessageChannel, MessageEvent, MessagePort};

use super::*;

/// What the service worker does.
struct Service(MessagePort);

impl Service {
    async fn begin(page: &Page, info_hash: InfoHash, file: u32) -> (Self, JsValue) {
        let pair = MessageChannel::new().unwrap();
        let service = Service(pair.port1());
        let answer = service.next();
        let message = ToWorker::Stream {
            info_hash,
            file: Some(file),
            save: false,
        };
        page.host.handle_message(message, vec![pair.port2().into()]);
        (service, heard(answer).await)
    }

    fn next(&self) -> Promise {
        Promise::new(&mut |resolve, _| self.0.set_onmessage(Some(&resolve)))
    }

    fn ask(&self, from: usize, to: usize) -> Promise {
        let answer = self.next();
        let range = Array::of2(&(from as f64).into(), &(to as f64).into());
        self.0.post_message(&range).unwrap();
        answer
    }
}

async fn heard(answer: Promise) -> JsValue {
    let event = JsFuture::from(answer).await.unwrap();
    event.unchecked_into::<MessageEvent>().data()
}

/// A leecher that lacks the last piece of a file, and what the file has.
async fn leecher() -> (Page, InfoHash, Vec<u8>) {
    let page = Page::new(Store::in_memory(0));
    let bytes = noise(3_000_000);
    page.share(None, &[("long speech.wav", &bytes)]);
    let info_hash = page.added().await;
    let torrent = page.host.torrents.look(info_hash, Torrent::clone).unwrap();
    let metainfo = torrent.metainfo.unwrap();
    let store = Store::in_memory(64 << 20);
    let layout = metainfo.layout();
    for piece in layout.pieces().take(layout.piece_count() as usize - 1) {
        let start = layout.offset(piece) as usize;
        let data = &bytes[start..start + layout.length(piece) as usize];
        let key = (info_hash, piece.get());
        store.write(key, Uint8Array::from(data)).await.unwrap();
    }
    let mut record = torrent.record;
    record.content = Content::Torrent(metainfo.to_torrent());
    store.put_record(&record).await.unwrap();
    let leecher = Page::new(store);
    resume_all(&leecher.host).await;
    let is_downloading = |state: &State| {
        let mut torrents = state.view.torrents.iter();
        torrents.any(|torrent| torrent.state == TorrentState::Downloading)
    };
    leecher.state(is_downloading).await;
    (leecher, info_hash, bytes)
}

#[wasm_bindgen_test]
async fn what_is_here_is_given_stretch_by_stretch_and_what_is_not_is_waited_for() {
    let (leecher, info_hash, bytes) = leecher().await;
    let (service, told) = Service::begin(&leecher, info_hash, 0).await;
    let told: Array = told.unchecked_into();
    assert_eq!(told.get(0).as_f64(), Some(3_000_000.0));
    assert_eq!(told.get(1).as_string().as_deref(), Some("audio/wav"));
    assert_eq!(told.get(2).as_string().as_deref(), Some("long speech.wav"));

    let mut from = 1_234;
    while from < 2_000_000 {
        let answer = heard(service.ask(from, 2_000_000)).await;
        let given = bytes_of(&answer.dyn_into::<ArrayBuffer>().unwrap());
        assert!(
            !given.is_empty() && given == bytes[from..from + given.len()],
            "{from}"
        );
        from += given.len();
    }
    // The end is not here, and nobody comes who has it.
    let answer = service.ask(2_999_000, 3_000_000);
    leecher.send(ToWorker::Remove(info_hash));
    let refused = heard(answer).await.as_string();
    assert_eq!(refused.as_deref(), Some("the torrent was removed"));
    let (_, told) = Service::begin(&leecher, info_hash, 0).await;
    assert_eq!(
        told.as_string().as_deref(),
        Some(""),
        "there is nothing to tell of"
    );
}

#[wasm_bindgen_test]
async fn what_is_shown_comes_first_and_everything_as_before_afterwards() {
    let (leecher, info_hash, _) = leecher().await;
    leecher.send(ToWorker::Play(Some((info_hash, 0))));
    let is = |strategy| move |state: &State| state.view.torrents[0].strategy == strategy;
    leecher.state(is(Strategy::Streaming)).await;
    assert_eq!(leecher.only().priorities, [Priority::High]);
    leecher.send(ToWorker::Play(None));
    leecher.state(is(Strategy::RarestFirst)).await;
    assert!(leecher.only().priorities.is_empty());
}
