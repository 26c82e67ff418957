//! One torrent.

use swarm_core::engine::view::{Changes, Known};
use swarm_core::engine::{Reached, TorrentState, TorrentView};
use swarm_core::id::InfoHash;
use swarm_core::metainfo::TorrentLink;
use swarm_core::pieces::Strategy;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlSelectElement};

use super::files::{Choice, Files, show_opener, verb};
use super::peers::{Peer, keyed};
use super::piece_map::{self, Pieces};
use super::sentences;
use super::trackers::Trackers;
use crate::messages::TrackerShown;
use crate::page::dom::{
    has, make, part, set_attribute, set_bar, set_class, set_flag, set_text, window,
};
use crate::page::list::{List, Row};
use crate::page::saving::{Wanted, has_folders};
use crate::page::words::{self, say};
use crate::page::{alerts, browser, format, limits};

/// As the options of `order` stand in the page.
pub(crate) const STRATEGIES: [Strategy; 3] = [
    Strategy::RarestFirst,
    Strategy::Sequential,
    Strategy::Streaming,
];

/// The card of one torrent.
pub(crate) struct Torrent {
    card: Element,
    peers: List<Peer>,
    peer_list: Element,
    files: Files,
    trackers: Trackers,
    /// What the torrent is and has.
    known: Known,
    choice: Choice,
    /// What the card shows.
    shown: Option<(TorrentView, Option<f64>)>,
}

/// What is to be shown of a torrent.
pub(crate) struct TorrentShown {
    /// How it is doing.
    pub(crate) view: TorrentView,
    /// What is new about what it is and has.
    pub(crate) changes: Option<Changes>,
    /// Its trackers, if something is new about them.
    pub(crate) trackers: Option<Vec<TrackerShown>>,
    /// How far its files are put together, while somebody waits for them.
    pub(crate) saving: Option<f64>,
    /// Why it is paused, if nobody paused it.
    pub(crate) enough: Option<Reached>,
}

impl Row for Torrent {
    type View = TorrentShown;
    type Key = InfoHash;

    fn key(shown: &TorrentShown) -> InfoHash {
        shown.view.info_hash
    }

    fn new(shown: &TorrentShown) -> Self {
        let card = make("torrent");
        set_attribute(&card, "data-info-hash", &shown.view.info_hash.to_string());
        set_flag(
            &part(&card, "share"),
            "hidden",
            !has(&window().navigator(), "share"),
        );
        let peer_list = part(&card, "peers");
        Torrent {
            peers: List::new(part(&peer_list, "list")),
            peer_list,
            files: Files::new(part(&card, "files")),
            trackers: Trackers::new(part(&card, "trackers")),
            known: Known::default(),
            choice: Choice::default(),
            shown: None,
            card,
        }
    }

    fn show(&mut self, shown: TorrentShown) {
        let TorrentShown {
            view,
            changes,
            trackers,
            saving,
            enough,
        } = shown;
        if let Some(trackers) = trackers {
            self.trackers.show(trackers);
            self.show_link();
        }
        let now = Some((view, saving));
        if changes.is_none() && self.shown == now {
            return;
        }
        let before = std::mem::replace(&mut self.shown, now);
        let Some((view, _)) = &self.shown else { return };
        let changes = changes.unwrap_or_default();
        let is_described = changes.description.is_some();
        let is_chosen = is_described || changes.priorities.is_some();
        let has_moved = is_described || changes.have.is_some() || changes.in_progress.is_some();
        self.known.learn(changes);
        if is_chosen {
            self.choice = Choice::of(&self.known);
            self.show_play();
        }
        if is_described {
            self.show_name();
        }
        self.show_attributes(view);
        self.show_progress(view, enough);
        self.show_figures(view);
        self.show_buttons(view, saving);
        let before = before.map(|(view, _)| view);
        self.tell_stop(view, before.as_ref().map(|view| view.state));
        self.show_strategy(view, before.map(|view| view.strategy));
        if has_moved {
            self.draw_pieces();
        }
        set_flag(&self.peer_list, "hidden", view.peers.is_empty());
        let swarm = self.part("swarm-place");
        let is_of_use = !view.peers.is_empty() || swarm.has_attribute("open");
        set_flag(&swarm, "hidden", !is_of_use);
        set_text(
            &part(&self.peer_list, "number"),
            &say!("{n} peer{s}", n = view.peers.len()),
        );
        self.peers.show(keyed(view.peers.clone()));
        if is_chosen || has_moved {
            self.show_files();
        }
    }

