//! What is sent.

use super::Dht;
use super::address::{Family, NodeAddress};
use super::calls::Purpose;
use super::id::NodeId;
use super::io::Output;
use super::krpc::{Ask, Body, Message, Query, Transaction, Want};
use crate::time::Time;

impl Dht {
    /// Asks somebody something, if there may be one more query.
    pub(super) fn ask(
        &mut self,
        now: Time,
        to: NodeAddress,
        id: Option<NodeId>,
        purpose: Purpose,
        ask: Ask,
    ) {
        let family = to.family();
        let Some(own) = self.id(family) else { return };
        let transaction = self.calls.begin(now, to, id, purpose, &mut self.rng);
        let wants = !matches!(ask, Ask::Ping | Ask::AnnouncePeer { .. } | Ask::Put { .. });
        let query = Query {
            id: own,
            want: match wants {
                true => self.want(family),
                false => Want::default(),
            },
            ask,
        };
        self.traffic.queries += 1;
        self.send(
            to,
            &Message {
                transaction: Transaction(transaction.to_vec()),
                version: Some(self.config.version),
                read_only: self.config.read_only,
                ip: None,
                body: Body::Query(query),
            },
        );
    }

    /// Answers a query.
    pub(super) fn respond(&mut self, to: NodeAddress, transaction: Transaction, body: Body) {
        self.traffic.answers += 1;
        let message = Message {
            transaction,
            version: Some(self.config.version),
            read_only: false,
            ip: Some(to).filter(|to| to.family() != Family::Tab),
            body,
        };
        self.send(to, &message);
    }

    fn send(&mut self, to: NodeAddress, message: &Message) {
        let bytes = message.encode();
        self.budget.spend(bytes.len());
        self.traffic.sent += 1;
        self.traffic.sent_bytes += bytes.len() as u64;
        self.out.push_back(Output::Datagram { to, bytes });
    }

    /// Whom to ask for: what carries a query is implied, so it is named only beside another
    /// (BEP 32). Tabs know of nobody else.
    fn want(&self, carrier: Family) -> Want {
        let mut want = Want::default();
        if carrier != Family::Tab && self.config.v4 && self.config.v6 {
            want.add(Family::V4);
            want.add(Family::V6);
        }
        want
    }

    /// What we are called in a family that carries something.
    pub(super) fn own(&self, family: Family) -> NodeId {
        self.id(family).unwrap_or_default()
    }
}
