//! Channels: asking for them, accepting and closing them.
//!
//! Channel numbers grow. One that was given out and is not in the table closed lately:
//! what a client still sends on it crossed the close, and is ignored. One that was
//! never given out is a violation.

use std::collections::{BTreeMap, BTreeSet};

use super::super::{HubConfig, Source, share};
use super::credit::{Flow, Reserves};
use super::offers::Offers;
use super::refusal::{Refusal, Violation};
use crate::id::{ChannelId, InfoHash, MemberId};
use crate::time::Time;
use crate::wire::relay::Open;

/// See the module.
#[derive(Debug)]
pub(super) struct Channels {
    config: HubConfig,
    reserves: Reserves,
    table: BTreeMap<ChannelId, Channel>,
    next: u64,
    ends: BTreeMap<MemberId, End>,
    /// How many the clients of each source asked for, if any.
    sources: BTreeMap<Source, usize>,
    deadlines: BTreeSet<(Time, Deadline)>,
}

/// A pipe between two members of a swarm.
#[derive(Debug)]
pub(super) struct Channel {
    info_hash: InfoHash,
    /// Who opened it, and to whom.
    pub(super) ends: [MemberId; 2],
    /// Bytes towards each of the ends.
    pub(super) flows: [Flow; 2],
    state: State,
}

#[derive(Debug)]
enum State {
    /// Waits for an answer.
    Pending {
        /// The opener's number for it.
        request: u32,
        deadline: Time,
    },
    Open {
        /// When something last went through it.
        moved: Time,
        /// When that is looked at.
        check: Time,
    },
}

/// A client as an end of channels.
#[derive(Debug)]
struct End {
    /// Whom it is charged to.
    source: Source,
    channels: BTreeSet<ChannelId>,
    /// What others want of it.
    offers: Offers,
}

/// What happens when a time comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Deadline {
    /// A channel that was not accepted is refused.
    Answer(ChannelId),
    /// A channel that carried nothing is closed.
    Idle(ChannelId),
}

/// Why a channel ends by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Overdue {
    /// Nobody accepted it.
    Unanswered,
    /// It carried nothing.
    Idle,
}

/// The index of an end in [`Channel::ends`] and [`Channel::flows`].
pub(super) const OPENER: usize = 0;
pub(super) const ACCEPTOR: usize = 1;

impl Channels {
    pub(super) fn new(config: HubConfig, reserves: Reserves) -> Self {
        Channels {
            config,
            reserves,
            table: BTreeMap::new(),
            next: 1,
            ends: BTreeMap::new(),
            sources: BTreeMap::new(),
            deadlines: BTreeSet::new(),
        }
    }

    pub(super) fn connect(&mut self, member: MemberId, source: Source) {
        let end = End {
            source,
            channels: BTreeSet::new(),
            offers: Offers::default(),
        };
        self.ends.insert(member, end);
    }

    /// Its channels are closed.
    pub(super) fn disconnect(&mut self, member: MemberId) {
        let end = self.ends.remove(&member);
        debug_assert!(end.is_none_or(|end| end.channels.is_empty()));
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.table.len()
    }

    /// How many one client has.
    pub(super) fn count_of(&self, member: MemberId) -> usize {
        self.ends[&member].channels.len()
    }

    /// Those of a client in one swarm.
    pub(super) fn of(&self, member: MemberId, info_hash: InfoHash) -> Vec<ChannelId> {
        let here = |id: &ChannelId| self.table[id].info_hash == info_hash;
        let all = self.ends[&member].channels.iter().copied();
        all.filter(here).collect()
    }

    pub(super) fn get(&self, id: ChannelId) -> &Channel {
        &self.table[&id]
    }

    pub(super) fn get_mut(&mut self, id: ChannelId) -> Option<&mut Channel> {
        self.table.get_mut(&id)
    }