    fn element(&self) -> &Element {
        &self.card
    }
}

impl Drop for Torrent {
    fn drop(&mut self) {
        if let Some((view, _)) = &self.shown {
            alerts::over(&view.info_hash.to_string());
        }
    }
}

impl Torrent {
    /// For scripts and style sheets.
    fn show_attributes(&self, view: &TorrentView) {
        let set = |name, value: &str| set_attribute(&self.card, name, value);
        set("data-state", view.state.as_str());
        set("data-progress", &format::fraction(view.progress));
        set("data-downloaded", &view.downloaded.to_string());
        set("data-uploaded", &view.uploaded.to_string());
        set("data-copies", &view.copies.to_string());
        set_class(&self.card, "unseen", sentences::is_unseen(view));
    }

    fn show_progress(&self, view: &TorrentView, enough: Option<Reached>) {
        let sources = view.peers.iter().filter(|peer| peer.down_rate > 0).count();
        let paused = view.state == TorrentState::Paused;
        let words = match enough.filter(|_| paused) {
            Some(reached) => limits::words(reached),
            None => sentences::state(view, &self.choice, sources),
        };
        set_text(&self.part("words"), &words);
        set_text(&self.part("percent"), &format::percent(view.progress));
        set_bar(
            &self.part("bar"),
            (view.state != TorrentState::Metadata).then_some(view.progress),
        );
    }

    /// Says it above everything when it stops by itself, until it goes on.
    fn tell_stop(&self, view: &TorrentView, before: Option<TorrentState>) {
        let of = view.info_hash.to_string();
        let was = before == Some(TorrentState::Error);
        match (was, &view.error) {
            (false, Some(reason)) => {
                let (name, reason) = (self.name(), words::of(reason));
                let text = say!("“{name}” stopped: {reason}", name = name, reason = reason);
                alerts::error_of(&of, &text);
            }
            (true, None) => alerts::over(&of),
            _ => {}
        }
    }

    fn show_figures(&self, view: &TorrentView) {
        let show = |name, value: Option<String>| {
            let figure = self.part(name);
            set_flag(&figure, "hidden", value.is_none());
            set_text(&part(&figure, "value"), &value.unwrap_or_default());
        };
        show("size", sentences::size(view, &self.choice));
        show("down", sentences::down(view));
        show("up", sentences::up(view));
        show("left", sentences::left(view));
        show("sent", sentences::sent(view));
        show("swarm", sentences::swarm(view, &self.choice));
        show("wasted", sentences::wasted(view));
    }

    /// What it is called, and where others find it.
    fn show_name(&self) {
        let name = self.name();
        set_attribute(&self.card, "aria-label", name);
        let title = self.part("name");
        set_text(&title, name);
        set_attribute(&title, "title", name);
        self.show_link();
    }

    fn show_link(&self) {
        let info_hash = self.card.get_attribute("data-info-hash");
        let Some(info_hash) = info_hash.and_then(|text| text.parse().ok()) else {
            return;
        };
        let link = TorrentLink {
            info_hash,
            name: Some(self.name().to_owned()).filter(|name| !name.is_empty()),
            trackers: self.trackers.urls(false),
            web_seeds: self.trackers.urls(true),
            files: None,
            page: None,
        };
        let link = link.to_share_link(&browser::page_address());
        set_attribute(&self.part("link"), "href", &link);
        set_text(&self.part("link"), &link);
    }

