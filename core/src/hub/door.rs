//! Where clients come in and where what is said to them goes out. Outside they are connections,
//! which the shell numbers; inside they are members, whose numbers other members see.

use std::collections::{BTreeMap, VecDeque};

use super::kind::Kind;
use super::{ConnId, HubOutput};
use crate::id::MemberId;
use crate::wire::relay::{DataFrame, ServerMessage};
use crate::wire::webtorrent;

/// See the module.
#[derive(Debug)]
pub(super) struct Door<F = DataFrame> {
    members: BTreeMap<ConnId, (MemberId, Kind)>,
    conns: BTreeMap<MemberId, (ConnId, Kind)>,
    next_member: u32,
    outputs: VecDeque<(ConnId, HubOutput<F>)>,
}

impl<F> Door<F> {
    pub(super) fn new() -> Self {
        Door {
            members: BTreeMap::new(),
            conns: BTreeMap::new(),
            next_member: 1,
            outputs: VecDeque::new(),
        }
    }

    /// The member that a connection is, while it is one.
    pub(super) fn member(&self, conn: ConnId) -> Option<MemberId> {
        self.who(conn).map(|(member, _)| member)
    }

    /// And what it speaks.
    pub(super) fn who(&self, conn: ConnId) -> Option<(MemberId, Kind)> {
        self.members.get(&conn).copied()
    }

    /// What a member speaks, while it is one.
    pub(super) fn kind(&self, member: MemberId) -> Option<Kind> {
        self.conns.get(&member).map(|&(_, kind)| kind)
    }

    /// A connection becomes a member.
    pub(super) fn admit(&mut self, conn: ConnId, kind: Kind) -> MemberId {
        // After four thousand million members numbers begin anew, and skip those in use.
        while self.conns.contains_key(&MemberId(self.next_member)) {
            self.next_member = self.next_member.wrapping_add(1);
        }
        let member = MemberId(self.next_member);
        self.next_member = self.next_member.wrapping_add(1);
        self.conns.insert(member, (conn, kind));
        self.members.insert(conn, (member, kind));
        member
    }

    /// A member is gone; the connection that it was.
    pub(super) fn dismiss(&mut self, member: MemberId) -> Option<ConnId> {
        let (conn, _) = self.conns.remove(&member)?;
        self.members.remove(&conn);
        Some(conn)
    }

    /// To one that speaks WebTorrent's protocol, which has no words for the most, only what is
    /// wrong with a swarm: whatever names none makes it leave.
    pub(super) fn send(&mut self, member: MemberId, message: ServerMessage) {
        match (self.kind(member), message) {
            (
                Some(Kind::WebTorrent),
                ServerMessage::Error {
                    info_hash: Some(info_hash),
                    reason,
                },
            ) => {
                let failure = webtorrent::ServerMessage::Failure { info_hash, reason };
                self.say(member, HubOutput::WebTorrent(failure));
            }
            (Some(Kind::WebTorrent), _) => {}
            (_, message) => self.say(member, HubOutput::Send(message)),
        }
    }

    /// A data frame as it came.
    pub(super) fn forward(&mut self, member: MemberId, frame: F) {
        self.say(member, HubOutput::Forward(frame));
    }

    /// For a connection that is no member, or not any more.
    pub(super) fn close(&mut self, conn: ConnId, reason: String) {
        self.outputs.push_back((conn, HubOutput::Close { reason }));
    }

    /// For one that is not connected.
    pub(super) fn reply(&mut self, conn: ConnId, output: HubOutput<F>) {
        self.outputs.push_back((conn, output));
    }

    pub(super) fn poll_output(&mut self) -> Option<(ConnId, HubOutput<F>)> {
        self.outputs.pop_front()
    }

    #[cfg(test)]
    pub(super) fn members(&self) -> impl Iterator<Item = MemberId> {
        self.conns.keys().copied()
    }

    /// To one that has gone meanwhile nothing is said.
    pub(super) fn say(&mut self, member: MemberId, output: HubOutput<F>) {
        if let Some(&(conn, _)) = self.conns.get(&member) {
            self.outputs.push_back((conn, output));
        }
    }
}
