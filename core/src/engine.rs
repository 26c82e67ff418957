//! The peer: every torrent, every session, every decision, without I/O.
//!
//! It knows channels, contacts, lanes and stores, and nothing of what carries or finds them:
//! that is its [`Node`]'s, which is what hosts drive. [`Engine::handle`] an [`Input`], drain
//! [`Engine::poll_output`] until it returns none, and tick when [`Engine::poll_timeout`] says.
//! A tick that comes early, or twice, changes nothing. [`Engine::view`] is what a person sees.
//!
//! `handle` never fails: a remote's fault closes that channel with a reason, a command
//! that can't be carried out becomes an [`Event`].
//!
//! [`Node`]: crate::node::Node

mod cache;
mod channels;
mod commands;
pub mod config;
pub mod ending;
mod enough;
pub mod io;
mod queries;
mod reads;
mod tabs;
mod throttles;
mod torrent;
mod turns;
pub mod view;
mod waiting;

pub use crate::peer::{Opening, PeerPath};
pub use config::Config;
pub use ending::{Ending, Fault};
pub use enough::{Enough, Reached};
pub use io::{
    Command, DirectId, DirectNews, DirectWork, Done, Event, Failure, Found, Input, Job, Output,
    Refusal, Resume, StoreError, TimerKind, Totals, Urgency, Work,
};
pub use queries::Report;
pub use view::{
    Contents, Held, PeerContents, PeerView, Standing, TorrentState, TorrentView, TrackerView, View,
};

use std::collections::VecDeque;

use bytes::Bytes;

use crate::chunk::Chunk;
use crate::id::{ChannelKey, InfoHash, LinkId, PeerId};
use crate::peer::Opened;
use crate::rng::Rng;
use crate::sorted::SortedMap;
use crate::time::Time;

use cache::Cache;
use channels::Channels;
use tabs::Tabs;
use throttles::Throttles;
use torrent::{Cx, Torrent};
use waiting::Waiting;

/// See the module.
#[derive(Debug)]
pub struct Engine<C: Chunk = Bytes> {
    /// Not moved about with the rest: it has dozens of fields.
    config: Box<Config>,
    /// [`Config::max_peers`] and [`Config::target_peers`] while a person says nothing else.
    peers: (usize, usize),
    rng: Rng,
    peer_id: PeerId,
    torrents: SortedMap<InfoHash, Torrent<C>>,
    /// The order in which torrents were added, for people.
    order: Vec<InfoHash>,
    /// How many were.
    added: u32,
    channels: Channels,
    waiting: Waiting,
    cache: Cache<C>,
    throttles: Throttles,
    tabs: Tabs<C>,
    next_upkeep: Time,
    out: VecDeque<Output<C>>,
}

impl<C: Chunk> Engine<C> {
    /// An engine without torrents. `seed` comes from the host's system.
    pub fn new(config: Config, seed: u64, now: Time) -> Self {
        let mut rng = Rng::new(seed);
        let peer_id = PeerId::random(&mut rng);
        Engine {
            cache: Cache::new(config.read_cache, config.max_reads),
            peers: (config.max_peers, config.target_peers),
            tabs: Tabs::new(config.overlay.clone(), rng.fork("overlay")),
            config: Box::new(config),
            rng,
            peer_id,
            torrents: SortedMap::new(),
            order: Vec::new(),
            added: 0,
            channels: Channels::default(),
            waiting: Waiting::default(),
            throttles: Throttles::default(),
            next_upkeep: now,
            out: VecDeque::new(),
        }
    }

    /// Something happened.
    pub fn handle(&mut self, now: Time, input: Input<C>) {
        self.absorb(now, input);
        self.flush(now);
    }

