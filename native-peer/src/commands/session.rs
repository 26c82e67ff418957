//! What `seed` and `get` have in common: a host with one torrent, on a screen, until it
//! is done or somebody stops it.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use swarm_core::engine::{Command, Config, Enough, Event, TorrentState};
use swarm_core::id::InfoHash;
use swarm_core::metainfo::Metainfo;
use swarm_core::net::Rates;
use swarm_core::pieces::{Bitfield, PieceIndex, Priority, Strategy};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::network::{Joined, Network};
use crate::Error;
use crate::host::{Host, HostEvent};
use crate::pace;
use crate::recording::Recording;
use crate::screen::Screen;
use crate::share::Remark;
use crate::signals::Signals;
use crate::status::bytes;
use crate::store::{Changed, Store};
use crate::text::{complain, plain, shown};

/// How often the screen is drawn.
const FRAME: Duration = Duration::from_millis(250);
/// How long what was sent last may take to leave, once there was enough of sharing.
const LAST_BYTES: Duration = Duration::from_secs(5);
/// How long to wait for the tracker when we leave.
const FAREWELL: Duration = Duration::from_secs(2);

/// So many remarks on a folder are told one by one.
const MAX_REMARKS: usize = 20;

/// See the module.
pub(super) struct Session {
    host: Host,
    pub(super) screen: Screen,
    signals: Signals,
    info_hash: InfoHash,
    store: Option<Arc<dyn Store>>,
    /// Files that changed are being read again.
    rechecking: JoinSet<Vec<Changed>>,
    /// Since when everything is here, and when there was enough of sharing it.
    sharing: Option<(Instant, Enough)>,
    /// Since when there was.
    enough_since: Option<Instant>,
}

/// What a session came to.
pub(super) enum Reached {
    /// The metadata of a link.
    Metadata(Metainfo),
    /// What the store holds was checked: these pieces.
    Checked(Bitfield),
    /// Every wanted piece is verified and written.
    Completed,
    /// Files changed, and nothing of them or of others is left; told already.
    NothingLeft,
    /// There was enough of sharing; told already.
    GaveEnough,
    /// Somebody stopped it; the exit code of that signal.
    Stopped(u8),
}

impl Session {
    /// Must be called within a Tokio runtime.
    pub(super) fn begin(
        network: &Network,
        screen: Screen,
        command: Command,
        recording: Option<Recording>,
    ) -> Result<Self, Error> {
        let signals = Signals::listen()
            .map_err(|e| Error::Other(format!("cannot listen to signals: {e}")))?;
        let seed = getrandom::u64()
            .map_err(|e| Error::Other(format!("the system has no randomness: {e}")))?;
        let info_hash = command.info_hash();
        let mut config = Config::terminal();
        let Joined {
            wires,
            webrtc,
            dht,
            carrying,
            peers,
        } = network.join(&mut config)?;
        let mut host = Host::recorded(config, network.relays.clone(), seed, recording);
        if let Some(webrtc) = webrtc {
            host.link_directly(webrtc);
        }
        if let Some(wires) = wires {
            let port = wires.address().port();
            host.join_network(wires);
            host.call(peers);
            if network.lsd {
                host.discover(port, seed);
            }
            if let Some(dht) = dht {
                host.join_dht(dht, port);
            }
            if let Some(carrying) = carrying {
                host.carry(carrying);
            }
        }
        host.trust_trackers(network.typed.clone());
        host.announce(info_hash, network.announce.clone());
        host.ask_web_seeds(info_hash, network.web_seeds.clone());
        host.command(command);
        Ok(Session {
            host,
            screen,
            signals,
            info_hash,
            store: None,
            rechecking: JoinSet::new(),
            sharing: None,
            enough_since: None,
        })
    }

    pub(super) fn attach(&mut self, store: Arc<dyn Store>) {
        self.store = Some(store.clone());
        self.host.attach(self.info_hash, store);
    }

    /// Says how much each file is wanted.
    pub(super) fn set_priorities(&mut self, priorities: Vec<Priority>) {
        self.host
            .command(Command::SetPriorities(self.info_hash, priorities));
    }

