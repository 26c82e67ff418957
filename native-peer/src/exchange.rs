//! What peers tell each other of the servers that they use, from the host's side: ours are told,
//! theirs are followed.

use swarm_core::engine::Standing;
use swarm_core::id::{InfoHash, LinkId};
use swarm_core::node::Input;
use swarm_core::sorted::{SortedMap, SortedSet};

use crate::links::Links;
use crate::recording::Recording;

type Node = swarm_core::node::Node<Recording>;

/// What the node knows of it. See the module.
#[derive(Debug, Default)]
pub(crate) struct Exchange {
    /// Links of each torrent, where not all torrents have all of them.
    links: SortedMap<InfoHash, SortedSet<LinkId>>,
    /// What others may be told.
    used: SortedMap<InfoHash, Vec<String>>,
}

impl Exchange {
    /// Follows what has changed; what the node is to be told of it.
    pub(crate) fn follow(
        &mut self,
        torrents: &[InfoHash],
        node: &Node,
        links: &mut Links,
    ) -> Vec<Input> {
        let mut news = Vec::new();
        for info_hash in torrents {
            links.follow(*info_hash, node.heard_trackers(*info_hash));
        }
        for &info_hash in torrents {
            if links.are_divided() {
                let now = links.links_of(info_hash);
                if self.links.insert(info_hash, now.clone()).as_ref() != Some(&now) {
                    let links = Some(now);
                    news.push(Input::Links { info_hash, links });
                }
            }
            let members = node.standings(info_hash).into_iter();
            let members = members.filter(|at| at.standing == Standing::Member);
            let used = members.filter_map(|at| links.address(at.link));
            let used: Vec<String> = used.map(ToString::to_string).collect();
            let before = self.used.insert(info_hash, used.clone());
            if before.unwrap_or_default() != used {
                news.push(Input::TellTrackers {
                    info_hash,
                    addresses: used,
                });
            }
        }
        self.links
            .retain(|info_hash, _| torrents.contains(info_hash));
        self.used
            .retain(|info_hash, _| torrents.contains(info_hash));
        news
    }
}
