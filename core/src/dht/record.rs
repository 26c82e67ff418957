//! Recordings of a node: what it was told and when, as bytes, to be run once more elsewhere.
//!
//! A node is a function of its configuration, of what it remembered, of its seed and of its
//! inputs with their times: a recording has those, and nothing else. Every entry says what the
//! node had said until then, as a hash, so that a replay finds the first input after which two
//! nodes differ. The bytes are postcard's, each part behind its length; they are for people
//! who debug, and are read by the version that wrote them.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use twox_hash::XxHash64;

use super::config::Config;
use super::io::{Input, Output};
use super::{Dht, Saved};
use crate::time::{MAX_TIME, Time};

/// The first bytes; the last of them is the format's version.
const MAGIC: [u8; 9] = *b"SWARMDHT\x01";

/// The longest part, in bytes: contacts by the thousand fit.
const MAX_PART: usize = 1 << 20;

/// How a recording begins.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Header {
    config: Config,
    saved: Saved,
    seed: u64,
    start: Duration,
}

/// One input.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Entry {
    /// Of what the node said before.
    before: u64,
    at: Duration,
    input: Input,
}

/// A node that writes down what it is told.
#[derive(Debug)]
pub struct RecordedDht {
    dht: Dht,
    said: u64,
    out: VecDeque<Output>,
    bytes: Vec<u8>,
}

/// Why bytes are no recording, or the replay of one differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    /// They begin otherwise, or end in the middle, or one of their parts is none.
    #[error("this is no recording of a DHT node that this version reads")]
    Malformed,
    /// The node said something else than the one that was recorded.
    #[error("the replay differs before input {input}")]
    Differs {
        /// Which input it was given next, counted from zero.
        input: usize,
    },
}

impl RecordedDht {
    /// As [`Dht::new`].
    pub fn new(config: Config, saved: Saved, seed: u64, now: Time) -> Self {
        let header = Header {
            config: config.clone(),
            saved: saved.clone(),
            seed,
            start: now.since_epoch(),
        };
        let mut bytes = MAGIC.to_vec();
        write(&mut bytes, &header);
        RecordedDht {
            dht: Dht::new(config, saved, seed, now),
            said: 0,
            out: VecDeque::new(),
            bytes,
        }
    }

    /// As [`Dht::handle`].
    pub fn handle(&mut self, now: Time, input: Input) {
        let entry = Entry {
            before: self.said,
            at: now.since_epoch(),
            input,
        };
        write(&mut self.bytes, &entry);
        self.dht.handle(now, entry.input);
        while let Some(output) = self.dht.poll_output() {
            self.said = hash(self.said, &output);
            self.out.push_back(output);
        }
    }

    /// As [`Dht::poll_output`].
    pub fn poll_output(&mut self) -> Option<Output> {
        self.out.pop_front()
    }

    /// The node, to look at.
    pub fn dht(&self) -> &Dht {
        &self.dht
    }

    /// What was written down since this was last called. The host appends it to a file, or
    /// forgets it.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.bytes)
    }
}

/// Runs a recording, to its end or the first difference; `look` sees the node after each input.
pub fn replay(recording: &[u8], mut look: impl FnMut(Time, &Dht)) -> Result<Dht, ReplayError> {
    let rest = recording.strip_prefix(&MAGIC);
    let mut rest = rest.ok_or(ReplayError::Malformed)?;
    let header: Header = read(&mut rest)?;
    if !header.config.is_possible() || header.start > MAX_TIME {
        return Err(ReplayError::Malformed);
    }
    let mut now = Time::from_epoch(header.start);
    let mut dht = Dht::new(header.config, header.saved, header.seed, now);
    let (mut said, mut input) = (0, 0);
    while !rest.is_empty() {
        let entry: Entry = read(&mut rest)?;
        while let Some(output) = dht.poll_output() {
            said = hash(said, &output);
        }
        if entry.before != said {
            return Err(ReplayError::Differs { input });
        }
        let at = Time::from_epoch(entry.at);
        if at < now || entry.at > MAX_TIME {
            return Err(ReplayError::Malformed);
        }
        now = at;
        dht.handle(now, entry.input);
        look(now, &dht);
        input += 1;
    }
    Ok(dht)
}

fn hash(before: u64, output: &Output) -> u64 {
    let bytes = match output {
        Output::Datagram { to, bytes } => postcard::to_allocvec(&(0_u8, to, bytes)),
        other => Ok(format!("{other:?}").into_bytes()),
    };
    let bytes = bytes.expect("plain data can be serialised");
    XxHash64::oneshot(before, &bytes)
}

fn write<T: Serialize>(bytes: &mut Vec<u8>, part: &T) {
    let part = postcard::to_allocvec(part).expect("plain data can be serialised");
    let length = u32::try_from(part.len()).expect("no input is that long");
    bytes.extend(length.to_be_bytes());
    bytes.extend(part);
}

fn read<T: for<'de> Deserialize<'de>>(rest: &mut &[u8]) -> Result<T, ReplayError> {
    let (length, behind) = rest.split_first_chunk().ok_or(ReplayError::Malformed)?;
    let length = u32::from_be_bytes(*length) as usize;
    let part = behind.get(..length).filter(|_| length <= MAX_PART);
    let part = part.ok_or(ReplayError::Malformed)?;
    *rest = &behind[length..];
    match postcard::take_from_bytes(part) {
        Ok((value, [])) => Ok(value),
        _ => Err(ReplayError::Malformed),
    }
}