    /// Says in which order pieces are wanted.
    pub(super) fn set_strategy(&mut self, strategy: Strategy) {
        self.host
            .command(Command::SetStrategy(self.info_hash, strategy));
    }

    /// Wants nothing any more of a torrent of so many files: what is lost from now on is not
    /// fetched again.
    pub(super) fn only_give(&mut self, files: usize) {
        self.set_priorities(vec![Priority::Skip; files]);
    }

    /// So many bytes a second may be given and taken.
    pub(super) fn set_rates(&mut self, rates: Rates) {
        self.host.set_rates(rates);
    }

    /// Everything is here: it is shared until there was enough of that.
    pub(super) fn share_until(&mut self, enough: Enough) {
        self.sharing = Some((Instant::now(), enough));
    }

    /// These pieces are not here after all.
    pub(super) fn lose(&mut self, pieces: Vec<PieceIndex>) {
        self.host.lost(self.info_hash, pieces);
    }

    /// Works until something is reached.
    pub(super) async fn run(&mut self) -> Result<Reached, Error> {
        let mut frames = interval(FRAME);
        frames.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                event = self.host.next_event() => match event {
                    HostEvent::Engine(event) => if let Some(reached) = self.hear(event)? {
                        return Ok(reached);
                    },
                    HostEvent::Refused(reason) => {
                        self.screen.tell(&format!("the tracker says: {reason}"));
                    }
                    HostEvent::Trouble(trouble) => self.screen.tell(&trouble),
                },
                _ = frames.tick() => {
                    self.recheck();
                    self.draw();
                    if let Some(why) = self.gave_enough() {
                        self.screen.say(&format!("{why}: sharing ends"));
                        return Ok(Reached::GaveEnough);
                    }
                }
                Some(changed) = self.rechecking.join_next() => match changed {
                    Ok(changed) => if !self.take_changes(changed) {
                        return Ok(Reached::NothingLeft);
                    },
                    Err(error) => std::panic::resume_unwind(error.into_panic()),
                },
                code = self.signals.next() => return Ok(Reached::Stopped(code)),
            }
        }
    }

    /// The engine says something; what is reached by it, if anything is.
    fn hear(&mut self, event: Event) -> Result<Option<Reached>, Error> {
        Ok(Some(match event {
            Event::Metadata(metainfo) => Reached::Metadata(metainfo),
            Event::Checked(_, have) => Reached::Checked(have),
            Event::Completed(_) => Reached::Completed,
            Event::Failed { reason, .. } => return Err(Error::Other(reason.to_string())),
            Event::Refused { reason } => return Err(Error::Other(reason.to_string())),
            // The host's.
            Event::DhtNode(_) | Event::Asked { .. } => return Ok(None),
            Event::Lost { reason, .. } => {
                self.tell_loss(&reason.to_string());
                return Ok(None);
            }
            Event::Banned { peer, .. } => {
                let peer = plain(&peer);
                self.screen
                    .say(&format!("{peer} sent corrupt data and is avoided now"));
                return Ok(None);
            }
        }))
    }

    /// Works until `work` has ended, or somebody stops it: then `Err`, with the exit code.
    pub(super) async fn run_beside<T>(
        &mut self,
        work: impl Future<Output = T>,
    ) -> Result<Result<T, u8>, Error> {
        let mut work = pin!(work);
        loop {
            tokio::select! {
                result = &mut work => return Ok(Ok(result)),
                reached = self.run() => if let Reached::Stopped(code) = reached? {
                    return Ok(Err(code));
                },
            }
        }
    }

    /// Why there was enough of sharing, if there was.
    fn gave_enough(&mut self) -> Option<String> {
        let (since, enough) = self.sharing?;
        let view = self.host.view();
        let torrent = view.torrents.first()?;
        let contents = self.host.contents(self.info_hash)?;
        let length = contents.metainfo?.length();
        let reached = enough.reached(torrent.uploaded, length, since.elapsed())?;
        // Somebody may lack no more than what has not left yet.
        let since = *self.enough_since.get_or_insert_with(Instant::now);
        let is_over = self.host.is_quiet() || since.elapsed() > LAST_BYTES;
        is_over.then(|| pace::words(enough, reached))
    }

    /// Has files read again that look as if they had changed.
    fn recheck(&mut self) {
        if let Some(store) = &self.store
            && self.rechecking.is_empty()
            && store.is_doubtful()
        {
            let store = store.clone();
            self.rechecking.spawn_blocking(move || store.recheck());
        }
    }

    /// Files changed. False if nothing is left.
    fn take_changes(&mut self, changed: Vec<Changed>) -> bool {
        let mut lost = Vec::new();
        for changed in changed {
            self.screen.say(&in_words(&changed));
            lost.extend(changed.lost);
        }
        if lost.is_empty() {
            return true;
        }
        self.lose(lost);
        let view = self.host.view();
        let mut torrents = view.torrents.iter();
        torrents.any(|torrent| {
            let have = self.host.contents(torrent.info_hash);
            let have = have.and_then(|contents| contents.have);
            have.is_some_and(|have| !have.is_empty())
        })
    }

    /// A piece could not be read. Which files changed is told once they were read again.
    fn tell_loss(&mut self, reason: &str) {
        self.recheck();
        if self.rechecking.is_empty() {
            self.screen.tell(reason);
        }
    }

    fn draw(&mut self) {
        if let Some(error) = self.host.recording_failure() {
            self.screen.say(&format!(
                "the recording ends here, the transfer goes on: {error}"
            ));
        }
        let view = self.host.view();
        for torrent in &view.torrents {
            self.screen.update(torrent, view.tracker, self.host.link());
        }
    }

    /// Verified bytes over all bytes, if pieces are here already.
    pub(super) fn progress(&self) -> Option<f64> {
        let view = self.host.view();
        let torrent = view.torrents.first()?;
        matches!(
            torrent.state,
            TorrentState::Downloading | TorrentState::Seeding
        )
        .then_some(torrent.progress)
    }

    /// Ends it well. A second signal ends it at once.
    pub(super) async fn end(mut self) {
        self.screen.clear();
        if let Some(recording) = self.host.end_recording() {
            let path = shown(recording.path());
            match recording.finish() {
                Ok(length) => {
                    let length = bytes(length);
                    self.screen
                        .say(&format!("the recording, {length}, is in {path}"));
                }
                Err(error) => self
                    .screen
                    .say(&format!("the recording is not complete: {error}")),
            }
        }
        tokio::select! {
            () = self.host.shut_down(FAREWELL) => {}
            _ = self.signals.next() => {}
        }
    }
}

