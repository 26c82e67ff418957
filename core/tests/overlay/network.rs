//! A network of the overlay's nodes in virtual time: links take a while to be made, and messages
//! to pass.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use swarm_core::id::{Fingerprint, InfoHash};
use swarm_core::overlay::{ITSELF, Output, Overlay, OverlayConfig, Want, topic_of};
use swarm_core::rng::Rng;
use swarm_core::time::Time;
use swarm_core::wire::introduce::Unlinked;
use swarm_core::wire::overlay::{OverlayMessage, Target};

/// One way through a link.
const DELAY: Duration = Duration::from_millis(50);
/// What a browser takes for its part of a link.
const LINKING: Duration = Duration::from_millis(700);

/// Others may find it.
pub(crate) const HAS: Want = Want {
    announce: true,
    look: false,
    carry: None,
};

/// Something that will happen.
enum Event {
    Message(Fingerprint, OverlayMessage),
    /// A description is there: the answer to this offer.
    Answer(u32),
    /// The connection is there.
    Met(Fingerprint),
    Tick,
}

/// A tab.
pub(crate) struct Tab {
    pub(crate) name: Fingerprint,
    pub(crate) overlay: Overlay,
    /// The links that its torrents have, and those that the overlay made.
    pub(crate) links: BTreeSet<Fingerprint>,
    /// What its torrents want.
    pub(crate) wants: Vec<(Target, Want)>,
    /// Who was found for what.
    pub(crate) found: BTreeMap<Target, BTreeSet<Fingerprint>>,
    /// Offers of ours, by number.
    offers: BTreeMap<u32, (Fingerprint, Target)>,
    made: u32,
    /// With whom it is linked for a topic.
    pub(crate) linked: BTreeMap<Target, BTreeSet<Fingerprint>>,
    pub(crate) dead: bool,
    /// Answers nothing, and passes nothing on.
    pub(crate) swallows: bool,
    /// Which torrents it was asked to carry.
    pub(crate) asked: Vec<InfoHash>,
    /// It does.
    pub(crate) carries: bool,
    pub(crate) sent: usize,
    pub(crate) bytes: usize,
}

pub(crate) struct Net {
    pub(crate) now: Time,
    pub(crate) tabs: Vec<Tab>,
    by_name: BTreeMap<Fingerprint, usize>,
    queue: BTreeMap<Time, VecDeque<(usize, Event)>>,
    /// Offers that were answered, and that came to nothing.
    pub(crate) offers: (usize, usize),
    pub(crate) rng: Rng,
}

impl Net {
    pub(crate) fn new(count: usize, config: &OverlayConfig, seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let mut net = Net {
            now: Time::from_millis(1000),
            tabs: Vec::new(),
            by_name: BTreeMap::new(),
            queue: BTreeMap::new(),
            offers: (0, 0),
            rng: rng.fork("net"),
        };
        for at in 0..count {
            let mut name = [0; 16];
            rng.fill(&mut name);
            let name = Fingerprint(name);
            let mut overlay = Overlay::new(config.clone(), rng.fork(&at.to_string()));
            overlay.is_called(name);
            net.tabs.push(Tab {
                name,
                overlay,
                links: BTreeSet::new(),
                wants: Vec::new(),
                found: BTreeMap::new(),
                offers: BTreeMap::new(),
                made: 0,
                linked: BTreeMap::new(),
                dead: false,
                swallows: false,
                asked: Vec::new(),
                carries: false,
                sent: 0,
                bytes: 0,
            });
            net.by_name.insert(name, at);
            // All at different times.
            let first = net.now + Duration::from_millis(rng.below(1000) as u64);
            net.at(first, at, Event::Tick);
        }
        net
    }

    fn at(&mut self, time: Time, tab: usize, event: Event) {
        self.queue.entry(time).or_default().push_back((tab, event));
    }

    /// Two are linked by a torrent of theirs.
    pub(crate) fn link(&mut self, one: usize, other: usize) {
        self.join(one, other, false);
    }

    fn join(&mut self, one: usize, other: usize, alone: bool) {
        let names = [one, other].map(|at| self.tabs[at].name);
        for (at, name) in [(one, names[1]), (other, names[0])] {
            if self.tabs[at].links.insert(name) {
                self.tabs[at].overlay.meet(self.now, name, alone);
            }
        }
    }

    fn unlink(&mut self, one: usize, other: usize) {
        let names = [one, other].map(|at| self.tabs[at].name);
        for (at, name) in [(one, names[1]), (other, names[0])] {
            self.tabs[at].links.remove(&name);
            self.tabs[at].overlay.part(self.now, name);
            self.drain(at);
        }
    }

    /// A tab is closed.
    pub(crate) fn kill(&mut self, at: usize) {
        self.tabs[at].dead = true;
        let links = std::mem::take(&mut self.tabs[at].links);
        for name in links {
            let other = self.by_name[&name];
            let own = self.tabs[at].name;
            self.tabs[other].links.remove(&own);
            self.tabs[other].overlay.part(self.now, own);
            self.drain(other);
        }
    }

