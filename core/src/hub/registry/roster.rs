//! Who is in one swarm, and which pieces each has.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::id::{MemberId, PeerId};
use crate::rng::Rng;
use crate::time::Time;

/// The members of one torrent.
#[derive(Debug, Default)]
pub(super) struct Roster {
    members: BTreeMap<MemberId, Membership>,
    /// Those that have everything, something and nothing, as they say, each in an order of no
    /// meaning, so that some can be drawn at random without walking over all.
    lists: [Vec<MemberId>; 3],
}

/// What a member says it has: a place in [`Roster::lists`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wealth {
    Everything,
    Something,
    Nothing,
}

/// What somebody is in a swarm.
#[derive(Debug)]
pub(super) struct Membership {
    /// What it calls itself.
    pub(super) peer_id: PeerId,
    /// When it leaves unless it announces.
    pub(super) deadline: Time,
    /// It lacks nothing.
    pub(super) seed: bool,
    pieces: Pieces,
    /// In which list it stands, and where.
    wealth: Wealth,
    slot: usize,
}

/// What a member has said that it has.
#[derive(Debug, Default)]
struct Pieces {
    count: u32,
    /// None while only the count is known.
    bits: Option<Vec<u8>>,
}

impl Roster {
    /// One of them.
    pub(super) fn first(&self) -> Option<MemberId> {
        self.members.keys().next().copied()
    }

    /// How many have everything.
    pub(super) fn complete(&self) -> u32 {
        saturate(self.lists[Wealth::Everything as usize].len())
    }

    /// How many lack something.
    pub(super) fn incomplete(&self) -> u32 {
        saturate(self.members.len() - self.lists[Wealth::Everything as usize].len())
    }

    /// What somebody is in it.
    pub(super) fn member(&self, id: MemberId) -> Option<&Membership> {
        self.members.get(&id)
    }

    /// Joins or stays; returns the deadline that held until now.
    pub(super) fn announce(
        &mut self,
        id: MemberId,
        peer_id: PeerId,
        seed: bool,
        deadline: Time,
    ) -> Option<Time> {
        let before = self.members.get_mut(&id).map(|member| {
            member.peer_id = peer_id;
            std::mem::replace(&mut member.deadline, deadline)
        });
        if before.is_none() {
            let wealth = Wealth::Nothing;
            let slot = self.list(wealth).len();
            self.list(wealth).push(id);
            let member = Membership {
                peer_id,
                deadline,
                seed,
                pieces: Pieces::default(),
                wealth,
                slot,
            };
            self.members.insert(id, member);
        }
        self.set_seed(id, seed);
        before
    }

    /// Takes a member out, returns what it was.
    pub(super) fn leave(&mut self, id: MemberId) -> Option<Membership> {
        let member = self.members.remove(&id)?;
        self.unlist(member.wealth, member.slot);
        Some(member)
    }

    /// Replaces what a member has. `room` more bytes of bitfields may be kept; returns by
    /// how many bytes their sum grew, and whether there was room.
    pub(super) fn set_pieces(&mut self, id: MemberId, bits: &Bytes, room: usize) -> (isize, bool) {
        let Some(member) = self.members.get_mut(&id) else {
            return (0, true);
        };
        let before = member.pieces.size();
        member.pieces.count = bits.iter().map(|b| b.count_ones()).sum();
        // What a seed has is known without a bitfield.
        let fits = member.seed || bits.len() <= room + before;
        member.pieces.bits = (!member.seed && fits).then(|| bits.to_vec());
        let after = member.pieces.size();
        self.relist(id);
        (difference(before, after), fits)
    }

    /// Adds pieces; returns by how many bytes the sum of bitfields grew. A bitfield is as
    /// long as the member said: a few bytes in a `have` must not take many from us, so pieces
    /// beyond it are ignored.
    pub(super) fn have(&mut self, id: MemberId, pieces: &[u32], seed: bool) -> isize {
        self.set_seed(id, seed);
        let Some(member) = self.members.get_mut(&id) else {
            return 0;
        };
        let before = member.pieces.size();
        for &piece in pieces {
            member.pieces.insert(piece);
        }
        if seed {
            member.pieces.bits = None;
        }
        let after = member.pieces.size();
        self.relist(id);
        difference(before, after)
    }

