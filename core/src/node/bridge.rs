//! Torrents that are carried for tabs: which of those that neighbours in the overlay ask for are taken on,
//! and when they are let go of again.
//!
//! To the engine such a torrent is one like any other; what it says of it is heard here, and not by a
//! person. It is looked for in mainline alone, by the host: none of a person's servers is told of
//! it. Once its info dictionary shows that it is not private (BEP 27), it is announced there and in the overlay,
//! because then we serve it.

use std::collections::VecDeque;
use std::time::Duration;

use super::{Node, Output};
use crate::chunk::Chunk;
use crate::engine::{self, Command, Event, PeerPath};
use crate::id::{Fingerprint, InfoHash};
use crate::metainfo::Metainfo;
use crate::net::HAS_SOCKETS;
use crate::overlay::BridgeConfig;
use crate::record::Sink;
use crate::sorted::{SortedMap, SortedSet};
use crate::time::Time;

/// For what limits of the configuration are said.
const MINUTE: Duration = Duration::from_secs(60);

/// Something for the host to do about a torrent that is carried for others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BridgeOutput {
    /// It is to be looked for in mainline, and not announced there yet.
    Find(InfoHash),
    /// It has a place: have a store for it. It may be announced in mainline.
    Keep(Metainfo),
    /// It is gone, and what is stored of it may be.
    Drop(InfoHash),
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Bridge {
    carried: SortedMap<InfoHash, Carried>,
    /// What is not taken on before then.
    refused: SortedMap<InfoHash, Time>,
    /// Who asked for something that was looked for, within a minute.
    asked: VecDeque<(Time, Fingerprint)>,
    /// What is to be begun, and to be ended.
    begin: VecDeque<InfoHash>,
    end: VecDeque<InfoHash>,
}

#[derive(Debug)]
struct Carried {
    by: Fingerprint,
    since: Time,
    /// Its bytes, once its info dictionary is here.
    length: Option<u64>,
    /// When it is looked at next.
    due: Time,
}

impl Bridge {
    pub(super) fn has(&self, info_hash: InfoHash) -> bool {
        self.carried.contains_key(&info_hash)
    }

    pub(super) fn due(&self) -> Option<Time> {
        self.carried.values().map(|carried| carried.due).min()
    }

    /// A neighbour asks for a torrent that is not here.
    fn asked(&mut self, now: Time, info_hash: InfoHash, by: Fingerprint, config: &BridgeConfig) {
        self.refused.retain(|_, until| now < *until);
        self.asked.retain(|(at, _)| now - *at < MINUTE);
        let known = self.has(info_hash) || self.refused.contains_key(&info_hash);
        let its = self.asked.iter().filter(|(_, who)| *who == by).count();
        let theirs = self.carried.values().filter(|it| it.by == by).count();
        if known
            || self.asked.len() >= config.a_minute
            || its >= config.a_minute_each
            || theirs >= config.torrents_each
            || !self.has_place(now, config)
        {
            return;
        }
        self.asked.push_back((now, by));
        let carried = Carried {
            by,
            since: now,
            length: None,
            due: now + config.patience,
        };
        self.carried.insert(info_hash, carried);
        self.begin.push_back(info_hash);
    }

    /// There is a place for one more: where all are taken, the one whose turn is over is let go of.
    fn has_place(&mut self, now: Time, config: &BridgeConfig) -> bool {
        if self.carried.len() < config.torrents {
            return true;
        }
        let over = self.carried.iter();
        let over = over.filter(|(of, it)| now - it.since >= config.turn && !self.end.contains(of));
        let over = over.min_by_key(|(_, it)| it.since).map(|(of, _)| *of);
        self.end.extend(over);
        // It leaves before another begins.
        over.is_some() && self.carried.len() <= config.torrents
    }

    /// It is not taken on for a while.
    fn refuse(&mut self, info_hash: InfoHash, until: Time, config: &BridgeConfig) {
        self.end.push_back(info_hash);
        self.refused.insert(info_hash, until);
        if self.refused.len() > config.refused {
            let first = self.refused.iter().min_by_key(|(_, until)| **until);
            let first = first.map(|(of, _)| *of);
            first.map(|first| self.refused.remove(&first));
        }
    }

