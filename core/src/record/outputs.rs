//! The running hash over everything that an engine said.

use core::hash::Hasher as _;

use serde::{Deserialize, Serialize};
use twox_hash::XxHash64;

use crate::chunk::Chunk;
use crate::engine::{DirectWork, Event, Job, Output, Urgency, Work};
use crate::id::{ChannelKey, InfoHash};
use crate::metainfo::Metainfo;
use crate::net::{Contact, Part};
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
    pub fn polled<C: Chunk>(&mut self, output: Option<&Output<C>>) {
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
    fn output<C: Chunk>(&mut self, output: &Output<C>) {
        match output {
            Output::Look { info_hash, urgency } => {
                self.tag(12);
                self.hash.write(&info_hash.0);
                self.tag(match urgency {
                    Urgency::Now => 0,
                    Urgency::Soon => 1,
                    Urgency::Lonely => 2,
                });
            }
            Output::Have {
                info_hash,
                piece,
                complete,
            } => {
                self.piece(13, *info_hash, *piece);
                self.tag(u8::from(*complete));
            }
            Output::Leave { info_hash, .. } => {
                self.tag(14);
                self.hash.write(&info_hash.0);
            }
            Output::Dial { info_hash, contact } => {
                self.tag(15);
                self.hash.write(&info_hash.0);
                match contact {
                    Contact::Member { link, member } => {
                        self.hash.write(&link.0.to_be_bytes());
                        self.hash.write(&member.0.to_be_bytes());
                    }
                    Contact::Address(address) | Contact::Caller(address) => {
                        self.bytes(address.to_string().as_bytes());
                    }
                    Contact::Introduced(fingerprint) => self.hash.write(&fingerprint.0),
                }
            }
            Output::Accept { channel } => self.channel(16, *channel),
            Output::Close { channel, reason } => {
                self.channel(17, *channel);
                self.bytes(reason.to_string().as_bytes());
            }
            Output::Send { channel, parts } => {
                self.channel(0, *channel);
                self.hash.write(&(parts.len() as u64).to_be_bytes());
                for part in parts.iter() {
                    match part {
                        Part::Head(head) => self.hash.write(head),
                        Part::Payload(payload) => self.hash.write(&payload.to_bytes()),
                    }
                }
            }
            Output::Consumed { channel, bytes } => {
                self.channel(18, *channel);
                self.hash.write(&(*bytes as u64).to_be_bytes());
            }
            Output::Expect { channel, bytes } => {
                self.channel(19, *channel);
                self.hash.write(&bytes.to_be_bytes());
            }
            Output::Direct(id, work) => {
                self.channel(21, id.channel);
                self.hash.write(&id.attempt.to_be_bytes());
                match work {
                    DirectWork::Offer => self.tag(0),
                    DirectWork::Answer(description) => {
                        self.tag(1);
                        self.bytes(description.as_bytes());
                    }
                    DirectWork::Accept(description) => {
                        self.tag(2);
                        self.bytes(description.as_bytes());
                    }
                    DirectWork::Drop => self.tag(3),
                }
            }
            Output::Store(job, work) => self.work(job, work),
            Output::Event(event) => self.event(event),
        }
    }

    fn work<C: Chunk>(&mut self, job: &Job, work: &Work<C>) {
        let tag = match work {
            Work::Read { .. } => 1,
            Work::Write { .. } => 2,
            Work::Hash { .. } => 3,
            Work::Verify => 20,
        };
        self.piece(tag, job.info_hash, job.piece);
        if let Some(begin) = job.part {
            self.hash.write(&begin.to_be_bytes());
        }
        match work {
            Work::Read { length } => self.hash.write(&length.to_be_bytes()),
            Work::Write { data } | Work::Hash { data } => self.bytes(&data.to_bytes()),
            Work::Verify => {}
        }
    }

    fn channel(&mut self, tag: u8, channel: ChannelKey) {
        self.tag(tag);
        self.hash.write(&channel.link.0.to_be_bytes());
        self.hash.write(&channel.channel.0.to_be_bytes());
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
            Event::DhtNode(address) => {
                self.tag(12);
                self.bytes(address.to_string().as_bytes());
            }
            Event::Asked { info_hash, by } => {
                self.tag(13);
                self.bytes(&info_hash.0);
                self.bytes(&by.0);
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
