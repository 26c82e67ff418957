//! Which peer stands where: a peer keeps its place as long as it is there.

use swarm_core::engine::view::KnownPeer;

/// Places, by the peers that have them.
#[derive(Debug, Default)]
pub(super) struct Slots(Vec<Option<u32>>);

impl Slots {
    /// Gives places to those who came, and takes those of the ones who left.
    pub(super) fn take(&mut self, peers: &[KnownPeer]) {
        let is_here = |session: u32| peers.iter().any(|peer| peer.session == session);
        for slot in &mut self.0 {
            *slot = slot.filter(|session| is_here(*session));
        }
        for peer in peers {
            if !self.0.contains(&Some(peer.session)) {
                match self.0.iter_mut().find(|slot| slot.is_none()) {
                    Some(free) => *free = Some(peer.session),
                    None => self.0.push(Some(peer.session)),
                }
            }
        }
        // Gaps stay, or everybody would move; not where they are the most of it.
        let empty = self.0.iter().filter(|slot| slot.is_none()).count();
        if empty > peers.len() {
            self.0.retain(Option::is_some);
        }
        while self.0.last().is_some_and(Option::is_none) {
            self.0.pop();
        }
    }

    /// How many places there are.
    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    /// Where a peer stands.
    pub(super) fn of(&self, session: u32) -> Option<usize> {
        self.0.iter().position(|slot| *slot == Some(session))
    }

    /// Who stands there.
    pub(super) fn at(&self, place: usize) -> Option<u32> {
        self.0.get(place).copied().flatten()
    }

    /// Whoever stands next, in steps of 1 or -1; the first or the last after nobody.
    pub(super) fn next(&self, from: Option<u32>, back: bool) -> Option<u32> {
        let mut there: Vec<u32> = self.0.iter().flatten().copied().collect();
        if back {
            there.reverse();
        }
        let now = there.iter().position(|session| Some(*session) == from);
        let next = now.map_or(0, |now| (now + 1) % there.len());
        there.get(next).copied()
    }
}
