//! What one tracker knows of us, and when to tell it more.
//!
//! It announces the torrents that want others, again when the tracker's interval is over or
//! there is a reason, and gathers news of pieces. What it says leaves as the messages of our
//! own protocol, in order.

use std::collections::VecDeque;
use std::time::Duration;

use crate::chunk::Chunk;
use crate::engine::config::TrackerConfig;
use crate::engine::{Engine, Standing, Urgency};
use crate::id::{InfoHash, PeerId};
use crate::pieces::PieceIndex;
use crate::sorted::SortedMap;
use crate::time::Time;
use crate::wire::relay::{Announce, ClientMessage, Have, MAX_HAVE};

/// See the module.
#[derive(Debug)]
pub struct Tracker {
    pub(super) config: TrackerConfig,
    pub(super) listings: SortedMap<InfoHash, Listing>,
    /// How many swarms it lets us be in.
    pub(super) max_swarms: usize,
    /// When a torrent that waits may be announced in the place of another.
    pub(super) next_turn: Option<Time>,
    /// When that was so last.
    pub(super) last_turn: Option<Time>,
    /// It was told that we take WebRTC offers from whom it knows.
    rtc: bool,
    out: VecDeque<ClientMessage>,
}

/// What a tracker knows of one torrent.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// It was told that we are in the swarm.
    announced: bool,
    /// And it took us in.
    answered: bool,
    /// It has yet to answer what it was told last.
    awaited: bool,
    /// Why it did not, in its words.
    refused: Option<String>,
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
    /// Pieces verified since it was last told.
    new_pieces: Vec<u32>,
    /// When to tell it.
    have_due: Option<Time>,
}

impl Listing {
    /// It is to be announced again after this, or sooner where that was so already.
    fn announce_by(&mut self, due: Time) {
        self.next_announce = Some(self.next_announce.map_or(due, |before| before.min(due)));
    }
}

impl Tracker {
    /// A tracker that knows nothing of us yet.
    pub fn new(config: TrackerConfig, max_swarms: usize) -> Self {
        Tracker {
            config,
            listings: SortedMap::new(),
            max_swarms,
            next_turn: None,
            last_turn: None,
            rtc: false,
            out: VecDeque::new(),
        }
    }

    /// The next thing to say to it.
    pub fn poll(&mut self) -> Option<ClientMessage> {
        self.out.pop_front()
    }

    /// A torrent looks for others.
    pub fn look(&mut self, now: Time, info_hash: InfoHash, urgency: Urgency) {
        let listing = match urgency {
            Urgency::Now => self.listings.entry(info_hash).or_default(),
            Urgency::Soon | Urgency::Lonely => match self.listings.get_mut(&info_hash) {
                Some(listing) => listing,
                None => return,
            },
        };
        match urgency {
            Urgency::Now => listing.next_announce = Some(now),
            Urgency::Soon if listing.announced => listing.announce_by(now + self.config.soon),
            Urgency::Soon => {}
            Urgency::Lonely => {
                if let Some(last) = listing.last_announce {
                    let (first, longest) = self.config.look_around;
                    let pause = first.saturating_mul(1 << listing.announces.min(8));
                    let soon = last + pause.min(longest);
                    let due = listing.next_announce.unwrap_or(soon);
                    listing.next_announce = Some(due.min(soon).max(now));
                }
            }
        }
    }

    /// A torrent has a new piece, maybe its last.
    pub fn have(&mut self, now: Time, info_hash: InfoHash, piece: PieceIndex, complete: bool) {
        if let Some(listing) = self.listings.get_mut(&info_hash) {
            listing.new_pieces.push(piece.get());
            let wait = if complete {
                Duration::ZERO
            } else {
                self.config.gather_haves
            };
            let due = now + wait;
            listing.have_due = Some(listing.have_due.map_or(due, |before| before.min(due)));
        }
    }

    /// A torrent leaves its swarm.
    pub fn leave(&mut self, info_hash: InfoHash) {
        let listing = self.listings.remove(&info_hash);
        if listing.is_some_and(|listing| listing.announced) {
            self.out.push_back(ClientMessage::Leave { info_hash });
        }
    }

    /// A torrent leaves its swarm until its next turn.
    pub fn displace(&mut self, now: Time, info_hash: InfoHash) {
        self.leave(info_hash);
        self.note_turn(now);
        let listing = Listing {
            displaced: Some(now),
            waits: true,
            next_announce: Some(now),
            ..Listing::default()
        };
        self.listings.insert(info_hash, listing);
    }

    /// It was told of a torrent, or will be.
    pub(crate) fn lists(&self, info_hash: InfoHash) -> bool {
        self.listings.contains_key(&info_hash)
    }

    /// It was told of a torrent, and has yet to answer.
    pub(crate) fn awaits(&self, info_hash: InfoHash) -> bool {
        let listing = self.listings.get(&info_hash);
        listing.is_some_and(|listing| listing.awaited)
    }

    /// Why it does not have a torrent in the swarm, in its words.
    pub(crate) fn refusal(&self, info_hash: InfoHash) -> Option<&str> {
        self.listings.get(&info_hash)?.refused.as_deref()
    }

