//! What goes through channels: data forwarded, the credit for it passed on, and what of it
//! is written.

use super::credit::{self, Flow};
use super::{ConnId, Hub, HubOutput, Violation, share};
use crate::id::ChannelId;
use crate::time::Time;
use crate::wire::relay::{DataFrame, ServerMessage};

/// Credit smaller than this is not passed on by itself while the sender has some left and
/// bytes of it are still to be written, which is when it is looked at again.
const WORTHWHILE: u64 = 16 << 10;

/// A frame of at least this many bytes is worth its place in a queue, however long.
const SMALL: u32 = 1 << 10;

impl Hub {
    pub(super) fn handle_credit(
        &mut self,
        conn: ConnId,
        id: ChannelId,
        bytes: u32,
    ) -> Result<(), Violation> {
        let Some((channel, end)) = self.open_channel_of(conn, id)? else {
            return Ok(());
        };
        let flow = &mut channel.flows[end];
        flow.withheld = flow.withheld.saturating_add(bytes.into());
        self.pass_credit(id, end);
        Ok(())
    }

    pub(super) fn handle_data(
        &mut self,
        now: Time,
        conn: ConnId,
        frame: DataFrame,
    ) -> Result<(), Violation> {
        let id = frame.channel();
        let length = frame.payload_len();
        let max_payload = self.config.max_payload;
        if length > max_payload {
            return Err(Violation(format!(
                "a data frame of {length} bytes, at most {max_payload} are allowed"
            )));
        }
        let Some((channel, end)) = self.open_channel_of(conn, id)? else {
            return Ok(());
        };
        let towards = 1 - end;
        let receiver = channel.ends[towards];
        let before = channel.flows[towards];
        let spent = u32::try_from(length)
            .ok()
            .and_then(|l| Some((l, before.outstanding.checked_sub(l)?)));
        let Some((length, left)) = spent else {
            return Err(Violation(format!(
                "{length} bytes through channel {} on a credit of {}",
                id.0, before.outstanding
            )));
        };
        channel.note_move(now);
        let flow = &mut channel.flows[towards];
        flow.outstanding = left;
        flow.queued += u64::from(length);
        flow.frames += 1;
        let after = *flow;
        self.change(receiver, &before, &after);
        self.connection(receiver).queue.push(id, length);
        self.frames += 1;
        let source = self.source_of(receiver);
        self.account(source).frames += 1;
        self.relayed_bytes += u64::from(length);
        self.outputs
            .push_back((receiver, HubOutput::Forward(frame.into_message())));
        if length < SMALL && self.is_crowded(receiver, &before) {
            self.limited.frames += 1;
            let reason = "too many tiny messages are waiting for a slow receiver";
            self.close_channel(id, reason, None);
        } else if after.withheld > 0 && u64::from(left) < WORTHWHILE {
            self.pass_credit(id, towards);
        }
        Ok(())
    }

    /// Whether a channel has its share of the frames that may wait for a receiver, or the
    /// receiver's source has its own.
    fn is_crowded(&mut self, receiver: ConnId, flow: &Flow) -> bool {
        let here = self.config.max_queued_frames;
        let everywhere = self.config.max_queued_frames_everywhere;
        let connection = &self.connections[&receiver];
        let account = &self.sources[&connection.source];
        // Without the frame that was just queued.
        !share::allows(flow.frames, connection.queue.frames() - 1, here)
            || !share::allows(account.frames - 1, self.frames - 1, everywhere)
    }

    /// The shell wrote `bytes` of [`HubOutput::Forward`] messages to the client's socket
    /// (bytes of the messages, headers included; any part of a message may be reported).
    pub fn flushed(&mut self, _now: Time, conn: ConnId, bytes: u64) {
        if !self.connections.contains_key(&conn) {
            return;
        }
        self.connection(conn).queue.flushed(bytes);
        let mut last = None;
        while let Some((id, payload)) = self.connection(conn).queue.pop() {
            self.written(conn, id, payload);
            // Frames of one channel often come one after another.
            if let Some(before) = last.replace(id).filter(|&before| before != id) {
                self.ask_again(conn, before);
            }
        }
        if let Some(id) = last {
            self.ask_again(conn, id);
        }
    }

