//! Values that both kinds of trackers are tested with.

use arbitrary::Unstructured;

use super::{Announce, Counts, Event, MAX_BYTES};
use crate::id::{InfoHash, PeerId};

pub(super) const INFO_HASH: InfoHash =
    InfoHash(*b"\x12\x34\x56\x78\x9a\xbc\xde\xf1\x23\x45\x67\x89\xab\xcd\xef\x12\x34\x56\x78\x9a");
pub(super) const PEER_ID: PeerId = PeerId(*b"-TS0100-0123456789ab");

/// A leecher that begins.
pub(super) fn announce() -> Announce {
    Announce {
        info_hash: INFO_HASH,
        peer_id: PEER_ID,
        port: 6881,
        uploaded: 1,
        downloaded: 2,
        left: Some(3),
        event: Event::Started,
        numwant: Some(50),
        key: Some(0xABCD),
    }
}

pub(super) fn any_announce(u: &mut Unstructured<'_>) -> arbitrary::Result<Announce> {
    let bytes = |u: &mut Unstructured<'_>| u.int_in_range(0..=MAX_BYTES);
    let events = [
        Event::Update,
        Event::Started,
        Event::Completed,
        Event::Stopped,
        Event::Paused,
    ];
    Ok(Announce {
        info_hash: InfoHash(u.arbitrary()?),
        peer_id: PeerId(u.arbitrary()?),
        port: u.arbitrary()?,
        uploaded: bytes(u)?,
        downloaded: bytes(u)?,
        left: u.arbitrary::<bool>()?.then(|| bytes(u)).transpose()?,
        event: *u.choose(&events)?,
        numwant: match u.arbitrary()? {
            true => Some(u.int_in_range(0..=i32::MAX.unsigned_abs())?),
            false => None,
        },
        key: Some(u.arbitrary()?),
    })
}

pub(super) fn any_counts(u: &mut Unstructured<'_>) -> arbitrary::Result<Counts> {
    Ok(Counts {
        complete: u.arbitrary()?,
        downloaded: u.arbitrary()?,
        incomplete: u.arbitrary()?,
    })
}

/// Up to `most` values.
pub(super) fn several<T>(
    u: &mut Unstructured<'_>,
    most: usize,
    mut one: impl FnMut(&mut Unstructured<'_>) -> arbitrary::Result<T>,
) -> arbitrary::Result<Vec<T>> {
    (0..u.int_in_range(0..=most)?).map(|_| one(u)).collect()
}
