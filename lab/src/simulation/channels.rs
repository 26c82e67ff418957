//! What the channels carry, for those who watch.

use super::chunk::LabFrame;
use super::stream::Stream;

/// Pieces that were announced.
pub(super) type Claims = Vec<u32>;

/// The channels of one life of the hub, by their numbers, which begin at one.
#[derive(Debug, Default)]
pub(super) struct Channels(Vec<Channel>);

/// Who has sent through it, and how far their streams are.
#[derive(Clone, Copy, Debug, Default)]
struct Channel([Option<(usize, Stream)>; 2]);

impl Channels {
    /// Bytes of blocks in a frame that this peer sends; what it announces goes to `claims`.
    pub(super) fn read(&mut self, sender: usize, frame: &LabFrame, claims: &mut Claims) -> u64 {
        let number = frame.channel.0 as usize;
        if self.0.len() <= number {
            self.0.resize(number + 1, Channel::default());
        }
        let [one, other] = &mut self.0[number].0;
        let direction = match one {
            Some((peer, _)) if *peer != sender => other,
            _ => one,
        };
        let (_, stream) = direction.get_or_insert_with(|| (sender, Stream::default()));
        stream.read_all(&frame.payload, claims)
    }
}
