//! The running hash over everything that an engine said.

use core::hash::Hasher as _;

use serde::{Deserialize, Serialize};
use twox_hash::XxHash64;

use crate::engine::{Event, Output};
use crate::id::InfoHash;
use crate::metainfo::Metainfo;
use crate::pieces::PieceIndex;

/// How far an engine's outputs were taken, before an entry's input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outputs {
    /// Outputs since the entry before.
    pub count: u64,
    /// After them the engine was asked for more, and had none.
    pub drained: bool,
    /// The hash of all outputs since the beginning.
    pub digest: [u8; 8],
}

/// XXH64 over every output since the beginning, each with what it carries: a hash against
/// accidents, fast enough for all that a tab moves.
#[derive(Clone, Debug)]
pub struct OutputHash {
    hash: XxHash64,
    count: u64,
    drained: bool,
}

impl Default for OutputHash {
    fn default() -> Self {
        OutputHash {
            hash: XxHash64::with_seed(0),
            count: 0,
            drained: false,
        }
    }
}

impl OutputHash {
    /// The engine's next output, or that it has none.
    pub fn polled(&mut self, output: Option<&Output>) {
        match output {
            Some(output) => {
                self.count += 1;
                self.drained = false;
                self.output(output);
            }
            None => self.drained = true,
        }
    }

    /// What was polled since this was last asked.
    pub fn take(&mut self) -> Outputs {
        Outputs {
            count: std::mem::take(&mut self.count),
            drained: std::mem::take(&mut self.drained),
            digest: self.hash.finish().to_be_bytes(),
        }
    }

    // Without wildcards: an output that is added must be added here.
    fn output(&mut self, output: &Output) {
        match output {
            Output::Tracker(message) => {
                self.tag(0);
                self.bytes(&message.clone().encode());
            }
            Output::Read { info_hash, piece } => self.piece(1, *info_hash, *piece),
            Output::Write {
                info_hash,
                piece,
                data,
            } => {
                self.piece(2, *info_hash, *piece);
                self.bytes(data);
            }
            Output::Hash {
                info_hash,
                piece,
                data,
            } => {
                self.piece(3, *info_hash, *piece);
                self.bytes(data);
            }
            Output::ReadPart {
                info_hash,
                piece,
                begin,
                length,
            } => {
                self.piece(12, *info_hash, *piece);
                self.hash.write(&begin.to_be_bytes());
                self.hash.write(&length.to_be_bytes());
            }
            Output::WritePart {
                info_hash,
                piece,
                begin,
                data,
            } => {
                self.piece(13, *info_hash, *piece);
                self.hash.write(&begin.to_be_bytes());
                self.bytes(data);
            }
            Output::Verify { info_hash, piece } => self.piece(14, *info_hash, *piece),
            Output::Reconnect => self.tag(10),
            Output::Event(event) => self.event(event),
        }
    }

    fn event(&mut self, event: &Event) {
        match event {
            Event::Metadata(metainfo) => {
                self.tag(4);
                self.metainfo(metainfo);
            }
            Event::Completed(info_hash) => {
                self.tag(5);
                self.bytes(&info_hash.0);
            }
            Event::Failed { info_hash, reason } => {
                self.tag(6);
                self.bytes(&info_hash.0);
                self.bytes(reason.to_string().as_bytes());
            }
            Event::Banned { info_hash, peer } => {
                self.tag(7);
                self.bytes(&info_hash.0);
                self.bytes(peer.as_bytes());
            }
            Event::Tracker { info_hash, reason } => {
                self.tag(8);
                if let Some(info_hash) = info_hash {
                    self.bytes(&info_hash.0);
                }
                self.bytes(reason.as_bytes());
            }
            Event::Refused { reason } => {
                self.tag(9);
                self.bytes(reason.to_string().as_bytes());
            }
            Event::Lost {
                info_hash,
                piece,
                reason,
            } => {
                self.piece(10, *info_hash, *piece);
                self.bytes(reason.to_string().as_bytes());
            }
            Event::Checked(info_hash, have) => {
                self.tag(11);
                self.bytes(&info_hash.0);
                self.bytes(have.as_bytes());
            }
        }
    }

    fn metainfo(&mut self, metainfo: &Metainfo) {
        self.bytes(metainfo.info());
        for tracker in metainfo.trackers() {
            self.bytes(tracker.as_bytes());
        }
    }

    fn piece(&mut self, tag: u8, info_hash: InfoHash, piece: PieceIndex) {
        self.tag(tag);
        self.hash.write(&info_hash.0);
        self.hash.write(&piece.get().to_be_bytes());
    }

    fn tag(&mut self, tag: u8) {
        self.hash.write(&[tag]);
    }

    /// With its length, so that what follows can't be taken for a part of it.
    fn bytes(&mut self, bytes: &[u8]) {
        self.hash.write(&(bytes.len() as u64).to_be_bytes());
        self.hash.write(bytes);
    }
}
