//! One torrent.
//!
//! It is made of parts, each of which owns its fields and says in verbs what may be done with
//! it. None knows the torrent, and but for [`Phase`] none knows another:
//!
//! * what it is ([`About`]), how far it is ([`Phase`], of [`Fetch`], [`Check`] and
//!   [`Download`]), what a person wants ([`Wishes`]) and why it does not run ([`Halt`]);
//! * who is here ([`Sessions`]), who is known again ([`Paths`]), who may not come back
//!   ([`Outcasts`]), who else there is ([`Swarm`]);
//! * getting: who is asked next ([`Refill`]), what is left to web seeds ([`Gaps`]), what is on
//!   its way into the store ([`Storing`]);
//! * giving: how many are served ([`Slots`]), and with what ([`Deal`]); and what went either
//!   way ([`Traffic`]).
//!
//! The other files of this folder decide across the parts, a concern each.

use std::collections::VecDeque;

use super::cache::Cache;
use super::channels::Channels;
use super::tabs::Tabs;
use super::throttles::Throttles;
use super::waiting::Waiting;
use super::{Config, Ending, Event, Failure, Fault, Output, Resume, TimerKind, Urgency};
use crate::chunk::Chunk;
use crate::id::{ChannelKey, InfoHash, LinkId, PeerId};
use crate::metainfo::Metainfo;
use crate::peer::Session;
use crate::pieces::{Bitfield, Download, DownloadLimits, PieceIndex, Priority, Strategy};
use crate::rng::Rng;
use crate::time::Time;

// The parts.
mod about;
mod check;
mod deal;
mod directs;
mod exchange;
mod fetch;
mod gaps;
mod halt;
mod introductions;
mod outcasts;
mod paths;
mod phase;
mod prospects;
mod refill;
mod sessions;
mod slots;
mod storing;
mod swarm;
mod traffic;
mod wishes;

// What is decided across them.
mod arrivals;
mod blocks;
mod carrying;
mod checking;
mod choosing;
mod dealing;
mod departures;
mod dht;
mod direct;
mod fast;
mod gateway;
mod introduce;
mod introduced;
mod lost;
mod membership;
mod messages;
mod metadata;
mod news;
mod overlay;
mod parts;
mod pex;
mod places;
mod proofs;
mod requests;
mod shelf;
mod snapshot;
mod storage;
mod takeover;
mod trackers;
mod upkeep;
mod upload;
mod wake;
mod web_seeds;
mod work;

use about::About;
use check::Check;
use deal::Deal;
use directs::Directs;
use exchange::Exchange;
use fetch::Fetch;
use gaps::Gaps;
use halt::Halt;
use introductions::Introductions;
use outcasts::Outcasts;
use paths::Paths;
use phase::Phase;
use refill::Refill;
use sessions::Sessions;
use slots::Slots;
use storing::Storing;
use swarm::Swarm;
use traffic::Traffic;
use wishes::Wishes;
pub(super) use work::frame_cost;

/// What a torrent's methods see of the engine around it.
pub(super) struct Cx<'a, C: Chunk> {
    pub(super) now: Time,
    pub(super) config: &'a Config,
    pub(super) channels: &'a mut Channels,
    pub(super) waiting: &'a mut Waiting,
    pub(super) cache: &'a mut Cache<C>,
    pub(super) throttles: &'a mut Throttles,
    pub(super) tabs: &'a mut Tabs<C>,
    pub(super) out: &'a mut VecDeque<Output<C>>,
    /// What we call ourselves.
    pub(super) peer_id: PeerId,
}

impl<C: Chunk> Cx<'_, C> {
    fn emit(&mut self, output: Output<C>) {
        self.out.push_back(output);
    }

    fn close(&mut self, channel: ChannelKey, reason: Ending) {
        self.emit(Output::Close { channel, reason });
    }

    fn event(&mut self, event: Event) {
        self.emit(Output::Event(event));
    }
}

/// See the module.
#[derive(Debug)]
pub(super) struct Torrent<C: Chunk> {
    info_hash: InfoHash,
    /// See [`Job::added`](crate::engine::Job::added).
    added: u32,
    about: About,
    phase: Phase<C>,
    wishes: Wishes,
    halt: Halt,