    /// The first half of [`Engine::handle`]: takes note of what happened. Whoever looks for
    /// peers may say how far we are now.
    pub(crate) fn absorb(&mut self, now: Time, input: Input<C>) {
        match input {
            Input::Tick => {}
            Input::LinkUp {
                link,
                limits,
                policy,
            } => {
                let leads_to_others = limits.max_channels > 0;
                self.channels.link_up(link, limits, policy);
                if leads_to_others {
                    self.with_all(now, |torrent, cx| torrent.link_up(cx.now));
                }
            }
            Input::LinkDown { link } => {
                // Down first: there is nobody to tell of the channels that end.
                self.channels.link_down(link);
                self.with_all(now, |torrent, cx| torrent.link_down(cx, link));
                self.overlay_link_down(now, link);
            }
            Input::Sent { link, bytes } => {
                let pacing = self.config.pacing();
                if let Some(lane) = self.channels.lane_mut(link) {
                    lane.sent(now, pacing, bytes);
                }
            }
            Input::Found {
                info_hash,
                link,
                complete,
                incomplete,
                contacts,
            } => {
                self.with(now, info_hash, |torrent, cx| {
                    torrent.found(cx, link, (complete, incomplete), &contacts);
                });
            }
            Input::Unlisted { info_hash, link } => {
                self.with(now, info_hash, |torrent, _| torrent.unlisted(link));
            }
            Input::Displaced { info_hash, link } => {
                self.with(now, info_hash, |torrent, cx| torrent.displaced(cx, link));
            }
            Input::Offered {
                opening,
                peer_id,
                room,
                crossing,
            } => {
                let offered = Opened {
                    opening,
                    room,
                    ours: false,
                    policy: self.channels.relay_policy(opening.channel.link),
                };
                let known = self.with(now, opening.info_hash, |torrent, cx| {
                    torrent.offered(cx, &offered, peer_id, crossing);
                });
                if known.is_none() {
                    self.decline(opening.channel);
                }
            }
            Input::Opened { opening, room } => {
                self.channels.dialled(opening.info_hash, opening.contact);
                let opened = Opened {
                    opening,
                    room,
                    ours: true,
                    policy: self.channels.relay_policy(opening.channel.link),
                };
                let known = self.with(now, opening.info_hash, |torrent, cx| {
                    torrent.opened(cx, &opened);
                });
                if known.is_none() && !self.overlay_opened(now, &opening) {
                    self.decline(opening.channel);
                }
            }
            Input::Declined { info_hash, contact } => {
                if self.channels.dialled(info_hash, contact) {
                    self.with(now, info_hash, |torrent, cx| torrent.declined(cx, contact));
                }
            }
            Input::Closed { channel } => {
                self.with_session(now, channel, |torrent, cx, id| {
                    torrent.end_channel(cx, id, channel);
                });
            }
            Input::Received { channel, bytes } => {
                if let Some(bytes) = self.overlay_received(now, channel, bytes) {
                    self.with_session(now, channel, |torrent, cx, id| {
                        torrent.receive(cx, id, channel, bytes);
                    });
                }
            }
            Input::Room { channel, bytes } => {
                self.with_session(now, channel, |torrent, cx, id| {
                    torrent.room(cx, id, channel, bytes);
                });
            }
            Input::TellTrackers {
                info_hash,
                addresses,
            } => {
                self.with(now, info_hash, |torrent, _| {
                    torrent.tell_trackers(addresses);
                });
            }
            Input::RelayOnly(only) => {
                self.channels.set_relay_only(only);
                if only {
                    self.with_all(now, |torrent, cx| torrent.only_relays(cx));
                    self.leave_overlay(now);
                }
            }
            Input::Direct(id, news) if self.hear_of_link(now, id, &news) => {}
            Input::Direct(id, news) if id.channel.link == LinkId::INTRODUCED => {
                let mut torrents = self.torrents.iter();
                let of = torrents.find(|(_, torrent)| torrent.is_introducing(id.attempt));
                if let Some(info_hash) = of.map(|(info_hash, _)| *info_hash) {
                    self.with(now, info_hash, |torrent, cx| {
                        torrent.introduction_news(cx, id.attempt, news);
                    });
                }
            }
            Input::SetRates(rates) => {
                self.throttles.up.set(now, rates.up);
                self.throttles.down.set(now, rates.down);
            }
            Input::SetMaxPeers(most) => {
                let most = most.map_or(usize::MAX, |most| most.get() as usize);
                self.config.max_peers = self.peers.0.min(most);
                self.config.target_peers = self.peers.1.min(most);
                self.with_all(now, |torrent, cx| torrent.let_go_of_surplus(cx));
            }
            Input::Direct(id, news) => {
                self.with_session(now, id.channel, |torrent, cx, session| {
                    torrent.direct_news(cx, session, id, news);
                });
            }
            Input::Store(job, done) => self.handle_done(now, job, done),
            Input::Command(command) => self.handle_command(now, command),
            Input::Lost { info_hash, pieces } => {
                self.with(now, info_hash, |torrent, cx| torrent.lose(cx, &pieces));
            }
        }
        self.upkeep(now);
        self.work_for_overlay(now);
    }

