//! What a person allows: how fast, with how many peers, and when there was enough of sharing.
//!
//! Rates and peers are the engine's business. When a torrent was shared enough is counted here,
//! because it is counted over reloads, of which an engine knows nothing.

use std::rc::Rc;
use std::time::Duration;

use swarm_core::engine::{Enough, Reached, TorrentState, TorrentView, View};
use swarm_core::id::InfoHash;
use swarm_core::metainfo::Metainfo;
use swarm_core::sorted::SortedMap;
use swarm_core::time::Time;

use super::host::{Host, Input};
use super::js::Timer;
use super::store::Sharing;
use crate::messages::Limits;

/// What was counted is kept each time another such part of the torrent's size was given, and
/// after so long: a record is written as a whole.
const KEEP_EACH: u64 = 8;
const KEEP_AFTER: Duration = Duration::from_secs(600);

/// How long what was sent last may take to leave, once there was enough of sharing.
const LAST_BYTES: Duration = Duration::from_secs(5);

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Limiting {
    limits: Limits,
    counts: SortedMap<InfoHash, Count>,
    timer: Option<Timer>,
}

/// What was counted of a torrent when it was last looked at.
#[derive(Clone, Copy, Debug)]
struct Count {
    at: Time,
    uploaded: u64,
    /// Everything was here then, and shared.
    shares: bool,
    /// What of it is kept.
    kept: Sharing,
    /// Since when there was enough of it.
    enough_since: Option<Time>,
}

impl Host {
    /// A person allows this from now on. What stopped for less goes on.
    pub(super) fn set_limits(self: &Rc<Self>, limits: Limits) {
        self.limits.borrow_mut().limits = limits;
        self.tell_limits();
        for (info_hash, _) in self.enough() {
            let sharing = self.torrents.look(info_hash, |t| t.record.sharing);
            let sharing = sharing.unwrap_or_default();
            if self.is_enough(limits.enough, info_hash, sharing).is_none() {
                self.set_paused(info_hash, false);
                // It is counted on.
                let kept = Sharing {
                    enough: None,
                    ..sharing
                };
                self.update(info_hash, |torrent| torrent.record.sharing = kept);
            }
        }
    }

    /// Tells the engine, or a new one.
    pub(super) fn tell_limits(self: &Rc<Self>) {
        let Limits { rates, peers, .. } = self.limits.borrow().limits;
        self.feed(Input::SetRates(rates));
        self.feed(Input::SetMaxPeers(peers));
    }

    /// Torrents that were paused because there was enough of sharing them.
    pub(super) fn enough(&self) -> Vec<(InfoHash, Reached)> {
        let all = self.torrents.all().into_iter();
        all.filter_map(|info_hash| {
            let enough = self.torrents.look(info_hash, |t| t.record.sharing.enough);
            Some((info_hash, enough??))
        })
        .collect()
    }

    /// Counts what was shared since this was called last, and ends what was shared enough.
    pub(super) fn count_sharing(self: &Rc<Self>, view: &View, now: Time) {
        let enough = self.limits.borrow().limits.enough;
        let mut next: Option<Duration> = None;
        for torrent in &view.torrents {
            let (sharing, count) = self.count(torrent, now);
            let shares = torrent.state == TorrentState::Seeding;
            if !shares || !enough.is_set() {
                continue;
            }
            let info_hash = torrent.info_hash;
            match self.is_enough(enough, info_hash, sharing) {
                // Somebody may lack no more than what has not left yet.
                Some(reached) if self.is_over(info_hash, now) => {
                    self.set_paused(info_hash, true);
                    self.update(info_hash, |torrent| {
                        torrent.record.sharing.enough = Some(reached);
                    });
                }
                Some(_) => next = Some(next.map_or(LAST_BYTES, |next| next.min(LAST_BYTES))),
                None => {
                    let left = enough.time.map(|time| time.saturating_sub(sharing.time));
                    next = [next, left].into_iter().flatten().min();
                    self.keep_count(info_hash, sharing, count.kept);
                }
            }
        }
        // Nothing else may happen until then.
        let timer = next.map(|left| {
            let host = Rc::clone(self);
            Timer::after(left, move || host.changed())
        });
        let mut limits = self.limits.borrow_mut();
        limits.timer = timer;
        let here = |info_hash: &InfoHash| view.torrents.iter().any(|t| t.info_hash == *info_hash);
        limits.counts.retain(|info_hash, _| here(info_hash));
    }

    /// Adds to what was shared of one, in memory.
    fn count(&self, torrent: &TorrentView, now: Time) -> (Sharing, Count) {
        let info_hash = torrent.info_hash;
        let shares = torrent.state == TorrentState::Seeding;
        let sharing = self.torrents.look(info_hash, |t| t.record.sharing);
        let mut sharing = sharing.unwrap_or_default();
        let mut limits = self.limits.borrow_mut();
        let count = limits.counts.entry(info_hash).or_insert(Count {
            at: now,
            uploaded: 0,
            shares,
            kept: sharing,
            enough_since: None,
        });
        // A new engine begins at zero.
        let new = torrent.uploaded.checked_sub(count.uploaded);
        sharing.given += new.unwrap_or(torrent.uploaded);
        if shares && count.shares {
            sharing.time += now - count.at;
        }
        (count.at, count.uploaded, count.shares) = (now, torrent.uploaded, shares);
        let count = *count;
        drop(limits);
        // Not written each time.
        let _ = self
            .torrents
            .change(info_hash, |t| t.record.sharing = sharing);
        (sharing, count)
    }

    fn is_enough(&self, enough: Enough, info_hash: InfoHash, sharing: Sharing) -> Option<Reached> {
        let length = self.torrents.look(info_hash, |torrent| {
            torrent.metainfo.as_ref().map(Metainfo::length)
        });
        enough.reached(sharing.given, length??, sharing.time)
    }

    /// What was given has left, or had the time to.
    fn is_over(&self, info_hash: InfoHash, now: Time) -> bool {
        let mut limits = self.limits.borrow_mut();
        let Some(count) = limits.counts.get_mut(&info_hash) else {
            return true;
        };
        let since = *count.enough_since.get_or_insert(now);
        let is_over = self.node().is_quiet() || now - since >= LAST_BYTES;
        if is_over {
            count.enough_since = None;
        }
        is_over
    }

    fn keep_count(self: &Rc<Self>, info_hash: InfoHash, sharing: Sharing, kept: Sharing) {
        let length = self.torrents.metainfo(info_hash);
        let part = length.map_or(0, |metainfo| metainfo.length()) / KEEP_EACH;
        let is_more = sharing.given.saturating_sub(kept.given) > part
            || sharing.time.saturating_sub(kept.time) >= KEEP_AFTER;
        if is_more {
            self.update(info_hash, |_| {});
            if let Some(count) = self.limits.borrow_mut().counts.get_mut(&info_hash) {
                count.kept = sharing;
            }
        }
    }
}
