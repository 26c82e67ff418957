//! Ways into ordinary swarms, for tabs that can reach nobody there: neighbours that are in the
//! mainline DHT as well, and join a swarm because a tab asks for it.
//!
//! Bridges announce a topic of their own, and so are found as members of a swarm are. What tabs say
//! to each other of torrents are topics, which tell nobody an info-hash; mainline is asked by info-hash.
//! So that one is said to a bridge alone, through a link to it, and only where nobody is known who has
//! all of the torrent.

use super::calls::{Back, Purpose};
use super::upkeep::Candidate;
use super::{Output, Overlay, Topic};
use crate::id::{Fingerprint, InfoHash};
use crate::net::HAS_SOCKETS;
use crate::time::Time;
use crate::wire::introduce::Unlinked;
use crate::wire::overlay::{Answer, Question, Target};

/// What stands for being a bridge, where others have what stands for a torrent.
pub const BRIDGES: Topic = *b"tabswarm bridges 001";

/// Those that were found last.
#[derive(Debug, Default)]
pub(super) struct Bridges(Vec<Fingerprint>);

impl Overlay {
    /// A torrent's members were looked for: bridges are as well, if they are wanted.
    pub(super) fn seek_bridges(&mut self, now: Time, topic: Target, ways: usize) {
        let on = self.config.bridges > 0;
        let wish = self.wishes.get_mut(&topic).filter(|_| on);
        if let Some(wish) = wish.filter(|wish| wish.want.carry.is_some()) {
            wish.uncarried = true;
            self.seek(now, BRIDGES, ways);
        }
    }

    pub(super) fn found_bridges(&mut self, now: Time, mut found: Vec<Fingerprint>) {
        found.truncate(self.config.bridges);
        if !found.is_empty() {
            self.bridges.0 = found;
            self.ask_bridges(now);
        }
    }

    /// Asks a bridge for what is wanted; if none is linked with us, one is to be. Which one is left
    /// to chance, since anybody may say that it is one.
    pub(super) fn ask_bridges(&mut self, now: Time) {
        if !self.wishes.values().any(|wish| wish.uncarried) {
            return;
        }
        let mut bridges = self.bridges.0.clone();
        self.rng.shuffle(&mut bridges);
        let linked = bridges.iter().find(|bridge| self.knows(**bridge));
        let Some(bridge) = linked.copied() else {
            if let Some(tab) = bridges.first().copied() {
                let candidate = Candidate {
                    tab,
                    first: tab,
                    way: BRIDGES,
                };
                if self.maintenance.begin(now, candidate) {
                    self.out.push_back(Output::Link(tab));
                }
            }
            return;
        };
        let mut asked = Vec::new();
        for (topic, wish) in self.wishes.iter_mut().filter(|(_, wish)| wish.uncarried) {
            wish.uncarried = false;
            asked.extend(wish.want.carry.map(|info_hash| (*topic, info_hash)));
        }
        for (topic, info_hash) in asked {
            let to = (info_hash.0, 0);
            self.question(now, bridge, to, Question::Carry, Purpose::Carry(topic));
        }
    }

    /// A neighbour asks us. Whether there is such a torrent, and whether it is private, is told
    /// nobody: where we don't carry it, there is no answer.
    pub(super) fn hear_carry(&mut self, now: Time, from: Fingerprint, number: u32, target: Target) {
        if !HAS_SOCKETS || self.config.bridge.torrents == 0 {
            return self.reply(from, number, Answer::End(Unlinked::Unwanted));
        }
        let Some(ours) = self.ours() else {
            return;
        };
        let until = now + self.config.timeout;
        // It waits for the one who owns us, as an offer does.
        let number = self.calls.begin(ours, Back::To(from, number), until);
        self.out.push_back(Output::Carry {
            number,
            from,
            info_hash: InfoHash(target),
        });
    }

    /// We are in the swarm that somebody asked for, see [`Output::Carry`].
    pub fn carries(&mut self, number: u32) {
        let call = self.ours().and_then(|ours| self.calls.end(number, ours));
        if let Some(Back::To(to, number)) = call.map(|call| call.back) {
            self.reply(to, number, Answer::Noted);
        }
    }
}
