//! Which torrent is told to which server, and what became of it there.

use super::Node;
use crate::chunk::Chunk;
use crate::engine::{self, Standing, TrackerView, Urgency};
use crate::id::{InfoHash, LinkId};
use crate::record::Sink;
use crate::sorted::{SortedMap, SortedSet};
use crate::time::Time;

/// The links of each torrent; those of which nothing was said have all of them. As many as the
/// host speaks of.
#[derive(Debug, Default)]
pub(super) struct Trackers(SortedMap<InfoHash, SortedSet<LinkId>>);

/// What one server has made of a torrent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrackerStanding {
    /// The link to it.
    pub link: LinkId,
    /// Whether it speaks to us.
    pub state: TrackerView,
    /// What the torrent is there.
    pub standing: Standing,
}

impl Trackers {
    /// The server behind this link is one of the torrent's.
    pub(super) fn has(&self, info_hash: InfoHash, link: LinkId) -> bool {
        let links = self.0.get(&info_hash);
        links.is_none_or(|links| links.contains(&link))
    }
}

impl<S: Sink, C: Chunk> Node<S, C> {
    /// Leaves the swarms of a torrent at servers that are not its trackers any more, with all
    /// that was met there, and looks for others at those that have become some.
    pub(super) fn set_trackers(
        &mut self,
        now: Time,
        info_hash: InfoHash,
        links: Option<SortedSet<LinkId>>,
    ) {
        let had = |node: &Self, link: &LinkId| node.trackers.has(info_hash, *link);
        let links_before = self.links.keys().chain(self.foreign.keys());
        let before: SortedSet<LinkId> = links_before.copied().collect();
        let before = before.into_iter().map(|link| (link, had(self, &link)));
        let before: Vec<(LinkId, bool)> = before.collect();
        match links {
            Some(links) => self.trackers.0.insert(info_hash, links),
            None => self.trackers.0.remove(&info_hash),
        };
        for (id, was_told) in before {
            let is_told = self.trackers.has(info_hash, id);
            if was_told && !is_told {
                self.feed(
                    now,
                    engine::Input::Displaced {
                        info_hash,
                        link: id,
                    },
                );
            }
            let is_running = self.engine.engine().is_running(info_hash);
            let urgency = Urgency::Now;
            let output = match (was_told, is_told) {
                (true, false) => engine::Output::Leave {
                    info_hash,
                    totals: self.engine.engine().totals(info_hash).unwrap_or_default(),
                },
                (false, true) if is_running => engine::Output::Look { info_hash, urgency },
                _ => continue,
            };
            if let Some(link) = self.links.get_mut(&id) {
                link.find(now, &output, &mut self.out);
            } else if let Some(link) = self.foreign.get_mut(&id) {
                let least = self.engine.engine().config().paths.rtc.interval.0;
                link.find(now, &output, least);
            }
        }
    }

    /// What the server behind a link is for us.
    pub fn tracker(&self, link: LinkId) -> TrackerView {
        match (self.links.get(&link), self.foreign.get(&link)) {
            (Some(link), _) => link.state(),
            (None, Some(link)) => link.state(),
            (None, None) => TrackerView::Down,
        }
    }

    /// What the servers that a torrent is told to have made of it, in the order of their links;
    /// links that are down are none.
    pub fn standings(&self, info_hash: InfoHash) -> Vec<TrackerStanding> {
        let ours = self.links.iter();
        let ours = ours.map(|(id, link)| (*id, link.state(), link.standing(info_hash)));
        let others = self.foreign.iter();
        let others = others.map(|(id, link)| (*id, link.state(), link.standing(info_hash)));
        let told = ours.chain(others);
        let told = told.filter(|(id, ..)| self.trackers.has(info_hash, *id));
        let standing = told.map(|(link, state, standing)| TrackerStanding {
            link,
            state,
            standing,
        });
        standing.collect()
    }

    /// See [`engine::Engine::heard_trackers`].
    pub fn heard_trackers(&self, info_hash: InfoHash) -> &[String] {
        self.engine.engine().heard_trackers(info_hash)
    }

    /// The best that any tracker has made of a torrent.
    pub(super) fn standing(&self, info_hash: InfoHash) -> Standing {
        let ours = self.links.values().map(|link| link.standing(info_hash));
        let others = self.foreign.values().map(|link| link.standing(info_hash));
        let standings = ours.chain(others);
        standings.max_by_key(Standing::rank).unwrap_or_default()
    }
}
