//! The list of torrents, and of files that are no torrents yet.

mod files;
mod hashing;
mod peers;
mod piece_map;
mod sentences;
mod torrent;
mod trackers;

use std::cell::RefCell;
use std::rc::Rc;

use swarm_core::id::InfoHash;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::spawn_local;
use web_sys::{
    Element, Event, HtmlAnchorElement, HtmlInputElement, HtmlSelectElement, ScrollIntoViewOptions,
    ScrollLogicalPosition,
};

use super::dom::{after, by_id, document, listen, part, set_text, window};
use super::list::{List, Row};
use super::player::Player;
use super::port::Port;
use super::service::Service;
use super::swarm::Swarms;
use super::words::say;
use super::{alerts, browser, saving};
use crate::messages::{State, ToWorker};
use hashing::Hashing;
use torrent::{STRATEGIES, Torrent, TorrentShown};

/// How long a button says that it has copied. Milliseconds.
const COPIED_SHOWN: i32 = 2_000;

/// Everything that is here, the newest first.
pub(crate) struct Torrents {
    hashing: List<Hashing>,
    torrents: List<Torrent>,
}

impl Torrents {
    /// Nothing yet.
    pub(crate) fn new() -> Self {
        Torrents {
            hashing: List::new(by_id("hashing-list")),
            torrents: List::new(by_id("torrent-list")),
        }
    }

    /// Shows a new snapshot.
    pub(crate) fn show(&mut self, state: State) {
        let State {
            view,
            mut changes,
            mut trackers,
            hashing,
            saving,
            enough,
            ..
        } = state;
        self.hashing.show(hashing.into_iter().rev().collect());
        let shown = view.torrents.into_iter().rev().map(|view| {
            let saving = saving
                .iter()
                .find(|(info_hash, _)| *info_hash == view.info_hash);
            let news = changes.iter().position(|(of, _)| *of == view.info_hash);
            let tracked = trackers.iter().position(|(of, _)| *of == view.info_hash);
            TorrentShown {
                trackers: tracked.map(|tracked| trackers.swap_remove(tracked).1),
                saving: saving.map(|&(_, progress)| progress),
                enough: enough
                    .iter()
                    .find(|(of, _)| *of == view.info_hash)
                    .map(|it| it.1),
                changes: news.map(|news| changes.swap_remove(news).1),
                view,
            }
        });
        self.torrents.show(shown.collect());
    }

    /// What a torrent is called.
    pub(crate) fn name(&mut self, info_hash: &InfoHash) -> String {
        let torrent = self.torrents.get(info_hash);
        torrent.map_or_else(String::new, |torrent| torrent.name().to_owned())
    }

    /// Scrolls to a torrent; false if it is not there.
    pub(crate) fn scroll_to(&mut self, info_hash: &InfoHash) -> bool {
        let Some(torrent) = self.torrents.get(info_hash) else {
            return false;
        };
        let options = ScrollIntoViewOptions::new();
        options.set_block(ScrollLogicalPosition::Nearest);
        torrent
            .element()
            .scroll_into_view_with_scroll_into_view_options(&options);
        true
    }
}

/// What carries out what buttons say. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Hands {
    pub(crate) port: Port,
    pub(crate) service: Service,
    pub(crate) player: Player,
    pub(crate) swarms: Swarms,
}

impl Hands {
    /// Idle.
    pub(crate) fn new(port: &Port) -> Self {
        let service = Service::new(port);
        Hands {
            player: Player::new(port, &service),
            swarms: Swarms::new(port),
            service,
            port: port.clone(),
        }
    }
}

/// Draws the piece maps anew when they have another width or other colours, and when the
/// tab was hidden.
pub(crate) fn listen_to_repaints(torrents: &Rc<RefCell<Torrents>>) {
    let repaint = |torrents: &Rc<RefCell<Torrents>>| {
        let torrents = torrents.clone();
        move |_: Event| {
            torrents
                .borrow()
                .torrents
                .iter()
                .for_each(Torrent::draw_pieces);
        }
    };
    listen(&window(), "resize", repaint(torrents));
    listen(&document(), "visibilitychange", repaint(torrents));
    if let Ok(Some(colours)) = window().match_media("(prefers-color-scheme: dark)") {
        listen(&colours, "change", repaint(torrents));
    }
}