    /// A frame of this channel was written.
    fn written(&mut self, conn: ConnId, id: ChannelId, payload: u64) {
        self.count_frame_out(conn);
        let channel = self.channels.get_mut(&id);
        let flow = channel.and_then(|channel| {
            let towards = channel.end_of(conn)?;
            Some(&mut channel.flows[towards])
        });
        match flow.filter(|flow| flow.queued >= payload && flow.frames > 0) {
            Some(flow) => {
                let before = *flow;
                flow.queued -= payload;
                flow.frames -= 1;
                let after = *flow;
                self.change(conn, &before, &after);
            }
            // The channel is gone.
            None => self.each_budget(conn, |budget| budget.forget(payload)),
        }
    }

    /// A channel has room for credit that was withheld, perhaps.
    fn ask_again(&mut self, conn: ConnId, id: ChannelId) {
        let Some(channel) = self.channels.get(&id) else {
            return;
        };
        if let Some(towards) = channel.end_of(conn)
            && channel.flows[towards].withheld > 0
        {
            self.pass_credit(id, towards);
        }
    }

    /// Tells a sender of as much withheld credit as there is room for, if that is worth a
    /// message; the rest waits until the channel moves.
    pub(super) fn pass_credit(&mut self, id: ChannelId, towards: usize) {
        let credit = self.grant(id, towards);
        if credit > 0 {
            let sender = self.channels[&id].ends[1 - towards];
            self.send(
                sender,
                ServerMessage::Credit {
                    channel: id,
                    bytes: credit,
                },
            );
        }
    }

    /// Turns withheld credit into outstanding credit as far as there is room; returns how
    /// much.
    pub(super) fn grant(&mut self, id: ChannelId, towards: usize) -> u32 {
        let channel = self
            .channels
            .get_mut(&id)
            .expect("callers hold an existing channel");
        let receiver = channel.ends[towards];
        let before = channel.flows[towards];
        let reserve = self.limits.reserve;
        let connection = &self.connections[&receiver];
        let pools = credit::room(
            (
                self.config.max_inflight_per_connection,
                self.config.max_inflight,
            ),
            before.pooled(reserve),
            &connection.budget,
            &self.sources[&connection.source].budget,
            &self.budget,
        );
        let own = u64::from(self.config.max_credit.saturating_sub(before.outstanding));
        let room = own.min(before.reserved(reserve) + pools);
        let bytes = before.withheld.min(room);
        // One that has nothing to send with gets it sooner. One of which nothing waits to be
        // written gets all there is, because nothing else will remind us of it.
        let worthwhile = if before.outstanding == 0 {
            u64::from(reserve).div_ceil(2)
        } else {
            WORTHWHILE.min(u64::from(self.config.max_credit) / 4)
        };
        if before.queued > 0 && bytes < worthwhile {
            return 0;
        }
        let bytes = u32::try_from(bytes).expect("it is at most max_credit");
        let flow = &mut channel.flows[towards];
        flow.withheld -= u64::from(bytes);
        flow.outstanding += bytes;
        let after = *flow;
        self.change(receiver, &before, &after);
        bytes
    }

    /// A direction towards `receiver` went from `before` to `after`.
    fn change(&mut self, receiver: ConnId, before: &Flow, after: &Flow) {
        let reserve = self.limits.reserve;
        self.each_budget(receiver, |budget| budget.change(reserve, before, after));
    }

    /// A direction towards `receiver` is gone.
    pub(super) fn orphan(&mut self, receiver: ConnId, flow: &Flow) {
        let reserve = self.limits.reserve;
        self.each_budget(receiver, |budget| budget.orphan(reserve, flow));
    }

    /// Nothing that waits for a connection, all of whose channels are gone, will be written.
    pub(super) fn forget_queue(&mut self, conn: ConnId) {
        let queued = self.connection(conn).budget.queued;
        self.each_budget(conn, |budget| budget.forget(queued));
        let frames = self.connection(conn).queue.frames();
        self.frames -= frames;
        let source = self.source_of(conn);
        self.account(source).frames -= frames;
    }

    fn count_frame_out(&mut self, conn: ConnId) {
        self.frames -= 1;
        let source = self.source_of(conn);
        self.account(source).frames -= 1;
    }

    /// The budgets that bytes towards a connection count in: its own, its source's, and that
    /// of the hub.
    fn each_budget(&mut self, conn: ConnId, mut f: impl FnMut(&mut credit::Budget)) {
        let connection = self.connection(conn);
        f(&mut connection.budget);
        let source = connection.source;
        f(&mut self.account(source).budget);
        f(&mut self.budget);
    }
}
