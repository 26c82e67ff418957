//! Nodes of the DHT among each other, in a network in memory.

mod finding;
mod network;
