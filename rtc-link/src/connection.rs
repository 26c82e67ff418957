//! One connection, from its first description to its end. No I/O: datagrams and times go in,
//! datagrams and what they mean come out.

mod early;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use str0m::change::{SdpAnswer, SdpOffer, SdpPendingOffer};
use str0m::channel::{ChannelData, ChannelId};
use str0m::net::{Protocol, Receive};
use str0m::{Candidate, Event, IceConnectionState, Input, Output, Rtc};
use swarm_core::net::{Part, Parts};

use crate::crypto::{Identity, provider};
use crate::description::{USUAL_MESSAGE, check, max_message, without_bad_candidates};
use crate::error::LinkError;
use early::Early;

/// The longest message that we take: as every browser.
const MAX_MESSAGE: usize = 256 << 10;
/// Bytes that SCTP has in hand, sent or not, until the other end has said that it has them: so
/// much leaves in a round trip at the most. 1 MiB, as much as such ends take at once; 20 MB/s
/// over 50 ms, where SCTP itself is the slower.
const BUFFER: usize = 1 << 20;
/// Bytes that wait for SCTP to take them. Above what the engine lets wait of its own accord
/// (`link_budget`, 2 MiB); who lets more wait takes nothing of what it asks for.
const BACKLOG: usize = 4 << 20;
/// What a message takes beside its bytes, roughly.
const OVERHEAD: usize = 64;
/// A connection that lost its other end may come back by itself; as in a tab.
const MEND_WITHIN: Duration = Duration::from_secs(5);
/// What was given to a connection before it was closed has this long to leave.
const FAREWELL: Duration = Duration::from_secs(5);
/// The channel's name, as tabs give it; nobody reads it.
const LABEL: &str = "tabswarm";

/// An address of ours that the other end is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address {
    /// The socket's.
    pub host: SocketAddr,
    /// Where a server sees it, if that is elsewhere.
    pub seen: Option<SocketAddr>,
}

/// What a connection wants.
#[derive(Debug)]
pub enum Step {
    /// Send a datagram.
    Send {
        /// From this address of ours.
        from: SocketAddr,
        /// To this one.
        to: SocketAddr,
        /// Its bytes.
        bytes: Vec<u8>,
    },
    /// The channel is open.
    Open,
    /// A message came.
    Received(Bytes),
    /// So many of the bytes that it was given are SCTP's now.
    Sent(usize),
    /// It came to its end, told once. What it still has to send is sent.
    Ended(LinkError),
    /// Nothing, until this time.
    Wait(Instant),
    /// Nothing any more: it can be forgotten.
    Over,
}

/// See the module.
#[derive(Debug)]
pub struct Connection {
    rtc: Rtc,
    /// Its addresses.
    ours: Vec<SocketAddr>,
    pending: Option<SdpPendingOffer>,
    /// The channel that we offered.
    offered: Option<ChannelId>,
    /// What came through it before it was open.
    early: Early,
    /// The channel, once it is open.
    channel: Option<ChannelId>,
    /// The longest message that the other end takes.
    max_message: usize,
    waiting: VecDeque<Parts>,
    waiting_bytes: usize,
    /// Taken by SCTP and not reported.
    sent: usize,
    /// Where a message is put together.
    scratch: Vec<u8>,
    /// Since when nothing is heard of the other end.
    lost: Option<Instant>,
    stage: Stage,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Stage {
    /// It comes about, or is there.
    Alive,
    /// It is to be told that it ended, for this reason.
    Ending(LinkError),
    /// What is left to send has until then.
    Closing(Instant),
    /// SCTP and DTLS say goodbye, until then.
    Closed(Instant),
}

impl Connection {
    fn new(now: Instant, identity: &Identity, addresses: &[Address]) -> Result<Self, LinkError> {
        let mut rtc = Rtc::builder()
            .clear_codecs()
            .clear_extension_map()
            .set_crypto_provider(provider())
            .set_dtls_cert(identity.certificate())
            .set_sctp_max_buffered_amount(BUFFER)
            .set_sctp_max_message_size(u32::try_from(MAX_MESSAGE).unwrap_or(u32::MAX))
            .build(now);
        let mut any = false;
        for Address { host, seen } in addresses {
            let seen = seen.map(|seen| Candidate::server_reflexive(seen, *host, "udp"));
            let host = Candidate::host(*host, "udp");
            for candidate in [Some(host), seen].into_iter().flatten().flatten() {
                any |= rtc.add_local_candidate(candidate).is_some();
            }
        }
        if !any {
            return Err(LinkError::NoAddress);
        }
        Ok(Connection {
            rtc,
            ours: addresses.iter().map(|address| address.host).collect(),
            pending: None,
            offered: None,
            early: Early::default(),
            channel: None,
            max_message: USUAL_MESSAGE,
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            sent: 0,
            scratch: Vec::new(),
            lost: None,
            stage: Stage::Alive,
        })
    }

