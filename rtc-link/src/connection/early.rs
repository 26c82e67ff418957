//! What comes through a channel of ours before the other end has said that it has it. Firefox says
//! that after its page's first words, if the page has the channel in time; RFC 8832 §6 expects data
//! before the acknowledgement.

use std::collections::VecDeque;

use bytes::Bytes;

use super::{MAX_MESSAGE, OVERHEAD};
use crate::error::LinkError;

/// Bytes that are kept: a message of the longest, where first words have some hundred bytes.
const ENOUGH: usize = MAX_MESSAGE + OVERHEAD;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Early {
    messages: VecDeque<Bytes>,
    bytes: usize,
}

impl Early {
    /// Keeps a message. Fails where the other end says more than first words.
    pub(super) fn keep(&mut self, message: Bytes) -> Result<(), LinkError> {
        self.bytes += message.len() + OVERHEAD;
        self.messages.push_back(message);
        match self.bytes > ENOUGH {
            true => Err(LinkError::Early),
            false => Ok(()),
        }
    }

    /// The next one.
    pub(super) fn take(&mut self) -> Option<Bytes> {
        self.messages.pop_front()
    }
}
