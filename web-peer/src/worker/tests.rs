//! The worker as the page sees it: a line to it, and what comes back.

use std::cell::RefCell;
use std::rc::Rc;

use futures_channel::oneshot;
use js_sys::{Array, Uint8Array};
use swarm_core::engine::TorrentState;
use swarm_core::engine::view::Known;
use swarm_core::id::InfoHash;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::{Blob, File, MessageChannel, MessageEvent};

use super::embed::Listener;
use super::host::Host;
use super::js::{bytes_of, read_blob};
use super::start::resume_all;
use super::store::{Content, Store};
use super::torrents::Torrent;
use crate::messages::{self, State, ToPage, ToWorker};

mod changed;
mod damaged;
mod enough;
mod long;
mod looks;
mod opened;
mod plays;
mod trackers;
mod wishes;

/// A port that nothing listens on.
const NO_TRACKER: &str = "ws://127.0.0.1:9/swarm";

/// A host, and what it says to its page.
pub(super) struct Page {
    pub(super) host: Rc<Host>,
    said: Rc<RefCell<Said>>,
}

#[derive(Default)]
struct Said {
    messages: Vec<(ToPage, Vec<JsValue>)>,
    /// What the page knows of each torrent, by the snapshots that came.
    known: Vec<(InfoHash, Known)>,
    snapshots: usize,
    wake: Option<oneshot::Sender<()>>,
}

impl Said {
    fn learn(&mut self, state: &State) {
        self.snapshots += 1;
        let shown = |info_hash: &InfoHash| {
            let mut torrents = state.view.torrents.iter();
            torrents.any(|torrent| torrent.info_hash == *info_hash)
        };
        self.known.retain(|(info_hash, _)| shown(info_hash));
        for (info_hash, changes) in state.changes.clone() {
            let place = self.known.iter().position(|(of, _)| *of == info_hash);
            let place = place.unwrap_or_else(|| {
                self.known.push((info_hash, Known::default()));
                self.known.len() - 1
            });
            self.known[place].1.learn(changes);
        }
    }
}

impl Page {
    pub(super) fn new(store: Store) -> Self {
        let channel = MessageChannel::new().unwrap();
        let said = Rc::new(RefCell::new(Said::default()));
        let heard = Rc::clone(&said);
        let listener = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            let mut heard = heard.borrow_mut();
            let said = messages::unpack(&event.data()).expect("the worker speaks to its page");
            if let (ToPage::State(state), _) = &said {
                heard.learn(state);
            }
            heard.messages.push(said);
            if let Some(wake) = heard.wake.take() {
                let _ = wake.send(());
            }
        });
        channel
            .port2()
            .set_onmessage(Some(listener.as_ref().unchecked_ref()));
        listener.forget();
        // A port has the one method of the scope that the host calls.
        let host = Host::new(
            channel.port1().unchecked_into(),
            Listener::Page,
            store,
            NO_TRACKER,
        );
        Page { host, said }
    }

    fn send(&self, message: ToWorker) {
        self.host.handle_message(message, Vec::new());
    }

    /// Waits for the next message that `wanted` makes something of.
    async fn next<T>(&self, mut wanted: impl FnMut(&ToPage, &[JsValue]) -> Option<T>) -> T {
        loop {
            let messages = std::mem::take(&mut self.said.borrow_mut().messages);
            for (index, (message, attached)) in messages.iter().enumerate() {
                if let Some(found) = wanted(message, attached) {
                    let rest = messages.iter().skip(index + 1).cloned();
                    self.said.borrow_mut().messages.splice(0..0, rest);
                    return found;
                }
            }
            let (wake, woken) = oneshot::channel();
            self.said.borrow_mut().wake = Some(wake);
            woken.await.unwrap();
        }
    }

    /// Looks until there is to see what is wanted.
    async fn state(&self, mut wanted: impl FnMut(&State) -> bool) -> State {
        loop {
            self.send(ToWorker::Look { at_once: false });
            let state = self.next(|message, _| match message {
                ToPage::State(state) => Some(state.clone()),
                _ => None,
            });
            let state = state.await;
            if wanted(&state) {
                return state;
            }
        }
    }

    /// What it knows of a torrent.
    fn known(&self, info_hash: InfoHash) -> Known {
        let said = self.said.borrow();
        let known = said.known.iter().find(|(of, _)| *of == info_hash);
        known.expect("it is shown").1.clone()
    }

    /// What it knows of its only torrent.
    fn only(&self) -> Known {
        let [(info_hash, _)] = self.said.borrow().known[..] else {
            panic!("there is one torrent");
        };
        self.known(info_hash)
    }

    async fn added(&self) -> InfoHash {
        self.next(|message, _| match message {
            ToPage::Added(info_hash) => Some(*info_hash),
            _ => None,
        })
        .await
    }

    async fn error(&self) -> String {
        self.next(|message, _| match message {
            ToPage::Notice { error: true, text } => Some(text.clone()),
            _ => None,
        })
        .await
    }

    /// What was said that is no error.
    async fn note(&self) -> String {
        self.next(|message, _| match message {
            ToPage::Notice { error: false, text } => Some(text.clone()),
            _ => None,
        })
        .await
    }

    async fn saved(&self) -> (String, Vec<u8>) {
        let (name, blob) = self
            .next(|message, attached| match message {
                ToPage::Saved { name } => {
                    Some((name.clone(), attached[0].clone().unchecked_into::<Blob>()))
                }
                _ => None,
            })
            .await;
        (name, bytes_of(&read_blob(&blob).await.unwrap()).to_vec())
    }

    fn open(&self, name: &str, bytes: &[u8]) {
        self.send(ToWorker::AddTorrent {
            name: name.to_owned(),
            bytes: bytes.to_vec(),
        });
    }

    fn share(&self, folder: Option<&str>, files: &[(&str, &[u8])]) {
        let paths = files
            .iter()
            .map(|(path, _)| path.split('/').map(str::to_owned).collect())
            .collect();
        let attached = files
            .iter()
            .map(|(path, bytes)| file(path, bytes).into())
            .collect();
        self.host.handle_message(
            ToWorker::Share {
                folder: folder.map(str::to_owned),
                paths,
            },
            attached,
        );
    }
}

