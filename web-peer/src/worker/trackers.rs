//! The trackers of each torrent: who named them, whether this page may speak with them, and how
//! they are.

use std::rc::Rc;
use swarm_core::sorted::{SortedMap, SortedSet};

use swarm_core::engine::{Standing, TrackerView};
use swarm_core::id::InfoHash;
use swarm_core::metainfo::{TrackerAddress, Unfit};

use super::host::{Host, Input};
use super::link::Link;
use super::links::TRACKER;
use super::torrents::Torrent;
use crate::messages::{NamedBy, TrackerShown, TrackerState};

/// The most trackers that are kept of those that a person removed, or that came with other links
/// to a torrent: as many as a torrent may name.
const MAX_KEPT: usize = 100;
/// The most trackers of a torrent that are remembered because we met others there: some are gone
/// whenever one comes back.
const MAX_MET: usize = 20;

/// One tracker of a torrent.
struct Named {
    /// In one way of writing, where it can be spoken with.
    url: String,
    by: NamedBy,
    fit: Result<(), Unfit>,
}

/// What the node was told for other peers, and how much they have told us.
#[derive(Debug, Default)]
pub(super) struct Exchange {
    used: SortedMap<InfoHash, Vec<String>>,
    heard: usize,
}

/// An address as it is compared with others.
pub(super) fn canonical(url: &str) -> String {
    match TrackerAddress::parse(url) {
        Ok(read) => read.as_str().to_owned(),
        Err(_) => url.to_owned(),
    }
}

impl Host {
    fn name(&self, url: &str, by: NamedBy) -> Named {
        let url = canonical(url);
        let fit = match url == self.tracker {
            // Whatever it looks like, the page came from there.
            true => Ok(()),
            false => TrackerAddress::for_page(&url, self.origin).map(|_| ()),
        };
        Named { url, by, fit }
    }

    /// The trackers of a torrent, each once. The page's own server is the first of all but
    /// private torrents, which have those alone that they name (BEP 27).
    fn trackers_of(&self, torrent: &Torrent) -> Vec<Named> {
        let is_private = torrent.metainfo.as_ref().is_some_and(|m| m.is_private());
        let own = (!is_private).then(|| self.name(&self.tracker, NamedBy::Page));
        let record = &torrent.record;
        let named = match &torrent.metainfo {
            Some(metainfo) => metainfo.trackers(),
            None => &record.more.trackers,
        };
        let later = match is_private {
            true => &[][..],
            false => &record.tracking.added,
        };
        let named = named.iter().chain(later);
        let named = named.map(|url| self.name(url, NamedBy::Torrent));
        let node = self.node();
        let heard = node.heard_trackers(record.info_hash).iter();
        let met = record.met.iter().filter(|_| !is_private);
        let heard = heard.chain(met).map(|url| self.name(url, NamedBy::Peer));
        // Of what strangers say only that is shown which may be of use, and nothing is where they
        // are not to learn our address: their own server would.
        let heard = heard.filter(|tracker| tracker.fit.is_ok() && !self.relay_only.get());
        let mut seen = SortedSet::new();
        let all = own.into_iter().chain(named).chain(heard);
        all.filter(|tracker| !record.tracking.removed.contains(&tracker.url))
            .filter(|tracker| seen.insert(tracker.url.clone()))
            .collect()
    }

    /// Of each torrent the addresses of trackers that this page may speak with.
    pub(super) fn named_trackers(&self) -> Vec<(InfoHash, Vec<String>)> {
        let all = self.torrents.all().into_iter();
        let named = all.filter_map(|info_hash| {
            let trackers = self
                .torrents
                .look(info_hash, |torrent| self.trackers_of(torrent))?;
            let fit = trackers.into_iter().filter(|tracker| tracker.fit.is_ok());
            Some((info_hash, fit.map(|tracker| tracker.url).collect()))
        });
        named.collect()
    }

    /// None of its trackers can be spoken with, and it may not be announced to others (BEP 27).
    pub(super) fn is_strange(&self, metainfo: &swarm_core::metainfo::Metainfo) -> bool {
        let mut named = metainfo.trackers().iter();
        metainfo.is_private() && !named.any(|url| self.name(url, NamedBy::Torrent).fit.is_ok())
    }

    /// What there is to see of a torrent's trackers.
    pub(super) fn show_trackers(&self, info_hash: InfoHash) -> Vec<TrackerShown> {
        let trackers = self
            .torrents
            .look(info_hash, |torrent| self.trackers_of(torrent));
        let standings = self.node().standings(info_hash);
        let shown = trackers.into_iter().flatten().map(|tracker| {
            let links = self.links.borrow();
            let link = links.to(&tracker.url);
            let standing = link.and_then(|link| standings.iter().find(|s| s.link == link.id));
            let state = match (tracker.fit, link, standing) {
                (Err(Unfit::Scheme), ..) => TrackerState::Unsupported(Unfit::Scheme.to_string()),
                (Err(unfit), ..) => TrackerState::Refused(unfit.to_string()),
                (Ok(()), None, _) => TrackerState::Spare,
                (Ok(()), Some(_), Some(s)) if s.state == TrackerView::Up => up(&s.standing),
                (Ok(()), Some(link), _) => link.state(),
            };
            TrackerShown {
                url: tracker.url,
                state,
                by: tracker.by,
            }
        });
        shown.chain(self.show_web_seeds(info_hash)).collect()
    }

