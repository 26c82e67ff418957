//! The tracker: who is in which swarm, and with which pieces. It knows members by their numbers
//! alone, and nothing of how they are reached.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use super::{HubConfig, HubStats, Source, share};
use crate::id::{InfoHash, MemberId, PeerId};
use crate::rng::Rng;
use crate::time::Time;
use crate::wire::relay::{Announce, Have, MAX_MEMBERS, Member, Peers};
use roster::{Membership, Roster};

mod roster;

/// See the module.
#[derive(Debug)]
pub(super) struct Registry {
    config: HubConfig,
    rng: Rng,
    swarms: BTreeMap<InfoHash, Roster>,
    clients: BTreeMap<MemberId, Client>,
    /// Of sources that hold anything.
    sources: BTreeMap<Source, Holding>,
    /// What all hold.
    all: Holding,
    /// When members leave that do not announce.
    deadlines: BTreeSet<(Time, MemberId, InfoHash)>,
    refused: Refused,
}

#[derive(Debug)]
struct Client {
    /// Whom it is charged to.
    source: Source,
    swarms: BTreeSet<InfoHash>,
}

/// What the clients of one source hold, or those of all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Holding {
    memberships: usize,
    /// Swarms that are charged to it.
    swarms: usize,
    bitfield_bytes: usize,
}

/// How often something was not taken, by what was short.
#[derive(Clone, Copy, Debug, Default)]
struct Refused {
    swarms: u64,
    memberships: u64,
    bitfields: u64,
}

impl Registry {
    /// Members are drawn at random by `rng`.
    pub(super) fn new(config: HubConfig, rng: Rng) -> Self {
        Registry {
            config,
            rng,
            swarms: BTreeMap::new(),
            clients: BTreeMap::new(),
            sources: BTreeMap::new(),
            all: Holding::default(),
            deadlines: BTreeSet::new(),
            refused: Refused::default(),
        }
    }

    /// A client is here that may announce.
    pub(super) fn connect(&mut self, member: MemberId, source: Source) {
        let swarms = BTreeSet::new();
        self.clients.insert(member, Client { source, swarms });
    }

    /// A client that has left its swarms is gone.
    pub(super) fn disconnect(&mut self, member: MemberId) {
        let client = self.clients.remove(&member);
        debug_assert!(client.is_none_or(|client| client.swarms.is_empty()));
    }

    /// The swarms that a client is in.
    pub(super) fn swarms_of(&self, member: MemberId) -> Vec<InfoHash> {
        let client = self.clients.get(&member);
        client.map_or_else(Vec::new, |client| client.swarms.iter().copied().collect())
    }

