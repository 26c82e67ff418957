//! Where others say that we are (BEP 42).

use std::net::IpAddr;

use super::address::{NodeAddress, Site};
use super::config::Config;

/// What those who answered us said, the last of each.
#[derive(Debug, Default)]
pub(super) struct Votes {
    votes: Vec<(Site, IpAddr)>,
}

impl Votes {
    /// Somebody says that we are there. The address that most agree on, if enough do.
    pub(super) fn cast(
        &mut self,
        voter: NodeAddress,
        address: IpAddr,
        config: &Config,
    ) -> Option<IpAddr> {
        let voter = voter.subnet();
        self.votes.retain(|(who, _)| *who != voter);
        // Twice the number that must agree: an address that changed is outvoted in time.
        if self.votes.len() >= config.address_votes.max(1) * 2 {
            self.votes.remove(0);
        }
        self.votes.push((voter, address));
        let agreed = self.votes.iter().filter(|(_, said)| *said == address);
        let agreed = agreed.count();
        (agreed >= config.address_votes && agreed * 2 > self.votes.len()).then_some(address)
    }

    /// Begins anew.
    pub(super) fn clear(&mut self) {
        self.votes = Vec::new();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn voter(n: u8) -> NodeAddress {
        NodeAddress::V4([9, 9, n, 1].into(), 5)
    }

    #[test]
    fn an_address_counts_once_enough_networks_agree() {
        let config = Config::default();
        let mut votes = Votes::default();
        let (ours, lie) = ([1, 2, 3, 4].into(), [6, 6, 6, 6].into());
        for n in 0..7 {
            assert_eq!(votes.cast(voter(n), ours, &config), None);
            // The same network has one vote.
            assert_eq!(votes.cast(voter(200), lie, &config), None);
        }
        assert_eq!(votes.cast(voter(7), ours, &config), Some(ours));
    }

    #[test]
    fn an_address_that_changed_wins_in_time() {
        let config = Config::default();
        let mut votes = Votes::default();
        for n in 0..16 {
            votes.cast(voter(n), [1, 2, 3, 4].into(), &config);
        }
        let new = [4, 3, 2, 1].into();
        let won = (16..40).find(|n| votes.cast(voter(*n), new, &config).is_some());
        assert_eq!(won, Some(24));
    }
}
