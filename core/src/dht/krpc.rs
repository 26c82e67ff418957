//! KRPC (BEP 5): one bencoded dictionary in one datagram; a query, its answer, or an error.
//!
//! BEP 32 adds nodes and peers with IPv6 addresses, BEP 42 the asker's address in answers,
//! BEP 43 nodes that are not to be asked, BEP 44 values. For tabs, which have neither kind of
//! address, there is `nodest`: a node's twenty bytes and eight of its tag, as peers have eight.
//!
//! What is read is only what is understood. A field that is missing or of another type fails
//! the message if nothing can be done without it, and is as good as absent otherwise; keys that
//! nobody here knows are passed over. Of a key that comes twice the first one counts.

mod read;
#[cfg(test)]
mod tests;
mod write;

use serde::{Deserialize, Serialize};

use super::address::{Contact, Family, NodeAddress};
use super::id::NodeId;

/// The longest datagram that is read, in bytes: a value, nodes of both families, and half as
/// much again.
pub const MAX_DATAGRAM: usize = 2048;

/// The shortest that can be one (libtorrent).
const MIN_DATAGRAM: usize = 20;

/// The longest transaction that is sent back, in bytes. Two are usual.
pub const MAX_TRANSACTION: usize = 20;

/// The longest token that is sent back, in bytes. Four or eight are usual.
pub const MAX_TOKEN: usize = 64;

/// Nodes of one family that are read of one answer: 20 are the most that others' k is.
pub const MAX_NODES: usize = 32;

/// Peers that are read of one answer.
pub const MAX_VALUES: usize = 128;

/// Bytes of an error's words that are kept.
const MAX_WORDS: usize = 128;

/// One datagram.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Chosen by who asks, sent back by who answers.
    pub transaction: Transaction,
    /// What the software calls itself (`v`).
    pub version: Option<[u8; 4]>,
    /// Who sent it is not to be asked, nor put into tables (`ro`, BEP 43).
    pub read_only: bool,
    /// In answers, where they are sent (`ip`, BEP 42). Never a tab.
    pub ip: Option<NodeAddress>,
    /// What it says.
    pub body: Body,
}

/// The bytes by which a query and its answer know each other, at most [`MAX_TRANSACTION`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transaction(pub Vec<u8>);

/// What a message says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// A question.
    Query(Query),
    /// What was asked for.
    Response(Response),
    /// It was refused.
    Error(KrpcError),
}

/// A question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// Who asks.
    pub id: NodeId,
    /// Which families' nodes are wanted (BEP 32); of the one that carries it if none are.
    pub want: Want,
    /// What.
    pub ask: Ask,
}

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Whether somebody is there (`ping`).
    Ping,
    /// The closest nodes (`find_node`).
    FindNode {
        /// To what.
        target: NodeId,
    },
    /// Peers, and the closest nodes (`get_peers`).
    GetPeers {
        /// Of which torrent.
        info_hash: NodeId,
    },
    /// To remember the asker as a peer (`announce_peer`).
    AnnouncePeer {
        /// Of which torrent.
        info_hash: NodeId,
        /// Where it takes connections.
        port: u16,
        /// It does so at the port that it sends from, whatever `port` says.
        implied_port: bool,
        /// From an answer to `get_peers`.
        token: Vec<u8>,
    },
    /// A value, and the closest nodes (`get`, BEP 44).
    Get {
        /// Its key.
        target: NodeId,
        /// Only if it is newer than this.
        seq: Option<i64>,
    },
    /// To remember a value (`put`, BEP 44).
    Put {
        /// It.
        value: Vec<u8>,
        /// What a mutable one has.
        signed: Option<Signed>,
        /// Only in the place of one with this sequence number.
        cas: Option<i64>,
        /// From an answer to `get`.
        token: Vec<u8>,
    },
}

/// What a mutable value has, beside itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// The public key.
    pub key: [u8; 32],
    /// The salt: it travels in queries alone.
    pub salt: Vec<u8>,
    /// The sequence number.
    pub seq: i64,
    /// The signature.
    pub signature: [u8; 64],
}

/// Families.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Want {
    /// `n4`.
    pub v4: bool,
    /// `n6`.
    pub v6: bool,
    /// `nt`.
    pub tabs: bool,
}

/// An answer to any query: what it was is not said in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// Who answers.
    pub id: NodeId,
    /// The closest nodes, all families' together.
    pub nodes: Vec<Contact>,
    /// Peers.
    pub values: Vec<NodeAddress>,
    /// To be sent back with an announce or a value.
    pub token: Option<Vec<u8>>,
    /// A value.
    pub value: Option<Vec<u8>>,
    /// The key and the signature of a mutable one.
    pub signed: Option<([u8; 32], [u8; 64])>,
    /// Its sequence number, which may come alone.
    pub seq: Option<i64>,
}

/// A refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KrpcError {
    /// One of [`code`], or any other number.
    pub code: i64,
    /// For a person to read.
    pub message: String,
}

/// The numbers of errors.
pub mod code {
    /// Something went wrong (BEP 5).
    pub const GENERIC: i64 = 201;
    /// The node can't (BEP 5).
    pub const SERVER: i64 = 202;
    /// Malformed, or a bad token (BEP 5).
    pub const PROTOCOL: i64 = 203;
    /// No such query (BEP 5).
    pub const METHOD_UNKNOWN: i64 = 204;
    /// The value is too long (BEP 44).
    pub const VALUE_TOO_LONG: i64 = 205;
    /// The signature does not fit (BEP 44).
    pub const BAD_SIGNATURE: i64 = 206;
    /// The salt is too long (BEP 44).
    pub const SALT_TOO_LONG: i64 = 207;
    /// The value there is not the one that was to be replaced (BEP 44).
    pub const CAS_MISMATCH: i64 = 301;
    /// The value there is newer (BEP 44).
    pub const SEQ_TOO_LOW: i64 = 302;
}

/// Why some bytes are no message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// Shorter or longer than any is, or not one dictionary.
    #[error("not a message of the DHT")]
    Shape,
    /// Not bencoding, or more of it than is read.
    #[error("not a message of the DHT: {0}")]
    Bencode(#[from] crate::bencode::BencodeError),
    /// It can't be answered, nor belong to what was asked.
    #[error("a message without a transaction")]
    Transaction,
    /// Neither query nor answer nor error.
    #[error("a message of no known kind")]
    Kind,
    /// A query that is not understood. It can be answered.
    #[error("a query that is not understood: {}", .error.message)]
    Query {
        /// Its transaction.
        transaction: Transaction,
        /// What to answer.
        error: KrpcError,
    },
    /// An answer that says nothing.
    #[error("an answer without {0}")]
    Response(&'static str),
}

impl Message {
    /// Reads a datagram.
    pub fn parse(bytes: &[u8]) -> Result<Self, ParseError> {
        read::message(bytes)
    }

    /// Its bytes, canonical bencoding.
    pub fn encode(&self) -> Vec<u8> {
        write::message(self)
    }
}

impl Want {
    /// One family.
    pub fn only(family: Family) -> Self {
        let mut want = Want::default();
        want.add(family);
        want
    }

    /// This one too.
    pub fn add(&mut self, family: Family) {
        match family {
            Family::V4 => self.v4 = true,
            Family::V6 => self.v6 = true,
            Family::Tab => self.tabs = true,
        }
    }

    /// It is wanted.
    pub fn has(self, family: Family) -> bool {
        match family {
            Family::V4 => self.v4,
            Family::V6 => self.v6,
            Family::Tab => self.tabs,
        }
    }

    /// None is.
    pub fn is_empty(self) -> bool {
        self == Want::default()
    }
}