    fn show_buttons(&self, view: &TorrentView, saving: Option<f64>) {
        let has_metadata = self.choice.files > 0;
        // While everything is left out, there is nothing to save. What is still to come is saved as
        // it comes.
        let is_wanted = self.choice.wanted > 0;
        let is_complete = is_wanted && view.progress >= 1.0;
        let was_fetched = view.downloaded > 0;

        let save = self.part("save");
        set_flag(&save, "disabled", !is_wanted || saving.is_some());
        let under_way =
            saving.map(|progress| say!("Saving {percent}", percent = format::percent(progress)));
        set_text(
            &part(&save, "label"),
            &under_way.unwrap_or_else(|| say!("Save")),
        );
        set_flag(&self.part("cancel-save"), "hidden", saving.is_none());
        let to_folder = self.part("save-folder");
        let is_folder = self.choice.wanted > 1 && has_folders();
        set_flag(&to_folder, "hidden", !is_folder || saving.is_some());
        // What nobody can do anything with yet is not there.
        set_flag(&self.part("save-torrent"), "hidden", !has_metadata);
        set_flag(
            &self.part("order"),
            "hidden",
            !has_metadata || view.progress >= 1.0,
        );
        // What a person most likely wants next stands out.
        set_class(&save, "primary", is_complete && was_fetched);
        let is_to_be_sent = view.state == TorrentState::Seeding && !was_fetched;
        set_class(&self.part("copy"), "primary", is_to_be_sent);

        let (action, icon, label) = match view.state {
            TorrentState::Paused => ("resume", "#icon-resume", say!("Resume")),
            TorrentState::Error => ("resume", "#icon-resume", say!("Try again")),
            _ => ("pause", "#icon-pause", say!("Pause")),
        };
        let pause = self.part("pause");
        set_attribute(&pause, "data-do", action);
        set_attribute(&part(&pause, "icon"), "href", icon);
        set_text(&part(&pause, "label"), &label);
    }

    /// The way to what there is to watch, hear or read.
    fn show_play(&self) {
        let play = self.part("play");
        let file = self.choice.to_open;
        set_flag(&play, "hidden", file.is_none());
        if let Some(file) = file
            && let Some(path) = self.path(file)
        {
            show_opener(&play, file, path);
            set_text(&part(&play, "label"), &verb(path));
            set_attribute(&play, "title", path);
        }
    }

    /// What a file is called, folders included.
    pub(crate) fn path(&self, file: u32) -> Option<&str> {
        let file = self.known.description.files.get(file as usize);
        file.map(|(path, _)| &path[..])
    }

    /// What somebody gets who saves a file, or all.
    pub(crate) fn to_save(&self, info_hash: InfoHash, file: Option<u32>) -> Wanted {
        let files = &self.known.description.files;
        // One alone is no archive.
        let only = file.or_else(|| self.choice.only());
        let found = only.and_then(|index| files.get(index as usize));
        let (name, length) = match found {
            Some((path, length)) => {
                let name = path.rsplit('/').next().unwrap_or(path);
                (name.to_owned(), *length)
            }
            None => (format!("{}.zip", self.name()), self.choice.length),
        };
        Wanted {
            info_hash,
            file,
            name,
            length,
        }
    }

    /// In which order pieces come.
    fn show_strategy(&self, view: &TorrentView, before: Option<Strategy>) {
        // A snapshot that is older than a choice must not undo it.
        if before != Some(view.strategy) {
            let order: HtmlSelectElement = self.part("order").unchecked_into();
            let index = STRATEGIES.iter().position(|s| *s == view.strategy);
            order.set_selected_index(index.map_or(-1, |index| index as i32));
        }
    }

    /// What it is called.
    pub(crate) fn name(&self) -> &str {
        &self.known.description.name
    }

    /// Draws the piece map anew.
    pub(crate) fn draw_pieces(&self) {
        piece_map::draw(&self.part("pieces"), &Pieces::of(&self.known));
    }

    /// Shows the files, if somebody looks at them.
    pub(crate) fn show_files(&mut self) {
        self.files.show(&self.known, &self.choice);
    }

    /// Shows more of very many files.
    pub(crate) fn show_more_files(&mut self) {
        self.files.allow_more();
        self.show_files();
    }

    fn part(&self, name: &str) -> Element {
        part(&self.card, name)
    }
}