    /// The channel, and which end of it `member` is; none if it closed lately.
    pub(super) fn find(
        &mut self,
        member: MemberId,
        id: ChannelId,
    ) -> Result<Option<(&mut Channel, usize)>, Violation> {
        let known = u64::from(id.0) < self.next;
        match self.table.get_mut(&id) {
            None if known => Ok(None),
            None => Err(Violation::NoChannel(id)),
            Some(channel) => match channel.end_of(member) {
                Some(end) => Ok(Some((channel, end))),
                None => Err(Violation::NotYours(id)),
            },
        }
    }

    /// As [`Channels::find`], and it must have been accepted.
    pub(super) fn find_open(
        &mut self,
        member: MemberId,
        id: ChannelId,
    ) -> Result<Option<(&mut Channel, usize)>, Violation> {
        match self.find(member, id)? {
            Some((channel, _)) if channel.request().is_some() => Err(Violation::NotAccepted(id)),
            found => Ok(found),
        }
    }

    /// Whether a client may have one more, to that member in that swarm.
    pub(super) fn check_open(&self, member: MemberId, open: &Open) -> Result<(), Refusal> {
        use Refusal::{Channels, Pointless};
        if open.member == member {
            return Err(Pointless("a channel to oneself leads nowhere"));
        }
        let (us, them) = (&self.ends[&member], &self.ends[&open.member]);
        let ours = self.sources.get(&us.source).copied().unwrap_or_default();
        let limit = self.reserves.per_connection;
        let (all, limit_of_all) = (self.table.len(), self.reserves.everywhere);
        if self.count_between(us, them, open.info_hash) >= self.config.max_channels_per_pair {
            Err(Pointless("there are channels to the member already"))
        } else if us.channels.len() >= limit {
            Err(Channels(
                "the connection has as many channels as the relay allows",
            ))
        } else if them.channels.len() >= limit {
            Err(Channels(
                "the member has as many channels as the relay allows",
            ))
        } else if !share::allows(them.offers.channels(us.source), them.channels.len(), limit) {
            Err(Channels(
                "the member has as many channels from your address as its share allows",
            ))
        } else if all >= limit_of_all {
            Err(Channels("the relay has as many channels as it allows"))
        } else if !share::allows(ours, all, limit_of_all) {
            Err(Channels(
                "your address has as many channels as its share of the relay allows",
            ))
        } else {
            Ok(())
        }
    }

    fn count_between(&self, us: &End, them: &End, info_hash: InfoHash) -> usize {
        // Of the two the one with fewer channels: who has many pays for that.
        let (fewer, more) = if us.channels.len() <= them.channels.len() {
            (us, them)
        } else {
            (them, us)
        };
        let shared = fewer
            .channels
            .iter()
            .filter(|id| more.channels.contains(id));
        shared
            .filter(|id| self.table[id].info_hash == info_hash)
            .count()
    }

    /// A client is about to ask another for one more; refused if its source does that too
    /// often.
    pub(super) fn ask(
        &mut self,
        now: Time,
        member: MemberId,
        target: MemberId,
    ) -> Result<(), Refusal> {
        let source = self.ends[&member].source;
        let target = end(&mut self.ends, target);
        let may = target.offers.ask(now, source, &self.config);
        may.then_some(()).ok_or(Refusal::Offers(
            "your address asks the member for channels too often",
        ))
    }

    /// A channel that may be there, and waits for an answer.
    pub(super) fn open(&mut self, now: Time, member: MemberId, open: &Open) -> ChannelId {
        let id = self.number();
        let deadline = now + self.config.open_timeout;
        let flow = Flow {
            withheld: open.credit.into(),
            ..Flow::default()
        };
        let channel = Channel {
            info_hash: open.info_hash,
            ends: [member, open.member],
            flows: [flow, Flow::default()],
            state: State::Pending {
                request: open.request,
                deadline,
            },
        };
        self.table.insert(id, channel);
        self.deadlines.insert((deadline, Deadline::Answer(id)));
        let opener = end(&mut self.ends, member);
        opener.channels.insert(id);
        let source = opener.source;
        let acceptor = end(&mut self.ends, open.member);
        acceptor.channels.insert(id);
        acceptor.offers.opened(source);
        *self.sources.entry(source).or_default() += 1;
        id
    }

