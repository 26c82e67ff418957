//! Membership: announcing ourselves, meeting others, telling the tracker how far we are.

use std::time::Duration;

use bytes::Bytes;

use super::places::Use;
use super::prospects::Prospects;
use super::{Cx, Ending, Torrent};
use crate::engine::Event;
use crate::pieces::Download;
use crate::time::Time;
use crate::wire::relay::{Announce, ClientMessage, Have, Incoming, MAX_HAVE, Peers};

/// What we know of the swarm at the tracker.
#[derive(Debug, Default)]
pub(super) struct Swarm {
    /// The tracker was told that we are in it.
    pub(super) announced: bool,
    /// And it took us in.
    pub(super) answered: bool,
    /// Why it did not, in its words.
    pub(super) refused: Option<String>,
    /// Since when it has a place among the announced torrents, where those are counted.
    pub(super) place: Option<Time>,
    /// It waits for such a place.
    pub(super) waits: bool,
    /// When it gave its place up, if it had one.
    pub(super) displaced: Option<Time>,
    pub(super) next_announce: Option<Time>,
    last_announce: Option<Time>,
    /// How often it was told.
    announces: u32,
    pub(super) complete: u32,
    pub(super) incomplete: u32,
    /// Members that we might talk to.
    pub(super) prospects: Prospects,
    /// Pieces verified since we last told the tracker.
    new_pieces: Vec<u32>,
    /// When to tell it.
    pub(super) have_due: Option<Time>,
}

/// An announce that is not answered is repeated after this.
const UNANSWERED: Duration = Duration::from_secs(60);
/// Who gets nothing, or has only few to get it from, and has nobody left to ask looks around
/// this often, after a first time that comes sooner: most arrive together, without anything.
const LONELY: Duration = Duration::from_secs(15);
const FIRST_LOOK: Duration = Duration::from_secs(2);
/// How soon one looks around after losing the last peer.
const SOON: Duration = Duration::from_secs(2);
/// Verified pieces are gathered for this long before the tracker hears of them.
const GATHER_HAVES: Duration = Duration::from_secs(1);

impl Swarm {
    /// The tracker is gone: the next one has to be told everything. Numbers are shown until
    /// then.
    pub(super) fn forget_membership(&mut self) {
        *self = Swarm {
            complete: self.complete,
            incomplete: self.incomplete,
            ..Swarm::default()
        };
    }
}

impl Torrent {
    pub(super) fn announce_now(&mut self, now: Time) {
        self.swarm.next_announce = Some(now);
    }

    /// The last peer is gone: asks for others, but not in a hurry, lest a peer that
    /// leaves at once makes us hammer the tracker.
    pub(super) fn look_around_soon(&mut self, now: Time) {
        let soon = now + SOON;
        self.swarm.next_announce = Some(self.swarm.next_announce.map_or(soon, |due| due.min(soon)));
    }

    /// Too few give us anything, and nobody else is known who might: the tracker may know
    /// better by now.
    pub(super) fn look_around(&mut self, now: Time) {
        if let Some(last) = self.swarm.last_announce {
            let pause = FIRST_LOOK.saturating_mul(1 << self.swarm.announces.min(8));
            let soon = last + pause.min(LONELY);
            let due = self.swarm.next_announce.unwrap_or(soon);
            self.swarm.next_announce = Some(due.min(soon).max(now));
        }
    }

    /// The earliest moment at which the swarm needs attention.
    pub(in crate::engine) fn next_announce(&self) -> Option<Time> {
        let due = self.swarm.next_announce;
        due.filter(|_| self.is_running() && !self.swarm.waits)
    }

    pub(in crate::engine) fn have_due(&self) -> Option<Time> {
        self.swarm.have_due.filter(|_| self.is_running())
    }

    /// Announces, and tells of new pieces, where that is due.
    pub(in crate::engine) fn tell_tracker(&mut self, cx: &mut Cx<'_>) {
        if !cx.link.is_up() || !self.is_running() {
            return;
        }
        if self.next_announce().is_some_and(|due| due <= cx.now) {
            self.announce(cx);
        }
        if self.swarm.have_due.is_some_and(|due| due <= cx.now) {
            self.send_haves(cx);
        }
    }

    fn announce(&mut self, cx: &mut Cx<'_>) {
        // Those that we have no use for don't count; some will refuse.
        let useful = self.count_useful(cx, Use::Waits);
        let wanted = 2 * cx.config.target_peers.saturating_sub(useful);
        cx.link.send(ClientMessage::Announce(Announce {
            info_hash: self.info_hash,
            peer_id: cx.peer_id,
            left: self.left(),
            pieces: self
                .download()
                .map(|download| Bytes::copy_from_slice(download.have().as_bytes())),
            numwant: u32::try_from(wanted).unwrap_or(u32::MAX),
        }));
        self.swarm.announced = true;
        self.swarm.place.get_or_insert(cx.now);
        self.swarm.next_announce = Some(cx.now + UNANSWERED);
        self.swarm.last_announce = Some(cx.now);
        self.swarm.announces = self.swarm.announces.saturating_add(1);
        // The bitfield says it all.
        self.swarm.new_pieces.clear();
        self.swarm.have_due = None;
    }

