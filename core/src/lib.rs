//! Everything a swarm of browser tabs decides, without I/O.
//!
//! - [`node`]: a peer. Hosts (a tab's worker, a terminal, the simulator) feed it
//!   inputs with the time, and do what its outputs say.
//! - [`engine`]: what a node decides about torrents, whatever carries its channels;
//!   [`net`]: what it knows of those; [`find`]: what finds others.
//! - [`hub`]: the tracker and relay, of the same shape; [`dht`]: a node of the mainline DHT.
//! - [`overlay`]: how tabs of many swarms find each other without a server, in the DHT's buckets.
//! - [`wire`]: every schema that travels between them.
//! - [`pieces`]: how a torrent is cut, and what to ask for next.
//! - [`metainfo`]: `.torrent` files and links; [`bencode`] below both.
//! - [`record`]: what went into an engine, as bytes, and the same once more.
//! - [`chunk`]: bytes that pass without being looked at.
//! - [`sorted`]: maps and sets that take little code.
//! - [`time`], [`rng`], [`id`]: the vocabulary.
//!
//! There is no clock here, no randomness but what grows from a seed, no socket, no
//! file, no thread and no async: the same inputs give the same outputs on every
//! platform, byte for byte.

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
