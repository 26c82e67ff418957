//! What WebRTC peers offer each other by way of us: who has offered to whom lately.
//!
//! Two that offer to each other at the same time lose both connections, as each takes the
//! other's for a second one. So an offer from one to another is remembered for a while
//! ([`HubConfig::offer_memory`]), and until then neither is given another offer of the two in
//! that swarm; unless one of them leaves it, with whatever came of the first. It is also what an answer is let through by: only who was given an offer
//! answers it, once, and to whom that goes does not depend on what anybody calls itself.

use std::collections::VecDeque;
use std::collections::btree_map::{BTreeMap, Entry};

use super::{HubConfig, HubStats};
use crate::id::{InfoHash, MemberId};
use crate::time::Time;
use crate::wire::webtorrent::OfferId;

/// See the module.
#[derive(Debug)]
pub(super) struct Signal {
    config: HubConfig,
    /// By member, so that what is asked of one is found together.
    members: BTreeMap<MemberId, Remembered>,
    /// What is remembered, in the order in which it is forgotten.
    order: VecDeque<Offered>,
    handed: u64,
    answered: u64,
    held_back: u64,
}

/// What is remembered of one member; nobody is there of whom nothing is.
#[derive(Debug, Default)]
struct Remembered {
    /// Whom it has made an offer or was given one by, and until when that counts. Each pair is
    /// with both of its members.
    pairs: BTreeMap<(MemberId, InfoHash), Time>,
    /// Who made an offer that it was given and has not answered.
    open: BTreeMap<(OfferId, InfoHash), MemberId>,
    /// How many in [`Signal::order`] are its own.
    made: usize,
}

#[derive(Debug)]
struct Offered {
    /// When it is forgotten.
    due: Time,
    info_hash: InfoHash,
    from: MemberId,
    to: MemberId,
    id: OfferId,
}

impl Signal {
    pub(super) fn new(config: HubConfig) -> Self {
        Signal {
            config,
            members: BTreeMap::new(),
            order: VecDeque::new(),
            handed: 0,
            answered: 0,
            held_back: 0,
        }
    }

    /// Leaves those of `others` to whom one may make an offer.
    pub(super) fn retain_offerable(
        &self,
        info_hash: InfoHash,
        from: MemberId,
        others: &mut Vec<MemberId>,
    ) {
        let known = self.members.get(&from);
        let met = |to| known.is_some_and(|known| known.pairs.contains_key(&(to, info_hash)));
        others.retain(|&to| to != from && !met(to));
    }

    /// An offer goes from one to the other, and is remembered from now on. False: it may not.
    pub(super) fn offer(
        &mut self,
        now: Time,
        info_hash: InfoHash,
        [from, to]: [MemberId; 2],
        id: OfferId,
    ) -> bool {
        let due = now + self.config.offer_memory;
        let maker = self.members.get(&from);
        let may = maker.is_none_or(|maker| {
            maker.made < self.config.max_offers && !maker.pairs.contains_key(&(to, info_hash))
        });
        if !may || from == to || !self.give(due, info_hash, [from, to], id) {
            self.held_back += 1;
            return false;
        }
        let maker = self.members.entry(from).or_default();
        maker.pairs.insert((to, info_hash), due);
        maker.made += 1;
        self.order.push_back(Offered {
            due,
            info_hash,
            from,
            to,
            id,
        });
        self.handed += 1;
        true
    }

    /// The half of who gets it. False: it has another one of that name.
    fn give(
        &mut self,
        due: Time,
        info_hash: InfoHash,
        [from, to]: [MemberId; 2],
        id: OfferId,
    ) -> bool {
        let taker = self.members.entry(to).or_default();
        match taker.open.entry((id, info_hash)) {
            Entry::Occupied(_) => return false,
            Entry::Vacant(place) => place.insert(from),
        };
        taker.pairs.insert((from, info_hash), due);
        true
    }

    /// A member leaves a swarm: nothing that is to come between it and others there can cross.
    pub(super) fn leave(&mut self, member: MemberId, info_hash: InfoHash) {
        let Some(known) = self.members.get_mut(&member) else {
            return;
        };
        let here = known
            .pairs
            .extract_if(.., |&(_, swarm), _| swarm == info_hash);
        let others: Vec<MemberId> = here.map(|((other, _), _)| other).collect();
        self.forget_if_empty(member);
        for other in others {
            self.forget_pair(other, (member, info_hash), None);
        }
    }

    /// Somebody answers an offer that it was given: whose that was. None if it was given no
    /// such offer, has answered it already, or is too late.
    pub(super) fn answer(
        &mut self,
        by: MemberId,
        info_hash: InfoHash,
        id: OfferId,
    ) -> Option<MemberId> {
        let from = self.members.get_mut(&by)?.open.remove(&(id, info_hash))?;
        self.forget_if_empty(by);
        self.answered += 1;
        Some(from)
    }

    pub(super) fn poll_timeout(&self) -> Option<Time> {
        self.order.front().map(|offered| offered.due)
    }

    /// Forgets what is old.
    pub(super) fn handle_timeout(&mut self, now: Time) {
        while let Some(offered) = self.order.pop_front_if(|offered| offered.due <= now) {
            let Offered {
                due,
                info_hash,
                from,
                to,
                id,
            } = offered;
            if let Some(maker) = self.members.get_mut(&from) {
                maker.made -= 1;
            }
            if let Some(taker) = self.members.get_mut(&to) {
                taker.open.remove(&(id, info_hash));
            }
            // There may have been a later offer of the two since.
            self.forget_pair(from, (to, info_hash), Some(due));
            self.forget_pair(to, (from, info_hash), Some(due));
        }
    }

    /// Forgets one half of a pair, if it is still the one that was to be forgotten at `due`.
    fn forget_pair(&mut self, member: MemberId, pair: (MemberId, InfoHash), due: Option<Time>) {
        let Some(known) = self.members.get_mut(&member) else {
            return;
        };
        if due.is_none() || known.pairs.get(&pair).copied() == due {
            known.pairs.remove(&pair);
        }
        self.forget_if_empty(member);
    }

    fn forget_if_empty(&mut self, member: MemberId) {
        let is_empty =
            |known: &Remembered| known.made == 0 && known.pairs.is_empty() && known.open.is_empty();
        if self.members.get(&member).is_some_and(is_empty) {
            self.members.remove(&member);
        }
    }

    /// Fills in what it knows.
    pub(super) fn count(&self, stats: &mut HubStats) {
        stats.offers = self.handed;
        stats.answers = self.answered;
        stats.limited.held_back = self.held_back;
    }
}
