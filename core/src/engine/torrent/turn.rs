//! A place among the announced torrents, where the tracker takes only so many.

use super::{Cx, Ending, Torrent};
use crate::engine::config::TrackerConfig;
use crate::time::Time;

impl Torrent {
    /// Until when it keeps the place that it has, whoever waits.
    pub(in crate::engine) fn keeps_place_until(&self, config: &TrackerConfig) -> Option<Time> {
        let (idle, busy) = config.turn;
        let turn = if self.sessions.is_empty() { idle } else { busy };
        self.swarm.place.map(|since| since + turn)
    }

    /// It is to be announced, and has no place yet.
    pub(in crate::engine) fn wants_place(&self, now: Time) -> bool {
        self.is_running()
            && self.swarm.place.is_none()
            && self.swarm.next_announce.is_some_and(|due| due <= now)
    }

    /// When it gave its place up; none if it never had one.
    pub(in crate::engine) fn displaced(&self) -> Option<Time> {
        self.swarm.displaced
    }

    /// It may be announced.
    pub(in crate::engine) fn take_place(&mut self, now: Time) {
        self.swarm.place = Some(now);
        self.swarm.waits = false;
    }

    /// It is not announced before it has a place.
    pub(in crate::engine) fn wait_for_place(&mut self) {
        self.swarm.waits = true;
    }

    /// There are places for all.
    pub(in crate::engine) fn stop_waiting(&mut self) {
        self.swarm.waits = false;
    }

    /// Leaves the swarm until its next turn.
    pub(in crate::engine) fn give_place_up(&mut self, cx: &mut Cx<'_>) {
        self.leave(cx, &Ending::TurnOver);
        self.swarm.displaced = Some(cx.now);
        self.swarm.waits = true;
        self.announce_now(cx.now);
    }
}