    /// Up to `count` members other than `id`, drawn at random; to a seed, who need not be one of
    /// them, only such as lack something.
    ///
    /// Those who have more come first, or a few could not be found among many that have
    /// nothing; but what somebody has is only a claim, so these get no more than half of
    /// the places, and of the rest again, as long as there are others.
    pub(super) fn sample(
        &self,
        id: MemberId,
        asked_by_seed: bool,
        count: usize,
        rng: &mut Rng,
    ) -> Vec<(MemberId, &Membership)> {
        let ids = self.sample_ids(id, asked_by_seed, count, rng);
        ids.into_iter()
            .map(|other| (other, &self.members[&other]))
            .collect()
    }

    /// The same without what they are.
    pub(super) fn sample_ids(
        &self,
        id: MemberId,
        asked_by_seed: bool,
        count: usize,
        rng: &mut Rng,
    ) -> Vec<MemberId> {
        let lists = &self.lists[usize::from(asked_by_seed)..];
        // One more than wanted, in case we draw who asks.
        let wanted = count.saturating_add(1);
        let mut left = wanted;
        let mut quotas: Vec<usize> = Vec::new();
        for (number, list) in lists.iter().enumerate() {
            let last = number + 1 == lists.len();
            let share = if last { left } else { left.div_ceil(2) };
            let quota = list.len().min(share);
            quotas.push(quota);
            left -= quota;
        }
        for (quota, list) in quotas.iter_mut().zip(lists) {
            let more = left.min(list.len() - *quota);
            *quota += more;
            left -= more;
        }
        let mut ids: Vec<MemberId> = Vec::new();
        for (quota, list) in quotas.into_iter().zip(lists) {
            ids.extend(draw(quota, list.len(), rng).into_iter().map(|i| list[i]));
        }
        rng.shuffle(&mut ids);
        ids.retain(|&other| other != id);
        ids.truncate(count);
        ids
    }

    fn set_seed(&mut self, id: MemberId, seed: bool) {
        if let Some(member) = self.members.get_mut(&id) {
            member.seed = seed;
            self.relist(id);
        }
    }

    /// What a member has may have changed: it stands in the list in which it belongs.
    fn relist(&mut self, id: MemberId) {
        let Some(member) = self.members.get(&id) else {
            return;
        };
        let (old, slot) = (member.wealth, member.slot);
        let wealth = if member.seed {
            Wealth::Everything
        } else if member.pieces.count > 0 {
            Wealth::Something
        } else {
            Wealth::Nothing
        };
        if wealth == old {
            return;
        }
        self.unlist(old, slot);
        let slot = self.list(wealth).len();
        self.list(wealth).push(id);
        let member = self
            .members
            .get_mut(&id)
            .expect("it was there a moment ago");
        (member.wealth, member.slot) = (wealth, slot);
    }

    fn list(&mut self, wealth: Wealth) -> &mut Vec<MemberId> {
        &mut self.lists[wealth as usize]
    }

    fn unlist(&mut self, wealth: Wealth, slot: usize) {
        self.list(wealth).swap_remove(slot);
        if let Some(&moved) = self.list(wealth).get(slot) {
            self.members
                .get_mut(&moved)
                .expect("only members are listed")
                .slot = slot;
        }
    }
}

impl Membership {
    /// How many pieces it has said it has.
    pub(super) fn have(&self) -> u32 {
        self.pieces.count
    }

    /// Bytes that its bitfield takes.
    pub(super) fn bitfield_size(&self) -> usize {
        self.pieces.size()
    }
}

impl Pieces {
    fn size(&self) -> usize {
        self.bits.as_ref().map_or(0, Vec::len)
    }