/// Several scripts, an empty file, a file longer than a piece, files that share a piece.
fn folder() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("a/пример.txt", noise(300_000)),
        ("empty", Vec::new()),
        ("z/small", b"few bytes".to_vec()),
        ("z/例え/😀.bin", noise(700_001)),
    ]
}

async fn share_folder(page: &Page) -> InfoHash {
    let files = folder();
    let files: Vec<_> = files
        .iter()
        .map(|(path, bytes)| (*path, &bytes[..]))
        .collect();
    page.share(Some("a folder"), &files);
    page.added().await
}

#[wasm_bindgen_test]
async fn what_is_dropped_is_seeded_and_can_be_saved() {
    let page = Page::new(Store::in_memory(0));
    let bytes = noise(5_000_000);
    page.share(None, &[("film.mkv", &bytes)]);
    let info_hash = page.added().await;
    let state = page.state(|state| state.view.torrents.len() == 1).await;
    let torrent = &state.view.torrents[0];
    assert_eq!(
        (torrent.state, torrent.progress),
        (TorrentState::Seeding, 1.0)
    );
    let description = page.known(info_hash).description;
    assert_eq!(
        (description.name.as_str(), description.length),
        ("film.mkv", 5_000_000)
    );

    page.send(ToWorker::Save {
        info_hash,
        file: None,
    });
    assert_eq!(page.saved().await, ("film.mkv".to_owned(), bytes));
}

#[wasm_bindgen_test]
async fn a_folder_is_saved_as_a_zip_that_others_can_read() {
    let page = Page::new(Store::in_memory(0));
    let info_hash = share_folder(&page).await;
    page.send(ToWorker::Save {
        info_hash,
        file: None,
    });
    check_zip(page.saved().await, folder());
    page.send(ToWorker::Save {
        info_hash,
        file: Some(3),
    });
    assert_eq!(page.saved().await, ("😀.bin".to_owned(), noise(700_001)));
}

