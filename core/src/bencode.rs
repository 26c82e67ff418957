//! Bencoding (BEP 3): strict, bounded, typed; read and written through `serde`.
//!
//! Every input is walked once without recursion and without allocating by what it claims
//! ([`DecodeLimits`]), and only then read by a type, which may recurse as deep as the input does.
//! `i-0e`, `03:abc`, repeated keys and trailing bytes are refused.
//!
//! Accepted is canonical bencoding but for one thing: keys may come in any order, because
//! real torrents have unsorted ones, and their bytes are what is hashed. Integers must fit
//! 64 bits with a sign. What is written is canonical, keys sorted.
//!
//! [`Value`] is for torrents, which all kinds of programs make: there a key may come twice
//! too, keys need not be text, and each field is looked at by itself.

use serde::de::DeserializeOwned;

mod keys;
mod read;
mod scan;
#[cfg(test)]
mod tests;
mod value;
mod write;

pub use keys::Keys;
use read::{Misshapen, Reader};
pub use value::Value;
use write::Writer;

/// How much a decoder accepts.
#[derive(Clone, Copy, Debug)]
pub struct DecodeLimits {
    /// The longest input, in bytes.
    pub length: usize,
    /// How deep lists and dictionaries may nest.
    pub depth: usize,
    /// How many values (integers, strings, lists, dictionaries) there may be; the keys of
    /// dictionaries count too.
    pub values: usize,
}

/// Why some bytes are not the bencoding that was expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BencodeError {
    /// The input is longer than [`DecodeLimits::length`].
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
///
/// A `struct` with derived `Deserialize` is a dictionary, and never a list of its fields.
pub fn decode<T: DeserializeOwned>(input: &[u8], limits: DecodeLimits) -> Result<T, BencodeError> {
    scan::whole(input, limits, None)?;
    read(input)
}

/// Reads what was walked.
fn read<T: DeserializeOwned>(input: &[u8]) -> Result<T, BencodeError> {
    T::deserialize(Reader(Value::walked(input))).map_err(|Misshapen(why)| BencodeError::Shape(why))
}

/// Writes `value`, its keys sorted and whatever is `None` left out. Panics only on types
/// that bencoding can't express (floats, and variants that carry something). Integers above
/// `i64::MAX` can be written but not read back.
pub fn encode<T: serde::Serialize>(value: &T) -> Vec<u8> {
    let mut writer = Writer::default();
    let Ok(()) = value.serialize(&mut writer);
    writer.bytes
}

/// Bytes of the value at the start of `input`, for input that has something behind it
/// (BEP 9's data messages). The limits hold for the value alone.
pub fn value_length(input: &[u8], limits: DecodeLimits) -> Result<usize, BencodeError> {
    Ok(scan::value(input, limits, None)?.length)
}

/// Bencoding that was walked once already, and can be read without doing so again.
#[derive(Clone, Debug)]
pub struct Scanned<'a> {
    input: &'a [u8],
    found: Option<std::ops::Range<usize>>,
}

/// Walks `input`, which must be one value as for [`decode`], and finds what is under `key` in
/// the top-level dictionary: for a message whose type says how to read it.
pub fn scan<'a>(
    input: &'a [u8],
    key: &[u8],
    limits: DecodeLimits,
) -> Result<Scanned<'a>, BencodeError> {
    let found = scan::whole(input, limits, Some(key))?.found;
    Ok(Scanned { input, found })
}

impl<'a> Scanned<'a> {
    /// The raw bytes of the value that was looked for; none if there is none, or no dictionary.
    pub fn raw(&self) -> Option<&'a [u8]> {
        Some(&self.input[self.found.clone()?])
    }

    /// The string that was looked for; none if there is none, or it is no string.
    pub fn string(&self) -> Option<&'a [u8]> {
        let value = self.raw()?;
        let colon = value.iter().position(|&byte| byte == b':')?;
        value.first()?.is_ascii_digit().then(|| &value[colon + 1..])
    }

    /// The dictionary that it must be.
    pub fn keys(&self) -> Result<Keys<'a>, BencodeError> {
        Keys::of_value(Value::walked(self.input))
    }

    /// Reads a `T`.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, BencodeError> {
        read(self.input)
    }
}
