//! What the commands around the DHT take.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Subcommand};

/// Says how to take part in the DHT.
#[derive(Clone, Debug, Args)]
pub(crate) struct DhtWays {
    /// The port of the DHT, by UDP; any that is free, if it is 0 or not given.
    #[arg(long, value_name = "PORT")]
    pub(crate) dht_port: Option<u16>,
    /// A node to join the DHT by, in place of those of the torrent file and the well-known ones;
    /// may be given several times.
    /// Who is met there is remembered for the next time with the same ones.
    #[arg(long, value_name = "HOST:PORT", value_parser = dht_node::host_and_port)]
    pub(crate) dht_bootstrap: Vec<String>,
}

impl DhtWays {
    /// A person speaks of it.
    pub(crate) fn is_asked_for(&self) -> bool {
        self.dht_port.is_some() || !self.dht_bootstrap.is_empty()
    }
}

/// Looks into the DHT.
#[derive(Debug, Args)]
pub(crate) struct Dht {
    #[command(subcommand)]
    pub(crate) what: DhtCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DhtCommand {
    /// Look for the peers of a torrent, and say how they were found.
    ///
    /// Nothing is announced. Ends with exit code 0 if there are peers, and with 1 if nobody
    /// knows any, or no node answers.
    Lookup(Lookup),
    /// Fetch a value (BEP 44).
    ///
    /// Ends with exit code 0 if there is one, and with 1 if nobody knows it, or no node answers.
    Get(GetValue),
    /// Store a value (BEP 44), and print its key.
    ///
    /// Nodes keep it for two hours, unless somebody stores it again.
    Put(PutValue),
    /// Join the DHT, and say which nodes are known then.
    Table(Table),
}

/// What all of them take.
#[derive(Debug, Args)]
pub(crate) struct DhtCommon {
    #[command(flatten)]
    pub(crate) ways: DhtWays,
    /// Give up after so many seconds without a single answer.
    #[arg(long, value_name = "SECONDS", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub(crate) timeout: u64,
    /// As one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Looks for peers.
#[derive(Debug, Args)]
pub(crate) struct Lookup {
    /// Its info-hash, or a share link, a magnet link or a .torrent file; `-` reads one of them from
    /// standard input.
    #[arg(value_name = "INFO-HASH")]
    pub(crate) torrent: OsString,
    #[command(flatten)]
    pub(crate) common: DhtCommon,
}

/// Fetches a value.
#[derive(Debug, Args)]
pub(crate) struct GetValue {
    /// 40 hexadecimal digits, as `put` prints them; or the 64 of somebody's public key, for a
    /// value that its owner changes.
    #[arg(value_name = "KEY", value_parser = key)]
    pub(crate) key: Key,
    /// With a public key: which of its owner's values.
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(crate) salt: String,
    #[command(flatten)]
    pub(crate) common: DhtCommon,
}

/// Stores a value.
#[derive(Debug, Args)]
pub(crate) struct PutValue {
    /// A text of at most 996 bytes; `-` reads it from standard input.
    #[arg(value_name = "VALUE")]
    pub(crate) value: String,
    /// Store it as a value that can be changed, signed with the secret key in this file, which
    /// is made if it is not there. The key that is printed is the public one.
    #[arg(long, value_name = "FILE")]
    pub(crate) secret: Option<PathBuf>,
    /// With a secret key: which of its owner's values, at most 64 bytes.
    #[arg(long, value_name = "TEXT", requires = "secret", default_value = "")]
    pub(crate) salt: String,
    /// With a secret key: the value's number, higher than that of the value before; by default
    /// the seconds since 1970.
    #[arg(long, value_name = "N", requires = "secret")]
    pub(crate) seq: Option<i64>,
    #[command(flatten)]
    pub(crate) common: DhtCommon,
}

/// Shows the routing table.
#[derive(Debug, Args)]
pub(crate) struct Table {
    #[command(flatten)]
    pub(crate) common: DhtCommon,
}

/// What a value is fetched by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    /// The SHA-1 of a value that never changes.
    Hash([u8; 20]),
    /// The public key of whoever signs it.
    Public([u8; 32]),
}

fn key(text: &str) -> Result<Key, String> {
    hex(text)
        .map(Key::Hash)
        .or_else(|| hex(text).map(Key::Public))
        .ok_or_else(|| "it must be 40 hexadecimal digits, or the 64 of a public key".to_owned())
}

/// Bytes that are written as so many hexadecimal digits.
pub(crate) fn hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let text = text.as_bytes();
    if text.len() != 2 * N {
        return None;
    }
    let digit = |at: usize| char::from(text[at]).to_digit(16);
    let mut bytes = [0; N];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::try_from(digit(2 * at)? << 4 | digit(2 * at + 1)?).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_hashes_or_public_keys() {
        assert_eq!(key(&"0a".repeat(20)), Ok(Key::Hash([10; 20])));
        assert_eq!(key(&"Ff".repeat(32)), Ok(Key::Public([255; 32])));
        for text in ["", "0", &"0g".repeat(20), &"00".repeat(21), &"é".repeat(20)] {
            assert!(key(text).is_err(), "{text}");
        }
    }
}
