//! One torrent: its phase, its sessions, what it holds.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bytes::Bytes;

use super::cache::Cache;
use super::channels::Channels;
use super::waiting::Waiting;
use super::{Config, Ending, Event, Failure, Fault, Output, Resume, TimerKind, Urgency};
use crate::choke::Choker;
use crate::chunk::Chunk;
use crate::id::{ChannelKey, InfoHash, LinkId, PeerId};
use crate::metainfo::Metainfo;
use crate::peer::{Meter, Session, SessionId};
use crate::pieces::{Bitfield, Download, Limits, PieceIndex, Priority, Strategy, piece_priorities};
use crate::rng::Rng;
use crate::time::Time;

mod check;
mod deal;
mod download;
mod fast;
mod lost;
mod messages;
mod metadata;
mod outcasts;
mod parts;
mod paths;
mod places;
mod prospects;
mod sessions;
mod shelf;
mod snapshot;
mod swarm;
mod takeover;
mod upkeep;
mod upload;
mod wake;
mod work;

use check::Check;
use deal::Deal;
use metadata::Fetch;
use outcasts::Outcasts;
use paths::Paths;
use swarm::Swarm;

/// What a torrent's methods see of the engine around it.
pub(super) struct Cx<'a, C> {
    pub(super) now: Time,
    pub(super) config: &'a Config,
    pub(super) channels: &'a mut Channels,
    pub(super) waiting: &'a mut Waiting,
    pub(super) cache: &'a mut Cache<C>,
    pub(super) out: &'a mut VecDeque<Output<C>>,
    /// What we call ourselves.
    pub(super) peer_id: PeerId,
}

impl<C> Cx<'_, C> {
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
    name: String,
    metainfo: Option<Metainfo>,
    phase: Phase<C>,
    strategy: Strategy,
    /// How much each file is wanted; those beyond the end are normal.
    priorities: Vec<Priority>,
    /// Where streaming reads, as a byte of the torrent.
    play_position: u64,
    /// What to do with the store once the metadata is here.
    check_store: bool,
    paused: bool,
    error: Option<Failure>,

    sessions: BTreeMap<SessionId, Session<C>>,
    next_session: SessionId,
    paths: Paths,
    /// Who may not come back, for as long as the link to the tracker lasts.
    outcasts: Outcasts,
    swarm: Swarm,
    /// When we last got something that we lacked.
    gained: Time,

    /// Pieces whose hash is being computed.
    verifying: BTreeMap<PieceIndex, C>,
    /// Verified pieces that are being written, and how often the torrent had been resumed
    /// when that began.
    writing: BTreeMap<PieceIndex, (C, u32)>,
    /// Stretches of pieces in parts that are being written, by where they begin, and how often
    /// the torrent had been resumed when that began.
    writing_parts: BTreeMap<(PieceIndex, u32), u32>,
    /// Pieces in parts that are being hashed where they lie, and the same.
    verifying_parts: BTreeMap<PieceIndex, u32>,
    /// How often it was resumed.
    resumed: u32,

    /// Sessions that may be asked for more.
    refill: BTreeSet<SessionId>,
    /// All of them may.
    refill_all: bool,
    /// Some had to wait for others when they were last looked at, see
    /// [`Download::is_guarded`].
    guarded: bool,
    choker: Choker,
    next_choke: Time,
    /// Why sessions are looked after the next time, slots aside.
    watches: TimerKind,
    deal: Deal,

    down: Meter,
    up: Meter,
    rng: Rng,
}

#[derive(Debug)]
enum Phase<C: Chunk> {
    /// The metadata is being fetched.
    Metadata(Fetch),
    /// What the store holds is being read and hashed.
    Checking(Check),
    /// Downloading or seeding.
    Active(Box<Download<C>>),
}

