//! Local service discovery (BEP 14): who takes part in a torrent in the local network.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddrV4};

use crate::id::InfoHash;

/// Where datagrams go, and come from.
pub const GROUP: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(239, 192, 152, 143), 6771);

/// The longest datagram that is read or written, in bytes (BEP 14).
pub const MAX_LENGTH: usize = 1400;

/// Torrents of one datagram that are read: as many as fit.
const MAX_TORRENTS: usize = 22;

/// The longest cookie that is read, in bytes.
const MAX_COOKIE: usize = 64;

/// Somebody takes part in torrents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LsdMessage {
    /// The TCP port at which it takes connections.
    pub port: u16,
    /// Which torrents.
    pub torrents: Vec<InfoHash>,
    /// By which the sender knows its own messages.
    pub cookie: Option<String>,
}

/// Why a datagram is no such message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LsdError {
    /// It is longer than [`MAX_LENGTH`].
    #[error("too long")]
    TooLong,
    /// It does not begin as BEP 14 has it.
    #[error("not a search for local peers")]
    NoSearch,
    /// It names no port, or one that nobody can call.
    #[error("no port")]
    NoPort,
    /// It names no torrent.
    #[error("no info-hash")]
    NoInfoHash,
}

impl LsdMessage {
    /// The datagram. There must be a torrent, and no more than fit into it.
    pub fn encode(&self) -> Vec<u8> {
        let mut text = format!(
            "BT-SEARCH * HTTP/1.1\r\nHost: {GROUP}\r\nPort: {}\r\n",
            self.port
        );
        for info_hash in &self.torrents {
            write!(text, "Infohash: {info_hash}\r\n").expect("strings take everything");
        }
        if let Some(cookie) = &self.cookie {
            write!(text, "cookie: {cookie}\r\n").expect("strings take everything");
        }
        text.push_str("\r\n\r\n");
        text.into_bytes()
    }

    /// Reads a datagram. What is not understood in it is skipped.
    pub fn decode(datagram: &[u8]) -> Result<Self, LsdError> {
        if datagram.len() > MAX_LENGTH {
            return Err(LsdError::TooLong);
        }
        let text = String::from_utf8_lossy(datagram);
        let mut lines = text.lines();
        let first = lines.next().unwrap_or_default();
        if !first.starts_with("BT-SEARCH * HTTP/1.") {
            return Err(LsdError::NoSearch);
        }
        let (mut port, mut torrents, mut cookie) = (None, Vec::new(), None);
        for line in lines {
            let Some((name, value)) = line.split_once(':') else {
                continue;
            };
            let value = value.trim();
            match name.trim().to_ascii_lowercase().as_str() {
                "port" => port = value.parse().ok(),
                "infohash" if torrents.len() < MAX_TORRENTS => {
                    torrents.extend(value.parse::<InfoHash>());
                }
                "cookie" if value.len() <= MAX_COOKIE => cookie = Some(value.to_owned()),
                _ => {}
            }
        }
        let port = port.filter(|port| *port != 0).ok_or(LsdError::NoPort)?;
        if torrents.is_empty() {
            return Err(LsdError::NoInfoHash);
        }
        Ok(LsdMessage {
            port,
            torrents,
            cookie,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message() -> LsdMessage {
        LsdMessage {
            port: 6881,
            torrents: vec![InfoHash([0x1a; 20])],
            cookie: Some("7f".to_owned()),
        }
    }

    #[test]
    fn a_message_has_golden_bytes() {
        let golden = "BT-SEARCH * HTTP/1.1\r\nHost: 239.192.152.143:6771\r\nPort: 6881\r\n\
                      Infohash: 1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a\r\ncookie: 7f\r\n\r\n\r\n";
        assert_eq!(message().encode(), golden.as_bytes());
        assert_eq!(LsdMessage::decode(golden.as_bytes()), Ok(message()));
        let shouted = golden.replace("Infohash", "INFOHASH").replace("1a", "1A");
        assert_eq!(LsdMessage::decode(shouted.as_bytes()), Ok(message()));
    }

    #[test]
    fn arbitrary_messages_come_back_and_arbitrary_bytes_are_taken() {
        arbtest::arbtest(|u| {
            let count = u.int_in_range(1..=20)?;
            let torrents = (0..count).map(|_| Ok(InfoHash(u.arbitrary()?)));
            let message = LsdMessage {
                torrents: torrents.collect::<arbitrary::Result<_>>()?,
                port: u.int_in_range(1..=u16::MAX)?,
                cookie: None,
            };
            assert!(message.encode().len() <= MAX_LENGTH);
            assert_eq!(LsdMessage::decode(&message.encode()), Ok(message));
            let bytes: Vec<u8> = u.arbitrary()?;
            let _ = LsdMessage::decode(&bytes);
            let mut bytes = self::message().encode();
            let at = u.choose_index(bytes.len())?;
            bytes[at] = u.arbitrary()?;
            let _ = LsdMessage::decode(&bytes);
            Ok(())
        });
    }

    #[test]
    fn what_is_no_search_is_named() {
        let decode = |text: &str| LsdMessage::decode(text.as_bytes()).unwrap_err();
        let search = "BT-SEARCH * HTTP/1.1\r\n";
        assert_eq!(decode(""), LsdError::NoSearch);
        assert_eq!(decode("GET / HTTP/1.1\r\n"), LsdError::NoSearch);
        assert_eq!(decode(search), LsdError::NoPort);
        assert_eq!(decode(&format!("{search}Port: 0\r\n")), LsdError::NoPort);
        assert_eq!(
            decode(&format!("{search}Port: 9\r\n")),
            LsdError::NoInfoHash
        );
        assert_eq!(decode(&"x".repeat(MAX_LENGTH + 1)), LsdError::TooLong);
    }
}
