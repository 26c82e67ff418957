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
        let known = swarm.roster(Kind::WebTorrent).member(member)?;
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
        let (tabs, takers) = (swarm.roster(Kind::Tab), swarm.roster(Kind::WebTorrent));
        if takers.member(member).is_none() {
            return Vec::new();
        }
        let ours = tabs.member(member).is_some();
        let drawn = takers.sample(member, count, &mut self.rng);
        let others = drawn.into_iter().map(|(member, _)| member);
        others
            .filter(|other| !ours || tabs.member(*other).is_none())
            .collect()
    }
}
