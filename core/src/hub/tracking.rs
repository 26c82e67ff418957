//! Who is in which swarm, and with which pieces.

use super::account::Account;
use super::swarm::{Membership, Swarm};
use super::{ConnId, Deadline, Hub, share};
use crate::id::InfoHash;
use crate::time::Time;
use crate::wire::relay::{Announce, Have, MAX_MEMBERS, Member, Peers, ServerMessage};

impl Hub {
    pub(super) fn handle_announce(&mut self, now: Time, conn: ConnId, announce: &Announce) {
        let Announce {
            info_hash,
            peer_id,
            left,
            ref pieces,
            numwant,
        } = *announce;
        if let Some(reason) = self.why_not_announce(conn, announce) {
            return self.error(conn, info_hash, reason);
        }
        let source = self.source_of(conn);
        if !self.swarms.contains_key(&info_hash) {
            self.account(source).swarms += 1;
            self.swarms.insert(info_hash, Swarm::new(conn));
        }
        let deadline = now + self.config.member_expiry;
        let swarm = self.swarms.get_mut(&info_hash).expect("it is there by now");
        let before = swarm.announce(conn, peer_id, left == Some(0), deadline);
        if let Some(before) = before {
            self.deadlines
                .remove(&(before, Deadline::Membership(conn, info_hash)));
        } else {
            self.memberships += 1;
            self.account(source).memberships += 1;
        }
        self.deadlines
            .insert((deadline, Deadline::Membership(conn, info_hash)));
        if let Some(connection) = self.connections.get_mut(&conn) {
            connection.swarms.insert(info_hash);
        }
        if let Some(bits) = pieces {
            self.keep_pieces(conn, info_hash, bits);
        }
        self.send_peers(conn, info_hash, numwant);
    }

    fn why_not_announce(&mut self, conn: ConnId, announce: &Announce) -> Option<&'static str> {
        let config = &self.config;
        let swarm = self.swarms.get(&announce.info_hash);
        let connection = &self.connections[&conn];
        let joins = swarm.is_none_or(|s| s.member(conn).is_none());
        let Account {
            swarms,
            memberships,
            ..
        } = self.sources[&connection.source];
        if announce
            .pieces
            .as_ref()
            .is_some_and(|p| p.len() > config.max_bitfield)
        {
            self.limited.bitfields += 1;
            Some("the torrent has more pieces than this tracker keeps track of")
        } else if joins && connection.swarms.len() >= config.max_swarms_per_connection {
            self.limited.memberships += 1;
            Some("the connection is in as many swarms as this tracker allows")
        } else if joins && !share::allows(memberships, self.memberships, config.max_memberships) {
            self.limited.memberships += 1;
            Some("your address is in as many swarms as its share allows")
        } else if swarm.is_none() && self.swarms.len() >= config.max_swarms {
            self.limited.swarms += 1;
            Some("the tracker has as many swarms as it allows")
        } else if swarm.is_none() && !share::allows(swarms, self.swarms.len(), config.max_swarms) {
            self.limited.swarms += 1;
            Some("your address has as many swarms as its share of this tracker allows")
        } else {
            None
        }
    }

    /// Replaces what a member has. Where its source's share of the memory is used up, or
    /// nobody has any left, only how much it is.
    fn keep_pieces(&mut self, conn: ConnId, info_hash: InfoHash, bits: &bytes::Bytes) {
        let source = self.source_of(conn);
        let own = self.account(source).bitfield_bytes;
        let free = self
            .config
            .max_bitfields
            .saturating_sub(self.bitfield_bytes);
        let Some(swarm) = self.swarms.get_mut(&info_hash) else {
            return;
        };
        let (grown, kept) = swarm.set_pieces(conn, bits, free.saturating_sub(own));
        self.limited.bitfields += u64::from(!kept);
        self.grow_bitfields(conn, grown);
    }

    fn grow_bitfields(&mut self, conn: ConnId, grown: isize) {
        let source = self.source_of(conn);
        let account = self.account(source);
        account.bitfield_bytes = account.bitfield_bytes.saturating_add_signed(grown);
        self.bitfield_bytes = self.bitfield_bytes.saturating_add_signed(grown);
    }

    fn send_peers(&mut self, conn: ConnId, info_hash: InfoHash, numwant: u32) {
        let Some(swarm) = self.swarms.get(&info_hash) else {
            return;
        };
        let count = usize::try_from(numwant)
            .unwrap_or(usize::MAX)
            .min(self.config.max_numwant)
            .min(MAX_MEMBERS);
        let member = |(id, membership): (ConnId, &Membership)| Member {
            member: self.connections[&id].member,
            peer_id: membership.peer_id,
            have: membership.have(),
            seed: membership.seed,
        };
        let peers = Peers {
            info_hash,
            interval: u32::try_from(self.config.announce_interval.as_secs()).unwrap_or(u32::MAX),
            complete: swarm.complete(),
            incomplete: swarm.incomplete(),
            members: swarm
                .sample(conn, count, &mut self.rng)
                .into_iter()
                .map(member)
                .collect(),
        };
        self.send(conn, ServerMessage::Peers(peers));
    }

    pub(super) fn handle_have(&mut self, conn: ConnId, have: &Have) {
        // One who is no member expired, and was told so; this crossed it.
        let swarm = self
            .swarms
            .get_mut(&have.info_hash)
            .filter(|s| s.member(conn).is_some());
        let Some(swarm) = swarm else { return };
        let grown = swarm.have(conn, &have.pieces, have.left == 0);
        self.grow_bitfields(conn, grown);
    }

    pub(super) fn expire(&mut self, conn: ConnId, info_hash: InfoHash) {
        self.error(conn, info_hash, "left the swarm: no announce for too long");
        let reason = "an end has not announced for too long";
        self.leave_telling(conn, info_hash, reason, None);
    }

    /// Takes a connection out of a swarm at its own wish; it knows that its channels end.
    pub(super) fn leave(&mut self, conn: ConnId, info_hash: InfoHash, reason: &str) {
        self.leave_telling(conn, info_hash, reason, Some(conn));
    }

    fn leave_telling(
        &mut self,
        conn: ConnId,
        info_hash: InfoHash,
        reason: &str,
        silent: Option<ConnId>,
    ) {
        let Some(connection) = self.connections.get_mut(&conn) else {
            return;
        };
        if !connection.swarms.remove(&info_hash) {
            return;
        }
        let channels: Vec<_> = connection.channels.iter().copied().collect();
        for channel in channels {
            if self.channels[&channel].info_hash == info_hash {
                self.close_channel(channel, reason, silent);
            }
        }
        let swarm = self
            .swarms
            .get_mut(&info_hash)
            .expect("a swarm with members exists");
        if let Some(member) = swarm.leave(conn) {
            let deadline = (member.deadline, Deadline::Membership(conn, info_hash));
            let owner = swarm.owner();
            let heir = swarm.inherit(conn);
            self.deadlines.remove(&deadline);
            self.memberships -= 1;
            let source = self.source_of(conn);
            self.account(source).memberships -= 1;
            self.grow_bitfields(conn, -member.bitfield_size().cast_signed());
            if owner == conn {
                self.account(source).swarms -= 1;
                match heir {
                    Some(heir) => {
                        let source = self.source_of(heir);
                        self.account(source).swarms += 1;
                    }
                    None => drop(self.swarms.remove(&info_hash)),
                }
            }
        }
    }

    fn error(&mut self, conn: ConnId, info_hash: InfoHash, reason: &str) {
        let info_hash = Some(info_hash);
        let reason = reason.to_owned();
        self.send(conn, ServerMessage::Error { info_hash, reason });
    }
}