/// Does what the buttons say. They carry it in `data-do`, so that buttons that come and go
/// need no listeners of their own.
pub(crate) fn listen_to_clicks(torrents: &Rc<RefCell<Torrents>>, hands: &Hands) {
    let (clicked, clicking) = (torrents.clone(), hands.clone());
    listen(&by_id("torrents"), "click", move |event| {
        let target = event
            .target()
            .and_then(|target| target.dyn_into::<Element>().ok());
        let button = target.and_then(|target| target.closest("[data-do]").ok().flatten());
        if let Some(button) = button
            && let Some(card) = button.closest("article").ok().flatten()
        {
            carry_out(&button, &card, &mut clicked.borrow_mut(), &clicking);
        }
    });
    let choosing = hands.port.clone();
    listen(&by_id("torrents"), "change", move |event| {
        let target = event.target();
        let order = target.and_then(|target| target.dyn_into::<HtmlSelectElement>().ok());
        if let Some(order) = order
            && let Some(card) = order.closest("article").ok().flatten()
            && let Some(info_hash) = info_hash(&card)
            && let Some(strategy) = STRATEGIES.get(order.selected_index() as usize)
        {
            choosing.send(ToWorker::SetStrategy(info_hash, *strategy));
        }
    });
    // Of what opens and closes only the files and the swarm have to know.
    let (opened, swarms) = (torrents.clone(), hands.swarms.clone());
    listen(&by_id("torrents"), "toggle", move |event| {
        let target = event
            .target()
            .and_then(|target| target.dyn_into::<Element>().ok());
        let Some(target) = target else { return };
        let card = target.closest("article").ok().flatten();
        let info_hash = card.and_then(|card| info_hash(&card));
        if target.class_name() == "swarm" {
            swarms.toggled(&target, info_hash);
        } else if let Some(info_hash) = info_hash
            && let Some(torrent) = opened.borrow_mut().torrents.get(&info_hash)
        {
            torrent.show_files();
        }
    });
}

fn carry_out(button: &Element, card: &Element, torrents: &mut Torrents, hands: &Hands) {
    let Hands {
        port,
        service,
        player,
        ..
    } = hands;
    let number = || {
        button
            .get_attribute("data-number")
            .and_then(|number| number.parse().ok())
    };
    let action = button.get_attribute("data-do").unwrap_or_default();
    let Some(info_hash) = info_hash(card) else {
        // Files that are being hashed have no info-hash yet.
        if let Some(id) = number() {
            port.send(ToWorker::CancelHashing(id));
        }
        return;
    };
    match &action[..] {
        "save" => {
            if let Some(torrent) = torrents.torrents.get(&info_hash) {
                saving::save(port, service, torrent.to_save(info_hash, number()));
            }
        }
        "save-folder" => saving::save_folder(port, info_hash),
        "cancel-save" => port.send(ToWorker::CancelSave(info_hash)),
        "play" => {
            let torrent = torrents.torrents.get(&info_hash);
            if let (Some(torrent), Some(file)) = (torrent, number())
                && let Some(path) = torrent.path(file)
            {
                player.open(button, card, (info_hash, file), path);
            }
        }
        "close-player" => player.close(),
        "save-torrent" => port.send(ToWorker::SaveTorrent(info_hash)),
        "pause" => port.send(ToWorker::Pause(info_hash)),
        "resume" => port.send(ToWorker::Resume(info_hash)),
        "remove" => port.send(ToWorker::Remove(info_hash)),
        "remove-tracker" => {
            if let Some(url) = button.get_attribute("data-url") {
                port.send(ToWorker::RemoveTracker { info_hash, url });
            }
        }
        "want" => {
            let tick: &HtmlInputElement = button.unchecked_ref();
            let wanted = tick.checked();
            if let Some(file) = number() {
                port.send(ToWorker::SetWanted {
                    info_hash,
                    file,
                    wanted,
                });
            }
        }
        "want-all" => {
            let tick: &HtmlInputElement = button.unchecked_ref();
            port.send(ToWorker::SetAllWanted(info_hash, tick.checked()));
        }
        "copy" => copy(part(button, "label"), link(card)),
        "share" => browser::share(&text(card, "name"), &link(card)),
        "more-files" => {
            if let Some(torrent) = torrents.torrents.get(&info_hash) {
                torrent.show_more_files();
            }
        }
        _ => {}
    }
}

fn copy(label: Element, link: String) {
    spawn_local(async move {
        if browser::copy(&link).await {
            set_text(&label, &say!("Copied"));
            after(COPIED_SHOWN, move || set_text(&label, &say!("Copy link")));
        } else {
            alerts::error(&say!(
                "The browser does not let us copy: select the link and copy it yourself."
            ));
        }
    });
}

fn info_hash(card: &Element) -> Option<InfoHash> {
    card.get_attribute("data-info-hash")?.parse().ok()
}

fn link(card: &Element) -> String {
    part(card, "link")
        .unchecked_into::<HtmlAnchorElement>()
        .href()
}

fn text(card: &Element, name: &str) -> String {
    part(card, name).text_content().unwrap_or_default()
}
