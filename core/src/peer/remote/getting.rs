//! What we take from a remote peer, and what it owes us.

use std::collections::VecDeque;

use crate::peer::{Pipeline, RequestConfig};
use crate::pieces::PieceIndex;
use crate::sorted::SortedSet;
use crate::time::Time;

/// What the Fast extension says of a piece (BEP 6), which is known by its index alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Advice {
    /// It is suggested.
    Suggested(u32),
    /// It may be asked for by the choked.
    Allowed(u32),
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Getting {
    /// It answers our requests.
    pub(crate) unchoked_us: bool,
    /// We told it that it has something that we lack.
    pub(crate) interested: bool,
    /// Pieces that it suggested, the newest last (BEP 6).
    pub(crate) suggested: VecDeque<PieceIndex>,
    /// Pieces that we may ask for while it chokes us (BEP 6).
    pub(crate) fast_pieces: SortedSet<PieceIndex>,
    /// What it said of both before the metadata told how many pieces there are.
    early: Vec<Advice>,
    /// How much may be asked of it.
    pub(crate) pipeline: Pipeline,
    /// When it last sent a block that we asked for, or we first asked.
    pub(crate) last_block: Time,
    /// When its requests last timed out, if no block came since.
    pub(crate) timed_out: Option<Time>,
    /// How often they did since then.
    pub(crate) strikes: u32,
    /// It has sent a block that we asked for.
    pub(crate) delivered: bool,
    /// It owes us blocks for so long that it earns no upload slot.
    pub(crate) snubbed: bool,
    /// Requests that it did not answer, or refused, since it last sent a block.
    pub(crate) broken_promises: u32,
}

impl Getting {
    /// Nothing was taken yet.
    pub(super) fn new(requests: &RequestConfig, now: Time) -> Self {
        Getting {
            unchoked_us: false,
            interested: false,
            suggested: VecDeque::new(),
            fast_pieces: SortedSet::new(),
            early: Vec::new(),
            pipeline: Pipeline::new(requests),
            last_block: now,
            timed_out: None,
            strikes: 0,
            delivered: false,
            snubbed: false,
            broken_promises: 0,
        }
    }

    /// The talk begins anew: it chokes us, and nothing is asked of it.
    pub(super) fn begins(&mut self) {
        self.unchoked_us = false;
        self.fast_pieces.clear();
        self.suggested.clear();
        self.early.clear();
        self.pipeline.interrupted();
    }

    /// It left more unanswered than it may. One to which much is under way, because it brought
    /// much over a long way, leaves as much unanswered in one bad moment.
    pub(crate) fn breaks_promises(&self, most: u32) -> bool {
        let far = u32::try_from(2 * self.pipeline.far()).unwrap_or(u32::MAX);
        self.broken_promises > most.saturating_add(far)
    }

    /// A block came that we asked for, be it late.
    pub(crate) fn delivers(&mut self, now: Time) {
        self.last_block = now;
        self.timed_out = None;
        self.strikes = 0;
        self.delivered = true;
        self.snubbed = false;
        self.broken_promises = 0;
        self.pipeline.delivers();
    }

    /// So many requests to it time out: it is asked for less.
    pub(crate) fn strike(&mut self, now: Time, requests: usize) {
        self.timed_out = Some(now);
        self.strikes = self.strikes.saturating_add(1);
        self.pipeline.owes(self.strikes);
        let promises = u32::try_from(requests).unwrap_or(u32::MAX);
        self.broken_promises = self.broken_promises.saturating_add(promises);
    }

    /// It refuses one request. While it does not choke us that breaks a promise.
    pub(crate) fn refuses(&mut self) {
        self.pipeline.interrupted();
        if self.unchoked_us {
            self.broken_promises += 1;
            // Little is asked of it until it delivers, or it is asked the same at once.
            self.pipeline.owes(self.strikes.max(1));
        }
    }

    /// It answers our requests from now on. Whoever was asked for nothing any more may show
    /// with one that it does.
    pub(crate) fn unchokes(&mut self) {
        self.unchoked_us = true;
        if self.strikes > 2 {
            self.strikes = 2;
            self.pipeline.owes(2);
        }
    }

    /// It answers them no more.
    pub(crate) fn chokes(&mut self) {
        self.unchoked_us = false;
        self.pipeline.interrupted();
    }

    /// It suggests a piece; the last `most` are remembered.
    pub(crate) fn suggests(&mut self, piece: PieceIndex, most: usize) {
        self.suggested.push_back(piece);
        if self.suggested.len() > most {
            self.suggested.pop_front();
        }
    }

    /// It says something of a piece before the metadata is here; the last `most` are remembered.
    pub(crate) fn advises_early(&mut self, advice: Advice, most: usize) {
        self.early.push(advice);
        if self.early.len() > most {
            self.early.remove(0);
        }
    }

    /// What it said so, now that the metadata is here.
    pub(crate) fn take_early(&mut self) -> Vec<Advice> {
        std::mem::take(&mut self.early)
    }

    /// We have a piece now, and need no advice about it.
    pub(crate) fn needs_no_more(&mut self, piece: PieceIndex) {
        self.suggested.retain(|suggested| *suggested != piece);
        self.fast_pieces.remove(&piece);
    }
}