    /// Its info dictionary is here; true if it has a place.
    fn known(&mut self, now: Time, metainfo: &Metainfo, config: &BridgeConfig) -> bool {
        let info_hash = metainfo.info_hash();
        let lengths = self.carried.values().filter_map(|it| it.length);
        let room = config.bytes.saturating_sub(lengths.sum());
        let length = metainfo.layout().total_length();
        if metainfo.is_private() || length > config.bytes {
            self.refuse(info_hash, now + config.again.1, config);
            return false;
        }
        if length > room {
            self.refuse(info_hash, now + config.again.0, config);
            return false;
        }
        if let Some(carried) = self.carried.get_mut(&info_hash) {
            carried.length = Some(length);
            carried.due = now + config.idle;
        }
        true
    }
}

impl<S: Sink, C: Chunk> Node<S, C> {
    /// It is carried for others, and of no interest to a person.
    pub fn is_carried(&self, info_hash: InfoHash) -> bool {
        self.bridge.has(info_hash)
    }

    /// What the engine says, if that is not for us.
    pub(super) fn hear_for_bridge(&mut self, now: Time, event: Event) -> Option<Event> {
        if !HAS_SOCKETS {
            return Some(event);
        }
        let config = &self.engine.engine().config().overlay.bridge;
        let bridge = &mut self.bridge;
        match event {
            Event::Asked { info_hash, by } => bridge.asked(now, info_hash, by, config),
            Event::Metadata(metainfo) if bridge.has(metainfo.info_hash()) => {
                if bridge.known(now, &metainfo, config) {
                    self.out
                        .push_back(Output::Bridge(BridgeOutput::Keep(metainfo)));
                }
            }
            Event::Failed { info_hash, .. } if bridge.has(info_hash) => {
                bridge.refuse(info_hash, now + config.again.0, config);
            }
            Event::Completed(info_hash)
            | Event::Checked(info_hash, _)
            | Event::Lost { info_hash, .. }
            | Event::Banned { info_hash, .. }
                if bridge.has(info_hash) => {}
            event => return Some(event),
        }
        None
    }

    /// A person wants to have a torrent that may be carried, and then it begins anew and is theirs; or
    /// the host can't have it.
    pub(super) fn give_up_carrying(&mut self, now: Time, command: &Command) {
        if let Command::AddTorrent { .. } | Command::AddLink { .. } | Command::Remove(_) = command
            && HAS_SOCKETS
            && self.bridge.has(command.info_hash())
        {
            let config = &self.engine.engine().config().overlay.bridge;
            let until = now + config.again.0;
            self.bridge.refuse(command.info_hash(), until, config);
            self.work_for_bridge(now);
        }
    }

    /// Begins and ends what is to be.
    pub(super) fn work_for_bridge(&mut self, now: Time) {
        if !HAS_SOCKETS {
            return;
        }
        self.look_at_carried(now);
        loop {
            if let Some(info_hash) = self.bridge.end.pop_front() {
                if self.bridge.has(info_hash) {
                    self.web_seeds.forget(info_hash);
                    let remove = Command::Remove(info_hash);
                    self.feed(now, engine::Input::Command(remove));
                    self.bridge.carried.remove(&info_hash);
                    self.set_trackers(now, info_hash, None);
                    let output = BridgeOutput::Drop(info_hash);
                    self.out.push_back(Output::Bridge(output));
                }
            } else if let Some(info_hash) = self.bridge.begin.pop_front() {
                // Nobody's servers hear of it.
                self.set_trackers(now, info_hash, Some(SortedSet::new()));
                let add = Command::AddLink {
                    info_hash,
                    name: None,
                    check: false,
                    paused: false,
                };
                self.feed(now, engine::Input::Command(add));
                let output = BridgeOutput::Find(info_hash);
                self.out.push_back(Output::Bridge(output));
            } else {
                break;
            }
        }
    }

    /// Lets go of what came to nothing, and of what no tab wants any more.
    fn look_at_carried(&mut self, now: Time) {
        let due = self.bridge.carried.iter();
        let due = due.filter(|(_, carried)| carried.due <= now);
        let due: Vec<(InfoHash, bool)> = due
            .map(|(info_hash, carried)| (*info_hash, carried.length.is_some()))
            .collect();
        for (info_hash, known) in due {
            let engine = self.engine.engine();
            let config = &engine.config().overlay.bridge;
            let mut peers = engine.peers(now, info_hash).into_iter();
            let is_tab = |path| matches!(path, PeerPath::Direct | PeerPath::Relay);
            if !known {
                self.bridge.refuse(info_hash, now + config.again.0, config);
            } else if !peers.any(|peer| is_tab(peer.view.path)) {
                self.bridge.end.push_back(info_hash);
            } else if let Some(carried) = self.bridge.carried.get_mut(&info_hash) {
                carried.due = now + config.idle;
            }
        }
    }
}