/// What became of a file that changed.
fn in_words(changed: &Changed) -> String {
    let Changed {
        file,
        lost,
        pieces,
        unreadable,
    } = changed;
    match (unreadable, lost.len()) {
        (Some(why), _) => format!("{file} can't be read any more and is not shared: {why}"),
        (None, 0) => format!("{file} was touched; it holds what it held, and is shared on"),
        (None, lost) => {
            format!(
                "{file} changed: {lost} of its {pieces} pieces differ and are not shared any more"
            )
        }
    }
}

/// A thread for the host and its sockets, beside those for the disk. A second one costs more than it
/// does: the two wake each other for every stretch of bytes (half a gigabyte to three peers: 4.4 s
/// of processors with one, 5.1 with two).
pub(super) fn runtime() -> Result<Runtime, Error> {
    runtime_of(1)
}

/// Does `work` on a thread as above; where there is WebRTC, its cryptography has another. The thread
/// that waits for it is none of them: what a connection has for the host would have to wake it.
pub(super) fn run_on_runtime<T: Send + 'static>(
    webrtc: bool,
    work: impl Future<Output = T> + Send + 'static,
) -> Result<T, Error> {
    runtime_of(1 + usize::from(webrtc))?.block_on(async {
        match tokio::spawn(work).await {
            Ok(result) => Ok(result),
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    })
}

fn runtime_of(threads: usize) -> Result<Runtime, Error> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .enable_all()
        .build()
        .map_err(|e| Error::Other(format!("cannot start threads: {e}")))
}

pub(super) fn tell_remarks(remarks: &[Remark]) {
    for remark in remarks.iter().take(MAX_REMARKS) {
        complain(&remark.to_string());
    }
    if let Some(more) = remarks.len().checked_sub(MAX_REMARKS + 1) {
        complain(&format!("and {} more like these", more + 1));
    }
}
