//! Everything a swarm of browser tabs decides, without I/O.
//!
//! There is no clock here, no randomness but what grows from a seed, no socket, no file, no
//! thread and no async. State machines are told what happened and when, and say what is to be
//! done: the same inputs give the same outputs on every platform, byte for byte.
//!
//! # Where to begin
//!
//! There are three state machines, each of the same shape. A host hands one an input with the
//! time (`handle`), carries out its outputs until there are none (`poll_output`), and arms one
//! timer (`poll_timeout`), at which it hands it a tick.
//!
//! - [`node::Node`] is a peer. A tab's worker, a terminal's program and the simulator are its
//!   hosts. In it an [`engine::Engine`] decides about torrents, and knows nothing of what carries
//!   its channels.
//! - [`hub::Hub`] is the tracker and relay.
//! - [`dht::Dht`] is a node of the mainline DHT.
//!
//! # A torrent from one peer to another
//!
//! The smallest swarm: two engines and a channel between them, whose host is this example. A node
//! would find the other peer and open the channel by itself.
//!
//! ```
//! use std::collections::BTreeMap;
//!
//! use bytes::Bytes;
//! use sha1::{Digest, Sha1};
//! use swarm_core::engine::{
//!     Command, Config, Done, Engine, Input, Opening, Output, PeerPath, Resume, StoreError,
//!     Work,
//! };
//! use swarm_core::id::{ChannelId, ChannelKey, LinkId, MemberId};
//! use swarm_core::metainfo::{Builder, NewFile};
//! use swarm_core::net::{Contact, LaneLimits, RelayPolicy};
//! use swarm_core::peer::UNCOUNTED;
//! use swarm_core::pieces::Bitfield;
//! use swarm_core::time::Time;
//!
//! // A torrent of one file, in four pieces of 32 KiB, the last of which is shorter.
//! const PIECE: u32 = 32 << 10;
//! let file: Vec<u8> = (0..100_000_u32).map(|n| (n % 251) as u8).collect();
//! let pieces: Vec<Bytes> = file.chunks(PIECE as usize).map(Bytes::copy_from_slice).collect();
//! let hashes = pieces.iter().flat_map(|piece| <[u8; 20]>::from(Sha1::digest(piece)));
//! let path = vec!["numbers.bin".to_owned()];
//! let files = vec![NewFile { path, length: file.len() as u64 }];
//! let torrent = Builder::new(None, files, Some(PIECE))?.finish(hashes.collect(), Vec::new(), false);
//! let info_hash = torrent.info_hash();
//!
//! // One peer has all of it, the other knows its info-hash, as from a link.
//! let mut now = Time::ZERO;
//! let mut peers = [1, 2].map(|seed| Engine::<Bytes>::new(Config::default(), seed, now));
//! let mut stores = [(0..).zip(pieces.clone()).collect(), BTreeMap::<u32, Bytes>::new()];
//! let have = Resume::Pieces(Bitfield::full(4));
//! let seed = Command::AddTorrent { metainfo: torrent, resume: have, paused: false };
//! let leech = Command::AddLink { info_hash, name: None, check: false, paused: false };
//! peers[0].handle(now, Input::Command(seed));
//! peers[1].handle(now, Input::Command(leech));
//!
//! // They meet: both are on a link, and the second opened a channel to the first.
//! let link = LinkId(0);
//! let opening = |to: u32| Opening {
//!     info_hash,
//!     channel: ChannelKey { link, channel: ChannelId(1) },
//!     contact: Contact::Member { link, member: MemberId(to) },
//!     path: PeerPath::Relay,
//!     here: [0; 4],
//! };
//! for peer in &mut peers {
//!     let limits = LaneLimits { max_channels: 8, max_payload: 64 << 10 };
//!     peer.handle(now, Input::LinkUp { link, limits, policy: RelayPolicy::Free });
//! }
//! let peer_id = peers[1].peer_id();
//! let (room, crossing) = (UNCOUNTED, false);
//! peers[0].handle(now, Input::Offered { opening: opening(2), peer_id, room, crossing });
//! peers[1].handle(now, Input::Opened { opening: opening(1), room });
//!
//! // The host's loop. What one sends, the other receives at once.
//! while stores[1].len() < pieces.len() {
//!     for one in 0..2 {
//!         while let Some(output) = peers[one].poll_output() {
//!             match output {
//!                 Output::Send { channel, parts } => {
//!                     let mut bytes = Vec::new();
//!                     parts.iter().for_each(|part| part.append_to(&mut bytes));
//!                     peers[one].handle(now, Input::Sent { link, bytes: bytes.len() });
//!                     let bytes = bytes.into();
//!                     peers[1 - one].handle(now, Input::Received { channel, bytes });
//!                 }
//!                 Output::Store(job, work) => {
//!                     let store = &mut stores[one];
//!                     let piece = job.piece.get();
//!                     let done = match work {
//!                         Work::Read { .. } => {
//!                             Done::Read(store.get(&piece).cloned().ok_or(StoreError::Missing))
//!                         }
//!                         Work::Hash { data } => Done::Hashed(Sha1::digest(&data).into()),
//!                         Work::Write { data } => {
//!                             store.insert(piece, data);
//!                             Done::Written(Ok(()))
//!                         }
//!                         Work::Verify => unreachable!("of pieces that are too long for memory"),
//!                     };
//!                     peers[one].handle(now, Input::Store(job, done));
//!                 }
//!                 // Nobody else is to be found, and nothing is counted.
//!                 _ => {}
//!             }
//!         }
//!     }
//!     // Both wait: time goes on to where the next of them has something to do.
//!     let timers = peers.iter().filter_map(Engine::poll_timeout);
//!     now = timers.map(|(due, _)| due).min().expect("engines have upkeep").max(now);
//!     peers.iter_mut().for_each(|peer| peer.handle(now, Input::Tick));
//! }
//! assert!(stores[1] == stores[0]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What is where
//!
//! - [`node`]: a peer as hosts drive it: an engine, the links to servers, what finds others.
//! - [`engine`]: what is decided about torrents; [`peer`]: one remote peer, [`choke`]: who is
//!   served; [`net`]: what is known of the ways to others; [`find`]: what finds them.
//! - [`hub`]: the tracker and relay; [`dht`]: a node of the mainline DHT.
//! - [`overlay`]: how tabs of many swarms find each other without a server, in the DHT's buckets.
//! - [`wire`]: every schema that travels between them.
//! - [`pieces`]: how a torrent is cut, and what to ask for next.
//! - [`metainfo`]: `.torrent` files and links; [`bencode`] below both.
//! - [`record`]: what went into an engine, as bytes, and the same once more.
//! - [`chunk`]: bytes that pass without being looked at.
//! - [`sorted`]: maps and sets that take little code.
//! - [`time`], [`rng`], [`id`]: the vocabulary.

pub mod bencode;
pub mod choke;
pub mod chunk;
pub mod dht;
pub mod engine;
pub mod find;
pub mod hub;
pub mod id;
pub mod metainfo;
pub mod net;
pub mod node;
pub mod overlay;
pub mod peer;
pub mod pieces;
pub mod record;
pub mod rng;
pub mod sorted;
pub mod time;
pub mod wire;
