//! The peer: every torrent, every session, every decision, without I/O.
//!
//! A host owns an [`Engine`] and runs this loop: [`Engine::handle`] an [`Input`], drain
//! [`Engine::poll_output`] until it returns none, arm one timer for
//! [`Engine::poll_timeout`] and report it as [`Input::Tick`]. A tick that comes early, or
//! twice, changes nothing. [`Engine::view`] is what a person sees.
//!
//! `handle` never fails: a remote's fault closes that channel with a reason, a command
//! that can't be carried out becomes an [`Event`].

pub mod config;
pub mod io;
pub mod view;

pub use config::Config;
pub use io::{Command, Event, Input, Output, Resume, StoreError, TimerKind};
pub use view::{PeerPath, PeerView, TorrentState, TorrentView, TrackerView, View};

use crate::time::Time;

/// See the module.
#[derive(Debug)]
pub struct Engine {}

impl Engine {
    /// An engine without torrents. `seed` comes from the host's system.
    pub fn new(config: Config, seed: u64, now: Time) -> Self {
        let _ = (config, seed, now);
        todo!()
    }
    /// Something happened.
    pub fn handle(&mut self, now: Time, input: Input) {
        let _ = (now, input);
        todo!()
    }
    /// The next thing for the host to do.
    pub fn poll_output(&mut self) -> Option<Output> {
        todo!()
    }
    /// When to send [`Input::Tick`], and why.
    pub fn poll_timeout(&self) -> Option<(Time, TimerKind)> {
        todo!()
    }
    /// What a person sees.
    pub fn view(&self, now: Time) -> View {
        let _ = now;
        todo!()
    }
}