#[wasm_bindgen_test]
async fn files_come_out_of_the_store_as_they_come_out_of_their_source() {
    let page = Page::new(Store::in_memory(0));
    let info_hash = share_folder(&page).await;
    let torrent = page.host.torrents.look(info_hash, Torrent::clone).unwrap();
    let (metainfo, whole) = (torrent.metainfo.unwrap(), torrent.source.unwrap());
    let whole = bytes_of(&read_blob(&whole.blob).await.unwrap());

    // What a leecher's store looks like in the end.
    let store = Store::in_memory(64 << 20);
    for piece in metainfo.layout().pieces() {
        let start = metainfo.layout().offset(piece) as usize;
        let data = &whole[start..start + metainfo.layout().length(piece) as usize];
        store
            .write((info_hash, piece.get()), Uint8Array::from(data))
            .await
            .unwrap();
    }
    let mut record = torrent.record;
    record.content = Content::Torrent(metainfo.to_torrent());
    store.put_record(&record).await.unwrap();

    let leecher = Page::new(store);
    resume_all(&leecher.host).await;
    leecher
        .state(|state| {
            state
                .view
                .torrents
                .iter()
                .any(|torrent| torrent.state == TorrentState::Seeding)
        })
        .await;
    leecher.send(ToWorker::Save {
        info_hash,
        file: None,
    });
    check_zip(leecher.saved().await, folder());
    for (index, (_, bytes)) in folder().into_iter().enumerate() {
        leecher.send(ToWorker::Save {
            info_hash,
            file: Some(index as u32),
        });
        assert_eq!(leecher.saved().await.1, bytes);
    }
}

#[wasm_bindgen_test]
async fn a_reloaded_tab_goes_on_seeding_what_was_dropped() {
    let slot = 1000;
    let page = Page::new(Store::open(slot).await.unwrap());
    page.share(None, &[("kept", &noise(400_000))]);
    let info_hash = page.added().await;
    page.send(ToWorker::Pause(info_hash));

    let reloaded = loop {
        page.host.store.close();
        let reloaded = Page::new(Store::open(slot).await.unwrap());
        resume_all(&reloaded.host).await;
        let state = reloaded.state(|_| true).await;
        // The browser copies the file in its own time.
        if state
            .view
            .torrents
            .first()
            .is_some_and(|torrent| torrent.progress == 1.0)
        {
            break reloaded;
        }
    };
    let state = reloaded.host.node().view(reloaded.host.clock.now());
    assert_eq!(state.torrents[0].state, TorrentState::Paused);
    reloaded.send(ToWorker::Resume(info_hash));
    reloaded.send(ToWorker::Save {
        info_hash,
        file: None,
    });
    assert_eq!(reloaded.saved().await, ("kept".to_owned(), noise(400_000)));

    reloaded.send(ToWorker::Remove(info_hash));
    reloaded.state(|state| state.view.torrents.is_empty()).await;
    let store = Store::open(slot).await.unwrap();
    assert_eq!(store.records().await.unwrap(), []);
    assert!(store.source(info_hash).await.unwrap().is_none());
}

#[wasm_bindgen_test]
async fn the_same_files_make_the_same_torrent_in_any_order() {
    let page = Page::new(Store::in_memory(0));
    page.share(Some("both"), &[("one", b"1"), ("two", b"2")]);
    let first = page.added().await;
    page.share(Some("both"), &[("two", b"2"), ("one", b"1")]);
    assert_eq!(page.added().await, first);
}

#[wasm_bindgen_test]
async fn a_name_that_others_cannot_write_is_made_safe_in_words() {
    let page = Page::new(Store::in_memory(0));
    page.share(None, &[("back\\slash.txt", b"bytes")]);
    assert!(page.note().await.contains("“back_slash.txt”"));
    let info_hash = page.added().await;
    page.send(ToWorker::Save {
        info_hash,
        file: None,
    });
    assert_eq!(page.saved().await.0, "back_slash.txt");
}