    /// Begins one, and describes our end.
    pub fn offer(
        now: Instant,
        identity: &Identity,
        addresses: &[Address],
    ) -> Result<(Self, String), LinkError> {
        let mut connection = Self::new(now, identity, addresses)?;
        let mut api = connection.rtc.sdp_api();
        let channel = api.add_channel(LABEL.to_owned());
        let (offer, pending) = api.apply().ok_or(LinkError::NoChannel)?;
        connection.offered = Some(channel);
        connection.pending = Some(pending);
        Ok((connection, offer.to_sdp_string()))
    }

    /// Takes an offer, and describes our end.
    pub fn answer(
        now: Instant,
        identity: &Identity,
        addresses: &[Address],
        theirs: &str,
    ) -> Result<(Self, String), LinkError> {
        check(theirs)?;
        let mut connection = Self::new(now, identity, addresses)?;
        let fit = without_bad_candidates(theirs, &connection.ours);
        let offer = SdpOffer::from_sdp_string(&fit);
        let offer = offer.map_err(|error| LinkError::description(&error))?;
        let answer = connection.rtc.sdp_api().accept_offer(offer);
        let answer = answer.map_err(|error| LinkError::description(&error))?;
        connection.max_message = max_message(theirs);
        Ok((connection, answer.to_sdp_string()))
    }

    /// Takes the answer to an offer of ours.
    pub fn accept(&mut self, theirs: &str) -> Result<(), LinkError> {
        let pending = self.pending.take().ok_or(LinkError::NotAwaited)?;
        check(theirs)?;
        let fit = without_bad_candidates(theirs, &self.ours);
        let answer = SdpAnswer::from_sdp_string(&fit);
        let answer = answer.map_err(|error| LinkError::description(&error))?;
        let accepted = self.rtc.sdp_api().accept_answer(pending, answer);
        accepted.map_err(|error| LinkError::description(&error))?;
        self.max_message = max_message(theirs);
        Ok(())
    }

    /// A datagram came; false if it is not for this connection.
    pub fn receive(
        &mut self,
        now: Instant,
        from: SocketAddr,
        at: SocketAddr,
        datagram: &[u8],
    ) -> bool {
        if !self.ours.contains(&at) {
            return false;
        }
        let Ok(receive) = Receive::new(Protocol::Udp, from, at, datagram) else {
            return false;
        };
        let input = Input::Receive(now, receive);
        if !self.rtc.accepts(&input) {
            return false;
        }
        if let Err(error) = self.rtc.handle_input(input) {
            self.end(LinkError::broken(&error));
        }
        true
    }

    /// Time has passed.
    pub fn tick(&mut self, now: Instant) {
        if let Err(error) = self.rtc.handle_input(Input::Timeout(now)) {
            self.end(LinkError::broken(&error));
        }
        if self.lost.is_some_and(|since| now - since >= MEND_WITHIN) {
            self.end(LinkError::Silent);
        }
    }

    /// Gives it something to send.
    pub fn send(&mut self, parts: Parts) {
        if self.stage != Stage::Alive || parts.is_empty() {
            return;
        }
        self.waiting_bytes += parts.len() + OVERHEAD;
        self.waiting.push_back(parts);
        if self.waiting_bytes > BACKLOG {
            self.end(LinkError::Stalled);
        }
    }

    /// Closes it, once what it was given has left. Nothing more is told of it.
    pub fn close(&mut self, now: Instant) {
        match self.stage {
            Stage::Alive if self.channel.is_some() => self.stage = Stage::Closing(now + FAREWELL),
            Stage::Alive | Stage::Ending(_) => self.stage = self.hang_up(now),
            Stage::Closing(_) | Stage::Closed(_) => {}
        }
    }

    fn end(&mut self, error: LinkError) {
        if self.stage == Stage::Alive {
            self.stage = Stage::Ending(error);
        }
    }

    fn hang_up(&mut self, now: Instant) -> Stage {
        // One that is broken has nobody to tell.
        if self.rtc.close().is_err() || self.channel.is_none() {
            self.rtc.disconnect();
        }
        Stage::Closed(now + FAREWELL)
    }

    /// The next thing that it wants; called until that is to wait, after everything that is
    /// done to it.
    pub fn poll(&mut self, now: Instant) -> Step {
        loop {
            if let Some(step) = self.step(now) {
                return step;
            }
        }
    }

