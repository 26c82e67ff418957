//! Tracker, relay and web page of a swarm of browser tabs, on one port.
//!
//! What it decides stands in [`swarm_core::hub`]; this crate moves bytes.
//!
//! - `server`: accepts connections, and shuts down.
//! - `http`, `page`: the page, and the way into a WebSocket.
//! - `switchboard`: the hub behind a lock, and what waits to be sent to each client.
//! - `connection`, `socket`, `pace`: one WebSocket, and when it is read from.

mod config;
mod connection;
mod http;
mod pace;
mod page;
mod server;
mod socket;
mod switchboard;

pub use config::{Config, Page};
pub use server::{Server, serve};
