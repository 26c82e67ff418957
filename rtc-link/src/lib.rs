//! WebRTC data channels for programs of the command line: each connection is a channel that
//! carries a stream of bytes, as a tab's direct links and WebTorrent's peers do.
//!
//! ICE, DTLS and SCTP are [`str0m`]'s, which does no I/O; this crate has its sockets, a few for each
//! address of this machine, which connections share, and its clock. Descriptions (SDP) are
//! complete: no candidate travels apart from them.
//!
//! - [`endpoint`]: the handle for a host, and the task behind it.
//! - [`connection`]: one connection, without I/O.
//! - `sockets`: the machine's addresses, and datagrams.
//! - `reflexive`: how a server sees those addresses from beyond a NAT (STUN).
//! - `crypto`: what str0m is told to calculate with.
//!
//! One end offers, the other answers, and who carries their descriptions is the caller's business.
//! After that a connection is a stream of bytes that begins ([`Event::Open`]) and ends
//! ([`Event::Ended`], with the reason).
//!
//! ```no_run
//! use rtc_link::{Config, Endpoint, Event};
//! use swarm_core::net::Parts;
//!
//! # async fn example(carry: impl AsyncFn(String) -> String) -> std::io::Result<()> {
//! let mut endpoint = Endpoint::open(Config::default())?;
//! let number = 1;
//! endpoint.offer(number, Vec::new());
//! while let Some((_, event)) = endpoint.next().await {
//!     match event {
//!         // To the other end by any way, and its answer back.
//!         Event::Described(offer) => endpoint.accept(number, carry(offer).await),
//!         Event::Open => {
//!             let mut hello = Parts::default();
//!             hello.write(|bytes| bytes.extend(b"hello"));
//!             endpoint.send(number, hello);
//!         }
//!         Event::Received(bytes) => println!("{} bytes came", bytes.len()),
//!         Event::Sent(_) => {}
//!         Event::Ended(why) => {
//!             println!("{why}");
//!             break;
//!         }
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Browsers hide their addresses behind names of the local network (mDNS), which are not looked
//! up here: their own checks reach us at our addresses, and are answered to where they came from
//! (RFC 8445 §7.3.1.3).

pub mod connection;
mod crypto;
pub mod description;
pub mod endpoint;
mod error;
mod reflexive;
mod sockets;

pub use crypto::Identity;
pub use endpoint::{Config, ConnectionId, Endpoint, Event};
pub use error::LinkError;
