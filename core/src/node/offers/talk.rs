//! What the node does with offers: it has the host describe ends, hands offers and answers on, and
//! keeps one wire of two that lead to the same member.

use super::super::wire;
use super::super::{DirectInput, Node, Output, RelayLink};
use super::{Attempt, Met, Partner, Stage, Swarm, number_of};
use crate::chunk::Chunk;
use crate::engine::{self, DirectId, DirectWork, Ending, Opening, PeerPath};
use crate::id::{ChannelId, ChannelKey, InfoHash, LinkId, MemberId};
use crate::net::{Contact, RelayPolicy};
use crate::peer::{RtcConfig, UNCOUNTED};
use crate::record::Sink;
use crate::time::Time;
use crate::wire::relay::ServerMessage;
use crate::wire::webtorrent::Offer;

impl<S: Sink, C: Chunk> Node<S, C> {
    /// Whether we take offers from those that the tracker behind a link knows, and make some.
    /// Where a server of ours wants relays alone, no other tracker hears any either, also while
    /// that server is away, or has not spoken yet.
    pub(in crate::node) fn takes_offers(&self, link: LinkId) -> bool {
        let engine = self.engine.engine();
        let spoke = |link: &RelayLink| link.member().is_some();
        let elsewhere = self.foreign.contains_key(&link);
        let may = !elsewhere || self.offers.strict.is_empty() && self.links.values().all(spoke);
        engine.config().paths.rtc.at_once > 0
            && engine.relay_policy(link) != RelayPolicy::Only
            && may
    }

    /// The tracker through which this one is agreed on, where it is through a tracker.
    pub(in crate::node) fn agreed_through(&self, id: DirectId) -> LinkId {
        let of = (id.channel.link == LinkId::TRACKERS).then(|| self.offers.link_of(id.attempt));
        of.flatten().unwrap_or(id.channel.link)
    }

    /// A tracker says how many offers would find somebody. Those whom we have met may be among
    /// them.
    pub(in crate::node) fn invited(&mut self, link: LinkId, info_hash: InfoHash, count: usize) {
        let swarm = (link, info_hash);
        let under_way = self.offers.under_way(|it| it.swarm == swarm);
        match count.saturating_sub(self.offers.met_in(swarm) + under_way) {
            0 => self.offers.wanted.remove(&swarm),
            more => self.offers.wanted.insert(swarm, more),
        };
    }

    /// Gives up what nothing came of, or nobody wants any more, and makes offers that are due.
    pub(in crate::node) fn tend_offers(&mut self, now: Time) {
        let attempts = self.offers.attempts.iter();
        let over = attempts.filter(|(_, it)| it.until <= now || !self.is_open(it.swarm));
        let over: Vec<u32> = over.map(|(number, _)| *number).collect();
        for number in over {
            self.out_direct(number, DirectWork::Drop);
            self.give_up(now, number);
        }
        let config = self.engine.engine().config().paths.rtc.clone();
        while let Some(swarm) = self.offers.wanted.keys().next().copied() {
            let info_hash = swarm.1;
            let report = self.engine.engine().report(now, info_hash);
            let wanted = report.map_or(0, |report| report.wanted);
            let under_way = self.offers.under_way(|it| it.swarm == swarm);
            if !self.is_open(swarm) || under_way >= wanted {
                self.offers.wanted.remove(&swarm);
                continue;
            }
            if self.offers.under_way(|it| it.ours) >= config.at_once {
                return;
            }
            match self.offers.wanted.get_mut(&swarm) {
                Some(more) if *more > 1 => *more -= 1,
                _ => {
                    self.offers.wanted.remove(&swarm);
                }
            }
            self.offers.begin(swarm, None, now + config.describe);
            self.out_direct(self.offers.made, DirectWork::Offer);
        }
    }

    /// The tracker is there, knows of the torrent from us, and we take part in it.
    fn is_open(&self, (link, info_hash): Swarm) -> bool {
        (self.links.contains_key(&link) || self.foreign.contains_key(&link))
            && self.takes_offers(link)
            && self.trackers.has(info_hash, link)
            && self.engine.engine().is_running(info_hash)
    }

