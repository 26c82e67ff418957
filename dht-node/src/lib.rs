//! A node of the mainline DHT on UDP sockets, for programs of the command line: what it does
//! is decided in [`swarm_core::dht`], this crate moves bytes.
//!
//! - [`node`]: the loop that owns the core's state machine.
//! - [`file`](mod@file): who was known when the program ended, for when it begins again.
//! - `sockets`: one port for IPv4 and IPv6.
//! - `bootstrap`: names of nodes to join by.
//!
//! A [`DhtNode`] works while [`DhtNode::next`] is awaited. It says what the state machine says, but
//! for datagrams, and what a person may mend.
//!
//! ```no_run
//! use dht_node::{DhtNode, Event, Listen, Options, WELL_KNOWN};
//! use swarm_core::dht::{Config, Output, Request, RequestId};
//! use swarm_core::id::InfoHash;
//!
//! # async fn example(info_hash: InfoHash) -> std::io::Result<()> {
//! let mut node = DhtNode::open(Options {
//!     config: Config::default(),
//!     listen: Listen::Port(0),
//!     bootstrap: WELL_KNOWN.map(str::to_owned).to_vec(),
//!     file: None,
//! })?;
//! node.start(RequestId(1), Request::Search(info_hash));
//! loop {
//!     match node.next().await {
//!         Event::Said(Output::Peers { addresses, .. }) => println!("peers: {addresses:?}"),
//!         Event::Said(Output::Done { .. }) => break,
//!         Event::Trouble(words) => eprintln!("{words}"),
//!         _ => {}
//!     }
//! }
//! node.close();
//! # Ok(())
//! # }
//! ```

mod bootstrap;
pub mod file;
pub mod node;
mod sockets;

pub use bootstrap::host_and_port;
pub use file::TableFile;
pub use node::{DhtNode, Event, Listen, Options};

/// Nodes by which the mainline DHT is joined, run by those who make clients: BitTorrent's,
/// Transmission's and libtorrent's.
pub const WELL_KNOWN: [&str; 4] = [
    "dht.libtorrent.org:25401",
    "dht.transmissionbt.com:6881",
    "router.bittorrent.com:6881",
    "router.utorrent.com:6881",
];
