//! Turns, where the tracker takes fewer swarms than there are torrents.
//!
//! Those that are announced have a place. Once somebody waits, a place that nobody made use
//! of goes to them after a while, and one with peers after a long while. Torrents that never
//! had a place come first: somebody may be about to send their links.

use super::Engine;
use crate::id::InfoHash;
use crate::time::Time;

impl Engine {
    /// Gives places to torrents that are to be announced; takes them from others whose
    /// turn is over.
    pub(super) fn take_turns(&mut self, now: Time) {
        self.next_turn = None;
        let most = self.link.max_swarms();
        if self.torrents.len() <= most {
            self.with_all(now, |torrent, _| torrent.stop_waiting());
            return;
        }
        // Since when each waits, and until when each keeps its place.
        let mut waiting: Vec<(Option<Time>, InfoHash)> = Vec::new();
        let mut placed: Vec<(Time, InfoHash)> = Vec::new();
        for (info_hash, torrent) in &self.torrents {
            if let Some(until) = torrent.keeps_place_until(&self.config.tracker) {
                placed.push((until, *info_hash));
            } else if torrent.wants_place(now) {
                waiting.push((torrent.displaced(), *info_hash));
            }
        }
        waiting.sort();
        placed.sort();
        let mut free = most.saturating_sub(placed.len());
        let mut placed = placed.into_iter().peekable();
        for (_, info_hash) in waiting {
            if free == 0
                && let Some((_, over)) = placed.next_if(|(until, _)| *until <= now)
            {
                self.with(now, over, |torrent, cx| torrent.give_place_up(cx));
                free = 1;
            }
            if free > 0 {
                free -= 1;
                self.with(now, info_hash, |torrent, cx| torrent.take_place(cx.now));
            } else {
                self.with(now, info_hash, |torrent, _| torrent.wait_for_place());
                self.next_turn = placed.peek().map(|(until, _)| *until);
            }
        }
    }
}