impl<C: Chunk> Torrent<C> {
    /// A torrent of which only the info-hash is known.
    pub(super) fn from_link(
        info_hash: InfoHash,
        name: Option<String>,
        check_store: bool,
        paused: bool,
        strategy: Strategy,
        rng: Rng,
    ) -> Self {
        Torrent {
            info_hash,
            name: name.unwrap_or_else(|| info_hash.to_string()),
            metainfo: None,
            phase: Phase::Metadata(Fetch::default()),
            strategy,
            priorities: Vec::new(),
            play_position: 0,
            check_store,
            paused,
            error: None,
            sessions: BTreeMap::new(),
            next_session: 0,
            paths: Paths::new(&rng),
            outcasts: Outcasts::default(),
            swarm: Swarm::default(),
            gained: Time::ZERO,
            verifying: BTreeMap::new(),
            writing: BTreeMap::new(),
            writing_parts: BTreeMap::new(),
            verifying_parts: BTreeMap::new(),
            resumed: 0,
            refill: BTreeSet::new(),
            refill_all: false,
            guarded: false,
            choker: Choker::default(),
            next_choke: Time::ZERO,
            watches: TimerKind::Rates,
            deal: Deal::default(),
            down: Meter::default(),
            up: Meter::default(),
            rng,
        }
    }

