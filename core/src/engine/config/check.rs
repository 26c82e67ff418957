//! Whether the numbers of a configuration make sense.
//!
//! The engine believes its configuration, which its host has chosen. One that comes from
//! elsewhere, as that of a recording does, is checked first: nonsense would make the engine
//! compute with numbers that don't fit, or take more memory than there is. What can't do
//! harm is not looked at; times, most of all, may be as long as anybody likes, and only those
//! after which something is done again may not be nothing.

use std::time::Duration;

use super::{Config, MetadataConfig, RequestConfig};
use crate::choke::ChokeConfig;
use crate::pieces::{BLOCK, Layout};
use crate::wire::introduce::MAX_TOLD;

/// A number of a configuration that makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name} is {value}, and not from {least} to {most}")]
pub struct ConfigError {
    /// Which one: its fields, and its place if there are two.
    pub name: &'static str,
    /// What it is.
    pub value: u64,
    /// What it has to be at least.
    pub least: u64,
    /// What it may be at most.
    pub most: u64,
}

/// Bytes of a name. It is told to every peer.
const MAX_CLIENT: u64 = 256;
/// Sessions, slots and upload requests: each takes memory.
const MAX_COUNT: u64 = 1 << 12;
/// How much likelier one is than others. The three weights are multiplied, and the products
/// of all peers added up: of so many peers, that fits into 32 bits.
const MAX_WEIGHT: u64 = 100;
/// Pieces that are named to one peer, or by one.
const MAX_NAMED: u64 = 64;
/// Have messages that are kept: one for each piece of the longest torrent.
const MAX_HAVES: u64 = Layout::MAX_PIECES;
/// Outcasts: each takes some bytes.
const MAX_OUTCASTS: u64 = 1 << 16;
/// Requests in flight to one peer, or from one: blocks of a GiB.
const MAX_REQUESTS: u64 = 1 << 16;
/// Bytes that wait somewhere: a GiB, the double of which fits into 32 bits.
const MAX_BYTES: u64 = 1 << 30;
/// Bytes of data frames that wait for the link. A tracker may say that frames are as short
/// as a byte, and each takes some memory of its own.
const MAX_BUDGET: u64 = 8 << 20;
/// Seconds that count as a part of a delay.
const MAX_QUEUE_TIME: Duration = Duration::from_hours(1);

