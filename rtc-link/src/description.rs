//! What is read of a description (SDP) before anything is built from it.

use std::net::{IpAddr, SocketAddr};

use swarm_core::net::contact::is_dialable;

use crate::error::LinkError;

/// The longest description that is looked at, in bytes: as long as trackers of WebTorrent's kind
/// hand on. Those of browsers have one or two thousand.
pub const MAX_DESCRIPTION: usize = 64 << 10;
/// Bytes of a message, at the most, as a tab sends them: every browser takes 256 KiB, and shorter
/// ones keep others from waiting.
pub const MAX_PAYLOAD: usize = 64 << 10;
/// What the other end takes if it does not say (RFC 8841 §6.1).
pub(crate) const USUAL_MESSAGE: usize = 64 << 10;
/// The most candidates of the other end's: each is called some ten times, whoever is there. Browsers
/// have one or two for each address of a machine, and machines with containers a dozen of those.
const MAX_CANDIDATES: usize = 32;
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

/// A description with no more candidates than may be, and none that nobody can have: groups,
/// everybody at once, and our own machine where we are reached from elsewhere. Whoever writes one says
/// whom we call: those of a local network are as good as any, as with browsers.
pub(crate) fn without_bad_candidates(description: &str, ours: &[SocketAddr]) -> String {
    let ours_are_local = ours.iter().all(|our| our.ip().is_loopback());
    let is_good = |line: &str| match address_of(line) {
        Some(address) => {
            let own = address.ip().to_canonical().is_loopback();
            is_dialable(address) && (ours_are_local || !own)
        }
        // A name: nobody is called by that.
        None => false,
    };
    let mut candidates = 0;
    let mut lines = String::with_capacity(description.len());
    for line in description.split_inclusive('\n') {
        if line.starts_with("a=candidate:") {
            if candidates == MAX_CANDIDATES || !is_good(line) {
                continue;
            }
            candidates += 1;
        }
        lines.push_str(line);
    }
    lines
}

/// Where a candidate is, if that is written as numbers (RFC 8839 §5.1). Words end where str0m ends them,
/// with one space: otherwise it would call another address than was looked at here.
fn address_of(line: &str) -> Option<SocketAddr> {
    let mut words = line.trim_end_matches(['\r', '\n']).split(' ').skip(4);
    let ip: IpAddr = words.next()?.parse().ok()?;
    Some(SocketAddr::new(ip, words.next()?.parse().ok()?))
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
