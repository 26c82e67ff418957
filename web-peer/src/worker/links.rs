//! The links of a tab: to the page's own server always, and to the trackers that its torrents
//! name.

use std::rc::Rc;
use swarm_core::sorted::{SortedMap, SortedSet};

use swarm_core::id::{InfoHash, LinkId};
use swarm_core::node::LinkInput;
use swarm_core::time::Time;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;

use super::host::{Host, Input};
use super::js::scope;
use super::link::Link;

/// The link to the page's own server.
pub(super) const TRACKER: LinkId = LinkId(0);
/// The most links at once. Each is a connection that the browser keeps, and a place at
/// somebody's server; a person who has torrents of more trackers finds peers through these.
pub(super) const MAX_LINKS: usize = 4;

/// See the module.
#[derive(Debug)]
pub(super) struct Links {
    /// The page's own first.
    list: Vec<Link>,
    /// For the next one. Wires have other numbers: see [`super::direct`].
    next: u32,
    /// They are connected; before that they wait for the torrents that are kept.
    are_up: bool,
    /// Trackers that were tried for long, in vain, while others waited for a turn.
    tired: Vec<String>,
    /// There are others.
    others_wait: bool,
    /// Which links of each torrent the node knows of.
    told: SortedMap<InfoHash, SortedSet<LinkId>>,
}

impl Links {
    pub(super) fn new(own: String) -> Self {
        Links {
            list: vec![Link::new(TRACKER, own)],
            next: TRACKER.0 + 1,
            are_up: false,
            tired: Vec::new(),
            others_wait: false,
            told: SortedMap::new(),
        }
    }

    pub(super) fn get(&self, id: LinkId) -> Option<&Link> {
        self.list.iter().find(|link| link.id == id)
    }

    pub(super) fn get_mut(&mut self, id: LinkId) -> Option<&mut Link> {
        self.list.iter_mut().find(|link| link.id == id)
    }

    /// The link to the tracker at this address, if there is one.
    pub(super) fn to(&self, url: &str) -> Option<&Link> {
        self.list.iter().find(|link| link.url == url)
    }

    pub(super) fn ids(&self) -> Vec<LinkId> {
        self.list.iter().map(|link| link.id).collect()
    }

    /// Links that are to try again now.
    pub(super) fn waiting(&mut self) -> Vec<LinkId> {
        let waiting = self.list.iter_mut().filter_map(|link| {
            let waits = link.stop_waiting();
            waits.then_some(link.id)
        });
        waiting.collect()
    }

    /// When none is up, those that have no link are tried in the place of those that failed twice.
    pub(super) fn give_others_a_turn(&mut self) -> bool {
        let fails = |link: &Link| link.failures() >= 2;
        let turn = self.others_wait && self.list.iter().all(fails);
        if turn {
            let others = self.list.iter().skip(1);
            self.tired.extend(others.map(|link| link.url.clone()));
        }
        turn
    }

    /// Makes room for the trackers of `wanted` that there are none yet for, the first first;
    /// those that are there already and still wanted stay. Returns links that end and that begin.
    fn follow(&mut self, wanted: &[String]) -> (Vec<LinkId>, Vec<LinkId>) {
        self.tired.retain(|url| wanted.contains(url));
        let is_tired = |url: &&String| self.tired.contains(*url);
        let new = wanted.iter().filter(|url| self.to(url).is_none());
        let (late, mut new): (Vec<&String>, Vec<&String>) = new.partition(is_tired);
        let rested = new.len();
        new.extend(late);
        let others = self.list.iter().skip(1);
        let (tired, others): (Vec<&Link>, Vec<&Link>) =
            others.partition(|link| is_tired(&&link.url));
        // They make room for those who have not had a turn yet.
        let make_room = tired.into_iter().take(rested);
        let unwanted = others
            .into_iter()
            .filter(|link| !wanted.contains(&link.url));
        let gone: Vec<LinkId> = make_room.chain(unwanted).map(|link| link.id).collect();
        let left = self.list.len() - gone.len();
        self.others_wait = new.len() > MAX_LINKS - left;
        let new: Vec<String> = new.into_iter().take(MAX_LINKS - left).cloned().collect();
        if rested == 0 {
            // All had one.
            self.tired.clear();
        }
        let begun = new.into_iter().map(|url| {
            let id = LinkId(self.next);
            self.next += 1;
            self.list.push(Link::new(id, url));
            id
        });
        let begun = begun.collect();
        (gone, begun)
    }
}

