//! What people want.

use super::torrent::Torrent;
use super::{Command, Ending, Engine, Event, Output, Refusal};
use crate::chunk::Chunk;
use crate::id::InfoHash;
use crate::time::Time;

impl<C: Chunk> Engine<C> {
    pub(super) fn handle_command(&mut self, now: Time, command: Command) {
        match command {
            Command::AddTorrent {
                metainfo,
                resume,
                paused,
            } => {
                let info_hash = metainfo.info_hash();
                if self.add(info_hash, Some(metainfo.name().to_owned()), false, paused) {
                    self.with(now, info_hash, |torrent, cx| {
                        torrent.begin(cx, metainfo, resume);
                    });
                }
            }
            Command::AddLink {
                info_hash,
                name,
                check,
                paused,
            } => {
                if self.add(info_hash, name, check, paused) {
                    self.with(now, info_hash, |torrent, cx| torrent.start(cx));
                }
            }
            Command::Pause(info_hash) => {
                self.with(now, info_hash, |torrent, cx| torrent.pause(cx));
            }
            Command::Resume(info_hash) => {
                self.with(now, info_hash, |torrent, cx| torrent.resume(cx));
            }
            Command::Remove(info_hash) => {
                self.with(now, info_hash, |torrent, cx| {
                    torrent.leave(cx, &Ending::Removed);
                });
                self.torrents.remove(&info_hash);
                self.order.retain(|known| *known != info_hash);
                self.cache.forget(info_hash);
                // Who waits for reads of others waits for none of these any more.
                self.with_all(now, |torrent, cx| torrent.wake_uploads(cx));
            }
            Command::SetStrategy(info_hash, strategy) => {
                self.with(now, info_hash, |torrent, _| torrent.set_strategy(strategy));
            }
            Command::SetPriorities(info_hash, priorities) => {
                self.with(now, info_hash, |torrent, cx| {
                    torrent.set_priorities(cx, priorities);
                });
            }
            Command::SetPlayPosition(info_hash, byte) => {
                self.with(now, info_hash, |torrent, _| torrent.set_play_position(byte));
            }
        }
    }

    /// Makes an empty torrent; false, and an event, when it is there already.
    fn add(
        &mut self,
        info_hash: InfoHash,
        name: Option<String>,
        check: bool,
        paused: bool,
    ) -> bool {
        if self.torrents.contains_key(&info_hash) {
            let reason = Refusal::AlreadyThere;
            self.out.push_back(Output::Event(Event::Refused { reason }));
            return false;
        }
        let rng = self.rng.fork(&info_hash.to_string());
        let (added, strategy) = (self.added, self.config.strategy);
        let torrent = Torrent::from_link(info_hash, added, name, check, paused, strategy, rng);
        self.added = added.wrapping_add(1);
        self.torrents.insert(info_hash, torrent);
        self.order.push(info_hash);
        true
    }
}
