//! Links to several servers at once: to those that were named, and to those that peers use.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::join_all;
use swarm_core::id::{InfoHash, LinkId};
use swarm_core::metainfo::{self, Origin};
use swarm_core::node::LinkOutput;
use swarm_core::rng::Rng;
use swarm_core::sorted::SortedSet;
use swarm_core::wire::webtorrent::ClientMessage;

use crate::address::{TrackerAddress, Trackers};
use crate::link::{Link, LinkEvent, LinkStatus};

/// The most links at once. Each is a connection and a place at somebody's server; the torrents
/// that name more of them have those share a link, of which one at a time is tried.
const MAX_LINKS: usize = 4;

/// See the module.
#[derive(Debug)]
pub(crate) struct Links {
    /// Each is known by its place.
    list: Vec<Link>,
    /// How many of them were named; the others are of those alone who heard of them.
    named: usize,
    /// Links of torrents whose peers spoke of others.
    heard: BTreeMap<InfoHash, SortedSet<LinkId>>,
    /// Where a server that a stranger names may be.
    origin: Origin,
    /// Who is asked first: nobody's messages wait for those of one who never falls silent.
    turn: usize,
    /// Trackers of WebTorrent's kind are spoken to as such.
    webtorrent: bool,
    rng: Rng,
}

impl Links {
    /// Begins to connect to these. `rng` spreads attempts.
    pub(crate) fn new(trackers: Option<Trackers>, rng: Rng) -> Self {
        let trackers = trackers.map_or_else(Vec::new, |trackers| trackers.spread(MAX_LINKS));
        let is_local = |tracker: &TrackerAddress| {
            metainfo::TrackerAddress::parse(tracker.as_str())
                .is_ok_and(|tracker| tracker.origin().local)
        };
        let local = trackers.iter().flat_map(Trackers::as_slice).any(is_local);
        let mut links = Links {
            list: Vec::new(),
            named: trackers.len(),
            heard: BTreeMap::new(),
            origin: Origin {
                secure: false,
                local,
            },
            turn: 0,
            webtorrent: false,
            rng,
        };
        for trackers in trackers {
            links.begin(trackers);
        }
        links
    }

    fn begin(&mut self, trackers: impl Into<Trackers>) -> LinkId {
        let id = id_of(self.list.len());
        let rng = self.rng.fork(&format!("link {}", id.0));
        let link = Link::new(trackers, rng);
        if self.webtorrent {
            link.speak_webtorrent();
        }
        self.list.push(link);
        id
    }

    /// Speaks WebTorrent's protocol from now on with trackers that don't know ours.
    pub(crate) fn speak_webtorrent(&mut self) {
        self.webtorrent = true;
        self.list.iter().for_each(Link::speak_webtorrent);
    }

    /// What any of them reports; waits for ever if there are none. Dropping the future loses
    /// nothing.
    pub(crate) async fn next(&mut self) -> (LinkId, LinkEvent) {
        poll_fn(|context| self.poll_next(context)).await
    }

    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<(LinkId, LinkEvent)> {
        for _ in 0..self.list.len() {
            self.turn = (self.turn + 1) % self.list.len();
            if let Poll::Ready(event) = self.list[self.turn].poll_next(context) {
                return Poll::Ready((id_of(self.turn), event));
            }
        }
        Poll::Pending
    }

    /// Does what the node wants of a link.
    pub(crate) fn tell(&mut self, id: LinkId, output: LinkOutput) {
        let Some(link) = self.list.get_mut(id.0 as usize) else {
            return;
        };
        if let LinkOutput::Reconnect = output {
            link.reconnect();
        } else if let Some(message) = output.into_message() {
            link.send(message.encode());
        }
    }

    /// Says something to a tracker of WebTorrent's kind.
    pub(crate) fn tell_webtorrent(&mut self, id: LinkId, message: &ClientMessage) {
        if let Some(link) = self.list.get_mut(id.0 as usize) {
            link.send_webtorrent(message);
        }
    }

    /// A tracker of WebTorrent's kind is there.
    pub(crate) fn has_webtorrent(&self) -> bool {
        self.list.iter().any(Link::is_webtorrent)
    }

    /// The server at the other end, while there is one.
    pub(crate) fn address(&self, id: LinkId) -> Option<&TrackerAddress> {
        self.list.get(id.0 as usize)?.address()
    }

    /// Follows servers that a torrent's peers use, as far as there is room for them and a
    /// stranger may name them.
    pub(crate) fn follow(&mut self, info_hash: InfoHash, heard: &[String]) {
        for text in heard {
            let address = metainfo::TrackerAddress::for_page(text, self.origin).ok();
            let address = address.and_then(|address| address.as_str().parse().ok());
            let Some(address) = address else {
                continue;
            };
            let leads_there = |link: &Link| link.trackers().as_slice().contains(&address);
            let id = match self.list.iter().position(leads_there) {
                Some(place) if place < self.named => continue,
                Some(place) => id_of(place),
                None if self.list.len() < MAX_LINKS => self.begin(address),
                None => continue,
            };
            let heard = self.heard.entry(info_hash);
            heard.or_default().insert(id);
        }
    }

    /// There are links that not every torrent has.
    pub(crate) fn are_divided(&self) -> bool {
        self.list.len() > self.named
    }

    /// The links of a torrent: those that were named, and its own.
    pub(crate) fn links_of(&self, info_hash: InfoHash) -> SortedSet<LinkId> {
        let heard = self.heard.get(&info_hash).into_iter().flatten().copied();
        (0..self.named).map(id_of).chain(heard).collect()
    }

    /// How the best of them is, if there are any.
    pub(crate) fn status(&self) -> Option<&LinkStatus> {
        self.list.iter().map(Link::status).min_by_key(|status| {
            let (rank, at) = match status {
                LinkStatus::Up => (0, None),
                LinkStatus::Connecting => (1, None),
                LinkStatus::Down { retry_at, .. } => (2, Some(*retry_at)),
            };
            (rank, at)
        })
    }

    /// Sends what was queued and says goodbye to all, for at most `patience`.
    pub(crate) async fn close(self, patience: Duration) {
        join_all(self.list.into_iter().map(|link| link.close(patience))).await;
    }
}

fn id_of(place: usize) -> LinkId {
    LinkId(u32::try_from(place).expect("they are few"))
}
