//! Turns, where the tracker takes fewer swarms than there are torrents.
//!
//! Those that are announced have a place. Once somebody waits, places that nobody made use of
//! go from hand to hand, one after the other and at an even pace: a round takes as long however
//! they were come by, and a few torrents too many are away for a moment each. One with peers is
//! given up after a long while, if no other is to be had. Torrents that never had a place come
//! first: somebody may be about to send their links.

use std::time::Duration;

use super::Tracker;
use super::tracker::Listing;
use crate::chunk::Chunk;
use crate::engine::Engine;
use crate::id::InfoHash;
use crate::time::Time;

/// Places are handed on as if there were no more than these: with each, the tracker hears that
/// somebody leaves and somebody comes.
const MOST_PLACES: usize = 100;
/// A host that is later than this slept, and makes up for nothing.
const MOST_LATE: Duration = Duration::from_secs(2);

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
        // Since when each waits.
        let mut waiting: Vec<(Option<Time>, InfoHash)> = Vec::new();
        let mut taken = 0;
        for (info_hash, listing) in &self.listings {
            if listing.place.is_some() {
                taken += 1;
            } else if listing.is_due(now) && engine.is_running(*info_hash) {
                waiting.push((listing.displaced, *info_hash));
            }
        }
        waiting.sort();
        let mut free = self.max_swarms.saturating_sub(taken);
        let mut anybody = false;
        for (_, info_hash) in waiting {
            let Some(listing) = self.listings.get_mut(&info_hash) else {
                continue;
            };
            listing.waits = free == 0;
            anybody |= listing.waits;
            if free > 0 {
                free -= 1;
                listing.place = Some(now);
            }
        }
        if anybody {
            self.over(now, engine)
        } else {
            None
        }
    }

    /// A torrent whose turn is over; or says when one will be.
    fn over<C: Chunk>(&mut self, now: Time, engine: &Engine<C>) -> Option<InfoHash> {
        let config = &engine.config().tracker;
        let (mut alone, mut others): (Option<(Time, InfoHash)>, Option<_>) = (None, None);
        for (info_hash, listing) in &self.listings {
            let Some(since) = listing.place else {
                continue;
            };
            let (first, kept) = match engine.is_alone(*info_hash) {
                true => (&mut alone, config.least_turn),
                false => (&mut others, config.turn.1),
            };
            let it = (since + kept, *info_hash);
            *first = Some(first.map_or(it, |first| first.min(it)));
        }
        let pause = self.pause();
        let next = self.last_turn.map_or(now, |last| last + pause);
        let is_over = |(until, _): &(Time, InfoHash)| *until <= now && next <= now;
        let over = alone.filter(is_over).or(others.filter(is_over));
        if over.is_none() {
            let until = [alone, others]
                .into_iter()
                .flatten()
                .map(|(until, _)| until);
            self.next_turn = until.min().map(|until| until.max(next));
        }
        over.map(|(_, info_hash)| info_hash)
    }

    /// A place is handed on. Turns that are late are made up for, or a host that is seldom
    /// awake would have all others wait the longer.
    pub(super) fn note_turn(&mut self, now: Time) {
        let pause = self.pause();
        let due = self.last_turn.map_or(now, |last| last + pause);
        self.last_turn = Some(if now - due < MOST_LATE { due } else { now });
    }

    /// Between two turns.
    fn pause(&self) -> Duration {
        let places = self.max_swarms.clamp(1, MOST_PLACES);
        self.config.turn.0 / u32::try_from(places).expect("they are few")
    }
}

impl Listing {
    /// It is to be announced.
    fn is_due(&self, now: Time) -> bool {
        self.next_announce.is_some_and(|due| due <= now)
    }
}
