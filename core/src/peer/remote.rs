//! A remote peer: who it is, what it has, what it has done. It outlives the channel that
//! carries the talk.

mod getting;
mod giving;

use std::collections::VecDeque;

use super::secret::Secret;
use super::{Allowance, Meter, RemotePieces, RequestConfig, SessionId};
use crate::id::{Fingerprint, PeerId};
use crate::net::Contact;
use crate::pieces::Bitfield;
use crate::time::Time;

pub(crate) use getting::{Advice, Getting};
pub(crate) use giving::Giving;

/// How many channels there may be to one: one for the talk, and one that stands by.
const CHANNELS: usize = 2;
/// Sessions that turned out to be with the same remote, and are remembered because it may
/// show later what they sent.
const FORMER: usize = 16;

/// See the module.
#[derive(Debug)]
pub(crate) struct Remote {
    /// By whom it was vouched for at first, and where.
    pub(crate) contact: Contact,
    /// What it calls itself: what was said of it, then what its handshake said. To be
    /// shown, and nothing else: anybody may say anybody's.
    pub(crate) peer_id: Option<PeerId>,
    /// Whose certificate its direct link has, as DTLS showed.
    pub(crate) fingerprint: Option<Fingerprint>,
    /// Its software, as it says.
    pub(crate) client: String,
    /// It stands in a swarm of ordinary clients too, as it says.
    pub(crate) gateway: bool,
    /// Bytes of the info dictionary, as it says.
    pub(crate) metadata_size: Option<u32>,
    /// When it came.
    pub(crate) since: Time,
    /// What it has.
    pub(crate) pieces: RemotePieces,
    /// How much it may still cost us for nothing.
    pub(crate) allowance: Allowance,
    /// Bytes that it sent and nobody asked for.
    pub(crate) unrequested: u64,
    /// When a block last went from one to the other.
    pub(crate) exchanged: Option<Time>,
    /// Payload that came.
    pub(crate) down: Meter,
    /// Payload that went.
    pub(crate) up: Meter,
    /// What both know of the last channels, for it to show on the next.
    secrets: VecDeque<Secret>,
    /// Sessions that turned out to be with it.
    was: VecDeque<SessionId>,
    /// What it takes from us.
    pub(crate) giving: Giving,
    /// What we take from it.
    pub(crate) getting: Getting,
}

impl Remote {
    /// Somebody of whom nothing else is known.
    pub(crate) fn new(
        contact: Contact,
        peer_id: Option<PeerId>,
        requests: &RequestConfig,
        now: Time,
    ) -> Self {
        let fingerprint = match contact {
            Contact::Introduced(fingerprint) => Some(fingerprint),
            _ => None,
        };
        Remote {
            contact,
            peer_id,
            fingerprint,
            client: String::new(),
            gateway: false,
            metadata_size: None,
            since: now,
            pieces: RemotePieces::early(),
            allowance: Allowance::default(),
            unrequested: 0,
            exchanged: None,
            down: Meter::default(),
            up: Meter::default(),
            secrets: VecDeque::new(),
            was: VecDeque::new(),
            giving: Giving::default(),
            getting: Getting::new(requests, now),
        }
    }

    /// What both know of a channel to it: of as many as it may have at once.
    pub(crate) fn learn(&mut self, secret: Secret) {
        self.secrets.retain(|known| *known != secret);
        self.secrets.push_back(secret);
        if self.secrets.len() > CHANNELS {
            self.secrets.pop_front();
        }
    }

    /// What both know of its channels, the newest first.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &Secret> {
        self.secrets.iter().rev()
    }

    /// A session was with it too.
    pub(crate) fn joins(&mut self, other: &Remote, session: SessionId) {
        for secret in &other.secrets {
            self.learn(*secret);
        }
        self.fingerprint = self.fingerprint.or(other.fingerprint);
        self.was.extend(other.was.iter().copied().chain([session]));
        let old = self.was.len().saturating_sub(FORMER);
        self.was.drain(..old);
    }

    /// That session was with it.
    pub(crate) fn was(&self, session: SessionId) -> bool {
        self.was.contains(&session)
    }

    /// It begins to talk anew, as on a fresh channel: all that it said is void. What we think
    /// of it is not.
    pub(crate) fn begins(&mut self) {
        self.getting.begins();
        self.giving.interested = false;
    }

    /// There is no channel to it.
    pub(crate) fn is_adrift(&mut self) {
        self.begins();
        self.getting.interested = false;
        self.pieces = RemotePieces::early();
        self.giving.leaves();
    }

    /// Bytes that it took beyond what it gave.
    pub(crate) fn debt(&self) -> u64 {
        self.up.total().saturating_sub(self.down.total())
    }

    /// Nothing went from one to the other, and it never asked for anything.
    pub(crate) fn is_stranger(&self) -> bool {
        self.giving.asked.is_none() && self.exchanged.is_none()
    }

    /// What it calls itself, for a person; empty until it has said so.
    pub(crate) fn name(&self) -> String {
        self.peer_id.map_or_else(String::new, |id| id.to_string())
    }

    /// It has every piece.
    pub(crate) fn is_seed(&self) -> bool {
        self.pieces.known().is_some_and(Bitfield::is_full)
    }
}
