//! What the page asks for.

use std::rc::Rc;

use swarm_core::engine::{Command, Resume};
use swarm_core::id::InfoHash;
use swarm_core::metainfo::Metainfo;
use swarm_core::pieces::{Bitfield, Priority};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::spawn_local;
use web_sys::{Blob, File, MessagePort};

use super::host::{Host, Input};
use super::js::message_of;
use super::line::Line;
use super::save::{Target, blob_of};
use super::source::Source;
use super::store::{Content, More, Record, Sharing, Tracking, Wishes};
use super::torrents::Torrent;
use crate::messages::{ToPage, ToWorker};

impl Host {
    /// Carries out what the page asks for; `attached` as the message's doc says.
    pub(super) fn handle_message(self: &Rc<Self>, message: ToWorker, attached: Vec<JsValue>) {
        match message {
            // A page has one worker, and starts it once.
            ToWorker::Start { .. } => {}
            ToWorker::Share { folder, paths } => {
                let (files, rest): (Vec<JsValue>, _) =
                    attached.into_iter().partition(JsValue::has_type::<File>);
                let files = files.into_iter().map(JsCast::unchecked_into).collect();
                spawn_local(Rc::clone(self).share(folder, paths, files, rest));
            }
            ToWorker::AddLink(text) => self.answer(self.add_link(&text), &attached),
            ToWorker::AddTorrent { name, bytes } => {
                let added = self.open_torrent(&name, &bytes);
                let is_added = added.is_ok();
                self.answer(added, &attached);
                if is_added {
                    self.notice(
                        false,
                        format!("“{name}” is opened as a torrent, not shared as a file."),
                    );
                }
            }
            ToWorker::Look { at_once } => return self.look(at_once),
            ToWorker::Swarm(info_hash, watching) => return self.watch(info_hash, watching),
            ToWorker::Pause(info_hash) => self.set_paused(info_hash, true),
            ToWorker::Resume(info_hash) => self.set_paused(info_hash, false),
            ToWorker::SetWanted {
                info_hash,
                file,
                wanted,
            } => self.set_wanted(info_hash, Some(file as usize), wanted),
            ToWorker::SetAllWanted(info_hash, wanted) => self.set_wanted(info_hash, None, wanted),
            ToWorker::SetStrategy(info_hash, strategy) => {
                self.update(info_hash, |torrent| {
                    torrent.record.wishes.strategy = strategy;
                });
                self.tell_wishes(info_hash);
            }
            ToWorker::Remove(info_hash) => self.remove(info_hash),
            ToWorker::RemoveTracker { info_hash, url } => self.remove_tracker(info_hash, url),
            ToWorker::CancelHashing(id) => {
                for work in self
                    .show
                    .borrow()
                    .hashing
                    .iter()
                    .filter(|work| work.id == id)
                {
                    work.cancelled.set(true);
                }
            }
            ToWorker::Save { info_hash, file } => {
                let target = Target::of(attached.into_iter().next());
                spawn_local(Rc::clone(self).save(info_hash, file, target));
            }
            ToWorker::CancelSave(info_hash) => self.cancel_saves(info_hash),
            ToWorker::SaveTorrent(info_hash) => self.save_torrent(info_hash),
            ToWorker::Play(shown) => self.play(shown),
            ToWorker::Stream {
                info_hash,
                file,
                save,
            } => {
                let port = attached.into_iter().next();
                if let Some(port) = port.and_then(|port| port.dyn_into::<MessagePort>().ok()) {
                    let host = Rc::clone(self);
                    match file.filter(|_| !save) {
                        Some(file) => spawn_local(host.stream(info_hash, file, port)),
                        None => spawn_local(host.save(
                            info_hash,
                            file,
                            Target::Download(Line::new(port)),
                        )),
                    }
                }
            }
            ToWorker::Record(on) => self.set_recording(on),
            ToWorker::RelayOnly(only) => self.set_relay_only(only),
            ToWorker::SetLimits(limits) => self.set_limits(limits),
            ToWorker::Channel(id) => {
                if let Some(channel) = attached.into_iter().next() {
                    self.take_channel(id, channel);
                }
            }
            ToWorker::Direct(id, description) => self.hear_of_direct(id, description),
        }
        self.show_now();
    }

    pub(super) fn insert(self: &Rc<Self>, torrent: Torrent) {
        self.keep(torrent.record.clone());
        self.torrents.insert(torrent);
        self.follow_trackers();
    }

