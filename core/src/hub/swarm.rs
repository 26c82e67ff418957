//! One swarm: its members, and which pieces each has.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use super::ConnId;
use crate::id::PeerId;
use crate::rng::Rng;
use crate::time::Time;

/// The members of one torrent.
#[derive(Debug)]
pub(super) struct Swarm {
    /// The member whose source it is charged to.
    owner: ConnId,
    members: BTreeMap<ConnId, Membership>,
    /// Those that have everything, and those that don't, each in an order of no meaning,
    /// so that some can be drawn at random without walking over all.
    seeds: Vec<ConnId>,
    leechers: Vec<ConnId>,
}

/// A connection in a swarm.
#[derive(Debug)]
pub(super) struct Membership {
    /// What it calls itself.
    pub(super) peer_id: PeerId,
    /// When it leaves unless it announces.
    pub(super) deadline: Time,
    /// It lacks nothing.
    pub(super) seed: bool,
    pieces: Pieces,
    /// Where it stands in `seeds` or `leechers`.
    slot: usize,
}

/// What a member has said that it has.
#[derive(Debug, Default)]
struct Pieces {
    count: u32,
    /// None while only the count is known.
    bits: Option<Vec<u8>>,
}

impl Swarm {
    /// A swarm that `owner` is about to join.
    pub(super) fn new(owner: ConnId) -> Self {
        Swarm {
            owner,
            members: BTreeMap::new(),
            seeds: Vec::new(),
            leechers: Vec::new(),
        }
    }

    /// The member whose source it is charged to.
    pub(super) fn owner(&self) -> ConnId {
        self.owner
    }

    /// If the owner has left, the member that is the owner from now on; none if nobody is
    /// left.
    pub(super) fn inherit(&mut self, left: ConnId) -> Option<ConnId> {
        if self.owner == left {
            self.owner = *self.members.keys().next()?;
        }
        Some(self.owner)
    }

    /// How many have everything.
    pub(super) fn complete(&self) -> u32 {
        saturate(self.seeds.len())
    }

    /// How many lack something.
    pub(super) fn incomplete(&self) -> u32 {
        saturate(self.leechers.len())
    }

    /// The membership of a connection.
    pub(super) fn member(&self, conn: ConnId) -> Option<&Membership> {
        self.members.get(&conn)
    }

    /// Joins or stays; returns the deadline that held until now.
    pub(super) fn announce(
        &mut self,
        conn: ConnId,
        peer_id: PeerId,
        seed: bool,
        deadline: Time,
    ) -> Option<Time> {
        let before = self.members.get_mut(&conn).map(|member| {
            member.peer_id = peer_id;
            std::mem::replace(&mut member.deadline, deadline)
        });
        if before.is_none() {
            let slot = self.list(seed).len();
            self.list(seed).push(conn);
            let pieces = Pieces::default();
            self.members.insert(
                conn,
                Membership {
                    peer_id,
                    deadline,
                    seed,
                    pieces,
                    slot,
                },
            );
        }
        self.set_seed(conn, seed);
        before
    }

    /// Takes a connection out, returns what it was.
    pub(super) fn leave(&mut self, conn: ConnId) -> Option<Membership> {
        let member = self.members.remove(&conn)?;
        self.unlist(member.seed, member.slot);
        Some(member)
    }

    /// Replaces what a member has. `room` more bytes of bitfields may be kept; returns by
    /// how many bytes their sum grew, and whether there was room.
    pub(super) fn set_pieces(&mut self, conn: ConnId, bits: &Bytes, room: usize) -> (isize, bool) {
        let Some(member) = self.members.get_mut(&conn) else {
            return (0, true);
        };
        let before = member.pieces.size();
        member.pieces.count = bits.iter().map(|b| b.count_ones()).sum();
        // What a seed has is known without a bitfield.
        let fits = member.seed || bits.len() <= room + before;
        member.pieces.bits = (!member.seed && fits).then(|| bits.to_vec());
        (difference(before, member.pieces.size()), fits)
    }

    /// Adds pieces; returns by how many bytes the sum of bitfields grew. A bitfield is as
    /// long as the member said: a few bytes in a `have` must not take many from us, so pieces
    /// beyond it are ignored.
    pub(super) fn have(&mut self, conn: ConnId, pieces: &[u32], seed: bool) -> isize {
        self.set_seed(conn, seed);
        let Some(member) = self.members.get_mut(&conn) else {
            return 0;
        };
        let before = member.pieces.size();
        for &piece in pieces {
            member.pieces.insert(piece);
        }
        if seed {
            member.pieces.bits = None;
        }
        difference(before, member.pieces.size())
    }

    /// Up to `count` members other than `conn`, drawn at random; to a seed, only such as
    /// lack something.
    pub(super) fn sample(
        &self,
        conn: ConnId,
        count: usize,
        rng: &mut Rng,
    ) -> Vec<(ConnId, &Membership)> {
        let asked_by_seed = self.members.get(&conn).is_some_and(|m| m.seed);
        let seeds = if asked_by_seed {
            &[][..]
        } else {
            &self.seeds[..]
        };
        let total = self.leechers.len() + seeds.len();
        // One more than wanted, in case we draw who asks.
        let mut drawn = Vec::new();
        let mut seen = BTreeSet::new();
        // Floyd's algorithm: as many draws as results, however large the swarm is.
        for upper in total.saturating_sub(count.saturating_add(1))..total {
            let candidate = rng.below(upper + 1);
            let index = if seen.contains(&candidate) {
                upper
            } else {
                candidate
            };
            seen.insert(index);
            drawn.push(index);
        }
        rng.shuffle(&mut drawn);
        let ids = drawn.into_iter().map(|i| {
            *self
                .leechers
                .get(i)
                .unwrap_or_else(|| &seeds[i - self.leechers.len()])
        });
        ids.filter(|&id| id != conn)
            .take(count)
            .map(|id| (id, &self.members[&id]))
            .collect()
    }

    fn set_seed(&mut self, conn: ConnId, seed: bool) {
        let Some(member) = self.members.get(&conn).filter(|m| m.seed != seed) else {
            return;
        };
        self.unlist(member.seed, member.slot);
        let slot = self.list(seed).len();
        self.list(seed).push(conn);
        let member = self
            .members
            .get_mut(&conn)
            .expect("it was there a moment ago");
        (member.seed, member.slot) = (seed, slot);
    }

    fn list(&mut self, seed: bool) -> &mut Vec<ConnId> {
        if seed {
            &mut self.seeds
        } else {
            &mut self.leechers
        }
    }

    fn unlist(&mut self, seed: bool, slot: usize) {
        self.list(seed).swap_remove(slot);
        if let Some(&moved) = self.list(seed).get(slot) {
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

fn saturate(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn difference(before: usize, after: usize) -> isize {
    after.cast_signed() - before.cast_signed()
}