    sessions: Sessions<C>,
    paths: Paths,
    directs: Directs,
    introductions: Introductions,
    exchange: Exchange,
    /// Ordinary clients were met by TCP.
    gateway: bool,
    /// Who may not come back, for as long as the link to the tracker lasts.
    outcasts: Outcasts,
    swarm: Swarm,

    refill: Refill,
    gaps: Gaps,
    storing: Storing<C>,
    /// Why sessions are looked after the next time, slots aside.
    watches: TimerKind,
    slots: Slots,
    deal: Deal,
    traffic: Traffic,
    rng: Rng,
}

impl<C: Chunk> Torrent<C> {
    /// A torrent of which only the info-hash is known.
    pub(super) fn from_link(
        info_hash: InfoHash,
        added: u32,
        name: Option<String>,
        check_store: bool,
        paused: bool,
        strategy: Strategy,
        rng: Rng,
    ) -> Self {
        Torrent {
            info_hash,
            added,
            about: About::new(info_hash, name),
            phase: Phase::Metadata(Fetch::default()),
            wishes: Wishes::new(strategy, check_store),
            halt: Halt::new(paused),
            sessions: Sessions::default(),
            paths: Paths::new(&rng),
            directs: Directs::default(),
            introductions: Introductions::default(),
            exchange: Exchange::default(),
            gateway: false,
            outcasts: Outcasts::default(),
            swarm: Swarm::default(),
            refill: Refill::default(),
            gaps: Gaps::new(0),
            storing: Storing::default(),
            watches: TimerKind::Rates,
            slots: Slots::default(),
            deal: Deal::default(),
            traffic: Traffic::default(),
            rng,
        }
    }

    /// Takes the metadata, which was there from the start or came from a peer.
    pub(super) fn begin(&mut self, cx: &mut Cx<'_, C>, metainfo: Metainfo, resume: Resume) {
        self.about.rename(&metainfo);
        if let Some(reason) = cx.config.refuses(metainfo.layout()) {
            return self.fail(cx, reason);
        }
        let pieces = metainfo.layout().piece_count();
        self.about.learn(metainfo);
        match resume {
            Resume::Nothing => self.activate(cx, Bitfield::empty(pieces)),
            Resume::Pieces(have) if have.piece_count() == pieces => self.activate(cx, have),
            Resume::Pieces(_) | Resume::Check => {
                self.phase = Phase::Checking(Check::new(pieces));
                self.check_more(cx);
            }
        }
    }

    /// Goes from knowing the metadata, and what is here of it, to transferring.
    fn activate(&mut self, cx: &mut Cx<'_, C>, have: Bitfield) {
        let metainfo = self.about.metainfo().expect("activated with metadata");
        let layout = *metainfo.layout();
        let limits = DownloadLimits {
            bytes_in_progress: cx.config.bytes_in_progress,
            endgame_copies: cx.config.requests.endgame_copies,
            random_first: cx.config.requests.random_first,
            streaming_window: cx.config.requests.streaming_window,
            suspects: cx.config.trust.suspects,
            cut: cx.config.cut(),
        };
        let mut have = have;
        for piece in metainfo.pieces_of_padding() {
            have.insert(piece);
        }
        let complete = have.is_full();
        let first = self
            .rng
            .fork("web seeds")
            .below(layout.piece_count() as usize);
        self.gaps = Gaps::new(u32::try_from(first).unwrap_or(0));
        let rng = self.rng.fork("download");
        let mut download = Download::new(layout, have, self.wishes.strategy(), limits, rng)
            .with_padding(metainfo.padding().clone());
        self.wishes.choose_pieces(&mut download, metainfo);
        self.wishes.choose_position(&mut download, metainfo);
        self.phase = Phase::Active(Box::new(download));
        self.meet_early_sessions(cx);
        if self.swarm.is_looked_for() {
            // We are in the swarm already, without having told how far we are.
            self.look(cx, Urgency::Now);
        } else {
            self.start(cx);
        }
        if complete {
            self.begin_dealing();
        }
        if self.is_finished() {
            cx.event(Event::Completed(self.info_hash));
        }
    }

    /// It takes part in the swarm.
    pub(super) fn is_running(&self) -> bool {
        self.halt.is_none() && !self.phase.is_checking()
    }