    fn insert(&mut self, piece: u32) {
        let Some(bits) = &mut self.bits else {
            // Without a bitfield we believe that it is a new one.
            self.count = self.count.saturating_add(1);
            return;
        };
        if let Some(byte) = bits.get_mut(piece as usize / 8) {
            let mask = 0x80 >> (piece % 8);
            self.count += u32::from(*byte & mask == 0);
            *byte |= mask;
        }
    }
}

/// So many different numbers below `total`: Floyd's algorithm, which takes as many draws as
/// results, however large the total is.
pub(super) fn draw(count: usize, total: usize, rng: &mut Rng) -> Vec<usize> {
    let count = count.min(total);
    let mut drawn = Vec::with_capacity(count);
    for upper in total - count..total {
        let candidate = rng.below(upper + 1);
        // They are few: looking at all is faster than a set.
        let number = if drawn.contains(&candidate) {
            upper
        } else {
            candidate
        };
        drawn.push(number);
    }
    drawn
}

pub(super) fn saturate(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn difference(before: usize, after: usize) -> isize {
    after.cast_signed() - before.cast_signed()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// So many members of each kind, numbered in that order.
    fn roster(seeds: u32, some: u32, none: u32) -> Roster {
        let mut roster = Roster::default();
        let deadline = Time::from_millis(0);
        for number in 0..seeds + some + none {
            let id = MemberId(number);
            roster.announce(id, PeerId([1; 20]), number < seeds, deadline);
            if number < seeds + some {
                roster.set_pieces(id, &Bytes::from_static(&[0x80]), 1000);
            }
        }
        roster
    }

    /// Of each kind, how many are drawn for the last member.
    fn drawn(seeds: u32, some: u32, none: u32, count: usize) -> [usize; 3] {
        let roster = roster(seeds, some, none);
        let asks = MemberId(seeds + some + none - 1);
        let seed = roster.members[&asks].seed;
        let ids = roster.sample(asks, seed, count, &mut Rng::new(1));
        let ids: BTreeSet<MemberId> = ids.into_iter().map(|(id, _)| id).collect();
        assert!(!ids.contains(&asks));
        let between = |from, to| ids.range(MemberId(from)..MemberId(to)).count();
        [
            between(0, seeds),
            between(seeds, seeds + some),
            between(seeds + some, seeds + some + none),
        ]
    }

    #[test]
    fn the_few_that_have_something_are_found_among_many_that_have_nothing() {
        let [seeds, some, none] = drawn(1, 2, 1000, 50);
        assert_eq!((seeds, some), (1, 2));
        assert_eq!(none, 47);
    }

    #[test]
    fn claims_take_no_more_than_half_of_the_places() {
        let [seeds, some, none] = drawn(1000, 1000, 1000, 50);
        assert!((25..=26).contains(&seeds), "{seeds}");
        assert!(some >= 12 && none >= 11, "{some} and {none}");
    }

    #[test]
    fn as_many_as_are_wanted_come_as_long_as_there_are_any() {
        assert_eq!(drawn(0, 0, 10, 50), [0, 0, 9]);
        assert_eq!(drawn(60, 0, 1, 50), [50, 0, 0]);
        assert_eq!(drawn(3, 4, 5, 50), [3, 4, 4]);
        assert_eq!(drawn(5, 5, 5, 0), [0, 0, 0]);
    }

    #[test]
    fn a_member_is_counted_as_what_it_last_said() {
        let mut roster = roster(1, 1, 1);
        assert_eq!((roster.complete(), roster.incomplete()), (1, 2));
        roster.have(MemberId(2), &[0], true);
        roster.set_pieces(MemberId(1), &Bytes::new(), 1000);
        assert_eq!((roster.complete(), roster.incomplete()), (2, 1));
        roster.leave(MemberId(0));
        assert_eq!((roster.complete(), roster.incomplete()), (1, 1));
        let told = roster.sample(MemberId(1), false, 9, &mut Rng::new(1));
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].0, MemberId(2));
    }
}