impl Config {
    /// Says which number makes no sense, if there is one.
    pub fn check(&self) -> Result<(), ConfigError> {
        let count = |name, value: usize, least, most| within(name, value as u64, least, most);
        count("the length of client", self.client.len(), 0, MAX_CLIENT)?;
        count("max_peers", self.max_peers, 0, MAX_COUNT)?;
        count("target_peers", self.target_peers, 0, MAX_COUNT)?;
        within("bytes_in_progress", self.bytes_in_progress, 1, MAX_BYTES)?;
        let longest = u64::from(Layout::MAX_PIECE);
        within("whole_piece", self.whole_piece.into(), 1, longest)?;
        within("max_piece", self.max_piece.into(), 1, longest)?;
        let least = u64::from(Layout::MAX_BLOCK);
        within("part", self.part.into(), least, longest)?;
        let uneven = u64::from(self.part % BLOCK);
        within("what part has beyond whole blocks", uneven, 0, 0)?;
        within("read_cache", self.read_cache, 0, MAX_BYTES)?;
        count("max_reads", self.max_reads, 1, MAX_COUNT)?;
        count("read_ahead_pieces", self.read_ahead_pieces, 1, MAX_COUNT)?;
        count("max_checks", self.max_checks, 1, MAX_COUNT)?;
        let (first, most) = self.receive_window;
        let window = [u64::from(first), u64::from(most)];
        in_order(["receive_window.0", "receive_window.1"], window, MAX_BYTES)?;
        let far = u64::from(self.far_window);
        within("far_window", far, most.into(), MAX_BYTES)?;
        let (least, most) = self.link_budget;
        let budget = [least as u64, most as u64];
        in_order(["link_budget.0", "link_budget.1"], budget, MAX_BUDGET)?;
        count("frame_payload", self.frame_payload, 1, MAX_BYTES)?;
        let requests = self.max_incoming_requests;
        count("max_incoming_requests", requests, 1, MAX_REQUESTS)?;
        let (answers, news) = self.max_waiting;
        let waiting = [answers as u64, news as u64];
        in_order(["max_waiting.0", "max_waiting.1"], waiting, MAX_BYTES)?;
        count("max_early_haves", self.max_early_haves, 0, MAX_HAVES)?;
        count("allowed_fast", self.allowed_fast, 0, MAX_NAMED)?;
        count("suggestions", self.suggestions, 0, MAX_NAMED)?;
        count("max_suggestions", self.max_suggestions, 0, MAX_NAMED)?;
        count("max_suggested", self.max_suggested, 0, MAX_NAMED)?;
        count("max_fast_pieces", self.max_fast_pieces, 0, MAX_NAMED)?;
        pause("upkeep in milliseconds", self.upkeep)?;
        pause(
            "tracker.unanswered in milliseconds",
            self.tracker.unanswered,
        )?;
        pause("tracker.soon in milliseconds", self.tracker.soon)?;
        check_choke(&self.choke)?;
        check_requests(&self.requests)?;
        count("places.prospects", self.places.prospects, 0, MAX_COUNT)?;
        count("paths.channels", self.paths.channels, 1, 2)?;
        count("paths.adrift", self.paths.adrift, 0, MAX_COUNT)?;
        count("paths.guests", self.paths.guests, 0, MAX_COUNT)?;
        count("paths.strangers", self.paths.strangers, 1, MAX_COUNT)?;
        let at_once = self.paths.direct.at_once;
        count("paths.direct.at_once", at_once, 0, MAX_COUNT)?;
        let introduce = &self.paths.introduce;
        count("paths.introduce.keep", introduce.keep, 0, MAX_COUNT)?;
        let told = MAX_TOLD as u64;
        count("paths.introduce.most", introduce.most, 1, told)?;
        count("paths.introduce.names", introduce.names, 0, MAX_COUNT)?;
        let carried = introduce.outstanding;
        count("paths.introduce.outstanding", carried, 0, MAX_COUNT)?;
        count("paths.introduce.a_minute", introduce.a_minute, 0, MAX_COUNT)?;
        let overlay = &self.overlay;
        count("overlay.links", overlay.links, 0, MAX_COUNT)?;
        count("overlay.bucket", overlay.bucket, 1, MAX_COUNT)?;
        count("overlay.at_once", overlay.at_once, 0, MAX_COUNT)?;
        count("overlay.ways", overlay.ways, 1, MAX_COUNT)?;
        count("overlay.copies", overlay.copies, 0, MAX_COUNT)?;
        count("overlay.topics", overlay.topics, 1, MAX_COUNT)?;
        count("overlay.members", overlay.members, 1, MAX_COUNT)?;
        count("overlay.calls", overlay.calls, 0, MAX_COUNT)?;
        count("overlay.calls_each", overlay.calls_each, 0, MAX_COUNT)?;
        count("overlay.a_minute", overlay.a_minute, 0, MAX_COUNT)?;
        let offers = overlay.offers_a_minute;
        count("overlay.offers_a_minute", offers, 0, MAX_COUNT)?;
        count("overlay.candidates", overlay.candidates, 0, MAX_COUNT)?;
        count("overlay.bridges", overlay.bridges, 0, MAX_COUNT)?;
        let bridge = &overlay.bridge;
        count("overlay.bridge.torrents", bridge.torrents, 0, MAX_COUNT)?;
        count("overlay.bridge.a_minute", bridge.a_minute, 0, MAX_COUNT)?;
        count("overlay.bridge.refused", bridge.refused, 0, MAX_COUNT)?;
        count("paths.rtc.at_once", self.paths.rtc.at_once, 0, MAX_COUNT)?;
        count("pex.most", self.pex.most, 0, MAX_COUNT)?;
        count("trust.suspects", self.trust.suspects, 0, MAX_COUNT)?;
        count("trust.outcasts", self.trust.outcasts, 0, MAX_OUTCASTS)?;
        count("trust.departed", self.trust.departed, 0, MAX_COUNT)?;
        let seeds = &self.web_seeds;
        count("web_seeds.known", seeds.known, 0, MAX_COUNT)?;
        count("web_seeds.at_once", seeds.at_once, 0, MAX_COUNT)?;
        count("web_seeds.ahead", seeds.ahead, 1, MAX_REQUESTS)?;
        within("web_seeds.range", seeds.range.into(), 1, MAX_BYTES)?;
        check_metadata(&self.metadata)
    }
}

fn check_choke(choke: &ChokeConfig) -> Result<(), ConfigError> {
    let (least, most) = choke.slots;
    within("choke.slots.1", most as u64, least as u64, MAX_COUNT)?;
    for (name, weight) in [
        ("choke.newcomer_weight", choke.newcomer_weight),
        ("choke.solvent_weight", choke.solvent_weight),
        ("choke.behind_weight", choke.behind_weight),
    ] {
        within(name, weight as u64, 0, MAX_WEIGHT)?;
    }
    Ok(())
}

fn check_requests(requests: &RequestConfig) -> Result<(), ConfigError> {
    let start = requests.start as u64;
    within("requests.start", start, 1, MAX_REQUESTS)?;
    let (least, most) = requests.queue;
    let queue = [least as u64, most as u64];
    in_order(
        ["requests.queue.0", "requests.queue.1"],
        queue,
        MAX_REQUESTS,
    )?;
    within("requests.far", requests.far as u64, 0, MAX_REQUESTS)?;
    let given_up = requests.max_given_up as u64;
    within("requests.max_given_up", given_up, 0, MAX_REQUESTS)?;
    let seconds = requests.queue_time.as_secs();
    let most = MAX_QUEUE_TIME.as_secs();
    within("requests.queue_time in seconds", seconds, 0, most)
}

