//! What a page that shows a torrent's swarm gets to see of it. It asks while the picture is open and
//! somebody sees it; else nothing is looked at, and nothing kept.

use std::rc::Rc;

use swarm_core::engine::view::SwarmTold;
use swarm_core::id::InfoHash;
use swarm_core::time::Time;

use super::host::Host;
use crate::messages::{ToPage, Watching};

/// A swarm that somebody looks at.
#[derive(Debug)]
pub(super) struct Watched {
    info_hash: InfoHash,
    told: SwarmTold,
    /// It was told nothing yet.
    is_new: bool,
    /// The page waits for what comes next.
    is_wanted: bool,
}

impl Host {
    /// The page wants to see a swarm, or no more of it.
    pub(super) fn watch(self: &Rc<Self>, info_hash: InfoHash, watching: Watching) {
        let mut show = self.show.borrow_mut();
        let watched = &mut show.watched;
        match watching {
            Watching::Next => {
                let found = watched.iter_mut().find(|it| it.info_hash == info_hash);
                if let Some(watched) = found {
                    watched.is_wanted = true;
                }
                drop(show);
                self.changed();
            }
            Watching::Begin | Watching::End => {
                watched.retain(|it| it.info_hash != info_hash);
                if watching == Watching::Begin && self.node().contents(info_hash).is_some() {
                    watched.push(Watched {
                        info_hash,
                        told: SwarmTold::default(),
                        is_new: true,
                        is_wanted: true,
                    });
                    drop(show);
                    self.show_now();
                }
            }
        }
    }

    /// Tells what the page waits for, where something is new. Torrents that are gone are forgotten.
    pub(super) fn tell_watched(&self, watched: &mut Vec<Watched>, now: Time) {
        watched.retain_mut(|watched| {
            let node = self.node();
            let info_hash = watched.info_hash;
            let Some(contents) = node.contents(info_hash) else {
                return false;
            };
            if watched.is_wanted {
                let peers = node.peers(now, info_hash);
                let changes = watched.told.news(&contents, &peers);
                let changes = changes.or(watched.is_new.then(Default::default));
                if let Some(changes) = changes {
                    let news = postcard::to_allocvec(&changes);
                    let news = news.expect("everything in it can be written");
                    let is_first = std::mem::take(&mut watched.is_new);
                    watched.is_wanted = false;
                    self.tell(
                        &ToPage::Swarm {
                            info_hash,
                            is_first,
                            news,
                        },
                        &[],
                    );
                }
            }
            true
        });
    }
}
