//! The relay: channels between members, and what goes through them. Who may have one to whom
//! the registry says; here it is how many, and how much may be on its way.
//!
//! - `channels`: which there are, and between whom.
//! - `transit`: what is on its way to each member, and what its senders may still send.
//! - `credit`, `offers`: the arithmetic of credit, and of asking for channels.

use super::door::Door;
use super::{HubConfig, HubStats, Source};
use crate::id::{ChannelId, InfoHash, MemberId, PeerId};
use crate::time::Time;
use crate::wire::relay::{DataFrame, Incoming, MAX_REASON, Open, ServerMessage};
use channels::{ACCEPTOR, Channels, OPENER, Overdue};
use credit::Reserves;
use refusal::{Refusal, Violation};
use transit::Transit;

mod channels;
mod credit;
mod offers;
mod refusal;
mod transit;

/// See the module.
#[derive(Debug)]
pub(super) struct Relay {
    config: HubConfig,
    reserves: Reserves,
    channels: Channels,
    transit: Transit,
    relayed_bytes: u64,
    counts: Counts,
}

/// How often something was limited, by what was short.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    channels: u64,
    offers: u64,
    frames: u64,
    idle: u64,
}

impl Relay {
    pub(super) fn new(config: HubConfig) -> Self {
        let reserves = Reserves::of(&config);
        Relay {
            reserves,
            channels: Channels::new(config.clone(), reserves),
            transit: Transit::new(config.clone(), reserves),
            relayed_bytes: 0,
            counts: Counts::default(),
            config,
        }
    }

    /// Channels that one connection may have.
    pub(super) fn max_channels(&self) -> usize {
        self.reserves.per_connection
    }

    /// A client is here that may have channels.
    pub(super) fn connect(&mut self, member: MemberId, source: Source) {
        self.channels.connect(member, source);
        self.transit.connect(member, source);
    }

    /// A client whose channels are closed is gone, and what waits for it with it.
    pub(super) fn disconnect(&mut self, member: MemberId) {
        self.channels.disconnect(member);
        self.transit.disconnect(member);
    }

    /// A client asks for a channel to somebody who is in the swarm with it, and knows it there
    /// as `peer_id`.
    pub(super) fn open(
        &mut self,
        now: Time,
        member: MemberId,
        peer_id: PeerId,
        open: &Open,
        door: &mut Door,
    ) {
        if let Err(refusal) = self.check_open(now, member, open) {
            self.count_refusal(&refusal);
            return refuse(member, open.request, &refusal.to_string(), door);
        }
        let id = self.channels.open(now, member, open);
        let credit = self.grant(id, OPENER);
        let incoming = Incoming {
            channel: id,
            info_hash: open.info_hash,
            member,
            peer_id,
            credit,
        };
        door.send(open.member, ServerMessage::Incoming(incoming));
    }

    fn check_open(&mut self, now: Time, member: MemberId, open: &Open) -> Result<(), Refusal> {
        self.channels.check_open(member, open)?;
        let everywhere = self.channels.len();
        for end in [member, open.member] {
            let here = self.channels.count_of(end);
            self.transit.check_reserve(end, here, everywhere)?;
        }
        self.channels.ask(now, member, open.member)
    }

    fn count_refusal(&mut self, refusal: &Refusal) {
        match refusal {
            Refusal::Pointless(_) => {}
            Refusal::Channels(_) => self.counts.channels += 1,
            Refusal::Offers(_) => self.counts.offers += 1,
        }
    }

    /// A client takes a channel that was offered to it.
    pub(super) fn accept(
        &mut self,
        now: Time,
        member: MemberId,
        id: ChannelId,
        credit: u32,
        door: &mut Door,
    ) -> Result<(), Violation> {
        let Some((opener, request)) = self.channels.accept(now, member, id, credit)? else {
            return Ok(());
        };
        let credit = self.grant(id, ACCEPTOR);
        let accepted = ServerMessage::Accepted {
            request,
            channel: id,
            credit,
        };
        door.send(opener, accepted);
        // What did not fit into the offer, if there is room by now.
        self.pass_credit(id, OPENER, door);
        Ok(())
    }

    /// A client has enough of a channel.
    pub(super) fn close(
        &mut self,
        member: MemberId,
        id: ChannelId,
        reason: &str,
        door: &mut Door,
    ) -> Result<(), Violation> {
        if self.channels.find(member, id)?.is_some() {
            self.end(id, reason, Some(member), door);
        }
        Ok(())
    }

    /// A client leaves a swarm, or has to: its channels there end. Others are told, and it is
    /// unless it knows.
    pub(super) fn leave(
        &mut self,
        member: MemberId,
        info_hash: InfoHash,
        reason: &str,
        knows: bool,
        door: &mut Door,
    ) {
        for id in self.channels.of(member, info_hash) {
            self.end(id, reason, knows.then_some(member), door);
        }
    }

    /// A receiver grants credit.
    pub(super) fn credit(
        &mut self,
        member: MemberId,
        id: ChannelId,
        bytes: u32,
        door: &mut Door,
    ) -> Result<(), Violation> {
        if let Some((channel, end)) = self.channels.find_open(member, id)? {
            let flow = &mut channel.flows[end];
            flow.withheld = flow.withheld.saturating_add(bytes.into());
            self.pass_credit(id, end, door);
        }
        Ok(())
    }

