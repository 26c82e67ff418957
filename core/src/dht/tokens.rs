//! Tokens (BEP 5): whoever announces has shown before that it gets what is sent to its address.

use sha1::{Digest, Sha1};

use super::address::NodeAddress;
use super::config::Config;
use super::id::NodeId;
use crate::time::Time;

/// Bytes of a token of ours: guessing one takes more datagrams than anybody can send in the ten
/// minutes that it lasts.
const LENGTH: usize = 8;

/// What makes tokens. Nothing is kept for whoever asks.
#[derive(Debug)]
pub(super) struct Tokens {
    secret: [u8; 20],
    started: Time,
}

impl Tokens {
    /// Tokens of a node with this secret.
    pub(super) fn new(secret: [u8; 20], started: Time) -> Self {
        Tokens { secret, started }
    }

    /// A token for an asker, good for one target.
    pub(super) fn make(
        &self,
        now: Time,
        to: NodeAddress,
        target: NodeId,
        config: &Config,
    ) -> Vec<u8> {
        self.of(self.period(now, config), to, target).to_vec()
    }

    /// The token is one that we made for this asker and target, in this period or the last.
    pub(super) fn is_ours(
        &self,
        now: Time,
        from: NodeAddress,
        target: NodeId,
        token: &[u8],
        config: &Config,
    ) -> bool {
        let period = self.period(now, config);
        [Some(period), period.checked_sub(1)]
            .into_iter()
            .flatten()
            .any(|period| self.of(period, from, target) == token)
    }

    fn period(&self, now: Time, config: &Config) -> u64 {
        let length = config.token_rotation.as_secs().max(1);
        now.saturating_since(self.started).as_secs() / length
    }

    fn of(&self, period: u64, address: NodeAddress, target: NodeId) -> [u8; LENGTH] {
        let mut hash = Sha1::new();
        hash.update(self.secret);
        hash.update(period.to_be_bytes());
        // Without the port, which some routers change between two datagrams (BEP 5).
        match address {
            NodeAddress::V4(ip, _) => hash.update(ip.octets()),
            NodeAddress::V6(ip, _) => hash.update(ip.octets()),
            NodeAddress::Tab(tag) => hash.update(tag.0),
        }
        hash.update(target.0);
        let hash = hash.finalize();
        std::array::from_fn(|at| hash[at])
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn at(address: &str) -> NodeAddress {
        address.parse::<std::net::SocketAddr>().unwrap().into()
    }

    #[test]
    fn a_token_is_good_for_its_asker_its_target_and_its_time() {
        let config = Config::default();
        let tokens = Tokens::new([5; 20], Time::ZERO);
        let (asker, target) = (at("9.8.7.6:5"), NodeId([1; 20]));
        let token = tokens.make(Time::ZERO, asker, target, &config);
        let ours = |seconds, from, target| {
            let now = Time::ZERO + Duration::from_secs(seconds);
            tokens.is_ours(now, from, target, &token, &config)
        };
        assert!(ours(0, asker, target));
        assert!(ours(599, at("9.8.7.6:999"), target));
        assert!(!ours(600, asker, target));
        assert!(!ours(0, at("9.8.7.7:5"), target));
        assert!(!ours(0, asker, NodeId([2; 20])));
        let other = Tokens::new([6; 20], Time::ZERO);
        assert!(!other.is_ours(Time::ZERO, asker, target, &token, &config));
    }
}
