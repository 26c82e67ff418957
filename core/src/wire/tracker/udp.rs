//! UDP trackers (BEP 15), from both sides, with BEP 41's options.
//!
//! A client first asks for a connection id, which proves that it gets what is sent to its
//! address, and uses it for a minute. Each request has a transaction, a number that comes back
//! in the response. Numbers are big-endian; a length beyond what is described is passed over.

use std::net::SocketAddr;

use super::http::{compact_addresses, compact_bytes};
use super::{Announce, Counts, Event, MAX_BYTES, MAX_PEERS, MAX_SCRAPE, printable};
use crate::id::{InfoHash, PeerId};

mod options;
#[cfg(test)]
mod tests;

/// What a client says to a tracker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// Asks for a connection id.
    Connect {
        /// Comes back in the response.
        transaction: u32,
    },
    /// Announces.
    Announce {
        /// From [`Response::Connect`].
        connection: u64,
        /// Comes back in the response.
        transaction: u32,
        /// What is announced. It always has a key.
        announce: Announce,
        /// The path and query of the tracker's URL (BEP 41), at most [`MAX_PATH`] bytes.
        path: Vec<u8>,
    },
    /// Asks how swarms stand.
    Scrape {
        /// From [`Response::Connect`].
        connection: u64,
        /// Comes back in the response.
        transaction: u32,
        /// Which, at most [`MAX_SCRAPE`].
        swarms: Vec<InfoHash>,
    },
}

/// What a tracker answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Response {
    /// A connection id.
    Connect {
        /// Of the request.
        transaction: u32,
        /// To be sent with the next requests, for a minute.
        connection: u64,
    },
    /// The announce was taken.
    Announce {
        /// Of the request.
        transaction: u32,
        /// Seconds until the client should announce again.
        interval: u32,
        /// Peers that lack something.
        incomplete: u32,
        /// Peers that have everything.
        complete: u32,
        /// Some of them, all of the family of the addresses through which it was asked.
        peers: Vec<SocketAddr>,
    },
    /// How the swarms stand, in the order in which they were asked about.
    Scrape {
        /// Of the request.
        transaction: u32,
        /// One for each, at most [`MAX_SCRAPE`].
        counts: Vec<Counts>,
    },
    /// It was refused.
    Error {
        /// Of the request.
        transaction: u32,
        /// Why, for a person to read; at most [`MAX_REASON`](crate::wire::relay::MAX_REASON) bytes.
        reason: String,
    },
}

/// Why a datagram is not what was expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UdpError {
    /// It is too short, or has a length that it can't have.
    #[error("not a datagram of the trackers' protocol: {0} bytes")]
    Length(usize),
    /// It asks for a connection, and does not begin as BEP 15 has it.
    #[error("not a datagram of the trackers' protocol: no protocol id")]
    Magic,
    /// It is something else.
    #[error("a datagram with the unknown action {0}")]
    Action(u32),
}

/// The longest path that is read, in bytes.
pub const MAX_PATH: usize = 512;

/// The connection id of a request for one.
const MAGIC: u64 = 0x0417_2710_1980;

const CONNECT: u32 = 0;
const ANNOUNCE: u32 = 1;
const SCRAPE: u32 = 2;
const ERROR: u32 = 3;

impl Request {
    /// The transaction, which comes back in the response.
    pub fn transaction(&self) -> u32 {
        match self {
            Request::Connect { transaction }
            | Request::Announce { transaction, .. }
            | Request::Scrape { transaction, .. } => *transaction,
        }
    }

    /// The datagram.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(98);
        match self {
            Request::Connect { transaction } => {
                head(&mut bytes, MAGIC, CONNECT, *transaction);
            }
            Request::Announce {
                connection,
                transaction,
                announce,
                path,
            } => {
                head(&mut bytes, *connection, ANNOUNCE, *transaction);
                bytes.extend(announce.info_hash.0);
                bytes.extend(announce.peer_id.0);
                bytes.extend(announce.downloaded.to_be_bytes());
                bytes.extend(announce.left.unwrap_or(u64::MAX).to_be_bytes());
                bytes.extend(announce.uploaded.to_be_bytes());
                bytes.extend(event_number(announce.event).to_be_bytes());
                // Ours is the address that we send from.
                bytes.extend([0; 4]);
                bytes.extend(announce.key.unwrap_or_default().to_be_bytes());
                let numwant = announce.numwant.and_then(|count| i32::try_from(count).ok());
                bytes.extend(numwant.unwrap_or(-1).to_be_bytes());
                bytes.extend(announce.port.to_be_bytes());
                options::write(path, &mut bytes);
            }
            Request::Scrape {
                connection,
                transaction,
                swarms,
            } => {
                head(&mut bytes, *connection, SCRAPE, *transaction);
                bytes.extend(swarms.iter().take(MAX_SCRAPE).flat_map(|it| it.0));
            }
        }
        bytes
    }

    /// Reads a datagram. Of more than [`MAX_SCRAPE`] swarms the first.
    pub fn decode(datagram: &[u8]) -> Result<Self, UdpError> {
        let mut rest = Reader::new(datagram);
        let (connection, action, transaction) = (rest.u64()?, rest.u32()?, rest.u32()?);
        match action {
            CONNECT if connection == MAGIC => Ok(Request::Connect { transaction }),
            CONNECT => Err(UdpError::Magic),
            ANNOUNCE => Ok(Request::Announce {
                connection,
                transaction,
                announce: rest.announce()?,
                path: options::read(rest.bytes),
            }),
            SCRAPE => Ok(Request::Scrape {
                connection,
                transaction,
                swarms: {
                    let (swarms, _) = rest.bytes.as_chunks();
                    let swarms = swarms.iter().take(MAX_SCRAPE);
                    swarms.map(|hash| InfoHash(*hash)).collect()
                },
            }),
            unknown => Err(UdpError::Action(unknown)),
        }
    }
}

