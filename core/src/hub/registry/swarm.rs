//! Everybody who is in one swarm, in rosters of those who can reach each other.

use std::net::SocketAddr;

use super::super::kind::Kind;
use super::roster::Roster;
use super::sockets::Sockets;
use crate::id::MemberId;
use crate::wire::tracker::Counts;

/// Somebody in a swarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Party {
    /// A connected client.
    Member(MemberId),
    /// An ordinary client that takes connections at this address.
    Socket(SocketAddr),
}

/// See the module.
#[derive(Debug)]
pub(super) struct Swarm {
    /// To whose source it is charged.
    owner: Party,
    tabs: Roster,
    webtorrent: Roster,
    /// Those of the tabs that take offers from WebTorrent's clients.
    pub(super) takers: Roster,
    pub(super) sockets: Sockets,
    /// Downloads that were completed, by those who say so.
    pub(super) downloaded: u32,
}

impl Swarm {
    /// One that `owner` is about to join.
    pub(super) fn new(owner: Party) -> Self {
        Swarm {
            owner,
            tabs: Roster::default(),
            webtorrent: Roster::default(),
            takers: Roster::default(),
            sockets: Sockets::default(),
            downloaded: 0,
        }
    }

    /// The connected clients that speak the same.
    pub(super) fn roster(&self, kind: Kind) -> &Roster {
        match kind {
            Kind::Tab => &self.tabs,
            Kind::WebTorrent => &self.webtorrent,
        }
    }

    pub(super) fn roster_mut(&mut self, kind: Kind) -> &mut Roster {
        match kind {
            Kind::Tab => &mut self.tabs,
            Kind::WebTorrent => &mut self.webtorrent,
        }
    }

    /// A member of ours takes offers from WebTorrent's clients, and is one of those as far as
    /// they see; or it does not.
    pub(super) fn take_offers(&mut self, member: MemberId, takes: bool) {
        let known = self.tabs.member(member).filter(|_| takes);
        let Some(known) = known else {
            self.takers.leave(member);
            return;
        };
        let (peer_id, seed, deadline) = (known.peer_id, known.seed, known.deadline);
        self.takers.announce(member, peer_id, seed, deadline);
    }

    /// To whose source it is charged.
    pub(super) fn owner(&self) -> Party {
        self.owner
    }

    /// If the owner has left, who is the owner from now on; none if nobody is left.
    pub(super) fn inherit(&mut self, left: Party) -> Option<Party> {
        if self.owner == left {
            let connected = self.tabs.first().or_else(|| self.webtorrent.first());
            let socket = || self.sockets.first().map(Party::Socket);
            self.owner = connected.map(Party::Member).or_else(socket)?;
        }
        Some(self.owner)
    }

    /// How WebTorrent's clients stand, and those that they can reach.
    pub(super) fn webtorrent_counts(&self) -> Counts {
        Counts {
            complete: sum(self.webtorrent.complete(), self.takers.complete()),
            downloaded: self.downloaded,
            incomplete: sum(self.webtorrent.incomplete(), self.takers.incomplete()),
        }
    }

    /// How ordinary clients stand.
    pub(super) fn socket_counts(&self) -> Counts {
        Counts {
            complete: self.sockets.complete(),
            downloaded: self.downloaded,
            incomplete: self.sockets.incomplete(),
        }
    }
}

fn sum(some: u32, others: u32) -> u32 {
    some.saturating_add(others)
}