    pub(crate) fn run(&mut self, seconds: u64) {
        let end = self.now + Duration::from_secs(seconds);
        self.run_until(end, |_| false);
    }

    /// Until something is so; false if it is not by then.
    pub(crate) fn run_until(&mut self, end: Time, done: impl Fn(&Net) -> bool) -> bool {
        while let Some(entry) = self.queue.first_entry().filter(|entry| *entry.key() <= end) {
            self.now = *entry.key();
            for (tab, event) in entry.remove() {
                self.happen(tab, event);
            }
            if done(self) {
                return true;
            }
        }
        self.now = end;
        false
    }

    fn happen(&mut self, at: usize, event: Event) {
        let now = self.now;
        if self.tabs[at].dead {
            return;
        }
        match event {
            Event::Tick => {
                let tab = &mut self.tabs[at];
                let wants = tab.wants.clone();
                tab.overlay.want(now, &wants);
                tab.overlay.tick(now);
                self.at(now + Duration::from_secs(1), at, Event::Tick);
            }
            Event::Message(from, message) => {
                let tab = &mut self.tabs[at];
                if tab.links.contains(&from) && !tab.swallows {
                    tab.overlay.hear(now, from, message);
                }
            }
            Event::Answer(number) => {
                let overlay = &mut self.tabs[at].overlay;
                overlay.answer(number, Ok("answer".to_owned()));
            }
            Event::Met(name) => {
                if !self.tabs[self.by_name[&name]].dead {
                    self.join(at, self.by_name[&name], true);
                    self.drain(self.by_name[&name]);
                }
            }
        }
        self.drain(at);
    }

    fn offer(&mut self, at: usize, to: Fingerprint, topic: Target) {
        let now = self.now;
        let tab = &mut self.tabs[at];
        tab.made += 1;
        tab.offers.insert(tab.made, (to, topic));
        tab.overlay
            .offer(now, tab.made, to, topic, "offer".to_owned());
    }

    fn drain(&mut self, at: usize) {
        while let Some(output) = self.tabs[at].overlay.poll() {
            let (now, own) = (self.now, self.tabs[at].name);
            match output {
                Output::Send { to, message } => {
                    let tab = &mut self.tabs[at];
                    tab.sent += 1;
                    tab.bytes += message.encode().len();
                    let to = self.by_name[&to];
                    self.at(now + DELAY, to, Event::Message(own, message));
                }
                Output::Link(to) => self.offer(at, to, ITSELF),
                Output::Part(from) => {
                    let other = self.by_name[&from];
                    self.unlink(at, other);
                }
                Output::Peers { topic, peers } => {
                    let tab = &mut self.tabs[at];
                    let found = tab.found.entry(topic).or_default();
                    let new: Vec<_> = peers
                        .into_iter()
                        .filter(|peer| found.insert(*peer))
                        .collect();
                    for peer in new {
                        self.offer(at, peer, topic);
                    }
                }
                Output::Offered {
                    number,
                    from,
                    topic,
                    ..
                } => {
                    let tab = &mut self.tabs[at];
                    let has = tab
                        .wants
                        .iter()
                        .any(|(of, want)| *of == topic && want.announce);
                    let may = match topic == ITSELF {
                        true => tab.overlay.takes(from),
                        false => has,
                    };
                    match may {
                        true => self.at(now + LINKING, at, Event::Answer(number)),
                        false => tab.overlay.answer(number, Err(Unlinked::Unwanted)),
                    }
                }
                Output::Carry {
                    number, info_hash, ..
                } => {
                    let tab = &mut self.tabs[at];
                    tab.asked.push(info_hash);
                    if tab.carries {
                        tab.wants.push((topic_of(info_hash), HAS));
                        tab.overlay.carries(number);
                    }
                }
                Output::Answered { attempt, answer } => {
                    let tab = &mut self.tabs[at];
                    let (to, topic) = tab.offers.remove(&attempt).unwrap();
                    match answer {
                        Ok(_) => {
                            self.offers.0 += 1;
                            tab.linked.entry(topic).or_default().insert(to);
                            self.at(now + LINKING, at, Event::Met(to));
                        }
                        Err(_) => {
                            self.offers.1 += 1;
                            if topic == ITSELF {
                                tab.overlay.unlinked(now, to);
                            } else {
                                tab.found.entry(topic).or_default().remove(&to);
                            }
                        }
                    }
                }
            }
        }
    }

    /// How many links a question would go through, and whether it would get there, right now.
    pub(crate) fn way(&mut self, from: usize, to: usize) -> Option<usize> {
        let name = self.tabs[to].name;
        let target = swarm_core::overlay::id_of(name);
        let (mut at, mut hops) = (from, 0);
        while at != to {
            let nearest = self.tabs[at]
                .links
                .iter()
                .min_by_key(|tab| swarm_core::overlay::id_of(**tab).distance(target));
            let next = self.by_name[nearest?];
            let distance =
                |at: usize| swarm_core::overlay::id_of(self.tabs[at].name).distance(target);
            if hops > 0 && distance(next) >= distance(at) {
                return None;
            }
            (at, hops) = (next, hops + 1);
        }
        Some(hops)
    }
}
