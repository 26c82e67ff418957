//! Every schema that travels, a file for each family of messages.

pub mod extension;
pub mod peer;
pub mod relay;