impl Response {
    /// The transaction of the request that it answers.
    pub fn transaction(&self) -> u32 {
        match self {
            Response::Connect { transaction, .. }
            | Response::Announce { transaction, .. }
            | Response::Scrape { transaction, .. }
            | Response::Error { transaction, .. } => *transaction,
        }
    }

    /// The datagram. Peers must be of one family.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut numbers =
            |numbers: &[u32]| bytes.extend(numbers.iter().flat_map(|it| it.to_be_bytes()));
        match self {
            Response::Connect {
                transaction,
                connection,
            } => {
                numbers(&[CONNECT, *transaction]);
                bytes.extend(connection.to_be_bytes());
            }
            Response::Announce {
                transaction,
                interval,
                incomplete,
                complete,
                peers,
            } => {
                numbers(&[ANNOUNCE, *transaction, *interval, *incomplete, *complete]);
                bytes.extend(compact_bytes(peers.iter().copied()));
            }
            Response::Scrape {
                transaction,
                counts,
            } => {
                numbers(&[SCRAPE, *transaction]);
                for it in counts {
                    numbers(&[it.complete, it.downloaded, it.incomplete]);
                }
            }
            Response::Error {
                transaction,
                reason,
            } => {
                numbers(&[ERROR, *transaction]);
                bytes.extend(printable(reason.as_bytes()).bytes());
            }
        }
        bytes
    }

    /// Reads a datagram that came over IPv6, or (not `ipv6`) over IPv4.
    pub fn decode(datagram: &[u8], ipv6: bool) -> Result<Self, UdpError> {
        let wrong = UdpError::Length(datagram.len());
        let mut rest = Reader::new(datagram);
        let (action, transaction) = (rest.u32()?, rest.u32()?);
        match action {
            CONNECT => Ok(Response::Connect {
                transaction,
                connection: rest.u64()?,
            }),
            ANNOUNCE => {
                let [interval, incomplete, complete] = [rest.u32()?, rest.u32()?, rest.u32()?];
                let peers: Vec<_> = match ipv6 {
                    true => compact_addresses::<16>(rest.bytes)
                        .ok_or(wrong)?
                        .take(MAX_PEERS)
                        .collect(),
                    false => compact_addresses::<4>(rest.bytes)
                        .ok_or(wrong)?
                        .take(MAX_PEERS)
                        .collect(),
                };
                Ok(Response::Announce {
                    transaction,
                    interval,
                    incomplete,
                    complete,
                    peers,
                })
            }
            SCRAPE => {
                let mut counts = Vec::new();
                while !rest.bytes.is_empty() && counts.len() < MAX_SCRAPE {
                    counts.push(Counts {
                        complete: rest.u32()?,
                        downloaded: rest.u32()?,
                        incomplete: rest.u32()?,
                    });
                }
                Ok(Response::Scrape {
                    transaction,
                    counts,
                })
            }
            ERROR => Ok(Response::Error {
                transaction,
                reason: printable(rest.bytes),
            }),
            unknown => Err(UdpError::Action(unknown)),
        }
    }
}

/// What is left of a datagram.
struct Reader<'a> {
    bytes: &'a [u8],
    length: usize,
}

impl<'a> Reader<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        let length = bytes.len();
        Reader { bytes, length }
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], UdpError> {
        let split = self.bytes.split_first_chunk();
        let (array, rest) = split.ok_or(UdpError::Length(self.length))?;
        self.bytes = rest;
        Ok(*array)
    }

    fn u32(&mut self) -> Result<u32, UdpError> {
        self.array().map(u32::from_be_bytes)
    }

    fn u64(&mut self) -> Result<u64, UdpError> {
        self.array().map(u64::from_be_bytes)
    }

    fn announce(&mut self) -> Result<Announce, UdpError> {
        let info_hash = InfoHash(self.array()?);
        let peer_id = PeerId(self.array()?);
        let [downloaded, left, uploaded] = [self.u64()?, self.u64()?, self.u64()?];
        let event = self.u32()?;
        // An address that anybody may claim.
        let _: [u8; 4] = self.array()?;
        let key = self.u32()?;
        let numwant = self.u32()?.cast_signed();
        let sent = |count: u64| if count <= MAX_BYTES { count } else { 0 };
        Ok(Announce {
            info_hash,
            peer_id,
            port: u16::from_be_bytes(self.array()?),
            uploaded: sent(uploaded),
            downloaded: sent(downloaded),
            left: (left <= MAX_BYTES).then_some(left),
            event: event_of(event),
            numwant: u32::try_from(numwant).ok(),
            key: Some(key),
        })
    }
}

fn head(bytes: &mut Vec<u8>, connection: u64, action: u32, transaction: u32) {
    bytes.extend(connection.to_be_bytes());
    bytes.extend(action.to_be_bytes());
    bytes.extend(transaction.to_be_bytes());
}

const EVENTS: [Event; 5] = [
    Event::Update,
    Event::Completed,
    Event::Started,
    Event::Stopped,
    // Not in BEP 15; libtorrent sends it so.
    Event::Paused,
];

fn event_number(event: Event) -> u32 {
    let number = EVENTS.iter().position(|it| *it == event);
    number
        .and_then(|it| u32::try_from(it).ok())
        .unwrap_or_default()
}

fn event_of(number: u32) -> Event {
    let known = usize::try_from(number).ok().and_then(|it| EVENTS.get(it));
    known.copied().unwrap_or_default()
}
