//! What `seed` and `get` have in common: a host with one torrent, on a screen, until it
//! is done or somebody stops it.

use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use swarm_core::engine::{Command, Config, Event, TorrentState};
use swarm_core::id::InfoHash;
use swarm_core::metainfo::Metainfo;
use swarm_core::pieces::{Priority, Strategy};
use tokio::runtime::Runtime;
use tokio::time::{MissedTickBehavior, interval};

use crate::Error;
use crate::address::TrackerAddress;
use crate::host::Host;
use crate::recording::Recording;
use crate::screen::Screen;
use crate::signals::Signals;
use crate::status::bytes;
use crate::store::Store;
use crate::text::{complain, plain, shown};

/// How often the screen is drawn.
const FRAME: Duration = Duration::from_millis(250);
/// How long to wait for the tracker when we leave.
const FAREWELL: Duration = Duration::from_secs(2);

/// See the module.
pub(super) struct Session {
    host: Host,
    pub(super) screen: Screen,
    signals: Signals,
    info_hash: InfoHash,
}

/// What a session came to.
pub(super) enum Reached {
    /// The metadata of a link.
    Metadata(Metainfo),
    /// Every wanted piece is verified and written.
    Completed,
    /// Somebody stopped it; the exit code of that signal.
    Stopped(u8),
}

impl Session {
    /// Must be called within a Tokio runtime.
    pub(super) fn begin(
        tracker: TrackerAddress,
        screen: Screen,
        command: Command,
        recording: Option<Recording>,
    ) -> Result<Self, Error> {
        let signals = Signals::listen()
            .map_err(|e| Error::Other(format!("cannot listen to signals: {e}")))?;
        let seed = getrandom::u64()
            .map_err(|e| Error::Other(format!("the system has no randomness: {e}")))?;
        let info_hash = command.info_hash();
        let mut host = Host::recorded(Config::default(), tracker, seed, recording);
        host.command(command);
        Ok(Session {
            host,
            screen,
            signals,
            info_hash,
        })
    }

    pub(super) fn attach(&mut self, store: Arc<dyn Store>) {
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

    /// Works until something is reached.
    pub(super) async fn run(&mut self) -> Result<Reached, Error> {
        let mut frames = interval(FRAME);
        frames.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                event = self.host.next_event() => match event {
                    Event::Metadata(metainfo) => return Ok(Reached::Metadata(metainfo)),
                    Event::Completed(_) => return Ok(Reached::Completed),
                    Event::Failed { reason, .. } | Event::Refused { reason } => {
                        return Err(Error::Other(reason));
                    }
                    Event::Banned { peer, .. } => {
                        self.screen.say(&format!("{} sent corrupt data and is avoided now", plain(&peer)));
                    }
                    Event::Lost { reason, .. } => self.screen.say(&plain(&reason)),
                    Event::Tracker { reason, .. } => self.screen.say(&plain(&format!("the tracker says: {reason}"))),
                },
                _ = frames.tick() => self.draw(),
                code = self.signals.next() => return Ok(Reached::Stopped(code)),
            }
        }
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

/// The threads for the host, the socket and the disk.
pub(super) fn runtime() -> Result<Runtime, Error> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|e| Error::Other(format!("cannot start threads: {e}")))
}

pub(super) fn tell_skipped(links: &[PathBuf]) {
    for link in links {
        complain(&format!(
            "{} is a symbolic link and is left out",
            shown(link)
        ));
    }
}