    /// Joins a swarm, or stays in it. The answer, or why not.
    pub(super) fn announce(
        &mut self,
        now: Time,
        member: MemberId,
        announce: &Announce,
    ) -> Result<Peers, &'static str> {
        self.check_announce(member, announce)?;
        let info_hash = announce.info_hash;
        let source = self.clients[&member].source;
        if let Entry::Vacant(place) = self.swarms.entry(info_hash) {
            place.insert(Roster::new(member));
            self.hold(source, |holding| holding.swarms += 1);
        }
        let deadline = now + self.config.member_expiry;
        let roster = self.swarms.get_mut(&info_hash).expect("it is there by now");
        let seed = announce.left == Some(0);
        match roster.announce(member, announce.peer_id, seed, deadline) {
            Some(before) => drop(self.deadlines.remove(&(before, member, info_hash))),
            None => self.hold(source, |holding| holding.memberships += 1),
        }
        self.deadlines.insert((deadline, member, info_hash));
        if let Some(client) = self.clients.get_mut(&member) {
            client.swarms.insert(info_hash);
        }
        if let Some(bits) = &announce.pieces {
            self.keep_pieces(source, member, info_hash, bits);
        }
        Ok(self.peers(member, info_hash, announce.numwant))
    }

    /// A member has more pieces. One who is no member expired, and was told so; this crossed
    /// it.
    pub(super) fn have(&mut self, member: MemberId, have: &Have) {
        let roster = self.swarms.get_mut(&have.info_hash);
        let Some(roster) = roster.filter(|roster| roster.member(member).is_some()) else {
            return;
        };
        let grown = roster.have(member, &have.pieces, have.left == 0);
        let source = self.clients[&member].source;
        self.hold(source, |holding| holding.grow_bitfields(grown));
    }

    /// What `from` calls itself, for `to`, if both are in the swarm; else why not.
    pub(super) fn introduce(
        &self,
        info_hash: InfoHash,
        from: MemberId,
        to: MemberId,
    ) -> Result<PeerId, &'static str> {
        let roster = self.swarms.get(&info_hash);
        let known = roster.and_then(|roster| Some((roster, roster.member(from)?)));
        let (roster, opener) = known.ok_or("announce to the swarm first")?;
        let target = roster.member(to);
        target.ok_or("the member is not in the swarm")?;
        Ok(opener.peer_id)
    }

    /// Takes a client out of a swarm. False if it was not in it.
    pub(super) fn leave(&mut self, member: MemberId, info_hash: InfoHash) -> bool {
        let Some(client) = self.clients.get_mut(&member) else {
            return false;
        };
        if !client.swarms.remove(&info_hash) {
            return false;
        }
        let source = client.source;
        let roster = self
            .swarms
            .get_mut(&info_hash)
            .expect("a swarm with members exists");
        let membership = roster
            .leave(member)
            .expect("a client is in the swarms that it has");
        let (owner, heir) = (roster.owner(), roster.inherit(member));
        self.deadlines
            .remove(&(membership.deadline, member, info_hash));
        let shrunk = -membership.bitfield_size().cast_signed();
        self.hold(source, |holding| {
            holding.memberships -= 1;
            holding.grow_bitfields(shrunk);
        });
        if owner == member {
            self.hold(source, |holding| holding.swarms -= 1);
            match heir {
                Some(heir) => {
                    let source = self.clients[&heir].source;
                    self.hold(source, |holding| holding.swarms += 1);
                }
                None => drop(self.swarms.remove(&info_hash)),
            }
        }
        true
    }

    pub(super) fn poll_timeout(&self) -> Option<Time> {
        self.deadlines.first().map(|&(due, ..)| due)
    }

    /// The first deadline has come: who is to leave which swarm for not announcing.
    pub(super) fn pop_expired(&mut self) -> Option<(MemberId, InfoHash)> {
        let (_, member, info_hash) = self.deadlines.pop_first()?;
        Some((member, info_hash))
    }

    /// Fills in what it knows.
    pub(super) fn count(&self, stats: &mut HubStats) {
        stats.swarms = self.swarms.len();
        stats.memberships = self.all.memberships;
        stats.bitfield_bytes = self.all.bitfield_bytes;
        stats.limited.swarms = self.refused.swarms;
        stats.limited.memberships = self.refused.memberships;
        stats.limited.bitfields = self.refused.bitfields;
    }

    fn check_announce(
        &mut self,
        member: MemberId,
        announce: &Announce,
    ) -> Result<(), &'static str> {
        let config = &self.config;
        let roster = self.swarms.get(&announce.info_hash);
        let client = &self.clients[&member];
        let joins = roster.is_none_or(|roster| roster.member(member).is_none());
        let own = self.sources.get(&client.source).copied();
        let own = own.unwrap_or_default();
        let (swarms, memberships) = (self.swarms.len(), self.all.memberships);
        let length = announce.pieces.as_ref().map_or(0, Bytes::len);
        let refused = &mut self.refused;
        let (counter, reason) = if length > config.max_bitfield {
            let reason = "the torrent has more pieces than this tracker keeps track of";
            (&mut refused.bitfields, reason)
        } else if joins && client.swarms.len() >= config.max_swarms_per_connection {
            let reason = "the connection is in as many swarms as this tracker allows";
            (&mut refused.memberships, reason)
        } else if joins && !share::allows(own.memberships, memberships, config.max_memberships) {
            let reason = "your address is in as many swarms as its share allows";
            (&mut refused.memberships, reason)
        } else if roster.is_none() && swarms >= config.max_swarms {
            let reason = "the tracker has as many swarms as it allows";
            (&mut refused.swarms, reason)
        } else if roster.is_none() && !share::allows(own.swarms, swarms, config.max_swarms) {
            let reason = "your address has as many swarms as its share of this tracker allows";
            (&mut refused.swarms, reason)
        } else {
            return Ok(());
        };
        *counter += 1;
        Err(reason)
    }

    /// Replaces what a member has. Where its source's share of the memory is used up, or
    /// nobody has any left, only how much it is.
    fn keep_pieces(&mut self, source: Source, member: MemberId, info_hash: InfoHash, bits: &Bytes) {
        let own = self.sources.get(&source).map_or(0, |it| it.bitfield_bytes);
        let free = self
            .config
            .max_bitfields
            .saturating_sub(self.all.bitfield_bytes);
        let Some(roster) = self.swarms.get_mut(&info_hash) else {
            return;
        };
        let (grown, kept) = roster.set_pieces(member, bits, free.saturating_sub(own));
        self.refused.bitfields += u64::from(!kept);
        self.hold(source, |holding| holding.grow_bitfields(grown));
    }

    /// The answer to an announce.
    fn peers(&mut self, member: MemberId, info_hash: InfoHash, numwant: u32) -> Peers {
        let roster = &self.swarms[&info_hash];
        let count = usize::try_from(numwant)
            .unwrap_or(usize::MAX)
            .min(self.config.max_numwant)
            .min(MAX_MEMBERS);
        let tell = |(member, membership): (MemberId, &Membership)| Member {
            member,
            peer_id: membership.peer_id,
            have: membership.have(),
            seed: membership.seed,
        };
        let members = roster.sample(member, count, &mut self.rng);
        Peers {
            info_hash,
            interval: u32::try_from(self.config.announce_interval.as_secs()).unwrap_or(u32::MAX),
            complete: roster.complete(),
            incomplete: roster.incomplete(),
            members: members.into_iter().map(tell).collect(),
        }
    }

    /// What a source holds changes, and with it what all hold.
    fn hold(&mut self, source: Source, change: impl Fn(&mut Holding)) {
        let holding = self.sources.entry(source).or_default();
        change(holding);
        if *holding == Holding::default() {
            self.sources.remove(&source);
        }
        change(&mut self.all);
    }
}

impl Holding {
    fn grow_bitfields(&mut self, bytes: isize) {
        self.bitfield_bytes = self.bitfield_bytes.saturating_add_signed(bytes);
    }
}
