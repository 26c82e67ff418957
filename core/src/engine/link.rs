//! The link to the tracker and relay: messages out, and whose channel is whose.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use super::pulse::{Pulse, Silence};
use super::{Config, Output, TrackerView};
use crate::id::{ChannelId, InfoHash, MemberId};
use crate::peer::SessionId;
use crate::time::Time;
use crate::wire::relay::{ClientMessage, DataFrame, Welcome};

/// What may wait in the host's hands until it is known how fast the link is: a quarter of a
/// second of 2 Mbit/s, and soon doubled where that is little.
const FIRST_BUDGET: usize = 64 << 10;

/// A session of a torrent.
pub(super) type SessionKey = (InfoHash, SessionId);

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Link {
    pub(super) state: TrackerView,
    /// What the hub said at the start; none until then.
    welcome: Option<Welcome>,
    pulse: Pulse,
    /// Bytes of data frames handed to the host and not yet reported as sent.
    unsent: usize,
    /// How much may wait in the host's hands; none until the first report.
    budget: Option<usize>,
    /// Bytes of data frames handed to the host in all.
    handed: u64,
    /// Those of them that are reported as sent.
    reported: u64,
    /// Up to which byte had been handed over at what time, for what waits.
    marks: VecDeque<(u64, Time)>,
    /// Whose session a channel carries.
    pub(super) channels: BTreeMap<ChannelId, SessionKey>,
    /// Channels that we asked for.
    pub(super) opening: BTreeMap<u32, (InfoHash, MemberId)>,
    next_request: u32,
    /// Sessions that may have something to send.
    pub(super) ready: BTreeSet<SessionKey>,
    /// The session that was last served, so that the next turn begins behind it.
    pub(super) last_served: Option<SessionKey>,
    pub(super) out: VecDeque<Output>,
}

impl Link {
    pub(super) fn up(&mut self, now: Time) {
        self.state = TrackerView::Connecting;
        self.pulse = Pulse::begin(now);
    }

    /// The tracker said something.
    pub(super) fn heard(&mut self, now: Time) {
        self.pulse = Pulse::Heard(now);
    }

    /// When to look whether the tracker is there.
    pub(super) fn pulse_due(&self, config: &Config) -> Option<Time> {
        self.pulse.due(&config.tracker)
    }

    /// Asks a tracker that is silent, and gives up one that does not answer.
    pub(super) fn feel_pulse(&mut self, now: Time, config: &Config) {
        match self.pulse.look(now, &config.tracker) {
            Some(Silence::Ask) => self.send(ClientMessage::Ping),
            Some(Silence::Dead) => self.out.push_back(Output::Reconnect),
            None => {}
        }
    }

    pub(super) fn welcome(&mut self, welcome: Welcome) {
        self.state = TrackerView::Up;
        self.welcome = Some(welcome);
    }

    /// Forgets all that belonged to the connection.
    pub(super) fn down(&mut self) {
        self.state = TrackerView::Down;
        self.welcome = None;
        self.pulse = Pulse::Off;
        self.unsent = 0;
        self.budget = None;
        self.reported = self.handed;
        self.marks.clear();
        self.channels.clear();
        self.opening.clear();
        self.ready.clear();
    }

    pub(super) fn is_up(&self) -> bool {
        self.welcome.is_some()
    }

    /// Our own number at the hub.
    pub(super) fn member(&self) -> Option<MemberId> {
        self.welcome.as_ref().map(|welcome| welcome.member)
    }

    /// The longest payload of a data frame that the hub takes.
    pub(super) fn max_payload(&self) -> usize {
        self.welcome
            .as_ref()
            .map_or(0, |welcome| welcome.max_payload as usize)
    }

    /// The most credit that the hub lets a channel have outstanding.
    pub(super) fn max_credit(&self) -> u32 {
        self.welcome
            .as_ref()
            .map_or(0, |welcome| welcome.max_credit)
    }

    /// How many swarms the hub lets us be in.
    pub(super) fn max_swarms(&self) -> usize {
        let welcome = self.welcome.as_ref();
        welcome.map_or(usize::MAX, |welcome| welcome.max_swarms as usize)
    }

    /// There is room for one more channel.
    pub(super) fn has_room(&self) -> bool {
        self.welcome.as_ref().is_some_and(|welcome| {
            self.channels.len() + self.opening.len() < welcome.max_channels as usize
        })
    }

    /// A number for an open message.
    pub(super) fn begin_open(&mut self, info_hash: InfoHash, member: MemberId) -> u32 {
        self.next_request = self.next_request.wrapping_add(1);
        self.opening.insert(self.next_request, (info_hash, member));
        self.next_request
    }

    /// A channel to this member was asked for.
    pub(super) fn is_opening(&self, info_hash: InfoHash, member: MemberId) -> bool {
        self.opening
            .values()
            .any(|open| *open == (info_hash, member))
    }

    /// Sends a control message, if there is anybody to send it to.
    pub(super) fn send(&mut self, message: ClientMessage) {
        if self.is_up() {
            self.out.push_back(Output::Tracker(message));
        }
    }

    pub(super) fn send_data(&mut self, now: Time, frame: DataFrame) {
        self.unsent += frame.payload_len();
        self.handed += frame.payload_len() as u64;
        self.marks.push_back((self.handed, now));
        self.out
            .push_back(Output::Tracker(ClientMessage::Data(frame)));
    }

    /// The host has written this much. Control messages are in the sum, so the count may
    /// run a little low, never high.
    pub(super) fn sent(&mut self, now: Time, config: &Config, bytes: usize) {
        self.unsent = self.unsent.saturating_sub(bytes);
        self.reported = self.handed.min(self.reported.saturating_add(bytes as u64));
        let mut handed = None;
        while let Some(&(end, at)) = self.marks.front()
            && end <= self.reported
        {
            handed = Some(at);
            self.marks.pop_front();
        }
        if let Some(at) = handed {
            self.adapt(now - at, config);
        }
    }

    /// Something waited in the host's hands for this long: more may wait there, or less.
    fn adapt(&mut self, waited: Duration, config: &Config) {
        let (least, most) = config.link_budget;
        let (waited, wanted) = (waited.as_millis(), config.link_delay.as_millis());
        let budget = self.budget(config);
        let next = if waited > wanted {
            let shorter = budget as u128 * wanted / waited;
            usize::try_from(shorter).unwrap_or(least).max(budget / 2)
        } else if waited < wanted / 2 {
            budget * 2
        } else {
            budget
        };
        self.budget = Some(next.clamp(least, most));
    }

    /// How much may wait in the host's hands: about what the link takes in
    /// [`Config::link_delay`].
    pub(super) fn budget(&self, config: &Config) -> usize {
        let (least, most) = config.link_budget;
        self.budget.unwrap_or(FIRST_BUDGET).clamp(least, most)
    }

    pub(super) fn unsent(&self) -> usize {
        self.unsent
    }
}
