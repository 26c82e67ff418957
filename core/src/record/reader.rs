//! Bytes to entries.

use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use serde::de::DeserializeOwned;

use super::entry::Head;
use super::{Entry, Header, LENGTHS, MAGIC, MAX_BODY, MAX_HEAD, RecordError, VERSIONS};
use crate::time::MAX_TIME;

/// Reads a recording as it comes, in stretches of any length. Keeps no more than one entry
/// and what was last given to it.
#[derive(Debug, Default)]
pub struct Reader {
    bytes: BytesMut,
    begun: bool,
    ended: bool,
}

impl Reader {
    /// More of the recording.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The header, once enough has come. Before the first [`Reader::next_entry`].
    pub fn header(&mut self) -> Result<Option<Header>, RecordError> {
        let name = &MAGIC[..MAGIC.len() - 1];
        let there = self.bytes.len().min(name.len());
        if self.bytes[..there] != name[..there] {
            return Err(RecordError::Magic);
        }
        match self.bytes.get(name.len()) {
            Some(version) if VERSIONS.contains(version) => {}
            Some(version) => return Err(RecordError::Version(*version)),
            None => return Ok(None),
        }
        let Some((head, _)) = self.part(MAGIC.len())? else {
            return Ok(None);
        };
        self.begun = true;
        let header = Header::decode(&head)?;
        header.config.check()?;
        possible(header.start)?;
        Ok(Some(header))
    }

    /// The next whole entry, if it has come.
    ///
    /// # Panics
    /// If the header was not read.
    pub fn next_entry(&mut self) -> Result<Option<Entry>, RecordError> {
        assert!(self.begun, "the header comes first");
        if self.ended && !self.bytes.is_empty() {
            return Err(RecordError::AfterEnd);
        }
        let Some((head, body)) = self.part(0)? else {
            return Ok(None);
        };
        let head: Head = exactly(&head).ok_or(RecordError::Entry)?;
        possible(head.time)?;
        let entry = Entry { head, body };
        self.ended = entry.is_end();
        Ok(Some(entry))
    }

    /// The recording came to its end, and did not just stop: a program that is killed, or
    /// a disk that is full, leaves one that did not.
    pub fn is_complete(&self) -> bool {
        self.ended
    }

    /// Bytes that are no whole entry yet.
    pub fn rest(&self) -> usize {
        self.bytes.len()
    }

    /// A head and its body, behind `skip` bytes, if all of them have come.
    fn part(&mut self, skip: usize) -> Result<Option<(Bytes, Bytes)>, RecordError> {
        let Some((lengths, _)) = self.bytes[skip..].split_first_chunk::<LENGTHS>() else {
            return Ok(None);
        };
        let mut lengths = &lengths[..];
        let (head, body) = (lengths.get_u32() as usize, lengths.get_u32() as usize);
        if head > MAX_HEAD || body > MAX_BODY {
            return Err(RecordError::TooLong(head as u64 + body as u64));
        }
        let all = skip + LENGTHS + head + body;
        if self.bytes.len() < all {
            return Ok(None);
        }
        let mut part = self.bytes.split_to(all).freeze();
        let body = part.split_off(all - body);
        part.advance(skip + LENGTHS);
        Ok(Some((part, body)))
    }
}

fn possible(time: Duration) -> Result<(), RecordError> {
    if time > MAX_TIME {
        return Err(RecordError::Time(time.as_secs()));
    }
    Ok(())
}

/// All of the bytes, and no more.
fn exactly<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    let (value, rest) = postcard::take_from_bytes(bytes).ok()?;
    rest.is_empty().then_some(value)
}