    /// Every piece is here.
    pub(super) fn is_complete(&self) -> bool {
        self.phase.is_complete()
    }

    /// Every piece that is wanted is here.
    pub(super) fn is_finished(&self) -> bool {
        self.phase.is_finished()
    }

    /// Bytes of a piece, if the metadata is here.
    pub(super) fn length_of(&self, piece: PieceIndex) -> Option<u32> {
        Some(self.about.metainfo()?.layout().length(piece))
    }

    /// The bytes of a stretch of a piece that is nothing but padding.
    pub(super) fn padding_of(&self, piece: PieceIndex, begin: u32, length: u32) -> Option<C> {
        self.about.padding_of(piece, begin, length)
    }

    /// Nobody is connected, web seeds aside.
    pub(super) fn is_alone(&self) -> bool {
        self.sessions.values().all(Session::is_web_seed)
    }

    /// Joins the swarm as soon as it can be reached.
    pub(super) fn start(&mut self, cx: &mut Cx<'_, C>) {
        if self.is_running() {
            self.traffic.gain(cx.now);
            self.look(cx, Urgency::Now);
        }
    }

    /// Stops transfers, keeps everything.
    pub(super) fn pause(&mut self, cx: &mut Cx<'_, C>) {
        self.halt.pause();
        self.leave(cx, &Ending::Paused);
    }

    /// Goes on, also after an error.
    pub(super) fn resume(&mut self, cx: &mut Cx<'_, C>) {
        self.halt.lift();
        self.storing.resume();
        self.start(cx);
    }

    /// Stops because of something that only a person can mend.
    pub(super) fn fail(&mut self, cx: &mut Cx<'_, C>, reason: Failure) {
        if self.halt.failure().is_none() {
            self.leave(cx, &Ending::Stopped);
            self.halt.fail(reason.clone());
            cx.event(Event::Failed {
                info_hash: self.info_hash,
                reason,
            });
        }
    }

    /// Closes every session and leaves the swarm.
    pub(super) fn leave(&mut self, cx: &mut Cx<'_, C>, reason: &Ending) {
        self.close_all(cx, reason);
        self.drop_introductions(cx);
        self.paths.forget_all();
        self.swarm = Swarm::default();
        cx.emit(Output::Leave {
            info_hash: self.info_hash,
            totals: self.totals(),
        });
    }

    /// Chooses pieces another way from now on.
    pub(super) fn set_strategy(&mut self, strategy: Strategy) {
        self.wishes.set_strategy(strategy);
        if let Some(download) = self.phase.download_mut() {
            download.set_strategy(strategy);
        }
    }

    /// Says how much each file is wanted.
    pub(super) fn set_priorities(&mut self, cx: &mut Cx<'_, C>, priorities: Vec<Priority>) {
        let was_finished = self.is_finished();
        self.wishes.set_priorities(priorities);
        if let (Some(download), Some(metainfo)) = (self.phase.download_mut(), self.about.metainfo())
        {
            self.wishes.choose_pieces(download, metainfo);
        }
        let ids = self.sessions.ids();
        for id in ids {
            self.update_interest(cx, id);
        }
        self.refill.ask_everybody();
        if self.is_finished() && !was_finished {
            cx.event(Event::Completed(self.info_hash));
        } else if was_finished && !self.is_finished() {
            // Seeders were of no use until now.
            self.start(cx);
        }
    }

    /// Says where somebody watches.
    pub(super) fn set_play_position(&mut self, byte: u64) {
        self.wishes.set_play_position(byte);
        if let (Some(download), Some(metainfo)) = (self.phase.download_mut(), self.about.metainfo())
        {
            self.wishes.choose_position(download, metainfo);
        }
        self.refill.ask_everybody();
    }

    /// There is one more way to others.
    pub(super) fn link_up(&mut self, now: Time) {
        if self.is_running() {
            self.traffic.gain(now);
        }
    }

    /// A link is gone, and all of its channels with it.
    pub(super) fn link_down(&mut self, cx: &mut Cx<'_, C>, link: LinkId) {
        self.close_link(cx, link, &Ending::LinkLost);
        self.sessions.outlive(link);
        self.swarm.forget(link);
        // Its next life may give the same numbers to others.
        self.outcasts.forget(link);
    }
}
