//! Where clients come in and where what is said to them goes out. Outside they are connections,
//! which the shell numbers; inside they are members, whose numbers other members see.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;

use super::{ConnId, HubOutput};
use crate::id::MemberId;
use crate::wire::relay::ServerMessage;

/// See the module.
#[derive(Debug)]
pub(super) struct Door {
    members: BTreeMap<ConnId, MemberId>,
    conns: BTreeMap<MemberId, ConnId>,
    next_member: u32,
    outputs: VecDeque<(ConnId, HubOutput)>,
}

impl Door {
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
        self.members.get(&conn).copied()
    }

    /// A connection becomes a member.
    pub(super) fn admit(&mut self, conn: ConnId) -> MemberId {
        // After four thousand million members numbers begin anew, and skip those in use.
        while self.conns.contains_key(&MemberId(self.next_member)) {
            self.next_member = self.next_member.wrapping_add(1);
        }
        let member = MemberId(self.next_member);
        self.next_member = self.next_member.wrapping_add(1);
        self.conns.insert(member, conn);
        self.members.insert(conn, member);
        member
    }

    /// A member is gone; the connection that it was.
    pub(super) fn dismiss(&mut self, member: MemberId) -> Option<ConnId> {
        let conn = self.conns.remove(&member)?;
        self.members.remove(&conn);
        Some(conn)
    }

    pub(super) fn send(&mut self, member: MemberId, message: ServerMessage) {
        self.say(member, HubOutput::Send(message));
    }

    /// A data frame as it came.
    pub(super) fn forward(&mut self, member: MemberId, frame: Bytes) {
        self.say(member, HubOutput::Forward(frame));
    }

    /// For a connection that is no member, or not any more.
    pub(super) fn close(&mut self, conn: ConnId, reason: String) {
        self.outputs.push_back((conn, HubOutput::Close { reason }));
    }

    pub(super) fn poll_output(&mut self) -> Option<(ConnId, HubOutput)> {
        self.outputs.pop_front()
    }

    #[cfg(test)]
    pub(super) fn members(&self) -> impl Iterator<Item = MemberId> {
        self.conns.keys().copied()
    }

    fn say(&mut self, member: MemberId, output: HubOutput) {
        let conn = self.conns[&member];
        self.outputs.push_back((conn, output));
    }
}
