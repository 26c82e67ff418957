//! Nodes of the DHT that a torrent file names (`nodes`, BEP 5, "Torrent file extensions").

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use super::{parse, path};
use crate::bencode::Value;
use crate::net::contact::may_tell;
use crate::sorted::SortedSet;

/// The most that are read: more than a file need name for one of them to be there.
const MOST: usize = 32;
/// The longest name of a host (RFC 1035, section 2.3.4).
const MAX_HOST: usize = 255;
/// Whoever made the file may mean our network, and cannot mean our machine.
const TELLER: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 0));

/// The nodes by which a torrent file says that the DHT is to be joined, each `HOST:PORT`, in
/// order and each once, at most 32. None in what is no torrent file, and none of a private one
/// (BEP 27).
pub fn nodes_of_torrent(bytes: &[u8]) -> Vec<String> {
    let Ok(root) = Value::first_of(bytes, parse::LIMITS) else {
        return Vec::new();
    };
    let private = field(root, b"info").and_then(|info| field(info, b"private"));
    if private.and_then(Value::integer).unwrap_or(0) != 0 {
        return Vec::new();
    }
    let nodes = field(root, b"nodes").and_then(Value::list);
    let mut seen = SortedSet::new();
    let nodes = nodes.into_iter().flatten().filter_map(node);
    let nodes = nodes.filter(|node| seen.insert(node.clone()));
    nodes.take(MOST).collect()
}

/// The value of a key in a dictionary.
fn field<'a>(dictionary: Value<'a>, key: &[u8]) -> Option<Value<'a>> {
    let mut entries = dictionary.entries()?;
    entries
        .find(|(other, _)| *other == key)
        .map(|(_, value)| value)
}

/// `["host", port]`.
fn node(pair: Value<'_>) -> Option<String> {
    let mut parts = pair.list()?;
    let host = std::str::from_utf8(parts.next()?.string()?).ok()?;
    let port = u16::try_from(parts.next()?.integer()?).ok()?;
    if port == 0 || parts.next().is_some() {
        return None;
    }
    if let Ok(ip) = host.parse::<IpAddr>() {
        let address = SocketAddr::new(ip, port);
        return may_tell(TELLER, address).then(|| address.to_string());
    }
    let fit = |c: char| !c.is_whitespace() && !c.is_control() && !path::is_deceptive(c);
    let named = (1..=MAX_HOST).contains(&host.len()) && !host.contains([':', '/', '@', '[']);
    (named && host.chars().all(fit)).then(|| format!("{host}:{port}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nodes(private: &str, nodes: &str) -> Vec<String> {
        nodes_of_torrent(format!("d4:infod4:name1:a{private}e5:nodes{nodes}e").as_bytes())
    }

    #[test]
    fn nodes_are_read_as_bep_5_has_them() {
        let two = "ll9:127.0.0.1i6881eel16:your.router.nodei4804eel7:8.8.8.8i1ee\
                   l11:2001:db8::1i80eel7:8.8.8.8i1eee";
        let read = ["your.router.node:4804", "8.8.8.8:1", "[2001:db8::1]:80"];
        // The machine that reads it is not meant, and nobody twice.
        assert_eq!(nodes("", two), read);
        assert!(nodes("7:privatei1e", two).is_empty());
        assert_eq!(nodes("7:privatei0e", two), read);
    }

    #[test]
    fn what_is_no_node_is_passed_over() {
        for bad in [
            "li1ee",
            "ll1:ai0eee",
            "ll1:ai65536eee",
            "ll1:ai-1eee",
            "ll1:aee",
            "ll1:ai1ei1eee",
            "ll0:i1eee",
            "ll3:a bi1eee",
            "ll3:a:bi1eee",
            "ll1:\ni1eee",
            "l3:a:1e",
            "d1:ai1ee",
            "3:a:1",
        ] {
            assert!(nodes("", bad).is_empty(), "{bad}");
        }
        assert_eq!(nodes("", "ll1:ai0eel1:bi1eee"), ["b:1"]);
        let many: String = (1..100).map(|port| format!("l1:ai{port}ee")).collect();
        assert_eq!(nodes("", &format!("l{many}e")).len(), MOST);
    }

    #[test]
    fn any_bytes_are_read_or_not() {
        arbtest::arbtest(|u| {
            let bytes: Vec<u8> = u.arbitrary()?;
            let mut torrent = b"d5:nodesl".to_vec();
            torrent.extend(&bytes);
            torrent.extend(b"ee");
            for node in nodes_of_torrent(&torrent) {
                let (host, port) = node.rsplit_once(':').expect("there is a port");
                assert!(!host.is_empty() && port.parse::<u16>().is_ok());
            }
            nodes_of_torrent(&bytes);
            Ok(())
        });
    }
}