    /// Follows what peers say of trackers, and says what they may be told: those that have the
    /// torrent in their swarm.
    pub(super) fn exchange_trackers(self: &Rc<Self>) {
        let mut used = SortedMap::new();
        let mut heard = 0;
        for info_hash in self.torrents.all() {
            let node = self.node();
            heard += node.heard_trackers(info_hash).len();
            let standings = node.standings(info_hash).into_iter();
            let members = standings.filter(|s| s.standing == Standing::Member);
            let links = self.links.borrow();
            let urls = members.filter_map(|s| Some(links.get(s.link)?.url.clone()));
            used.insert(info_hash, urls.collect::<Vec<String>>());
        }
        let before = std::mem::replace(&mut self.exchange.borrow_mut().used, used.clone());
        for (info_hash, addresses) in used {
            if before.get(&info_hash) != Some(&addresses) {
                self.remember_trackers(info_hash, &addresses);
                self.feed(Input::TellTrackers {
                    info_hash,
                    addresses,
                });
            }
        }
        let before = std::mem::replace(&mut self.exchange.borrow_mut().heard, heard);
        let others = self.links.borrow_mut().give_others_a_turn();
        if heard != before || others {
            self.follow_trackers();
        }
    }

    /// Those that only peers named, and that have the torrent in their swarm, are tried again
    /// after a reload, when nobody is there to name them.
    fn remember_trackers(self: &Rc<Self>, info_hash: InfoHash, used: &[String]) {
        let new = self.torrents.look(info_hash, |torrent| {
            let named = self.trackers_of(torrent).into_iter();
            let by_peers = named.filter(|tracker| tracker.by == NamedBy::Peer);
            let urls = by_peers.map(|tracker| tracker.url);
            let met = &torrent.record.met;
            let new = urls.filter(|url| used.contains(url) && !met.contains(url));
            new.collect::<Vec<String>>()
        });
        let Some(new) = new.filter(|new| !new.is_empty()) else {
            return;
        };
        self.update(info_hash, |torrent| {
            let met = &mut torrent.record.met;
            met.splice(0..0, new);
            met.truncate(MAX_MET);
        });
    }

    /// A person wants a torrent to be told to a tracker no more.
    pub(super) fn remove_tracker(self: &Rc<Self>, info_hash: InfoHash, url: String) {
        self.update(info_hash, |torrent| {
            let tracking = &mut torrent.record.tracking;
            tracking.added.retain(|added| canonical(added) != url);
            if !tracking.removed.contains(&url) && tracking.removed.len() < MAX_KEPT {
                tracking.removed.push(url);
            }
        });
        self.follow_trackers();
    }

    /// Another link to a torrent that is here names trackers: those too, then, also if they were
    /// removed before.
    pub(super) fn add_trackers(self: &Rc<Self>, info_hash: InfoHash, urls: &[String]) {
        let urls: Vec<String> = urls.iter().map(|url| canonical(url)).collect();
        let is_news = self.torrents.look(info_hash, |torrent| {
            let mut known = self.trackers_of(torrent).into_iter();
            let known: SortedSet<String> = known.by_ref().map(|tracker| tracker.url).collect();
            urls.iter().any(|url| !known.contains(url))
        });
        if is_news != Some(true) {
            return;
        }
        self.update(info_hash, |torrent| {
            let tracking = &mut torrent.record.tracking;
            tracking.removed.retain(|removed| !urls.contains(removed));
            for url in urls {
                if !tracking.added.contains(&url) && tracking.added.len() < MAX_KEPT {
                    tracking.added.push(url);
                }
            }
        });
        self.follow_trackers();
    }

    /// The page's own server, as it stands above everything.
    pub(super) fn own_tracker(&self) -> TrackerView {
        let links = self.links.borrow();
        match self.node().tracker(TRACKER) {
            // The node hears of it once it is open.
            TrackerView::Down if links.get(TRACKER).is_some_and(Link::is_coming) => {
                TrackerView::Connecting
            }
            tracker => tracker,
        }
    }
}

/// What a server that speaks to us has made of a torrent.
fn up(standing: &Standing) -> TrackerState {
    match standing {
        Standing::Away => TrackerState::Idle,
        Standing::Joining | Standing::Member => TrackerState::Up,
        Standing::Waiting => TrackerState::Waiting,
        Standing::Refused(reason) => TrackerState::Refused(reason.clone()),
    }
}
