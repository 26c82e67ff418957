//! Nodes of the DHT among each other, in a network in memory.

mod abuse;
mod finding;
mod network;
mod storing;
mod upkeep;