fn check_metadata(metadata: &MetadataConfig) -> Result<(), ConfigError> {
    for (name, value, most) in [
        ("metadata.sources", metadata.sources as u64, MAX_COUNT),
        ("metadata.running", metadata.running as u64, MAX_COUNT),
        ("metadata.pipeline", metadata.pipeline.into(), MAX_REQUESTS),
        ("metadata.bytes", metadata.bytes as u64, MAX_BYTES),
    ] {
        within(name, value, 1, most)?;
    }
    Ok(())
}

/// A time after which something is done again, which must not be at once: nobody would ever
/// have done everything.
fn pause(name: &'static str, time: Duration) -> Result<(), ConfigError> {
    let millis = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    within(name, millis, 1, u64::MAX)
}

/// Two numbers of which the second is the greater; neither is zero.
fn in_order(names: [&'static str; 2], pair: [u64; 2], most: u64) -> Result<(), ConfigError> {
    within(names[0], pair[0], 1, most)?;
    within(names[1], pair[1], pair[0], most)
}

fn within(name: &'static str, value: u64, least: u64, most: u64) -> Result<(), ConfigError> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    Err(ConfigError {
        name,
        value,
        least,
        most,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is wrong with a configuration after a change.
    fn wrong(change: impl FnOnce(&mut Config)) -> String {
        let mut config = Config::default();
        change(&mut config);
        config.check().unwrap_err().to_string()
    }

    #[test]
    fn what_the_hosts_and_the_lab_use_makes_sense() {
        let mut config = Config::default();
        assert_eq!(config.check(), Ok(()));
        config.choke.slots = (0, 0);
        assert_eq!(config.check(), Ok(()), "a free-rider");
        config.choke.slots = (250, 250);
        config.max_peers = 250;
        assert_eq!(config.check(), Ok(()), "nobody is choked");
        config.idle_timeout = Duration::MAX;
        config.choke.interval = Duration::ZERO;
        assert_eq!(config.check(), Ok(()), "times are not looked at");
    }

    #[test]
    fn it_is_said_which_number_is_wrong() {
        assert_eq!(
            wrong(|config| config.link_budget = (5, 3)),
            "link_budget.1 is 3, and not from 5 to 8388608"
        );
        assert_eq!(
            wrong(|config| config.bytes_in_progress = 0),
            "bytes_in_progress is 0, and not from 1 to 1073741824"
        );
        assert_eq!(
            wrong(|config| config.requests.queue_time = Duration::MAX),
            format!(
                "requests.queue_time in seconds is {}, and not from 0 to 3600",
                u64::MAX
            )
        );
    }

    #[test]
    fn every_number_that_could_do_harm_is_looked_at() {
        let changes: [fn(&mut Config); 32] = [
            |config| config.client = "x".repeat(1 << 20),
            |config| config.max_peers = usize::MAX,
            |config| config.target_peers = usize::MAX,
            |config| config.bytes_in_progress = u64::MAX,
            |config| config.read_cache = u64::MAX,
            |config| config.max_reads = 0,
            |config| config.max_checks = 0,
            |config| config.receive_window = (2, 1),
            |config| config.receive_window = (u32::MAX, u32::MAX),
            |config| config.link_budget.1 = usize::MAX,
            |config| config.frame_payload = 0,
            |config| config.max_incoming_requests = usize::MAX,
            |config| config.allowed_fast = 1 << 20,
            |config| config.suggestions = usize::MAX,
            |config| config.choke.slots = (2, 1),
            |config| config.choke.behind_weight = usize::MAX,
            |config| config.requests.start = usize::MAX,
            |config| config.requests.queue = (2, 1),
            |config| config.requests.queue = (0, 1),
            |config| config.requests.max_given_up = usize::MAX,
            |config| config.trust.suspects = usize::MAX,
            |config| config.trust.outcasts = usize::MAX,
            |config| config.trust.departed = usize::MAX,
            |config| config.read_ahead_pieces = 0,
            |config| config.upkeep = Duration::ZERO,
            |config| config.tracker.unanswered = Duration::ZERO,
            |config| config.tracker.soon = Duration::ZERO,
            |config| config.max_early_haves = usize::MAX,
            |config| config.max_suggestions = usize::MAX,
            |config| config.max_suggested = usize::MAX,
            |config| config.max_fast_pieces = usize::MAX,
            |config| config.places.prospects = usize::MAX,
        ];
        for change in changes {
            wrong(change);
        }
    }

    #[test]
    fn all_lots_together_can_be_counted_in_32_bits() {
        let lots = MAX_WEIGHT.pow(3) * MAX_COUNT;
        assert!(u32::try_from(lots).is_ok());
    }
}
