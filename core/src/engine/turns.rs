//! Who may be asked for blocks, and who is sent something: each in turn.

use super::Engine;
use super::torrent::Torrent;
use crate::chunk::Chunk;
use crate::time::Time;

impl<C: Chunk> Engine<C> {
    /// The second half of [`Engine::handle`]: does what has become possible, asks for blocks,
    /// sends what waits.
    pub(crate) fn flush(&mut self, now: Time) {
        self.throttles.begin_turn();
        loop {
            self.with_all(now, |torrent, cx| torrent.refill(cx));
            self.serve_in_turns(now);
            // Who took what waited for it may be asked again.
            let more = self.torrents.values().any(Torrent::wants_refill);
            if !more || self.throttles.down.room(now) == Some(0) {
                return;
            }
        }
    }

    /// Looks at everybody once more, as if each had something new to say; true if that made
    /// somebody ask for a block, send one, or read a piece while nothing was being read.
    ///
    /// Nobody may depend on it: an engine that has been told everything has nothing left to
    /// do, and one that finds something let somebody wait for what nothing would have brought.
    /// For tests, which call it after every input.
    pub fn wake(&mut self, now: Time) -> bool {
        let (reads, before) = (self.cache.reads(), self.under_way());
        self.with_all(now, |torrent, cx| torrent.wake(cx));
        self.flush(now);
        // The end of any read wakes everybody.
        let idle = reads == 0 && self.cache.reads() > 0;
        idle || self.under_way() != before
    }

    /// Counts of what was begun.
    fn under_way(&self) -> Vec<[usize; 4]> {
        self.torrents.values().map(Torrent::under_way).collect()
    }

    /// A frame for each session in turn, until none can go on.
    fn serve_in_turns(&mut self, now: Time) {
        loop {
            let waiting = self.waiting.in_turn();
            let mut more = false;
            for key in waiting {
                let goes_on = self
                    .with(now, key.0, |torrent, cx| torrent.serve(cx, key.1))
                    .unwrap_or(false);
                if goes_on {
                    self.waiting.served(key);
                    more = true;
                }
            }
            if !more {
                return;
            }
        }
    }
}
