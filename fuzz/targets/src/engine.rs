//! The engine: whatever a tracker, peers, a store and a person do, in any order, its
//! promises hold.
//!
//! The run plays everybody around the engine. Numbers are small, so that they collide;
//! mostly everybody behaves well enough for a download to get somewhere, for an engine that
//! refuses the first message is soon explored.

mod channel;
mod claims;
mod fixtures;
mod inputs;
mod model;
mod network;
mod news;
mod offers;
mod relay;
mod remote;
mod rescue;
mod store;
mod talk;
mod web;

use std::collections::BTreeMap;
use std::time::Duration;

use arbitrary::{Result, Unstructured};
use swarm_core::engine::{Command, Config, Event, Job, TorrentState, Work};
use swarm_core::id::{ChannelKey, InfoHash, LinkId};
use swarm_core::node::{Input, LinkOutput, Node, Output, WebOutput};
use swarm_core::time::Time;

use crate::trace;
use model::Model;
use offers::Offers;

/// Inputs of a run.
const MAX_INPUTS: usize = 400;
/// The first server, in a narrow world the only one.
const LINK: LinkId = LinkId(0);
/// Servers in a wide one.
const LINKS: u32 = 3;
/// Outputs of one input.
const MAX_OUTPUTS: usize = 2000;
/// Rounds in which a timer must move forward.
const MAX_ROUNDS: usize = 4;

/// An engine lives through what the bytes make of it.
pub fn engine(input: &[u8]) {
    let mut u = Unstructured::new(input);
    // An end of the bytes is an end of the run.
    let _ = run(&mut u);
}

fn run(u: &mut Unstructured<'_>) -> Result<()> {
    let mut world = World::new(u.arbitrary()?);
    for _ in 0..MAX_INPUTS {
        if u.is_empty() {
            break;
        }
        inputs::next(&mut world, u)?;
    }
    rescue::rescue(&mut world);
    Ok(())
}