impl Host {
    /// Connects to all trackers, now and whenever they are lost.
    pub(super) fn keep_connected(self: &Rc<Self>) {
        let host = Rc::clone(self);
        let online = Closure::<dyn FnMut()>::new(move || host.connect_waiting());
        scope().set_ononline(Some(online.as_ref().unchecked_ref()));
        online.forget();
        self.connect_all();
    }

    /// Seconds until the page's own server is tried again, while it is not connected.
    pub(super) fn reconnect_in(&self, now: Time) -> Option<u32> {
        let links = self.links.borrow();
        links.get(TRACKER)?.reconnect_in(now)
    }

    pub(super) fn connect_all(self: &Rc<Self>) {
        self.links.borrow_mut().are_up = true;
        let ids = self.links.borrow().ids();
        for id in ids {
            self.connect(id);
        }
    }

    /// Lets all connections go. The node is to be replaced: it is not told, and the next one
    /// knows nothing of them.
    pub(super) fn hang_up_all(&self) {
        let ids = self.links.borrow().ids();
        for id in ids {
            self.hang_up(id);
        }
        let mut links = self.links.borrow_mut();
        links.are_up = false;
        links.told.clear();
    }

    /// Opens links to the trackers that torrents name, as many as may be, closes those that
    /// none names any more, and tells the node which are whose. Done before a torrent begins, so
    /// that no server hears of it that should not.
    pub(super) fn follow_trackers(self: &Rc<Self>) {
        let named: Vec<(InfoHash, Vec<String>)> = self.named_trackers();
        let deepest = named.iter().map(|(_, urls)| urls.len()).max();
        // The first of each torrent, then the second of each.
        let ranks = (0..deepest.unwrap_or(0)).flat_map(|rank| {
            let urls = named.iter().filter_map(move |(_, urls)| urls.get(rank));
            urls.cloned()
        });
        let own = self.tracker.clone();
        let wanted: Vec<String> = ranks.filter(|url| *url != own).collect();
        let (gone, begun) = self.links.borrow_mut().follow(&wanted);
        for id in &gone {
            self.hang_up(*id);
        }
        self.links
            .borrow_mut()
            .list
            .retain(|link| !gone.contains(&link.id));
        for id in gone {
            self.feed(Input::Link(id, LinkInput::Down));
        }
        self.tell_trackers(&named);
        self.follow_web_seeds();
        if self.links.borrow().are_up {
            for id in begun {
                self.connect(id);
            }
        }
    }

    /// Tells the node what has changed.
    fn tell_trackers(self: &Rc<Self>, named: &[(InfoHash, Vec<String>)]) {
        let mut links = self.links.borrow_mut();
        let mut now = SortedMap::new();
        for (info_hash, urls) in named {
            let ids = urls.iter().filter_map(|url| links.to(url));
            now.insert(*info_hash, ids.map(|link| link.id).collect());
        }
        let before = std::mem::replace(&mut links.told, now.clone());
        drop(links);
        let gone = before.keys().filter(|known| !now.contains_key(known));
        let gone = gone.map(|info_hash| (*info_hash, None)).collect::<Vec<_>>();
        let news = now.into_iter().filter(|(info_hash, links)| {
            let before = before.get(info_hash);
            before != Some(links)
        });
        let news = news.map(|(info_hash, links)| (info_hash, Some(links)));
        for (info_hash, links) in news.chain(gone) {
            self.feed(Input::Links { info_hash, links });
        }
    }
}
