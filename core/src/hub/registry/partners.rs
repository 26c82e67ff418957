//! Who may be offered a WebRTC connection by whom.

use super::super::kind::Kind;
use super::Registry;
use crate::id::{InfoHash, MemberId, PeerId};

impl Registry {
    /// What a member is called by those that take offers, if it is one of them.
    pub(in crate::hub) fn takes_offers(
        &self,
        member: MemberId,
        info_hash: InfoHash,
    ) -> Option<PeerId> {
        let swarm = self.swarms.get(&info_hash)?;
        let [clients, takers] = [swarm.roster(Kind::WebTorrent), &swarm.takers];
        let known = clients.member(member).or_else(|| takers.member(member))?;
        Some(known.peer_id)
    }

    /// Those that one who takes offers may make some to: up to `count`, drawn at random; to a
    /// seed only such as lack something. Members of ours reach each other without.
    pub(in crate::hub) fn partners(
        &mut self,
        member: MemberId,
        info_hash: InfoHash,
        count: usize,
    ) -> Vec<MemberId> {
        let Some(swarm) = self.swarms.get(&info_hash) else {
            return Vec::new();
        };
        let (clients, takers) = (swarm.roster(Kind::WebTorrent), &swarm.takers);
        let rng = &mut self.rng;
        let mut drawn = Vec::new();
        if let Some(known) = clients.member(member) {
            drawn.extend(clients.sample_ids(member, known.seed, count, rng));
            drawn.extend(takers.sample_ids(member, known.seed, count, rng));
        } else if let Some(known) = takers.member(member) {
            drawn.extend(clients.sample_ids(member, known.seed, count, rng));
        }
        rng.shuffle(&mut drawn);
        drawn.truncate(count);
        drawn
    }
}
