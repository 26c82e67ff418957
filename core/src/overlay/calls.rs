//! Questions under way: where each went, and to whom its answer goes back.

use crate::id::Fingerprint;
use crate::sorted::SortedMap;
use crate::time::Time;
use crate::wire::overlay::Target;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Calls {
    last: u32,
    of: SortedMap<u32, Call>,
}

/// A question that was passed on.
#[derive(Clone, Debug)]
pub(super) struct Call {
    /// To whom.
    pub(super) to: Fingerprint,
    /// Where its answer goes.
    pub(super) back: Back,
    /// It is given up then.
    pub(super) until: Time,
}

/// Where an answer goes.
#[derive(Clone, Debug)]
pub(super) enum Back {
    /// It is ours.
    Ours(Purpose),
    /// To a neighbour, who gave it this number.
    To(Fingerprint, u32),
}

/// Why we asked.
#[derive(Clone, Debug)]
pub(super) enum Purpose {
    /// To know our neighbourhood, or to fill a bucket.
    Look {
        /// Which neighbour was asked first.
        first: Fingerprint,
        /// Towards what it went.
        way: Target,
    },
    /// For members of a torrent.
    Seek(Target),
    /// To be found.
    Announce,
    /// For a bridge to carry what stands behind a topic.
    Carry(Target),
    /// To be linked with somebody.
    Offer(Box<Offer>),
}

/// An offer of ours.
#[derive(Clone, Debug)]
pub(super) struct Offer {
    /// Our owner's number.
    pub(super) attempt: u32,
    pub(super) to: Fingerprint,
    pub(super) topic: Target,
    pub(super) description: String,
    /// The neighbours that passed it on, and did not find the way.
    pub(super) tried: Vec<Fingerprint>,
}

impl Calls {
    pub(super) fn begin(&mut self, to: Fingerprint, back: Back, until: Time) -> u32 {
        self.last = self.last.wrapping_add(1);
        self.of.insert(self.last, Call { to, back, until });
        self.last
    }

    pub(super) fn len(&self) -> usize {
        self.of.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.of.is_empty()
    }

    /// Those that a neighbour asked for.
    pub(super) fn asked_by(&self, tab: Fingerprint) -> usize {
        let of = |call: &&Call| matches!(call.back, Back::To(by, _) if by == tab);
        self.of.values().filter(of).count()
    }

    /// It is over, if it went to this neighbour.
    pub(super) fn end(&mut self, number: u32, from: Fingerprint) -> Option<Call> {
        self.of.get(&number).filter(|call| call.to == from)?;
        self.of.remove(&number)
    }

    /// Takes those of a kind out.
    pub(super) fn take(&mut self, kind: impl Fn(&Call) -> bool) -> Vec<(u32, Call)> {
        let taken = self.of.iter().filter(|(_, call)| kind(call));
        let taken: Vec<(u32, Call)> = taken.map(|(n, call)| (*n, call.clone())).collect();
        for (number, _) in &taken {
            self.of.remove(number);
        }
        taken
    }
}
