//! What we know of the swarm: how many there are, and who might be talked to.

use super::prospects::Prospects;
use crate::id::LinkId;
use crate::sorted::SortedMap;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Swarm {
    /// It is looked for.
    looking: bool,
    /// How many members have everything, and how many lack something, as is said behind each
    /// link. Shown until there is something newer.
    counts: SortedMap<LinkId, (u32, u32)>,
    /// Who might be talked to.
    prospects: Prospects,
}

impl Swarm {
    /// A link is gone: who was found behind it can't be reached.
    pub(super) fn forget(&mut self, link: LinkId) {
        self.prospects.forget(link);
    }

    /// Members that have everything, and that lack something. Swarms behind several links
    /// overlap: the largest is known to be there.
    pub(super) fn counts(&self) -> (u32, u32) {
        let largest = self
            .counts
            .values()
            .max_by_key(|(c, i)| u64::from(*c) + u64::from(*i));
        largest.copied().unwrap_or_default()
    }

    /// It is looked for from now on.
    pub(super) fn look(&mut self) {
        self.looking = true;
    }

    pub(super) fn is_looked_for(&self) -> bool {
        self.looking
    }

    /// So many members have everything, and so many lack something, it is said behind a link.
    pub(super) fn count(&mut self, link: LinkId, counts: (u32, u32)) {
        // Who knows of somebody need not know of everybody.
        if counts != (0, 0) || link != LinkId::NETWORK {
            self.counts.insert(link, counts);
        }
    }

    /// We are not among those behind a link any more.
    pub(super) fn leave(&mut self, link: LinkId) {
        self.prospects.forget(link);
        self.counts.remove(&link);
    }

    pub(super) fn prospects(&self) -> &Prospects {
        &self.prospects
    }

    pub(super) fn prospects_mut(&mut self) -> &mut Prospects {
        &mut self.prospects
    }
}