    /// Our own hub hands on an offer, or an answer.
    pub(in crate::node) fn hear_signal(
        &mut self,
        now: Time,
        link: LinkId,
        message: &ServerMessage,
    ) {
        let (ServerMessage::Offer(said) | ServerMessage::Answer(said)) = message else {
            return;
        };
        let swarm = (link, said.info_hash);
        let from = Partner {
            member: said.member,
            name: said.peer_id,
        };
        let offer = Offer {
            id: said.id,
            sdp: said.sdp.clone(),
        };
        match message {
            ServerMessage::Offer(_) => self.hear_offer(now, swarm, from, offer),
            _ => self.hear_answer(now, swarm, from, offer),
        }
    }

    /// Somebody makes us an offer.
    pub(in crate::node) fn hear_offer(
        &mut self,
        now: Time,
        swarm: Swarm,
        from: Partner,
        Offer { id, sdp }: Offer,
    ) {
        let engine = self.engine.engine();
        let config = &engine.config().paths.rtc;
        let room = engine.report(now, swarm.1);
        let room = room.is_some_and(|report| report.wanted > 0);
        let known = |it: &Attempt| it.with == Some(from) && it.swarm == swarm;
        let busy = self.offers.under_way(|it| !it.ours) >= config.at_once;
        if from.name == engine.peer_id()
            || !self.is_open(swarm)
            || !room
            || busy
            || engine.avoids(now, swarm.1, contact(swarm.0, from))
            || self.offers.under_way(known) > 0
            || self.offers.wire_to(swarm, from.member).is_some()
        {
            return;
        }
        let until = now + config.describe;
        self.offers.begin(swarm, Some(id), until).with = Some(from);
        self.out_direct(self.offers.made, DirectWork::Answer(sdp));
    }

    /// Somebody answers one of ours.
    pub(in crate::node) fn hear_answer(
        &mut self,
        now: Time,
        swarm: Swarm,
        from: Partner,
        Offer { id, sdp }: Offer,
    ) {
        let engine = self.engine.engine();
        let unwanted = engine.avoids(now, swarm.1, contact(swarm.0, from))
            || self.offers.wire_to(swarm, from.member).is_some();
        let until = now + self.engine.engine().config().paths.rtc.connect;
        let mut attempts = self.offers.attempts.iter_mut();
        let of = attempts.find(|(_, it)| it.swarm == swarm && it.ours && it.offer == id);
        let Some((&number, attempt)) = of.filter(|(_, it)| it.stage == Stage::Offered) else {
            return;
        };
        if unwanted {
            self.offers.attempts.remove(&number);
            return self.out_direct(number, DirectWork::Drop);
        }
        (attempt.stage, attempt.with, attempt.until) = (Stage::Connecting, Some(from), until);
        self.out_direct(number, DirectWork::Accept(sdp));
    }

    /// The host says what became of a connection; the last of what that means to the engine.
    pub(in crate::node) fn hear_attempt(
        &mut self,
        now: Time,
        number: u32,
        input: DirectInput,
    ) -> engine::Input<C> {
        match input {
            DirectInput::Described(sdp) => self.described(now, number, sdp),
            DirectInput::Failed => self.give_up(now, number),
            DirectInput::Linked { wire, max_payload } => {
                return self.connected(now, number, wire, max_payload);
            }
        }
        engine::Input::Tick
    }

    fn described(&mut self, now: Time, number: u32, sdp: String) {
        let config = &self.engine.engine().config().paths.rtc;
        let Some(attempt) = self.offers.attempts.get_mut(&number) else {
            return;
        };
        if attempt.stage != Stage::Describing {
            return;
        }
        (attempt.stage, attempt.until) = match attempt.ours {
            true => (Stage::Offered, now + config.answer),
            false => (Stage::Connecting, now + config.connect),
        };
        let Attempt { swarm, with, .. } = *attempt;
        let offer = Offer {
            id: attempt.offer,
            sdp,
        };
        if let Some(link) = self.links.get(&swarm.0) {
            link.signal(swarm.1, offer, with.is_none(), &mut self.out);
        } else if let Some(link) = self.foreign.get_mut(&swarm.0) {
            match with {
                Some(with) => {
                    let ours = self.engine.engine().peer_id();
                    link.answer(swarm.1, with.name, offer, ours, &mut self.out);
                }
                None => link.gather(swarm.1, offer),
            }
        }
        self.say_offers(swarm);
    }