/// An engine and what is around it.
struct World {
    engine: Node,
    config: Config,
    now: Time,
    model: Model,
    /// What the host was asked to do and has not done.
    jobs: Vec<(Job, Work)>,
    /// As `jobs`, of torrents that were removed.
    late: Vec<(Job, Work)>,
    /// Torrents that were added, and the number of each, see [`Job::added`].
    added: (u32, BTreeMap<InfoHash, u32>),
    /// What was written of pieces in parts, right or wrong.
    parts: BTreeMap<(InfoHash, u32), Vec<u8>>,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut config = narrow(seed.is_multiple_of(2));
        // Half of the worlds have one server and nothing else: there, inputs mean what they
        // always did.
        let wide = seed >> 63 == 1;
        // Those who come through several channels may be one.
        if seed.is_multiple_of(3) || wide && !seed.is_multiple_of(5) {
            config.paths.channels = 2;
        }
        if wide {
            config.paths.direct.at_once = 2;
            config.paths.direct.after = (Duration::from_secs(1), 1 << 15);
            config.paths.strangers = 2;
            config.announce.trackers = 4;
            config.listen_port = Some(6881);
            if !seed.is_multiple_of(11) {
                config.overlay.links = 2;
                config.overlay.bridges = 1;
            }
            if seed.is_multiple_of(7) {
                config.paths.rtc.at_once = 2;
            }
        }
        let offers = Offers::new(config.paths.rtc.at_once > 0);
        World {
            engine: Node::new(config.clone(), seed, Time::ZERO, None),
            config,
            now: Time::ZERO,
            model: Model {
                wide,
                offers,
                ..Model::default()
            },
            jobs: Vec::new(),
            late: Vec::new(),
            added: (0, BTreeMap::new()),
            parts: BTreeMap::new(),
        }
    }

    /// What a person sees a torrent do.
    fn state(&self, info_hash: InfoHash) -> Option<TorrentState> {
        let view = self.engine.view(self.now);
        let torrent = view.torrents.iter().find(|t| t.info_hash == info_hash)?;
        Some(torrent.state)
    }

    /// Counts the torrents that are not there yet.
    fn note_added(&mut self, command: &Command) {
        let adds = matches!(
            command,
            Command::AddTorrent { .. } | Command::AddLink { .. }
        );
        let info_hash = command.info_hash();
        if adds && self.state(info_hash).is_none() {
            let (next, numbers) = &mut self.added;
            numbers.insert(info_hash, *next);
            *next += 1;
        }
    }

    /// Lets time pass.
    fn wait(&mut self, time: Duration) {
        self.now += time;
        for channel in self.model.channels.values_mut() {
            // Requests may have timed out.
            channel.asked.clear();
        }
        self.handle(Input::Tick);
    }

    /// Gives the engine an input, and checks all that follows from it.
    fn handle(&mut self, input: Input) {
        if trace() {
            eprintln!("{:?} {input:?}", self.now.since_epoch());
        }
        if let Input::Command(command) = &input {
            self.note_added(command);
        }
        self.engine.handle(self.now, input);
        self.drain();
        let mut rounds = 0;
        while let Some((due, kind)) = self.engine.poll_timeout()
            && due <= self.now
        {
            rounds += 1;
            assert!(rounds <= MAX_ROUNDS, "the timer for {kind:?} spins");
            self.engine.handle(self.now, Input::Tick);
            self.drain();
        }
        self.model.check_paths();
        self.model.check_view(&self.engine, self.now, &self.config);
        self.engine.handle(self.now, Input::Tick);
        let spurious = self.engine.poll_output();
        assert!(
            spurious.is_none(),
            "a tick too many changed something: {spurious:?}"
        );
        self.check_that_nobody_waits_in_vain();
    }

    /// Whoever could go on is going on, or something is under way that will wake them: an
    /// engine that is made to look at everybody has nothing to do.
    fn check_that_nobody_waits_in_vain(&mut self) {
        assert!(!self.engine.wake(self.now), "somebody had to be woken");
        self.drain();
    }

    fn drain(&mut self) {
        let mut outputs = 0;
        while let Some(output) = self.engine.poll_output() {
            outputs += 1;
            assert!(outputs <= MAX_OUTPUTS, "one input, and no end of outputs");
            if trace() {
                eprintln!("    {output:?}");
            }
            match output {
                Output::Link(_, LinkOutput::Reconnect)
                | Output::Refused { .. }
                | Output::Event(_) => {
                    if let Output::Event(Event::Lost {
                        info_hash, piece, ..
                    }) = output
                        && let Some(verified) = self.model.verified.get_mut(&info_hash)
                    {
                        verified.remove(&piece.get());
                    }
                }
                Output::Link(link, LinkOutput::Data { channel, parts }) => {
                    let us = self.engine.peer_id();
                    let bytes = parts.frame(channel).payload();
                    let key = ChannelKey { link, channel };
                    self.model.hear_stretch(key, bytes, us, &self.config);
                }
                Output::Link(link, LinkOutput::Send(message)) => {
                    self.model.hear(link, message, &self.config);
                }
                Output::Wire(output) => {
                    assert!(self.model.wide, "nobody told it of the network");
                    let us = self.engine.peer_id();
                    self.model.hear_wire(output, us, &self.config);
                }
                Output::Direct(id, work) => self.model.hear_direct(id, &work),
                Output::WebTorrent(link, message) => self.model.hear_foreign(link, message),
                Output::Ask(ask) => self.model.network.hear_question(&ask),
                Output::Trouble { .. } => {}
                Output::Bridge(output) => unreachable!("it is no bridge: {output:?}"),
                Output::Web(output) => {
                    let relay_only = self.model.network.relay_only;
                    assert!(!relay_only || !matches!(output, WebOutput::Fetch(_)));
                    self.model.web.hear(output, &self.config);
                }
                Output::Store(job, work) => {
                    match &work {
                        Work::Write { data } if job.part.is_none() => {
                            self.model.check_write(job.info_hash, job.piece, data);
                        }
                        Work::Write { .. } => {
                            self.model.check_unverified(job.info_hash, job.piece);
                        }
                        Work::Read { .. } | Work::Hash { .. } | Work::Verify => {}
                    }
                    self.jobs.push((job, work));
                }
            }
        }
    }
}

/// Bounds so narrow that small inputs meet them; `in_parts` makes two parts of a piece of two
/// blocks.
fn narrow(in_parts: bool) -> Config {
    let mut config = Config {
        max_peers: 3,
        target_peers: 2,
        bytes_in_progress: 96 << 10,
        read_cache: 64 << 10,
        max_reads: 3,
        read_ahead: 20_000,
        max_checks: 2,
        receive_window: (16 << 10, 64 << 10),
        far_window: 128 << 10,
        link_budget: (32 << 10, 64 << 10),
        frame_payload: 20_000,
        max_incoming_requests: 8,
        ..Config::default()
    };
    if in_parts {
        (config.whole_piece, config.part) = (16 << 10, 16 << 10);
    }
    config.exchange.known = 2;
    config.paths.guests = 2;
    config.paths.adrift = 2;
    config.requests.start = 2;
    config.requests.queue = (1, 6);
    config.requests.far = 4;
    config.web_seeds.ahead = 4;
    config.web_seeds.range = 48 << 10;
    config.web_seeds.at_once = 1;
    config
}
