//! The tracker: who is in which swarm, and with which pieces. There is one swarm for an info-hash,
//! whatever its members speak; who is told of whom depends on who can reach whom. It knows
//! connected clients by their numbers alone, and ordinary ones by their addresses.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use super::kind::Kind;
use super::{HubConfig, HubStats, Source, share};
use crate::id::{InfoHash, MemberId, PeerId};
use crate::rng::Rng;
use crate::time::Time;
use crate::wire::relay::{Announce, Have, MAX_MEMBERS, Member, Peers};
use crate::wire::tracker::{Counts, Event};
use crate::wire::webtorrent;
use roster::Membership;
use swarm::{Party, Swarm};

mod ordinary;
mod partners;
mod roster;
mod sockets;
mod swarm;

/// See the module.
#[derive(Debug)]
pub(super) struct Registry {
    config: HubConfig,
    rng: Rng,
    swarms: BTreeMap<InfoHash, Swarm>,
    clients: BTreeMap<MemberId, Client>,
    /// Of sources that hold anything.
    sources: BTreeMap<Source, Holding>,
    /// What all hold.
    all: Holding,
    /// When members leave that do not announce.
    deadlines: BTreeSet<(Time, Party, InfoHash)>,
    refused: Refused,
}

#[derive(Debug)]
struct Client {
    /// Whom it is charged to.
    source: Source,
    kind: Kind,
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
    pub(super) fn connect(&mut self, member: MemberId, source: Source, kind: Kind) {
        let client = Client {
            source,
            kind,
            swarms: BTreeSet::new(),
        };
        self.clients.insert(member, client);
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
        let length = announce.pieces.as_ref().map_or(0, Bytes::len);
        if length > self.config.max_bitfield {
            self.refused.bitfields += 1;
            return Err("the torrent has more pieces than this tracker keeps track of");
        }
        let (info_hash, seed) = (announce.info_hash, announce.left == Some(0));
        self.enroll(now, member, info_hash, announce.peer_id, seed)?;
        let swarm = self.swarms.get_mut(&info_hash);
        let swarm = swarm.expect("a swarm with members exists");
        swarm.take_offers(member, announce.rtc);
        if let Some(bits) = &announce.pieces {
            let source = self.clients[&member].source;
            self.keep_pieces(source, member, info_hash, bits);
        }
        Ok(self.peers(member, info_hash, announce.numwant))
    }

