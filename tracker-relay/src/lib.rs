//! Tracker, relay and web page of a swarm of browser tabs, on one port.
//!
//! What it decides stands in [`swarm_core::hub`]; this crate moves bytes.
//!
//! - `server`: accepts connections, and shuts down.
//! - `http`, `reply`, `client`, `proxies`, `page`: the page, the way into a WebSocket, and who may take it.
//! - `status`: what it tells of itself.
//! - `tracker`: ordinary clients, over HTTP.
//! - `switchboard`: the hub behind a lock, and what waits to be sent to each client.
//! - `connection`, `socket`, `pace`: one WebSocket, and when it is read from.
//! - `datagrams`: what is asked and answered in single ones.
//! - `overlay`: a node of the DHT.
//! - `context`: what every connection shares.
//! - `config`, `shares`, `counters`: what is limited, who has how much of it, how often a
//!   limit was met.

mod client;
mod config;
mod connection;
mod context;
mod counters;
mod datagrams;
mod http;
mod overlay;
mod pace;
mod page;
mod proxies;
mod reply;
mod server;
mod shares;
mod socket;
mod status;
mod switchboard;
mod tracker;

pub use config::{Config, Page};
pub use proxies::Proxies;
pub use server::{Server, Sockets, serve};
