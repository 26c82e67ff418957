//! The tracker's half: what it is told, and when.

use std::collections::VecDeque;

use super::super::Output;
use super::RelayLink;
use crate::chunk::Chunk;
use crate::engine::{self, Engine};
use crate::id::InfoHash;
use crate::net::RelayPolicy;
use crate::time::Time;

impl RelayLink {
    /// The engine wants something of whoever finds peers.
    pub(in crate::node) fn find<C: Chunk>(
        &mut self,
        now: Time,
        output: &engine::Output<C>,
        out: &mut VecDeque<Output<C>>,
    ) {
        if self.welcome.is_none() {
            return;
        }
        match *output {
            engine::Output::Look { info_hash, urgency } => {
                self.tracker.look(now, info_hash, urgency);
            }
            engine::Output::Have {
                info_hash,
                piece,
                complete,
            } => self.tracker.have(now, info_hash, piece, complete),
            engine::Output::Leave { info_hash, .. } => {
                self.tracker.leave(info_hash);
                self.say(out);
            }
            _ => {}
        }
    }

    /// A torrent whose turn is over, if somebody waits for its place.
    pub(in crate::node) fn next_over<C: Chunk>(
        &mut self,
        now: Time,
        engine: &Engine<C>,
    ) -> Option<InfoHash> {
        self.welcome.as_ref()?;
        self.tracker.take_turns(now, engine)
    }

    /// It gives its place up.
    pub(in crate::node) fn displace<C: Chunk>(
        &mut self,
        now: Time,
        info_hash: InfoHash,
        out: &mut VecDeque<Output<C>>,
    ) {
        self.tracker.displace(now, info_hash);
        self.say(out);
    }

    /// Tells the tracker what is due.
    pub(in crate::node) fn tell<C: Chunk>(
        &mut self,
        now: Time,
        engine: &Engine<C>,
        out: &mut VecDeque<Output<C>>,
    ) {
        if self.welcome.is_some() {
            let rtc = engine.config().paths.rtc.at_once > 0
                && engine.relay_policy(self.id) != RelayPolicy::Only;
            self.tracker.take_offers(now, rtc);
            self.tracker.take_turns(now, engine);
            self.tracker.tell(now, engine);
            self.say(out);
        }
    }

    fn say<C: Chunk>(&mut self, out: &mut VecDeque<Output<C>>) {
        while let Some(message) = self.tracker.poll() {
            self.send(message, out);
        }
    }
}
