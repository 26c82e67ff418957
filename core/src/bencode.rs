//! Bencoding (BEP 3): strict, bounded, typed through `serde_bencode`.

/// How much a decoder accepts.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The longest input, in bytes.
    pub length: usize,
    /// How deep lists and dictionaries may nest.
    pub depth: usize,
    /// How many values (integers, strings, lists, dictionaries) there may be.
    pub values: usize,
}

/// Why some bytes are not the bencoding that was expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BencodeError {
    /// The input is longer than [`Limits::length`].
    #[error("{length} bytes are more than the {limit} allowed")]
    TooLong {
        /// Bytes of the input.
        length: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// Not bencoding.
    #[error("not valid bencoding at byte {at}: {what}")]
    Invalid {
        /// Where.
        at: usize,
        /// What is wrong there.
        what: &'static str,
    },
    /// Bencoding, but not of the shape that was expected.
    #[error("{0}")]
    Shape(String),
}

/// Reads a `T`. The whole input must be one value, canonical but for the order of
/// keys, within `limits`.
pub fn decode<T: serde::de::DeserializeOwned>(input: &[u8], limits: Limits) -> Result<T, BencodeError> {
    let _ = (input, limits);
    todo!()
}

/// Writes `value`. Panics only on types that bencoding can't express (floats).
pub fn encode<T: serde::Serialize>(value: &T) -> Vec<u8> {
    let _ = value;
    todo!()
}

/// Bytes of the value at the start of `input`, for input that has something behind it
/// (BEP 9's data messages).
pub fn value_length(input: &[u8], limits: Limits) -> Result<usize, BencodeError> {
    let _ = (input, limits);
    todo!()
}

/// The raw bytes of the value under `key` in the top-level dictionary.
pub fn raw_value<'a>(input: &'a [u8], key: &[u8], limits: Limits) -> Result<Option<&'a [u8]>, BencodeError> {
    let _ = (input, key, limits);
    todo!()
}
