//! What the hub does for those who speak WebTorrent's protocol.

use super::accounts::cost;
use super::{Frame, Hub, HubOutput};
use crate::id::MemberId;
use crate::time::Time;
use crate::wire::tracker::Event;
use crate::wire::webtorrent::{Announce, Answer, ClientMessage, ServerMessage};

impl<F: Frame> Hub<F> {
    /// One that speaks WebTorrent's protocol said something.
    pub(super) fn hear_webtorrent(&mut self, now: Time, member: MemberId, message: ClientMessage) {
        if !self.charge(now, member, cost::of_webtorrent(&message)) {
            return;
        }
        match message {
            ClientMessage::Announce(announce) => self.announce_webtorrent(now, member, announce),
            ClientMessage::Answer(answer) => self.answer_webtorrent(member, answer),
            ClientMessage::Scrape { swarms } => {
                let scraped = self.registry.scrape_webtorrent(&swarms);
                self.say_webtorrent(member, ServerMessage::Scraped(scraped));
            }
        }
    }

    fn announce_webtorrent(&mut self, now: Time, member: MemberId, announce: Announce) {
        let info_hash = announce.info_hash;
        if announce.event == Event::Stopped {
            self.leave(member, info_hash, "", true);
            return;
        }
        let counts = match self.registry.announce_webtorrent(now, member, &announce) {
            Ok(counts) => counts,
            Err(reason) => return self.error(member, info_hash, reason),
        };
        let interval = self.config.announce_interval.as_secs();
        let announced = ServerMessage::Announced {
            info_hash,
            interval: u32::try_from(interval).unwrap_or(u32::MAX),
            complete: counts.complete,
            incomplete: counts.incomplete,
        };
        self.say_webtorrent(member, announced);
        self.spread_offers(now, member, announce);
    }

    /// Each offer goes to another member of the swarm, drawn at random among those with whom
    /// there was none lately. Those for whom there is nobody are dropped, and made anew by
    /// their sender, as they live for a minute only.
    fn spread_offers(&mut self, now: Time, member: MemberId, announce: Announce) {
        let Announce {
            info_hash,
            peer_id,
            numwant,
            mut offers,
            ..
        } = announce;
        let wanted = numwant.map_or(usize::MAX, |it| usize::try_from(it).unwrap_or(usize::MAX));
        offers.truncate(wanted.min(self.config.max_numwant));
        if offers.is_empty() {
            return;
        }
        let most = self.config.max_numwant;
        let mut partners = self.registry.partners(member, info_hash, most);
        partners.retain(|to| self.signal.may_offer(info_hash, member, *to));
        for (offer, to) in offers.into_iter().zip(partners) {
            if self.signal.offer(now, info_hash, [member, to], offer.id) {
                let offer = ServerMessage::Offer {
                    info_hash,
                    peer_id,
                    offer,
                };
                self.say_webtorrent(to, offer);
            }
        }
    }

    /// Goes to whoever made the offer. One that comes too late, or twice, is for nobody.
    fn answer_webtorrent(&mut self, member: MemberId, answer: Answer) {
        let Answer {
            info_hash,
            peer_id,
            id,
            sdp,
            ..
        } = answer;
        if let Some(to) = self.signal.answer(member, info_hash, id) {
            let answer = ServerMessage::Answer {
                info_hash,
                peer_id,
                id,
                sdp,
            };
            self.say_webtorrent(to, answer);
        }
    }

    fn say_webtorrent(&mut self, member: MemberId, message: ServerMessage) {
        self.door.say(member, HubOutput::WebTorrent(message));
    }
}