    /// Seeds a torrent that was made here from the bytes of `source`.
    pub(super) fn seed(self: &Rc<Self>, metainfo: Metainfo, source: Blob) {
        let info_hash = metainfo.info_hash();
        let known = self
            .torrents
            .look(info_hash, |torrent| torrent.source.is_some());
        // It is worth replacing what was on its way here, but not what is complete.
        if known != Some(true) {
            if known.is_some() {
                self.feed(Input::Command(Command::Remove(info_hash)));
            }
            let record = record(info_hash, Content::Made(metainfo.to_torrent()));
            let torrent = Torrent {
                record: record.clone(),
                metainfo: Some(metainfo.clone()),
                source: Some(Source::of_files(source.clone())),
            };
            self.torrents.insert(torrent);
            self.follow_trackers();
            let resume = Resume::Pieces(Bitfield::full(metainfo.layout().piece_count()));
            self.feed(Input::Command(Command::AddTorrent {
                metainfo,
                resume,
                paused: false,
            }));
            spawn_local(Rc::clone(self).keep_source(record, source, known.is_some()));
        }
    }

    pub(super) fn set_paused(self: &Rc<Self>, info_hash: InfoHash, paused: bool) {
        let known = self
            .torrents
            .look(info_hash, |torrent| torrent.record.paused);
        let Some(was_paused) = known else { return };
        let command = if paused {
            Command::Pause(info_hash)
        } else {
            Command::Resume(info_hash)
        };
        self.feed(Input::Command(command));
        if was_paused != paused {
            self.update(info_hash, |torrent| {
                torrent.record.paused = paused;
                if torrent.record.sharing.enough.is_some() {
                    // A person wants more of it: as much again.
                    torrent.record.sharing = Sharing::default();
                }
            });
        }
    }

    /// One file, or all.
    fn set_wanted(self: &Rc<Self>, info_hash: InfoHash, file: Option<usize>, wanted: bool) {
        let Some(metainfo) = self.torrents.metainfo(info_hash) else {
            return;
        };
        let wishes = self.torrents.look(info_hash, |torrent| {
            torrent.record.wishes.priorities.clone()
        });
        let mut priorities = wishes.unwrap_or_default();
        priorities.resize(metainfo.files().len(), Priority::Normal);
        let priority = match wanted {
            true => Priority::Normal,
            false => Priority::Skip,
        };
        match file {
            Some(file) => {
                if let Some(it) = priorities.get_mut(file) {
                    *it = priority;
                }
            }
            None => priorities.fill(priority),
        }
        self.set_priorities(info_hash, priorities);
    }

    pub(super) fn set_priorities(self: &Rc<Self>, info_hash: InfoHash, priorities: Vec<Priority>) {
        self.update(info_hash, |torrent| {
            torrent.record.wishes.priorities = priorities;
        });
        self.tell_wishes(info_hash);
    }

    pub(super) fn remove(self: &Rc<Self>, info_hash: InfoHash) {
        self.feed(Input::Command(Command::Remove(info_hash)));
        self.cancel_saves(info_hash);
        self.torrents.remove(info_hash);
        self.follow_trackers();
        let host = Rc::clone(self);
        spawn_local(async move {
            if let Err(error) = host.store.remove(info_hash).await {
                host.notice(
                    true,
                    format!("The storage of a removed torrent could not be freed: {error}"),
                );
            }
            host.changed();
        });
    }

    fn cancel_saves(&self, info_hash: InfoHash) {
        let show = self.show.borrow();
        for work in &show.saving {
            let (of, ear) = &work.what;
            if *of == info_hash {
                ear.hang_up();
            }
        }
    }

    fn save_torrent(self: &Rc<Self>, info_hash: InfoHash) {
        let Some(metainfo) = self.torrents.metainfo(info_hash) else {
            return self.notice(true, "The torrent’s description has not arrived yet.");
        };
        match blob_of(&metainfo.to_torrent()) {
            Ok(blob) => {
                let name = format!("{}.torrent", metainfo.name());
                self.tell(&ToPage::Saved { name }, &[blob.into()]);
            }
            Err(error) => self.notice(true, message_of(&error)),
        }
    }
}

pub(super) fn record(info_hash: InfoHash, content: Content) -> Record {
    Record {
        info_hash,
        content,
        paused: false,
        added: js_sys::Date::now(),
        wishes: Wishes::default(),
        more: More::default(),
        tracking: Tracking::default(),
        web_seeds: Vec::new(),
        met: Vec::new(),
        sharing: Sharing::default(),
    }
}