    /// The same for one that speaks WebTorrent's protocol: how the swarm stands among those, or
    /// why not.
    pub(super) fn announce_webtorrent(
        &mut self,
        now: Time,
        member: MemberId,
        announce: &webtorrent::Announce,
    ) -> Result<Counts, &'static str> {
        let (info_hash, seed) = (announce.info_hash, announce.left == Some(0));
        let was_seed = self.enroll(now, member, info_hash, announce.peer_id, seed)?;
        let swarm = self.swarms.get_mut(&info_hash);
        let swarm = swarm.expect("a swarm with members exists");
        if announce.event == Event::Completed && !was_seed {
            swarm.downloaded = swarm.downloaded.saturating_add(1);
        }
        Ok(swarm.webtorrent_counts())
    }

    /// A member has more pieces. One who is no member expired, and was told so; this crossed
    /// it.
    pub(super) fn have(&mut self, member: MemberId, have: &Have) {
        let swarm = self.swarms.get_mut(&have.info_hash);
        let roster = swarm.map(|swarm| swarm.roster_mut(Kind::Tab));
        let Some(roster) = roster.filter(|roster| roster.member(member).is_some()) else {
            return;
        };
        let seed = have.left == 0;
        let grown = roster.have(member, &have.pieces, seed);
        if seed && let Some(swarm) = self.swarms.get_mut(&have.info_hash) {
            swarm.takers.have(member, &[], true);
        }
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
        let swarm = self.swarms.get(&info_hash);
        let roster = swarm.map(|swarm| swarm.roster(Kind::Tab));
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
        let (source, kind) = (client.source, client.kind);
        let swarm = self.swarms.get_mut(&info_hash);
        let swarm = swarm.expect("a swarm with members exists");
        if kind == Kind::Tab {
            swarm.take_offers(member, false);
        }
        let membership = swarm.roster_mut(kind).leave(member);
        let membership = membership.expect("a client is in the swarms that it has");
        let party = Party::Member(member);
        self.deadlines
            .remove(&(membership.deadline, party, info_hash));
        let shrunk = -membership.bitfield_size().cast_signed();
        self.hold(source, |holding| {
            holding.memberships -= 1;
            holding.grow_bitfields(shrunk);
        });
        self.bequeath(party, info_hash);
        true
    }

    pub(super) fn poll_timeout(&self) -> Option<Time> {
        self.deadlines.first().map(|&(due, ..)| due)
    }

    /// The first deadline has come: which client is to leave which swarm for not announcing;
    /// one that is not connected has left.
    pub(super) fn pop_expired(&mut self) -> Option<(MemberId, InfoHash)> {
        let (_, party, info_hash) = self.deadlines.pop_first()?;
        match party {
            Party::Member(member) => Some((member, info_hash)),
            Party::Socket(address) => {
                self.expire_socket(address, info_hash);
                None
            }
        }
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

    /// Joins a swarm, or stays in it. Whether it lacked nothing already, or why not.
    fn enroll(
        &mut self,
        now: Time,
        member: MemberId,
        info_hash: InfoHash,
        peer_id: PeerId,
        seed: bool,
    ) -> Result<bool, &'static str> {
        let client = &self.clients[&member];
        let (source, kind) = (client.source, client.kind);
        let joins = !client.swarms.contains(&info_hash);
        if joins && client.swarms.len() >= self.config.max_swarms_per_connection {
            self.refused.memberships += 1;
            return Err("the connection is in as many swarms as this tracker allows");
        }
        self.check_join(source, info_hash, joins)?;
        let deadline = now + self.config.member_expiry;
        let party = Party::Member(member);
        let roster = self.found(party, source, info_hash).roster_mut(kind);
        let was_seed = roster.member(member).is_some_and(|before| before.seed);
        match roster.announce(member, peer_id, seed, deadline) {
            Some(before) => drop(self.deadlines.remove(&(before, party, info_hash))),
            None => self.hold(source, |holding| holding.memberships += 1),
        }
        self.deadlines.insert((deadline, party, info_hash));
        if let Some(client) = self.clients.get_mut(&member) {
            client.swarms.insert(info_hash);
        }
        Ok(was_seed)
    }

    /// Whether one of `source` may be in a swarm, which it may be in already; else why not.
    fn check_join(
        &mut self,
        source: Source,
        info_hash: InfoHash,
        joins: bool,
    ) -> Result<(), &'static str> {
        let config = &self.config;
        let is_new = !self.swarms.contains_key(&info_hash);
        let own = self.sources.get(&source).copied().unwrap_or_default();
        let (swarms, memberships) = (self.swarms.len(), self.all.memberships);
        let refused = &mut self.refused;
        let (counter, reason) =
            if joins && !share::allows(own.memberships, memberships, config.max_memberships) {
                let reason = "your address is in as many swarms as its share allows";
                (&mut refused.memberships, reason)
            } else if is_new && swarms >= config.max_swarms {
                let reason = "the tracker has as many swarms as it allows";
                (&mut refused.swarms, reason)
            } else if is_new && !share::allows(own.swarms, swarms, config.max_swarms) {
                let reason = "your address has as many swarms as its share of this tracker allows";
                (&mut refused.swarms, reason)
            } else {
                return Ok(());
            };
        *counter += 1;
        Err(reason)
    }

    /// The swarm, which is made for `party` if there is none.
    fn found(&mut self, party: Party, source: Source, info_hash: InfoHash) -> &mut Swarm {
        if !self.swarms.contains_key(&info_hash) {
            self.hold(source, |holding| holding.swarms += 1);
        }
        let swarm = self.swarms.entry(info_hash);
        swarm.or_insert_with(|| Swarm::new(party))
    }

    /// Somebody has left a swarm: if it was charged to them, it is to somebody else now, or
    /// there is none any more.
    fn bequeath(&mut self, left: Party, info_hash: InfoHash) {
        let Some(swarm) = self.swarms.get_mut(&info_hash) else {
            return;
        };
        if swarm.owner() != left {
            return;
        }
        let heir = swarm.inherit(left);
        // One that is gone from the swarm is still connected.
        let source = self.source_of(left);
        self.hold(source, |holding| holding.swarms -= 1);
        match heir {
            Some(heir) => {
                let source = self.source_of(heir);
                self.hold(source, |holding| holding.swarms += 1);
            }
            None => drop(self.swarms.remove(&info_hash)),
        }
    }

    fn source_of(&self, party: Party) -> Source {
        match party {
            Party::Member(member) => self.clients[&member].source,
            Party::Socket(address) => address.ip().into(),
        }
    }

    /// Replaces what a member has. Where its source's share of the memory is used up, or
    /// nobody has any left, only how much it is.
    fn keep_pieces(&mut self, source: Source, member: MemberId, info_hash: InfoHash, bits: &Bytes) {
        let own = self.sources.get(&source).map_or(0, |it| it.bitfield_bytes);
        let free = self
            .config
            .max_bitfields
            .saturating_sub(self.all.bitfield_bytes);
        let Some(swarm) = self.swarms.get_mut(&info_hash) else {
            return;
        };
        let roster = swarm.roster_mut(Kind::Tab);
        let (grown, kept) = roster.set_pieces(member, bits, free.saturating_sub(own));
        self.refused.bitfields += u64::from(!kept);
        self.hold(source, |holding| holding.grow_bitfields(grown));
    }

    /// The answer to an announce.
    fn peers(&mut self, member: MemberId, info_hash: InfoHash, numwant: u32) -> Peers {
        let roster = self.swarms[&info_hash].roster(Kind::Tab);
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
        let seed = roster.member(member).is_some_and(|it| it.seed);
        let members = roster.sample(member, seed, count, &mut self.rng);
        Peers {
            info_hash,
            interval: seconds(self.config.announce_interval),
            complete: roster.complete(),
            incomplete: roster.incomplete(),
            members: members.into_iter().map(tell).collect(),
            // The hub knows who was offered what.
            rtc: 0,
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

fn seconds(duration: std::time::Duration) -> u32 {
    u32::try_from(duration.as_secs()).unwrap_or(u32::MAX)
}

impl Holding {
    fn grow_bitfields(&mut self, bytes: isize) {
        self.bitfield_bytes = self.bitfield_bytes.saturating_add_signed(bytes);
    }
}
