//! Tracker addresses as strangers write them.

use crate::sorted::SortedSet;

/// The most trackers that are kept of a torrent or link.
pub(super) const MAX_TRACKERS: usize = 100;
/// The longest address that is kept, in bytes.
pub(super) const MAX_ADDRESS: usize = 2048;

/// What can be shown and tried: each once, none empty, none with spaces or control
/// characters, a bounded number of them. Schemes are for those to judge who connect.
pub(super) fn clean(trackers: impl IntoIterator<Item = String>) -> Vec<String> {
    let tiers = trackers.into_iter().enumerate();
    let cleaned = clean_tiers(tiers).into_iter();
    cleaned.map(|(_, tracker)| tracker).collect()
}

/// The same of trackers that each are in a tier of some number (BEP 12).
pub(super) fn clean_tiers(
    trackers: impl IntoIterator<Item = (usize, String)>,
) -> Vec<(usize, String)> {
    let mut seen = SortedSet::new();
    let usable = |tracker: &String| {
        (1..=MAX_ADDRESS).contains(&tracker.len())
            && !tracker.contains(|c: char| {
                c.is_whitespace() || c.is_control() || super::path::is_deceptive(c)
            })
    };
    trackers
        .into_iter()
        .map(|(tier, tracker)| (tier, tracker.trim().to_owned()))
        .filter(|(_, tracker)| usable(tracker))
        .filter(|(_, tracker)| seen.insert(tracker.clone()))
        .take(MAX_TRACKERS)
        .collect()
}