    /// The next thing to be done.
    pub fn poll_output(&mut self) -> Option<Output<C>> {
        self.out.pop_front()
    }

    /// What was not polled yet.
    pub(crate) fn waiting(&self) -> &VecDeque<Output<C>> {
        &self.out
    }

    /// When to send [`Input::Tick`], and why. All that is due is done then, in steps of
    /// [`Config::upkeep`]; of several reasons the rarest is said.
    pub fn poll_timeout(&self) -> Option<(Time, TimerKind)> {
        let at = self.next_upkeep;
        let torrents = self.torrents.values();
        let kinds = torrents.filter_map(|torrent| torrent.needs_upkeep(at));
        let upkeep = kinds.min().map(|kind| (at, kind));
        let paced = self.throttles.due().map(|at| (at, TimerKind::Pace));
        let overlay = self.tabs.waits().then_some((at, TimerKind::Contacts));
        upkeep.into_iter().chain(paced).chain(overlay).min()
    }

    /// Runs `f` on a torrent, if there is one of this hash.
    fn with<R>(
        &mut self,
        now: Time,
        info_hash: InfoHash,
        f: impl FnOnce(&mut Torrent<C>, &mut Cx<'_, C>) -> R,
    ) -> Option<R> {
        let (torrents, mut cx) = self.parts(now);
        Some(f(torrents.get_mut(&info_hash)?, &mut cx))
    }

    fn with_all(&mut self, now: Time, mut f: impl FnMut(&mut Torrent<C>, &mut Cx<'_, C>)) {
        let (torrents, mut cx) = self.parts(now);
        for torrent in torrents.values_mut() {
            f(torrent, &mut cx);
        }
    }

    /// The torrents, and what their methods see of the rest.
    fn parts(&mut self, now: Time) -> (&mut SortedMap<InfoHash, Torrent<C>>, Cx<'_, C>) {
        let cx = Cx {
            now,
            config: &self.config,
            channels: &mut self.channels,
            waiting: &mut self.waiting,
            cache: &mut self.cache,
            throttles: &mut self.throttles,
            tabs: &mut self.tabs,
            out: &mut self.out,
            peer_id: self.peer_id,
        };
        (&mut self.torrents, cx)
    }

    /// Messages of a channel that we closed may still be on their way: they are ignored.
    fn with_session(
        &mut self,
        now: Time,
        channel: ChannelKey,
        f: impl FnOnce(&mut Torrent<C>, &mut Cx<'_, C>, u32),
    ) {
        if let Some((info_hash, id)) = self.channels.session(channel) {
            self.with(now, info_hash, |torrent, cx| f(torrent, cx, id));
        }
    }

    fn decline(&mut self, channel: ChannelKey) {
        let reason = Ending::UnknownTorrent;
        self.out.push_back(Output::Close { channel, reason });
    }

    fn upkeep(&mut self, now: Time) {
        if self.next_upkeep <= now {
            self.next_upkeep = now + self.config.upkeep;
            self.with_all(now, |torrent, cx| torrent.upkeep(cx));
            self.overlay_upkeep(now);
        }
    }
}
