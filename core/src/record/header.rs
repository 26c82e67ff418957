//! How a recording begins.
//!
//! The header is one bencoded dictionary, and the configuration in it another, each field
//! under its name: one that the reader doesn't know is skipped, and one that it misses is as
//! in [`Config::default`]. So a recording stays readable when configurations grow, whichever
//! of the two versions is the newer one.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::RecordError;
use crate::bencode::{self, DecodeLimits, Dict};
use crate::engine::Config;
use crate::time::Time;

/// What a header may cost: several times what one has.
const LIMITS: DecodeLimits = DecodeLimits {
    length: 64 << 10,
    depth: 8,
    values: 4096,
};

/// What a replay needs before the first input. The names of its fields are the format.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// The version of the engine that was recorded. Another version may decide otherwise.
    pub software: String,
    /// The engine's seed.
    #[serde(with = "eight_bytes")]
    pub seed: u64,
    /// When the engine was made, in its host's time.
    pub start: Duration,
    /// The engine's configuration.
    pub config: Config,
}

impl Header {
    /// The header of an engine of this version.
    pub fn new(config: Config, seed: u64, start: Time) -> Self {
        Header {
            software: env!("CARGO_PKG_VERSION").to_owned(),
            seed,
            start: start.since_epoch(),
            config,
        }
    }

    /// Its bytes. Numbers of 2⁶³ and more, which only a configuration's times could be, are
    /// written and not read back.
    pub(super) fn encode(&self) -> Vec<u8> {
        bencode::encode(self)
    }

    /// Reads what [`Header::encode`] wrote, in this version or another. Whether its numbers
    /// make sense is another question.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, RecordError> {
        let header = Self::read(bytes)?;
        // What is read can be written again: with all that was missing it may be too long.
        Self::read(&header.encode())?;
        Ok(header)
    }

    fn read(bytes: &[u8]) -> Result<Self, RecordError> {
        // Without the error's words, of which some may be those of the recording.
        let Dict(header) = bencode::decode(bytes, LIMITS).map_err(|_| RecordError::Header)?;
        Ok(header)
    }
}

#[cfg(test)]
mod tests;

/// A number as eight bytes: bencoding's integers have a sign.
mod eight_bytes {
    use serde::{Deserialize, Deserializer, Serializer};
    use serde_bytes::ByteArray;

    #[allow(
        clippy::trivially_copy_pass_by_ref,
        reason = "serde asks for a reference; it is trivial where pointers are that long"
    )]
    pub(super) fn serialize<S: Serializer>(number: &u64, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_bytes(&number.to_be_bytes())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<u64, D::Error> {
        let bytes = ByteArray::<8>::deserialize(d)?;
        Ok(u64::from_be_bytes(bytes.into_array()))
    }
}