    /// None if there is to be another.
    fn step(&mut self, now: Instant) -> Option<Step> {
        if let Stage::Ending(error) = &self.stage {
            let error = error.clone();
            self.stage = self.hang_up(now);
            return Some(Step::Ended(error));
        }
        if self.channel.is_some()
            && self.stage == Stage::Alive
            && let Some(bytes) = self.early.take()
        {
            return Some(Step::Received(bytes));
        }
        self.write();
        if self.sent > 0 && self.stage == Stage::Alive {
            return Some(Step::Sent(std::mem::take(&mut self.sent)));
        }
        if let Stage::Closing(until) = self.stage
            && (until <= now || self.has_sent_all())
        {
            self.stage = self.hang_up(now);
        }
        match self.rtc.poll_output() {
            Ok(Output::Transmit(transmit)) => Some(Step::Send {
                from: transmit.source,
                to: transmit.destination,
                bytes: transmit.contents.into(),
            }),
            Ok(Output::Event(event)) => self.hear(now, event),
            Ok(Output::Timeout(at)) => self.wait(now, at),
            Err(error) => {
                self.rtc.disconnect();
                self.end(LinkError::broken(&error));
                None
            }
        }
    }

    fn wait(&mut self, now: Instant, at: Instant) -> Option<Step> {
        let is_alive = self.rtc.is_alive();
        match self.stage {
            Stage::Ending(_) => None,
            Stage::Alive if !is_alive => {
                self.end(LinkError::Closed);
                None
            }
            Stage::Alive => {
                let lost = self.lost.map(|since| since + MEND_WITHIN);
                Some(Step::Wait(lost.map_or(at, |lost| lost.min(at))))
            }
            Stage::Closing(_) | Stage::Closed(_) if !is_alive => Some(Step::Over),
            Stage::Closed(until) if until <= now => Some(Step::Over),
            Stage::Closing(until) | Stage::Closed(until) => Some(Step::Wait(until.min(at))),
        }
    }

    fn hear(&mut self, now: Instant, event: Event) -> Option<Step> {
        match event {
            Event::ChannelOpen(id, _) if self.channel.is_none() => {
                self.channel = Some(id);
                if let Some(mut channel) = self.rtc.channel(id) {
                    channel.set_buffered_amount_low_threshold(BUFFER / 2);
                }
                return (self.stage == Stage::Alive).then_some(Step::Open);
            }
            // A second one would be nobody's.
            Event::ChannelOpen(id, _) => self.rtc.direct_api().close_data_channel(id),
            Event::ChannelData(ChannelData { id, binary, data }) => {
                let is_ours = self.channel.or(self.offered) == Some(id);
                match (is_ours && self.stage == Stage::Alive, binary) {
                    (true, true) if self.channel.is_some() => {
                        return Some(Step::Received(Bytes::from(data)));
                    }
                    (true, true) => {
                        if let Err(error) = self.early.keep(Bytes::from(data)) {
                            self.end(error);
                        }
                    }
                    (true, false) => self.end(LinkError::Text),
                    (false, _) => {}
                }
            }
            Event::ChannelClose(id) if self.channel == Some(id) => self.end(LinkError::Closed),
            Event::Closed => self.end(LinkError::Closed),
            Event::IceConnectionStateChange(state) => {
                let is_lost = state == IceConnectionState::Disconnected;
                // Before it was there, whoever wants it waits only so long.
                let is_lost = is_lost && self.channel.is_some();
                self.lost = is_lost.then(|| self.lost.unwrap_or(now));
            }
            _ => {}
        }
        None
    }

    fn has_sent_all(&mut self) -> bool {
        let channel = self.channel.and_then(|id| self.rtc.channel(id));
        let buffered = channel.map_or(0, |mut channel| channel.buffered_amount());
        self.waiting.is_empty() && buffered == 0
    }

    /// Gives SCTP what it takes.
    fn write(&mut self) {
        if !matches!(self.stage, Stage::Alive | Stage::Closing(_)) {
            return;
        }
        while let Some(parts) = self.waiting.front() {
            let Some(mut channel) = self.channel.and_then(|id| self.rtc.channel(id)) else {
                return;
            };
            let length = parts.len();
            if BUFFER.saturating_sub(channel.buffered_amount()) < length {
                return;
            }
            self.scratch.clear();
            let parts = parts.iter();
            parts.for_each(|part: &Part| part.append_to(&mut self.scratch));
            // Few ends take less than we send at once, and it is a stream of bytes.
            for message in self.scratch.chunks(self.max_message) {
                match channel.write(true, message) {
                    Ok(true) => {}
                    Ok(false) => return self.end(LinkError::Stalled),
                    Err(error) => return self.end(LinkError::broken(&error)),
                }
            }
            self.waiting.pop_front();
            self.waiting_bytes -= length + OVERHEAD;
            self.sent += length;
        }
    }
}