    /// Bytes that we lack, if we know.
    fn left(&self) -> Option<u64> {
        let length = self.metainfo.as_ref()?.length();
        self.download()
            .map(|download| length - download.bytes_had())
    }

    pub(super) fn note_have(&mut self, now: Time, piece: u32) {
        self.swarm.new_pieces.push(piece);
        let complete = self.download().is_some_and(Download::is_complete);
        let due = if complete { now } else { now + GATHER_HAVES };
        self.swarm.have_due = Some(self.swarm.have_due.map_or(due, |before| before.min(due)));
    }

    fn send_haves(&mut self, cx: &mut Cx<'_>) {
        self.swarm.have_due = None;
        let pieces = std::mem::take(&mut self.swarm.new_pieces);
        if pieces.len() > MAX_HAVE {
            // The bitfield of an announce is shorter.
            return self.announce(cx);
        }
        if let Some(left) = self.left()
            && !pieces.is_empty()
        {
            cx.link.send(ClientMessage::Have(Have {
                info_hash: self.info_hash,
                pieces,
                left,
            }));
        }
    }

    /// The tracker answered an announce.
    pub(in crate::engine) fn peers(&mut self, cx: &mut Cx<'_>, peers: &Peers) {
        if !self.is_running() {
            return;
        }
        self.swarm.answered = self.swarm.announced;
        self.swarm.refused = None;
        self.swarm.complete = peers.complete;
        self.swarm.incomplete = peers.incomplete;
        for member in &peers.members {
            self.swarm
                .prospects
                .learn(member, cx.config.places.prospects);
        }
        let interval = Duration::from_secs(u64::from(peers.interval.max(1)));
        self.swarm.next_announce = Some(cx.now + interval);
        self.meet(cx);
        let alone = self.sessions.is_empty() && self.opening(cx).0 == 0;
        if alone && !self.is_finished() {
            self.look_around(cx.now);
        }
    }

    /// The tracker does not have us in the swarm, or not any more.
    pub(in crate::engine) fn refused(&mut self, cx: &mut Cx<'_>, reason: String) {
        // Whoever was a member, and forgot to say so, comes back; others are not wanted.
        let delay = match std::mem::take(&mut self.swarm.answered) {
            true => SOON,
            false => UNANSWERED,
        };
        self.swarm.announced = false;
        self.swarm.place = None;
        self.swarm.next_announce = Some(cx.now + delay);
        if self.swarm.refused.as_ref() != Some(&reason) {
            self.swarm.refused = Some(reason.clone());
            cx.event(Event::Tracker {
                info_hash: Some(self.info_hash),
                reason,
            });
        }
    }

    /// Somebody wants a channel to us.
    pub(in crate::engine) fn incoming(&mut self, cx: &mut Cx<'_>, incoming: &Incoming) {
        if let Err(reason) = self.welcome(cx, incoming) {
            cx.link.send(ClientMessage::Close {
                channel: incoming.channel,
                reason: reason.to_string(),
            });
            return;
        }
        let credit = self.window(cx);
        cx.link.send(ClientMessage::Accept {
            channel: incoming.channel,
            credit,
        });
        self.open_session(
            cx,
            incoming.channel,
            incoming.member,
            Some(incoming.peer_id),
            incoming.credit,
        );
    }

    fn welcome(&mut self, cx: &mut Cx<'_>, incoming: &Incoming) -> Result<(), Ending> {
        if !self.is_running() {
            return Err(Ending::NotRunning);
        }
        if let Some(reason) = self.outcasts.unwelcome(cx.now, incoming.member) {
            return Err(reason);
        }
        if self.session_of(incoming.member).is_some() {
            return Err(Ending::ConnectedAlready);
        }
        // Both asked at once: the lower number's wish is carried out, the other's declined.
        if cx.link.is_opening(self.info_hash, incoming.member)
            && cx.link.member() < Some(incoming.member)
        {
            return Err(Ending::Crossing);
        }
        let full = self.sessions.len() >= cx.config.max_peers;
        // Who was of no use a moment ago does not take another's place.
        if full
            && (self.swarm.prospects.rests(cx.now, incoming.member) || !self.make_room(cx, false))
        {
            return Err(Ending::EnoughPeers);
        }
        Ok(())
    }

    /// The credit that a new channel gets. It grows with what is asked of the peer.
    pub(super) fn window(&self, cx: &Cx<'_>) -> u32 {
        cx.config.receive_window.0.min(cx.link.max_credit())
    }
}
