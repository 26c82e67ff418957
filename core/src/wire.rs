//! Every schema that travels, a file for each family of messages.

pub mod extension;
mod fields;
pub mod peer;
pub mod relay;
