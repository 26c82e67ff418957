//! Why a connection ended, or did not come about.

use str0m::RtcError;

/// See the module. The words hold nothing of what a stranger sent but printable characters.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// A description is longer than [`MAX_DESCRIPTION`](crate::description::MAX_DESCRIPTION).
    #[error("a description of {0} bytes is too long")]
    LongDescription(usize),
    /// A description that is none, or that no connection can be made of.
    #[error("a description that can't be used: {0}")]
    Description(String),
    /// A description in which there is no data channel.
    #[error("a description without a data channel")]
    NoChannel,
    /// The steps came in another order than they may.
    #[error("an answer that nobody waits for")]
    NotAwaited,
    /// There are as many connections as may be.
    #[error("as many connections as may be at once")]
    TooMany,
    /// This machine has no address.
    #[error("there is no network")]
    NoAddress,
    /// ICE, DTLS or SCTP gave up; a certificate that is not the one of the description, for one.
    #[error("the connection broke: {0}")]
    Broken(String),
    /// It came about, and was silent for too long.
    #[error("the other end fell silent")]
    Silent,
    /// The other end closed it.
    #[error("the other end closed the connection")]
    Closed,
    /// The other end sent text, which has no place in a stream of bytes.
    #[error("text instead of bytes")]
    Text,
    /// The other end sent more than its first words, and never said that it has our channel.
    #[error("much was sent through a channel that is not open")]
    Early,
    /// The other end takes nothing of what it is sent.
    #[error("the other end takes nothing of what it is sent")]
    Stalled,
}

impl LinkError {
    pub(crate) fn broken(error: &RtcError) -> Self {
        LinkError::Broken(plain(&error.to_string()))
    }

    pub(crate) fn description(error: &impl ToString) -> Self {
        LinkError::Description(plain(&error.to_string()))
    }
}

/// Words of another's, for a person: bounded, in one line.
fn plain(words: &str) -> String {
    let clean = words.chars().map(|c| if c.is_control() { ' ' } else { c });
    clean.take(200).collect()
}