    /// It answered an announce, and wants the next after this many seconds; false if nobody
    /// is waiting for an answer.
    pub fn answered(&mut self, now: Time, info_hash: InfoHash, interval: u32) -> bool {
        // One that gave its place up meanwhile goes on waiting for the next.
        let listing = self.listings.get_mut(&info_hash);
        let Some(listing) = listing.filter(|listing| listing.announced) else {
            return false;
        };
        (listing.answered, listing.awaited) = (true, false);
        listing.refused = None;
        let interval = Duration::from_secs(u64::from(interval.max(1)));
        listing.next_announce = Some(now + interval);
        true
    }

    /// It does not have a torrent in the swarm, or not any more; true if it says so in other
    /// words than before.
    pub fn refused(&mut self, now: Time, info_hash: InfoHash, reason: &str) -> bool {
        let listing = self.listings.get_mut(&info_hash);
        let Some(listing) = listing.filter(|listing| !listing.waits) else {
            return false;
        };
        // Whoever was a member, and forgot to say so, comes back; others are not wanted.
        let delay = match std::mem::take(&mut listing.answered) {
            true => self.config.soon,
            false => self.config.unanswered,
        };
        listing.announced = false;
        listing.place = None;
        listing.next_announce = Some(now + delay);
        let news = listing.refused.as_deref() != Some(reason);
        listing.refused = Some(reason.to_owned());
        news
    }

    /// When to announce, when to tell of pieces, and when a torrent's turn may come.
    pub fn timeouts<C: Chunk>(&self, engine: &Engine<C>) -> [Option<Time>; 3] {
        let running = self
            .listings
            .iter()
            .filter(|(info_hash, _)| engine.is_running(**info_hash));
        let announce = running.clone().filter(|(_, listing)| !listing.waits);
        [
            announce.filter_map(|(_, l)| l.next_announce).min(),
            running.filter_map(|(_, l)| l.have_due).min(),
            self.next_turn,
        ]
    }

    /// From now on we take WebRTC offers from those that it knows, or none any more: it hears
    /// of that at once.
    pub fn take_offers(&mut self, now: Time, rtc: bool) {
        if std::mem::replace(&mut self.rtc, rtc) != rtc {
            let told = self.listings.values_mut();
            for listing in told.filter(|listing| listing.announced) {
                listing.announce_by(now);
            }
        }
    }

    /// A torrent is to be announced again by then, whatever the tracker said.
    pub fn announce_by(&mut self, info_hash: InfoHash, due: Time) {
        if let Some(listing) = self.listings.get_mut(&info_hash) {
            listing.announce_by(due);
        }
    }

    /// Announces, and tells of new pieces, where that is due.
    pub fn tell<C: Chunk>(&mut self, now: Time, engine: &Engine<C>) {
        let peer_id = engine.peer_id();
        for (info_hash, listing) in &mut self.listings {
            let due = |at: Option<Time>| at.is_some_and(|due| due <= now);
            let announce = !listing.waits && due(listing.next_announce);
            let haves = due(listing.have_due);
            // The bitfield of an announce is shorter than very many pieces.
            let many = haves && listing.new_pieces.len() > MAX_HAVE;
            if announce || many {
                let announce = listing.announce(now, *info_hash, (peer_id, self.rtc), engine);
                self.out.extend(announce);
            } else if haves && let Some(left) = engine.left(*info_hash) {
                listing.have_due = None;
                let pieces = std::mem::take(&mut listing.new_pieces);
                if listing.announced && !pieces.is_empty() {
                    self.out.push_back(ClientMessage::Have(Have {
                        info_hash: *info_hash,
                        pieces,
                        left,
                    }));
                }
            }
        }
    }

    /// What a torrent is here.
    pub fn standing(&self, info_hash: InfoHash) -> Standing {
        let Some(listing) = self.listings.get(&info_hash) else {
            return Standing::Away;
        };
        match &listing.refused {
            Some(reason) => Standing::Refused(reason.clone()),
            None if listing.waits => Standing::Waiting,
            None if listing.answered => Standing::Member,
            None if listing.announced => Standing::Joining,
            None => Standing::Away,
        }
    }
}

impl Listing {
    /// Says that we are in the swarm, and how far we are; nothing while we are not.
    fn announce<C: Chunk>(
        &mut self,
        now: Time,
        info_hash: InfoHash,
        (peer_id, rtc): (PeerId, bool),
        engine: &Engine<C>,
    ) -> Option<ClientMessage> {
        let report = engine.report(now, info_hash)?;
        (self.announced, self.awaited) = (true, true);
        self.place.get_or_insert(now);
        self.next_announce = Some(now + engine.config().tracker.unanswered);
        self.last_announce = Some(now);
        self.announces = self.announces.saturating_add(1);
        // The bitfield says it all.
        self.new_pieces.clear();
        self.have_due = None;
        Some(ClientMessage::Announce(Announce {
            info_hash,
            peer_id,
            left: report.left,
            pieces: report.pieces,
            numwant: u32::try_from(report.wanted).unwrap_or(u32::MAX),
            rtc,
        }))
    }
}