    /// A channel is taken by whom it was offered to, with so much credit. Who opened it, and
    /// its number there; none if it closed lately.
    pub(super) fn accept(
        &mut self,
        now: Time,
        member: MemberId,
        id: ChannelId,
        credit: u32,
    ) -> Result<Option<(MemberId, u32)>, Violation> {
        let check = now + self.config.channel_idle;
        let Some((channel, end)) = self.find(member, id)? else {
            return Ok(None);
        };
        let State::Pending { request, deadline } = channel.state else {
            return Err(Violation::OpenAlready(id));
        };
        if end != ACCEPTOR {
            return Err(Violation::NotYoursToAccept(id));
        }
        channel.state = State::Open { moved: now, check };
        channel.flows[ACCEPTOR].withheld = credit.into();
        let opener = channel.ends[OPENER];
        self.deadlines.remove(&(deadline, Deadline::Answer(id)));
        self.deadlines.insert((check, Deadline::Idle(id)));
        Ok(Some((opener, request)))
    }

    /// A channel is gone; what it was.
    pub(super) fn close(&mut self, id: ChannelId) -> Option<Channel> {
        let channel = self.table.remove(&id)?;
        let deadline = match channel.state {
            State::Pending { deadline, .. } => (deadline, Deadline::Answer(id)),
            State::Open { check, .. } => (check, Deadline::Idle(id)),
        };
        self.deadlines.remove(&deadline);
        let opener = end(&mut self.ends, channel.ends[OPENER]);
        opener.channels.remove(&id);
        let source = opener.source;
        let acceptor = end(&mut self.ends, channel.ends[ACCEPTOR]);
        acceptor.channels.remove(&id);
        acceptor.offers.closed(source);
        let asked = self.sources.get_mut(&source);
        let asked = asked.expect("what was asked for was counted");
        *asked -= 1;
        if *asked == 0 {
            self.sources.remove(&source);
        }
        Some(channel)
    }

    pub(super) fn poll_timeout(&self) -> Option<Time> {
        self.deadlines.first().map(|&(due, _)| due)
    }

    /// The first deadline has come: the channel that ends for it, if one does.
    pub(super) fn pop_overdue(&mut self, now: Time) -> Option<(ChannelId, Overdue)> {
        let id = match self.deadlines.pop_first()?.1 {
            Deadline::Answer(id) => return Some((id, Overdue::Unanswered)),
            Deadline::Idle(id) => id,
        };
        let State::Open { moved, check } = &mut self.table.get_mut(&id)?.state else {
            return None;
        };
        let due = *moved + self.config.channel_idle;
        if due <= now {
            return Some((id, Overdue::Idle));
        }
        *check = due;
        self.deadlines.insert((due, Deadline::Idle(id)));
        None
    }

    fn number(&mut self) -> ChannelId {
        loop {
            // Only the lower half is the number: after four thousand million channels
            // numbers begin anew, and skip those in use.
            let id = ChannelId(self.next as u32);
            self.next += 1;
            if !self.table.contains_key(&id) {
                return id;
            }
        }
    }
}

impl Channel {
    /// Which end of it somebody is.
    pub(super) fn end_of(&self, member: MemberId) -> Option<usize> {
        self.ends.iter().position(|&end| end == member)
    }

    /// The opener's number for it, as long as it waits for an answer.
    pub(super) fn request(&self) -> Option<u32> {
        match self.state {
            State::Pending { request, .. } => Some(request),
            State::Open { .. } => None,
        }
    }

    /// Something goes through it.
    pub(super) fn note_move(&mut self, now: Time) {
        if let State::Open { moved, .. } = &mut self.state {
            *moved = now;
        }
    }
}

fn end(ends: &mut BTreeMap<MemberId, End>, member: MemberId) -> &mut End {
    ends.get_mut(&member).expect("channels end at clients")
}
