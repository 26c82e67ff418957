//! The peer: every torrent, every session, every decision, without I/O.
//!
//! A host owns an [`Engine`] and runs this loop: [`Engine::handle`] an [`Input`], drain
//! [`Engine::poll_output`] until it returns none, arm one timer for
//! [`Engine::poll_timeout`] and report it as [`Input::Tick`]. A tick that comes early, or
//! twice, changes nothing. [`Engine::view`] is what a person sees.
//!
//! `handle` never fails: a remote's fault closes that channel with a reason, a command
//! that can't be carried out becomes an [`Event`].

mod cache;
pub mod config;
pub mod io;
mod link;
mod pulse;
mod reads;
mod torrent;
mod turns;
pub mod view;

pub use crate::peer::PeerPath;
pub use config::Config;
pub use io::{Command, Event, Input, Output, Resume, StoreError, TimerKind};
pub use view::{Contents, PeerView, Standing, TorrentState, TorrentView, TrackerView, View};

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use crate::id::{ChannelId, InfoHash, PeerId};
use crate::rng::Rng;
use crate::time::Time;
use crate::wire::relay::{ClientMessage, ServerMessage};

use cache::Cache;
use link::Link;
use torrent::{Cx, Torrent};

/// How often sessions are looked after.
const UPKEEP: Duration = Duration::from_secs(1);

/// See the module.
#[derive(Debug)]
pub struct Engine {
    config: Config,
    rng: Rng,
    peer_id: PeerId,
    torrents: BTreeMap<InfoHash, Torrent>,
    /// The order in which torrents were added, for people.
    order: Vec<InfoHash>,
    link: Link,
    cache: Cache,
    next_upkeep: Time,
    /// When a torrent that waits may be announced in the place of another.
    next_turn: Option<Time>,
}

impl Engine {
    /// An engine without torrents. `seed` comes from the host's system.
    pub fn new(config: Config, seed: u64, now: Time) -> Self {
        let mut rng = Rng::new(seed);
        let peer_id = PeerId::random(&mut rng);
        Engine {
            cache: Cache::new(config.read_cache, config.max_reads),
            config,
            rng,
            peer_id,
            torrents: BTreeMap::new(),
            order: Vec::new(),
            link: Link::default(),
            next_upkeep: now,
            next_turn: None,
        }
    }

    /// Something happened.
    pub fn handle(&mut self, now: Time, input: Input) {
        match input {
            Input::Tick => {}
            Input::TrackerUp => self.link.up(now),
            Input::TrackerDown => self.tracker_down(now),
            Input::Tracker(message) => self.handle_tracker(now, message),
            Input::TrackerSent(bytes) => self.link.sent(now, &self.config, bytes),
            Input::Read {
                info_hash,
                piece,
                result,
            } => self.handle_read(now, info_hash, piece, result),
            Input::Written {
                info_hash,
                piece,
                result,
            } => {
                self.with(now, info_hash, |torrent, cx| {
                    torrent.written(cx, piece, result);
                });
            }
            Input::Hashed {
                info_hash,
                piece,
                digest,
            } => {
                self.with(now, info_hash, |torrent, cx| {
                    torrent.hashed(cx, piece, digest);
                });
            }
            Input::PartRead {
                info_hash,
                piece,
                begin,
                result,
            } => self.handle_part_read(now, info_hash, piece, begin, result),
            Input::PartWritten {
                info_hash,
                piece,
                begin,
                result,
            } => {
                self.with(now, info_hash, |torrent, cx| {
                    torrent.part_written(cx, piece, begin, result);
                });
            }
            Input::Verified {
                info_hash,
                piece,
                result,
            } => {
                self.with(now, info_hash, |torrent, cx| {
                    torrent.part_verified(cx, piece, result);
                });
            }
            Input::Command(command) => self.handle_command(now, command),
            Input::Lost { info_hash, pieces } => {
                self.with(now, info_hash, |torrent, cx| torrent.lose(cx, &pieces));
            }
        }
        self.link.feel_pulse(now, &self.config);
        self.upkeep(now);
        self.flush(now);
    }