    /// Takes the metadata, which was there from the start or came from a peer.
    pub(super) fn begin(&mut self, cx: &mut Cx<'_, C>, metainfo: Metainfo, resume: Resume) {
        metainfo.name().clone_into(&mut self.name);
        if let Some(reason) = cx.config.refuses(metainfo.layout()) {
            return self.fail(cx, reason);
        }
        let pieces = metainfo.layout().piece_count();
        self.metainfo = Some(metainfo);
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
        let metainfo = self.metainfo.as_ref().expect("activated with metadata");
        let layout = *metainfo.layout();
        let limits = Limits {
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
        let rng = self.rng.fork("download");
        let download = Download::new(layout, have, self.strategy, limits, rng)
            .with_padding(metainfo.padding().clone());
        self.phase = Phase::Active(Box::new(download));
        self.apply_priorities();
        self.apply_play_position();
        self.meet_early_sessions(cx);
        if self.swarm.looking {
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
        !self.paused && self.error.is_none() && !matches!(self.phase, Phase::Checking(_))
    }

    /// Every piece is here.
    pub(super) fn is_complete(&self) -> bool {
        self.download().is_some_and(Download::is_complete)
    }

    /// Every piece that is wanted is here.
    pub(super) fn is_finished(&self) -> bool {
        self.download().is_some_and(Download::is_finished)
    }

    /// Bytes of a piece, if the metadata is here.
    pub(super) fn length_of(&self, piece: PieceIndex) -> Option<u32> {
        Some(self.metainfo.as_ref()?.layout().length(piece))
    }

    /// The bytes of a stretch of a piece that is nothing but padding.
    pub(super) fn padding_of(&self, piece: PieceIndex, begin: u32, length: u32) -> Option<C> {
        let metainfo = self.metainfo.as_ref()?;
        let offset = metainfo.layout().offset(piece) + u64::from(begin);
        let known = metainfo.padding().covers(offset, length);
        known.then(|| C::of(Bytes::from(vec![0; length as usize])))
    }

    fn download(&self) -> Option<&Download<C>> {
        match &self.phase {
            Phase::Active(download) => Some(download),
            Phase::Metadata(_) | Phase::Checking(_) => None,
        }
    }

    fn download_mut(&mut self) -> Option<&mut Download<C>> {
        match &mut self.phase {
            Phase::Active(download) => Some(download),
            Phase::Metadata(_) | Phase::Checking(_) => None,
        }
    }

    /// Nobody is connected.
    pub(super) fn is_alone(&self) -> bool {
        self.sessions.is_empty()
    }

    /// Joins the swarm as soon as it can be reached.
    pub(super) fn start(&mut self, cx: &mut Cx<'_, C>) {
        if self.is_running() {
            self.gained = cx.now;
            self.look(cx, Urgency::Now);
        }
    }

    /// Stops transfers, keeps everything.
    pub(super) fn pause(&mut self, cx: &mut Cx<'_, C>) {
        self.paused = true;
        self.leave(cx, &Ending::Paused);
    }

    /// Goes on, also after an error.
    pub(super) fn resume(&mut self, cx: &mut Cx<'_, C>) {
        self.paused = false;
        self.error = None;
        self.resumed += 1;
        self.start(cx);
    }

    /// Stops because of something that only a person can mend.
    pub(super) fn fail(&mut self, cx: &mut Cx<'_, C>, reason: Failure) {
        if self.error.is_none() {
            self.leave(cx, &Ending::Stopped);
            self.error = Some(reason.clone());
            cx.event(Event::Failed {
                info_hash: self.info_hash,
                reason,
            });
        }
    }

    /// Closes every session and leaves the swarm.
    pub(super) fn leave(&mut self, cx: &mut Cx<'_, C>, reason: &Ending) {
        self.close_all(cx, reason);
        self.paths.forget_all();
        self.swarm = Swarm::default();
        cx.emit(Output::Leave {
            info_hash: self.info_hash,
            totals: self.totals(),
        });
    }

    /// Chooses pieces another way from now on.
    pub(super) fn set_strategy(&mut self, strategy: Strategy) {
        self.strategy = strategy;
        if let Some(download) = self.download_mut() {
            download.set_strategy(strategy);
        }
    }

    /// Says how much each file is wanted.
    pub(super) fn set_priorities(&mut self, cx: &mut Cx<'_, C>, priorities: Vec<Priority>) {
        let was_finished = self.is_finished();
        self.priorities = priorities;
        self.apply_priorities();
        let ids: Vec<_> = self.sessions.keys().copied().collect();
        for id in ids {
            self.update_interest(cx, id);
        }
        self.refill_all = true;
        if self.is_finished() && !was_finished {
            cx.event(Event::Completed(self.info_hash));
        } else if was_finished && !self.is_finished() {
            // Seeders were of no use until now.
            self.start(cx);
        }
    }

    fn apply_priorities(&mut self) {
        let (Phase::Active(download), Some(metainfo)) = (&mut self.phase, &self.metainfo) else {
            return;
        };
        // What is nothing but padding belongs to no file, and is not wanted.
        let all_pieces = metainfo.padding().is_empty();
        if all_pieces && self.priorities.iter().all(|p| *p == Priority::Normal) {
            return download.set_priorities(&[]);
        }
        let files = metainfo.files().iter().enumerate().map(|(index, file)| {
            let bytes = file.offset..file.offset + file.length;
            let priority = self.priorities.get(index).copied().unwrap_or_default();
            (bytes, priority)
        });
        let pieces = piece_priorities(metainfo.layout(), files);
        download.set_priorities(&pieces);
    }

    /// Says where somebody watches.
    pub(super) fn set_play_position(&mut self, byte: u64) {
        self.play_position = byte;
        self.apply_play_position();
        self.refill_all = true;
    }

    fn apply_play_position(&mut self) {
        let (Phase::Active(download), Some(metainfo)) = (&mut self.phase, &self.metainfo) else {
            return;
        };
        let layout = metainfo.layout();
        let byte = self.play_position.min(layout.total_length() - 1);
        let piece = u32::try_from(byte / u64::from(layout.piece_length())).unwrap_or(u32::MAX);
        if let Some(piece) = layout.piece(piece) {
            download.set_play_position(piece);
        }
    }

    /// There is one more way to others.
    pub(super) fn link_up(&mut self, now: Time) {
        if self.is_running() {
            self.gained = now;
        }
    }

    /// A link is gone, and all of its channels with it.
    pub(super) fn link_down(&mut self, cx: &mut Cx<'_, C>, link: LinkId) {
        self.close_link(cx, link, &Ending::LinkLost);
        self.swarm.forget(link);
        // Its next life may give the same numbers to others.
        self.outcasts.forget(link);
    }
}
