//! WebRTC connections to those that a tracker knows: offers of ours, which it hands on to whom it
//! chooses, and those of others, which it hands on to us.
//!
//! The host makes the connections, as it does those that two sessions agree on; what comes of one
//! is a wire. Our own hub says how many offers would find somebody, and has none cross. A tracker
//! of WebTorrent's kind takes them with an announce, and may hand on to two what each has for the
//! other. WebTorrent's clients keep of two such connections the one that they heard of first; where
//! both come about, the one that the lower peer id offered stays at both ends.

mod talk;

use crate::id::{InfoHash, LinkId, MemberId, PeerId};
use crate::rng::Rng;
use crate::sorted::{SortedMap, SortedSet};
use crate::time::Time;
use crate::wire::webtorrent::OfferId;

/// A swarm at the tracker behind a link.
type Swarm = (LinkId, InfoHash);

/// Another member of a swarm, as its tracker tells of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Partner {
    pub(super) member: MemberId,
    /// What it calls itself.
    pub(super) name: PeerId,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Offers {
    rng: Rng,
    made: u32,
    attempts: SortedMap<u32, Attempt>,
    /// How many offers more would find somebody.
    wanted: SortedMap<Swarm, usize>,
    /// Whom wires lead to.
    met: SortedMap<LinkId, Met>,
    /// Servers of ours that want relays alone, as they last said. As many as the host has links.
    strict: SortedSet<LinkId>,
}

/// A connection in the making.
#[derive(Clone, Copy, Debug)]
struct Attempt {
    swarm: Swarm,
    offer: OfferId,
    ours: bool,
    /// Who is at the other end, once that is known.
    with: Option<Partner>,
    stage: Stage,
    until: Time,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// The host describes our end.
    Describing,
    /// The tracker has our offer.
    Offered,
    /// Both ends know of each other.
    Connecting,
}

#[derive(Clone, Copy, Debug)]
struct Met {
    swarm: Swarm,
    with: Partner,
    /// We made the offer.
    ours: bool,
}

impl Offers {
    pub(super) fn new(rng: Rng) -> Self {
        Offers {
            rng,
            made: 0,
            attempts: SortedMap::new(),
            wanted: SortedMap::new(),
            met: SortedMap::new(),
            strict: SortedSet::new(),
        }
    }

    fn begin(&mut self, swarm: Swarm, offer: Option<OfferId>, until: Time) -> &mut Attempt {
        self.made = self.made.wrapping_add(1);
        let ours = offer.is_none();
        let offer = offer.unwrap_or_else(|| {
            let mut id = [0; 20];
            self.rng.fill(&mut id);
            OfferId(id)
        });
        let attempt = Attempt {
            swarm,
            offer,
            ours,
            with: None,
            stage: Stage::Describing,
            until,
        };
        self.attempts.insert(self.made, attempt);
        self.attempts.get_mut(&self.made).expect("it was put there")
    }

    fn under_way(&self, of: impl Fn(&Attempt) -> bool) -> usize {
        self.attempts.values().filter(|it| of(it)).count()
    }

    fn met_in(&self, swarm: Swarm) -> usize {
        self.met.values().filter(|met| met.swarm == swarm).count()
    }

    /// The wire to somebody, if there is one.
    fn wire_to(&self, swarm: Swarm, member: MemberId) -> Option<(LinkId, Met)> {
        let mut met = self.met.iter();
        let found = met.find(|(_, met)| met.swarm == swarm && met.with.member == member);
        found.map(|(wire, met)| (*wire, *met))
    }

    /// When the first attempt is given up.
    pub(super) fn due(&self) -> Option<Time> {
        self.attempts.values().map(|attempt| attempt.until).min()
    }

    /// A server of ours says whether it wants relays alone.
    pub(super) fn is_strict(&mut self, link: LinkId, relay_only: bool) {
        match relay_only {
            true => self.strict.insert(link),
            false => self.strict.remove(&link),
        };
    }

    /// The link of the tracker through which a connection is agreed on.
    fn link_of(&self, number: u32) -> Option<LinkId> {
        Some(self.attempts.get(&number)?.swarm.0)
    }
}

/// What stands for the number of a member where a tracker gives none: all that there is to know
/// it by is the name that it chose.
pub(super) fn number_of(name: PeerId) -> MemberId {
    let (words, _) = name.0.as_chunks();
    let words = words.iter().map(|word| u32::from_be_bytes(*word));
    MemberId(words.fold(0, |sum, word| sum ^ word))
}
