//! Turns, where the tracker takes fewer swarms than there are torrents.
//!
//! Those that are announced have a place. Once somebody waits, a place that nobody made use
//! of goes to them after a while, and one with peers after a long while. Torrents that never
//! had a place come first: somebody may be about to send their links.

use super::Tracker;
use super::tracker::Listing;
use crate::chunk::Chunk;
use crate::engine::Engine;
use crate::id::InfoHash;
use crate::time::Time;

impl Tracker {
    /// Gives places to torrents that are to be announced. Returns one whose turn is over, if
    /// somebody else can have its place: [`Tracker::displace`] it, and ask again.
    pub fn take_turns<C: Chunk>(&mut self, now: Time, engine: &Engine<C>) -> Option<InfoHash> {
        self.next_turn = None;
        if self.listings.len() <= self.max_swarms {
            for listing in self.listings.values_mut() {
                listing.waits = false;
            }
            return None;
        }
        let turn = engine.config().tracker.turn;
        // Since when each waits, and until when each keeps its place.
        let mut waiting: Vec<(Option<Time>, InfoHash)> = Vec::new();
        let mut placed: Vec<(Time, InfoHash)> = Vec::new();
        for (info_hash, listing) in &self.listings {
            if let Some(since) = listing.place {
                let alone = engine.is_alone(*info_hash);
                placed.push((since + if alone { turn.0 } else { turn.1 }, *info_hash));
            } else if listing.is_due(now) && engine.is_running(*info_hash) {
                waiting.push((listing.displaced, *info_hash));
            }
        }
        waiting.sort();
        let mut free = self.max_swarms.saturating_sub(placed.len());
        let first_over = placed.into_iter().min();
        let mut over = None;
        for (_, info_hash) in waiting {
            let Some(listing) = self.listings.get_mut(&info_hash) else {
                continue;
            };
            listing.waits = free == 0;
            if free > 0 {
                free -= 1;
                listing.place = Some(now);
                continue;
            }
            self.next_turn = first_over.map(|(until, _)| until);
            over = first_over.filter(|(until, _)| *until <= now);
        }
        over.map(|(_, info_hash)| info_hash)
    }
}

impl Listing {
    /// It is to be announced.
    fn is_due(&self, now: Time) -> bool {
        self.next_announce.is_some_and(|due| due <= now)
    }
}
