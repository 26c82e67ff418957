//! Words for screen readers at the points that matter, instead of at every percent.

use swarm_core::engine::{TorrentState, View};
use swarm_core::id::InfoHash;

use super::dom::{by_id, set_text};
use super::format;
use super::words::say;

/// Remembers how far everything was.
#[derive(Default)]
pub(crate) struct Announcer(Vec<Milestone>);

impl Announcer {
    /// What is worth saying, and of which torrent.
    pub(crate) fn news(&mut self, view: &View) -> Option<(InfoHash, String)> {
        let torrents = view.torrents.iter();
        let now: Vec<Milestone> = torrents
            .map(|torrent| Milestone {
                info_hash: torrent.info_hash,
                state: torrent.state,
                quarter: (torrent.progress * 4.0) as u8,
            })
            .collect();
        // What was not there before has been announced by whoever added it.
        let is_news = |milestone: &&Milestone| {
            let before = self
                .0
                .iter()
                .find(|before| before.info_hash == milestone.info_hash);
            before.is_some_and(|before| before != *milestone)
        };
        let news = now.iter().find(is_news);
        let news = news.map(|news| (news.info_hash, news.words()));
        self.0 = now;
        news
    }
}

/// Has it read out.
pub(crate) fn read_out(words: &str) {
    set_text(&by_id("announcer"), words);
}

/// What is worth interrupting somebody for.
#[derive(PartialEq)]
struct Milestone {
    info_hash: InfoHash,
    state: TorrentState,
    quarter: u8,
}

impl Milestone {
    fn words(&self) -> String {
        match self.state {
            TorrentState::Hashing => say!("checking what is here"),
            TorrentState::Metadata => say!("looking for peers"),
            TorrentState::Downloading => {
                let percent = format::percent(f64::from(self.quarter) / 4.0);
                say!("downloading, {percent}", percent = percent)
            }
            TorrentState::Seeding => say!("complete"),
            TorrentState::Paused => say!("paused"),
            TorrentState::Error => say!("stopped by an error"),
        }
    }
}