    /// The next thing for the host to do.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.link.out.pop_front()
    }

    /// What was not polled yet.
    pub(crate) fn waiting(&self) -> &VecDeque<Output> {
        &self.link.out
    }

    /// When to send [`Input::Tick`], and why.
    pub fn poll_timeout(&self) -> Option<(Time, TimerKind)> {
        let upkeep = self
            .torrents
            .values()
            .any(Torrent::needs_upkeep)
            .then_some(self.next_upkeep);
        let online = self.link.is_up();
        let announce = self
            .torrents
            .values()
            .filter_map(Torrent::next_announce)
            .min()
            .filter(|_| online);
        let have = self
            .torrents
            .values()
            .filter_map(Torrent::have_due)
            .min()
            .filter(|_| online);
        [
            (upkeep, TimerKind::Housekeeping),
            (announce, TimerKind::Announce),
            (have, TimerKind::Have),
            (self.link.pulse_due(&self.config), TimerKind::Pulse),
            (self.next_turn, TimerKind::Turn),
        ]
        .into_iter()
        .filter_map(|(time, kind)| Some((time?, kind)))
        .min()
    }

    /// What a person sees: what changes often, of every torrent.
    pub fn view(&self, now: Time) -> View {
        let torrents = self
            .order
            .iter()
            .filter_map(|info_hash| self.torrents.get(info_hash));
        View {
            tracker: self.link.state,
            torrents: torrents.map(|torrent| torrent.view(now)).collect(),
        }
    }

    /// What a torrent is and has, if there is one of this hash.
    pub fn contents(&self, info_hash: InfoHash) -> Option<Contents<'_>> {
        self.torrents.get(&info_hash).map(Torrent::contents)
    }

    /// What we call ourselves to other peers.
    pub fn peer_id(&self) -> PeerId {
        self.peer_id
    }

    /// Runs `f` on a torrent, if there is one of this hash.
    fn with<R>(
        &mut self,
        now: Time,
        info_hash: InfoHash,
        f: impl FnOnce(&mut Torrent, &mut Cx<'_>) -> R,
    ) -> Option<R> {
        let (torrents, mut cx) = self.parts(now);
        Some(f(torrents.get_mut(&info_hash)?, &mut cx))
    }

    fn with_all(&mut self, now: Time, mut f: impl FnMut(&mut Torrent, &mut Cx<'_>)) {
        let (torrents, mut cx) = self.parts(now);
        for torrent in torrents.values_mut() {
            f(torrent, &mut cx);
        }
    }

    /// The torrents, and what their methods see of the rest.
    fn parts(&mut self, now: Time) -> (&mut BTreeMap<InfoHash, Torrent>, Cx<'_>) {
        let cx = Cx {
            now,
            config: &self.config,
            link: &mut self.link,
            cache: &mut self.cache,
            peer_id: self.peer_id,
        };
        (&mut self.torrents, cx)
    }

    fn handle_command(&mut self, now: Time, command: Command) {
        match command {
            Command::AddTorrent {
                metainfo,
                resume,
                paused,
            } => {
                let info_hash = metainfo.info_hash();
                if self.add(info_hash, Some(metainfo.name().to_owned()), false, paused) {
                    self.with(now, info_hash, |torrent, cx| {
                        torrent.begin(cx, metainfo, resume);
                    });
                }
            }
            Command::AddLink {
                info_hash,
                name,
                check,
                paused,
            } => {
                if self.add(info_hash, name, check, paused) {
                    self.with(now, info_hash, |torrent, cx| torrent.start(cx.now));
                }
            }
            Command::Pause(info_hash) => {
                self.with(now, info_hash, |torrent, cx| torrent.pause(cx));
            }
            Command::Resume(info_hash) => {
                self.with(now, info_hash, |torrent, cx| torrent.resume(cx.now));
            }
            Command::Remove(info_hash) => {
                self.with(now, info_hash, |torrent, cx| torrent.leave(cx, "removed"));
                self.torrents.remove(&info_hash);
                self.order.retain(|known| *known != info_hash);
                self.cache.forget(info_hash);
            }
            Command::SetStrategy(info_hash, strategy) => {
                self.with(now, info_hash, |torrent, _| torrent.set_strategy(strategy));
            }
            Command::SetPriorities(info_hash, priorities) => {
                self.with(now, info_hash, |torrent, cx| {
                    torrent.set_priorities(cx, priorities);
                });
            }
            Command::SetPlayPosition(info_hash, byte) => {
                self.with(now, info_hash, |torrent, _| torrent.set_play_position(byte));
            }
        }
    }

    /// Makes an empty torrent; false, and an event, when it is there already.
    fn add(
        &mut self,
        info_hash: InfoHash,
        name: Option<String>,
        check: bool,
        paused: bool,
    ) -> bool {
        if self.torrents.contains_key(&info_hash) {
            let reason = "this torrent is in the list already".to_owned();
            self.link
                .out
                .push_back(Output::Event(Event::Refused { reason }));
            return false;
        }
        let rng = self.rng.fork(&info_hash.to_string());
        let torrent = Torrent::from_link(info_hash, name, check, paused, self.config.strategy, rng);
        self.torrents.insert(info_hash, torrent);
        self.order.push(info_hash);
        true
    }

    fn tracker_down(&mut self, now: Time) {
        // Down first: there is nobody to tell of the channels that end.
        self.link.down();
        self.with_all(now, |torrent, cx| torrent.tracker_down(cx));
    }

    fn handle_tracker(&mut self, now: Time, message: ServerMessage) {
        self.link.heard(now);
        match message {
            ServerMessage::Welcome(welcome) => {
                self.link.welcome(welcome);
                self.with_all(now, |torrent, cx| torrent.start(cx.now));
            }
            ServerMessage::Peers(peers) => {
                self.with(now, peers.info_hash, |torrent, cx| {
                    torrent.peers(cx, &peers);
                });
            }
            ServerMessage::Incoming(incoming) => {
                let channel = incoming.channel;
                let known = self.with(now, incoming.info_hash, |torrent, cx| {
                    torrent.incoming(cx, &incoming);
                });
                if known.is_none() {
                    self.decline(channel);
                }
            }
            ServerMessage::Accepted {
                request,
                channel,
                credit,
            } => {
                let opened = self
                    .link
                    .opening
                    .remove(&request)
                    .and_then(|(info_hash, member)| {
                        self.with(now, info_hash, |torrent, cx| {
                            torrent.accepted(cx, channel, member, credit);
                        })
                    });
                if opened.is_none() {
                    self.decline(channel);
                }
            }
            ServerMessage::Refused { request, .. } => {
                if let Some((info_hash, member)) = self.link.opening.remove(&request) {
                    self.with(now, info_hash, |torrent, _| torrent.declined(member));
                }
            }
            ServerMessage::Credit { channel, bytes } => {
                self.with_session(now, channel, |torrent, cx, id| {
                    torrent.credit(cx, id, bytes);
                });
            }
            ServerMessage::Close { channel, .. } => {
                self.with_session(now, channel, |torrent, cx, id| torrent.drop_session(cx, id));
            }
            ServerMessage::Error {
                info_hash: Some(info_hash),
                reason,
            } => {
                self.with(now, info_hash, |torrent, cx| torrent.refused(cx, reason));
            }
            ServerMessage::Error { info_hash, reason } => {
                let event = Event::Tracker { info_hash, reason };
                self.link.out.push_back(Output::Event(event));
            }
            ServerMessage::Pong => {}
            ServerMessage::Data(frame) => {
                let payload = frame.payload();
                self.with_session(now, frame.channel(), |torrent, cx, id| {
                    torrent.receive(cx, id, payload);
                });
            }
        }
    }

    /// Messages of a channel that we closed may still be on their way: they are ignored.
    fn with_session(
        &mut self,
        now: Time,
        channel: ChannelId,
        f: impl FnOnce(&mut Torrent, &mut Cx<'_>, u32),
    ) {
        if let Some(&(info_hash, id)) = self.link.channels.get(&channel) {
            self.with(now, info_hash, |torrent, cx| f(torrent, cx, id));
        }
    }

    fn decline(&mut self, channel: ChannelId) {
        let reason = "not taking part in this torrent".to_owned();
        self.link.send(ClientMessage::Close { channel, reason });
    }

    fn upkeep(&mut self, now: Time) {
        if self.next_upkeep <= now {
            self.next_upkeep = now + UPKEEP;
            self.with_all(now, |torrent, cx| torrent.upkeep(cx));
        }
    }

    /// Does what has become possible: asks for blocks, sends what waits, tells the tracker.
    fn flush(&mut self, now: Time) {
        self.take_turns(now);
        loop {
            self.with_all(now, |torrent, cx| {
                torrent.tell_tracker(cx);
                torrent.refill(cx);
            });
            self.serve_in_turns(now);
            // Who took what waited for it may be asked again.
            if !self.torrents.values().any(Torrent::wants_refill) {
                return;
            }
        }
    }

    /// Looks at everybody once more, as if each had something new to say; true if that made
    /// somebody ask for a block, send one, or read a piece while nothing was being read.
    ///
    /// Nobody may depend on it: an engine that has been told everything has nothing left to
    /// do, and one that finds something let somebody wait for what nothing would have brought.
    /// For tests, which call it after every input.
    pub fn wake(&mut self, now: Time) -> bool {
        let (reads, before) = (self.cache.reads(), self.under_way());
        self.with_all(now, |torrent, cx| torrent.wake(cx));
        self.flush(now);
        // The end of any read wakes everybody.
        let idle = reads == 0 && self.cache.reads() > 0;
        idle || self.under_way() != before
    }

    /// Counts of what was begun.
    fn under_way(&self) -> Vec<[usize; 4]> {
        self.torrents.values().map(Torrent::under_way).collect()
    }

    /// A frame for each session in turn, until none can go on.
    fn serve_in_turns(&mut self, now: Time) {
        loop {
            let mut waiting: Vec<_> = self.link.ready.iter().copied().collect();
            if let Some(last) = self.link.last_served {
                let behind = waiting.partition_point(|key| *key <= last);
                waiting.rotate_left(behind);
            }
            let mut more = false;
            for key in waiting {
                let goes_on = self
                    .with(now, key.0, |torrent, cx| torrent.serve(cx, key.1))
                    .unwrap_or(false);
                if goes_on {
                    self.link.last_served = Some(key);
                    more = true;
                }
            }
            if !more {
                return;
            }
        }
    }
}
