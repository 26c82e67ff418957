//! The connection ids of UDP trackers (BEP 15), of which nothing has to be remembered.

use std::net::IpAddr;

use sha1::{Digest, Sha1};

use crate::time::Time;

/// Gives ids out, and knows them again: each is a keyed hash of the address that it is for and
/// of the minute in which it was given. So whoever names one gets what is sent to its address,
/// and nobody makes a tracker hold anything, or answer at length, in another's name.
#[derive(Clone)]
pub struct ConnectionIds {
    secret: [u8; 32],
}

/// An id is good until the second minute after its own is over: for two minutes at the least, as
/// BEP 15 has it.
const MINUTES: u64 = 2;

impl ConnectionIds {
    /// `secret` is to be drawn anew at every start, and known to nobody.
    pub fn new(secret: [u8; 32]) -> Self {
        ConnectionIds { secret }
    }

    /// The id for a client at this address.
    pub fn issue(&self, now: Time, address: IpAddr) -> u64 {
        self.of(minute(now), address)
    }

    /// Whether the id was given to this address, and not too long ago.
    pub fn check(&self, now: Time, address: IpAddr, id: u64) -> bool {
        let now = minute(now);
        (now.saturating_sub(MINUTES)..=now).any(|minute| self.of(minute, address) == id)
    }

    /// All that is hashed has one length, so that nothing can be added to it; and of the hash
    /// less than half is told.
    fn of(&self, minute: u64, address: IpAddr) -> u64 {
        let address = match address.to_canonical() {
            IpAddr::V4(address) => address.to_ipv6_mapped(),
            IpAddr::V6(address) => address,
        };
        let hash = Sha1::new()
            .chain_update(self.secret)
            .chain_update(minute.to_be_bytes())
            .chain_update(address.octets())
            .finalize();
        let (id, _) = hash.split_first_chunk().expect("a hash has twenty bytes");
        u64::from_be_bytes(*id)
    }
}

impl std::fmt::Debug for ConnectionIds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ConnectionIds")
    }
}

fn minute(now: Time) -> u64 {
    now.since_epoch().as_secs() / 60
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn an_id_is_good_for_its_address_and_for_two_minutes() {
        let ids = ConnectionIds::new([7; 32]);
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        let (one, two) = (address("192.0.2.1"), address("192.0.2.2"));
        for begin in [0, 59_999, 60_000, 1_000_000] {
            let begin = Time::from_millis(begin);
            let id = ids.issue(begin, one);
            assert!(ids.check(begin, address("::ffff:192.0.2.1"), id));
            assert!(ids.check(begin + Duration::from_secs(120), one, id));
            assert!(!ids.check(begin + Duration::from_secs(180), one, id));
            assert!(!ids.check(begin, two, id));
            assert!(!ids.check(begin, one, id ^ 1));
            assert!(!ConnectionIds::new([8; 32]).check(begin, one, id));
        }
    }
}
