//! Peers that a magnet link names (`x.pe`, BEP 9).

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use percent_encoding::percent_decode_str;

use super::TorrentLink;
use crate::net::contact::may_tell;

/// The most that are read.
const MOST: usize = 32;

/// A link comes from somebody, who may mean our network, and cannot mean our machine.
const TELLER: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 0));

/// The addresses of peers in a link, those that are written as numbers; none in what is no
/// magnet link.
pub fn peers_of_link(text: &str) -> Vec<SocketAddr> {
    let text = text.get(..TorrentLink::MAX_LENGTH).unwrap_or(text);
    let Some((_, query)) = text.split_once("magnet:?") else {
        return Vec::new();
    };
    let values = query.split('&').filter_map(|pair| {
        let pair = pair.strip_prefix("amp;").unwrap_or(pair);
        pair.strip_prefix("x.pe=")
    });
    let addresses = values.filter_map(|value| {
        let value = percent_decode_str(value).decode_utf8().ok()?;
        value.parse().ok()
    });
    let dialable = addresses.filter(|address| may_tell(TELLER, *address));
    dialable.take(MOST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_others_are_read_and_nothing_else() {
        let hash = "1a".repeat(20);
        let link = format!(
            "http://page/#magnet:?xt=urn:btih:{hash}&x.pe=9.9.9.9:6881&x.pe=%5B2001%3Adb8%3A%3A1%5D%3A80\
             &amp;x.pe=192.168.1.5:7&x.pe=127.0.0.1:22&x.pe=9.9.9.9:0&x.pe=name:80&x.pe=&pe=8.8.8.8:1"
        );
        let addresses: Vec<String> = peers_of_link(&link)
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(
            addresses,
            ["9.9.9.9:6881", "[2001:db8::1]:80", "192.168.1.5:7"]
        );
        assert!(peers_of_link(&hash).is_empty());
        let many = "&x.pe=9.9.9.9:1".repeat(100);
        assert_eq!(peers_of_link(&format!("magnet:?{many}")).len(), MOST);
        arbtest::arbtest(|u| {
            let text: String = u.arbitrary()?;
            let _ = peers_of_link(&format!("magnet:?x.pe={text}"));
            Ok(())
        });
    }
}