    /// A sender sends.
    pub(super) fn data(
        &mut self,
        now: Time,
        member: MemberId,
        frame: DataFrame,
        door: &mut Door,
    ) -> Result<(), Violation> {
        let id = frame.channel();
        let (length, max) = (frame.payload_len(), self.config.max_payload);
        if length > max {
            return Err(Violation::TooLong { length, max });
        }
        let Some((channel, end)) = self.channels.find_open(member, id)? else {
            return Ok(());
        };
        let towards = 1 - end;
        let receiver = channel.ends[towards];
        let before = channel.flows[towards];
        let credit = before.outstanding;
        let within_credit = u32::try_from(length).ok().filter(|it| *it <= credit);
        let Some(length) = within_credit else {
            let channel = id;
            return Err(Violation::BeyondCredit {
                length,
                channel,
                credit,
            });
        };
        channel.note_move(now);
        let flow = &mut channel.flows[towards];
        self.transit.push(receiver, id, flow, length);
        let after = *flow;
        self.relayed_bytes += u64::from(length);
        door.forward(receiver, frame.into_message());
        if length < self.config.small_frame && self.transit.is_crowded(receiver, before.frames) {
            self.counts.frames += 1;
            let reason = "too many tiny messages are waiting for a slow receiver";
            self.end(id, reason, None, door);
        } else if after.withheld > 0 && after.outstanding < self.config.worthwhile_credit {
            self.pass_credit(id, towards, door);
        }
        Ok(())
    }

    /// So many more bytes of frames were written to a member's socket.
    pub(super) fn written(&mut self, member: MemberId, bytes: u64, door: &mut Door) {
        self.transit.written(member, bytes);
        let mut last = None;
        while let Some((id, payload)) = self.transit.pop(member) {
            let channel = self.channels.get_mut(id);
            let flow = channel.and_then(|channel| {
                let towards = channel.end_of(member)?;
                Some(&mut channel.flows[towards])
            });
            self.transit.settle(member, flow, payload);
            // Frames of one channel often come one after another.
            if let Some(before) = last.replace(id).filter(|&before| before != id) {
                self.ask_again(member, before, door);
            }
        }
        if let Some(id) = last {
            self.ask_again(member, id, door);
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Time> {
        self.channels.poll_timeout()
    }

    /// The first deadline has come.
    pub(super) fn handle_timeout(&mut self, now: Time, door: &mut Door) {
        match self.channels.pop_overdue(now) {
            Some((id, Overdue::Unanswered)) => self.end(id, "no answer", None, door),
            Some((id, Overdue::Idle)) => {
                self.counts.idle += 1;
                let reason = "the channel carried nothing for too long";
                self.end(id, reason, None, door);
            }
            None => {}
        }
    }

    /// Fills in what it knows.
    pub(super) fn count(&self, stats: &mut HubStats) {
        stats.channels = self.channels.len();
        stats.relayed_bytes = self.relayed_bytes;
        self.transit.count(stats);
        stats.limited.channels = self.counts.channels;
        stats.limited.offers = self.counts.offers;
        stats.limited.frames = self.counts.frames;
        stats.limited.idle = self.counts.idle;
    }

    /// Ends a channel and tells its ends why, all but `silent`.
    fn end(&mut self, id: ChannelId, reason: &str, silent: Option<MemberId>, door: &mut Door) {
        let Some(channel) = self.channels.close(id) else {
            return;
        };
        let reason = &reason[..reason.floor_char_boundary(MAX_REASON)];
        for (end, (member, flow)) in channel.ends.into_iter().zip(channel.flows).enumerate() {
            self.transit.orphan(member, &flow);
            if silent == Some(member) {
                continue;
            }
            match channel.request() {
                Some(request) if end == OPENER => refuse(member, request, reason, door),
                _ => {
                    let (channel, reason) = (id, reason.to_owned());
                    door.send(member, ServerMessage::Close { channel, reason });
                }
            }
        }
    }

    /// A channel has room for credit that was withheld, perhaps.
    fn ask_again(&mut self, receiver: MemberId, id: ChannelId, door: &mut Door) {
        let Some(channel) = self.channels.get_mut(id) else {
            return;
        };
        if let Some(towards) = channel.end_of(receiver)
            && channel.flows[towards].withheld > 0
        {
            self.pass_credit(id, towards, door);
        }
    }

    /// Tells a sender of as much withheld credit as there is room for, if that is worth a
    /// message; the rest waits until the channel moves.
    fn pass_credit(&mut self, id: ChannelId, towards: usize, door: &mut Door) {
        let bytes = self.grant(id, towards);
        if bytes > 0 {
            let sender = self.channels.get(id).ends[1 - towards];
            door.send(sender, ServerMessage::Credit { channel: id, bytes });
        }
    }

    /// Turns withheld credit into outstanding credit as far as there is room; returns how
    /// much.
    fn grant(&mut self, id: ChannelId, towards: usize) -> u32 {
        let channel = self
            .channels
            .get_mut(id)
            .expect("callers hold an existing channel");
        let receiver = channel.ends[towards];
        self.transit.grant(receiver, &mut channel.flows[towards])
    }
}

fn refuse(member: MemberId, request: u32, reason: &str, door: &mut Door) {
    let reason = reason.to_owned();
    door.send(member, ServerMessage::Refused { request, reason });
}

#[cfg(test)]
impl Relay {
    /// Bytes on their way to a member or on credit towards it, and its channels.
    pub(super) fn load(&self, member: MemberId) -> (u64, usize) {
        (self.transit.load(member), self.channels.count_of(member))
    }
}