#[wasm_bindgen_test]
async fn what_cannot_be_opened_is_explained() {
    let page = Page::new(Store::in_memory(0));
    page.send(ToWorker::AddLink("not a link".into()));
    assert!(page.error().await.contains("link"));
    page.open("bad.torrent", b"de");
    assert!(page.error().await.contains("“bad.torrent” can't be opened"));
    page.share(None, &[("empty", b"")]);
    assert!(page.error().await.contains("empty"));
    let nobody = InfoHash([1; 20]);
    page.send(ToWorker::Save {
        info_hash: nobody,
        file: None,
    });
    page.error().await;
    page.send(ToWorker::Remove(nobody));
    page.send(ToWorker::Pause(nobody));
    page.send(ToWorker::CancelHashing(7));
}

#[wasm_bindgen_test]
async fn a_link_waits_for_its_metadata_across_a_reload() {
    let slot = 1001;
    let page = Page::new(Store::open(slot).await.unwrap());
    page.send(ToWorker::AddLink(format!(
        "magnet:?xt=urn:btih:{}&dn=hello",
        "ab".repeat(20)
    )));
    let info_hash = page.added().await;
    page.state(|state| state.view.torrents.len() == 1).await;
    // Opening waits for the transaction before it.
    Store::open(slot).await.unwrap().records().await.unwrap();

    let reloaded = Page::new(Store::open(slot).await.unwrap());
    resume_all(&reloaded.host).await;
    let state = reloaded
        .state(|state| !state.view.torrents.is_empty())
        .await;
    assert_eq!(state.view.torrents[0].state, TorrentState::Metadata);
    assert_eq!(reloaded.known(info_hash).description.name, "hello");
    reloaded.host.store.remove(info_hash).await.unwrap();
}

#[wasm_bindgen_test]
async fn a_tracker_that_is_away_is_tried_again() {
    let page = Page::new(Store::in_memory(0));
    page.host.keep_connected();
    page.state(|state| state.reconnect_in.is_some()).await;
}

fn check_zip((name, bytes): (String, Vec<u8>), files: Vec<(&str, Vec<u8>)>) {
    assert_eq!(name, "a folder.zip");
    let archive = rawzip::ZipArchive::from_slice(&bytes).unwrap();
    let mut entries = archive.entries();
    let mut expected = files.into_iter();
    while let Some(entry) = entries.next_entry().unwrap() {
        let (path, data) = expected.next().unwrap();
        let path = format!("a folder/{path}");
        assert_eq!(entry.file_path().try_normalize().unwrap().as_ref(), path);
        let local = archive.get_entry(entry.wayfinder()).unwrap();
        assert_eq!(local.data(), data);
        let mut verified = Vec::new();
        let mut reader = local.verifying_reader(local.data());
        std::io::Read::read_to_end(&mut reader, &mut verified).unwrap();
    }
    assert!(expected.next().is_none());
}

fn file(name: &str, bytes: &[u8]) -> File {
    let parts = Array::of1(&Uint8Array::from(bytes));
    File::new_with_u8_array_sequence(&parts, name).unwrap()
}

/// Bytes that don't repeat with the length of a piece.
fn noise(length: u32) -> Vec<u8> {
    (0..length)
        .map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect()
}

#[wasm_bindgen_test]
async fn a_recording_begins_anew_with_what_is_kept_and_is_saved() {
    let page = Page::new(Store::in_memory(1 << 20));
    page.send(ToWorker::AddLink(
        "2c6b6858d61da9543d4231a71db4b1c9264b0685".into(),
    ));
    let info_hash = page.added().await;
    page.send(ToWorker::Record(true));
    let is_back = |state: &State| state.recording.is_some() && !state.view.torrents.is_empty();
    let state = page.state(is_back).await;
    assert_eq!(state.view.torrents[0].info_hash, info_hash);

    page.send(ToWorker::Record(false));
    let (name, bytes) = page.saved().await;
    assert!(
        name.starts_with("tabswarm-2") && name.ends_with(".swarmrec"),
        "{name}"
    );
    let mut reader = swarm_core::record::Reader::default();
    reader.push(&bytes);
    reader.header().unwrap().expect("a whole header");
    let mut entries = 0;
    while let Some(entry) = reader.next_entry().unwrap() {
        entries += 1;
        assert!(entry.time() > swarm_core::time::Time::ZERO);
    }
    assert!(reader.is_complete() && entries >= 2, "{entries}");
    page.state(|state| state.recording.is_none()).await;
}