    /// Those of one swarm leave together, in one announce.
    fn say_offers(&mut self, swarm: Swarm) {
        let describing =
            |it: &Attempt| it.swarm == swarm && it.ours && it.stage == Stage::Describing;
        if self.offers.under_way(describing) == 0
            && let Some(link) = self.foreign.get_mut(&swarm.0)
        {
            link.say_offers(swarm.1, self.engine.engine(), &mut self.out);
        }
    }

    /// A connection did not come about. Where somebody was there, it may come about later.
    fn give_up(&mut self, now: Time, number: u32) {
        if let Some(attempt) = self.offers.attempts.remove(&number) {
            if attempt.stage == Stage::Connecting {
                self.look_again(now, attempt.swarm);
            }
            self.say_offers(attempt.swarm);
        }
    }

    fn look_again(&mut self, now: Time, (link, info_hash): Swarm) {
        let RtcConfig { retry, .. } = self.engine.engine().config().paths.rtc;
        let due = now + retry;
        if let Some(link) = self.links.get_mut(&link) {
            link.announce_by(info_hash, due);
        } else if let Some(link) = self.foreign.get_mut(&link) {
            link.announce_by(info_hash, due);
        }
    }

    fn connected(
        &mut self,
        now: Time,
        number: u32,
        wire: LinkId,
        max_payload: usize,
    ) -> engine::Input<C> {
        let attempt = self.offers.attempts.remove(&number);
        let Some((attempt, with)) = attempt.and_then(|it| Some((it, it.with?))) else {
            self.drop_wire(wire, Ending::NotWanted);
            return engine::Input::Tick;
        };
        let (swarm, ours) = (attempt.swarm, attempt.ours);
        if let Some((other, met)) = self.offers.wire_to(swarm, with.member) {
            let mine = self.engine.engine().peer_id();
            let lower_offered = ours == (mine < with.name);
            if met.ours == ours || !lower_offered {
                self.drop_wire(wire, Ending::ConnectedAlready);
                return engine::Input::Tick;
            }
            self.drop_wire(other, Ending::ConnectedAlready);
            self.offers.met.remove(&other);
            if let Some(down) = self.wires.down(other) {
                self.feed(now, down);
            }
        }
        self.offers.met.insert(wire, Met { swarm, with, ours });
        let up = self.wires.linked(wire, max_payload);
        self.feed(now, up);
        let (link, info_hash) = swarm;
        engine::Input::Opened {
            opening: Opening {
                info_hash,
                channel: wire::key(wire),
                contact: contact(link, with),
                path: PeerPath::WebTorrent,
                here: self.number_at(link).0.to_be_bytes(),
            },
            room: UNCOUNTED,
        }
    }

    /// What others at a tracker know us by.
    fn number_at(&self, link: LinkId) -> MemberId {
        let ours = self.links.get(&link).and_then(RelayLink::member);
        ours.unwrap_or_else(|| number_of(self.engine.engine().peer_id()))
    }

    /// A wire is gone; if its other end closed it, whoever that was may be met again.
    pub(in crate::node) fn forget_met(&mut self, now: Time, wire: LinkId, closed_there: bool) {
        if let Some(met) = self.offers.met.remove(&wire)
            && closed_there
        {
            self.look_again(now, met.swarm);
        }
    }

    fn out_direct(&mut self, number: u32, work: DirectWork) {
        let id = DirectId {
            channel: ChannelKey {
                link: LinkId::TRACKERS,
                channel: ChannelId(0),
            },
            attempt: number,
        };
        self.out.push_back(Output::Direct(id, work));
    }
}
fn contact(link: LinkId, Partner { member, .. }: Partner) -> Contact {
    Contact::Member { link, member }
}
