//! What is read of a description (SDP) before anything is built from it.

use crate::error::LinkError;

/// The longest description that is looked at, in bytes: as long as trackers of WebTorrent's kind
/// hand on. Those of browsers have one or two thousand.
pub const MAX_DESCRIPTION: usize = 64 << 10;
/// Bytes of a message, at the most, as a tab sends them: every browser takes 256 KiB, and shorter
/// ones keep others from waiting.
pub const MAX_PAYLOAD: usize = 64 << 10;
/// What the other end takes if it does not say (RFC 8841 §6.1).
pub(crate) const USUAL_MESSAGE: usize = 64 << 10;
/// No end takes less than that, whatever it says: each message has its cost.
const LEAST_MESSAGE: usize = 1 << 10;

/// A description of a data channel and nothing else, as far as that can be told at a glance.
pub(crate) fn check(description: &str) -> Result<(), LinkError> {
    if description.len() > MAX_DESCRIPTION {
        return Err(LinkError::LongDescription(description.len()));
    }
    let mut sections = description.lines().filter(|line| line.starts_with("m="));
    let only = sections.next().filter(|_| sections.next().is_none());
    match only {
        Some(line) if line.starts_with("m=application ") => Ok(()),
        _ => Err(LinkError::NoChannel),
    }
}

/// The longest message that whoever wrote this takes (RFC 8841 §6), or that we send.
pub(crate) fn max_message(description: &str) -> usize {
    let mut lines = description.lines();
    let said = lines.find_map(|line| line.strip_prefix("a=max-message-size:"));
    match said.and_then(|said| said.trim().parse().ok()) {
        // Any.
        Some(0) => MAX_PAYLOAD,
        Some(said) => said.clamp(LEAST_MESSAGE, MAX_PAYLOAD),
        None => USUAL_MESSAGE,
    }
}
