//! Which addresses are proxies.

use std::net::IpAddr;
use std::str::FromStr;

/// An address, or all of a network: `192.0.2.1`, `172.30.5.0/24`, `2001:db8::/32`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proxies {
    address: IpAddr,
    /// So many bits at its beginning count.
    bits: u32,
}

impl Proxies {
    /// This address, which is no IPv4 address in disguise, is one of them.
    pub(crate) fn contain(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                let different = u32::from(network) ^ u32::from(address);
                different.leading_zeros() >= self.bits
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                let different = u128::from(network) ^ u128::from(address);
                different.leading_zeros() >= self.bits
            }
            _ => false,
        }
    }
}

impl FromStr for Proxies {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "it must be an address such as 127.0.0.1, or a network of proxies alone such as 172.30.5.0/24";
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(longest), str::parse).map_err(|_| wrong())?;
        // Those before it say of an IPv4 address that it is in disguise.
        let plain = address.to_canonical();
        let disguise = if plain == address { 0 } else { 96 };
        if !(disguise..=longest).contains(&bits) {
            return Err(wrong().to_owned());
        }
        Ok(Proxies {
            address: plain,
            bits: bits - disguise,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "in a test it is how to fail")]

    use super::*;

    #[test]
    fn an_address_is_itself_and_a_network_is_all_of_it() {
        for (proxies, inside, outside) in [
            ("192.0.2.1", "192.0.2.1", "192.0.2.0"),
            ("::ffff:192.0.2.1", "192.0.2.1", "::1"),
            ("::ffff:172.16.0.0/108", "172.31.255.255", "172.32.0.0"),
            ("::ffff:192.0.2.1/128", "192.0.2.1", "192.0.2.0"),
            ("::ffff:0.0.0.0/96", "203.0.113.9", "::"),
            ("172.18.3.4/12", "172.31.255.255", "172.32.0.0"),
            ("0.0.0.0/0", "203.0.113.9", "::"),
            ("2001:db8::/33", "2001:db8:7fff::1", "2001:db8:8000::"),
            ("::1", "::1", "127.0.0.1"),
        ] {
            let network: Proxies = proxies.parse().unwrap();
            assert!(network.contain(inside.parse().unwrap()), "{proxies}");
            assert!(!network.contain(outside.parse().unwrap()), "{proxies}");
        }
    }

    #[test]
    fn what_is_neither_is_refused() {
        for wrong in [
            "",
            "localhost",
            "192.0.2",
            "192.0.2.1:80",
            "192.0.2.0/33",
            "::/129",
            "::ffff:192.0.2.0/24",
            "::ffff:192.0.2.0/95",
            "::ffff:192.0.2.0/129",
            "192.0.2.0/",
            "192.0.2.0/-1",
            "192.0.2.0/24/24",
        ] {
            assert!(wrong.parse::<Proxies>().is_err(), "{wrong}");
        }
    }
}
