//! A recording, run once more.

use std::collections::VecDeque;
use std::fmt;

use super::{Entry, Header, OutputHash, Outputs, RecordError, Torrents};
use crate::engine::{Contents, Engine, Event, Input, Output, View, Work};
use crate::id::InfoHash;
use crate::time::Time;

/// Outputs that are kept for words when a replay differs.
const TOLD: usize = 8;

/// Bytes of outputs that may wait while inputs come, about: a host takes them soon. A few
/// bytes of a recording make the engine say a lot.
const MAX_WAITING: usize = 64 << 20;

/// A new engine that is fed what another was fed.
#[derive(Debug)]
pub struct Replay {
    engine: Engine,
    torrents: Torrents,
    outputs: OutputHash,
    /// The last outputs of those that are compared next.
    said: VecDeque<Output>,
    /// Bytes of what the engine said since its host had taken all, about.
    waiting: usize,
    now: Time,
    inputs: u64,
    all_outputs: u64,
    /// The entry before.
    last: Option<Entry>,
}

/// Where two engines that were fed the same said something different for the first time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Divergence {
    /// The input after which they differ: its number, from 1.
    pub input: u64,
    /// That input, with its time.
    pub what: String,
    /// What the recorded engine said after it.
    pub recorded: Outputs,
    /// What this one said.
    pub replayed: Outputs,
    /// This one's outputs in words, the last of them.
    pub said: Vec<String>,
}

/// Why a replay does not go on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    /// An entry makes no sense.
    #[error("input {0}: {1}")]
    Unreadable(u64, RecordError),
    /// The engines differ.
    #[error("{0}")]
    Diverged(Box<Divergence>),
}

impl Replay {
    /// An engine as it was made when the recording began.
    pub fn new(header: Header) -> Self {
        let now = Time::from_epoch(header.start);
        Replay {
            engine: Engine::new(header.config, header.seed, now),
            torrents: Torrents::default(),
            outputs: OutputHash::default(),
            said: VecDeque::new(),
            waiting: 0,
            now,
            inputs: 0,
            all_outputs: 0,
            last: None,
        }
    }

    /// Compares what the engine has said so far, then feeds it the entry's input.
    pub fn step(&mut self, entry: Entry) -> Result<(), ReplayError> {
        self.compare(entry.before())?;
        let time = entry.time();
        if entry.before().drained {
            self.waiting = 0;
        }
        let input = entry
            .clone()
            .input(&mut self.torrents)
            .map_err(|error| ReplayError::Unreadable(self.inputs + 1, error))?;
        if let Some(input) = input {
            self.feed(time, input);
            self.last = Some(entry);
        }
        if self.waiting > MAX_WAITING {
            let error = RecordError::Waiting;
            return Err(ReplayError::Unreadable(self.inputs, error));
        }
        Ok(())
    }

    fn feed(&mut self, time: Time, input: Input) {
        self.inputs += 1;
        self.now = time;
        let before = self.engine.waiting().len();
        self.engine.handle(time, input);
        let new = self.engine.waiting().iter().skip(before);
        self.waiting += new.map(weight).sum::<usize>();
    }

    /// Polls as often as the recording says, and as its host did.
    fn compare(&mut self, recorded: Outputs) -> Result<(), ReplayError> {
        self.said.clear();
        let mut missing = false;
        for _ in 0..recorded.count {
            missing = !self.poll();
            if missing {
                break;
            }
        }
        let surplus = recorded.drained && !missing && self.poll();
        let replayed = self.outputs.take();
        if missing || surplus || replayed != recorded {
            return Err(ReplayError::Diverged(Box::new(Divergence {
                input: self.inputs,
                what: match &self.last {
                    Some(entry) => entry.to_string(),
                    None => "the beginning".to_owned(),
                },
                recorded,
                replayed,
                said: self.said.iter().map(words).collect(),
            })));
        }
        Ok(())
    }

    /// False when the engine has no more to say.
    fn poll(&mut self) -> bool {
        let output = self.engine.poll_output();
        self.outputs.polled(output.as_ref());
        let Some(output) = output else { return false };
        self.all_outputs += 1;
        if let Output::Event(Event::Metadata(metainfo)) = &output {
            self.torrents.describe(metainfo);
        }
        if self.said.len() == TOLD {
            self.said.pop_front();
        }
        self.said.push_back(output);
        true
    }

    /// What a person would have seen at the last entry's time.
    pub fn view(&self) -> View {
        self.engine.view(self.now)
    }

    /// As [`Engine::contents`].
    pub fn contents(&self, info_hash: InfoHash) -> Option<Contents<'_>> {
        self.engine.contents(info_hash)
    }

    /// The last input's time.
    pub fn now(&self) -> Time {
        self.now
    }

    /// Inputs so far.
    pub fn inputs(&self) -> u64 {
        self.inputs
    }

    /// Outputs that were compared so far.
    pub fn outputs(&self) -> u64 {
        self.all_outputs
    }
}

/// Bytes that an output takes, about.
fn weight(output: &Output) -> usize {
    let carried = match output {
        Output::Send { parts, .. } => parts.len(),
        Output::Store(_, Work::Write { data } | Work::Hash { data }) => data.len(),
        _ => 0,
    };
    carried + 256
}

/// An output without the bytes that it carries.
fn words(output: &Output) -> String {
    match output {
        Output::Send { channel, parts } => {
            let (channel, length) = (channel.channel.0, parts.len());
            format!("Send through channel {channel}, {length} bytes")
        }
        Output::Store(job, work) => {
            let verb = match work {
                Work::Read { .. } => "Read",
                Work::Write { .. } => "Write",
                Work::Hash { .. } => "Hash",
                Work::Verify => "Verify",
            };
            let (piece, info_hash) = (job.piece.get(), job.info_hash);
            match job.part {
                Some(begin) => format!("{verb} {piece} from {begin} of {info_hash}"),
                None => format!("{verb} {piece} of {info_hash}"),
            }
        }
        Output::Event(Event::Metadata(metainfo)) => {
            format!("Metadata of {}", metainfo.info_hash())
        }
        Output::Event(event) => format!("{event:?}"),
        other => format!("{other:?}"),
    }
}

impl fmt::Display for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "the outputs differ after input {}", self.input)?;
        writeln!(f, "  the input:    {}", self.what.trim_start())?;
        writeln!(f, "  recorded:     {}", self.recorded)?;
        write!(f, "  replayed:     {}", self.replayed)?;
        for output in &self.said {
            write!(f, "\n                {output}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Outputs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digest = u64::from_be_bytes(self.digest);
        let more = if self.drained { "" } else { " or more" };
        write!(f, "{}{more} outputs, hash {digest:016x}", self.count)
    }
}
